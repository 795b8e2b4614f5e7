// Fractional max-pooling: maxima of windows whose steps are drawn at random (Graham, "Fractional Max-Pooling", 2014).

import { typeName } from '../../dispatch/schema.js';
import { int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { arangeOf } from '../../ops/fill.js';
import { cat, rand, stack } from '../../ops/table.js';
import { listText } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';
import type { Sizes } from './conv.js';
import { boxMax, refuseDtype } from './pooling.js';

/** @throws TypeError for what is neither a number nor a list of numbers. */
function expand(v: Sizes, n: number, name: string): number[] {
  const given: unknown = v;
  if (typeof given !== 'number' && !(Array.isArray(given) && given.every((x) => typeof x === 'number')))
    throw new TypeError(
      `fractional_max_pool${n}d(): argument '${name}' must be tuple of numbers, not ${typeName(given)}`,
    );
  const list = typeof v === 'number' ? [v] : [...v];
  if (list.length !== 1 && list.length !== n)
    throw new RuntimeError(
      `fractional_max_pool${n}d: ${name} must either be a single Int or tuple of ${n === 3 ? 'three ' : ''}Ints`,
    );
  return list.length === 1 ? new Array<number>(n).fill(list[0]) : list;
}

/** The wanted size, from one of size and ratio. */
function wantedSize(x: Tensor, n: number, size: Sizes | null, ratio: Sizes | null): number[] {
  if (size !== null) return expand(size, n, 'output_size');
  if (ratio === null)
    throw new ValueError(
      `fractional_max_pool${n}d requires specifying either an output_size or an output_ratio`,
    );
  const ratios = expand(ratio, n, 'output_ratio');
  return ratios.map((r, i) => Math.trunc(x.shape[x.shape.length - n + i] * r));
}

const axes = { 2: ['height', 'width'], 3: ['time', 'height', 'width'] } as const;

function check(x: Tensor, n: 2 | 3, kernel: readonly number[], count: readonly number[]): void {
  const name = n === 2 ? 'fractional_max_pool2d()' : 'fractional_max_pool3d_out()';
  const first = x.shape.length - n - 1;
  const empty = x.shape.findIndex((size, d) => d >= first && size === 0);
  if (empty >= 0)
    throw new RuntimeError(
      `${name}: Expected input to have non-zero size for non-batch dimensions, but got${listText(x.shape)} with dimension ${empty} being empty.`,
    );
  if (first > 1)
    throw new RuntimeError(`${name}: Expected ${n + 1}D or ${n + 2}D tensor, but got: ${listText(x.shape)}`);
  kernel.forEach((k, i) => {
    const size = x.shape[first + 1 + i];
    if (count[i] + k - 1 > size)
      throw new RuntimeError(
        `${name}: pool ${axes[n][i]} ${k} too large relative to input ${axes[n][i]} ${size}`,
      );
  });
  if (count.some((c) => c < 0))
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${count.find((c) => c < 0)}: ${listText([...x.shape.slice(0, first + 1), ...count])}`,
    );
}

function checkSamples(samples: Tensor, x: Tensor, n: number): void {
  if (samples.dtype !== x.dtype)
    throw new RuntimeError('Expect _random_samples to have the same dtype as input');
  if (samples.shape.length !== 3)
    throw new RuntimeError(`Expect _random_samples to have 3 dimensions, got ${samples.shape.length}`);
  const [batch, channels, each] = samples.shape;
  if (batch < x.shape[0])
    throw new RuntimeError('Expect _random_samples.size(0) no less then input batch size.');
  if (channels !== x.shape[1])
    throw new RuntimeError('Expect _random_samples.size(1) equals to input channel size.');
  if (each !== n) throw new RuntimeError(`Expect _random_samples.size(2) equals to ${n}; got ${each}.`);
}

/** The first elements of the windows of every plane: samples [planes] to [planes, count], in the samples' arithmetic. */
function firstElements(samples: Tensor, size: number, kernel: number, count: number): Tensor {
  if (count === 0) return samples.new_empty([samples.shape[0], 0], { dtype: int64 });
  const last = samples.new_full([samples.shape[0], 1], size - kernel, { dtype: int64 });
  if (count === 1) return last;
  const step = samples.new_full([], size - kernel).div(samples.new_full([], count - 1));
  const u = samples.unsqueeze(1);
  const position = arangeOf(count - 1, samples.device)
    .to(samples.dtype)
    .add(u)
    .mul(step)
    .to(int64);
  return cat([position.sub(u.mul(step).to(int64)), last], 1);
}

function bounds(
  samples: Tensor,
  image: readonly number[],
  kernel: readonly number[],
  count: readonly number[],
): Tensor {
  const n = image.length;
  const planes = samples.shape[0];
  const [firsts, ends]: [Tensor[], Tensor[]] = [[], []];
  if (n === 2) {
    firsts.push(samples.new_full([planes, 1], 0, { dtype: int64 }));
    ends.push(samples.new_full([planes, 1], 1, { dtype: int64 }));
  }
  image.forEach((size, i) => {
    // In two dimensions the first sample is that of the width.
    const sample = samples.select(1, n === 2 ? 1 - i : i);
    const first = firstElements(sample, size, kernel[i], count[i]);
    firsts.push(first);
    ends.push(first.add(kernel[i]));
  });
  return stack([cat(firsts, 1), cat(ends, 1)], 1);
}

export interface FractionalOptions {
  output_size?: Sizes | null;
  output_ratio?: Sizes | null;
  return_indices?: boolean;
  _random_samples?: Tensor | null;
}
type FractionalArgs =
  | [
      output_size?: Sizes | null,
      output_ratio?: Sizes | null,
      return_indices?: boolean,
      _random_samples?: Tensor | null,
    ]
  | [options: FractionalOptions];
type FractionalMaxPool = (input: Tensor, kernel_size: Sizes, ...args: FractionalArgs) => Tensor;

function defineFractional(n: 2 | 3): FractionalMaxPool {
  return op(
    `nn.functional.fractional_max_pool${n}d`,
    'Tensor input, int[1] kernel_size, int[1]? output_size=None, any output_ratio=None, bool return_indices=False, Tensor? _random_samples=None',
    (
      x: Tensor,
      kernelSize: Sizes,
      size: Sizes | null,
      ratio: Sizes | null,
      indices: boolean,
      given: Tensor | null,
    ) => {
      const count = wantedSize(x, n, size, ratio);
      const kernel = expand(kernelSize, n, 'kernel_size');
      const whole = x.shape.length !== n + 1;
      const channels = x.shape.at(-n - 1);
      if (channels === undefined)
        throw new RuntimeError(
          `fractional_max_pool${n}d(): Expected ${n + 1}D or ${n + 2}D tensor, but got: ${listText(x.shape)}`,
        );
      const samples =
        given ?? rand([whole ? x.shape[0] : 1, channels, n], { dtype: x.dtype, device: x.device });
      check(x, n, kernel, count);
      const input = whole ? x : x.unsqueeze(0);
      checkSamples(samples, input, n);
      refuseDtype(input, `fractional_max_pool${n}d_out_frame`, 'none');
      const [batch, , ...image] = input.shape;
      const used = samples.detach().narrow(0, 0, batch).reshape([-1, n]);
      const boxes = { image, count, bounds: bounds(used, image, kernel, count).contiguous() };
      const pooled = boxMax(input, boxes, `FractionalMaxPool${n}DBackward0`);
      const [values, where] = whole ? pooled : pooled.map((y) => y.squeeze(0));
      return indices ? [values, where] : values;
    },
  );
}
/**
 * Maxima of windows of [N, C, H, W] (or without N) at random steps that give `output_size`, or `output_ratio` of the
 * image; with `return_indices`, `[values, positions]`. `_random_samples` [N, C, 2] in [0, 1) place the windows.
 * @throws ValueError without a size and a ratio; RuntimeError where the windows do not fit.
 */
export const fractional_max_pool2d: FractionalMaxPool = defineFractional(2);
/** {@link fractional_max_pool2d} for [N, C, D, H, W], with `_random_samples` [N, C, 3]. */
export const fractional_max_pool3d: FractionalMaxPool = defineFractional(3);
