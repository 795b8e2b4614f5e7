// What PyTorch has both in torch.nn.functional and in torch, by one signature.

export { celu_, relu_, selu_, threshold_ } from './activation.js';
export { adaptive_avg_pool1d } from './adaptive_pool.js';
export * from './aten.js';
export {
  conv_transpose1d,
  conv_transpose2d,
  conv_transpose3d,
  conv1d,
  conv2d,
  conv3d,
} from './conv.js';
export { cosine_similarity, pairwise_distance, pdist } from './distance.js';
export { prelu, rrelu, rrelu_ } from './gated.js';
export { bilinear } from './linear.js';
export { avg_pool1d, max_pool1d, max_pool2d, max_pool3d } from './pool.js';
export {
  channel_shuffle,
  native_channel_shuffle,
  pixel_shuffle,
  pixel_unshuffle,
} from './shuffle.js';
export {
  adaptive_max_pool1d_with_indices as adaptive_max_pool1d,
  max_pool1d_with_indices,
} from './with_indices.js';
