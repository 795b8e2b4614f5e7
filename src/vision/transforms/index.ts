// torchvision.transforms: functions of images, as callable objects.

export {
  AugMix,
  AutoAugment,
  AutoAugmentPolicy,
  type AutoAugmentPolicyName,
  RandAugment,
  TrivialAugmentWide,
} from './autoaugment.js';
export {
  CenterCrop,
  ConvertImageDtype,
  FiveCrop,
  Grayscale,
  LinearTransformation,
  Normalize,
  Pad,
  PILToTensor,
  Resize,
  TenCrop,
  ToPILImage,
  ToTensor,
} from './basic.js';
export {
  ColorJitter,
  ElasticTransform,
  GaussianBlur,
  RandomAdjustSharpness,
  RandomAutocontrast,
  RandomEqualize,
  RandomInvert,
  RandomPosterize,
  RandomSolarize,
} from './colour.js';
export {
  type Fill,
  type ImageLike,
  type Interpolation,
  InterpolationMode,
  type PaddingMode,
} from './common.js';
export { type Chained, Compose, Lambda, type Transform } from './compose.js';
export * as functional from './functional.js';
export {
  RandomAffine,
  RandomApply,
  RandomChoice,
  RandomCrop,
  RandomErasing,
  RandomGrayscale,
  RandomHorizontalFlip,
  RandomOrder,
  RandomPerspective,
  RandomResizedCrop,
  RandomRotation,
  RandomVerticalFlip,
} from './random.js';
export * as v2 from './v2/index.js';

import * as autoaugment from './autoaugment.js';
import * as basic from './basic.js';
import * as colour from './colour.js';
import { Compose } from './compose.js';
import * as random from './random.js';
import { registerTransforms } from './travel.js';

registerTransforms('vision.transforms', { ...autoaugment, ...basic, ...colour, ...random, Compose });
