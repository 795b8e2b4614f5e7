// The multivariate normal distribution.
import { ValueError } from '../errors.js';
import { cholesky, solve_triangular } from '../linalg/index.js';
import { broadcast_shapes, eye } from '../ops/table.js';
import type { Tensor } from '../tensor.js';
import * as constraints from './constraints.js';
import { argumentsOf, Distribution } from './distribution.js';
import { type DistributionOptions, type Shape, standardNormal } from './utils.js';

interface Spread extends DistributionOptions {
  covariance_matrix?: Tensor | null;
  precision_matrix?: Tensor | null;
  scale_tril?: Tensor | null;
}
type Args =
  | [loc: Tensor, covariance_matrix: Tensor, options?: DistributionOptions]
  | [loc: Tensor, options: Spread]
  | [options: Spread & { loc: Tensor }];

/** L y for matrices and vectors. */
const applied = (L: Tensor, y: Tensor): Tensor => L.matmul(y.unsqueeze(-1)).squeeze(-1);

/** The squared lengths of `L^-1 x`. */
export function mahalanobis(L: Tensor, x: Tensor): Tensor {
  const batch = broadcast_shapes(L.shape.slice(0, -2), x.shape.slice(0, -1));
  const columns = x.expand([...batch, -1]).unsqueeze(-1);
  const solved = solve_triangular(L.expand([...batch, -1, -1]), columns, { upper: false });
  return solved.square().sum([-2, -1]);
}

/** Half the logarithm of the determinant of `L L^T`. */
export const halfLogDet = (L: Tensor): Tensor => L.diagonal(0, -2, -1).log().sum(-1);

const identityLike = (x: Tensor): Tensor =>
  eye(x.shape[x.shape.length - 1], { dtype: x.dtype }).expand([...x.shape.slice(0, -2), -1, -1]);

/** The Cholesky factor of a matrix's inverse, from the factor of the matrix turned around. */
function factorOfInverse(P: Tensor): Tensor {
  const turned = cholesky(P.flip(-2, -1)).flip(-2, -1).mT;
  return solve_triangular(turned, identityLike(P), { upper: false });
}

/**
 * The normal distribution of vectors, with mean `loc` [..., n] and a covariance that is given by itself, by its inverse
 * or by its lower Cholesky factor [..., n, n]; the others are computed when asked for.
 */
export class MultivariateNormal extends Distribution {
  loc: Tensor;
  private readonly factor: Tensor;
  constructor(...args: Args) {
    super();
    const [loc, covariance_matrix, precision_matrix, scale_tril, validate] = argumentsOf(
      'MultivariateNormal',
      'Tensor loc, Tensor? covariance_matrix=None, Tensor? precision_matrix=None, Tensor? scale_tril=None',
      args,
    ) as [Tensor, Tensor | null, Tensor | null, Tensor | null, boolean];
    if (loc.shape.length < 1) throw new ValueError('loc must be at least one-dimensional.');
    const given = Object.entries({ scale_tril, covariance_matrix, precision_matrix }).filter(
      (entry): entry is [string, Tensor] => entry[1] !== null,
    );
    if (given.length !== 1)
      throw new ValueError(
        'Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.',
      );
    const [name, matrix] = given[0];
    if (matrix.shape.length < 2)
      throw new ValueError(
        `${name === 'scale_tril' ? 'scale_tril matrix' : name} must be at least two-dimensional, with optional leading batch dimensions`,
      );
    const batch = broadcast_shapes(matrix.shape.slice(0, -2), loc.shape.slice(0, -1));
    this.keep(name, () => matrix.expand([...batch, -1, -1]));
    this.loc = loc.expand([...batch, -1]);
    this.begin(batch, loc.shape.slice(-1), validate);
    const whole = (this as unknown as Record<string, Tensor>)[name];
    this.factor =
      name === 'scale_tril' ? whole : name === 'covariance_matrix' ? cholesky(whole) : factorOfInverse(whole);
  }
  protected override isLazy(name: string): boolean {
    return name !== 'loc';
  }
  override get arg_constraints(): Record<string, constraints.Constraint> {
    return {
      loc: constraints.real_vector,
      covariance_matrix: constraints.positive_definite,
      precision_matrix: constraints.positive_definite,
      scale_tril: constraints.lower_cholesky,
    };
  }
  override get support(): constraints.Constraint {
    return constraints.real_vector;
  }
  override get has_rsample(): boolean {
    return true;
  }
  get scale_tril(): Tensor {
    return this.keep('scale_tril', () => this.factor);
  }
  get covariance_matrix(): Tensor {
    return this.keep('covariance_matrix', () => this.factor.matmul(this.factor.mT));
  }
  get precision_matrix(): Tensor {
    return this.keep('precision_matrix', () => {
      const inverse = solve_triangular(this.factor, identityLike(this.factor), { upper: false });
      return inverse.mT.matmul(inverse);
    });
  }
  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    return this.factor.square().sum(-1);
  }
  override rsample(sample_shape: Shape = []): Tensor {
    return this.loc.add(applied(this.factor, standardNormal(this.extended(sample_shape), this.loc.dtype)));
  }
  override log_prob(value: Tensor): Tensor {
    this.checkValue(value);
    return mahalanobis(this.factor, value.sub(this.loc))
      .add(this.event_shape[0] * Math.log(2 * Math.PI))
      .mul(-0.5)
      .sub(halfLogDet(this.factor));
  }
  override entropy(): Tensor {
    return halfLogDet(this.factor).add(0.5 * this.event_shape[0] * (1 + Math.log(2 * Math.PI)));
  }
}
