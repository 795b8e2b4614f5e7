// Least squares.

import { record } from '../autograd/graph.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { complex64, complex128, float32, float64, int64 } from '../dtype.js';
import { LinAlgError, RuntimeError } from '../errors.js';
import { abs, add, div, mul, reciprocal, sub } from '../ops/arithmetic.js';
import { choose, masked_fill } from '../ops/clamp.js';
import { eq, gt, lt, maximum } from '../ops/compare.js';
import { eye, full, zeros } from '../ops/create.js';
import { op } from '../ops/define.js';
import { diagonal, triu } from '../ops/diagonal.js';
import { adjoint, bare } from '../ops/gemm.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { vectorNorm } from '../ops/norms.js';
import { sum } from '../ops/reduce.js';
import { all, amax } from '../ops/reduce_extreme.js';
import { narrow } from '../ops/split.js';
import { expand, squeeze, unsqueeze } from '../ops/view.js';
import { numelOf, type Tensor } from '../tensor.js';
import { batchOf, columnsOf, copyColumns, rowsOf } from './matrices.js';
import { pseudoInverse, pseudoInverseGradient } from './pinv.js';
import { multiplyByQ, reflectorsOf } from './qr.js';
import { decomposeSVD } from './svd.js';
import { solveInto } from './triangular.js';

/** LAPACK's drivers: for matrices of full rank, or by a decomposition that reveals the rank. */
export type LstsqDriver = 'gels' | 'gelsy' | 'gelsd' | 'gelss';
export type LstsqResult = NamedTuple<'solution' | 'residuals' | 'rank' | 'singular_values'>;

const name = 'torch.linalg.lstsq';
const lstsqTuple = namedTuple('linalg_lstsq', 'solution', 'residuals', 'rank', 'singular_values');

/** What a driver finds: rank and singular values as far as it computes them. */
interface Found {
  readonly X: Tensor;
  readonly rank: Tensor | null;
  readonly S: Tensor | null;
}

/** X with `rows` rows: those of x, then zeros. Columns in memory. */
function paddedRows(x: Tensor, rows: number): Tensor {
  const out = copyColumns(zeros([...batchOf(x), rows, columnsOf(x)], { dtype: x.dtype, device: x.device }));
  narrow(out, -2, 0, rowsOf(x)).copy_(x);
  return out;
}

function checkFullRank(R: Tensor): void {
  const holes = eq(diagonal(R, 0, -2, -1), 0);
  const found = holes.nonzero();
  if (found.shape[0] === 0) return;
  const [first] = found.tolist() as number[][];
  const place = Number(first[first.length - 1]) + 1;
  const batch = batchOf(R);
  const index = batch.reduce((at, size, d) => at * size + Number(first[d]), 0);
  const where = batch.length === 0 ? '' : `(Batch element ${index}): `;
  throw new LinAlgError(
    `${name}: ${where}The least squares solution could not be computed because the input matrix does not have full rank (error code: ${place}).`,
  );
}

/** The QR decomposition of A, or of its adjoint when that is the taller. */
interface Factors {
  readonly a: Tensor;
  readonly tau: Tensor;
  readonly R: Tensor;
}

function factorize(A: Tensor): Factors {
  const [a, tau] = reflectorsOf(rowsOf(A) >= columnsOf(A) ? A : adjoint(A));
  return { a, tau, R: narrow(a, -2, 0, columnsOf(a)) };
}

/** By QR of the matrix (or of its adjoint: the solution of least norm), which must have full rank. */
function solveByQR(A: Tensor, B: Tensor, { a, tau, R }: Factors): Tensor {
  const [m, n] = [rowsOf(A), columnsOf(A)];
  if (m >= n) {
    const X = copyColumns(narrow(multiplyByQ(copyColumns(B), a, tau, true, true), -2, 0, n));
    return solveInto(X, R, { upper: true });
  }
  const y = solveInto(copyColumns(B), adjoint(triu(R)), { upper: false });
  return multiplyByQ(paddedRows(y, n), a, tau, true, false);
}

/** About the largest singular value, from below: the largest column, or what a few steps of the power method find. */
function spectralEstimate(R: Tensor): Tensor {
  const Rh = adjoint(R);
  let x = R.new_ones([...batchOf(R), columnsOf(R), 1]);
  let size = amax(vectorNorm(R, 2, [-2], false, null), -1);
  for (let step = 0; step < 4; step++) {
    x = div(x, vectorNorm(x, 2, [-2], true, null));
    const y = matmul(R, x);
    size = maximum(size, vectorNorm(y, 2, [-2, -1], false, null));
    x = matmul(Rh, y);
  }
  return size;
}

/** Whether twice the norm of R (estimated) times that of its inverse is so small that every singular value counts. */
function clearlyFullRank(triangle: Tensor, rcond: number): boolean {
  const R = triu(triangle);
  const identity = eye(columnsOf(R), { dtype: R.dtype, device: R.device });
  const inverse = solveInto(copyColumns(expand(identity, R.shape)), R, { upper: true });
  const condition = mul(spectralEstimate(R), vectorNorm(inverse, 2, [-2, -1], false, null));
  return Boolean(all(lt(mul(condition, 2 * rcond), 1)).item());
}

/** What counts as zero beside the largest singular value: LAPACK's drivers differ in what they do with odd values. */
function relativeBound(rcond: number, driver: LstsqDriver, eps: number): number {
  if (driver === 'gelsd') return rcond <= 0 || rcond >= 1 ? eps : rcond;
  return rcond < 0 ? eps : rcond;
}

/** By singular values: the solution of least norm, those below rcond times the largest counting as zero. */
function solveBySVD(A: Tensor, B: Tensor, bound: number, driver: LstsqDriver): Found {
  const { U, S, Vh } = decomposeSVD(A, false);
  const largest = narrow(S, -1, 0, 1);
  const clear = gt(S, mul(largest, bound));
  // With column pivoting, the first pivot counts whatever the bound.
  const rest = narrow(clear, -1, 1, S.shape[S.shape.length - 1] - 1);
  const counts = driver === 'gelsy' ? cat([gt(largest, 0), rest], -1) : clear;
  const inverse = unsqueeze(choose(counts, reciprocal(masked_fill(S, counts.logical_not(), 1)), 0), -1);
  const X = matmul(adjoint(Vh as Tensor), mul(inverse, matmul(adjoint(U as Tensor), B)));
  return { X: copyColumns(X), rank: sum(counts, -1), S };
}

/** `|A X - B|^2` per column; nothing (an empty tensor) where PyTorch has none. */
function residualsOf(A: Tensor, B: Tensor, X: Tensor, rank: Tensor | null, driver: LstsqDriver): Tensor {
  const [m, n] = [rowsOf(A), columnsOf(A)];
  const wanted = m > n && driver !== 'gelsy' && (rank === null || Boolean(all(eq(rank, n)).item()));
  if (!wanted) return empty([0], A.dtype.to_real(), A.device);
  const distance = abs(sub(matmul(A, X), B));
  return sum(mul(distance, distance), -2);
}

function checkDims(A: Tensor, B: Tensor): void {
  if (A.shape.length < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
  if (B.shape.length < 1) throw new RuntimeError(`${name}: other must have at least 1 dimension.`);
  if (A.dtype !== B.dtype)
    throw new RuntimeError(
      `${name}: Expected input and other to have the same dtype, but got input's dtype ${A.dtype.scalarName} and other's dtype ${B.dtype.scalarName}`,
    );
  if (![float32, float64, complex64, complex128].includes(A.dtype))
    throw new RuntimeError("This function doesn't handle types other than float and double");
  const difference = A.shape.length - B.shape.length;
  if (difference < 0 || difference > 1)
    throw new RuntimeError(
      `${name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1`,
    );
}

function checkDriver(driver: string | null): asserts driver is LstsqDriver | null {
  if (driver !== null && !['gels', 'gelsy', 'gelsd', 'gelss'].includes(driver))
    throw new RuntimeError(`${name}: parameter \`driver\` should be one of (gels, gelsy, gelsd, gelss)`);
}

/** Gradients of A and B by those of the solution and of the residuals; B and X are matrices. */
function lstsqGradients(
  gX: Tensor | null,
  gL: Tensor | null,
  A: Tensor,
  B: Tensor,
  X: Tensor,
): [gA: Tensor | null, gB: Tensor | null] {
  let [gA, gB]: (Tensor | null)[] = [null, null];
  if (gX !== null) {
    const inverse = pseudoInverse(A);
    gA = pseudoInverseGradient(matmul(gX, adjoint(B)), inverse, A);
    gB = matmul(adjoint(inverse), gX);
  }
  if (gL !== null && gL._numel > 0) {
    const weighted = mul(mul(sub(matmul(A, X), B), unsqueeze(gL, -2)), 2);
    const ofA = matmul(weighted, adjoint(X));
    gA = gA === null ? ofA : add(gA, ofA);
    gB = gB === null ? weighted.neg() : sub(gB, weighted);
  }
  return [gA, gB];
}

/** The system of a call, with B as matrices, and its solution; no history. */
function solveSystem(A: Tensor, B: Tensor, rcond: number, driver: LstsqDriver): Found {
  const batch = broadcastShapes(batchOf(A), batchOf(B));
  const [m, n] = [rowsOf(A), columnsOf(A)];
  if (numelOf(batch) === 0 || m === 0 || n === 0 || columnsOf(B) === 0) {
    const X = zeros([...batch, n, columnsOf(B)], { dtype: A.dtype, device: A.device });
    const rank = driver === 'gels' ? null : zeros([...batchOf(A)], { dtype: int64, device: A.device });
    const S = zeros([...batchOf(A), Math.min(m, n)], { dtype: A.dtype.to_real(), device: A.device });
    return { X, rank, S };
  }
  const eps = A.dtype.to_real() === float32 ? 2 ** -23 : 2 ** -52;
  const bound = relativeBound(rcond, driver, eps);
  if (driver !== 'gelsd' && driver !== 'gelss') {
    const factors = factorize(A);
    if (driver === 'gels') checkFullRank(factors.R);
    if (driver === 'gels' || clearlyFullRank(factors.R, Math.max(bound, eps))) {
      const sides = copyColumns(B, [...batch, m, columnsOf(B)]);
      const same = numelOf(batch) === numelOf(batchOf(A));
      const X = solveByQR(A, sides, same ? factors : factorize(expand(A, [...batch, m, n])));
      const rank = full([...batchOf(A)], Math.min(m, n), { dtype: int64, device: A.device });
      return { X, rank: driver === 'gels' ? null : rank, S: null };
    }
  }
  return solveBySVD(A, B, bound, driver);
}

/** The whole for checked arguments. Recorded. */
function leastSquares(A: Tensor, B: Tensor, rcond: number | null, driver: LstsqDriver): LstsqResult {
  const vectors = A.shape.length !== B.shape.length;
  const plainB = vectors ? unsqueeze(bare(B), -1) : bare(B);
  broadcastShapes(batchOf(A), batchOf(plainB));
  if (rowsOf(A) !== rowsOf(plainB))
    throw new RuntimeError(`${name}: input.size(-2) should match other.size(${vectors ? -1 : -2})`);
  const eps = A.dtype.to_real() === float32 ? 2 ** -23 : 2 ** -52;
  const plainA = bare(A);
  const limit = rcond ?? eps * Math.max(rowsOf(A), columnsOf(A));
  const { X, rank, S } = solveSystem(plainA, plainB, limit, driver);
  const residuals = residualsOf(plainA, plainB, X, rank, driver);
  const solution = vectors ? bare(squeeze(X, -1)) : X;
  record('LinalgLstsqBackward0', [A, B], [solution, residuals], (save) => {
    const [a, b, x] = [save(A), save(B), save(solution)];
    return ([gX, gL]) => {
      const wide = (t: Tensor): Tensor => (vectors ? unsqueeze(t, -1) : t);
      const [gA, gB] = lstsqGradients(gX === null ? null : wide(gX), gL, a(), wide(b()), wide(x()));
      return [gA, gB !== null && vectors ? squeeze(gB, -1) : gB];
    };
  });
  const values = S !== null && (driver === 'gelsd' || driver === 'gelss');
  return lstsqTuple(
    solution,
    residuals,
    rank ?? empty([0], int64, A.device),
    values ? S : empty([0], A.dtype.to_real(), A.device),
  );
}

type LstsqOptions = {
  rcond?: number | null;
  driver?: LstsqDriver | null;
  out?: readonly [solution: Tensor, residuals: Tensor, rank: Tensor, singular_values: Tensor];
};

/**
 * X [*, n, k] that makes `|A @ X - B|` least, for A [*, m, n] and B [*, m, k] (or [*, m]). The driver `'gels'` works by QR
 * and needs matrices of full rank; the others find the rank (singular values below `rcond` times the largest count as
 * zero; by default the machine epsilon times max(m, n)) and the solution of least norm: `'gelsy'` by QR where no singular value is
 * near the bound, otherwise all by singular values.
 * The result names the solution, the squared residuals (m > n, full rank, not with `'gelsy'`), the rank (not with
 * `'gels'`) and the singular values (`'gelsd'`, `'gelss'`); the others are empty.
 *
 *     torch.linalg.lstsq(torch.tensor([[1, 0], [0, 2]]), torch.tensor([[1], [4]])).solution
 *     // tensor([[1.],
 *     //         [2.]])
 *
 * @throws RuntimeError when shapes, dtypes or the driver do not fit; LinAlgError when `'gels'` meets a lower rank.
 */
export const lstsq: (
  A: Tensor,
  B: Tensor,
  rcond?: number | null | LstsqOptions,
  options?: LstsqOptions,
) => LstsqResult = op(
  'linalg.lstsq',
  'Tensor A, Tensor B, float? rcond=None, *, str? driver=None, Tensor[]? out=None',
  (A: Tensor, B: Tensor, rcond: number | null, driver: string | null) => {
    checkDims(A, B);
    checkDriver(driver);
    return leastSquares(A, B, rcond, driver ?? 'gelsy');
  },
  { self: null },
);
