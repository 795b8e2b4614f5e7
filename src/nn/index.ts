// torch.nn
export { Parameter } from './parameter.js';
export * from './modules/index.js';
export * as functional from './functional/index.js';
