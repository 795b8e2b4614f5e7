// Trigonometric and hyperbolic functions and their inverses. Integers promote to the default float.
import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { type Expr, e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { refuse } from './checks.js';
import { alias, type InPlaceOp, type Out, pointwiseForms, tensorBinary, unary } from './define.js';

const real = (name: string, spec: PointwiseSpec): InPlaceOp<[options?: Out], Tensor> =>
  unary(name, { types: 'float', complex: true, ...spec });
const square = (x: Expr): Expr => e.mul(x, x);

/** Sine of radians. */
export const sin = real('sin', {
  forward: (x) => e.sin(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.conj(e.cos(x)))],
});
/** Cosine of radians. */
export const cos = real('cos', {
  forward: (x) => e.cos(x),
  derivative: ({ grad, x }) => [e.neg(e.mul(grad, e.conj(e.sin(x))))],
});
/** Tangent of radians. */
export const tan = real('tan', {
  forward: (x) => e.tan(x),
  derivative: ({ grad, result }) => [e.mul(grad, e.conj(e.add(1, square(result))))],
});
/** Arcsine, in radians. */
export const asin = real('asin', {
  forward: (x) => e.asin(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.conj(e.rsqrt(e.sub(1, square(x)))))],
});
/** Arccosine, in radians. */
export const acos = real('acos', {
  forward: (x) => e.acos(x),
  derivative: ({ grad, x }) => [e.neg(e.mul(grad, e.conj(e.rsqrt(e.sub(1, square(x))))))],
});
/** Arctangent, in radians. */
export const atan = real('atan', {
  forward: (x) => e.atan(x),
  derivative: ({ grad, x }) => [e.div(grad, e.conj(e.add(square(x), 1)))],
});
/** Hyperbolic sine. */
export const sinh = real('sinh', {
  forward: (x) => e.sinh(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.conj(e.cosh(x)))],
});
/** Hyperbolic cosine. */
export const cosh = real('cosh', {
  forward: (x) => e.cosh(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.conj(e.sinh(x)))],
});
/**
 * Hyperbolic tangent.
 *
 *     torch.tensor([-1, 0, 1]).tanh()
 *     // tensor([-0.7616,  0.0000,  0.7616])
 */
export const tanh = real('tanh', {
  forward: (x) => e.tanh(x),
  derivative: ({ grad, result }) => [e.mul(grad, e.conj(e.sub(1, square(result))))],
});
/** Inverse hyperbolic sine. */
export const asinh = real('asinh', {
  forward: (x) => e.asinh(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.conj(e.rsqrt(e.add(square(x), 1))))],
});
const realAcosh = new PointwiseOp('acosh', {
  types: 'float',
  forward: (x) => e.acosh(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.rsqrt(e.sub(square(x), 1)))],
});
// Two roots: that of x^2 - 1 is on the wrong branch left of the imaginary axis.
const complexAcosh = new PointwiseOp('acosh', {
  types: 'real',
  complex: true,
  forward: (x) => e.acosh(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.conj(e.mul(e.rsqrt(e.sub(x, 1)), e.rsqrt(e.add(x, 1)))))],
});
/** Inverse hyperbolic cosine. */
export const acosh: InPlaceOp<[options?: Out], Tensor> = pointwiseForms(
  'acosh',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => [x.dtype.is_complex ? complexAcosh : realAcosh, x],
);
/** Inverse hyperbolic tangent. */
export const atanh = real('atanh', {
  forward: (x) => e.atanh(x),
  derivative: ({ grad, x }) => [e.div(grad, e.conj(e.sub(1, square(x))))],
});

/** The angle of the point (other, input), in (-pi, pi]. */
export const atan2 = tensorBinary('atan2', {
  types: 'float',
  forward: (y, x) => e.atan2(y, x),
  derivative: ({ grad, x, y }) => {
    // A zero radius has no angle: its gradient is 0.
    const radius = e.add(square(x), square(y));
    const scale = e.select(e.eq(radius, 0), 0, e.div(grad, radius));
    return [e.mul(scale, y), e.neg(e.mul(scale, x))];
  },
});

/** Degrees to radians. */
export const deg2rad = unary('deg2rad', {
  types: 'float',
  check: refuse({ complex: 'deg2rad is not supported for complex tensors.' }),
  forward: (x) => e.mul(x, Math.PI / 180),
  derivative: ({ grad }) => [e.mul(grad, Math.PI / 180)],
});
/** Radians to degrees. */
export const rad2deg = unary('rad2deg', {
  types: 'float',
  check: refuse({ complex: 'rad2deg is not supported for complex tensors.' }),
  forward: (x) => e.mul(x, 180 / Math.PI),
  derivative: ({ grad }) => [e.mul(grad, 180 / Math.PI)],
});

/** sin(pi x) / (pi x), 1 at zero. */
export const sinc = real('sinc', {
  forward: (x) => {
    const angle = e.mul(x, Math.PI);
    return e.select(e.eq(x, 0), 1, e.div(e.sin(angle), angle));
  },
  derivative: ({ grad, x }) => {
    const angle = e.mul(x, Math.PI);
    const slope = e.div(e.sub(e.mul(angle, e.cos(angle)), e.sin(angle)), e.mul(angle, x));
    return [e.select(e.eq(x, 0), 0, e.mul(grad, e.conj(slope)))];
  },
});

/** Alias of {@link asin}. */
export const arcsin = alias('arcsin', asin);
/** Alias of {@link acos}. */
export const arccos = alias('arccos', acos);
/** Alias of {@link atan}. */
export const arctan = alias('arctan', atan);
/** Alias of {@link atan2}. */
export const arctan2 = alias('arctan2', atan2);
/** Alias of {@link asinh}. */
export const arcsinh = alias('arcsinh', asinh);
/** Alias of {@link acosh}. */
export const arccosh = alias('arccosh', acosh);
/** Alias of {@link atanh}. */
export const arctanh = alias('arctanh', atanh);
