// Reductions by order: medians, modes, k-th values, quantiles.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { bool, float32, float64, int64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { Tensor, wrapDim } from '../tensor.js';
import { gatherAlong, recordSelection, sortAlong } from './along.js';
import { mul, sub } from './arithmetic.js';
import { choose } from './clamp.js';
import { isnan } from './compare.js';
import { castTo } from './copy.js';
import { type Op, type Out, type Overloads, op } from './define.js';
import { full_, scalarOf } from './fill.js';
import { namedTuple } from './named.js';
import { reducedShape, sum } from './reduce.js';
import { notImplemented, requireElements, shareOverAll, type ValuesIndices } from './reduce_extreme.js';
import { ceil, floor, round } from './rounding.js';
import { movedim } from './shape.js';

/** Runs a kernel `values, indices, in, dim, …` and records the choice. */
function selectAlong(
  kernel: string,
  node: string,
  x: Tensor,
  d: number,
  keepdim: boolean,
  ...extra: readonly number[]
): [Tensor, Tensor] {
  const shape = reducedShape(x, [d], keepdim);
  const values = empty(shape, x.dtype, x.device);
  const indices = empty(shape, int64, x.device);
  if (values._numel > 0) {
    const scalar = x.shape.length === 0;
    const line = scalar ? x.detach().reshape([1]) : x;
    const flat = (t: Tensor): Tensor => (scalar ? t.reshape([1]) : t);
    backendOf(x.device.type).launch(kernel, flat(values), flat(indices), line, d, ...extra);
  }
  recordSelection(node, x, values, indices, d, keepdim);
  return [values, indices];
}

interface AlongOptions {
  dim?: number;
  keepdim?: boolean;
  out?: readonly Tensor[];
}
interface MedianMethod {
  (): Tensor;
  (dim: number, keepdim?: boolean, options?: AlongOptions): ValuesIndices;
  (dim: number, options: AlongOptions): ValuesIndices;
  (options: AlongOptions & { dim: number }): ValuesIndices;
}
interface MedianFunction {
  (input: Tensor): Tensor;
  (input: Tensor, dim: number, keepdim?: boolean, options?: AlongOptions): ValuesIndices;
  (input: Tensor, dim: number, options: AlongOptions): ValuesIndices;
  (input: Tensor, options: AlongOptions & { dim: number }): ValuesIndices;
}

function wholeMedian(name: string, node: string, x: Tensor): Tensor {
  if (x._numel === 0) return full_([], x.dtype.is_floating_point ? Number.NaN : 0, x.dtype, x.device);
  const line = x.detach().reshape([-1]);
  const out = empty([], x.dtype, x.device);
  backendOf(x.device.type).launch(name, out.reshape([1]), empty([1], int64, x.device), line, 0);
  record(node, [x], [out], (save) => {
    const input = save(x);
    const result = save(out);
    return ([g]) => [g === null ? null : shareOverAll(g, input(), result())];
  });
  return out;
}

function medianOf(name: 'median' | 'nanmedian', node: string): Overloads<MedianFunction, MedianMethod> {
  const tuple = namedTuple(name, 'values', 'indices');
  return op(
    name,
    'Tensor self, int? dim=None, bool keepdim=False, *, Tensor[]? out=None',
    (x: Tensor, dim: number | null, keepdim: boolean) => {
      if (x.dtype === bool || x.dtype.is_complex) notImplemented('median_cpu', x.dtype);
      if (dim === null) return wholeMedian(name, `${node}0`, x);
      const d = wrapDim(dim, x.shape.length);
      requireElements('median', x, d);
      return tuple(...selectAlong(name, `${node}1`, x, d, keepdim));
    },
    { exactOut: true },
  );
}

/**
 * The median (the lower of two middle elements), of all or along `dim` with its position. NaN if an element is.
 *
 *     torch.tensor([3, 1, 2]).median()
 *     // tensor(2.)
 */
export const median = medianOf('median', 'MedianBackward');
/** The median of the elements that are not NaN, as {@link median}. */
export const nanmedian = medianOf('nanmedian', 'NanmedianBackward');

type AlongArgs =
  | [dim?: number, keepdim?: boolean, options?: AlongOptions]
  | [options: AlongOptions]
  | [dim: number, options: AlongOptions];

const modeTuple = namedTuple('mode', 'values', 'indices');

/** The most frequent element along `dim` (the smallest of several) and its last position. */
export const mode: Op<AlongArgs, ValuesIndices> = op(
  'mode',
  'Tensor self, int dim=-1, bool keepdim=False, *, Tensor[]? out=None',
  (x: Tensor, dim: number, keepdim: boolean) => {
    if (x.dtype.is_complex) notImplemented('mode_cpu', x.dtype);
    const d = wrapDim(dim, x.shape.length);
    requireElements('mode', x, d);
    return modeTuple(...selectAlong('mode', 'ModeBackward0', x, d, keepdim));
  },
  { exactOut: true },
);

const kthTuple = namedTuple('kthvalue', 'values', 'indices');

/** The k-th smallest element (from 1) along `dim` and its position. @throws RuntimeError when there are fewer. */
export const kthvalue: Op<
  | [k: number, dim?: number, keepdim?: boolean, options?: AlongOptions]
  | [k: number, options: AlongOptions]
  | [k: number, dim: number, options: AlongOptions],
  ValuesIndices
> = op(
  'kthvalue',
  'Tensor self, int k, int dim=-1, bool keepdim=False, *, Tensor[]? out=None',
  (x: Tensor, k: number, dim: number, keepdim: boolean) => {
    const d = wrapDim(dim, x.shape.length);
    requireElements('kthvalue', x, d);
    if (k < 1 || k > (x.shape.length === 0 ? 1 : x.shape[d]))
      throw new RuntimeError(`kthvalue(): selected number k out of range for dimension ${d}`);
    if (x.dtype === bool || x.dtype.is_complex) notImplemented('kthvalue_cpu', x.dtype);
    return kthTuple(...selectAlong('kthvalue', 'KthvalueBackward0', x, d, keepdim, k));
  },
  { exactOut: true },
);

// ---- quantiles

/** How a quantile between two elements is chosen. */
export type Interpolation = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';
const interpolations: readonly string[] = ['linear', 'lower', 'higher', 'midpoint', 'nearest'];

function checkQuantile(name: string, x: Tensor, q: Tensor | number, interpolation: string): void {
  if (x._numel === 0) throw new RuntimeError(`${name}() input tensor must be non-empty`);
  if (q instanceof Tensor && q.shape.length > 1)
    throw new RuntimeError(`${name}() q must be a scalar or 1D tensor`);
  if (x.dtype !== float32 && x.dtype !== float64)
    throw new RuntimeError(`${name}() input tensor must be either float or double dtype`);
  if (q instanceof Tensor && q.dtype !== x.dtype)
    throw new RuntimeError(`${name}() q tensor must be same dtype as the input tensor`);
  if (!interpolations.includes(interpolation))
    throw new RuntimeError(
      `${name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got ${interpolation}`,
    );
  if (typeof q === 'number') {
    if (!(q >= 0 && q <= 1)) throw new RuntimeError(`${name}() q must be in the range [0, 1] but got ${q}`);
  } else if (q._numel > 0 && !q.detach().ge(0).logical_and(q.detach().le(1)).all().item())
    throw new RuntimeError(`${name}() q values must be in the range [0, 1]`);
}

/** Positions, with fractions, of the quantiles q [k] in sorted rows [..., n]: [..., k]. A row with NaN gives its last. */
function ranks(sorted: Tensor, q: Tensor, ignoreNaN: boolean): Tensor {
  const last = sorted.shape[sorted.shape.length - 1] - 1;
  if (ignoreNaN) {
    const counted = castTo(sum(isnan(sorted).logical_not(), -1, true), sorted.dtype);
    return mul(q, sub(counted, 1)).clamp_min(0);
  }
  return choose(isnan(sorted).any(-1, true), last, mul(q, last));
}

function quantileOf(
  name: string,
  x: Tensor,
  q: Tensor | number,
  dim: number | null,
  keepdim: boolean,
  how: string,
  ignoreNaN: boolean,
): Tensor {
  checkQuantile(name, x, q, how);
  const points = q instanceof Tensor ? q : scalarOf(q, x.device, x.dtype);
  const d = dim === null ? 0 : wrapDim(dim, x.shape.length);
  const lines = dim === null || x.shape.length === 0 ? x.reshape([-1]) : movedim(x, d, -1);
  const axis = lines.shape.length - 1;
  const [sorted] = sortAlong(lines, axis);
  const rank = ranks(sorted.detach(), points.reshape([-1]), ignoreNaN);
  const at = (r: Tensor): Tensor => gatherAlong(sorted, axis, castTo(r, int64));
  const lower = floor(rank);
  let picked: Tensor;
  if (how === 'linear' || how === 'midpoint') {
    const below = at(lower);
    picked = below.lerp(
      at(ceil(rank)),
      how === 'midpoint' ? sub(ceil(rank), lower).mul(0.5) : sub(rank, lower),
    );
  } else picked = at(how === 'lower' ? lower : how === 'higher' ? ceil(rank) : round(rank));
  return placeQuantiles(picked, x, points, dim === null ? null : d, keepdim);
}

/** Brings [..., k] to PyTorch's shape: k first where q is a list, then x's without (or with 1 at) the dimension. */
function placeQuantiles(picked: Tensor, x: Tensor, q: Tensor, d: number | null, keepdim: boolean): Tensor {
  const front = movedim(picked, -1, 0);
  const rest = d === null ? (keepdim ? x.shape.map(() => 1) : []) : reducedShape(x, [d], keepdim);
  return front.reshape([...q.shape, ...rest]);
}

interface QuantileOptions extends Out {
  dim?: number | null;
  keepdim?: boolean;
  interpolation?: Interpolation;
}
type QuantileArgs =
  | [q: number | Tensor, dim?: number | null, keepdim?: boolean, options?: QuantileOptions]
  | [q: number | Tensor, options: QuantileOptions]
  | [q: number | Tensor, dim: number | null, options: QuantileOptions];

function quantileForm(name: 'quantile' | 'nanquantile'): Op<QuantileArgs, Tensor> {
  return op(
    name,
    "Tensor self, Operand q, int? dim=None, bool keepdim=False, *, str interpolation='linear', Tensor? out=None",
    (x: Tensor, q: Tensor | number, dim: number | null, keepdim: boolean, interpolation: string) =>
      quantileOf(name, x, q, dim, keepdim, interpolation, name === 'nanquantile'),
  );
}

/** The q-th quantiles (q in [0, 1], one or a 1-d tensor), of all elements or along `dim`. NaN if an element is. */
export const quantile = quantileForm('quantile');
/** The q-th quantiles of the elements that are not NaN, as {@link quantile}. */
export const nanquantile = quantileForm('nanquantile');
