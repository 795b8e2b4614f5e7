// Losses with margins, distances and distributions as layers.
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import * as F from '../functional/index.js';
import type { Reduction } from '../functional/reduction.js';
import { bind, type Call, py } from './arguments.js';
import { PairwiseDistance } from './distance.js';
import { Loss, type LossArgs, type LossParameters, PairLoss } from './loss.js';

type Old = boolean | null;
type Reduce = [unknown, unknown, string];
const REDUCTION = "bool? size_average=None, bool? reduce=None, str reduction='mean'";

/** Mean absolute difference. */
export class L1Loss extends PairLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.l1_loss(input, target, { reduction: this.reduction });
  }
}

/** `log(1 + exp(-target * input))`, for targets 1 and -1. */
export class SoftMarginLoss extends PairLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.soft_margin_loss(input, target, { reduction: this.reduction });
  }
}

/** Hinge loss of every wrong class against every right one. */
export class MultiLabelMarginLoss extends PairLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabel_margin_loss(input, target, { reduction: this.reduction });
  }
}

/** Squared below `beta`, absolute above. */
export class SmoothL1Loss extends Loss {
  beta: number;
  constructor(...args: Call<[], [...LossArgs, beta: number], LossParameters & { beta?: number }>) {
    const [average, reduce, reduction, beta] = bind('SmoothL1Loss', `${REDUCTION}, float beta=1`, args) as [
      ...Reduce,
      number,
    ];
    super(average, reduce, reduction);
    this.beta = beta;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.smooth_l1_loss(input, target, { reduction: this.reduction, beta: this.beta });
  }
}

/** Squared below `delta`, linear above. */
export class HuberLoss extends Loss {
  delta: number;
  constructor(
    ...args: Call<[], [reduction: Reduction, delta: number], { reduction?: Reduction; delta?: number }>
  ) {
    const [reduction, delta] = bind('HuberLoss', "str reduction='mean', float delta=1", args) as [
      string,
      number,
    ];
    super(null, null, reduction);
    this.delta = delta;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.huber_loss(input, target, { reduction: this.reduction, delta: this.delta });
  }
}

type WeightedArgs = Call<
  [],
  [weight: Tensor | null, ...LossArgs],
  LossParameters & { weight?: Tensor | null }
>;

abstract class WeightedLoss extends Loss {
  declare weight: Tensor | null;
  constructor(...args: WeightedArgs) {
    const [weight, average, reduce, reduction] = bind(
      'Loss.weighted',
      `Tensor? weight=None, ${REDUCTION}`,
      args,
    ) as [Tensor | null, ...Reduce];
    super(average, reduce, reduction);
    this.register_buffer('weight', weight);
  }
  abstract override forward(input: Tensor, target: Tensor): Tensor;
}

/** Binary cross entropy of probabilities. */
export class BCELoss extends WeightedLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binary_cross_entropy(input, target, { weight: this.weight, reduction: this.reduction });
  }
}

/** Logistic loss of every class by itself. */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabel_soft_margin_loss(input, target, { weight: this.weight, reduction: this.reduction });
  }
}

/** Binary cross entropy of logits. */
export class BCEWithLogitsLoss extends Loss {
  declare weight: Tensor | null;
  declare pos_weight: Tensor | null;
  constructor(
    ...args: Call<
      [],
      [weight: Tensor | null, ...LossArgs, pos_weight: Tensor | null],
      LossParameters & { weight?: Tensor | null; pos_weight?: Tensor | null }
    >
  ) {
    const [weight, average, reduce, reduction, positive] = bind(
      'BCEWithLogitsLoss',
      `Tensor? weight=None, ${REDUCTION}, Tensor? pos_weight=None`,
      args,
    ) as [Tensor | null, ...Reduce, Tensor | null];
    super(average, reduce, reduction);
    this.register_buffer('weight', weight);
    this.register_buffer('pos_weight', positive);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binary_cross_entropy_with_logits(input, target, {
      weight: this.weight,
      pos_weight: this.pos_weight,
      reduction: this.reduction,
    });
  }
}

/** Kullback-Leibler divergence of log-probabilities from a target. */
export class KLDivLoss extends Loss {
  log_target: boolean;
  constructor(
    ...args: Call<
      [],
      [size_average: Old, reduce: Old, reduction: Reduction | 'batchmean', log_target: boolean],
      Omit<LossParameters, 'reduction'> & { reduction?: Reduction | 'batchmean'; log_target?: boolean }
    >
  ) {
    const [average, reduce, reduction, log] = bind(
      'KLDivLoss',
      `${REDUCTION}, bool log_target=False`,
      args,
    ) as [...Reduce, boolean];
    super(average, reduce, reduction);
    this.log_target = log;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.kl_div(input, target, { reduction: this.reduction, log_target: this.log_target });
  }
}

/** Negative log likelihood of Poisson rates (or their logarithms). */
export class PoissonNLLLoss extends Loss {
  log_input: boolean;
  full: boolean;
  eps: number;
  constructor(
    ...args: Call<
      [],
      [log_input: boolean, full: boolean, size_average: Old, eps: number, reduce: Old, reduction: Reduction],
      LossParameters & { log_input?: boolean; full?: boolean; eps?: number }
    >
  ) {
    const [log, full, average, eps, reduce, reduction] = bind(
      'PoissonNLLLoss',
      "bool log_input=True, bool full=False, bool? size_average=None, float eps=1e-8, bool? reduce=None, str reduction='mean'",
      args,
    ) as [boolean, boolean, unknown, number, unknown, string];
    super(average, reduce, reduction);
    this.log_input = log;
    this.full = full;
    this.eps = eps;
  }
  override _forwardNames(): readonly string[] {
    return ['log_input', 'target'];
  }
  override forward(log_input: Tensor, target: Tensor): Tensor {
    return F.poisson_nll_loss(log_input, target, {
      log_input: this.log_input,
      full: this.full,
      eps: this.eps,
      reduction: this.reduction,
    });
  }
}

/** Negative log likelihood of normal distributions with the given means and variances. */
export class GaussianNLLLoss extends Loss {
  full: boolean;
  eps: number;
  constructor(...args: [options?: { full?: boolean; eps?: number; reduction?: Reduction }]) {
    const [full, eps, reduction] = bind(
      'GaussianNLLLoss',
      "*, bool full=False, float eps=1e-6, str reduction='mean'",
      args,
    ) as [boolean, number, string];
    super(null, null, reduction);
    this.full = full;
    this.eps = eps;
  }
  override _forwardNames(): readonly string[] {
    return ['input', 'target', 'var'];
  }
  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return F.gaussian_nll_loss(input, target, variance, {
      full: this.full,
      eps: this.eps,
      reduction: this.reduction,
    });
  }
}

type MarginArgs = Call<[], [margin: number, ...LossArgs], LossParameters & { margin?: number }>;

abstract class MarginLoss extends Loss {
  margin: number;
  constructor(args: MarginArgs, standard: number) {
    const [margin, average, reduce, reduction] = bind(
      `MarginLoss.${standard}`,
      `float margin=${standard}, ${REDUCTION}`,
      args,
    ) as [number, ...Reduce];
    super(average, reduce, reduction);
    this.margin = margin;
  }
}

/** The input for target 1, `max(0, margin - input)` for target -1. */
export class HingeEmbeddingLoss extends MarginLoss {
  constructor(...args: MarginArgs) {
    super(args, 1);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.hinge_embedding_loss(input, target, { margin: this.margin, reduction: this.reduction });
  }
}

abstract class TwoInputLoss extends MarginLoss {
  constructor(...args: MarginArgs) {
    super(args, 0);
  }
  override _forwardNames(): readonly string[] {
    return ['input1', 'input2', 'target'];
  }
}

/** Pulls vectors together for target 1 and apart for target -1, by their cosine. */
export class CosineEmbeddingLoss extends TwoInputLoss {
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.cosine_embedding_loss(input1, input2, target, {
      margin: this.margin,
      reduction: this.reduction,
    });
  }
}

/** `max(0, -target * (input1 - input2) + margin)`. */
export class MarginRankingLoss extends TwoInputLoss {
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.margin_ranking_loss(input1, input2, target, { margin: this.margin, reduction: this.reduction });
  }
}

/** Hinge loss of classes, to the power of p. */
export class MultiMarginLoss extends Loss {
  p: number;
  margin: number;
  declare weight: Tensor | null;
  constructor(
    ...args: Call<
      [],
      [p: number, margin: number, weight: Tensor | null, ...LossArgs],
      LossParameters & { p?: number; margin?: number; weight?: Tensor | null }
    >
  ) {
    const [p, margin, weight, average, reduce, reduction] = bind(
      'MultiMarginLoss',
      `int p=1, float margin=1, Tensor? weight=None, ${REDUCTION}`,
      args,
    ) as [number, number, Tensor | null, ...Reduce];
    super(average, reduce, reduction);
    if (p !== 1 && p !== 2) throw new ValueError('only p == 1 and p == 2 supported');
    if (weight !== null && weight.shape.length !== 1)
      throw new ValueError(
        `MultiMarginLoss: expected weight to be None or 1D tensor, got ${weight.shape.length}D instead`,
      );
    this.register_buffer('weight', weight);
    this.p = p;
    this.margin = margin;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    const { p, margin, weight, reduction } = this;
    return F.multi_margin_loss(input, target, { p, margin, weight, reduction });
  }
}

const TRIPLET = ['anchor', 'positive', 'negative'] as const;

/** The positive shall be nearer to the anchor than the negative, by a margin. */
export class TripletMarginLoss extends Loss {
  margin: number;
  p: number;
  eps: number;
  swap: boolean;
  constructor(
    ...args: Call<
      [],
      [margin: number, p: number, eps: number, swap: boolean, ...LossArgs],
      LossParameters & { margin?: number; p?: number; eps?: number; swap?: boolean }
    >
  ) {
    const [margin, p, eps, swap, average, reduce, reduction] = bind(
      'TripletMarginLoss',
      `float margin=1, float p=2, float eps=1e-6, bool swap=False, ${REDUCTION}`,
      args,
    ) as [number, number, number, boolean, ...Reduce];
    super(average, reduce, reduction);
    if (margin <= 0)
      throw new ValueError(
        `TripletMarginLoss: expected margin to be greater than 0, got ${py(margin)} instead`,
      );
    this.margin = margin;
    this.p = p;
    this.eps = eps;
    this.swap = swap;
  }
  override _forwardNames(): readonly string[] {
    return TRIPLET;
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return F.triplet_margin_loss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}

type Distance = (x: Tensor, y: Tensor) => Tensor;

/** {@link TripletMarginLoss} with a distance of your own. */
export class TripletMarginWithDistanceLoss extends Loss {
  distance_function: Distance;
  margin: number;
  swap: boolean;
  constructor(
    ...args: [
      options?: {
        distance_function?: Distance | null;
        margin?: number;
        swap?: boolean;
        reduction?: Reduction;
      },
    ]
  ) {
    const [distance, margin, swap, reduction] = bind(
      'TripletMarginWithDistanceLoss',
      "*, any distance_function=None, float margin=1, bool swap=False, str reduction='mean'",
      args,
    ) as [Distance | null, number, boolean, string];
    super(null, null, reduction);
    if (margin <= 0)
      throw new ValueError(
        `TripletMarginWithDistanceLoss: expected margin to be greater than 0, got ${py(margin)} instead`,
      );
    this.distance_function = distance ?? new PairwiseDistance();
    this.margin = margin;
    this.swap = swap;
  }
  override _forwardNames(): readonly string[] {
    return TRIPLET;
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distance_function, margin, swap, reduction } = this;
    return F.triplet_margin_with_distance_loss(anchor, positive, negative, {
      distance_function,
      margin,
      swap,
      reduction,
    });
  }
}

type Lengths = Tensor | readonly number[];

/** Connectionist temporal classification (Graves et al., 2006): the targets under all alignments. */
export class CTCLoss extends Loss {
  blank: number;
  zero_infinity: boolean;
  constructor(
    ...args: Call<
      [],
      [blank: number, reduction: Reduction, zero_infinity: boolean],
      { blank?: number; reduction?: Reduction; zero_infinity?: boolean }
    >
  ) {
    const [blank, reduction, zero] = bind(
      'CTCLoss',
      "int blank=0, str reduction='mean', bool zero_infinity=False",
      args,
    ) as [number, string, boolean];
    super(null, null, reduction);
    this.blank = blank;
    this.zero_infinity = zero;
  }
  override _forwardNames(): readonly string[] {
    return ['log_probs', 'targets', 'input_lengths', 'target_lengths'];
  }
  override forward(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
  ): Tensor {
    const { blank, reduction, zero_infinity } = this;
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, { blank, reduction, zero_infinity });
  }
}
