// torch.distributions.constraints: which values a parameter may have, and which a sample can.
import { bool, finfo } from '../dtype.js';
import { AssertionError, NotImplementedError, ValueError } from '../errors.js';
import { cholesky_ex } from '../linalg/index.js';
import { full, cat as joined } from '../ops/table.js';
import { pyFloatRepr } from '../pyformat.js';
import type { Tensor } from '../tensor.js';

/** A bound of a constraint. */
export type Bound = number | Tensor;

const text = (x: Bound): string => (typeof x === 'number' ? pyFloatRepr(x) : String(x));
const wholeText = String;

/** A region of values. */
export abstract class Constraint {
  /** Whether the region is countable. */
  get is_discrete(): boolean {
    return false;
  }
  /** How many of the last dimensions form one value. */
  get event_dim(): number {
    return 0;
  }
  /** Whether each value lies in the region: a bool tensor without the last `event_dim` dimensions. */
  abstract check(value: Tensor): Tensor;
  /** @internal The name and arguments, for messages. */
  get label(): string {
    return `${this.constructor.name.replace(/^_|Constraint$/g, '')}()`;
  }
  toString(): string {
    return this.label;
  }
}

const lastDims = (x: Tensor, n: number): Tensor =>
  n === 0 ? x : x.reshape([...x.shape.slice(0, x.shape.length - n), -1]);

class Dependent extends Constraint {
  constructor(
    private readonly discrete: boolean | null = null,
    private readonly dims: number | null = null,
  ) {
    super();
  }
  override get is_discrete(): boolean {
    if (this.discrete === null) throw new NotImplementedError('.is_discrete cannot be determined statically');
    return this.discrete;
  }
  override get event_dim(): number {
    if (this.dims === null) throw new NotImplementedError('.event_dim cannot be determined statically');
    return this.dims;
  }
  check(): Tensor {
    throw new ValueError('Cannot determine validity of dependent constraint');
  }
}

/** Values of which `reinterpreted_batch_ndims` more dimensions belong to one event. */
export class IndependentConstraint extends Constraint {
  constructor(
    readonly base_constraint: Constraint,
    readonly reinterpreted_batch_ndims: number,
  ) {
    super();
    if (!(base_constraint instanceof Constraint))
      throw new AssertionError('base_constraint must be a Constraint');
  }
  override get is_discrete(): boolean {
    return this.base_constraint.is_discrete;
  }
  override get event_dim(): number {
    return this.base_constraint.event_dim + this.reinterpreted_batch_ndims;
  }
  check(value: Tensor): Tensor {
    const result = this.base_constraint.check(value);
    if (result.shape.length < this.reinterpreted_batch_ndims)
      throw new ValueError(`Expected value.dim() >= ${this.event_dim} but got ${value.shape.length}`);
    return lastDims(result, this.reinterpreted_batch_ndims).all(-1);
  }
  override get label(): string {
    return `IndependentConstraint(${this.base_constraint}, ${this.reinterpreted_batch_ndims})`;
  }
}

/** Values that the components of a mixture can have. */
export class MixtureSameFamilyConstraint extends Constraint {
  constructor(readonly base_constraint: Constraint) {
    super();
  }
  override get is_discrete(): boolean {
    return this.base_constraint.is_discrete;
  }
  override get event_dim(): number {
    return this.base_constraint.event_dim;
  }
  check(value: Tensor): Tensor {
    const result = this.base_constraint.check(value.unsqueeze(-1 - this.event_dim));
    const kept = value.shape.length - this.event_dim;
    if (kept < 0)
      throw new ValueError(`Expected value.dim() >= ${this.event_dim} but got ${value.shape.length}`);
    return result.reshape([...result.shape.slice(0, kept), -1]).all(-1);
  }
  override get label(): string {
    return `MixtureSameFamilyConstraint(${this.base_constraint})`;
  }
}

/** A region given by a test of single elements. */
class Elements extends Constraint {
  constructor(
    private readonly shown: string,
    private readonly test: (x: Tensor) => Tensor,
    private readonly discrete = false,
  ) {
    super();
  }
  override get is_discrete(): boolean {
    return this.discrete;
  }
  check(value: Tensor): Tensor {
    return this.test(value);
  }
  override get label(): string {
    return this.shown;
  }
}

/** A region given by a test of vectors or matrices. */
class Events extends Constraint {
  constructor(
    private readonly shown: string,
    private readonly dims: number,
    private readonly test: (x: Tensor) => Tensor,
    private readonly discrete = false,
  ) {
    super();
  }
  override get is_discrete(): boolean {
    return this.discrete;
  }
  override get event_dim(): number {
    return this.dims;
  }
  check(value: Tensor): Tensor {
    return this.test(value);
  }
  override get label(): string {
    return `${this.shown}()`;
  }
}

const isWhole = (x: Tensor): Tensor => x.remainder(1).eq(0);

/** Numbers above a bound. */
export class GreaterThan extends Constraint {
  constructor(readonly lower_bound: Bound) {
    super();
  }
  check(value: Tensor): Tensor {
    return value.gt(this.lower_bound);
  }
  override get label(): string {
    return `GreaterThan(lower_bound=${text(this.lower_bound)})`;
  }
}
/** Numbers from a bound on. */
export class GreaterThanEq extends Constraint {
  constructor(readonly lower_bound: Bound) {
    super();
  }
  check(value: Tensor): Tensor {
    return value.ge(this.lower_bound);
  }
  override get label(): string {
    return `GreaterThanEq(lower_bound=${text(this.lower_bound)})`;
  }
}
/** Numbers below a bound. */
export class LessThan extends Constraint {
  constructor(readonly upper_bound: Bound) {
    super();
  }
  check(value: Tensor): Tensor {
    return value.lt(this.upper_bound);
  }
  override get label(): string {
    return `LessThan(upper_bound=${text(this.upper_bound)})`;
  }
}
/** Numbers between two bounds, which belong to it. */
export class Interval extends Constraint {
  constructor(
    readonly lower_bound: Bound,
    readonly upper_bound: Bound,
  ) {
    super();
  }
  check(value: Tensor): Tensor {
    return value.ge(this.lower_bound).logical_and(value.le(this.upper_bound));
  }
  override get label(): string {
    return `Interval(lower_bound=${text(this.lower_bound)}, upper_bound=${text(this.upper_bound)})`;
  }
}
/** Numbers between two bounds, of which the upper one does not belong to it. */
export class HalfOpenInterval extends Interval {
  override check(value: Tensor): Tensor {
    return value.ge(this.lower_bound).logical_and(value.lt(this.upper_bound));
  }
  override get label(): string {
    return `HalfOpen${super.label}`;
  }
}
/** Whole numbers between two bounds, which belong to it. */
export class IntegerInterval extends Interval {
  override get is_discrete(): boolean {
    return true;
  }
  override check(value: Tensor): Tensor {
    return isWhole(value).logical_and(super.check(value));
  }
  override get label(): string {
    return `IntegerInterval(lower_bound=${wholeText(this.lower_bound)}, upper_bound=${wholeText(this.upper_bound)})`;
  }
}
/** Whole numbers from a bound on. */
export class IntegerGreaterThan extends GreaterThanEq {
  override get is_discrete(): boolean {
    return true;
  }
  override check(value: Tensor): Tensor {
    return isWhole(value).logical_and(super.check(value));
  }
  override get label(): string {
    return `IntegerGreaterThan(lower_bound=${wholeText(this.lower_bound)})`;
  }
}
/** Vectors of counts with at most a given sum. */
export class MultinomialConstraint extends Constraint {
  constructor(readonly upper_bound: Bound) {
    super();
  }
  override get is_discrete(): boolean {
    return true;
  }
  override get event_dim(): number {
    return 1;
  }
  check(value: Tensor): Tensor {
    return value.ge(0).all(-1).logical_and(value.sum(-1).le(this.upper_bound));
  }
  override get label(): string {
    return 'Multinomial()';
  }
}

/** Parts along a dimension, of `lengths` elements each, each in a region of its own. */
export class Cat extends Constraint {
  readonly lengths: readonly number[];
  constructor(
    readonly cseq: readonly Constraint[],
    readonly dim = 0,
    lengths: readonly number[] | null = null,
  ) {
    super();
    this.lengths = lengths ?? cseq.map(() => 1);
    if (this.lengths.length !== cseq.length)
      throw new AssertionError(`lengths (${this.lengths.length}) must match cseq (${cseq.length})`);
  }
  override get is_discrete(): boolean {
    return this.cseq.some((c) => c.is_discrete);
  }
  override get event_dim(): number {
    return Math.max(...this.cseq.map((c) => c.event_dim));
  }
  check(value: Tensor): Tensor {
    let start = 0;
    const parts = this.cseq.map((c, i) => {
      const part = value.narrow(this.dim, start, this.lengths[i]);
      start += this.lengths[i];
      return c.check(part);
    });
    return joined(parts, this.dim);
  }
}
/** Slices along a dimension, each in a region of its own. */
export class Stack extends Constraint {
  constructor(
    readonly cseq: readonly Constraint[],
    readonly dim = 0,
  ) {
    super();
  }
  override get is_discrete(): boolean {
    return this.cseq.some((c) => c.is_discrete);
  }
  override get event_dim(): number {
    const dim = Math.max(...this.cseq.map((c) => c.event_dim));
    return this.dim + dim < 0 ? dim + 1 : dim;
  }
  check(value: Tensor): Tensor {
    const parts = this.cseq.map((c, i) => c.check(value.select(this.dim, i)).unsqueeze(this.dim));
    return joined(parts, this.dim);
  }
}

const isTriangular = (x: Tensor): Tensor => lastDims(x.tril().eq(x), 2).all(-1);
const isCholesky = (x: Tensor): Tensor => isTriangular(x).logical_and(x.diagonal(0, -2, -1).gt(0).all(-1));
const isSquare = (x: Tensor): Tensor =>
  full(x.shape.slice(0, -2), x.shape[x.shape.length - 2] === x.shape[x.shape.length - 1], { dtype: bool });

function isSymmetric(x: Tensor): Tensor {
  const square = isSquare(x);
  if (!square.all().item()) return square;
  return lastDims(x.isclose(x.mT, 1e-5, 1e-6), 2).all(-1);
}

function isCorrelation(x: Tensor): Tensor {
  const tolerance = new finfo(x.dtype).eps * x.shape[x.shape.length - 1] * 10;
  const norms = x.detach().square().sum(-1).sqrt();
  return isCholesky(x).logical_and(norms.sub(1).abs().le(tolerance).all(-1));
}

function isPositiveDefinite(x: Tensor): Tensor {
  const symmetric = isSymmetric(x);
  if (!symmetric.all().item()) return symmetric;
  return cholesky_ex(x)[1].eq(0);
}

/** A region that depends on other parameters. */
export const dependent: Constraint = new Dependent();
/** Whether a region can only be told by its distribution. */
export const is_dependent = (constraint: Constraint): boolean => constraint instanceof Dependent;
/** Events of more dimensions. */
export const independent = (base: Constraint, ndims: number): IndependentConstraint =>
  new IndependentConstraint(base, ndims);
/** 0 and 1. */
export const boolean: Constraint = new Elements('Boolean()', (x) => x.eq(0).logical_or(x.eq(1)), true);
/** Vectors with one 1 among zeros. */
export const one_hot: Constraint = new Events(
  'OneHot',
  1,
  (x) => x.eq(0).logical_or(x.eq(1)).all(-1).logical_and(x.sum(-1).eq(1)),
  true,
);
/** Whole numbers from 0 on. */
export const nonnegative_integer: Constraint = new IntegerGreaterThan(0);
/** Whole numbers from 1 on. */
export const positive_integer: Constraint = new IntegerGreaterThan(1);
/** Whole numbers between bounds. */
export const integer_interval = (lower: Bound, upper: Bound): IntegerInterval =>
  new IntegerInterval(lower, upper);
/** All numbers but NaN. */
export const real: Constraint = new Elements('Real()', (x) => x.eq(x));
/** Vectors without NaN. */
export const real_vector: Constraint = independent(real, 1);
/** Numbers above 0. */
export const positive: Constraint = new GreaterThan(0);
/** Numbers from 0 on. */
export const nonnegative: Constraint = new GreaterThanEq(0);
/** Numbers above a bound. */
export const greater_than = (lower: Bound): GreaterThan => new GreaterThan(lower);
/** Numbers from a bound on. */
export const greater_than_eq = (lower: Bound): GreaterThanEq => new GreaterThanEq(lower);
/** Numbers below a bound. */
export const less_than = (upper: Bound): LessThan => new LessThan(upper);
/** Counts with at most a given sum. */
export const multinomial = (upper: Bound): MultinomialConstraint => new MultinomialConstraint(upper);
/** Numbers from 0 to 1. */
export const unit_interval: Constraint = new Interval(0, 1);
/** Numbers between bounds. */
export const interval = (lower: Bound, upper: Bound): Interval => new Interval(lower, upper);
/** Numbers between bounds, without the upper one. */
export const half_open_interval = (lower: Bound, upper: Bound): HalfOpenInterval =>
  new HalfOpenInterval(lower, upper);
/** Vectors of numbers from 0 on whose sum is 1. */
export const simplex: Constraint = new Events('Simplex', 1, (x) =>
  x.ge(0).all(-1).logical_and(x.sum(-1).sub(1).abs().lt(1e-6)),
);
/** Square matrices with zeros above the diagonal. */
export const lower_triangular: Constraint = new Events('LowerTriangular', 2, isTriangular);
/** Lower triangular matrices with a positive diagonal. */
export const lower_cholesky: Constraint = new Events('LowerCholesky', 2, isCholesky);
/** Lower triangular matrices with a positive diagonal and rows of length 1. */
export const corr_cholesky: Constraint = new Events('CorrCholesky', 2, isCorrelation);
/** Square matrices. */
export const square: Constraint = new Events('Square', 2, isSquare);
/** Symmetric matrices. */
export const symmetric: Constraint = new Events('Symmetric', 2, isSymmetric);
/** Symmetric matrices with positive eigenvalues. */
export const positive_definite: Constraint = new Events('PositiveDefinite', 2, isPositiveDefinite);
/** Parts with regions of their own. */
export const cat = (cseq: readonly Constraint[], dim = 0, lengths: readonly number[] | null = null): Cat =>
  new Cat(cseq, dim, lengths);
/** Slices with regions of their own. */
export const stack = (cseq: readonly Constraint[], dim = 0): Stack => new Stack(cseq, dim);
