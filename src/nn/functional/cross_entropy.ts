// Negative log likelihood and cross entropy.
import { record } from '../../autograd/graph.js';
import { mode } from '../../autograd/modes.js';
import { backendOf } from '../../backends/backend.js';
import { empty } from '../../dispatch/allocate.js';
import { float64, int64, uint8 } from '../../dtype.js';
import { IndexError, RuntimeError, ValueError } from '../../errors.js';
import { gatherAlong, scatterAdd } from '../../ops/along.js';
import { div, mul, neg, sub } from '../../ops/arithmetic.js';
import { masked_fill } from '../../ops/clamp.js';
import { eq } from '../../ops/compare.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { exp } from '../../ops/exp.js';
import { launchChecked } from '../../ops/indexing.js';
import { sum } from '../../ops/reduce.js';
import { notImplemented } from '../../ops/reduce_extreme.js';
import { softmaxAlong } from '../../ops/softmax.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import { checkClassWeights, type LossOptions, type Reduction, reductionOf } from './reduction.js';

const outOfBounds = (label: number): string => `Target ${label} is out of bounds.`;

/** The target of a nll loss, checked against the input's shape; labels as int64. */
function checkTarget(x: Tensor, target: Tensor, weight: Tensor | null): Tensor {
  const n = x.shape.length;
  if (n < 1) throw new ValueError('Expected 1 or more dimensions (got 0)');
  if (n > 1 && target.shape[0] !== x.shape[0])
    throw new ValueError(
      `Expected input batch_size (${x.shape[0]}) to match target batch_size (${target.shape[0] ?? 1}).`,
    );
  if (target.dtype !== int64 && target.dtype !== uint8)
    throw new RuntimeError(`expected target dtype to be Long or Byte, but got ${target.dtype.scalarName}`);
  if (n <= 2) {
    if (target.shape.length > 1)
      throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported');
    if (n === 1 && target._numel !== 1)
      throw new ValueError(`For 1D input, 1D target must have size 1, but got target size: ${target._numel}`);
  } else checkPlaces(x, target);
  checkClassWeights(weight, x.shape[n === 1 ? 0 : 1]);
  if (weight !== null && weight.dtype !== x.dtype)
    throw new RuntimeError(`expected scalar type ${x.dtype.scalarName} but found ${weight.dtype.scalarName}`);
  return castTo(target, int64);
}

function checkPlaces(x: Tensor, target: Tensor): void {
  const expected = [x.shape[0], ...x.shape.slice(2)];
  if (sameSizes(expected, target.shape)) return;
  if (x.shape.length !== 4)
    throw new RuntimeError(`Expected target size [${expected.join(', ')}], got [${target.shape.join(', ')}]`);
  if (target.shape.length !== 3)
    throw new RuntimeError(
      `only batches of spatial targets supported (3D tensors) but got targets of dimension: ${target.shape.length}`,
    );
  throw new RuntimeError(
    `size mismatch (got input: [${x.shape.join(', ')}] , target: [${target.shape.join(', ')}]`,
  );
}

/** What nll_loss needs of its target: labels with a class dimension, and every label's weight (0 where ignored). */
interface Labels {
  readonly index: Tensor;
  readonly weights: Tensor;
  readonly classDim: number;
}

/** Looks labels up in the class weights. @throws IndexError for a label that is no class. */
function lookUp(x: Tensor, target: Tensor, weight: Tensor | null, ignore: number): Labels {
  const classDim = x.shape.length === 1 ? 0 : 1;
  const ignored = eq(target, ignore);
  const safe = masked_fill(target, ignored, 0);
  const table = weight === null ? empty([x.shape[classDim]], x.dtype, x.device).fill_(1) : weight.detach();
  const flat = contiguous(safe.reshape([-1]));
  const picked = empty(flat.shape, x.dtype, x.device);
  if (flat._numel > 0) launchChecked('gather', x, outOfBounds, picked, table, 0, flat);
  const shape = x.shape.length === 1 ? [1] : target.shape;
  const weights = masked_fill(picked.reshape(shape), ignored.reshape(shape), 0);
  return {
    index: safe
      .reshape(shape)
      .unsqueeze(classDim === 0 ? 0 : 1)
      .reshape(x.shape.map((size, d) => (d === classDim ? 1 : size))),
    weights,
    classDim,
  };
}

/** The gradient of nll_loss to its input: linear in g. */
function nllGradient(g: Tensor, x: Tensor, labels: Labels, total: Tensor | null): Tensor {
  const share = total === null ? labels.weights : div(labels.weights, total);
  const each = neg(mul(g, share)).reshape(labels.index.shape);
  return scatterAdd(x.shape, labels.classDim, labels.index, each);
}

/** nll_loss after its checks. Result dtype: the input's. */
function nll(x: Tensor, target: Tensor, weight: Tensor | null, ignore: number, reduction: Reduction): Tensor {
  if (!x.dtype.is_floating_point) notImplemented('nll_loss_out_frame', x.dtype);
  const labels = lookUp(x, target, weight, ignore);
  const at = gatherAlong(x.detach(), labels.classDim, labels.index).reshape(labels.weights.shape);
  const losses = masked_fill(neg(mul(at, labels.weights)), eq(labels.weights, 0), 0);
  const total = reduction === 'mean' ? sum(labels.weights) : null;
  let out = reduction === 'none' ? losses : sum(losses);
  if (total !== null) out = div(out, total);
  if (x.shape.length === 1 && reduction === 'none') out = out.reshape(target.shape);
  record(x.shape.length > 2 ? 'NllLoss2DBackward0' : 'NllLossBackward0', [x], [out], () => ([g]) => [
    g === null ? null : nllGradient(g, x, labels, total),
  ]);
  return out;
}

interface ClassOptions extends LossOptions {
  weight?: Tensor | null;
  ignore_index?: number;
}

/** A classification loss: input, target, then PyTorch's further parameters. */
export interface ClassLoss<Options extends ClassOptions = ClassOptions> {
  (input: Tensor, target: Tensor, options?: Options): Tensor;
  (input: Tensor, target: Tensor, weight: Tensor | null, options?: Options): Tensor;
}

/**
 * Negative log likelihood: minus the input at each row's class, weighted.
 * Input [C], [N, C] or [N, C, d1, …] of log-probabilities; target [], [N] or [N, d1, …] of class numbers.
 * @throws IndexError for a label that is no class.
 */
export const nll_loss: ClassLoss = op(
  'nn.functional.nll_loss',
  "Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, str reduction='mean'",
  (
    x: Tensor,
    target: Tensor,
    weight: Tensor | null,
    average: unknown,
    ignore: number,
    reduce: unknown,
    reduction: string,
  ) => nll(x, checkTarget(x, target, weight), weight, ignore, reductionOf(reduction, average, reduce)),
);

// ---- fused cross entropy of rows

const reductionCode = { none: 0, mean: 1, sum: 2 } as const;

interface Rows {
  readonly target: Tensor;
  readonly weight: Tensor | null;
  readonly ignore: number;
  readonly reduction: Reduction;
  readonly smoothing: number;
}

/** The gradient written with ops, for higher derivatives. */
function rowsGradient(g: Tensor, x: Tensor, total: Tensor, rows: Rows): Tensor {
  const { smoothing, weight } = rows;
  const labels = lookUp(x, rows.target, weight, rows.ignore);
  const scaled = rows.reduction === 'mean' ? div(g, castTo(total, x.dtype)) : g;
  const column = rows.reduction === 'none' ? scaled.unsqueeze(1) : scaled;
  let toLog = mul(nllGradient(scaled, x, labels, null), 1 - smoothing);
  if (smoothing > 0) {
    const kept = eq(rows.target, rows.ignore).logical_not().unsqueeze(1);
    const spread = mul(mul(column, kept), smoothing / x.shape[1]);
    toLog = sub(toLog, weight === null ? spread : mul(spread, weight));
  }
  return sub(toLog, mul(exp(softmaxAlong('log_softmax', x, 1)), sum(toLog, 1, true)));
}

/** Cross entropy of [N, C] with labels [N]: one kernel each way. */
function crossEntropyRows(input: Tensor, rows: Rows): Tensor {
  const x = contiguous(input);
  const n = x.shape[0];
  const { target, weight, ignore, reduction, smoothing } = rows;
  const backend = backendOf(x.device.type);
  const loss = empty(reduction === 'none' ? [n] : [], x.dtype, x.device);
  const lse = empty([n], float64, x.device);
  const total = empty([], float64, x.device);
  const optionalWeight = weight === null ? null : ([weight] as const);
  const bad = backend.launch(
    'cross_entropy',
    loss,
    lse,
    total,
    x,
    target,
    optionalWeight,
    ignore,
    reductionCode[reduction],
    smoothing,
  );
  if (bad > 0)
    throw new IndexError(
      outOfBounds(
        Number(
          target
            .detach()
            .select(0, bad - 1)
            .item(),
        ),
      ),
    );
  record(smoothing > 0 ? 'AddBackward0' : 'NllLossBackward0', [x], [loss], (save) => {
    const savedInput = save(x);
    return ([g]) => {
      if (g === null) return [null];
      const from = savedInput();
      if (mode.grad) return [rowsGradient(g, from, total, rows)];
      const grad = empty(from.shape, from.dtype, from.device);
      if (grad._numel > 0)
        backend.launch(
          'cross_entropy_backward',
          grad,
          g,
          lse,
          total,
          from,
          target,
          optionalWeight,
          ignore,
          reductionCode[reduction],
          smoothing,
        );
      return [grad];
    };
  });
  return loss;
}

// ---- cross entropy in general

const perClass = (weight: Tensor, x: Tensor, classDim: number): Tensor =>
  weight.reshape(x.shape.map((size, d) => (d === classDim ? size : 1)));

/** With class probabilities as target. */
function withProbabilities(
  x: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: Reduction,
  smoothing: number,
): Tensor {
  const classDim = x.shape.length === 1 ? 0 : 1;
  const classes = x.shape[classDim];
  if (!target.dtype.is_floating_point)
    throw new RuntimeError(
      `Expected floating point type for target with class probabilities, got ${target.dtype.scalarName}`,
    );
  checkClassWeights(weight, classes, 'cross_entropy: ');
  const soft = smoothing > 0 ? mul(target, 1 - smoothing).add(smoothing / classes) : target;
  const logs = softmaxAlong('log_softmax', x, classDim);
  const weighted = mul(logs, soft);
  const terms = weight === null ? weighted : mul(weighted, perClass(weight, x, classDim));
  if (reduction === 'none') return neg(sum(terms, classDim));
  const whole = neg(sum(terms));
  return reduction === 'sum' ? whole : div(whole, x._numel / classes);
}

/** Labels in [N, C, d1, …], with smoothing. */
function smoothed(
  x: Tensor,
  target: Tensor,
  weight: Tensor | null,
  ignore: number,
  reduction: Reduction,
  smoothing: number,
): Tensor {
  const classDim = x.shape.length === 1 ? 0 : 1;
  const logs = softmaxAlong('log_softmax', x, classDim);
  const hard = nll(logs, target, weight, ignore, reduction);
  const spread = masked_fill(
    neg(sum(weight === null ? logs : mul(logs, perClass(weight, x, classDim)), classDim)),
    eq(target, ignore).reshape(classDim === 0 ? [] : target.shape),
    0,
  );
  let soft = reduction === 'none' ? spread : sum(spread);
  if (reduction === 'mean') soft = div(soft, sum(lookUp(x, target, weight, ignore).weights));
  else if (reduction === 'none') soft = soft.reshape(hard.shape);
  return mul(hard, 1 - smoothing).add(mul(soft, smoothing / x.shape[classDim]));
}

/**
 * Cross entropy between logits and targets: class numbers, or class probabilities of the input's shape.
 * Input [C], [N, C] or [N, C, d1, …]. `label_smoothing` mixes the target with the uniform distribution.
 *
 *     F.cross_entropy(torch.tensor([[2, 1, 0]]), torch.tensor([0n]))
 *     // tensor(0.4076)
 *
 * @throws IndexError for a label that is no class.
 */
export const cross_entropy: ClassLoss<ClassOptions & { label_smoothing?: number }> = op(
  'nn.functional.cross_entropy',
  "Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, str reduction='mean', float label_smoothing=0.0",
  (
    x: Tensor,
    target: Tensor,
    weight: Tensor | null,
    average: unknown,
    ignore: number,
    reduce: unknown,
    how: string,
    smoothing: number,
  ) => {
    const reduction = reductionOf(how, average, reduce);
    if (smoothing < 0 || smoothing > 1)
      throw new RuntimeError(`label_smoothing must be between 0.0 and 1.0. Got: ${smoothing}`);
    if (sameSizes(x.shape, target.shape)) {
      if (ignore >= 0) throw new RuntimeError('ignore_index is not supported for floating point target');
      return withProbabilities(x, target, weight, reduction, smoothing);
    }
    if (!x.dtype.is_floating_point) notImplemented('log_softmax_lastdim_kernel_impl', x.dtype);
    const labels = checkTarget(x, target, weight);
    if (x.shape.length === 2 && labels.shape.length === 1 && !weight?.requires_grad)
      return crossEntropyRows(x, { target: labels, weight, ignore, reduction, smoothing });
    if (smoothing > 0) return smoothed(x, labels, weight, ignore, reduction, smoothing);
    return nll(
      softmaxAlong('log_softmax', x, x.shape.length === 1 ? 0 : 1),
      labels,
      weight,
      ignore,
      reduction,
    );
  },
);
