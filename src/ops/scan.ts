// Running sums, products and extremes along one dimension; differences and integrals of samples.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty, emptyLike } from '../dispatch/allocate.js';
import { bool, type DType, finfo, int64 } from '../dtype.js';
import { IndexError, NotImplementedError, RuntimeError } from '../errors.js';
import { sameSizes, type Tensor, wrapDim } from '../tensor.js';
import { reverse, scatterAdd } from './along.js';
import { abs, add, div, mul, sub } from './arithmetic.js';
import { choose } from './clamp.js';
import { eq, gt, lt, ne } from './compare.js';
import { conj } from './complex.js';
import { castTo, clone } from './copy.js';
import { type InPlaceOp, type Op, type Out, op } from './define.js';
import { exp, log } from './exp.js';
import { cat } from './join.js';
import { type NamedTuple, namedTuple } from './named.js';
import { sum } from './reduce.js';
import { select, slice } from './view.js';

type ScanArgs =
  | [dim: number, options?: Out & { dtype?: DType | null }]
  | [options: Out & { dim: number; dtype?: DType | null }];

function runScan(kernel: string, x: Tensor, d: number, dtype: DType): Tensor {
  const out = emptyLike(x, dtype);
  if (out._numel > 0) backendOf(x.device.type).launch(kernel, out, x, d);
  return out;
}

/** The dtype of a running sum or product. */
const scanType = (x: Tensor, dtype: DType | null): DType => dtype ?? (x.dtype.is_integral ? int64 : x.dtype);

/** An integer input is widened by the kernel; others are converted first, where that is recorded. */
const scanInput = (x: Tensor, type: DType): Tensor =>
  x.dtype === type || (x.dtype.is_integral && type === int64) ? x : castTo(x, type);

function cumulativeSum(input: Tensor, d: number, type: DType): Tensor {
  const x = scanInput(input, type);
  const out = runScan('scan_cumsum', x, d, type);
  record('CumsumBackward0', [x], [out], () => ([g]) => [g === null ? null : reversedSum(g, d)]);
  return out;
}

/** Sums from each element to the end. */
const reversedSum = (x: Tensor, d: number): Tensor => reverse(cumulativeSum(reverse(x, d), d, x.dtype), d);

/**
 * The gradient of cumprod. Where no element is zero: sums of grad * result to the end, over x. Otherwise the recurrence
 * s_k = g_k + x_(k+1) s_(k+1), times the product of what comes before k: no division.
 */
function cumulativeProductGradient(g: Tensor, x: Tensor, result: Tensor, d: number): Tensor {
  if (x.shape.length === 0 || x._numel === 0) return g;
  if (sum(eq(x.detach(), 0)).item() === 0) return div(reversedSum(mul(g, conj(result)), d), conj(x));
  const n = x.shape[d];
  const suffixes: Tensor[] = [];
  let s = select(g, d, n - 1);
  suffixes[n - 1] = s;
  for (let k = n - 2; k >= 0; k--) {
    s = add(select(g, d, k), mul(conj(select(x, d, k + 1)), s));
    suffixes[k] = s;
  }
  const after = cat(
    suffixes.map((t) => t.unsqueeze(d)),
    d,
  );
  const one = select(result, d, 0).detach().unsqueeze(d).mul(0).nan_to_num(0, 0, 0).add(1);
  return mul(after, conj(cat([one, slice(result, d, 0, n - 1)], d)));
}

/**
 * The sums of the elements up to each, along `dim`. Integers and bool sum to int64.
 *
 *     torch.tensor([1, 2, 3]).cumsum(0)
 *     // tensor([1., 3., 6.])
 */
export const cumsum: InPlaceOp<ScanArgs, Tensor> = op(
  'cumsum',
  'Tensor self, int dim, *, dtype? dtype=None, Tensor? out=None',
  (x: Tensor, dim: number, dtype: DType | null) =>
    cumulativeSum(x, wrapDim(dim, x.shape.length), scanType(x, dtype)),
  { inPlace: true },
);

/** The products of the elements up to each, along `dim`. Integers and bool multiply to int64. */
export const cumprod: InPlaceOp<ScanArgs, Tensor> = op(
  'cumprod',
  'Tensor self, int dim, *, dtype? dtype=None, Tensor? out=None',
  (input: Tensor, dim: number, dtype: DType | null) => {
    const d = wrapDim(dim, input.shape.length);
    const type = scanType(input, dtype);
    const x = scanInput(input, type);
    const out = runScan('scan_cumprod', x, d, type);
    record('CumprodBackward0', [x], [out], (save) => {
      const saved = save(x);
      const result = save(out);
      return ([g]) => [g === null ? null : cumulativeProductGradient(g, saved(), result(), d)];
    });
    return out;
  },
  { inPlace: true },
);

// ---- log of running sums of exponentials

const reversedLogSum = (x: Tensor, d: number): Tensor => reverse(logcumsumexp(reverse(x, d), d), d);

/** In log space, for positive and negative gradients apart: nothing overflows. */
function logSumGradient(g: Tensor, x: Tensor, result: Tensor, d: number): Tensor {
  if (x._numel === 0 || x.shape.length === 0) return g;
  if (x.dtype.is_complex) return mul(conj(exp(x)), reversedSum(div(g, conj(exp(result))), d));
  const least = new finfo(x.dtype).min;
  const size = log(abs(g));
  const part = (sign: Tensor): Tensor =>
    exp(add(reversedLogSum(sub(choose(sign, size, least), result), d), x));
  return sub(part(gt(g, 0)), part(lt(g, 0)));
}

/** `log(cumsum(exp(x)))` along `dim`, without overflow. Floating point only. */
export const logcumsumexp: Op<[dim: number, options?: Out] | [options: Out & { dim: number }], Tensor> = op(
  'logcumsumexp',
  'Tensor self, int dim, *, Tensor? out=None',
  (x: Tensor, dim: number) => {
    const d = wrapDim(dim, x.shape.length);
    if (x.dtype.is_integral)
      throw new NotImplementedError(`"logcumsumexp_out_cpu" not implemented for '${x.dtype.scalarName}'`);
    const out = runScan('scan_logcumsumexp', x, d, x.dtype);
    record('LogcumsumexpBackward0', [x], [out], (save) => {
      const saved = save(x);
      const result = save(out);
      return ([g]) => [g === null ? null : logSumGradient(g, saved(), result(), d)];
    });
    return out;
  },
);

// ---- running extremes

type RunningExtreme = Op<
  [dim: number, options?: { out?: readonly Tensor[] }] | [options: { dim: number; out?: readonly Tensor[] }],
  NamedTuple<'values' | 'indices'>
>;

function runningExtreme(kind: 'cummax' | 'cummin'): RunningExtreme {
  const tuple = namedTuple(kind, 'values', 'indices');
  return op(
    kind,
    'Tensor self, int dim, *, Tensor[]? out=None',
    (x: Tensor, dim: number) => {
      const d = wrapDim(dim, x.shape.length);
      if (x.dtype.is_complex)
        throw new NotImplementedError(`"${kind}_cpu" not implemented for '${x.dtype.scalarName}'`);
      const values = empty(x.shape, x.dtype, x.device);
      const indices = empty(x.shape, int64, x.device);
      if (x._numel > 0) backendOf(x.device.type).launch(`scan_${kind}`, values, indices, x, d);
      record(kind === 'cummax' ? 'CummaxBackward0' : 'CumminBackward0', [x], [values], () => ([g]) => {
        if (g === null || x._numel === 0 || x.shape.length === 0) return [g];
        return [scatterAdd(x.shape, d, indices, g)];
      });
      return tuple(values, indices);
    },
    { exactOut: true },
  );
}

/** The largest element up to each, along `dim`, and its (last) position. */
export const cummax = runningExtreme('cummax');
/** The smallest element up to each, as {@link cummax}. */
export const cummin = runningExtreme('cummin');

// ---- differences and integrals of samples

function difference(x: Tensor, d: number): Tensor {
  const n = x.shape[d];
  const later = slice(x, d, 1, n);
  const earlier = slice(x, d, 0, Math.max(n - 1, 0));
  return x.dtype === bool ? ne(later, earlier) : sub(later, earlier);
}

function checkJoined(x: Tensor, other: Tensor | null, d: number): void {
  if (other === null) return;
  if (other.shape.length !== x.shape.length)
    throw new RuntimeError('diff expects prepend or append to be the same dimension as input');
  other.shape.forEach((size, i) => {
    if (i !== d && size !== x.shape[i])
      throw new RuntimeError(
        `diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size(${i}) = ${x.shape[i]}, but got tensor.size(${i}) = ${size}`,
      );
  });
}

interface DiffOptions extends Out {
  n?: number;
  dim?: number;
  prepend?: Tensor | null;
  append?: Tensor | null;
}

/** The n-th differences of neighbours along `dim`, after joining `prepend` and `append`. Of bool: whether they differ. */
export const diff: Op<
  | [options?: DiffOptions]
  | [n: number, dim?: number, prepend?: Tensor | null, append?: Tensor | null, options?: Out]
  | [n: number, options: DiffOptions],
  Tensor
> = op(
  'diff',
  'Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None, *, Tensor? out=None',
  (x: Tensor, n: number, dim: number, prepend: Tensor | null, append: Tensor | null) => {
    if (x.shape.length === 0) throw new RuntimeError('diff expects input to be at least one-dimensional');
    if (n < 0) throw new RuntimeError(`order must be non-negative but got ${n}`);
    const d = wrapDim(dim, x.shape.length);
    checkJoined(x, prepend, d);
    checkJoined(x, append, d);
    const parts = [prepend, x, append].filter((part) => part !== null);
    if (n === 0) return clone(x);
    let out = parts.length > 1 ? cat(parts, d) : x;
    for (let k = 0; k < n; k++) out = difference(out, d);
    return out;
  },
);

/** The widths between samples, so that they broadcast against y's intervals along d. */
function widths(name: string, y: Tensor, x: Tensor, d: number): Tensor {
  if (x.shape.length === 1) {
    if (x.shape[0] !== y.shape[d])
      throw new RuntimeError(`${name}: There must be one \`x\` value for each sample point`);
    return difference(x, 0).reshape(y.shape.map((_, i) => (i === d ? -1 : 1)));
  }
  const lead = y.shape.length - x.shape.length;
  const wide = lead > 0 ? x.reshape([...new Array<number>(lead).fill(1), ...x.shape]) : x;
  if (lead > 0 || !sameSizes([wide.shape[d]], [y.shape[d]])) {
    if (wide.shape[d] !== y.shape[d])
      throw new RuntimeError(`${name}: There must be one \`x\` value for each sample point`);
  }
  return difference(wide, d);
}

/** The areas under the line between neighbouring samples along d. */
function areas(name: string, y: Tensor, x: Tensor | null, d: number, dx: number): Tensor {
  const n = y.shape[d];
  const heights = add(slice(y, d, 0, Math.max(n - 1, 0)), slice(y, d, 1, n));
  return mul(x === null ? mul(heights, dx) : mul(widths(name, y, x, d), heights), 0.5);
}

interface SampleOptions {
  x?: Tensor | null;
  dx?: number;
  dim?: number;
}
interface Integral {
  (y: Tensor, x?: Tensor | SampleOptions | null, options?: SampleOptions): Tensor;
  (y: Tensor, options: SampleOptions): Tensor;
}

/** The sum of the areas between samples of equal distance: every sample counts, the outer ones by half. */
function evenIntegral(y: Tensor, d: number, dx: number): Tensor {
  const ends = add(select(y, d, 0), select(y, d, -1));
  return mul(sub(sum(y, d), mul(ends, 0.5)), dx);
}

function integral(
  name: string,
  finish: (areas: Tensor, d: number) => Tensor,
  even: ((y: Tensor, d: number, dx: number) => Tensor) | null,
): Integral {
  return op(
    name,
    'Tensor y, Tensor? x=None, *, float dx=1, int dim=-1',
    (y: Tensor, x: Tensor | null, dx: number, dim: number) => {
      if (y.shape.length === 0)
        throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`);
      const d = wrapDim(dim, y.shape.length);
      if (y.shape[d] === 0 && name === 'trapezoid') return sum(y, d);
      if (y.dtype === bool || x?.dtype === bool)
        throw new RuntimeError(
          `${name}: received a bool input for ${y.dtype === bool ? 'y' : 'x'}, but bool is not supported`,
        );
      return x === null && even ? even(y, d, dx) : finish(areas(name, y, x, d, dx), d);
    },
    { self: null },
  );
}

/** The integral of samples y along `dim` by the trapezoidal rule, at the points x or `dx` apart. */
export const trapezoid = integral('trapezoid', (a, d) => sum(a, d), evenIntegral);
/** Alias of {@link trapezoid}. */
export const trapz = trapezoid;
/** The integrals of samples y up to each point, as {@link trapezoid}. */
export const cumulative_trapezoid = integral('cumulative_trapezoid', (a, d) => cumsum(a, d), null);
