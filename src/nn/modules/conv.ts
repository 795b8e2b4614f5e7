// Convolution layers.
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { type PadMode, pad } from '../../ops/pad.js';
import type { Tensor } from '../../tensor.js';
import * as F from '../functional/conv.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import {
  bind,
  type Call,
  type Factory,
  type FactoryArgs,
  parameter,
  py,
  type Size,
  tuple,
} from './arguments.js';
import { becomeOnFirstCall, UninitializedParameter } from './lazy.js';
import { Module } from './module.js';

/** How the border is padded. */
export type PaddingMode = 'zeros' | Exclude<PadMode, 'constant'>;

/** Options of every convolution after its sizes. */
interface CommonOptions extends Factory {
  stride?: Size;
  dilation?: Size;
  /** Groups of channels that do not see each other. */
  groups?: number;
  bias?: boolean;
  padding_mode?: PaddingMode;
}

export interface ConvOptions extends CommonOptions {
  in_channels: number;
  out_channels: number;
  kernel_size: Size;
  padding?: Size | 'same' | 'valid';
}

export interface ConvTransposeOptions extends CommonOptions {
  in_channels: number;
  out_channels: number;
  kernel_size: Size;
  padding?: Size;
  output_padding?: Size;
}

/** What a convolution is made from. */
interface Config {
  in_channels: number;
  out_channels: number;
  kernel_size: number[];
  stride: number[];
  padding: number[] | 'same' | 'valid';
  dilation: number[];
  transposed: boolean;
  output_padding: number[];
  groups: number;
  bias: boolean;
  padding_mode: PaddingMode;
  device: DeviceLike | null;
  dtype: DType | null;
}

const MODES: readonly string[] = ['zeros', 'reflect', 'replicate', 'circular'];

function checkConfig(c: Config): void {
  if (c.groups <= 0) throw new ValueError('groups must be a positive integer');
  if (c.in_channels % c.groups !== 0) throw new ValueError('in_channels must be divisible by groups');
  if (c.out_channels % c.groups !== 0) throw new ValueError('out_channels must be divisible by groups');
  if (typeof c.padding === 'string') {
    if (c.padding !== 'same' && c.padding !== 'valid')
      throw new ValueError(
        `Invalid padding string '${String(c.padding)}', should be one of {'valid', 'same'}`,
      );
    if (c.padding === 'same' && c.stride.some((s) => s !== 1))
      throw new ValueError("padding='same' is not supported for strided convolutions");
  }
  if (!MODES.includes(c.padding_mode))
    throw new ValueError(
      `padding_mode must be one of {'zeros', 'reflect', 'replicate', 'circular'}, but got padding_mode='${c.padding_mode}'`,
    );
}

/** Padding on both sides of every dimension, the last one first, for `pad`. */
function bothSides(c: Config): number[] {
  const sides = c.kernel_size.map((k, d): [number, number] => {
    if (typeof c.padding !== 'string') return [c.padding[d], c.padding[d]];
    const total = c.padding === 'same' ? c.dilation[d] * (k - 1) : 0;
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  });
  return sides.reverse().flat();
}

/** What all convolutions keep: weight [out, in / groups, *kernel] ([in, out / groups, *kernel] when transposed). */
abstract class Convolution extends Module {
  in_channels: number;
  out_channels: number;
  kernel_size: readonly number[];
  stride: readonly number[];
  padding: readonly number[] | 'same' | 'valid';
  dilation: readonly number[];
  transposed: boolean;
  output_padding: readonly number[];
  groups: number;
  padding_mode: PaddingMode;
  weight: Parameter;
  bias: Parameter | null;
  /** @internal */
  protected readonly sides: readonly number[];

  constructor(c: Config, lazy = false) {
    super();
    checkConfig(c);
    this.in_channels = c.in_channels;
    this.out_channels = c.out_channels;
    this.kernel_size = c.kernel_size;
    this.stride = c.stride;
    this.padding = c.padding;
    this.dilation = c.dilation;
    this.transposed = c.transposed;
    this.output_padding = c.output_padding;
    this.groups = c.groups;
    this.padding_mode = c.padding_mode;
    this.sides = bothSides(c);
    if (lazy) {
      this.weight = new UninitializedParameter(c.device, c.dtype);
      this.bias = c.bias ? new UninitializedParameter(c.device, c.dtype) : null;
      return;
    }
    this.weight = parameter(this.weightShape(), c.device, c.dtype);
    this.bias = c.bias ? parameter([c.out_channels], c.device, c.dtype) : null;
    this.reset_parameters();
  }
  private weightShape(): number[] {
    const [first, second] = this.transposed
      ? [this.in_channels, this.out_channels]
      : [this.out_channels, this.in_channels];
    return [first, second / this.groups, ...this.kernel_size];
  }
  /** Uniform on ±1/sqrt(fan_in), weight and bias. */
  reset_parameters(): void {
    init.kaiming_uniform_(this.weight, Math.sqrt(5));
    if (this.bias === null) return;
    const [fanIn] = init._calculate_fan_in_and_fan_out(this.weight);
    const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
    init.uniform_(this.bias, -bound, bound);
  }
  /** Makes the parameters for the channels of the first input. @internal */
  protected learnChannels(Regular: { readonly prototype: Module }): void {
    const spatial = this.kernel_size.length;
    becomeOnFirstCall(
      this,
      Regular,
      (input) => {
        const n = input.shape.length;
        if (n !== spatial + 1 && n !== spatial + 2)
          throw new RuntimeError(
            `Expected ${spatial + 1}D (unbatched) or ${spatial + 2}D (batched) input to ${this._getName()}, but got input of size: torch.Size([${input.shape.join(', ')}])`,
          );
        this.in_channels = input.shape[n - spatial - 1];
        if (this.in_channels % this.groups !== 0)
          throw new ValueError('in_channels must be divisible by groups');
        (this.weight as UninitializedParameter).materialize(this.weightShape());
        (this.bias as UninitializedParameter | null)?.materialize([this.out_channels]);
        this.reset_parameters();
      },
      () => {
        this.in_channels = this.transposed ? this.weight.shape[0] : this.weight.shape[1] * this.groups;
      },
    );
  }
  override _forwardNames(): readonly string[] {
    return ['input', 'output_size'];
  }
  override extra_repr(): string {
    const nonzero = (v: readonly number[], standard: number): boolean => v.some((n) => n !== standard);
    let text = `${this.in_channels}, ${this.out_channels}, kernel_size=${py(this.kernel_size)}, stride=${py(this.stride)}`;
    if (typeof this.padding === 'string' || nonzero(this.padding, 0)) text += `, padding=${py(this.padding)}`;
    if (nonzero(this.dilation, 1)) text += `, dilation=${py(this.dilation)}`;
    if (nonzero(this.output_padding, 0)) text += `, output_padding=${py(this.output_padding)}`;
    if (this.groups !== 1) text += `, groups=${this.groups}`;
    if (this.bias === null) text += ', bias=False';
    if (this.padding_mode !== 'zeros') text += `, padding_mode=${this.padding_mode}`;
    return text;
  }
}

type ConvArgs = Call<
  [in_channels: number, out_channels: number, kernel_size: Size],
  [
    stride: Size,
    padding: Size | 'same' | 'valid',
    dilation: Size,
    groups: number,
    bias: boolean,
    padding_mode: PaddingMode,
    ...FactoryArgs,
  ],
  ConvOptions
>;
type LazyConvArgs = Call<
  [out_channels: number, kernel_size: Size],
  [
    stride: Size,
    padding: Size | 'same' | 'valid',
    dilation: Size,
    groups: number,
    bias: boolean,
    padding_mode: PaddingMode,
    ...FactoryArgs,
  ],
  Omit<ConvOptions, 'in_channels'>
>;
type ConvBound = [
  number,
  Size,
  Size,
  Size | 'same' | 'valid',
  Size,
  number,
  boolean,
  PaddingMode,
  DeviceLike | null,
  DType | null,
];
const CONV =
  "int out_channels, int[1] kernel_size, int[1] stride=1, any padding=0, int[1] dilation=1, int groups=1, bool bias=True, str padding_mode='zeros', device? device=None, dtype? dtype=None";

function config(n: number, in_channels: number, bound: ConvBound): Config {
  const [out_channels, kernel, stride, padding, dilation, groups, bias, padding_mode, device, dtype] = bound;
  return {
    in_channels,
    out_channels,
    kernel_size: tuple(kernel, n),
    stride: tuple(stride, n),
    padding: typeof padding === 'string' ? padding : tuple(padding, n),
    dilation: tuple(dilation, n),
    transposed: false,
    output_padding: tuple(0, n),
    groups,
    bias,
    padding_mode,
    device,
    dtype,
  };
}

function convConfig(name: string, n: number, args: readonly unknown[]): Config {
  const [inChannels, ...rest] = bind(name, `int in_channels, ${CONV}`, args);
  return config(n, inChannels as number, rest as ConvBound);
}
const lazyConfig = (name: string, n: number, args: readonly unknown[]): Config =>
  config(n, 0, bind(name, CONV, args) as ConvBound);

type ConvFunction = (
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: readonly number[],
  padding: readonly number[] | 'same' | 'valid',
  dilation: readonly number[],
  groups: number,
) => Tensor;

abstract class PlainConvolution extends Convolution {
  /** The convolution, with the border padded in its mode. */
  protected run(f: ConvFunction, input: Tensor): Tensor {
    const { weight, bias, groups, padding } = this;
    const { stride, dilation } = this;
    if (this.padding_mode === 'zeros') return f(input, weight, bias, stride, padding, dilation, groups);
    return f(
      pad(input, this.sides, this.padding_mode),
      weight,
      bias,
      stride,
      tuple(0, stride.length),
      dilation,
      groups,
    );
  }
}

/** Convolution of [N, C, L] (or [C, L]). */
export class Conv1d extends PlainConvolution {
  constructor(...args: ConvArgs) {
    super(convConfig('Conv1d', 1, args));
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv1d, input);
  }
}
/** Convolution of [N, C, H, W] (or [C, H, W]). */
export class Conv2d extends PlainConvolution {
  constructor(...args: ConvArgs) {
    super(convConfig('Conv2d', 2, args));
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv2d, input);
  }
}
/** Convolution of [N, C, D, H, W] (or [C, D, H, W]). */
export class Conv3d extends PlainConvolution {
  constructor(...args: ConvArgs) {
    super(convConfig('Conv3d', 3, args));
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv3d, input);
  }
}

/** A Conv1d that learns `in_channels` from its first input. */
export class LazyConv1d extends PlainConvolution {
  constructor(...args: LazyConvArgs) {
    super(lazyConfig('LazyConv1d', 1, args), true);
    this.learnChannels(Conv1d);
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv1d, input);
  }
}
/** A Conv2d that learns `in_channels` from its first input. */
export class LazyConv2d extends PlainConvolution {
  constructor(...args: LazyConvArgs) {
    super(lazyConfig('LazyConv2d', 2, args), true);
    this.learnChannels(Conv2d);
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv2d, input);
  }
}
/** A Conv3d that learns `in_channels` from its first input. */
export class LazyConv3d extends PlainConvolution {
  constructor(...args: LazyConvArgs) {
    super(lazyConfig('LazyConv3d', 3, args), true);
    this.learnChannels(Conv3d);
  }
  forward(input: Tensor): Tensor {
    return this.run(F.conv3d, input);
  }
}

type TransposeArgs = Call<
  [in_channels: number, out_channels: number, kernel_size: Size],
  [
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: number,
    bias: boolean,
    dilation: Size,
    padding_mode: PaddingMode,
    ...FactoryArgs,
  ],
  ConvTransposeOptions
>;
type LazyTransposeArgs = Call<
  [out_channels: number, kernel_size: Size],
  [
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: number,
    bias: boolean,
    dilation: Size,
    padding_mode: PaddingMode,
    ...FactoryArgs,
  ],
  Omit<ConvTransposeOptions, 'in_channels'>
>;
type TransposeBound = [
  number,
  Size,
  Size,
  Size,
  Size,
  number,
  boolean,
  Size,
  PaddingMode,
  DeviceLike | null,
  DType | null,
];
const TRANSPOSE =
  "int out_channels, int[1] kernel_size, int[1] stride=1, int[1] padding=0, int[1] output_padding=0, int groups=1, bool bias=True, int[1] dilation=1, str padding_mode='zeros', device? device=None, dtype? dtype=None";

function transposeOf(n: number, in_channels: number, bound: TransposeBound): Config {
  const [
    out_channels,
    kernel,
    stride,
    padding,
    outputPadding,
    groups,
    bias,
    dilation,
    padding_mode,
    device,
    dtype,
  ] = bound;
  if (padding_mode !== 'zeros')
    throw new ValueError(`Only "zeros" padding mode is supported for ConvTranspose${n}d`);
  const base = config(n, in_channels, [
    out_channels,
    kernel,
    stride,
    padding,
    dilation,
    groups,
    bias,
    padding_mode,
    device,
    dtype,
  ]);
  return { ...base, transposed: true, output_padding: tuple(outputPadding, n) };
}

function transposeConfig(name: string, n: number, args: readonly unknown[]): Config {
  const [inChannels, ...rest] = bind(name, `int in_channels, ${TRANSPOSE}`, args);
  return transposeOf(n, inChannels as number, rest as TransposeBound);
}
const lazyTransposeConfig = (name: string, n: number, args: readonly unknown[]): Config =>
  transposeOf(n, 0, bind(name, TRANSPOSE, args) as TransposeBound);

type TransposeFunction = (
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: readonly number[],
  padding: readonly number[],
  output_padding: readonly number[],
  groups: number,
  dilation: readonly number[],
) => Tensor;

abstract class TransposedConvolution extends Convolution {
  /** The gradient of a convolution, as a layer. `output_size` chooses among the sizes that fit. */
  protected run(f: TransposeFunction, input: Tensor, outputSize: readonly number[] | null): Tensor {
    const extra = outputSize === null ? this.output_padding : this.extraFor(input, outputSize);
    return f(
      input,
      this.weight,
      this.bias,
      this.stride,
      this.padding as readonly number[],
      extra,
      this.groups,
      this.dilation,
    );
  }
  private extraFor(input: Tensor, wanted: readonly number[]): number[] {
    const n = this.kernel_size.length;
    const lead = input.shape.length - n;
    const size = wanted.length === lead + n ? wanted.slice(lead) : wanted;
    if (size.length !== n)
      throw new ValueError(
        `ConvTranspose${n}D: for ${input.shape.length}D input, output_size must have ${n} or ${lead + n} elements (got ${wanted.length})`,
      );
    const padding = this.padding as readonly number[];
    const least = size.map(
      (_, d) =>
        (input.shape[d + lead] - 1) * this.stride[d] -
        2 * padding[d] +
        this.dilation[d] * (this.kernel_size[d] - 1) +
        1,
    );
    const most = least.map((m, d) => m + this.stride[d] - 1);
    if (size.some((s, d) => s < least[d] || s > most[d]))
      throw new ValueError(
        `requested an output size of [${size.join(', ')}], but valid sizes range from [${least.join(', ')}] to [${most.join(', ')}] (for an input of torch.Size([${input.shape.slice(2).join(', ')}]))`,
      );
    return size.map((s, d) => s - least[d]);
  }
}

/** Transposed convolution of [N, C, L]. */
export class ConvTranspose1d extends TransposedConvolution {
  constructor(...args: TransposeArgs) {
    super(transposeConfig('ConvTranspose1d', 1, args));
  }
  forward(input: Tensor, output_size: readonly number[] | null = null): Tensor {
    return this.run(F.conv_transpose1d, input, output_size);
  }
}
/** Transposed convolution of [N, C, H, W]. */
export class ConvTranspose2d extends TransposedConvolution {
  constructor(...args: TransposeArgs) {
    super(transposeConfig('ConvTranspose2d', 2, args));
  }
  forward(input: Tensor, output_size: readonly number[] | null = null): Tensor {
    return this.run(F.conv_transpose2d, input, output_size);
  }
}
/** Transposed convolution of [N, C, D, H, W]. */
export class ConvTranspose3d extends TransposedConvolution {
  constructor(...args: TransposeArgs) {
    super(transposeConfig('ConvTranspose3d', 3, args));
  }
  forward(input: Tensor, output_size: readonly number[] | null = null): Tensor {
    return this.run(F.conv_transpose3d, input, output_size);
  }
}

/** A ConvTranspose1d that learns `in_channels` from its first input. */
export class LazyConvTranspose1d extends TransposedConvolution {
  constructor(...args: LazyTransposeArgs) {
    super(lazyTransposeConfig('LazyConvTranspose1d', 1, args), true);
    this.learnChannels(ConvTranspose1d);
  }
  forward(input: Tensor, output_size: readonly number[] | null = null): Tensor {
    return this.run(F.conv_transpose1d, input, output_size);
  }
}
/** A ConvTranspose2d that learns `in_channels` from its first input. */
export class LazyConvTranspose2d extends TransposedConvolution {
  constructor(...args: LazyTransposeArgs) {
    super(lazyTransposeConfig('LazyConvTranspose2d', 2, args), true);
    this.learnChannels(ConvTranspose2d);
  }
  forward(input: Tensor, output_size: readonly number[] | null = null): Tensor {
    return this.run(F.conv_transpose2d, input, output_size);
  }
}
/** A ConvTranspose3d that learns `in_channels` from its first input. */
export class LazyConvTranspose3d extends TransposedConvolution {
  constructor(...args: LazyTransposeArgs) {
    super(lazyTransposeConfig('LazyConvTranspose3d', 3, args), true);
    this.learnChannels(ConvTranspose3d);
  }
  forward(input: Tensor, output_size: readonly number[] | null = null): Tensor {
    return this.run(F.conv_transpose3d, input, output_size);
  }
}
