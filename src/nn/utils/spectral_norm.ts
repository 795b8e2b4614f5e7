// Spectral normalization (https://arxiv.org/abs/1802.05957), recomputed before each forward.
import { no_grad } from '../../autograd/modes.js';
import { ValueError } from '../../errors.js';
import { mv } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { normalize } from '../functional/index.js';
import { bind, type Call } from '../modules/arguments.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../modules/conv.js';
import { moduleState } from '../modules/hooks.js';
import type { Module } from '../modules/module.js';
import { Parameter } from '../parameter.js';
import { addPreHook, findPreHook, named, type RecomputingHook } from './recompute.js';

export interface SpectralOptions {
  /** The weight's name. */
  name?: string;
  n_power_iterations?: number;
  eps?: number;
  /** The dimension of outputs; by default 0, and 1 for transposed convolutions. */
  dim?: number | null;
}

export type SpectralArgs = Call<
  [],
  [name: string, n_power_iterations: number, eps: number, dim: number | null],
  SpectralOptions
>;

/** @internal The options of both forms of the normalization, for a module. */
export function spectralOptions(
  module: Module,
  args: readonly unknown[],
): Required<SpectralOptions> & { dim: number } {
  const schema = "str name='weight', int n_power_iterations=1, float eps=1e-12, int? dim=None";
  const [name, n_power_iterations, eps, dim] = bind('spectral_norm', schema, args) as [
    string,
    number,
    number,
    number | null,
  ];
  const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((c) => module instanceof c);
  return { name, n_power_iterations, eps, dim: dim ?? (transposed ? 1 : 0) };
}

/** @internal A weight as a matrix with a row for each output. */
export function asMatrix(weight: Tensor, dim: number): Tensor {
  const order = [dim, ...weight.shape.flatMap((_, i) => (i === dim ? [] : [i]))];
  const first = dim === 0 ? weight : weight.permute(order);
  return first.reshape([first.shape[0], -1]);
}

/** @internal A random unit vector. */
export function randomUnit(weight: Tensor, length: number, eps: number): Tensor {
  return normalize(weight.detach().new_empty([length]).normal_(0, 1), { dim: 0, eps });
}

/** @internal @throws ValueError when there is nothing to iterate. */
export function checkIterations(n: number): void {
  if (n <= 0)
    throw new ValueError(`Expected n_power_iterations to be positive, but got n_power_iterations=${n}`);
}

/** Recomputes a weight from `NAME_orig` and the singular vectors `NAME_u` and `NAME_v`. */
class SpectralNorm implements RecomputingHook {
  readonly name: string;
  constructor(readonly o: Required<SpectralOptions> & { dim: number }) {
    this.name = o.name;
    checkIterations(o.n_power_iterations);
  }
  compute(module: Module, iterate = module.training): Tensor {
    const { name, o } = this;
    const weight = named(module, `${name}_orig`);
    const matrix = asMatrix(weight, o.dim);
    const [u, v] = [named(module, `${name}_u`), named(module, `${name}_v`)];
    if (iterate)
      no_grad(() => {
        for (let i = 0; i < o.n_power_iterations; i++) {
          v.copy_(normalize(mv(matrix.t(), u), { dim: 0, eps: o.eps }));
          u.copy_(normalize(mv(matrix, v), { dim: 0, eps: o.eps }));
        }
      });
    // Clones, so that the next iteration leaves what backward needs alone.
    return weight.div(u.clone().dot(mv(matrix, v.clone())));
  }
}

/**
 * Divides a weight by its largest singular value, which one power iteration before each forward in training keeps up
 * to date. `nn.utils.parametrizations.spectral_norm` is the newer form.
 */
export function spectral_norm<M extends Module>(module: M, ...args: SpectralArgs): M {
  const o = spectralOptions(module, args);
  const hook = new SpectralNorm(o);
  const weight = (module as unknown as Record<string, unknown>)[o.name];
  if (weight === null || weight === undefined)
    throw new ValueError(`\`SpectralNorm\` cannot be applied as parameter \`${o.name}\` is None`);
  addPreHook('spectral_norm', module, hook);
  const original = named(module, o.name);
  const matrix = asMatrix(original.detach(), o.dim);
  const u = randomUnit(original, matrix.shape[0], o.eps);
  const v = randomUnit(original, matrix.shape[1], o.eps);
  Reflect.deleteProperty(module, o.name);
  module.register_parameter(`${o.name}_orig`, original as Parameter);
  Object.assign(module, { [o.name]: original.detach() });
  module.register_buffer(`${o.name}_u`, u);
  module.register_buffer(`${o.name}_v`, v);
  return module;
}

/** Takes {@link spectral_norm} away, and leaves the weight as a parameter. @throws ValueError when there is none. */
export function remove_spectral_norm<M extends Module>(module: M, name = 'weight'): M {
  const found = findPreHook(module, SpectralNorm, name);
  if (!found) throw new ValueError(`spectral_norm of '${name}' not found in ${module}`);
  const weight = no_grad(() => found.hook.compute(module, false));
  for (const key of [name, `${name}_u`, `${name}_v`, `${name}_orig`]) {
    Reflect.deleteProperty(module, key);
    moduleState(module).buffers.delete(key);
  }
  module.register_parameter(name, new Parameter(weight.detach()));
  found.remove();
  return module;
}
