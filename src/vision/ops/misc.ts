// Building blocks of the models: convolution with normalisation and activation, squeeze-and-excitation, stochastic depth.
import { ValueError } from '../../errors.js';
import * as nn from '../../nn/index.js';
import { bernoulli, empty } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';

/** Makes a normalisation layer of so many channels. */
export type NormLayer = (channels: number) => nn.Module;
/** Makes an activation layer. */
export type Activation = (options?: { inplace?: boolean }) => nn.Module;

export interface ConvNormOptions {
  kernel_size?: number;
  stride?: number;
  /** Default: as many as keep the size at stride 1. */
  padding?: number | null;
  groups?: number;
  /** Default BatchNorm2d; null for none. */
  norm_layer?: NormLayer | null;
  /** Default ReLU; null for none. */
  activation_layer?: Activation | null;
  dilation?: number;
  /** Passed on to the activation; null to leave it out. */
  inplace?: boolean | null;
  /** Default: where there is no normalisation. */
  bias?: boolean | null;
}

/** Convolution, normalisation and activation, one after another. */
export class Conv2dNormActivation extends nn.Sequential {
  readonly out_channels: number;
  constructor(in_channels: number, out_channels: number, options: ConvNormOptions = {}) {
    const { kernel_size = 3, stride = 1, groups = 1, dilation = 1, inplace = true } = options;
    const { norm_layer = (n) => new nn.BatchNorm2d(n) } = options;
    const { activation_layer = (o) => new nn.ReLU(o ?? {}) } = options;
    const padding = options.padding ?? Math.floor((kernel_size - 1) / 2) * dilation;
    const bias = options.bias ?? norm_layer === null;
    const layers: nn.Module[] = [
      new nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, { dilation, groups, bias }),
    ];
    if (norm_layer !== null) layers.push(norm_layer(out_channels));
    if (activation_layer !== null) layers.push(activation_layer(inplace === null ? undefined : { inplace }));
    super(...layers);
    this.out_channels = out_channels;
  }
}

/** Weighs the channels by a small network of their means (Hu et al., 2018). */
export class SqueezeExcitation extends nn.Module {
  readonly avgpool: nn.Module;
  readonly fc1: nn.Conv2d;
  readonly fc2: nn.Conv2d;
  readonly activation: nn.Module;
  readonly scale_activation: nn.Module;
  constructor(
    input_channels: number,
    squeeze_channels: number,
    activation: () => nn.Module = () => new nn.ReLU(),
    scale_activation: () => nn.Module = () => new nn.Sigmoid(),
  ) {
    super();
    this.avgpool = new nn.AdaptiveAvgPool2d(1);
    this.fc1 = new nn.Conv2d(input_channels, squeeze_channels, 1);
    this.fc2 = new nn.Conv2d(squeeze_channels, input_channels, 1);
    this.activation = activation();
    this.scale_activation = scale_activation();
  }
  forward(input: Tensor): Tensor {
    const squeezed = call(this.activation, this.fc1(call(this.avgpool, input)));
    return call(this.scale_activation, this.fc2(squeezed)).mul(input);
  }
}

/** Calls a module of one tensor. */
export function call(module: nn.Module, x: Tensor): Tensor {
  return (module as unknown as (x: Tensor) => Tensor)(x);
}

/** Sets the whole input ('batch') or single rows ('row') to zero with probability p, in training (Huang et al., 2016). */
export function stochastic_depth(input: Tensor, p: number, mode: 'batch' | 'row', training = true): Tensor {
  if (!(p >= 0 && p <= 1)) throw new ValueError(`drop probability has to be between 0 and 1, but got ${p}`);
  if (mode !== 'batch' && mode !== 'row')
    throw new ValueError(`mode has to be either 'batch' or 'row', but got ${String(mode)}`);
  if (!training || p === 0) return input;
  const ones = new Array<number>(input.ndim - 1).fill(1);
  const noise = bernoulli(
    empty(mode === 'row' ? [input.shape[0], ...ones] : [1, ...ones], { dtype: input.dtype }).fill_(1 - p),
  );
  if (p < 1) noise.div_(1 - p);
  return input.mul(noise);
}

/** {@link stochastic_depth} as a module. */
export class StochasticDepth extends nn.Module {
  constructor(
    readonly p: number,
    readonly mode: 'batch' | 'row',
  ) {
    super();
  }
  forward(input: Tensor): Tensor {
    return stochastic_depth(input, this.p, this.mode, this.training);
  }
  override extra_repr(): string {
    return '';
  }
  override toString(): string {
    return `StochasticDepth(p=${this.p}, mode=${this.mode})`;
  }
}

/** Reorders the dimensions. */
export class Permute extends nn.Module {
  constructor(readonly dims: readonly number[]) {
    super();
  }
  forward(x: Tensor): Tensor {
    return x.permute(...this.dims);
  }
}
