// torchvision.transforms.v2: transforms of samples of images, masks and boxes.

import type { Module } from '../../../nn/index.js';
import * as auto from '../autoaugment.js';
import * as basic from '../basic.js';
import * as colour from '../colour.js';
import * as first from '../random.js';
import { ImageOnly } from './misc.js';

export { PILToTensor, ToPILImage, ToTensor } from '../basic.js';
export { Lambda } from '../compose.js';
export * as functional from '../functional.js';
export { RandomApply, RandomChoice, RandomOrder } from '../random.js';
export {
  CenterCrop,
  Pad,
  RandomCrop,
  RandomHorizontalFlip,
  RandomIoUCrop,
  RandomResize,
  RandomResizedCrop,
  RandomShortestSize,
  RandomVerticalFlip,
  RandomZoomOut,
  Resize,
  ScaleJitter,
} from './geometry.js';
export {
  ClampBoundingBoxes,
  ConvertBoundingBoxFormat,
  CutMix,
  Identity,
  type LabelsGetter,
  MixUp,
  Normalize,
  RandomPhotometricDistort,
  SanitizeBoundingBoxes,
  ToDtype,
  ToImage,
  ToPureTensor,
} from './misc.js';
export { Compose, Transform } from './transform.js';

type Arguments<C> = C extends abstract new (...args: infer A) => unknown ? A : never;
type OfImages<C> = new (...args: Arguments<C>) => ImageOnly;

/** The transform of images of the same name, which leaves masks and boxes as they are. */
function ofImages<A extends readonly unknown[]>(
  type: new (...args: A) => Module,
  moves = false,
): new (
  ...args: A
) => ImageOnly {
  return class extends ImageOnly {
    constructor(...args: A) {
      super(new type(...args) as never, moves);
    }
  };
}

export const Grayscale: OfImages<typeof basic.Grayscale> = ofImages(basic.Grayscale);
export const ColorJitter: OfImages<typeof colour.ColorJitter> = ofImages(colour.ColorJitter);
export const GaussianBlur: OfImages<typeof colour.GaussianBlur> = ofImages(colour.GaussianBlur);
export const RandomGrayscale: OfImages<typeof first.RandomGrayscale> = ofImages(first.RandomGrayscale);
export const RandomInvert: OfImages<typeof colour.RandomInvert> = ofImages(colour.RandomInvert);
export const RandomPosterize: OfImages<typeof colour.RandomPosterize> = ofImages(colour.RandomPosterize);
export const RandomSolarize: OfImages<typeof colour.RandomSolarize> = ofImages(colour.RandomSolarize);
export const RandomAutocontrast: OfImages<typeof colour.RandomAutocontrast> = ofImages(
  colour.RandomAutocontrast,
);
export const RandomEqualize: OfImages<typeof colour.RandomEqualize> = ofImages(colour.RandomEqualize);
export const RandomAdjustSharpness: OfImages<typeof colour.RandomAdjustSharpness> = ofImages(
  colour.RandomAdjustSharpness,
);
export const RandomErasing: OfImages<typeof first.RandomErasing> = ofImages(first.RandomErasing);
export const RandomRotation: OfImages<typeof first.RandomRotation> = ofImages(first.RandomRotation, true);
export const RandomAffine: OfImages<typeof first.RandomAffine> = ofImages(first.RandomAffine, true);
export const RandomPerspective: OfImages<typeof first.RandomPerspective> = ofImages(
  first.RandomPerspective,
  true,
);
export const ElasticTransform: OfImages<typeof colour.ElasticTransform> = ofImages(
  colour.ElasticTransform,
  true,
);
export const AutoAugment: OfImages<typeof auto.AutoAugment> = ofImages(auto.AutoAugment, true);
export const RandAugment: OfImages<typeof auto.RandAugment> = ofImages(auto.RandAugment, true);
export const TrivialAugmentWide: OfImages<typeof auto.TrivialAugmentWide> = ofImages(
  auto.TrivialAugmentWide,
  true,
);
export const AugMix: OfImages<typeof auto.AugMix> = ofImages(auto.AugMix, true);
