// transforms.v2 that move pixels: images, masks and boxes together.
import { ValueError } from '../../../errors.js';
import { bind, type Call } from '../../../nn/modules/arguments.js';
import { zeros } from '../../../ops/create.js';
import { tensor } from '../../../ops/data.js';
import { rand, randint as randintOp, where, zeros_like } from '../../../ops/table.js';
import type { Tensor } from '../../../tensor.js';
import type { Image as Picture } from '../../image.js';
import { box_convert, box_iou } from '../../ops/boxes.js';
import { BoundingBoxes, wrap } from '../../tv_tensors.js';
import { type Fill, type Interpolation, type PaddingMode, setupSize } from '../common.js';
import { randint, random } from '../draw.js';
import type { ResizeOptions } from '../functional.js';
import { RandomResizedCrop as FirstRandomResizedCrop } from '../random.js';
import * as K from './kernels.js';
import { sizeOf, Transform } from './transform.js';

type Leaf = Tensor | Picture;
type Size = number | readonly number[];
type Box = readonly [top: number, left: number, height: number, width: number];

abstract class Sometimes<P = unknown> extends Transform<P> {
  readonly p: number;
  constructor(p: number) {
    super();
    if (!(p >= 0 && p <= 1))
      throw new ValueError('`p` should be a floating point value in the interval [0.0, 1.0].');
    this.p = p;
  }
  protected override skip(): boolean {
    return random() >= this.p;
  }
}

type Chance = Call<[], [p: number], { p?: number }>;
const chance = (name: string, args: readonly unknown[]): number =>
  (bind(name, 'float p=0.5', args) as [number])[0];

/** Mirrors left and right with probability p. */
export class RandomHorizontalFlip extends Sometimes {
  constructor(...args: Chance) {
    super(chance('RandomHorizontalFlip', args));
  }
  transform(x: Leaf): Leaf {
    return K.hflip(x);
  }
}

/** Mirrors top and bottom with probability p. */
export class RandomVerticalFlip extends Sometimes {
  constructor(...args: Chance) {
    super(chance('RandomVerticalFlip', args));
  }
  transform(x: Leaf): Leaf {
    return K.vflip(x);
  }
}

type ResizeArgs = Call<
  [size: Size | null],
  [interpolation: Interpolation, max_size: number | null, antialias: boolean | null],
  { size: Size | null } & ResizeOptions
>;

/** Resizes to `[height, width]`, or the shorter edge to one number. */
export class Resize extends Transform {
  readonly size: Size | null;
  readonly interpolation: Interpolation;
  readonly max_size: number | null;
  readonly antialias: boolean | null;
  constructor(...args: ResizeArgs) {
    super();
    [this.size, this.interpolation, this.max_size, this.antialias] = bind(
      'Resize',
      "int[1]? size, str interpolation='bilinear', int? max_size=None, bool? antialias=True",
      args,
    ) as [Size | null, Interpolation, number | null, boolean | null];
  }
  transform(x: Leaf): Leaf {
    return K.resize(x, this.size, this.interpolation, this.max_size, this.antialias);
  }
}

/** Cuts out the middle. */
export class CenterCrop extends Transform {
  readonly size: readonly [number, number];
  constructor(size: Size) {
    super();
    this.size = setupSize(size);
  }
  transform(x: Leaf): Leaf {
    return K.centerCrop(x, this.size);
  }
}

/** Continues the borders. */
export class Pad extends Transform {
  constructor(
    readonly padding: Size,
    readonly fill: Fill = 0,
    readonly padding_mode: PaddingMode = 'constant',
  ) {
    super();
  }
  transform(x: Leaf): Leaf {
    return K.pad(x, this.padding, this.fill, this.padding_mode);
  }
}

/** Cuts out a box of random size and shape and resizes it. */
export class RandomResizedCrop extends Transform<Box> {
  private readonly first: FirstRandomResizedCrop;
  constructor(...args: ConstructorParameters<typeof FirstRandomResizedCrop>) {
    super();
    this.first = undefined as never;
    Object.defineProperty(this, 'first', { value: new FirstRandomResizedCrop(...args), enumerable: false });
  }
  override make_params(leaves: readonly unknown[]): Box {
    const [h, w] = sizeOf(leaves);
    return FirstRandomResizedCrop.get_params(zeros([1, h, w]), this.first.scale, this.first.ratio);
  }
  transform(x: Leaf, box: Box): Leaf {
    return K.resizedCrop(x, box, this.first.size, this.first.interpolation, this.first.antialias);
  }
}

interface CropParams {
  readonly padding: readonly number[] | null;
  readonly box: Box | null;
}

/** Cuts out a box of the given size at a random place, after padding. */
export class RandomCrop extends Transform<CropParams> {
  readonly size: readonly [number, number];
  readonly padding: Size | null;
  readonly pad_if_needed: boolean;
  readonly fill: Fill;
  readonly padding_mode: PaddingMode;
  constructor(
    size: Size,
    options: { padding?: Size | null; pad_if_needed?: boolean; fill?: Fill; padding_mode?: PaddingMode } = {},
  ) {
    super();
    this.size = setupSize(size);
    this.padding = options.padding ?? null;
    this.pad_if_needed = options.pad_if_needed ?? false;
    this.fill = options.fill ?? 0;
    this.padding_mode = options.padding_mode ?? 'constant';
  }
  override make_params(leaves: readonly unknown[]): CropParams {
    let [h, w] = sizeOf(leaves);
    const [ch, cw] = this.size;
    const p = this.padding === null ? [0, 0, 0, 0] : [...sides(this.padding)];
    h += p[1] + p[3];
    w += p[0] + p[2];
    if (this.pad_if_needed && h < ch) {
      p[1] += ch - h;
      p[3] += ch - h;
      h += 2 * (ch - h);
    }
    if (this.pad_if_needed && w < cw) {
      p[0] += cw - w;
      p[2] += cw - w;
      w += 2 * (cw - w);
    }
    if (h < ch || w < cw)
      throw new ValueError(
        `Required crop size (${ch}, ${cw}) is larger than ${p.some((v) => v > 0) ? 'padded ' : ''}input image size (${h}, ${w}).`,
      );
    const top = ch < h ? randint(0, h - ch + 1) : 0;
    const left = cw < w ? randint(0, w - cw + 1) : 0;
    const whole = ch >= h && cw >= w;
    return { padding: p.some((v) => v !== 0) ? p : null, box: whole ? null : [top, left, ch, cw] };
  }
  transform(x: Leaf, { padding, box }: CropParams): Leaf {
    const padded = padding === null ? x : K.pad(x, padding, this.fill, this.padding_mode);
    return box === null ? padded : K.crop(padded, ...box);
  }
}

function sides(padding: Size): readonly number[] {
  const list = typeof padding === 'number' ? [padding] : padding;
  if (list.length === 1) return [list[0], list[0], list[0], list[0]];
  return list.length === 2 ? [list[0], list[1], list[0], list[1]] : list;
}

/** Puts the image at a random place of a larger canvas, with probability p. */
export class RandomZoomOut extends Sometimes<readonly number[]> {
  constructor(
    readonly fill: Fill = 0,
    readonly side_range: readonly [number, number] = [1, 4],
    p = 0.5,
  ) {
    super(p);
    if (side_range[0] < 1 || side_range[0] > side_range[1])
      throw new ValueError(`Invalid side range provided (${side_range.join(', ')}).`);
  }
  override make_params(leaves: readonly unknown[]): readonly number[] {
    const [h, w] = sizeOf(leaves);
    const f = Math.fround;
    const r = f(this.side_range[0] + f(random() * (this.side_range[1] - this.side_range[0])));
    const [cw, ch] = [Math.trunc(f(w * r)), Math.trunc(f(h * r))];
    const [x, y] = rand(2).tolist() as number[];
    const left = Math.trunc(f((cw - w) * x));
    const top = Math.trunc(f((ch - h) * y));
    return [left, top, cw - (left + w), ch - (top + h)];
  }
  transform(x: Leaf, padding: readonly number[]): Leaf {
    return K.pad(x, padding, this.fill, 'constant');
  }
}

interface IoUOptions {
  min_scale?: number;
  max_scale?: number;
  min_aspect_ratio?: number;
  max_aspect_ratio?: number;
  sampler_options?: readonly number[];
  trials?: number;
}
interface IoUParams {
  readonly box: Box;
  readonly within: Tensor;
}

/** Cuts out a random box that overlaps some bounding box enough (Liu et al., 2016). Boxes outside become empty. */
export class RandomIoUCrop extends Transform<IoUParams | null> {
  readonly options: Required<IoUOptions>;
  constructor(options: IoUOptions = {}) {
    super();
    this.options = {
      min_scale: 0.3,
      max_scale: 1,
      min_aspect_ratio: 0.5,
      max_aspect_ratio: 2,
      sampler_options: [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1],
      trials: 40,
      ...options,
    };
  }
  override make_params(leaves: readonly unknown[]): IoUParams | null {
    const boxes = leaves.find((x) => x instanceof BoundingBoxes);
    if (!boxes)
      throw new TypeError(
        'RandomIoUCrop() requires input sample to contain tensor or PIL images and bounding boxes. Sample can also contain masks.',
      );
    const corners = box_convert(boxes, boxes.format, 'xyxy');
    const size = sizeOf(leaves);
    for (;;) {
      const wanted = this.options.sampler_options[randint(0, this.options.sampler_options.length)];
      if (wanted >= 1) return null;
      for (let i = 0; i < this.options.trials; i++) {
        const found = this.attempt(size, corners, wanted);
        if (found !== null) return found;
      }
    }
  }
  /** One box; null when it does not fit the limits. */
  private attempt([h, w]: readonly [number, number], corners: Tensor, wanted: number): IoUParams | null {
    const { min_scale, max_scale, min_aspect_ratio, max_aspect_ratio } = this.options;
    const f = Math.fround;
    const scales = (rand(2).tolist() as number[]).map((r) => f(min_scale + f(f(max_scale - min_scale) * r)));
    const [cw, ch] = [Math.trunc(f(w * scales[0])), Math.trunc(f(h * scales[1]))];
    if (!(cw / ch >= min_aspect_ratio && cw / ch <= max_aspect_ratio)) return null;
    const [x, y] = rand(2).tolist() as number[];
    const [left, top] = [Math.trunc(f((w - cw) * x)), Math.trunc(f((h - ch) * y))];
    const [right, bottom] = [left + cw, top + ch];
    if (left === right || top === bottom) return null;
    const [x1, y1, x2, y2] = corners.unbind(-1);
    const [cx, cy] = [x1.add(x2).mul(0.5), y1.add(y2).mul(0.5)];
    const within = cx.gt(left).logical_and(cx.lt(right)).logical_and(cy.gt(top)).logical_and(cy.lt(bottom));
    if (!within.any().item()) return null;
    const inside = corners.index_select(0, within.nonzero().squeeze(1));
    const overlap = box_iou(inside, tensor([[left, top, right, bottom]]).to(corners.dtype));
    if (overlap.max().item() < wanted) return null;
    return { box: [top, left, ch, cw], within };
  }
  transform(x: Leaf, params: IoUParams | null): Leaf {
    if (params === null) return x;
    const out = K.crop(x, ...params.box);
    if (!(out instanceof BoundingBoxes)) return out;
    return wrap(where(params.within.unsqueeze(-1), out, zeros_like(out)), out);
  }
}

type Target = readonly [number, number];

/** Resizes to a random scale of a size. */
export class ScaleJitter extends Transform<Target> {
  constructor(
    readonly target_size: Target,
    readonly scale_range: Target = [0.1, 2],
    readonly interpolation: Interpolation = 'bilinear',
    readonly antialias: boolean | null = true,
  ) {
    super();
  }
  override make_params(leaves: readonly unknown[]): Target {
    const [h, w] = sizeOf(leaves);
    const f = Math.fround;
    const [low, high] = this.scale_range;
    const scale = f(low + f(random() * f(high - low)));
    const r = f(Math.min(this.target_size[1] / h, this.target_size[0] / w) * scale);
    return [Math.trunc(f(h * r)), Math.trunc(f(w * r))];
  }
  transform(x: Leaf, size: Target): Leaf {
    return K.resize(x, size, this.interpolation, null, this.antialias);
  }
}

/** Resizes the shorter edge to one of several sizes, the longer one to at most `max_size`. */
export class RandomShortestSize extends Transform<Target> {
  readonly min_size: readonly number[];
  constructor(
    min_size: Size,
    readonly max_size: number | null = null,
    readonly interpolation: Interpolation = 'bilinear',
    readonly antialias: boolean | null = true,
  ) {
    super();
    this.min_size = typeof min_size === 'number' ? [min_size] : min_size;
  }
  override make_params(leaves: readonly unknown[]): Target {
    const [h, w] = sizeOf(leaves);
    const wanted = this.min_size[Number(randintOp(0, this.min_size.length, []).item())];
    const limit = this.max_size === null ? Number.POSITIVE_INFINITY : this.max_size / Math.max(h, w);
    const r = Math.min(wanted / Math.min(h, w), limit);
    return [Math.trunc(h * r), Math.trunc(w * r)];
  }
  transform(x: Leaf, size: Target): Leaf {
    return K.resize(x, size, this.interpolation, null, this.antialias);
  }
}

/** Resizes the shorter edge to a random size from `min_size` up to (not including) `max_size`. */
export class RandomResize extends Transform<number> {
  constructor(
    readonly min_size: number,
    readonly max_size: number,
    readonly interpolation: Interpolation = 'bilinear',
    readonly antialias: boolean | null = true,
  ) {
    super();
  }
  override make_params(): number {
    return Number(randintOp(this.min_size, this.max_size, []).item());
  }
  transform(x: Leaf, size: number): Leaf {
    return K.resize(x, [size], this.interpolation, null, this.antialias);
  }
}
