// LU decomposition with partial pivoting, A = P L U, and solving with it.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { int32, int64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { add, neg } from '../ops/arithmetic.js';
import { eye } from '../ops/create.js';
import { type Out, op } from '../ops/define.js';
import { tril, triu } from '../ops/diagonal.js';
import { zeros_ } from '../ops/fill.js';
import { gather, scatter } from '../ops/gather.js';
import { adjoint, bare } from '../ops/gemm.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { expand, slice, unsqueeze } from '../ops/view.js';
import { sameSizes, type Tensor } from '../tensor.js';
import {
  batchOf,
  batchText,
  checkFloating,
  checkKernel,
  checkMatrix,
  checkSameDtype,
  checkSystem,
  columnsOf,
  copyColumns,
  copyRows,
  flipped,
  folded,
  integerAt,
  operand,
  rowsOf,
} from './matrices.js';
import { solveTriangular } from './triangular.js';

/** What the decomposition gives, without history. */
export interface Factors {
  readonly LU: Tensor;
  readonly pivots: Tensor;
  readonly info: Tensor;
  /** The first matrix of the batch whose U has a zero on its diagonal; -1 for none. */
  readonly failed: number;
}

/** Decomposes a copy of A; no history. */
export function factorize(A: Tensor): Factors {
  const k = Math.min(rowsOf(A), columnsOf(A));
  const LU = copyColumns(A);
  const pivots = empty([...batchOf(A), k], int32, A.device);
  const info = empty(batchOf(A), int32, A.device);
  if (LU._numel === 0) {
    info.zero_();
    return { LU, pivots, info, failed: -1 };
  }
  const failed = backendOf(A.device.type).launch(
    'lu_factor',
    folded(LU),
    folded(pivots, 1),
    folded(info, 0),
    true,
  );
  return { LU, pivots, info, failed: failed - 1 };
}

/** Rows of matrices in another order: row i of the result is row permutation[i]. Recorded. */
function permuteRows(x: Tensor, permutation: Tensor): Tensor {
  const batch = broadcastShapes(batchOf(x), permutation.shape.slice(0, -1));
  const shape = [...batch, rowsOf(x), columnsOf(x)];
  return gather(expand(x, shape), -2, expand(unsqueeze(permutation, -1), shape));
}

/** The order of rows that pivots stand for: of P^T A, or with `inverse` of P A. */
function permutationOf(pivots: Tensor, rows: number, inverse: boolean): Tensor {
  const out = empty([...pivots.shape.slice(0, -1), rows], int64, pivots.device);
  if (out._numel === 0) return out;
  const wrong = backendOf(out.device.type).launch(
    'lu_permutation',
    folded(out, 1),
    folded(pivots, 1),
    inverse,
  );
  if (wrong !== 0)
    throw new RuntimeError(
      'pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive.Did you properly pass the result of lu_factor?',
    );
  return out;
}

/** The matrices P of permutations. */
function permutationMatrix(pivots: Tensor, rows: number, like: Tensor): Tensor {
  const permutation = permutationOf(pivots, rows, false);
  return scatter(
    zeros_([...permutation.shape, rows], like.dtype, like.device),
    -2,
    unsqueeze(permutation, -2),
    1,
  );
}

/** L and U of packed factors. Recorded by their ops. */
function triangles(LU: Tensor): [L: Tensor, U: Tensor] {
  const [m, n] = [rowsOf(LU), columnsOf(LU)];
  const k = Math.min(m, n);
  const L = add(tril(slice(LU, -1, 0, k), -1), eye(m, k, { dtype: LU.dtype, device: LU.device }));
  return [L, triu(slice(LU, -2, 0, k))];
}

/** The gradient of A from those of L and U: see S. F. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010). */
function factorGradient(
  gL: Tensor | null,
  gU: Tensor | null,
  L: Tensor,
  U: Tensor,
  pivots: Tensor,
): Tensor | null {
  if (gL === null && gU === null) return null;
  const [m, n] = [rowsOf(L), columnsOf(U)];
  const k = Math.min(m, n);
  const [L1, U1] = [slice(L, -2, 0, k), slice(U, -1, 0, k)];
  const plus = (a: Tensor | null, b: Tensor | null): Tensor | null =>
    a === null ? b : b === null ? a : add(a, b);
  let lower = gL === null ? null : matmul(adjoint(L1), slice(gL, -2, 0, k));
  let upper = gU === null ? null : matmul(slice(gU, -1, 0, k), adjoint(U1));
  if (n > k && gU !== null)
    lower = plus(lower, neg(matmul(slice(gU, -1, k, n), adjoint(slice(U, -1, k, n)))));
  if (m > k && gL !== null)
    upper = plus(upper, neg(matmul(adjoint(slice(L, -2, k, m)), slice(gL, -2, k, m))));
  const inner = plus(lower === null ? null : tril(lower, -1), upper === null ? null : triu(upper)) as Tensor;
  const fromU = solveTriangular(adjoint(U1), inner, { upper: false, left: false });
  let grad = solveTriangular(adjoint(L1), fromU, { upper: true, unit: true });
  if (n > k) {
    const rest = gU === null ? zeros_([...batchOf(U), k, n - k], U.dtype, U.device) : slice(gU, -1, k, n);
    grad = cat([grad, solveTriangular(adjoint(L1), rest, { upper: true, unit: true })], -1);
  } else if (m > k) {
    const rest = gL === null ? zeros_([...batchOf(L), m - k, k], L.dtype, L.device) : slice(gL, -2, k, m);
    grad = cat([grad, solveTriangular(adjoint(U1), rest, { upper: false, left: false })], -2);
  }
  return permuteRows(grad, permutationOf(pivots, m, true));
}

function checkPivoting(pivot: boolean): void {
  if (!pivot) throw new RuntimeError('linalg.lu_factor: LU without pivoting is not implemented on the CPU');
}

function failure(name: string, { info, failed }: Factors): RuntimeError {
  const at = integerAt(info, failed);
  return new RuntimeError(
    `${name}: ${batchText(info, failed)}U[${at},${at}] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)`,
  );
}

/** The packed factors of checked arguments. Recorded. @param name of the function that refuses zeros; null: none. */
export function luFactor(A: Tensor, pivot: boolean, name: string | null): Factors {
  if (A.shape.length < 2)
    throw new RuntimeError(
      `torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: [${A.shape.join(', ')}] instead`,
    );
  checkKernel(A, 'lu_cpu');
  checkPivoting(pivot);
  const factors = factorize(A);
  if (name !== null && factors.failed >= 0) throw failure(name, factors);
  const { LU, pivots } = factors;
  record('LinalgLuFactorExBackward0', [A], [LU], (save) => {
    const saved = save(LU);
    const k = Math.min(rowsOf(A), columnsOf(A));
    return ([g]) => {
      if (g === null) return [null];
      const [L, U] = triangles(saved());
      const [gL, gU] = [tril(slice(g, -1, 0, k), -1), triu(slice(g, -2, 0, k))];
      return [factorGradient(gL, gU, L, U, pivots)];
    };
  });
  return factors;
}

type LU = NamedTuple<'LU' | 'pivots'>;
type LUInfo = NamedTuple<'LU' | 'pivots' | 'info'>;
const factorTuple = namedTuple('linalg_lu_factor', 'LU', 'pivots');
const factorExTuple = namedTuple('linalg_lu_factor_ex', 'LU', 'pivots', 'info');

interface FactorOptions {
  pivot?: boolean;
  out?: readonly Tensor[];
}

/**
 * The LU decomposition of A [*, m, n] in compact form: L below the diagonal of LU (its own diagonal is ones), U above,
 * and LAPACK's pivots (int32, from 1). Differentiable.
 * @throws RuntimeError when U has a zero on its diagonal.
 */
export const lu_factor: (A: Tensor, options?: FactorOptions) => LU = op(
  'linalg.lu_factor',
  'Tensor A, *, bool pivot=True, Tensor[]? out=None',
  (A: Tensor, pivot: boolean) => {
    const { LU, pivots } = luFactor(A, pivot, 'torch.linalg.lu_factor');
    return factorTuple(LU, pivots);
  },
  { self: null, exactOut: 'dtype' },
);

/** As {@link lu_factor}, where `info` tells the first zero on the diagonal of U (from 1; 0 for none). */
export const lu_factor_ex: (A: Tensor, options?: FactorOptions & { check_errors?: boolean }) => LUInfo = op(
  'linalg.lu_factor_ex',
  'Tensor A, *, bool pivot=True, bool check_errors=False, Tensor[]? out=None',
  (A: Tensor, pivot: boolean, check: boolean) => {
    const { LU, pivots, info } = luFactor(A, pivot, check ? 'torch.linalg.lu_factor_ex' : null);
    return factorExTuple(LU, pivots, info);
  },
  { self: null, exactOut: 'dtype' },
);

type PLU = NamedTuple<'P' | 'L' | 'U'>;
const luTuple = namedTuple('linalg_lu', 'P', 'L', 'U');

/** The LU decomposition A = P L U of A [*, m, n]: a permutation matrix, unit lower and upper triangular matrices. Differentiable. */
export const lu: (A: Tensor, options?: FactorOptions) => PLU = op(
  'linalg.lu',
  'Tensor A, *, bool pivot=True, Tensor[]? out=None',
  (A: Tensor, pivot: boolean) => {
    if (A.shape.length < 2)
      throw new RuntimeError(
        `linalg.lu: Expected tensor with 2 or more dimensions. Got size: [${A.shape.join(', ')}] instead`,
      );
    checkKernel(A, 'lu_cpu');
    checkPivoting(pivot);
    const { LU, pivots } = factorize(A);
    const [L, U] = triangles(LU);
    record('LinalgLuBackward0', [A], [L, U], (save) => {
      const [l, u] = [save(L), save(U)];
      return ([gL, gU]) => [factorGradient(gL, gU, l(), u(), pivots)];
    });
    return luTuple(permutationMatrix(pivots, rowsOf(A), A), L, U);
  },
  { self: null, exactOut: 'dtype' },
);

/** P, L and U of packed factors; what is not asked for is empty. Recorded. */
export function unpack(LU: Tensor, pivots: Tensor, data: boolean, pivoted: boolean): Tensor[] {
  checkMatrix(LU, 'torch.lu_unpack', 'LU_data');
  if (pivoted && pivots.dtype !== int32)
    throw new RuntimeError(
      'torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function is intended to be used with the output produced by torch.linalg.lu_factor',
    );
  const expected = [...batchOf(LU), Math.min(rowsOf(LU), columnsOf(LU))];
  if (pivoted && !sameSizes(pivots.shape, expected))
    throw new RuntimeError(
      `torch.lu_unpack: Expected LU_pivots of shape [${expected.join(', ')}], but got [${pivots.shape.join(', ')}]`,
    );
  const nothing = (): Tensor => empty([0], LU.dtype, LU.device);
  const [L, U] = data ? triangles(bare(LU)) : [nothing(), nothing()];
  if (data)
    record('LuUnpackBackward0', [LU], [L, U], () => ([gL, gU]) => {
      if (gL === null && gU === null) return [null];
      const [m, n] = [rowsOf(LU), columnsOf(LU)];
      const k = Math.min(m, n);
      const like = (gL ?? gU) as Tensor;
      const padding = (rows: number, columns: number): Tensor =>
        zeros_([...batchOf(LU), rows, columns], like.dtype, like.device);
      const lower = gL === null ? null : cat([tril(gL, -1), padding(m, n - k)], -1);
      const upper = gU === null ? null : cat([triu(gU), padding(m - k, n)], -2);
      return [lower === null ? upper : upper === null ? lower : add(lower, upper)];
    });
  return [pivoted ? permutationMatrix(pivots, rowsOf(LU), LU) : nothing(), L, U];
}

// ---------------------------------------------------------------------------------------
// Solving

/** Solves with packed factors: op(A) @ X = B, or X @ op(A) = B. No history; dtypes and shapes were checked. */
export function solveFactored(
  LU: Tensor,
  pivots: Tensor,
  B: Tensor,
  left: boolean,
  adjointed: boolean,
): Tensor {
  const batch = broadcastShapes(batchOf(LU), batchOf(B));
  const shape = [...batch, rowsOf(B), columnsOf(B)];
  const X = left ? copyColumns(B, shape) : copyRows(B, shape);
  if (X._numel === 0) return X;
  const x = folded(X);
  const p = folded(expand(pivots, [...batch, pivots.shape[pivots.shape.length - 1]]), 1);
  const wrong = backendOf(X.device.type).launch(
    'lu_solve',
    left ? x : flipped(x),
    operand(LU, batch),
    p,
    left === adjointed,
    adjointed,
  );
  if (wrong !== 0)
    throw new RuntimeError(
      `Pivots given to lu_solve must all be ${wrong === 1 ? 'greater or equal to 1' : 'smaller or equal to LU.size(-2)'}. Did you properly pass the result of lu_factor?`,
    );
  return X;
}

/** The gradient of the packed factors: X solves `op(P L U) @ X = B`, gX is its gradient. */
function factorsGradient(LU: Tensor, pivots: Tensor, X: Tensor, gX: Tensor, adjointed: boolean): Tensor {
  const [L, U] = triangles(LU);
  if (!adjointed) {
    const gY = solveTriangular(adjoint(U), gX, { upper: false });
    const gZ = solveTriangular(adjoint(L), gY, { upper: true, unit: true });
    const gU = triu(matmul(gY, adjoint(X)));
    const gL = tril(matmul(gZ, adjoint(matmul(U, X))), -1);
    return neg(add(gU, gL));
  }
  const forwards = permutationOf(pivots, rowsOf(LU), false);
  const [W, gW] = [permuteRows(X, forwards), permuteRows(gX, forwards)];
  const gZ = solveTriangular(L, gW, { upper: false, unit: true });
  const gT = solveTriangular(U, gZ, { upper: true });
  const gL = tril(matmul(W, adjoint(gZ)), -1);
  const gU = triu(matmul(matmul(adjoint(L), W), adjoint(gT)));
  return neg(add(gL, gU));
}

/** The solution of checked arguments. Recorded. */
export function luSolve(LU: Tensor, pivots: Tensor, B: Tensor, left: boolean, adjointed: boolean): Tensor {
  const X = solveFactored(LU, pivots, B, left, adjointed);
  record('LinalgLuSolveBackward0', [LU, B], [X], (save) => {
    const [lu, x] = [save(LU), save(X)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      const gB = needs(1) ? luSolve(lu(), pivots, g, left, !adjointed) : null;
      if (!needs(0)) return [null, gB];
      // X @ A = B is A^H @ X^H = B^H.
      const gLU = left
        ? factorsGradient(lu(), pivots, x(), g, adjointed)
        : factorsGradient(lu(), pivots, adjoint(x()), adjoint(g), !adjointed);
      return [gLU, gB];
    };
  });
  return X;
}

/** Checks the arguments of lu_solve. */
export function checkFactored(LU: Tensor, pivots: Tensor, B: Tensor, left: boolean): void {
  checkFloating(LU, 'torch.linalg.lu_solve', true);
  checkSameDtype(LU, B, 'linalg.lu_solve', 'LU', 'B');
  if (pivots.dtype !== int32)
    throw new RuntimeError('linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32');
  checkSystem(LU, B, left, 'linalg.lu_solve', 'torch.linalg.lu_solve');
  const count = pivots.shape[pivots.shape.length - 1];
  if (count !== columnsOf(LU))
    throw new RuntimeError(
      'linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix',
    );
  const expected = LU.shape.slice(0, -1);
  if (expected.length !== pivots.shape.length || expected.some((n, d) => n !== pivots.shape[d]))
    throw new RuntimeError(
      `linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape [${pivots.shape.join(', ')}] instead`,
    );
  checkKernel(LU, 'linalg.lu_solve_cpu');
}

/**
 * The solution of `A @ X = B` (with `left: false` of `X @ A = B`, with `adjoint` of `A^H @ X = B`) by the factors that
 * {@link lu_factor} gave: LU [*, n, n], pivots [*, n], B [*, n, k], whose batches broadcast. Differentiable.
 */
export const lu_solve: (
  LU: Tensor,
  pivots: Tensor,
  B: Tensor,
  options?: Out & { left?: boolean; adjoint?: boolean },
) => Tensor = op(
  'linalg.lu_solve',
  'Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False, Tensor? out=None',
  (LU: Tensor, pivots: Tensor, B: Tensor, left: boolean, adjointed: boolean) => {
    checkFactored(LU, pivots, B, left);
    return luSolve(LU, pivots, B, left, adjointed);
  },
  { self: null, exactOut: 'dtype' },
);
