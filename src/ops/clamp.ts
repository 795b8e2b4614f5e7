// Bounds and choices: clamp, where, masked_fill, nan_to_num.

import { PointwiseOp } from '../dispatch/pointwise.js';
import { bfloat16, bool, type DType, float16, float64, uint8 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { type Expr, e } from '../expr.js';
import { Tensor } from '../tensor.js';
import { refuseComplex } from './checks.js';
import { castTo, clone } from './copy.js';
import { cppTypeName } from './cpp_text.js';
import {
  alias,
  type InPlaceOp,
  type Op,
  type Operand,
  type Out,
  op,
  type PointwiseCall,
  pointwiseForms,
} from './define.js';
import { checkedScalar } from './fill.js';
import { view_as_complex, view_as_real } from './view_dtype.js';

const clampNode = ([, ...bounds]: readonly Operand[]): string =>
  bounds.some((x) => x instanceof Tensor) ? 'ClampBackward0' : 'ClampBackward1';
const clampCheck = refuseComplex('clamp is not supported for complex types');
const keepWhere = (condition: Expr, grad: Expr): Expr => e.select(condition, grad, 0);
const shared = { kernelName: 'clamp_cpu', node: clampNode, check: clampCheck } as const;

const clampBoth = new PointwiseOp('clamp', {
  ...shared,
  noBool: true,
  forward: (x, low, high) => e.min(e.max(x, low), high),
  derivative: ({ grad, x, y, z }) => [
    keepWhere(e.mand(e.ge(x, y), e.le(x, z)), grad),
    keepWhere(e.mand(e.lt(y, z), e.lt(x, y)), grad),
    keepWhere(e.mor(e.gt(x, z), e.lt(z, y)), grad),
  ],
});
const clampLow = new PointwiseOp('clamp', {
  ...shared,
  forward: (x, low) => e.max(x, low),
  derivative: ({ grad, x, y }) => [keepWhere(e.ge(x, y), grad), keepWhere(e.lt(x, y), grad)],
});
const clampHigh = new PointwiseOp('clamp', {
  ...shared,
  forward: (x, high) => e.min(x, high),
  derivative: ({ grad, x, y }) => [keepWhere(e.le(x, y), grad), keepWhere(e.gt(x, y), grad)],
});

function chooseClamp(x: Tensor, low: Operand | null, high: Operand | null): PointwiseCall {
  if (low !== null && high !== null) return [clampBoth, x, low, high];
  if (low !== null) return [clampLow, x, low];
  if (high !== null) return [clampHigh, x, high];
  throw new RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None");
}

type Clamp = InPlaceOp<
  | [min?: Operand | null, max?: Operand | null, options?: Out]
  | [options: Out & { min?: Operand | null; max?: Operand | null }],
  Tensor
>;

/**
 * Limits elements to [min, max] (numbers or tensors); elements on a bound get gradient.
 *
 *     torch.tensor([-2, 0.5, 2]).clamp(-1, 1)
 *     // tensor([-1.0000,  0.5000,  1.0000])
 *
 * @throws when neither is given.
 */
export const clamp: Clamp = pointwiseForms(
  'clamp',
  'Tensor self, Operand? min=None, Operand? max=None, *, Tensor? out=None',
  chooseClamp,
);
/** Alias of {@link clamp}. */
export const clip = alias('clip', clamp);

const sideNode =
  (name: string) =>
  ([, y]: readonly Operand[]): string =>
    `${name}Backward${y instanceof Tensor ? 1 : 0}`;
const atLeast = new PointwiseOp('clamp_min', {
  ...clampLow.spec,
  kernelName: 'maximum_cpu',
  node: sideNode('ClampMin'),
});
const atMost = new PointwiseOp('clamp_max', {
  ...clampHigh.spec,
  kernelName: 'minimum_cpu',
  node: sideNode('ClampMax'),
});

/** Elements below `min` become `min`. */
export const clamp_min: InPlaceOp<[min: Operand, options?: Out], Tensor> = pointwiseForms(
  'clamp_min',
  'Tensor self, Operand min, *, Tensor? out=None',
  (x: Tensor, low: Operand) => [atLeast, x, low],
  atLeast,
);
/** Elements above `max` become `max`. */
export const clamp_max: InPlaceOp<[max: Operand, options?: Out], Tensor> = pointwiseForms(
  'clamp_max',
  'Tensor self, Operand max, *, Tensor? out=None',
  (x: Tensor, high: Operand) => [atMost, x, high],
  atMost,
);

// ---- choices

const choice = new PointwiseOp('where', {
  complex: true,
  kinds: ['bool', 'number', 'number'],
  forward: (c, x, y) => e.select(c, x, y),
  derivative: ({ grad, x }) => [null, e.select(x, grad, 0), e.select(x, 0, grad)],
});

/** @internal `input` where the condition holds, else `other`. */
export function choose(condition: Tensor, x: Operand, y: Operand): Tensor {
  return choice.call([condition, x, y]);
}

const filled = new PointwiseOp('masked_fill', {
  complex: true,
  kinds: ['number', 'bool', 'number'],
  node: ([, , value]) => (value instanceof Tensor ? 'MaskedFillBackward1' : 'MaskedFillBackward0'),
  forward: (x, mask, value) => e.select(mask, value, x),
  derivative: ({ grad, y }) => [e.select(y, 0, grad), null, e.select(y, grad, 0)],
});
/** The value in the category of the tensor, which keeps its dtype. */
function fillValue(value: Operand, dtype: DType): Operand {
  if (value instanceof Tensor) {
    if (value.shape.length > 0)
      throw new RuntimeError(
        `masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ${value.shape.length} dimension(s).`,
      );
    return value.dtype === dtype ? value : castTo(value, dtype);
  }
  if (dtype === bool) return Boolean(value);
  if (dtype.is_integral && typeof value === 'number') return Number(checkedScalar(value, dtype));
  return value;
}

/**
 * `value` (a number or 0-d tensor) where `mask` holds, else `input`.
 *
 *     torch.tensor([1, 2, 3]).masked_fill(torch.tensor([true, false, true]), 0)
 *     // tensor([0., 2., 0.])
 *
 * @throws RuntimeError for a mask that is not bool.
 */
export const masked_fill: InPlaceOp<[mask: Tensor, value: Operand], Tensor> = pointwiseForms(
  'masked_fill',
  'Tensor self, Tensor mask, Operand value, *, Tensor? out=None',
  (x: Tensor, mask: Tensor, value: Operand) => {
    if (mask.dtype !== bool)
      throw new RuntimeError(
        `masked_fill_ only supports boolean masks, but got mask with dtype ${cppTypeName(mask.dtype)}`,
      );
    return [filled, x, mask, fillValue(value, x.dtype)];
  },
);

const replaced = new PointwiseOp('nan_to_num', {
  deciding: 1,
  forward: (x, nan, high, low) =>
    e.select(e.isnan(x), nan, e.select(e.isinf(x), e.select(e.gt(x, 0), high, low), x)),
  derivative: ({ grad, x }) => [e.select(e.isfinite(x), grad, 0), null, null, null],
});
const largest = (dtype: DType): number =>
  dtype === float64
    ? Number.MAX_VALUE
    : dtype === float16
      ? 65504
      : dtype === bfloat16
        ? 3.3895313892515355e38
        : 3.4028234663852886e38;

/** NaN and infinities replaced by numbers: 0 and the largest finite ones, unless given. */
export const nan_to_num: InPlaceOp<
  | [nan?: number | null, posinf?: number | null, neginf?: number | null, options?: Out]
  | [options: Out & { nan?: number; posinf?: number; neginf?: number }],
  Tensor
> = op(
  'nan_to_num',
  'Tensor self, float? nan=None, float? posinf=None, float? neginf=None, *, Tensor? out=None',
  (x: Tensor, nan: number | null, high: number | null, low: number | null) => {
    if (x.dtype.is_integral) return clone(x);
    // Each part of a complex number on its own.
    const values = x.dtype.is_complex ? view_as_real(x) : x;
    const out = replaced.call([
      values,
      nan ?? 0,
      high ?? largest(values.dtype),
      low ?? -largest(values.dtype),
    ]);
    return x.dtype.is_complex ? view_as_complex(out.contiguous()) : out;
  },
  { inPlace: true },
);
