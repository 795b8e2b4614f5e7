// Pools whose windows are chosen to give a wanted size.

import { checkShape } from '../../dispatch/allocate.js';
import { int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { encode } from '../../ops/data.js';
import { op } from '../../ops/define.js';
import { mean } from '../../ops/table.js';
import { listText } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';
import { type Boxes, boxMax, boxMean, refuseDtype } from './pooling.js';

/** Output sizes of an adaptive pool: null keeps the image's. */
export type AdaptiveSizes = number | null | readonly (number | null)[];

/** [C, spatial...] or [N, C, spatial...] as a batch, and back. */
function batched(x: Tensor, n: number, kind: 'avg' | 'max'): [input: Tensor, restore: (y: Tensor) => Tensor] {
  const name = `adaptive_${kind}_pool${n}d`;
  const rank = x.shape.length;
  if (rank !== n + 1 && rank !== n + 2)
    throw new RuntimeError(
      n === 1
        ? `Expected 2 to 3 dimensions, but got ${rank}-dimensional tensor for argument #1 'self' (while checking arguments for ${name})`
        : `${name}(): Expected ${n + 1}D or ${n + 2}D tensor, but got${kind === 'max' ? ':' : ''} ${listText(x.shape)}`,
    );
  const whole = rank === n + 2;
  // The mean of one and two dimensions counts the channels to the batch.
  const first = (whole ? 1 : 0) + (kind === 'avg' && n < 3 ? 1 : 0);
  const empty = x.shape.findIndex((size, d) => d >= first && size === 0);
  if (empty >= 0) {
    const line = kind === 'avg' && n === 1;
    const shape = line ? [...x.shape.slice(0, -1), 1, ...x.shape.slice(-1)] : x.shape;
    throw new RuntimeError(
      `${line ? 'adaptive_avg_pool2d' : name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ${listText(shape)} with dimension ${empty + (line ? 1 : 0)} being empty`,
    );
  }
  return whole ? [x, (y) => y] : [x.unsqueeze(0), (y) => y.squeeze(0)];
}

/** The checks of the sizes that come before those of the input. */
function checkSizes(size: AdaptiveSizes, x: Tensor, n: number, name: string): void {
  if (typeof size === 'number') return;
  const list = (size ?? []) as readonly (number | null)[];
  if (n === 1 && size !== null && list.length !== 1)
    throw new RuntimeError(`${name}() argument 'output_size' should contain one int (got ${list.length})`);
  if (n > 1 && x.shape.length <= list.length)
    throw new ValueError(`Input dimension should be at least ${list.length + 1}`);
}

function wantedSizes(size: AdaptiveSizes, x: Tensor, n: number, kind: 'avg' | 'max'): number[] {
  const image = x.shape.slice(2);
  const list = Array.isArray(size) ? (size as (number | null)[]) : [size as number | null];
  const full = list.length === 1 ? image.map(() => list[0]) : list;
  if (full.length !== n)
    throw new RuntimeError(
      kind === 'avg'
        ? `adaptive_avg_pool${n}d: output_size must be ${n}`
        : `adaptive_max_pool${n}d(): internal error: output_size.size() must be ${n}`,
    );
  const sizes = full.map((v, i) => v ?? image[i]);
  if (sizes.every((v) => v >= 0)) {
    // Before tables of that length are made.
    checkShape([...x.shape.slice(0, 2), ...sizes], x.dtype.itemsize);
    return sizes;
  }
  const shown = n === 1 ? [1, ...sizes] : sizes;
  throw new RuntimeError(
    kind === 'avg'
      ? `adaptive_avg_pool${shown.length}d: elements of output_size must be greater than or equal to 0 but received {${shown.length === 3 ? `${shown[0]}, ${shown[1]},${shown[2]}` : shown.join(', ')}}`
      : `Trying to create tensor with negative dimension ${shown.find((v) => v < 0)}: ${listText([x.shape[0], x.shape[1], ...shown])}`,
  );
}

/** Output j of `count` looks at elements floor(j size / count) to ceil((j + 1) size / count). */
function boxesOf(image: readonly number[], count: readonly number[], x: Tensor): Boxes {
  const first: number[] = new Array<number>(3 - count.length).fill(0);
  const end: number[] = new Array<number>(3 - count.length).fill(1);
  count.forEach((n, i) => {
    for (let j = 0; j < n; j++) {
      first.push(Math.floor((j * image[i]) / n));
      end.push(Math.ceil(((j + 1) * image[i]) / n));
    }
  });
  const bounds = encode([...first, ...end], int64).reshape([1, 2, -1]);
  return { image, count, bounds: bounds.to(x.device) };
}

function defineAdaptiveAvg(n: number): (input: Tensor, output_size: AdaptiveSizes) => Tensor {
  const node = `AdaptiveAvgPool${n === 3 ? 3 : 2}DBackward0`;
  return op(
    `nn.functional.adaptive_avg_pool${n}d`,
    'Tensor input, any output_size',
    (x: Tensor, size: AdaptiveSizes) => {
      checkSizes(size, x, n, `adaptive_avg_pool${n}d`);
      const [input, restore] = batched(x, n, 'avg');
      const count = wantedSizes(size, input, n, 'avg');
      refuseDtype(input, n === 3 ? 'adaptive_avg_pool3d_cpu' : 'adaptive_avg_pool2d', 'none');
      const spatial = count.map((_, i) => i + 2);
      if (n > 1 && count.every((c) => c === 1)) return restore(mean(input, spatial, true));
      return restore(boxMean(input, boxesOf(input.shape.slice(2), count, input), node));
    },
  );
}
/** Means of windows of [N, C, L] that give the wanted length. */
export const adaptive_avg_pool1d: (input: Tensor, output_size: AdaptiveSizes) => Tensor =
  defineAdaptiveAvg(1);
/** Means of windows of [N, C, H, W] that give the wanted size. */
export const adaptive_avg_pool2d: (input: Tensor, output_size: AdaptiveSizes) => Tensor =
  defineAdaptiveAvg(2);
/** Means of windows of [N, C, D, H, W] that give the wanted size. */
export const adaptive_avg_pool3d: (input: Tensor, output_size: AdaptiveSizes) => Tensor =
  defineAdaptiveAvg(3);

type AdaptiveMax = (
  input: Tensor,
  output_size: AdaptiveSizes,
  return_indices?: boolean,
) => Tensor | [Tensor, Tensor];

function defineAdaptiveMax(n: number): AdaptiveMax {
  const node = `AdaptiveMaxPool${n === 3 ? 3 : 2}DBackward0`;
  return op(
    `nn.functional.adaptive_max_pool${n}d`,
    'Tensor input, any output_size, bool return_indices=False',
    (x: Tensor, size: AdaptiveSizes, indices: boolean) => {
      checkSizes(size, x, n, `adaptive_max_pool${n}d`);
      const [input, restore] = batched(x, n, 'max');
      const count = wantedSizes(size, input, n, 'max');
      refuseDtype(input, n === 3 ? 'adaptive_max_pool3d_cpu' : 'adaptive_max_pool2d', 'none');
      const [values, where] = boxMax(input, boxesOf(input.shape.slice(2), count, input), node);
      return indices ? [restore(values), restore(where)] : restore(values);
    },
  );
}
/** Maxima of windows of [N, C, L] that give the wanted length. */
export const adaptive_max_pool1d: AdaptiveMax = defineAdaptiveMax(1);
/** Maxima of windows of [N, C, H, W] that give the wanted size. */
export const adaptive_max_pool2d: AdaptiveMax = defineAdaptiveMax(2);
/** Maxima of windows of [N, C, D, H, W] that give the wanted size. */
export const adaptive_max_pool3d: AdaptiveMax = defineAdaptiveMax(3);
