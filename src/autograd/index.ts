// torch.autograd
export { backward, grad, type GradOptions } from './backward.js';
export { Function, type FunctionCtx, once_differentiable } from './function.js';
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
export { Node, RemovableHandle } from './graph.js';
export * as graph from './graph_api.js';
export { type Checkable, gradcheck, GradcheckError, type GradcheckOptions, gradgradcheck, type GradgradcheckOptions } from './gradcheck.js';
export * as functional from './functional.js';
