// Switches of the torch namespace that programs set. What has one value here keeps what it was told, so that it can be read
// back.

import { typeName } from './dispatch/schema.js';
import { dtypes, set_default_dtype } from './dtype.js';
import { RuntimeError } from './errors.js';
import { legacyName } from './ops/convert.js';
import { Storage } from './storage.js';
import { Tensor } from './tensor.js';
import { warn } from './warnings.js';

type Precision = 'highest' | 'high' | 'medium';
let precision: Precision = 'highest';

/** How float32 products are computed: always in full float32 on the CPU. */
export const get_float32_matmul_precision = (): Precision => precision;
/** Remembers a precision of float32 products; the CPU has one. */
export function set_float32_matmul_precision(to: Precision): void {
  if (['highest', 'high', 'medium'].includes(to)) precision = to;
  else
    warn(
      `${to} is not one of 'highest', 'high', or 'medium'; the currentsetFloat32MatmulPrecision call has no effect.`,
    );
}

const modes = ['default', 'warn', 'error'] as const;
type DebugMode = (typeof modes)[number];
let deterministic = 0;

/** Whether only deterministic algorithms may run. All of them are, for a fixed number of threads. */
export const are_deterministic_algorithms_enabled = (): boolean => deterministic > 0;
/** Whether others would warn instead of throwing. */
export const is_deterministic_algorithms_warn_only_enabled = (): boolean => deterministic === 1;
/** Asks for deterministic algorithms, which all of them are. */
export function use_deterministic_algorithms(
  mode: boolean,
  options: boolean | { warn_only?: boolean } = {},
): void {
  const warnOnly = typeof options === 'boolean' ? options : (options.warn_only ?? false);
  deterministic = !mode ? 0 : warnOnly ? 1 : 2;
}
/** 0: any algorithm, 1: others than deterministic ones warn, 2: they throw. */
export const get_deterministic_debug_mode = (): number => deterministic;
/** Sets {@link get_deterministic_debug_mode}, by number or name. */
export function set_deterministic_debug_mode(mode: number | DebugMode): void {
  const found = typeof mode === 'number' ? mode : modes.indexOf(mode);
  if (found < 0)
    throw new RuntimeError(
      `invalid value of debug_mode, expected one of \`default\`, \`warn\`, \`error\`, but got ${mode}`,
    );
  if (!(found in modes))
    throw new RuntimeError(`invalid value of debug_mode, expected 0, 1, or 2, but got ${mode}`);
  deterministic = found;
}

let always = false;
/** Whether warnings that appear once should always appear. */
export const is_warn_always_enabled = (): boolean => always;
/** Sets {@link is_warn_always_enabled}. */
export function set_warn_always(to: boolean): void {
  always = to;
}

/** Denormal numbers are always computed with. @returns false: the mode is not supported. */
export function set_flush_denormal(_mode: boolean): boolean {
  return false;
}

/** Sets the default dtype by the legacy name of a tensor type, such as 'torch.DoubleTensor'. Deprecated in PyTorch. */
export function set_default_tensor_type(type: string): void {
  const found = dtypes.find((t) => legacyName(t) === type);
  if (!found) throw new TypeError('invalid type object');
  if (!found.is_floating_point)
    throw new TypeError('only floating-point types are supported as the default type');
  set_default_dtype(found);
}

/** The device's index: -1 for the CPU. */
export const get_device = (input: Tensor): number => input.get_device();
/** Whether conjugation is pending: never, it is computed at once. */
export const is_conj = (_input: Tensor): boolean => false;
/** Whether negation is pending: never, it is computed at once. */
export const is_neg = (_input: Tensor): boolean => false;
/** Never here. */
export const is_distributed = (_input: Tensor): boolean => false;
/** Whether a value is the memory of a tensor. */
export const is_storage = (value: unknown): value is Storage => value instanceof Storage;
/** The name of a value's type; of tensors, the legacy one. */
export const typename = (value: unknown): string =>
  value instanceof Tensor ? legacyName(value.dtype) : typeName(value);

/**
 * The function or module itself: it runs as it is, as with PyTorch's eager back end. Without one, a decorator.
 * Options of the compiler are accepted and have no effect.
 */
export function compile<F extends (...args: never[]) => unknown>(
  model: F,
  options?: Readonly<Record<string, unknown>>,
): F;
export function compile(options?: Readonly<Record<string, unknown>>): <F>(model: F) => F;
export function compile(model?: unknown): unknown {
  if (typeof model === 'function' || (typeof model === 'object' && model?.constructor !== Object))
    return model;
  return <F>(wrapped: F): F => wrapped;
}
