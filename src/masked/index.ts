// torch.masked: functions of the elements that a mask leaves.
export * from './normalize.js';
export {
  amax,
  amin,
  argmax,
  argmin,
  cumprod,
  cumsum,
  logaddexp,
  logsumexp,
  masked_var as var,
  mean,
  median,
  norm,
  prod,
  std,
  sum,
} from './reduce.js';
