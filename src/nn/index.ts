// torch.nn
export { Parameter } from './parameter.js';
export * from './modules/index.js';
