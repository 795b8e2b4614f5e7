// The three Fourier transforms over some dimensions, with their derivatives: what torch.fft is made of.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { float64 } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { mul } from './arithmetic.js';
import { castTo, clone } from './copy.js';
import { Kind, runTransform } from './fft_plan.js';
import { slice } from './view.js';
import { real } from './view_dtype.js';

type Dims = readonly number[];

/** Transforms `out` in place along the given dimensions. */
function transformInPlace(out: Tensor, dims: Dims, inverse: boolean): Tensor {
  for (const d of dims) runTransform(Kind.complex, out, out, d, out.shape[d], inverse, 1);
  return out;
}

/** The complex transform of a complex tensor, times `scale`. Dimensions are not negative and differ. */
export function complexTransform(x: Tensor, dims: Dims, scale: number, inverse: boolean): Tensor {
  if (dims.length === 0) return clone(x);
  const out = empty(x.shape, x.dtype, x.device);
  const [last] = dims.slice(-1);
  runTransform(Kind.complex, out, x, last, x.shape[last], inverse, scale);
  transformInPlace(out, dims.slice(0, -1), inverse);
  record('FftC2CBackward0', [x], [out], () => ([g]) => [
    g === null ? null : complexTransform(g, dims, scale, !inverse),
  ]);
  return out;
}

/** Weights of half a spectrum's elements along d: 1 for those that are their own mirror image, `inner` for the others. */
function mirrorWeights(half: Tensor, d: number, n: number, inner: number): Tensor {
  const shape = half.shape.map((size, i) => (i === d ? size : 1));
  const values = new Float64Array(shape[d]).fill(inner);
  values[0] = 1;
  if (n % 2 === 0) values[n / 2] = 1;
  const wide = empty(shape, float64, half.device);
  backendOf(half.device.type).write(wide, values);
  return castTo(wide, half.dtype.to_real());
}

const withSize = (shape: readonly number[], d: number, size: number): number[] =>
  shape.map((old, i) => (i === d ? size : old));

/** The transform of a real tensor: half its spectrum along the last of the dimensions. */
export function realTransform(x: Tensor, dims: Dims, scale: number): Tensor {
  const [d] = dims.slice(-1);
  const n = x.shape[d];
  const out = empty(withSize(x.shape, d, Math.floor(n / 2) + 1), x.dtype.to_complex(), x.device);
  runTransform(Kind.realToHalf, out, x, d, n, false, scale);
  transformInPlace(out, dims.slice(0, -1), false);
  record('FftR2CBackward0', [x], [out], () => ([g]) => [
    g === null ? null : halfTransform(mul(g, mirrorWeights(g, d, n, 0.5)), dims, n, scale),
  ]);
  return out;
}

/** The real tensor whose spectrum, along the last of the dimensions, has x as its half; the inverse transform. */
export function halfTransform(x: Tensor, dims: Dims, n: number, scale: number): Tensor {
  const d = dims[dims.length - 1];
  const out = empty(withSize(x.shape, d, n), x.dtype.to_real(), x.device);
  let spectrum = x;
  if (dims.length > 1) spectrum = transformInPlace(clone(x.detach()).contiguous(), dims.slice(0, -1), true);
  runTransform(Kind.halfToReal, out, spectrum, d, n, false, scale);
  record('FftC2RBackward0', [x], [out], () => ([g]) => {
    if (g === null) return [null];
    const half = realTransform(g, dims, scale);
    return [mul(half, mirrorWeights(half, d, n, 2))];
  });
  return out;
}

/** The whole spectrum of a real tensor along d. */
export function realToComplex(x: Tensor, d: number, scale: number): Tensor {
  const n = x.shape[d];
  const half = Math.floor(n / 2) + 1;
  const out = empty(x.shape, x.dtype.to_complex(), x.device);
  const first = slice(out, d, 0, half);
  runTransform(Kind.realToHalf, first, x.detach(), d, n, false, scale);
  if (out._numel > 0) backendOf(out.device.type).launch('fft_mirror', out, d);
  record('FftR2CBackward0', [x], [out], () => ([g]) => [
    g === null ? null : real(complexTransform(g, [d], scale, true)),
  ]);
  return out;
}
