// torch.optim
export { Adam, AdamW } from './adam.js';
export * as lr_scheduler from './lr_scheduler.js';
export { Optimizer, type ParamGroup } from './optimizer.js';
export { SGD } from './sgd.js';
