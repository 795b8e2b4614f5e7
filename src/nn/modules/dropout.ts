// Dropout layers.
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import * as F from '../functional/dropout.js';
import { bind, type Call, py } from './arguments.js';
import { Module } from './module.js';

export interface DropoutParameters {
  /** Probability of being set to zero. */
  p?: number;
  /** Write the result to the input's memory. */
  inplace?: boolean;
}

abstract class DropoutLayer extends Module {
  p: number;
  inplace: boolean;
  constructor(...args: Call<[], [p: number, inplace: boolean], DropoutParameters>) {
    super();
    [this.p, this.inplace] = bind(new.target.name, 'float p=0.5, bool inplace=False', args) as [
      number,
      boolean,
    ];
    if (!(this.p >= 0 && this.p <= 1))
      throw new ValueError(`dropout probability has to be between 0 and 1, but got ${py(this.p)}`);
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return `p=${py(this.p)}, inplace=${py(this.inplace)}`;
  }
}

/** Sets elements to zero at random in training. */
export class Dropout extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.dropout(input, this.p, this.training, this.inplace);
  }
}

/** Sets channels of [N, C, L] or [C, L] to zero at random in training. */
export class Dropout1d extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.dropout1d(input, this.p, this.training, this.inplace);
  }
}

/** Sets channels of [N, C, H, W] to zero at random in training. */
export class Dropout2d extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.dropout2d(input, this.p, this.training, this.inplace);
  }
}

/** Sets channels of [N, C, D, H, W] to zero at random in training. */
export class Dropout3d extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.dropout3d(input, this.p, this.training, this.inplace);
  }
}

/** Dropout that keeps the mean and variance of SELU's output. */
export class AlphaDropout extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.alpha_dropout(input, this.p, this.training);
  }
}

/** {@link AlphaDropout} of whole channels. */
export class FeatureAlphaDropout extends DropoutLayer {
  override forward(input: Tensor): Tensor {
    return F.feature_alpha_dropout(input, this.p, this.training);
  }
}
