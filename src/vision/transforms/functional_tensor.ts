// Transforms of tensor images [..., C, H, W], with the numbers of torchvision's functions of tensors.
import { bool, type DType, float32, float64, int8, int16, int32, int64, uint8 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { conv2d } from '../../nn/functional/conv.js';
import * as F from '../../nn/functional/index.js';
import { interpolate } from '../../nn/functional/interpolate.js';
import { tensor } from '../../ops/data.js';
import * as ops from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { type Interpolation, type PaddingMode, sidesOf } from './common.js';

/** The largest value of an image of a dtype. */
export function maxValue(dtype: DType): number {
  const bounds = new Map<DType, number>([
    [uint8, 255],
    [int8, 127],
    [int16, 32767],
    [int32, 2147483647],
    [int64, 2 ** 63],
  ]);
  return bounds.get(dtype) ?? 1;
}

export function checkImage(x: Tensor): void {
  if (x.ndim < 2) throw new TypeError('Tensor is not a torch image.');
}

/** `[channels, height, width]`. */
export function dimensions(x: Tensor): [number, number, number] {
  checkImage(x);
  return [x.ndim === 2 ? 1 : x.shape[x.ndim - 3], x.shape[x.ndim - 2], x.shape[x.ndim - 1]];
}

function checkChannels(x: Tensor, permitted: readonly number[]): void {
  const [c] = dimensions(x);
  if (!permitted.includes(c))
    throw new TypeError(
      `Input image tensor permitted channel values are [${permitted.join(', ')}], but found ${c}`,
    );
}

/** Values of one dtype's range as another's. */
export function convert_image_dtype(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  if (x.is_floating_point()) {
    if (dtype.is_floating_point) return x.to(dtype);
    if (
      (x.dtype === float32 && (dtype === int32 || dtype === int64)) ||
      (x.dtype === float64 && dtype === int64)
    )
      throw new RuntimeError(`The cast from ${x.dtype} to ${dtype} cannot be performed safely.`);
    return x.mul(maxValue(dtype) + 1 - 1e-3).to(dtype);
  }
  const from = maxValue(x.dtype);
  if (dtype.is_floating_point) return x.to(dtype).div(from);
  const to = maxValue(dtype);
  if (from > to) return ops.div(x, Math.floor((from + 1) / (to + 1)), { rounding_mode: 'floor' }).to(dtype);
  return x.to(dtype).mul(Math.floor((to + 1) / (from + 1)));
}

export const hflip = (x: Tensor): Tensor => x.flip(-1);
export const vflip = (x: Tensor): Tensor => x.flip(-2);

/** Cuts out a box; what lies outside of the image is 0. */
export function crop(x: Tensor, top: number, left: number, height: number, width: number): Tensor {
  const [, h, w] = dimensions(x);
  const [right, bottom] = [left + width, top + height];
  const inner = (): Tensor => {
    const [y, xx] = [Math.max(top, 0), Math.max(left, 0)];
    return x
      .narrow(-2, y, Math.max(0, Math.min(bottom, h) - y))
      .narrow(-1, xx, Math.max(0, Math.min(right, w) - xx));
  };
  if (left >= 0 && top >= 0 && right <= w && bottom <= h) return inner();
  return pad(inner(), [
    Math.max(-left + Math.min(0, right), 0),
    Math.max(-top + Math.min(0, bottom), 0),
    Math.max(right - Math.max(w, left), 0),
    Math.max(bottom - Math.max(h, top), 0),
  ]);
}

/** Continues the borders by `[left, top, right, bottom]`, or fewer numbers. */
export function pad(
  x: Tensor,
  padding: number | readonly number[],
  fill = 0,
  mode: PaddingMode = 'constant',
): Tensor {
  if (!['constant', 'edge', 'reflect', 'symmetric'].includes(mode))
    throw new ValueError('Padding mode should be either constant, edge, reflect or symmetric');
  const [left, top, right, bottom] = sidesOf(padding);
  if (mode === 'symmetric') return padSymmetric(x, left, top, right, bottom);
  const lead = x.ndim < 4 ? 4 - x.ndim : 0;
  let image = x;
  for (let i = 0; i < lead; i++) image = image.unsqueeze(0);
  const cast = mode !== 'constant' && x.dtype !== float32 && x.dtype !== float64;
  if (cast) image = image.to(float32);
  image =
    mode === 'constant'
      ? F.pad(image, [left, right, top, bottom], 'constant', fill)
      : F.pad(image, [left, right, top, bottom], mode === 'edge' ? 'replicate' : 'reflect');
  for (let i = 0; i < lead; i++) image = image.squeeze(0);
  return cast ? image.to(x.dtype) : image;
}

/** Borders mirrored with the edge repeated. */
function padSymmetric(x: Tensor, left: number, top: number, right: number, bottom: number): Tensor {
  const [, h, w] = dimensions(x);
  let image = x;
  if (Math.min(left, top, right, bottom) < 0)
    image = crop(
      x,
      Math.max(-top, 0),
      Math.max(-left, 0),
      h - Math.max(-top, 0) - Math.max(-bottom, 0),
      w - Math.max(-left, 0) - Math.max(-right, 0),
    );
  const places = (n: number, before: number, after: number): Tensor => {
    const list: bigint[] = [];
    for (let i = Math.max(before, 0) - 1; i >= 0; i--) list.push(BigInt(i));
    for (let i = 0; i < n; i++) list.push(BigInt(i));
    for (let i = 0; i < Math.max(after, 0); i++) list.push(BigInt(n - 1 - i));
    return tensor(list);
  };
  return image
    .index_select(image.ndim - 2, places(image.shape[image.ndim - 2], top, bottom))
    .index_select(image.ndim - 1, places(image.shape[image.ndim - 1], left, right));
}

/** An image as a batch of a float type, and how to make the result of the image's own form again. */
function asBatch(x: Tensor, wanted: readonly DType[]): [Tensor, (result: Tensor) => Tensor] {
  const lead = Math.max(4 - x.ndim, 0);
  let image = x;
  for (let i = 0; i < lead; i++) image = image.unsqueeze(0);
  const cast = !wanted.includes(x.dtype);
  return [
    cast ? image.to(wanted[0]) : image,
    (result) => {
      let out = result;
      for (let i = 0; i < lead; i++) out = out.squeeze(0);
      if (!cast) return out;
      return (x.dtype.is_floating_point || x.dtype === bool ? out : out.round()).to(x.dtype);
    },
  ];
}

export function resize(
  x: Tensor,
  size: readonly [number, number],
  mode: Interpolation,
  antialias: boolean,
): Tensor {
  const [image, back] = asBatch(x, [float32, float64]);
  const smooth = mode === 'bilinear' || mode === 'bicubic';
  if (mode !== 'nearest' && mode !== 'nearest-exact' && !smooth)
    throw new ValueError(`Interpolation mode '${mode}' is unsupported with Tensor input`);
  let out = interpolate(image, {
    size,
    mode,
    align_corners: smooth ? false : null,
    antialias: smooth && antialias,
  });
  if (mode === 'bicubic' && x.dtype === uint8) out = out.clamp(0, 255);
  return back(out);
}

// Colours.

export function rgb_to_grayscale(x: Tensor, channels: number): Tensor {
  if (x.ndim < 3)
    throw new TypeError(`Input image tensor should have at least 3 dimensions, but found ${x.ndim}`);
  checkChannels(x, [1, 3]);
  if (channels !== 1 && channels !== 3) throw new ValueError('num_output_channels should be either 1 or 3');
  let grey = x;
  if (dimensions(x)[0] === 3) {
    const [r, g, b] = x.unbind(-3);
    grey = r.mul(0.2989).add(g.mul(0.587)).add(b.mul(0.114)).to(x.dtype).unsqueeze(-3);
  } else grey = x.clone();
  return channels === 3 ? grey.expand(...x.shape) : grey;
}

function blend(a: Tensor, b: Tensor, ratio: number): Tensor {
  return a
    .mul(ratio)
    .add(b.mul(1 - ratio))
    .clamp(0, maxValue(a.dtype))
    .to(a.dtype);
}

const checkFactor = (name: string, factor: number): void => {
  if (factor < 0) throw new ValueError(`${name} (${factor}) is not non-negative.`);
};

const floatOf = (x: Tensor): DType => (x.is_floating_point() ? x.dtype : float32);

export function adjust_brightness(x: Tensor, factor: number): Tensor {
  checkFactor('brightness_factor', factor);
  checkChannels(x, [1, 3]);
  return blend(x, ops.zeros_like(x), factor);
}

export function adjust_contrast(x: Tensor, factor: number): Tensor {
  checkFactor('contrast_factor', factor);
  checkChannels(x, [3, 1]);
  const grey = dimensions(x)[0] === 3 ? rgb_to_grayscale(x, 1) : x;
  return blend(x, grey.to(floatOf(x)).mean([-3, -2, -1], true), factor);
}

export function adjust_saturation(x: Tensor, factor: number): Tensor {
  checkFactor('saturation_factor', factor);
  checkChannels(x, [1, 3]);
  return dimensions(x)[0] === 1 ? x : blend(x, rgb_to_grayscale(x, 1), factor);
}

export function adjust_hue(x: Tensor, factor: number): Tensor {
  if (!(factor >= -0.5 && factor <= 0.5))
    throw new ValueError(`hue_factor (${factor}) is not in [-0.5, 0.5].`);
  checkChannels(x, [1, 3]);
  if (dimensions(x)[0] === 1) return x;
  const [h, s, v] = rgbToHsv(convert_image_dtype(x, float32));
  return convert_image_dtype(hsvToRgb(h.add(factor).remainder(1), s, v), x.dtype);
}

function rgbToHsv(x: Tensor): [Tensor, Tensor, Tensor] {
  const [r, g, b] = x.unbind(-3);
  const max = x.amax(-3);
  const min = x.amin(-3);
  const grey = max.eq(min);
  const range = max.sub(min);
  const one = ops.ones_like(max);
  const s = range.div(ops.where(grey, one, max));
  const divisor = ops.where(grey, one, range);
  const [rc, gc, bc] = [r, g, b].map((c) => max.sub(c).div(divisor));
  const isRed = max.eq(r);
  const isGreen = max.eq(g).logical_and(isRed.logical_not());
  const isBlue = max.ne(g).logical_and(isRed.logical_not());
  const h = isRed
    .mul(bc.sub(gc))
    .add(isGreen.mul(rc.add(2).sub(bc)))
    .add(isBlue.mul(gc.add(4).sub(rc)));
  return [h.div(6).add(1).fmod(1), s, max];
}

function hsvToRgb(h: Tensor, s: Tensor, v: Tensor): Tensor {
  const position = h.mul(6);
  const sector = position.floor();
  const f = position.sub(sector);
  const i = sector.to(int32).remainder(6);
  const p = v.mul(s.neg().add(1)).clamp(0, 1);
  const q = v.mul(s.mul(f).neg().add(1)).clamp(0, 1);
  const t = v.mul(s.mul(f.neg().add(1)).neg().add(1)).clamp(0, 1);
  const pick = (choices: readonly Tensor[]): Tensor =>
    choices.reduce((out, choice, k) => ops.where(i.eq(k), choice, out), choices[0]);
  return ops.stack([pick([v, q, p, p, t, v]), pick([t, v, v, q, p, p]), pick([p, p, t, v, v, q])], -3);
}

export function adjust_gamma(x: Tensor, gamma: number, gain: number): Tensor {
  checkChannels(x, [1, 3]);
  if (gamma < 0) throw new ValueError('Gamma should be a non-negative real number');
  const values = x.is_floating_point() ? x : convert_image_dtype(x, float32);
  return convert_image_dtype(values.pow(gamma).mul(gain).clamp(0, 1), x.dtype);
}

export function invert(x: Tensor): Tensor {
  if (x.ndim < 3)
    throw new TypeError(`Input image tensor should have at least 3 dimensions, but found ${x.ndim}`);
  checkChannels(x, [1, 3]);
  return ops.rsub(x, maxValue(x.dtype));
}

export function posterize(x: Tensor, bits: number): Tensor {
  if (x.dtype !== uint8)
    throw new TypeError(`Only torch.uint8 image tensors are supported, but found ${x.dtype}`);
  checkChannels(x, [1, 3]);
  return x.bitwise_and(256 - 2 ** (8 - bits));
}

export function solarize(x: Tensor, threshold: number): Tensor {
  if (threshold > maxValue(x.dtype)) throw new TypeError('Threshold should be less than bound of img.');
  return ops.where(x.ge(threshold), invert(x), x);
}

/** The inner pixels smoothed by (1 1 1, 1 5 1, 1 1 1) / 13: [..., C, H - 2, W - 2] of a float type. */
export function smoothed(x: Tensor): Tensor {
  const kernel = ops.ones(3, 3, { dtype: x.dtype });
  kernel.at(1, 1).fill_(5);
  const weights = kernel.div(kernel.sum());
  const lead = Math.max(4 - x.ndim, 0);
  let image = x;
  for (let i = 0; i < lead; i++) image = image.unsqueeze(0);
  const channels = image.shape[1];
  let out = conv2d(image, weights.expand(channels, 1, 3, 3), { groups: channels });
  for (let i = 0; i < lead; i++) out = out.squeeze(0);
  return out;
}

export function adjust_sharpness(x: Tensor, factor: number): Tensor {
  checkFactor('sharpness_factor', factor);
  checkChannels(x, [1, 3]);
  const [, h, w] = dimensions(x);
  if (h <= 2 || w <= 2) return x;
  const soft = smoothed(x.to(floatOf(x)));
  const out = x.clone();
  out
    .narrow(-2, 1, h - 2)
    .narrow(-1, 1, w - 2)
    .copy_(x.is_floating_point() ? soft : soft.round().to(x.dtype));
  return blend(x, out, factor);
}

export function autocontrast(x: Tensor): Tensor {
  checkChannels(x, [1, 3]);
  const bound = maxValue(x.dtype);
  const dtype = floatOf(x);
  const min = x.amin([-2, -1], true).to(dtype);
  const max = x.amax([-2, -1], true).to(dtype);
  const flat = max.eq(min);
  // `bound / x` is the reciprocal times bound, as torch divides a number by a tensor.
  const exact = ops.reciprocal(max.sub(min)).mul(bound);
  const factor = ops.where(flat, ops.ones_like(max), exact);
  const start = ops.where(flat, ops.zeros_like(min), min);
  return x.to(dtype).sub(start).mul(factor).clamp(0, bound).to(x.dtype);
}

function equalizeChannel(x: Tensor): Tensor {
  const values = x.contiguous().toTypedArray() as Uint8Array;
  const counts = new Array<number>(256).fill(0);
  for (const v of values) counts[v]++;
  const present = counts.filter((n) => n > 0);
  const step = Math.floor(present.slice(0, -1).reduce((a, b) => a + b, 0) / 255);
  if (step === 0) return x;
  const table = new Uint8Array(256);
  let sum = 0;
  for (let v = 0; v < 256; v++) {
    table[v] = Math.min(255, v === 0 ? 0 : Math.floor((sum + Math.floor(step / 2)) / step));
    sum += counts[v];
  }
  return tensor(values.map((v) => table[v])).view(x.shape);
}

export function equalize(x: Tensor): Tensor {
  if (x.ndim !== 3 && x.ndim !== 4)
    throw new TypeError(`Input image tensor should have 3 or 4 dimensions, but found ${x.ndim}`);
  if (x.dtype !== uint8)
    throw new TypeError(`Only torch.uint8 image tensors are supported, but found ${x.dtype}`);
  checkChannels(x, [1, 3]);
  const planes = x.reshape(-1, x.shape[x.ndim - 2], x.shape[x.ndim - 1]);
  return ops.stack([...planes].map(equalizeChannel)).view(x.shape);
}

export function gaussian_blur(
  x: Tensor,
  kernel_size: readonly [number, number],
  sigma: readonly [number, number],
): Tensor {
  const dtype = floatOf(x);
  const kernel1d = (size: number, s: number): Tensor => {
    const half = (size - 1) * 0.5;
    const pdf = ops.linspace(-half, half, size, { dtype }).div(s).pow(2).mul(-0.5).exp();
    return pdf.div(pdf.sum());
  };
  const [kx, ky] = kernel_size;
  const kernel = kernel1d(ky, sigma[1]).unsqueeze(1).mm(kernel1d(kx, sigma[0]).unsqueeze(0));
  const [image, back] = asBatch(x, [dtype]);
  const channels = image.shape[image.ndim - 3];
  const padded = F.pad(image, [kx >> 1, kx >> 1, ky >> 1, ky >> 1], 'reflect');
  return back(conv2d(padded, kernel.expand(channels, 1, ky, kx), { groups: channels }));
}

export function erase(
  x: Tensor,
  i: number,
  j: number,
  h: number,
  w: number,
  v: Tensor,
  inplace: boolean,
): Tensor {
  const out = inplace ? x : x.clone();
  out.narrow(-2, i, h).narrow(-1, j, w).copy_(v);
  return out;
}

/** Reads an image where a grid of positions in [-1, 1] says, with a fill colour outside. */
export function sampleGrid(
  x: Tensor,
  grid: Tensor,
  mode: 'nearest' | 'bilinear',
  fill: readonly number[] | null,
): Tensor {
  const [batch, back] = asBatch(x, [grid.dtype]);
  let image = batch;
  const [n, , h, w] = image.shape;
  const places = n > 1 ? grid.expand(n, ...grid.shape.slice(1)) : grid;
  if (fill !== null) image = ops.cat([image, ops.ones(n, 1, h, w, { dtype: image.dtype })], 1);
  image = F.grid_sample(image, places, mode, 'zeros', false);
  if (fill === null) return back(image);
  const channels = image.shape[1] - 1;
  const mask = image.narrow(1, channels, 1);
  const colours = image.narrow(1, 0, channels);
  const filler = tensor([...fill], { dtype: image.dtype })
    .view(1, -1, 1, 1)
    .expand_as(colours);
  if (mode === 'nearest') return back(ops.where(mask.lt(0.5), filler, colours));
  return back(colours.mul(mask).add(mask.neg().add(1).mul(filler)));
}
