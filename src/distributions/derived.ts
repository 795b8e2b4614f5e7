// Distributions of transformed values with names of their own: LogNormal, HalfNormal, HalfCauchy, Gumbel, Weibull, Pareto,
// InverseGamma, Kumaraswamy, LogisticNormal, RelaxedBernoulli.
import { finfo } from '../dtype.js';
import { full_like, ones_like, zeros_like } from '../ops/table.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { argumentsOf } from './distribution.js';
import { Exponential } from './exponential.js';
import { Gamma } from './gamma.js';
import type { Independent } from './independent.js';
import { Cauchy, Normal, Uniform } from './location_scale.js';
import { TransformedDistribution } from './transformed.js';
import {
  AbsTransform,
  AffineTransform,
  ExpTransform,
  PowerTransform,
  StickBreakingTransform,
} from './transforms.js';
import { broadcast_all, type DistributionOptions, EULER, orElse, type Param, type Shape } from './utils.js';

type Two<A extends string, B extends string> =
  | [a: Param, b: Param, options?: DistributionOptions]
  | [options: DistributionOptions & Record<A | B, Param>];
type One<A extends string> =
  | [a: Param, options?: DistributionOptions]
  | [options: DistributionOptions & Record<A, Param>];

/** Two parameters of one shape, and whether to check them. */
function two(
  name: string,
  a: string,
  b: string,
  args: readonly unknown[],
): [Tensor, Tensor, DistributionOptions] {
  const [x, y, validate_args] = argumentsOf(name, `any ${a}, any ${b}`, args) as [Param, Param, boolean];
  const [first, second] = broadcast_all(x, y);
  return [first, second, { validate_args }];
}

/** Parameters are kept as fields, which exist only after the base class is made: they are checked then. */
abstract class Derived<
  D extends Normal | Cauchy | Exponential | Gamma | Uniform | Independent,
> extends TransformedDistribution<D> {
  protected override finish(batch: Shape, event: Shape): void {
    this.begin(batch, event, false);
  }
  protected checked(options: DistributionOptions): void {
    this.begin(this.batch_shape, this.event_shape, options.validate_args);
  }
}

/** The distribution of `exp(x)` for normal x. */
export class LogNormal extends Derived<Normal> {
  constructor(...args: Two<'loc', 'scale'>) {
    const [loc, scale, options] = two('LogNormal', 'loc', 'scale', args);
    super(new Normal(loc, scale, options), new ExpTransform());
    this.checked(options);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { loc: constraints.real, scale: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.positive;
  }
  get loc(): Tensor {
    return this.base_dist.loc;
  }
  get scale(): Tensor {
    return this.base_dist.scale;
  }
  override get mean(): Tensor {
    return this.loc.add(this.scale.square().div(2)).exp();
  }
  override get mode(): Tensor {
    return this.loc.sub(this.scale.square()).exp();
  }
  override get variance(): Tensor {
    const square = this.scale.square();
    return square.expm1().mul(this.loc.mul(2).add(square).exp());
  }
  override entropy(): Tensor {
    return this.base_dist.entropy().add(this.loc);
  }
}

/** Half a symmetric distribution: that of |x|. */
abstract class Half<D extends Normal | Cauchy> extends Derived<D> {
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { scale: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.nonnegative;
  }
  get scale(): Tensor {
    return this.base_dist.scale;
  }
  override get mode(): Tensor {
    return zeros_like(this.scale.detach());
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return orElse(value.ge(0), this.base_dist.log_prob(value).add(Math.LN2), Number.NEGATIVE_INFINITY);
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    return this.base_dist.cdf(value).mul(2).sub(1);
  }
  override icdf(value: Tensor): Tensor {
    return this.base_dist.icdf(value.add(1).div(2));
  }
  override entropy(): Tensor {
    return this.base_dist.entropy().sub(Math.LN2);
  }
}

/** The distribution of |x| for normal x of mean 0. */
export class HalfNormal extends Half<Normal> {
  constructor(...args: One<'scale'>) {
    const [scale, validate_args] = argumentsOf('HalfNormal', 'any scale', args) as [Param, boolean];
    super(new Normal(0, scale, { validate_args: false }), new AbsTransform());
    this.checked({ validate_args });
  }
  override get mean(): Tensor {
    return this.scale.mul(Math.sqrt(2 / Math.PI));
  }
  override get variance(): Tensor {
    return this.scale.square().mul(1 - 2 / Math.PI);
  }
}

/** The distribution of |x| for x of the Cauchy distribution around 0. */
export class HalfCauchy extends Half<Cauchy> {
  constructor(...args: One<'scale'>) {
    const [scale, validate_args] = argumentsOf('HalfCauchy', 'any scale', args) as [Param, boolean];
    super(new Cauchy(0, scale, { validate_args: false }), new AbsTransform());
    this.checked({ validate_args });
  }
  override get mean(): Tensor {
    return full_like(this.scale.detach(), Number.POSITIVE_INFINITY);
  }
  override get variance(): Tensor {
    return this.base_dist.variance;
  }
}

/** The Gumbel distribution: of the largest of many values. */
export class Gumbel extends Derived<Uniform> {
  loc: Tensor;
  scale: Tensor;
  constructor(...args: Two<'loc', 'scale'>) {
    const [loc, scale, options] = two('Gumbel', 'loc', 'scale', args);
    const { tiny, eps } = new finfo(loc.dtype);
    const base = new Uniform(full_like(loc.detach(), tiny), full_like(loc.detach(), 1 - eps), options);
    super(base, [
      new ExpTransform().inv,
      new AffineTransform(0, ones_like(scale.detach()).neg()),
      new ExpTransform().inv,
      new AffineTransform(loc, scale.neg()),
    ]);
    this.loc = loc;
    this.scale = scale;
    this.checked(options);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { loc: constraints.real, scale: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.real;
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const y = this.loc.sub(value).div(this.scale);
    return y.sub(y.exp()).sub(this.scale.log());
  }
  override get mean(): Tensor {
    return this.loc.add(this.scale.mul(EULER));
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get stddev(): Tensor {
    return this.scale.mul(Math.PI / Math.sqrt(6));
  }
  override get variance(): Tensor {
    return this.stddev.square();
  }
  override entropy(): Tensor {
    return this.scale.log().add(1 + EULER);
  }
}

/** The Weibull distribution: `scale * x ** (1 / concentration)` for exponential x. */
export class Weibull extends Derived<Exponential> {
  scale: Tensor;
  concentration: Tensor;
  constructor(...args: Two<'scale', 'concentration'>) {
    const [scale, concentration, options] = two('Weibull', 'scale', 'concentration', args);
    super(new Exponential(ones_like(scale.detach()), options), [
      new PowerTransform(concentration.reciprocal()),
      new AffineTransform(0, scale),
    ]);
    this.scale = scale;
    this.concentration = concentration;
    this.checked(options);
  }
  override expand(batch_shape: Shape): this {
    const options = { validate_args: false };
    return new Weibull(
      this.scale.expand(batch_shape),
      this.concentration.expand(batch_shape),
      options,
    ) as this;
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { scale: constraints.positive, concentration: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.positive;
  }
  /** The mean of the k-th power, for scale 1. */
  private moment(k: number): Tensor {
    return this.concentration.reciprocal().mul(k).add(1).lgamma().exp();
  }
  override get mean(): Tensor {
    return this.scale.mul(this.moment(1));
  }
  override get mode(): Tensor {
    const { concentration: k } = this;
    return this.scale.mul(k.sub(1).div(k).pow(k.reciprocal()));
  }
  override get variance(): Tensor {
    return this.scale.square().mul(this.moment(2).sub(this.moment(1).square()));
  }
  override entropy(): Tensor {
    const inverse = this.concentration.reciprocal();
    return inverse.neg().add(1).mul(EULER).add(this.scale.mul(inverse).log()).add(1);
  }
}

/** The Pareto distribution: `alpha scale^alpha / x^(alpha + 1)` from `scale` on. */
export class Pareto extends Derived<Exponential> {
  scale: Tensor;
  alpha: Tensor;
  constructor(...args: Two<'scale', 'alpha'>) {
    const [scale, alpha, options] = two('Pareto', 'scale', 'alpha', args);
    super(new Exponential(alpha, options), [new ExpTransform(), new AffineTransform(0, scale)]);
    this.scale = scale;
    this.alpha = alpha;
    this.checked(options);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { alpha: constraints.positive, scale: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.greater_than_eq(this.scale);
  }
  override get mean(): Tensor {
    const a = this.alpha.clamp({ min: 1 });
    return a.mul(this.scale).div(a.sub(1));
  }
  override get mode(): Tensor {
    return this.scale;
  }
  override get variance(): Tensor {
    const a = this.alpha.clamp({ min: 2 });
    return this.scale
      .square()
      .mul(a)
      .div(a.sub(1).square().mul(a.sub(2)));
  }
  override entropy(): Tensor {
    return this.scale.div(this.alpha).log().add(this.alpha.reciprocal().add(1));
  }
}

/** The distribution of `1 / x` for x of a gamma distribution. */
export class InverseGamma extends Derived<Gamma> {
  constructor(...args: Two<'concentration', 'rate'>) {
    const [concentration, rate, options] = two('InverseGamma', 'concentration', 'rate', args);
    super(new Gamma(concentration, rate, options), new PowerTransform(rate.new_ones([]).neg()));
    this.checked(options);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { concentration: constraints.positive, rate: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.positive;
  }
  get concentration(): Tensor {
    return this.base_dist.concentration;
  }
  get rate(): Tensor {
    return this.base_dist.rate;
  }
  override get mean(): Tensor {
    const { concentration: a } = this;
    return orElse(a.gt(1), this.rate.div(a.sub(1)), Number.POSITIVE_INFINITY);
  }
  override get mode(): Tensor {
    return this.rate.div(this.concentration.add(1));
  }
  override get variance(): Tensor {
    const { concentration: a } = this;
    const inside = this.rate.square().div(a.sub(1).square().mul(a.sub(2)));
    return orElse(a.gt(2), inside, Number.POSITIVE_INFINITY);
  }
  override entropy(): Tensor {
    const { concentration: a } = this;
    return a.add(this.rate.log()).add(a.lgamma()).sub(a.add(1).mul(a.digamma()));
  }
}

/** Kumaraswamy's distribution over (0, 1), similar to the beta distribution. */
export class Kumaraswamy extends Derived<Uniform> {
  concentration1: Tensor;
  concentration0: Tensor;
  constructor(...args: Two<'concentration1', 'concentration0'>) {
    const [a, b, options] = two('Kumaraswamy', 'concentration1', 'concentration0', args);
    super(new Uniform(zeros_like(b.detach()), ones_like(b.detach()), options), [
      new PowerTransform(b.reciprocal()),
      new AffineTransform(1, -1),
      new PowerTransform(a.reciprocal()),
    ]);
    this.concentration1 = a;
    this.concentration0 = b;
    this.checked(options);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { concentration1: constraints.positive, concentration0: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.unit_interval;
  }
  private moment(n: number): Tensor {
    const part = this.concentration1.reciprocal().mul(n).add(1);
    const b = this.concentration0;
    return part.lgamma().add(b.lgamma()).sub(part.add(b).lgamma()).exp().mul(b);
  }
  override get mean(): Tensor {
    return this.moment(1);
  }
  override get mode(): Tensor {
    const { concentration1: a, concentration0: b } = this;
    const log = b.reciprocal().mul(b.neg().log1p()).sub(b.neg().mul(a).log1p());
    return orElse(b.ge(1).logical_and(a.ge(1)), log, Number.NaN).exp();
  }
  override get variance(): Tensor {
    return this.moment(2).sub(this.mean.square());
  }
  override entropy(): Tensor {
    const { concentration1: a, concentration0: b } = this;
    const [t1, t0] = [a.reciprocal().neg().add(1), b.reciprocal().neg().add(1)];
    return t0
      .add(t1.mul(b.add(1).digamma().add(EULER)))
      .sub(a.log())
      .sub(b.log());
  }
}

/** Vectors that sum to 1: a normal vector, by stick breaking. */
export class LogisticNormal extends Derived<Independent<Normal>> {
  constructor(...args: Two<'loc', 'scale'>) {
    const [loc, scale, options] = two('LogisticNormal', 'loc', 'scale', args);
    const base = new Normal(loc, scale, options);
    super(base.batch_shape.length === 0 ? base.expand([1]) : base, new StickBreakingTransform());
    this.checked(options);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { loc: constraints.real, scale: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.simplex;
  }
  get loc(): Tensor {
    return this.base_dist.base_dist.loc;
  }
  get scale(): Tensor {
    return this.base_dist.base_dist.scale;
  }
}
