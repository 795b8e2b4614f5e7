// Order along a dimension: sort, topk and their kin.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { bool, int64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { type Tensor, wrapDim } from '../tensor.js';
import { recordSelection, scatterAdd } from './along.js';
import { type Op, type Out, op } from './define.js';
import { namedTuple } from './named.js';
import type { ValuesIndices } from './reduce_extreme.js';

function sorted(
  node: string,
  x: Tensor,
  dim: number,
  descending: boolean,
  stable: boolean,
): [values: Tensor, indices: Tensor] {
  const d = wrapDim(dim, x.shape.length);
  if (x.dtype.is_complex) throw new RuntimeError(' Sort does not support complex dtypes on CPU');
  const values = empty(x.shape, x.dtype, x.device);
  const indices = empty(x.shape, int64, x.device);
  if (x._numel > 0)
    backendOf(x.device.type).launch('sort', values, indices, x.detach(), d, descending, stable);
  const shape = x.shape;
  record(node, [x], [values], () => ([g]) => {
    if (g === null) return [null];
    return [shape.length === 0 ? g : scatterAdd(shape, d, indices, g)];
  });
  return [values, indices];
}

interface OutPair {
  out?: readonly [values: Tensor, indices: Tensor];
}
type SortOptions = OutPair & { dim?: number; descending?: boolean; stable?: boolean | null };
const sortTuple = namedTuple('sort', 'values', 'indices');

/**
 * The elements in ascending (or descending) order along `dim`, and where each was. With `stable`, equal elements keep
 * their order; otherwise they come in PyTorch's own, up to lines of 32767 elements. NaN is the largest.
 *
 *     const { values, indices } = torch.tensor([3, 1, 2]).sort();
 *     indices
 *     // tensor([1, 2, 0])
 *
 * @throws RuntimeError for complex dtypes.
 */
export const sort: Op<
  | [dim?: number, descending?: boolean, options?: SortOptions]
  | [dim: number, options: SortOptions]
  | [options: SortOptions],
  ValuesIndices
> = op(
  'sort',
  'Tensor self, int dim=-1, bool descending=False, *, bool? stable=None, Tensor[]? out=None',
  (x: Tensor, dim: number, descending: boolean, stable: boolean | null) =>
    sortTuple(
      ...sorted(stable === null ? 'SortBackward0' : 'SortBackward1', x, dim, descending, stable === true),
    ),
  { exactOut: true },
);

/**
 * The indices that {@link sort} gives.
 *
 *     torch.tensor([3, 1, 2]).argsort()
 *     // tensor([1, 2, 0])
 */
export const argsort: Op<
  | [dim?: number, descending?: boolean, options?: { stable?: boolean }]
  | [dim: number, options: { descending?: boolean; stable?: boolean }]
  | [options: { dim?: number; descending?: boolean; stable?: boolean }],
  Tensor
> = op(
  'argsort',
  'Tensor self, int dim=-1, bool descending=False, *, bool stable=False',
  (x: Tensor, dim: number, descending: boolean, stable: boolean) =>
    sorted('', x.detach(), dim, descending, stable)[1],
);

/** The rows (first dimension) in ascending order of their elements, column by column. */
export const msort: Op<[options?: Out], Tensor> = op(
  'msort',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => sorted('SortBackward0', x, 0, false, true)[0],
  { exactOut: true },
);

const topkTuple = namedTuple('topk', 'values', 'indices');
type TopkOptions = OutPair & { dim?: number; largest?: boolean; sorted?: boolean };

/**
 * The k largest (or smallest) elements along `dim`, best first, and their positions.
 *
 *     torch.tensor([3, 1, 2]).topk(2).values
 *     // tensor([3., 2.])
 *
 * @throws RuntimeError when k is out of range, and for bool and complex dtypes.
 */
export const topk: Op<
  | [k: number, dim?: number, largest?: boolean, sorted?: boolean, options?: OutPair]
  | [k: number, options: TopkOptions]
  | [k: number, dim: number, options: TopkOptions],
  ValuesIndices
> = op(
  'topk',
  'Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True, *, Tensor[]? out=None',
  (x: Tensor, k: number, dim: number, largest: boolean) => {
    const d = wrapDim(dim, x.shape.length);
    if (k < 0 || k > (x.shape.length === 0 ? 1 : x.shape[d]))
      throw new RuntimeError('selected index k out of range');
    if (x.dtype.is_complex) throw new RuntimeError(' topk does not support complex dtypes on CPU');
    if (x.dtype === bool) throw new RuntimeError('topk does not support bool dtypes on CPU');
    const shape = x.shape.map((n, i) => (i === d ? k : n));
    const values = empty(shape, x.dtype, x.device);
    const indices = empty(shape, int64, x.device);
    // A number has itself as its only candidate, whatever k.
    const count = x.shape.length === 0 ? 1 : k;
    if (values._numel > 0)
      backendOf(x.device.type).launch('topk', values, indices, x.detach(), d, count, largest);
    recordSelection('TopkBackward0', x, values, indices, d, true);
    return topkTuple(values, indices);
  },
  { exactOut: true },
);
