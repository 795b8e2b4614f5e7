// Distributions of counts: Bernoulli, Binomial, Geometric, NegativeBinomial, Poisson.

import { unrecorded } from '../autograd/modes.js';
import { finfo } from '../dtype.js';
import { NotImplementedError, ValueError } from '../errors.js';
import { binary_cross_entropy_with_logits, logsigmoid } from '../nn/functional/index.js';
import { arange, bernoulli, binomial, empty, poisson, xlogy, zeros_like } from '../ops/table.js';
import { pyTuple } from '../pyformat.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { argumentsOf, Distribution } from './distribution.js';
import { Gamma } from './gamma.js';
import {
  broadcast_all,
  type DistributionOptions,
  logits_to_probs,
  type Param,
  probs_to_logits,
  type Shape,
} from './utils.js';

/** Probabilities, or their logits. */
export interface ProbsOrLogits extends DistributionOptions {
  probs?: Param | null;
  logits?: Param | null;
}
type ProbsArgs =
  | [probs: Param, options?: DistributionOptions]
  | [probs: null, logits: Param, options?: DistributionOptions]
  | [options: ProbsOrLogits];

const bce = (logits: Tensor, target: Tensor): Tensor =>
  binary_cross_entropy_with_logits(logits, target, { reduction: 'none' });

/** Whole numbers 0 … n - 1 along a new first dimension. */
export function counting(n: number, like: Tensor, batch: Shape, expand: boolean): Tensor {
  const values = arange(n, { dtype: like.dtype }).view([-1, ...batch.map(() => 1)]);
  return expand ? values.expand([-1, ...batch]) : values;
}

/** Distributions of one probability, given by itself or by its logit; each is computed from the other when asked for. */
export abstract class OneProbability extends Distribution {
  /** @returns the parameter that was given. */
  protected take(probs: Param | null, logits: Param | null, ...others: Param[]): Tensor[] {
    if ((probs === null) === (logits === null))
      throw new ValueError('Either `probs` or `logits` must be specified, but not both.');
    const [given, ...rest] = broadcast_all((probs ?? logits) as Param, ...others);
    this.keep(probs === null ? 'logits' : 'probs', () => given);
    return [given, ...rest];
  }
  get probs(): Tensor {
    return this.keep('probs', () => logits_to_probs(this.logits, true));
  }
  get logits(): Tensor {
    return this.keep('logits', () => probs_to_logits(this.probs, true));
  }
  /** Whichever was given. */
  protected get given(): Tensor {
    return Object.hasOwn(this, 'probs') ? this.probs : this.logits;
  }
  get param_shape(): Shape {
    return this.given.shape;
  }
}

/** 1 with a probability, else 0. */
export class Bernoulli extends OneProbability {
  constructor(...args: ProbsArgs) {
    super();
    const [probs, logits, validate] = argumentsOf('Bernoulli', 'any probs=None, any logits=None', args) as [
      Param | null,
      Param | null,
      boolean,
    ];
    const [given] = this.take(probs, logits);
    this.begin(given.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.unit_interval, logits: constraints.real };
  }
  override get support(): constraints.Constraint {
    return constraints.boolean;
  }
  override get has_enumerate_support(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.probs;
  }
  override get mode(): Tensor {
    const p = this.probs;
    return p.ge(0.5).to(p.dtype).where(p.ne(0.5), Number.NaN);
  }
  override get variance(): Tensor {
    return this.probs.mul(this.probs.neg().add(1));
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => bernoulli(this.probs.expand(this.extended(sample_shape))));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, x] = broadcast_all(this.logits, value);
    return bce(logits, x).neg();
  }
  override entropy(): Tensor {
    return bce(this.logits, this.probs);
  }
  override enumerate_support(expand = true): Tensor {
    return counting(2, this.given, this.batch_shape, expand);
  }
}

type BinomialArgs =
  | [total_count: Param, probs: Param, options?: DistributionOptions]
  | [total_count: Param, options: ProbsOrLogits]
  | [options: ProbsOrLogits & { total_count?: Param }];

/** How often an event of a probability happens in `total_count` trials. */
export class Binomial extends OneProbability {
  total_count: Tensor;
  constructor(...args: BinomialArgs) {
    super();
    const [count, probs, logits, validate] = argumentsOf(
      'Binomial',
      'any total_count=1, any probs=None, any logits=None',
      args,
    ) as [Param, Param | null, Param | null, boolean];
    const [given, total] = this.take(probs, logits, count);
    this.total_count = total.type_as(given);
    this.begin(given.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return {
      total_count: constraints.nonnegative_integer,
      probs: constraints.unit_interval,
      logits: constraints.real,
    };
  }
  override get support(): constraints.Constraint {
    return constraints.integer_interval(0, this.total_count);
  }
  override get has_enumerate_support(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.total_count.mul(this.probs);
  }
  override get mode(): Tensor {
    return this.total_count.add(1).mul(this.probs).floor().minimum(this.total_count);
  }
  override get variance(): Tensor {
    return this.total_count.mul(this.probs).mul(this.probs.neg().add(1));
  }
  override sample(sample_shape: Shape = []): Tensor {
    const shape = this.extended(sample_shape);
    return unrecorded(() => binomial(this.total_count.expand(shape), this.probs.expand(shape)));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const n = this.total_count;
    const { logits } = this;
    const normalize = n
      .mul(
        logits
          .clamp({ min: 0 })
          .add(logits)
          .sub(logits.clamp({ max: 0 }))
          .div(2),
      )
      .add(n.mul(logits.abs().neg().exp().log1p()))
      .sub(n.add(1).lgamma());
    return value.mul(logits).sub(value.add(1).lgamma()).sub(n.sub(value).add(1).lgamma()).sub(normalize);
  }
  private wholeCount(what: string): number {
    const count = Number(this.total_count.max().item());
    if (Number(this.total_count.min().item()) !== count)
      throw new NotImplementedError(`Inhomogeneous total count not supported by \`${what}\`.`);
    return count;
  }
  override entropy(): Tensor {
    this.wholeCount('entropy');
    const log = this.log_prob(this.enumerate_support(false));
    return log.exp().mul(log).sum(0).neg();
  }
  override enumerate_support(expand = true): Tensor {
    return counting(1 + this.wholeCount('enumerate_support'), this.given, this.batch_shape, expand);
  }
}

/** How often an event fails before it first happens. */
export class Geometric extends OneProbability {
  constructor(...args: ProbsArgs) {
    super();
    const [probs, logits, validate] = argumentsOf('Geometric', 'any probs=None, any logits=None', args) as [
      Param | null,
      Param | null,
      boolean,
    ];
    const [given] = this.take(probs, logits);
    this.begin(given.shape, [], validate);
    if (!this.validates || probs === null) return;
    const bad = given.le(0);
    if (bad.any().item())
      throw new ValueError(
        `Expected parameter probs (Tensor of shape ${pyTuple(given.shape)}) of distribution ${this} to be positive but found invalid values:\n${given.detach().masked_select(bad)}`,
      );
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.unit_interval, logits: constraints.real };
  }
  override get support(): constraints.Constraint {
    return constraints.nonnegative_integer;
  }
  override get mean(): Tensor {
    return this.probs.reciprocal().sub(1);
  }
  override get mode(): Tensor {
    return zeros_like(this.probs.detach());
  }
  override get variance(): Tensor {
    return this.mean.div(this.probs);
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => {
      const { dtype } = this.probs;
      const u = empty(this.extended(sample_shape), { dtype }).uniform_(new finfo(dtype).tiny, 1);
      return u.log().div(this.probs.neg().log1p()).floor();
    });
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [x, probs] = broadcast_all(value, this.probs);
    const sure = probs.eq(1).logical_and(x.eq(0));
    return x.mul(probs.masked_fill(sure, 0).neg().log1p()).add(this.probs.log());
  }
  override entropy(): Tensor {
    return bce(this.logits, this.probs).div(this.probs);
  }
}

/** How often an event of a probability happens before `total_count` failures. */
export class NegativeBinomial extends OneProbability {
  total_count: Tensor;
  constructor(...args: BinomialArgs) {
    super();
    const [count, probs, logits, validate] = argumentsOf(
      'NegativeBinomial',
      'any total_count, any probs=None, any logits=None',
      args,
    ) as [Param, Param | null, Param | null, boolean];
    const [given, total] = this.take(probs, logits, count);
    this.total_count = total.type_as(given);
    this.begin(given.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return {
      total_count: constraints.greater_than_eq(0),
      probs: constraints.half_open_interval(0, 1),
      logits: constraints.real,
    };
  }
  override get support(): constraints.Constraint {
    return constraints.nonnegative_integer;
  }
  override get mean(): Tensor {
    return this.total_count.mul(this.logits.exp());
  }
  override get mode(): Tensor {
    return this.total_count.sub(1).mul(this.logits.exp()).floor().clamp({ min: 0 });
  }
  override get variance(): Tensor {
    return this.mean.div(this.logits.neg().sigmoid());
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => {
      const rate = new Gamma(this.total_count, this.logits.neg().exp(), { validate_args: false });
      return poisson(rate.sample(sample_shape));
    });
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const { logits, total_count: n } = this;
    const unnormalized = n.mul(logsigmoid(logits.neg())).add(value.mul(logsigmoid(logits)));
    const all = n.add(value);
    const normalization = all.lgamma().neg().add(value.add(1).lgamma()).add(n.lgamma());
    return unnormalized.sub(normalization.masked_fill(all.eq(0), 0));
  }
}

type RateArgs =
  | [rate: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { rate: Param }];

/** The Poisson distribution: how often an event happens whose mean count is `rate`. */
export class Poisson extends Distribution {
  rate: Tensor;
  constructor(...args: RateArgs) {
    super();
    const [rate, validate] = argumentsOf('Poisson', 'any rate', args) as [Param, boolean];
    [this.rate] = broadcast_all(rate);
    this.begin(this.rate.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { rate: constraints.nonnegative };
  }
  override get support(): constraints.Constraint {
    return constraints.nonnegative_integer;
  }
  override get mean(): Tensor {
    return this.rate;
  }
  override get mode(): Tensor {
    return this.rate.floor();
  }
  override get variance(): Tensor {
    return this.rate;
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => poisson(this.rate.expand(this.extended(sample_shape))));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [rate, x] = broadcast_all(this.rate, value);
    return xlogy(x, rate).sub(rate).sub(x.add(1).lgamma());
  }
}
