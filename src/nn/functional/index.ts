// torch.nn.functional.

export { type PadMode, type PadOptions, pad } from '../../ops/pad.js';
export * from './activation.js';
export * from './adaptive_pool.js';
export * from './attention.js';
export * from './conv.js';
export * from './cross_entropy.js';
export { ctc_loss } from './ctc_loss.js';
export * from './distance.js';
export * from './dropout.js';
export { type EmbeddingOptions, embedding } from './embedding.js';
export * from './embedding_bag.js';
export * from './encoding.js';
export { fold, type Pair, type UnfoldOptions, unfold } from './fold.js';
export * from './fractional_pool.js';
export * from './gated.js';
export * from './grid_sample.js';
export * from './interpolate.js';
export * from './likelihood.js';
export * from './linear.js';
export * from './linear_cross_entropy.js';
export * from './loss.js';
export * from './margin_loss.js';
export * from './multi_head_attention.js';
export * from './norm.js';
export {
  type AvgPoolOptions,
  avg_pool1d,
  avg_pool2d,
  avg_pool3d,
  lp_pool1d,
  lp_pool2d,
  lp_pool3d,
  type MaxPoolOptions,
  max_pool1d,
  max_pool2d,
  max_pool3d,
} from './pool.js';
export * from './shuffle.js';
export * from './softmax.js';
export * from './unpool.js';
export * from './with_indices.js';
