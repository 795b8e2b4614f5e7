// Transforms one after another, typed from their members.
import { Module } from '../../nn/index.js';
import type { Tensor } from '../../tensor.js';
import type { Image as Picture } from '../image.js';
import type { Image as TVImage } from '../tv_tensors.js';
import type { ImageLike } from './common.js';

/** A transform: a function, or a module, of one sample. */
export type Transform = (sample: never) => unknown;

/** Marks the types of transforms that give back the kind of image they were given. */
export interface Preserving {
  /** @internal */
  readonly _preserves: true;
}

/** Pictures of a sample become tensors that say they are images. */
export type AsImages<S> = S extends Picture
  ? TVImage
  : S extends Tensor
    ? S
    : S extends readonly unknown[]
      ? { [K in keyof S]: AsImages<S[K]> }
      : S extends Readonly<Record<string, unknown>>
        ? { [K in keyof S]: AsImages<S[K]> }
        : S;

/** What a transform makes of an input type. */
type Applied<F, X> = F extends Preserving
  ? X
  : F extends { readonly _asImages: true }
    ? AsImages<X>
    : F extends { forward(...args: never[]): infer R }
      ? R
      : F extends (...args: never[]) => infer R
        ? R
        : unknown;

/** What transforms one after another make of an input type. */
export type Chained<T extends readonly unknown[], X> = T extends readonly [infer First, ...infer Rest]
  ? Chained<Rest, Applied<First, X>>
  : T extends readonly []
    ? X
    : unknown;

/** What the first transform takes. */
export type Input<T extends readonly unknown[]> = T extends readonly [infer First, ...infer Rest]
  ? First extends Preserving
    ? Rest extends readonly []
      ? ImageLike
      : ImageLike
    : First extends { forward(x: infer A, ...rest: never[]): unknown }
      ? A
      : First extends (x: infer A, ...rest: never[]) => unknown
        ? A
        : never
  : unknown;

/**
 * A transform that gives back the kind of image it was given: subclasses define `forward` for pictures and tensors.
 * @internal
 */
export interface ImageTransform extends Preserving {
  <I extends ImageLike>(img: I): I;
}
/** @internal */
export abstract class ImageTransform extends Module {
  abstract override forward<I extends ImageLike>(img: I): I;
}

/** Transforms one after another. */
export class Compose<const T extends readonly Transform[]> extends Module {
  readonly transforms: T;
  constructor(transforms: T) {
    super();
    if (!Array.isArray(transforms)) throw new TypeError('Argument transforms should be a sequence');
    this.transforms = transforms;
  }
  forward(image: Input<T>): Chained<T, Input<T>> {
    return runAll(this.transforms, image) as Chained<T, Input<T>>;
  }
  override toString(): string {
    return `${this._getName()}(${this.transforms.map((t) => `\n    ${describeTransform(t)}`).join('')}\n)`;
  }
}

/** Calls transforms in order. A promise (of an asynchronous transform) is waited for. */
export function runAll(transforms: readonly unknown[], image: unknown): unknown {
  let x = image;
  for (const transform of transforms) x = (transform as (x: unknown) => unknown)(x);
  return x;
}

/** A transform as text. */
export const describeTransform = (t: unknown): string =>
  t instanceof Module || typeof t !== 'function' ? String(t) : `<function ${t.name || '<lambda>'}>`;

/** A user's function as a transform. */
export class Lambda<A = never, R = unknown> extends Module {
  constructor(readonly lambd: (x: A) => R) {
    super();
    if (typeof lambd !== 'function')
      throw new TypeError(`Argument lambd should be callable, got '${typeof lambd}'`);
  }
  forward(x: A): R {
    return this.lambd(x);
  }
  override toString(): string {
    return 'Lambda()';
  }
}
