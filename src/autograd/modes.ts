// Grad modes: whether ops are recorded. Per JavaScript thread, as in PyTorch.
import { RuntimeError } from '../errors.js';

/** @internal Read by every op; set through the functions below. */
export const mode = { grad: true, inference: false, anomaly: false, multithreading: true };

type ModeName = keyof typeof mode;

/** What `using _ = torch.no_grad()` holds: leaving the scope restores the mode. */
export interface ModeGuard extends Disposable {
  /** As a decorator: the function, run in this mode. */
  <A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R;
}

const isPromise = (x: unknown): boolean => typeof (x as { then?: unknown } | null | undefined)?.then === 'function';

/** Runs fn with the given modes and restores them, also when it throws. */
function within<R>(name: string, settings: Partial<typeof mode>, fn: () => R): R {
  const before = { ...mode };
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

/** Enters the modes at once; the returned guard leaves them. */
function guard(name: string, settings: Partial<typeof mode>): ModeGuard {
  const before = { ...mode };
  Object.assign(mode, settings);
  let open = true;
  const leave = (): void => {
    if (open) for (const key of Object.keys(settings) as ModeName[]) mode[key] = before[key];
    open = false;
  };
  const decorate = (fn: (...args: readonly unknown[]) => unknown) => {
    leave();
    return (...args: readonly unknown[]) => within(name, settings, () => fn(...args));
  };
  return Object.assign(decorate, { [Symbol.dispose]: leave }) as unknown as ModeGuard;
}

/** The two forms of a grad mode: around a callback, or as a `using` guard. */
export interface GradMode {
  <R>(fn: () => R): R;
  (): ModeGuard;
}

function gradMode(name: string, settings: Partial<typeof mode>): GradMode {
  return ((fn?: () => unknown) => (fn === undefined ? guard(name, settings) : within(name, settings, fn))) as GradMode;
}

/**
 * Disables recording: `torch.no_grad(() => …)`, or `using _ = torch.no_grad()` until the end of the scope
 * (which may span awaits). Factories with `requires_grad: true` still make leaves that require gradients.
 */
export const no_grad: GradMode = gradMode('no_grad', { grad: false });

/** Enables recording, inside `no_grad` too. */
export const enable_grad: GradMode = gradMode('enable_grad', { grad: true });

/** Like `no_grad`, and the tensors made inside can never enter a graph. */
export const inference_mode: GradMode & { (enabled: boolean): ModeGuard } = ((arg?: boolean | (() => unknown)) => {
  if (typeof arg === 'boolean') return guard('inference_mode', arg ? { grad: false, inference: true } : { grad: true, inference: false });
  const settings = { grad: false, inference: true };
  return arg === undefined ? guard('inference_mode', settings) : within('inference_mode', settings, arg);
}) as GradMode & { (enabled: boolean): ModeGuard };

/** Sets recording on or off, at once; the returned guard restores it, or runs a callback in that mode. */
export function set_grad_enabled(enabled: boolean): ModeGuard;
export function set_grad_enabled<R>(enabled: boolean, fn: () => R): R;
export function set_grad_enabled<R>(enabled: boolean, fn?: () => R): R | ModeGuard {
  if (typeof enabled !== 'boolean') throw new TypeError(`set_grad_enabled(): argument 'mode' must be bool, not ${typeof enabled}`);
  return fn === undefined ? guard('set_grad_enabled', { grad: enabled }) : within('set_grad_enabled', { grad: enabled }, fn);
}

export function is_grad_enabled(): boolean {
  return mode.grad;
}
export function is_inference_mode_enabled(): boolean {
  return mode.inference;
}

/** Records where each op was called, so that errors in backward can say so. */
export const detect_anomaly: GradMode = gradMode('autograd.detect_anomaly', { anomaly: true });

/** Turns anomaly detection on or off. */
export function set_detect_anomaly(enabled: boolean): ModeGuard {
  return guard('autograd.set_detect_anomaly', { anomaly: enabled });
}
export function is_anomaly_enabled(): boolean {
  return mode.anomaly;
}
