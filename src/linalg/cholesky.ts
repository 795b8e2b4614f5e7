// Cholesky decomposition of positive definite matrices, A = L L^H, and solving with it.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { int32 } from '../dtype.js';
import { LinAlgError, RuntimeError } from '../errors.js';
import { add, mul, neg } from '../ops/arithmetic.js';
import { type Out, op } from '../ops/define.js';
import { tril } from '../ops/diagonal.js';
import { adjoint, bare } from '../ops/gemm.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import type { Tensor } from '../tensor.js';
import {
  batchOf,
  batchText,
  checkFloating,
  checkKernel,
  checkLegacySystem,
  checkSquare,
  columnsOf,
  copyColumns,
  emptyColumns,
  flipped,
  folded,
  integerAt,
  rowsOf,
} from './matrices.js';
import { solveInto, solveTriangular } from './triangular.js';

interface Root {
  readonly L: Tensor;
  readonly info: Tensor;
  readonly failed: number;
}

/** Decomposes a copy of A, of which one triangle is read; the other becomes zero. Recorded. */
function decompose(A: Tensor, upper: boolean, node: string): Root {
  const L = copyColumns(A);
  const info = empty(batchOf(A), int32, A.device);
  let failed = -1;
  if (L._numel === 0) info.zero_();
  else {
    // The upper factor is the lower one of the transposed matrix, transposed.
    const folds = folded(L);
    const matrices = upper ? flipped(folds) : folds;
    failed = backendOf(A.device.type).launch('cholesky', matrices, folded(info, 0)) - 1;
  }
  record(node, [A], [L], (save) => {
    const root = save(L);
    return ([g]) => [g === null ? null : rootGradient(root(), g, upper)];
  });
  return { L, info, failed };
}

/** The gradient of A, Hermitian: see I. Murray, "Differentiation of the Cholesky decomposition" (2016). */
function rootGradient(root: Tensor, grad: Tensor, upper: boolean): Tensor {
  const [L, g] = upper ? [adjoint(root), adjoint(grad)] : [root, grad];
  const product = tril(matmul(adjoint(L), g));
  const symmetric = mul(add(product, adjoint(tril(product, -1))), 0.5);
  const half = solveTriangular(L, symmetric, { upper: false, left: false });
  return solveTriangular(adjoint(L), half, { upper: true });
}

function checkDefinite({ info, failed }: Root, name: string): void {
  if (failed >= 0)
    throw new LinAlgError(
      `${name}: ${batchText(info, failed)}The factorization could not be completed because the input is not positive-definite (the leading minor of order ${integerAt(info, failed)} is not positive-definite).`,
    );
}

function choleskyOf(A: Tensor, upper: boolean, name: string | null): Root {
  checkFloating(A, 'linalg.cholesky', true);
  checkSquare(A, 'linalg.cholesky');
  checkKernel(A, 'cholesky_cpu');
  const root = decompose(A, upper, 'LinalgCholeskyExBackward0');
  if (name !== null) checkDefinite(root, name);
  return root;
}

/**
 * The Cholesky factor of Hermitian positive definite matrices A [*, n, n]: lower triangular L with `A = L @ L^H`, or
 * with `upper` U with `A = U^H @ U`. One triangle of A is read. Differentiable.
 *
 *     torch.linalg.cholesky(torch.tensor([[4, 2], [2, 5]]))
 *     // tensor([[2., 0.],
 *     //         [1., 2.]])
 *
 * @throws LinAlgError when a matrix is not positive definite.
 */
export const cholesky: (A: Tensor, options?: Out & { upper?: boolean }) => Tensor = op(
  'linalg.cholesky',
  'Tensor A, *, bool upper=False, Tensor? out=None',
  (A: Tensor, upper: boolean) => choleskyOf(A, upper, 'linalg.cholesky').L,
  { self: null, exactOut: 'dtype' },
);

const choleskyTuple = namedTuple('linalg_cholesky_ex', 'L', 'info');

/** As {@link cholesky}, where `info` is the order of the first minor that is not positive definite; 0 for none. */
export const cholesky_ex: (
  A: Tensor,
  options?: { upper?: boolean; check_errors?: boolean; out?: readonly Tensor[] },
) => NamedTuple<'L' | 'info'> = op(
  'linalg.cholesky_ex',
  'Tensor A, *, bool upper=False, bool check_errors=False, Tensor[]? out=None',
  (A: Tensor, upper: boolean, check: boolean) => {
    const { L, info } = choleskyOf(A, upper, check ? 'linalg.cholesky_ex' : null);
    return choleskyTuple(L, info);
  },
  { self: null, exactOut: 'dtype' },
);

/** @internal `torch.cholesky`. */
export function legacyCholesky(A: Tensor, upper: boolean): Tensor {
  checkSquare(A, 'cholesky');
  checkKernel(A, 'cholesky_cpu');
  const root = decompose(A, upper, 'CholeskyBackward0');
  checkDefinite(root, 'cholesky');
  return root.L;
}

/** @internal `torch.cholesky_inverse`. Recorded. */
export function choleskyInverse(L: Tensor, upper: boolean): Tensor {
  checkSquare(L, 'cholesky_inverse');
  checkKernel(L, 'cholesky_inverse_out_cpu');
  const X = emptyColumns(L.shape, L);
  if (X._numel > 0) {
    const [x, l] = [folded(X), folded(bare(L))];
    const failed = backendOf(L.device.type).launch('cholesky_inverse', x, l, upper);
    if (failed > 0) {
      const n = columnsOf(L);
      const batch = L.shape.length > 2 ? `(Batch element ${Math.floor((failed - 1) / n)}): ` : '';
      throw new LinAlgError(
        `cholesky_inverse: ${batch}The diagonal element ${((failed - 1) % n) + 1} is zero, the inversion could not be completed because the input matrix is singular.`,
      );
    }
  }
  record('CholeskyInverseBackward0', [L], [X], (save) => {
    const [l, inverse] = [save(L), save(X)];
    return ([g]) => {
      if (g === null) return [null];
      const common = matmul(inverse(), matmul(add(g, adjoint(g)), inverse()));
      return [neg(upper ? matmul(l(), common) : matmul(common, l()))];
    };
  });
  return X;
}

/** @internal `torch.cholesky_solve`: X with `L @ L^H @ X = B` (with upper, `L^H @ L @ X = B`). Recorded. */
export function choleskySolve(B: Tensor, L: Tensor, upper: boolean): Tensor {
  if (B.shape.length < 2)
    throw new RuntimeError(
      `b should have at least 2 dimensions, but has ${B.shape.length} dimensions instead`,
    );
  if (L.shape.length < 2)
    throw new RuntimeError(
      `u should have at least 2 dimensions, but has ${L.shape.length} dimensions instead`,
    );
  checkLegacySystem(B, L, 'cholesky_solve');
  checkKernel(B, 'cholesky_solve_cpu');
  const batch = broadcastShapes(batchOf(B), batchOf(L));
  const X = copyColumns(B, [...batch, rowsOf(B), columnsOf(B)]);
  const flat = bare(L).transpose(-2, -1);
  // L^H is the conjugate of the transposed matrix.
  if (upper) {
    solveInto(X, flat, { upper: false, conjugated: true });
    solveInto(X, bare(L), { upper: true });
  } else {
    solveInto(X, bare(L), { upper: false });
    solveInto(X, flat, { upper: true, conjugated: true });
  }
  record('CholeskySolveBackward0', [B, L], [X], (save) => {
    const [l, x] = [save(L), save(X)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      const gB = choleskySolve(g, l(), upper);
      if (!needs(1)) return [gB, null];
      const product = matmul(gB, adjoint(x()));
      const common = add(product, adjoint(product));
      return [gB, neg(upper ? matmul(l(), common) : matmul(common, l()))];
    };
  });
  return X;
}
