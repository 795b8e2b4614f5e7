// Distributions of a location and a scale: Normal, Laplace, Cauchy, Uniform, StudentT.
import { finfo } from '../dtype.js';
import { empty, full_like, normal, rand } from '../ops/table.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { argumentsOf, Distribution } from './distribution.js';
import { Chi2 } from './gamma.js';
import {
  broadcast_all,
  type DistributionOptions,
  orElse,
  type Param,
  type Shape,
  standardNormal,
} from './utils.js';

type LocScale =
  | [loc: Param, scale: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { loc: Param; scale: Param }];

/** Real numbers with a location and a scale. */
abstract class LocationScale extends Distribution {
  loc: Tensor;
  scale: Tensor;
  constructor(name: string, args: LocScale) {
    super();
    const [loc, scale, validate] = argumentsOf(name, 'any loc, any scale', args) as [Param, Param, boolean];
    [this.loc, this.scale] = broadcast_all(loc, scale);
    this.begin(this.loc.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { loc: constraints.real, scale: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.real;
  }
  override get has_rsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
  protected standardized(value: Tensor): Tensor {
    return value.sub(this.loc).div(this.scale);
  }
}

/** The normal distribution with mean `loc` and standard deviation `scale`. */
export class Normal extends LocationScale {
  constructor(...args: LocScale) {
    super('Normal', args);
  }
  override get stddev(): Tensor {
    return this.scale;
  }
  override get variance(): Tensor {
    return this.scale.square();
  }
  override sample(sample_shape: Shape = []): Tensor {
    const shape = this.extended(sample_shape);
    return normal(this.loc.detach().expand(shape), this.scale.detach().expand(shape));
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const noise = standardNormal(this.extended(sample_shape), this.loc.dtype);
    return this.loc.add(noise.mul(this.scale));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return value
      .sub(this.loc)
      .square()
      .neg()
      .div(this.scale.square().mul(2))
      .sub(this.scale.log())
      .sub(Math.log(Math.sqrt(2 * Math.PI)));
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    return this.standardized(value).div(Math.SQRT2).erf().add(1).mul(0.5);
  }
  override icdf(value: Tensor): Tensor {
    return this.loc.add(this.scale.mul(value.mul(2).sub(1).erfinv()).mul(Math.SQRT2));
  }
  override entropy(): Tensor {
    return this.scale.log().add(0.5 + 0.5 * Math.log(2 * Math.PI));
  }
}

/** The Laplace distribution, `exp(-|x - loc| / scale) / (2 scale)`. */
export class Laplace extends LocationScale {
  constructor(...args: LocScale) {
    super('Laplace', args);
  }
  override get stddev(): Tensor {
    return this.scale.mul(Math.SQRT2);
  }
  override get variance(): Tensor {
    return this.scale.square().mul(2);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const { dtype } = this.loc;
    const u = empty(this.extended(sample_shape), { dtype }).uniform_(new finfo(dtype).eps - 1, 1);
    return this.loc.sub(this.scale.mul(u.sign()).mul(u.abs().neg().log1p()));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return this.scale.mul(2).log().neg().sub(this.standardized(value).abs());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    const z = this.standardized(value);
    return z.sign().mul(z.abs().neg().expm1()).mul(-0.5).add(0.5);
  }
  override icdf(value: Tensor): Tensor {
    const term = value.sub(0.5);
    return this.loc.sub(this.scale.mul(term.sign()).mul(term.abs().mul(-2).log1p()));
  }
  override entropy(): Tensor {
    return this.scale.mul(2).log().add(1);
  }
}

/** The Cauchy distribution: without mean or variance. */
export class Cauchy extends LocationScale {
  constructor(...args: LocScale) {
    super('Cauchy', args);
  }
  override get mean(): Tensor {
    return full_like(this.loc.detach(), Number.NaN);
  }
  override get variance(): Tensor {
    return full_like(this.loc.detach(), Number.POSITIVE_INFINITY);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const noise = empty(this.extended(sample_shape), { dtype: this.loc.dtype }).cauchy_();
    return this.loc.add(noise.mul(this.scale));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return this.scale.log().neg().sub(Math.log(Math.PI)).sub(this.standardized(value).square().log1p());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    return this.standardized(value).atan().div(Math.PI).add(0.5);
  }
  override icdf(value: Tensor): Tensor {
    return value.sub(0.5).mul(Math.PI).tan().mul(this.scale).add(this.loc);
  }
  override entropy(): Tensor {
    return this.scale.log().add(Math.log(4 * Math.PI));
  }
}

type LowHigh =
  | [low: Param, high: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { low: Param; high: Param }];

/** The uniform distribution on [low, high). */
export class Uniform extends Distribution {
  low: Tensor;
  high: Tensor;
  constructor(...args: LowHigh) {
    super();
    const [low, high, validate] = argumentsOf('Uniform', 'any low, any high', args) as [
      Param,
      Param,
      boolean,
    ];
    [this.low, this.high] = broadcast_all(low, high);
    this.begin(this.low.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { low: constraints.less_than(this.high), high: constraints.greater_than(this.low) };
  }
  override get support(): constraints.Constraint {
    return constraints.interval(this.low, this.high);
  }
  override get has_rsample(): boolean {
    return true;
  }
  private get width(): Tensor {
    return this.high.sub(this.low);
  }
  override get mean(): Tensor {
    return this.high.add(this.low).div(2);
  }
  override get mode(): Tensor {
    return this.high.mul(Number.NaN);
  }
  override get stddev(): Tensor {
    return this.width.div(Math.sqrt(12));
  }
  override get variance(): Tensor {
    return this.width.square().div(12);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const u = rand(this.extended(sample_shape), { dtype: this.low.dtype });
    return this.low.add(u.mul(this.width));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const inside = this.low.le(value).logical_and(this.high.gt(value)).type_as(this.low);
    return inside.log().sub(this.width.log());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    return value.sub(this.low).div(this.width).clamp(0, 1);
  }
  override icdf(value: Tensor): Tensor {
    return value.mul(this.width).add(this.low);
  }
  override entropy(): Tensor {
    return this.width.log();
  }
}

type StudentArgs =
  | [df: Param, loc?: Param, scale?: Param, options?: DistributionOptions]
  | [df: Param, options: DistributionOptions & { loc?: Param; scale?: Param }]
  | [options: DistributionOptions & { df: Param; loc?: Param; scale?: Param }];

/** Student's t distribution with `df` degrees of freedom. */
export class StudentT extends Distribution {
  df: Tensor;
  loc: Tensor;
  scale: Tensor;
  private readonly chi2: Chi2;
  constructor(...args: StudentArgs) {
    super();
    const [df, loc, scale, validate] = argumentsOf('StudentT', 'any df, any loc=0, any scale=1', args) as [
      Param,
      Param,
      Param,
      boolean,
    ];
    [this.df, this.loc, this.scale] = broadcast_all(df, loc, scale);
    this.chi2 = new Chi2(this.df, { validate_args: validate });
    this.begin(this.df.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { df: constraints.positive, loc: constraints.real, scale: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.real;
  }
  override get has_rsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return orElse(this.df.gt(1), this.loc, Number.NaN);
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    const finite = this.df.gt(2);
    const df = orElse(finite, this.df, 3);
    const inside = this.scale.square().mul(df).div(df.sub(2));
    return orElse(this.df.gt(1), orElse(finite, inside, Number.POSITIVE_INFINITY), Number.NaN);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const x = standardNormal(this.extended(sample_shape), this.df.dtype);
    const z = this.chi2.rsample(sample_shape);
    return this.loc.add(this.scale.mul(x.mul(z.div(this.df).rsqrt())));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const y = value.sub(this.loc).div(this.scale);
    const half = this.df.add(1).mul(0.5);
    const weight = this.scale
      .log()
      .add(this.df.log().mul(0.5))
      .add(0.5 * Math.log(Math.PI))
      .add(this.df.mul(0.5).lgamma())
      .sub(half.lgamma());
    return half.neg().mul(y.square().div(this.df).log1p()).sub(weight);
  }
  override entropy(): Tensor {
    const [low, high] = [this.df.mul(0.5), this.df.add(1).mul(0.5)];
    const beta = low
      .lgamma()
      .add(Math.log(Math.PI) / 2)
      .sub(high.lgamma());
    return this.scale
      .log()
      .add(high.mul(high.digamma().sub(low.digamma())))
      .add(this.df.log().mul(0.5))
      .add(beta);
  }
}
