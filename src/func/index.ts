// torch.func
export { functional_call } from '../nn/utils/stateless.js';
export { hessian, jacfwd, jvp, linearize } from './forward.js';
export { replace_all_batch_norm_modules_, stack_module_state } from './modules.js';
export { grad, grad_and_value, jacrev, vjp } from './reverse.js';
export { vmap } from './vmap.js';
