// Schedules of schedules, and the one that follows a metric.
import { RuntimeError, ValueError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { LRScheduler, perGroup, setRate, warnOfEpoch } from './lr_scheduler_base.js';
import { type Arguments, bindOptions, type Optimizer } from './optimizer.js';

/** @throws TypeError or ValueError for schedules that cannot be combined. */
function checkSchedulers(name: string, optimizer: Optimizer, schedulers: readonly LRScheduler[]): void {
  schedulers.forEach((scheduler, i) => {
    if (!(scheduler instanceof LRScheduler))
      throw new TypeError(`${name} at index ${i} should have \`optimizer\` as its attribute.`);
    if (scheduler instanceof ReduceLROnPlateau)
      throw new ValueError(
        `${name} does not support \`ReduceLROnPlateau\` scheduler as it requires additional kwargs to be specified when calling \`step\`, but got one at index ${i} in the given schedulers sequence.`,
      );
    if (scheduler.optimizer !== optimizer)
      throw new ValueError(
        `${name} expects all schedulers to belong to the same optimizer, but got scheduler ${scheduler.constructor.name} at index ${i} has ${scheduler.optimizer}, which is different from ${optimizer.constructor.name}.`,
      );
  });
}

/** Schedules made of others: their states are inside the state. */
abstract class CombinedScheduler extends LRScheduler {
  /** @internal */
  readonly _schedulers: readonly LRScheduler[];
  constructor(optimizer: Optimizer, schedulers: readonly LRScheduler[]) {
    super(optimizer, null);
    this._schedulers = [...schedulers];
  }
  get_lr(): number[] {
    return this.current();
  }
  protected override get unsaved(): readonly string[] {
    return ['_step_count', '_is_initial', 'base_lrs'];
  }
  override state_dict(): Record<string, unknown> {
    return { ...super.state_dict(), _schedulers: this._schedulers.map((s) => s.state_dict()) };
  }
  override load_state_dict(state: Readonly<Record<string, unknown>>): void {
    const inner = state._schedulers as readonly Record<string, unknown>[];
    super.load_state_dict({ ...state, _schedulers: this._schedulers });
    inner.forEach((s, i) => {
      this._schedulers[i].load_state_dict(s);
    });
  }
}

interface SequentialOptions {
  schedulers: readonly LRScheduler[];
  milestones: readonly number[];
  last_epoch?: number;
}

type SequentialArgs =
  | Arguments<
      [schedulers: readonly LRScheduler[], milestones: readonly number[]],
      [last_epoch: number],
      SequentialOptions
    >
  | [schedulers: readonly LRScheduler[], options: Omit<SequentialOptions, 'schedulers'>];

/**
 * One schedule after the other: the next one starts at each milestone.
 * @throws ValueError for schedules of other optimizers, or another number of milestones than changes.
 */
export class SequentialLR extends CombinedScheduler {
  /** @internal */
  readonly _milestones: readonly number[];
  constructor(optimizer: Optimizer, ...args: SequentialArgs) {
    const schema = 'any schedulers, any milestones, int last_epoch=-1';
    const o = bindOptions('SequentialLR', schema, args) as unknown as Required<SequentialOptions>;
    const { schedulers, milestones } = o;
    if (schedulers.length < 1)
      throw new ValueError('SequentialLR expects at least one scheduler, but got no scheduler.');
    checkSchedulers('SequentialLR', optimizer, schedulers);
    if (milestones.length !== schedulers.length - 1)
      throw new ValueError(
        `Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      );
    super(optimizer, schedulers);
    this._milestones = [...milestones];
    this.last_epoch = o.last_epoch + 1;
    // Each schedule took its first step when it was made: only that of the first one shall count.
    for (const group of optimizer.param_groups) setRate(group, Number(group.initial_lr));
    rewind(this);
    const first = this._schedulers[this.indexAt(0)];
    first.start();
    this._last_lr = first.get_last_lr();
  }

  private indexAt(epoch: number): number {
    return this._milestones.filter((m) => m <= epoch).length;
  }

  override step(): void {
    this.last_epoch++;
    const i = this.indexAt(this.last_epoch);
    const scheduler = this._schedulers[i];
    if (i > 0 && this._milestones[i - 1] === this.last_epoch) scheduler.moveTo(0);
    else scheduler.step();
    this._last_lr = scheduler.get_last_lr();
  }
}

/** Takes back the first step of schedules, at any depth. */
function rewind(scheduler: LRScheduler): void {
  if (scheduler instanceof CombinedScheduler) for (const s of scheduler._schedulers) rewind(s);
  else scheduler.last_epoch--;
}

interface ChainedOptions {
  schedulers: readonly LRScheduler[];
  optimizer?: Optimizer | null;
}

/** Several schedules at once: each changes what the one before set. @throws ValueError for different optimizers. */
export class ChainedScheduler extends CombinedScheduler {
  constructor(
    ...args: Arguments<[schedulers: readonly LRScheduler[]], [optimizer: Optimizer | null], ChainedOptions>
  ) {
    const schema = 'any schedulers, any optimizer=None';
    const o = bindOptions('ChainedScheduler', schema, args) as unknown as Required<ChainedOptions>;
    if (o.schedulers.length < 1)
      throw new ValueError(
        'ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.',
      );
    const optimizer = o.optimizer ?? o.schedulers[0].optimizer;
    checkSchedulers('ChainedScheduler', optimizer, o.schedulers);
    super(optimizer, o.schedulers);
    this._last_lr = this.current();
  }
  protected override get unsaved(): readonly string[] {
    return [...super.unsaved, 'last_epoch'];
  }
  override step(): void {
    for (const scheduler of this._schedulers) scheduler.step();
    this._last_lr = this.current();
  }
}

export interface PlateauOptions {
  /** Whether the metric shall fall or rise. */
  mode?: 'min' | 'max';
  factor?: number;
  /** How many epochs without progress are accepted. */
  patience?: number;
  threshold?: number;
  threshold_mode?: 'rel' | 'abs';
  /** How many epochs to wait after a reduction. */
  cooldown?: number;
  min_lr?: number | readonly number[];
  /** Smaller changes of the rate are left out. */
  eps?: number;
}

type PlateauArgs = Arguments<
  [],
  [
    mode: 'min' | 'max',
    factor: number,
    patience: number,
    threshold: number,
    threshold_mode: 'rel' | 'abs',
    cooldown: number,
    min_lr: number | readonly number[],
    eps: number,
  ],
  PlateauOptions
>;

/**
 * Multiplies the rate by `factor` when a metric has stopped to improve: `step(metric)`.
 * @throws ValueError for options out of range.
 */
export class ReduceLROnPlateau extends LRScheduler {
  readonly mode: 'min' | 'max';
  readonly factor: number;
  readonly patience: number;
  readonly threshold: number;
  readonly threshold_mode: 'rel' | 'abs';
  readonly cooldown: number;
  readonly eps: number;
  readonly default_min_lr: number | null;
  min_lrs: number[];
  /** A value that is worse than any other. */
  readonly mode_worse: number;
  best: number;
  cooldown_counter = 0;
  num_bad_epochs = 0;
  constructor(optimizer: Optimizer, ...args: PlateauArgs) {
    const schema =
      "str mode='min', float factor=0.1, int patience=10, float threshold=0.0001, str threshold_mode='rel', int cooldown=0, any min_lr=0, float eps=1e-8";
    const o = bindOptions('ReduceLROnPlateau', schema, args) as unknown as Required<PlateauOptions>;
    if (o.factor >= 1) throw new ValueError('Factor should be < 1.0.');
    super(optimizer, null);
    if (o.mode !== 'min' && o.mode !== 'max') throw new ValueError(`mode ${String(o.mode)} is unknown!`);
    if (o.threshold_mode !== 'rel' && o.threshold_mode !== 'abs')
      throw new ValueError(`threshold mode ${String(o.threshold_mode)} is unknown!`);
    this.mode = o.mode;
    this.factor = o.factor;
    this.patience = o.patience;
    this.threshold = o.threshold;
    this.threshold_mode = o.threshold_mode;
    this.cooldown = o.cooldown;
    this.eps = o.eps;
    this.default_min_lr = typeof o.min_lr === 'number' ? o.min_lr : null;
    const groups = optimizer.param_groups.length;
    if (typeof o.min_lr !== 'number' && o.min_lr.length !== groups)
      throw new ValueError(`expected ${groups} min_lrs, got ${o.min_lr.length}`);
    this.min_lrs = perGroup<number>('min_lr', optimizer, o.min_lr);
    this.mode_worse = o.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.best = this.mode_worse;
    this._last_lr = this.current();
  }

  protected override get unsaved(): readonly string[] {
    return ['_step_count', '_is_initial', 'base_lrs'];
  }

  get in_cooldown(): boolean {
    return this.cooldown_counter > 0;
  }

  /** Tells the epoch's metric. @throws TypeError without one. */
  override step(metrics?: number | Tensor | null, epoch?: number | null): void {
    if (metrics === undefined || metrics === null)
      throw new TypeError("ReduceLROnPlateau.step() missing 1 required positional argument: 'metrics'");
    const value = Number(metrics);
    if (epoch !== undefined && epoch !== null) warnOfEpoch();
    this.last_epoch = epoch ?? this.last_epoch + 1;
    if (this.improves(value)) {
      this.best = value;
      this.num_bad_epochs = 0;
    } else this.num_bad_epochs++;
    if (this.in_cooldown) {
      this.cooldown_counter--;
      this.num_bad_epochs = 0;
    }
    if (this.num_bad_epochs > this.patience) {
      this.setRates(this.get_lr());
      this.cooldown_counter = this.cooldown;
      this.num_bad_epochs = 0;
    }
    this._last_lr = this.current();
  }

  private improves(value: number): boolean {
    const { best, threshold } = this;
    const sign = this.mode === 'min' ? -1 : 1;
    const goal = this.threshold_mode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
    return this.mode === 'min' ? value < goal : value > goal;
  }

  /** The reduced rates. @throws RuntimeError when groups were added and `min_lr` was a list. */
  get_lr(): number[] {
    const rates = this.current();
    if (rates.length !== this.min_lrs.length) {
      if (this.default_min_lr === null)
        throw new RuntimeError(
          `The number of param groups in the \`optimizer\` (${rates.length}) differs from when \`ReduceLROnPlateau\` was initialized (${this.min_lrs.length}), usually due to a new param group being added to the optimizer. Please modify the \`min_lrs\` field to match the length of the \`optimizer\` param groups.`,
        );
      this.min_lrs = rates.map(() => this.default_min_lr as number);
    }
    return rates.map((lr, i) => {
      const next = Math.max(lr * this.factor, this.min_lrs[i]);
      return lr - next > this.eps ? next : lr;
    });
  }
}
