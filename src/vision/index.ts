// typetorch/vision: PyTorch's torchvision.
import '../index.js';

export * as datasets from './datasets/index.js';
export { Image, type ImageMode } from './image.js';
export * as io from './io/index.js';
export * as models from './models/index.js';
export * as ops from './ops/index.js';
export * as transforms from './transforms/index.js';
export * as tv_tensors from './tv_tensors.js';
export * as utils from './utils.js';
