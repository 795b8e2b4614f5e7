// torchvision.transforms.functional: every function takes a picture (Image) or a tensor image [..., C, H, W], and gives
// the same kind back. Numbers are Pillow's for pictures and torchvision's for tensors.
import { type DType, get_default_dtype, uint8 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { bind, type Call } from '../../nn/modules/arguments.js';
import { tensor } from '../../ops/data.js';
import { Tensor } from '../../tensor.js';
import { Image } from '../image.js';
import {
  type Fill,
  type ImageLike,
  type Interpolation,
  type PaddingMode,
  roundEven,
  setupSize,
} from './common.js';
import * as P from './functional_pil.js';
import * as T from './functional_tensor.js';
import {
  expandedSize,
  inverseAffineMatrix,
  perspectiveCoefficients,
  warpAffine,
  warpPerspective,
} from './geometry.js';

/** Calls one function for pictures and another for tensors. */
function each<I extends ImageLike>(img: I, picture: (x: Image) => Image, plain: (x: Tensor) => Tensor): I {
  if (img instanceof Image) return picture(img) as I;
  if (img instanceof Tensor) return plain(img) as I;
  throw new TypeError(`img should be PIL Image or Tensor. Got ${typeof img}`);
}

/** Does the same with the pixels [H, W, C] of pictures as with tensors [C, H, W]. */
function asPlanes<I extends ImageLike>(img: I, fn: (x: Tensor) => Tensor): I {
  return each(
    img,
    (x) =>
      new Image(
        fn(x.pixels.permute(2, 0, 1))
          .permute(1, 2, 0)
          .contiguous(),
      ),
    fn,
  );
}

/** `[channels, height, width]` of an image. */
export function get_dimensions(img: ImageLike): [number, number, number] {
  if (img instanceof Image) return [img.getbands().length, img.height, img.width];
  if (img instanceof Tensor) return T.dimensions(img);
  throw new TypeError(`Unexpected type ${typeof img}`);
}

/** `[width, height]` of an image. */
export function get_image_size(img: ImageLike): [number, number] {
  const [, h, w] = get_dimensions(img);
  return [w, h];
}

/**
 * A picture, or a uint8 tensor [H, W] or [H, W, C], as a tensor [C, H, W] with values from 0 to 1; tensors of other
 * types keep their values.
 */
export function to_tensor(pic: ImageLike): Tensor {
  const x = pic instanceof Image ? pic.pixels : pic;
  if (!(x instanceof Tensor)) throw new TypeError(`pic should be PIL Image or ndarray. Got ${typeof pic}`);
  if (x.ndim !== 2 && x.ndim !== 3)
    throw new ValueError(`pic should be 2/3 dimensional. Got ${x.ndim} dimensions.`);
  const planes = x.ndim === 2 ? x.unsqueeze(0) : x.permute(2, 0, 1).contiguous();
  return planes.dtype === uint8 ? planes.to(get_default_dtype()).div_(255) : planes;
}

/** A picture as a uint8 tensor [C, H, W]. */
export function pil_to_tensor(pic: Image): Tensor {
  if (!(pic instanceof Image)) throw new TypeError(`pic should be PIL Image. Got ${typeof pic}`);
  return pic.pixels.permute(2, 0, 1).contiguous();
}

/** A tensor [C, H, W] or [H, W] as a picture; values of float types count from 0 to 1. */
export function to_pil_image(pic: Tensor): Image {
  if (!(pic instanceof Tensor)) throw new TypeError(`pic should be Tensor or ndarray. Got ${typeof pic}.`);
  if (pic.ndim !== 2 && pic.ndim !== 3)
    throw new ValueError(`pic should be 2/3 dimensional. Got ${pic.ndim} dimensions.`);
  const planes = pic.ndim === 2 ? pic.unsqueeze(0) : pic;
  if (planes.shape[0] > 4)
    throw new ValueError(`pic should not have > 4 channels. Got ${planes.shape[0]} channels.`);
  const bytes = planes.is_floating_point() ? planes.mul(255).to(uint8) : planes.to(uint8);
  return new Image(bytes.permute(1, 2, 0).contiguous());
}

/** Converts the dtype of an image and scales its values to the range of the new one. */
export const convert_image_dtype = (image: Tensor, dtype: DType = get_default_dtype()): Tensor =>
  T.convert_image_dtype(image, dtype);

/** `(x - mean) / std` for each channel of a float image. @throws ValueError for a std of 0. */
export function normalize(
  x: Tensor,
  mean: readonly number[],
  std: readonly number[],
  inplace = false,
): Tensor {
  if (!(x instanceof Tensor)) throw new TypeError(`img should be Tensor Image. Got ${typeof x}`);
  if (!x.is_floating_point()) throw new TypeError(`Input tensor should be a float tensor. Got ${x.dtype}.`);
  if (x.ndim < 3)
    throw new ValueError(
      `Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = torch.Size([${x.shape.join(', ')}])`,
    );
  const scale = tensor([...std], { dtype: x.dtype }).view(-1, 1, 1);
  if (std.some((s) => s === 0))
    throw new ValueError(
      `std evaluated to zero after conversion to ${x.dtype}, leading to division by zero.`,
    );
  const shift = tensor([...mean], { dtype: x.dtype }).view(-1, 1, 1);
  return (inplace ? x.sub_(shift) : x.sub(shift)).div_(scale);
}

/** Mirrors left and right. */
export const hflip = <I extends ImageLike>(img: I): I => asPlanes(img, T.hflip);
/** Mirrors top and bottom. */
export const vflip = <I extends ImageLike>(img: I): I => asPlanes(img, T.vflip);

/** Cuts out a box; what lies outside of the image is 0. */
export const crop = <I extends ImageLike>(
  img: I,
  top: number,
  left: number,
  height: number,
  width: number,
): I => asPlanes(img, (x) => T.crop(x, top, left, height, width));

/** The size `[height, width]` that an image is resized to. @throws ValueError */
export function resizedSize(
  [h, w]: readonly [number, number],
  size: number | readonly number[] | null,
  max_size: number | null,
): [number, number] {
  const list = typeof size === 'number' ? [size] : size;
  if (list !== null && list.length !== 1 && list.length !== 2)
    throw new ValueError(
      `Size must be an int or a 1 or 2 element tuple/list, not a ${list.length} element tuple/list`,
    );
  if (list !== null && list.length === 2) {
    if (max_size !== null)
      throw new ValueError(
        'max_size should only be passed if size specifies the length of the smaller edge, i.e. size should be an int or a sequence of length 1 in torchscript mode.',
      );
    return [list[0], list[1]];
  }
  const [short, long] = w <= h ? [w, h] : [h, w];
  let newShort: number;
  let newLong: number;
  if (list === null) {
    if (max_size === null)
      throw new ValueError(`max_size must be an integer when size is None, but got ${max_size} instead.`);
    [newShort, newLong] = [Math.trunc((max_size * short) / long), max_size];
  } else {
    [newShort, newLong] = [list[0], Math.trunc((list[0] * long) / short)];
    if (max_size !== null) {
      if (max_size <= list[0])
        throw new ValueError(
          `max_size = ${max_size} must be strictly greater than the requested size for the smaller edge size = ${JSON.stringify(size)}`,
        );
      if (newLong > max_size) [newShort, newLong] = [Math.trunc((max_size * newShort) / newLong), max_size];
    }
  }
  return w <= h ? [newLong, newShort] : [newShort, newLong];
}

export interface ResizeOptions {
  interpolation?: Interpolation;
  /** The longer edge becomes no longer than this, where `size` is one number. */
  max_size?: number | null;
  /** Weigh all that an output pixel covers when shrinking a tensor (pictures always are). */
  antialias?: boolean | null;
}

/** Resizes to `[height, width]`, or the shorter edge to one number. */
export function resize<I extends ImageLike>(
  img: I,
  size: number | readonly number[] | null,
  ...args: Call<
    [],
    [interpolation: Interpolation, max_size: number | null, antialias: boolean | null],
    ResizeOptions
  >
): I {
  const [mode, max_size, antialias] = bind(
    'resize',
    "str interpolation='bilinear', int? max_size=None, bool? antialias=True",
    args,
  ) as [Interpolation, number | null, boolean | null];
  const [, h, w] = get_dimensions(img);
  const to = resizedSize([h, w], size, max_size);
  if (to[0] === h && to[1] === w) return img;
  return each(
    img,
    (x) => P.resize(x, to, mode),
    (x) => T.resize(x, to, mode, antialias === true),
  );
}

/** Continues the borders: padding is one number, `[left/right, top/bottom]` or `[left, top, right, bottom]`. */
export function pad<I extends ImageLike>(
  img: I,
  padding: number | readonly number[],
  fill: Fill = 0,
  padding_mode: PaddingMode = 'constant',
): I {
  if (typeof fill === 'number' || fill === null || fill.length === 1 || padding_mode !== 'constant') {
    const value = fill === null ? 0 : typeof fill === 'number' ? fill : fill[0];
    return asPlanes(img, (x) => T.pad(x, padding, value, padding_mode));
  }
  return asPlanes(img, (x) => padColour(x, padding, fill));
}

/** Borders of one colour: each channel with a value of its own. */
function padColour(x: Tensor, padding: number | readonly number[], fill: readonly number[]): Tensor {
  const channels = T.dimensions(x)[0];
  if (fill.length !== channels)
    throw new ValueError(
      `The number of elements in 'fill' does not match the number of channels of the image (${fill.length} != ${channels})`,
    );
  const out = T.pad(x, padding, 0);
  const mask = T.pad(x.mul(0).add(1), padding, 0).eq(0);
  const colours = tensor([...fill], { dtype: x.dtype })
    .view(-1, 1, 1)
    .expand_as(out);
  return colours.where(mask, out);
}

/** Cuts out the middle; a smaller image is padded with 0. */
export function center_crop<I extends ImageLike>(img: I, output_size: number | readonly number[]): I {
  const [ch, cw] = setupSize(output_size);
  let image = img;
  let [, h, w] = get_dimensions(image);
  if (cw > w || ch > h) {
    const half = (a: number, b: number, more: number): number => (a > b ? (a - b + more) >> 1 : 0);
    image = pad(image, [half(cw, w, 0), half(ch, h, 0), half(cw, w, 1), half(ch, h, 1)]);
    [, h, w] = get_dimensions(image);
    if (cw === w && ch === h) return image;
  }
  return crop(image, roundEven((h - ch) / 2), roundEven((w - cw) / 2), ch, cw);
}

/** Cuts out a box and resizes it. */
export function resized_crop<I extends ImageLike>(
  img: I,
  top: number,
  left: number,
  height: number,
  width: number,
  size: number | readonly number[],
  ...args: Call<
    [],
    [interpolation: Interpolation, antialias: boolean | null],
    Omit<ResizeOptions, 'max_size'>
  >
): I {
  const [interpolation, antialias] = bind(
    'resized_crop',
    "str interpolation='bilinear', bool? antialias=True",
    args,
  ) as [Interpolation, boolean | null];
  return resize(crop(img, top, left, height, width), size, { interpolation, antialias });
}

/** The four corners and the middle. */
export function five_crop<I extends ImageLike>(img: I, size: number | readonly number[]): [I, I, I, I, I] {
  const [h, w] = setupSize(size);
  const [, ih, iw] = get_dimensions(img);
  if (w > iw || h > ih)
    throw new ValueError(`Requested crop size (${h}, ${w}) is bigger than input size (${ih}, ${iw})`);
  return [
    crop(img, 0, 0, h, w),
    crop(img, 0, iw - w, h, w),
    crop(img, ih - h, 0, h, w),
    crop(img, ih - h, iw - w, h, w),
    center_crop(img, [h, w]),
  ];
}

/** The crops of {@link five_crop}, and those of the flipped image. */
export function ten_crop<I extends ImageLike>(
  img: I,
  size: number | readonly number[],
  vertical_flip = false,
): I[] {
  return [...five_crop(img, size), ...five_crop(vertical_flip ? vflip(img) : hflip(img), size)];
}

// Colours.

/** The luminance of an RGB image, in one channel or three equal ones. */
export const rgb_to_grayscale = <I extends ImageLike>(img: I, num_output_channels = 1): I =>
  each(
    img,
    (x) => P.to_grayscale(x, num_output_channels),
    (x) => T.rgb_to_grayscale(x, num_output_channels),
  );
/** The luminance of a picture, in one channel or three equal ones. */
export const to_grayscale = (img: Image, num_output_channels = 1): Image =>
  P.to_grayscale(img, num_output_channels);
/** Multiplies the values by a factor: 0 is black, 1 leaves the image. */
export const adjust_brightness = <I extends ImageLike>(img: I, brightness_factor: number): I =>
  each(
    img,
    (x) => P.adjust_brightness(x, brightness_factor),
    (x) => T.adjust_brightness(x, brightness_factor),
  );
/** Blends with the mean luminance: 0 is grey, 1 leaves the image. */
export const adjust_contrast = <I extends ImageLike>(img: I, contrast_factor: number): I =>
  each(
    img,
    (x) => P.adjust_contrast(x, contrast_factor),
    (x) => T.adjust_contrast(x, contrast_factor),
  );
/** Blends with the luminance: 0 has no colour, 1 leaves the image. */
export const adjust_saturation = <I extends ImageLike>(img: I, saturation_factor: number): I =>
  each(
    img,
    (x) => P.adjust_saturation(x, saturation_factor),
    (x) => T.adjust_saturation(x, saturation_factor),
  );
/** Turns the hue by a part of the circle, from -0.5 to 0.5. */
export const adjust_hue = <I extends ImageLike>(img: I, hue_factor: number): I =>
  each(
    img,
    (x) => P.adjust_hue(x, hue_factor),
    (x) => T.adjust_hue(x, hue_factor),
  );
/** `255 * gain * (value / 255) ** gamma`: above 1 shadows get darker, below 1 lighter. */
export const adjust_gamma = <I extends ImageLike>(img: I, gamma: number, gain = 1): I =>
  each(
    img,
    (x) => P.adjust_gamma(x, gamma, gain),
    (x) => T.adjust_gamma(x, gamma, gain),
  );
/** Blends with a smoothed image: 0 is smooth, 1 leaves it, 2 is sharper. */
export const adjust_sharpness = <I extends ImageLike>(img: I, sharpness_factor: number): I =>
  each(
    img,
    (x) => P.adjust_sharpness(x, sharpness_factor),
    (x) => T.adjust_sharpness(x, sharpness_factor),
  );
/** Negates the colours. */
export const invert = <I extends ImageLike>(img: I): I => each(img, P.invert, T.invert);
/** Keeps the given number of bits of each byte. */
export const posterize = <I extends ImageLike>(img: I, bits: number): I =>
  each(
    img,
    (x) => P.posterize(x, bits),
    (x) => T.posterize(x, bits),
  );
/** Inverts the values from a threshold on. */
export const solarize = <I extends ImageLike>(img: I, threshold: number): I =>
  each(
    img,
    (x) => P.solarize(x, threshold),
    (x) => T.solarize(x, threshold),
  );
/** Stretches every channel so that its darkest value is black and its lightest white. */
export const autocontrast = <I extends ImageLike>(img: I): I => each(img, P.autocontrast, T.autocontrast);
/** Makes the histogram of every channel as even as it can be. */
export const equalize = <I extends ImageLike>(img: I): I => each(img, P.equalize, T.equalize);

/** Replaces a box of a tensor image. */
export function erase(
  img: Tensor,
  i: number,
  j: number,
  h: number,
  w: number,
  v: Tensor,
  inplace = false,
): Tensor {
  if (!(img instanceof Tensor)) throw new TypeError(`img should be Tensor Image. Got ${typeof img}`);
  return T.erase(img, i, j, h, w, v, inplace);
}

/** Smooths by a Gaussian kernel of odd sizes `[x, y]`. */
export function gaussian_blur<I extends ImageLike>(
  img: I,
  kernel_size: number | readonly number[],
  sigma: number | readonly number[] | null = null,
): I {
  const pair = (v: number | readonly number[]): [number, number] =>
    typeof v === 'number' ? [v, v] : [v[0], v[v.length - 1]];
  const sizes = pair(kernel_size);
  for (const k of sizes)
    if (k % 2 === 0 || k < 0)
      throw new ValueError(`kernel_size should have odd and positive integers. Got [${sizes.join(', ')}]`);
  const widths = sigma === null ? (sizes.map((k) => k * 0.15 + 0.35) as [number, number]) : pair(sigma);
  if (widths.some((s) => s <= 0))
    throw new ValueError(`sigma should have positive values. Got [${widths.join(', ')}]`);
  return asPlanes(img, (x) => T.gaussian_blur(x, sizes, widths));
}

// Warps.

function gridMode(mode: Interpolation): 'nearest' | 'bilinear' {
  if (mode === 'nearest' || mode === 'bilinear') return mode;
  throw new ValueError(`Interpolation mode '${mode}' is unsupported with Tensor input`);
}

const fillList = (fill: Fill): readonly number[] | null => (typeof fill === 'number' ? [fill] : fill);

/** A point in pixels, counted from the middle of the image. */
const centred = (center: readonly number[] | null, w: number, h: number): [number, number] =>
  center === null ? [0, 0] : [center[0] - w * 0.5, center[1] - h * 0.5];

export interface RotateOptions {
  interpolation?: Interpolation;
  /** Make the result large enough for the whole turned image. */
  expand?: boolean;
  /** The point to turn about, in pixels; default the middle. */
  center?: readonly number[] | null;
  fill?: Fill;
}

/** Turns counterclockwise by an angle in degrees. */
export function rotate<I extends ImageLike>(
  img: I,
  angle: number,
  ...args: Call<
    [],
    [interpolation: Interpolation, expand: boolean, center: readonly number[] | null, fill: Fill],
    RotateOptions
  >
): I {
  const [mode, expand, center, fill] = bind(
    'rotate',
    "str interpolation='nearest', bool expand=False, float[]? center=None, any fill=None",
    args,
  ) as [Interpolation, boolean, number[] | null, Fill];
  const [, h, w] = get_dimensions(img);
  return each(
    img,
    (x) => P.rotate(x, angle, mode, expand, center, fill),
    (x) => {
      const matrix = inverseAffineMatrix(centred(center, w, h), -angle, [0, 0], 1, [0, 0]);
      const size = expand ? expandedSize(matrix, w, h) : undefined;
      return warpAffine(x, matrix, gridMode(mode), fillList(fill), size);
    },
  );
}

export interface AffineOptions {
  interpolation?: Interpolation;
  fill?: Fill;
  /** The fixed point of rotation, scale and shear, in pixels; default the middle. */
  center?: readonly number[] | null;
}

/** Rotates (degrees, clockwise), moves (pixels), scales and shears (degrees). */
export function affine<I extends ImageLike>(
  img: I,
  angle: number,
  translate: readonly number[],
  scale: number,
  shear: number | readonly number[],
  ...args: Call<
    [],
    [interpolation: Interpolation, fill: Fill, center: readonly number[] | null],
    AffineOptions
  >
): I {
  const [mode, fill, center] = bind(
    'affine',
    "str interpolation='nearest', any fill=None, float[]? center=None",
    args,
  ) as [Interpolation, Fill, number[] | null];
  if (translate.length !== 2) throw new ValueError('Argument translate should be a sequence of length 2');
  if (scale <= 0) throw new ValueError('Argument scale should be positive');
  const list = typeof shear === 'number' ? [shear, 0] : shear.length === 1 ? [shear[0], shear[0]] : shear;
  if (list.length !== 2)
    throw new ValueError(`Shear should be a sequence containing two values. Got [${list.join(', ')}]`);
  const [, h, w] = get_dimensions(img);
  return each(
    img,
    (x) => {
      const matrix = inverseAffineMatrix(center ?? [w * 0.5, h * 0.5], angle, translate, scale, list);
      return P.warp(x, matrix, [h, w], mode, fill);
    },
    (x) => {
      const matrix = inverseAffineMatrix(centred(center, w, h), angle, translate, scale, list);
      return warpAffine(x, matrix, gridMode(mode), fillList(fill));
    },
  );
}

/** Moves four points of an image (`[x, y]` each) to four others. */
export function perspective<I extends ImageLike>(
  img: I,
  startpoints: readonly (readonly number[])[],
  endpoints: readonly (readonly number[])[],
  interpolation: Interpolation = 'bilinear',
  fill: Fill = null,
): I {
  const coefficients = perspectiveCoefficients(startpoints, endpoints);
  const [, h, w] = get_dimensions(img);
  return each(
    img,
    (x) => P.warp(x, coefficients, [h, w], interpolation, fill),
    (x) => warpPerspective(x, coefficients, gridMode(interpolation), fillList(fill)),
  );
}
