// torch.linalg.
export * from './norm.js';
export * from './products.js';
