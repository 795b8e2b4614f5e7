// Extremes and their positions; truth of all and any.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { typeName } from '../dispatch/schema.js';
import { bool, type DType, int64, uint8 } from '../dtype.js';
import { IndexError, NotImplementedError, RuntimeError } from '../errors.js';
import { contiguousStrides, Tensor, wrapDim } from '../tensor.js';
import { recordSelection } from './along.js';
import { div, mul } from './arithmetic.js';

import { eq, maximum, minimum } from './compare.js';
import { type Op, type Out, type Overloads, op, writeOut } from './define.js';
import { type NamedTuple, namedTuple } from './named.js';
import {
  asKept,
  type ReduceArgs,
  reducedDims,
  reducedShape,
  restoreDims,
  runReduction,
  sum,
} from './reduce.js';

/** @internal Refuses a dtype as PyTorch's kernels do. */
export function notImplemented(kernel: string, dtype: DType): never {
  throw new NotImplementedError(`"${kernel}" not implemented for '${dtype.scalarName}'`);
}

/** @internal The gradient of an extreme over `dims`, shared evenly among the elements that equal it. */
export function shareEvenly(
  g: Tensor,
  x: Tensor,
  result: Tensor,
  dims: readonly number[],
  keepdim: boolean,
): Tensor {
  const hit = eq(x, restoreDims(result, x.shape, dims, keepdim).detach());
  return div(mul(restoreDims(g, x.shape, dims, keepdim), hit), sum(hit, dims, true));
}

/** @internal As {@link shareEvenly} over all elements; NaN results go to the NaN elements. */
export function shareOverAll(g: Tensor, x: Tensor, result: Tensor): Tensor {
  const value = result.detach();
  const from = x.detach();
  const hit = value.ne(value).item() ? from.ne(from) : eq(from, value);
  return mul(hit, div(g, sum(hit)));
}

type Extreme = 'max' | 'min';
/** Result of an extreme along one dimension. */
export type ValuesIndices = NamedTuple<'values' | 'indices'>;

function wholeExtreme(kind: Extreme, x: Tensor): Tensor {
  if (x._numel === 0)
    throw new RuntimeError(
      `${kind}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`,
    );
  if (x.dtype.is_complex) notImplemented(`${kind}_all`, x.dtype);
  const out = runReduction(`reduce_a${kind}`, x, reducedDims(x, null), false, x.dtype);
  record(kind === 'max' ? 'MaxBackward1' : 'MinBackward1', [x], [out], (save) => {
    const input = save(x);
    const result = save(out);
    return ([g]) => [g === null ? null : shareOverAll(g, input(), result())];
  });
  return out;
}

/** @internal Refuses reductions over a dimension of size 0 that have no identity. */
export function requireElements(name: string, x: Tensor, d: number): void {
  if (x.shape.length > 0 && x.shape[d] === 0)
    throw new IndexError(`${name}(): Expected reduction dim ${d} to have non-zero size.`);
}

const tuples = { max: namedTuple('max', 'values', 'indices'), min: namedTuple('min', 'values', 'indices') };

function extremeAlong(kind: Extreme, x: Tensor, dim: number, keepdim: boolean): ValuesIndices {
  const d = wrapDim(dim, x.shape.length);
  requireElements(kind, x, d);
  if (x.dtype.is_complex) notImplemented(`${kind}_cpu`, x.dtype);
  const shape = reducedShape(x, [d], keepdim);
  const values = empty(shape, x.dtype, x.device);
  const indices = empty(shape, int64, x.device);
  if (values._numel > 0)
    backendOf(x.device.type).launch(
      `reduce_${kind}_dim`,
      asKept(values, x, [d]),
      asKept(indices, x, [d]),
      x,
      x.shape.length === 0 ? -1 : d,
    );
  recordSelection(kind === 'max' ? 'MaxBackward0' : 'MinBackward0', x, values, indices, d, keepdim);
  return tuples[kind](values, indices);
}

interface AlongOptions {
  dim?: number;
  keepdim?: boolean;
  out?: readonly Tensor[];
}

interface ExtremeMethod {
  (options?: Out): Tensor;
  (other: Tensor, options?: Out): Tensor;
  (dim: number, keepdim?: boolean, options?: AlongOptions): ValuesIndices;
  (dim: number, options: AlongOptions): ValuesIndices;
  (options: AlongOptions & { dim: number }): ValuesIndices;
  (options: Out & { other: Tensor }): Tensor;
}
interface ExtremeFunction {
  (input: Tensor, options?: Out): Tensor;
  (input: Tensor, other: Tensor, options?: Out): Tensor;
  (input: Tensor, dim: number, keepdim?: boolean, options?: AlongOptions): ValuesIndices;
  (input: Tensor, dim: number, options: AlongOptions): ValuesIndices;
  (input: Tensor, options: AlongOptions & { dim: number }): ValuesIndices;
  (input: Tensor, options: Out & { other: Tensor }): Tensor;
}

function extreme(kind: Extreme): Overloads<ExtremeFunction, ExtremeMethod> {
  const pairwise = kind === 'max' ? maximum : minimum;
  return op(
    kind,
    'Tensor self, any dim=None, bool keepdim=False, *, Tensor? other=None, any out=None',
    (x: Tensor, dim: unknown, keepdim: boolean, other: Tensor | null) => {
      const second = dim instanceof Tensor ? dim : other;
      if (second !== null) return pairwise(x, second);
      if (dim === null) return wholeExtreme(kind, x);
      if (typeof dim !== 'number' || !Number.isInteger(dim))
        throw new TypeError(`${kind}(): argument 'dim' (position 2) must be int, not ${typeName(dim)}`);
      return extremeAlong(kind, x, dim, keepdim);
    },
  );
}

/**
 * The largest element; or along `dim` the largest elements and their (first) positions; or, with another tensor, the
 * larger elements of both. NaN is larger than any number.
 *
 *     const { values, indices } = torch.max(torch.tensor([[1, 2], [3, 4]]), 1);
 *     indices
 *     // tensor([1, 1])
 */
export const max = extreme('max');
/** The smallest element, as {@link max}. */
export const min = extreme('min');

function extremeOver(kind: Extreme): Op<ReduceArgs, Tensor> {
  const name = `a${kind}`;
  return op(
    name,
    'Tensor self, int[1] dim=[], bool keepdim=False, *, Tensor? out=None',
    (x: Tensor, dim: number | number[], keepdim: boolean, to: Tensor | null) => {
      if (x.dtype.is_complex) notImplemented(`${kind}_values_cpu`, x.dtype);
      if (to !== null && to.dtype !== x.dtype)
        throw new RuntimeError(
          `Expected the dtype for input and out to match, but got ${x.dtype.scalarName} for input's dtype and ${to.dtype.scalarName} for out's dtype.`,
        );
      const dims = reducedDims(x, dim);
      if (x._numel === 0) {
        if (Array.isArray(dim) && dim.length === 0)
          throw new RuntimeError(
            `${name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`,
          );
        for (const d of dims) requireElements(name, x, d);
      }
      const out = runReduction(`reduce_${name}`, x, dims, keepdim, x.dtype);
      record(kind === 'max' ? 'AmaxBackward0' : 'AminBackward0', [x], [out], (save) => {
        const input = save(x);
        const result = save(out);
        return ([g]) => [g === null ? null : shareEvenly(g, input(), result(), dims, keepdim)];
      });
      return to === null ? out : writeOut(name, [x], out, to, false);
    },
    { ownOut: true },
  );
}

/** The largest elements along dimensions (all by default). The gradient is shared evenly among equal ones. */
export const amax = extremeOver('max');
/** The smallest elements along dimensions, as {@link amax}. */
export const amin = extremeOver('min');

const aminmaxTuple = namedTuple('aminmax', 'min', 'max');

/** The smallest and the largest elements, of all or along one dimension. */
export const aminmax: Op<
  [options?: { dim?: number; keepdim?: boolean; out?: readonly Tensor[] }],
  NamedTuple<'min' | 'max'>
> = op(
  'aminmax',
  'Tensor self, *, int? dim=None, bool keepdim=False, Tensor[]? out=None',
  (x: Tensor, dim: number | null, keepdim: boolean) => {
    if (x.dtype.is_complex) notImplemented('aminmax_cpu', x.dtype);
    if (dim === null) {
      if (x._numel === 0)
        throw new RuntimeError(
          `aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.`,
        );
    } else if (x.shape.length > 0 && x.shape[wrapDim(dim, x.shape.length)] === 0)
      throw new IndexError(
        `aminmax: Expected reduction dim ${wrapDim(dim, x.shape.length)} to have non-zero size.`,
      );
    const dims = reducedDims(x, dim);
    const low = runReduction('reduce_amin', x, dims, keepdim, x.dtype);
    const high = runReduction('reduce_amax', x, dims, keepdim, x.dtype);
    record('AminmaxBackward0', [x], [low, high], (save) => {
      const input = save(x);
      const [a, b] = [save(low), save(high)];
      return ([g, h]) => {
        const first = g === null ? null : shareEvenly(g, input(), a(), dims, keepdim);
        const second = h === null ? null : shareEvenly(h, input(), b(), dims, keepdim);
        return [first === null ? second : second === null ? first : first.add(second)];
      };
    });
    return aminmaxTuple(low, high);
  },
  { exactOut: true },
);

function position(
  kind: Extreme,
): Op<
  | [dim?: number | null, keepdim?: boolean, options?: Out]
  | [options: Out & { dim?: number | null; keepdim?: boolean }],
  Tensor
> {
  const name = `arg${kind}`;
  return op(
    name,
    'Tensor self, int? dim=None, bool keepdim=False, *, Tensor? out=None',
    (x: Tensor, dim: number | null, keepdim: boolean) => {
      if (x.dtype.is_complex || x.dtype === bool)
        throw new RuntimeError(
          `${name}(): does not support ${x.dtype.is_complex ? 'complex' : 'bool'} input`,
        );
      if (dim === null) {
        if (x._numel === 0)
          throw new IndexError(`${name}(): Expected reduction dim to be specified for input.numel() == 0.`);
      } else requireElements(name, x, wrapDim(dim, x.shape.length));
      // Over all elements: as one row-major line.
      const line = dim === null && x.shape.length !== 1 ? flat(x) : x;
      const d = dim === null ? 0 : wrapDim(dim, x.shape.length);
      const out = empty(
        dim === null ? (keepdim ? x.shape.map(() => 1) : []) : reducedShape(x, [d], keepdim),
        int64,
        x.device,
      );
      const scalar = line.shape.length === 0;
      if (out._numel > 0) {
        const kept = reducedShape(line, scalar ? [] : [d], true);
        const shaped = new Tensor(
          out._storage,
          kept,
          contiguousStrides(kept),
          out._offset,
          out.dtype,
          out._numel,
          true,
        );
        backendOf(x.device.type).launch(`reduce_${name}`, shaped, line, scalar ? -1 : d);
      }
      return out;
    },
    { exactOut: true },
  );
}

const flat = (x: Tensor): Tensor => x.detach().reshape([-1]);

/**
 * The position of the largest element: in row-major order, or along `dim`. The first of equal ones.
 *
 *     torch.tensor([[1, 2], [3, 4]]).argmax(1)
 *     // tensor([1, 1])
 */
export const argmax = position('max');
/** The position of the smallest element, as {@link argmax}. */
export const argmin = position('min');

function truth(name: 'all' | 'any'): Op<ReduceArgs, Tensor> {
  return op(
    name,
    'Tensor self, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None',
    (x: Tensor, dim: number | number[] | null, keepdim: boolean) =>
      runReduction(
        `reduce_${name}`,
        x,
        dim === null || !Array.isArray(dim) || dim.length > 0 ? reducedDims(x, dim) : [],
        keepdim,
        x.dtype === uint8 ? uint8 : bool,
      ),
  );
}

/**
 * Whether all elements are nonzero. Bool; uint8 for uint8 input.
 *
 *     torch.tensor([false, true]).all()
 *     // tensor(False)
 */
export const all = truth('all');
/**
 * Whether any element is nonzero. Bool; uint8 for uint8 input.
 *
 *     torch.tensor([false, true]).any()
 *     // tensor(True)
 */
export const any = truth('any');
