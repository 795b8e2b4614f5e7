// The torch namespace.
import './backends/cpu/cpu.js';
import './backends/meta.js';
import './ops/install.js';
import './autograd/methods.js';

export * as autograd from './autograd/index.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';

export { Tensor } from './tensor.js';
export { Complex } from './complex.js';
export * from './dtype.js';
export { Device, device } from './device.js';
export * from './errors.js';
export * from './ops/create.js';
export * from './ops/table.js';
export { no_grad, enable_grad, inference_mode, set_grad_enabled, is_grad_enabled, is_inference_mode_enabled } from './autograd/modes.js';
export { get_printoptions, set_printoptions } from './print_options.js';
