// How losses are combined: `reduction` of the loss functions.
import { RuntimeError, ValueError } from '../../errors.js';
import { sum } from '../../ops/reduce.js';
import { mean } from '../../ops/reduce_mean.js';
import type { Tensor } from '../../tensor.js';

/** Every element's loss, their mean, or their sum. */
export type Reduction = 'none' | 'mean' | 'sum';

/** Options that most losses take; `size_average` and `reduce` are PyTorch's older spelling of `reduction`. */
export interface LossOptions {
  reduction?: Reduction;
  size_average?: boolean | null;
  reduce?: boolean | null;
}

/** @internal The reduction that a call asks for. @throws ValueError for an unknown name. */
export function reductionOf(
  reduction: string,
  sizeAverage: unknown = null,
  reduce: unknown = null,
): Reduction {
  if (sizeAverage !== null || reduce !== null)
    return (reduce ?? true) === false ? 'none' : (sizeAverage ?? true) === false ? 'sum' : 'mean';
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum')
    throw new ValueError(`${reduction} is not a valid value for reduction`);
  return reduction;
}

/** @internal Combines losses. */
export function combine(losses: Tensor, reduction: Reduction): Tensor {
  return reduction === 'mean' ? mean(losses) : reduction === 'sum' ? sum(losses) : losses;
}

/** @internal Class weights must name every class once. */
export function checkClassWeights(weight: Tensor | null, classes: number, prefix = ''): void {
  if (weight !== null && (weight.shape.length !== 1 || weight.shape[0] !== classes))
    throw new RuntimeError(
      `${prefix}weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: [${weight.shape.join(', ')}]`,
    );
}
