// Every module of torch.nn, family by family.
export * from './container.js';
export { Module, type StateDict } from './module.js';
