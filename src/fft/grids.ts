// Transforms along several dimensions.
import { RuntimeError } from '../errors.js';
import { conj } from '../ops/complex.js';
import { complexTransform, halfTransform, realTransform } from '../ops/fft_transforms.js';
import { numelOf, type Tensor } from '../tensor.js';
import {
  checkAxes,
  type GridTransform,
  gridOf,
  halfGridOf,
  promoted,
  resized,
  scaleOf,
  transform,
} from './common.js';

type Sizes = number | readonly number[] | null;
type Impl = (x: Tensor, s: Sizes, dim: Sizes, norm: string | null) => Tensor;

const ALL = 'Tensor input, int[1]? s=None, int[1]? dim=None, str? norm=None, *, Tensor? out=None';
const TWO = 'Tensor input, int[1]? s=None, int[1]? dim=[-2, -1], str? norm=None, *, Tensor? out=None';

/** The transform over all dimensions (or those named), and the one over two of them. */
function both(name: string, kind: 'complex' | 'real', impl: Impl): [GridTransform, GridTransform] {
  return [transform(`${name}n`, ALL, kind, impl), transform(`${name}2`, TWO, kind, impl)];
}

const complexGrid =
  (inverse: boolean): Impl =>
  (input, s, dim, norm) => {
    const { dims, sizes } = gridOf(input, s, dim);
    const x = resized(promoted(input, true), dims, sizes);
    return complexTransform(x, dims, scaleOf(norm, inverse, numelOf(sizes)), inverse);
  };

const realGrid: Impl = (input, s, dim, norm) => {
  if (input.dtype.is_complex)
    throw new RuntimeError(`rfftn expects a real-valued input tensor, but got ${input.dtype.scalarName}`);
  const { dims, sizes } = gridOf(input, s, dim);
  checkAxes('rfftn', dims);
  const x = resized(promoted(input), dims, sizes);
  return realTransform(x, dims, scaleOf(norm, false, numelOf(sizes)));
};

const halfGrid: Impl = (input, s, dim, norm) => {
  const { dims, sizes, last } = halfGridOf('irfftn', input, s, dim);
  const x = resized(promoted(input, true), dims, sizes);
  return halfTransform(x, dims, last, scaleOf(norm, true, numelOf(sizes.slice(0, -1)) * last));
};

const hermitianGrid: Impl = (input, s, dim, norm) => {
  const { dims, sizes, last } = halfGridOf('hfftn', input, s, dim);
  let x = resized(promoted(input, true), dims, sizes);
  const others = dims.slice(0, -1);
  if (others.length > 0)
    x = complexTransform(x, others, scaleOf(norm, false, numelOf(sizes.slice(0, -1))), false);
  return halfTransform(conj(x), dims.slice(-1), last, scaleOf(norm, false, last));
};

const inverseHermitianGrid: Impl = (input, s, dim, norm) => {
  const { dims, sizes } = gridOf(input, s, dim);
  checkAxes('ihfftn', dims);
  if (input.dtype.is_complex)
    throw new RuntimeError(`Only supports floating-point dtypes, but found: ${input.dtype.scalarName}`);
  const x = resized(promoted(input), dims, sizes);
  const half = conj(realTransform(x, dims.slice(-1), scaleOf(norm, true, sizes[sizes.length - 1])));
  const others = dims.slice(0, -1);
  if (others.length === 0) return half;
  return complexTransform(half, others, scaleOf(norm, true, numelOf(sizes.slice(0, -1))), true);
};

const complexForms = both('fft', 'complex', complexGrid(false));
const inverseForms = both('ifft', 'complex', complexGrid(true));
const realForms = both('rfft', 'complex', realGrid);
const halfForms = both('irfft', 'real', halfGrid);
const hermitianForms = both('hfft', 'real', hermitianGrid);
const inverseHermitianForms = both('ihfft', 'complex', inverseHermitianGrid);

/**
 * The Fourier transform along the dimensions `dim` (all by default; with `s` alone, the last ones). Complex.
 * @throws RuntimeError for half precision, repeated dimensions, or no points.
 */
export const fftn: GridTransform = complexForms[0];
/** {@link fftn} along two dimensions, the last two by default. */
export const fft2: GridTransform = complexForms[1];
/** The inverse of {@link fftn}. */
export const ifftn: GridTransform = inverseForms[0];
/** The inverse of {@link fft2}. */
export const ifft2: GridTransform = inverseForms[1];
/** {@link fftn} of a real signal: half the spectrum along the last of the dimensions. */
export const rfftn: GridTransform = realForms[0];
/** {@link rfftn} along two dimensions, the last two by default. */
export const rfft2: GridTransform = realForms[1];
/** The inverse of {@link rfftn}: real; the last length is 2 (size - 1) by default. */
export const irfftn: GridTransform = halfForms[0];
/** {@link irfftn} along two dimensions, the last two by default. */
export const irfft2: GridTransform = halfForms[1];
/** {@link fftn} of a signal of which `input` is one half, the other one its conjugate mirror image: real. */
export const hfftn: GridTransform = hermitianForms[0];
/** {@link hfftn} along two dimensions, the last two by default. */
export const hfft2: GridTransform = hermitianForms[1];
/** The inverse of {@link hfftn}, of a real signal. */
export const ihfftn: GridTransform = inverseHermitianForms[0];
/** {@link ihfftn} along two dimensions, the last two by default. */
export const ihfft2: GridTransform = inverseHermitianForms[1];
