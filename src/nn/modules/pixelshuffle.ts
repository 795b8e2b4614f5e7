// Layers that rearrange channels and pixels.
import type { Tensor } from '../../tensor.js';
import { channel_shuffle, pixel_shuffle, pixel_unshuffle } from '../functional/shuffle.js';
import { bind, type Call, fields } from './arguments.js';
import { Module } from './module.js';

/** [*, C * r², H, W] to [*, C, H * r, W * r]. */
export class PixelShuffle extends Module {
  upscale_factor: number;
  constructor(...args: Call<[upscale_factor: number], [], { upscale_factor: number }>) {
    super();
    [this.upscale_factor] = bind('PixelShuffle', 'int upscale_factor', args) as [number];
  }
  forward(input: Tensor): Tensor {
    return pixel_shuffle(input, this.upscale_factor);
  }
  override extra_repr(): string {
    return fields(this, 'upscale_factor');
  }
}

/** [*, C, H * r, W * r] to [*, C * r², H, W]. */
export class PixelUnshuffle extends Module {
  downscale_factor: number;
  constructor(...args: Call<[downscale_factor: number], [], { downscale_factor: number }>) {
    super();
    [this.downscale_factor] = bind('PixelUnshuffle', 'int downscale_factor', args) as [number];
  }
  forward(input: Tensor): Tensor {
    return pixel_unshuffle(input, this.downscale_factor);
  }
  override extra_repr(): string {
    return fields(this, 'downscale_factor');
  }
}

/** Interleaves groups of channels. */
export class ChannelShuffle extends Module {
  groups: number;
  constructor(...args: Call<[groups: number], [], { groups: number }>) {
    super();
    [this.groups] = bind('ChannelShuffle', 'int groups', args) as [number];
  }
  forward(input: Tensor): Tensor {
    return channel_shuffle(input, this.groups);
  }
  override extra_repr(): string {
    return fields(this, 'groups');
  }
}
