// load_state_dict: copies values into a module tree and collects what does not fit.
import { no_grad } from '../../autograd/modes.js';
import { RuntimeError } from '../../errors.js';
import { formatSize } from '../../format.js';
import { sameSizes, Tensor } from '../../tensor.js';
import { Parameter } from '../parameter.js';
import { knownState } from './hooks.js';
import { is_lazy } from './lazy.js';
import type { Module, StateDict } from './module.js';

export interface LoadOptions {
  /** Missing and unexpected keys are errors (default true). */
  strict?: boolean;
  /** Put the given tensors in place of the module's, instead of copying values. */
  assign?: boolean;
}

export interface LoadResult {
  missing_keys: string[];
  unexpected_keys: string[];
}

/** Prints as PyTorch's: `<All keys matched successfully>` where they did. */
class Loaded implements LoadResult {
  constructor(
    readonly missing_keys: string[],
    readonly unexpected_keys: string[],
  ) {}
  toString(): string {
    if (this.missing_keys.length === 0 && this.unexpected_keys.length === 0)
      return '<All keys matched successfully>';
    const list = (keys: string[]): string => `[${keys.map((k) => `'${k}'`).join(', ')}]`;
    return `_IncompatibleKeys(missing_keys=${list(this.missing_keys)}, unexpected_keys=${list(this.unexpected_keys)})`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return String(this);
  }
}

/** Copies `state` into `root`; see Module.load_state_dict. */
export function loadInto(
  root: Module,
  state: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  options: LoadOptions,
): LoadResult {
  if (state === null || typeof state !== 'object')
    throw new TypeError(`Expected state_dict to be dict-like, got ${typeof state}.`);
  const entries: StateDict = Object.fromEntries(state instanceof Map ? state : Object.entries(state));
  const { strict = true, assign = false } = options;
  const missing: string[] = [];
  const unexpected: string[] = [];
  const errors: string[] = [];
  const known = new Set<string>();
  const modules = [...root.named_modules()];
  no_grad(() => {
    for (const [path, module] of modules) {
      const prefix = path === '' ? '' : `${path}.`;
      for (const hook of knownState(module)?.loadPreHooks.values() ?? [])
        hook(module, entries, prefix, { version: 1 }, strict, missing, unexpected, errors);
      loadExtra(module, `${prefix}_extra_state`, entries, known, missing);
      for (const [name, target] of [...module._ownParameters(), ...module._ownBuffers(true)]) {
        const key = prefix + name;
        known.add(key);
        const value = entries[key];
        if (value === undefined) {
          if (!module._mayLack(name)) missing.push(key);
        } else {
          const problem = store(module, name, target, key, value, assign);
          if (problem) errors.push(problem);
        }
      }
    }
  });
  unexpected.push(...Object.keys(entries).filter((key) => !known.has(key)));
  const result = new Loaded(missing, unexpected);
  for (const [, module] of modules.reverse())
    for (const hook of knownState(module)?.loadPostHooks.values() ?? []) hook(module, result);
  if (strict) {
    if (unexpected.length > 0) errors.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpected)}. `);
    if (missing.length > 0) errors.unshift(`Missing key(s) in state_dict: ${quoted(missing)}. `);
  }
  if (errors.length > 0)
    throw new RuntimeError(
      `Error(s) in loading state_dict for ${root._getName()}:\n\t${errors.join('\n\t')}`,
    );
  return result;
}

/** Gives a module what it saved beside tensors. */
function loadExtra(
  module: Module,
  key: string,
  entries: StateDict,
  known: Set<string>,
  missing: string[],
): void {
  if (!module.set_extra_state) return;
  known.add(key);
  if (key in entries) module.set_extra_state(entries[key]);
  else missing.push(key);
}

const quoted = (keys: readonly string[]): string => keys.map((k) => `"${k}"`).join(', ');

/** Puts one value in its place; returns what is wrong with it. */
function store(
  module: Module,
  name: string,
  target: Tensor,
  key: string,
  value: Tensor,
  assign: boolean,
): string | null {
  if (!(value instanceof Tensor))
    return `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but received ${typeof value}`;
  if (is_lazy(target)) target.materialize(value.shape);
  if (!sameSizes(value.shape, target.shape))
    return `size mismatch for ${key}: copying a param with shape ${formatSize([...value.shape])} from checkpoint, the shape in current model is ${formatSize([...target.shape])}.`;
  if (assign)
    Object.assign(module, {
      [name]:
        target instanceof Parameter && !(value instanceof Parameter)
          ? new Parameter(value, target.requires_grad)
          : value,
    });
  else target.copy_(value);
  return null;
}
