// The torch namespace.
import './backends/cpu/cpu.js';
import './backends/meta.js';
import './ops/install.js';
import './autograd/methods.js';

export {
  autocast,
  clear_autocast_cache,
  get_autocast_cpu_dtype,
  get_autocast_dtype,
  is_autocast_cache_enabled,
  is_autocast_cpu_enabled,
  is_autocast_enabled,
  set_autocast_cache_enabled,
  set_autocast_dtype,
  set_autocast_enabled,
} from './amp/autocast.js';
export * as cuda from './amp/cuda.js';
export * as amp from './amp/index.js';
export * as autograd from './autograd/index.js';
export { detach_ } from './autograd/methods.js';
export {
  enable_grad,
  inference_mode,
  is_grad_enabled,
  is_inference_mode_enabled,
  no_grad,
  set_grad_enabled,
} from './autograd/modes.js';
export * as backends from './backends/index.js';
export { Complex } from './complex.js';
export * from './constants.js';
export { Device, device, get_default_device, set_default_device } from './device.js';
export * as distributions from './distributions/index.js';
export * from './dtype.js';
export * from './errors.js';
export * as fft from './fft/index.js';
export * as func from './func/index.js';
export { vmap } from './func/vmap.js';
export {
  default_generator,
  Generator,
  get_rng_state,
  initial_seed,
  manual_seed,
  seed,
  set_rng_state,
} from './generator.js';
export * as linalg from './linalg/index.js';
export * as masked from './masked/index.js';
export * from './nn/functional/in_torch.js';
export * as nn from './nn/index.js';
export * from './ops/legacy.js';
export * from './ops/table.js';
export * as optim from './optim/index.js';
export { get_printoptions, set_printoptions } from './print_options.js';
export * as profiler from './profiler/index.js';
export * as serialization from './serialization/index.js';
export { load, save } from './serialization/index.js';
export * from './settings.js';
export * as signal from './signal/index.js';
export * as special from './special.js';
export type { Size } from './tensor.js';
export * as testing from './testing/index.js';
export {
  get_num_interop_threads,
  get_num_threads,
  set_num_interop_threads,
  set_num_threads,
} from './threads.js';
export * as utils from './utils/index.js';
export { __version__, version } from './version.js';
