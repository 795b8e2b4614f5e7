// torch.nn.functional.
export * from './activation.js';
export * from './dropout.js';
export { embedding, type EmbeddingOptions } from './embedding.js';
export * from './embedding_bag.js';
export * from './encoding.js';
export { fold, type Pair, unfold, type UnfoldOptions } from './fold.js';
export * from './gated.js';
export * from './interpolate.js';
export * from './linear.js';
export * from './cross_entropy.js';
export * from './loss.js';
export * from './norm.js';
export * from './softmax.js';
export { pad, type PadMode, type PadOptions } from './pad.js';
export * from './shuffle.js';
export * from './attention.js';
export * from './multi_head_attention.js';
