// Systems of linear equations with square matrices, and inverses.

import { record } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { LinAlgError, RuntimeError } from '../errors.js';
import { neg } from '../ops/arithmetic.js';
import { eye } from '../ops/create.js';
import { type Out, op } from '../ops/define.js';
import { adjoint, bare } from '../ops/gemm.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { expand, squeeze, unsqueeze } from '../ops/view.js';
import { sameSizes, type Tensor } from '../tensor.js';
import { type Factors, factorize, solveFactored } from './lu.js';
import {
  batchOf,
  batchText,
  checkFloating,
  checkKernel,
  checkSameDtype,
  checkSquare,
  checkSystem,
  columnsOf,
  integerAt,
} from './matrices.js';

/** The solution and the info of the decomposition. */
interface Solution {
  readonly X: Tensor;
  readonly info: Tensor;
  readonly failed: number;
}

/** The product of a column with a row of numbers, for gradients of vectors; otherwise of matrices. */
const outerProduct = (x: Tensor, y: Tensor, vectors: boolean): Tensor =>
  vectors ? matmul(unsqueeze(x, -1), adjoint(unsqueeze(y, -1))) : matmul(x, adjoint(y));

/** Solves `A @ X = B` (or `X @ A = B`) for checked arguments; with `vectors`, B [*, n] are vectors. Recorded. */
function solveChecked(A: Tensor, B: Tensor, left: boolean, vectors: boolean): Solution {
  const factors = factorize(A);
  const { LU, pivots, info, failed } = factors;
  const sides = vectors ? unsqueeze(bare(B), -1) : B;
  const solved = solveFactored(LU, pivots, sides, left, false);
  const X = vectors ? bare(squeeze(solved, -1)) : solved;
  record('LinalgSolveExBackward0', [A, B], [X], (save) => {
    const [a, x] = [save(A), save(X)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      const gB = solveAdjoint(a, factors, g, left, vectors);
      if (!needs(0)) return [null, gB];
      return [neg(left ? outerProduct(gB, x(), vectors) : matmul(adjoint(x()), gB)), gB];
    };
  });
  return { X, info, failed };
}

/** The gradient of B: by the factors at hand, unless it is to be differentiated itself. */
function solveAdjoint(
  A: () => Tensor,
  { LU, pivots }: Factors,
  g: Tensor,
  left: boolean,
  vectors: boolean,
): Tensor {
  if (mode.grad) return solveChecked(adjoint(A()), g, left, vectors).X;
  const solved = solveFactored(LU, pivots, vectors ? unsqueeze(g, -1) : g, left, true);
  return vectors ? squeeze(solved, -1) : solved;
}

/** Checks and solves. @param name of the function that refuses singular matrices; null: none. */
function solveOf(A: Tensor, B: Tensor, left: boolean, name: string | null): Solution {
  checkFloating(A, 'linalg.solve', true);
  checkSquare(A, 'linalg.solve');
  checkSameDtype(A, B, 'linalg.solve');
  const lead = A.shape.slice(0, -1);
  const vectors = B.shape.length === 1 || sameSizes(B.shape, lead);
  const sides = vectors ? unsqueeze(bare(B), -1) : B;
  checkSystem(A, sides, left, 'linalg.solve');
  if (vectors && !left)
    throw new RuntimeError(
      'linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)',
    );
  checkKernel(A, 'lu_cpu');
  const batch = broadcastShapes(batchOf(sides), batchOf(A));
  // One decomposition for each matrix of A, however often it is used.
  const wide = vectors && B.shape.length === 1 ? expand(B, [...batch, B.shape[0]]) : B;
  const solution = solveChecked(A, wide, left, vectors);
  if (name !== null && solution.failed >= 0)
    throw new LinAlgError(
      `${name}: ${batchText(solution.info, solution.failed)}The solver failed because the input matrix is singular.`,
    );
  return solution;
}

type SolveOptions = Out & { left?: boolean };

/**
 * The solution X of `A @ X = B` (with `left: false` of `X @ A = B`): A [*, n, n], B [*, n, k] or vectors [*, n], whose
 * batches broadcast. Differentiable.
 *
 *     torch.linalg.solve(torch.tensor([[2, 0], [0, 4]]), torch.tensor([2, 8]))
 *     // tensor([1., 2.])
 *
 * @throws LinAlgError when a matrix is singular.
 */
export const solve: (A: Tensor, B: Tensor, options?: SolveOptions) => Tensor = op(
  'linalg.solve',
  'Tensor A, Tensor B, *, bool left=True, Tensor? out=None',
  (A: Tensor, B: Tensor, left: boolean) => solveOf(A, B, left, 'torch.linalg.solve').X,
  { self: null, exactOut: 'dtype' },
);

const solveTuple = namedTuple('linalg_solve_ex', 'result', 'info');

/** As {@link solve}, where `info` tells where the decomposition met a zero (from 1; 0 for none). */
export const solve_ex: (
  A: Tensor,
  B: Tensor,
  options?: { left?: boolean; check_errors?: boolean; out?: readonly Tensor[] },
) => NamedTuple<'result' | 'info'> = op(
  'linalg.solve_ex',
  'Tensor A, Tensor B, *, bool left=True, bool check_errors=False, Tensor[]? out=None',
  (A: Tensor, B: Tensor, left: boolean, check: boolean) => {
    const { X, info } = solveOf(A, B, left, check ? 'torch.linalg.solve_ex' : null);
    return solveTuple(X, info);
  },
  { self: null, exactOut: 'dtype' },
);

// ---------------------------------------------------------------------------------------
// Inverses

/** Checks and inverts. Recorded. @param name of the function that refuses singular matrices; null: none. */
export function inverseOf(A: Tensor, name: string | null): Solution {
  checkFloating(A, 'linalg.inv');
  checkSquare(A, 'linalg.inv');
  const { LU, pivots, info, failed } = factorize(A);
  if (name !== null && failed >= 0)
    throw new LinAlgError(
      `${name}: ${batchText(info, failed)}The diagonal element ${integerAt(info, failed)} is zero, the inversion could not be completed because the input matrix is singular.`,
    );
  const X = solveFactored(LU, pivots, eye(columnsOf(A), { dtype: A.dtype, device: A.device }), true, false);
  record('LinalgInvExBackward0', [A], [X], (save) => {
    const inverse = save(X);
    return ([g]) => {
      if (g === null) return [null];
      const x = adjoint(inverse());
      return [neg(matmul(x, matmul(g, x)))];
    };
  });
  return { X, info, failed };
}

/**
 * The inverse of a square matrix, or of each of a batch A [*, n, n]. Differentiable.
 *
 *     torch.linalg.inv(torch.tensor([[2, 0], [0, 4]]))
 *     // tensor([[0.5000, 0.0000],
 *     //         [0.0000, 0.2500]])
 *
 * @throws LinAlgError when a matrix is singular.
 */
export const inv: (A: Tensor, options?: Out) => Tensor = op(
  'linalg.inv',
  'Tensor A, *, Tensor? out=None',
  (A: Tensor) => inverseOf(A, 'linalg.inv').X,
  { self: null, exactOut: 'dtype' },
);

const invTuple = namedTuple('linalg_inv_ex', 'inverse', 'info');

/** As {@link inv}, where `info` tells where the decomposition met a zero (from 1; 0 for none). */
export const inv_ex: (
  A: Tensor,
  options?: { check_errors?: boolean; out?: readonly Tensor[] },
) => NamedTuple<'inverse' | 'info'> = op(
  'linalg.inv_ex',
  'Tensor A, *, bool check_errors=False, Tensor[]? out=None',
  (A: Tensor, check: boolean) => {
    const { X, info } = inverseOf(A, check ? 'linalg.inv_ex' : null);
    return invTuple(X, info);
  },
  { self: null, exactOut: 'dtype' },
);
