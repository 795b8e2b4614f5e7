// torchvision.utils: grids of images, image files, boxes and masks drawn on images.
import { writePng } from '#images';
import { no_grad } from '../autograd/modes.js';
import { bool, type DType, int64, uint8 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { tensor } from '../ops/data.js';
import { cat, stack } from '../ops/join.js';
import { where } from '../ops/table.js';
import { Tensor } from '../tensor.js';
import { Image } from './image.js';
import { convert_image_dtype } from './transforms/functional_tensor.js';

export interface GridOptions {
  /** Images in a row. */
  nrow?: number;
  /** Pixels between images. */
  padding?: number;
  /** Stretch the values to [0, 1]. */
  normalize?: boolean;
  /** The values that become 0 and 1; default the smallest and largest. */
  value_range?: readonly [number, number] | null;
  /** Stretch each image by itself. */
  scale_each?: boolean;
  pad_value?: number;
}

/** Images [B, C, H, W] (or a list of them, or one) side by side in one image [C, height, width]. */
export function make_grid(images: Tensor | readonly Tensor[], options: GridOptions = {}): Tensor {
  const { nrow = 8, padding = 2, normalize = false, scale_each = false, pad_value = 0 } = options;
  let x = batchOf(images);
  if (normalize) x = stretched(x, options.value_range ?? null, scale_each);
  if (x.shape[0] === 1) return x.squeeze(0);
  const [n, channels, h, w] = x.shape;
  const columns = Math.min(nrow, n);
  const rows = Math.ceil(n / columns);
  const [height, width] = [h + padding, w + padding];
  const grid = x.new_full([channels, height * rows + padding, width * columns + padding], pad_value);
  for (let k = 0; k < n; k++) {
    const [row, column] = [Math.floor(k / columns), k % columns];
    grid
      .narrow(1, row * height + padding, h)
      .narrow(2, column * width + padding, w)
      .copy_(x.select(0, k));
  }
  return grid;
}

function batchOf(images: Tensor | readonly Tensor[]): Tensor {
  if (!(images instanceof Tensor) && !Array.isArray(images))
    throw new TypeError(`tensor or list of tensors expected, got ${typeof images}`);
  let x = images instanceof Tensor ? images : stack([...(images as readonly Tensor[])]);
  if (x.ndim === 2) x = x.unsqueeze(0);
  if (x.ndim === 3) x = x.unsqueeze(0);
  return x.ndim === 4 && x.shape[1] === 1 ? cat([x, x, x], 1) : x;
}

function stretched(x: Tensor, range: readonly [number, number] | null, each: boolean): Tensor {
  const one = (t: Tensor): Tensor => {
    const [low, high] = range ?? [t.min().item(), t.max().item()];
    return t
      .clamp(low, high)
      .sub(low)
      .div(Math.max(high - low, 1e-5));
  };
  return each ? stack([...x].map(one)) : one(x);
}

/** An image, or a grid of images, as a picture; float values count from 0 to 1. */
export function to_picture(images: Tensor | readonly Tensor[], options: GridOptions = {}): Image {
  return no_grad(() => {
    const grid = make_grid(images, options);
    const bytes = grid.mul(255).add(0.5).clamp(0, 255).to(uint8);
    return new Image(bytes.permute(1, 2, 0).contiguous());
  });
}

/**
 * Writes an image, or a grid of images, whose values count from 0 to 1, to a file. PNG files are written at once; for
 * other formats (by the ending) await the promise.
 */
export function save_image(
  images: Tensor | readonly Tensor[],
  fp: string | URL,
  options: GridOptions = {},
): Promise<void> {
  const picture = to_picture(images, options);
  if (!/\.png$/i.test(String(fp))) return picture.save(fp);
  const { width, height } = picture;
  writePng(fp, { data: picture.tobytes(), width, height, channels: picture.getbands().length });
  return Promise.resolve();
}

/** A colour: red, green and blue up to 255, `#rrggbb`, or one of a few names. */
export type Colour = readonly [number, number, number] | readonly number[] | string;

const names: Readonly<Record<string, readonly number[]>> = {
  black: [0, 0, 0],
  white: [255, 255, 255],
  red: [255, 0, 0],
  green: [0, 128, 0],
  lime: [0, 255, 0],
  blue: [0, 0, 255],
  yellow: [255, 255, 0],
  cyan: [0, 255, 255],
  magenta: [255, 0, 255],
  orange: [255, 165, 0],
  purple: [128, 0, 128],
  pink: [255, 192, 203],
  brown: [165, 42, 42],
  gray: [128, 128, 128],
  grey: [128, 128, 128],
};

function parseColour(colour: Colour): readonly number[] {
  if (typeof colour !== 'string') return colour;
  const hex = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour);
  if (hex) return hex.slice(1).map((digits) => Number.parseInt(digits, 16));
  const known = names[colour.toLowerCase()];
  if (!known) throw new ValueError(`unknown color specifier: '${colour}'`);
  return known;
}

const palette = [2 ** 25 - 1, 2 ** 15 - 1, 2 ** 21 - 1];

/** One colour for each object: the given ones, or torchvision's palette. */
function coloursOf(colours: Colour | readonly Colour[] | null, count: number): (readonly number[])[] {
  if (colours === null) return Array.from({ length: count }, (_, i) => palette.map((p) => (i * p) % 255));
  if (typeof colours === 'string' || typeof colours[0] === 'number')
    return new Array<readonly number[]>(count).fill(parseColour(colours as Colour));
  if (colours.length < count)
    throw new ValueError(
      `Number of colors must be equal or larger than the number of objects, but got ${colours.length} < ${count}.`,
    );
  return (colours as readonly Colour[]).slice(0, count).map(parseColour);
}

function checkImage(image: Tensor, channels: readonly number[]): void {
  if (!(image instanceof Tensor)) throw new TypeError(`Tensor expected, got ${typeof image}`);
  if (image.dtype !== uint8 && !image.is_floating_point())
    throw new ValueError(`The image dtype must be uint8 or float, got ${image.dtype}`);
  if (image.ndim !== 3) throw new ValueError('Pass individual images, not batches');
  if (!channels.includes(image.shape[0]))
    throw new ValueError(
      channels.length > 1
        ? 'Only grayscale and RGB images are supported'
        : 'Pass an RGB image. Other Image formats are not supported',
    );
}

export interface BoxOptions {
  colors?: Colour | readonly Colour[] | null;
  /** Tint the inside. */
  fill?: boolean;
  /** Width of the outline, inwards. */
  width?: number;
}

/**
 * A copy of an image [1 or 3, H, W] with the outlines of boxes [N, 4] (x1, y1, x2, y2), as [3, H, W].
 * @throws ValueError for boxes in another format.
 */
export function draw_bounding_boxes(image: Tensor, boxes: Tensor, options: BoxOptions = {}): Tensor {
  checkImage(image, [1, 3]);
  const { colors = null, fill = false, width = 1 } = options;
  // Coordinates that are not numbers become -2^63: beyond 2^53 they come as bigints.
  const list = (boxes.to(int64).tolist() as (number | bigint)[][]).map((box) => box.map(Number));
  if (list.some(([x1, y1, x2, y2]) => x1 > x2 || y1 > y2))
    throw new ValueError(
      'Boxes need to be in (xmin, ymin, xmax, ymax) format. Use torchvision.ops.box_convert to convert them',
    );
  if (list.length === 0) return image;
  return no_grad(() => {
    const rgb = image.shape[0] === 1 ? image.expand(3, -1, -1) : image;
    const out = asBytes(rgb).clone();
    coloursOf(colors, list.length).forEach((colour, i) => {
      if (fill) tint(out, list[i], colour, 100);
      outline(out, list[i], colour, width);
    });
    return image.is_floating_point() ? convert_image_dtype(out, image.dtype) : out;
  });
}

/** An image as bytes; float values as transforms.v2's to_dtype scales them. */
const asBytes = (x: Tensor, dtype: DType = uint8): Tensor => convert_image_dtype(x, dtype);

/** Rows and columns of a box that lie in the image; ends are inside. */
function inner(x: Tensor, [x1, y1, x2, y2]: readonly number[]): Tensor | null {
  const [, h, w] = x.shape;
  const [left, top, right, bottom] = [
    Math.max(x1, 0),
    Math.max(y1, 0),
    Math.min(x2, w - 1),
    Math.min(y2, h - 1),
  ];
  if (left > right || top > bottom) return null;
  return x.narrow(1, top, bottom - top + 1).narrow(2, left, right - left + 1);
}

function paint(x: Tensor, box: readonly number[], colour: readonly number[]): void {
  const part = inner(x, box);
  if (part !== null) colour.forEach((v, c) => void part.select(0, c).fill_(v));
}

function outline(
  x: Tensor,
  [x1, y1, x2, y2]: readonly number[],
  colour: readonly number[],
  width: number,
): void {
  for (let i = 0; i < width; i++) {
    const [l, t, r, b] = [x1 + i, y1 + i, x2 - i, y2 - i];
    if (l > r || t > b) return;
    for (const side of [
      [l, t, r, t],
      [l, b, r, b],
      [l, t, l, b],
      [r, t, r, b],
    ])
      paint(x, side, colour);
  }
}

/** Blends a colour over the bytes of a box, `opacity` of 255, rounded as Pillow does. */
function tint(x: Tensor, box: readonly number[], colour: readonly number[], opacity: number): void {
  const part = inner(x, box);
  if (part === null) return;
  colour.forEach((v, c) => {
    const plane = part.select(0, c);
    const sum = plane
      .to(int64)
      .mul(255 - opacity)
      .add(v * opacity + 128);
    plane.copy_(sum.bitwise_right_shift(8).add(sum).bitwise_right_shift(8));
  });
}

/**
 * A copy of an image [3, H, W] with masks [N, H, W] (bool) in colours, blended by `alpha`.
 * @throws ValueError for masks of another size or type.
 */
export function draw_segmentation_masks(
  image: Tensor,
  masks: Tensor,
  options: { alpha?: number; colors?: Colour | readonly Colour[] | null } = {},
): Tensor {
  checkImage(image, [3]);
  const { alpha = 0.8, colors = null } = options;
  const all = masks.ndim === 2 ? masks.unsqueeze(0) : masks;
  if (all.ndim !== 3) throw new ValueError('masks must be of shape (H, W) or (batch_size, H, W)');
  if (all.dtype !== bool) throw new ValueError(`The masks must be of dtype bool. Got ${all.dtype}`);
  if (all.shape[1] !== image.shape[1] || all.shape[2] !== image.shape[2])
    throw new ValueError('The image and the masks must have the same height and width');
  if (all.shape[0] === 0) return image;
  return no_grad(() => {
    const scale = image.is_floating_point() ? 255 : 1;
    let drawn = image;
    coloursOf(colors, all.shape[0]).forEach((colour, i) => {
      const values = tensor(colour.map((v) => v / scale))
        .to(image.dtype)
        .view(3, 1, 1);
      drawn = where(all.select(0, i), values, drawn);
    });
    drawn = where(all.sum(0).gt(1), drawn.mul(0), drawn);
    return image
      .mul(1 - alpha)
      .add(drawn.mul(alpha))
      .to(image.dtype);
  });
}
