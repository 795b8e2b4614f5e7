// Losses that ask for a margin between scores or distances.

import { typeName } from '../../dispatch/schema.js';
import { get_default_dtype, int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { gatherAlong, scatterAdd } from '../../ops/along.js';
import { add, div, mul, neg, rsub, sqrt, square, sub } from '../../ops/arithmetic.js';
import { choose, clamp_min, masked_fill } from '../../ops/clamp.js';
import { eq, ge, gt, minimum, ne } from '../../ops/compare.js';
import { castTo } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { ones_ } from '../../ops/fill.js';
import { index_select } from '../../ops/indexing.js';
import { sum } from '../../ops/reduce.js';
import { cumprod } from '../../ops/scan.js';
import { listText } from '../../pyformat.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import { logsigmoid } from './activation.js';
import { pairwise_distance } from './distance.js';
import { checkTarget as checkLabels } from './labels.js';
import { combine, type LossOptions, type Reduction, reductionOf } from './reduction.js';

const rest = "bool? size_average=None, bool? reduce=None, str reduction='mean'";
/** A loss of one input and its target. */
export type PairLoss<Options = LossOptions> = (input: Tensor, target: Tensor, options?: Options) => Tensor;
/** A loss of two inputs and a target. */
export interface TwoInputLoss<Options> {
  (input1: Tensor, input2: Tensor, target: Tensor, options?: Options): Tensor;
  (input1: Tensor, input2: Tensor, target: Tensor, margin: number, options?: Options): Tensor;
}

/** A margin is a float: integers promote to the default one. */
const real = (x: Tensor): Tensor => (x.dtype.is_integral ? castTo(x, get_default_dtype()) : x);

/** The input where target is 1, `max(0, margin - input)` where it is -1. */
export const hinge_embedding_loss: PairLoss<LossOptions & { margin?: number }> = op(
  'nn.functional.hinge_embedding_loss',
  `Tensor input, Tensor target, float margin=1.0, ${rest}`,
  (x: Tensor, target: Tensor, margin: number, average: unknown, reduce: unknown, how: string) => {
    const apart = choose(ne(target, 1), clamp_min(rsub(real(x), margin), 0), 0);
    const close = choose(ne(target, -1), x, 0);
    return combine(add(apart, close), reductionOf(how, average, reduce));
  },
);

/** `max(0, -target * (input1 - input2) + margin)`. @throws RuntimeError for differing numbers of dimensions. */
export const margin_ranking_loss: TwoInputLoss<LossOptions & { margin?: number }> = op(
  'nn.functional.margin_ranking_loss',
  `Tensor input1, Tensor input2, Tensor target, float margin=0, ${rest}`,
  (x: Tensor, y: Tensor, target: Tensor, margin: number, average: unknown, reduce: unknown, how: string) => {
    const reduction = reductionOf(how, average, reduce);
    const n = target.shape.length;
    if (x.shape.length !== n || y.shape.length !== n)
      throw new RuntimeError(
        `margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: torch.Size(${listText(x.shape)}), input2: torch.Size(${listText(y.shape)}), target: torch.Size(${listText(target.shape)}) `,
      );
    return combine(clamp_min(add(real(mul(neg(target), sub(x, y))), margin), 0), reduction);
  },
);

const EPSILON = 1e-12;

/** `1 - cos(input1, input2)` where target is 1, `max(0, cos - margin)` where it is -1. Inputs [N, D] or [D], target [N] or []. */
export const cosine_embedding_loss: TwoInputLoss<LossOptions & { margin?: number }> = op(
  'nn.functional.cosine_embedding_loss',
  `Tensor input1, Tensor input2, Tensor target, float margin=0, ${rest}`,
  (x: Tensor, y: Tensor, target: Tensor, margin: number, average: unknown, reduce: unknown, how: string) => {
    const reduction = reductionOf(how, average, reduce);
    const n = target.shape.length;
    if (n > 1) throw new RuntimeError('0D or 1D target tensor expected, multi-target not supported');
    if (n === 1 && (x.shape.length !== 2 || y.shape.length !== 2))
      throw new RuntimeError(
        '1D target tensor expects 2D input tensors, but found inputs with sizes ' +
          `${listText(x.shape)} and ${listText(y.shape)}.`,
      );
    if (n === 0 && (x.shape.length !== 1 || y.shape.length !== 1))
      throw new RuntimeError(
        '0D target tensor expects 1D input tensors, but found inputs with sizes ' +
          `${listText(x.shape)} and ${listText(y.shape)}.`,
      );
    const product = sum(mul(x, y), n);
    const size = (t: Tensor): Tensor => add(sum(mul(t, t), n), EPSILON);
    const cosine = div(product, sqrt(mul(size(x), size(y))));
    const losses = add(
      choose(eq(target, 1), rsub(cosine, 1), 0),
      choose(eq(target, -1), clamp_min(sub(cosine, margin), 0), 0),
    );
    return combine(losses, reduction);
  },
);

/** Sums over the other classes of `max(0, margin - input[target] + input)^p / C`. Input [N, C] or [C], target [N] or []; p is 1 or 2. */
export const multi_margin_loss: PairLoss<
  LossOptions & { p?: number; margin?: number; weight?: Tensor | null }
> = op(
  'nn.functional.multi_margin_loss',
  `Tensor input, Tensor target, int p=1, float margin=1.0, Tensor? weight=None, ${rest}`,
  (
    x: Tensor,
    target: Tensor,
    p: number,
    margin: number,
    weight: Tensor | null,
    average: unknown,
    reduce: unknown,
    how: string,
  ) => {
    const reduction = reductionOf(how, average, reduce);
    if (p !== 1 && p !== 2) throw new ValueError('only p == 1 and p == 2 supported');
    const classes = x.shape[x.shape.length - 1] ?? 1;
    if (weight !== null && (weight.shape.length !== 1 || weight.shape[0] !== classes))
      throw new RuntimeError(
        `multi_margin_loss: weight must be one-dimensional and have size ${classes}. Got shape: ${listText(weight.shape)}`,
      );
    const { rows, labels } = checkLabels(x, target);
    const index = labels.unsqueeze(1);
    const over = clamp_min(add(sub(rows, gatherAlong(rows, 1, index)), margin), 0);
    const terms = p === 2 ? square(over) : over;
    const own = scatterAdd(rows.shape, 1, index, ones_(index.shape, rows.dtype, rows.device));
    const kept = masked_fill(
      weight === null ? terms : mul(terms, index_select(weight, 0, labels).unsqueeze(1)),
      gt(own, 0),
      0,
    );
    const losses = div(sum(kept, 1), classes);
    return combine(x.shape.length < 2 && target.shape.length === 0 ? losses.reshape([]) : losses, reduction);
  },
);

/** Sums over pairs of a target class and another class of `max(0, 1 - input[target] + input[other]) / C`. A row's targets end at the first -1. */
export const multilabel_margin_loss: PairLoss = op(
  'nn.functional.multilabel_margin_loss',
  `Tensor input, Tensor target, ${rest}`,
  (x: Tensor, target: Tensor, average: unknown, reduce: unknown, how: string) => {
    const reduction = reductionOf(how, average, reduce);
    if (!sameSizes(x.shape, target.shape))
      throw new RuntimeError(
        `inconsistent target size: ${listText(target.shape)} for input of size: ${listText(x.shape)}`,
      );
    const rows = x.shape.length === 2 ? x : x.reshape([1, -1]);
    const classes = rows.shape[1];
    const list = castTo(target.detach(), int64).reshape([...rows.shape]);
    if (list.lt(-1).logical_or(ge(list, classes)).any().item())
      throw new RuntimeError('argument #3 (target) out of range');
    const valid = castTo(cumprod(ge(list, 0), 1), rows.dtype);
    const index = masked_fill(list, eq(valid, 0), 0);
    const others = castTo(eq(scatterAdd(rows.shape, 1, index, valid), 0), rows.dtype);
    const over = clamp_min(add(sub(rows.unsqueeze(1), gatherAlong(rows, 1, index).unsqueeze(2)), 1), 0);
    const losses = div(sum(mul(mul(over, valid.unsqueeze(2)), others.unsqueeze(1)), [1, 2]), classes);
    return combine(x.shape.length === 2 ? losses : losses.reshape([]), reduction);
  },
);

/** Mean over classes of the binary cross entropies of `sigmoid(input)`. Input and target [N, C] or [C]. */
export const multilabel_soft_margin_loss: PairLoss<LossOptions & { weight?: Tensor | null }> = op(
  'nn.functional.multilabel_soft_margin_loss',
  `Tensor input, Tensor target, Tensor? weight=None, ${rest}`,
  (x: Tensor, target: Tensor, weight: Tensor | null, average: unknown, reduce: unknown, how: string) => {
    const reduction = reductionOf(how, average, reduce);
    const each = neg(add(mul(target, logsigmoid(x)), mul(rsub(target, 1), logsigmoid(neg(x)))));
    const weighted = weight === null ? each : mul(each, weight);
    const classes = x.shape[x.shape.length - 1];
    return combine(div(sum(weighted, x.shape.length - 1), classes), reduction);
  },
);

type Distance = (x: Tensor, y: Tensor) => Tensor;

function triplet(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  distance: Distance,
  margin: number,
  swap: boolean,
): Tensor {
  const near = distance(anchor, positive);
  let far = distance(anchor, negative);
  // After Balntas, Riba, Ponsa, Mikolajczyk (2016): the harder of both negatives.
  if (swap) far = minimum(far, distance(positive, negative));
  return clamp_min(sub(add(near, margin), far), 0);
}

function checkTriplet(anchor: Tensor, positive: Tensor, negative: Tensor): void {
  const [a, p, n] = [anchor, positive, negative].map((t) => t.shape.length);
  if (a !== p || p !== n)
    throw new RuntimeError(
      `The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ${a}D, positive ${p}D, and negative ${n}D inputs`,
    );
}

interface TripletOptions extends LossOptions {
  margin?: number;
  p?: number;
  eps?: number;
  swap?: boolean;
}

/** `max(0, d(anchor, positive) - d(anchor, negative) + margin)` with p-norm distances. @throws ValueError unless margin is positive. */
export const triplet_margin_loss: (
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: TripletOptions,
) => Tensor = op(
  'nn.functional.triplet_margin_loss',
  `Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, float eps=1e-06, bool swap=False, ${rest}`,
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: number,
    p: number,
    eps: number,
    swap: boolean,
    average: unknown,
    reduce: unknown,
    how: string,
  ) => {
    const reduction = reductionOf(how, average, reduce);
    if (margin <= 0) throw new ValueError(`margin must be greater than 0, got ${margin}`);
    checkTriplet(anchor, positive, negative);
    return combine(
      triplet(anchor, positive, negative, (x, y) => pairwise_distance(x, y, p, eps), margin, swap),
      reduction,
    );
  },
);

interface TripletDistanceOptions {
  distance_function?: Distance | null;
  margin?: number;
  swap?: boolean;
  reduction?: Reduction;
}

/** {@link triplet_margin_loss} with a distance of one's own. */
export const triplet_margin_with_distance_loss: (
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: TripletDistanceOptions,
) => Tensor = op(
  'nn.functional.triplet_margin_with_distance_loss',
  "Tensor anchor, Tensor positive, Tensor negative, *, any distance_function=None, float margin=1.0, bool swap=False, str reduction='mean'",
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Distance | null,
    margin: number,
    swap: boolean,
    how: string,
  ) => {
    const reduction = reductionOf(how);
    if (margin <= 0) throw new ValueError(`margin must be greater than 0, got ${margin}`);
    if (distance !== null && typeof distance !== 'function')
      throw new TypeError(`'${typeName(distance)}' object is not callable`);
    checkTriplet(anchor, positive, negative);
    return combine(
      triplet(anchor, positive, negative, distance ?? ((x, y) => pairwise_distance(x, y)), margin, swap),
      reduction,
    );
  },
);
