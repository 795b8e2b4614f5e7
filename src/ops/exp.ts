// Exponentials and logarithms. Integers promote to the default float.
import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { resultType } from '../dispatch/promotion.js';
import { type Expr, e } from '../expr.js';
import { Tensor } from '../tensor.js';
import {
  binary,
  fastChoice,
  type InPlaceOp,
  type Operand,
  type Out,
  type PointwiseCall,
  pointwiseForms,
  tensorBinary,
  unary,
} from './define.js';

const real = (name: string, spec: PointwiseSpec): InPlaceOp<[options?: Out], Tensor> =>
  unary(name, { types: 'float', complex: true, ...spec });

/**
 * e^input.
 *
 *     torch.exp(torch.tensor([0, 1]))
 *     // tensor([1.0000, 2.7183])
 */
export const exp = real('exp', {
  forward: (x) => e.exp(x),
  derivative: ({ grad, result }) => [e.mul(grad, e.conj(result))],
});
/** 2^input. */
export const exp2 = real('exp2', {
  forward: (x) => e.exp2(x),
  derivative: ({ grad, result }) => [e.mul(grad, e.mul(e.conj(result), Math.LN2))],
});
/** e^input - 1, exact near zero. */
export const expm1 = real('expm1', {
  forward: (x) => e.expm1(x),
  derivative: ({ grad, result }) => [e.mul(grad, e.add(e.conj(result), 1))],
});
/**
 * Natural logarithm.
 *
 *     torch.tensor([1, Math.E]).log()
 *     // tensor([0., 1.])
 */
export const log = real('log', {
  forward: (x) => e.log(x),
  derivative: ({ grad, x }) => [e.div(grad, e.conj(x))],
});
/** Logarithm to the base 2. */
export const log2 = real('log2', {
  forward: (x) => e.log2(x),
  derivative: ({ grad, x }) => [e.div(grad, e.mul(e.conj(x), Math.LN2))],
});
/** Logarithm to the base 10. */
export const log10 = real('log10', {
  forward: (x) => e.log10(x),
  derivative: ({ grad, x }) => [e.div(grad, e.mul(e.conj(x), Math.LN10))],
});
/** log(1 + input), exact near zero. */
export const log1p = real('log1p', {
  node: 'Log1PBackward0',
  forward: (x) => e.log1p(x),
  derivative: ({ grad, x }) => [e.div(grad, e.conj(e.add(x, 1)))],
});

/** `max(x, y)` plus the rest of a logarithm of a sum; equal infinities stay. */
const joined = (x: Expr, y: Expr, rest: (distance: Expr) => Expr): Expr =>
  e.select(e.mand(e.isinf(x), e.eq(x, y)), x, e.add(e.max(x, y), rest(e.abs(e.sub(x, y)))));

/** The same of complex numbers, of which the one with the larger real part is the larger. */
const complexLogSum = new PointwiseOp('logaddexp', {
  types: 'real',
  complex: true,
  tensorsOnly: true,
  forward: (x, y) => {
    const [low, high] = [e.select(e.lt(x, y), x, y), e.select(e.lt(x, y), y, x)];
    return e.add(high, e.log1p(e.exp(e.sub(low, high))));
  },
  derivative: ({ grad, x, y }) => [
    e.div(grad, e.conj(e.add(1, e.exp(e.sub(y, x))))),
    e.div(grad, e.conj(e.add(1, e.exp(e.sub(x, y))))),
  ],
});
const realLogSum = new PointwiseOp('logaddexp', {
  types: 'real',
  tensorsOnly: true,
  forward: (x, y) => joined(x, y, (d) => e.log1p(e.exp(e.neg(d)))),
  derivative: ({ grad, x, y }) => [e.mul(grad, e.sigmoid(e.sub(x, y))), e.mul(grad, e.sigmoid(e.sub(y, x)))],
});
const logSum = (x: Operand, y: Operand): PointwiseCall => [
  resultType([x, y]).is_complex ? complexLogSum : realLogSum,
  x,
  y,
];
/** log(exp(input) + exp(other)), without overflow. */
export const logaddexp: InPlaceOp<[other: Tensor, options?: Out], Tensor> = pointwiseForms(
  'logaddexp',
  'Tensor self, Tensor other, *, Tensor? out=None',
  logSum,
  {
    ...fastChoice(logSum),
    numbers: false,
  },
);
/** log2(2^input + 2^other), without overflow. */
export const logaddexp2 = tensorBinary('logaddexp2', {
  types: 'real',
  forward: (x, y) => joined(x, y, (d) => e.mul(e.log1p(e.exp2(e.neg(d))), Math.LOG2E)),
  derivative: ({ grad, x, y }) => [
    e.mul(grad, e.sigmoid(e.mul(e.sub(x, y), Math.LN2))),
    e.mul(grad, e.sigmoid(e.mul(e.sub(y, x), Math.LN2))),
  ],
});

/** `input * log(other)`, 0 where input is 0 (NaN where other is NaN). */
export const xlogy = binary('xlogy', {
  types: 'float',
  node: ([x, y]) =>
    x instanceof Tensor ? (y instanceof Tensor ? 'XlogyBackward0' : 'XlogyBackward2') : 'XlogyBackward1',
  forward: (x, y) => timesOrZero(x, y, e.log(y)),
  derivative: ({ grad, x, y }) => [
    e.select(e.mand(e.eq(x, 0), e.le(y, 0)), 0, linearTimes(grad, y, e.log(y))),
    e.div(e.mul(grad, x), y),
  ],
});

/** `x * value` where that is linear in x; 0 for a zero times infinity, NaN where y is. */
export function linearTimes(x: Expr, y: Expr, value: Expr): Expr {
  const infinite = e.isnan(e.sub(value, value));
  return e.select(e.isnan(y), Number.NaN, e.select(e.mand(e.eq(x, 0), infinite), 0, e.mul(x, value)));
}

/** `x * value`, 0 where x is 0 unless y is NaN. */
export function timesOrZero(x: Expr, y: Expr, value: Expr): Expr {
  return e.select(e.isnan(y), Number.NaN, e.select(e.eq(x, 0), 0, e.mul(x, value)));
}
