// Losses between an input and a target of the same shape.
import { PointwiseOp, type PointwiseSpec } from '../../dispatch/pointwise.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { type Expr, e } from '../../expr.js';
import { abs, div, mul, sub } from '../../ops/arithmetic.js';
import { castTo } from '../../ops/copy.js';
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

const weightedSchema =
  "Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, str reduction='mean', Tensor? weight=None";

/**
 * Mean (or sum, or each) of squared differences; `weight` multiplies them, and their mean is divided by its sum.
 *
 *     F.mse_loss(torch.tensor([1, 2]), torch.tensor([1, 4]))
 *     // tensor(2.)
 */
export const mse_loss: ElementLoss<WeightedOptions> = op(
  'nn.functional.mse_loss',
  weightedSchema,
  (x: Tensor, y: Tensor, average: unknown, reduce: unknown, how: string, weight: Tensor | null) => {
    const reduction = reductionOf(how, average, reduce);
    const losses = squared.call([x, y]);
    return weight === null ? combine(losses, reduction) : combineWeighted(losses, x, weight, reduction);
  },
);

/** Mean (or sum, or each) of absolute differences; `weight` as in {@link mse_loss}. */
export const l1_loss: ElementLoss<WeightedOptions> = op(
  'nn.functional.l1_loss',
  weightedSchema,
  (x: Tensor, y: Tensor, average: unknown, reduce: unknown, how: string, weight: Tensor | null) => {
    const reduction = reductionOf(how, average, reduce);
    const losses = abs(sub(x, y));
    return weight === null ? combine(losses, reduction) : combineWeighted(losses, x, weight, reduction);
  },
);

/** d / |d| where |d| reaches the limit, d / limit below. */
const saturating = (d: Expr, limit: Expr): Expr =>
  e.select(e.lt(e.abs(d), limit), e.div(d, limit), e.sign(d));

const smoothAbsolute = new PointwiseOp('smooth_l1_loss', {
  types: 'real',
  kernelName: 'smooth_l1_cpu',
  forward: (x, y, beta) => {
    const size = e.abs(e.sub(x, y));
    return e.select(
      e.lt(size, beta),
      e.div(e.mul(0.5, e.mul(size, size)), beta),
      e.sub(size, e.mul(0.5, beta)),
    );
  },
  derivative: ({ grad, x, y, z }) => [
    e.mul(grad, saturating(e.sub(x, y), z)),
    e.mul(grad, saturating(e.sub(y, x), z)),
    null,
  ],
});

/** Squared differences below `beta`, absolute ones above. @throws RuntimeError for a negative beta. */
export const smooth_l1_loss: ElementLoss<LossOptions & { beta?: number }> = op(
  'nn.functional.smooth_l1_loss',
  "Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, str reduction='mean', float beta=1.0",
  (x: Tensor, y: Tensor, average: unknown, reduce: unknown, how: string, beta: number) => {
    const reduction = reductionOf(how, average, reduce);
    if (beta < 0) throw new RuntimeError('smooth_l1_loss does not support negative values for beta.');
    return combine(beta === 0 ? abs(sub(x, y)) : smoothAbsolute.call([x, y, beta]), reduction);
  },
);

const huber = new PointwiseOp('huber_loss', {
  types: 'real',
  kernelName: 'huber_cpu',
  forward: (x, y, delta) => {
    const size = e.abs(e.sub(x, y));
    return e.select(
      e.le(size, delta),
      e.mul(0.5, e.mul(size, size)),
      e.mul(delta, e.sub(size, e.mul(0.5, delta))),
    );
  },
  derivative: ({ grad, x, y, z }) => [
    e.mul(grad, e.mul(z, saturating(e.sub(x, y), z))),
    e.mul(grad, e.mul(z, saturating(e.sub(y, x), z))),
    null,
  ],
});

/** Squared differences up to `delta`, absolute ones (times delta) above. @throws RuntimeError unless delta is positive. */
export const huber_loss: ElementLoss<{ reduction?: Reduction; delta?: number; weight?: Tensor | null }> = op(
  'nn.functional.huber_loss',
  "Tensor input, Tensor target, str reduction='mean', float delta=1.0, Tensor? weight=None",
  (x: Tensor, y: Tensor, how: string, delta: number, weight: Tensor | null) => {
    if (!(delta > 0)) throw new RuntimeError('huber_loss does not support non-positive values for delta.');
    const losses = huber.call([x, y, delta]);
    if (weight !== null && !sameSizes(weight.shape, x.shape))
      throw new ValueError('Weights and input must have the same size.');
    return combine(weight === null ? losses : mul(losses, weight), reductionOf(how));
  },
);

const softMargin = distance('soft_margin_loss', 'soft_margin_loss', {
  forward: (x, y) => {
    const z = e.neg(e.mul(x, y));
    return e.add(e.max(z, 0), e.log1p(e.exp(e.neg(e.abs(z)))));
  },
  derivative: ({ grad, x, y }) => [
    e.neg(e.mul(grad, e.mul(y, e.sigmoid(e.neg(e.mul(x, y)))))),
    e.neg(e.mul(grad, e.mul(x, e.sigmoid(e.neg(e.mul(x, y)))))),
  ],
});

/** `log(1 + exp(-target * input))`, target 1 or -1. */
export const soft_margin_loss: ElementLoss = op(
  'nn.functional.soft_margin_loss',
  "Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, str reduction='mean'",
  (x: Tensor, y: Tensor, average: unknown, reduce: unknown, how: string) =>
    combine(
      softMargin.call([x, castTo(y, y.dtype.is_integral ? x.dtype : y.dtype)]),
      reductionOf(how, average, reduce),
    ),
);
