// Policies of augmentation: AutoAugment (Cubuk et al., 2018), RandAugment (2019), TrivialAugmentWide (Müller and Hutter,
// 2021) and AugMix (Hendrycks et al., 2019), with torchvision's tables and draws.
import { ValueError } from '../../errors.js';
import { bind, type Call, py } from '../../nn/modules/arguments.js';
import { tensor } from '../../ops/data.js';
import { sampleDirichlet } from '../../ops/random.js';
import * as ops from '../../ops/table.js';
import { Tensor } from '../../tensor.js';
import { Image } from '../image.js';
import { type Fill, type ImageLike, type Interpolation, roundEven } from './common.js';
import { ImageTransform } from './compose.js';
import { randint } from './draw.js';
import * as F from './functional.js';
import { type Policy, policies } from './policies.js';

/** The data set that an AutoAugment policy was found on. */
export const AutoAugmentPolicy = { IMAGENET: 'imagenet', CIFAR10: 'cifar10', SVHN: 'svhn' } as const;
export type AutoAugmentPolicyName = 'imagenet' | 'cifar10' | 'svhn';

const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** One operation with its magnitude. */
export function applyOp<I extends ImageLike>(
  img: I,
  name: string,
  magnitude: number,
  interpolation: Interpolation,
  fill: Fill,
): I {
  const shear = (x: number, y: number): I =>
    F.affine(img, 0, [0, 0], 1, [x, y], { interpolation, fill, center: [0, 0] });
  const move = (x: number, y: number): I => F.affine(img, 0, [x, y], 1, [0, 0], { interpolation, fill });
  const angle = degrees(Math.atan(magnitude));
  const steps: Readonly<Record<string, () => I>> = {
    ShearX: () => shear(angle, 0),
    ShearY: () => shear(0, angle),
    TranslateX: () => move(Math.trunc(magnitude), 0),
    TranslateY: () => move(0, Math.trunc(magnitude)),
    Rotate: () => F.rotate(img, magnitude, { interpolation, fill }),
    Brightness: () => F.adjust_brightness(img, 1 + magnitude),
    Color: () => F.adjust_saturation(img, 1 + magnitude),
    Contrast: () => F.adjust_contrast(img, 1 + magnitude),
    Sharpness: () => F.adjust_sharpness(img, 1 + magnitude),
    Posterize: () => F.posterize(img, Math.trunc(magnitude)),
    Solarize: () => F.solarize(img, magnitude),
    AutoContrast: () => F.autocontrast(img),
    Equalize: () => F.equalize(img),
    Invert: () => F.invert(img),
    Identity: () => img,
  };
  const step = steps[name];
  if (!step) throw new ValueError(`The provided operator ${name} is not recognized.`);
  return step();
}

/** The magnitudes of an operation (none for those without), and whether its sign is drawn. */
type Space = Readonly<Record<string, readonly [magnitudes: readonly number[] | null, signed: boolean]>>;

const steps = (end: number, bins: number, start = 0): number[] =>
  ops.linspace(start, end, bins).tolist() as number[];
const bits = (from: number, bins: number, levels: number): number[] =>
  Array.from({ length: bins }, (_, i) => from - roundEven(Math.fround(i / ((bins - 1) / levels))));

interface Reach {
  readonly shear: number;
  readonly x: number;
  readonly y: number;
  readonly rotate: number;
  readonly colour: number;
  /** Bits that Posterize starts from, and how many it takes away at most. */
  readonly posterize: readonly [number, number];
}

/** The operations with their magnitudes, in torchvision's order. */
function space(bins: number, reach: Reach, names: readonly string[]): Space {
  const all: Space = {
    Identity: [null, false],
    ShearX: [steps(reach.shear, bins), true],
    ShearY: [steps(reach.shear, bins), true],
    TranslateX: [steps(reach.x, bins), true],
    TranslateY: [steps(reach.y, bins), true],
    Rotate: [steps(reach.rotate, bins), true],
    Brightness: [steps(reach.colour, bins), true],
    Color: [steps(reach.colour, bins), true],
    Contrast: [steps(reach.colour, bins), true],
    Sharpness: [steps(reach.colour, bins), true],
    Posterize: [bits(reach.posterize[0], bins, reach.posterize[1]), false],
    Solarize: [steps(0, bins, 255), false],
    AutoContrast: [null, false],
    Equalize: [null, false],
    Invert: [null, false],
  };
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

const common = ['ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate'];
const colours = ['Brightness', 'Color', 'Contrast', 'Sharpness'];
const levels = ['Posterize', 'Solarize', 'AutoContrast', 'Equalize'];

/** One fill value for each channel of a tensor. */
function fillFor(img: ImageLike, fill: Fill): Fill {
  if (!(img instanceof Tensor) || typeof fill !== 'number') return fill;
  return new Array<number>(F.get_dimensions(img)[0]).fill(fill);
}

/** The reach of AutoAugment and RandAugment in an image of a size. */
const standardReach = (height: number, width: number): Reach => ({
  shear: 0.3,
  x: (150 / 331) * width,
  y: (150 / 331) * height,
  rotate: 30,
  colour: 0.9,
  posterize: [8, 4],
});

/** Two operations of a random one of the 25 pairs that were found for a data set. */
export class AutoAugment extends ImageTransform {
  readonly policy: AutoAugmentPolicyName;
  readonly interpolation: Interpolation;
  readonly fill: Fill;
  private readonly pairs: readonly Policy[];
  constructor(
    ...args: Call<
      [],
      [policy: AutoAugmentPolicyName, interpolation: Interpolation, fill: Fill],
      { policy?: AutoAugmentPolicyName; interpolation?: Interpolation; fill?: Fill }
    >
  ) {
    super();
    const [policy, interpolation, fill] = bind(
      'AutoAugment',
      "str policy='imagenet', str interpolation='nearest', any fill=None",
      args,
    );
    this.policy = policy as AutoAugmentPolicyName;
    this.interpolation = interpolation as Interpolation;
    this.fill = fill as Fill;
    const pairs = policies[this.policy];
    if (!pairs) throw new ValueError(`The provided policy ${String(policy)} is not recognized.`);
    this.pairs = pairs;
  }
  forward<I extends ImageLike>(img: I): I {
    const [, height, width] = F.get_dimensions(img);
    const id = randint(0, this.pairs.length);
    const chances = ops.rand(2).tolist() as number[];
    const signs = ops.randint(2, [2]).tolist() as number[];
    const meta = space(10, standardReach(height, width), [...common, ...colours, ...levels, 'Invert']);
    const fill = fillFor(img, this.fill);
    let image = img;
    this.pairs[id].forEach(([name, p, level], i) => {
      if (!(chances[i] <= Math.fround(p))) return;
      const [magnitudes, signed] = meta[name];
      let magnitude = level === null || magnitudes === null ? 0 : magnitudes[level];
      if (signed && signs[i] === 0) magnitude = -magnitude;
      image = applyOp(image, name, magnitude, this.interpolation, fill);
    });
    return image;
  }
  override toString(): string {
    return `AutoAugment(policy=AutoAugmentPolicy.${this.policy.toUpperCase()}, fill=${py(this.fill)})`;
  }
}

interface RandAugmentOptions {
  /** Operations one after another. */
  num_ops?: number;
  /** Which of the magnitudes. */
  magnitude?: number;
  num_magnitude_bins?: number;
  interpolation?: Interpolation;
  fill?: Fill;
}

/** Random operations of one magnitude. */
export class RandAugment extends ImageTransform {
  readonly num_ops: number;
  readonly magnitude: number;
  readonly num_magnitude_bins: number;
  readonly interpolation: Interpolation;
  readonly fill: Fill;
  constructor(
    ...args: Call<
      [],
      [
        num_ops: number,
        magnitude: number,
        num_magnitude_bins: number,
        interpolation: Interpolation,
        fill: Fill,
      ],
      RandAugmentOptions
    >
  ) {
    super();
    const [count, magnitude, bins, interpolation, fill] = bind(
      'RandAugment',
      "int num_ops=2, int magnitude=9, int num_magnitude_bins=31, str interpolation='nearest', any fill=None",
      args,
    );
    this.num_ops = count as number;
    this.magnitude = magnitude as number;
    this.num_magnitude_bins = bins as number;
    this.interpolation = interpolation as Interpolation;
    this.fill = fill as Fill;
  }
  forward<I extends ImageLike>(img: I): I {
    const [, height, width] = F.get_dimensions(img);
    const meta = space(this.num_magnitude_bins, standardReach(height, width), [
      'Identity',
      ...common,
      ...colours,
      ...levels,
    ]);
    const fill = fillFor(img, this.fill);
    const names = Object.keys(meta);
    let image = img;
    for (let i = 0; i < this.num_ops; i++) {
      const name = names[randint(0, names.length)];
      const [magnitudes, signed] = meta[name];
      let magnitude = magnitudes === null ? 0 : magnitudes[this.magnitude];
      if (signed && randint(0, 2) === 1) magnitude = -magnitude;
      image = applyOp(image, name, magnitude, this.interpolation, fill);
    }
    return image;
  }
  override toString(): string {
    return `RandAugment(num_ops=${this.num_ops}, magnitude=${this.magnitude}, num_magnitude_bins=${this.num_magnitude_bins}, interpolation=InterpolationMode.${this.interpolation.toUpperCase()}, fill=${py(this.fill)})`;
  }
}

/** One random operation of random magnitude. */
export class TrivialAugmentWide extends ImageTransform {
  readonly num_magnitude_bins: number;
  readonly interpolation: Interpolation;
  readonly fill: Fill;
  constructor(
    ...args: Call<
      [],
      [num_magnitude_bins: number, interpolation: Interpolation, fill: Fill],
      Omit<RandAugmentOptions, 'num_ops' | 'magnitude'>
    >
  ) {
    super();
    const [bins, interpolation, fill] = bind(
      'TrivialAugmentWide',
      "int num_magnitude_bins=31, str interpolation='nearest', any fill=None",
      args,
    );
    this.num_magnitude_bins = bins as number;
    this.interpolation = interpolation as Interpolation;
    this.fill = fill as Fill;
  }
  forward<I extends ImageLike>(img: I): I {
    const reach: Reach = { shear: 0.99, x: 32, y: 32, rotate: 135, colour: 0.99, posterize: [8, 6] };
    const meta = space(this.num_magnitude_bins, reach, ['Identity', ...common, ...colours, ...levels]);
    const names = Object.keys(meta);
    const name = names[randint(0, names.length)];
    const [magnitudes, signed] = meta[name];
    let magnitude = magnitudes === null ? 0 : magnitudes[randint(0, magnitudes.length)];
    if (signed && randint(0, 2) === 1) magnitude = -magnitude;
    return applyOp(img, name, magnitude, this.interpolation, fillFor(img, this.fill));
  }
  override toString(): string {
    return `TrivialAugmentWide(num_magnitude_bins=${this.num_magnitude_bins}, interpolation=InterpolationMode.${this.interpolation.toUpperCase()}, fill=${py(this.fill)})`;
  }
}

interface AugMixOptions {
  severity?: number;
  mixture_width?: number;
  chain_depth?: number;
  alpha?: number;
  all_ops?: boolean;
  interpolation?: Interpolation;
  fill?: Fill;
}

/** Mixes an image with chains of random operations on it. */
export class AugMix extends ImageTransform {
  readonly options: Required<AugMixOptions>;
  constructor(options: AugMixOptions = {}) {
    super();
    this.options = {
      severity: 3,
      mixture_width: 3,
      chain_depth: -1,
      alpha: 1,
      all_ops: true,
      interpolation: 'bilinear',
      fill: null,
      ...options,
    };
    if (!(this.options.severity >= 1 && this.options.severity <= 10))
      throw new ValueError(`The severity must be between [1, 10]. Got ${this.options.severity} instead.`);
  }
  forward<I extends ImageLike>(img: I): I {
    const { severity, mixture_width, chain_depth, alpha, all_ops, interpolation } = this.options;
    const [, height, width] = F.get_dimensions(img);
    const plain: Tensor = img instanceof Image ? F.pil_to_tensor(img) : (img as Tensor);
    const batch = plain.ndim < 4 ? plain.unsqueeze(0) : plain;
    const n = batch.shape[0];
    const fill = fillFor(plain, this.options.fill);
    const reach: Reach = {
      shear: 0.3,
      x: width / 3,
      y: height / 3,
      rotate: 30,
      colour: 0.9,
      posterize: [4, 4],
    };
    const meta = space(10, reach, [...common, ...levels, ...(all_ops ? colours : [])]);
    const names = Object.keys(meta);
    const weigh = (size: number): Tensor =>
      sampleDirichlet(tensor(new Array<number>(size).fill(alpha)).expand(n, size).contiguous());
    const m = weigh(2);
    const combined = weigh(mixture_width).mul(m.narrow(1, 1, 1));
    const column = (x: Tensor, i: number): Tensor => x.narrow(1, i, 1).view(n, 1, 1, 1);
    let mix = column(m, 0).mul(batch);
    for (let i = 0; i < mixture_width; i++) {
      let aug = batch;
      const depth = chain_depth > 0 ? chain_depth : randint(1, 4);
      for (let k = 0; k < depth; k++) {
        const name = names[randint(0, names.length)];
        const [magnitudes, signed] = meta[name];
        let magnitude = magnitudes === null ? 0 : magnitudes[randint(0, severity)];
        if (signed && randint(0, 2) === 1) magnitude = -magnitude;
        aug = applyOp(aug, name, magnitude, interpolation, fill);
      }
      mix = mix.add(column(combined, i).mul(aug));
    }
    const out = mix.view(plain.shape).to(plain.dtype);
    return (img instanceof Image ? F.to_pil_image(out) : out) as I;
  }
}
