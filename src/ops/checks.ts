// Checks that several pointwise families share, in PyTorch's words.

import type { Operand, Scalar } from '../backends/backend.js';
import { resultType } from '../dispatch/promotion.js';
import { bool, type DType } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { reduceKernel } from './reduce.js';

type Check = (type: DType, operands: readonly Operand[]) => void;

/** @internal Refuses bool or complex computation with these messages. */
export function refuse(
  messages: { readonly bool?: string; readonly complex?: string },
  kind: typeof RuntimeError = RuntimeError,
): Check {
  return (type) => {
    const message = type === bool ? messages.bool : type.is_complex ? messages.complex : undefined;
    if (message !== undefined) throw new kind(message);
  };
}

/** @internal Refuses complex computation, as "not implemented". */
export const refuseComplex = (message: string): Check => refuse({ complex: message }, NotImplementedError);

const isBool = (x: Operand): boolean => (x instanceof Tensor ? x.dtype === bool : typeof x === 'boolean');

/** @internal The refusals of subtraction. */
export function checkSubtraction(_type: DType, [x, y]: readonly Operand[]): void {
  if (isBool(x) && isBool(y))
    throw new RuntimeError(
      'Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.',
    );
  if (isBool(x) || isBool(y))
    throw new RuntimeError(
      'Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.',
    );
}

/** @internal The factor of `add` and `sub`, which never decides the dtype. */
export function checkedAlpha(x: Operand, y: Operand, alpha: Scalar): Scalar {
  if (alpha === 1) return alpha;
  const type = resultType([x, y]);
  if (typeof alpha === 'boolean' && type !== bool)
    throw new RuntimeError('Boolean alpha only supported for Boolean results.');
  if (type.is_integral && typeof alpha === 'number' && !Number.isInteger(alpha))
    throw new RuntimeError('For integral input tensors, argument alpha must not be a floating point number.');
  return type === bool ? Boolean(alpha) : alpha;
}

/** @internal Refuses a zero among integer divisors. */
export function checkDivisor(type: DType, [, y]: readonly Operand[]): void {
  if (!type.is_integral || type === bool) return;
  if (y instanceof Tensor ? hasZero(y) : Number(y) === 0) throw new RuntimeError('ZeroDivisionError');
}

function hasZero(x: Tensor): boolean {
  if (x._numel === 0 || x.device.type === 'meta') return false;
  const all = reduceKernel(
    'reduce_all',
    x.detach(),
    x.shape.map((_, d) => d),
    bool,
  );
  return Number(all.item()) === 0;
}

/** @internal */
export function requireSameDtype(x: Operand, y: Operand, message: (x: Tensor, y: Tensor) => string): void {
  if (x instanceof Tensor && y instanceof Tensor && x.dtype !== y.dtype)
    throw new RuntimeError(message(x, y));
}
