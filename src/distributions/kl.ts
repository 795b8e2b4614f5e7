// Kullback-Leibler divergences.
import { NotImplementedError, ValueError } from '../errors.js';
import { solve_triangular } from '../linalg/index.js';
import { softplus } from '../nn/functional/index.js';
import { full_like } from '../ops/table.js';
import type { Tensor } from '../tensor.js';
import { ContinuousBernoulli } from './bounded.js';
import { Categorical, OneHotCategorical } from './categorical.js';
import { Gumbel, HalfNormal, Pareto } from './derived.js';
import { Bernoulli, Binomial, Geometric, Poisson } from './discrete.js';
import type { Distribution } from './distribution.js';
import { Exponential } from './exponential.js';
import { Beta, Dirichlet, Gamma } from './gamma.js';
import { Independent } from './independent.js';
import { Cauchy, Laplace, Normal, Uniform } from './location_scale.js';
import { LowRankMultivariateNormal } from './matrices.js';
import { halfLogDet, MultivariateNormal, mahalanobis } from './multivariate_normal.js';
import { TransformedDistribution } from './transformed.js';
import { EULER, orElse, sumRightmost } from './utils.js';

/** A class of distributions. */
interface Kind<D extends Distribution> {
  readonly prototype: D;
}
type Rule = (p: never, q: never) => Tensor;
interface Entry {
  readonly p: Kind<Distribution>;
  readonly q: Kind<Distribution>;
  readonly rule: Rule;
}

const entries: Entry[] = [];

/** The classes that PyTorch derives from ExponentialFamily. */
const families = [Bernoulli, Beta, ContinuousBernoulli, Dirichlet, Exponential, Gamma, Normal, Poisson];

/** How far a class lies below another one; infinitely, when it does not. */
function depth(x: Distribution, kind: Kind<Distribution>): number {
  let steps = 0;
  for (let at: object | null = Object.getPrototypeOf(x) as object; at !== null; steps++) {
    if (at === kind.prototype) return steps;
    at = Object.getPrototypeOf(at) as object | null;
  }
  return Number.POSITIVE_INFINITY;
}

/** Registers the divergence of two classes of distributions; that of the nearest classes is used. */
export function register_kl<P extends Distribution, Q extends Distribution>(
  p: Kind<P>,
  q: Kind<Q>,
  rule: (p: P, q: Q) => Tensor,
): typeof rule {
  entries.push({ p, q, rule: rule as Rule });
  return rule;
}

/**
 * `E_p[log p(x) - log q(x)]`, [batch_shape].
 * @throws NotImplementedError where no formula is known.
 */
export function kl_divergence(p: Distribution, q: Distribution): Tensor {
  let best: Entry | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const far = depth(p, entry.p) + depth(q, entry.q);
    // Of equally near ones, the last registered.
    if (far <= least && Number.isFinite(far)) [best, least] = [entry, far];
  }
  const inFamily = (d: Distribution): boolean => families.some((kind) => d instanceof kind);
  if (best === null && inFamily(p) && inFamily(q))
    throw new NotImplementedError(
      'The cross KL-divergence between different exponential families cannot                             be computed using Bregman divergences',
    );
  if (best === null)
    throw new NotImplementedError(
      `No KL(p || q) is implemented for p type ${p.constructor.name} and q type ${q.constructor.name}`,
    );
  return best.rule(p as never, q as never);
}

const INF = Number.POSITIVE_INFINITY;
const infinite = (x: Tensor): Tensor => full_like(x.detach(), INF);

/** The terms of discrete divergences: infinite where q excludes what p allows, 0 where p excludes it. */
const guarded = (term: Tensor, p: Tensor, q: Tensor): Tensor =>
  orElse(p.ne(0), orElse(q.ne(0), term, INF), 0);

register_kl(Bernoulli, Bernoulli, (p, q) => {
  const one = p.probs.mul(softplus(q.logits.neg()).sub(softplus(p.logits.neg())));
  const [pRest, qRest] = [p.probs.neg().add(1), q.probs.neg().add(1)];
  const zero = pRest.mul(softplus(q.logits).sub(softplus(p.logits)));
  return guarded(one, p.probs, q.probs).add(guarded(zero, pRest, qRest));
});
register_kl(Beta, Beta, (p, q) => {
  const [pSum, qSum] = [p, q].map((d) => d.concentration1.add(d.concentration0));
  const [pLog, qLog] = [p, q].map((d) => d.concentration1.lgamma().add(d.concentration0.lgamma()));
  return qLog
    .add(pSum.lgamma())
    .sub(pLog.add(qSum.lgamma()))
    .add(p.concentration1.sub(q.concentration1).mul(p.concentration1.digamma()))
    .add(p.concentration0.sub(q.concentration0).mul(p.concentration0.digamma()))
    .add(qSum.sub(pSum).mul(pSum.digamma()));
});
register_kl(Binomial, Binomial, (p, q) => {
  if (p.total_count.lt(q.total_count).any().item())
    throw new NotImplementedError(
      'KL between Binomials where q.total_count > p.total_count is not implemented',
    );
  const each = p.probs.mul(p.logits.sub(q.logits)).add(p.probs.neg().log1p()).sub(q.probs.neg().log1p());
  return orElse(p.total_count.le(q.total_count), p.total_count.mul(each), INF);
});
register_kl(Categorical, Categorical, (p, q) =>
  guarded(p.probs.mul(p.logits.sub(q.logits)), p.probs, q.probs).sum(-1),
);
register_kl(OneHotCategorical, OneHotCategorical, (p, q) =>
  kl_divergence(new Categorical({ logits: p.logits }), new Categorical({ logits: q.logits })),
);
register_kl(Dirichlet, Dirichlet, (p, q) => {
  const [pSum, qSum] = [p.concentration.sum(-1), q.concentration.sum(-1)];
  const slopes = p.concentration.digamma().sub(pSum.digamma().unsqueeze(-1));
  return pSum
    .lgamma()
    .sub(qSum.lgamma())
    .sub(p.concentration.lgamma().sub(q.concentration.lgamma()).sum(-1))
    .add(p.concentration.sub(q.concentration).mul(slopes).sum(-1));
});
register_kl(Exponential, Exponential, (p, q) => {
  const ratio = q.rate.div(p.rate);
  return ratio.sub(1).sub(ratio.log());
});
register_kl(Gamma, Gamma, (p, q) =>
  q.concentration
    .mul(p.rate.div(q.rate).log())
    .add(q.concentration.lgamma().sub(p.concentration.lgamma()))
    .add(p.concentration.sub(q.concentration).mul(p.concentration.digamma()))
    .add(q.rate.sub(p.rate).mul(p.concentration.div(p.rate))),
);
register_kl(Gumbel, Gumbel, (p, q) => {
  const ratio = p.scale.div(q.scale);
  const shift = q.loc.sub(p.loc).div(q.scale);
  return ratio
    .mul(EULER)
    .sub(ratio.log())
    .sub(shift)
    .add(shift.add(ratio.add(1).lgamma()).exp())
    .sub(1 + EULER);
});
register_kl(Geometric, Geometric, (p, q) =>
  p.entropy().neg().sub(q.probs.neg().log1p().div(p.probs)).sub(q.logits),
);
const normals = register_kl(Normal, Normal, (p, q) => {
  const ratio = p.scale.div(q.scale).square();
  const shift = p.loc.sub(q.loc).div(q.scale).square();
  return ratio.add(shift).sub(1).sub(ratio.log()).mul(0.5);
});
register_kl(HalfNormal, HalfNormal, (p, q) => normals(p.base_dist, q.base_dist));
register_kl(Laplace, Laplace, (p, q) => {
  const ratio = p.scale.div(q.scale);
  const distance = p.loc.sub(q.loc).abs();
  return distance
    .div(q.scale)
    .sub(ratio.log())
    .add(ratio.mul(distance.neg().div(p.scale).exp()))
    .sub(1);
});
register_kl(Cauchy, Cauchy, (p, q) => {
  const spread = p.scale.add(q.scale).square().add(p.loc.sub(q.loc).square()).log();
  return spread.sub(p.scale.mul(q.scale).mul(4).log());
});
register_kl(MultivariateNormal, MultivariateNormal, (p, q) => {
  const n = p.event_shape[0];
  if (n !== q.event_shape[0])
    throw new ValueError(
      'KL-divergence between two Multivariate Normals with different event shapes cannot be computed',
    );
  const batch = [...p.loc.add(q.loc).shape.slice(0, -1), -1, -1];
  const [pFactor, qFactor] = [p.scale_tril.expand(batch), q.scale_tril.expand(batch)];
  const volume = halfLogDet(qFactor).sub(halfLogDet(pFactor));
  const trace = solve_triangular(qFactor, pFactor, { upper: false }).square().sum([-2, -1]);
  return volume.add(
    trace
      .add(mahalanobis(qFactor, q.loc.sub(p.loc)))
      .sub(n)
      .mul(0.5),
  );
});
const asFull = (d: LowRankMultivariateNormal | MultivariateNormal): MultivariateNormal =>
  d instanceof MultivariateNormal ? d : new MultivariateNormal(d.loc, { scale_tril: d.scale_tril });
for (const [p, q] of [
  [LowRankMultivariateNormal, LowRankMultivariateNormal],
  [LowRankMultivariateNormal, MultivariateNormal],
  [MultivariateNormal, LowRankMultivariateNormal],
] as const)
  register_kl<LowRankMultivariateNormal | MultivariateNormal, LowRankMultivariateNormal | MultivariateNormal>(
    p,
    q,
    (a, b) => kl_divergence(asFull(a), asFull(b)),
  );
register_kl(ContinuousBernoulli, ContinuousBernoulli, (p, q) =>
  p
    .entropy()
    .neg()
    .sub(p.mean.mul(q.logits))
    .sub(q.log_prob(full_like(q.probs.detach(), 0))),
);
register_kl(Pareto, Pareto, (p, q) => {
  const ratio = q.alpha.div(p.alpha);
  const value = q.alpha.mul(p.scale.div(q.scale).log()).sub(ratio.log()).add(ratio).sub(1);
  return orElse(p.scale.ge(q.scale), value, INF);
});
register_kl(Poisson, Poisson, (p, q) => p.rate.mul(p.rate.log().sub(q.rate.log())).sub(p.rate.sub(q.rate)));
register_kl(TransformedDistribution, TransformedDistribution, (p, q) => {
  const same =
    p.transforms.length === q.transforms.length &&
    p.transforms.every((t, i) => t === q.transforms[i] || String(t) === String(q.transforms[i]));
  if (!same || p.event_shape.length !== q.event_shape.length) throw new NotImplementedError();
  const extra = p.event_shape.length - p.base_dist.event_shape.length;
  return sumRightmost(kl_divergence(p.base_dist, q.base_dist), extra);
});
register_kl(Uniform, Uniform, (p, q) => {
  const value = q.high.sub(q.low).div(p.high.sub(p.low)).log();
  return orElse(q.low.le(p.low).logical_and(q.high.ge(p.high)), value, INF);
});
register_kl(Independent, Independent, (p, q) => {
  if (p.reinterpreted_batch_ndims !== q.reinterpreted_batch_ndims) throw new NotImplementedError();
  return sumRightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims);
});

// ---- different classes

register_kl(Bernoulli, Poisson, (p, q) => p.entropy().neg().sub(p.probs.mul(q.rate.log()).sub(q.rate)));
register_kl(Beta, Exponential, (p, q) => p.entropy().neg().sub(q.rate.log()).add(q.rate.mul(p.mean)));
register_kl(Beta, Normal, (p, q) => againstNormal(p, q));
register_kl(Exponential, Gamma, (p, q) => {
  const ratio = q.rate.div(p.rate);
  return q.concentration
    .neg()
    .mul(ratio.log())
    .add(ratio)
    .add(q.concentration.lgamma())
    .add(q.concentration.mul(EULER))
    .sub(1 + EULER);
});
register_kl(Exponential, Normal, (p, q) => againstNormal(p, q));
register_kl(Gamma, Exponential, (p, q) => p.entropy().neg().sub(q.rate.log()).add(q.rate.mul(p.mean)));
register_kl(Gamma, Normal, (p, q) => againstNormal(p, q));
register_kl(Gumbel, Normal, (p, q) => againstNormal(p, q));
register_kl(Laplace, Normal, (p, q) => againstNormal(p, q));
register_kl(Uniform, Normal, (p, q) => againstNormal(p, q));
register_kl(Uniform, Exponential, (p, q) => {
  const value = q.rate.mul(p.high.add(p.low).div(2)).sub(p.high.sub(p.low).mul(q.rate).log());
  return orElse(p.low.ge(0), value, INF);
});
register_kl(Normal, Laplace, (p, q) => {
  const shift = p.loc.sub(q.loc);
  const z = shift.div(p.scale).div(Math.SQRT2);
  const away = p.scale
    .mul(Math.sqrt(2 / Math.PI))
    .mul(z.square().neg().exp())
    .add(shift.mul(z.erf()));
  return q.scale.mul(2).log().add(away.div(q.scale)).sub(p.entropy());
});

/** The divergence from a normal distribution, which asks for mean and variance only. */
function againstNormal(p: Distribution, q: Normal): Tensor {
  const second = p.variance.add(p.mean.sub(q.loc).square()).div(q.scale.square()).mul(0.5);
  return q.scale
    .log()
    .add(0.5 * Math.log(2 * Math.PI))
    .add(second)
    .sub(p.entropy());
}

const outside = (p: Kind<Distribution>, ...qs: readonly Kind<Distribution>[]): void => {
  for (const q of qs) register_kl(p, q, (x) => infinite(x.mean));
};
outside(Exponential, Beta, Pareto, Uniform);
outside(Gamma, Beta, Pareto, Uniform);
outside(Gumbel, Beta, Exponential, Gamma, Pareto, Uniform);
outside(Laplace, Beta, Exponential, Gamma, Pareto, Uniform);
outside(Normal, Beta, Exponential, Gamma, Pareto, Uniform);
outside(Pareto, Beta, Uniform);
outside(Poisson, Bernoulli, Binomial);
outside(Beta, Pareto);
