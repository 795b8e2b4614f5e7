// Tensors as matrices: tensorinv, tensorsolve, chains of products, inner products along a dimension, diagonals.

import { RuntimeError } from '../errors.js';
import { mul } from '../ops/arithmetic.js';
import { conj } from '../ops/complex.js';
import { cppTypeName } from '../ops/cpp_text.js';
import { type Out, op } from '../ops/define.js';
import { diagonal as diagonalView } from '../ops/diagonal.js';
import { multiplyChain } from '../ops/matmul.js';
import { sum } from '../ops/reduce.js';
import { movedim } from '../ops/shape.js';
import { reshape, unsqueeze, view } from '../ops/view.js';
import { numelOf, type Tensor, wrapDim } from '../tensor.js';
import { checkFloating, checkSameDtype } from './matrices.js';
import { inverseOf, solve } from './solve.js';

/**
 * The inverse of a tensor as a map: with `ind` leading dimensions as rows and the others as columns, a square matrix.
 * @throws RuntimeError unless both sides have as many elements; LinAlgError when the map is singular.
 */
export const tensorinv: (A: Tensor, ind?: number | (Out & { ind?: number }), options?: Out) => Tensor = op(
  'linalg.tensorinv',
  'Tensor A, int ind=2, *, Tensor? out=None',
  (A: Tensor, ind: number) => {
    if (ind <= 0) throw new RuntimeError(`Expected a strictly positive integer for 'ind', but got ${ind}`);
    const [rows, columns] = [A.shape.slice(0, ind), A.shape.slice(ind)];
    const [m, n] = [numelOf(rows), numelOf(columns)];
    if (m !== n)
      throw new RuntimeError(
        `Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got ${n} != ${m}`,
      );
    return reshape(inverseOf(reshape(A, [m, n]), 'inv').X, [...columns, ...rows]);
  },
  { self: null },
);

/**
 * The solution X of `tensordot(A, X, X.ndim) = B`. @param dims dimensions of A that are moved to its end first.
 * @throws RuntimeError unless A is square as a map from X to B; LinAlgError when it is singular.
 */
export const tensorsolve: (
  A: Tensor,
  B: Tensor,
  dims?: readonly number[] | null | (Out & { dims?: readonly number[] | null }),
  options?: Out,
) => Tensor = op(
  'linalg.tensorsolve',
  'Tensor A, Tensor B, int[]? dims=None, *, Tensor? out=None',
  (A: Tensor, B: Tensor, dims: readonly number[] | null) => {
    const ndim = A.shape.length;
    const moved =
      dims === null
        ? A
        : movedim(
            A,
            [...dims],
            dims.map((_, i) => ndim - dims.length + i),
          );
    const [head, tail] = [moved.shape.slice(0, B.shape.length), moved.shape.slice(B.shape.length)];
    const [n, m] = [numelOf(tail), numelOf(head)];
    if (n !== m || m !== B._numel)
      throw new RuntimeError(
        `Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got ${n} != ${m === n ? B._numel : m}`,
      );
    return reshape(solve(reshape(moved, [m, n]), reshape(B, [B._numel])), tail);
  },
  { self: null },
);

function checkChain(tensors: readonly Tensor[]): void {
  const fail = (text: string): never => {
    throw new RuntimeError(`multi_dot(): ${text}`);
  };
  const n = tensors.length;
  if (n < 2) fail(`expected at least 2 tensors but got ${n}`);
  const ends = [tensors[0], tensors[n - 1]];
  ends.forEach((x, i) => {
    if (x.shape.length < 1 || x.shape.length > 2)
      fail(`the ${i === 0 ? 'first' : 'last'} tensor must be 1D or 2D but got ${x.shape.length}D`);
  });
  for (let i = 1; i < n - 1; i++)
    if (tensors[i].shape.length !== 2) fail(`tensor ${i} must be 2D but got ${tensors[i].shape.length}D`);
  for (let i = 1; i < n; i++)
    if (tensors[i].dtype !== tensors[0].dtype)
      fail(
        `all tensors must have be the same dtype but tensor 0 is ${cppTypeName(tensors[0].dtype)} and tensor ${i} ${cppTypeName(tensors[i].dtype)}`,
      );
}

/**
 * The product of matrices, in the order that needs the fewest multiplications; the first and the last may be vectors.
 * @throws RuntimeError when shapes or dtypes do not fit.
 */
export const multi_dot: (tensors: readonly Tensor[], options?: Out) => Tensor = op(
  'linalg.multi_dot',
  'Tensor[] tensors, *, Tensor? out=None',
  (tensors: readonly Tensor[]) => {
    checkChain(tensors);
    const last = tensors.length - 1;
    const [row, column] = [tensors[0].shape.length === 1, tensors[last].shape.length === 1];
    const chain = tensors.map((x, i) =>
      i === 0 && row ? unsqueeze(x, 0) : i === last && column ? unsqueeze(x, -1) : x,
    );
    for (let i = 0; i < last; i++)
      if (chain[i].shape[1] !== chain[i + 1].shape[0])
        throw new RuntimeError(
          `multi_dot(): tensors ${i} and ${i + 1} with shapes [${chain[i].shape.join(', ')}] and [${chain[i + 1].shape.join(', ')}] cannot be multiplied`,
        );
    const product = multiplyChain(chain);
    const shape = [...(row ? [] : [product.shape[0]]), ...(column ? [] : [product.shape[1]])];
    return view(product, shape);
  },
  { self: null },
);

/** The inner products `sum(conj(x) * y)` along `dim`; the rest broadcasts. Differentiable. */
export const vecdot: (x: Tensor, y: Tensor, options?: Out & { dim?: number }) => Tensor = op(
  'linalg.vecdot',
  'Tensor x, Tensor y, *, int dim=-1, Tensor? out=None',
  (x: Tensor, y: Tensor, dim: number) => {
    checkFloating(x, 'linalg.vecdot', true);
    checkSameDtype(x, y, 'linalg.vecdot', 'x', 'y');
    return sum(mul(conj(x), y), dim);
  },
  { self: null },
);

/** A view of a diagonal of each matrix of A [*, m, n] (of the last two dimensions unless told otherwise). */
export const diagonal: (A: Tensor, options?: { offset?: number; dim1?: number; dim2?: number }) => Tensor =
  op(
    'linalg.diagonal',
    'Tensor A, *, int offset=0, int dim1=-2, int dim2=-1',
    (A: Tensor, offset: number, dim1: number, dim2: number) => {
      // A missing dimension is reported in the order of the arguments.
      wrapDim(dim1, A.shape.length);
      return diagonalView(A, offset, dim1, dim2);
    },
    { self: null },
  );
