// What transforms of pictures and of tensors share.
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import type { Image } from '../image.js';

/** A picture, or a tensor image [..., C, H, W] (also [H, W]). */
export type ImageLike = Tensor | Image;

/** How values between pixels are made. */
export type Interpolation =
  | 'nearest'
  | 'nearest-exact'
  | 'bilinear'
  | 'bicubic'
  | 'box'
  | 'hamming'
  | 'lanczos';

/** torchvision's names of the interpolations. */
export const InterpolationMode = {
  NEAREST: 'nearest',
  NEAREST_EXACT: 'nearest-exact',
  BILINEAR: 'bilinear',
  BICUBIC: 'bicubic',
  BOX: 'box',
  HAMMING: 'hamming',
  LANCZOS: 'lanczos',
} as const;

/** How borders are continued. */
export type PaddingMode = 'constant' | 'edge' | 'reflect' | 'symmetric';

/** One value for all channels, or one for each. */
export type Fill = number | readonly number[] | null;

/** `[height, width]` from one number or a list. @throws ValueError */
export function setupSize(
  size: number | readonly number[],
  message = 'Please provide only two dimensions (h, w) for size.',
): [number, number] {
  if (typeof size === 'number') return [Math.trunc(size), Math.trunc(size)];
  if (!Array.isArray(size) || (size.length !== 1 && size.length !== 2)) throw new ValueError(message);
  return size.length === 1 ? [size[0], size[0]] : [size[0], size[1]];
}

/** Python's `round`: halves go to the even neighbour. */
export function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** Left, top, right and bottom padding from 1, 2 or 4 numbers. @throws ValueError */
export function sidesOf(padding: number | readonly number[]): [number, number, number, number] {
  const list = typeof padding === 'number' ? [padding] : padding;
  if (list.length === 1) return [list[0], list[0], list[0], list[0]];
  if (list.length === 2) return [list[0], list[1], list[0], list[1]];
  if (list.length === 4) return [list[0], list[1], list[2], list[3]];
  throw new ValueError(
    `Padding must be an int or a 1, 2, or 4 element tuple, not a ${list.length} element tuple`,
  );
}
