// Learning rate schedules.
import type { Optimizer } from './optimizer.js';

/** Base class: sets the rate of every group after each epoch. */
export abstract class LRScheduler {
  base_lrs: number[];
  last_epoch: number;
  protected _last_lr: number[] = [];

  constructor(
    readonly optimizer: Optimizer,
    last_epoch = -1,
  ) {
    for (const group of optimizer.param_groups) if (last_epoch === -1) group.initial_lr ??= group.lr;
    this.base_lrs = optimizer.param_groups.map((group) => {
      if (group.initial_lr === undefined)
        throw new Error(
          `param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0`,
        );
      return Number(group.initial_lr);
    });
    this.last_epoch = last_epoch;
  }

  /** @internal Subclasses call this at the end of their constructor. */
  protected start(): void {
    this.step();
  }

  /** The rates for `last_epoch`, from those of the epoch before. */
  abstract get_lr(): number[];

  /** The rates that were set last. */
  get_last_lr(): number[] {
    return this._last_lr;
  }

  /** Moves on by one epoch. */
  step(epoch?: number): void {
    this.last_epoch = epoch ?? this.last_epoch + 1;
    this.setRates(this.get_lr());
  }

  protected setRates(rates: readonly number[]): void {
    rates.forEach((lr, i) => {
      this.optimizer.param_groups[i].lr = lr;
    });
    this._last_lr = this.optimizer.param_groups.map((group) => group.lr);
  }

  /** @internal The rates as they are. */
  protected current(): number[] {
    return this.optimizer.param_groups.map((group) => group.lr);
  }

  /** Everything but the optimizer. */
  state_dict(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this).filter(([key]) => key !== 'optimizer'));
  }
  load_state_dict(state: Readonly<Record<string, unknown>>): void {
    Object.assign(this, state);
  }
}

/** Multiplies the rate by gamma every `step_size` epochs. */
export class StepLR extends LRScheduler {
  readonly step_size: number;
  readonly gamma: number;
  constructor(
    optimizer: Optimizer,
    step_size: number | { step_size: number; gamma?: number; last_epoch?: number },
    gamma: number | { gamma?: number; last_epoch?: number } = 0.1,
    last_epoch = -1,
  ) {
    const o =
      typeof step_size === 'object'
        ? step_size
        : typeof gamma === 'object'
          ? { step_size, ...gamma }
          : { step_size, gamma, last_epoch };
    super(optimizer, o.last_epoch ?? -1);
    this.step_size = o.step_size;
    this.gamma = o.gamma ?? 0.1;
    this.start();
  }
  get_lr(): number[] {
    if (this.last_epoch === 0 || this.last_epoch % this.step_size !== 0) return this.current();
    return this.current().map((lr) => lr * this.gamma);
  }
}

/** Cosine annealing to `eta_min` over `T_max` epochs (https://arxiv.org/abs/1608.03983, without restarts). */
export class CosineAnnealingLR extends LRScheduler {
  readonly T_max: number;
  readonly eta_min: number;
  constructor(
    optimizer: Optimizer,
    T_max: number | { T_max: number; eta_min?: number; last_epoch?: number },
    eta_min: number | { eta_min?: number; last_epoch?: number } = 0,
    last_epoch = -1,
  ) {
    const o =
      typeof T_max === 'object'
        ? T_max
        : typeof eta_min === 'object'
          ? { T_max, ...eta_min }
          : { T_max, eta_min, last_epoch };
    super(optimizer, o.last_epoch ?? -1);
    this.T_max = o.T_max;
    this.eta_min = o.eta_min ?? 0;
    this.start();
  }
  get_lr(): number[] {
    const { last_epoch, T_max, eta_min, base_lrs } = this;
    if (last_epoch === 0) return this.current();
    if ((last_epoch - 1 - T_max) % (2 * T_max) === 0)
      return this.current().map(
        (lr, i) => lr + ((base_lrs[i] - eta_min) * (1 - Math.cos(Math.PI / T_max))) / 2,
      );
    const factor =
      (1 + Math.cos((Math.PI * last_epoch) / T_max)) / (1 + Math.cos((Math.PI * (last_epoch - 1)) / T_max));
    return this.current().map((lr) => factor * (lr - eta_min) + eta_min);
  }
}
