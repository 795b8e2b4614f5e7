// typetorch/vision: PyTorch's torchvision.
export * as datasets from './datasets/index.js';
export * as transforms from './transforms/index.js';
