// L D L^H decomposition of Hermitian (or L D L^T of symmetric) matrices, and solving with it.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { int32 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { castTo } from '../ops/copy.js';
import { type Out, op } from '../ops/define.js';
import { bare } from '../ops/gemm.js';
import { type NamedTuple, namedTuple } from '../ops/named.js';
import { expand } from '../ops/view.js';
import { sameSizes, type Tensor, wrapDim } from '../tensor.js';
import {
  batchOf,
  checkFloating,
  checkKernel,
  checkLegacySystem,
  checkSquare,
  columnsOf,
  copyColumns,
  folded,
  integerAt,
  operand,
  rowsOf,
} from './matrices.js';

/** PyTorch records these ops and refuses to differentiate them. */
function refuseBackward(name: string, inputs: readonly Tensor[], output: Tensor): void {
  record('torch::autograd::NotImplemented', inputs, [output], () => () => {
    throw new RuntimeError(`derivative for aten::${name} is not implemented`);
  });
}

/** Checks and decomposes. @param name of the function that refuses singular blocks; null: none. */
function decompose(
  A: Tensor,
  hermitian: boolean,
  name: string | null,
): [LD: Tensor, pivots: Tensor, info: Tensor] {
  checkFloating(A, 'torch.linalg.ldl_factor_ex', true);
  checkSquare(A, 'torch.linalg.ldl_factor_ex');
  checkKernel(A, 'ldl_factor_kernel_cpu');
  const LD = copyColumns(A);
  const pivots = empty(A.shape.slice(0, -1), int32, A.device);
  const info = empty(batchOf(A), int32, A.device);
  if (LD._numel === 0) info.zero_();
  else {
    const failed = backendOf(A.device.type).launch(
      'ldl_factor',
      folded(LD),
      folded(pivots, 1),
      folded(info, 0),
      hermitian,
    );
    if (name !== null && failed > 0)
      throw new RuntimeError(`torch.${name}: Unknown error code: ${integerAt(info, failed - 1)}.`);
  }
  refuseBackward('linalg_ldl_factor_ex', [A], LD);
  return [LD, pivots, info];
}

interface FactorOptions {
  hermitian?: boolean;
  out?: readonly Tensor[];
}
const factorTuple = namedTuple('linalg_ldl_factor', 'LD', 'pivots');
const factorExTuple = namedTuple('linalg_ldl_factor_ex', 'LD', 'pivots', 'info');

/**
 * The decomposition of symmetric (with `hermitian`, Hermitian) matrices A [*, n, n] into L, D and pivots in LAPACK's
 * compact form. The lower triangle is read. Not differentiable. @throws RuntimeError when D is singular.
 */
export const ldl_factor: (A: Tensor, options?: FactorOptions) => NamedTuple<'LD' | 'pivots'> = op(
  'linalg.ldl_factor',
  'Tensor A, *, bool hermitian=False, Tensor[]? out=None',
  (A: Tensor, hermitian: boolean) => {
    const [LD, pivots] = decompose(A, hermitian, 'linalg.ldl_factor');
    return factorTuple(LD, pivots);
  },
  { self: null, exactOut: 'dtype' },
);

/** As {@link ldl_factor}, where `info` tells the first zero on D (from 1; 0 for none). */
export const ldl_factor_ex: (
  A: Tensor,
  options?: FactorOptions & { check_errors?: boolean },
) => NamedTuple<'LD' | 'pivots' | 'info'> = op(
  'linalg.ldl_factor_ex',
  'Tensor A, *, bool hermitian=False, bool check_errors=False, Tensor[]? out=None',
  (A: Tensor, hermitian: boolean, check: boolean) =>
    factorExTuple(...decompose(A, hermitian, check ? 'linalg.ldl_factor_ex' : null)),
  { self: null, exactOut: 'dtype' },
);

function checkArguments(LD: Tensor, pivots: Tensor, B: Tensor): void {
  checkFloating(LD, 'torch.linalg.ldl_solve', true);
  checkSquare(LD, 'torch.linalg.ldl_solve');
  wrapDim(-2, B.shape.length);
  checkLegacySystem(B, LD, 'torch.linalg.ldl_solve');
  if (!pivots.dtype.is_integral)
    throw new RuntimeError(
      `torch.linalg.ldl_solve: Expected pivots to be integers. Got ${pivots.dtype.scalarName}`,
    );
  if (!sameSizes(LD.shape.slice(0, -1), pivots.shape))
    throw new RuntimeError(
      `torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape [${pivots.shape.join(', ')}] instead`,
    );
  checkKernel(LD, 'ldl_solve_kernel_cpu');
}

/** The solution of `A @ X = B` by the factors that {@link ldl_factor} gave: B [*, n, k], whose batch broadcasts. Not differentiable. */
export const ldl_solve: (
  LD: Tensor,
  pivots: Tensor,
  B: Tensor,
  options?: Out & { hermitian?: boolean },
) => Tensor = op(
  'linalg.ldl_solve',
  'Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False, Tensor? out=None',
  (LD: Tensor, pivots: Tensor, B: Tensor, hermitian: boolean) => {
    checkArguments(LD, pivots, B);
    const batch = broadcastShapes(batchOf(LD), batchOf(B));
    const X = copyColumns(B, [...batch, rowsOf(B), columnsOf(B)]);
    if (X._numel > 0) {
      const p = folded(expand(bare(castTo(pivots, int32)), [...batch, columnsOf(LD)]), 1);
      const wrong = backendOf(X.device.type).launch('ldl_solve', folded(X), operand(LD, batch), p, hermitian);
      if (wrong !== 0)
        throw new RuntimeError(
          'Pivots given to ldl_solve must all satisfy |pivot| <= LD.size(-2). Did you properly pass the result of ldl_factor?',
        );
    }
    refuseBackward('linalg_ldl_solve', [LD, B], X);
    return X;
  },
  { self: null, exactOut: 'dtype' },
);
