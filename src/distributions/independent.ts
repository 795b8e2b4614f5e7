// Distributions made of others: Independent, MixtureSameFamily.

import { unrecorded } from '../autograd/modes.js';
import { NotImplementedError, ValueError } from '../errors.js';
import { log_softmax } from '../ops/table.js';
import { sizeText } from '../pyformat.js';
import type { Tensor } from '../tensor.js';
import { Categorical } from './categorical.js';
import * as constraints from './constraints.js';
import { argumentsOf, Distribution } from './distribution.js';
import { type DistributionOptions, type Shape, sumRightmost } from './utils.js';

/** A distribution whose last batch dimensions count as dimensions of the event: their log probabilities are added. */
export class Independent<D extends Distribution = Distribution> extends Distribution {
  readonly base_dist: D;
  readonly reinterpreted_batch_ndims: number;
  constructor(base_distribution: D, reinterpreted_batch_ndims: number, options: DistributionOptions = {}) {
    super();
    const batch = base_distribution.batch_shape.length;
    if (reinterpreted_batch_ndims > batch)
      throw new ValueError(
        `Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual ${reinterpreted_batch_ndims} vs ${batch}`,
      );
    this.base_dist = base_distribution;
    this.reinterpreted_batch_ndims = reinterpreted_batch_ndims;
    const shape = [...base_distribution.batch_shape, ...base_distribution.event_shape];
    const kept = batch - reinterpreted_batch_ndims;
    this.begin(shape.slice(0, kept), shape.slice(kept), options.validate_args);
  }
  override get has_rsample(): boolean {
    return this.base_dist.has_rsample;
  }
  override get has_enumerate_support(): boolean {
    return this.reinterpreted_batch_ndims === 0 && this.base_dist.has_enumerate_support;
  }
  override get support(): constraints.Constraint {
    const { support } = this.base_dist;
    return this.reinterpreted_batch_ndims > 0
      ? constraints.independent(support, this.reinterpreted_batch_ndims)
      : support;
  }
  override get mean(): Tensor {
    return this.base_dist.mean;
  }
  override get mode(): Tensor {
    return this.base_dist.mode;
  }
  override get variance(): Tensor {
    return this.base_dist.variance;
  }
  override sample(sample_shape: Shape = []): Tensor {
    return this.base_dist.sample(sample_shape);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return this.base_dist.rsample(sample_shape);
  }
  override log_prob(value: Tensor): Tensor {
    return sumRightmost(this.base_dist.log_prob(value), this.reinterpreted_batch_ndims);
  }
  override entropy(): Tensor {
    return sumRightmost(this.base_dist.entropy(), this.reinterpreted_batch_ndims);
  }
  override enumerate_support(expand = true): Tensor {
    if (this.reinterpreted_batch_ndims > 0)
      throw new NotImplementedError('Enumeration over cartesian product is not implemented');
    return this.base_dist.enumerate_support(expand);
  }
  override toString(): string {
    return `Independent(${this.base_dist}, ${this.reinterpreted_batch_ndims})`;
  }
}

/** One of the last batch of a distribution's members, chosen by a categorical distribution. */
export class MixtureSameFamily extends Distribution {
  readonly mixture_distribution: Categorical;
  readonly component_distribution: Distribution;
  constructor(mixture: Categorical, component: Distribution, options: DistributionOptions = {}) {
    super();
    const [validate] = argumentsOf('MixtureSameFamily', '', [options]) as [boolean];
    if (!(mixture instanceof Categorical))
      throw new ValueError(
        ' The Mixture distribution needs to be an  instance of torch.distributions.Categorical',
      );
    if (!(component instanceof Distribution))
      throw new ValueError(
        'The Component distribution needs to be an instance of torch.distributions.Distribution',
      );
    const batch = component.batch_shape.slice(0, -1);
    const own = mixture.batch_shape;
    for (let i = 1; i <= Math.min(batch.length, own.length); i++) {
      const [a, b] = [own[own.length - i], batch[batch.length - i]];
      if (a !== 1 && b !== 1 && a !== b)
        throw new ValueError(
          `\`mixture_distribution.batch_shape\` (${sizeText(own)}) is not compatible with \`component_distribution.batch_shape\`(${sizeText(batch)})`,
        );
    }
    const [k, members] = [mixture.logits.shape.slice(-1)[0], component.batch_shape.slice(-1)[0]];
    if (k !== members)
      throw new ValueError(
        `\`mixture_distribution component\` (${k}) does not equal \`component_distribution.batch_shape[-1]\` (${members})`,
      );
    this.mixture_distribution = mixture;
    this.component_distribution = component;
    this.begin(batch, component.event_shape, validate);
  }
  override expand(batch_shape: Shape): this {
    const k = this.mixture_distribution.param_shape.slice(-1)[0];
    return new MixtureSameFamily(
      this.mixture_distribution.expand(batch_shape),
      this.component_distribution.expand([...batch_shape, k]),
      { validate_args: false },
    ) as this;
  }
  override get support(): constraints.Constraint {
    return new constraints.MixtureSameFamilyConstraint(this.component_distribution.support);
  }
  /** The dimension of the members, from the end. */
  private get along(): number {
    return -1 - this.event_shape.length;
  }
  private get weights(): Tensor {
    const { probs } = this.mixture_distribution;
    return probs.reshape([...probs.shape, ...this.event_shape.map(() => 1)]);
  }
  override get mean(): Tensor {
    return this.weights.mul(this.component_distribution.mean).sum(this.along);
  }
  override get variance(): Tensor {
    const { mean, variance } = this.component_distribution;
    const inside = this.weights.mul(variance).sum(this.along);
    const between = mean.sub(this.mean.unsqueeze(this.along)).square();
    return inside.add(this.weights.mul(between).sum(this.along));
  }
  override cdf(value: Tensor): Tensor {
    const each = this.component_distribution.cdf(value.unsqueeze(this.along));
    return each.mul(this.mixture_distribution.probs).sum(-1);
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const each = this.component_distribution.log_prob(value.unsqueeze(this.along));
    return each.add(log_softmax(this.mixture_distribution.logits, -1)).logsumexp(-1);
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => {
      const at = sample_shape.length + this.batch_shape.length;
      const chosen = this.mixture_distribution.sample(sample_shape);
      const values = this.component_distribution.sample(sample_shape);
      const index = chosen
        .reshape([...chosen.shape, 1, ...this.event_shape.map(() => 1)])
        .expand([...chosen.shape, 1, ...this.event_shape]);
      return values.gather(at, index).squeeze(at);
    });
  }
  override toString(): string {
    return `MixtureSameFamily(\n  ${this.mixture_distribution},\n  ${this.component_distribution})`;
  }
}
