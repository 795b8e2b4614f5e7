// Transforms along one dimension.
import { RuntimeError } from '../errors.js';
import { conj } from '../ops/complex.js';
import { complexTransform, halfTransform, realToComplex, realTransform } from '../ops/fft_transforms.js';
import type { Tensor } from '../tensor.js';
import { checkPoints, dimOf, type LineTransform, promoted, resized, scaleOf, transform } from './common.js';

const SCHEMA = 'Tensor input, int? n=None, int dim=-1, str? norm=None, *, Tensor? out=None';

const complexLine =
  (inverse: boolean) =>
  (input: Tensor, n: number | null, dim: number, norm: string | null): Tensor => {
    const whole = promoted(input);
    const d = dimOf(whole, dim);
    const points = n ?? whole.shape[d];
    checkPoints(points);
    const x = resized(whole, [d], [points]);
    const scale = scaleOf(norm, inverse, points);
    if (x.dtype.is_complex) return complexTransform(x, [d], scale, inverse);
    const out = realToComplex(x, d, scale);
    return inverse ? conj(out) : out;
  };

const realLine =
  (name: string, inverse: boolean) =>
  (input: Tensor, n: number | null, dim: number, norm: string | null): Tensor => {
    if (input.dtype.is_complex)
      throw new RuntimeError(`${name} expects a real input tensor, but got ${input.dtype.scalarName}`);
    const whole = promoted(input);
    const d = dimOf(whole, dim);
    const points = n ?? whole.shape[d];
    checkPoints(points);
    const out = realTransform(resized(whole, [d], [points]), [d], scaleOf(norm, inverse, points));
    return inverse ? conj(out) : out;
  };

const halfLine =
  (forward: boolean) =>
  (input: Tensor, n: number | null, dim: number, norm: string | null): Tensor => {
    const whole = promoted(input, true);
    const d = dimOf(whole, dim);
    const points = n ?? 2 * (whole.shape[d] - 1);
    checkPoints(points);
    const x = n === null ? whole : resized(whole, [d], [Math.floor(n / 2) + 1]);
    return halfTransform(forward ? conj(x) : x, [d], points, scaleOf(norm, !forward, points));
  };

/**
 * The discrete Fourier transform along `dim`: `sum_j x_j exp(-2 pi i j k / n)`. Complex; integers become the default dtype.
 *
 *     torch.fft.fft(torch.tensor([1, 0, 0, 0]))
 *     // tensor([1.+0.j, 1.-0.j, 1.+0.j, 1.+0.j])
 *
 * @throws RuntimeError for half precision, no points, or an unknown `norm`.
 */
export const fft: LineTransform = transform('fft', SCHEMA, 'complex', complexLine(false));
/** The inverse of {@link fft}. */
export const ifft: LineTransform = transform('ifft', SCHEMA, 'complex', complexLine(true));
/**
 * {@link fft} of a real signal: the first n / 2 + 1 elements, of which the others are mirror images.
 *
 *     torch.fft.rfft(torch.tensor([1, 2, 3, 4]))
 *     // tensor([10.+0.j, -2.+2.j, -2.+0.j])
 */
export const rfft: LineTransform = transform('rfft', SCHEMA, 'complex', realLine('rfft', false));
/** The inverse of {@link rfft}: a real signal of n elements, 2 (size - 1) by default. */
export const irfft: LineTransform = transform('irfft', SCHEMA, 'real', halfLine(false));
/** {@link fft} of a signal of which `input` is the first half and the other one its conjugate mirror image: real. */
export const hfft: LineTransform = transform('hfft', SCHEMA, 'real', halfLine(true));
/** The inverse of {@link hfft}: half the spectrum of a real signal. */
export const ihfft: LineTransform = transform('ihfft', SCHEMA, 'complex', realLine('ihfft', true));
