// The base class of learning rate schedules.
import { typeName } from '../dispatch/schema.js';
import { KeyError, ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { warn } from '../warnings.js';
import { Optimizer, type ParamGroup } from './optimizer.js';

/** @internal Says that `step(epoch)` is deprecated. */
export function warnOfEpoch(): void {
  warn(
    'The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form is used instead of the new chainable form, where available.',
  );
}

/** @internal Sets a group's rate; a rate that is a tensor keeps its identity. */
export function setRate(group: ParamGroup, lr: number): void {
  const old: unknown = group.lr;
  if (old instanceof Tensor) old.fill_(lr);
  else group.lr = lr;
}

/** @internal One value per group, from one for all or a list. @throws ValueError for a list of another length. */
export function perGroup<T>(name: string, optimizer: Optimizer, value: T | readonly T[]): T[] {
  const groups = optimizer.param_groups.length;
  if (!Array.isArray(value)) return Array<T>(groups).fill(value as T);
  if (value.length !== groups)
    throw new ValueError(
      `${name} must have the same length as optimizer.param_groups. ${name} has ${value.length} values, param_groups has ${groups}.`,
    );
  return [...(value as readonly T[])];
}

/** Base class: sets the rate of every group after each epoch. */
export abstract class LRScheduler {
  base_lrs: number[] = [];
  last_epoch = 0;
  protected _last_lr: number[] = [];
  protected _step_count = 0;
  /** Whether `get_lr` is asked for the rates to start with. */
  protected _is_initial = false;

  /**
   * @param last_epoch the epoch to resume after, -1 to start; null leaves the groups as they are.
   * @throws TypeError for what is no optimizer.
   * @throws KeyError when resuming without `initial_lr` in the groups.
   */
  constructor(
    readonly optimizer: Optimizer,
    last_epoch: number | null = -1,
  ) {
    if (!(optimizer instanceof Optimizer)) throw new TypeError(`${typeName(optimizer)} is not an Optimizer`);
    if (last_epoch !== null) this.attach(last_epoch);
  }

  /** @internal Takes the base rates from the groups, for schedules that prepare the groups first. */
  protected attach(last_epoch: number): void {
    this.last_epoch = last_epoch;
    this.optimizer._opt_called ??= false;
    this.base_lrs = this.optimizer.param_groups.map((group, i) => {
      if (last_epoch === -1) group.initial_lr ??= Number(group.lr);
      if (group.initial_lr === undefined)
        throw new KeyError(
          `param 'initial_lr' is not specified in param_groups[${i}] when resuming scheduler with last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 for a fresh training run (not recommended)`,
        );
      return Number(group.initial_lr);
    });
  }

  /** Sets the first rates. Subclasses call this at the end of their constructor, when their fields are there. */
  start(): void {
    this._step_count = 0;
    this._is_initial = true;
    try {
      this.step();
    } finally {
      this._is_initial = false;
    }
  }

  /** The rates for `last_epoch`, from those of the epoch before. */
  abstract get_lr(): number[];

  /** @internal The rates for `last_epoch` from the base rates alone, where there is such a formula. */
  protected closedForm(): number[] {
    return this.get_lr();
  }

  /** The rates that were set last. */
  get_last_lr(): number[] {
    return this._last_lr;
  }

  /** Moves on by one epoch, or to the one given (deprecated). */
  step(epoch?: number | null): void {
    this.checkOrder();
    this._step_count++;
    if (epoch !== undefined && epoch !== null) warnOfEpoch();
    this.moveTo(epoch);
  }

  /** @internal Warns when the first epoch is over before the optimizer made a step. */
  protected checkOrder(): void {
    if (this._step_count === 1 && !this.optimizer._opt_called)
      warn(
        'Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping the first value of the learning rate schedule. See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate',
      );
  }

  /** @internal `step` without counting it. */
  moveTo(epoch?: number | null): void {
    const jump = epoch !== undefined && epoch !== null;
    this.last_epoch = jump ? epoch : this.last_epoch + 1;
    this.setRates(jump ? this.closedForm() : this.get_lr());
  }

  protected setRates(rates: readonly number[]): void {
    rates.forEach((lr, i) => {
      setRate(this.optimizer.param_groups[i], lr);
    });
    this._last_lr = this.current();
  }

  /** @internal The rates as they are. */
  protected current(): number[] {
    return this.optimizer.param_groups.map((group) => Number(group.lr));
  }

  /** @internal The rates as they are, times a factor. */
  protected scaled(factor: number): number[] {
    return this.current().map((lr) => lr * factor);
  }

  /** @internal The base rates, times a factor. */
  protected scaledBase(factor: number): number[] {
    return this.base_lrs.map((lr) => lr * factor);
  }

  /** @internal Fields that are no part of the state, beside the optimizer. */
  protected get unsaved(): readonly string[] {
    return [];
  }

  /** Everything but the optimizer. */
  state_dict(): Record<string, unknown> {
    const { unsaved } = this;
    return Object.fromEntries(
      Object.entries(this).filter(([key]) => key !== 'optimizer' && !unsaved.includes(key)),
    );
  }
  load_state_dict(state: Readonly<Record<string, unknown>>): void {
    Object.assign(this, state);
  }
}
