// What each geometric function does to images, masks and boxes.

import { stack } from '../../../ops/join.js';
import type { Tensor } from '../../../tensor.js';
import { Image as Picture } from '../../image.js';
import { box_convert } from '../../ops/boxes.js';
import { BoundingBoxes, Mask, wrap } from '../../tv_tensors.js';
import type { Fill, ImageLike, Interpolation, PaddingMode } from '../common.js';
import { roundEven, setupSize, sidesOf } from '../common.js';
import * as F from '../functional.js';

type Leaf = Tensor | Picture;

/** Changes the corners of boxes, and perhaps the size of their canvas. */
function onCorners(
  boxes: BoundingBoxes,
  fn: (x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor) => Tensor[],
  canvas_size: readonly [number, number] = boxes.canvas_size,
  clamp = false,
): BoundingBoxes {
  const [x1, y1, x2, y2] = box_convert(boxes, boxes.format, 'xyxy').unbind(-1);
  let corners = fn(x1, y1, x2, y2);
  if (clamp) corners = clamped(corners, canvas_size);
  const out = box_convert(stack(corners, -1), 'xyxy', boxes.format).to(boxes.dtype);
  return wrap(out, boxes, { canvas_size });
}

const clamped = ([x1, y1, x2, y2]: Tensor[], [h, w]: readonly [number, number]): Tensor[] => [
  x1.clamp(0, w),
  y1.clamp(0, h),
  x2.clamp(0, w),
  y2.clamp(0, h),
];

/** Keeps boxes inside of their canvas. */
export const clampBoxes = (boxes: BoundingBoxes): BoundingBoxes =>
  onCorners(boxes, (...corners) => corners, boxes.canvas_size, true);

/** Applies a function of images; masks get it with one channel where they have none. */
function onImage(x: Leaf, fn: (image: ImageLike) => ImageLike): Leaf {
  if (x instanceof Picture) return fn(x);
  if (x instanceof Mask && x.ndim === 2) return new Mask((fn(x.unsqueeze(0)) as Tensor).squeeze(0));
  return wrap(fn(x) as Tensor, x);
}

/** Mirrors left and right. */
export function hflip(x: Leaf): Leaf {
  if (!(x instanceof BoundingBoxes)) return onImage(x, F.hflip);
  const width = x.canvas_size[1];
  return onCorners(x, (x1, y1, x2, y2) => [x2.neg().add(width), y1, x1.neg().add(width), y2]);
}

/** Mirrors top and bottom. */
export function vflip(x: Leaf): Leaf {
  if (!(x instanceof BoundingBoxes)) return onImage(x, F.vflip);
  const height = x.canvas_size[0];
  return onCorners(x, (x1, y1, x2, y2) => [x1, y2.neg().add(height), x2, y1.neg().add(height)]);
}

export function resize(
  x: Leaf,
  size: number | readonly number[] | null,
  interpolation: Interpolation,
  max_size: number | null,
  antialias: boolean | null,
): Leaf {
  if (x instanceof BoundingBoxes) {
    const to = F.resizedSize(x.canvas_size, size, max_size);
    const [sy, sx] = [to[0] / x.canvas_size[0], to[1] / x.canvas_size[1]];
    return onCorners(x, (x1, y1, x2, y2) => [x1.mul(sx), y1.mul(sy), x2.mul(sx), y2.mul(sy)], to);
  }
  const mode = x instanceof Mask ? 'nearest' : interpolation;
  return onImage(x, (image) => F.resize(image, size, { interpolation: mode, max_size, antialias }));
}

export function crop(x: Leaf, top: number, left: number, height: number, width: number): Leaf {
  if (!(x instanceof BoundingBoxes)) return onImage(x, (image) => F.crop(image, top, left, height, width));
  return onCorners(
    x,
    (x1, y1, x2, y2) => [x1.sub(left), y1.sub(top), x2.sub(left), y2.sub(top)],
    [height, width],
    true,
  );
}

export function pad(x: Leaf, padding: number | readonly number[], fill: Fill, mode: PaddingMode): Leaf {
  if (!(x instanceof BoundingBoxes))
    return onImage(x, (image) => F.pad(image, padding, x instanceof Mask ? 0 : fill, mode));
  const [left, top, right, bottom] = sidesOf(padding);
  const [h, w] = x.canvas_size;
  return onCorners(
    x,
    (x1, y1, x2, y2) => [x1.add(left), y1.add(top), x2.add(left), y2.add(top)],
    [h + top + bottom, w + left + right],
    true,
  );
}

export function centerCrop(x: Leaf, size: number | readonly number[]): Leaf {
  if (!(x instanceof BoundingBoxes)) return onImage(x, (image) => F.center_crop(image, size));
  const [ch, cw] = setupSize(size);
  const [h, w] = x.canvas_size;
  const half = (n: number, of: number): number => roundEven((of - n) / 2);
  return crop(x, half(ch, h), half(cw, w), ch, cw);
}

/** Resizes a box of the input. */
export function resizedCrop(
  x: Leaf,
  box: readonly [number, number, number, number],
  size: readonly [number, number],
  interpolation: Interpolation,
  antialias: boolean | null,
): Leaf {
  return resize(crop(x, ...box), size, interpolation, null, antialias);
}
