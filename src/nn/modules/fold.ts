// Sliding windows as layers.
import type { Tensor } from '../../tensor.js';
import { fold, unfold } from '../functional/fold.js';
import { bind, type Call, fields, type Size } from './arguments.js';
import { Module } from './module.js';

interface WindowOptions {
  dilation?: Size;
  padding?: Size;
  stride?: Size;
}
type WindowArgs = [dilation: Size, padding: Size, stride: Size];
const WINDOWS = 'int[1] kernel_size, int[1] dilation=1, int[1] padding=0, int[1] stride=1';

/** Adds windows, given as columns [N, C * kernel elements, windows], up to an image [N, C, H, W]. */
export class Fold extends Module {
  output_size: Size;
  kernel_size: Size;
  dilation: Size;
  padding: Size;
  stride: Size;
  constructor(
    ...args: Call<
      [output_size: Size, kernel_size: Size],
      WindowArgs,
      WindowOptions & { output_size: Size; kernel_size: Size }
    >
  ) {
    super();
    [this.output_size, this.kernel_size, this.dilation, this.padding, this.stride] = bind(
      'Fold',
      `int[1] output_size, ${WINDOWS}`,
      args,
    ) as [Size, Size, Size, Size, Size];
  }
  forward(input: Tensor): Tensor {
    return fold(input, this.output_size, this.kernel_size, this.dilation, this.padding, this.stride);
  }
  override extra_repr(): string {
    return fields(this, 'output_size', 'kernel_size', 'dilation', 'padding', 'stride');
  }
}

/** The sliding windows of an image [N, C, H, W] as columns [N, C * kernel elements, windows]. */
export class Unfold extends Module {
  kernel_size: Size;
  dilation: Size;
  padding: Size;
  stride: Size;
  constructor(...args: Call<[kernel_size: Size], WindowArgs, WindowOptions & { kernel_size: Size }>) {
    super();
    [this.kernel_size, this.dilation, this.padding, this.stride] = bind('Unfold', WINDOWS, args) as [
      Size,
      Size,
      Size,
      Size,
    ];
  }
  forward(input: Tensor): Tensor {
    return unfold(input, this.kernel_size, this.dilation, this.padding, this.stride);
  }
  override extra_repr(): string {
    return fields(this, 'kernel_size', 'dilation', 'padding', 'stride');
  }
}
