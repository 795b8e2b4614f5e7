// Adam for sparse gradients.
import { RuntimeError, ValueError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { checkSingle } from './common.js';
import { type Arguments, bindOptions, Optimizer, type Params, requireValue } from './optimizer.js';

export interface SparseAdamOptions {
  lr?: number | Tensor;
  betas?: readonly [number, number];
  eps?: number;
  maximize?: boolean;
}

/**
 * Lazy Adam for sparse gradients. There are no sparse tensors here, so a step finds none and throws.
 * @throws ValueError for options out of range and complex parameters.
 */
export class SparseAdam extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [lr: number | Tensor, betas: readonly [number, number], eps: number, maximize: boolean],
      SparseAdamOptions
    >
  ) {
    const schema = 'any lr=0.001, any betas=[0.9,0.999], float eps=1e-8, bool maximize=False';
    const bound = bindOptions('SparseAdam', schema, options);
    const o = bound as unknown as Required<SparseAdamOptions>;
    checkSingle(o.lr);
    requireValue(Number(o.lr) > 0, 'learning rate', Number(o.lr));
    requireValue(o.eps > 0, 'epsilon value', o.eps);
    o.betas.forEach((beta, i) => {
      requireValue(beta >= 0 && beta < 1, `beta parameter at index ${i}`, beta);
    });
    super(params, bound);
    this.param_groups.forEach((group, g) => {
      const complex = group.params.flatMap((p, i) => (p.is_complex() ? [`[${g}, ${i}]`] : []));
      if (complex.length > 0)
        throw new ValueError(
          `Complex params at indices [${complex.join(', ')}]: SparseAdam does not support complex parameters`,
        );
    });
  }

  protected update(): void {
    throw new RuntimeError('SparseAdam does not support dense gradients, please consider Adam instead');
  }
}
