// Losses between an input and a target of the same shape.
import { PointwiseOp, type PointwiseSpec } from '../../dispatch/pointwise.js';
import { ValueError } from '../../errors.js';
import { e } from '../../expr.js';
import { div, mul } from '../../ops/arithmetic.js';
import { op } from '../../ops/define.js';
import { sum } from '../../ops/reduce.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import { combine, type LossOptions, type Reduction, reductionOf } from './reduction.js';

/** A loss between elements of the input and of the target, which broadcast. */
export type ElementLoss<Options = LossOptions> = (input: Tensor, target: Tensor, options?: Options) => Tensor;

/** The distance of two elements as a record. */
function distance(
  name: string,
  kernelName: string,
  spec: Pick<PointwiseSpec, 'forward' | 'derivative' | 'complex'>,
): PointwiseOp {
  return new PointwiseOp(name, { types: 'real', kernelName, tensorsOnly: true, ...spec });
}

const squared = distance('mse_loss', 'mse_cpu', {
  forward: (x, y) => e.mul(e.sub(x, y), e.sub(x, y)),
  derivative: ({ grad, x, y }) => [e.mul(grad, e.mul(2, e.sub(x, y))), e.mul(grad, e.mul(2, e.sub(y, x)))],
});

/** Combines losses that are multiplied by weights; a mean is divided by the sum of the weights. */
function combineWeighted(losses: Tensor, x: Tensor, weight: Tensor, reduction: Reduction): Tensor {
  if (!sameSizes(weight.shape, x.shape)) throw new ValueError('Weights and input must have the same size.');
  const weighted = mul(losses, weight);
  return reduction === 'none'
    ? weighted
    : reduction === 'sum'
      ? sum(weighted)
      : div(sum(weighted), sum(weight));
}

interface WeightedOptions extends LossOptions {
  weight?: Tensor | null;
}

/** Mean (or sum, or each) of squared differences; `weight` multiplies them, and their mean is divided by its sum. */
export const mse_loss: ElementLoss<WeightedOptions> = op(
  'nn.functional.mse_loss',
  "Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, str reduction='mean', Tensor? weight=None",
  (x: Tensor, y: Tensor, average: unknown, reduce: unknown, how: string, weight: Tensor | null) => {
    const reduction = reductionOf(how, average, reduce);
    const losses = squared.call([x, y]);
    return weight === null ? combine(losses, reduction) : combineWeighted(losses, x, weight, reduction);
  },
);
