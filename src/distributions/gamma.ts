// Gamma and what is made of it: Chi2, Dirichlet, Beta, FisherSnedecor.
import { finfo } from '../dtype.js';
import { ValueError } from '../errors.js';
import { one_hot } from '../nn/functional/index.js';
import { as_tensor, stack, xlogy } from '../ops/table.js';
import { gammainc } from '../special.js';
import { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { argumentsOf, Distribution } from './distribution.js';
import { dirichletSample, standardGamma } from './reparameterized.js';
import { broadcast_all, type DistributionOptions, orElse, type Param, type Shape } from './utils.js';

type GammaArgs =
  | [concentration: Param, rate: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { concentration: Param; rate: Param }];

/** The gamma distribution with shape `concentration` and `rate` (1 / scale). */
export class Gamma extends Distribution {
  concentration: Tensor;
  rate: Tensor;
  constructor(...args: GammaArgs) {
    super();
    const [concentration, rate, validate] = argumentsOf('Gamma', 'any concentration, any rate', args) as [
      Param,
      Param,
      boolean,
    ];
    [this.concentration, this.rate] = broadcast_all(concentration, rate);
    this.begin(this.concentration.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { concentration: constraints.positive, rate: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.nonnegative;
  }
  override get has_rsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.concentration.div(this.rate);
  }
  override get mode(): Tensor {
    return this.concentration.sub(1).div(this.rate).clamp({ min: 0 });
  }
  override get variance(): Tensor {
    return this.concentration.div(this.rate.square());
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const shape = this.extended(sample_shape);
    const value = standardGamma(this.concentration.expand(shape)).div(this.rate.expand(shape));
    // Outside the graph: the derivative stays that of the sample.
    value.data.clamp_({ min: new finfo(value.dtype).tiny });
    return value;
  }
  override log_prob(value: Tensor): Tensor {
    const x = as_tensor(value, { dtype: this.rate.dtype });
    this.checkValue(x);
    return xlogy(this.concentration, this.rate)
      .add(xlogy(this.concentration.sub(1), x))
      .sub(this.rate.mul(x))
      .sub(this.concentration.lgamma());
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    return gammainc(this.concentration, this.rate.mul(value));
  }
  override entropy(): Tensor {
    return this.concentration
      .sub(this.rate.log())
      .add(this.concentration.lgamma())
      .add(this.concentration.neg().add(1).mul(this.concentration.digamma()));
  }
}

/** The chi-squared distribution with `df` degrees of freedom. */
export class Chi2 extends Gamma {
  constructor(...args: [df: Param, options?: DistributionOptions] | [DistributionOptions & { df: Param }]) {
    const [df, validate] = argumentsOf('Chi2', 'any df', args) as [Param, boolean];
    const half = df instanceof Tensor ? df.mul(0.5) : 0.5 * df;
    super(half, 0.5, { validate_args: validate });
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { df: constraints.positive };
  }
  get df(): Tensor {
    return this.concentration.mul(2);
  }
}

type DirichletArgs =
  | [concentration: Tensor, options?: DistributionOptions]
  | [options: DistributionOptions & { concentration: Tensor }];

/** The Dirichlet distribution over vectors that sum to 1. */
export class Dirichlet extends Distribution {
  concentration: Tensor;
  constructor(...args: DirichletArgs) {
    super();
    const [concentration, validate] = argumentsOf('Dirichlet', 'Tensor concentration', args) as [
      Tensor,
      boolean,
    ];
    if (concentration.shape.length < 1)
      throw new ValueError('`concentration` parameter must be at least one-dimensional.');
    this.concentration = concentration;
    this.begin(concentration.shape.slice(0, -1), concentration.shape.slice(-1), validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { concentration: constraints.independent(constraints.positive, 1) };
  }
  override get support(): constraints.Constraint {
    return constraints.simplex;
  }
  override get has_rsample(): boolean {
    return true;
  }
  private get total(): Tensor {
    return this.concentration.sum(-1, true);
  }
  override get mean(): Tensor {
    return this.concentration.div(this.total);
  }
  override get mode(): Tensor {
    const above = this.concentration.sub(1).clamp({ min: 0 });
    const mode = above.div(above.sum(-1, true));
    const corner = one_hot(mode.argmax(-1), this.event_shape[0]).to(mode.dtype);
    return corner.where(this.concentration.lt(1).all(-1, true), mode);
  }
  override get variance(): Tensor {
    const total = this.total;
    return this.concentration.mul(total.sub(this.concentration)).div(total.square().mul(total.add(1)));
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return dirichletSample(this.concentration.expand(this.extended(sample_shape)));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return xlogy(this.concentration.sub(1), value)
      .sum(-1)
      .add(this.concentration.sum(-1).lgamma())
      .sub(this.concentration.lgamma().sum(-1));
  }
  override entropy(): Tensor {
    const total = this.concentration.sum(-1);
    return this.concentration
      .lgamma()
      .sum(-1)
      .sub(total.lgamma())
      .sub(total.neg().add(this.event_shape[0]).mul(total.digamma()))
      .sub(this.concentration.sub(1).mul(this.concentration.digamma()).sum(-1));
  }
}

type BetaArgs =
  | [concentration1: Param, concentration0: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { concentration1: Param; concentration0: Param }];

/** The beta distribution over (0, 1). */
export class Beta extends Distribution {
  private readonly dirichlet: Dirichlet;
  constructor(...args: BetaArgs) {
    super();
    const [one, zero, validate] = argumentsOf('Beta', 'any concentration1, any concentration0', args) as [
      Param,
      Param,
      boolean,
    ];
    this.dirichlet = new Dirichlet(stack(broadcast_all(one, zero), -1), { validate_args: validate });
    this.begin(this.dirichlet.batch_shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { concentration1: constraints.positive, concentration0: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.unit_interval;
  }
  override get has_rsample(): boolean {
    return true;
  }
  get concentration1(): Tensor {
    return this.dirichlet.concentration.select(-1, 0);
  }
  get concentration0(): Tensor {
    return this.dirichlet.concentration.select(-1, 1);
  }
  override get mean(): Tensor {
    return this.concentration1.div(this.concentration1.add(this.concentration0));
  }
  override get mode(): Tensor {
    return this.dirichlet.mode.select(-1, 0);
  }
  override get variance(): Tensor {
    const total = this.concentration1.add(this.concentration0);
    return this.concentration1.mul(this.concentration0).div(total.square().mul(total.add(1)));
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return this.dirichlet.rsample(sample_shape).select(-1, 0);
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return this.dirichlet.log_prob(stack([value, value.neg().add(1)], -1));
  }
  override entropy(): Tensor {
    return this.dirichlet.entropy();
  }
}

type FisherArgs =
  | [df1: Param, df2: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { df1: Param; df2: Param }];

/** The F distribution with `df1` and `df2` degrees of freedom. */
export class FisherSnedecor extends Distribution {
  df1: Tensor;
  df2: Tensor;
  private readonly gamma1: Gamma;
  private readonly gamma2: Gamma;
  constructor(...args: FisherArgs) {
    super();
    const [df1, df2, validate] = argumentsOf('FisherSnedecor', 'any df1, any df2', args) as [
      Param,
      Param,
      boolean,
    ];
    [this.df1, this.df2] = broadcast_all(df1, df2);
    this.gamma1 = new Gamma(this.df1.mul(0.5), this.df1, { validate_args: validate });
    this.gamma2 = new Gamma(this.df2.mul(0.5), this.df2, { validate_args: validate });
    this.begin(this.df1.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { df1: constraints.positive, df2: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.positive;
  }
  override get has_rsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    const df2 = orElse(this.df2.gt(2), this.df2, Number.NaN);
    return df2.div(df2.sub(2));
  }
  override get mode(): Tensor {
    const mode = this.df1.sub(2).div(this.df1).mul(this.df2).div(this.df2.add(2));
    return orElse(this.df1.gt(2), mode, Number.NaN);
  }
  override get variance(): Tensor {
    const df2 = orElse(this.df2.gt(4), this.df2, Number.NaN);
    return df2
      .square()
      .mul(2)
      .mul(this.df1.add(df2).sub(2))
      .div(this.df1.mul(df2.sub(2).square()).mul(df2.sub(4)));
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const x1 = this.gamma1.rsample(sample_shape);
    const x2 = this.gamma2.rsample(sample_shape);
    const { tiny } = new finfo(x2.dtype);
    return x1.div(x2.clamp({ min: tiny })).clamp({ min: tiny });
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [a, b, ratio] = [this.df1.mul(0.5), this.df2.mul(0.5), this.df1.div(this.df2)];
    return a
      .add(b)
      .lgamma()
      .sub(a.lgamma())
      .sub(b.lgamma())
      .add(a.mul(ratio.log()))
      .add(a.sub(1).mul(value.log()))
      .sub(a.add(b).mul(ratio.mul(value).log1p()));
  }
}
