// The older spellings in the torch namespace, which are also methods, of torch.linalg's QR, SVD and pseudoinverse.
import { RuntimeError } from '../errors.js';
import { checkKernel } from '../linalg/matrices.js';
import { pseudoInverse } from '../linalg/pinv.js';
import { decomposeQR, householderProduct, ormqrOf, reflectorsOf } from '../linalg/qr.js';
import { decomposeSVD } from '../linalg/svd.js';
import type { Tensor } from '../tensor.js';
import { warnOnce } from '../warnings.js';
import { zeros } from './create.js';
import { type Op, type Out, op } from './define.js';
import { type NamedTuple, namedTuple } from './named.js';
import { derivativeMissing } from './notdiff.js';
import { transpose } from './view.js';

type QROptions = { some?: boolean; out?: readonly [Q: Tensor, R: Tensor] };
const qrTuple = namedTuple('qr', 'Q', 'R');

/** The QR decomposition of matrices; `some` false gives a square Q. Deprecated: see `torch.linalg.qr`. */
export const qr: Op<[some?: boolean, options?: QROptions] | [options: QROptions], NamedTuple<'Q' | 'R'>> = op(
  'qr',
  'Tensor self, bool some=True, *, Tensor[]? out=None',
  (A: Tensor, some: boolean) => {
    warnOnce(
      "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release.\nThe boolean parameter 'some' has been replaced with a string parameter 'mode'.\nQ, R = torch.qr(A, some)\nshould be replaced with\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')",
    );
    return qrTuple(...decomposeQR(A, some ? 'reduced' : 'complete'));
  },
  { exactOut: 'dtype' },
);

type SVDOptions = {
  some?: boolean;
  compute_uv?: boolean;
  out?: readonly [U: Tensor, S: Tensor, V: Tensor];
};
const svdTuple = namedTuple('svd', 'U', 'S', 'V');

/**
 * The singular value decomposition A = U @ diag(S) @ V^H of matrices [*, m, n]: by default with as many columns of U and V
 * as singular values; without `compute_uv`, U and V are zeros. See `torch.linalg.svd`, which gives V^H instead.
 */
export const svd: Op<
  | [some?: boolean, compute_uv?: boolean, options?: SVDOptions]
  | [some: boolean, options: SVDOptions]
  | [options: SVDOptions],
  NamedTuple<'U' | 'S' | 'V'>
> = op(
  'svd',
  'Tensor self, bool some=True, bool compute_uv=True, *, Tensor[]? out=None',
  (A: Tensor, some: boolean, vectors: boolean) => {
    const n = A.shape.length;
    if (n < 2)
      throw new RuntimeError(
        `linalg.svd: input should have at least 2 dimensions, but has ${n} dimensions instead`,
      );
    if (!vectors) {
      const batch = A.shape.slice(0, -2);
      const square = (size: number): Tensor =>
        zeros([...batch, size, size], { dtype: A.dtype, device: A.device });
      return svdTuple(square(A.shape[n - 2]), decomposeSVD(A, false, false).S, square(A.shape[n - 1]));
    }
    const { U, S, Vh } = decomposeSVD(A, !some);
    return svdTuple(U as Tensor, S, transpose(Vh as Tensor, -2, -1).conj());
  },
  { exactOut: 'dtype' },
);

const geqrfTuple = namedTuple('geqrf', 'a', 'tau');

/**
 * The QR decomposition of matrices [*, m, n] as LAPACK keeps it: R on and above the diagonal of `a`, below it the tails of
 * the Householder reflectors whose factors are in `tau`. See {@link orgqr}. Not differentiable.
 */
export const geqrf: Op<[options?: { out?: readonly [a: Tensor, tau: Tensor] }], NamedTuple<'a' | 'tau'>> = op(
  'geqrf',
  'Tensor self, *, Tensor[]? out=None',
  (A: Tensor) => {
    if (A.shape.length < 2) throw new RuntimeError('torch.geqrf: input must have at least 2 dimensions.');
    checkKernel(A, 'geqrf_cpu');
    const [a, tau] = reflectorsOf(A);
    derivativeMissing('GeqrfBackward0', 'geqrf', A, [a, tau]);
    return geqrfTuple(a, tau);
  },
);

/** The first columns of the product of Householder reflectors. See `torch.linalg.householder_product`. */
export const orgqr: Op<[tau: Tensor, options?: Out], Tensor> = op(
  'orgqr',
  'Tensor self, Tensor tau, *, Tensor? out=None',
  householderProduct,
);

type OrmqrOptions = Out & { left?: boolean; transpose?: boolean };

/**
 * Q @ other, for the square Q that the Householder reflectors in the matrix and their factors tau stand for (see
 * {@link geqrf}); with `transpose` Q^H, with `left` false from the right.
 * @throws RuntimeError when shapes or dtypes do not fit.
 */
export const ormqr: Op<
  | [tau: Tensor, other: Tensor, left?: boolean, transpose?: boolean, options?: Out]
  | [tau: Tensor, other: Tensor, left: boolean, options: OrmqrOptions]
  | [tau: Tensor, other: Tensor, options: OrmqrOptions],
  Tensor
> = op(
  'ormqr',
  'Tensor self, Tensor tau, Tensor other, bool left=True, bool transpose=False, *, Tensor? out=None',
  ormqrOf,
);

/** The pseudoinverse of matrices. See `torch.linalg.pinv`. */
export const pinverse: Op<[rcond?: number] | [options: { rcond?: number }], Tensor> = op(
  'pinverse',
  'Tensor self, float rcond=1e-15',
  (A: Tensor, rcond: number) => pseudoInverse(A, 0, rcond),
);
