// Norms of vectors and matrices.
import { typeName } from '../dispatch/schema.js';
import type { DType } from '../dtype.js';
import { IndexError, RuntimeError } from '../errors.js';
import { abs } from '../ops/arithmetic.js';
import { castTo } from '../ops/copy.js';
import { type Out, op } from '../ops/define.js';
import { type NormDim, orderText, vectorNorm } from '../ops/norms.js';
import { sum } from '../ops/reduce.js';
import { amax, amin } from '../ops/reduce_extreme.js';
import { permute, unsqueeze } from '../ops/view.js';
import { type Tensor, wrapDim } from '../tensor.js';
import { singularValues } from './svd.js';

/** The order of a matrix norm. */
export type MatrixOrder = number | 'fro' | 'nuc';

interface NormOptions extends Out {
  dim?: NormDim;
  keepdim?: boolean;
  dtype?: DType | null;
}

/** A norm: the order, then PyTorch's further parameters. */
export interface NormFunction<Order> {
  (A: Tensor, ord?: Order, dim?: NormDim, keepdim?: boolean, options?: NormOptions): Tensor;
  (A: Tensor, ord: Order, options: NormOptions): Tensor;
  (A: Tensor, ord: Order, dim: NormDim, options: NormOptions): Tensor;
  (A: Tensor, options: NormOptions & { ord?: Order }): Tensor;
}

/**
 * `(sum |x|^ord)^(1/ord)` along `dim` (all elements by default); infinite orders give the extreme magnitude, 0 counts.
 * The gradient is 0 where the norm is not differentiable.
 */
export const vector_norm: NormFunction<number> = op(
  'linalg.vector_norm',
  'Tensor x, float ord=2, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None',
  (x: Tensor, ord: number, dim: NormDim, keepdim: boolean, dtype: DType | null) =>
    vectorNorm(x, ord, dim, keepdim, dtype),
  { self: null },
);

function matrixDims(A: Tensor, dim: readonly number[]): [number, number] {
  if (A.shape.length < 2)
    throw new RuntimeError('linalg.matrix_norm: The input tensor A must have at least 2 dimensions.');
  if (dim.length !== 2)
    throw new RuntimeError(`linalg.matrix_norm: dim must be a 2-tuple. Got ${dim.join(' ')}`);
  const [rows, columns] = dim.map((d) => wrapDim(d, A.shape.length));
  if (rows === columns)
    throw new RuntimeError(`linalg.matrix_norm: dims must be different. Got (${dim.join(', ')})`);
  return [rows, columns];
}

/** @internal @throws TypeError for an order that is neither a number nor a name. */
export function checkOrder(ord: unknown, name: string): void {
  if (ord !== null && typeof ord !== 'number' && typeof ord !== 'string')
    throw new TypeError(`${name}(): argument 'ord' must be Number or str, not ${typeName(ord)}`);
}

/** The sum, or the largest or smallest, of the singular values over two dimensions. */
function spectralNorm(A: Tensor, ord: MatrixOrder, rows: number, columns: number, keepdim: boolean): Tensor {
  const others = A.shape.map((_, d) => d).filter((d) => d !== rows && d !== columns);
  const order = [...others, rows, columns];
  const S = singularValues(permute(A, order));
  const empty = S.shape[S.shape.length - 1] === 0;
  if (empty && ord === -2) throw new IndexError('amin(): Expected reduction dim -1 to have non-zero size.');
  const result = ord === 'nuc' || (empty && ord === 2) ? sum(S, -1) : ord === 2 ? amax(S, -1) : amin(S, -1);
  if (!keepdim) return result;
  return permute(
    unsqueeze(unsqueeze(result, -1), -1),
    order.map((_, d) => order.indexOf(d)),
  );
}

/** @internal The matrix norm over two dimensions. */
export function matrixNorm(
  input: Tensor,
  ord: MatrixOrder,
  dim: readonly number[],
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  if (input.dtype.is_integral)
    throw new RuntimeError(
      `linalg.matrix_norm: Expected a floating point or complex tensor as input. Got ${input.dtype.scalarName}`,
    );
  checkOrder(ord, 'linalg_matrix_norm');
  const [rows, columns] = matrixDims(input, dim);
  if (ord === 'fro') return vectorNorm(input, 2, [rows, columns], keepdim, dtype);
  if (ord !== 'nuc' && (typeof ord !== 'number' || ![1, 2, Number.POSITIVE_INFINITY].includes(Math.abs(ord))))
    throw new RuntimeError(
      `linalg.matrix_norm: Order ${typeof ord === 'number' ? orderText(ord) : ord} not supported.`,
    );
  const A = dtype === null ? input : castTo(input, dtype);
  if (ord === 'nuc' || Math.abs(ord) === 2) return spectralNorm(A, ord, rows, columns, keepdim);
  const [summed, compared] = Math.abs(ord) === 1 ? [rows, columns] : [columns, rows];
  const sums = sum(abs(A), summed, keepdim);
  const at = !keepdim && compared > summed ? compared - 1 : compared;
  return ord > 0 ? amax(sums, at, keepdim) : amin(sums, at, keepdim);
}

/**
 * The norm of matrices over two dimensions (the last two by default): Frobenius, largest (or, negative, smallest) sum of
 * magnitudes of a column (1) or a row (infinity), largest (or smallest) singular value (2), or their sum (`'nuc'`).
 */
export const matrix_norm: NormFunction<MatrixOrder> = op(
  'linalg.matrix_norm',
  "Tensor A, any ord='fro', int[1] dim=[-2, -1], bool keepdim=False, *, dtype? dtype=None, Tensor? out=None",
  (A: Tensor, ord: MatrixOrder, dim: number | readonly number[], keepdim: boolean, dtype: DType | null) =>
    matrixNorm(A, ord, typeof dim === 'number' ? [dim] : dim, keepdim, dtype),
  { self: null },
);

/**
 * A vector norm for one dimension (or none and no order), a matrix norm for two.
 *
 *     torch.linalg.norm(torch.tensor([3, 4]))
 *     // tensor(5.)
 */
export const norm: NormFunction<MatrixOrder | null> = op(
  'linalg.norm',
  'Tensor A, any ord=None, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None',
  (
    A: Tensor,
    ord: MatrixOrder | null,
    dim: number | readonly number[] | null,
    keepdim: boolean,
    dtype: DType | null,
  ) => {
    const dims = dim === null ? null : typeof dim === 'number' ? [dim] : dim;
    const n = A.shape.length;
    checkOrder(ord, 'linalg_norm');
    if (dims !== null && dims.length !== 1 && dims.length !== 2)
      throw new RuntimeError(
        `linalg.norm: If dim is specified, it must be of length 1 or 2. Got [${dims.join(', ')}]`,
      );
    if (dims === null && ord !== null && n !== 1 && n !== 2)
      throw new RuntimeError(
        `linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ${n}D.`,
      );
    if (typeof ord === 'string' || (ord !== null && (dims === null ? n : dims.length) === 2))
      return matrixNorm(A, ord, dims ?? [-2, -1], keepdim, dtype);
    return vectorNorm(A, ord ?? 2, dims, keepdim, dtype);
  },
  { self: null },
);
