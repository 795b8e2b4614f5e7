// torch.nn.utils.parametrizations
import { no_grad } from '../../autograd/modes.js';
import { IndexError } from '../../errors.js';
import { mv, vdot } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { normalize } from '../functional/index.js';
import { Module } from '../modules/module.js';
import { register_parametrization } from './parametrize.js';
import { asMatrix, checkIterations, type SpectralArgs, spectralOptions } from './spectral_norm.js';
import { tensorNamed } from './tensor_named.js';
import { norm_except_dim, withMagnitude } from './weight_norm.js';

export { type OrthogonalMap, orthogonal } from './orthogonal.js';

/** A weight from its magnitudes and its direction. */
class _WeightNorm extends Module {
  constructor(readonly dim: number) {
    super();
  }
  forward(weight_g: Tensor, weight_v: Tensor): Tensor {
    return withMagnitude(weight_v, weight_g, this.dim);
  }
  right_inverse(weight: Tensor): Tensor[] {
    return [norm_except_dim(weight, 2, this.dim), weight];
  }
}

/**
 * Weight normalization (https://arxiv.org/abs/1602.07868): the weight is a magnitude (`original0`) times a direction
 * (`original1`).
 * @param dim the dimension that keeps its norms; null for one norm over all.
 */
export function weight_norm<M extends Module>(
  module: M,
  name: string | { name?: string; dim?: number | null } = 'weight',
  dim: number | null | { dim?: number | null } = 0,
): M {
  const first = typeof name === 'string' ? { name } : name;
  const second = typeof dim === 'object' && dim !== null ? dim : { dim };
  const along = 'dim' in first ? first.dim : second.dim;
  const key = first.name ?? 'weight';
  register_parametrization(module, key, new _WeightNorm(along ?? -1), { unsafe: true });
  // States of the older form are understood, too.
  module.register_load_state_dict_pre_hook((_, state, prefix) => {
    const [g, v] = [`${prefix}${key}_g`, `${prefix}${key}_v`];
    if (!(g in state && v in state)) return;
    state[`${prefix}parametrizations.${key}.original0`] = state[g];
    state[`${prefix}parametrizations.${key}.original1`] = state[v];
    delete state[g];
    delete state[v];
  });
  return module;
}

/** A weight over its largest singular value, by power iteration whenever it is read in training. */
class _SpectralNorm extends Module {
  declare _u: Tensor;
  declare _v: Tensor;
  readonly dim: number;
  constructor(
    weight: Tensor,
    readonly n_power_iterations: number,
    dim: number,
    readonly eps: number,
  ) {
    super();
    const { ndim } = weight;
    if (dim >= ndim || dim < -ndim)
      throw new IndexError(
        `Dimension out of range (expected to be in range of [-${ndim}, ${ndim - 1}] but got ${dim})`,
      );
    checkIterations(n_power_iterations);
    this.dim = dim >= 0 ? dim : dim + ndim;
    if (ndim === 1) return;
    const matrix = asMatrix(weight.detach(), this.dim);
    const u = weight.detach().new_empty([matrix.shape[0]]).normal_(0, 1);
    const v = weight.detach().new_empty([matrix.shape[1]]).normal_(0, 1);
    this.register_buffer('_u', normalize(u, { dim: 0, eps }));
    this.register_buffer('_v', normalize(v, { dim: 0, eps }));
    this.iterate(matrix, 15);
  }

  private iterate(matrix: Tensor, times: number): void {
    no_grad(() => {
      for (let i = 0; i < times; i++) {
        this._u.copy_(normalize(mv(matrix, this._v), { dim: 0, eps: this.eps }));
        this._v.copy_(normalize(mv(matrix.mH, this._u), { dim: 0, eps: this.eps }));
      }
    });
  }

  forward(weight: Tensor): Tensor {
    if (weight.ndim === 1) return normalize(weight, { dim: 0, eps: this.eps });
    const matrix = asMatrix(weight, this.dim);
    if (this.training) this.iterate(matrix, this.n_power_iterations);
    // Clones, so that the next iteration leaves what backward needs alone.
    return weight.div(vdot(this._u.clone(), mv(matrix, this._v.clone())));
  }
  right_inverse(value: Tensor): Tensor {
    return value;
  }
}

/**
 * Spectral normalization (https://arxiv.org/abs/1802.05957): the weight is divided by its largest singular value, a
 * vector by its norm.
 * @throws ValueError for a name that is no tensor of the module.
 */
export function spectral_norm<M extends Module>(module: M, ...args: SpectralArgs): M {
  const { name, n_power_iterations, eps, dim } = spectralOptions(module, args);
  const weight = tensorNamed(module, name);
  return register_parametrization(module, name, new _SpectralNorm(weight, n_power_iterations, dim, eps));
}
