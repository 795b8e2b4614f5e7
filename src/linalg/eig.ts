// Eigenvalues and eigenvectors of general matrices.

import { needsGrad, record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { int32 } from '../dtype.js';
import { LinAlgError, RuntimeError } from '../errors.js';
import { add, div, mul, sub } from '../ops/arithmetic.js';
import { isfinite } from '../ops/compare.js';
import { type Out, op } from '../ops/define.js';
import { diag_embed, diagonal } from '../ops/diagonal.js';
import { adjoint, bare } from '../ops/gemm.js';
import { matmul } from '../ops/matmul.js';
import { namedTuple } from '../ops/named.js';
import { all } from '../ops/reduce_extreme.js';
import { unsqueeze } from '../ops/view.js';
import { real } from '../ops/view_dtype.js';
import type { Tensor } from '../tensor.js';
import type { EigenResult } from './eigh.js';
import { checkGauge, fillDiagonal } from './gauge.js';
import {
  batchOf,
  batchText,
  checkKernel,
  checkSquare,
  columnsOf,
  copyColumns,
  emptyColumns,
  flipped,
  folded,
} from './matrices.js';
import { solve } from './solve.js';

const eigTuple = namedTuple('linalg_eig', 'eigenvalues', 'eigenvectors');

/** Eigenvalues and, if wanted, eigenvectors of checked matrices; no history. */
function decompose(A: Tensor, vectors: boolean): [L: Tensor, V: Tensor | null] {
  const complex = A.dtype.to_complex();
  const L = empty([...batchOf(A), columnsOf(A)], complex, A.device);
  const V = vectors ? emptyColumns(A.shape, L) : null;
  if (L._numel === 0) return [L, V];
  const info = empty(batchOf(A), int32, A.device);
  const failed = backendOf(A.device.type).launch(
    'linalg_eig',
    flipped(folded(copyColumns(A))),
    folded(L, 1),
    folded(info, 0),
    vectors,
    ...(V === null ? [] : [flipped(folded(V))]),
  );
  if (failed > 0)
    throw new LinAlgError(
      `linalg.eig: ${batchText(info, failed - 1)}The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated eigenvalues (error code: 1).`,
    );
  return [L, V];
}

/** The gradient of A: V^-H (diag(gL) + (V^H gV - V^H V diag(Re(V^H gV))) / E) V^H with E_ij = conj(L_j - L_i). */
function eigGradient(gL: Tensor | null, gV: Tensor | null, L: Tensor, V: Tensor): Tensor | null {
  const Vh = adjoint(V);
  if (gV === null) return gL === null ? null : solve(Vh, mul(unsqueeze(gL, -1), Vh));
  const VhgV = matmul(Vh, gV);
  const own = diagonal(VhgV, 0, -2, -1);
  checkGauge(
    VhgV,
    'linalg_eig_backward: The eigenvectors in the complex case are specified up to multiplication by e^{i phi}. The specified loss function depends on this quantity, so it is ill-defined.',
  );
  const centred = sub(VhgV, matmul(Vh, mul(V, unsqueeze(real(own), -2))));
  const E = fillDiagonal(sub(unsqueeze(L, -2), unsqueeze(L, -1)).conj(), 1);
  const inner = div(fillDiagonal(centred, 0), E);
  return solve(Vh, matmul(gL === null ? inner : add(inner, diag_embed(gL)), Vh));
}

function decomposeGeneral(A: Tensor, vectors: boolean): [L: Tensor, V: Tensor | null] {
  if (A.dtype.is_integral) throw new RuntimeError(`Unknown Complex ScalarType for ${A.dtype.scalarName}`);
  checkKernel(A, 'linalg_eig_out_cpu');
  if (A._numel > 0 && !all(isfinite(bare(A))).item())
    throw new RuntimeError('torch.linalg.eig: input tensor should not contain infs or NaNs.');
  const [L, V] = decompose(A, vectors || needsGrad(A));
  record('LinalgEigBackward0', [A], V === null ? [L] : [L, V], (save) => {
    const [l, v] = [save(L), save(V as Tensor)];
    return ([gL, gV]) => [eigGradient(gL, gV, l(), v())];
  });
  return [L, V];
}

/**
 * The eigenvalues of square matrices [*, n, n] and eigenvectors in the columns of a matrix, both complex, in no special
 * order: A @ V = V @ diag(L). Each vector has norm 1 and a real largest component, its sign or phase is otherwise open.
 * Gradients through the vectors are finite only where the eigenvalues differ, and defined only for losses that do not
 * depend on the vectors' phases.
 * @throws RuntimeError unless the matrices are square, finite and of floating point or complex dtype.
 */
export const eig: (
  A: Tensor,
  options?: { out?: readonly [eigenvalues: Tensor, eigenvectors: Tensor] },
) => EigenResult = op(
  'linalg.eig',
  'Tensor A, *, Tensor[]? out=None',
  (A: Tensor) => {
    checkSquare(A, 'linalg.eig');
    const [L, V] = decomposeGeneral(A, true);
    return eigTuple(L, V as Tensor);
  },
  { self: null },
);

/** The eigenvalues of square matrices [*, n, n], complex, in no special order. See {@link eig}. */
export const eigvals: (A: Tensor, options?: Out) => Tensor = op(
  'linalg.eigvals',
  'Tensor A, *, Tensor? out=None',
  (A: Tensor) => {
    checkSquare(A, 'linalg.eigvals');
    return decomposeGeneral(A, false)[0];
  },
  { self: null },
);
