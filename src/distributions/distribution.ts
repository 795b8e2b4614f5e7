// The base class of distributions.

import { unrecorded } from '../autograd/modes.js';
import { Schema } from '../dispatch/schema.js';
import { NotImplementedError, ValueError } from '../errors.js';
import { pyTuple, sizeText } from '../pyformat.js';
import { Tensor } from '../tensor.js';
import { type Constraint, is_dependent } from './constraints.js';
import { recorded, type Shape, valueText } from './utils.js';

/** Arguments by position, then in one plain object, as a list. @param parameters such as 'any loc, any scale'. */
export function argumentsOf(name: string, parameters: string, given: readonly unknown[]): unknown[] {
  return new Schema(name, `${parameters}, bool? validate_args=None`).bind(given);
}

/** A probability distribution, or a batch of them. */
export abstract class Distribution {
  /** Whether new distributions check their arguments. */
  static validate = true;
  static set_default_validate_args(value: boolean): void {
    Distribution.validate = value;
  }

  /** How many distributions this is. */
  batch_shape: Shape = [];
  /** The shape of one value. */
  event_shape: Shape = [];
  protected validates = Distribution.validate;

  /** Sets the shapes and, where validation is on, checks the parameters, which were set before. */
  protected begin(batch: Shape, event: Shape, validate_args: boolean | null | undefined): void {
    this.batch_shape = batch;
    this.event_shape = event;
    this.validates = validate_args ?? Distribution.validate;
    if (!this.validates) return;
    for (const [name, constraint] of Object.entries(this.arg_constraints)) {
      if (is_dependent(constraint)) continue;
      if (!Object.hasOwn(this, name) && this.isLazy(name)) continue;
      const value = (this as unknown as Record<string, Tensor>)[name];
      if (constraint.check(value).all().item()) continue;
      throw new ValueError(
        `Expected parameter ${name} (Tensor of shape ${pyTuple(value.shape)}) of distribution ${this} to satisfy the constraint ${constraint}, but found invalid values:\n${valueText(value)}`,
      );
    }
  }

  /** Parameters that are computed from others when asked for. */
  protected isLazy(name: string): boolean {
    return name === 'probs' || name === 'logits';
  }

  /** Keeps a value under a name: a getter of that name is asked once. */
  protected keep<T>(name: string, compute: () => T): T {
    const value = recorded(compute);
    Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    return value;
  }

  /** The same distribution for more batches: parameters are expanded, not copied. */
  expand(batch_shape: Shape): this {
    const copy = Object.create(Object.getPrototypeOf(this)) as this;
    const batch = this.batch_shape.length;
    for (const [name, value] of Object.entries(this)) {
      let fresh: unknown = value;
      if (value instanceof Tensor) fresh = value.expand([...batch_shape, ...value.shape.slice(batch)]);
      else if (value instanceof Distribution)
        fresh = value.expand([...batch_shape, ...value.batch_shape.slice(batch)]);
      Object.defineProperty(copy, name, {
        value: fresh,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    copy.batch_shape = batch_shape;
    return copy;
  }

  /** What each parameter must be. */
  get arg_constraints(): Readonly<Record<string, Constraint>> {
    return {};
  }
  /** What values can be. */
  get support(): Constraint {
    return this.missing('support');
  }
  /** Whether gradients flow from samples to parameters. */
  get has_rsample(): boolean {
    return false;
  }
  /** Whether {@link enumerate_support} lists all values. */
  get has_enumerate_support(): boolean {
    return false;
  }
  get mean(): Tensor {
    return this.missing('mean');
  }
  get mode(): Tensor {
    return this.missing('mode');
  }
  get variance(): Tensor {
    return this.missing('variance');
  }
  get stddev(): Tensor {
    return this.variance.sqrt();
  }

  /** Draws `sample_shape` values of each distribution: [sample_shape, batch_shape, event_shape]. No gradients. */
  sample(sample_shape: Shape = []): Tensor {
    return unrecorded(() => this.rsample(sample_shape));
  }
  /** Like {@link sample}, with gradients for the parameters. */
  rsample(_sample_shape: Shape = []): Tensor {
    return this.missing('rsample');
  }
  sample_n(n: number): Tensor {
    return this.sample([n]);
  }
  /** The logarithm of the density or probability of values, [..., batch_shape]. @throws ValueError outside the support. */
  log_prob(_value: Tensor): Tensor {
    return this.missing('log_prob');
  }
  /** The probability of a value up to the given one. */
  cdf(_value: Tensor): Tensor {
    return this.missing('cdf');
  }
  /** The inverse of {@link cdf}. */
  icdf(_value: Tensor): Tensor {
    return this.missing('icdf');
  }
  /** All values of a discrete distribution, along a new first dimension. */
  enumerate_support(_expand = true): Tensor {
    return this.missing('enumerate_support');
  }
  /** The entropy in nats, [batch_shape]. */
  entropy(): Tensor {
    return this.missing('entropy');
  }
  perplexity(): Tensor {
    return this.entropy().exp();
  }

  private missing(what: string): never {
    throw new NotImplementedError(`${this.constructor.name} does not implement ${what}`);
  }

  protected extended(sample_shape: Shape = []): number[] {
    return [...sample_shape, ...this.batch_shape, ...this.event_shape];
  }

  /** @throws ValueError when the value does not fit the shapes or lies outside the support. */
  protected checkValue(value: unknown): void {
    if (!this.validates) return;
    if (!(value instanceof Tensor)) throw new ValueError('The value argument to log_prob must be a Tensor');
    const event = value.shape.slice(value.shape.length - this.event_shape.length);
    if (event.length !== this.event_shape.length || event.some((n, i) => n !== this.event_shape[i]))
      throw new ValueError(
        `The right-most size of value must match event_shape: ${sizeText(value.shape)} vs ${sizeText(this.event_shape)}.`,
      );
    const expected = this.extended();
    for (let i = 1; i <= Math.min(expected.length, value.shape.length); i++) {
      const [a, b] = [value.shape[value.shape.length - i], expected[expected.length - i]];
      if (a !== 1 && b !== 1 && a !== b)
        throw new ValueError(
          `Value is not broadcastable with batch_shape+event_shape: ${sizeText(value.shape)} vs ${sizeText(expected)}.`,
        );
    }
    if (!this.support.check(value).all().item())
      throw new ValueError(
        `Expected value argument (Tensor of shape ${pyTuple(value.shape)}) to be within the support (${this.support}) of the distribution ${this}, but found invalid values:\n${valueText(value)}`,
      );
  }

  toString(): string {
    const shown = Object.keys(this.arg_constraints).filter((name) => Object.hasOwn(this, name));
    const parts = shown.map((name) => {
      const value = (this as unknown as Record<string, Tensor>)[name];
      return `${name}: ${value.numel() === 1 ? valueText(value) : sizeText(value.shape)}`;
    });
    return `${this.constructor.name}(${parts.join(', ')})`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
