// Losses that are negative log likelihoods or divergences of distributions.

import { mode } from '../../autograd/modes.js';
import { PointwiseOp } from '../../dispatch/pointwise.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { type Expr, e } from '../../expr.js';
import { add, div, mul, square, sub } from '../../ops/arithmetic.js';
import { choose } from '../../ops/clamp.js';
import { gt, lt } from '../../ops/compare.js';
import { clone } from '../../ops/copy.js';
import { type Operand, op } from '../../ops/define.js';
import { exp, log, xlogy } from '../../ops/exp.js';
import { full_ } from '../../ops/fill.js';
import { sum } from '../../ops/reduce.js';
import { any } from '../../ops/reduce_extreme.js';
import { sizeText } from '../../pyformat.js';
import { sameSizes, Tensor } from '../../tensor.js';
import type { ElementLoss } from './loss.js';
import { combine, type LossOptions, type Reduction, reductionOf } from './reduction.js';

// ---- binary cross entropy

/** The smallest divisor of the gradient: PyTorch holds it in single precision. */
const EPSILON = Math.fround(1e-12);
const boundedLog = (x: Expr): Expr => e.max(x, -100);
const binary = new PointwiseOp('binary_cross_entropy', {
  types: 'real',
  tensorsOnly: true,
  kernelName: 'binary_cross_entropy',
  forward: (x, t) => e.sub(e.mul(e.sub(t, 1), boundedLog(e.log1p(e.neg(x)))), e.mul(t, boundedLog(e.log(x)))),
  derivative: ({ grad, x, y }) => [
    e.div(e.mul(grad, e.sub(x, y)), e.max(e.mul(e.sub(1, x), x), EPSILON)),
    e.mul(grad, e.sub(boundedLog(e.log1p(e.neg(x))), boundedLog(e.log(x)))),
  ],
});

function checkProbabilities(x: Tensor): void {
  if (x._numel === 0 || x.device.type === 'meta' || !x.dtype.is_floating_point) return;
  const from = x.detach();
  if (!from.ge(0).logical_and(from.le(1)).all().item())
    throw new RuntimeError('all elements of input should be between 0 and 1');
}

/**
 * `-(target log(input) + (1 - target) log(1 - input))`, logarithms bounded below by -100.
 * @throws RuntimeError for inputs outside of [0, 1]; ValueError for differing sizes.
 */
export const binary_cross_entropy: ElementLoss<LossOptions & { weight?: Tensor | null }> = op(
  'nn.functional.binary_cross_entropy',
  "Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, bool? reduce=None, str reduction='mean'",
  (x: Tensor, target: Tensor, weight: Tensor | null, average: unknown, reduce: unknown, how: string) => {
    const reduction = reductionOf(how, average, reduce);
    if (!sameSizes(x.shape, target.shape))
      throw new ValueError(
        `Using a target size (${sizeText(target.shape)}) that is different to the input size (${sizeText(x.shape)}) is deprecated. Please ensure they have the same size.`,
      );
    if (target.dtype !== x.dtype)
      throw new RuntimeError(`Found dtype ${target.dtype.scalarName} but expected ${x.dtype.scalarName}`);
    checkProbabilities(x);
    const losses = binary.call([x, target]);
    return combine(weight === null ? losses : mul(losses, weight), reduction);
  },
);

/** log(1 + exp(-x)), without overflow. */
const softMinus = (x: Expr): Expr => e.add(e.max(e.neg(x), 0), e.log1p(e.exp(e.neg(e.abs(x)))));
const logits = new PointwiseOp('binary_cross_entropy_with_logits', {
  types: 'float',
  tensorsOnly: true,
  node: 'BinaryCrossEntropyWithLogitsBackward0',
  forward: (x, t) => e.add(e.mul(e.sub(1, t), x), softMinus(x)),
  derivative: ({ grad, x, y }) => [e.mul(grad, e.sub(e.sigmoid(x), y)), e.neg(e.mul(grad, x))],
});
/** What the positive term counts: 1 + (pos_weight - 1) target. */
const positive = (t: Expr, p: Expr): Expr => e.add(1, e.mul(e.sub(p, 1), t));
const weightedLogits = new PointwiseOp('binary_cross_entropy_with_logits', {
  types: 'float',
  tensorsOnly: true,
  node: 'BinaryCrossEntropyWithLogitsBackward0',
  forward: (x, t, p) => e.add(e.mul(e.sub(1, t), x), e.mul(positive(t, p), softMinus(x))),
  derivative: ({ grad, x, y, z }) => [
    e.mul(grad, e.sub(e.sub(1, y), e.mul(positive(y, z), e.sigmoid(e.neg(x))))),
    e.mul(grad, e.sub(e.mul(e.sub(z, 1), softMinus(x)), x)),
    e.mul(grad, e.mul(y, softMinus(x))),
  ],
});

/** Binary cross entropy of `sigmoid(input)`, computed stably; `pos_weight` multiplies the positive term. @throws ValueError for differing sizes. */
export const binary_cross_entropy_with_logits: ElementLoss<
  LossOptions & { weight?: Tensor | null; pos_weight?: Tensor | null }
> = op(
  'nn.functional.binary_cross_entropy_with_logits',
  "Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, bool? reduce=None, str reduction='mean', Tensor? pos_weight=None",
  (
    x: Tensor,
    target: Tensor,
    weight: Tensor | null,
    average: unknown,
    reduce: unknown,
    how: string,
    posWeight: Tensor | null,
  ) => {
    const reduction = reductionOf(how, average, reduce);
    if (!sameSizes(x.shape, target.shape))
      throw new ValueError(
        `Target size (${sizeText(target.shape)}) must be the same as input size (${sizeText(x.shape)})`,
      );
    const losses =
      posWeight === null ? logits.call([x, target]) : weightedLogits.call([x, target, posWeight]);
    return combine(weight === null ? losses : mul(losses, weight), reduction);
  },
);

// ---- divergences and likelihoods

/** The Kullback-Leibler divergence of `target` from the log-probabilities `input`; `batchmean` divides the sum by the batch size. */
export const kl_div: ElementLoss<
  Omit<LossOptions, 'reduction'> & { reduction?: Reduction | 'batchmean'; log_target?: boolean }
> = op(
  'nn.functional.kl_div',
  "Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, str reduction='mean', bool log_target=False",
  (x: Tensor, target: Tensor, average: unknown, reduce: unknown, how: string, logTarget: boolean) => {
    const losses = logTarget ? mul(exp(target), sub(target, x)) : sub(xlogy(target, target), mul(target, x));
    if (how === 'batchmean' && average === null && reduce === null)
      return x.shape.length > 0 ? div(sum(losses), x.shape[0]) : sum(losses);
    return combine(losses, reductionOf(how, average, reduce));
  },
);

/** Stirling's approximation of log(n!), 0 up to 1. */
const stirling = (t: Tensor): Tensor =>
  choose(gt(t, 1), add(sub(mul(t, log(t)), t), mul(log(mul(t, 2 * Math.PI)), 0.5)), 0);

/** Negative log likelihood of Poisson counts; `full` adds Stirling's approximation of log(target!). */
export const poisson_nll_loss: ElementLoss<
  LossOptions & { log_input?: boolean; full?: boolean; eps?: number }
> = op(
  'nn.functional.poisson_nll_loss',
  "Tensor input, Tensor target, bool log_input=True, bool full=False, bool? size_average=None, float eps=1e-08, bool? reduce=None, str reduction='mean'",
  (
    x: Tensor,
    target: Tensor,
    logInput: boolean,
    full: boolean,
    average: unknown,
    eps: number,
    reduce: unknown,
    how: string,
  ) => {
    const reduction = reductionOf(how, average, reduce);
    const losses = logInput ? sub(exp(x), mul(target, x)) : sub(x, mul(target, log(add(x, eps))));
    return combine(full ? add(losses, stirling(target)) : losses, reduction);
  },
);

/** The variances, broadcastable to the input. @throws ValueError for negative ones or a shape that does not fit. */
function checkedVariance(x: Tensor, variance: Operand): Tensor {
  if (!(variance instanceof Tensor)) {
    if (Number(variance) < 0) throw new ValueError('var has negative entry/entries');
    return full_(x.shape, Number(variance), x.dtype, x.device);
  }
  if (any(lt(variance.detach(), 0)).item()) throw new ValueError('var has negative entry/entries');
  if (sameSizes(variance.shape, x.shape)) return variance;
  if (sameSizes(x.shape.slice(0, -1), variance.shape)) return variance.unsqueeze(-1);
  const differing = x.shape.filter((size, d) => size !== variance.shape[d]);
  if (x.shape.length === variance.shape.length && differing.reduce((a, b) => a + b, 0) === 1) return variance;
  if (
    x.shape.length === variance.shape.length &&
    variance.shape.filter((size, d) => size !== x.shape[d]).reduce((a, b) => a + b, 0) === 1
  )
    return variance;
  throw new ValueError('var is of incorrect size');
}

/** A copy with small values replaced by eps, through which gradients pass unchanged. */
function bounded(variance: Tensor, eps: number): Tensor {
  const copy = clone(variance);
  const before = mode.grad;
  mode.grad = false;
  try {
    return copy.clamp_(eps);
  } finally {
    mode.grad = before;
  }
}

/** Negative log likelihood of Gaussian targets with mean `input` and variance `var`, at least eps; `full` adds log(2 pi) / 2. */
export const gaussian_nll_loss: {
  (
    input: Tensor,
    target: Tensor,
    var_: Tensor | number,
    full?: boolean,
    eps?: number,
    reduction?: Reduction,
  ): Tensor;
  (
    input: Tensor,
    target: Tensor,
    var_: Tensor | number,
    options: { full?: boolean; eps?: number; reduction?: Reduction },
  ): Tensor;
} = op(
  'nn.functional.gaussian_nll_loss',
  "Tensor input, Tensor target, Operand var, bool full=False, float eps=1e-06, str reduction='mean'",
  (x: Tensor, target: Tensor, variance: Operand, full: boolean, eps: number, how: string) => {
    const given = checkedVariance(x, variance);
    if (how !== 'none' && how !== 'mean' && how !== 'sum') throw new ValueError(`${how} is not valid`);
    const v = bounded(given, eps);
    const losses = mul(add(log(v), div(square(sub(x, target)), v)), 0.5);
    return combine(full ? add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, how);
  },
);
