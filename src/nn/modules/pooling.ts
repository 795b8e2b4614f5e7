// Pooling layers.
import type { Tensor } from '../../tensor.js';
import * as adaptive from '../functional/adaptive_pool.js';
import * as F from '../functional/pool.js';
import { max_unpool1d, max_unpool2d, max_unpool3d } from '../functional/unpool.js';
import { bind, type Call, fields, py, type Size, tuple } from './arguments.js';
import { Module } from './module.js';

export interface MaxPoolOptions {
  kernel_size: Size;
  stride?: Size | null;
  padding?: Size;
  dilation?: Size;
  /** Also return where the maxima lie, for MaxUnpool. */
  return_indices?: boolean;
  /** Keep windows that reach over the end. */
  ceil_mode?: boolean;
}
type MaxPoolArgs = Call<
  [kernel_size: Size],
  [stride: Size | null, padding: Size, dilation: Size, return_indices: boolean, ceil_mode: boolean],
  MaxPoolOptions
>;

abstract class MaxPool extends Module {
  kernel_size: Size;
  stride: Size;
  padding: Size;
  dilation: Size;
  return_indices: boolean;
  ceil_mode: boolean;
  constructor(...args: MaxPoolArgs) {
    super();
    const [kernel, stride, padding, dilation, indices, ceil] = bind(
      'MaxPool',
      'int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[1] dilation=1, bool return_indices=False, bool ceil_mode=False',
      args,
    ) as [Size, Size | null, Size, Size, boolean, boolean];
    this.kernel_size = kernel;
    this.stride = stride ?? kernel;
    this.padding = padding;
    this.dilation = dilation;
    this.return_indices = indices;
    this.ceil_mode = ceil;
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return fields(this, 'kernel_size', 'stride', 'padding', 'dilation', 'ceil_mode');
  }
}

/** Maxima of windows of [N, C, L]; with `return_indices` an array of them and their positions. */
export class MaxPool1d extends MaxPool {
  override forward(input: Tensor): Tensor {
    return F.max_pool1d(
      input,
      this.kernel_size,
      this.stride,
      this.padding,
      this.dilation,
      this.ceil_mode,
      this.return_indices,
    ) as Tensor;
  }
}
/** Maxima of windows of [N, C, H, W]; with `return_indices` an array of them and their positions. */
export class MaxPool2d extends MaxPool {
  override forward(input: Tensor): Tensor {
    return F.max_pool2d(
      input,
      this.kernel_size,
      this.stride,
      this.padding,
      this.dilation,
      this.ceil_mode,
      this.return_indices,
    ) as Tensor;
  }
}
/** Maxima of windows of [N, C, D, H, W]; with `return_indices` an array of them and their positions. */
export class MaxPool3d extends MaxPool {
  override forward(input: Tensor): Tensor {
    return F.max_pool3d(
      input,
      this.kernel_size,
      this.stride,
      this.padding,
      this.dilation,
      this.ceil_mode,
      this.return_indices,
    ) as Tensor;
  }
}

type UnpoolArgs = Call<
  [kernel_size: Size],
  [stride: Size | null, padding: Size],
  { kernel_size: Size; stride?: Size | null; padding?: Size }
>;

abstract class MaxUnpool extends Module {
  kernel_size: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
  constructor(dims: number, args: UnpoolArgs) {
    super();
    const [kernel, stride, padding] = bind(
      'MaxUnpool',
      'int[1] kernel_size, int[1]? stride=None, int[1] padding=0',
      args,
    ) as [Size, Size | null, Size];
    this.kernel_size = tuple(kernel, dims);
    this.stride = tuple(stride ?? kernel, dims);
    this.padding = tuple(padding, dims);
  }
  abstract override forward(input: Tensor, indices: Tensor, output_size?: readonly number[] | null): Tensor;
  override _forwardNames(): readonly string[] {
    return ['input', 'indices', 'output_size'];
  }
  override extra_repr(): string {
    return fields(this, 'kernel_size', 'stride', 'padding');
  }
}

/** Puts maxima back where MaxPool1d found them, zeros elsewhere. */
export class MaxUnpool1d extends MaxUnpool {
  constructor(...args: UnpoolArgs) {
    super(1, args);
  }
  override forward(input: Tensor, indices: Tensor, output_size: readonly number[] | null = null): Tensor {
    return max_unpool1d(input, indices, this.kernel_size, this.stride, this.padding, output_size);
  }
}
/** Puts maxima back where MaxPool2d found them, zeros elsewhere. */
export class MaxUnpool2d extends MaxUnpool {
  constructor(...args: UnpoolArgs) {
    super(2, args);
  }
  override forward(input: Tensor, indices: Tensor, output_size: readonly number[] | null = null): Tensor {
    return max_unpool2d(input, indices, this.kernel_size, this.stride, this.padding, output_size);
  }
}
/** Puts maxima back where MaxPool3d found them, zeros elsewhere. */
export class MaxUnpool3d extends MaxUnpool {
  constructor(...args: UnpoolArgs) {
    super(3, args);
  }
  override forward(input: Tensor, indices: Tensor, output_size: readonly number[] | null = null): Tensor {
    return max_unpool3d(input, indices, this.kernel_size, this.stride, this.padding, output_size);
  }
}

export interface AvgPoolOptions {
  kernel_size: Size;
  stride?: Size | null;
  padding?: Size;
  ceil_mode?: boolean;
  /** Count the padding's zeros. */
  count_include_pad?: boolean;
  /** Divide by this instead of by the window's size. */
  divisor_override?: number | null;
}
type AvgPoolArgs = Call<
  [kernel_size: Size],
  [
    stride: Size | null,
    padding: Size,
    ceil_mode: boolean,
    count_include_pad: boolean,
    divisor_override: number | null,
  ],
  AvgPoolOptions
>;

abstract class AvgPool extends Module {
  kernel_size: Size;
  stride: Size;
  padding: Size;
  ceil_mode: boolean;
  count_include_pad: boolean;
  divisor_override: number | null;
  constructor(...args: AvgPoolArgs) {
    super();
    const [kernel, stride, padding, ceil, count, divisor] = bind(
      'AvgPool',
      'int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None',
      args,
    ) as [Size, Size | null, Size, boolean, boolean, number | null];
    this.kernel_size = kernel;
    this.stride = stride ?? kernel;
    this.padding = padding;
    this.ceil_mode = ceil;
    this.count_include_pad = count;
    this.divisor_override = divisor;
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return fields(this, 'kernel_size', 'stride', 'padding');
  }
}

/** Means of windows of [N, C, L]. */
export class AvgPool1d extends AvgPool {
  constructor(...args: AvgPoolArgs) {
    super(...args);
    this.kernel_size = tuple(this.kernel_size, 1);
    this.stride = tuple(this.stride, 1);
    this.padding = tuple(this.padding, 1);
  }
  override forward(input: Tensor): Tensor {
    return F.avg_pool1d(
      input,
      this.kernel_size,
      this.stride,
      this.padding,
      this.ceil_mode,
      this.count_include_pad,
    );
  }
}
/** Means of windows of [N, C, H, W]. */
export class AvgPool2d extends AvgPool {
  override forward(input: Tensor): Tensor {
    return F.avg_pool2d(
      input,
      this.kernel_size,
      this.stride,
      this.padding,
      this.ceil_mode,
      this.count_include_pad,
      this.divisor_override,
    );
  }
}
/** Means of windows of [N, C, D, H, W]. */
export class AvgPool3d extends AvgPool {
  override forward(input: Tensor): Tensor {
    return F.avg_pool3d(
      input,
      this.kernel_size,
      this.stride,
      this.padding,
      this.ceil_mode,
      this.count_include_pad,
      this.divisor_override,
    );
  }
}

/** Output sizes; null keeps a size. */
export type OutputSize = number | null | readonly (number | null)[];
type AdaptiveArgs = Call<[output_size: OutputSize], [], { output_size: OutputSize }>;

abstract class AdaptiveAvgPool extends Module {
  output_size: OutputSize;
  constructor(...args: AdaptiveArgs) {
    super();
    [this.output_size] = bind('AdaptiveAvgPool', 'any output_size', args) as [OutputSize];
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return `output_size=${py(this.output_size)}`;
  }
}
/** Means of windows of [N, C, L] that give the wanted size. */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool {
  override forward(input: Tensor): Tensor {
    return adaptive.adaptive_avg_pool1d(input, this.output_size);
  }
}
/** Means of windows of [N, C, H, W] that give the wanted size. */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool {
  override forward(input: Tensor): Tensor {
    return adaptive.adaptive_avg_pool2d(input, this.output_size);
  }
}
/** Means of windows of [N, C, D, H, W] that give the wanted size. */
export class AdaptiveAvgPool3d extends AdaptiveAvgPool {
  override forward(input: Tensor): Tensor {
    return adaptive.adaptive_avg_pool3d(input, this.output_size);
  }
}

type AdaptiveMaxArgs = Call<
  [output_size: OutputSize],
  [return_indices: boolean],
  { output_size: OutputSize; return_indices?: boolean }
>;

abstract class AdaptiveMaxPool extends Module {
  output_size: OutputSize;
  return_indices: boolean;
  constructor(...args: AdaptiveMaxArgs) {
    super();
    [this.output_size, this.return_indices] = bind(
      'AdaptiveMaxPool',
      'any output_size, bool return_indices=False',
      args,
    ) as [OutputSize, boolean];
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return `output_size=${py(this.output_size)}`;
  }
}
/** Maxima of windows of [N, C, L] that give the wanted size. */
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  override forward(input: Tensor): Tensor {
    return adaptive.adaptive_max_pool1d(input, this.output_size, this.return_indices) as Tensor;
  }
}
/** Maxima of windows of [N, C, H, W] that give the wanted size. */
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  override forward(input: Tensor): Tensor {
    return adaptive.adaptive_max_pool2d(input, this.output_size, this.return_indices) as Tensor;
  }
}
/** Maxima of windows of [N, C, D, H, W] that give the wanted size. */
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  override forward(input: Tensor): Tensor {
    return adaptive.adaptive_max_pool3d(input, this.output_size, this.return_indices) as Tensor;
  }
}

type LPArgs = Call<
  [norm_type: number, kernel_size: Size],
  [stride: Size | null, ceil_mode: boolean],
  { norm_type: number; kernel_size: Size; stride?: Size | null; ceil_mode?: boolean }
>;

abstract class LPPool extends Module {
  norm_type: number;
  kernel_size: Size;
  stride: Size | null;
  ceil_mode: boolean;
  constructor(...args: LPArgs) {
    super();
    [this.norm_type, this.kernel_size, this.stride, this.ceil_mode] = bind(
      'LPPool',
      'float norm_type, int[1] kernel_size, int[1]? stride=None, bool ceil_mode=False',
      args,
    ) as [number, Size, Size | null, boolean];
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return fields(this, 'norm_type', 'kernel_size', 'stride', 'ceil_mode');
  }
}
/** p-norms of windows of [N, C, L]. */
export class LPPool1d extends LPPool {
  override forward(input: Tensor): Tensor {
    return F.lp_pool1d(input, this.norm_type, this.kernel_size, this.stride, this.ceil_mode);
  }
}
/** p-norms of windows of [N, C, H, W]. */
export class LPPool2d extends LPPool {
  override forward(input: Tensor): Tensor {
    return F.lp_pool2d(input, this.norm_type, this.kernel_size, this.stride, this.ceil_mode);
  }
}
/** p-norms of windows of [N, C, D, H, W]. */
export class LPPool3d extends LPPool {
  override forward(input: Tensor): Tensor {
    return F.lp_pool3d(input, this.norm_type, this.kernel_size, this.stride, this.ceil_mode);
  }
}
