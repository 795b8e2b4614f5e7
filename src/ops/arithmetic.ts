// Arithmetic of one and two operands.
import type { Scalar } from '../backends/backend.js';
import { PointwiseOp } from '../dispatch/pointwise.js';
import { e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { binary, type InPlaceOp, type Operand, type Out, pointwiseForms, unary } from './define.js';

const sum = new PointwiseOp('add', { complex: true, forward: (x, y) => e.add(x, y), derivative: ({ grad }) => [grad, grad] });
const scaledSum = new PointwiseOp('add', {
  complex: true,
  forward: (x, y, alpha) => e.add(x, e.mul(y, alpha)),
  derivative: ({ grad, z }) => [grad, e.mul(grad, e.conj(z)), null],
});

/** `input + alpha * other`, with broadcasting and type promotion. */
export const add: InPlaceOp<[other: Operand, options?: Out & { alpha?: Scalar }], Tensor> = pointwiseForms(
  'add',
  'Operand self, Operand other, *, Scalar alpha=1, Tensor? out=None',
  (x: Operand, y: Operand, alpha: Scalar) => (alpha === 1 ? [sum, x, y] : [scaledSum, x, y, alpha]),
  sum,
);

const difference = new PointwiseOp('sub', {
  complex: true,
  noBool: true,
  forward: (x, y) => e.sub(x, y),
  derivative: ({ grad }) => [grad, e.neg(grad)],
});
const scaledDifference = new PointwiseOp('sub', {
  complex: true,
  noBool: true,
  forward: (x, y, alpha) => e.sub(x, e.mul(y, alpha)),
  derivative: ({ grad, z }) => [grad, e.neg(e.mul(grad, e.conj(z))), null],
});

/** `input - alpha * other`, with broadcasting and type promotion. */
export const sub: InPlaceOp<[other: Operand, options?: Out & { alpha?: Scalar }], Tensor> = pointwiseForms(
  'sub',
  'Operand self, Operand other, *, Scalar alpha=1, Tensor? out=None',
  (x: Operand, y: Operand, alpha: Scalar) => (alpha === 1 ? [difference, x, y] : [scaledDifference, x, y, alpha]),
  difference,
);

/** `input * other`, with broadcasting and type promotion. */
export const mul = binary('mul', {
  complex: true,
  forward: (x, y) => e.mul(x, y),
  derivative: ({ grad, x, y }) => [e.mul(grad, e.conj(y)), e.mul(grad, e.conj(x))],
});

/** `-input`. @throws for bool tensors. */
export const neg = unary('neg', {
  complex: true,
  noBool: true,
  forward: (x) => e.neg(x),
  derivative: ({ grad }) => [e.neg(grad)],
});

/** Logistic function, `1 / (1 + exp(-x))`. Integers promote to the default float. */
export const sigmoid = unary('sigmoid', {
  types: 'float',
  complex: true,
  forward: (x) => e.div(1, e.add(1, e.exp(e.neg(x)))),
  derivative: ({ grad, result }) => [e.mul(grad, e.conj(e.mul(e.sub(1, result), result)))],
});
