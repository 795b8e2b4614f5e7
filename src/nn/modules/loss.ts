// Losses as layers.
import type { Tensor } from '../../tensor.js';
import * as F from '../functional/index.js';
import { type Reduction, reductionOf } from '../functional/reduction.js';
import { bind, type Call } from './arguments.js';
import { Module } from './module.js';

/** Options of every loss; `size_average` and `reduce` are PyTorch's older spelling of `reduction`. */
export interface LossParameters {
  size_average?: boolean | null;
  reduce?: boolean | null;
  reduction?: Reduction;
}

type Old = boolean | null;
export type LossArgs = [size_average: Old, reduce: Old, reduction: Reduction];
const PARAMETERS = "bool? size_average=None, bool? reduce=None, str reduction='mean'";

/** What losses keep: how the elements' losses are combined. */
export abstract class Loss extends Module {
  reduction: Reduction;
  constructor(size_average: unknown, reduce: unknown, reduction: string) {
    super();
    this.reduction =
      size_average === null && reduce === null
        ? (reduction as Reduction)
        : reductionOf('mean', size_average, reduce);
  }
  abstract override forward(...inputs: never[]): Tensor;
  override _forwardNames(): readonly string[] {
    return ['input', 'target'];
  }
}

/** A loss of (input, target) with `reduction` alone. */
export abstract class PairLoss extends Loss {
  constructor(...args: Call<[], LossArgs, LossParameters>) {
    const [average, reduce, reduction] = bind('Loss', PARAMETERS, args) as [unknown, unknown, string];
    super(average, reduce, reduction);
  }
  abstract override forward(input: Tensor, target: Tensor): Tensor;
}

/** Mean squared difference. */
export class MSELoss extends PairLoss {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.mse_loss(input, target, { reduction: this.reduction });
  }
}

interface ClassParameters extends LossParameters {
  /** Factor of every class. */
  weight?: Tensor | null;
  /** Class that does not count. */
  ignore_index?: number;
}

/** Negative log likelihood of classes, given log-probabilities. */
export class NLLLoss extends Loss {
  declare weight: Tensor | null;
  ignore_index: number;
  constructor(
    ...args: Call<
      [],
      [weight: Tensor | null, size_average: Old, ignore_index: number, reduce: Old, reduction: Reduction],
      ClassParameters
    >
  ) {
    const [weight, average, ignore, reduce, reduction] = bind(
      'NLLLoss',
      "Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, str reduction='mean'",
      args,
    ) as [Tensor | null, unknown, number, unknown, string];
    super(average, reduce, reduction);
    this.register_buffer('weight', weight);
    this.ignore_index = ignore;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.nll_loss(input, target, {
      weight: this.weight,
      ignore_index: this.ignore_index,
      reduction: this.reduction,
    });
  }
}

/** PyTorch's older name of {@link NLLLoss} for images. */
export class NLLLoss2d extends NLLLoss {}

/** Cross entropy of classes (numbers or probabilities), given logits. */
export class CrossEntropyLoss extends Loss {
  declare weight: Tensor | null;
  ignore_index: number;
  label_smoothing: number;
  constructor(
    ...args: Call<
      [],
      [
        weight: Tensor | null,
        size_average: Old,
        ignore_index: number,
        reduce: Old,
        reduction: Reduction,
        label_smoothing: number,
      ],
      ClassParameters & { label_smoothing?: number }
    >
  ) {
    const [weight, average, ignore, reduce, reduction, smoothing] = bind(
      'CrossEntropyLoss',
      "Tensor? weight=None, bool? size_average=None, int ignore_index=-100, bool? reduce=None, str reduction='mean', float label_smoothing=0",
      args,
    ) as [Tensor | null, unknown, number, unknown, string, number];
    super(average, reduce, reduction);
    this.register_buffer('weight', weight);
    this.ignore_index = ignore;
    this.label_smoothing = smoothing;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignore_index, reduction, label_smoothing } = this;
    return F.cross_entropy(input, target, { weight, ignore_index, reduction, label_smoothing });
  }
}
