// Distributions on an interval or a circle: ContinuousBernoulli, VonMises, GeneralizedPareto.
import { unrecorded } from '../autograd/modes.js';
import { float64 } from '../dtype.js';
import { binary_cross_entropy_with_logits } from '../nn/functional/index.js';
import { rand, zeros } from '../ops/table.js';
import { i0e, i1e } from '../special.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { OneProbability } from './discrete.js';
import { argumentsOf, Distribution } from './distribution.js';
import {
  broadcast_all,
  clamp_probs,
  type DistributionOptions,
  logits_to_probs,
  orElse,
  type Param,
  type Shape,
} from './utils.js';

interface ContinuousOptions extends DistributionOptions {
  probs?: Param | null;
  logits?: Param | null;
  /** Between these probabilities, series replace formulas that divide by 1 - 2 p. */
  lims?: readonly [number, number];
}
type ContinuousArgs = [probs: Param, options?: ContinuousOptions] | [options: ContinuousOptions];

/** Numbers in (0, 1) with density proportional to `p^x (1 - p)^(1 - x)` (Loaiza-Ganem and Cunningham 2019). */
export class ContinuousBernoulli extends OneProbability {
  private readonly lims: readonly [number, number];
  constructor(...args: ContinuousArgs) {
    super();
    const [probs, logits, lims, validate] = argumentsOf(
      'ContinuousBernoulli',
      'any probs=None, any logits=None, any lims=None',
      args,
    ) as [Param | null, Param | null, [number, number] | null, boolean | null];
    const [given] = this.take(probs, logits);
    this.lims = lims ?? [0.499, 0.501];
    this.begin(given.shape, [], validate);
    if (probs !== null) this.keep('probs', () => clamp_probs(given));
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { probs: constraints.unit_interval, logits: constraints.real };
  }
  override get support(): constraints.Constraint {
    return constraints.unit_interval;
  }
  override get has_rsample(): boolean {
    return true;
  }
  override get probs(): Tensor {
    return this.keep('probs', () => clamp_probs(logits_to_probs(this.logits, true)));
  }
  /** Where the formulas are stable, and probabilities for which they are everywhere. */
  private get parted(): { apart: Tensor; p: Tensor; logit: Tensor; tilt: Tensor; near: Tensor } {
    const { probs } = this;
    const apart = probs.le(this.lims[0]).logical_or(probs.gt(this.lims[1]));
    const p = orElse(apart, probs, this.lims[0]);
    return { apart, p, logit: p.log().sub(p.neg().log1p()), tilt: p.mul(2).sub(1), near: probs.sub(0.5) };
  }
  private get logNorm(): Tensor {
    const { apart, logit, tilt, near } = this.parted;
    const x = near.square();
    const series = x
      .mul(104 / 45)
      .add(4 / 3)
      .mul(x)
      .add(Math.LN2);
    return logit.abs().log().sub(tilt.abs().log()).where(apart, series);
  }
  override get mean(): Tensor {
    const { apart, p, logit, tilt, near } = this.parted;
    const series = near
      .square()
      .mul(16 / 45)
      .add(1 / 3)
      .mul(near)
      .add(0.5);
    return p.div(tilt).sub(logit.reciprocal()).where(apart, series);
  }
  override get variance(): Tensor {
    const { apart, p, logit, tilt, near } = this.parted;
    const x = near.square();
    const series = x
      .mul(-128 / 945)
      .add(1 / 15)
      .mul(x)
      .neg()
      .add(1 / 12);
    return p.mul(p.sub(1)).div(tilt.square()).add(logit.square().reciprocal()).where(apart, series);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return this.icdf(rand(this.extended(sample_shape), { dtype: this.probs.dtype }));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const [logits, x] = broadcast_all(this.logits, value);
    return this.logNorm.sub(binary_cross_entropy_with_logits(logits, x, { reduction: 'none' }));
  }
  override cdf(value: Tensor): Tensor {
    this.checkValue(value);
    const { apart, p, tilt } = this.parted;
    const rest = p.neg().add(1);
    const inside = p
      .pow(value)
      .mul(rest.pow(value.neg().add(1)))
      .sub(rest)
      .div(tilt);
    return orElse(value.gt(0), orElse(value.lt(1), inside.where(apart, value), 1), 0);
  }
  override icdf(value: Tensor): Tensor {
    const { apart, p, logit, tilt } = this.parted;
    const inside = value.mul(tilt).sub(p).log1p().sub(p.neg().log1p()).div(logit);
    return inside.where(apart, value);
  }
  override entropy(): Tensor {
    const [zero, one] = [this.probs.neg().log1p(), this.probs.log()];
    return this.mean.mul(zero.sub(one)).sub(this.logNorm).sub(zero);
  }
}

type MisesArgs =
  | [loc: Param, concentration: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { loc: Param; concentration: Param }];

/** Angles around `loc`, the nearer the larger the concentration; samples lie in [-pi, pi). */
export class VonMises extends Distribution {
  loc: Tensor;
  concentration: Tensor;
  constructor(...args: MisesArgs) {
    super();
    const [loc, concentration, validate] = argumentsOf('VonMises', 'any loc, any concentration', args) as [
      Param,
      Param,
      boolean,
    ];
    [this.loc, this.concentration] = broadcast_all(loc, concentration);
    this.begin(this.loc.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { loc: constraints.real, concentration: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.real;
  }
  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
  /** The circular variance, 1 - I1 / I0. */
  override get variance(): Tensor {
    return i1e(this.concentration).div(i0e(this.concentration)).neg().add(1);
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const { concentration } = this;
    return concentration
      .mul(value.sub(this.loc).cos().sub(1))
      .sub(Math.log(2 * Math.PI))
      .sub(i0e(concentration).log());
  }
  /** By rejection (Best and Fisher 1979), in double precision. */
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => {
      const shape = this.extended(sample_shape);
      const kappa = this.concentration.to(float64);
      const tau = kappa.square().mul(4).add(1).sqrt().add(1);
      const rho = tau.sub(tau.mul(2).sqrt()).div(kappa.mul(2));
      const small = kappa.reciprocal().add(kappa);
      const r = rho.square().add(1).div(rho.mul(2)).where(kappa.ge(1e-5), small);
      let x = zeros(shape, { dtype: float64 });
      let open = x.eq(0);
      while (open.any().item()) {
        const [u1, u2, u3] = rand([3, ...shape], { dtype: float64 }).unbind();
        const z = u1.mul(Math.PI).cos();
        const f = r.mul(z).add(1).div(r.add(z));
        const c = kappa.mul(r.sub(f));
        const accepted = c.mul(c.neg().add(2)).gt(u2).logical_or(c.div(u2).log().add(1).ge(c));
        x = u3.sub(0.5).sign().mul(f.acos()).where(accepted, x);
        open = open.logical_and(accepted.logical_not());
      }
      const turned = x.add(Math.PI).add(this.loc.to(float64));
      return turned
        .remainder(2 * Math.PI)
        .sub(Math.PI)
        .to(this.loc.dtype);
    });
  }
}

type ParetoArgs =
  | [loc: Param, scale: Param, concentration: Param, options?: DistributionOptions]
  | [options: DistributionOptions & { loc: Param; scale: Param; concentration: Param }];

/** The generalized Pareto distribution: tails above `loc` that are heavy for a positive concentration and end for a negative one. */
export class GeneralizedPareto extends Distribution {
  loc: Tensor;
  scale: Tensor;
  concentration: Tensor;
  constructor(...args: ParetoArgs) {
    super();
    const [loc, scale, concentration, validate] = argumentsOf(
      'GeneralizedPareto',
      'any loc, any scale, any concentration',
      args,
    ) as [Param, Param, Param, boolean];
    [this.loc, this.scale, this.concentration] = broadcast_all(loc, scale, concentration);
    this.begin(this.loc.shape, [], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { loc: constraints.real, scale: constraints.positive, concentration: constraints.real };
  }
  override get support(): constraints.Constraint {
    const ends = this.loc.sub(this.scale.div(this.concentration));
    return constraints.interval(this.loc, orElse(this.concentration.lt(0), ends, Number.POSITIVE_INFINITY));
  }
  override get has_rsample(): boolean {
    return true;
  }
  /** Where the tail is exponential, and concentrations to divide by. */
  private get tail(): { plain: Tensor; k: Tensor } {
    const plain = this.concentration.abs().le(1e-8);
    return { plain, k: orElse(plain.logical_not(), this.concentration, 1) };
  }
  private standardized(value: Tensor): Tensor {
    return value.sub(this.loc).div(this.scale);
  }
  override get mean(): Tensor {
    const valid = this.concentration.lt(1);
    const k = orElse(valid, this.concentration, 0.5);
    return orElse(valid, this.loc.add(this.scale.div(k.neg().add(1))), Number.NaN);
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    const valid = this.concentration.lt(0.5);
    const k = orElse(valid, this.concentration, 0.25);
    const value = this.scale.square().div(k.neg().add(1).square().mul(k.mul(-2).add(1)));
    return orElse(valid, value, Number.NaN);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return this.icdf(rand(this.extended(sample_shape), { dtype: this.loc.dtype }));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const z = this.standardized(value);
    const { plain, k } = this.tail;
    const power = k.reciprocal().add(1).add(z.mul(0));
    const heavy = orElse(power.ne(0), power.mul(k.mul(z).log1p()), 0);
    return this.scale.log().neg().sub(z.where(plain, heavy));
  }
  /** `log P(x > value)`. */
  log_survival_function(value: Tensor): Tensor {
    this.checkValue(value);
    const z = this.standardized(value);
    const { plain, k } = this.tail;
    return z.where(plain, k.mul(z).log1p().div(k)).neg();
  }
  log_cdf(value: Tensor): Tensor {
    return this.log_survival_function(value).exp().neg().log1p();
  }
  override cdf(value: Tensor): Tensor {
    return this.log_cdf(value).exp();
  }
  override icdf(value: Tensor): Tensor {
    const { plain, k } = this.tail;
    const log = value.neg().log1p();
    const heavy = this.loc.add(this.scale.div(k).mul(k.neg().mul(log).expm1()));
    return this.loc.sub(this.scale.mul(log)).where(plain, heavy);
  }
  override entropy(): Tensor {
    return this.scale.log().add(this.concentration).add(1);
  }
}
