// What PyTorch has both in torch.nn.functional and in torch, by one signature.
export { adaptive_avg_pool1d } from './adaptive_pool.js';
export {
  conv_transpose1d,
  conv_transpose2d,
  conv_transpose3d,
  conv1d,
  conv2d,
  conv3d,
} from './conv.js';
export { avg_pool1d, max_pool1d, max_pool2d, max_pool3d } from './pool.js';
export {
  adaptive_max_pool1d_with_indices as adaptive_max_pool1d,
  max_pool1d_with_indices,
} from './with_indices.js';
