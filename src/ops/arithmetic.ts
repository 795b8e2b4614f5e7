// Arithmetic of one and two operands.
import type { Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { PointwiseOp } from '../dispatch/pointwise.js';
import { bool, complex128, type DType, float64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { constant, type Expr, e } from '../expr.js';
import { Tensor } from '../tensor.js';
import { checkDivisor, checkedAlpha, checkSubtraction, refuse } from './checks.js';
import { castTo } from './copy.js';
import {
  alias,
  binary,
  fastChoice,
  type InPlaceOp,
  type Op,
  type Operand,
  type Out,
  op,
  type PointwiseCall,
  pointwiseForms,
  tensorFirst,
  unary,
} from './define.js';

const sum = new PointwiseOp('add', {
  complex: true,
  forward: (x, y) => e.add(x, y),
  derivative: ({ grad }) => [grad, grad],
});
const scaledSum = new PointwiseOp('add', {
  deciding: 2,
  complex: true,
  forward: (x, y, alpha) => e.add(x, e.mul(y, alpha)),
  derivative: ({ grad, z }) => [grad, e.mul(grad, e.conj(z)), null],
});

/**
 * `input + alpha * other`, with broadcasting and type promotion.
 *
 *     torch.tensor([1, 2]).add(torch.tensor([10, 20]), { alpha: 2 })
 *     // tensor([21., 42.])
 */
export const add: InPlaceOp<[other: Operand, options?: Out & { alpha?: Scalar }], Tensor> = pointwiseForms(
  'add',
  'Operand self, Operand other, *, Scalar alpha=1, Tensor? out=None',
  (x: Operand, y: Operand, alpha: Scalar) =>
    alpha === 1 ? [sum, x, y] : [scaledSum, x, y, checkedAlpha(x, y, alpha)],
  sum,
);

const difference = new PointwiseOp('sub', {
  complex: true,
  check: checkSubtraction,
  forward: (x, y) => e.sub(x, y),
  derivative: ({ grad }) => [grad, e.neg(grad)],
});
const scaledDifference = new PointwiseOp('sub', {
  deciding: 2,
  complex: true,
  check: checkSubtraction,
  forward: (x, y, alpha) => e.sub(x, e.mul(y, alpha)),
  derivative: ({ grad, z }) => [grad, e.neg(e.mul(grad, e.conj(z))), null],
});

function subtractionAlpha(x: Operand, y: Operand, alpha: Scalar): Scalar {
  checkSubtraction(bool, [x, y]);
  return checkedAlpha(x, y, alpha);
}

/** `input - alpha * other`, with broadcasting and type promotion. @throws for bool tensors. */
export const sub: InPlaceOp<[other: Operand, options?: Out & { alpha?: Scalar }], Tensor> = pointwiseForms(
  'sub',
  'Operand self, Operand other, *, Scalar alpha=1, Tensor? out=None',
  (x: Operand, y: Operand, alpha: Scalar) =>
    alpha === 1 ? [difference, x, y] : [scaledDifference, x, y, subtractionAlpha(x, y, alpha)],
  difference,
);
/** Alias of {@link sub}. */
export const subtract = alias('subtract', sub);

const reverseDifference = new PointwiseOp('rsub', {
  deciding: 2,
  node: ([, y]) => (y instanceof Tensor ? 'RsubBackward0' : 'RsubBackward1'),
  complex: true,
  check: checkSubtraction,
  forward: (x, y, alpha) => e.sub(y, e.mul(x, alpha)),
  derivative: ({ grad, z }) => [e.neg(e.mul(grad, e.conj(z))), grad, null],
});

/** `other - alpha * input`. */
export const rsub: Op<[other: Operand, options?: { alpha?: Scalar }], Tensor> = op(
  'rsub',
  'Tensor self, Operand other, Scalar alpha=1',
  (x: Tensor, y: Operand, alpha: Scalar) => reverseDifference.call([x, y, subtractionAlpha(x, y, alpha)]),
);

/**
 * `input * other`, with broadcasting and type promotion.
 *
 *     torch.tensor([[1, 2], [3, 4]]).mul(torch.tensor([10, 100]))
 *     // tensor([[ 10., 200.],
 *     //         [ 30., 400.]])
 */
export const mul = binary('mul', {
  complex: true,
  forward: (x, y) => e.mul(x, y),
  derivative: ({ grad, x, y }) => [e.mul(grad, e.conj(y)), e.mul(grad, e.conj(x))],
});
/** Alias of {@link mul}. */
export const multiply = alias('multiply', mul);

const quotient = new PointwiseOp('div', {
  types: 'float',
  complex: true,
  forward: (x, y) => e.div(x, y),
  derivative: ({ grad, result, y }) => [e.div(grad, e.conj(y)), e.neg(e.mul(grad, e.conj(e.div(result, y))))],
});
const roundedQuotient = (rounding: 'trunc' | 'floor', name: string): PointwiseOp =>
  new PointwiseOp(name, {
    noBool: true,
    kernelName: `div_${rounding}_cpu`,
    node: 'DivBackward2',
    check: checkDivisor,
    forward: (x, y) => (rounding === 'trunc' ? e.trunc_div(x, y) : e.floor_div(x, y)),
    derivative: () => [constant(0), constant(0)],
  });
const truncatedQuotient = roundedQuotient('trunc', 'div');
const flooredQuotient = roundedQuotient('floor', 'div');

/** How a quotient is rounded: not at all, towards zero, or down. */
export type RoundingMode = 'trunc' | 'floor' | null;

function chooseQuotient(x: Operand, y: Operand, rounding: RoundingMode): PointwiseCall {
  if (rounding === null) return [quotient, x, y];
  if (rounding === 'trunc') return [truncatedQuotient, x, y];
  if (rounding === 'floor') return [flooredQuotient, x, y];
  throw new RuntimeError(
    `div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${rounding as string}'`,
  );
}

/**
 * `input / other`: true division, in floating point for integers too, unless `rounding_mode` rounds the quotient.
 *
 *     torch.div(torch.tensor([7, -7]), 2, { rounding_mode: 'floor' })
 *     // tensor([ 3., -4.])
 *
 * @throws RuntimeError for a zero divisor of a rounded integer division.
 */
export const div: InPlaceOp<[other: Operand, options?: Out & { rounding_mode?: RoundingMode }], Tensor> =
  pointwiseForms(
    'div',
    'Operand self, Operand other, *, str? rounding_mode=None, Tensor? out=None',
    chooseQuotient,
    quotient,
  );
/** Alias of {@link div}. */
export const divide = alias('divide', div);
/** `input / other` in floating point. */
export const true_divide: InPlaceOp<[other: Operand, options?: Out], Tensor> = pointwiseForms(
  'true_divide',
  'Operand self, Operand other, *, Tensor? out=None',
  (x: Operand, y: Operand) => [quotient, x, y],
  quotient,
);

/**
 * `floor(input / other)`; integers stay integers. Not differentiable.
 *
 *     torch.tensor([-7, 7]).floor_divide(2)
 *     // tensor([-4.,  3.])
 *
 * @throws RuntimeError for an integer zero divisor.
 */
export const floor_divide = binary('floor_divide', {
  noBool: true,
  kernelName: 'div_floor_cpu',
  check: checkDivisor,
  forward: (x, y) => e.floor_div(x, y),
});

const scalarNode =
  (name: string) =>
  ([, y]: readonly Operand[]): string =>
    `${name}Backward${y instanceof Tensor ? 1 : 0}`;

/**
 * Python's modulus: the remainder has the sign of `other`.
 *
 *     torch.tensor([-3, 3]).remainder(2)
 *     // tensor([1., 1.])
 *
 * @throws RuntimeError for an integer zero divisor.
 */
export const remainder = binary('remainder', {
  noBool: true,
  check: checkDivisor,
  node: scalarNode('Remainder'),
  forward: (x, y) => e.remainder(x, y),
  derivative: ({ grad, x, y }) => [grad, e.neg(e.mul(grad, e.floor_div(x, y)))],
});

/** C's fmod: the remainder has the sign of `input`. @throws RuntimeError for an integer zero divisor. */
export const fmod = tensorFirst('fmod', {
  noBool: true,
  check: checkDivisor,
  node: scalarNode('Fmod'),
  forward: (x, y) => e.fmod(x, y),
  derivative: ({ grad, x, y }) => [grad, e.neg(e.mul(grad, e.trunc_div(x, y)))],
});

/** `-input`. @throws for bool tensors. */
export const neg = unary('neg', {
  complex: true,
  check: refuse({
    bool: 'Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.',
  }),
  forward: (x) => e.neg(x),
  derivative: ({ grad }) => [e.neg(grad)],
});
/** Alias of {@link neg}. */
export const negative = alias('negative', neg);

/** The tensor itself. @throws RuntimeError for bool tensors. */
export const positive: Op<[], Tensor> = op('positive', 'Tensor self', (x: Tensor) => {
  refuse({ bool: 'The `+` operator, on a bool tensor is not supported.' })(x.dtype, [x]);
  return x;
});

/** `1 / input`. Integers promote to the default float. */
export const reciprocal = unary('reciprocal', {
  types: 'float',
  complex: true,
  forward: (x) => e.reciprocal(x),
  derivative: ({ grad, result }) => [e.neg(e.mul(grad, e.conj(e.mul(result, result))))],
});

/** Magnitude. The gradient at 0 is 0. */
export const abs = unary('abs', {
  noBool: true,
  complex: true,
  realResult: true,
  forward: (x) => e.abs(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.sign(x))],
});
/** Alias of {@link abs}. */
export const absolute = alias('absolute', abs);

/** -1, 0 or 1. */
export const sign = unary('sign', {
  check: refuse({
    complex:
      'Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.',
  }),
  forward: (x) => e.sign(x),
  derivative: () => [constant(0)],
});
const realSign = new PointwiseOp('sgn', { forward: (x) => e.sign(x), derivative: () => [constant(0)] });
const complexSign = new PointwiseOp('sgn', {
  types: 'real',
  complex: true,
  forward: (x) => e.sign(x),
  derivative: ({ grad, result, x }) => {
    // What is left of the gradient without its part along the sign, over the magnitude.
    const along = e.div(grad, result);
    const radial = e.mul(e.mul(0.5, e.add(along, e.conj(along))), result);
    return [e.select(e.eq(x, 0), 0, e.div(e.sub(grad, radial), e.abs(x)))];
  },
});
/** The sign of real numbers; complex numbers divided by their magnitude. */
export const sgn: InPlaceOp<[options?: Out], Tensor> = pointwiseForms(
  'sgn',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => [x.dtype.is_complex ? complexSign : realSign, x],
);

/**
 * Square root. Integers promote to the default float.
 *
 *     torch.tensor([4, 9]).sqrt()
 *     // tensor([2., 3.])
 */
export const sqrt = unary('sqrt', {
  types: 'float',
  complex: true,
  forward: (x) => e.sqrt(x),
  derivative: ({ grad, result }) => [e.div(grad, e.mul(2, e.conj(result)))],
});

/** `1 / sqrt(input)`. Integers promote to the default float. */
export const rsqrt = unary('rsqrt', {
  types: 'float',
  complex: true,
  forward: (x) => e.rsqrt(x),
  derivative: ({ grad, result }) => [e.mul(e.mul(-0.5, grad), e.conj(e.mul(result, e.mul(result, result))))],
});

// ---- powers

const POWER_NODE = 'PowBackward0';
const squarePower = new PointwiseOp('pow', {
  complex: true,
  node: POWER_NODE,
  forward: (x) => e.mul(x, x),
  derivative: ({ grad, x }) => [e.mul(grad, e.mul(2, e.conj(x)))],
});
const cubePower = new PointwiseOp('pow', {
  complex: true,
  node: POWER_NODE,
  forward: (x) => e.mul(e.mul(x, x), x),
  derivative: ({ grad, x }) => [e.mul(grad, e.mul(3, e.conj(e.mul(x, x))))],
});
const rootPower = new PointwiseOp('pow', {
  types: 'float',
  complex: true,
  node: POWER_NODE,
  forward: (x) => e.sqrt(x),
  derivative: ({ grad, x }) => [e.mul(grad, e.mul(0.5, e.conj(e.rsqrt(x))))],
});
/** d x^y / dx; 0 where the exponent is 0. */
const powerSlope = (x: Expr, y: Expr): Expr => e.mul(y, e.pow(x, e.sub(y, 1)));
const power = new PointwiseOp('pow', {
  complex: true,
  noBool: true,
  kernelName: 'pow',
  node: ([x, y]) =>
    x instanceof Tensor ? (y instanceof Tensor ? 'PowBackward1' : POWER_NODE) : 'PowBackward2',
  check: checkIntegerPower,
  forward: (x, y) => e.pow(x, y),
  derivative: ({ grad, result, x, y }) => [
    e.select(e.eq(y, 0), 0, e.mul(grad, e.conj(powerSlope(x, y)))),
    e.mul(grad, e.select(e.mand(e.eq(x, 0), e.ge(y, 0)), 0, e.conj(e.mul(result, e.log(x))))),
  ],
});

function checkIntegerPower(type: DType, [x, y]: readonly Operand[]): void {
  if (type.is_integral && x instanceof Tensor && (typeof y === 'number' || typeof y === 'bigint') && y < 0)
    throw new RuntimeError('Integers to negative integer powers are not allowed.');
}

function choosePower(x: Operand, y: Operand): PointwiseCall {
  if (typeof y === 'number' && x instanceof Tensor && x.dtype.code !== 0) {
    if (y === 2) return [squarePower, x];
    if (y === 3) return [cubePower, x];
    if (y === 0.5) return [rootPower, x];
  }
  return [power, x, y];
}

/**
 * `input` to the power `exponent`; either may be a number. Integers stay integers and wrap.
 *
 *     torch.pow(torch.tensor([1, 2, 3]), 2)
 *     // tensor([1., 4., 9.])
 *
 * @throws RuntimeError for an integer tensor and a negative integer exponent.
 */
export const pow: InPlaceOp<[exponent: Operand, options?: Out], Tensor> = pointwiseForms(
  'pow',
  'Operand self, Operand exponent, *, Tensor? out=None',
  choosePower,
  fastChoice(choosePower),
);

/** `input * input`. */
export const square: InPlaceOp<[options?: Out], Tensor> = pointwiseForms(
  'square',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => choosePower(x, 2),
);

const isComplex = (x: Operand): boolean => (x instanceof Tensor ? x.dtype.is_complex : x instanceof Complex);
const toDouble = (x: Operand, dtype: DType): Operand => (x instanceof Tensor ? castTo(x, dtype) : x);

/** `input` to the power `exponent`, computed in double precision. */
export const float_power: InPlaceOp<[exponent: Operand, options?: Out], Tensor> = op(
  'float_power',
  'Operand self, Operand exponent, *, Tensor? out=None',
  (x: Operand, y: Operand) => {
    const dtype = isComplex(x) || isComplex(y) ? complex128 : float64;
    return pow(toDouble(x, dtype) as Tensor, toDouble(y, dtype));
  },
  { self: 0, inPlace: true },
);
