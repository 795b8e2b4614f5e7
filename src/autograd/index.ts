// torch.autograd
export { backward, type GradOptions, grad } from './backward.js';
export * as forward_ad from './forward_ad.js';
export { Function, type FunctionCtx, once_differentiable } from './function.js';
export * as functional from './functional.js';
export {
  type Checkable,
  GradcheckError,
  type GradcheckOptions,
  type GradgradcheckOptions,
  gradcheck,
  gradgradcheck,
} from './gradcheck.js';
export { Node, RemovableHandle } from './graph.js';
export * as graph from './graph_api.js';
export {
  detect_anomaly,
  enable_grad,
  inference_mode,
  is_anomaly_check_nan_enabled,
  is_anomaly_enabled,
  no_grad,
  set_detect_anomaly,
  set_grad_enabled,
} from './modes.js';
