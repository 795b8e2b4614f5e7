// torch.distributions.transforms: invertible functions with the determinants of their Jacobians.
import { finfo } from '../dtype.js';
import { NotImplementedError, ValueError } from '../errors.js';
import { logsigmoid, pad, softplus } from '../nn/functional/index.js';
import { arange, broadcast_shapes, full_like, zeros_like } from '../ops/table.js';
import { Tensor } from '../tensor.js';
import type { Constraint } from './constraints.js';
import * as constraints from './constraints.js';
import { broadcast_all, type Param, type Shape, sumRightmost } from './utils.js';

/** Calling a transform computes it. */
export interface Transform {
  // biome-ignore lint/style/useShorthandFunctionType: an interface merges with the class
  (x: Tensor): Tensor;
}

/** A function from a domain to a codomain; it is callable. */
export abstract class Transform {
  private inverted: Transform | null = null;

  constructor() {
    const transform = (x: Tensor): Tensor => (transform as unknown as Transform).forward(x);
    Object.setPrototypeOf(transform, new.target.prototype);
    // biome-ignore lint/correctness/noConstructorReturn: the transform is the function object
    return transform as unknown as this;
  }

  abstract get domain(): Constraint;
  abstract get codomain(): Constraint;
  /** Whether the function has an inverse on its codomain. */
  get bijective(): boolean {
    return false;
  }
  /** 1 where the function of one number grows, -1 where it falls. */
  get sign(): number | Tensor {
    throw new NotImplementedError(`${this.constructor.name} does not implement sign`);
  }
  /** How many dimensions one value has, when that stays. */
  get event_dim(): number {
    if (this.domain.event_dim === this.codomain.event_dim) return this.domain.event_dim;
    throw new ValueError('Please use either .domain.event_dim or .codomain.event_dim');
  }
  /** The inverse function. */
  get inv(): Transform {
    this.inverted ??= new InverseTransform(this);
    return this.inverted;
  }
  /** @internal Joins two inverses. */
  protected pair(inverse: Transform): Transform {
    this.inverted = inverse;
    inverse.inverted = this;
    return inverse;
  }
  protected get pairedWith(): Transform | null {
    return this.inverted;
  }
  abstract forward(x: Tensor): Tensor;
  /** @internal */
  abstract inverse(y: Tensor): Tensor;
  /** `log |dy / dx|`, summed over the dimensions of an event. */
  log_abs_det_jacobian(_x: Tensor, _y: Tensor): Tensor {
    throw new NotImplementedError(`${this.constructor.name} does not implement log_abs_det_jacobian`);
  }
  /** The shape of the result for an input's shape. */
  forward_shape(shape: Shape): Shape {
    return shape;
  }
  inverse_shape(shape: Shape): Shape {
    return shape;
  }
  toString(): string {
    return `${this.constructor.name}()`;
  }
}

class InverseTransform extends Transform {
  private readonly original: Transform;
  constructor(original: Transform) {
    super();
    this.original = original;
  }
  get domain(): Constraint {
    return this.original.codomain;
  }
  get codomain(): Constraint {
    return this.original.domain;
  }
  override get bijective(): boolean {
    return this.original.bijective;
  }
  override get sign(): number | Tensor {
    return this.original.sign;
  }
  override get inv(): Transform {
    return this.original;
  }
  forward(x: Tensor): Tensor {
    return this.original.inverse(x);
  }
  inverse(y: Tensor): Tensor {
    return this.original.forward(y);
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    return this.original.log_abs_det_jacobian(y, x).neg();
  }
  override forward_shape(shape: Shape): Shape {
    return this.original.inverse_shape(shape);
  }
  override inverse_shape(shape: Shape): Shape {
    return this.original.forward_shape(shape);
  }
  override toString(): string {
    return `_InverseTransform(${this.original})`;
  }
}

/** Several transforms, one after the other. */
export class ComposeTransform extends Transform {
  readonly parts: readonly Transform[];
  constructor(parts: readonly Transform[]) {
    super();
    this.parts = parts;
  }
  get domain(): Constraint {
    if (this.parts.length === 0) return constraints.real;
    let dims = this.parts[this.parts.length - 1].codomain.event_dim;
    for (const part of [...this.parts].reverse())
      dims = Math.max(dims + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim);
    return widened(this.parts[0].domain, dims);
  }
  get codomain(): Constraint {
    if (this.parts.length === 0) return constraints.real;
    let dims = this.parts[0].domain.event_dim;
    for (const part of this.parts)
      dims = Math.max(dims + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim);
    return widened(this.parts[this.parts.length - 1].codomain, dims);
  }
  override get bijective(): boolean {
    return this.parts.every((part) => part.bijective);
  }
  override get sign(): number | Tensor {
    return this.parts
      .map((part) => part.sign)
      .reduce((a, b) => {
        if (a instanceof Tensor) return a.mul(b);
        return b instanceof Tensor ? b.mul(a) : a * b;
      }, 1);
  }
  override get inv(): Transform {
    return (
      this.pairedWith ?? this.pair(new ComposeTransform([...this.parts].reverse().map((part) => part.inv)))
    );
  }
  forward(x: Tensor): Tensor {
    return this.parts.reduce((y, part) => part.forward(y), x);
  }
  inverse(y: Tensor): Tensor {
    return this.parts.reduceRight((x, part) => part.inverse(x), y);
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    if (this.parts.length === 0) return zeros_like(x);
    const steps = [x];
    for (const part of this.parts.slice(0, -1)) steps.push(part.forward(steps[steps.length - 1]));
    steps.push(y);
    let dims = this.domain.event_dim;
    const terms = this.parts.map((part, i) => {
      const own = part.log_abs_det_jacobian(steps[i], steps[i + 1]);
      const term = sumRightmost(own, dims - part.domain.event_dim);
      dims += part.codomain.event_dim - part.domain.event_dim;
      return term;
    });
    return terms.reduce((a, b) => a.add(b));
  }
  override forward_shape(shape: Shape): Shape {
    return this.parts.reduce((s, part) => part.forward_shape(s), shape);
  }
  override inverse_shape(shape: Shape): Shape {
    return this.parts.reduceRight((s, part) => part.inverse_shape(s), shape);
  }
  override toString(): string {
    return `ComposeTransform(\n    ${this.parts.map(String).join(',\n    ')}\n)`;
  }
}

const widened = (region: Constraint, dims: number): Constraint =>
  dims > region.event_dim ? constraints.independent(region, dims - region.event_dim) : region;

/** Does nothing. */
export const identity_transform: Transform = new ComposeTransform([]);

/** A transform of events with more dimensions. */
export class IndependentTransform extends Transform {
  readonly base_transform: Transform;
  readonly reinterpreted_batch_ndims: number;
  constructor(base_transform: Transform, reinterpreted_batch_ndims: number) {
    super();
    this.base_transform = base_transform;
    this.reinterpreted_batch_ndims = reinterpreted_batch_ndims;
  }
  get domain(): Constraint {
    return constraints.independent(this.base_transform.domain, this.reinterpreted_batch_ndims);
  }
  get codomain(): Constraint {
    return constraints.independent(this.base_transform.codomain, this.reinterpreted_batch_ndims);
  }
  override get bijective(): boolean {
    return this.base_transform.bijective;
  }
  override get sign(): number | Tensor {
    return this.base_transform.sign;
  }
  private checked(x: Tensor, dims: number): Tensor {
    if (x.shape.length < dims) throw new ValueError('Too few dimensions on input');
    return x;
  }
  forward(x: Tensor): Tensor {
    return this.base_transform.forward(this.checked(x, this.domain.event_dim));
  }
  inverse(y: Tensor): Tensor {
    return this.base_transform.inverse(this.checked(y, this.codomain.event_dim));
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    return sumRightmost(this.base_transform.log_abs_det_jacobian(x, y), this.reinterpreted_batch_ndims);
  }
  override forward_shape(shape: Shape): Shape {
    return this.base_transform.forward_shape(shape);
  }
  override inverse_shape(shape: Shape): Shape {
    return this.base_transform.inverse_shape(shape);
  }
  override toString(): string {
    return `IndependentTransform(${this.base_transform}, ${this.reinterpreted_batch_ndims})`;
  }
}

/** A transform that changes the shape of events. */
export class ReshapeTransform extends Transform {
  readonly in_shape: Shape;
  readonly out_shape: Shape;
  constructor(in_shape: Shape, out_shape: Shape) {
    super();
    const count = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);
    if (count(in_shape) !== count(out_shape))
      throw new ValueError('in_shape, out_shape have different numbers of elements');
    this.in_shape = in_shape;
    this.out_shape = out_shape;
  }
  get domain(): Constraint {
    return constraints.independent(constraints.real, this.in_shape.length);
  }
  get codomain(): Constraint {
    return constraints.independent(constraints.real, this.out_shape.length);
  }
  override get bijective(): boolean {
    return true;
  }
  private batch(shape: Shape, event: Shape): Shape {
    return shape.slice(0, shape.length - event.length);
  }
  forward(x: Tensor): Tensor {
    return x.reshape([...this.batch(x.shape, this.in_shape), ...this.out_shape]);
  }
  inverse(y: Tensor): Tensor {
    return y.reshape([...this.batch(y.shape, this.out_shape), ...this.in_shape]);
  }
  override log_abs_det_jacobian(x: Tensor, _y?: Tensor): Tensor {
    return x.new_zeros([...this.batch(x.shape, this.in_shape)]);
  }
  private swapped(shape: Shape, from: Shape, to: Shape): Shape {
    if (shape.length < from.length) throw new ValueError('Too few dimensions on input');
    const event = shape.slice(shape.length - from.length);
    if (event.some((n, i) => n !== from[i]))
      throw new ValueError(
        `Shape mismatch: expected torch.Size([${event.join(', ')}]) but got torch.Size([${from.join(', ')}])`,
      );
    return [...this.batch(shape, from), ...to];
  }
  override forward_shape(shape: Shape): Shape {
    return this.swapped(shape, this.in_shape, this.out_shape);
  }
  override inverse_shape(shape: Shape): Shape {
    return this.swapped(shape, this.out_shape, this.in_shape);
  }
}

/** A growing or falling function of single numbers. */
abstract class Elementwise extends Transform {
  get domain(): Constraint {
    return constraints.real;
  }
  get codomain(): Constraint {
    return constraints.real;
  }
  override get bijective(): boolean {
    return true;
  }
  override get sign(): number | Tensor {
    return 1;
  }
}

/** `exp(x)`. */
export class ExpTransform extends Elementwise {
  override get codomain(): Constraint {
    return constraints.positive;
  }
  forward(x: Tensor): Tensor {
    return x.exp();
  }
  inverse(y: Tensor): Tensor {
    return y.log();
  }
  override log_abs_det_jacobian(x: Tensor, _y?: Tensor): Tensor {
    return x;
  }
}

/** `x ** exponent` of positive numbers. */
export class PowerTransform extends Elementwise {
  readonly exponent: Tensor;
  constructor(exponent: Param) {
    super();
    [this.exponent] = broadcast_all(exponent);
  }
  override get domain(): Constraint {
    return constraints.positive;
  }
  override get codomain(): Constraint {
    return constraints.positive;
  }
  override get sign(): Tensor {
    return this.exponent.sign();
  }
  forward(x: Tensor): Tensor {
    return x.pow(this.exponent);
  }
  inverse(y: Tensor): Tensor {
    return y.pow(this.exponent.reciprocal());
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    return this.exponent.mul(y).div(x).abs().log();
  }
  override forward_shape(shape: Shape): Shape {
    return broadcast_shapes(shape, this.exponent.shape);
  }
  override inverse_shape(shape: Shape): Shape {
    return broadcast_shapes(shape, this.exponent.shape);
  }
}

/** The logistic function, kept inside of (0, 1). */
function clippedSigmoid(x: Tensor): Tensor {
  const { tiny, eps } = new finfo(x.dtype);
  return x.sigmoid().clamp(tiny, 1 - eps);
}

/** `1 / (1 + exp(-x))`. */
export class SigmoidTransform extends Elementwise {
  override get codomain(): Constraint {
    return constraints.unit_interval;
  }
  forward(x: Tensor): Tensor {
    return clippedSigmoid(x);
  }
  inverse(y: Tensor): Tensor {
    const { tiny, eps } = new finfo(y.dtype);
    const inside = y.clamp(tiny, 1 - eps);
    return inside.log().sub(inside.neg().log1p());
  }
  override log_abs_det_jacobian(x: Tensor, _y?: Tensor): Tensor {
    return softplus(x.neg()).neg().sub(softplus(x));
  }
}

/** `log(1 + exp(x))`. */
export class SoftplusTransform extends Elementwise {
  override get codomain(): Constraint {
    return constraints.positive;
  }
  forward(x: Tensor): Tensor {
    return softplus(x);
  }
  inverse(y: Tensor): Tensor {
    return y.neg().expm1().neg().log().add(y);
  }
  override log_abs_det_jacobian(x: Tensor, _y?: Tensor): Tensor {
    return softplus(x.neg()).neg();
  }
}

/** `tanh(x)`. */
export class TanhTransform extends Elementwise {
  override get codomain(): Constraint {
    return constraints.interval(-1, 1);
  }
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
  inverse(y: Tensor): Tensor {
    return y.atanh();
  }
  override log_abs_det_jacobian(x: Tensor, _y?: Tensor): Tensor {
    return x
      .add(softplus(x.mul(-2)))
      .neg()
      .add(Math.LN2)
      .mul(2);
  }
}

/** `|x|`, which has no inverse: the inverse here is x itself. */
export class AbsTransform extends Transform {
  get domain(): Constraint {
    return constraints.real;
  }
  get codomain(): Constraint {
    return constraints.positive;
  }
  forward(x: Tensor): Tensor {
    return x.abs();
  }
  inverse(y: Tensor): Tensor {
    return y;
  }
}

/** `loc + scale x`; `event_dim` says how many of the last dimensions form one value. */
export class AffineTransform extends Transform {
  readonly loc: Param;
  readonly scale: Param;
  private readonly dims: number;
  constructor(loc: Param, scale: Param, options: number | { event_dim?: number } = {}) {
    super();
    this.loc = loc;
    this.scale = scale;
    this.dims = typeof options === 'number' ? options : (options.event_dim ?? 0);
  }
  get domain(): Constraint {
    return this.dims === 0 ? constraints.real : constraints.independent(constraints.real, this.dims);
  }
  get codomain(): Constraint {
    return this.domain;
  }
  override get event_dim(): number {
    return this.dims;
  }
  override get bijective(): boolean {
    return true;
  }
  override get sign(): number | Tensor {
    return typeof this.scale === 'number' ? Math.sign(this.scale) : this.scale.sign();
  }
  forward(x: Tensor): Tensor {
    return x.mul(this.scale).add(this.loc);
  }
  inverse(y: Tensor): Tensor {
    return y.sub(this.loc).div(this.scale);
  }
  override log_abs_det_jacobian(x: Tensor, _y?: Tensor): Tensor {
    const { scale } = this;
    const each =
      typeof scale === 'number' ? full_like(x.detach(), Math.log(Math.abs(scale))) : scale.abs().log();
    if (this.dims === 0) return each.expand(x.shape);
    return sumRightmost(each.expand(x.shape), this.dims);
  }
  private wide(shape: Shape): Shape {
    const own = [this.loc, this.scale].map((p) => (p instanceof Tensor ? p.shape : []));
    return broadcast_shapes(shape, ...own);
  }
  override forward_shape(shape: Shape): Shape {
    return this.wide(shape);
  }
  override inverse_shape(shape: Shape): Shape {
    return this.wide(shape);
  }
}

/** Softmax: not injective. */
export class SoftmaxTransform extends Transform {
  get domain(): Constraint {
    return constraints.real_vector;
  }
  get codomain(): Constraint {
    return constraints.simplex;
  }
  forward(x: Tensor): Tensor {
    const raised = x.sub(x.amax(-1, true)).exp();
    return raised.div(raised.sum(-1, true));
  }
  inverse(y: Tensor): Tensor {
    return y.log();
  }
}

/** From n real numbers to n + 1 parts of a whole, breaking them off one by one. */
export class StickBreakingTransform extends Transform {
  get domain(): Constraint {
    return constraints.real_vector;
  }
  get codomain(): Constraint {
    return constraints.simplex;
  }
  override get bijective(): boolean {
    return true;
  }
  /** n, n - 1, … 1. */
  private left(x: Tensor, n: number): Tensor {
    return arange(n, 0, -1, { dtype: x.dtype });
  }
  forward(x: Tensor): Tensor {
    const z = clippedSigmoid(x.sub(this.left(x, x.shape[x.shape.length - 1]).log()));
    const rest = z.neg().add(1).cumprod(-1);
    return pad(z, [0, 1], { value: 1 }).mul(pad(rest, [1, 0], { value: 1 }));
  }
  inverse(y: Tensor): Tensor {
    const n = y.shape[y.shape.length - 1] - 1;
    const parts = y.narrow(-1, 0, n);
    const rest = parts
      .cumsum(-1)
      .neg()
      .add(1)
      .clamp({ min: new finfo(y.dtype).tiny });
    return parts.log().sub(rest.log()).add(this.left(y, n).log());
  }
  override log_abs_det_jacobian(x: Tensor, y: Tensor): Tensor {
    const n = x.shape[x.shape.length - 1];
    const shifted = x.sub(this.left(x, n).log());
    return logsigmoid(shifted)
      .sub(shifted)
      .add(y.narrow(-1, 0, n).log())
      .sum(-1);
  }
  override forward_shape(shape: Shape): Shape {
    if (shape.length < 1) throw new ValueError('Too few dimensions on input');
    return [...shape.slice(0, -1), shape[shape.length - 1] + 1];
  }
  override inverse_shape(shape: Shape): Shape {
    if (shape.length < 1) throw new ValueError('Too few dimensions on input');
    return [...shape.slice(0, -1), shape[shape.length - 1] - 1];
  }
}

/** Matrices to lower triangular ones with a positive diagonal. */
export class LowerCholeskyTransform extends Transform {
  get domain(): Constraint {
    return constraints.independent(constraints.real, 2);
  }
  get codomain(): Constraint {
    return constraints.lower_cholesky;
  }
  forward(x: Tensor): Tensor {
    return x.tril(-1).add(x.diagonal(0, -2, -1).exp().diag_embed());
  }
  inverse(y: Tensor): Tensor {
    return y.tril(-1).add(y.diagonal(0, -2, -1).log().diag_embed());
  }
}
