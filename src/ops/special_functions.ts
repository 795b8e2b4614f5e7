// The functions of torch.special that the torch namespace lacks. Integers promote to the default float.
import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { type Expr, e, type Prim } from '../expr.js';
import { Tensor } from '../tensor.js';
import { type Operand, type Out, pointwiseForms } from './define.js';
import { linearTimes, timesOrZero } from './exp.js';

/** A function of one tensor. */
export type Special = (input: Tensor, options?: Out) => Tensor;
/** A function of two tensors, either of which may be a number. */
export type SpecialPair = (input: Operand, other: Operand, options?: Out) => Tensor;

function one(name: string, spec: PointwiseSpec): Special {
  const record = new PointwiseOp(`special_${name}`, { types: 'float', kernelName: `${name}_cpu`, ...spec });
  return pointwiseForms(`special.${name}`, 'Tensor self, *, Tensor? out=None', (x) => [record, x], record);
}

function two(
  name: string,
  spec: PointwiseSpec,
  names: readonly [string, string] = ['self', 'other'],
): SpecialPair {
  const record = new PointwiseOp(`special_${name}`, { types: 'float', kernelName: `${name}_cpu`, ...spec });
  return pointwiseForms(
    `special.${name}`,
    `Operand ${names[0]}, Operand ${names[1]}, *, Tensor? out=None`,
    (x, y) => [record, x, y],
    record,
  );
}

const ROOT_HALF = Math.SQRT1_2;
const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

/**
 * Entropy of a number: -x log(x), 0 at 0, -inf below.
 *
 *     torch.special.entr(torch.tensor([0, 0.5, 1]))
 *     // tensor([0.0000, 0.3466, -0.0000])
 */
export const entr = one('entr', {
  forward: (x) =>
    e.select(
      e.isnan(x),
      x,
      e.select(e.gt(x, 0), e.mul(e.neg(x), e.log(x)), e.select(e.eq(x, 0), 0, Number.NEGATIVE_INFINITY)),
    ),
  derivative: ({ grad, x }) => [e.mul(grad, e.sub(-1, e.log(x)))],
});
/** exp(x^2) erfc(x). */
export const erfcx = one('erfcx', {
  forward: (x) => e.erfcx(x),
  derivative: ({ grad, result, x }) => [
    e.mul(e.sub(e.mul(e.mul(2, x), result), 2 / Math.sqrt(Math.PI)), grad),
  ],
});
/** exp(-|x|) i0(x). */
export const i0e = one('i0e', {
  node: 'SpecialI0EBackward0',
  forward: (x) => e.i0e(x),
  derivative: ({ grad, result, x }) => [e.mul(grad, e.sub(e.i1e(x), e.mul(e.sign(x), result)))],
});
/** Modified Bessel function of the first kind of order 1. */
export const i1 = one('i1', {
  forward: (x) => e.i1(x),
  derivative: ({ grad, result, x }) => {
    const { tiny, safe } = awayFromZero(x);
    return [e.mul(grad, e.select(tiny, 0.5, e.sub(e.i0(safe), e.div(result, safe))))];
  },
});
/** exp(-|x|) i1(x). */
export const i1e = one('i1e', {
  node: 'SpecialI1EBackward0',
  forward: (x) => e.i1e(x),
  derivative: ({ grad, result, x }) => {
    const { tiny, safe } = awayFromZero(x);
    return [
      e.mul(
        grad,
        e.select(tiny, 0.5, e.sub(e.i0e(safe), e.mul(result, e.add(e.sign(safe), e.reciprocal(safe))))),
      ),
    ];
  },
});
/** Where x is too close to zero (or NaN) to divide by, and an x that is not. */
function awayFromZero(x: Expr): { tiny: Expr; safe: Expr } {
  const tiny = e.mnot(e.gt(e.abs(x), 2 ** -52));
  return { tiny, safe: e.select(tiny, 1, x) };
}

/** Area under the standard normal density up to x. */
export const ndtr = one('ndtr', {
  kernelName: 'erf_vml_cpu',
  node: 'MulBackward1',
  forward: (x) => e.mul(0.5, e.erfc(e.mul(x, -ROOT_HALF))),
  derivative: ({ grad, x }) => [e.mul(grad, e.mul(1 / ROOT_TWO_PI, e.exp(e.mul(-0.5, e.mul(x, x)))))],
});
/** The inverse of {@link ndtr}. */
export const ndtri = one('ndtri', {
  forward: (x) => e.ndtri(x),
  derivative: ({ grad, result }) => [
    e.mul(grad, e.mul(ROOT_TWO_PI, e.exp(e.mul(0.5, e.mul(result, result))))),
  ],
});
/** Logarithm of {@link ndtr}, exact in the tail. */
export const log_ndtr = one('log_ndtr', {
  forward: (x) => e.log_ndtr(x),
  derivative: ({ grad, result, x }) => {
    // The density over its integral: by erfcx below zero, where both vanish; above, by their logarithms.
    const below = e.lt(x, 0);
    const tail = e.div(Math.sqrt(2 / Math.PI), e.erfcx(e.mul(e.select(below, x, 0), -ROOT_HALF)));
    const body = e.mul(1 / ROOT_TWO_PI, e.exp(e.neg(e.add(result, e.mul(0.5, e.mul(x, x))))));
    return [e.mul(grad, e.select(below, tail, body))];
  },
});

/** `input * log1p(other)`, 0 where input is 0 (NaN where other is NaN). */
export const xlog1py = two('xlog1py', {
  node: ([x, y]) =>
    x instanceof Tensor
      ? y instanceof Tensor
        ? 'SpecialXlog1PyBackward0'
        : 'SpecialXlog1PyBackward2'
      : 'SpecialXlog1PyBackward1',
  forward: (x, y) => timesOrZero(x, y, e.log1p(y)),
  derivative: ({ grad, x, y }) => [
    e.select(e.mand(e.eq(x, 0), e.le(y, -1)), 0, linearTimes(grad, y, e.log1p(y))),
    e.div(e.mul(grad, x), e.add(y, 1)),
  ],
});
/** Hurwitz zeta function. No gradient for `input`. */
export const zeta = two('zeta', {
  forward: (x, y) => e.zeta(x, y),
  derivative: ({ grad, x, y }) => [null, e.mul(grad, e.mul(e.neg(x), e.zeta(e.add(x, 1), y)))],
});

type Plain = Extract<Prim, `${string}bessel_${string}` | 'airy_ai'>;
const plain = (prim: Plain): Special => one(prim, { forward: (x) => e[prim](x) });

/** Bessel function of the first kind of order 0. */
export const bessel_j0 = plain('bessel_j0');
/** Bessel function of the first kind of order 1. */
export const bessel_j1 = plain('bessel_j1');
/** Bessel function of the second kind of order 0. */
export const bessel_y0 = plain('bessel_y0');
/** Bessel function of the second kind of order 1. */
export const bessel_y1 = plain('bessel_y1');
/** Modified Bessel function of the first kind of order 0. */
export const modified_bessel_i0 = plain('modified_bessel_i0');
/** Modified Bessel function of the first kind of order 1. */
export const modified_bessel_i1 = plain('modified_bessel_i1');
/** Modified Bessel function of the second kind of order 0. */
export const modified_bessel_k0 = plain('modified_bessel_k0');
/** Modified Bessel function of the second kind of order 1. */
export const modified_bessel_k1 = plain('modified_bessel_k1');
/** exp(x) modified_bessel_k0(x). */
export const scaled_modified_bessel_k0 = plain('scaled_modified_bessel_k0');
/** exp(x) modified_bessel_k1(x). */
export const scaled_modified_bessel_k1 = plain('scaled_modified_bessel_k1');
/** Spherical Bessel function of the first kind of order 0: sin(x) / x. */
export const spherical_bessel_j0 = plain('spherical_bessel_j0');
/** Airy function Ai. */
export const airy_ai = plain('airy_ai');

type Polynomial = Extract<Prim, `${string}polynomial_${string}`>;
const polynomial = (prim: Polynomial): SpecialPair =>
  two(prim, { forward: (x, n) => e[prim](x, n) }, ['input', 'n']);

/** Chebyshev polynomial of the first kind of degree n. */
export const chebyshev_polynomial_t = polynomial('chebyshev_polynomial_t');
/** Chebyshev polynomial of the second kind of degree n. */
export const chebyshev_polynomial_u = polynomial('chebyshev_polynomial_u');
/** Chebyshev polynomial of the third kind of degree n. */
export const chebyshev_polynomial_v = polynomial('chebyshev_polynomial_v');
/** Chebyshev polynomial of the fourth kind of degree n. */
export const chebyshev_polynomial_w = polynomial('chebyshev_polynomial_w');
/** {@link chebyshev_polynomial_t} of 2x - 1. */
export const shifted_chebyshev_polynomial_t = polynomial('shifted_chebyshev_polynomial_t');
/** {@link chebyshev_polynomial_u} of 2x - 1. */
export const shifted_chebyshev_polynomial_u = polynomial('shifted_chebyshev_polynomial_u');
/** {@link chebyshev_polynomial_v} of 2x - 1. */
export const shifted_chebyshev_polynomial_v = polynomial('shifted_chebyshev_polynomial_v');
/** {@link chebyshev_polynomial_w} of 2x - 1. */
export const shifted_chebyshev_polynomial_w = polynomial('shifted_chebyshev_polynomial_w');
/** Physicists' Hermite polynomial of degree n. */
export const hermite_polynomial_h = polynomial('hermite_polynomial_h');
/** Probabilists' Hermite polynomial of degree n. */
export const hermite_polynomial_he = polynomial('hermite_polynomial_he');
/** Laguerre polynomial of degree n. */
export const laguerre_polynomial_l = polynomial('laguerre_polynomial_l');
/** Legendre polynomial of degree n. */
export const legendre_polynomial_p = polynomial('legendre_polynomial_p');
