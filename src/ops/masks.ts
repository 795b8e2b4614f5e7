// Elements by a mask, and the places of nonzero elements.
import { record } from '../autograd/graph.js';
import { backendOf, type Operand } from '../backends/backend.js';
import { empty, emptyStrided } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { bool, int64, uint8 } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { numelOf, sameSizes, type Tensor } from '../tensor.js';
import { choose, masked_fill } from './clamp.js';
import { clone, contiguous, contiguous_format } from './copy.js';
import { type InPlaceOp, type Op, type Out, type Overloads, op, writeOut } from './define.js';
import { full_, zeros_ } from './fill.js';
import { type Overwrite, overwriting } from './overwrite.js';
import { sum_to_size } from './shape.js';
import { unbind } from './split.js';
import { expand, reshape, slice, unsqueeze } from './view.js';

/** The number of true elements; of nonzero ones for other dtypes. */
function countTrue(x: Tensor): number {
  if (x.device.type === 'meta')
    throw new NotImplementedError(
      'nonzero is not supported for meta tensors: the number of rows depends on the elements',
    );
  return x._numel === 0 ? 0 : backendOf(x.device.type).launch('count_nonzero_mask', x.detach());
}

/** The first elements of `source`, as many as the mask has trues, in their places; zero elsewhere. */
function placed(shape: readonly number[], mask: Tensor, source: Tensor): Tensor {
  return masked_scatter(zeros_(shape, source.dtype, source.device), mask, source);
}

/**
 * The elements where `mask` is true, in row-major order, as a 1-d tensor. Both are broadcast.
 *
 *     const m = torch.tensor([[1, 2], [3, 4]]);
 *     m.masked_select(m.gt(2))
 *     // tensor([3., 4.])
 *
 * @throws RuntimeError for a mask that is not bool.
 */
export const masked_select: Op<[mask: Tensor, options?: Out], Tensor> = op(
  'masked_select',
  'Tensor self, Tensor mask, *, Tensor? out=None',
  (x: Tensor, mask: Tensor, out: Tensor | null) => {
    if (mask.dtype !== bool) throw new RuntimeError('masked_select: expected BoolTensor for mask');
    if (out !== null && out.dtype !== x.dtype)
      throw new RuntimeError('masked_select(): self and result must have the same scalar type');
    const shape = broadcastShapes(mask.shape, x.shape);
    const where = expand(mask.detach(), shape);
    const result = empty([countTrue(where)], x.dtype, x.device);
    if (result._numel > 0)
      backendOf(x.device.type).launch('masked_select', result, expand(x.detach(), shape), where);
    if (out !== null) return writeOut('masked_select', [x, mask], result, out, true) as Tensor;
    const own = x.shape;
    record('MaskedSelectBackward0', [x], [result], () => ([g]) => {
      if (g === null) return [null];
      const full = placed(shape, mask, g);
      return [sameSizes(own, shape) ? full : sum_to_size(full, own)];
    });
    return result;
  },
  { ownOut: true },
);

function scatterPlan(x: Tensor, mask: Tensor, source: Tensor): Overwrite {
  if (mask.dtype !== bool)
    throw new RuntimeError(
      `masked_scatter_ only supports boolean masks, but got mask with dtype ${mask.dtype.scalarName}`,
    );
  if (x.dtype !== source.dtype)
    throw new RuntimeError(
      `masked_scatter: expected self and source to have same dtypes but got${x.dtype.scalarName} and ${source.dtype.scalarName}`,
    );
  const where = expand(mask.detach(), x.shape);
  const shape = source.shape;
  return {
    node: 'MaskedScatterBackward0',
    inputs: [x, source],
    reads: [],
    write: (out) => {
      if (out._numel === 0) return;
      const shared = source._storage === out._storage;
      const from = shared
        ? clone(source.detach(), { memory_format: contiguous_format })
        : contiguous(source.detach());
      const failed = backendOf(x.device.type).launch('masked_scatter', out, where, from);
      if (failed !== 0) throw new RuntimeError('Number of elements of source < number of ones in mask');
    },
    derivative:
      () =>
      ([g], needs) => [
        g === null || !needs(0) ? null : masked_fill(g, where, 0),
        g === null || !needs(1) ? null : readBack(g, where, shape),
      ],
  };
}

/** The masked elements of a gradient, at the front of zeros of the source's shape. */
function readBack(g: Tensor, mask: Tensor, shape: readonly number[]): Tensor {
  const values = masked_select(g, mask);
  const full = zeros_([numelOf(shape)], g.dtype, g.device);
  slice(full, 0, 0, values._numel).copy_(values);
  return reshape(full, shape);
}

/**
 * A copy with the elements where `mask` is true overwritten by those of `source`, in order.
 * @throws RuntimeError when the source has too few elements.
 */
export const masked_scatter: InPlaceOp<[mask: Tensor, source: Tensor], Tensor> = overwriting(
  'masked_scatter',
  'Tensor self, Tensor mask, Tensor source',
  scatterPlan,
  (x: Tensor, mask: Tensor) => expand(x, broadcastShapes(mask.shape, x.shape)),
);

/** The coordinates of the nonzero elements, one row each, in row-major order; the columns lie together in memory. */
export function coordinates(x: Tensor): Tensor {
  const n = countTrue(x);
  const ndim = x.shape.length;
  const out = emptyStrided([n, ndim], [1, Math.max(n, 1)], int64, x.device);
  if (out._numel > 0) backendOf(x.device.type).launch('nonzero', out, x.detach());
  return out;
}

/** One index tensor per dimension: `x.at(...)` with them gives the nonzero elements. A 0-d tensor counts as 1-d. */
export const nonzeroTuple = (x: Tensor): Tensor[] => {
  const wide = x.shape.length === 0 ? unsqueeze(x.detach(), 0) : x;
  return unbind(coordinates(wide), 1);
};

interface NonzeroFunction {
  (input: Tensor, options?: Out & { as_tuple?: false }): Tensor;
  (input: Tensor, options: { as_tuple: true }): Tensor[];
}
interface NonzeroMethod {
  (options?: Out & { as_tuple?: false }): Tensor;
  (options: { as_tuple: true }): Tensor[];
}

/**
 * The coordinates of the nonzero elements: int64, one row per element, in row-major order.
 * With `as_tuple: true` an array of one 1-d tensor per dimension, fit to index with.
 *
 *     torch.tensor([0, 5, 7]).nonzero()
 *     // tensor([[1],
 *     //         [2]])
 */
export const nonzero: Overloads<NonzeroFunction, NonzeroMethod> = op(
  'nonzero',
  'Tensor self, *, Tensor? out=None, bool as_tuple=False',
  (x: Tensor, out: Tensor | null, asTuple: boolean) => {
    if (asTuple) return nonzeroTuple(x);
    if (out === null) return coordinates(x);
    if (out.dtype !== int64)
      throw new RuntimeError(
        `nonzero: Expected out tensor to have scalar type Long but got scalar type${out.dtype.scalarName}`,
      );
    return writeOut('nonzero', [], coordinates(x), out, true);
  },
  { ownOut: true },
);

/** As {@link nonzero}: coordinates of the nonzero elements, one row each. */
export const argwhere: Op<[], Tensor> = op('argwhere', 'Tensor self', coordinates);

/** As {@link nonzero} with `size` rows: cut off, or filled with `fill_value`. */
export const nonzero_static: Op<[options: Out & { size: number; fill_value?: number }], Tensor> = op(
  'nonzero_static',
  'Tensor self, *, int size, int fill_value=-1, Tensor? out=None',
  (x: Tensor, size: number, fillValue: number) => {
    if (size < 0) throw new RuntimeError("nonzero_static: 'size' must be an non-negative integer");
    const found = coordinates(x);
    const out = full_([size, x.shape.length], fillValue, int64, x.device);
    const n = Math.min(size, found.shape[0]);
    if (n > 0) slice(out, 0, 0, n).copy_(slice(found, 0, 0, n));
    return out;
  },
);

interface WhereFunction {
  (condition: Tensor): Tensor[];
  (condition: Tensor, input: Operand, other: Operand, options?: Out): Tensor;
}
type WhereMethod = (condition: Tensor, other: Operand) => Tensor;

/**
 * `input` where `condition` holds, else `other`; both may be numbers. With the condition alone: the places where it
 * holds, as `nonzero(condition, {as_tuple: true})`.
 *
 *     const x = torch.tensor([-1, 2]);
 *     torch.where(x.gt(0), x, 0)
 *     // tensor([0., 2.])
 *
 * @throws RuntimeError when the condition is not bool (or uint8).
 */
export const where: Overloads<WhereFunction, WhereMethod> = op(
  'where',
  'Tensor condition, Operand? self=None, Operand? other=None, *, Tensor? out=None',
  (condition: Tensor, x: Operand | null, y: Operand | null) => {
    if (x === null && y === null) return nonzeroTuple(condition);
    if (x === null || y === null)
      throw new TypeError(
        `where() missing 1 required positional arguments: "${x === null ? 'input' : 'other'}"`,
      );
    if (condition.dtype !== bool && condition.dtype !== uint8)
      throw new RuntimeError(
        `where expected condition to be a boolean tensor, but got a tensor with dtype ${condition.dtype.scalarName}`,
      );
    return choose(condition, x, y);
  },
  { self: 1 },
);
