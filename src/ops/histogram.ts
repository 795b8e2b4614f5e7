// Counts of values in intervals: histc, histogram, histogramdd.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { typeName } from '../dispatch/schema.js';
import { type DType, float32, float64 } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { listText } from '../pyformat.js';
import { Tensor } from '../tensor.js';
import { add, div, mul } from './arithmetic.js';
import { clamp } from './clamp.js';
import { ge, le } from './compare.js';
import { castTo, contiguous } from './copy.js';
import { cppDouble, cppTypeName } from './cpp_text.js';
import { type Op, type Out, op } from './define.js';
import { ones_, zeros_ } from './fill.js';
import { logical_and } from './logic.js';
import { masked_select } from './masks.js';
import { type NamedTuple, namedTuple } from './named.js';
import { refusal } from './notdiff.js';
import { linspace } from './ranges.js';
import { sum } from './reduce.js';
import { max, min } from './reduce_extreme.js';
import { diff } from './scan.js';
import { bucketize } from './search.js';
import { flatten } from './shape.js';
import { reshape, select } from './view.js';

/** @throws RuntimeError unless the bounds are finite and in order. */
function checkRange(low: number, high: number): void {
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new RuntimeError(`torch.histc: range of [${cppDouble(low)}, ${cppDouble(high)}] is not finite`);
  if (low > high) throw new RuntimeError('torch.histc: max must be larger than min');
}

/** The number of elements in each of `bins` equal intervals of [min, max]; by default of the elements' own range. */
export const histc: Op<
  | [bins?: number, min?: number, max?: number, options?: Out]
  | [options: Out & { bins?: number; min?: number; max?: number }],
  Tensor
> = op(
  'histc',
  'Tensor self, int bins=100, Scalar min=0, Scalar max=0, *, Tensor? out=None',
  (x: Tensor, bins: number, minimum: number, maximum: number) => {
    if (!x.dtype.is_floating_point)
      throw new NotImplementedError(`"histogram_cpu" not implemented for '${x.dtype.scalarName}'`);
    if (bins <= 0)
      throw new RuntimeError(`torch.histogram(): bins must be > 0, but got ${bins} for dimension 0`);
    // Each thread counts in a scratch array of its own.
    if (bins > 2 ** 26)
      throw new RuntimeError(`torch.histc(): ${bins} bins are more than can be counted at once`);
    let [low, high] = [Number(minimum), Number(maximum)];
    if (low === high && x._numel > 0)
      [low, high] = [Number(min(x.detach()).item()), Number(max(x.detach()).item())];
    if (low === high) [low, high] = [low - 1, high + 1];
    checkRange(low, high);
    const type = x.dtype === float64 ? float64 : float32;
    const out = empty([bins], type, x.device);
    backendOf(x.device.type).launch('histc', out, castTo(x.detach(), type), low, high);
    return castTo(out, x.dtype);
  },
);

/** Bin edges along each dimension of points, which are the rows of `x`. */
function edgesOf(
  x: Tensor,
  bins: number | readonly number[] | readonly Tensor[],
  range: readonly number[] | null,
): Tensor[] {
  const width = x.shape[1];
  if (typeof bins !== 'number' && !Array.isArray(bins))
    throw new TypeError(
      `histogramdd(): argument 'bins' (position 2) must be int, tuple of ints or tuple of Tensors, not ${typeName(bins)}`,
    );
  const counts = typeof bins === 'number' ? Array.from({ length: width }, () => bins) : bins;
  if (counts[0] instanceof Tensor) return givenEdges(x, counts as readonly Tensor[]);
  if (counts.length !== width)
    throw new RuntimeError(
      'histogramdd: The size of bins must be equal to the innermost dimension of the input.',
    );
  (counts as readonly number[]).forEach((n, d) => {
    if (n <= 0)
      throw new RuntimeError(`torch.histogram(): bins must be > 0, but got ${n} for dimension ${d}`);
  });
  if (range !== null && range.length !== 2 * width)
    throw new RuntimeError(
      `torch.histogramdd: for a ${width}-dimensional histogram range should have ${2 * width} elements, but got ${range.length}`,
    );
  return (counts as readonly number[]).map((n, d) => {
    let [low, high] = [0, 1];
    if (range !== null) [low, high] = [range[2 * d], range[2 * d + 1]];
    else if (x.shape[0] > 0) {
      const column = select(x, 1, d);
      [low, high] = [Number(min(column).item()), Number(max(column).item())];
    }
    if (!Number.isFinite(low) || !Number.isFinite(high))
      throw new RuntimeError(
        `torch.histogramdd: dimension ${d}'s range [${cppDouble(low)}, ${cppDouble(high)}] is not finite`,
      );
    if (low > high)
      throw new RuntimeError(
        `torch.histogramdd: min should not exceed max, but got min ${cppDouble(low)} max ${cppDouble(high)} for dimension ${d}`,
      );
    if (low === high) [low, high] = [low - 0.5, high + 0.5];
    return linspace(low, high, n + 1, { dtype: x.dtype, device: x.device });
  });
}

function givenEdges(x: Tensor, bins: readonly Tensor[]): Tensor[] {
  const width = x.shape[1];
  if (bins.length !== width)
    throw new RuntimeError(
      `torch.histogramdd: expected ${width} sequences of bin edges for a ${width}-dimensional histogram but got ${bins.length}`,
    );
  return bins.map((edges, d) => {
    if (edges.dtype !== x.dtype)
      throw new RuntimeError(
        `torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype ${cppTypeName(x.dtype)} and bins for dimension ${d} with dtype ${cppTypeName(edges.dtype)}`,
      );
    if (edges.shape.length !== 1)
      throw new RuntimeError(
        `torch.histogramdd: bins tensor should have one dimension, but got ${edges.shape.length} dimensions in the bins tensor for dimension ${d}`,
      );
    if (edges._numel === 0)
      throw new RuntimeError(
        `torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension ${d}`,
      );
    return edges.detach().clone();
  });
}

function checkPoints(x: Tensor, weight: Tensor | null): void {
  if (x.shape.length < 2)
    throw new RuntimeError('torch.histogramdd: input tensor should have at least 2 dimensions');
  if (weight === null) return;
  if (weight.dtype !== x.dtype)
    throw new RuntimeError(
      `torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got input(${cppTypeName(x.dtype)}), and weight(${cppTypeName(weight.dtype)})`,
    );
  if (listText(weight.shape) !== listText(x.shape.slice(0, -1)))
    throw new RuntimeError(
      `torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension, but got input with shape ${listText(x.shape)} and weight with shape ${listText(weight.shape)}`,
    );
}

/** Sums the weights of the points in each cell; points outside of the edges do not count. */
function countCells(x: Tensor, edges: readonly Tensor[], weight: Tensor | null): Tensor {
  const sizes = edges.map((e) => e._numel - 1);
  const hist = zeros_([sizes.reduce((a, b) => a * b, 1)], x.dtype, x.device);
  if (x.shape[0] === 0 || hist._numel === 0) return hist.view(sizes);
  let cell: Tensor | null = null;
  let inside: Tensor | null = null;
  edges.forEach((e, d) => {
    const column = contiguous(select(x, 1, d));
    const [first, last] = [select(e, 0, 0), select(e, 0, -1)];
    // The last interval is closed.
    const place = clamp(bucketize(column, e, { right: true }).sub(1), 0, sizes[d] - 1);
    const hit = logical_and(ge(column, first), le(column, last));
    cell = cell === null ? place : add(mul(cell, sizes[d]), place);
    inside = inside === null ? hit : logical_and(inside, hit);
  });
  if (cell === null || inside === null) return hist.view(sizes);
  const weights = weight ?? ones_([x.shape[0]], x.dtype, x.device);
  return hist.index_add_(0, masked_select(cell, inside), masked_select(weights, inside)).view(sizes);
}

/** Counts as a density: the integral over all cells is 1. */
function asDensity(hist: Tensor, edges: readonly Tensor[]): Tensor {
  let density = div(hist, sum(hist));
  edges.forEach((e, d) => {
    const shape = hist.shape.map((_, i) => (i === d ? -1 : 1));
    density = div(density, reshape(diff(e), shape));
  });
  return density;
}

type Bins = number | readonly number[] | readonly Tensor[];

function histogramOf(
  x: Tensor,
  bins: Bins,
  range: readonly number[] | null,
  weight: Tensor | null,
  density: boolean,
): [Tensor, Tensor[]] {
  checkPoints(x, weight);
  if (!isFloat(x.dtype))
    throw new NotImplementedError(`"histogramdd" not implemented for '${x.dtype.scalarName}'`);
  const points = flatten(x.detach(), 0, -2);
  const edges = edgesOf(points, bins, range);
  const hist = countCells(points, edges, weight === null ? null : weight.detach().reshape([-1]));
  const out = density ? asDensity(hist, edges) : hist;
  record('NotImplemented', [x, weight], [out], () => refusal('histogram'));
  return [out, edges];
}

const isFloat = (dtype: DType): boolean => dtype === float32 || dtype === float64;

interface HistogramOptions {
  range?: readonly number[] | null;
  weight?: Tensor | null;
  density?: boolean;
}

const histogramTuple = namedTuple('histogram', 'hist', 'bin_edges');

/**
 * The number (or weight) of elements in each interval, and the edges of the intervals. @param bins their number, or
 * their ascending edges; @param options.density divides by the total and the intervals' widths.
 */
export const histogram: Op<
  [bins: number | Tensor, options?: HistogramOptions & { out?: readonly Tensor[] }],
  NamedTuple<'hist' | 'bin_edges'>
> = op(
  'histogram',
  'Tensor self, any bins=100, *, float[]? range=None, Tensor? weight=None, bool density=False, Tensor[]? out=None',
  (x: Tensor, bins: unknown, range: readonly number[] | null, weight: Tensor | null, density: boolean) => {
    if (typeof bins !== 'number' && !(bins instanceof Tensor))
      throw new TypeError(
        `histogram(): argument 'bins' (position 2) must be Tensor or int, not ${typeName(bins)}`,
      );
    const points = reshape(x, [-1, 1]);
    const weights =
      weight === null ? null : listText(weight.shape) === listText(x.shape) ? weight.reshape([-1]) : weight;
    const [hist, edges] = histogramOf(
      points,
      bins instanceof Tensor ? [bins] : bins,
      range,
      weights,
      density,
    );
    return histogramTuple(hist, edges[0]);
  },
);

/** The histogram and the edges along each dimension. */
export type HistogramDD = readonly [hist: Tensor, bin_edges: Tensor[]] & {
  readonly hist: Tensor;
  readonly bin_edges: Tensor[];
};

/** As {@link histogram} of points in several dimensions, which lie along the last one. */
export const histogramdd: (input: Tensor, bins: Bins, options?: HistogramOptions) => HistogramDD = op(
  'histogramdd',
  'Tensor self, any bins, *, float[]? range=None, Tensor? weight=None, bool density=False',
  (x: Tensor, bins: Bins, range: readonly number[] | null, weight: Tensor | null, density: boolean) => {
    const [hist, edges] = histogramOf(x, bins, range, weight, density);
    return Object.assign([hist, edges], { hist, bin_edges: edges });
  },
  { self: null },
);
