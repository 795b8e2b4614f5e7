// Distributions over categories: Categorical, OneHotCategorical, Multinomial.
import { unrecorded } from '../autograd/modes.js';
import { finfo, int64 } from '../dtype.js';
import { NotImplementedError, ValueError } from '../errors.js';
import { one_hot } from '../nn/functional/index.js';
import { broadcast_tensors, eye, full, multinomial, ones_like, zeros } from '../ops/table.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { Binomial, counting } from './discrete.js';
import { argumentsOf, Distribution } from './distribution.js';
import {
  broadcast_all,
  type DistributionOptions,
  logits_to_probs,
  probs_to_logits,
  type Shape,
} from './utils.js';

/** Probabilities of the categories along the last dimension, or their logits. */
export interface CategoryOptions extends DistributionOptions {
  probs?: Tensor | null;
  logits?: Tensor | null;
}
type CategoryArgs = [probs: Tensor, options?: DistributionOptions] | [options: CategoryOptions];

/** One of the numbers 0 … n - 1, with probabilities along the last dimension; they need not sum to 1. */
export class Categorical extends Distribution {
  private readonly count: number;
  constructor(...args: CategoryArgs) {
    super();
    const [probs, logits, validate] = argumentsOf(
      'Categorical',
      'Tensor? probs=None, Tensor? logits=None',
      args,
    ) as [Tensor | null, Tensor | null, boolean];
    if ((probs === null) === (logits === null))
      throw new ValueError('Either `probs` or `logits` must be specified, but not both.');
    const given = (probs ?? logits) as Tensor;
    if (given.shape.length < 1)
      throw new ValueError(`\`${probs ? 'probs' : 'logits'}\` parameter must be at least one-dimensional.`);
    if (probs) this.keep('probs', () => probs.div(probs.sum(-1, true)));
    else this.keep('logits', () => given.sub(given.logsumexp(-1, true)));
    this.count = given.shape[given.shape.length - 1];
    this.begin(given.shape.slice(0, -1), [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.simplex, logits: constraints.real_vector };
  }
  override get support(): constraints.Constraint {
    return constraints.integer_interval(0, this.count - 1);
  }
  override get has_enumerate_support(): boolean {
    return true;
  }
  get probs(): Tensor {
    return this.keep('probs', () => logits_to_probs(this.logits));
  }
  get logits(): Tensor {
    return this.keep('logits', () => probs_to_logits(this.probs));
  }
  get param_shape(): Shape {
    return [...this.batch_shape, this.count];
  }
  private get undefinedMoment(): Tensor {
    return full(this.extended(), Number.NaN, { dtype: this.probs.dtype });
  }
  override get mean(): Tensor {
    return this.undefinedMoment;
  }
  override get mode(): Tensor {
    return this.probs.argmax(-1);
  }
  override get variance(): Tensor {
    return this.undefinedMoment;
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => {
      const draws = sample_shape.reduce((a, b) => a * b, 1);
      const rows = this.probs.reshape([-1, this.count]);
      return multinomial(rows, draws, true).t().reshape(this.extended(sample_shape));
    });
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [index, logits] = broadcast_tensors(value.to(int64).unsqueeze(-1), this.logits);
    return logits.gather(-1, index.narrow(-1, 0, 1)).squeeze(-1);
  }
  override entropy(): Tensor {
    const logits = this.logits.clamp({ min: new finfo(this.logits.dtype).min });
    return logits.mul(this.probs).sum(-1).neg();
  }
  override enumerate_support(expand = true): Tensor {
    return counting(this.count, zeros([], { dtype: int64 }), this.batch_shape, expand);
  }
}

/** {@link Categorical} with values as vectors with one 1. */
export class OneHotCategorical extends Distribution {
  protected readonly categorical: Categorical;
  constructor(...args: CategoryArgs) {
    super();
    const [probs, logits, validate] = argumentsOf(
      'OneHotCategorical',
      'Tensor? probs=None, Tensor? logits=None',
      args,
    ) as [Tensor | null, Tensor | null, boolean];
    this.categorical = new Categorical({ probs, logits });
    this.begin(this.categorical.batch_shape, this.categorical.param_shape.slice(-1), validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.simplex, logits: constraints.real_vector };
  }
  override get support(): constraints.Constraint {
    return constraints.one_hot;
  }
  override get has_enumerate_support(): boolean {
    return true;
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
  override get mean(): Tensor {
    return this.probs;
  }
  override get mode(): Tensor {
    return one_hot(this.probs.argmax(-1), this.event_shape[0]).to(this.probs.dtype);
  }
  override get variance(): Tensor {
    return this.probs.mul(this.probs.neg().add(1));
  }
  override sample(sample_shape: Shape = []): Tensor {
    return one_hot(this.categorical.sample(sample_shape), this.event_shape[0]).to(this.probs.dtype);
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return this.categorical.log_prob(value.argmax(-1));
  }
  override entropy(): Tensor {
    return this.categorical.entropy();
  }
  override enumerate_support(expand = true): Tensor {
    const n = this.event_shape[0];
    const values = eye(n, { dtype: this.probs.dtype }).view([n, ...this.batch_shape.map(() => 1), n]);
    return expand ? values.expand([n, ...this.batch_shape, n]) : values;
  }
}

/** {@link OneHotCategorical} whose samples pass their gradients straight to the probabilities. */
export class OneHotCategoricalStraightThrough extends OneHotCategorical {
  override get has_rsample(): boolean {
    return true;
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const sample = this.sample(sample_shape);
    return sample.add(this.probs.sub(this.probs.detach()));
  }
}

type MultinomialArgs =
  | [total_count: number, probs: Tensor, options?: DistributionOptions]
  | [total_count: number, options: CategoryOptions]
  | [options: CategoryOptions & { total_count?: number }];

/** How often each category comes in `total_count` draws. */
export class Multinomial extends Distribution {
  readonly total_count: number;
  private readonly categorical: Categorical;
  private readonly binomial: Binomial;
  constructor(...args: MultinomialArgs) {
    super();
    const [count, probs, logits, validate] = argumentsOf(
      'Multinomial',
      'any total_count=1, Tensor? probs=None, Tensor? logits=None',
      args,
    ) as [number, Tensor | null, Tensor | null, boolean];
    if (typeof count !== 'number')
      throw new NotImplementedError('inhomogeneous total_count is not supported');
    this.total_count = count;
    this.categorical = new Categorical({ probs, logits });
    this.binomial = new Binomial(count, { probs: this.probs });
    this.begin(this.categorical.batch_shape, this.categorical.param_shape.slice(-1), validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.simplex, logits: constraints.real_vector };
  }
  override get support(): constraints.Constraint {
    return constraints.multinomial(this.total_count);
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
  override get mean(): Tensor {
    return this.probs.mul(this.total_count);
  }
  override get variance(): Tensor {
    return this.probs.mul(this.total_count).mul(this.probs.neg().add(1));
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => {
      const draws = this.categorical.sample([this.total_count, ...sample_shape]);
      const last = draws.movedim(0, -1);
      const counts = zeros(this.extended(sample_shape), { dtype: int64 });
      return counts.scatter_add_(-1, last, ones_like(last)).type_as(this.probs);
    });
  }
  override entropy(): Tensor {
    const n = this.total_count;
    const whole = full([], n, { dtype: this.probs.dtype });
    const support = this.binomial.enumerate_support(false).narrow(0, 1, n);
    const weights = support.add(1).lgamma();
    const rest = this.binomial.log_prob(support).exp().mul(weights).sum([0, -1]);
    return this.categorical.entropy().mul(n).sub(whole.add(1).lgamma()).add(rest);
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, x] = broadcast_all(this.logits, value);
    const never = x.eq(0).logical_and(logits.eq(Number.NEGATIVE_INFINITY));
    return x
      .sum(-1)
      .add(1)
      .lgamma()
      .sub(x.add(1).lgamma().sum(-1))
      .add(logits.masked_fill(never, 0).mul(x).sum(-1));
  }
}
