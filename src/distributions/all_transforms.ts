// torch.distributions.transforms.
export * from './joined_transforms.js';
export * from './transforms.js';
