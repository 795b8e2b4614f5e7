// Every op, family by family: functions of the torch namespace, and by them the methods of Tensor.
export * from './activation.js';
export { index_put, put, take } from './advanced.js';
export * from './arithmetic.js';
export * from './at.js';
export * from './batch_norm.js';
export * from './clamp.js';
export * from './combine.js';
export * from './compare.js';
export * from './complex.js';
export * from './complex_parts.js';
export * from './contract.js';
export * from './copy.js';
export * from './covariance.js';
export * from './create.js';
export * from './data.js';
export * from './diagonal.js';
export * from './exp.js';
export * from './factorizations.js';
export * from './gather.js';
export * from './gradient.js';
export * from './histogram.js';
export { index_add, index_copy, index_fill, index_reduce, index_select } from './indexing.js';
export * from './inplace.js';
export * from './join.js';
export * from './layer_norm.js';
export * from './like.js';
export * from './logic.js';
export * from './lowrank.js';
export { argwhere, masked_scatter, masked_select, nonzero, nonzero_static, where } from './masks.js';
export { bmm, dot, ger, inner, matmul, mm, mv, outer, vdot } from './matmul.js';
export * from './matmul_add.js';
export * from './norm.js';
export { dist, renorm } from './norms.js';
export { cdist, cross, kron, trace, vander } from './products.js';
export * from './query.js';
export * from './random.js';
export * from './ranges.js';
export * from './read.js';
export * from './rearrange.js';
export * from './reduce.js';
export * from './reduce_extreme.js';
export * from './reduce_mean.js';
export * from './reduce_order.js';
export * from './reduce_stats.js';
export * from './resize.js';
export {
  gru,
  gru_cell,
  lstm,
  lstm_cell,
  rnn_relu,
  rnn_relu_cell,
  rnn_tanh,
  rnn_tanh_cell,
} from './rnn.js';
export * from './rounding.js';
export * from './scan.js';
export * from './search.js';
export * from './segment.js';
export * from './shape.js';
export * from './softmax.js';
export * from './solvers.js';
export * from './sort.js';
export * from './special_math.js';
export * from './split.js';
export * from './stft.js';
export * from './trig.js';
export * from './unique.js';
export * from './view.js';
export * from './view_copy.js';
export * from './view_dtype.js';
export * from './view_inplace.js';
export {
  bartlett_window,
  blackman_window,
  hamming_window,
  hann_window,
  kaiser_window,
} from './window.js';
