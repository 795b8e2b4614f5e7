// torch.utils

export * as benchmark from './benchmark/index.js';
export * as checkpoint from './checkpoint.js';
export * as data from './data/index.js';
export {
  formatMeter,
  type Meter,
  Progress,
  type ProgressOptions,
  type ProgressOutput,
  progress,
} from './progress.js';
export { Picture, type ShowOptions, showImage } from './show.js';
export * as tensorboard from './tensorboard/index.js';
