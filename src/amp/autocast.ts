// torch.autocast: ops choose the precision that they compute in.
import { is_available } from '../cuda.js';
import { type Interceptor, interception } from '../dispatch/intercept.js';
import { Schema } from '../dispatch/schema.js';
import { bfloat16, type DType, float16, float32, float64 } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { opTable } from '../ops/define.js';
import { Tensor } from '../tensor.js';
import { warn } from '../warnings.js';
import { type Policy, policyOf } from './policies.js';

/** Kinds of devices that autocast knows, and the type that it casts to there. */
const fastTypes = new Map<string, DType>([
  ['cpu', bfloat16],
  ...['cuda', 'xpu', 'mtia', 'maia', 'hpu', 'xla', 'mps'].map((device) => [device, float16] as const),
]);

/** Autocast's settings. */
interface Settings {
  readonly enabled: ReadonlySet<string>;
  readonly dtypes: ReadonlyMap<string, DType>;
  readonly cache: boolean;
}

let settings: Settings = { enabled: new Set(), dtypes: fastTypes, cache: true };
/** Parameters in the lower precision: cast once for all uses inside of the outermost scope. */
const casts = new Map<Tensor, Tensor>();
let nesting = 0;

function known(device_type: string): DType {
  const dtype = settings.dtypes.get(device_type);
  if (dtype === undefined) throw new RuntimeError(`unknown device type for autocast: ${device_type}`);
  return dtype;
}

/** Whether there is autocast for a kind of device. */
export function is_autocast_available(device_type: string): boolean {
  return fastTypes.has(device_type);
}

/** Whether autocast is on for a kind of device; the CPU's own question is `is_autocast_cpu_enabled`. */
export function is_autocast_enabled(device_type = 'cuda'): boolean {
  known(device_type);
  return settings.enabled.has(device_type);
}
/** Whether autocast is on for the CPU. */
export function is_autocast_cpu_enabled(): boolean {
  return is_autocast_enabled('cpu');
}
/** The type that autocast casts to. */
export function get_autocast_dtype(device_type: string): DType {
  return known(device_type);
}
/** The dtype that autocast computes in on the CPU. */
export function get_autocast_cpu_dtype(): DType {
  return known('cpu');
}
/** Whether casts of parameters are kept for further uses. */
export function is_autocast_cache_enabled(): boolean {
  return settings.cache;
}

/** Turns autocast on or off for a kind of device. */
export function set_autocast_enabled(device_type: string, enabled: boolean): void {
  known(device_type);
  const set = new Set(settings.enabled);
  if (enabled) set.add(device_type);
  else set.delete(device_type);
  change({ ...settings, enabled: set });
}
/** Sets the dtype that autocast computes in on a kind of device. */
export function set_autocast_dtype(device_type: string, dtype: DType): void {
  known(device_type);
  change({ ...settings, dtypes: new Map([...settings.dtypes, [device_type, dtype]]) });
}
/** Whether autocast keeps the casts of weights until its scope ends. */
export function set_autocast_cache_enabled(enabled: boolean): void {
  change({ ...settings, cache: enabled });
}
/** Forgets the casts of parameters. */
export function clear_autocast_cache(): void {
  casts.clear();
}

/** The interceptor that is installed, and what it hides. */
let installed: { interceptor: Interceptor; outer: Interceptor | null } | null = null;

function change(next: Settings): void {
  settings = next;
  if (settings.enabled.has('cpu') && installed === null) {
    const outer = interception.current;
    const interceptor: Interceptor = (name, args, run) => cast(outer, name, args, run);
    installed = { interceptor, outer };
    interception.current = interceptor;
  } else if (settings.enabled.size === 0 && installed !== null) {
    // Inside of another interceptor that was entered later, this one stays, and does nothing.
    if (interception.current !== installed.interceptor) return;
    interception.current = installed.outer;
    installed = null;
  }
}

/** Runs an op on arguments of the type that its policy asks for. What the op calls is not cast any more. */
function cast(
  outer: Interceptor | null,
  name: string,
  args: readonly unknown[],
  run: (...args: readonly unknown[]) => unknown,
): unknown {
  const next = outer === null ? run : (...given: readonly unknown[]) => outer(name, given, run);
  const policy = settings.enabled.has('cpu') ? policyOf(name, args) : undefined;
  // Ops that write to a given tensor are left alone.
  if (policy === undefined || writesOut(name, args)) return next(...args);
  const own = interception.current;
  interception.current = outer;
  try {
    if (policy === 'none') return next(...args);
    const dtype = targetOf(policy, args);
    return next(...args.map((x) => castValue(x, dtype)));
  } finally {
    interception.current = own;
  }
}

function writesOut(name: string, args: readonly unknown[]): boolean {
  const at = opTable.get(name)?.schema.names.indexOf('out') ?? -1;
  return at >= 0 && args[at] !== null && args[at] !== undefined;
}

const eligible = (x: unknown): x is Tensor =>
  x instanceof Tensor && x.is_floating_point() && x.dtype !== float64 && x.device.type === 'cpu';

function targetOf(policy: Exclude<Policy, 'none'>, args: readonly unknown[]): DType {
  if (policy === 'lower') return known('cpu');
  if (policy === 'float32') return float32;
  const tensors = args.flat().filter((x): x is Tensor => x instanceof Tensor);
  if (tensors.some((x) => x.dtype === float64))
    throw new RuntimeError('promote type is double in at::autocast::prioritize');
  return tensors.some((x) => eligible(x) && x.dtype === float32) ? float32 : known('cpu');
}

/** A tensor, or the tensors of a list, in another type. */
function castValue(x: unknown, dtype: DType): unknown {
  if (Array.isArray(x)) return x.some(eligible) ? x.map((item) => castValue(item, dtype)) : x;
  if (!eligible(x) || x.dtype === dtype) return x;
  const keep =
    settings.cache &&
    dtype === known('cpu') &&
    x.dtype === float32 &&
    x.requires_grad &&
    x.is_leaf &&
    !x._is_view();
  if (!keep) return x.to(dtype);
  let kept = casts.get(x);
  if (kept === undefined) {
    kept = x.to(dtype);
    casts.set(x, kept);
  }
  return kept;
}

export interface AutocastOptions {
  /** The type to cast to; by default the device's. */
  dtype?: DType | null;
  enabled?: boolean;
  /** Keep the casts of parameters until the outermost scope ends. */
  cache_enabled?: boolean | null;
}

/** What `using _ = torch.autocast('cpu')` holds: leaving the scope restores the settings. */
export interface AutocastGuard extends Disposable {
  /** As a decorator: the function, run under autocast. */
  <A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R;
}

type Scope<R> = () => R;
type Positional = [dtype?: DType | null, enabled?: boolean, cache_enabled?: boolean | null];

const schema = new Schema(
  'autocast.__init__',
  'any device_type, dtype? dtype=None, bool enabled=True, bool? cache_enabled=None',
);

/** The settings under an autocast. */
function requested(args: readonly unknown[]): {
  device: string;
  dtype: DType;
  enabled: boolean;
  cache: boolean;
} {
  const [device, given, wanted, cache] = schema.bind(args) as [
    unknown,
    DType | null,
    boolean,
    boolean | null,
  ];
  if (typeof device !== 'string')
    throw new ValueError(`Expected \`device_type\` of type \`str\`, got: \`${typeof device}\``);
  if (!is_autocast_available(device))
    throw new RuntimeError(`User specified an unsupported autocast device_type '${device}'`);
  const dtype = given ?? known(device);
  let enabled = wanted;
  if (enabled && device === 'cuda' && !is_available()) {
    warn('CUDA is not available or torch_xla is imported. Disabling autocast.');
    enabled = false;
  } else if (enabled && dtype !== bfloat16 && dtype !== float16) {
    const kind = device.toUpperCase();
    warn(
      `In ${kind} autocast, but the target dtype is not supported. Disabling autocast.\n${kind} Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.`,
    );
    enabled = false;
  }
  return { device, dtype, enabled, cache: cache ?? settings.cache };
}

/** Enters a scope. @returns what leaves it. */
function enter({ device, dtype, enabled, cache }: ReturnType<typeof requested>): () => void {
  const before = settings;
  nesting++;
  const on = new Set(before.enabled);
  if (enabled) on.add(device);
  else on.delete(device);
  change({ enabled: on, dtypes: new Map([...before.dtypes, [device, dtype]]), cache });
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    if (--nesting === 0) casts.clear();
    change(before);
  };
}

function within<R>(request: ReturnType<typeof requested>, fn: () => R): R {
  const leave = enter(request);
  try {
    const result = fn();
    if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function')
      throw new RuntimeError(
        'torch.autocast(…, callback): the callback returned a promise, and autocast would end before it settles. Write `using _ = torch.autocast(…)` in the async function instead.',
      );
    return result;
  } finally {
    leave();
  }
}

/**
 * Lets ops choose their precision: products and convolutions compute in bfloat16 (or float16), losses and
 * decompositions in float32, others in the type of their arguments.
 *
 *     torch.autocast('cpu', () => loss(model(x), y))        // around a callback
 *     using _ = torch.autocast('cpu', { dtype: torch.bfloat16 })   // until the end of the scope
 *
 * @throws RuntimeError for a device that has no autocast.
 */
export function autocast(device_type: string, ...args: Positional): AutocastGuard;
export function autocast(device_type: string, options: AutocastOptions): AutocastGuard;
export function autocast<R>(device_type: string, fn: Scope<R>): R;
export function autocast<R>(device_type: string, options: AutocastOptions | DType, fn: Scope<R>): R;
export function autocast<R>(device_type: string, dtype: DType | null, enabled: boolean, fn: Scope<R>): R;
export function autocast(...args: readonly unknown[]): unknown {
  const last = args[args.length - 1];
  if (args.length > 1 && typeof last === 'function')
    return within(requested(args.slice(0, -1)), last as () => unknown);
  const request = requested(args);
  const leave = enter(request);
  const decorate = (fn: (...given: readonly unknown[]) => unknown) => {
    leave();
    return function (this: unknown, ...given: readonly unknown[]) {
      return within(request, () => fn.apply(this, [...given]));
    };
  };
  return Object.assign(decorate, { [Symbol.dispose]: leave });
}

/** @internal The settings for the CPU, to be entered again when a forward is repeated. */
export function cpuAutocast(): <R>(fn: () => R) => R {
  const state = {
    device: 'cpu',
    dtype: known('cpu'),
    enabled: is_autocast_enabled('cpu'),
    cache: settings.cache,
  };
  return (fn) => within(state, fn);
}
