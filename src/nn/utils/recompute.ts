// Tensors of a module that a hook recomputes before each forward.
import { RuntimeError, ValueError } from '../../errors.js';
import { Tensor } from '../../tensor.js';
import { type ForwardPreHook, moduleState } from '../modules/hooks.js';
import { UninitializedParameter } from '../modules/lazy.js';
import type { Module } from '../modules/module.js';

/** @internal Computes the tensor `name` of a module. */
export interface RecomputingHook {
  readonly name: string;
  compute(module: Module): Tensor;
}

/** What a hook function recomputes with. */
const owners = new WeakMap<ForwardPreHook, RecomputingHook>();

/** @internal A tensor of the module. @throws ValueError when there is none of the name. */
export function named(module: Module, name: string): Tensor {
  const x = (module as unknown as Record<string, unknown>)[name];
  if (!(x instanceof Tensor))
    throw new ValueError(`'${module._getName()}' object has no attribute '${name}'`);
  return x;
}

/**
 * @internal Recomputes a tensor before each forward.
 * @param what the name of the kind of hook, for messages; null where several may meet.
 * @throws RuntimeError when the tensor has such a hook already.
 * @throws ValueError for a tensor that has no shape yet.
 */
export function addPreHook(what: string | null, module: Module, hook: RecomputingHook): void {
  if (what !== null && findPreHook(module, hook.constructor as new () => RecomputingHook, hook.name))
    throw new RuntimeError(`Cannot register two ${what} hooks on the same parameter ${hook.name}`);
  if ((module as unknown as Record<string, unknown>)[hook.name] instanceof UninitializedParameter)
    throw new ValueError(
      `The module passed to \`${hook.constructor.name}\` can't have uninitialized parameters. Make sure to run the dummy forward before applying ${what?.replace('_', ' ').replace('norm', 'normalization')}`,
    );
  const recompute: ForwardPreHook = (m) => {
    Object.assign(m, { [hook.name]: hook.compute(m) });
  };
  owners.set(recompute, hook);
  module.register_forward_pre_hook(recompute);
}

/** @internal The hook of a class on a tensor (on any, without a name), and how to take it away. */
export function findPreHook<H extends RecomputingHook>(
  module: Module,
  kind: abstract new (...args: never[]) => H,
  name: string | null,
): { hook: H; remove: () => void } | null {
  const hooks = moduleState(module).forwardPreHooks;
  for (const [id, fn] of hooks) {
    const hook = owners.get(fn);
    if (hook instanceof kind && (name === null || hook.name === name))
      return { hook, remove: () => void hooks.delete(id) };
  }
  return null;
}
