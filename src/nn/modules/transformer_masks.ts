// The masks of Transformer layers.
import { bool, type DType } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { zeros_ } from '../../ops/fill.js';
import { full } from '../../ops/table.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import type { Factory } from './arguments.js';

export type Mask = Tensor | null;

/** A mask as scores to add: -inf where a bool mask is true. */
export function additive(mask: Mask, name: string, dtype: DType): Mask {
  if (mask === null || mask.dtype.is_floating_point) return mask;
  if (mask.dtype !== bool) throw new RuntimeError(`only bool and floating types of ${name} are supported`);
  return zeros_(mask.shape, dtype, mask.device).masked_fill_(mask, Number.NEGATIVE_INFINITY);
}

/** -inf above the diagonal, 0 elsewhere. */
export function subsequentMask(size: number, options: Factory = {}): Tensor {
  return full([size, size], Number.NEGATIVE_INFINITY, { ...options }).triu(1);
}

/** Whether a mask hides exactly what comes later, unless the caller says so. */
export function detectCausal(mask: Mask, given: boolean | null, length: number): boolean {
  if (given !== null || mask === null) return given === true;
  const causal = subsequentMask(length, {
    device: mask.device,
    dtype: mask.dtype.is_floating_point ? mask.dtype : null,
  });
  return (
    mask.dtype.is_floating_point &&
    sameSizes(mask.shape, causal.shape) &&
    Boolean(mask.detach().eq(causal).all().item())
  );
}
