// Eigenvalues and eigenvectors of symmetric and Hermitian matrices.

import { needsGrad, record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { int32 } from '../dtype.js';
import { LinAlgError, RuntimeError } from '../errors.js';
import { add, div, mul, sub } from '../ops/arithmetic.js';
import { type Out, op } from '../ops/define.js';
import { diag_embed } from '../ops/diagonal.js';
import { adjoint, bare } from '../ops/gemm.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { unsqueeze } from '../ops/view.js';
import type { Tensor } from '../tensor.js';
import { checkGauge, fillDiagonal } from './gauge.js';
import {
  batchOf,
  batchText,
  checkKernel,
  checkSquare,
  columnsOf,
  copyColumns,
  flipped,
  folded,
} from './matrices.js';

export type EigenResult = NamedTuple<'eigenvalues' | 'eigenvectors'>;
const eighTuple = namedTuple('linalg_eigh', 'eigenvalues', 'eigenvectors');

/** Which triangle is read. */
export type UPLO = 'L' | 'U';

/** Eigenvalues and, if wanted, eigenvectors of checked matrices; no history. */
function decompose(A: Tensor, uplo: string, vectors: boolean): [L: Tensor, V: Tensor] {
  // The kernel reads the lower triangle.
  const V = copyColumns(uplo.toUpperCase() === 'L' ? bare(A) : adjoint(bare(A)));
  const L = empty([...batchOf(A), columnsOf(A)], A.dtype.to_real(), A.device);
  if (L._numel === 0) return [L, V];
  const info = empty(batchOf(A), int32, A.device);
  const failed = backendOf(A.device.type).launch(
    'linalg_eigh',
    flipped(folded(V)),
    folded(L, 1),
    folded(info, 0),
    vectors,
  );
  if (failed > 0)
    throw new LinAlgError(
      `linalg.eigh: ${batchText(info, failed - 1)}The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated eigenvalues (error code: 1).`,
    );
  return [L, V];
}

/** The gradient of A, Hermitian: V ((V^H gV - gV^H V) / 2E + diag(gL)) V^H with E_ij = L_j - L_i. */
function eighGradient(gL: Tensor | null, gV: Tensor | null, L: Tensor, V: Tensor): Tensor | null {
  const Vh = adjoint(V);
  if (gV === null) return gL === null ? null : matmul(mul(V, unsqueeze(gL, -2)), Vh);
  const VhgV = matmul(Vh, gV);
  if (V.dtype.is_complex)
    checkGauge(
      VhgV,
      'linalg_eigh_backward: The eigenvectors in the complex case are specified up to multiplication by e^{i phi}. The specified loss function depends on this quantity, so it is ill-defined.',
    );
  const E = fillDiagonal(sub(unsqueeze(L, -2), unsqueeze(L, -1)), 1);
  const inner = div(fillDiagonal(sub(VhgV, adjoint(VhgV)), 0), mul(E, 2));
  return matmul(V, matmul(gL === null ? inner : add(inner, diag_embed(gL)), Vh));
}

/** @internal The decomposition of a tensor that is checked here; with `vectors` false, V is of use to nobody. Recorded. */
export function decomposeHermitian(A: Tensor, uplo: string, vectors: boolean): [L: Tensor, V: Tensor] {
  checkSquare(A, 'linalg.eigh');
  if (!/^[LUlu]$/.test(uplo))
    throw new RuntimeError(`Expected UPLO argument to be 'L' or 'U', but got ${uplo}`);
  checkKernel(A, 'linalg_eigh_cpu');
  const [L, V] = decompose(A, uplo, vectors || needsGrad(A));
  record('LinalgEighBackward0', [A], [L, V], (save) => {
    const [l, v] = [save(L), save(V)];
    return ([gL, gV]) => [eighGradient(gL, gV, l(), v())];
  });
  return [L, V];
}

type EighOptions = { UPLO?: UPLO | 'l' | 'u'; out?: readonly [eigenvalues: Tensor, eigenvectors: Tensor] };

/**
 * The eigenvalues of symmetric or Hermitian matrices [*, n, n], real and ascending, and orthonormal eigenvectors in the
 * columns of a matrix: A = V @ diag(L) @ V^H. Only one triangle is read, the lower by default. Gradients through the
 * vectors are finite only where the eigenvalues differ, and defined only for losses that do not depend on their phases.
 * @throws LinAlgError for matrices with infinities or NaN; RuntimeError unless the matrices are square.
 */
export const eigh: (A: Tensor, UPLO?: UPLO | 'l' | 'u' | EighOptions, options?: EighOptions) => EigenResult =
  op(
    'linalg.eigh',
    "Tensor A, str UPLO='L', *, Tensor[]? out=None",
    (A: Tensor, uplo: string) => eighTuple(...decomposeHermitian(A, uplo, true)),
    { self: null, exactOut: 'dtype' },
  );

type EigvalshOptions = Out & { UPLO?: UPLO | 'l' | 'u' };

/**
 * The eigenvalues of symmetric or Hermitian matrices [*, n, n], ascending. See {@link eigh}.
 *
 *     torch.linalg.eigvalsh(torch.tensor([[2, 1], [1, 2]]))
 *     // tensor([1., 3.])
 */
export const eigvalsh: (
  A: Tensor,
  UPLO?: UPLO | 'l' | 'u' | EigvalshOptions,
  options?: EigvalshOptions,
) => Tensor = op(
  'linalg.eigvalsh',
  "Tensor A, str UPLO='L', *, Tensor? out=None",
  (A: Tensor, uplo: string) => decomposeHermitian(A, uplo, false)[0],
  { self: null, exactOut: 'dtype' },
);
