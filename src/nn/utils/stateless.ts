// Calls of modules with other parameters and buffers than their own.
import { RuntimeError, ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { Module } from '../modules/module.js';

/** Tensors by dotted name. */
export type NamedTensors = Record<string, Tensor>;

export interface FunctionalCallOptions {
  /** Give tied tensors of the module the same value, when one of their names is given. */
  tie_weights?: boolean;
  /** Every parameter and buffer must be given, and nothing else. */
  strict?: boolean;
}

/** Names of one tensor of the module, for each name that it has. */
function tiedNames(module: Module): Map<string, string[]> {
  const names = new Map<Tensor, string[]>();
  for (const [name, x] of [
    ...module.named_parameters({ remove_duplicate: false }),
    ...module.named_buffers({ remove_duplicate: false }),
  ])
    names.set(x, [...(names.get(x) ?? []), name]);
  return new Map([...names.values()].flatMap((list) => list.map((name) => [name, list])));
}

/** Adds the other names of tied tensors. @throws ValueError when they are given different values. */
function untied(module: Module, given: Readonly<NamedTensors>): NamedTensors {
  const out = { ...given };
  const tied = tiedNames(module);
  for (const name of Object.keys(given)) {
    const names = tied.get(name) ?? [];
    if (names.some((other) => other in given && given[other] !== given[name]))
      throw new ValueError(
        `functional_call got multiple values for keys [${[...names]
          .sort()
          .map((n) => `'${n}'`)
          .join(', ')}], which are tied. Consider using tie_weights=False`,
      );
    for (const other of names) out[other] = given[name];
  }
  return out;
}

function checkKeys(module: Module, given: Readonly<NamedTensors>): void {
  const known = new Set(tiedNames(module).keys());
  const unexpected = Object.keys(given).filter((name) => !known.has(name));
  const missing = [...known].filter((name) => !(name in given));
  const list = (names: readonly string[]): string =>
    [...names]
      .sort()
      .map((name) => `'${name}'`)
      .join(', ');
  const problems = [];
  if (unexpected.length > 0) problems.push(`Unexpected key(s): ${list(unexpected)}.`);
  if (missing.length > 0) problems.push(`Missing key(s): ${list(missing)}.`);
  if (problems.length > 0)
    throw new RuntimeError(
      `Error(s) in reparametrizing for ${module._getName()}:\n\t${problems.join('\n\t')}`,
    );
}

/** Puts a tensor where a dotted name leads. @returns what undoes it and reads what is there then. */
function swap(module: Module, path: string, value: Tensor): () => unknown {
  const dot = path.lastIndexOf('.');
  const owner = module.get_submodule(dot < 0 ? '' : path.slice(0, dot));
  const name = path.slice(dot + 1);
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: true });
  return () => {
    const after = (owner as unknown as Record<string, unknown>)[name];
    if (before) Object.defineProperty(owner, name, before);
    else Reflect.deleteProperty(owner, name);
    return after;
  };
}

/**
 * Calls a module with the given tensors in place of its parameters and buffers of those names; gradients flow to them.
 * What the module writes to its buffers is found in the object that was given.
 * @param args the argument of the call, or a list of several.
 * @throws RuntimeError for missing or unexpected names, when `strict`.
 * @throws ValueError for different values of tied tensors.
 */
export function functional_call<M extends Module>(
  module: M,
  parameters_and_buffers: NamedTensors | readonly NamedTensors[],
  args: unknown = null,
  kwargs: Readonly<Record<string, unknown>> | null = null,
  options: FunctionalCallOptions = {},
): ReturnType<M['forward']> {
  if (!(module instanceof Module)) throw new TypeError('functional_call: expected an nn.Module');
  const { tie_weights = true, strict = false } = options;
  const given = Array.isArray(parameters_and_buffers)
    ? merged(parameters_and_buffers as readonly NamedTensors[])
    : (parameters_and_buffers as NamedTensors);
  const values = tie_weights ? untied(module, given) : given;
  if (strict) checkKeys(module, values);
  const positional: readonly unknown[] = args === null ? [] : Array.isArray(args) ? args : [args];
  const restore: [string, () => unknown][] = [];
  try {
    for (const [path, value] of Object.entries(values)) restore.push([path, swap(module, path, value)]);
    const call = module as unknown as (...all: readonly unknown[]) => ReturnType<M['forward']>;
    return kwargs === null ? call(...positional) : call(...positional, kwargs);
  } finally {
    for (const [path, undo] of restore.reverse()) {
      const after = undo();
      if (path in given) given[path] = after as Tensor;
    }
  }
}

/** One object of several. @throws ValueError for a name that two of them have. */
function merged(list: readonly NamedTensors[]): NamedTensors {
  const names = list.flatMap((object) => Object.keys(object));
  const repeated = names.filter((name, i) => names.indexOf(name) !== i);
  if (repeated.length > 0)
    throw new ValueError(
      `${repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous`,
    );
  return Object.assign({}, ...list) as NamedTensors;
}
