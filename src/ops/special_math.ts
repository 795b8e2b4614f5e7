// Error, gamma and Bessel functions of the torch namespace. Integers promote to the default float.

import { record } from '../autograd/graph.js';
import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { bool } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { type InPlaceOp, type Op, type Out, op, pointwiseForms, tensorBinary, unary } from './define.js';

const real = (name: string, spec: PointwiseSpec): InPlaceOp<[options?: Out], Tensor> =>
  unary(name, { types: 'float', kernelName: `${name}_vml_cpu`, ...spec });
const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** Error function. */
export const erf = real('erf', {
  forward: (x) => e.erf(x),
  derivative: ({ grad, x }) => [e.mul(e.mul(TWO_OVER_ROOT_PI, e.exp(e.neg(e.mul(x, x)))), grad)],
});
/** 1 - erf(input), exact in the tail. */
export const erfc = real('erfc', {
  forward: (x) => e.erfc(x),
  derivative: ({ grad, x }) => [e.mul(e.mul(-TWO_OVER_ROOT_PI, e.exp(e.neg(e.mul(x, x)))), grad)],
});
/** Inverse of {@link erf}. */
export const erfinv = real('erfinv', {
  forward: (x) => e.erfinv(x),
  derivative: ({ grad, result }) => [e.mul(e.mul(1 / TWO_OVER_ROOT_PI, e.exp(e.mul(result, result))), grad)],
});
/** Logarithm of the magnitude of the gamma function. */
export const lgamma = real('lgamma', {
  forward: (x) => e.lgamma(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.digamma(x))],
});
/** Logarithmic derivative of the gamma function. */
export const digamma = real('digamma', {
  kernelName: 'digamma',
  forward: (x) => e.digamma(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.polygamma(1, x))],
});
/** Modified Bessel function of the first kind of order 0. */
export const i0 = real('i0', {
  forward: (x) => e.i0(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.i1(x))],
});

const polygammaOp = new PointwiseOp('polygamma', {
  types: 'float',
  kernelName: 'polygamma',
  forward: (n, x) => e.polygamma(n, x),
  derivative: ({ grad, x, y }) => [null, e.mul(grad, e.polygamma(e.add(x, 1), y))],
});

/** @internal The derivative of order n >= 0 of digamma. */
export function polygammaOf(n: number, x: Tensor): Tensor {
  return polygammaOp.call([n, x]);
}

type Polygamma = (n: number, input: Tensor, options?: Out) => Tensor;

/** The derivative of order n of {@link digamma}: `torch.polygamma(n, x)` or `x.polygamma(n)`. @throws RuntimeError for negative n. */
export const polygamma: Polygamma & Op<[n: number], Tensor> = op(
  'polygamma',
  'int n, Tensor self, *, Tensor? out=None',
  (n: number, x: Tensor) => {
    if (n < 0) throw new RuntimeError('polygamma(n, x) does not support negative n.');
    return polygammaOp.call([n, x]);
  },
  { self: 1 },
);

/** f(x) + f(x - 1/2) + ... of p terms. */
function sumOfShifts(f: (x: Tensor) => Tensor, x: Tensor, p: number): Tensor {
  let total = f(x);
  for (let i = 1; i < p; i++) total = add(total, f(sub(x, i / 2)));
  return total;
}

/** Logarithm of the multivariate gamma function of dimension p. @throws RuntimeError for bool tensors. */
export const mvlgamma: InPlaceOp<[p: number, options?: Out], Tensor> = op(
  'mvlgamma',
  'Tensor self, int p, *, Tensor? out=None',
  (x: Tensor, p: number) => {
    if (x.dtype === bool) throw new RuntimeError('The input tensor may not be a boolean tensor.');
    if (p < 1) throw new RuntimeError('p has to be greater than or equal to 1');
    if (p > 2 ** 20) throw new RuntimeError(`p is too large: ${p} terms would have to be added`);
    const out = add(sumOfShifts(lgamma, x.detach(), p), (p * (p - 1) * Math.log(Math.PI)) / 4);
    record('MvlgammaBackward0', [x], [out], (save) => {
      const saved = save(x);
      return ([grad]) => [grad === null ? null : mul(grad, sumOfShifts(digamma, saved(), p))];
    });
    return out;
  },
  { inPlace: true },
);

const incomplete = (
  name: 'igamma' | 'igammac',
  sign: 1 | -1,
): InPlaceOp<[other: Tensor, options?: Out], Tensor> =>
  tensorBinary(name, {
    types: 'real',
    forward: (a, x) => e[name](a, x),
    derivative: ({ grad, x, y }) => {
      const slope = e.mul(grad, e.exp(e.sub(e.sub(e.mul(e.sub(x, 1), e.log(y)), y), e.lgamma(x))));
      return [null, sign === 1 ? slope : e.neg(slope)];
    },
  });
/** Regularized lower incomplete gamma function. No gradient for `input`. */
export const igamma = incomplete('igamma', 1);
/** Regularized upper incomplete gamma function. No gradient for `input`. */
export const igammac = incomplete('igammac', -1);

const logitPlain = new PointwiseOp('logit', {
  types: 'float',
  forward: (x) => e.log(e.div(x, e.sub(1, x))),
  derivative: ({ grad, x }) => [
    e.select(e.mand(e.ge(x, 0), e.le(x, 1)), e.div(grad, e.mul(x, e.sub(1, x))), Number.NaN),
  ],
});
const logitClamped = new PointwiseOp('logit', {
  types: 'float',
  forward: (x, eps) => {
    const high = e.sub(1, eps);
    const z = e.select(e.lt(x, eps), eps, e.select(e.gt(x, high), high, x));
    return e.log(e.div(z, e.sub(1, z)));
  },
  derivative: ({ grad, x, y }) => [
    e.select(e.mand(e.ge(x, y), e.le(x, e.sub(1, y))), e.div(grad, e.mul(x, e.sub(1, x))), 0),
    null,
  ],
});

/** log(x / (1 - x)); with `eps`, x is first limited to [eps, 1 - eps]. */
export const logit: InPlaceOp<
  [eps?: number | null, options?: Out] | [options: Out & { eps?: number }],
  Tensor
> = pointwiseForms(
  'logit',
  'Tensor self, float? eps=None, *, Tensor? out=None',
  (x: Tensor, eps: number | null) => (eps === null || eps < 0 ? [logitPlain, x] : [logitClamped, x, eps]),
);
