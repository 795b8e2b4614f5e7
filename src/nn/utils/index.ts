// torch.nn.utils
export * from './clip_grad.js';
export * from './convert_parameters.js';
export * from './fusion.js';
export { skip_init } from './init.js';
export * as parametrizations from './parametrizations.js';
export * as parametrize from './parametrize.js';
export * as prune from './prune.js';
export * as rnn from './rnn.js';
export { remove_spectral_norm, spectral_norm } from './spectral_norm.js';
export * as stateless from './stateless.js';
export { remove_weight_norm, weight_norm } from './weight_norm.js';
