// Rearrangements of channels and pixels: reshapes and permutations.
import { RuntimeError } from '../../errors.js';
import { op } from '../../ops/define.js';
import type { Tensor } from '../../tensor.js';

type Rearrange<O> = (input: Tensor, ...args: [factor: number] | [options: O]) => Tensor;

/**
 * [*, C * r², H, W] to [*, C, H * r, W * r] (Shi et al., 2016).
 * @throws RuntimeError when the channels do not divide.
 */
export const pixel_shuffle: Rearrange<{ upscale_factor: number }> = op(
  'nn.functional.pixel_shuffle',
  'Tensor input, int upscale_factor',
  (x: Tensor, r: number) => {
    if (x.shape.length < 3)
      throw new RuntimeError(
        `pixel_shuffle expects input to have at least 3 dimensions, but got input with ${x.shape.length} dimension(s)`,
      );
    if (r <= 0) throw new RuntimeError(`pixel_shuffle expects a positive upscale_factor, but got ${r}`);
    const [c, h, w] = x.shape.slice(-3);
    if (c % (r * r) !== 0)
      throw new RuntimeError(
        `pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=${c} is not divisible by ${r * r}`,
      );
    const lead = x.shape.slice(0, -3);
    const n = lead.length;
    const split = x.reshape([...lead, c / (r * r), r, r, h, w]);
    return split
      .permute([...lead.map((_, d) => d), n, n + 3, n + 1, n + 4, n + 2])
      .reshape([...lead, c / (r * r), h * r, w * r]);
  },
);

/** The inverse of {@link pixel_shuffle}: [*, C, H * r, W * r] to [*, C * r², H, W]. */
export const pixel_unshuffle: Rearrange<{ downscale_factor: number }> = op(
  'nn.functional.pixel_unshuffle',
  'Tensor input, int downscale_factor',
  (x: Tensor, r: number) => {
    if (x.shape.length < 3)
      throw new RuntimeError(
        `pixel_unshuffle expects input to have at least 3 dimensions, but got input with ${x.shape.length} dimension(s)`,
      );
    if (r <= 0) throw new RuntimeError(`pixel_unshuffle expects a positive downscale_factor, but got ${r}`);
    const [c, h, w] = x.shape.slice(-3);
    for (const [name, size, at] of [
      ['height', h, 2],
      ['width', w, 1],
    ] as const)
      if (size % r !== 0)
        throw new RuntimeError(
          `pixel_unshuffle expects ${name} to be divisible by downscale_factor, but input.size(-${at})=${size} is not divisible by ${r}`,
        );
    const lead = x.shape.slice(0, -3);
    const n = lead.length;
    const split = x.reshape([...lead, c, h / r, r, w / r, r]);
    return split
      .permute([...lead.map((_, d) => d), n, n + 2, n + 4, n + 1, n + 3])
      .reshape([...lead, c * r * r, h / r, w / r]);
  },
);

/** Interleaves `groups` groups of the channels of [N, C, *]. @throws RuntimeError when the channels do not divide. */
export const channel_shuffle: Rearrange<{ groups: number }> = op(
  'nn.functional.channel_shuffle',
  'Tensor input, int groups',
  (x: Tensor, groups: number) => {
    if (x.shape.length <= 2)
      throw new RuntimeError(
        `channel_shuffle expects input with > 2 dims, but got input with sizes [${x.shape.join(', ')}]`,
      );
    const [n, c, ...rest] = x.shape;
    if (groups <= 0)
      throw new RuntimeError(
        `Number of groups to divide channels in must be positive. Value of groups:${groups}`,
      );
    if (c % groups !== 0)
      throw new RuntimeError(
        `Number of channels must be divisible by groups. Got ${c} channels and ${groups} groups.`,
      );
    if (x._numel === 0) return x.clone();
    return x
      .reshape([n, groups, c / groups, -1])
      .permute([0, 2, 1, 3])
      .reshape([n, c, ...rest]);
  },
);
/** Alias of {@link channel_shuffle}. */
export const native_channel_shuffle: typeof channel_shuffle = channel_shuffle;
