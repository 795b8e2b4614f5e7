// Transforms that draw: flips, crops, turns, erasing. Draws are those of torchvision for the same seed.
import { float32 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { Module } from '../../nn/index.js';
import { bind, type Call, py } from '../../nn/modules/arguments.js';
import { empty } from '../../ops/create.js';
import { tensor } from '../../ops/data.js';
import { Tensor } from '../../tensor.js';
import { floats, list } from './basic.js';
import {
  type Fill,
  type ImageLike,
  type Interpolation,
  type PaddingMode,
  roundEven,
  setupSize,
} from './common.js';
import { describeTransform, ImageTransform, runAll, type Transform } from './compose.js';
import { logUniform, randint, random, uniform } from './draw.js';
import * as F from './functional.js';

type Pair = readonly number[];
type Chance = Call<[], [p: number], { p?: number }>;

/** What is done with a probability. */
abstract class Sometimes extends ImageTransform {
  readonly p: number;
  constructor(standard: number, args: readonly unknown[]) {
    super();
    [this.p] = bind(new.target.name, `float p=${standard}`, args) as [number];
  }
  override toString(): string {
    return `${this._getName()}(p=${floats(this.p)})`;
  }
}

/** Mirrors left and right with probability p. */
export class RandomHorizontalFlip extends Sometimes {
  constructor(...args: Chance) {
    super(0.5, args);
  }
  forward<I extends ImageLike>(img: I): I {
    return random() < this.p ? F.hflip(img) : img;
  }
}

/** Mirrors top and bottom with probability p. */
export class RandomVerticalFlip extends Sometimes {
  constructor(...args: Chance) {
    super(0.5, args);
  }
  forward<I extends ImageLike>(img: I): I {
    return random() < this.p ? F.vflip(img) : img;
  }
}

/** Grey (with as many channels) with probability p. */
export class RandomGrayscale extends Sometimes {
  constructor(...args: Chance) {
    super(0.1, args);
  }
  forward<I extends ImageLike>(img: I): I {
    const [channels] = F.get_dimensions(img);
    return random() < this.p ? F.rgb_to_grayscale(img, channels) : img;
  }
}

/** All of the transforms with probability p, or none. */
export class RandomApply extends ImageTransform {
  constructor(
    readonly transforms: readonly Transform[],
    readonly p = 0.5,
  ) {
    super();
  }
  forward<I extends ImageLike>(img: I): I {
    return this.p < random() ? img : (runAll(this.transforms, img) as I);
  }
  override toString(): string {
    return `RandomApply(\n    p=${floats(this.p)}${this.transforms.map((t) => `\n    ${describeTransform(t)}`).join('')}\n)`;
  }
}

/** One of the transforms, with the given weights. (torchvision draws it from Python's generator; here from torch's.) */
export class RandomChoice extends ImageTransform {
  constructor(
    readonly transforms: readonly Transform[],
    readonly p: Pair | null = null,
  ) {
    super();
    if (p !== null && p.length !== transforms.length)
      throw new ValueError(
        `Length of p doesn't match the number of transforms: ${p.length} != ${transforms.length}`,
      );
  }
  forward<I extends ImageLike>(img: I): I {
    const weights = this.p ?? this.transforms.map(() => 1);
    let left = random() * weights.reduce((a, b) => a + b, 0);
    let at = 0;
    while (at < weights.length - 1 && left >= weights[at]) left -= weights[at++];
    return runAll([this.transforms[at]], img) as I;
  }
  override toString(): string {
    return `RandomChoice(${this.transforms.map((t) => `\n    ${describeTransform(t)}`).join('')}\n)(p=${list(this.p)})`;
  }
}

/** The transforms in random order. (torchvision draws it from Python's generator; here from torch's.) */
export class RandomOrder extends ImageTransform {
  constructor(readonly transforms: readonly Transform[]) {
    super();
  }
  forward<I extends ImageLike>(img: I): I {
    const order = [...this.transforms];
    for (let i = order.length - 1; i > 0; i--) {
      const j = randint(0, i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return runAll(order, img) as I;
  }
  override toString(): string {
    return `RandomOrder(${this.transforms.map((t) => `\n    ${describeTransform(t)}`).join('')}\n)`;
  }
}

interface RandomCropOptions {
  padding?: number | Pair | null;
  pad_if_needed?: boolean;
  fill?: Fill;
  padding_mode?: PaddingMode;
}

/** Cuts out a box of the given size at a random place, after padding. */
export class RandomCrop extends ImageTransform {
  readonly size: readonly [number, number];
  readonly padding: number | Pair | null;
  readonly pad_if_needed: boolean;
  readonly fill: Fill;
  readonly padding_mode: PaddingMode;
  constructor(
    ...args: Call<
      [size: number | Pair],
      [padding: number | Pair | null, pad_if_needed: boolean, fill: Fill, padding_mode: PaddingMode],
      { size: number | Pair } & RandomCropOptions
    >
  ) {
    super();
    const [size, padding, needed, fill, mode] = bind(
      'RandomCrop',
      "int[1] size, int[1]? padding=None, bool pad_if_needed=False, any fill=0, str padding_mode='constant'",
      args,
    );
    this.size = setupSize(size as number | Pair);
    this.padding = padding as number | Pair | null;
    this.pad_if_needed = needed as boolean;
    this.fill = fill as Fill;
    this.padding_mode = mode as PaddingMode;
  }
  /** `[top, left, height, width]` of a random box. @throws ValueError when it does not fit. */
  static get_params(
    img: ImageLike,
    output_size: readonly [number, number],
  ): [number, number, number, number] {
    const [, h, w] = F.get_dimensions(img);
    const [th, tw] = output_size;
    if (h < th || w < tw)
      throw new ValueError(`Required crop size (${th}, ${tw}) is larger than input image size (${h}, ${w})`);
    if (w === tw && h === th) return [0, 0, h, w];
    const top = randint(0, h - th + 1);
    return [top, randint(0, w - tw + 1), th, tw];
  }
  forward<I extends ImageLike>(img: I): I {
    let image = this.padding === null ? img : F.pad(img, this.padding, this.fill, this.padding_mode);
    const [, height, width] = F.get_dimensions(image);
    const [th, tw] = this.size;
    if (this.pad_if_needed && width < tw) image = F.pad(image, [tw - width, 0], this.fill, this.padding_mode);
    if (this.pad_if_needed && height < th)
      image = F.pad(image, [0, th - height], this.fill, this.padding_mode);
    return F.crop(image, ...RandomCrop.get_params(image, this.size));
  }
  override toString(): string {
    return `RandomCrop(size=${py(this.size)}, padding=${list(this.padding)})`;
  }
}

interface ResizedCropOptions {
  /** The box's share of the image's area, at least and at most. */
  scale?: Pair;
  /** The box's width by height, at least and at most. */
  ratio?: Pair;
  interpolation?: Interpolation;
  antialias?: boolean | null;
}

/** Cuts out a box of random size and shape and resizes it. */
export class RandomResizedCrop extends ImageTransform {
  readonly size: readonly [number, number];
  readonly scale: Pair;
  readonly ratio: Pair;
  readonly interpolation: Interpolation;
  readonly antialias: boolean | null;
  constructor(
    ...args: Call<
      [size: number | Pair],
      [scale: Pair, ratio: Pair, interpolation: Interpolation, antialias: boolean | null],
      { size: number | Pair } & ResizedCropOptions
    >
  ) {
    super();
    const [size, scale, ratio, interpolation, antialias] = bind(
      'RandomResizedCrop',
      "int[1] size, float[] scale=[0.08, 1.0], float[] ratio=[0.75, 1.3333333333333333], str interpolation='bilinear', bool? antialias=True",
      args,
    );
    this.size = setupSize(size as number | Pair);
    this.scale = scale as Pair;
    this.ratio = ratio as Pair;
    this.interpolation = interpolation as Interpolation;
    this.antialias = antialias as boolean | null;
  }
  /** `[top, left, height, width]` of a random box. */
  static get_params(img: ImageLike, scale: Pair, ratio: Pair): [number, number, number, number] {
    const [, height, width] = F.get_dimensions(img);
    const area = height * width;
    for (let attempt = 0; attempt < 10; attempt++) {
      const target = area * uniform(scale[0], scale[1]);
      const aspect = logUniform(ratio[0], ratio[1]);
      const w = roundEven(Math.sqrt(target * aspect));
      const h = roundEven(Math.sqrt(target / aspect));
      if (w > 0 && w <= width && h > 0 && h <= height) {
        const top = randint(0, height - h + 1);
        return [top, randint(0, width - w + 1), h, w];
      }
    }
    const shape = width / height;
    const [low, high] = [Math.min(...ratio), Math.max(...ratio)];
    const w = shape > high ? roundEven(height * high) : width;
    const h = shape < low ? roundEven(width / low) : height;
    return [Math.floor((height - h) / 2), Math.floor((width - w) / 2), h, w];
  }
  forward<I extends ImageLike>(img: I): I {
    const box = RandomResizedCrop.get_params(img, this.scale, this.ratio);
    return F.resized_crop(img, ...box, this.size, {
      interpolation: this.interpolation,
      antialias: this.antialias,
    });
  }
  override toString(): string {
    const digits = (x: Pair): string =>
      floats(
        x.map((v) => Number(v.toFixed(4))),
        '(',
        ')',
      );
    return `RandomResizedCrop(size=${py(this.size)}, scale=${digits(this.scale)}, ratio=${digits(this.ratio)}, interpolation=${this.interpolation}, antialias=${py(this.antialias)})`;
  }
}

/** Angles from minus to plus one number, or between two. @throws ValueError */
function angles(x: number | Pair, name: string, sizes: readonly number[] = [2]): number[] {
  if (typeof x === 'number') {
    if (x < 0) throw new ValueError(`If ${name} is a single number, it must be positive.`);
    return [-x, x];
  }
  if (!sizes.includes(x.length))
    throw new ValueError(`${name} should be a sequence of length ${sizes.join(' or ')}.`);
  return [...x];
}

/** One fill value for each channel of a tensor; pictures take it as it is. */
function channelFill(img: ImageLike, fill: Fill): Fill {
  if (!(img instanceof Tensor)) return fill;
  return typeof fill === 'number' ? new Array<number>(F.get_dimensions(img)[0]).fill(fill) : fill;
}

type RotationArgs = [interpolation: Interpolation, expand: boolean, center: Pair | null, fill: Fill];

/** Turns by a random angle. */
export class RandomRotation extends ImageTransform {
  readonly degrees: Pair;
  readonly interpolation: Interpolation;
  readonly expand: boolean;
  readonly center: Pair | null;
  readonly fill: Fill;
  constructor(
    ...args: Call<[degrees: number | Pair], RotationArgs, { degrees: number | Pair } & F.RotateOptions>
  ) {
    super();
    const [degrees, interpolation, expand, center, fill] = bind(
      'RandomRotation',
      "any degrees, str interpolation='nearest', bool expand=False, float[]? center=None, any fill=0",
      args,
    );
    this.degrees = angles(degrees as number | Pair, 'degrees');
    this.interpolation = interpolation as Interpolation;
    this.expand = expand as boolean;
    this.center = center as Pair | null;
    this.fill = (fill as Fill) ?? 0;
  }
  forward<I extends ImageLike>(img: I): I {
    const angle = uniform(this.degrees[0], this.degrees[1]);
    const { interpolation, expand, center } = this;
    return F.rotate(img, angle, { interpolation, expand, center, fill: channelFill(img, this.fill) });
  }
  override toString(): string {
    const center = this.center === null ? '' : `, center=${py(this.center)}`;
    return `RandomRotation(degrees=${floats(this.degrees)}, interpolation=${this.interpolation}, expand=${py(this.expand)}${center}, fill=${py(this.fill)})`;
  }
}

interface RandomAffineOptions {
  /** Largest moves as shares of width and height. */
  translate?: Pair | null;
  /** Smallest and largest scale. */
  scale?: Pair | null;
  shear?: number | Pair | null;
  interpolation?: Interpolation;
  fill?: Fill;
  center?: Pair | null;
}

/** Turns, moves, scales and shears at random. */
export class RandomAffine extends ImageTransform {
  readonly degrees: Pair;
  readonly translate: Pair | null;
  readonly scale: Pair | null;
  readonly shear: Pair | null;
  readonly interpolation: Interpolation;
  readonly fill: Fill;
  readonly center: Pair | null;
  constructor(
    ...args: Call<
      [degrees: number | Pair],
      [
        translate: Pair | null,
        scale: Pair | null,
        shear: number | Pair | null,
        interpolation: Interpolation,
        fill: Fill,
        center: Pair | null,
      ],
      { degrees: number | Pair } & RandomAffineOptions
    >
  ) {
    super();
    const [degrees, translate, scale, shear, interpolation, fill, center] = bind(
      'RandomAffine',
      "any degrees, float[]? translate=None, float[]? scale=None, any shear=None, str interpolation='nearest', any fill=0, float[]? center=None",
      args,
    );
    this.degrees = angles(degrees as number | Pair, 'degrees');
    this.translate = translate as Pair | null;
    this.scale = scale as Pair | null;
    this.shear = shear === null ? null : angles(shear as number | Pair, 'shear', [2, 4]);
    this.interpolation = interpolation as Interpolation;
    this.fill = (fill as Fill) ?? 0;
    this.center = center as Pair | null;
    if (this.translate?.some((t) => !(t >= 0 && t <= 1)))
      throw new ValueError('translation values should be between 0 and 1');
    if (this.scale?.some((s) => s <= 0)) throw new ValueError('scale values should be positive');
  }
  forward<I extends ImageLike>(img: I): I {
    const [, height, width] = F.get_dimensions(img);
    const angle = uniform(this.degrees[0], this.degrees[1]);
    let move: Pair = [0, 0];
    if (this.translate !== null) {
      const [dx, dy] = [this.translate[0] * width, this.translate[1] * height];
      const x = roundEven(uniform(-dx, dx));
      move = [x, roundEven(uniform(-dy, dy))];
    }
    const scale = this.scale === null ? 1 : uniform(this.scale[0], this.scale[1]);
    const shear = [0, 0];
    if (this.shear !== null) {
      shear[0] = uniform(this.shear[0], this.shear[1]);
      if (this.shear.length === 4) shear[1] = uniform(this.shear[2], this.shear[3]);
    }
    const { interpolation, center } = this;
    return F.affine(img, angle, move, scale, shear, {
      interpolation,
      fill: channelFill(img, this.fill),
      center,
    });
  }
  override toString(): string {
    const parts = [`degrees=${floats(this.degrees)}`];
    if (this.translate) parts.push(`translate=${py(this.translate)}`);
    if (this.scale) parts.push(`scale=${py(this.scale)}`);
    if (this.shear) parts.push(`shear=${floats(this.shear)}`);
    if (this.interpolation !== 'nearest') parts.push(`interpolation=${this.interpolation}`);
    if (this.fill !== 0) parts.push(`fill=${py(this.fill)}`);
    if (this.center) parts.push(`center=${py(this.center)}`);
    return `RandomAffine(${parts.join(', ')})`;
  }
}

/** Looks at the image from a random side, with probability p. */
export class RandomPerspective extends ImageTransform {
  readonly distortion_scale: number;
  readonly p: number;
  readonly interpolation: Interpolation;
  readonly fill: Fill;
  constructor(
    ...args: Call<
      [],
      [distortion_scale: number, p: number, interpolation: Interpolation, fill: Fill],
      { distortion_scale?: number; p?: number; interpolation?: Interpolation; fill?: Fill }
    >
  ) {
    super();
    const [distortion, p, interpolation, fill] = bind(
      'RandomPerspective',
      "float distortion_scale=0.5, float p=0.5, str interpolation='bilinear', any fill=0",
      args,
    );
    this.distortion_scale = distortion as number;
    this.p = p as number;
    this.interpolation = interpolation as Interpolation;
    this.fill = (fill as Fill) ?? 0;
  }
  /** Four corners and where they move. */
  static get_params(width: number, height: number, distortion_scale: number): [number[][], number[][]] {
    const [dy, dx] = [height, width].map((n) => Math.trunc(distortion_scale * Math.floor(n / 2)));
    const left = (): number => randint(0, dx + 1);
    const right = (): number => randint(width - dx - 1, width);
    const top = (): number => randint(0, dy + 1);
    const bottom = (): number => randint(height - dy - 1, height);
    const ends = [
      [left(), top()],
      [right(), top()],
      [right(), bottom()],
      [left(), bottom()],
    ];
    const starts = [
      [0, 0],
      [width - 1, 0],
      [width - 1, height - 1],
      [0, height - 1],
    ];
    return [starts, ends];
  }
  forward<I extends ImageLike>(img: I): I {
    const [, height, width] = F.get_dimensions(img);
    if (!(random() < this.p)) return img;
    const [from, to] = RandomPerspective.get_params(width, height, this.distortion_scale);
    return F.perspective(img, from, to, this.interpolation, channelFill(img, this.fill));
  }
  override toString(): string {
    return `RandomPerspective(p=${floats(this.p)})`;
  }
}

interface ErasingOptions {
  p?: number;
  /** The box's share of the image's area. */
  scale?: Pair;
  ratio?: Pair;
  /** What is written: a number, one for each channel, or 'random' for normal noise. */
  value?: number | 'random' | Pair;
  inplace?: boolean;
}

/** Overwrites a random box of a tensor image, with probability p. */
export class RandomErasing extends Module {
  readonly p: number;
  readonly scale: Pair;
  readonly ratio: Pair;
  readonly value: number | 'random' | Pair;
  readonly inplace: boolean;
  constructor(
    ...args: Call<
      [],
      [p: number, scale: Pair, ratio: Pair, value: number | 'random' | Pair, inplace: boolean],
      ErasingOptions
    >
  ) {
    super();
    const [p, scale, ratio, value, inplace] = bind(
      'RandomErasing',
      'float p=0.5, float[] scale=[0.02, 0.33], float[] ratio=[0.3, 3.3], any value=0, bool inplace=False',
      args,
    );
    this.p = p as number;
    this.scale = scale as Pair;
    this.ratio = ratio as Pair;
    this.value = value as number | 'random' | Pair;
    this.inplace = inplace as boolean;
    if (typeof value === 'string' && value !== 'random')
      throw new ValueError("If value is str, it should be 'random'");
    if (this.scale[0] < 0 || this.scale[1] > 1) throw new ValueError('Scale should be between 0 and 1');
    if (this.p < 0 || this.p > 1)
      throw new ValueError('Random erasing probability should be between 0 and 1');
  }
  forward(img: Tensor): Tensor {
    if (!(random() < this.p)) return img;
    const value = typeof this.value === 'number' ? [this.value] : this.value;
    const [channels, height, width] = img.shape.slice(-3);
    if (value !== 'random' && value.length !== 1 && value.length !== channels)
      throw new ValueError(
        `If value is a sequence, it should have either a single value or ${channels} (number of input channels)`,
      );
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = height * width * uniform(this.scale[0], this.scale[1]);
      const aspect = logUniform(this.ratio[0], this.ratio[1]);
      const h = roundEven(Math.sqrt(area * aspect));
      const w = roundEven(Math.sqrt(area / aspect));
      if (!(h < height && w < width)) continue;
      const v =
        value === 'random'
          ? empty([channels, h, w], { dtype: float32 }).normal_()
          : tensor([...value]).view(-1, 1, 1);
      const i = randint(0, height - h + 1);
      return F.erase(img, i, randint(0, width - w + 1), h, w, v, this.inplace);
    }
    return this.inplace ? img : img.clone();
  }
  override toString(): string {
    return `RandomErasing(p=${floats(this.p)}, scale=${py(this.scale)}, ratio=${py(this.ratio)}, value=${py(this.value)}, inplace=${py(this.inplace)})`;
  }
}
