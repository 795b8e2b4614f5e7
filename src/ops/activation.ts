// Activations of the torch namespace; the others are in nn/functional/activation.ts.
import type { Scalar } from '../backends/backend.js';
import { PointwiseOp } from '../dispatch/pointwise.js';
import { RuntimeError } from '../errors.js';
import { type Expr, e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { refuse } from './checks.js';
import { type InPlaceOp, pointwiseForms, unary } from './define.js';

/**
 * Logistic function, `1 / (1 + exp(-x))`. Integers promote to the default float.
 *
 *     torch.sigmoid(torch.tensor([-1, 0, 1]))
 *     // tensor([0.2689, 0.5000, 0.7311])
 */
export const sigmoid = unary('sigmoid', {
  types: 'float',
  complex: true,
  forward: (x) => e.div(1, e.add(1, e.exp(e.neg(x)))),
  derivative: ({ grad, result }) => [e.mul(grad, e.conj(e.mul(e.sub(1, result), result)))],
});

/**
 * The larger of the element and 0. The gradient at 0 is 0.
 *
 *     torch.tensor([-1, 0, 2]).relu()
 *     // tensor([0., 0., 2.])
 */
export const relu = unary('relu', {
  check: refuse({
    bool: 'Boolean inputs not supported for relu',
    complex: 'clamp is not supported for complex types',
  }),
  forward: (x) => e.max(x, 0),
  derivative: ({ grad, result }) => [e.select(e.le(result, 0), 0, grad)],
});

/** x where it is negative: bounds the argument of exponentials whose value the other branch ignores. */
const negativePart = (x: Expr): Expr => e.select(e.ge(x, 0), 0, x);

const exponential = (name: string): PointwiseOp =>
  new PointwiseOp(name, {
    deciding: 1,
    kernelName: 'elu_cpu',
    types: 'real',
    // y: the factor of the negative part, z: of the positive part, w: of the exponent.
    forward: (x, y, z, w) => e.select(e.gt(x, 0), e.mul(x, z), e.mul(e.expm1(e.mul(negativePart(x), w)), y)),
    derivative: ({ grad, x, y, z, w }) => [
      e.select(e.gt(x, 0), e.mul(grad, z), e.mul(grad, e.mul(e.mul(w, y), e.exp(e.mul(negativePart(x), w))))),
      null,
      null,
      null,
    ],
  });
/** @internal `scale * (x > 0 ? x : alpha * expm1(inputScale * x))`. */
export const eluRecord = exponential('elu');
const celuRecord = exponential('celu');

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Scaled exponential linear unit (Klambauer et al., 2017). */
export const selu: InPlaceOp<[], Tensor> = pointwiseForms(
  'selu',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => [eluRecord, x, SELU_ALPHA * SELU_SCALE, SELU_SCALE, 1],
);

/** Continuously differentiable exponential linear unit (Barron, 2017). @throws RuntimeError for alpha 0. */
export const celu: InPlaceOp<[alpha?: number], Tensor> = pointwiseForms(
  'celu',
  'Tensor self, float alpha=1.0, *, Tensor? out=None',
  (x: Tensor, alpha: number) => {
    if (alpha === 0) throw new RuntimeError('ZeroDivisionError: alpha cannot be 0 for CELU');
    return [celuRecord, x, alpha, 1, 1 / alpha];
  },
);

const thresholdRecord = new PointwiseOp('threshold', {
  deciding: 1,
  noBool: true,
  forward: (x, y, z) => e.select(e.le(x, y), z, x),
  derivative: ({ grad, x, y }) => [e.select(e.le(x, y), 0, grad), null, null],
});

/** Elements not above `threshold` become `value`. */
export const threshold: InPlaceOp<[threshold: Scalar, value: Scalar], Tensor> = pointwiseForms(
  'threshold',
  'Tensor self, Scalar threshold, Scalar value, *, Tensor? out=None',
  (x: Tensor, at: Scalar, value: Scalar) => [thresholdRecord, x, at, value],
);

const hardshrinkRecord = new PointwiseOp('hardshrink', {
  deciding: 1,
  types: 'real',
  forward: (x, y) => e.select(e.mand(e.ge(x, e.neg(y)), e.le(x, y)), 0, x),
  derivative: ({ grad, x, y }) => [e.select(e.mor(e.gt(x, y), e.lt(x, e.neg(y))), grad, 0), null],
});

/** Elements within [-lambd, lambd] become 0. */
export const hardshrink: InPlaceOp<[lambd?: number], Tensor> = pointwiseForms(
  'hardshrink',
  'Tensor self, Scalar lambd=0.5, *, Tensor? out=None',
  (x: Tensor, lambd: Scalar) => [hardshrinkRecord, x, lambd],
);
