// Transforms of colours and sharpness that draw.
import { ValueError } from '../../errors.js';
import { bind, type Call, py } from '../../nn/modules/arguments.js';
import * as ops from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { Image } from '../image.js';
import { floats } from './basic.js';
import { type Fill, type ImageLike, type Interpolation, setupSize } from './common.js';
import { ImageTransform } from './compose.js';
import { random, uniform } from './draw.js';
import * as F from './functional.js';
import { sampleGrid } from './functional_tensor.js';

type Pair = readonly number[];
type Range = number | Pair;

/** The factors that a setting allows; null for none but the neutral one. @throws ValueError */
function factors(value: Range, name: string, center: number, bound: readonly [number, number]): Pair | null {
  let range: Pair;
  if (typeof value === 'number') {
    if (value < 0) throw new ValueError(`If ${name} is a single number, it must be non negative.`);
    range = [center === 1 ? Math.max(center - value, 0) : center - value, center + value];
  } else if (value.length === 2) range = value;
  else throw new TypeError(`${name} should be a single number or a list/tuple with length 2.`);
  if (!(bound[0] <= range[0] && range[0] <= range[1] && range[1] <= bound[1]))
    throw new ValueError(
      `${name} values should be between (${bound.join(', ')}), but got [${range.join(', ')}].`,
    );
  return range[0] === center && range[1] === center ? null : range;
}

/** Changes brightness, contrast, saturation and hue at random, in random order. */
export class ColorJitter extends ImageTransform {
  readonly brightness: Pair | null;
  readonly contrast: Pair | null;
  readonly saturation: Pair | null;
  readonly hue: Pair | null;
  constructor(
    ...args: Call<
      [],
      [brightness: Range, contrast: Range, saturation: Range, hue: Range],
      { brightness?: Range; contrast?: Range; saturation?: Range; hue?: Range }
    >
  ) {
    super();
    const [brightness, contrast, saturation, hue] = bind(
      'ColorJitter',
      'any brightness=0, any contrast=0, any saturation=0, any hue=0',
      args,
    ) as Range[];
    const open: [number, number] = [0, Number.POSITIVE_INFINITY];
    this.brightness = factors(brightness, 'brightness', 1, open);
    this.contrast = factors(contrast, 'contrast', 1, open);
    this.saturation = factors(saturation, 'saturation', 1, open);
    this.hue = factors(hue, 'hue', 0, [-0.5, 0.5]);
  }
  forward<I extends ImageLike>(img: I): I {
    const order = ops.randperm(4).tolist() as number[];
    const draw = (range: Pair | null): number | null => (range === null ? null : uniform(range[0], range[1]));
    const drawn = [draw(this.brightness), draw(this.contrast), draw(this.saturation), draw(this.hue)];
    const adjust = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue];
    let image = img;
    for (const i of order) {
      const factor = drawn[i];
      if (factor !== null) image = adjust[i](image, factor);
    }
    return image;
  }
  override toString(): string {
    return `ColorJitter(brightness=${py(this.brightness)}, contrast=${py(this.contrast)}, saturation=${py(this.saturation)}, hue=${py(this.hue)})`;
  }
}

type Chance = Call<[], [p: number], { p?: number }>;

abstract class Sometimes extends ImageTransform {
  readonly p: number;
  constructor(args: readonly unknown[]) {
    super();
    [this.p] = bind(new.target.name, 'float p=0.5', args) as [number];
  }
  forward<I extends ImageLike>(img: I): I {
    return random() < this.p ? this.change(img) : img;
  }
  /** @internal */
  protected abstract change<I extends ImageLike>(img: I): I;
  override toString(): string {
    return `${this._getName()}(p=${floats(this.p)})`;
  }
}

/** Inverts the colours with probability p. */
export class RandomInvert extends Sometimes {
  constructor(...args: Chance) {
    super(args);
  }
  protected override change<I extends ImageLike>(img: I): I {
    return F.invert(img);
  }
}

/** Stretches each channel's values to the whole range with probability p. */
export class RandomAutocontrast extends Sometimes {
  constructor(...args: Chance) {
    super(args);
  }
  protected override change<I extends ImageLike>(img: I): I {
    return F.autocontrast(img);
  }
}

/** Makes every value about as frequent as every other with probability p. */
export class RandomEqualize extends Sometimes {
  constructor(...args: Chance) {
    super(args);
  }
  protected override change<I extends ImageLike>(img: I): I {
    return F.equalize(img);
  }
}

/** Keeps the given number of bits of each byte with probability p. */
export class RandomPosterize extends Sometimes {
  constructor(
    readonly bits: number,
    ...args: Chance
  ) {
    super(args);
  }
  protected override change<I extends ImageLike>(img: I): I {
    return F.posterize(img, this.bits);
  }
  override toString(): string {
    return `RandomPosterize(bits=${this.bits},p=${floats(this.p)})`;
  }
}

/** Inverts the values from a threshold on with probability p. */
export class RandomSolarize extends Sometimes {
  constructor(
    readonly threshold: number,
    ...args: Chance
  ) {
    super(args);
  }
  protected override change<I extends ImageLike>(img: I): I {
    return F.solarize(img, this.threshold);
  }
  override toString(): string {
    return `RandomSolarize(threshold=${py(this.threshold)},p=${floats(this.p)})`;
  }
}

/** Sharpens or softens with probability p. */
export class RandomAdjustSharpness extends Sometimes {
  constructor(
    readonly sharpness_factor: number,
    ...args: Chance
  ) {
    super(args);
  }
  protected override change<I extends ImageLike>(img: I): I {
    return F.adjust_sharpness(img, this.sharpness_factor);
  }
  override toString(): string {
    return `RandomAdjustSharpness(sharpness_factor=${py(this.sharpness_factor)},p=${floats(this.p)})`;
  }
}

/** Smooths by a Gaussian kernel of random width. */
export class GaussianBlur extends ImageTransform {
  readonly kernel_size: readonly [number, number];
  readonly sigma: readonly [number, number];
  constructor(kernel_size: Range, sigma: Range | { sigma?: Range } = [0.1, 2]) {
    super();
    const range =
      typeof sigma === 'object' && 'sigma' in sigma ? (sigma.sigma ?? [0.1, 2]) : (sigma as Range);
    this.kernel_size = setupSize(kernel_size, 'Kernel size should be a tuple/list of two integers');
    for (const k of this.kernel_size)
      if (k <= 0 || k % 2 === 0)
        throw new ValueError('Kernel size value should be an odd and positive number.');
    if (typeof range === 'number') {
      if (range <= 0) throw new ValueError('If sigma is a single number, it must be positive.');
      this.sigma = [range, range];
    } else {
      if (range.length !== 2 || !(range[0] > 0 && range[0] <= range[1]))
        throw new ValueError('sigma values should be positive and of the form (min, max).');
      this.sigma = [range[0], range[1]];
    }
  }
  forward<I extends ImageLike>(img: I): I {
    const sigma = uniform(this.sigma[0], this.sigma[1]);
    return F.gaussian_blur(img, this.kernel_size, [sigma, sigma]);
  }
  override toString(): string {
    return `GaussianBlur(kernel_size=${py(this.kernel_size)}, sigma=${floats(this.sigma, '(', ')')})`;
  }
}

/** Moves every pixel by a smooth random field. */
export class ElasticTransform extends ImageTransform {
  readonly alpha: readonly [number, number];
  readonly sigma: readonly [number, number];
  readonly interpolation: Interpolation;
  readonly fill: Fill;
  constructor(
    ...args: Call<
      [],
      [alpha: Range, sigma: Range, interpolation: Interpolation, fill: Fill],
      { alpha?: Range; sigma?: Range; interpolation?: Interpolation; fill?: Fill }
    >
  ) {
    super();
    const [alpha, sigma, interpolation, fill] = bind(
      'ElasticTransform',
      "any alpha=50, any sigma=5, str interpolation='bilinear', any fill=0",
      args,
    );
    const pair = (v: Range): [number, number] => (typeof v === 'number' ? [v, v] : [v[0], v[v.length - 1]]);
    this.alpha = pair(alpha as Range);
    this.sigma = pair(sigma as Range);
    this.interpolation = interpolation as Interpolation;
    this.fill = fill as Fill;
  }
  forward<I extends ImageLike>(img: I): I {
    const [, h, w] = F.get_dimensions(img);
    const field = (sigma: number, reach: number): Tensor => {
      const noise = ops.rand(1, 1, h, w).mul(2).sub(1);
      const size = Math.trunc(8 * sigma + 1);
      const odd = size % 2 === 0 ? size + 1 : size;
      return (sigma > 0 ? F.gaussian_blur(noise, [odd, odd], [...this.sigma]) : noise).mul(reach);
    };
    const dx = field(this.sigma[0], this.alpha[0] / w);
    const dy = field(this.sigma[1], this.alpha[1] / h);
    const line = (n: number): Tensor => ops.linspace((-n + 1) / n, (n - 1) / n, n);
    const grid = ops
      .stack([line(w).view(1, w).expand(h, w), line(h).view(h, 1).expand(h, w)], -1)
      .unsqueeze(0)
      .add(ops.cat([dx, dy], 1).permute(0, 2, 3, 1));
    const plain = img instanceof Image ? F.pil_to_tensor(img) : img;
    const fill = typeof this.fill === 'number' ? [this.fill] : this.fill;
    const out = sampleGrid(
      plain as Tensor,
      grid,
      this.interpolation === 'nearest' ? 'nearest' : 'bilinear',
      fill,
    );
    return (img instanceof Image ? F.to_pil_image(out) : out) as I;
  }
  override toString(): string {
    const fill = typeof this.fill === 'number' ? [this.fill] : (this.fill ?? []);
    return `ElasticTransform(alpha=${floats(this.alpha)}, sigma=${floats(this.sigma)}, interpolation=InterpolationMode.${this.interpolation.toUpperCase()}, fill=${floats(fill)})`;
  }
}
