// Schedules that multiply the rate: by a function, at milestones, or along a curve.
import { ValueError } from '../errors.js';
import { LRScheduler } from './lr_scheduler_base.js';
import { type Arguments, bindOptions, type Optimizer } from './optimizer.js';

interface Resume {
  /** The epoch to resume after; -1 to start. */
  last_epoch?: number;
}

/** The factor for an epoch. */
export type RateFunction = (epoch: number) => number;

interface FunctionOptions extends Resume {
  lr_lambda: RateFunction | readonly RateFunction[];
}
type FunctionArgs = Arguments<
  [lr_lambda: RateFunction | readonly RateFunction[]],
  [last_epoch: number],
  FunctionOptions
>;

/** Schedules given by one function for all groups, or one for each. */
abstract class FunctionScheduler extends LRScheduler {
  readonly lr_lambdas: readonly RateFunction[];
  constructor(optimizer: Optimizer, name: string, args: FunctionArgs) {
    const o = bindOptions(
      name,
      'any lr_lambda, int last_epoch=-1',
      args,
    ) as unknown as Required<FunctionOptions>;
    super(optimizer, o.last_epoch);
    const groups = optimizer.param_groups.length;
    const functions: readonly RateFunction[] = Array.isArray(o.lr_lambda)
      ? o.lr_lambda
      : Array(groups).fill(o.lr_lambda);
    if (functions.length !== groups)
      throw new ValueError(`Expected ${groups} lr_lambdas, but got ${functions.length}`);
    for (const f of functions)
      if (typeof f !== 'function') throw new TypeError(`lr_lambda should be a function, but got ${typeof f}`);
    this.lr_lambdas = functions;
    this.start();
  }

  /** Everything but the optimizer and the functions. */
  override state_dict(): Record<string, unknown> {
    return { ...super.state_dict(), lr_lambdas: this.lr_lambdas.map(() => null) };
  }
  override load_state_dict(state: Readonly<Record<string, unknown>>): void {
    super.load_state_dict({ ...state, lr_lambdas: this.lr_lambdas });
  }
}

/** The base rate times a function of the epoch. @throws ValueError for another number of functions than groups. */
export class LambdaLR extends FunctionScheduler {
  constructor(optimizer: Optimizer, ...args: FunctionArgs) {
    super(optimizer, 'LambdaLR', args);
  }
  get_lr(): number[] {
    return this.base_lrs.map((lr, i) => lr * this.lr_lambdas[i](this.last_epoch));
  }
}

/** Multiplies the rate by a function of the epoch. @throws ValueError for another number of functions than groups. */
export class MultiplicativeLR extends FunctionScheduler {
  constructor(optimizer: Optimizer, ...args: FunctionArgs) {
    super(optimizer, 'MultiplicativeLR', args);
  }
  get_lr(): number[] {
    if (this._is_initial) return this.current();
    return this.current().map((lr, i) => lr * this.lr_lambdas[i](this.last_epoch));
  }
}

interface StepOptions extends Resume {
  step_size: number;
  gamma?: number;
}

/** Multiplies the rate by gamma every `step_size` epochs. */
export class StepLR extends LRScheduler {
  readonly step_size: number;
  readonly gamma: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[step_size: number], [gamma: number, last_epoch: number], StepOptions>
  ) {
    const schema = 'int step_size, float gamma=0.1, int last_epoch=-1';
    const o = bindOptions('StepLR', schema, args) as unknown as Required<StepOptions>;
    super(optimizer, o.last_epoch);
    this.step_size = o.step_size;
    this.gamma = o.gamma;
    this.start();
  }
  get_lr(): number[] {
    if (this.last_epoch === 0 || this.last_epoch % this.step_size !== 0) return this.current();
    return this.scaled(this.gamma);
  }
  protected override closedForm(): number[] {
    return this.scaledBase(this.gamma ** Math.floor(this.last_epoch / this.step_size));
  }
}

interface MultiStepOptions extends Resume {
  milestones: Iterable<number>;
  gamma?: number;
}

/** Multiplies the rate by gamma at each milestone; a milestone given twice counts twice. */
export class MultiStepLR extends LRScheduler {
  /** How often each milestone was given. */
  milestones: Readonly<Record<number, number>>;
  readonly gamma: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[milestones: Iterable<number>], [gamma: number, last_epoch: number], MultiStepOptions>
  ) {
    const schema = 'any milestones, float gamma=0.1, int last_epoch=-1';
    const o = bindOptions('MultiStepLR', schema, args) as unknown as Required<MultiStepOptions>;
    super(optimizer, o.last_epoch);
    const counts: Record<number, number> = {};
    for (const milestone of o.milestones) counts[milestone] = (counts[milestone] ?? 0) + 1;
    this.milestones = counts;
    this.gamma = o.gamma;
    this.start();
  }
  get_lr(): number[] {
    const times = this.milestones[this.last_epoch] ?? 0;
    return times === 0 ? this.current() : this.scaled(this.gamma ** times);
  }
  protected override closedForm(): number[] {
    const passed = Object.entries(this.milestones).filter(([m]) => Number(m) <= this.last_epoch);
    return this.scaledBase(this.gamma ** passed.reduce((sum, [, times]) => sum + times, 0));
  }
  override load_state_dict(state: Readonly<Record<string, unknown>>): void {
    const { milestones } = state;
    super.load_state_dict(
      milestones instanceof Map ? { ...state, milestones: Object.fromEntries(milestones) } : state,
    );
  }
}

interface ConstantOptions extends Resume {
  factor?: number;
  total_iters?: number;
}

/** The rate times a factor for `total_iters` epochs. @throws ValueError for a factor outside [0, 1]. */
export class ConstantLR extends LRScheduler {
  readonly factor: number;
  readonly total_iters: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[], [factor: number, total_iters: number, last_epoch: number], ConstantOptions>
  ) {
    const schema = `float factor=${1 / 3}, int total_iters=5, int last_epoch=-1`;
    const o = bindOptions('ConstantLR', schema, args) as unknown as Required<ConstantOptions>;
    if (o.factor > 1 || o.factor < 0)
      throw new ValueError('Constant multiplicative factor expected to be between 0 and 1.');
    super(optimizer, o.last_epoch);
    this.factor = o.factor;
    this.total_iters = o.total_iters;
    this.start();
  }
  get_lr(): number[] {
    if (this.last_epoch === 0) return this.scaled(this.factor);
    return this.last_epoch === this.total_iters ? this.scaled(1 / this.factor) : this.current();
  }
  protected override closedForm(): number[] {
    return this.scaledBase(this.last_epoch >= this.total_iters ? 1 : this.factor);
  }
}

interface LinearOptions extends Resume {
  start_factor?: number;
  end_factor?: number;
  total_iters?: number;
}

/** Moves the rate's factor linearly over `total_iters` epochs. @throws ValueError for factors out of range. */
export class LinearLR extends LRScheduler {
  readonly start_factor: number;
  readonly end_factor: number;
  readonly total_iters: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<
      [],
      [start_factor: number, end_factor: number, total_iters: number, last_epoch: number],
      LinearOptions
    >
  ) {
    const schema = `float start_factor=${1 / 3}, float end_factor=1, int total_iters=5, int last_epoch=-1`;
    const o = bindOptions('LinearLR', schema, args) as unknown as Required<LinearOptions>;
    if (o.start_factor > 1 || o.start_factor <= 0)
      throw new ValueError(
        'Starting multiplicative factor expected to be greater than 0 and less or equal to 1.',
      );
    if (o.end_factor > 1 || o.end_factor < 0)
      throw new ValueError('Ending multiplicative factor expected to be between 0 and 1.');
    super(optimizer, o.last_epoch);
    this.start_factor = o.start_factor;
    this.end_factor = o.end_factor;
    this.total_iters = o.total_iters;
    this.start();
  }
  get_lr(): number[] {
    if (this.last_epoch === 0) return this.scaled(this.start_factor);
    if (this._is_initial || this.last_epoch > this.total_iters) return this.current();
    const rise = this.end_factor - this.start_factor;
    const before = this.total_iters * this.start_factor + (this.last_epoch - 1) * rise;
    return this.scaled(1 + rise / before);
  }
  protected override closedForm(): number[] {
    const part = Math.min(this.total_iters, this.last_epoch) / this.total_iters;
    return this.scaledBase(this.start_factor + (this.end_factor - this.start_factor) * part);
  }
}

interface ExponentialOptions extends Resume {
  gamma: number;
}

/** Multiplies the rate by gamma every epoch. */
export class ExponentialLR extends LRScheduler {
  readonly gamma: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[gamma: number], [last_epoch: number], ExponentialOptions>
  ) {
    const schema = 'float gamma, int last_epoch=-1';
    const o = bindOptions('ExponentialLR', schema, args) as unknown as Required<ExponentialOptions>;
    super(optimizer, o.last_epoch);
    this.gamma = o.gamma;
    this.start();
  }
  get_lr(): number[] {
    return this._is_initial ? this.current() : this.scaled(this.gamma);
  }
  protected override closedForm(): number[] {
    return this.scaledBase(this.gamma ** this.last_epoch);
  }
}

interface PolynomialOptions extends Resume {
  total_iters?: number;
  power?: number;
}

/** Lets the rate fall to zero over `total_iters` epochs, as a power of the part that is left. */
export class PolynomialLR extends LRScheduler {
  readonly total_iters: number;
  readonly power: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[], [total_iters: number, power: number, last_epoch: number], PolynomialOptions>
  ) {
    const schema = 'int total_iters=5, float power=1, int last_epoch=-1';
    const o = bindOptions('PolynomialLR', schema, args) as unknown as Required<PolynomialOptions>;
    super(optimizer, o.last_epoch);
    this.total_iters = o.total_iters;
    this.power = o.power;
    this.start();
  }
  get_lr(): number[] {
    if (this._is_initial || this.last_epoch > this.total_iters) return this.current();
    const left = 1 - this.last_epoch / this.total_iters;
    const before = 1 - (this.last_epoch - 1) / this.total_iters;
    return this.scaled((left / before) ** this.power);
  }
  protected override closedForm(): number[] {
    const part = Math.min(this.total_iters, this.last_epoch) / this.total_iters;
    return this.scaledBase((1 - part) ** this.power);
  }
}
