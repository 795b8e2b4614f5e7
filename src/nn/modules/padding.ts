// Padding layers.

import { checkDims, type PadMode, pad } from '../../ops/pad.js';
import type { Tensor } from '../../tensor.js';
import { bind, type Call, py, type Size, tuple } from './arguments.js';
import { Module } from './module.js';

type PaddingArgs = Call<[padding: Size], [], { padding: Size }>;

/** Pads `dims` last dimensions in one mode. */
abstract class Padding extends Module {
  padding: readonly number[];
  constructor(args: PaddingArgs, name: string, dims: number) {
    super();
    const [padding] = bind(name, 'int[1] padding', args) as [Size];
    this.padding = tuple(padding, 2 * dims);
  }
  protected abstract mode(): PadMode;
  forward(input: Tensor): Tensor {
    const dims = this.padding.length / 2;
    if (this.mode() === 'circular') checkDims(input, dims + 1, dims + 2);
    return pad(input, this.padding, this.mode());
  }
  override extra_repr(): string {
    return py(this.padding);
  }
}

abstract class CircularPad extends Padding {
  protected override mode(): PadMode {
    return 'circular';
  }
}
abstract class ReflectionPad extends Padding {
  protected override mode(): PadMode {
    return 'reflect';
  }
}
abstract class ReplicationPad extends Padding {
  protected override mode(): PadMode {
    return 'replicate';
  }
}

type ConstantArgs = Call<[padding: Size, value: number], [], { padding: Size; value: number }>;

abstract class ConstantPad extends Module {
  padding: readonly number[];
  value: number;
  constructor(padding: Size, value: number, dims: number) {
    super();
    this.padding = tuple(padding, 2 * dims);
    this.value = value;
  }
  forward(input: Tensor): Tensor {
    return pad(input, this.padding, 'constant', this.value);
  }
  override extra_repr(): string {
    return `padding=${py(this.padding)}, value=${py(this.value)}`;
  }
}
const constant = (args: ConstantArgs): [Size, number] =>
  bind('ConstantPad', 'int[1] padding, float value', args) as [Size, number];

abstract class ZeroPad extends ConstantPad {
  constructor(args: PaddingArgs, dims: number) {
    super((bind('ZeroPad', 'int[1] padding', args) as [Size])[0], 0, dims);
  }
  override extra_repr(): string {
    return py(this.padding);
  }
}

/** Pads [N, C, W] with its own elements from the other end. */
export class CircularPad1d extends CircularPad {
  constructor(...args: PaddingArgs) {
    super(args, 'CircularPad1d', 1);
  }
}
/** Pads [N, C, H, W] with its own elements from the other end. */
export class CircularPad2d extends CircularPad {
  constructor(...args: PaddingArgs) {
    super(args, 'CircularPad2d', 2);
  }
}
/** Pads [N, C, D, H, W] with its own elements from the other end. */
export class CircularPad3d extends CircularPad {
  constructor(...args: PaddingArgs) {
    super(args, 'CircularPad3d', 3);
  }
}
/** Pads [N, C, W] with its own elements, mirrored. */
export class ReflectionPad1d extends ReflectionPad {
  constructor(...args: PaddingArgs) {
    super(args, 'ReflectionPad1d', 1);
  }
}
/** Pads [N, C, H, W] with its own elements, mirrored. */
export class ReflectionPad2d extends ReflectionPad {
  constructor(...args: PaddingArgs) {
    super(args, 'ReflectionPad2d', 2);
  }
}
/** Pads [N, C, D, H, W] with its own elements, mirrored. */
export class ReflectionPad3d extends ReflectionPad {
  constructor(...args: PaddingArgs) {
    super(args, 'ReflectionPad3d', 3);
  }
}
/** Pads [N, C, W] with its border elements. */
export class ReplicationPad1d extends ReplicationPad {
  constructor(...args: PaddingArgs) {
    super(args, 'ReplicationPad1d', 1);
  }
}
/** Pads [N, C, H, W] with its border elements. */
export class ReplicationPad2d extends ReplicationPad {
  constructor(...args: PaddingArgs) {
    super(args, 'ReplicationPad2d', 2);
  }
}
/** Pads [N, C, D, H, W] with its border elements. */
export class ReplicationPad3d extends ReplicationPad {
  constructor(...args: PaddingArgs) {
    super(args, 'ReplicationPad3d', 3);
  }
}
/** Pads the last dimension with a value. */
export class ConstantPad1d extends ConstantPad {
  constructor(...args: ConstantArgs) {
    super(...constant(args), 1);
  }
}
/** Pads the last two dimensions with a value. */
export class ConstantPad2d extends ConstantPad {
  constructor(...args: ConstantArgs) {
    super(...constant(args), 2);
  }
}
/** Pads the last three dimensions with a value. */
export class ConstantPad3d extends ConstantPad {
  constructor(...args: ConstantArgs) {
    super(...constant(args), 3);
  }
}
/** Pads the last dimension with zeros. */
export class ZeroPad1d extends ZeroPad {
  constructor(...args: PaddingArgs) {
    super(args, 1);
  }
}
/** Pads the last two dimensions with zeros. */
export class ZeroPad2d extends ZeroPad {
  constructor(...args: PaddingArgs) {
    super(args, 2);
  }
}
/** Pads the last three dimensions with zeros. */
export class ZeroPad3d extends ZeroPad {
  constructor(...args: PaddingArgs) {
    super(args, 3);
  }
}
