// Singular values and vectors.

import { needsGrad, record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { int32 } from '../dtype.js';
import { LinAlgError, RuntimeError } from '../errors.js';
import { add, div, mul, sub } from '../ops/arithmetic.js';
import { copyInto } from '../ops/copy.js';
import { eye } from '../ops/create.js';
import { type Out, op } from '../ops/define.js';
import { diag_embed, diagonal } from '../ops/diagonal.js';
import { adjoint, bare } from '../ops/gemm.js';
import { matmul } from '../ops/matmul.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { narrow } from '../ops/split.js';
import { expand, unsqueeze } from '../ops/view.js';
import type { Tensor } from '../tensor.js';
import { checkGauge, fillDiagonal } from './gauge.js';
import {
  batchOf,
  batchText,
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

export type SVDResult = NamedTuple<'U' | 'S' | 'Vh'>;
const svdTuple = namedTuple('linalg_svd', 'U', 'S', 'Vh');

interface Decomposition {
  /** [*, m, k] or [*, m, m]; null where only singular values were asked for. */
  readonly U: Tensor | null;
  readonly S: Tensor;
  readonly Vh: Tensor | null;
}

/** Identity matrices in a batch. */
const identities = (shape: readonly number[], like: Tensor): Tensor => {
  const [m, n] = shape.slice(-2);
  return copyInto(
    emptyColumns(shape, like),
    expand(eye(m, n, { dtype: like.dtype, device: like.device }), shape),
  );
};

/** What the kernel gives for no more columns than rows: U, S, V. */
function tallDecomposition(A: Tensor, columns: number): [U: Tensor | null, S: Tensor, V: Tensor | null] {
  const [m, n] = [rowsOf(A), columnsOf(A)];
  const batch = batchOf(A);
  const S = empty([...batch, n], A.dtype.to_real(), A.device);
  const vectors = columns >= 0;
  const U = vectors ? emptyColumns([...batch, m, columns], A) : null;
  const V = vectors ? emptyColumns([...batch, n, n], A) : null;
  if (S._numel === 0) return [vectors ? identities([...batch, m, columns], A) : null, S, V];
  const info = empty(batch, int32, A.device);
  const matrices = U === null || V === null ? [] : [flipped(folded(U)), flipped(folded(V))];
  const failed = backendOf(A.device.type).launch(
    'linalg_svd',
    flipped(folded(copyColumns(A))),
    folded(S, 1),
    folded(info, 0),
    vectors,
    ...matrices,
  );
  if (failed > 0)
    throw new LinAlgError(
      `linalg.svd: ${batchText(info, failed - 1)}The algorithm failed to converge because the input matrix contained non-finite values.`,
    );
  return [U, S, V];
}

/** Decomposes checked matrices; no history. */
function decompose(A: Tensor, full: boolean, vectors: boolean): Decomposition {
  const [m, n] = [rowsOf(A), columnsOf(A)];
  const source = bare(A);
  const tall = m >= n;
  const [long, short] = tall ? [m, n] : [n, m];
  const [left, S, right] = tallDecomposition(
    tall ? source : adjoint(source),
    vectors ? (full ? long : short) : -1,
  );
  if (left === null || right === null) return { U: null, S, Vh: null };
  return tall
    ? { U: left, S, Vh: copyColumns(adjoint(right)) }
    : { U: right, S, Vh: copyColumns(adjoint(left)) };
}

const skew = (x: Tensor): Tensor => sub(x, adjoint(x));
const row = (x: Tensor): Tensor => unsqueeze(x, -2);
const column = (x: Tensor): Tensor => unsqueeze(x, -1);

/** The gradient of A by U [*, m, k], S [*, k] and Vh [*, k, n]. */
function svdGradient(
  [gU, gS, gVh]: readonly (Tensor | null)[],
  U: Tensor,
  S: Tensor,
  Vh: Tensor,
): Tensor | null {
  if (gU === null && gVh === null) {
    if (gS === null) return null;
    return rowsOf(U) >= columnsOf(Vh) ? matmul(U, mul(column(gS), Vh)) : matmul(mul(U, row(gS)), Vh);
  }
  const complex = U.dtype.is_complex;
  const UhgU = gU === null ? null : matmul(adjoint(U), gU);
  const VhgV = gVh === null ? null : matmul(Vh, adjoint(gVh));
  if (complex) checkPhase(UhgU, VhgV);
  let inner = offDiagonal(UhgU === null ? null : skew(UhgU), VhgV === null ? null : skew(VhgV), S);
  if (gS !== null) inner = add(inner, diag_embed(gS));
  if (complex && UhgU !== null && VhgV !== null) {
    const phases = diagonal(sub(UhgU, VhgV), 0, -2, -1);
    const turned = mul(sub(phases, phases.conj()), 0.5);
    inner = add(inner, diag_embed(div(turned, mul(S, 2))));
  }
  return addComplements(inner, gU, gVh, U, S, Vh);
}

/** (skew(U^H gU) S + S skew(V^H gV)) / E with E_ij = S_j^2 - S_i^2, and zeros on the diagonal. */
function offDiagonal(left: Tensor | null, right: Tensor | null, S: Tensor): Tensor {
  const squares = mul(S, S);
  const E = fillDiagonal(sub(row(squares), column(squares)), 1);
  const a = left === null ? null : mul(left, row(S));
  const b = right === null ? null : mul(column(S), right);
  const sum = a === null ? (b as Tensor) : b === null ? a : add(a, b);
  return div(fillDiagonal(sum, 0), E);
}

function checkPhase(UhgU: Tensor | null, VhgV: Tensor | null): void {
  const sum = UhgU === null ? (VhgV as Tensor) : VhgV === null ? UhgU : add(UhgU, VhgV);
  checkGauge(
    sum,
    'svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. The specified loss function depends on this phase term, making it ill-defined.',
  );
}

/** `U @ inner @ Vh`, and what gU and gVh add outside of the spaces of U and V. */
function addComplements(
  inner: Tensor,
  gU: Tensor | null,
  gVh: Tensor | null,
  U: Tensor,
  S: Tensor,
  Vh: Tensor,
): Tensor {
  const [m, k, n] = [rowsOf(U), columnsOf(U), columnsOf(Vh)];
  if (m > k && gU !== null) {
    const scaled = div(gU, row(S));
    const outside = sub(scaled, matmul(U, matmul(adjoint(U), scaled)));
    return matmul(add(matmul(U, inner), outside), Vh);
  }
  if (n > k && gVh !== null) {
    const scaled = div(gVh, column(S));
    const outside = sub(scaled, matmul(matmul(scaled, adjoint(Vh)), Vh));
    return matmul(U, add(matmul(inner, Vh), outside));
  }
  return m >= n ? matmul(U, matmul(inner, Vh)) : matmul(matmul(U, inner), Vh);
}

/** @internal The decomposition of a tensor that is checked here. Recorded. */
export function decomposeSVD(A: Tensor, full: boolean, vectors = true, name = 'linalg.svd'): Decomposition {
  checkMatrix(A, 'linalg.svd');
  checkFloating(A, name, true);
  checkKernel(A, 'linalg_svd_cpu');
  // The derivative of the singular values needs the vectors, too.
  const made = decompose(A, full, vectors || needsGrad(A));
  const { U, S, Vh } = made;
  const outputs = U === null || Vh === null ? [S] : [U, S, Vh];
  record('LinalgSvdBackward0', [A], outputs, (save) => {
    const saved = [save(U as Tensor), save(S), save(Vh as Tensor)];
    return (grads) => {
      const k = S.shape[S.shape.length - 1];
      const [u, s, vh] = saved.map((get) => get());
      const [gU, gS, gVh] = grads;
      return [
        svdGradient(
          [gU === null ? null : narrow(gU, -1, 0, k), gS, gVh === null ? null : narrow(gVh, -2, 0, k)],
          narrow(u, -1, 0, k),
          s,
          narrow(vh, -2, 0, k),
        ),
      ];
    };
  });
  return made;
}

function checkDriver(driver: string | null): void {
  if (driver !== null)
    throw new RuntimeError(
      'torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.',
    );
}

type SVDOptions = {
  full_matrices?: boolean;
  driver?: string | null;
  out?: readonly [U: Tensor, S: Tensor, Vh: Tensor];
};

/**
 * The singular value decomposition A = U @ diag(S) @ Vh of matrices [*, m, n]: S [*, min(m, n)] descending, U and Vh
 * unitary, or with as many columns and rows as S unless `full_matrices`. Gradients through the vectors are finite only
 * where the singular values differ, and defined only for losses that do not depend on the vectors' phases.
 * @throws LinAlgError for matrices with infinities or NaN; RuntimeError for integers and tensors that are no matrices.
 */
export const svd: (A: Tensor, full_matrices?: boolean | SVDOptions, options?: SVDOptions) => SVDResult = op(
  'linalg.svd',
  'Tensor A, bool full_matrices=True, *, str? driver=None, Tensor[]? out=None',
  (A: Tensor, full: boolean, driver: string | null) => {
    checkMatrix(A, 'linalg.svd');
    checkDriver(driver);
    const { U, S, Vh } = decomposeSVD(A, full);
    return svdTuple(U as Tensor, S, Vh as Tensor);
  },
  { self: null, exactOut: 'dtype' },
);

/** @internal The singular values. Recorded. */
export const singularValues = (A: Tensor): Tensor => decomposeSVD(A, false, false).S;

/**
 * The singular values of matrices [*, m, n], descending. See {@link svd}.
 *
 *     torch.linalg.svdvals(torch.tensor([[3, 0], [0, 4]]))
 *     // tensor([4., 3.])
 */
export const svdvals: (A: Tensor, options?: Out & { driver?: string | null }) => Tensor = op(
  'linalg.svdvals',
  'Tensor A, *, str? driver=None, Tensor? out=None',
  (A: Tensor, driver: string | null) => {
    checkMatrix(A, 'linalg.svd');
    checkDriver(driver);
    return singularValues(A);
  },
  { self: null, exactOut: 'dtype' },
);
