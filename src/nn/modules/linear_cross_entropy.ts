// A classifier and its loss as one layer.
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { linear_cross_entropy } from '../functional/linear_cross_entropy.js';
import type { Reduction } from '../functional/reduction.js';
import { bind, type Call, type Factory, py } from './arguments.js';
import { Linear } from './linear.js';
import { Loss } from './loss.js';

export interface LinearCrossEntropyLossOptions extends Factory {
  in_features: number;
  num_classes: number;
  /** More dimensions of the output, each position of which is classified. */
  out_features?: readonly number[];
  bias?: boolean;
  reduction?: Reduction;
  weight?: Tensor | null;
  ignore_index?: number | null;
  label_smoothing?: number;
}

/** Linear to num_classes, then cross entropy: input [N, in_features], target [N] (or [N, *out_features]). */
export class LinearCrossEntropyLoss extends Loss {
  declare weight: Tensor | null;
  num_classes: number;
  out_features: readonly number[];
  ignore_index: number | null;
  label_smoothing: number;
  linear: Linear;
  constructor(...args: Call<[in_features: number, num_classes: number], [], LinearCrossEntropyLossOptions>) {
    const [features, classes, outputs, bias, device, dtype, reduction, weight, ignore, smoothing] = bind(
      'LinearCrossEntropyLoss',
      "int in_features, int num_classes, *, int[] out_features=[], bool bias=False, device? device=None, dtype? dtype=None, str reduction='mean', Tensor? weight=None, int? ignore_index=None, float label_smoothing=0, any options=None",
      args,
    ) as [
      number,
      number,
      readonly number[],
      boolean,
      DeviceLike | null,
      DType | null,
      string,
      Tensor | null,
      number | null,
      number,
    ];
    if (weight !== null && (weight.shape.length !== 1 || weight.shape[0] !== classes))
      throw new RuntimeError(`expected weight shape to be (${classes},), got ${py(weight.shape)}`);
    if (smoothing < 0 || smoothing > 1)
      throw new RuntimeError(`expected label_smoothing to be in range [0, 1], got ${py(smoothing)}`);
    super(null, null, reduction);
    this.register_buffer('weight', weight);
    this.num_classes = classes;
    this.out_features = [...outputs];
    this.ignore_index = ignore;
    this.label_smoothing = smoothing;
    this.linear = new Linear(
      features,
      outputs.reduce((a, b) => a * b, classes),
      { bias, device, dtype },
    );
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    const shape = [this.num_classes, ...this.out_features];
    return linear_cross_entropy(
      input,
      this.linear.weight.reshape([...shape, this.linear.in_features]),
      target,
      {
        linear_bias: this.linear.bias === null ? null : this.linear.bias.reshape(shape),
        weight: this.weight,
        reduction: this.reduction,
        ignore_index: this.ignore_index,
        label_smoothing: this.label_smoothing,
      },
    );
  }
  override extra_repr(): string {
    const { linear } = this;
    return `in_features=${linear.in_features}, num_classes=${this.num_classes}, out_features=${py(this.out_features)}, bias=${py(linear.bias !== null)}, reduction=${this.reduction}, ignore_index=${py(this.ignore_index)}, label_smoothing=${py(this.label_smoothing, 0)}, options=None`;
  }
}
