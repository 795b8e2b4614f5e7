// Sliding windows of images as columns of a matrix, and back.
import { record } from '../../autograd/graph.js';
import { alias, empty } from '../../dispatch/allocate.js';
import { RuntimeError } from '../../errors.js';
import { copyInto } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { zeros_ } from '../../ops/fill.js';
import { pad as padTensor } from '../../ops/pad.js';
import { narrow } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';

/** One size for both dimensions, or one for each. */
export type Pair = number | readonly number[];

export interface UnfoldOptions {
  dilation?: Pair;
  padding?: Pair;
  stride?: Pair;
}

/** The windows of an image of the given height and width. */
interface Windows {
  readonly image: readonly number[];
  readonly kernel: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly stride: readonly number[];
  /** Windows along each dimension. */
  readonly count: readonly number[];
}

const pair = (v: Pair): number[] => (typeof v === 'number' ? [v, v] : v.length === 1 ? [v[0], v[0]] : [...v]);

function windows(
  image: readonly number[],
  kernel: Pair,
  dilation: Pair,
  padding: Pair,
  stride: Pair,
): Windows {
  const [k, d, p, s] = [kernel, dilation, padding, stride].map(pair);
  for (const [name, v, least] of [
    ['kernel size', k, 1],
    ['dilation', d, 1],
    ['padding', p, 0],
    ['stride', s, 1],
  ] as const)
    if (v.some((n) => n < least))
      throw new RuntimeError(
        `${name} should be ${least === 1 ? 'greater than zero' : 'non-negative'}, but got ${name.replace('kernel size', 'kernel')}_height: ${v[0]} ${name.replace('kernel size', 'kernel')}_width: ${v[1]}`,
      );
  const count = image.map((n, i) => Math.floor((n + 2 * p[i] - d[i] * (k[i] - 1) - 1) / s[i]) + 1);
  return { image, kernel: k, dilation: d, padding: p, stride: s, count };
}

/** Every element of a window that starts at the corner, as [N, C, kh, kw, rows, columns], over padded [N, C, H, W]. */
function windowView(x: Tensor, w: Windows): Tensor {
  const [n, c, h, v] = x._strides;
  const shape = [x.shape[0], x.shape[1], ...w.kernel, ...w.count];
  return alias(
    x,
    shape,
    [n, c, h * w.dilation[0], v * w.dilation[1], h * w.stride[0], v * w.stride[1]],
    x._offset,
  );
}

/** [N, C, H, W] to [N, C * kh * kw, windows]. */
function columns(x: Tensor, w: Windows): Tensor {
  const [n, c] = x.shape;
  const [kh, kw] = w.kernel;
  const padded = w.padding.some((p) => p > 0)
    ? padTensor(x.detach(), [w.padding[1], w.padding[1], w.padding[0], w.padding[0]])
    : x.detach();
  const out = empty([n, c, kh, kw, ...w.count], x.dtype, x.device);
  copyInto(out, windowView(padded, w));
  const result = out.view([n, c * kh * kw, w.count[0] * w.count[1]]);
  record('Im2ColBackward0', [x], [result], () => ([g]) => [g === null ? null : image(g, w)]);
  return result;
}

/** [N, C * kh * kw, windows] to [N, C, H, W]: windows that overlap add up. */
function image(x: Tensor, w: Windows): Tensor {
  const [kh, kw] = w.kernel;
  const [n, rows] = x.shape;
  const c = rows / (kh * kw);
  const [ph, pw] = w.padding;
  const padded = zeros_([n, c, w.image[0] + 2 * ph, w.image[1] + 2 * pw], x.dtype, x.device);
  const parts = x.detach().reshape([n, c, kh, kw, ...w.count]);
  const places = windowView(padded, w);
  for (let i = 0; i < kh; i++)
    for (let j = 0; j < kw; j++) places.select(2, i).select(2, j).add_(parts.select(2, i).select(2, j));
  const out = narrow(narrow(padded, 2, ph, w.image[0]), 3, pw, w.image[1]).contiguous();
  record('Col2ImBackward0', [x], [out], () => ([g]) => [g === null ? null : columns(g, w)]);
  return out;
}

type UnfoldArgs = [dilation?: Pair, padding?: Pair, stride?: Pair] | [options: UnfoldOptions];

/**
 * The sliding windows of an image as columns: [N, C, H, W] to [N, C * kernel elements, windows], or without N.
 * @throws RuntimeError when no window fits.
 */
export const unfold: (input: Tensor, kernel_size: Pair, ...args: UnfoldArgs) => Tensor = op(
  'nn.functional.unfold',
  'Tensor input, int[1] kernel_size, int[1] dilation=1, int[1] padding=0, int[1] stride=1',
  (x: Tensor, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair) => {
    const batched = x.shape.length === 4;
    if ((!batched && x.shape.length !== 3) || x.shape.slice(batched ? 1 : 0).includes(0))
      throw new RuntimeError(
        `Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: [${x.shape.join(', ')}]`,
      );
    const w = windows(x.shape.slice(-2), kernel, dilation, padding, stride);
    if (w.count.some((n) => n < 1))
      throw new RuntimeError(
        `Given input with spatial size (${w.image.join(', ')}), kernel_size=(${w.kernel.join(', ')}), dilation=(${w.dilation.join(', ')}), padding=(${w.padding.join(', ')}), stride=(${w.stride.join(', ')}), calculated shape of the array of sliding blocks as (${w.count.join(', ')}), but its components must be at least one.`,
      );
    return batched ? columns(x, w) : columns(x.unsqueeze(0), w).squeeze(0);
  },
);

/**
 * The inverse of {@link unfold}, which adds up what overlaps: [N, C * kernel elements, windows] to [N, C, H, W].
 * @throws RuntimeError when the columns do not fit the windows.
 */
export const fold: (input: Tensor, output_size: Pair, kernel_size: Pair, ...args: UnfoldArgs) => Tensor = op(
  'nn.functional.fold',
  'Tensor input, int[1] output_size, int[1] kernel_size, int[1] dilation=1, int[1] padding=0, int[1] stride=1',
  (x: Tensor, size: Pair, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair) => {
    const batched = x.shape.length === 3;
    if (!batched && x.shape.length !== 2)
      throw new RuntimeError(
        `Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: [${x.shape.join(', ')}]`,
      );
    const w = windows(pair(size), kernel, dilation, padding, stride);
    const [rows, count] = x.shape.slice(-2);
    const area = w.kernel[0] * w.kernel[1];
    if (rows % area !== 0)
      throw new RuntimeError(
        `Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=${rows} and kernel_size=(${w.kernel.join(', ')}).`,
      );
    const expected = w.count[0] * w.count[1];
    if (w.count.some((n) => n < 1) || count !== expected)
      throw new RuntimeError(
        `Given output_size=(${w.image.join(', ')}), kernel_size=(${w.kernel.join(', ')}), dilation=(${w.dilation.join(', ')}), padding=(${w.padding.join(', ')}), stride=(${w.stride.join(', ')}), expected size of input's dimension 2 to match the calculated number of sliding blocks ${w.count.join(' * ')} = ${expected}, but got input.size(2)=${count}.`,
      );
    return batched ? image(x, w) : image(x.unsqueeze(0), w).squeeze(0);
  },
);
