// torch.special: special functions, as SciPy names them.

export { sigmoid as expit } from './ops/activation.js';
export { exp2, expm1, log1p, xlogy } from './ops/exp.js';
export { logsumexp } from './ops/reduce_stats.js';
export { round } from './ops/rounding.js';
export { log_softmax, softmax } from './ops/softmax.js';
export * from './ops/special_functions.js';
export {
  digamma,
  digamma as psi,
  erf,
  erfc,
  erfinv,
  i0,
  igamma as gammainc,
  igammac as gammaincc,
  lgamma as gammaln,
  logit,
  mvlgamma as multigammaln,
  polygamma,
} from './ops/special_math.js';
export { sinc } from './ops/trig.js';
