// QR decompositions, and products with orthogonal matrices that are given by Householder reflectors.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { RuntimeError } from '../errors.js';
import { add, mul, sub } from '../ops/arithmetic.js';
import { copyInto } from '../ops/copy.js';
import { op } from '../ops/define.js';
import { diag_embed, diagonal, tril, triu } from '../ops/diagonal.js';
import { adjoint, bare } from '../ops/gemm.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { narrow } from '../ops/split.js';
import type { Tensor } from '../tensor.js';
import {
  batchOf,
  checkFloating,
  checkKernel,
  checkMatrix,
  columnsOf,
  copyColumns,
  emptyColumns,
  flipped,
  folded,
  rowsOf,
} from './matrices.js';
import { solveTriangular } from './triangular.js';

/** Which parts of the decomposition: of the smaller size, with a square Q, or R alone. */
export type QRMode = 'reduced' | 'complete' | 'r';
export type QRResult = NamedTuple<'Q' | 'R'>;

const qrTuple = namedTuple('linalg_qr', 'Q', 'R');

/** @internal Reflectors and R of a copy of A, as LAPACK's geqrf leaves them; no history. */
export function reflectorsOf(A: Tensor): [a: Tensor, tau: Tensor] {
  const a = copyColumns(A);
  const tau = empty([...batchOf(A), Math.min(rowsOf(A), columnsOf(A))], A.dtype, A.device);
  if (tau._numel > 0) backendOf(A.device.type).launch('linalg_geqrf', flipped(folded(a)), folded(tau, 1));
  return [a, tau];
}

/** @internal The first `columns` columns of the product of the reflectors in a [*, m, k]; no history. */
export function formQ(a: Tensor, tau: Tensor, columns: number): Tensor {
  const Q = emptyColumns([...batchOf(a), rowsOf(a), columns], a);
  if (Q._numel === 0) return Q;
  const [q, v] = [flipped(folded(Q)), flipped(folded(a))];
  backendOf(a.device.type).launch('linalg_orgqr', q, v, folded(tau, 1));
  return Q;
}

/** @internal C becomes Q C or Q^H C (left), C Q or C Q^H, for the product Q of the reflectors in a; no history. */
export function multiplyByQ(C: Tensor, a: Tensor, tau: Tensor, left: boolean, adjointed: boolean): Tensor {
  if (C._numel > 0 && tau._numel > 0)
    backendOf(C.device.type).launch(
      'linalg_ormqr',
      flipped(folded(C)),
      flipped(folded(a)),
      folded(tau, 1),
      left,
      adjointed,
    );
  return C;
}

/** X with half of its diagonal. */
const halfDiagonal = (x: Tensor): Tensor => sub(x, mul(diag_embed(diagonal(x, 0, -2, -1)), 0.5));

/** The gradient of `Q @ R` for a square Q and no more rows than columns. */
function wideGradient(gQ: Tensor | null, gR: Tensor | null, Q: Tensor, R: Tensor): Tensor {
  const [m, n] = [rowsOf(R), columnsOf(R)];
  const left = gQ === null ? null : matmul(adjoint(Q), gQ);
  const right = gR === null ? null : matmul(gR, adjoint(R));
  const x = left === null ? (right as Tensor).neg() : right === null ? left : sub(left, right);
  const inner = halfDiagonal(tril(sub(x, adjoint(x))));
  const square = solveTriangular(adjoint(narrow(R, -1, 0, m)), matmul(Q, inner), {
    upper: false,
    left: false,
  });
  const padded = n === m ? square : cat([square, square.new_zeros([...batchOf(R), m, n - m])], -1);
  return gR === null ? padded : add(padded, matmul(Q, gR));
}

/** The gradient of `Q @ R` for no more columns than rows, and a Q with as many. */
function tallGradient(gQ: Tensor | null, gR: Tensor | null, Q: Tensor, R: Tensor): Tensor {
  const left = gQ === null ? null : matmul(adjoint(Q), gQ);
  const right = gR === null ? null : matmul(gR, adjoint(R));
  const x = triu(right === null ? (left as Tensor).neg() : left === null ? right : sub(right, left));
  const inner = matmul(Q, halfDiagonal(add(x, adjoint(x))));
  const total = gQ === null ? inner : add(inner, gQ);
  return solveTriangular(adjoint(R), total, { upper: false, left: false });
}

function checkDifferentiable(mode: QRMode, m: number, n: number): void {
  if (mode === 'r')
    throw new RuntimeError(
      "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr.",
    );
  if (mode === 'complete' && m > n)
    throw new RuntimeError(
      "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.",
    );
}

/** The R of factored columns, without history. */
function upperPart(a: Tensor, rows: number): Tensor {
  const R = emptyColumns([...batchOf(a), rows, columnsOf(a)], a);
  const top = narrow(bare(a), -2, 0, Math.min(rows, rowsOf(a)));
  return copyInto(R, triu(top));
}

/** @internal The decomposition of checked arguments. Recorded. */
export function decomposeQR(A: Tensor, mode: QRMode): [Q: Tensor, R: Tensor] {
  checkMatrix(A, 'linalg.qr');
  checkFloating(A, 'linalg.qr', true);
  if (mode !== 'reduced' && mode !== 'complete' && mode !== 'r')
    throw new RuntimeError(
      `qr received unrecognized mode '${String(mode)}' but expected one of 'reduced' (default), 'r', or 'complete'`,
    );
  checkKernel(A, 'geqrf_cpu');
  const [m, n] = [rowsOf(A), columnsOf(A)];
  const [a, tau] = reflectorsOf(A);
  const rows = mode === 'complete' ? m : Math.min(m, n);
  const R = upperPart(a, rows);
  const Q = mode === 'r' ? empty([0], A.dtype, A.device) : formQ(a, tau, rows);
  record('LinalgQrBackward0', [A], [Q, R], (save) => {
    const [q, r] = [save(Q), save(R)];
    return ([gQ, gR]) => {
      checkDifferentiable(mode, m, n);
      if (gQ === null && gR === null) return [null];
      return [(m >= n ? tallGradient : wideGradient)(gQ, gR, q(), r())];
    };
  });
  return [Q, R];
}

type QROptions = { mode?: QRMode; out?: readonly [Q: Tensor, R: Tensor] };

/**
 * The QR decomposition A = Q @ R of matrices [*, m, n]: Q with orthonormal columns, [*, m, min(m, n)] or square with mode
 * `'complete'`, and R upper triangular. Mode `'r'` computes R alone (Q is empty). As in LAPACK, the diagonal of R may be
 * negative. Differentiable in modes `'reduced'`, and `'complete'` unless m > n.
 *
 *     torch.linalg.qr(torch.eye(2)).R
 *     // tensor([[1., 0.],
 *     //         [0., 1.]])
 *
 * @throws RuntimeError for tensors that are no matrices, and for integers.
 */
export const qr: (A: Tensor, mode?: QRMode | QROptions, options?: QROptions) => QRResult = op(
  'linalg.qr',
  "Tensor A, str mode='reduced', *, Tensor[]? out=None",
  (A: Tensor, mode: QRMode) => qrTuple(...decomposeQR(A, mode)),
  { self: null, exactOut: 'dtype' },
);

// ---------------------------------------------------------------------------------------
// Products of reflectors

/** Reflectors in columns, and in which order and form they act on the rows of a matrix from the left. */
interface Sequence {
  readonly a: Tensor;
  readonly tau: Tensor;
  /** The first factor of the product is the last reflector, each one adjoint: Q^H instead of Q. */
  readonly adjointed: boolean;
}

/** Column j of the reflectors: zeros, a one at j, and the tail. */
function reflector(a: Tensor, j: number): Tensor {
  const lead = [...batchOf(a)];
  const parts = [a.new_zeros([...lead, j, 1]), a.new_ones([...lead, 1, 1])];
  return cat([...parts, narrow(narrow(a, -1, j, 1), -2, j + 1, rowsOf(a) - j - 1)], -2);
}

/**
 * Gradients of `C = H_a H_b … B` by the reflectors, their factors, and B; `C` is the product, g its gradient. Each
 * reflector is undone in turn: its inverse is one with the factor tau / (tau |v|^2 - 1).
 */
function sequenceGradients(
  g: Tensor,
  C: Tensor,
  { a, tau, adjointed }: Sequence,
): [gA: Tensor, gTau: Tensor, gB: Tensor] {
  const k = tau.shape[tau.shape.length - 1];
  if (k === 0) return [mul(a, 0), mul(tau, 0), g];
  const columns: Tensor[] = new Array(columnsOf(a)).fill(null);
  const factors: Tensor[] = new Array(k).fill(null);
  let [G, X] = [g, C];
  for (let step = 0; step < k; step++) {
    const j = adjointed ? k - 1 - step : step;
    const v = reflector(a, j);
    const own = narrow(tau, -1, j, 1).unsqueeze(-1);
    const t = adjointed ? own.conj() : own;
    const vh = adjoint(v);
    // X = B - t v (v^H B), where B is what the reflector was applied to.
    const inverse = t.div(sub(mul(t, matmul(vh, v)), 1));
    const B = sub(X, mul(inverse, matmul(v, matmul(vh, X))));
    const [w, z] = [matmul(vh, B), matmul(vh, G)];
    const gt = matmul(z, adjoint(w)).neg();
    factors[j] = (adjointed ? gt.conj() : gt).squeeze(-1);
    const gv = add(mul(t.conj(), matmul(G, adjoint(w))), mul(t, matmul(B, adjoint(z)))).neg();
    const tail = narrow(gv, -2, j + 1, rowsOf(a) - j - 1);
    columns[j] = cat([gv.new_zeros([...batchOf(a), j + 1, 1]), tail], -2);
    G = sub(G, mul(t.conj(), matmul(v, z)));
    X = B;
  }
  for (let j = k; j < columns.length; j++) columns[j] = a.new_zeros([...batchOf(a), rowsOf(a), 1]);
  return [cat(columns, -1), cat(factors, -1), G];
}

function checkReflectors(input: Tensor, tau: Tensor): void {
  const name = 'torch.linalg.householder_product';
  if (input.shape.length < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
  if (rowsOf(input) < columnsOf(input))
    throw new RuntimeError(`${name}: input.shape[-2] must be greater than or equal to input.shape[-1]`);
  if (tau.shape.length > 0 && columnsOf(input) < tau.shape[tau.shape.length - 1])
    throw new RuntimeError(`${name}: input.shape[-1] must be greater than or equal to tau.shape[-1]`);
  checkFactors(input, tau, name);
  if (tau.dtype !== input.dtype)
    throw new RuntimeError(
      `${name}: tau dtype ${tau.dtype.scalarName} does not match input dtype ${input.dtype.scalarName}`,
    );
}

function checkFactors(input: Tensor, tau: Tensor, name: string): void {
  if (input.shape.length - tau.shape.length !== 1)
    throw new RuntimeError(
      `${name}: Expected tau to have one dimension less than input, but got tau.ndim equal to ${tau.shape.length} and input.ndim is equal to ${input.shape.length}`,
    );
  const batch = tau.shape.slice(0, -1);
  if (batch.join() !== batchOf(input).join())
    throw new RuntimeError(
      `${name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got [${batch.join(', ')}]`,
    );
}

/** @internal The first columns of the product of reflectors. Recorded. */
export function householderProduct(input: Tensor, tau: Tensor): Tensor {
  checkReflectors(input, tau);
  checkKernel(input, 'orgqr_cpu');
  const Q = formQ(copyColumns(input), tau.contiguous().detach(), columnsOf(input));
  record('LinalgHouseholderProductBackward0', [input, tau], [Q], (save) => {
    const [a, t, q] = [save(input), save(tau), save(Q)];
    return ([g]) => {
      if (g === null) return [null, null];
      const [gA, gTau] = sequenceGradients(g, q(), { a: a(), tau: t(), adjointed: false });
      return [gA, gTau];
    };
  });
  return Q;
}

/**
 * The first n columns of the product H_1 H_2 … H_k of the Householder reflectors below the diagonal of A [*, m, n], with
 * their factors tau [*, k], as {@link geqrf} gives them: m >= n >= k.
 * @throws RuntimeError when shapes or dtypes do not fit.
 */
export const householder_product: (A: Tensor, tau: Tensor, options?: { out?: Tensor }) => Tensor = op(
  'linalg.householder_product',
  'Tensor input, Tensor tau, *, Tensor? out=None',
  householderProduct,
  { self: null },
);

function checkOrmqr(input: Tensor, tau: Tensor, other: Tensor, left: boolean): void {
  const name = 'torch.ormqr';
  if (input.shape.length < 2) throw new RuntimeError(`${name}: input must have at least 2 dimensions.`);
  if (other.shape.length < 2) throw new RuntimeError(`${name}: other must have at least 2 dimensions.`);
  const side = left ? -2 : -1;
  const size = other.shape[other.shape.length + side];
  if (tau.shape.length > 0 && size < tau.shape[tau.shape.length - 1])
    throw new RuntimeError(`${name}: other.shape[${side}] must be greater than or equal to tau.shape[-1]`);
  if (size !== rowsOf(input))
    throw new RuntimeError(`${name}: other.shape[${side}] must be equal to input.shape[-2]`);
  const k = tau.shape.length > 0 ? tau.shape[tau.shape.length - 1] : 0;
  if (tau.shape.length > 0 && k !== Math.min(size, columnsOf(input)))
    throw new RuntimeError(
      `${name}: tau.shape[-1] must be equal to min(other.shape[${side}], input.shape[-1])`,
    );
  checkFactors(input, tau, name);
  if (input.shape.length !== other.shape.length)
    throw new RuntimeError(
      `${name}: Expected other to have the same number of dimensions as input, but got other.ndim equal to ${other.shape.length} and input.ndim is equal to ${input.shape.length}`,
    );
  if (batchOf(other).join() !== batchOf(input).join())
    throw new RuntimeError(
      `${name}: Expected batch dimensions of other to be equal to input.shape[:-2], but got [${batchOf(other).join(', ')}]`,
    );
  for (const [what, x] of [['tau', tau] as const, ['other', other] as const])
    if (x.dtype !== input.dtype)
      throw new RuntimeError(
        `${name}: Expected input and ${what} to have the same dtype, but input has dtype${input.dtype.scalarName} and ${what} has dtype ${x.dtype.scalarName}`,
      );
}

/** @internal Q, Q^H times other, or other times those, for reflectors of checked shapes. Recorded. */
export function ormqrOf(
  input: Tensor,
  tau: Tensor,
  other: Tensor,
  left: boolean,
  transposed: boolean,
): Tensor {
  checkOrmqr(input, tau, other, left);
  checkKernel(input, 'ormqr_cpu');
  const C = multiplyByQ(copyColumns(other), copyColumns(input), tau.contiguous().detach(), left, transposed);
  record('OrmqrBackward0', [input, tau, other], [C], (save) => {
    const [a, t, c] = [save(input), save(tau), save(C)];
    return ([g], needs) => {
      if (g === null) return [null, null, null];
      if (!needs(0) && !needs(1)) return [null, null, ormqrOf(a(), t(), g, left, !transposed)];
      // From the right it is the adjoint of a product from the left.
      const [G, X] = left ? [g, c()] : [adjoint(g), adjoint(c())];
      const sequence = { a: a(), tau: t(), adjointed: left === transposed };
      const [gA, gTau, gB] = sequenceGradients(G, X, sequence);
      return [gA, gTau, left ? gB : adjoint(gB)];
    };
  });
  return C;
}
