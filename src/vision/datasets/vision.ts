// The base of torchvision's datasets: a root, and transforms of images and targets.
import { Dataset } from '../../utils/data/index.js';

/** Transforms of a dataset: of the image, and of the target. */
export interface TransformOptions<Raw, Image, Target, Label> {
  /** Applied to each image. */
  transform?: ((image: Raw) => Image) | null;
  /** Applied to each target. */
  target_transform?: ((target: Target) => Label) | null;
}

/** Base class of the datasets of images. */
export abstract class VisionDataset<Sample> extends Dataset<Sample> {
  protected readonly imageTransform: ((image: never) => unknown) | null;
  protected readonly targetTransform: ((target: never) => unknown) | null;
  constructor(
    readonly root: string,
    options: TransformOptions<never, unknown, never, unknown> = {},
  ) {
    super();
    this.imageTransform = options.transform ?? null;
    this.targetTransform = options.target_transform ?? null;
  }

  /** The transform of images, null for none. */
  get transform(): ((image: never) => unknown) | null {
    return this.imageTransform;
  }
  /** The transform of targets, null for none. */
  get target_transform(): ((target: never) => unknown) | null {
    return this.targetTransform;
  }

  /** A sample of an image and its target, transformed. @internal */
  protected sample<Image, Label>(image: unknown, target: unknown): [Image, Label] {
    const change = (fn: ((x: never) => unknown) | null, x: unknown): unknown =>
      fn === null ? x : (fn as (x: unknown) => unknown)(x);
    return [change(this.imageTransform, image) as Image, change(this.targetTransform, target) as Label];
  }

  /** Lines about the dataset, after its size and place. */
  extra_repr(): string {
    return '';
  }
  override toString(): string {
    const lines = [`Number of datapoints: ${this.__len__()}`];
    if (this.root !== '') lines.push(`Root location: ${this.root}`);
    const extra = this.extra_repr();
    if (extra !== '') lines.push(...extra.split('\n'));
    const described = (name: string, fn: unknown): void => {
      if (fn === null) return;
      const text = String(fn).split('\n');
      lines.push(`${name}: ${text[0]}`, ...text.slice(1).map((line) => ' '.repeat(name.length + 2) + line));
    };
    const transforms = lines.length;
    described('Transform', this.imageTransform);
    described('Target transform', this.targetTransform);
    if (lines.length > transforms) lines.splice(transforms, 0, 'StandardTransform');
    return `Dataset ${this.constructor.name}\n${lines
      .map((line, i) => (i >= transforms ? line : `    ${line}`))
      .join('\n')}`;
  }
}
