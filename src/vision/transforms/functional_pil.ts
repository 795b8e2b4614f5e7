// Transforms of pictures (Image) with Pillow's numbers: fixed point resizing, blends that cut off fractions, nearest and
// bilinear warps. Sources: Pillow's documentation of ImageEnhance, ImageOps and Image.transform.
import { backendOf } from '../../backends/backend.js';
import { cpu } from '../../device.js';
import { empty } from '../../dispatch/allocate.js';
import { float32, float64, int32, uint8 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { stack } from '../../ops/join.js';
import type { Tensor } from '../../tensor.js';
import { Image } from '../image.js';
import type { Interpolation } from './common.js';
import * as T from './functional_tensor.js';

/** Kernels of resizing with their reach at scale 1. */
const filters: Readonly<Record<string, readonly [support: number, kernel: (x: number) => number]>> = {
  bilinear: [1, (x) => Math.max(1 - Math.abs(x), 0)],
  box: [0.5, (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)],
  hamming: [
    1,
    (x) => {
      const d = Math.abs(x);
      if (d === 0) return 1;
      return d >= 1 ? 0 : (Math.sin(d * Math.PI) / (d * Math.PI)) * (0.54 + 0.46 * Math.cos(d * Math.PI));
    },
  ],
  bicubic: [
    2,
    (x) => {
      const d = Math.abs(x);
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * -0.5 : 0;
    },
  ],
  lanczos: [3, (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
};
const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Where each of `to` outputs reads among `from` inputs: first and count, and weights with 22 fraction bits. */
function weightsOf(from: number, to: number, mode: string): [Tensor, Tensor] {
  const [reach, kernel] = filters[mode];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const bounds = new Int32Array(2 * to);
  const values = new Int32Array(taps * to);
  for (let j = 0; j < to; j++) {
    const centre = (j + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const count = Math.min(Math.trunc(centre + support + 0.5), from) - first;
    const row = Array.from({ length: count }, (_, i) => kernel((i + first - centre + 0.5) * (1 / stretch)));
    const total = row.reduce((a, b) => a + b, 0);
    bounds.set([first, count], 2 * j);
    row.forEach((w, i) => {
      const share = (total === 0 ? w : w / total) * 2 ** 22;
      values[j * taps + i] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    });
  }
  const tables: [Tensor, Tensor] = [empty([to, 2], int32, cpu), empty([to, taps], int32, cpu)];
  backendOf('cpu').write(tables[0], bounds);
  backendOf('cpu').write(tables[1], values);
  return tables;
}

/** Weights for sizes that were used lately. */
const cache = new Map<string, [Tensor, Tensor]>();
function cachedWeights(from: number, to: number, mode: string): [Tensor, Tensor] {
  const key = `${mode} ${from} ${to}`;
  let found = cache.get(key);
  if (found === undefined) {
    found = weightsOf(from, to, mode);
    if (cache.size >= 64) cache.delete(cache.keys().next().value as string);
    cache.set(key, found);
  }
  return found;
}

/** Resizes to [height, width]; always antialiased, as in Pillow. */
export function resize(image: Image, [height, width]: readonly [number, number], mode: Interpolation): Image {
  if (height === image.height && width === image.width) return image;
  if (height <= 0 || width <= 0) throw new ValueError('height and width must be > 0');
  if (mode === 'nearest' || mode === 'nearest-exact')
    return warp(
      image,
      [image.width / width, 0, 0, 0, image.height / height, 0, 0, 0],
      [height, width],
      'nearest',
      0,
    );
  if (image.mode === 'RGBA') return resizeAlpha(image, [height, width], mode);
  return new Image(resample(image.pixels, height, width, mode));
}

function resample(pixels: Tensor, height: number, width: number, mode: string): Tensor {
  const backend = backendOf('cpu');
  let x = pixels.contiguous();
  const channels = x.shape[2];
  if (width !== x.shape[1]) {
    const out = empty([x.shape[0], width, channels], uint8, cpu);
    backend.launch('image_resize', out, x, ...cachedWeights(x.shape[1], width, mode), false);
    x = out;
  }
  if (height !== x.shape[0]) {
    const out = empty([height, width, channels], uint8, cpu);
    backend.launch('image_resize', out, x, ...cachedWeights(x.shape[0], height, mode), true);
    x = out;
  }
  return x;
}

/** Transparent pictures are resized with colours multiplied by their opacity, and divided again. */
function resizeAlpha(image: Image, [height, width]: readonly [number, number], mode: string): Image {
  const bytes = image.tobytes().slice();
  for (let i = 0; i < bytes.length; i += 4)
    for (let c = 0; c < 3; c++) {
      const product = bytes[i + c] * bytes[i + 3] + 128;
      bytes[i + c] = ((product >> 8) + product) >> 8;
    }
  const { width: w, height: h } = image;
  const small = resample(
    Image.fromPixels({ data: bytes, width: w, height: h, channels: 4 }).pixels,
    height,
    width,
    mode,
  );
  const out = (small.toTypedArray() as Uint8Array).slice();
  for (let i = 0; i < out.length; i += 4) {
    const alpha = out[i + 3];
    if (alpha === 0 || alpha === 255) continue;
    for (let c = 0; c < 3; c++) out[i + c] = Math.min(255, Math.trunc((255 * out[i + c]) / alpha));
  }
  return Image.fromPixels({ data: out, width, height, channels: 4 });
}

/** Channels as a fill value of the picture. */
function fillOf(image: Image, fill: number | readonly number[] | null): number[] {
  const channels = image.getbands().length;
  const list = typeof fill === 'number' || fill === null ? [fill ?? 0] : [...fill];
  const all = list.length === 1 ? new Array<number>(channels).fill(list[0]) : list;
  if (all.length !== channels)
    throw new ValueError(
      `The number of elements in 'fill' does not match the number of channels of the image (${all.length} != ${channels})`,
    );
  return all.map(Math.trunc);
}

function filled(
  image: Image,
  height: number,
  width: number,
  fill: number | readonly number[] | null,
): Tensor {
  const out = empty([height, width, image.getbands().length], uint8, cpu);
  fillOf(image, fill).forEach((v, c) => {
    out.narrow(2, c, 1).fill_(v & 255);
  });
  return out;
}

/**
 * Reads every output pixel where `coefficients` say: x' = (a x + b y + c) / (g x + h y + 1), and y' with d, e, f.
 */
export function warp(
  image: Image,
  coefficients: readonly number[],
  [height, width]: readonly [number, number],
  mode: Interpolation,
  fill: number | readonly number[] | null,
): Image {
  if (mode !== 'nearest' && mode !== 'bilinear')
    throw new ValueError(`interpolation '${mode}' is not supported here: use 'nearest' or 'bilinear'`);
  const out = filled(image, height, width, fill);
  const table = empty([8], float64, cpu);
  const all = [...coefficients, 0, 0, 0].slice(0, 8);
  backendOf('cpu').write(table, Float64Array.from(all));
  const [a, b, c, d, e, f, g, h] = all;
  const affine = g === 0 && h === 0;
  const scaling = b === 0 && d === 0;
  const inRange = (x: number, y: number): boolean =>
    Math.abs(x * a + y * b + c) < 32768 && Math.abs(x * d + y * e + f) < 32768;
  const fixed =
    mode === 'nearest' &&
    affine &&
    !scaling &&
    inRange(0, 0) &&
    inRange(width - 1, height - 1) &&
    inRange(0, height - 1) &&
    inRange(width - 1, 0);
  if (out._numel > 0)
    backendOf('cpu').launch('image_warp', out, image.pixels.contiguous(), table, mode === 'bilinear', fixed);
  return new Image(out);
}

/** Turns counterclockwise by an angle in degrees, about a point in pixels (default the middle). */
export function rotate(
  image: Image,
  angle: number,
  mode: Interpolation,
  expand: boolean,
  center: readonly number[] | null,
  fill: number | readonly number[] | null,
): Image {
  const turn = ((angle % 360) + 360) % 360;
  const { width, height } = image;
  if (center === null) {
    if (turn === 0) return image;
    if (turn === 180) return new Image(image.pixels.flip([0, 1]));
    if ((turn === 90 || turn === 270) && (expand || width === height))
      return new Image(image.pixels.rot90(turn === 90 ? 1 : 3, [0, 1]).contiguous());
  }
  const radians = (-turn * Math.PI) / 180;
  const digits = (x: number): number => Number(x.toFixed(15));
  const m = [Math.cos(radians), Math.sin(radians), 0, -Math.sin(radians), Math.cos(radians), 0].map(digits);
  const apply = (x: number, y: number): [number, number] => [
    m[0] * x + m[1] * y + m[2],
    m[3] * x + m[4] * y + m[5],
  ];
  const [cx, cy] = center ?? [width / 2, height / 2];
  [m[2], m[5]] = apply(-cx, -cy);
  m[2] += cx;
  m[5] += cy;
  if (!expand) return warp(image, m, [height, width], mode, fill);
  const corners = [apply(0, 0), apply(width, 0), apply(width, height), apply(0, height)];
  const extent = (d: 0 | 1): number => {
    const values = corners.map((p) => p[d]);
    return Math.ceil(Math.max(...values)) - Math.floor(Math.min(...values));
  };
  const [w, h] = [extent(0), extent(1)];
  [m[2], m[5]] = apply(-(w - width) / 2, -(h - height) / 2);
  return warp(image, m, [h, w], mode, fill);
}

// Colours.

/** `a + factor * (b - a)` in single precision; fractions are cut off, values kept within 0 and 255. */
function blend(a: Tensor, b: Tensor, factor: number): Tensor {
  const from = a.to(float32);
  const mixed = from.add(b.to(float32).sub(from).mul(Math.fround(factor)));
  return mixed.clamp(0, 255).to(uint8);
}

/** Applies a function to the colours alone, not to the opacity. */
function onColours(image: Image, fn: (colours: Tensor) => Tensor): Image {
  if (image.mode !== 'RGBA') return new Image(fn(image.pixels));
  const out = image.pixels.clone();
  out.narrow(2, 0, 3).copy_(fn(image.pixels.narrow(2, 0, 3)));
  return new Image(out);
}

const checkFactor = (name: string, factor: number): void => {
  if (factor < 0) throw new ValueError(`${name} (${factor}) is not non-negative.`);
};

export function adjust_brightness(image: Image, factor: number): Image {
  checkFactor('brightness_factor', factor);
  return onColours(image, (x) => blend(x.mul(0), x, factor));
}

export function adjust_contrast(image: Image, factor: number): Image {
  checkFactor('contrast_factor', factor);
  const bytes = image.convert('L').tobytes();
  let sum = 0;
  for (const v of bytes) sum += v;
  const mean = Math.trunc(sum / bytes.length + 0.5);
  return onColours(image, (x) => blend(x.mul(0).add(mean), x, factor));
}

export function adjust_saturation(image: Image, factor: number): Image {
  checkFactor('saturation_factor', factor);
  const grey = image.convert('L').pixels;
  return onColours(image, (x) => blend(grey.expand_as(x), x, factor));
}

/** Moves the hue, a byte of Pillow's HSV, by `factor` turns. */
export function adjust_hue(image: Image, factor: number): Image {
  if (!(factor >= -0.5 && factor <= 0.5))
    throw new ValueError(`hue_factor (${factor}) is not in [-0.5, 0.5].`);
  if (image.mode === 'L') return image;
  const shift = Math.trunc(factor * 255) & 255;
  const bytes = image.tobytes().slice();
  const step = image.getbands().length;
  for (let i = 0; i < bytes.length; i += step) shiftHue(bytes, i, shift);
  return Image.fromPixels({ data: bytes, width: image.width, height: image.height, channels: step });
}

/** Through Pillow's HSV of bytes and back. */
function shiftHue(bytes: Uint8Array, at: number, shift: number): void {
  const [r, g, b] = [bytes[at], bytes[at + 1], bytes[at + 2]];
  const max = Math.max(r, g, b);
  const min = Math.min(r, g, b);
  let hue = 0;
  let saturation = 0;
  if (max !== min) {
    const f = Math.fround;
    const range = f(max - min);
    const [rc, gc, bc] = [r, g, b].map((v) => f(f(max - v) / range));
    const sector = f(r === max ? bc - gc : g === max ? 2 + rc - bc : 4 + gc - rc);
    const turn = f((sector / 6 + 1) % 1);
    hue = Math.min(255, Math.max(0, Math.trunc(turn * 255)));
    saturation = Math.min(255, Math.max(0, Math.trunc((f(range / max) as number) * 255)));
  }
  writeRgb(bytes, at, (hue + shift) & 255, saturation, max);
}

function writeRgb(bytes: Uint8Array, at: number, h: number, s: number, v: number): void {
  if (s === 0) {
    bytes.fill(v, at, at + 3);
    return;
  }
  const f32 = Math.fround;
  const position = (h * 6) / 255;
  const sector = Math.floor(position);
  const f = f32(position - sector);
  const fs = f32(s / 255);
  const round = (x: number): number => Math.min(255, Math.max(0, Math.floor(x + 0.5)));
  const p = round(v * (1 - fs));
  const q = round(v * (1 - fs * f));
  const t = round(v * (1 - fs * (1 - f)));
  const rgb = [
    [v, t, p],
    [q, v, p],
    [p, v, t],
    [p, q, v],
    [t, p, v],
    [v, p, q],
  ][sector % 6];
  bytes.set(rgb, at);
}

export function adjust_gamma(image: Image, gamma: number, gain: number): Image {
  if (gamma < 0) throw new ValueError('Gamma should be a non-negative real number');
  const table = Uint8Array.from({ length: 256 }, (_, v) =>
    Math.min(255, Math.max(0, Math.trunc((255 + 1 - 1e-3) * gain * (v / 255) ** gamma))),
  );
  return lookUp(image, () => table);
}

/** Maps every byte by its channel's table. */
function lookUp(image: Image, table: (channel: number) => Uint8Array): Image {
  const step = image.getbands().length;
  const bytes = image.tobytes().slice();
  const tables = Array.from({ length: step }, (_, c) => (c < 3 ? table(c) : null));
  for (let i = 0; i < bytes.length; i++) {
    const t = tables[i % step];
    if (t !== null) bytes[i] = t[bytes[i]];
  }
  return Image.fromPixels({ data: bytes, width: image.width, height: image.height, channels: step });
}

const tableOf = (fn: (v: number) => number): (() => Uint8Array) => {
  const table = Uint8Array.from({ length: 256 }, (_, v) => fn(v));
  return () => table;
};

export const invert = (image: Image): Image =>
  lookUp(
    image,
    tableOf((v) => 255 - v),
  );
export const posterize = (image: Image, bits: number): Image =>
  lookUp(
    image,
    tableOf((v) => v & ~(2 ** (8 - bits) - 1)),
  );
export const solarize = (image: Image, threshold: number): Image =>
  lookUp(
    image,
    tableOf((v) => (v < threshold ? v : 255 - v)),
  );

/** How often each value occurs in a channel. */
function histogram(image: Image, channel: number): number[] {
  const counts = new Array<number>(256).fill(0);
  const bytes = image.tobytes();
  const step = image.getbands().length;
  for (let i = channel; i < bytes.length; i += step) counts[bytes[i]]++;
  return counts;
}

export function autocontrast(image: Image): Image {
  return lookUp(image, (channel) => {
    const counts = histogram(image, channel);
    const low = counts.findIndex((n) => n > 0);
    const high = counts.findLastIndex((n) => n > 0);
    if (high <= low) return Uint8Array.from({ length: 256 }, (_, v) => v);
    const scale = 255 / (high - low);
    const offset = -low * scale;
    return Uint8Array.from({ length: 256 }, (_, v) =>
      Math.min(255, Math.max(0, Math.trunc(v * scale + offset))),
    );
  });
}

export function equalize(image: Image): Image {
  return lookUp(image, (channel) => {
    const counts = histogram(image, channel);
    const present = counts.filter((n) => n > 0);
    const identity = Uint8Array.from({ length: 256 }, (_, v) => v);
    if (present.length <= 1) return identity;
    const step = Math.floor((present.reduce((a, b) => a + b, 0) - present[present.length - 1]) / 255);
    if (step === 0) return identity;
    let n = Math.floor(step / 2);
    return Uint8Array.from({ length: 256 }, (_, v) => {
      const value = Math.min(255, Math.floor(n / step));
      n += counts[v];
      return value;
    });
  });
}

/** Blends with a copy that a 3 × 3 kernel (1 1 1, 1 5 1, 1 1 1) / 13 smoothed inside. */
export function adjust_sharpness(image: Image, factor: number): Image {
  checkFactor('sharpness_factor', factor);
  return onColours(image, (x) => {
    const planes = x.permute(2, 0, 1).to(float32);
    if (x.shape[0] <= 2 || x.shape[1] <= 2) return x;
    const smooth = T.smoothed(planes).add(0.5).clamp(0, 255).to(uint8).permute(1, 2, 0);
    const soft = x.clone();
    soft
      .narrow(0, 1, x.shape[0] - 2)
      .narrow(1, 1, x.shape[1] - 2)
      .copy_(smooth);
    return blend(soft, x, factor);
  });
}

/** Grey, with one channel or the same three times. */
export function to_grayscale(image: Image, channels: number): Image {
  if (channels !== 1 && channels !== 3) throw new ValueError('num_output_channels should be either 1 or 3');
  const grey = image.convert('L');
  if (channels === 1) return grey;
  const plane = grey.pixels.squeeze(-1);
  return new Image(stack([plane, plane, plane], -1));
}
