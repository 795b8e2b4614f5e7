// Transforms that always do the same: conversions, sizes, crops, colours.
import { type DType, get_default_dtype } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { Module } from '../../nn/index.js';
import { bind, type Call, py } from '../../nn/modules/arguments.js';
import { pyFloatRepr } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';
import type { Image } from '../image.js';
import {
  type Fill,
  type ImageLike,
  type Interpolation,
  type PaddingMode,
  setupSize,
  sidesOf,
} from './common.js';
import { ImageTransform } from './compose.js';
import * as F from './functional.js';

/** Floats as Python prints them, whole ones too. */
export const floats = (x: number | readonly number[], open = '[', close = ']'): string =>
  typeof x === 'number' ? pyFloatRepr(x) : `${open}${x.map(pyFloatRepr).join(', ')}${close}`;

/** A list as Python prints it. */
export const list = (x: unknown): string => (Array.isArray(x) ? `[${x.map(list).join(', ')}]` : py(x));

/** A picture, or a uint8 tensor [H, W] or [H, W, C], as a float tensor [C, H, W] with values from 0 to 1. */
export class ToTensor extends Module {
  forward(pic: ImageLike): Tensor {
    return F.to_tensor(pic);
  }
  override toString(): string {
    return 'ToTensor()';
  }
}

/** A picture as a uint8 tensor [C, H, W]. */
export class PILToTensor extends Module {
  forward(pic: Image): Tensor {
    return F.pil_to_tensor(pic);
  }
  override toString(): string {
    return 'PILToTensor()';
  }
}

/** A tensor [C, H, W] or [H, W] as a picture. */
export class ToPILImage extends Module {
  forward(pic: Tensor): Image {
    return F.to_pil_image(pic);
  }
  override toString(): string {
    return 'ToPILImage()';
  }
}

/** A tensor image as another dtype, its values scaled to that dtype's range. */
export class ConvertImageDtype extends Module {
  constructor(readonly dtype: DType = get_default_dtype()) {
    super();
  }
  forward(image: Tensor): Tensor {
    return F.convert_image_dtype(image, this.dtype);
  }
  override toString(): string {
    return 'ConvertImageDtype()';
  }
}

/** `(x - mean) / std` for each channel of a float image [..., C, H, W]. */
export class Normalize extends Module {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly inplace: boolean;
  constructor(
    ...args: Call<
      [mean: readonly number[], std: readonly number[]],
      [inplace: boolean],
      { mean: readonly number[]; std: readonly number[]; inplace?: boolean }
    >
  ) {
    super();
    const [mean, std, inplace] = bind('Normalize', 'float[] mean, float[] std, bool inplace=False', args);
    this.mean = mean as number[];
    this.std = std as number[];
    this.inplace = inplace as boolean;
    if (this.std.some((s) => s === 0))
      throw new ValueError(
        'std evaluated to zero after conversion to torch.float32, leading to division by zero.',
      );
  }
  forward(tensor: Tensor): Tensor {
    return F.normalize(tensor, this.mean, this.std, this.inplace);
  }
  override toString(): string {
    return `Normalize(mean=${list(this.mean)}, std=${list(this.std)})`;
  }
}

type Size = number | readonly number[];

/** Resizes to `[height, width]`, or the shorter edge to one number. */
export class Resize extends ImageTransform {
  readonly size: Size | null;
  readonly interpolation: Interpolation;
  readonly max_size: number | null;
  readonly antialias: boolean | null;
  constructor(
    ...args: Call<
      [size: Size | null],
      [interpolation: Interpolation, max_size: number | null, antialias: boolean | null],
      { size: Size | null } & F.ResizeOptions
    >
  ) {
    super();
    const [size, interpolation, max, antialias] = bind(
      'Resize',
      "int[1]? size, str interpolation='bilinear', int? max_size=None, bool? antialias=True",
      args,
    );
    this.size = size as Size | null;
    this.interpolation = interpolation as Interpolation;
    this.max_size = max as number | null;
    this.antialias = antialias as boolean | null;
    if (Array.isArray(size) && size.length !== 1 && size.length !== 2)
      throw new ValueError('If size is a sequence, it should have 1 or 2 values');
  }
  forward<I extends ImageLike>(img: I): I {
    return F.resize(img, this.size, {
      interpolation: this.interpolation,
      max_size: this.max_size,
      antialias: this.antialias,
    });
  }
  override toString(): string {
    return `Resize(size=${list(this.size)}, interpolation=${this.interpolation}, max_size=${py(this.max_size)}, antialias=${py(this.antialias)})`;
  }
}

/** Cuts out the middle; smaller images are padded with 0. */
export class CenterCrop extends ImageTransform {
  readonly size: readonly [number, number];
  constructor(size: Size) {
    super();
    this.size = setupSize(size);
  }
  forward<I extends ImageLike>(img: I): I {
    return F.center_crop(img, this.size);
  }
  override toString(): string {
    return `CenterCrop(size=${py(this.size)})`;
  }
}

/** Continues the borders by one number, `[left/right, top/bottom]` or `[left, top, right, bottom]`. */
export class Pad extends ImageTransform {
  readonly padding: Size;
  readonly fill: Fill;
  readonly padding_mode: PaddingMode;
  constructor(
    ...args: Call<
      [padding: Size],
      [fill: Fill, padding_mode: PaddingMode],
      { padding: Size; fill?: Fill; padding_mode?: PaddingMode }
    >
  ) {
    super();
    const [padding, fill, mode] = bind(
      'Pad',
      "int[1] padding, any fill=0, str padding_mode='constant'",
      args,
    );
    this.padding = padding as Size;
    this.fill = fill as Fill;
    this.padding_mode = mode as PaddingMode;
    sidesOf(this.padding);
    if (!['constant', 'edge', 'reflect', 'symmetric'].includes(this.padding_mode))
      throw new ValueError('Padding mode should be either constant, edge, reflect or symmetric');
  }
  forward<I extends ImageLike>(img: I): I {
    return F.pad(img, this.padding, this.fill, this.padding_mode);
  }
  override toString(): string {
    return `Pad(padding=${py(this.padding)}, fill=${py(this.fill)}, padding_mode=${this.padding_mode})`;
  }
}

/** The four corners and the middle of an image. */
export class FiveCrop extends Module {
  readonly size: readonly [number, number];
  constructor(size: Size) {
    super();
    this.size = setupSize(size);
  }
  forward<I extends ImageLike>(img: I): I[] {
    return F.five_crop(img, this.size);
  }
  override toString(): string {
    return `FiveCrop(size=${py(this.size)})`;
  }
}

/** The crops of {@link FiveCrop} of an image and of its mirror image. */
export class TenCrop extends Module {
  readonly size: readonly [number, number];
  constructor(
    size: Size,
    readonly vertical_flip = false,
  ) {
    super();
    this.size = setupSize(size);
  }
  forward<I extends ImageLike>(img: I): I[] {
    return F.ten_crop(img, this.size, this.vertical_flip);
  }
  override toString(): string {
    return `TenCrop(size=${py(this.size)}, vertical_flip=${py(this.vertical_flip)})`;
  }
}

/** Grey, with one channel or the same three times. */
export class Grayscale extends ImageTransform {
  readonly num_output_channels: number;
  constructor(...args: Call<[], [num_output_channels: number], { num_output_channels?: number }>) {
    super();
    [this.num_output_channels] = bind('Grayscale', 'int num_output_channels=1', args) as [number];
  }
  forward<I extends ImageLike>(img: I): I {
    return F.rgb_to_grayscale(img, this.num_output_channels);
  }
  override toString(): string {
    return `Grayscale(num_output_channels=${this.num_output_channels})`;
  }
}

/** Takes a mean from the flattened image and multiplies it by a square matrix (whitening). */
export class LinearTransformation extends Module {
  constructor(
    readonly transformation_matrix: Tensor,
    readonly mean_vector: Tensor,
  ) {
    super();
    const [n, m] = transformation_matrix.shape;
    if (n !== m)
      throw new ValueError(`transformation_matrix should be square. Got (${n}, ${m}) rectangular matrix.`);
    if (mean_vector.shape[0] !== n)
      throw new ValueError(
        `mean_vector should have the same length ${mean_vector.shape[0]} as any one of the dimensions of the transformation_matrix [(${n}, ${m})]`,
      );
  }
  forward(tensor: Tensor): Tensor {
    const [c, h, w] = tensor.shape.slice(-3);
    const n = c * h * w;
    if (n !== this.transformation_matrix.shape[0])
      throw new ValueError(
        `Input tensor and transformation matrix have incompatible shape.[${c} x ${h} x ${w}] != ${this.transformation_matrix.shape[0]}`,
      );
    const flat = tensor.reshape(-1, n).sub(this.mean_vector);
    return flat.mm(this.transformation_matrix.to(flat.dtype)).view(tensor.shape);
  }
}
