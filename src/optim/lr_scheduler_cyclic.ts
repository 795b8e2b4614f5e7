// Cosine annealing and cyclic schedules.
import { ValueError } from '../errors.js';
import { LRScheduler, perGroup, setRate } from './lr_scheduler_base.js';
import { type Arguments, bindOptions, type Optimizer, type ParamGroup } from './optimizer.js';

interface CosineOptions {
  T_max: number;
  eta_min?: number;
  last_epoch?: number;
}

/** Cosine annealing to `eta_min` over `T_max` epochs (https://arxiv.org/abs/1608.03983, without restarts). */
export class CosineAnnealingLR extends LRScheduler {
  readonly T_max: number;
  readonly eta_min: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[T_max: number], [eta_min: number, last_epoch: number], CosineOptions>
  ) {
    const schema = 'float T_max, float eta_min=0, int last_epoch=-1';
    const o = bindOptions('CosineAnnealingLR', schema, args) as unknown as Required<CosineOptions>;
    super(optimizer, o.last_epoch);
    this.T_max = o.T_max;
    this.eta_min = o.eta_min;
    this.start();
  }
  get_lr(): number[] {
    const { last_epoch, T_max, eta_min, base_lrs } = this;
    if (this._is_initial) return this.current();
    if (this._step_count === 1 && last_epoch > 0) return this.closedForm();
    // The curve's lowest point: the recursive formula would divide by zero.
    if ((last_epoch - 1 - T_max) % (2 * T_max) === 0)
      return this.current().map(
        (lr, i) => lr + ((base_lrs[i] - eta_min) * (1 - Math.cos(Math.PI / T_max))) / 2,
      );
    const factor =
      (1 + Math.cos((Math.PI * last_epoch) / T_max)) / (1 + Math.cos((Math.PI * (last_epoch - 1)) / T_max));
    return this.current().map((lr) => factor * (lr - eta_min) + eta_min);
  }
  protected override closedForm(): number[] {
    const { last_epoch, T_max, eta_min } = this;
    const height = (1 + Math.cos((Math.PI * last_epoch) / T_max)) / 2;
    return this.base_lrs.map((lr) => eta_min + (lr - eta_min) * height);
  }
}

interface RestartOptions {
  T_0: number;
  T_mult?: number;
  eta_min?: number;
  last_epoch?: number;
}

/**
 * Cosine annealing with warm restarts (https://arxiv.org/abs/1608.03983): the first period has `T_0` epochs, each
 * next one `T_mult` times as many.
 * @throws ValueError for periods that are not positive integers.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  readonly T_0: number;
  readonly T_mult: number;
  readonly eta_min: number;
  /** The period's length. */
  T_i: number;
  /** Epochs since the last restart. */
  T_cur: number;
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[T_0: number], [T_mult: number, eta_min: number, last_epoch: number], RestartOptions>
  ) {
    const name = 'CosineAnnealingWarmRestarts';
    const schema = 'any T_0, any T_mult=1, float eta_min=0, int last_epoch=-1';
    const o = bindOptions(name, schema, args) as unknown as Required<RestartOptions>;
    if (!(Number.isInteger(o.T_0) && o.T_0 > 0))
      throw new ValueError(`Expected positive integer T_0, but got ${o.T_0}`);
    if (!(Number.isInteger(o.T_mult) && o.T_mult >= 1))
      throw new ValueError(`Expected integer T_mult >= 1, but got ${o.T_mult}`);
    super(optimizer, o.last_epoch);
    this.T_0 = o.T_0;
    this.T_mult = o.T_mult;
    this.eta_min = o.eta_min;
    this.T_i = o.T_0;
    this.T_cur = o.last_epoch;
    this.start();
  }
  get_lr(): number[] {
    const height = (1 + Math.cos((Math.PI * this.T_cur) / this.T_i)) / 2;
    return this.base_lrs.map((lr) => this.eta_min + (lr - this.eta_min) * height);
  }

  /** Moves on by one epoch, or to the one given, which may be fractional. @throws ValueError for a negative epoch. */
  override step(epoch?: number | null): void {
    this._step_count++;
    this.moveTo(epoch);
  }

  /** @internal */
  override moveTo(given?: number | null): void {
    const epoch = given ?? (this.last_epoch < 0 ? 0 : null);
    if (epoch === null) {
      this.T_cur++;
      if (this.T_cur >= this.T_i) {
        this.T_cur %= this.T_i;
        this.T_i *= this.T_mult;
      }
    } else {
      if (epoch < 0) throw new ValueError(`Expected non-negative epoch, but got ${epoch}`);
      this.place(epoch);
    }
    this.last_epoch = Math.floor(epoch ?? this.last_epoch + 1);
    this.setRates(this.get_lr());
  }

  /** Finds the period that an epoch is in. */
  private place(epoch: number): void {
    const { T_0, T_mult } = this;
    if (epoch < T_0) {
      this.T_i = T_0;
      this.T_cur = epoch;
    } else if (T_mult === 1) this.T_cur = epoch % T_0;
    else {
      const n = Math.trunc(Math.log((epoch / T_0) * (T_mult - 1) + 1) / Math.log(T_mult));
      this.T_cur = epoch - (T_0 * (T_mult ** n - 1)) / (T_mult - 1);
      this.T_i = T_0 * T_mult ** n;
    }
  }
}

/** Whether the momentum is the first of `betas`. @throws ValueError for an optimizer without momentum. */
function usesBeta1(optimizer: Optimizer): boolean {
  if (!('momentum' in optimizer.defaults) && !('betas' in optimizer.defaults))
    throw new ValueError('optimizer must support momentum or beta1 with `cycle_momentum` option enabled');
  return 'betas' in optimizer.defaults;
}

function setMomentum(group: ParamGroup, momentum: number, beta1: boolean): void {
  if (beta1) group.betas = [momentum, ...(group.betas as readonly number[]).slice(1)];
  else group.momentum = momentum;
}

type PerGroup = number | readonly number[];

interface MomentumOptions {
  /** Move the momentum against the rate. */
  cycle_momentum?: boolean;
  base_momentum?: PerGroup;
  max_momentum?: PerGroup;
  last_epoch?: number;
}

/** The range of momentum of each group, which is written to the groups unless training is resumed. */
function momentumRanges(optimizer: Optimizer, o: Required<MomentumOptions>): [low: number[], high: number[]] {
  const beta1 = usesBeta1(optimizer);
  const low = perGroup<number>('base_momentum', optimizer, o.base_momentum);
  const high = perGroup<number>('max_momentum', optimizer, o.max_momentum);
  if (o.last_epoch === -1)
    optimizer.param_groups.forEach((group, i) => {
      setMomentum(group, high[i], beta1);
      group.max_momentum = high[i];
      group.base_momentum = low[i];
    });
  return [low, high];
}

export type CyclicMode = 'triangular' | 'triangular2' | 'exp_range';

export interface CyclicOptions extends MomentumOptions {
  base_lr: PerGroup;
  max_lr: PerGroup;
  step_size_up?: number;
  /** By default `step_size_up`. */
  step_size_down?: number | null;
  mode?: CyclicMode;
  /** The base of `exp_range`. */
  gamma?: number;
  /** The factor of the height, instead of the mode's. */
  scale_fn?: ((x: number) => number) | null;
  /** What `scale_fn` gets: the number of the cycle, or of the iteration. */
  scale_mode?: 'cycle' | 'iterations';
}

type CyclicArgs =
  | Arguments<
      [base_lr: PerGroup, max_lr: PerGroup],
      [
        step_size_up: number,
        step_size_down: number | null,
        mode: CyclicMode,
        gamma: number,
        scale_fn: ((x: number) => number) | null,
        scale_mode: 'cycle' | 'iterations',
        cycle_momentum: boolean,
        base_momentum: PerGroup,
        max_momentum: PerGroup,
        last_epoch: number,
      ],
      CyclicOptions
    >
  | [base_lr: PerGroup, options: Omit<CyclicOptions, 'base_lr'>];

/**
 * Moves the rate up and down between two bounds (https://arxiv.org/abs/1506.01186).
 * @throws ValueError for an unknown mode, or an optimizer without momentum where it is cycled.
 */
export class CyclicLR extends LRScheduler {
  readonly max_lrs: number[];
  readonly total_size: number;
  readonly step_ratio: number;
  readonly mode: CyclicMode;
  readonly gamma: number;
  readonly scale_mode: 'cycle' | 'iterations';
  readonly cycle_momentum: boolean;
  /** Whether the momentum is the first of `betas`. */
  readonly use_beta1: boolean = false;
  readonly base_momentums: number[] = [];
  readonly max_momentums: number[] = [];
  private readonly _scale_fn_custom: ((x: number) => number) | null;
  constructor(optimizer: Optimizer, ...args: CyclicArgs) {
    const schema =
      "any base_lr, any max_lr, float step_size_up=2000, float? step_size_down=None, str mode='triangular', float gamma=1, any scale_fn=None, str scale_mode='cycle', bool cycle_momentum=True, any base_momentum=0.8, any max_momentum=0.9, int last_epoch=-1";
    const o = bindOptions('CyclicLR', schema, args) as unknown as Required<CyclicOptions>;
    super(optimizer, null);
    const base = perGroup<number>('base_lr', optimizer, o.base_lr);
    if (o.last_epoch === -1)
      optimizer.param_groups.forEach((group, i) => {
        setRate(group, base[i]);
      });
    this.max_lrs = perGroup<number>('max_lr', optimizer, o.max_lr);
    this.total_size = o.step_size_up + (o.step_size_down ?? o.step_size_up);
    this.step_ratio = o.step_size_up / this.total_size;
    if (!['triangular', 'triangular2', 'exp_range'].includes(o.mode) && o.scale_fn === null)
      throw new ValueError('mode is invalid and scale_fn is None');
    this.mode = o.mode;
    this.gamma = o.gamma;
    this._scale_fn_custom = o.scale_fn;
    const byMode = o.mode === 'exp_range' ? 'iterations' : 'cycle';
    this.scale_mode = o.scale_fn === null ? byMode : o.scale_mode;
    this.cycle_momentum = o.cycle_momentum;
    if (o.cycle_momentum) {
      this.use_beta1 = usesBeta1(optimizer);
      [this.base_momentums, this.max_momentums] = momentumRanges(optimizer, o);
    }
    this.attach(o.last_epoch);
    this.start();
    this.base_lrs = base;
  }

  /** The factor of the height in a cycle or iteration. */
  scale_fn(x: number): number {
    if (this._scale_fn_custom !== null) return this._scale_fn_custom(x);
    if (this.mode === 'triangular') return 1;
    return this.mode === 'triangular2' ? 1 / 2 ** (x - 1) : this.gamma ** x;
  }

  get_lr(): number[] {
    const cycle = Math.floor(1 + this.last_epoch / this.total_size);
    const x = 1 + this.last_epoch / this.total_size - cycle;
    const height = x <= this.step_ratio ? x / this.step_ratio : (x - 1) / (this.step_ratio - 1);
    const scale = this.scale_fn(this.scale_mode === 'cycle' ? cycle : this.last_epoch);
    if (this.cycle_momentum) {
      this.optimizer.param_groups.forEach((group, i) => {
        const range = this.max_momentums[i] - this.base_momentums[i];
        setMomentum(group, this.max_momentums[i] - range * height * scale, this.use_beta1);
      });
    }
    return this.base_lrs.map((lr, i) => lr + (this.max_lrs[i] - lr) * height * scale);
  }

  /** Everything but the optimizer and a `scale_fn` that was given. */
  override state_dict(): Record<string, unknown> {
    return { ...super.state_dict(), _scale_fn_custom: null };
  }
  override load_state_dict(state: Readonly<Record<string, unknown>>): void {
    super.load_state_dict({ ...state, _scale_fn_custom: this._scale_fn_custom });
  }
}

export interface OneCycleOptions extends MomentumOptions {
  max_lr: PerGroup;
  total_steps?: number | null;
  epochs?: number | null;
  steps_per_epoch?: number | null;
  /** The part of the cycle in which the rate rises. */
  pct_start?: number;
  anneal_strategy?: 'cos' | 'linear';
  /** The first rate is `max_lr / div_factor`. */
  div_factor?: number;
  /** The last rate is the first over `final_div_factor`. */
  final_div_factor?: number;
  /** Fall to the first rate as fast as it rose, then to the last. */
  three_phase?: boolean;
}

type OneCycleArgs = Arguments<
  [max_lr: PerGroup],
  [
    total_steps: number | null,
    epochs: number | null,
    steps_per_epoch: number | null,
    pct_start: number,
    anneal_strategy: 'cos' | 'linear',
    cycle_momentum: boolean,
    base_momentum: PerGroup,
    max_momentum: PerGroup,
    div_factor: number,
    final_div_factor: number,
    three_phase: boolean,
    last_epoch: number,
  ],
  OneCycleOptions
>;

/** A part of the cycle: where it ends, and between which of the group's options it moves. */
interface Phase {
  readonly end_step: number;
  readonly start_lr: string;
  readonly end_lr: string;
  readonly start_momentum: string;
  readonly end_momentum: string;
}

function phases(total: number, rise: number, three: boolean): Phase[] {
  type Range = readonly [from: string, to: string];
  const phase = (end_step: number, lr: Range, momentum: Range): Phase => ({
    end_step,
    start_lr: lr[0],
    end_lr: lr[1],
    start_momentum: momentum[0],
    end_momentum: momentum[1],
  });
  const up = phase(rise * total - 1, ['initial_lr', 'max_lr'], ['max_momentum', 'base_momentum']);
  const last = total - 1;
  if (!three) return [up, phase(last, ['max_lr', 'min_lr'], ['base_momentum', 'max_momentum'])];
  return [
    up,
    phase(2 * rise * total - 2, ['max_lr', 'initial_lr'], ['base_momentum', 'max_momentum']),
    phase(last, ['initial_lr', 'min_lr'], ['max_momentum', 'max_momentum']),
  ];
}

function countSteps(o: Required<OneCycleOptions>): number {
  const positive = (name: string, n: number): number => {
    if (!(Number.isInteger(n) && n > 0))
      throw new ValueError(`Expected positive integer ${name}, but got ${n}`);
    return n;
  };
  if (o.total_steps !== null) return positive('total_steps', o.total_steps);
  if (o.epochs === null || o.steps_per_epoch === null)
    throw new ValueError('You must define either total_steps OR (epochs AND steps_per_epoch)');
  return positive('epochs', o.epochs) * positive('steps_per_epoch', o.steps_per_epoch);
}

/**
 * One cycle: up to `max_lr`, then down to far below the first rate (https://arxiv.org/abs/1708.07120).
 * @throws ValueError for options out of range, and for more steps than the cycle has.
 */
export class OneCycleLR extends LRScheduler {
  readonly total_steps: number;
  readonly cycle_momentum: boolean;
  /** Whether the momentum is the first of `betas`. */
  readonly use_beta1: boolean = false;
  private readonly _schedule_phases: readonly Phase[];
  private readonly _anneal_func_type: 'cos' | 'linear';
  constructor(optimizer: Optimizer, ...args: OneCycleArgs) {
    const schema =
      "any max_lr, any total_steps=None, any epochs=None, any steps_per_epoch=None, float pct_start=0.3, str anneal_strategy='cos', bool cycle_momentum=True, any base_momentum=0.85, any max_momentum=0.95, float div_factor=25, float final_div_factor=10000, bool three_phase=False, int last_epoch=-1";
    const o = bindOptions('OneCycleLR', schema, args) as unknown as Required<OneCycleOptions>;
    super(optimizer, null);
    this.total_steps = countSteps(o);
    if (!(o.pct_start >= 0 && o.pct_start <= 1))
      throw new ValueError(`Expected float between 0 and 1 pct_start, but got ${o.pct_start}`);
    if (o.anneal_strategy !== 'cos' && o.anneal_strategy !== 'linear')
      throw new ValueError(
        `anneal_strategy must be one of 'cos' or 'linear', instead got ${String(o.anneal_strategy)}`,
      );
    this._anneal_func_type = o.anneal_strategy;
    this._schedule_phases = phases(this.total_steps, o.pct_start, o.three_phase);
    const top = perGroup<number>('max_lr', optimizer, o.max_lr);
    if (o.last_epoch === -1)
      optimizer.param_groups.forEach((group, i) => {
        const first = top[i] / o.div_factor;
        Object.assign(group, { initial_lr: first, max_lr: top[i], min_lr: first / o.final_div_factor });
      });
    this.cycle_momentum = o.cycle_momentum;
    if (o.cycle_momentum) {
      this.use_beta1 = usesBeta1(optimizer);
      momentumRanges(optimizer, o);
    }
    this.attach(o.last_epoch);
    this.start();
  }

  private anneal(group: ParamGroup, start: string, end: string, part: number): number {
    const [from, to] = [Number(group[start]), Number(group[end])];
    if (this._anneal_func_type === 'linear') return (to - from) * part + from;
    return to + ((from - to) / 2) * (Math.cos(Math.PI * part) + 1);
  }

  get_lr(): number[] {
    const step = this.last_epoch;
    if (step > this.total_steps)
      throw new ValueError(
        `Tried to step ${step} times. The specified number of total steps is ${this.total_steps}`,
      );
    const all = this._schedule_phases;
    const found = all.findIndex((phase) => step <= phase.end_step);
    const at = found < 0 ? all.length - 1 : found;
    const begin = at === 0 ? 0 : all[at - 1].end_step;
    const part = (step - begin) / (all[at].end_step - begin);
    return this.optimizer.param_groups.map((group) => {
      const { start_lr, end_lr, start_momentum, end_momentum } = all[at];
      if (this.cycle_momentum)
        setMomentum(group, this.anneal(group, start_momentum, end_momentum, part), this.use_beta1);
      return this.anneal(group, start_lr, end_lr, part);
    });
  }
}
