// Singular values and principal components of matrices of low rank, by random projections.
import { RuntimeError, ValueError } from '../errors.js';
import { decomposeQR } from '../linalg/qr.js';
import { svd as linalgSVD } from '../linalg/svd.js';
import type { Tensor } from '../tensor.js';
import { sub } from './arithmetic.js';
import { matmul } from './matmul.js';
import { randn } from './random.js';
import { mean } from './reduce_mean.js';
import { adjoint } from './shape.js';
import { expand } from './view.js';

/** U, S and V with A = U @ diag(S) @ V^H, about. */
export type LowRank = [U: Tensor, S: Tensor, V: Tensor];

const orthonormal = (x: Tensor): Tensor => decomposeQR(x, 'reduced')[0];

/** A - M times x, without a matrix of that size. */
const difference = (A: Tensor, M: Tensor | null, x: Tensor): Tensor =>
  M === null ? matmul(A, x) : sub(matmul(A, x), matmul(M, x));

/** q orthonormal columns that span about the range of A - M (Halko, Martinsson and Tropp 2009, algorithm 4.4). */
function approximateBasis(A: Tensor, q: number, niter: number, M: Tensor | null): Tensor {
  const random = randn([A.shape[A.shape.length - 1], q], { dtype: A.dtype, device: A.device });
  const [Ah, Mh] = [adjoint(A), M === null ? null : adjoint(M)];
  let Q = orthonormal(difference(A, M, random));
  for (let i = 0; i < niter; i++) {
    Q = orthonormal(difference(Ah, Mh, Q));
    Q = orthonormal(difference(A, M, Q));
  }
  return Q;
}

function lowRank(input: Tensor, q: number, niter: number, mean: Tensor | null): LowRank {
  const [m, n] = input.shape.slice(-2);
  const wide = m < n;
  const M0 = mean === null ? null : expand(mean, input.shape);
  const A = wide ? adjoint(input) : input;
  const M = M0 !== null && wide ? adjoint(M0) : M0;
  const Q = approximateBasis(A, q, niter, M);
  const Qh = adjoint(Q);
  const B = M === null ? matmul(Qh, A) : sub(matmul(Qh, A), matmul(Qh, M));
  const [small, S, Vh] = linalgSVD(B, false);
  const [U, V] = [matmul(Q, small), adjoint(Vh)];
  return wide ? [V, S, U] : [U, S, V];
}

interface LowRankOptions {
  q?: number | null;
  niter?: number | null;
  M?: Tensor | null;
}

/** Options in the place of a positional argument. */
const isOptions = (x: unknown): x is object => typeof x === 'object' && x !== null && !('shape' in x);

/**
 * About the q largest singular values of matrices [*, m, n] (of A - M with `M`), and their vectors: U [*, m, q], S [*, q],
 * V [*, n, q], by `niter` iterations on a random subspace. Take q somewhat larger than the rank.
 */
export function svd_lowrank(
  A: Tensor,
  q?: number | null | LowRankOptions,
  niter?: number | null | LowRankOptions,
  M?: Tensor | null | LowRankOptions,
): LowRank {
  const given: LowRankOptions = Object.assign(
    { q: isOptions(q) ? null : q, niter: isOptions(niter) ? null : niter },
    { M: isOptions(M) ? null : M },
    ...[q, niter, M].filter(isOptions),
  );
  return lowRank(A, given.q ?? 6, given.niter ?? 2, given.M ?? null);
}

interface PCAOptions {
  q?: number | null;
  center?: boolean;
  niter?: number;
}

/**
 * Principal components of samples [*, m, n]: U, S and V as of {@link svd_lowrank} for the matrix less its mean row (unless
 * `center` is false). The columns of V are the principal directions, S^2 / (m - 1) the variances along them; q is
 * min(6, m, n) by default. @throws ValueError when q or niter is out of range.
 */
export function pca_lowrank(
  A: Tensor,
  q?: number | null | PCAOptions,
  center?: boolean | PCAOptions,
  niter?: number | PCAOptions,
): LowRank {
  const given: PCAOptions = Object.assign(
    { q: isOptions(q) ? null : q },
    { center: isOptions(center) ? undefined : center, niter: isOptions(niter) ? undefined : niter },
    ...[q, center, niter].filter(isOptions),
  );
  if (A.shape.length < 2) throw new RuntimeError('pca_lowrank: the input must have at least 2 dimensions');
  const [m, n] = A.shape.slice(-2);
  const rounds = given.niter ?? 2;
  const size = given.q ?? Math.min(6, m, n);
  if (!(size >= 0 && size <= Math.min(m, n)))
    throw new ValueError(
      `q(=${size}) must be non-negative integer and not greater than min(m, n)=${Math.min(m, n)}`,
    );
  if (!(rounds >= 0)) throw new ValueError(`niter(=${rounds}) must be non-negative integer`);
  if (given.center === false) return lowRank(A, size, rounds, null);
  return lowRank(sub(A, mean(A, -2, true)), size, rounds, null);
}
