// Transforms made of others, and of matrices and distributions.
import { finfo } from '../dtype.js';
import { AssertionError, ValueError } from '../errors.js';
import { cholesky } from '../linalg/index.js';
import { pad, softplus } from '../nn/functional/index.js';
import { cat, eye, stack, tril_indices } from '../ops/table.js';
import type { Tensor } from '../tensor.js';
import type { Constraint } from './constraints.js';
import * as constraints from './constraints.js';
import type { Distribution } from './distribution.js';
import { LowerCholeskyTransform, Transform } from './transforms.js';
import { type Shape, sumRightmost } from './utils.js';

/** Parts along a dimension, of `lengths` elements each, with transforms of their own. */
export class CatTransform extends Transform {
  readonly transforms: readonly Transform[];
  readonly dim: number;
  readonly lengths: readonly number[];
  constructor(tseq: readonly Transform[], dim = 0, lengths: readonly number[] | null = null) {
    super();
    this.transforms = tseq;
    this.dim = dim;
    this.lengths = lengths ?? tseq.map(() => 1);
    if (this.lengths.length !== tseq.length)
      throw new AssertionError(`lengths (${this.lengths.length}) must match transforms (${tseq.length})`);
  }
  override get event_dim(): number {
    return Math.max(...this.transforms.map((t) => t.event_dim));
  }
  override get bijective(): boolean {
    return this.transforms.every((t) => t.bijective);
  }
  get domain(): Constraint {
    return constraints.cat(
      this.transforms.map((t) => t.domain),
      this.dim,
      this.lengths,
    );
  }
  get codomain(): Constraint {
    return constraints.cat(
      this.transforms.map((t) => t.codomain),
      this.dim,
      this.lengths,
    );
  }
  private parts(x: Tensor): Tensor[] {
    const total = this.lengths.reduce((a, b) => a + b, 0);
    const size = x.shape[this.dim < 0 ? this.dim + x.shape.length : this.dim];
    if (size !== total) throw new AssertionError(`x.size(${this.dim}) = ${size} must equal length ${total}`);
    return x.split([...this.lengths], this.dim);
  }
  forward(x: Tensor): Tensor {
    const parts = this.parts(x);
    return cat(
      this.transforms.map((t, i) => t.forward(parts[i])),
      this.dim,
    );
  }
  inverse(y: Tensor): Tensor {
    const parts = this.parts(y);
    return cat(
      this.transforms.map((t, i) => t.inverse(parts[i])),
      this.dim,
    );
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const [xs, ys] = [this.parts(x), this.parts(y)];
    const terms = this.transforms.map((t, i) =>
      sumRightmost(t.log_abs_det_jacobian(xs[i], ys[i]), this.event_dim - t.event_dim),
    );
    const dim = (this.dim >= 0 ? this.dim - x.shape.length : this.dim) + this.event_dim;
    return dim < 0 ? cat(terms, dim) : terms.reduce((a, b) => a.add(b));
  }
}

/** Slices along a dimension with transforms of their own. */
export class StackTransform extends Transform {
  readonly transforms: readonly Transform[];
  readonly dim: number;
  constructor(tseq: readonly Transform[], dim = 0) {
    super();
    this.transforms = tseq;
    this.dim = dim;
  }
  override get bijective(): boolean {
    return this.transforms.every((t) => t.bijective);
  }
  get domain(): Constraint {
    return constraints.stack(
      this.transforms.map((t) => t.domain),
      this.dim,
    );
  }
  get codomain(): Constraint {
    return constraints.stack(
      this.transforms.map((t) => t.codomain),
      this.dim,
    );
  }
  private slices(x: Tensor): Tensor[] {
    const parts = x.unbind(this.dim);
    if (parts.length !== this.transforms.length)
      throw new AssertionError(
        `x.size(${this.dim}) = ${parts.length} must equal len(transforms) ${this.transforms.length}`,
      );
    return parts;
  }
  forward(x: Tensor): Tensor {
    const parts = this.slices(x);
    return stack(
      this.transforms.map((t, i) => t.forward(parts[i])),
      this.dim,
    );
  }
  inverse(y: Tensor): Tensor {
    const parts = this.slices(y);
    return stack(
      this.transforms.map((t, i) => t.inverse(parts[i])),
      this.dim,
    );
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const [xs, ys] = [this.slices(x), this.slices(y)];
    return stack(
      this.transforms.map((t, i) => t.log_abs_det_jacobian(xs[i], ys[i])),
      this.dim,
    );
  }
}

/** The cumulative probabilities of a distribution. */
export class CumulativeDistributionTransform extends Transform {
  readonly distribution: Distribution;
  constructor(distribution: Distribution) {
    super();
    this.distribution = distribution;
  }
  get domain(): Constraint {
    return this.distribution.support;
  }
  get codomain(): Constraint {
    return constraints.unit_interval;
  }
  override get bijective(): boolean {
    return true;
  }
  override get sign(): number {
    return 1;
  }
  forward(x: Tensor): Tensor {
    return this.distribution.cdf(x);
  }
  inverse(y: Tensor): Tensor {
    return this.distribution.icdf(y);
  }
  override log_abs_det_jacobian(x: Tensor, _y?: Tensor): Tensor {
    return this.distribution.log_prob(x);
  }
}

/** Matrices to symmetric positive definite ones. */
export class PositiveDefiniteTransform extends Transform {
  get domain(): Constraint {
    return constraints.independent(constraints.real, 2);
  }
  get codomain(): Constraint {
    return constraints.positive_definite;
  }
  forward(x: Tensor): Tensor {
    const L = new LowerCholeskyTransform().forward(x);
    return L.matmul(L.mT);
  }
  inverse(y: Tensor): Tensor {
    return new LowerCholeskyTransform().inverse(cholesky(y));
  }
}

/** The elements of matrices below a diagonal, row by row. */
function below(x: Tensor, n: number, diagonal: number): Tensor {
  const [rows, columns] = tril_indices(n, n, diagonal).unbind();
  return x.reshape([...x.shape.slice(0, -2), n * n]).index_select(-1, rows.mul(n).add(columns));
}

/** Vectors of n (n - 1) / 2 numbers to Cholesky factors of n x n correlation matrices. */
export class CorrCholeskyTransform extends Transform {
  get domain(): Constraint {
    return constraints.real_vector;
  }
  get codomain(): Constraint {
    return constraints.corr_cholesky;
  }
  override get bijective(): boolean {
    return true;
  }
  forward(x: Tensor): Tensor {
    const { eps } = new finfo(x.dtype);
    const partial = x.tanh().clamp(-1 + eps, 1 - eps);
    const shape = this.forward_shape(x.shape);
    const n = shape[shape.length - 1];
    const [rows, columns] = tril_indices(n, n, -1).unbind();
    const places = rows.mul(n).add(columns).expand(partial.shape);
    const r = x
      .new_zeros([...x.shape.slice(0, -1), n * n])
      .scatter(-1, places, partial)
      .reshape([...shape]);
    const left = r.square().neg().add(1).sqrt().cumprod(-1);
    const whole = r.add(eye(n, { dtype: r.dtype }));
    return whole.mul(pad(left.narrow(-1, 0, n - 1), [1, 0], { value: 1 }));
  }
  inverse(y: Tensor): Tensor {
    const n = y.shape[y.shape.length - 1];
    const left = y.square().cumsum(-1).neg().add(1);
    const before = pad(left.narrow(-1, 0, n - 1), [1, 0], { value: 1 });
    return below(y, n, -1)
      .div(below(before, n, -1).sqrt())
      .atanh();
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const n = y.shape[y.shape.length - 1];
    const left = below(y.square().cumsum(-1).neg().add(1), n, -2);
    const tanh = x
      .add(softplus(x.mul(-2)))
      .sub(Math.LN2)
      .sum(-1)
      .mul(-2);
    return left.log().sum(-1).mul(0.5).add(tanh);
  }
  override forward_shape(shape: Shape): Shape {
    if (shape.length < 1) throw new ValueError('Too few dimensions on input');
    const count = shape[shape.length - 1];
    const n = Math.round(Math.sqrt(0.25 + 2 * count) + 0.5);
    if ((n * (n - 1)) / 2 !== count) throw new ValueError('Input is not a flattened lower-diagonal number');
    return [...shape.slice(0, -1), n, n];
  }
  override inverse_shape(shape: Shape): Shape {
    if (shape.length < 2) throw new ValueError('Too few dimensions on input');
    const [rows, n] = shape.slice(-2);
    if (rows !== n) throw new ValueError('Input is not square');
    return [...shape.slice(0, -2), (n * (n - 1)) / 2];
  }
}
