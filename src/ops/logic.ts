// Logical and bitwise operations.

import { PointwiseOp } from '../dispatch/pointwise.js';
import { bool } from '../dtype.js';
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
} from './define.js';

const bothBool = (x: Operand, y: Operand): boolean =>
  x instanceof Tensor &&
  x.dtype === bool &&
  (typeof y === 'boolean' || (y instanceof Tensor && y.dtype === bool));

type Pair = (x: Expr, y: Expr) => Expr;

/** The record of a logic op on truth values, which are bytes: no staging through integers. */
const truthRecord = (name: string, forward: Pair): PointwiseOp =>
  new PointwiseOp(name, { types: 'float', kinds: ['bool', 'bool'], forward });

/** A choice between the record of truth values and the record of numbers. */
function choices(truths: PointwiseOp, numbers: PointwiseOp): (x: Operand, y: Operand) => PointwiseCall {
  return (x, y) => [bothBool(x, y) ? truths : numbers, x, y];
}

function logical(name: string, combine: Pair): InPlaceOp<[other: Tensor, options?: Out], Tensor> {
  const numbers = new PointwiseOp(name, {
    complex: true,
    forward: (x, y) => combine(e.ne(x, 0), e.ne(y, 0)),
  });
  const choose = choices(truthRecord(name, combine), numbers);
  return pointwiseForms(name, 'Tensor self, Tensor other, *, Tensor? out=None', choose, {
    ...fastChoice(choose),
    numbers: false,
  });
}

function bitwise(name: string, truths: Pair, bits: Pair): InPlaceOp<[other: Operand, options?: Out], Tensor> {
  const choose = choices(
    truthRecord(name, truths),
    new PointwiseOp(name, { types: 'integer', forward: bits }),
  );
  return pointwiseForms(name, 'Operand self, Operand other, *, Tensor? out=None', choose, fastChoice(choose));
}

/** Whether both elements are nonzero. */
export const logical_and = logical('logical_and', (x, y) => e.mand(x, y));
/** Whether either element is nonzero. */
export const logical_or = logical('logical_or', (x, y) => e.mor(x, y));
/** Whether exactly one element is nonzero. */
export const logical_xor = logical('logical_xor', (x, y) => e.mxor(x, y));

const invertTruth = new PointwiseOp('logical_not', {
  types: 'float',
  kinds: ['bool'],
  forward: (x) => e.mnot(x),
});
const isZero = new PointwiseOp('logical_not', { complex: true, forward: (x) => e.eq(x, 0) });
const invertBits = new PointwiseOp('bitwise_not', { types: 'integer', forward: (x) => e.bnot(x) });

/** Whether the element is zero. */
export const logical_not: InPlaceOp<[options?: Out], Tensor> = pointwiseForms(
  'logical_not',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => [x.dtype === bool ? invertTruth : isZero, x],
);
/** Every bit inverted; logical not of bool tensors. */
export const bitwise_not: InPlaceOp<[options?: Out], Tensor> = pointwiseForms(
  'bitwise_not',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => [x.dtype === bool ? invertTruth : invertBits, x],
);
/** Bits set in both; logical and of bool tensors. */
export const bitwise_and = bitwise(
  'bitwise_and',
  (x, y) => e.mand(x, y),
  (x, y) => e.band(x, y),
);
/** Bits set in either; logical or of bool tensors. */
export const bitwise_or = bitwise(
  'bitwise_or',
  (x, y) => e.mor(x, y),
  (x, y) => e.bor(x, y),
);
/** Bits set in exactly one; logical xor of bool tensors. */
export const bitwise_xor = bitwise(
  'bitwise_xor',
  (x, y) => e.mxor(x, y),
  (x, y) => e.bxor(x, y),
);
/** `input * 2^other` of integers, in bits. */
export const bitwise_left_shift = binary('bitwise_left_shift', {
  types: 'integer',
  noBool: true,
  kernelName: 'lshift_cpu',
  forward: (x, y) => e.shl(x, y),
});
/** Arithmetic right shift of integers. */
export const bitwise_right_shift = binary('bitwise_right_shift', {
  types: 'integer',
  noBool: true,
  kernelName: 'rshift_cpu',
  forward: (x, y) => e.shr(x, y),
});
