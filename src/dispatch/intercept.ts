// The one place where every op call can be seen before it runs: tracing, autocast, profiling, vmap.

/** Sees a call of the op; `run` continues with (possibly other) arguments. */
export interface Interceptor {
  (name: string, args: readonly unknown[], run: (...args: readonly unknown[]) => unknown): unknown;
  /** It only watches: what several ops do may run as one kernel that it does not see. */
  passive?: boolean;
}

/** @internal The innermost active interceptor; null in ordinary eager execution. */
export const interception: { current: Interceptor | null } = { current: null };

/** Runs fn with every op call passing through the interceptor; calls made by it run outside. */
export function intercept<R>(interceptor: Interceptor, fn: () => R): R {
  const outer = interception.current;
  interception.current = (name, args, run) => {
    const own = interception.current;
    interception.current = outer;
    // The call goes on to the interceptors around this one.
    const next = outer === null ? run : (...given: readonly unknown[]): unknown => outer(name, given, run);
    try {
      return interceptor(name, args, next);
    } finally {
      interception.current = own;
    }
  };
  try {
    return fn();
  } finally {
    interception.current = outer;
  }
}
