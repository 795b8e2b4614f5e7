// Resizing of images: every mode is, along each dimension, a map from an output position to a few input positions
// with weights. Sizes, scales and weights follow torch.nn.functional.interpolate (aten's UpSample.h), computed
// in single precision for single precision inputs, as there.
import { record } from '../../autograd/graph.js';
import { backendOf } from '../../backends/backend.js';
import { checkShape, empty } from '../../dispatch/allocate.js';
import { float32, float64, int64, uint8 } from '../../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../../errors.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { index_select } from '../../ops/indexing.js';
import type { Tensor } from '../../tensor.js';

export type InterpolationMode =
  | 'nearest'
  | 'nearest-exact'
  | 'linear'
  | 'bilinear'
  | 'bicubic'
  | 'trilinear'
  | 'area'
  | 'lanczos';

/** One factor for all dimensions, or one for each. */
export type Factors = number | readonly number[];

/** Where an output position reads: pairs of input position and weight. */
type Taps = readonly (readonly [at: number, weight: number])[];

/** Rounds to the precision in which positions are computed. */
type Round = (x: number) => number;

/** One dimension that is resized. */
interface Axis {
  readonly from: number;
  readonly to: number;
  /** The factor that the caller gave, null when a size was given. */
  readonly factor: number | null;
  readonly alignCorners: boolean;
  readonly round: Round;
}

/** Input elements per output element. */
function scaleOf({ from, to, factor, alignCorners, round }: Axis): number {
  if (alignCorners) return to > 1 ? round((from - 1) / (to - 1)) : 0;
  return factor !== null && factor > 0 ? round(1 / factor) : round(round(from) / to);
}

/** The input position under the centre (or corner) of output j. */
function positionOf(axis: Axis, scale: number, j: number): number {
  const { alignCorners, round } = axis;
  return alignCorners ? round(scale * j) : round(round(scale * (j + 0.5)) - 0.5);
}

function nearestTaps(axis: Axis, exact: boolean): Taps[] {
  const scale = scaleOf(axis);
  const { from, to, round } = axis;
  return Array.from({ length: to }, (_, j): Taps => {
    const position = exact ? round(Math.max(positionOf(axis, scale, j), 0) + 0.5) : round(scale * j);
    return [[Math.min(Math.floor(position), from - 1), 1]];
  });
}

/** Means over the input elements that an output element covers (adaptive average pooling). */
function areaTaps({ from, to, round }: Axis): Taps[] {
  return Array.from({ length: to }, (_, j): Taps => {
    const first = Math.floor((j * from) / to);
    const count = Math.ceil(((j + 1) * from) / to) - first;
    return Array.from({ length: count }, (_, i) => [first + i, round(1 / count)] as const);
  });
}

function linearTaps(axis: Axis): Taps[] {
  const { from, to, round } = axis;
  const scale = scaleOf(axis);
  return Array.from({ length: to }, (_, j): Taps => {
    if (from === to) return [[j, 1]];
    const position = Math.max(positionOf(axis, scale, j), 0);
    const at = Math.min(Math.floor(position), from - 1);
    const right = round(Math.min(Math.max(position - at, 0), 1));
    return [
      [at, round(1 - right)],
      [at + (at < from - 1 ? 1 : 0), right],
    ];
  });
}

/** Keys' cubic kernel at distance x, within and beyond 1. */
const cubicNear = (x: number, a: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
const cubicFar = (x: number, a: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;

function cubicTaps(axis: Axis): Taps[] {
  const { from, to, round } = axis;
  const scale = scaleOf(axis);
  return Array.from({ length: to }, (_, j): Taps => {
    const position = positionOf(axis, scale, j);
    const at = Math.floor(position);
    const t = Math.min(Math.max(position - at, 0), 1);
    const weights = [
      cubicFar(t + 1, -0.75),
      cubicNear(t, -0.75),
      cubicNear(1 - t, -0.75),
      cubicFar(2 - t, -0.75),
    ];
    return weights.map((w, i) => [Math.min(Math.max(at + i - 1, 0), from - 1), round(w)] as const);
  });
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Kernels of antialiased resizing, with their width. */
const filters: Readonly<Record<string, readonly [width: number, kernel: (x: number) => number]>> = {
  bilinear: [2, (x) => Math.max(1 - Math.abs(x), 0)],
  bicubic: [
    4,
    (x) => {
      const d = Math.abs(x);
      return d < 1 ? cubicNear(d, -0.5) : d < 2 ? cubicFar(d, -0.5) : 0;
    },
  ],
  lanczos: [6, (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0)],
};

/** Weights of a kernel stretched over what an output element covers (as Pillow does). */
function smoothTaps(axis: Axis, mode: string): Taps[] {
  const { from, to, round } = axis;
  const [width, kernel] = filters[mode];
  const scale = scaleOf(axis);
  const stretch = Math.max(scale, 1);
  const support = round((width / 2) * stretch);
  return Array.from({ length: to }, (_, j): Taps => {
    const centre = round(scale * (j + 0.5));
    const first = Math.max(Math.trunc(round(centre - support + 0.5)), 0);
    const end = Math.min(Math.trunc(round(centre + support + 0.5)), from);
    const weights = Array.from({ length: Math.max(end - first, 0) }, (_, i) =>
      kernel((i + first - centre + 0.5) / stretch),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((w, i) => [first + i, round(total === 0 ? w : w / total)] as const);
  });
}

const cached = new Map<string, readonly [Tensor, Tensor]>();
const CACHED = 32;

/** {@link tables} of an axis: the usual sizes of a model come again and again. */
function tablesOf(
  kind: string,
  axis: Axis,
  taps: (axis: Axis) => Taps[],
  like: Tensor,
): readonly [Tensor, Tensor] {
  const { from, to, factor, alignCorners, round } = axis;
  const key = [kind, from, to, factor, alignCorners, round === Math.fround, like.device].join();
  const known = cached.get(key);
  if (known !== undefined) return known;
  const made = tables(taps(axis), like);
  // The oldest goes; large ones are not worth their memory.
  if (cached.size >= CACHED) cached.delete(cached.keys().next().value as string);
  if (made[0]._numel <= 2 ** 16) cached.set(key, made);
  return made;
}

/** The taps as tensors: places (-1 where there are fewer taps) and weights, [outputs, taps]. */
function tables(taps: readonly Taps[], like: Tensor): [Tensor, Tensor] {
  const width = Math.max(...taps.map((t) => t.length));
  const index = empty([taps.length, width], int64, like.device);
  const weights = empty([taps.length, width], float64, like.device);
  const places = new BigInt64Array(index._numel).fill(-1n);
  const values = new Float64Array(index._numel);
  taps.forEach((list, j) => {
    list.forEach(([at, w], t) => {
      places[j * width + t] = BigInt(at);
      values[j * width + t] = w;
    });
  });
  const backend = backendOf(like.device.type);
  backend.write(index, places);
  backend.write(weights, values);
  return [index, weights];
}

/** Applies a map (or its transpose) along a dimension, which becomes `size` long. */
function resample(
  x: Tensor,
  dim: number,
  size: number,
  map: readonly [Tensor, Tensor],
  transposed: boolean,
): Tensor {
  const shape = x.shape.map((n, d) => (d === dim ? size : n));
  const outer = shape.slice(0, dim).reduce((a, b) => a * b, 1);
  const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const out = empty(shape, x.dtype, x.device);
  const flat = contiguous(x.detach()).view([outer, x.shape[dim], inner]);
  if (out._numel > 0)
    backendOf(x.device.type).launch(
      'resample',
      out.view([outer, size, inner]),
      flat,
      map[0],
      map[1],
      transposed,
    );
  record('UpsampleBackward0', [x], [out], () => ([g]) => [
    g === null ? null : resample(g, dim, x.shape[dim], map, !transposed),
  ]);
  return out;
}

const families: Readonly<Record<string, readonly [ndim: number, taps: (axis: Axis) => Taps[]]>> = {
  linear: [3, linearTaps],
  bilinear: [4, linearTaps],
  trilinear: [5, linearTaps],
  bicubic: [4, cubicTaps],
};

/** Resizes the trailing dimensions by weighted sums. uint8 images are rounded. */
function weighted(x: Tensor, axes: readonly Axis[], kind: string, taps: (axis: Axis) => Taps[]): Tensor {
  if (!x.dtype.is_floating_point && x.dtype !== uint8)
    throw new NotImplementedError(
      `"compute_indices_weights_linear" not implemented for '${x.dtype.scalarName}'`,
    );
  const working = x.dtype === float64 ? x : castTo(x, float32);
  const lead = x.shape.length - axes.length;
  // The last dimension first, as PyTorch: the order of the sums decides which way uint8 values on the edge are rounded.
  const out = axes.reduceRight(
    (y, axis, i) =>
      axis.from === axis.to && axis.factor === null
        ? y
        : resample(y, lead + i, axis.to, tablesOf(kind, axis, taps, x), false),
    working,
  );
  if (x.dtype === uint8) return castTo(out.round().clamp(0, 255), uint8);
  const result = castTo(out, x.dtype);
  return result === x ? x.clone() : result;
}

/** Picks the elements of each dimension. */
function nearest(x: Tensor, axes: readonly Axis[], exact: boolean): Tensor {
  const lead = x.shape.length - axes.length;
  const out = axes.reduce((y, axis, i) => {
    if (axis.from === axis.to && axis.factor === null) return y;
    const index = empty([axis.to], int64, x.device);
    backendOf(x.device.type).write(
      index,
      BigInt64Array.from(nearestTaps(axis, exact), ([[at]]) => BigInt(at)),
    );
    return index_select(y, lead + i, index);
  }, x);
  return out === x ? x.clone() : out;
}

/** The output size and the factors in effect. */
function sizesOf(
  x: Tensor,
  size: Factors | null,
  factors: Factors | null,
  recompute: boolean,
): [number[], (number | null)[]] {
  const spatial = x.shape.slice(2);
  const list = (v: Factors): number[] => (typeof v === 'number' ? spatial.map(() => v) : [...v]);
  const text = (v: readonly number[]): string => `[${v.join(', ')}]`;
  if (size !== null && factors !== null)
    throw new ValueError('only one of size or scale_factor should be defined');
  if (size !== null) {
    const given = list(size);
    if (given.length !== spatial.length)
      throw new ValueError(
        `Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of ${text(spatial)} and output size of ${text(given)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.`,
      );
    if (recompute) throw new ValueError('recompute_scale_factor is not meaningful with an explicit size.');
    return [given, spatial.map(() => null)];
  }
  if (factors === null) throw new ValueError('either size or scale_factor should be defined');
  const given = list(factors);
  if (given.length !== spatial.length)
    throw new ValueError(
      `Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of ${text(spatial)} and scale_factor of shape ${text(given)}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.`,
    );
  const out = spatial.map((n, i) => Math.floor(n * given[i]));
  return [out, recompute ? spatial.map(() => null) : given];
}

function checkSizes(x: Tensor, to: readonly number[]): void {
  const spatial = x.shape.slice(2);
  if (spatial.some((n) => n <= 0) || to.some((n) => n <= 0))
    throw new RuntimeError(
      `Input and output sizes should be greater than 0, but got input (${spatial.join(', ')}) and output (${to.join(', ')})`,
    );
  // Before tables of that length are made.
  checkShape([...x.shape.slice(0, 2), ...to], x.dtype.itemsize);
}

/** Options of {@link interpolate}. */
export interface InterpolateOptions {
  /** Output size of the spatial dimensions. */
  size?: Factors | null;
  /** Output elements per input element. */
  scale_factor?: Factors | null;
  mode?: InterpolationMode;
  /** Map the centres of the corner elements on each other, rather than the corners. */
  align_corners?: boolean | null;
  recompute_scale_factor?: boolean | null;
  /** Weigh all that an output element covers when shrinking. */
  antialias?: boolean;
}

type InterpolateArgs =
  | [
      size?: Factors | null,
      scale_factor?: Factors | null,
      mode?: InterpolationMode,
      align_corners?: boolean | null,
      recompute_scale_factor?: boolean | null,
      antialias?: boolean,
    ]
  | [size: Factors | null, options: InterpolateOptions]
  | [options: InterpolateOptions];

/**
 * Resizes the spatial dimensions of [N, C, W], [N, C, H, W] or [N, C, D, H, W].
 *
 *     F.interpolate(torch.tensor([[[1, 2]]]), { scale_factor: 2 })
 *     // tensor([[[1., 1., 2., 2.]]])
 *
 * @throws ValueError for arguments that contradict each other, NotImplementedError for a mode that does not fit
 * the number of dimensions.
 */
export const interpolate: (input: Tensor, ...args: InterpolateArgs) => Tensor = op(
  'nn.functional.interpolate',
  "Tensor input, int[1]? size=None, float[1]? scale_factor=None, str mode='nearest', bool? align_corners=None, bool? recompute_scale_factor=None, bool antialias=False",
  (
    x: Tensor,
    size: Factors | null,
    factors: Factors | null,
    mode: string,
    align: boolean | null,
    recompute: boolean | null,
    antialias: boolean,
  ) => {
    const plain = mode === 'nearest' || mode === 'area' || mode === 'nearest-exact';
    if (plain && align !== null)
      throw new ValueError(
        'align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear',
      );
    const [to, given] = sizesOf(x, size, factors, recompute === true || (mode === 'area' && size === null));
    const smooth = Object.hasOwn(filters, mode) && x.shape.length === 4;
    if (antialias && !smooth)
      throw new ValueError(
        'Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input',
      );
    if (x.shape.length < 3 || x.shape.length > 5)
      throw new NotImplementedError(
        `Input Error: Only 3D, 4D and 5D input Tensors supported (got ${x.shape.length}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got ${mode})`,
      );
    checkSizes(x, to);
    const round = x.dtype === float64 ? (v: number): number => v : Math.fround;
    const axes = to.map(
      (n, i): Axis => ({
        from: x.shape[i + 2],
        to: n,
        factor: given[i],
        alignCorners: align ?? false,
        round,
      }),
    );
    if (mode === 'area') return weighted(x, axes, mode, areaTaps);
    if (plain) return nearest(x, axes, mode === 'nearest-exact');
    if (antialias) return weighted(x, axes, `smooth ${mode}`, (axis) => smoothTaps(axis, mode));
    const family = Object.hasOwn(families, mode) ? families[mode] : undefined;
    if (family === undefined || family[0] !== x.shape.length)
      throw new NotImplementedError(
        `Got ${x.shape.length}D input, but ${mode} mode needs ${family === undefined ? 'antialias=True and a 4D' : `a ${family[0]}D`} input`,
      );
    return weighted(x, axes, mode, family[1]);
  },
);

type UpsampleArgs =
  | [size?: Factors | null, scale_factor?: Factors | null]
  | [size: Factors | null, options: { scale_factor?: Factors | null }]
  | [options: { size?: Factors | null; scale_factor?: Factors | null }];

/** Alias of {@link interpolate}. */
export const upsample: (input: Tensor, ...args: InterpolateArgs) => Tensor = interpolate;

/** {@link interpolate} in mode 'nearest'. */
export const upsample_nearest: (input: Tensor, ...args: UpsampleArgs) => Tensor = op(
  'nn.functional.upsample_nearest',
  'Tensor input, int[1]? size=None, float[1]? scale_factor=None',
  (x: Tensor, size: Factors | null, scale_factor: Factors | null) =>
    interpolate(x, { size, scale_factor, mode: 'nearest' }),
);

/** {@link interpolate} in mode 'bilinear' with aligned corners. */
export const upsample_bilinear: (input: Tensor, ...args: UpsampleArgs) => Tensor = op(
  'nn.functional.upsample_bilinear',
  'Tensor input, int[1]? size=None, float[1]? scale_factor=None',
  (x: Tensor, size: Factors | null, scale_factor: Factors | null) =>
    interpolate(x, { size, scale_factor, mode: 'bilinear', align_corners: true }),
);
