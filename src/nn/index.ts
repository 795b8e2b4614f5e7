// torch.nn
export * as functional from './functional/index.js';
export * as init from './init.js';
export * from './modules/index.js';
export { is_lazy, UninitializedBuffer, UninitializedParameter } from './modules/lazy.js';
export * as modules from './modules/namespace.js';
export { Parameter } from './parameter.js';
export * as utils from './utils/index.js';
