// What the parametrizations of a named tensor start from.
import { ValueError } from '../../errors.js';
import { Tensor } from '../../tensor.js';
import type { Module } from '../modules/module.js';

/** The tensor to parametrize. @throws ValueError when the module has none of the name. */
export function tensorNamed(module: Module, name: string): Tensor {
  const weight = (module as unknown as Record<string, unknown>)[name];
  if (!(weight instanceof Tensor))
    throw new ValueError(`Module '${module}' has no parameter or buffer with name '${name}'`);
  return weight;
}
