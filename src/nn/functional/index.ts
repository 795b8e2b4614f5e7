// torch.nn.functional.
export * from './activation.js';
export * from './attention.js';
export * from './cross_entropy.js';
export * from './distance.js';
export * from './dropout.js';
export { type EmbeddingOptions, embedding } from './embedding.js';
export * from './embedding_bag.js';
export * from './encoding.js';
export { fold, type Pair, type UnfoldOptions, unfold } from './fold.js';
export * from './gated.js';
export * from './interpolate.js';
export * from './linear.js';
export * from './loss.js';
export * from './multi_head_attention.js';
export * from './norm.js';
export { type PadMode, type PadOptions, pad } from './pad.js';
export * from './shuffle.js';
export * from './softmax.js';
