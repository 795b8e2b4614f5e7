// Systems with triangular matrices.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { RuntimeError } from '../errors.js';
import { add, neg } from '../ops/arithmetic.js';
import { conj } from '../ops/complex.js';
import { type Out, op } from '../ops/define.js';
import { tril, triu } from '../ops/diagonal.js';
import { adjoint } from '../ops/gemm.js';
import { matmul } from '../ops/matmul.js';
import { transpose } from '../ops/view.js';
import type { Tensor } from '../tensor.js';
import {
  batchOf,
  checkKernel,
  checkLegacySystem,
  checkSameDtype,
  checkSystem,
  columnsOf,
  copyColumns,
  flipped,
  folded,
  operand,
  rowsOf,
} from './matrices.js';

/** Which triangle of A counts, and how. */
export interface TriangleForm {
  readonly upper: boolean;
  /** A @ X = B; otherwise X @ A = B. */
  readonly left?: boolean;
  /** The diagonal counts as ones. */
  readonly unit?: boolean;
  /** The conjugate of A counts. */
  readonly conjugated?: boolean;
}

/** Solves in place for right-hand sides without gaps, the batch of A broadcast to that of X; no history. */
export function solveInto(X: Tensor, A: Tensor, form: TriangleForm): Tensor {
  const { upper, left = true, unit = false, conjugated = false } = form;
  if (X._numel === 0) return X;
  const [x, a] = [folded(X), operand(A, batchOf(X))];
  // From the right it is the transposed equation.
  const args = left ? ([x, a, upper] as const) : ([flipped(x), flipped(a), !upper] as const);
  backendOf(X.device.type).launch('solve_triangular', ...args, unit, conjugated);
  return X;
}

/** The triangle that a gradient of A has, too. */
export const triangleOf = (x: Tensor, { upper, unit = false }: TriangleForm): Tensor =>
  upper ? triu(x, unit ? 1 : 0) : tril(x, unit ? -1 : 0);

/** The solution of checked arguments. Recorded. */
export function solveTriangular(A: Tensor, B: Tensor, form: TriangleForm): Tensor {
  const { left = true } = form;
  const batch = broadcastShapes(batchOf(A), batchOf(B));
  const X = solveInto(copyColumns(B, [...batch, rowsOf(B), columnsOf(B)]), A, form);
  record('LinalgSolveTriangularBackward0', [A, B], [X], (save) => {
    const [a, x] = [save(A), save(X)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      const gB = solveTriangular(adjoint(a()), g, { ...form, upper: !form.upper });
      if (!needs(0)) return [null, gB];
      const product = left ? matmul(gB, adjoint(x())) : matmul(adjoint(x()), gB);
      return [triangleOf(neg(product), form), gB];
    };
  });
  return X;
}

/**
 * The solution X of `A @ X = B` (or `X @ A = B`) for triangular matrices: A [*, n, n], B [*, n, k] (or [*, k, n]), whose
 * batches broadcast. The other triangle of A is not read; with `unitriangular`, nor is its diagonal.
 * @throws RuntimeError when shapes or dtypes do not fit.
 */
export const solve_triangular: (
  A: Tensor,
  B: Tensor,
  options: Out & { upper: boolean; left?: boolean; unitriangular?: boolean },
) => Tensor = op(
  'linalg.solve_triangular',
  'Tensor A, Tensor B, *, bool upper, bool left=True, bool unitriangular=False, Tensor? out=None',
  (A: Tensor, B: Tensor, upper: boolean, left: boolean, unit: boolean) => {
    checkSystem(A, B, left, 'linalg.solve_triangular');
    checkSameDtype(A, B, 'linalg.solve_triangular');
    checkKernel(A, 'triangular_solve_cpu');
    return solveTriangular(A, B, { upper, left, unit });
  },
  { self: null, exactOut: 'dtype' },
);

/** @internal `torch.triangular_solve`: the solution of `A @ X = b` or `A^T @ X = b`, and a copy of A. Recorded. */
export function triangularSolve(
  b: Tensor,
  A: Tensor,
  upper: boolean,
  transposed: boolean,
  unit: boolean,
): [solution: Tensor, coefficient: Tensor] {
  for (const [name, x] of [['b', b] as const, ['A', A] as const])
    if (x.shape.length < 2)
      throw new RuntimeError(
        `torch.triangular_solve: Expected ${name} to have at least 2 dimensions, but it has ${x.shape.length} dimensions instead`,
      );
  checkLegacySystem(b, A, 'triangular_solve');
  checkKernel(b, 'triangular_solve_cpu');
  const batch = broadcastShapes(batchOf(b), batchOf(A));
  const copy = copyColumns(A, [...batch, rowsOf(A), columnsOf(A)]);
  const X = copyColumns(b, [...batch, rowsOf(b), columnsOf(b)]);
  const form = { upper: transposed ? !upper : upper, unit };
  solveInto(X, transposed ? transpose(copy, -2, -1) : copy, form);
  record('TriangularSolveBackward0', [b, A], [X, copy], (save) => {
    const [a, x] = [save(A), save(X)];
    return ([gX, gCopy], needs) => {
      if (gX === null) return [null, gCopy];
      const gb = triangularSolve(gX, conj(a()), upper, !transposed, unit)[0];
      if (!needs(1)) return [gb, null];
      const product = transposed ? matmul(conj(x()), transpose(gb, -2, -1)) : matmul(gb, adjoint(x()));
      const gA = triangleOf(neg(product), { upper, unit });
      return [gb, gCopy === null ? gA : add(gA, gCopy)];
    };
  });
  return [X, copy];
}
