// torch.nn.functional.
export * from './activation.js';
