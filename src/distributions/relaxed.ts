// Continuous relaxations of discrete distributions (Maddison, Mnih and Teh 2017; Jang, Gu and Poole 2017).
import { log, rand } from '../ops/table.js';
import { Tensor } from '../tensor.js';
import { Categorical, type CategoryOptions } from './categorical.js';
import * as constraints from './constraints.js';
import { OneProbability, type ProbsOrLogits } from './discrete.js';
import { argumentsOf, Distribution } from './distribution.js';
import { TransformedDistribution } from './transformed.js';
import { ExpTransform, SigmoidTransform } from './transforms.js';
import { broadcast_all, clamp_probs, type DistributionOptions, type Param, type Shape } from './utils.js';

type BinaryArgs =
  | [temperature: Param, probs: Param, options?: DistributionOptions]
  | [temperature: Param, options: ProbsOrLogits];

/** The logit of {@link RelaxedBernoulli}. */
export class LogitRelaxedBernoulli extends OneProbability {
  private readonly heat: { readonly value: Param };
  constructor(...args: BinaryArgs) {
    super();
    const [temperature, probs, logits, validate] = argumentsOf(
      'LogitRelaxedBernoulli',
      'any temperature, any probs=None, any logits=None',
      args,
    ) as [Param, Param | null, Param | null, boolean];
    const [given] = this.take(probs, logits);
    this.heat = { value: temperature };
    this.begin(given.shape, [], validate);
  }
  get temperature(): Param {
    return this.heat.value;
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.unit_interval, logits: constraints.real };
  }
  override get support(): constraints.Constraint {
    return constraints.real;
  }
  override get has_rsample(): boolean {
    return true;
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const shape = this.extended(sample_shape);
    const probs = clamp_probs(this.probs.expand(shape));
    const u = clamp_probs(rand(shape, { dtype: probs.dtype }));
    const logit = (p: Tensor): Tensor => p.log().sub(p.neg().log1p());
    return logit(u).add(logit(probs)).div(this.temperature);
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, x] = broadcast_all(this.logits, value);
    const off = logits.sub(x.mul(this.temperature));
    return off.add(logOf(this.temperature)).sub(off.exp().log1p().mul(2));
  }
}

const logOf = (x: Param): Param => (x instanceof Tensor ? log(x) : Math.log(x));

/** Numbers in (0, 1) that, the lower the temperature, are the nearer to 0 or 1. */
export class RelaxedBernoulli extends TransformedDistribution<LogitRelaxedBernoulli> {
  constructor(...args: BinaryArgs) {
    const [temperature, probs, logits, validate_args] = argumentsOf(
      'RelaxedBernoulli',
      'any temperature, any probs=None, any logits=None',
      args,
    ) as [Param, Param | null, Param | null, boolean];
    super(new LogitRelaxedBernoulli(temperature, { probs, logits }), new SigmoidTransform(), {
      validate_args,
    });
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.unit_interval, logits: constraints.real };
  }
  override get support(): constraints.Constraint {
    return constraints.unit_interval;
  }
  get temperature(): Param {
    return this.base_dist.temperature;
  }
  get probs(): Tensor {
    return this.base_dist.probs;
  }
  get logits(): Tensor {
    return this.base_dist.logits;
  }
}

type CategoryArgs =
  | [temperature: Tensor, probs: Tensor, options?: DistributionOptions]
  | [temperature: Tensor, options: CategoryOptions];

/** The logarithm of {@link RelaxedOneHotCategorical}. */
export class ExpRelaxedCategorical extends Distribution {
  private readonly categorical: Categorical;
  private readonly heat: { readonly value: Tensor };
  constructor(...args: CategoryArgs) {
    super();
    const [temperature, probs, logits, validate] = argumentsOf(
      'ExpRelaxedCategorical',
      'Tensor temperature, Tensor? probs=None, Tensor? logits=None',
      args,
    ) as [Tensor, Tensor | null, Tensor | null, boolean];
    this.categorical = new Categorical({ probs, logits });
    this.heat = { value: temperature };
    this.begin(this.categorical.batch_shape, this.categorical.param_shape.slice(-1), validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.simplex, logits: constraints.real_vector };
  }
  override get support(): constraints.Constraint {
    return constraints.real_vector;
  }
  override get has_rsample(): boolean {
    return true;
  }
  get temperature(): Tensor {
    return this.heat.value;
  }
  get probs(): Tensor {
    return this.categorical.probs;
  }
  get logits(): Tensor {
    return this.categorical.logits;
  }
  get param_shape(): Shape {
    return this.categorical.param_shape;
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const u = clamp_probs(rand(this.extended(sample_shape), { dtype: this.logits.dtype }));
    const scores = this.logits.sub(u.log().neg().log()).div(this.temperature);
    return scores.sub(scores.logsumexp(-1, true));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const k = this.event_shape[0];
    const [logits, x] = broadcast_all(this.logits, value);
    const score = logits.sub(x.mul(this.temperature));
    const scale = this.temperature
      .log()
      .mul(k - 1)
      .add(this.temperature.new_full([], k).lgamma());
    return score.sub(score.logsumexp(-1, true)).sum(-1).add(scale);
  }
}

/** Vectors that sum to 1 and, the lower the temperature, are the nearer to one 1 among zeros. */
export class RelaxedOneHotCategorical extends TransformedDistribution<ExpRelaxedCategorical> {
  constructor(...args: CategoryArgs) {
    const [temperature, probs, logits, validate_args] = argumentsOf(
      'RelaxedOneHotCategorical',
      'Tensor temperature, Tensor? probs=None, Tensor? logits=None',
      args,
    ) as [Tensor, Tensor | null, Tensor | null, boolean];
    const options = { validate_args };
    super(new ExpRelaxedCategorical(temperature, { probs, logits, ...options }), new ExpTransform(), options);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.simplex, logits: constraints.real_vector };
  }
  override get support(): constraints.Constraint {
    return constraints.simplex;
  }
  get temperature(): Tensor {
    return this.base_dist.temperature;
  }
  get probs(): Tensor {
    return this.base_dist.probs;
  }
  get logits(): Tensor {
    return this.base_dist.logits;
  }
}
