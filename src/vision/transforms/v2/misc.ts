// transforms.v2 of values and types, of boxes, and of labels.

import { isKeywords } from '../../../dispatch/schema.js';
import type { DType } from '../../../dtype.js';
import { RuntimeError, ValueError } from '../../../errors.js';
import { one_hot } from '../../../nn/functional/index.js';
import { Module } from '../../../nn/index.js';
import { tensor } from '../../../ops/data.js';
import { sampleDirichlet } from '../../../ops/random.js';
import { rand, randperm } from '../../../ops/table.js';
import { Tensor } from '../../../tensor.js';
import { Image as Picture } from '../../image.js';
import { type BoxFormat, box_area, box_convert } from '../../ops/boxes.js';
import { BoundingBoxes, Image, Mask, wrap } from '../../tv_tensors.js';
import type { ImageLike } from '../common.js';
import type { AsImages, Preserving } from '../compose.js';
import { randint, random, uniform } from '../draw.js';
import * as F from '../functional.js';
import { clampBoxes } from './kernels.js';
import { flatten, isPlain, type Sample, sizeOf, Transform, unflatten } from './transform.js';

type Leaf = Tensor | Picture;
type Pair = readonly [number, number];

const isImage = (x: Leaf): boolean => x instanceof Picture || x instanceof Image || isPlain(x);

/** A transform of images alone, as one of samples. */
export class ImageOnly extends Transform {
  private readonly inner: (x: ImageLike) => ImageLike;
  private readonly text: string;
  /** @param moves pixels change places, so that boxes and masks cannot stay as they are. */
  constructor(
    inner: Module & ((x: never) => unknown),
    private readonly moves = false,
  ) {
    super();
    this.text = String(inner);
    this.inner = undefined as never;
    Object.defineProperty(this, 'inner', { value: inner, enumerable: false });
  }
  override make_params(leaves: readonly unknown[]): undefined {
    if (this.moves && !leaves.every((x) => isImage(x as Leaf)))
      throw new RuntimeError(`${this.text} does not move masks and bounding boxes`);
    return undefined;
  }
  transform(x: Leaf): unknown {
    if (isImage(x)) {
      const out = this.inner(x);
      return x instanceof Tensor && out instanceof Tensor ? wrap(out, x) : out;
    }
    return x;
  }
  override toString(): string {
    return this.text;
  }
}

export interface ToImage {
  /** @internal */
  readonly _asImages: true;
  <S extends readonly unknown[]>(...sample: S): AsImages<Sample<S>>;
}
/** Turns pictures and the first plain tensor into tv_tensors.Image [C, H, W]. */
export class ToImage extends Module {
  forward<S extends readonly unknown[]>(...sample: S): AsImages<Sample<S>> {
    return new (class extends Transform {
      transform(x: Leaf): unknown {
        if (x instanceof Picture) return new Image(F.pil_to_tensor(x));
        return isPlain(x) ? new Image(x) : x;
      }
    })()(...sample) as AsImages<Sample<S>>;
  }
}

/** Turns tv_tensors into plain tensors. */
export class ToPureTensor extends Transform {
  transform(x: Leaf): Leaf {
    return x instanceof Image || x instanceof Mask || x instanceof BoundingBoxes ? x.view(x.shape) : x;
  }
}

/** Another dtype for images; with `scale`, values are scaled to the dtype's range. */
export class ToDtype extends Transform {
  readonly scale: boolean;
  constructor(
    readonly dtype: DType,
    scale: boolean | { scale?: boolean } = false,
  ) {
    super();
    this.scale = typeof scale === 'boolean' ? scale : (scale.scale ?? false);
  }
  transform(x: Leaf): Leaf {
    if (!(x instanceof Tensor) || !isImage(x)) return x;
    return wrap(this.scale ? F.convert_image_dtype(x, this.dtype) : x.to(this.dtype), x);
  }
  override extra_repr(): string {
    return `scale=${this.scale ? 'True' : 'False'}`;
  }
}

/** `(x - mean) / std` for each channel of images. */
export class Normalize extends Transform {
  constructor(
    readonly mean: readonly number[],
    readonly std: readonly number[],
    readonly inplace = false,
  ) {
    super();
  }
  transform(x: Leaf): Leaf {
    if (!isImage(x)) return x;
    if (!(x instanceof Tensor)) throw new TypeError('Normalize() does not support PIL images.');
    return wrap(F.normalize(x, this.mean, this.std, this.inplace), x);
  }
}

/** The sample as it is. */
export class Identity extends Transform {
  transform(x: Leaf): Leaf {
    return x;
  }
}

/** Brightness, contrast, saturation, hue and the order of channels, each with probability p (Liu et al., 2016). */
export class RandomPhotometricDistort extends Transform<(x: ImageLike) => ImageLike> {
  readonly ranges: readonly Pair[];
  readonly p: number;
  constructor(
    options: { brightness?: Pair; contrast?: Pair; saturation?: Pair; hue?: Pair; p?: number } = {},
  ) {
    super();
    const { brightness = [0.875, 1.125], contrast = [0.5, 1.5], saturation = [0.5, 1.5] } = options;
    this.ranges = [brightness, contrast, saturation, options.hue ?? [-0.05, 0.05]];
    this.p = options.p ?? 0.5;
  }
  override make_params(leaves: readonly unknown[]): (x: ImageLike) => ImageLike {
    const [brightness, contrast, saturation, hue] = this.ranges.map(([low, high]) =>
      random() < this.p ? uniform(low, high) : null,
    );
    const before = rand([]).item() < 0.5;
    const image = leaves.find((x) => isImage(x as Leaf)) as ImageLike;
    const [channels] = F.get_dimensions(image);
    const order = random() < this.p ? randperm(channels) : null;
    return (x) => {
      let y = x;
      if (brightness !== null) y = F.adjust_brightness(y, brightness);
      if (contrast !== null && before) y = F.adjust_contrast(y, contrast);
      if (saturation !== null) y = F.adjust_saturation(y, saturation);
      if (hue !== null) y = F.adjust_hue(y, hue);
      if (contrast !== null && !before) y = F.adjust_contrast(y, contrast);
      if (order === null) return y;
      if (y instanceof Picture) return new Picture(y.pixels.index_select(2, order));
      return y.index_select(y.ndim - 3, order);
    };
  }
  transform(x: Leaf, change: (x: ImageLike) => ImageLike): Leaf {
    if (!isImage(x)) return x;
    const out = change(x);
    return x instanceof Tensor ? wrap(out as Tensor, x) : out;
  }
}

/** Boxes in another format. */
export class ConvertBoundingBoxFormat extends Transform {
  readonly format: BoxFormat;
  constructor(format: BoxFormat | Uppercase<BoxFormat>) {
    super();
    this.format = format.toLowerCase() as BoxFormat;
  }
  transform(x: Leaf): Leaf {
    if (!(x instanceof BoundingBoxes)) return x;
    return wrap(box_convert(x, x.format, this.format), x, { format: this.format });
  }
}

/** Boxes cut off at the borders of their canvas. */
export class ClampBoundingBoxes extends Transform {
  transform(x: Leaf): Leaf {
    return x instanceof BoundingBoxes ? clampBoxes(x) : x;
  }
}

/** Finds the labels of a sample: a tensor, or several. */
export type LabelsGetter = 'default' | null | string | ((sample: never) => Tensor | readonly Tensor[] | null);

/** The labels of a sample: by a function, by their key, or where samples usually have them. */
function labelsOf(sample: unknown, getter: LabelsGetter): Tensor[] {
  if (getter === null) return [];
  if (typeof getter === 'function') {
    const found = getter(sample as never);
    return found === null ? [] : found instanceof Tensor ? [found] : [...found];
  }
  const holder = Array.isArray(sample) ? (sample[1] as unknown) : sample;
  if (holder instanceof Tensor) return [holder];
  if (!isKeywords(holder))
    throw new ValueError(
      'Could not infer where the labels are in the sample: pass a callable as labels_getter',
    );
  const key = getter === 'default' ? Object.keys(holder).find((k) => /label/i.test(k)) : getter;
  const found = key === undefined ? undefined : holder[key];
  if (!(found instanceof Tensor))
    throw new ValueError(
      'Could not infer where the labels are in the sample: pass a callable as labels_getter',
    );
  return [found];
}

/** Removes boxes that are too small or outside, with their masks and labels. */
export interface SanitizeBoundingBoxes extends Preserving {
  <S extends readonly unknown[]>(...sample: S): Sample<S>;
}
export class SanitizeBoundingBoxes extends Module {
  readonly min_size: number;
  readonly min_area: number;
  readonly labels_getter: LabelsGetter;
  constructor(options: { min_size?: number; min_area?: number; labels_getter?: LabelsGetter } = {}) {
    super();
    this.min_size = options.min_size ?? 1;
    this.min_area = options.min_area ?? 1;
    this.labels_getter = options.labels_getter === undefined ? 'default' : options.labels_getter;
    if (this.min_size < 1) throw new ValueError(`min_size must be >= 1, got ${this.min_size}.`);
  }
  forward<S extends readonly unknown[]>(...sample: S): Sample<S> {
    const whole: unknown = sample.length > 1 ? sample : sample[0];
    const labels = labelsOf(whole, this.labels_getter);
    const leaves = flatten(whole);
    const boxes = leaves.find((x) => x instanceof BoundingBoxes);
    if (!boxes) throw new ValueError('No bounding boxes were found in the sample');
    for (const label of labels)
      if (label.shape[0] !== boxes.shape[0])
        throw new ValueError(
          `Number of boxes (shape=[${boxes.shape.join(', ')}]) and must match the number of labels. Found labels with shape=[${label.shape.join(', ')}]).`,
        );
    const keep = this.valid(boxes).nonzero().squeeze(1);
    const out = leaves.map((x) => {
      if (!(x instanceof Tensor)) return x;
      const dependent = x instanceof BoundingBoxes || x instanceof Mask || labels.includes(x);
      return dependent && x.shape[0] === boxes.shape[0] ? wrap(x.index_select(0, keep), x) : x;
    });
    return unflatten(whole, out[Symbol.iterator]()) as Sample<S>;
  }
  private valid(boxes: BoundingBoxes): Tensor {
    const corners = box_convert(boxes, boxes.format, 'xyxy');
    const [x1, y1, x2, y2] = corners.unbind(-1);
    const [h, w] = boxes.canvas_size;
    return [
      x2.sub(x1).ge(this.min_size),
      y2.sub(y1).ge(this.min_size),
      box_area(corners).ge(this.min_area),
      x1.ge(0),
      y1.ge(0),
      x2.le(w),
      y2.le(h),
    ].reduce((a, b) => a.logical_and(b));
  }
}

interface MixOptions {
  /** Both parameters of the beta distribution that shares are drawn from. */
  alpha?: number;
  num_classes?: number | null;
  labels_getter?: LabelsGetter;
}

export interface Mixing extends Preserving {
  <S extends readonly unknown[]>(...sample: S): Sample<S>;
}
/** What MixUp and CutMix share: batches of images with labels, which become shares of classes. */
export abstract class Mixing extends Module {
  readonly alpha: number;
  readonly num_classes: number | null;
  readonly labels_getter: LabelsGetter;
  constructor(options: MixOptions = {}) {
    super();
    this.alpha = options.alpha ?? 1;
    this.num_classes = options.num_classes ?? null;
    this.labels_getter = options.labels_getter ?? 'default';
  }
  /** A share from the beta distribution. @internal */
  protected share(): number {
    return sampleDirichlet(tensor([[this.alpha, this.alpha]]))
      .select(1, 0)
      .item();
  }
  /** @internal How images change, and the share of their own labels. */
  protected abstract mixer(size: [number, number]): [change: (x: Tensor) => Tensor, share: number];

  forward<S extends readonly unknown[]>(...sample: S): Sample<S> {
    const whole: unknown = sample.length > 1 ? sample : sample[0];
    const leaves = flatten(whole);
    if (leaves.some((x) => x instanceof Picture || x instanceof BoundingBoxes || x instanceof Mask))
      throw new ValueError(
        `${this._getName()}() does not support PIL images, bounding boxes, keypoints and masks.`,
      );
    const [labels] = labelsOf(whole, this.labels_getter);
    this.checkLabels(labels);
    const image =
      leaves.find((x): x is Tensor => x instanceof Image) ??
      (leaves.find((x) => x instanceof Tensor) as Tensor);
    if (image.ndim !== 4)
      throw new ValueError(`Expected a batched input with 4 dims, but got ${image.ndim} dimensions instead.`);
    if (image.shape[0] !== labels.shape[0])
      throw new ValueError(
        `The batch size of the image or video does not match the batch size of the labels: ${image.shape[0]} != ${labels.shape[0]}.`,
      );
    const [change, share] = this.mixer(sizeOf([image]));
    const out = leaves.map((x) => {
      if (x === image) return wrap(change(image), image);
      return x === labels ? mixed(this.probabilities(labels), share) : x;
    });
    return unflatten(whole, out[Symbol.iterator]()) as Sample<S>;
  }
  private checkLabels(labels: Tensor | undefined): void {
    if (!labels) throw new ValueError('The labels must be a tensor, but got None instead.');
    if (labels.ndim !== 1 && labels.ndim !== 2)
      throw new ValueError(
        `labels should be index based with shape (batch_size,) or probability based with shape (batch_size, num_classes), but got a tensor of shape [${labels.shape.join(', ')}] instead.`,
      );
    if (labels.ndim === 1 && this.num_classes === null)
      throw new ValueError('num_classes must be passed if the labels are index-based (1D)');
  }
  private probabilities(labels: Tensor): Tensor {
    const shares = labels.ndim === 1 ? one_hot(labels, this.num_classes as number) : labels;
    return shares.is_floating_point() ? shares : shares.float();
  }
}

/** A batch with shares of the batch shifted by one. */
const mixed = (x: Tensor, share: number): Tensor =>
  x
    .roll(1, 0)
    .mul(1 - share)
    .add(x.mul(share));

/** Blends each image and its label with the one before (Zhang et al., 2018). */
export class MixUp extends Mixing {
  protected override mixer(): [(x: Tensor) => Tensor, number] {
    const share = this.share();
    return [(x) => mixed(x, share), share];
  }
}

/** Puts a box of the image before into each image, and shares the labels by area (Yun et al., 2019). */
export class CutMix extends Mixing {
  protected override mixer([h, w]: [number, number]): [(x: Tensor) => Tensor, number] {
    const share = this.share();
    const x = randint(0, w);
    const y = randint(0, h);
    const r = 0.5 * Math.sqrt(1 - share);
    const [rw, rh] = [Math.trunc(r * w), Math.trunc(r * h)];
    const [x1, y1] = [Math.max(x - rw, 0), Math.max(y - rh, 0)];
    const [x2, y2] = [Math.min(x + rw, w), Math.min(y + rh, h)];
    const change = (images: Tensor): Tensor => {
      const out = images.clone();
      const part = (t: Tensor): Tensor => t.narrow(-2, y1, y2 - y1).narrow(-1, x1, x2 - x1);
      part(out).copy_(part(images.roll(1, 0)));
      return out;
    };
    return [change, 1 - ((x2 - x1) * (y2 - y1)) / (w * h)];
  }
}
