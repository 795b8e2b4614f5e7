// Copies of whole modules (Python's copy.deepcopy): what Transformer clones its layers with.
import { no_grad } from '../../autograd/modes.js';
import { Tensor } from '../../tensor.js';
import { Parameter } from '../parameter.js';
import { moduleState } from './hooks.js';
import { Module } from './module.js';

/**
 * A copy of a module with parameters, buffers and children of its own; what they share stays shared among the
 * copies. Hooks and other objects are taken over as they are.
 */
export function deepcopy<M extends Module>(module: M): M {
  return no_grad(() => copyModule(module, new Map()) as M);
}

function copyModule(module: Module, memo: Map<object, unknown>): Module {
  const known = memo.get(module);
  if (known !== undefined) return known as Module;
  // The base constructor makes the function object for the class, without running the class's own constructor.
  const copy = Reflect.construct(Module, [], module.constructor) as Module;
  memo.set(module, copy);
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(module)))
    Object.defineProperty(
      copy,
      name,
      'value' in property ? { ...property, value: copyValue(property.value, memo) } : property,
    );
  const [from, to] = [moduleState(module), moduleState(copy)];
  for (const key of [
    'buffers',
    'forwardHooks',
    'forwardPreHooks',
    'backwardHooks',
    'backwardPreHooks',
    'statePreHooks',
    'stateHooks',
    'loadPreHooks',
    'loadPostHooks',
  ] as const)
    for (const [name, value] of from[key] as Map<unknown, unknown>)
      (to[key] as Map<unknown, unknown>).set(name, value);
  for (const hook of from.alwaysCalled) to.alwaysCalled.add(hook);
  return copy;
}

function copyValue(value: unknown, memo: Map<object, unknown>): unknown {
  if (value instanceof Module) return copyModule(value, memo);
  if (value instanceof Tensor) {
    const known = memo.get(value);
    if (known !== undefined) return known;
    const plain = value.detach().clone();
    const copy = value instanceof Parameter ? new Parameter(plain, value.requires_grad) : plain;
    memo.set(value, copy);
    return copy;
  }
  if (Array.isArray(value)) return value.map((item) => copyValue(item, memo));
  return value;
}
