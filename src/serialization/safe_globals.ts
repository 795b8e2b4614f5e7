// Names that the user allows in checkpoints: torch.serialization.add_safe_globals.

/** Makes the value of a call that a pickle asks for. */
export type SafeFunction = (...args: readonly unknown[]) => unknown;
/** A function with the Python name it stands for: `[fn, 'collections.defaultdict']`. */
export type SafeGlobal = readonly [fn: SafeFunction, name: string];

let marked: ReadonlyMap<string, SafeFunction> = new Map();

/** @internal */
export const safeGlobals = (): ReadonlyMap<string, SafeFunction> => marked;

/**
 * Allows Python names in the checkpoints that `torch.load` reads. Where a pickle calls one, the function is called
 * with the arguments; a state that follows goes to the result's `__setstate__`, or is assigned to its fields.
 *
 *     torch.serialization.add_safe_globals([[(factory) => new Map(), 'collections.defaultdict']]);
 */
export function add_safe_globals(safe_globals: readonly SafeGlobal[]): void {
  for (const entry of safe_globals)
    if (!Array.isArray(entry) || typeof entry[0] !== 'function' || typeof entry[1] !== 'string')
      throw new TypeError('add_safe_globals takes pairs of a function and the Python name it stands for');
  marked = new Map([...marked, ...safe_globals.map(([fn, name]) => [name, fn] as const)]);
}

/** The names that `add_safe_globals` allowed. */
export function get_safe_globals(): SafeGlobal[] {
  return [...marked].map(([name, fn]) => [fn, name]);
}

/** Forgets the names that `add_safe_globals` allowed. */
export function clear_safe_globals(): void {
  marked = new Map();
}

/** Allows names while `fn` runs, or until the scope ends: `using _ = safe_globals([…])`. */
export function safe_globals(list: readonly SafeGlobal[]): Disposable;
export function safe_globals<R>(list: readonly SafeGlobal[], fn: () => R): R;
export function safe_globals<R>(list: readonly SafeGlobal[], fn?: () => R): R | Disposable {
  const before = marked;
  add_safe_globals(list);
  const restore = (): void => {
    marked = before;
  };
  if (fn === undefined) return { [Symbol.dispose]: restore };
  try {
    return fn();
  } finally {
    restore();
  }
}
