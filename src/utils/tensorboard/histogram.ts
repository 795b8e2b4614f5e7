// Histograms as numpy counts them, and as TensorBoard keeps them.
import { float64 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { Message } from './proto.js';

/** Edges of bins, their number, or how they are chosen. */
export type Bins =
  | 'tensorflow'
  | 'auto'
  | 'fd'
  | 'sturges'
  | 'sqrt'
  | 'rice'
  | 'scott'
  | number
  | ArrayLike<number>;

/** TensorBoard's own bins: each edge 1.1 times the one before, on both sides of zero. */
const tensorflowBins: readonly number[] = (() => {
  const edges: number[] = [];
  for (let v = 1e-12; v < 1e20; v *= 1.1) edges.push(v);
  return [...edges.map((v) => -v).reverse(), 0, ...edges];
})();

/** The width of a bin that an estimator of numpy's chooses, for sorted values. */
const widths: Readonly<Record<string, (sorted: Float64Array) => number>> = {
  sqrt: (x) => range(x) / Math.sqrt(x.length),
  sturges: (x) => range(x) / (Math.log2(x.length) + 1),
  rice: (x) => range(x) / (2 * Math.cbrt(x.length)),
  scott: (x) => Math.cbrt((24 * Math.sqrt(Math.PI)) / x.length) * deviation(x),
  fd: (x) => (2 * (quantile(x, 0.75) - quantile(x, 0.25))) / Math.cbrt(x.length),
  auto: (x) => Math.min(Math.max(widths.fd(x), widths.sqrt(x) / 2), widths.sturges(x)),
};

const range = (x: Float64Array): number => x[x.length - 1] - x[0];

function deviation(x: Float64Array): number {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  return Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length);
}

/** A quantile of sorted values, interpolated. */
function quantile(x: Float64Array, q: number): number {
  const at = q * (x.length - 1);
  const below = Math.floor(at);
  return x[below] + (at - below) * (x[Math.min(below + 1, x.length - 1)] - x[below]);
}

function edgesOf(values: Float64Array, bins: Bins): readonly number[] {
  if (bins === 'tensorflow') return tensorflowBins;
  if (typeof bins !== 'number' && typeof bins !== 'string') {
    const edges = Array.from(bins);
    if (edges.some((edge, i) => edge < edges[i - 1]))
      throw new ValueError('`bins` must increase monotonically, when an array');
    return edges;
  }
  const sorted = values.slice().sort();
  let [low, high] = [sorted[0], sorted[sorted.length - 1]];
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new ValueError(`autodetected range of [${low}, ${high}] is not finite`);
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const n = typeof bins === 'number' ? bins : countOf(sorted, bins);
  if (!Number.isInteger(n) || n < 1) throw new ValueError('`bins` must be positive, when an integer');
  const step = (high - low) / n;
  return Array.from({ length: n + 1 }, (_, i) => (i === n ? high : i * step + low));
}

function countOf(sorted: Float64Array, bins: string): number {
  const choose = widths[bins];
  if (choose === undefined) throw new ValueError(`'${bins}' is not a valid estimator for \`bins\``);
  const width = choose(sorted);
  return width > 0 && range(sorted) > 0 ? Math.ceil(range(sorted) / width) : 1;
}

/** How many values lie in [edges[i], edges[i + 1]); the last bin has its right edge, too. */
function count(values: Float64Array, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  const last = edges.length - 1;
  for (const value of values) {
    if (!(value >= edges[0] && value <= edges[last])) continue;
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (edges[middle] <= value) low = middle;
      else high = middle;
    }
    counts[low]++;
  }
  return counts;
}

/** Joins neighbouring bins, so that at most about `max_bins` are left. */
function joinBins(counts: number[], edges: readonly number[], max_bins: number): [number[], number[]] {
  const step = Math.floor(counts.length / max_bins);
  const fewer: number[] = [];
  const starts: number[] = [];
  for (let i = 0; i < counts.length; i += step) {
    fewer.push(counts.slice(i, i + step).reduce((a, b) => a + b, 0));
    starts.push(edges[i]);
  }
  return [fewer, [...starts, edges[edges.length - 1]]];
}

/** Numbers that describe a histogram. */
export interface HistogramData {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sum_squares: number;
  /** Right edges of the bins. */
  readonly bucket_limits: ArrayLike<number>;
  readonly bucket_counts: ArrayLike<number>;
}

/**
 * The histogram of a tensor's values: bins from the one left of the first that has values to the last that has.
 * @throws ValueError for a tensor without elements.
 */
export function makeHistogram(tensor: Tensor, bins: Bins, max_bins: number | null): HistogramData {
  if (tensor._numel === 0) throw new ValueError('The input has no element.');
  const x = tensor.detach().to(float64).reshape(-1);
  const values = x.toTypedArray() as Float64Array;
  let edges = edgesOf(values, bins);
  let counts = count(values, edges);
  if (max_bins !== null && counts.length > max_bins) [counts, edges] = joinBins(counts, edges, max_bins);
  const start = counts.findIndex((c) => c > 0);
  const end = counts.findLastIndex((c) => c > 0) + 1;
  if (start < 0) throw new ValueError('The histogram is empty, please file a bug report.');
  return {
    min: x.min().item(),
    max: x.max().item(),
    num: values.length,
    sum: x.sum().item(),
    sum_squares: x.mul(x).sum().item(),
    bucket_limits: edges.slice(start, end + 1),
    bucket_counts: start > 0 ? counts.slice(start - 1, end) : [0, ...counts.slice(0, end)],
  };
}

/** TensorFlow's `HistogramProto`. */
export function histogramMessage(data: HistogramData): Message {
  const message = new Message();
  const { min, max, num, sum, sum_squares } = data;
  for (const [i, value] of [min, max, num, sum, sum_squares].entries())
    if (value !== 0) message.double(i + 1, value);
  return message.doubles(6, data.bucket_limits).doubles(7, data.bucket_counts);
}
