// Resizing layers.

import { pyFloatRepr } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';
import { type Factors, type InterpolationMode, interpolate } from '../functional/interpolate.js';
import { bind, type Call, py, quoted } from './arguments.js';
import { Module } from './module.js';

export interface UpsampleOptions {
  size?: Factors | null;
  scale_factor?: Factors | null;
  mode?: InterpolationMode;
  align_corners?: boolean | null;
  recompute_scale_factor?: boolean | null;
}

type Sized = Factors | null;

/** Factors print as floats. */
const floats = (v: Factors): string =>
  typeof v === 'number' ? pyFloatRepr(v) : `(${v.map(pyFloatRepr).join(', ')}${v.length === 1 ? ',' : ''})`;

/** Resizes the spatial dimensions to a size or by a factor. */
export class Upsample extends Module {
  size: Sized;
  scale_factor: Sized;
  mode: InterpolationMode;
  align_corners: boolean | null;
  recompute_scale_factor: boolean | null;
  constructor(
    ...args: Call<
      [],
      [
        size: Sized,
        scale_factor: Sized,
        mode: InterpolationMode,
        align_corners: boolean | null,
        recompute_scale_factor: boolean | null,
      ],
      UpsampleOptions
    >
  ) {
    super();
    [this.size, this.scale_factor, this.mode, this.align_corners, this.recompute_scale_factor] = bind(
      'Upsample',
      "int[1]? size=None, float[1]? scale_factor=None, str mode='nearest', bool? align_corners=None, bool? recompute_scale_factor=None",
      args,
    ) as [Sized, Sized, InterpolationMode, boolean | null, boolean | null];
  }
  forward(input: Tensor): Tensor {
    const { size, scale_factor, mode, align_corners, recompute_scale_factor } = this;
    return interpolate(input, { size, scale_factor, mode, align_corners, recompute_scale_factor });
  }
  override extra_repr(): string {
    const extent =
      this.scale_factor !== null ? `scale_factor=${floats(this.scale_factor)}` : `size=${py(this.size)}`;
    return `${extent}, mode=${quoted(this.mode)}`;
  }
}

type Pair = Call<[], [size: Sized, scale_factor: Sized], { size?: Sized; scale_factor?: Sized }>;
const pair = (args: Pair): { size: Sized; scale_factor: Sized } => {
  const [size, scale_factor] = bind(
    'Upsampling2d',
    'int[1]? size=None, float[1]? scale_factor=None',
    args,
  ) as [Sized, Sized];
  return { size, scale_factor };
};

/** Resizes [N, C, H, W] by repeating elements. */
export class UpsamplingNearest2d extends Upsample {
  constructor(...args: Pair) {
    super({ ...pair(args), mode: 'nearest' });
  }
}

/** Resizes [N, C, H, W] bilinearly, the centres of the corner elements on each other. */
export class UpsamplingBilinear2d extends Upsample {
  constructor(...args: Pair) {
    super({ ...pair(args), mode: 'bilinear', align_corners: true });
  }
}
