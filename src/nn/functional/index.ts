// torch.nn.functional.

export { type PadMode, type PadOptions, pad } from '../../ops/pad.js';
export * from './activation.js';
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
export * from './pool.js';
export * from './shuffle.js';
export * from './softmax.js';
