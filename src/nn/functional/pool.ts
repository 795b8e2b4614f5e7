// Pooling in one to three dimensions, over windows.

import { RuntimeError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { listText } from '../../pyformat.js';
import { numelOf, type Tensor } from '../../tensor.js';
import type { Sizes } from './conv.js';
import { avgPool, maxPool, refuseDtype } from './pooling.js';
import type { Windows } from './windows.js';

const ranks = (n: number): string => `${n + 1}D or ${n + 2}D (batch mode) tensor`;

/** [C, spatial...] as a batch of one, and back. */
function batched(x: Tensor, n: number, name: string): { input: Tensor; restore: (y: Tensor) => Tensor } {
  if (x.shape.length !== n + 1 && x.shape.length !== n + 2)
    throw new RuntimeError(
      name === 'avg_pool1d'
        ? `Expected 2 to 3 dimensions, but got ${x.shape.length}-dimensional tensor for argument #1 'self' (while checking arguments for avg_pool1d)`
        : name === 'max_pool1d'
          ? `max_pool1d: Expected ${ranks(1)} with optional 0 dim batch size for input, but got:${listText(x.shape)}`
          : `non-empty ${ranks(n)} expected for input`,
    );
  const whole = x.shape.length === n + 2;
  return { input: whole ? x : x.unsqueeze(0), restore: (y) => (whole ? y : y.squeeze(0)) };
}

/** Refuses an image without elements; an empty batch is one. */
function checkFull(x: Tensor, n: number, name: string): void {
  if (x.shape.every((size, d) => d === 0 || size > 0)) return;
  if (n === 3)
    throw new RuntimeError(
      `${name === 'max_pool3d' ? 'max_pool3d_with_indices_out_cpu_template' : name}(): Expected input's non-batch dimensions to have positive length, but input has a shape of ${listText(x.shape)} and non-batch dimension 0 has length zero!`,
    );
  const shape = n === 1 && name !== 'max_pool1d' ? [...x.shape.slice(0, 2), 1, ...x.shape.slice(2)] : x.shape;
  throw new RuntimeError(
    `${name === 'max_pool1d' ? 'max_pool1d: ' : ''}Expected ${ranks(name === 'max_pool1d' ? 1 : 2)} with optional 0 dim batch size for input, but got:${listText(shape)}`,
  );
}

const counts = ['', 'one int', 'two ints', 'three ints'];

/** One number for each of n dimensions. */
export function poolSizes(v: Sizes, n: number, pool: string, name: string): number[] {
  const list = typeof v === 'number' ? [v] : [...v];
  if (list.length !== 1 && list.length !== n)
    throw new RuntimeError(
      `${pool}: ${name} must either be ${name === 'stride' ? 'omitted, ' : ''}a single int, or a tuple of ${counts[n]}`,
    );
  return list.length === 1 ? new Array<number>(n).fill(list[0]) : list;
}

/** How many windows fit; with `ceil`, one that starts inside of the image or its left padding may stick out. */
function countWindows(
  size: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  ceil: boolean,
): number {
  const span = size + 2 * padding - dilation * (kernel - 1) - 1;
  let count = Math.floor((ceil ? span + stride - 1 : span) / stride) + 1;
  if (ceil && (count - 1) * stride >= size + padding) count--;
  return count;
}

/** What max_pool1d refuses, in its words. */
function checkLine(k: number, s: number, p: number, d: number): void {
  if (k <= 0) throw new RuntimeError(`max_pool1d() kernel_size must be greater than zero, but got ${k}`);
  if (s <= 0) throw new RuntimeError(`max_pool1d() stride must be greater than zero, but got ${s}`);
  if (p < 0) throw new RuntimeError(`max_pool1d() padding must be non-negative, but got ${p}`);
  if (p > k / 2)
    throw new RuntimeError(
      `max_pool1d() padding should be at most half of kernel size, but got padding=${p} and kernel_size=${k}`,
    );
  if (d <= 0) throw new RuntimeError(`max_pool1d() dilation must be greater than zero, but got ${d}`);
}

/** Names of numbers by dimension: `kH: 1 kW: 2`. */
const named = (prefix: string, list: readonly number[], suffix = ''): string =>
  (list.length === 1 ? [1, ...list] : list)
    .map((v, i, all) => `${prefix}${['T', 'H', 'W'][i + 3 - all.length]}${suffix}: ${v}`)
    .join(' ');

function checkImage(k: number[], s: number[], p: number[], d: number[]): void {
  if (s.some((v) => v === 0)) throw new RuntimeError('stride should not be zero');
  const negative = p.find((v) => v < 0);
  if (negative !== undefined) throw new RuntimeError(`pad must be non-negative, but got pad: ${negative}`);
  const bad = p.findIndex((v, i) => v > ((k[i] - 1) * d[i] + 1) / 2);
  if (bad >= 0)
    throw new RuntimeError(
      `pad should be at most half of effective kernel size, but got pad=${p[bad]}, kernel_size=${k[bad]} and dilation=${d[bad]}`,
    );
  if (k.some((v) => v <= 0))
    throw new RuntimeError(`kernel size should be greater than zero, but got ${named('k', k)}`);
  if (s.some((v) => v < 0))
    throw new RuntimeError(`stride should be greater than zero, but got ${named('d', s)}`);
  if (d.some((v) => v <= 0))
    throw new RuntimeError(`dilation should be greater than zero, but got ${named('dilation', d)}`);
}

/** The kernels keep tables of this many entries at most, one for each element of a window. */
const MAX_TAPS = 2 ** 28;

function poolWindows(
  x: Tensor,
  kernel: Sizes,
  stride: Sizes | null,
  padding: Sizes,
  dilation: Sizes,
  ceil: boolean,
  n: number,
  name: string,
): Windows {
  const image = x.shape.slice(2);
  const k = poolSizes(kernel, n, name, 'kernel_size');
  const omitted = stride === null || (Array.isArray(stride) && stride.length === 0);
  const s = omitted ? k : poolSizes(stride, n, name, 'stride');
  const p = poolSizes(padding, n, name, 'padding');
  const d = poolSizes(dilation, n, name, 'dilation');
  if (name === 'max_pool1d') checkLine(k[0], s[0], p[0], d[0]);
  checkImage(k, s, p, d);
  checkFull(x, n, name);
  const count = image.map((size, i) => countWindows(size, k[i], s[i], p[i], d[i], ceil));
  if (count.some((c) => c < 1)) {
    if (name === 'max_pool1d')
      throw new RuntimeError(`max_pool1d() Invalid computed output size: ${count[0]}`);
    if (name === 'avg_pool3d')
      throw new RuntimeError(
        `input image (T: ${image[0]} H: ${image[1]} W: ${image[2]}) smaller than kernel size (kT: ${k[0]} kH: ${k[1]} kW: ${k[2]})`,
      );
    const line = n === 1 ? [1] : [];
    throw new RuntimeError(
      `Given input size: (${[x.shape[1], ...line, ...image].join('x')}). Calculated output size: (${[x.shape[1], ...line, ...count].join('x')}). Output size is too small`,
    );
  }
  if (numelOf(k) > MAX_TAPS)
    throw new RuntimeError(`${name}(): a kernel of ${k.join('x')} elements does not fit in memory`);
  return { image, kernel: k, stride: s, dilation: d, before: p, after: p, count };
}

export interface MaxPoolOptions {
  stride?: Sizes | null;
  padding?: Sizes;
  dilation?: Sizes;
  ceil_mode?: boolean;
  return_indices?: boolean;
}
type MaxPool = (
  input: Tensor,
  kernel_size: Sizes,
  ...args:
    | [
        stride?: Sizes | null,
        padding?: Sizes,
        dilation?: Sizes,
        ceil_mode?: boolean,
        return_indices?: boolean,
      ]
    | [options: MaxPoolOptions]
) => Tensor;

function defineMaxPool(n: number): MaxPool {
  const node = n === 3 ? 'MaxPool3DWithIndicesBackward0' : 'MaxPool2DWithIndicesBackward0';
  return op(
    `nn.functional.max_pool${n}d`,
    'Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[1] dilation=1, bool ceil_mode=False, bool return_indices=False',
    (
      x: Tensor,
      kernel: Sizes,
      stride: Sizes | null,
      padding: Sizes,
      dilation: Sizes,
      ceil: boolean,
      indices: boolean,
    ) => {
      const { input, restore } = batched(x, n, `max_pool${n}d`);
      // With positions, one dimension takes PyTorch's path of two.
      const name = n === 1 && indices ? 'max_pool1d_with_indices' : `max_pool${n}d`;
      const w = poolWindows(input, kernel, stride, padding, dilation, ceil, n, name);
      refuseDtype(input, n === 1 ? 'max_pool1d_impl' : `max_pool${n}d`, n === 1 ? 'none' : 'all');
      const [values, where] = maxPool(input, w, node);
      return indices ? [restore(values), restore(where)] : restore(values);
    },
  );
}
/** Maxima of windows of [N, C, L]; with `return_indices`, `[values, positions]`. */
export const max_pool1d: MaxPool = defineMaxPool(1);
/**
 * Maxima of windows of [N, C, H, W]; with `return_indices`, `[values, positions]`.
 *
 *     F.max_pool2d(torch.arange(16, { dtype: torch.float32 }).view(1, 4, 4), 2)
 *     // tensor([[[ 5.,  7.],
 *     //          [13., 15.]]])
 */
export const max_pool2d: MaxPool = defineMaxPool(2);
/** Maxima of windows of [N, C, D, H, W]; with `return_indices`, `[values, positions]`. */
export const max_pool3d: MaxPool = defineMaxPool(3);

export interface AvgPoolOptions {
  stride?: Sizes | null;
  padding?: Sizes;
  ceil_mode?: boolean;
  count_include_pad?: boolean;
  divisor_override?: number | null;
}
type AvgPool = (
  input: Tensor,
  kernel_size: Sizes,
  ...args:
    | [
        stride?: Sizes | null,
        padding?: Sizes,
        ceil_mode?: boolean,
        count_include_pad?: boolean,
        divisor_override?: number | null,
      ]
    | [options: AvgPoolOptions]
) => Tensor;

function defineAvgPool(n: number): AvgPool {
  const node = n === 3 ? 'AvgPool3DBackward0' : 'AvgPool2DBackward0';
  return op(
    `nn.functional.avg_pool${n}d`,
    'Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None',
    (
      x: Tensor,
      kernel: Sizes,
      stride: Sizes | null,
      padding: Sizes,
      ceil: boolean,
      includePad: boolean,
      divisor: number | null,
    ) => {
      if (divisor === 0) throw new RuntimeError('divisor must be not zero');
      const { input, restore } = batched(x, n, `avg_pool${n}d`);
      const w = poolWindows(input, kernel, stride, padding, 1, ceil, n, `avg_pool${n}d`);
      refuseDtype(input, n === 3 ? 'avg_pool3d_out_frame' : 'avg_pool2d', 'int64');
      return restore(avgPool(input, w, { includePad, divisor: divisor ?? 0 }, node));
    },
  );
}
/** Means of windows of [N, C, L]. */
export const avg_pool1d: AvgPool = defineAvgPool(1);
/** Means of windows of [N, C, H, W]. */
export const avg_pool2d: AvgPool = defineAvgPool(2);
/** Means of windows of [N, C, D, H, W]. */
export const avg_pool3d: AvgPool = defineAvgPool(3);

type LPPool = (
  input: Tensor,
  norm_type: number,
  kernel_size: Sizes,
  stride?: Sizes | null,
  ceil_mode?: boolean,
) => Tensor;

function defineLPPool(n: number, average: AvgPool): LPPool {
  return op(
    `nn.functional.lp_pool${n}d`,
    'Tensor input, float norm_type, int[1] kernel_size, int[1]? stride=None, bool ceil_mode=False',
    (x: Tensor, p: number, kernel: Sizes, stride: Sizes | null, ceil: boolean) => {
      const mean = average(x.pow(p), kernel, stride, 0, ceil);
      return mean
        .sign()
        .mul(mean.abs().relu())
        .mul(numelOf(poolSizes(kernel, n, `lp_pool${n}d`, 'kernel_size')))
        .pow(1 / p);
    },
  );
}
/** The p-norm of windows of [N, C, L]. */
export const lp_pool1d: LPPool = defineLPPool(1, avg_pool1d);
/** The p-norm of windows of [N, C, H, W]. */
export const lp_pool2d: LPPool = defineLPPool(2, avg_pool2d);
/** The p-norm of windows of [N, C, D, H, W]. */
export const lp_pool3d: LPPool = defineLPPool(3, avg_pool3d);
