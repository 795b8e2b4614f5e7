// Distributions with covariances of low rank, and of correlation matrices: LowRankMultivariateNormal, LKJCholesky.

import { unrecorded } from '../autograd/modes.js';
import { finfo } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { cholesky, solve_triangular } from '../linalg/index.js';
import { arange, broadcast_tensors, cat, eye, mvlgamma, randn, zeros } from '../ops/table.js';
import { sizeText } from '../pyformat.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { argumentsOf, Distribution } from './distribution.js';
import { Beta } from './gamma.js';
import { halfLogDet, mahalanobis } from './multivariate_normal.js';
import { broadcast_all, type DistributionOptions, type Param, type Shape, standardNormal } from './utils.js';

type LowRankArgs =
  | [loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, options?: DistributionOptions]
  | [options: DistributionOptions & { loc: Tensor; cov_factor: Tensor; cov_diag: Tensor }];

const identity = (n: number, like: Tensor): Tensor => eye(n, { dtype: like.dtype });

/** The normal distribution of vectors with covariance `W W^T + diag(D)`: W = `cov_factor` [..., n, m], D = `cov_diag` [..., n]. */
export class LowRankMultivariateNormal extends Distribution {
  loc: Tensor;
  cov_factor: Tensor;
  cov_diag: Tensor;
  /** The Cholesky factor of `I + W^T D^-1 W`. */
  private readonly capacitance: Tensor;
  constructor(...args: LowRankArgs) {
    super();
    const [loc, W, D, validate] = argumentsOf(
      'LowRankMultivariateNormal',
      'Tensor loc, Tensor cov_factor, Tensor cov_diag',
      args,
    ) as [Tensor, Tensor, Tensor, boolean];
    if (loc.shape.length < 1) throw new ValueError('loc must be at least one-dimensional.');
    const [n] = loc.shape.slice(-1);
    if (W.shape.length < 2)
      throw new ValueError(
        'cov_factor must be at least two-dimensional, with optional leading batch dimensions',
      );
    if (W.shape[W.shape.length - 2] !== n)
      throw new ValueError(`cov_factor must be a batch of matrices with shape ${n} x m`);
    if (D.shape[D.shape.length - 1] !== n)
      throw new ValueError(`cov_diag must be a batch of vectors with shape ${sizeText([n])}`);
    try {
      const [wideLoc, wideW, wideD] = broadcast_tensors(loc.unsqueeze(-1), W, D.unsqueeze(-1));
      this.loc = wideLoc.select(-1, 0);
      this.cov_factor = wideW;
      this.cov_diag = wideD.select(-1, 0);
    } catch (e) {
      if (!(e instanceof RuntimeError)) throw e;
      throw new ValueError(
        `Incompatible batch shapes: loc ${sizeText(loc.shape)}, cov_factor ${sizeText(W.shape)}, cov_diag ${sizeText(D.shape)}`,
      );
    }
    const [m] = W.shape.slice(-1);
    this.capacitance = cholesky(this.scaled.matmul(this.cov_factor).add(identity(m, W)));
    this.begin(this.loc.shape.slice(0, -1), [n], validate);
  }
  /** `W^T D^-1`. */
  private get scaled(): Tensor {
    return this.cov_factor.mT.div(this.cov_diag.unsqueeze(-2));
  }
  protected override isLazy(name: string): boolean {
    return !['loc', 'cov_factor', 'cov_diag'].includes(name);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return {
      loc: constraints.real_vector,
      cov_factor: constraints.independent(constraints.real, 2),
      cov_diag: constraints.independent(constraints.positive, 1),
    };
  }
  override get support(): constraints.Constraint {
    return constraints.real_vector;
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
  override get variance(): Tensor {
    return this.cov_factor.square().sum(-1).add(this.cov_diag);
  }
  get covariance_matrix(): Tensor {
    return this.keep('covariance_matrix', () =>
      this.cov_factor.matmul(this.cov_factor.mT).add(this.cov_diag.diag_embed()),
    );
  }
  get precision_matrix(): Tensor {
    return this.keep('precision_matrix', () => {
      const A = solve_triangular(this.capacitance, this.scaled, { upper: false });
      return this.cov_diag.reciprocal().diag_embed().sub(A.mT.matmul(A));
    });
  }
  get scale_tril(): Tensor {
    return this.keep('scale_tril', () => {
      const root = this.cov_diag.sqrt().unsqueeze(-1);
      const part = this.cov_factor.div(root);
      return root.mul(cholesky(part.matmul(part.mT).add(identity(this.event_shape[0], part))));
    });
  }
  override rsample(sample_shape: Shape = []): Tensor {
    const shape = this.extended(sample_shape);
    const [m] = this.cov_factor.shape.slice(-1);
    const inside = standardNormal([...shape.slice(0, -1), m], this.loc.dtype);
    const along = standardNormal(shape, this.loc.dtype);
    return this.loc
      .add(this.cov_factor.matmul(inside.unsqueeze(-1)).squeeze(-1))
      .add(this.cov_diag.sqrt().mul(along));
  }
  private get logDet(): Tensor {
    return halfLogDet(this.capacitance).mul(2).add(this.cov_diag.log().sum(-1));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const x = value.sub(this.loc);
    const inside = this.scaled.matmul(x.unsqueeze(-1)).squeeze(-1);
    const distance = x.square().div(this.cov_diag).sum(-1).sub(mahalanobis(this.capacitance, inside));
    return this.logDet
      .add(distance)
      .add(this.event_shape[0] * Math.log(2 * Math.PI))
      .mul(-0.5);
  }
  override entropy(): Tensor {
    return this.logDet.add(this.event_shape[0] * (1 + Math.log(2 * Math.PI))).mul(0.5);
  }
}

type LKJArgs =
  | [dim: number, concentration?: Param, options?: DistributionOptions]
  | [dim: number, options: DistributionOptions & { concentration?: Param }]
  | [options: DistributionOptions & { dim: number; concentration?: Param }];

/**
 * Cholesky factors of correlation matrices, uniform for concentration 1 (Lewandowski, Kurowicka and Joe 2009, by the
 * onion method).
 */
export class LKJCholesky extends Distribution {
  readonly dim: number;
  concentration: Tensor;
  private readonly beta: Beta;
  constructor(...args: LKJArgs) {
    super();
    const [dim, concentration, validate] = argumentsOf(
      'LKJCholesky',
      'int dim, any concentration=1',
      args,
    ) as [number, Param, boolean];
    if (dim < 2)
      throw new ValueError(`Expected dim to be an integer greater than or equal to 2. Found dim=${dim}.`);
    this.dim = dim;
    [this.concentration] = broadcast_all(concentration);
    const { dtype } = this.concentration;
    const offset = cat([zeros([1], { dtype }), arange(dim - 1, { dtype })]);
    const marginal = this.concentration.add(0.5 * (dim - 2)).unsqueeze(-1);
    this.beta = new Beta(offset.add(0.5), marginal.sub(offset.mul(0.5)));
    this.begin(this.concentration.shape, [dim, dim], validate);
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return { concentration: constraints.positive };
  }
  override get support(): constraints.Constraint {
    return constraints.corr_cholesky;
  }
  override sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => {
      const y = this.beta.sample(sample_shape).unsqueeze(-1);
      const below = randn(this.extended(sample_shape), { dtype: y.dtype }).tril(-1);
      const directions = below.div(below.square().sum(-1, true).sqrt());
      directions.select(-2, 0).fill_(0);
      const w = y.sqrt().mul(directions);
      const rest = w
        .square()
        .sum(-1)
        .neg()
        .add(1)
        .clamp({ min: new finfo(w.dtype).tiny });
      return w.add(rest.sqrt().diag_embed());
    });
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    const { dim, concentration } = this;
    const diagonal = value.diagonal(0, -1, -2).narrow(-1, 1, dim - 1);
    const order = concentration
      .sub(1)
      .unsqueeze(-1)
      .mul(2)
      .add(dim)
      .sub(arange(2, dim + 1, { dtype: concentration.dtype }));
    const alpha = concentration.add(0.5 * (dim - 1));
    const normalize = mvlgamma(alpha.sub(0.5), dim - 1)
      .sub(alpha.lgamma().mul(dim - 1))
      .add(0.5 * (dim - 1) * Math.log(Math.PI));
    return order.mul(diagonal.log()).sum(-1).sub(normalize);
  }
}
