// Batch normalisation (Ioffe and Szegedy, 2015), and what instance normalisation shares with it.
import type { DeviceLike } from '../../device.js';
import { type DType, int64 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { ones, zeros } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { batch_norm } from '../functional/norm.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import { bind, type Call, type Factory, type FactoryArgs, parameter, py } from './arguments.js';
import { becomeOnFirstCall, UninitializedBuffer, UninitializedParameter } from './lazy.js';
import { Module } from './module.js';

export interface NormOptions extends Factory {
  /** Added to the variance. */
  eps?: number;
  /** Share of the new statistics in the running ones; null for their plain average. */
  momentum?: number | null;
  /** Learn a factor and a shift per channel. */
  affine?: boolean;
  /** Keep running statistics, and use them in evaluation. */
  track_running_stats?: boolean;
  bias?: boolean;
}

/** The arguments of a normalisation, bound. */
export interface NormConfig {
  num_features: number;
  eps: number;
  momentum: number | null;
  affine: boolean;
  track: boolean;
  bias: boolean;
  device: DeviceLike | null;
  dtype: DType | null;
}

export type NormArgs = Call<
  [num_features: number],
  [eps: number, momentum: number | null, affine: boolean, track_running_stats: boolean, ...FactoryArgs],
  NormOptions & { num_features: number }
>;
export type LazyNormArgs = Call<
  [],
  [eps: number, momentum: number | null, affine: boolean, track_running_stats: boolean, ...FactoryArgs],
  NormOptions
>;

/** @internal Binds the arguments of a normalisation; `standard` is the default of affine and track_running_stats. */
export function normConfig(
  name: string,
  standard: boolean,
  lazy: boolean,
  args: readonly unknown[],
): NormConfig {
  const yes = standard ? 'True' : 'False';
  const schema = `float eps=1e-5, float? momentum=0.1, bool affine=${yes}, bool track_running_stats=${yes}, device? device=None, dtype? dtype=None, *, bool bias=True`;
  const bound = bind(name, lazy ? schema : `int num_features, ${schema}`, args);
  const [num_features, eps, momentum, affine, track, device, dtype, bias] = (
    lazy ? [0, ...bound] : bound
  ) as [number, number, number | null, boolean, boolean, DeviceLike | null, DType | null, boolean];
  return { num_features, eps, momentum, affine, track, bias, device, dtype };
}

/** Parameters and running statistics of one value per channel. */
export abstract class NormBase extends Module {
  num_features: number;
  eps: number;
  momentum: number | null;
  affine: boolean;
  track_running_stats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  declare running_mean: Tensor | null;
  declare running_var: Tensor | null;
  declare num_batches_tracked: Tensor | null;

  constructor(c: NormConfig, lazy = false) {
    super();
    this.num_features = c.num_features;
    this.eps = c.eps;
    this.momentum = c.momentum;
    this.affine = c.affine;
    this.track_running_stats = c.track;
    const { device, dtype } = c;
    const channels = (): Parameter =>
      lazy ? new UninitializedParameter(device, dtype) : parameter([c.num_features], device, dtype);
    this.weight = c.affine ? channels() : null;
    this.bias = c.affine && c.bias ? channels() : null;
    const n = [c.num_features];
    this.register_buffer(
      'running_mean',
      !c.track ? null : lazy ? new UninitializedBuffer(device, dtype) : zeros(n, { device, dtype }),
    );
    this.register_buffer(
      'running_var',
      !c.track ? null : lazy ? new UninitializedBuffer(device, dtype) : ones(n, { device, dtype }),
    );
    this.register_buffer('num_batches_tracked', c.track ? zeros([], { device, dtype: int64 }) : null);
    if (!lazy) this.reset_parameters();
  }
  /** Mean 0, variance 1, no batches. */
  reset_running_stats(): void {
    this.running_mean?.fill_(0);
    this.running_var?.fill_(1);
    this.num_batches_tracked?.fill_(0);
  }
  reset_parameters(): void {
    this.reset_running_stats();
    if (this.weight !== null) init.ones_(this.weight);
    if (this.bias !== null) init.zeros_(this.bias);
  }
  /** Makes everything for the channels of the first input. @internal */
  protected learnChannels(
    Regular: { readonly prototype: Module },
    channelsOf: (input: Tensor) => number,
  ): void {
    becomeOnFirstCall(
      this,
      Regular,
      (input) => {
        this.num_features = channelsOf(input);
        for (const x of [this.weight, this.bias, this.running_mean, this.running_var])
          if (x instanceof UninitializedParameter || x instanceof UninitializedBuffer)
            x.materialize([this.num_features]);
        this.reset_parameters();
      },
      () => {
        this.num_features = (this.weight ?? this.running_mean)?.shape[0] ?? this.num_features;
      },
    );
  }
  /** Checkpoints from before PyTorch counted batches lack the count. @internal */
  override _mayLack(name: string): boolean {
    return name === 'num_batches_tracked';
  }
  override extra_repr(): string {
    return `${this.num_features}, eps=${py(this.eps)}, momentum=${py(this.momentum)}, affine=${py(this.affine)}, bias=${py(this.bias !== null)}, track_running_stats=${py(this.track_running_stats)}`;
  }
}

/** @throws ValueError unless the number of dimensions is one of those. */
export function expectDims(input: Tensor, ...dims: readonly number[]): void {
  if (dims.includes(input.shape.length)) return;
  throw new ValueError(
    `expected ${dims.map((n) => `${n}D`).join(' or ')} input (got ${input.shape.length}D input)`,
  );
}

/** @internal Normalises every channel over the batch: by its own statistics in training, by the running ones otherwise. */
export abstract class BatchNorm extends NormBase {
  protected abstract dims(): readonly number[];
  forward(input: Tensor): Tensor {
    expectDims(input, ...this.dims());
    let factor = this.momentum ?? 0;
    if (this.training && this.track_running_stats && this.num_batches_tracked !== null) {
      this.num_batches_tracked.add_(1);
      if (this.momentum === null) factor = 1 / Number(this.num_batches_tracked.item());
    }
    const useBatch = this.training || (this.running_mean === null && this.running_var === null);
    const keep = !this.training || this.track_running_stats;
    return batch_norm(
      input,
      keep ? this.running_mean : null,
      keep ? this.running_var : null,
      this.weight,
      this.bias,
      useBatch,
      factor,
      this.eps,
    );
  }
}

const secondDim = (input: Tensor): number => input.shape[1];

abstract class BatchNormOf1d extends BatchNorm {
  protected override dims(): readonly number[] {
    return [2, 3];
  }
}
abstract class BatchNormOf2d extends BatchNorm {
  protected override dims(): readonly number[] {
    return [4];
  }
}
abstract class BatchNormOf3d extends BatchNorm {
  protected override dims(): readonly number[] {
    return [5];
  }
}

/** Batch normalisation of [N, C] or [N, C, L]. */
export class BatchNorm1d extends BatchNormOf1d {
  constructor(...args: NormArgs) {
    super(normConfig('BatchNorm1d', true, false, args));
  }
}
/** Batch normalisation of [N, C, H, W]. */
export class BatchNorm2d extends BatchNormOf2d {
  constructor(...args: NormArgs) {
    super(normConfig('BatchNorm2d', true, false, args));
  }
}
/** Batch normalisation of [N, C, D, H, W]. */
export class BatchNorm3d extends BatchNormOf3d {
  constructor(...args: NormArgs) {
    super(normConfig('BatchNorm3d', true, false, args));
  }
}
/** A BatchNorm1d that learns `num_features` from its first input. */
export class LazyBatchNorm1d extends BatchNormOf1d {
  constructor(...args: LazyNormArgs) {
    super(normConfig('LazyBatchNorm1d', true, true, args), true);
    this.learnChannels(BatchNorm1d, secondDim);
  }
}
/** A BatchNorm2d that learns `num_features` from its first input. */
export class LazyBatchNorm2d extends BatchNormOf2d {
  constructor(...args: LazyNormArgs) {
    super(normConfig('LazyBatchNorm2d', true, true, args), true);
    this.learnChannels(BatchNorm2d, secondDim);
  }
}
/** A BatchNorm3d that learns `num_features` from its first input. */
export class LazyBatchNorm3d extends BatchNormOf3d {
  constructor(...args: LazyNormArgs) {
    super(normConfig('LazyBatchNorm3d', true, true, args), true);
    this.learnChannels(BatchNorm3d, secondDim);
  }
}
