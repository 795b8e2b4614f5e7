// torch.linalg.
export * from './norm.js';
