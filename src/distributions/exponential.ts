// The exponential distribution.
import { empty, zeros_like } from '../ops/table.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { argumentsOf, Distribution } from './distribution.js';
import { broadcast_all, type DistributionOptions, type Param, type Shape } from './utils.js';

type RateArgs =
  | [rate: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { rate: Param }];

/** The exponential distribution, `rate exp(-rate x)`. */
export class Exponential extends Distribution {
  rate: Tensor;
  constructor(...args: RateArgs) {
    super();
    const [rate, validate] = argumentsOf('Exponential', 'any rate', args) as [Param, boolean];
    [this.rate] = broadcast_all(rate);
    this.begin(this.rate.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { rate: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.nonnegative;
  }
  override get has_rsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.rate.reciprocal();
  }
  override get mode(): Tensor {
    return zeros_like(this.rate.detach());
  }
  override get stddev(): Tensor {
    return this.rate.reciprocal();
  }
  override get variance(): Tensor {
    return this.rate.pow(-2);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return empty(this.extended(sample_shape), { dtype: this.rate.dtype }).exponential_().div(this.rate);
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return this.rate.log().sub(this.rate.mul(value));
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    return this.rate.neg().mul(value).exp().neg().add(1);
  }
  override icdf(value: Tensor): Tensor {
    return value.neg().log1p().neg().div(this.rate);
  }
  override entropy(): Tensor {
    return this.rate.log().neg().add(1);
  }
}
