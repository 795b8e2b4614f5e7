// Determinants, from LU decompositions.

import { record } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { finfo, int64 } from '../dtype.js';
import { abs, add, mul, sub } from '../ops/arithmetic.js';
import { eq } from '../ops/compare.js';
import { conj } from '../ops/complex.js';
import { castTo } from '../ops/copy.js';
import { complex } from '../ops/create.js';
import { encode } from '../ops/data.js';
import { type Out, op } from '../ops/define.js';
import { diag_embed, diagonal } from '../ops/diagonal.js';
import { log } from '../ops/exp.js';
import { full_, ones_, zeros_ } from '../ops/fill.js';
import { adjoint, bare } from '../ops/gemm.js';
import { index_copy, index_select } from '../ops/indexing.js';
import { cat } from '../ops/join.js';
import { where } from '../ops/masks.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { flip } from '../ops/rearrange.js';
import { cumprod } from '../ops/scan.js';
import { expand, reshape, slice, unsqueeze } from '../ops/view.js';
import { imag } from '../ops/view_dtype.js';
import type { Tensor } from '../tensor.js';
import { type Factors, factorize, solveFactored } from './lu.js';
import { batchOf, checkFloating, checkKernel, checkSquare, columnsOf, folded } from './matrices.js';
import { solve_ex } from './solve.js';
import { svd } from './svd.js';

/** Matrices with g, one number for each, on the whole diagonal. */
const scaledIdentity = (g: Tensor, n: number): Tensor =>
  diag_embed(expand(unsqueeze(g, -1), [...g.shape, n]));

/** Factors whose zeros on the diagonal are replaced by the machine epsilon. */
function perturbed(LU: Tensor): Tensor {
  const zero = eq(diagonal(LU, 0, -2, -1), 0);
  const eps = full_([], finfo(LU.dtype).eps, LU.dtype.to_real(), LU.device);
  return add(LU, diag_embed(castTo(mul(zero, eps), LU.dtype)));
}

/** A^-H times g: by the factors at hand, unless it is to be differentiated itself. */
function inverseTimes(A: () => Tensor, { pivots }: Factors, LU: Tensor, g: Tensor): Tensor {
  const n = columnsOf(LU);
  if (mode.grad) return solve_ex(adjoint(A()), scaledIdentity(g, n)).result;
  return solveFactored(LU, pivots, scaledIdentity(g, n), true, true);
}

/** Along the last dimension, the product of all elements but each. Recorded. */
function productOfOthers(x: Tensor): Tensor {
  const n = x.shape[x.shape.length - 1];
  const one = ones_([...x.shape.slice(0, -1), 1], x.dtype, x.device);
  const before = cumprod(cat([one, slice(x, -1, 0, n - 1)], -1), -1);
  const after = flip(cumprod(flip(cat([slice(x, -1, 1, n), one], -1), [-1]), -1), [-1]);
  return mul(before, after);
}

/** The gradient of determinants of singular matrices, from their adjugates: N. Higham, "What is the adjugate of a matrix?" (2020). */
function adjugateTimes(A: Tensor, g: Tensor): Tensor {
  const { U, S, Vh } = svd(A);
  const turn = mul(conj(mul(determinant(U), determinant(Vh))), g);
  const scale = mul(unsqueeze(turn, -1), productOfOthers(S));
  return matmul(mul(U, unsqueeze(scale, -2)), Vh);
}

/** The gradient of determinants as an expression of A: by inverses, or adjugates for those that are about 0. */
function differentiableGradient(A: Tensor, det: Tensor, g: Tensor): Tensor {
  const n = columnsOf(A);
  const limit = 100 * finfo(A.dtype).eps;
  const [x, d, weights] = [reshape(A, [-1, n, n]), reshape(det, [-1]), reshape(g, [-1])];
  const byInverse = (m: Tensor, dm: Tensor, gm: Tensor): Tensor =>
    solve_ex(adjoint(m), scaledIdentity(mul(gm, conj(dm)), n)).result;
  const members: [regular: bigint[], singular: bigint[]] = [[], []];
  (abs(bare(d)).tolist() as number[]).forEach((size, i) => {
    members[size < limit ? 1 : 0].push(BigInt(i));
  });
  if (members[1].length === 0) return reshape(byInverse(x, d, weights), A.shape);
  if (members[0].length === 0) return reshape(adjugateTimes(x, weights), A.shape);
  const [regular, singular] = members.map((list) => encode(list, int64));
  const pick = (from: Tensor, index: Tensor): Tensor => index_select(from, 0, index);
  const half = index_copy(
    zeros_(x.shape, x.dtype, x.device),
    0,
    regular,
    byInverse(pick(x, regular), pick(d, regular), pick(weights, regular)),
  );
  const whole = index_copy(half, 0, singular, adjugateTimes(pick(x, singular), pick(weights, singular)));
  return reshape(whole, A.shape);
}

/** @internal The determinant of checked matrices. Recorded. */
export function determinant(A: Tensor): Tensor {
  const factors = factorize(A);
  const { LU, pivots } = factors;
  const det = empty(batchOf(A), A.dtype, A.device);
  if (det._numel > 0)
    backendOf(A.device.type).launch('lu_det', folded(det, 0), folded(LU), folded(pivots, 1));
  record('LinalgDetBackward0', [A], [det], (save) => {
    const [a, d] = [save(A), save(det)];
    return ([g]) => {
      if (g === null || LU._numel === 0) return [null];
      if (columnsOf(LU) === 1) return [unsqueeze(unsqueeze(g, -1), -1)];
      if (mode.grad) return [differentiableGradient(a(), d(), g)];
      return [inverseTimes(a, factors, perturbed(LU), mul(g, conj(d())))];
    };
  });
  return det;
}

/** @internal */
export function checkedDet(A: Tensor): Tensor {
  checkFloating(A, 'linalg.det', true);
  checkSquare(A, 'linalg.det');
  checkKernel(A, 'lu_cpu');
  return determinant(A);
}

/**
 * The determinant of a square matrix, or of each of a batch A [*, n, n]. Differentiable.
 *
 *     torch.linalg.det(torch.tensor([[1, 2], [3, 4]]))
 *     // tensor(-2.0000)
 */
export const det: (A: Tensor, options?: Out) => Tensor = op(
  'linalg.det',
  'Tensor A, *, Tensor? out=None',
  checkedDet,
  { self: null, exactOut: 'dtype' },
);

/** @internal The sign (a number of magnitude 1, or 0) and the logarithm of the magnitude of determinants. Recorded. */
export function signAndLog(A: Tensor, name: string): [sign: Tensor, logabsdet: Tensor] {
  checkFloating(A, name);
  checkSquare(A, name);
  const factors = factorize(A);
  const { LU, pivots } = factors;
  const sign = empty(batchOf(A), A.dtype, A.device);
  const logabs = empty(batchOf(A), A.dtype.to_real(), A.device);
  if (sign._numel > 0)
    backendOf(A.device.type).launch(
      'lu_slogdet',
      folded(sign, 0),
      folded(logabs, 0),
      folded(LU),
      folded(pivots, 1),
    );
  record('LinalgSlogdetBackward0', [A], [sign, logabs], (save) => {
    const [a, s] = [save(A), save(sign)];
    return ([gSign, gLog]) => {
      if (!A.dtype.is_complex) return [gLog === null ? null : inverseTimes(a, factors, LU, gLog)];
      // The sign turns with the imaginary part of tr(A^-1 dA).
      const turn = gSign === null ? null : imag(mul(conj(gSign), s()));
      if (gLog === null && turn === null) return [null];
      const zero = full_([], 0, logabs.dtype, A.device);
      const g = complex(
        expand(gLog ?? zero, logabs.shape),
        turn === null ? expand(zero, logabs.shape) : sub(zero, turn),
      );
      return [inverseTimes(a, factors, LU, g)];
    };
  });
  return [sign, logabs];
}

type SignAndLog = NamedTuple<'sign' | 'logabsdet'>;
const slogdetTuple = namedTuple('linalg_slogdet', 'sign', 'logabsdet');

/**
 * The sign and the natural logarithm of the magnitude of the determinant of each matrix of A [*, n, n]: they neither
 * overflow nor underflow. Differentiable.
 */
export const slogdet: (A: Tensor, options?: { out?: readonly [Tensor, Tensor] }) => SignAndLog = op(
  'linalg.slogdet',
  'Tensor A, *, Tensor[]? out=None',
  (A: Tensor) => slogdetTuple(...signAndLog(A, 'linalg.slogdet')),
  { self: null, exactOut: 'dtype' },
);

/** @internal The logarithm of determinants; NaN for negative ones of real matrices. */
export function logDeterminant(A: Tensor): Tensor {
  const [sign, logabs] = signAndLog(A, 'logdet');
  if (A.dtype.is_complex) return add(log(sign), logabs);
  return where(eq(sign, -1), full_([], Number.NaN, A.dtype, A.device), logabs);
}
