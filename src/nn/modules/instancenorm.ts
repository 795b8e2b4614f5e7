// Instance normalisation (Ulyanov et al., 2016): every channel of every sample by its own statistics.
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { instance_norm } from '../functional/norm.js';
import { expectDims, type LazyNormArgs, type NormArgs, NormBase, normConfig } from './batchnorm.js';

abstract class InstanceNorm extends NormBase {
  /** Dimensions of one sample. */
  protected abstract sampleDims(): number;
  forward(input: Tensor): Tensor {
    const n = this.sampleDims();
    expectDims(input, n, n + 1);
    const channelDim = input.shape.length - n;
    if (this.affine && input.shape[channelDim] !== this.num_features)
      throw new ValueError(
        `expected input's size at dim=${channelDim} to match num_features (${this.num_features}), but got: ${input.shape[channelDim]}.`,
      );
    return channelDim === 0 ? this.normalize(input.unsqueeze(0)).squeeze(0) : this.normalize(input);
  }
  private normalize(input: Tensor): Tensor {
    return instance_norm(
      input,
      this.running_mean,
      this.running_var,
      this.weight,
      this.bias,
      this.training || !this.track_running_stats,
      this.momentum ?? 0,
      this.eps,
    );
  }
}

abstract class InstanceNormOf1d extends InstanceNorm {
  protected override sampleDims(): number {
    return 2;
  }
}
abstract class InstanceNormOf2d extends InstanceNorm {
  protected override sampleDims(): number {
    return 3;
  }
}
abstract class InstanceNormOf3d extends InstanceNorm {
  protected override sampleDims(): number {
    return 4;
  }
}

const secondDim = (input: Tensor): number => input.shape[1];

/** Instance normalisation of [N, C, L] or [C, L]. */
export class InstanceNorm1d extends InstanceNormOf1d {
  constructor(...args: NormArgs) {
    super(normConfig('InstanceNorm1d', false, false, args));
  }
}
/** Instance normalisation of [N, C, H, W] or [C, H, W]. */
export class InstanceNorm2d extends InstanceNormOf2d {
  constructor(...args: NormArgs) {
    super(normConfig('InstanceNorm2d', false, false, args));
  }
}
/** Instance normalisation of [N, C, D, H, W] or [C, D, H, W]. */
export class InstanceNorm3d extends InstanceNormOf3d {
  constructor(...args: NormArgs) {
    super(normConfig('InstanceNorm3d', false, false, args));
  }
}
/** An InstanceNorm1d that learns `num_features` from its first input. */
export class LazyInstanceNorm1d extends InstanceNormOf1d {
  constructor(...args: LazyNormArgs) {
    super(normConfig('LazyInstanceNorm1d', true, true, args), true);
    this.learnChannels(InstanceNorm1d, secondDim);
  }
}
/** An InstanceNorm2d that learns `num_features` from its first input. */
export class LazyInstanceNorm2d extends InstanceNormOf2d {
  constructor(...args: LazyNormArgs) {
    super(normConfig('LazyInstanceNorm2d', true, true, args), true);
    this.learnChannels(InstanceNorm2d, secondDim);
  }
}
/** An InstanceNorm3d that learns `num_features` from its first input. */
export class LazyInstanceNorm3d extends InstanceNormOf3d {
  constructor(...args: LazyNormArgs) {
    super(normConfig('LazyInstanceNorm3d', true, true, args), true);
    this.learnChannels(InstanceNorm3d, secondDim);
  }
}
