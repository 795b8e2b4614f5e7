// torch.optim.swa_utils: averages of a model's weights over training.
import { no_grad } from '../autograd/modes.js';
import type { DeviceLike } from '../device.js';
import { int64 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { BatchNorm } from '../nn/modules/batchnorm.js';
import { deepcopy } from '../nn/modules/deepcopy.js';
import { Module } from '../nn/modules/module.js';
import { zeros } from '../ops/create.js';
import type { Tensor } from '../tensor.js';
import { LRScheduler, perGroup } from './lr_scheduler_base.js';
import { type Arguments, bindOptions, type Optimizer } from './optimizer.js';

/** The new average of one parameter, from the average, the value, and how many were averaged. */
export type AverageFunction = (averaged: Tensor, current: Tensor, num_averaged: Tensor | number) => Tensor;
/** Updates averages of parameters of one dtype and device in place. */
export type MultiAverageFunction = (
  averaged: readonly Tensor[],
  current: readonly Tensor[],
  num_averaged: Tensor | number,
) => void;

function checkDecay(decay: number): void {
  if (!(decay >= 0 && decay <= 1))
    throw new ValueError(`Invalid decay value ${decay} provided. Please provide a value in [0,1] range.`);
}

const continuous = (x: Tensor): boolean => x.is_floating_point() || x.is_complex();

/**
 * Exponential moving average: decay * average + (1 - decay) * value.
 * @throws ValueError for a decay outside [0, 1].
 */
export function get_ema_multi_avg_fn(decay = 0.999): MultiAverageFunction {
  checkDecay(decay);
  const one = get_ema_avg_fn(decay);
  return (averaged, current, n) =>
    no_grad(() => {
      averaged.forEach((p, i) => {
        if (continuous(p)) p.lerp_(current[i], 1 - decay);
        else p.copy_(one(p, current[i], n));
      });
    });
}

/** The average of all values, with equal weights. */
export function get_swa_multi_avg_fn(): MultiAverageFunction {
  return (averaged, current, n) =>
    no_grad(() => {
      const weight = 1 / (Number(n) + 1);
      averaged.forEach((p, i) => {
        if (continuous(p)) p.lerp_(current[i], weight);
        else p.copy_(p.add(current[i].sub(p).mul(weight)));
      });
    });
}

/**
 * Exponential moving average of one parameter.
 * @throws ValueError for a decay outside [0, 1].
 */
export function get_ema_avg_fn(decay = 0.999): AverageFunction {
  checkDecay(decay);
  return (averaged, current) => no_grad(() => averaged.mul(decay).add(current.mul(1 - decay)));
}

/** The average of all values of one parameter, with equal weights. */
export function get_swa_avg_fn(): AverageFunction {
  return (averaged, current, n) => no_grad(() => averaged.add(current.sub(averaged).div(Number(n) + 1)));
}

interface AveragedOptions {
  device?: DeviceLike | null;
  /** The new average of a parameter. */
  avg_fn?: AverageFunction | null;
  /** Updates all averages in place, instead of `avg_fn`. */
  multi_avg_fn?: MultiAverageFunction | null;
  /** Average the buffers too, instead of copying them. */
  use_buffers?: boolean;
}

type Averaged<M extends Module> = Arguments<
  [model: M],
  [
    device: DeviceLike | null,
    avg_fn: AverageFunction | null,
    multi_avg_fn: MultiAverageFunction | null,
    use_buffers: boolean,
  ],
  AveragedOptions & { model: M }
>;

/**
 * Keeps a running average of the parameters of a model: of all values with equal weights
 * (https://arxiv.org/abs/1803.05407), or as `avg_fn` or `multi_avg_fn` says. The first update copies.
 * @throws Error when both functions are given.
 */
export class AveragedModel<M extends Module = Module> extends Module {
  /** A copy of the model, with the averages as its parameters. */
  readonly module: M;
  /** How many values were averaged. */
  declare n_averaged: Tensor;
  readonly avg_fn: AverageFunction | null;
  readonly multi_avg_fn: MultiAverageFunction | null;
  readonly use_buffers: boolean;
  constructor(...args: Averaged<M>) {
    super();
    const schema =
      'any model, any device=None, any avg_fn=None, any multi_avg_fn=None, bool use_buffers=False';
    const o = bindOptions('AveragedModel', schema, args) as unknown as Required<AveragedOptions> & {
      model: M;
    };
    if (o.avg_fn !== null && o.multi_avg_fn !== null)
      throw new Error('Only one of avg_fn and multi_avg_fn should be provided');
    this.module = deepcopy(o.model);
    if (o.device !== null) this.module.to(o.device);
    this.register_buffer('n_averaged', zeros([], { dtype: int64, device: o.device }));
    this.avg_fn = o.avg_fn;
    this.multi_avg_fn = o.multi_avg_fn;
    this.use_buffers = o.use_buffers;
  }

  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return (this.module as unknown as (...given: unknown[]) => ReturnType<M['forward']>)(...args);
  }

  /** Takes the model's present values into the average. */
  update_parameters(model: Module): void {
    no_grad(() => {
      const members = (m: Module): Tensor[] => [...m.parameters(), ...(this.use_buffers ? m.buffers() : [])];
      const averaged = members(this.module).map((p) => p.detach());
      const current = members(model).map((p, i) => p.detach().to(averaged[i].device));
      if (this.n_averaged.item() === 0)
        averaged.forEach((p, i) => {
          p.copy_(current[i]);
        });
      else this.average(averaged, current);
      if (!this.use_buffers) {
        const buffers = [...model.buffers()];
        [...this.module.buffers()].forEach((b, i) => {
          b.detach().copy_(buffers[i]);
        });
      }
      this.n_averaged.add_(1);
    });
  }

  private average(averaged: readonly Tensor[], current: readonly Tensor[]): void {
    const { avg_fn, n_averaged } = this;
    if (avg_fn !== null) {
      averaged.forEach((p, i) => {
        p.copy_(avg_fn(p, current[i], n_averaged.to(p.device)));
      });
      return;
    }
    const update = this.multi_avg_fn ?? get_swa_multi_avg_fn();
    const groups = new Map<string, number[]>();
    averaged.forEach((p, i) => {
      const key = `${p.device} ${p.dtype}`;
      groups.set(key, [...(groups.get(key) ?? []), i]);
    });
    for (const indices of groups.values())
      update(
        indices.map((i) => averaged[i]),
        indices.map((i) => current[i]),
        n_averaged.to(averaged[indices[0]].device),
      );
  }
}

/** A batch: what the model is called with, alone or first in a list. */
type InputBatch = Tensor | readonly unknown[];

/**
 * Recomputes the running statistics of batch normalisations from one pass over the data: what an averaged model needs
 * before it is evaluated. Waits for loaders that are asynchronous.
 */
export function update_bn(
  loader: Iterable<InputBatch>,
  model: Module,
  device?: DeviceLike | { device?: DeviceLike } | null,
): void;
export function update_bn(
  loader: AsyncIterable<InputBatch>,
  model: Module,
  device?: DeviceLike | { device?: DeviceLike } | null,
): Promise<void>;
export function update_bn(
  loader: Iterable<InputBatch> | AsyncIterable<InputBatch>,
  model: Module,
  device: DeviceLike | { device?: DeviceLike } | null = null,
): void | Promise<void> {
  const norms = [...model.modules()].filter((m): m is BatchNorm => m instanceof BatchNorm);
  if (norms.length === 0) return;
  const to =
    typeof device === 'object' && device !== null && 'device' in device
      ? (device.device ?? null)
      : (device as DeviceLike | null);
  const momenta = norms.map((m) => m.momentum);
  const wasTraining = model.training;
  for (const m of norms) {
    m.reset_running_stats();
    m.momentum = null;
  }
  model.train();
  const see = (batch: InputBatch): void => {
    const input = (Array.isArray(batch) ? batch[0] : batch) as Tensor;
    no_grad(() => {
      (model as unknown as (x: Tensor) => unknown)(to === null ? input : input.to(to));
    });
  };
  const restore = (): void => {
    norms.forEach((m, i) => {
      m.momentum = momenta[i];
    });
    model.train(wasTraining);
  };
  if (Symbol.iterator in loader) {
    for (const batch of loader) see(batch);
    restore();
    return;
  }
  return (async () => {
    for await (const batch of loader) see(batch);
    restore();
  })();
}

interface SWAOptions {
  /** The rate to end at, for all groups or each. */
  swa_lr: number | readonly number[];
  anneal_epochs?: number;
  anneal_strategy?: 'cos' | 'linear';
  last_epoch?: number;
}

/** Moves the rate to a fixed one. @throws ValueError for an unknown strategy, or a negative number of epochs. */
export class SWALR extends LRScheduler {
  readonly anneal_epochs: number;
  private readonly _anneal_strategy: 'cos' | 'linear';
  constructor(
    optimizer: Optimizer,
    ...args: Arguments<
      [swa_lr: number | readonly number[]],
      [anneal_epochs: number, anneal_strategy: 'cos' | 'linear', last_epoch: number],
      SWAOptions
    >
  ) {
    const schema = "any swa_lr, any anneal_epochs=10, any anneal_strategy='cos', int last_epoch=-1";
    const o = bindOptions('SWALR', schema, args) as unknown as Required<SWAOptions>;
    super(optimizer, o.last_epoch);
    const rates = perGroup<number>('swa_lr', optimizer, o.swa_lr);
    optimizer.param_groups.forEach((group, i) => {
      group.swa_lr = rates[i];
    });
    if (o.anneal_strategy !== 'cos' && o.anneal_strategy !== 'linear')
      throw new ValueError(
        `anneal_strategy must be one of 'cos' or 'linear', instead got ${String(o.anneal_strategy)}`,
      );
    if (!Number.isInteger(o.anneal_epochs) || o.anneal_epochs < 0)
      throw new ValueError(`anneal_epochs must be equal or greater than 0, got ${o.anneal_epochs}`);
    this.anneal_epochs = o.anneal_epochs;
    this._anneal_strategy = o.anneal_strategy;
    this.start();
  }

  /** How far the rate has come after a number of steps, on [0, 1]. */
  private part(steps: number): number {
    const t = Math.max(0, Math.min(1, steps / Math.max(1, this.anneal_epochs)));
    return this._anneal_strategy === 'cos' ? (1 - Math.cos(Math.PI * t)) / 2 : t;
  }

  get_lr(): number[] {
    const step = Math.max(this.anneal_epochs === 0 ? 1 : 0, this._step_count - 1);
    const before = this.part(step - 1);
    const now = this.part(step);
    return this.optimizer.param_groups.map((group) => {
      const end = group.swa_lr as number;
      // The rate that it all started from.
      const first = before === 1 ? end : (Number(group.lr) - before * end) / (1 - before);
      return end * now + first * (1 - now);
    });
  }
}
