// The base of transforms.v2: samples are nested arrays and objects; images, boxes and masks in them are transformed
// together, with the same draws, and everything else passes through.
import { isKeywords } from '../../../dispatch/schema.js';
import { Module } from '../../../nn/index.js';
import { Tensor } from '../../../tensor.js';
import { Image as Picture } from '../../image.js';
import { BoundingBoxes, Image, Mask } from '../../tv_tensors.js';
import { type Chained, describeTransform, type Preserving } from '../compose.js';
import { get_dimensions } from '../functional.js';

/** What one call gives back: the sample, or several as an array. */
export type Sample<S extends readonly unknown[]> = S extends readonly [infer One] ? One : S;

/** A tensor that does not say what it is. */
export const isPlain = (x: unknown): x is Tensor =>
  x instanceof Tensor && !(x instanceof Image) && !(x instanceof Mask) && !(x instanceof BoundingBoxes);

/** The leaves of a sample, in order. */
export function flatten(sample: unknown, into: unknown[] = []): unknown[] {
  if (Array.isArray(sample)) for (const item of sample) flatten(item, into);
  else if (isKeywords(sample)) for (const item of Object.values(sample)) flatten(item, into);
  else into.push(sample);
  return into;
}

/** A sample of the same structure with other leaves. */
export function unflatten(sample: unknown, leaves: Iterator<unknown>): unknown {
  if (Array.isArray(sample)) return sample.map((item) => unflatten(item, leaves));
  if (isKeywords(sample))
    return Object.fromEntries(Object.entries(sample).map(([key, item]) => [key, unflatten(item, leaves)]));
  return leaves.next().value;
}

/** `[height, width]` of the images, boxes or masks among leaves. */
export function sizeOf(leaves: readonly unknown[]): [number, number] {
  for (const x of leaves) {
    if (x instanceof BoundingBoxes) return [x.canvas_size[0], x.canvas_size[1]];
    if (x instanceof Picture || x instanceof Tensor) {
      const [, h, w] = get_dimensions(x);
      return [h, w];
    }
  }
  throw new TypeError('No image, mask or bounding box was found in the sample');
}

/** Calling a transform of samples. */
export interface Transform<P = unknown> extends Preserving {
  <S extends readonly unknown[]>(...sample: S): Sample<S>;
  /** @internal */
  readonly _params: P;
}

/** Base class: subclasses draw in `make_params` and change one leaf in `transform`. */
export abstract class Transform<P = unknown> extends Module {
  /** Draws what is the same for the whole sample. */
  make_params(_leaves: readonly unknown[]): P {
    return undefined as P;
  }
  /** Changes an image, picture, mask, boxes or plain tensor (which is an image). */
  abstract transform(input: Tensor | Picture, params: P): unknown;

  /** Is the sample left as it is this time? Draws first. @internal */
  protected skip(): boolean {
    return false;
  }

  forward<S extends readonly unknown[]>(...sample: S): Sample<S> {
    const whole: unknown = sample.length > 1 ? sample : sample[0];
    const leaves = flatten(whole);
    const chosen = this.chosen(leaves);
    if (this.skip()) return whole as Sample<S>;
    const params = this.make_params(leaves.filter((_, i) => chosen[i]));
    const out = leaves.map((x, i) => (chosen[i] ? this.transform(x as Tensor, params) : x));
    return unflatten(whole, out[Symbol.iterator]()) as Sample<S>;
  }

  /** Which leaves are transformed: a plain tensor is only where there is no image, and only the first. */
  private chosen(leaves: readonly unknown[]): boolean[] {
    let plain = !leaves.some((x) => x instanceof Image || x instanceof Picture);
    return leaves.map((x) => {
      if (!isPlain(x)) return x instanceof Tensor || x instanceof Picture;
      if (!plain) return false;
      plain = false;
      return true;
    });
  }
}

type Step = (...sample: never[]) => unknown;

/** Calling transforms of samples, typed from each. */
export interface Compose<T extends readonly Step[]> {
  // biome-ignore lint/style/useShorthandFunctionType: an interface merges with the class
  <S extends readonly unknown[]>(...sample: S): Chained<T, Sample<S>>;
}
/** Transforms of samples one after another. */
export class Compose<const T extends readonly Step[]> extends Module {
  readonly transforms: T;
  constructor(transforms: T) {
    super();
    if (!Array.isArray(transforms))
      throw new TypeError('Argument transforms should be a sequence of callables');
    if (transforms.length < 1) throw new TypeError('Pass at least one transform');
    this.transforms = transforms;
  }
  forward<S extends readonly unknown[]>(...sample: S): Chained<T, Sample<S>> {
    let inputs: readonly unknown[] = sample;
    for (const transform of this.transforms) {
      const out = (transform as (...inputs: readonly unknown[]) => unknown)(...inputs);
      inputs = sample.length > 1 ? (out as unknown[]) : [out];
    }
    return (sample.length > 1 ? inputs : inputs[0]) as Chained<T, Sample<S>>;
  }
  override toString(): string {
    return `Compose(${this.transforms.map((t) => `\n    ${describeTransform(t)}`).join('')}\n)`;
  }
}
