// torch.optim
export { Adam, AdamW } from './adam.js';
export { Adamax, NAdam, RAdam } from './adam_variants.js';
export { Adadelta, Adagrad, RMSprop } from './adaptive.js';
export { ASGD, Rprop } from './asgd_rprop.js';
export { LBFGS } from './lbfgs.js';
export * as lr_scheduler from './lr_scheduler.js';
export { Adafactor, Muon } from './matrix.js';
export { Optimizer, type OptimizerStateDict, type ParamGroup, type Params } from './optimizer.js';
export * as optimizer from './optimizer_hooks.js';
export { SGD } from './sgd.js';
export { SparseAdam } from './sparse_adam.js';
export { swap_in_optimizer_params_and_state } from './stateless.js';
export * as swa_utils from './swa_utils.js';
