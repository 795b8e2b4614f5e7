// Grad modes: whether ops are recorded. Per JavaScript thread, as in PyTorch.
import { RuntimeError } from '../errors.js';
import { warnOnce } from '../warnings.js';

/** @internal Read by every op; set through the functions below. */
export const mode = { grad: true, inference: false, anomaly: false, checkNaN: true };

type ModeName = keyof typeof mode;

/** What `using _ = torch.no_grad()` holds: leaving the scope restores the mode. */
export interface ModeGuard extends Disposable {
  /** As a decorator: the function, run in this mode. */
  <A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R;
}

/** @internal Does it have a `then`? */
export const isPromise = (x: unknown): x is Promise<unknown> =>
  typeof (x as { then?: unknown } | null | undefined)?.then === 'function';

/** @internal Runs f without recording gradients: `no_grad` without its checks. */
export function unrecorded<R>(f: () => R): R {
  const outer = mode.grad;
  mode.grad = false;
  try {
    return f();
  } finally {
    mode.grad = outer;
  }
}

type Settings = Partial<typeof mode>;

const pick = (keys: readonly ModeName[]): Settings => Object.fromEntries(keys.map((key) => [key, mode[key]]));

/** Runs fn with the given modes and restores them, also when it throws. */
function within<R>(name: string, settings: Settings, fn: () => R): R {
  const before = pick(Object.keys(settings) as ModeName[]);
  Object.assign(mode, settings);
  try {
    const result = fn();
    if (isPromise(result))
      throw new RuntimeError(
        `torch.${name}(callback): the callback returned a promise, and the mode would end before it settles. Write \`using _ = torch.${name}()\` in the async function instead.`,
      );
    return result;
  } finally {
    Object.assign(mode, before);
  }
}

/** Modes entered by a guard that was not left yet. */
interface Scope {
  readonly settings: Settings;
  /** What leaving restores. */
  readonly before: Settings;
}

/** Open scopes, innermost last. */
const scopes: Scope[] = [];

/**
 * Leaves a scope. Async functions may leave theirs out of order: a mode that a later scope still
 * holds stays, and that scope then restores what this one would have restored.
 */
function leaveScope(scope: Scope): void {
  const at = scopes.lastIndexOf(scope);
  if (at < 0) return;
  scopes.splice(at, 1);
  for (const key of Object.keys(scope.settings) as ModeName[]) {
    const later = scopes.slice(at).find((s) => key in s.settings);
    (later === undefined ? mode : later.before)[key] = scope.before[key] as boolean;
  }
}

/**
 * Enters the modes at once; the returned guard leaves them.
 * @param lasting a plain call, without `using`, is meant to last.
 */
function guard(name: string, settings: Settings, lasting = false): ModeGuard {
  const scope: Scope = { settings, before: pick(Object.keys(settings) as ModeName[]) };
  Object.assign(mode, settings);
  if (!lasting) scopes.push(scope);
  let open = true;
  const leave = (): void => {
    if (!open) return;
    open = false;
    if (lasting) Object.assign(mode, scope.before);
    else leaveScope(scope);
  };
  const decorate = (fn: (...args: readonly unknown[]) => unknown) => {
    leave();
    return function (this: unknown, ...args: readonly unknown[]) {
      return within(name, settings, () => fn.apply(this, [...args]));
    };
  };
  return Object.assign(decorate, { [Symbol.dispose]: leave }) as unknown as ModeGuard;
}

/** The two forms of a grad mode: around a callback, or as a `using` guard. */
export interface GradMode {
  <R>(fn: () => R): R;
  (): ModeGuard;
}

function gradMode(name: string, settings: Partial<typeof mode>): GradMode {
  return ((fn?: () => unknown) =>
    fn === undefined ? guard(name, settings) : within(name, settings, fn)) as GradMode;
}

/**
 * Disables recording: `torch.no_grad(() => …)`, or `using _ = torch.no_grad()` until the end of the scope
 * (which may span awaits). Factories with `requires_grad: true` still make leaves that require gradients.
 */
export const no_grad: GradMode = gradMode('no_grad', { grad: false });

/** Enables recording, inside `no_grad` too. */
export const enable_grad: GradMode = gradMode('enable_grad', { grad: true });

/** Like `no_grad`, and the tensors made inside can never enter a graph. */
export const inference_mode: GradMode & ((enabled: boolean) => ModeGuard) = ((
  arg?: boolean | (() => unknown),
) => {
  if (typeof arg === 'boolean')
    return guard('inference_mode', arg ? { grad: false, inference: true } : { grad: true, inference: false });
  const settings = { grad: false, inference: true };
  return arg === undefined ? guard('inference_mode', settings) : within('inference_mode', settings, arg);
}) as GradMode & ((enabled: boolean) => ModeGuard);

/**
 * Sets recording on or off at once, and lastingly; the returned guard restores it, or wraps a function.
 * With a callback: only while that runs.
 */
export function set_grad_enabled(enabled: boolean): ModeGuard;
export function set_grad_enabled<R>(enabled: boolean, fn: () => R): R;
export function set_grad_enabled<R>(enabled: boolean, fn?: () => R): R | ModeGuard {
  if (typeof enabled !== 'boolean') {
    const given =
      typeof enabled === 'number' ? (Number.isInteger(enabled) ? 'int' : 'float') : typeof enabled;
    throw new TypeError(`set_grad_enabled(): argument 'enabled' (position 1) must be bool, not ${given}`);
  }
  return fn === undefined
    ? guard('set_grad_enabled', { grad: enabled }, true)
    : within('set_grad_enabled', { grad: enabled }, fn);
}

/** Whether ops record what they do for backward. */
export function is_grad_enabled(): boolean {
  return mode.grad;
}
/** Whether tensors are made in inference mode. */
export function is_inference_mode_enabled(): boolean {
  return mode.inference;
}

/** What {@link detect_anomaly} takes. */
export interface AnomalyOptions {
  /** Also fail when a backward formula returns a NaN (the default). */
  check_nan?: boolean;
}

/**
 * Records where each op was called: when a backward formula fails or returns a NaN, a warning (and the stack of the
 * error) tells where its forward call was. For debugging: it makes everything slower.
 */
export function detect_anomaly<R>(fn: () => R): R;
export function detect_anomaly(options?: AnomalyOptions): ModeGuard;
export function detect_anomaly<R>(options: AnomalyOptions, fn: () => R): R;
export function detect_anomaly<R>(first: AnomalyOptions | (() => R) = {}, second?: () => R): R | ModeGuard {
  const [options, fn] = typeof first === 'function' ? [{}, first] : [first, second];
  warnOnce(
    'Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.',
  );
  const settings = { anomaly: true, checkNaN: options.check_nan ?? true };
  return fn === undefined
    ? guard('autograd.detect_anomaly', settings)
    : within('autograd.detect_anomaly', settings, fn);
}

/** Turns anomaly detection on or off, lastingly; the returned guard restores what was before. */
export function set_detect_anomaly(enabled: boolean, check_nan: boolean | AnomalyOptions = true): ModeGuard {
  const checkNaN = typeof check_nan === 'boolean' ? check_nan : (check_nan.check_nan ?? true);
  return guard('autograd.set_detect_anomaly', { anomaly: enabled, checkNaN }, true);
}
/** Whether anomaly mode is on. */
export function is_anomaly_enabled(): boolean {
  return mode.anomaly;
}
/** Whether anomaly mode looks for NaN in gradients. */
export function is_anomaly_check_nan_enabled(): boolean {
  return mode.checkNaN;
}
