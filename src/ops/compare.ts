// Comparisons, tests, and what picks the smaller or larger.

import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { bool } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { type Expr, type ExprLike, e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { refuse, refuseComplex } from './checks.js';
import { alias, type Op, type Out, op, tensorBinary, tensorFirst, unary } from './define.js';
import { full_ } from './fill.js';

/**
 * `input == other`, elementwise.
 *
 *     torch.tensor([1, 2, 3]).eq(2)
 *     // tensor([False,  True, False])
 */
export const eq = tensorFirst('eq', { complex: true, forward: (x, y) => e.eq(x, y) });
/** `input != other`, elementwise. */
export const ne = tensorFirst('ne', { complex: true, forward: (x, y) => e.ne(x, y) });
/** `input < other`, elementwise. */
export const lt = tensorFirst('lt', { forward: (x, y) => e.lt(x, y) });
/** `input <= other`, elementwise. */
export const le = tensorFirst('le', { forward: (x, y) => e.le(x, y) });
/** `input > other`, elementwise. */
export const gt = tensorFirst('gt', { forward: (x, y) => e.gt(x, y) });
/** `input >= other`, elementwise. */
export const ge = tensorFirst('ge', { forward: (x, y) => e.ge(x, y) });
/** Alias of {@link ne}. */
export const not_equal = alias('not_equal', ne);
/** Alias of {@link lt}. */
export const less = alias('less', lt);
/** Alias of {@link le}. */
export const less_equal = alias('less_equal', le);
/** Alias of {@link gt}. */
export const greater = alias('greater', gt);
/** Alias of {@link ge}. */
export const greater_equal = alias('greater_equal', ge);

/** A test of each element, without `out=` and in-place forms. */
function test(name: string, spec: PointwiseSpec): Op<[], Tensor> {
  const record = new PointwiseOp(name, spec);
  return op(name, 'Tensor self', (x: Tensor) => record.call([x]));
}

/** Whether each element is NaN. */
export const isnan = test('isnan', { complex: true, forward: (x) => e.isnan(x) });
/** Whether each element is infinite. */
export const isinf = test('isinf', { complex: true, forward: (x) => e.isinf(x) });
/** Whether each element is neither NaN nor infinite. */
export const isfinite = test('isfinite', { complex: true, forward: (x) => e.isfinite(x) });
/** Whether each element is +inf. */
export const isposinf: Op<[options?: Out], Tensor> = unary('isposinf', {
  check: refuse({ complex: 'isposinf does not support complex inputs.' }),
  forward: (x) => e.mand(e.isinf(x), e.gt(x, 0)),
});
/** Whether each element is -inf. */
export const isneginf: Op<[options?: Out], Tensor> = unary('isneginf', {
  check: refuse({ complex: 'isneginf does not support complex inputs.' }),
  forward: (x) => e.mand(e.isinf(x), e.lt(x, 0)),
});
/** Whether each element has the sign bit set: -0 has, too. */
export const signbit: Op<[options?: Out], Tensor> = unary('signbit', {
  check: refuseComplex('signbit is not implemented for complex tensors.'),
  forward: (x) => e.signbit(x),
});

// ---- the smaller and the larger; ties share the gradient

/** The gradient of the operand that `wins` holds for; half of it where both are equal. */
const share = (grad: Expr, x: ExprLike, y: ExprLike, loses: Expr): Expr =>
  e.select(e.eq(x, y), e.mul(grad, 0.5), e.select(loses, 0, grad));

/**
 * The larger element; NaN if either is. Ties share the gradient.
 *
 *     torch.maximum(torch.tensor([1, 5]), torch.tensor([3, 2]))
 *     // tensor([3., 5.])
 */
export const maximum = tensorBinary('maximum', {
  check: refuse({ complex: 'maximum not implemented for complex tensors.' }),
  forward: (x, y) => e.max(x, y),
  derivative: ({ grad, x, y }) => [share(grad, x, y, e.lt(x, y)), share(grad, x, y, e.gt(x, y))],
});
/** The smaller element; NaN if either is. Ties share the gradient. */
export const minimum = tensorBinary('minimum', {
  check: refuse({ complex: 'minimum not implemented for complex tensors.' }),
  forward: (x, y) => e.min(x, y),
  derivative: ({ grad, x, y }) => [share(grad, x, y, e.gt(x, y)), share(grad, x, y, e.lt(x, y))],
});
/** The larger element; the other one if one is NaN. */
export const fmax = tensorBinary('fmax', {
  check: refuse({ complex: 'fmax not implemented for complex tensors.' }),
  forward: (x, y) => e.fmax(x, y),
  derivative: ({ grad, x, y }) => {
    const first = e.mor(e.ge(x, y), e.isnan(y));
    return [e.select(first, grad, 0), e.select(first, 0, grad)];
  },
});
/** The smaller element; the other one if one is NaN. */
export const fmin = tensorBinary('fmin', {
  check: refuse({ complex: 'fmin not implemented for complex tensors.' }),
  forward: (x, y) => e.fmin(x, y),
  derivative: ({ grad, x, y }) => {
    const first = e.mor(e.le(x, y), e.isnan(y));
    return [e.select(first, grad, 0), e.select(first, 0, grad)];
  },
});

const close = (x: Expr, y: Expr, rtol: Expr, atol: Expr): Expr => {
  const distance = e.abs(e.sub(x, y));
  return e.mor(e.eq(x, y), e.mand(e.isfinite(distance), e.le(distance, e.add(atol, e.abs(e.mul(rtol, y))))));
};
const isClose = new PointwiseOp('isclose', { complex: true, forward: close });
const isCloseOrNaN = new PointwiseOp('isclose', {
  complex: true,
  forward: (x, y, z, w) => e.mor(close(x, y, z, w), e.mand(e.isnan(x), e.isnan(y))),
});

interface Tolerance {
  rtol?: number;
  atol?: number;
  equal_nan?: boolean;
}

/**
 * Whether `|input - other| <= atol + rtol * |other|`, elementwise.
 * @throws RuntimeError for differing dtypes or negative tolerances.
 */
export const isclose: Op<
  [other: Tensor, rtol?: number, atol?: number, equal_nan?: boolean] | [other: Tensor, options: Tolerance],
  Tensor
> = op(
  'isclose',
  'Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False',
  (x: Tensor, y: Tensor, rtol: number, atol: number, equalNaN: boolean) => {
    if (x.dtype !== y.dtype)
      throw new RuntimeError(`${x.dtype.scalarName} did not match ${y.dtype.scalarName}`);
    if (rtol < 0) throw new RuntimeError(`rtol must be greater than or equal to zero, but got ${rtol}`);
    if (atol < 0) throw new RuntimeError(`atol must be greater than or equal to zero, but got ${atol}`);
    return (equalNaN ? isCloseOrNaN : isClose).call([x, y, rtol, atol]);
  },
);
