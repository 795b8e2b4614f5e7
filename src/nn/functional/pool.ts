// Pooling in one to three dimensions, over windows.
import { record } from '../../autograd/graph.js';
import { backendOf } from '../../backends/backend.js';
import { int64 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { gatherAlong, scatterAdd } from '../../ops/along.js';
import { op } from '../../ops/define.js';
import { arangeOf, zeros_ } from '../../ops/fill.js';
import { cat, max, stack } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import type { Sizes } from './conv.js';
import { gatherWindows, product, sized, type Windows } from './windows.js';

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** [C, spatial...] as a batch of one, and back. */
function batched(x: Tensor, n: number, name: string): { input: Tensor; restore: (y: Tensor) => Tensor } {
  if (x.shape.length !== n + 1 && x.shape.length !== n + 2)
    throw new RuntimeError(
      `${name}: Expected ${n + 1}D or ${n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got: ${show(x.shape)}`,
    );
  const whole = x.shape.length === n + 2;
  if (x.shape.slice(whole ? 1 : 0).some((s) => s === 0))
    throw new RuntimeError(
      `Expected ${n + 1}D or ${n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got:${show(x.shape)}`,
    );
  return { input: whole ? x : x.unsqueeze(0), restore: (y) => (whole ? y : y.squeeze(0)) };
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

function poolWindows(
  x: Tensor,
  kernel: Sizes,
  stride: Sizes | null,
  padding: Sizes,
  dilation: Sizes,
  ceil: boolean,
  n: number,
): Windows {
  const image = x.shape.slice(2);
  const k = sized(kernel, n, 'kernel_size');
  const s =
    stride === null || (Array.isArray(stride) && stride.length === 0)
      ? k
      : sized(stride as Sizes, n, 'stride');
  const p = sized(padding, n, 'padding');
  const d = sized(dilation, n, 'dilation');
  if (k.some((v) => v <= 0))
    throw new RuntimeError(
      `kernel size should be greater than zero, but got ${n === 1 ? k[0] : `kH: ${k[0]} kW: ${k[k.length - 1]}`}`,
    );
  if (s.some((v) => v <= 0)) throw new RuntimeError('stride should not be zero');
  if (d.some((v) => v <= 0)) throw new RuntimeError('dilation should be greater than zero');
  if (p.some((v) => v < 0))
    throw new RuntimeError(`pad must be non-negative, but got pad: ${p.find((v) => v < 0)}`);
  const bad = p.findIndex((v, i) => v > ((k[i] - 1) * d[i] + 1) / 2);
  if (bad >= 0)
    throw new RuntimeError(
      `pad should be at most half of effective kernel size, but got pad=${p[bad]}, kernel_size=${k[bad]} and dilation=${d[bad]}`,
    );
  const count = image.map((size, i) => countWindows(size, k[i], s[i], p[i], d[i], ceil));
  if (count.some((c) => c < 1))
    throw new RuntimeError(
      `Given input size: (${x.shape.slice(1).join('x')}). Calculated output size: (${[x.shape[1], ...count].join('x')}). Output size is too small`,
    );
  return { image, kernel: k, stride: s, dilation: d, before: p, after: p, count };
}

/** Positions in the flattened image of every element of every window: [kernel taps, windows]; outside ones are wrong but never chosen. */
function positions(w: Windows, x: Tensor): Tensor {
  const n = w.kernel.length;
  let total: Tensor | null = null;
  for (let i = 0; i < n; i++) {
    const taps = arangeOf(w.kernel[i], x.device)
      .mul(w.dilation[i])
      .reshape([...w.kernel.map((_, d) => (d === i ? -1 : 1)), ...new Array<number>(n).fill(1)]);
    const starts = arangeOf(w.count[i], x.device)
      .mul(w.stride[i])
      .sub(w.before[i])
      .reshape([...new Array<number>(n).fill(1), ...w.count.map((_, d) => (d === i ? -1 : 1))]);
    const along = taps.add(starts).mul(product(w.image.slice(i + 1)));
    total = total === null ? along : total.add(along);
  }
  return (total as Tensor).expand([...w.kernel, ...w.count]).reshape([product(w.kernel), product(w.count)]);
}

const least = (x: Tensor): number =>
  x.is_floating_point()
    ? Number.NEGATIVE_INFINITY
    : x.dtype.itemsize === 8
      ? -(2 ** 63)
      : x.dtype.is_signed
        ? -(2 ** (8 * x.dtype.itemsize - 1))
        : 0;

/** The maximum of each window and its position in the flattened image. */
function maxOverWindows(x: Tensor, w: Windows, node: string): [values: Tensor, indices: Tensor] {
  const [n, c] = x.shape;
  const windows = gatherWindows(x.detach(), w, least(x)).reshape([n, c, product(w.kernel), product(w.count)]);
  const [best, tap] = max(windows, 2, true) as unknown as [Tensor, Tensor];
  const where = gatherAlong(positions(w, x).expand([n, c, product(w.kernel), product(w.count)]), 2, tap);
  return finishMax(x, best, where, w.image, w.count, node);
}

/** Values and flat positions [N, C, 1, L] in their final shape, on the graph. */
function finishMax(
  x: Tensor,
  best: Tensor,
  where: Tensor,
  image: readonly number[],
  count: readonly number[],
  node: string,
): [Tensor, Tensor] {
  const [n, c] = x.shape;
  const values = best.reshape([n, c, ...count]);
  const flat = where.reshape([n, c, product(count)]);
  record(node, [x], [values], () => ([g]) => [
    g === null
      ? null
      : scatterAdd([n, c, product(image)], 2, flat, g.reshape([n, c, product(count)])).reshape([
          n,
          c,
          ...image,
        ]),
  ]);
  return [values, flat.reshape([n, c, ...count])];
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
      const { input, restore } = batched(x, n, `max_pool${n}d()`);
      const [values, where] = maxOverWindows(
        input,
        poolWindows(input, kernel, stride, padding, dilation, ceil, n),
        node,
      );
      return indices ? [restore(values), restore(where)] : restore(values);
    },
  );
}
/** Maxima of windows of [N, C, L]; with `return_indices`, `[values, positions]`. */
export const max_pool1d: MaxPool = defineMaxPool(1);
/** Maxima of windows of [N, C, H, W]; with `return_indices`, `[values, positions]`. */
export const max_pool2d: MaxPool = defineMaxPool(2);
/** Maxima of windows of [N, C, D, H, W]; with `return_indices`, `[values, positions]`. */
export const max_pool3d: MaxPool = defineMaxPool(3);

/** How many elements of each window count: those of the image, and of the padding where that is asked for. */
function divisors(w: Windows, includePad: boolean, x: Tensor): Tensor {
  const n = w.kernel.length;
  const along = w.count.map((count, i) => {
    const sizes = Array.from({ length: count }, (_, j) => {
      const start = j * w.stride[i] - w.before[i];
      const end = Math.min(start + w.kernel[i], w.image[i] + w.after[i]);
      return includePad ? end - start : Math.min(end, w.image[i]) - Math.max(start, 0);
    });
    return x.new_tensor(sizes).reshape(w.count.map((_, d) => (d === i ? -1 : 1)));
  });
  return along.reduce((a, b) => a.mul(b)).expand(n === 0 ? [] : (w.count as number[]));
}

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
      const { input, restore } = batched(x, n, `avg_pool${n}d()`);
      const w = poolWindows(input, kernel, stride, padding, 1, ceil, n);
      const sums = gatherWindows(input, w).sum(w.kernel.map((_, d) => d + 2));
      const count = divisor ?? divisors(w, includePad, input);
      return restore(
        input.is_floating_point()
          ? sums.div(count)
          : sums.div(count, { rounding_mode: 'trunc' }).to(input.dtype),
      );
    },
  );
}
/** Means of windows of [N, C, L]. */
export const avg_pool1d: AvgPool = defineAvgPool(1);
/** Means of windows of [N, C, H, W]. */
export const avg_pool2d: AvgPool = defineAvgPool(2);
/** Means of windows of [N, C, D, H, W]. */
export const avg_pool3d: AvgPool = defineAvgPool(3);

/** Output sizes of an adaptive pool: null keeps the image's. */
export type AdaptiveSizes = number | null | readonly (number | null)[];

function adaptiveSizes(size: AdaptiveSizes, image: readonly number[]): number[] {
  const list = Array.isArray(size) ? (size as (number | null)[]) : [size as number | null];
  const full = list.length === 1 ? image.map(() => list[0]) : list;
  if (full.length !== image.length)
    throw new RuntimeError(
      `adaptive pooling: output_size must have ${image.length} elements, but got ${full.length}`,
    );
  return full.map((v, i) => {
    const n = v ?? image[i];
    if (n < 0)
      throw new RuntimeError(
        `elements of output_size must be greater than or equal to 0 but received ${show(full.map((s, d) => s ?? image[d]))}`,
      );
    return n;
  });
}

/** The part of a dimension that output j of `to` looks at. */
const part = (j: number, from: number, to: number): [start: number, length: number] => {
  const start = Math.floor((j * from) / to);
  return [start, Math.ceil(((j + 1) * from) / to) - start];
};

function defineAdaptiveAvg(n: number): (input: Tensor, output_size: AdaptiveSizes) => Tensor {
  return op(
    `nn.functional.adaptive_avg_pool${n}d`,
    'Tensor input, any output_size',
    (x: Tensor, size: AdaptiveSizes) => {
      const { input, restore } = batched(x, n, `adaptive_avg_pool${n}d()`);
      const sizes = adaptiveSizes(size, input.shape.slice(2));
      let y = input;
      sizes.forEach((to, i) => {
        const d = i + 2;
        const from = y.shape[d];
        if (from === to) return;
        const parts = Array.from({ length: to }, (_, j) => y.narrow(d, ...part(j, from, to)).mean(d, true));
        y = parts.length > 0 ? cat(parts, d) : y.narrow(d, 0, 0);
      });
      return restore(y);
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

/** Every combination of one entry of each list. */
function combinations<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((head) => list.map((item) => [...head, item])), [[]]);
}

type AdaptiveMax = (
  input: Tensor,
  output_size: AdaptiveSizes,
  return_indices?: boolean,
) => Tensor | [Tensor, Tensor];

function defineAdaptiveMax(n: number): AdaptiveMax {
  return op(
    `nn.functional.adaptive_max_pool${n}d`,
    'Tensor input, any output_size, bool return_indices=False',
    (x: Tensor, size: AdaptiveSizes, indices: boolean) => {
      const { input, restore } = batched(x, n, `adaptive_max_pool${n}d()`);
      const image = input.shape.slice(2);
      const sizes = adaptiveSizes(size, image);
      const flatPositions = arangeOf(product(image), x.device).reshape(image);
      const [batch, c] = input.shape;
      const plain = input.detach();
      const found = combinations(
        sizes.map((to, i) => Array.from({ length: to }, (_, j) => part(j, image[i], to))),
      ).map((parts) => {
        const at = (y: Tensor, first: number): Tensor =>
          parts.reduce((v, [start, length], i) => v.narrow(first + i, start, length), y);
        const [best, tap] = max(at(plain, 2).reshape([batch, c, -1]), 2) as unknown as [Tensor, Tensor];
        return [
          best,
          at(flatPositions, 0)
            .reshape([-1])
            .index_select(0, tap.reshape([-1]))
            .reshape([batch, c]),
        ];
      });
      const join = (k: number): Tensor =>
        found.length > 0
          ? stack(
              found.map((f) => f[k]),
              2,
            )
          : (k === 0 ? plain : flatPositions.to(int64)).new_empty(
              [batch, c, 0],
              k === 0 ? {} : { dtype: int64 },
            );
      const [values, where] = finishMax(
        input,
        join(0),
        join(1),
        image,
        sizes,
        `AdaptiveMaxPool${n === 3 ? 3 : 2}DBackward0`,
      );
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
        .mul(product(sized(kernel, n, 'kernel_size')))
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

type MaxUnpool = (
  input: Tensor,
  indices: Tensor,
  kernel_size: Sizes,
  stride?: Sizes | null,
  padding?: Sizes,
  output_size?: readonly number[] | null,
) => Tensor;

/** Zeros with the elements of `source` at the positions along the last dimension; of several for one place the last stays. */
function placeAt(shape: readonly number[], where: Tensor, source: Tensor): Tensor {
  const out = zeros_(shape, source.dtype, source.device);
  if (source.numel() > 0) backendOf(source.device.type).launch('scatter', out, 2, where, source.detach());
  record('MaxUnpool2DBackward0', [source], [out], () => ([g]) => [
    g === null ? null : gatherAlong(g, 2, where),
  ]);
  return out;
}

function defineUnpool(n: number): MaxUnpool {
  return op(
    `nn.functional.max_unpool${n}d`,
    'Tensor input, Tensor indices, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[]? output_size=None',
    (
      x: Tensor,
      indices: Tensor,
      kernel: Sizes,
      stride: Sizes | null,
      padding: Sizes,
      outputSize: readonly number[] | null,
    ) => {
      if (indices.dtype !== int64)
        throw new RuntimeError(
          `elements in indices should be type int64 but got: ${indices.dtype.scalarName}`,
        );
      if (String(indices.shape) !== String(x.shape))
        throw new RuntimeError(
          `Expected shape of indices to be same as that of the input tensor (${show(x.shape)}) but got indices tensor with shape: ${show(indices.shape)}`,
        );
      const { input, restore } = batched(x, n, `max_unpool${n}d()`);
      const k = sized(kernel, n, 'kernel_size');
      const s = stride === null ? k : sized(stride, n, 'stride');
      const p = sized(padding, n, 'padding');
      const image =
        outputSize === null
          ? input.shape.slice(2).map((size, i) => (size - 1) * s[i] - 2 * p[i] + k[i])
          : outputSize.slice(-n);
      const [batch, c] = input.shape;
      const area = product(image);
      const where = indices.reshape([batch, c, -1]);
      if (where.numel() > 0) {
        const low = where.min().item();
        const high = where.max().item();
        if (low < 0 || high >= area)
          throw new RuntimeError(
            `Found an invalid max index: ${low < 0 ? low : high} (output volumes are of size ${image.join('x')}`,
          );
      }
      const out = placeAt([batch, c, area], where, input.reshape([batch, c, -1]));
      return restore(out.reshape([batch, c, ...image]));
    },
  );
}
/** Puts maxima of [N, C, L] back at their positions. */
export const max_unpool1d: MaxUnpool = defineUnpool(1);
/** Puts maxima of [N, C, H, W] back at their positions. */
export const max_unpool2d: MaxUnpool = defineUnpool(2);
/** Puts maxima of [N, C, D, H, W] back at their positions. */
export const max_unpool3d: MaxUnpool = defineUnpool(3);
