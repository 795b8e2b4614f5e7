// The older spellings in the torch namespace, which are also methods, of what torch.linalg decomposes and solves.

import { RuntimeError } from '../errors.js';
import { choleskyInverse, choleskySolve, legacyCholesky } from '../linalg/cholesky.js';
import { checkedDet, logDeterminant, signAndLog } from '../linalg/det.js';
import { multi_dot } from '../linalg/equations.js';
import { checkFactored, luFactor, luSolve, unpack } from '../linalg/lu.js';
import { matrixExp, matrixPower } from '../linalg/powers.js';
import { inverseOf } from '../linalg/solve.js';
import { triangularSolve } from '../linalg/triangular.js';
import type { Tensor } from '../tensor.js';
import { warnOnce } from '../warnings.js';
import { clone } from './copy.js';
import { type Op, type Out, op } from './define.js';
import { type NamedTuple, namedTuple } from './named.js';

/** Alias of `torch.linalg.inv`. */
export const inverse: Op<[options?: Out], Tensor> = op(
  'inverse',
  'Tensor self, *, Tensor? out=None',
  (A: Tensor) => inverseOf(A, 'linalg.inv').X,
  { exactOut: 'dtype' },
);

/** Alias of `torch.linalg.det`. */
export const det: Op<[], Tensor> = op('det', 'Tensor self', checkedDet);

type SignAndLog = NamedTuple<'sign' | 'logabsdet'>;
const slogdetTuple = namedTuple('slogdet', 'sign', 'logabsdet');

/** Alias of `torch.linalg.slogdet`. */
export const slogdet: Op<[options?: { out?: readonly [Tensor, Tensor] }], SignAndLog> = op(
  'slogdet',
  'Tensor self, *, Tensor[]? out=None',
  (A: Tensor) => slogdetTuple(...signAndLog(A, 'linalg.slogdet')),
  { exactOut: 'dtype' },
);

/** The logarithm of the determinant of each matrix [*, n, n]: NaN for a negative one, minus infinity for 0. Differentiable. */
export const logdet: Op<[], Tensor> = op('logdet', 'Tensor self', logDeterminant);

/** Alias of `torch.linalg.matrix_power`. */
export const matrix_power: Op<[n: number, options?: Out], Tensor> = op(
  'matrix_power',
  'Tensor self, int n, *, Tensor? out=None',
  matrixPower,
);

/** Alias of `torch.linalg.matrix_exp`. */
export const matrix_exp: Op<[], Tensor> = op('matrix_exp', 'Tensor self', matrixExp);

// ---------------------------------------------------------------------------------------
// Cholesky

type UpperArgs = [upper?: boolean, options?: Out] | [options: Out & { upper?: boolean }];

/** Deprecated: `torch.linalg.cholesky`, whose `upper` reads the same. */
export const cholesky: Op<UpperArgs, Tensor> = op(
  'cholesky',
  'Tensor self, bool upper=False, *, Tensor? out=None',
  (A: Tensor, upper: boolean) => {
    warnOnce(
      'torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a future PyTorch release.\nL = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\nU = torch.cholesky(A, upper=True)\nshould be replaced with\nU = torch.linalg.cholesky(A).mH\nThis transform will produce equivalent results for all valid (symmetric positive definite) inputs.',
    );
    return legacyCholesky(A, upper);
  },
  { exactOut: 'dtype' },
);

/** The inverse of `L @ L^H` (with `upper` of `L^H @ L`) for triangular L [*, n, n]. Differentiable. @throws LinAlgError for a zero on the diagonal. */
export const cholesky_inverse: Op<UpperArgs, Tensor> = op(
  'cholesky_inverse',
  'Tensor self, bool upper=False, *, Tensor? out=None',
  choleskyInverse,
  { exactOut: 'dtype' },
);

/** The solution X of `L @ L^H @ X = input` (with `upper` of `L^H @ L @ X = input`) for triangular L [*, n, n], input [*, n, k]. Differentiable. */
export const cholesky_solve: Op<
  [L: Tensor, upper?: boolean, options?: Out] | [L: Tensor, options: Out & { upper?: boolean }],
  Tensor
> = op('cholesky_solve', 'Tensor self, Tensor L, bool upper=False, *, Tensor? out=None', choleskySolve, {
  exactOut: 'dtype',
});

// ---------------------------------------------------------------------------------------
// LU

/**
 * The LU decomposition in compact form and its pivots; with `get_infos` also where U has its first zero.
 * Deprecated: `torch.linalg.lu_factor` and `lu_factor_ex`.
 */
export const lu: Op<
  | [pivot?: boolean, get_infos?: boolean, options?: { out?: readonly Tensor[] }]
  | [options: { pivot?: boolean; get_infos?: boolean; out?: readonly Tensor[] }],
  readonly Tensor[]
> = op(
  'lu',
  'Tensor self, bool pivot=True, bool get_infos=False, *, Tensor[]? out=None',
  (A: Tensor, pivot: boolean, infos: boolean) => {
    const { LU, pivots, info } = luFactor(A, pivot, null);
    return infos ? [LU, pivots, info] : [LU, pivots];
  },
  { exactOut: 'dtype' },
);

/** The solution of `A @ X = input` by the factors that `lu_factor` gave. Deprecated: `torch.linalg.lu_solve`. */
export const lu_solve: Op<[LU_data: Tensor, LU_pivots: Tensor, options?: Out], Tensor> = op(
  'lu_solve',
  'Tensor self, Tensor LU_data, Tensor LU_pivots, *, Tensor? out=None',
  (B: Tensor, LU: Tensor, pivots: Tensor) => {
    warnOnce(
      'torch.lu_solve is deprecated in favor of torch.linalg.lu_solveand will be removed in a future PyTorch release.\nNote that torch.linalg.lu_solve has its arguments reversed.\nX = torch.lu_solve(B, LU, pivots)\nshould be replaced with\nX = torch.linalg.lu_solve(LU, pivots, B)',
    );
    checkFactored(LU, pivots, B, true);
    return luSolve(LU, pivots, B, true, false);
  },
  { exactOut: 'dtype' },
);

type Unpacked = NamedTuple<'P' | 'L' | 'U'>;
const unpackTuple = namedTuple('lu_unpack', 'P', 'L', 'U');
interface UnpackOptions {
  unpack_data?: boolean;
  unpack_pivots?: boolean;
  out?: readonly Tensor[];
}

/** P, L and U of the factors that `lu_factor` gave; what is not asked for is empty. Differentiable. */
export const lu_unpack: (
  LU_data: Tensor,
  LU_pivots: Tensor,
  unpack_data?: boolean | UnpackOptions,
  unpack_pivots?: boolean,
  options?: { out?: readonly Tensor[] },
) => Unpacked = op(
  'lu_unpack',
  'Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True, *, Tensor[]? out=None',
  (LU: Tensor, pivots: Tensor, data: boolean, pivoted: boolean) =>
    unpackTuple(...unpack(LU, pivots, data, pivoted)),
  { self: null, exactOut: 'dtype' },
);

// ---------------------------------------------------------------------------------------
// Triangular systems

interface TriangularOptions {
  upper?: boolean;
  transpose?: boolean;
  unitriangular?: boolean;
  out?: readonly [Tensor, Tensor];
}
const triangularTuple = namedTuple('triangular_solve', 'solution', 'cloned_coefficient');

/**
 * The solution X of `A @ X = input` (with `transpose` of `A^T @ X = input`) for triangular A, and a copy of A.
 * Deprecated: `torch.linalg.solve_triangular`.
 */
export const triangular_solve: Op<
  | [A: Tensor, upper?: boolean, transpose?: boolean, unitriangular?: boolean, options?: TriangularOptions]
  | [A: Tensor, options: TriangularOptions],
  NamedTuple<'solution' | 'cloned_coefficient'>
> = op(
  'triangular_solve',
  'Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False, *, Tensor[]? out=None',
  (b: Tensor, A: Tensor, upper: boolean, transposed: boolean, unit: boolean) => {
    warnOnce(
      'torch.triangular_solve is deprecated in favor of torch.linalg.solve_triangularand will be removed in a future PyTorch release.\ntorch.linalg.solve_triangular has its arguments reversed and does not return a copy of one of the inputs.\nX = torch.triangular_solve(B, A).solution\nshould be replaced with\nX = torch.linalg.solve_triangular(A, B).',
    );
    return triangularTuple(...triangularSolve(b, A, upper, transposed, unit));
  },
  { exactOut: 'dtype' },
);

// ---------------------------------------------------------------------------------------
// Products

/** The product of matrices, in the order that needs the fewest multiplications. Deprecated: `torch.linalg.multi_dot`. */
export const chain_matmul: {
  (...matrices: readonly Tensor[]): Tensor;
  (matrices: readonly Tensor[], options?: Out): Tensor;
} = op('chain_matmul', 'Tensor[]... matrices=[], *, Tensor? out=None', (matrices: readonly Tensor[]) => {
  warnOnce(
    'torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot instead, which accepts a list of two or more tensors rather than multiple parameters.',
  );
  for (const { shape } of matrices)
    if (shape.length !== 2)
      throw new RuntimeError(`Tensor dimension is ${shape.length}, expected 2 instead.`);
  if (matrices.length === 0) throw new RuntimeError('chain_matmul(): Expected one or more matrices');
  return matrices.length === 1 ? clone(matrices[0]) : multi_dot(matrices);
});
