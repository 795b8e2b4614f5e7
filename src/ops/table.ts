// Every op, family by family: functions of the torch namespace, and by them the methods of Tensor (whose types come from
// families.ts).
export { celu, hardshrink, relu, selu, sigmoid, threshold } from './activation.js';
export { index_put, put, take } from './advanced.js';
export * from './arithmetic.js';
export * from './at.js';
export * from './batch_norm.js';
export { clamp, clamp_max, clamp_min, clip, masked_fill, nan_to_num } from './clamp.js';
export {
  addcdiv,
  addcmul,
  copysign,
  frexp,
  gcd,
  heaviside,
  hypot,
  lcm,
  ldexp,
  lerp,
  nextafter,
} from './combine.js';
export * from './compare.js';
export * from './complex.js';
export * from './complex_parts.js';
export * from './contract.js';
export {
  channels_last,
  channels_last_3d,
  clone,
  contiguous,
  contiguous_format,
  copy_,
  detach,
  fill,
  fill_,
  preserve_format,
  to,
} from './copy.js';
export * from './covariance.js';
export * from './create.js';
export * from './data.js';
export * from './diagonal.js';
export { exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logaddexp2, xlogy } from './exp.js';
export * from './factorizations.js';
export * from './gather.js';
export * from './gradient.js';
export * from './histogram.js';
export { index_add, index_copy, index_fill, index_reduce, index_select } from './indexing.js';
export * from './inplace.js';
export { cat, column_stack, concat, concatenate, dstack, hstack, row_stack, stack, vstack } from './join.js';
export * from './layer_norm.js';
export { empty_like, full_like, ones_like, zeros_like } from './like.js';
export * from './logic.js';
export * from './lowrank.js';
export { argwhere, masked_scatter, masked_select, nonzero, nonzero_static, where } from './masks.js';
export { bmm, dot, ger, inner, matmul, mm, mv, outer, vdot } from './matmul.js';
export * from './matmul_add.js';
export * from './norm.js';
export { dist, renorm } from './norms.js';
export { cdist, cross, kron, trace, vander } from './products.js';
export * from './query.js';
export {
  bernoulli,
  binomial,
  multinomial,
  normal,
  poisson,
  rand,
  rand_like,
  randint,
  randint_like,
  randn,
  randn_like,
  randperm,
} from './random.js';
export * from './ranges.js';
export * from './read.js';
export * from './rearrange.js';
export { sum } from './reduce.js';
export { all, amax, amin, aminmax, any, argmax, argmin, max, min } from './reduce_extreme.js';
export { mean } from './reduce_mean.js';
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
export {
  adjoint,
  atleast_1d,
  atleast_2d,
  atleast_3d,
  broadcast_shapes,
  broadcast_tensors,
  broadcast_to,
  cartesian_prod,
  combinations,
  expand_as,
  flatten,
  meshgrid,
  moveaxis,
  movedim,
  ravel,
  reshape_as,
  sum_to_size,
  swapaxes,
  swapdims,
  unflatten,
  unfold,
  view_as,
} from './shape.js';
export { log_softmax, softmax } from './softmax.js';
export * from './solvers.js';
export * from './sort.js';
export {
  digamma,
  erf,
  erfc,
  erfinv,
  i0,
  igamma,
  igammac,
  lgamma,
  logit,
  mvlgamma,
  polygamma,
} from './special_math.js';
export * from './split.js';
export * from './stft.js';
export * from './trig.js';
export * from './unique.js';
export {
  as_strided,
  expand,
  permute,
  reshape,
  select,
  squeeze,
  t,
  transpose,
  unsqueeze,
  view,
} from './view.js';
export * from './view_copy.js';
export { imag, real, resolve_conj, resolve_neg, view_as_complex, view_as_real } from './view_dtype.js';
export * from './view_inplace.js';
export {
  bartlett_window,
  blackman_window,
  hamming_window,
  hann_window,
  kaiser_window,
} from './window.js';
