// Weight normalization (https://arxiv.org/abs/1602.07868): its formula, and the form that recomputes before forward.
import { ValueError } from '../../errors.js';
import { norm } from '../../ops/norm.js';
import type { Tensor } from '../../tensor.js';
import { warnOnce } from '../../warnings.js';
import type { Module } from '../modules/module.js';
import { Parameter } from '../parameter.js';
import { addPreHook, findPreHook, named, type RecomputingHook } from './recompute.js';

/** Norms over every dimension but one, which keeps its place; over all for -1. */
export function norm_except_dim(v: Tensor, pow = 2, dim = 0): Tensor {
  if (dim === -1) return norm(v, pow);
  const others = v.shape.flatMap((_, i) => (i === dim ? [] : [i]));
  return others.length === 0 ? v.abs() : norm(v, pow, others, true);
}

/** @internal The direction v with the magnitudes g. */
export function withMagnitude(v: Tensor, g: Tensor, dim: number): Tensor {
  return v.mul(g.div(norm_except_dim(v, 2, dim)));
}

/** Recomputes a weight from `NAME_g` and `NAME_v`. */
class WeightNorm implements RecomputingHook {
  constructor(
    readonly name: string,
    readonly dim: number,
  ) {}
  compute(module: Module): Tensor {
    return withMagnitude(named(module, `${this.name}_v`), named(module, `${this.name}_g`), this.dim);
  }
}

/**
 * Replaces a weight by its magnitude `NAME_g` and its direction `NAME_v`; it is recomputed before each forward.
 * Deprecated in favour of `nn.utils.parametrizations.weight_norm`.
 * @param dim the dimension that keeps its norms; null for one norm over all.
 */
export function weight_norm<M extends Module>(
  module: M,
  name: string | { name?: string; dim?: number | null } = 'weight',
  dim: number | null | { dim?: number | null } = 0,
): M {
  warnOnce(
    '`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.',
  );
  const named_ = typeof name === 'string' ? { name } : name;
  const given = typeof dim === 'object' && dim !== null ? dim : { dim };
  const key = named_.name ?? 'weight';
  const along = ('dim' in named_ ? named_.dim : given.dim) ?? -1;
  const hook = new WeightNorm(key, along);
  addPreHook('weight_norm', module, hook);
  const weight = named(module, key);
  Reflect.deleteProperty(module, key);
  module.register_parameter(`${key}_g`, new Parameter(norm_except_dim(weight, 2, along).detach()));
  module.register_parameter(`${key}_v`, new Parameter(weight.detach()));
  Object.assign(module, { [key]: hook.compute(module) });
  return module;
}

/** Takes {@link weight_norm} away, and leaves the weight as a parameter. @throws ValueError when there is none. */
export function remove_weight_norm<M extends Module>(module: M, name = 'weight'): M {
  const found = findPreHook(module, WeightNorm, name);
  if (!found) throw new ValueError(`weight_norm of '${name}' not found in ${module}`);
  const weight = found.hook.compute(module);
  for (const key of [name, `${name}_g`, `${name}_v`]) Reflect.deleteProperty(module, key);
  module.register_parameter(name, new Parameter(weight.detach()));
  found.remove();
  return module;
}
