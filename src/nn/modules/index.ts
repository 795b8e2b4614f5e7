// Every module of torch.nn, family by family.
export * from './activation.js';
export * from './adaptive.js';
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  LazyBatchNorm1d,
  LazyBatchNorm2d,
  LazyBatchNorm3d,
  type NormOptions,
} from './batchnorm.js';
export * from './container.js';
export * from './conv.js';
export * from './distance.js';
export * from './dropout.js';
export * from './flatten.js';
export * from './fold.js';
export * from './fractional.js';
export * from './instancenorm.js';
export {
  Bilinear,
  type BilinearOptions,
  Identity,
  LazyLinear,
  Linear,
  type LinearOptions,
} from './linear.js';
export * from './linear_cross_entropy.js';
export {
  CrossEntropyLoss,
  MSELoss,
  NLLLoss,
  NLLLoss2d,
} from './loss.js';
export * from './margin_loss.js';
export { Module, type StateDict } from './module.js';
export * from './multihead_attention.js';
export * from './normalization.js';
export * from './padding.js';
export * from './pixelshuffle.js';
export * from './pooling.js';
export * from './rnn.js';
export * from './rnn_cells.js';
export * from './sparse.js';
export * from './transformer.js';
export * from './upsampling.js';
