// Logical and bitwise operations.
import { bool } from '../dtype.js';
import { PointwiseOp } from '../dispatch/pointwise.js';
import { e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { binary, type InPlaceOp, type Out, pointwiseForms, tensorBinary, unary } from './define.js';

/** Whether the element is zero. */
export const logical_not = unary('logical_not', { complex: true, forward: (x) => e.eq(x, 0) });
/** Whether both elements are nonzero. */
export const logical_and = tensorBinary('logical_and', { complex: true, forward: (x, y) => e.mand(e.ne(x, 0), e.ne(y, 0)) });
/** Whether either element is nonzero. */
export const logical_or = tensorBinary('logical_or', { complex: true, forward: (x, y) => e.mor(e.ne(x, 0), e.ne(y, 0)) });
/** Whether exactly one element is nonzero. */
export const logical_xor = tensorBinary('logical_xor', { complex: true, forward: (x, y) => e.mxor(e.ne(x, 0), e.ne(y, 0)) });

const invertBits = new PointwiseOp('bitwise_not', { types: 'integer', forward: (x) => e.bnot(x) });
const invertTruth = new PointwiseOp('bitwise_not', { types: 'integer', forward: (x) => e.eq(x, 0) });

/** Every bit inverted; logical not of bool tensors. */
export const bitwise_not: InPlaceOp<[options?: Out], Tensor> = pointwiseForms('bitwise_not', 'Tensor self, *, Tensor? out=None', (x: Tensor) => [
  x.dtype === bool ? invertTruth : invertBits,
  x,
]);
/** Bits set in both; logical and of bool tensors. */
export const bitwise_and = binary('bitwise_and', { types: 'integer', forward: (x, y) => e.band(x, y) });
/** Bits set in either; logical or of bool tensors. */
export const bitwise_or = binary('bitwise_or', { types: 'integer', forward: (x, y) => e.bor(x, y) });
/** Bits set in exactly one; logical xor of bool tensors. */
export const bitwise_xor = binary('bitwise_xor', { types: 'integer', forward: (x, y) => e.bxor(x, y) });
/** `input * 2^other` of integers, in bits. */
export const bitwise_left_shift = binary('bitwise_left_shift', { types: 'integer', noBool: true, kernelName: 'lshift_cpu', forward: (x, y) => e.shl(x, y) });
/** Arithmetic right shift of integers. */
export const bitwise_right_shift = binary('bitwise_right_shift', { types: 'integer', noBool: true, kernelName: 'rshift_cpu', forward: (x, y) => e.shr(x, y) });
