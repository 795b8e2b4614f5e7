// What singular values tell: pseudoinverses, ranks and condition numbers.

import { record } from '../autograd/graph.js';
import { typeName } from '../dispatch/schema.js';
import { complex64, complex128, float32, float64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { abs, add, div, mul, reciprocal, sub } from '../ops/arithmetic.js';
import { choose, masked_fill } from '../ops/clamp.js';
import { gt, maximum } from '../ops/compare.js';
import { empty, zeros } from '../ops/create.js';
import { type Out, op } from '../ops/define.js';
import { adjoint, bare } from '../ops/gemm.js';
import { matmul } from '../ops/matmul.js';
import { orderText } from '../ops/norms.js';
import { sum } from '../ops/reduce.js';
import { amax } from '../ops/reduce_extreme.js';
import { narrow } from '../ops/split.js';
import { squeeze, unsqueeze } from '../ops/view.js';
import { Tensor } from '../tensor.js';
import { decomposeHermitian } from './eigh.js';
import { batchOf, checkSquare, columnsOf, rowsOf } from './matrices.js';
import { checkOrder, type MatrixOrder, matrixNorm } from './norm.js';
import { inverseOf } from './solve.js';
import { decomposeSVD, singularValues } from './svd.js';

/** A tolerance: one for all matrices, or one for each. */
export type Tolerance = number | Tensor | null;

const hasDecomposition = (x: Tensor): boolean => [float32, float64, complex64, complex128].includes(x.dtype);

/** The bound below which singular values S count as zeros: [*, 1], or a number. */
function boundOf(A: Tensor, S: Tensor, atol: Tolerance, rtol: Tolerance, name: string): Tensor {
  const eps = A.dtype.to_real() === float32 ? 2 ** -23 : 2 ** -52;
  for (const [what, value] of [['atol', atol] as const, ['rtol', rtol] as const])
    if (value !== null && typeof value !== 'number' && !(value instanceof Tensor))
      throw new TypeError(
        `linalg_${name}(): argument '${what}' must be float or Tensor, not ${typeName(value)}`,
      );
    else if (value instanceof Tensor && value.dtype.is_complex)
      throw new RuntimeError(
        `torch.linalg.${name}: ${what} tensor of complex type is not supported. Got ${value.dtype.scalarName}`,
      );
  const relative = eps * Math.max(rowsOf(A), columnsOf(A));
  const column = (t: Tolerance): Tensor | number => (t instanceof Tensor ? unsqueeze(bare(t), -1) : (t ?? 0));
  const largest = amax(S, -1, true);
  const absolute = column(atol);
  let factor: Tensor | number;
  if (rtol !== null) factor = column(rtol);
  else if (absolute instanceof Tensor) factor = choose(gt(absolute, 0), 0, relative);
  else factor = absolute > 0 ? 0 : relative;
  const scaled = mul(largest, factor);
  if (absolute instanceof Tensor) return maximum(scaled, absolute.to(scaled.dtype));
  return scaled.clamp_min(absolute);
}

// ---------------------------------------------------------------------------------------
// Pseudoinverse

/** @internal The gradient of A by that of its pseudoinverse P (Golub and Pereyra 1973). */
export function pseudoInverseGradient(grad: Tensor, P: Tensor, A: Tensor): Tensor {
  const [Ph, gradh] = [adjoint(P), adjoint(grad)];
  if (rowsOf(A) <= columnsOf(A)) {
    const K = matmul(gradh, P);
    const KPh = matmul(K, Ph);
    const inner = sub(KPh, matmul(matmul(A, P), KPh));
    return add(sub(inner, adjoint(matmul(P, K))), matmul(matmul(Ph, P), sub(gradh, matmul(K, A))));
  }
  const K = matmul(P, gradh);
  const PhK = matmul(Ph, K);
  const outer = matmul(matmul(sub(gradh, matmul(A, K)), P), Ph);
  return sub(add(sub(outer, adjoint(matmul(K, P))), PhK), matmul(matmul(PhK, P), A));
}

/** `1 / x` where |x| > bound, else 0. */
const boundedInverse = (x: Tensor, kept: Tensor): Tensor =>
  choose(kept, reciprocal(masked_fill(x, kept.logical_not(), 1)), 0);

function invert(A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean): Tensor {
  if (A._numel === 0)
    return empty([...batchOf(A), columnsOf(A), rowsOf(A)], { dtype: A.dtype, device: A.device });
  if (hermitian) {
    const [L, V] = decomposeHermitian(A, 'L', true);
    const size = abs(L);
    const kept = gt(size, boundOf(A, size, atol, rtol, 'pinv'));
    return matmul(mul(V, unsqueeze(boundedInverse(L, kept), -2)), adjoint(V));
  }
  const { U, S, Vh } = decomposeSVD(A, false);
  const kept = gt(S, boundOf(A, S, atol, rtol, 'pinv'));
  return matmul(mul(adjoint(Vh as Tensor), unsqueeze(boundedInverse(S, kept), -2)), adjoint(U as Tensor));
}

/** @internal The pseudoinverse. Recorded. */
export function pseudoInverse(
  A: Tensor,
  atol: Tolerance = null,
  rtol: Tolerance = null,
  hermitian = false,
): Tensor {
  if (A.shape.length < 2 || !hasDecomposition(A))
    throw new RuntimeError(
      `linalg.pinv(${A.dtype.scalarName}{[${A.shape.join(', ')}]}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types`,
    );
  if (hermitian) checkSquare(A, 'linalg.eigh');
  const P = invert(bare(A), atol, rtol, hermitian);
  record('LinalgPinvBackward0', [A], [P], (save) => {
    const [a, p] = [save(A), save(P)];
    return ([g]) => [g === null ? null : pseudoInverseGradient(g, p(), a())];
  });
  return P;
}

type PinvOptions = Out & { rcond?: Tolerance; atol?: Tolerance; rtol?: Tolerance; hermitian?: boolean };

/**
 * The Moore-Penrose pseudoinverse [*, n, m] of matrices [*, m, n]. Singular values of at most max(atol, rtol * the largest)
 * count as zeros; `rtol` is by default max(m, n) times the machine epsilon, or 0 when `atol` is given. With `hermitian`,
 * it is computed by eigenvalues, and only the lower triangle is read. `rcond` is the older name of `rtol`.
 * @throws RuntimeError for tensors that are no matrices, or of other dtypes; LinAlgError for infinities and NaN.
 */
export const pinv: (
  A: Tensor,
  rcond?: Tolerance | PinvOptions,
  hermitian?: boolean | PinvOptions,
  options?: PinvOptions,
) => Tensor = op(
  'linalg.pinv',
  'Tensor A, any rcond=None, bool hermitian=False, *, any atol=None, any rtol=None, Tensor? out=None',
  (A: Tensor, rcond: Tolerance, hermitian: boolean, atol: Tolerance, rtol: Tolerance) =>
    rcond === null ? pseudoInverse(A, atol, rtol, hermitian) : pseudoInverse(A, 0, rcond, hermitian),
  { self: null },
);

// ---------------------------------------------------------------------------------------
// Rank

type RankOptions = Out & { tol?: Tolerance; atol?: Tolerance; rtol?: Tolerance; hermitian?: boolean };

/**
 * The number of singular values (with `hermitian`, of magnitudes of eigenvalues) above max(atol, rtol * the largest), for
 * each matrix; the tolerances as in {@link pinv}. `tol` is the older name of `atol`. Not differentiable.
 * @throws RuntimeError for tensors that are no matrices; LinAlgError for infinities and NaN.
 */
export const matrix_rank: (
  A: Tensor,
  tol?: Tolerance | RankOptions,
  hermitian?: boolean | RankOptions,
  options?: RankOptions,
) => Tensor = op(
  'linalg.matrix_rank',
  'Tensor A, any tol=None, bool hermitian=False, *, any atol=None, any rtol=None, Tensor? out=None',
  (A: Tensor, tol: Tolerance, hermitian: boolean, atol: Tolerance, rtol: Tolerance) => {
    if (A.shape.length < 2)
      throw new RuntimeError(
        'torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.',
      );
    if (!hasDecomposition(A))
      throw new RuntimeError("This function doesn't handle types other than float and double");
    const plain = bare(A);
    if (hermitian) checkSquare(A, 'linalg.eigh');
    if (A._numel === 0) return sum(zeros([...batchOf(A), 0]), -1).long();
    const S = hermitian ? abs(decomposeHermitian(plain, 'L', false)[0]) : singularValues(plain);
    const bound =
      tol === null ? boundOf(A, S, atol, rtol, 'matrix_rank') : boundOf(A, S, tol, 0, 'matrix_rank');
    return sum(gt(S, bound), -1);
  },
  { self: null },
);

// ---------------------------------------------------------------------------------------
// Condition

function checkNorm(p: MatrixOrder | null): void {
  checkOrder(p, 'linalg_cond');
  const known = typeof p === 'number' ? [1, 2, Number.POSITIVE_INFINITY].includes(Math.abs(p)) : true;
  if (!known || (typeof p === 'string' && p !== 'fro' && p !== 'nuc'))
    throw new RuntimeError(
      `linalg.cond got an invalid norm type: ${typeof p === 'number' ? orderText(p) : p}`,
    );
}

/** `norm(A) * norm(inverse of A)`, infinite for singular matrices. */
function conditionByInverse(A: Tensor, p: MatrixOrder): Tensor {
  checkSquare(A, `linalg.cond(ord=${typeof p === 'number' ? orderText(p) : p})`);
  if (p === 'nuc') {
    const S = singularValues(A);
    return mul(sum(S, -1), sum(reciprocal(S), -1));
  }
  const { X, info } = inverseOf(A, null);
  const product = mul(matrixNorm(A, p, [-2, -1], false, null), matrixNorm(X, p, [-2, -1], false, null));
  return masked_fill(product, gt(info, 0), Number.POSITIVE_INFINITY);
}

/**
 * The condition number of matrices in a matrix norm: the ratio of the largest to the smallest singular value for the order
 * 2 (the default; -2: the inverse ratio), otherwise `norm(A) * norm(A^-1)`, infinite for singular matrices; 0 for empty
 * ones. @throws RuntimeError for other orders, and for orders but 2 and -2 unless the matrices are square.
 */
export const cond: (
  A: Tensor,
  p?: MatrixOrder | null | (Out & { p?: MatrixOrder | null }),
  options?: Out,
) => Tensor = op(
  'linalg.cond',
  'Tensor A, any p=None, *, Tensor? out=None',
  (A: Tensor, p: MatrixOrder | null) => {
    if (A.shape.length < 2)
      throw new RuntimeError('linalg.cond: The input tensor must have at least 2 dimensions.');
    checkNorm(p);
    if (A._numel === 0) return zeros([...batchOf(A)], { dtype: A.dtype.to_real(), device: A.device });
    if (p !== null && p !== 2 && p !== -2) return conditionByInverse(A, p);
    const S = singularValues(A);
    const [large, small] = [narrow(S, -1, 0, 1), narrow(S, -1, S.shape[S.shape.length - 1] - 1, 1)];
    return squeeze(p === -2 ? div(small, large) : div(large, small), -1);
  },
  { self: null },
);
