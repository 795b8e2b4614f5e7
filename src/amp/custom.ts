// Autocast in functions with a backward of the user's own.
import type { FunctionCtx } from '../autograd/function.js';
import { isKeywords } from '../dispatch/schema.js';
import { type DType, float64 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { autocast, get_autocast_dtype, is_autocast_enabled } from './autocast.js';

interface ForwardOptions {
  device_type: string;
  /** The type that floating-point inputs are cast to; the function then runs without autocast. */
  cast_inputs?: DType | null;
}

function checkDevice(device_type: unknown): void {
  if (typeof device_type !== 'string')
    throw new ValueError(`Expected \`device_type\` of type \`str\`, got: \`${typeof device_type}\``);
}

/** Tensors in another type, in lists and objects of any depth. */
function castAll(value: unknown, device_type: string, dtype: DType): unknown {
  if (value instanceof Tensor) {
    const takes = value.is_floating_point() && value.device.type === device_type && value.dtype !== float64;
    return takes ? value.to(dtype) : value;
  }
  if (Array.isArray(value)) return value.map((item) => castAll(item, device_type, dtype));
  if (isKeywords(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, castAll(item, device_type, dtype)]),
    );
  return value;
}

/**
 * Wraps the `forward` of a `torch.autograd.Function`: it remembers the state of autocast for {@link custom_bwd}, and
 * may have its inputs cast.
 */
export function custom_fwd<A extends readonly unknown[], R>(
  fwd: (ctx: FunctionCtx, ...args: A) => R,
  options: ForwardOptions,
): (ctx: FunctionCtx, ...args: A) => R {
  const { device_type, cast_inputs = null } = options;
  checkDevice(device_type);
  return function (this: unknown, ctx: FunctionCtx, ...args: A): R {
    ctx._dtype = get_autocast_dtype(device_type);
    const active = is_autocast_enabled(device_type);
    ctx._fwd_used_autocast = cast_inputs === null && active;
    if (cast_inputs === null || !active) return fwd.call(this, ctx, ...args);
    return autocast(device_type, { enabled: false }, () =>
      fwd.call(this, ctx, ...(castAll(args, device_type, cast_inputs) as unknown as A)),
    );
  };
}

/** Wraps the `backward` of a `torch.autograd.Function`: it runs under the autocast of the forward. */
export function custom_bwd<A extends readonly unknown[], R>(
  bwd: (ctx: FunctionCtx, ...grads: A) => R,
  options: { device_type: string },
): (ctx: FunctionCtx, ...grads: A) => R {
  checkDevice(options.device_type);
  return function (this: unknown, ctx: FunctionCtx, ...grads: A): R {
    const state = { enabled: ctx._fwd_used_autocast as boolean, dtype: ctx._dtype as DType };
    return autocast(options.device_type, state, () => bwd.call(this, ctx, ...grads));
  };
}
