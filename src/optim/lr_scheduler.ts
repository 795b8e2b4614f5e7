// torch.optim.lr_scheduler
export { LRScheduler } from './lr_scheduler_base.js';
export { ChainedScheduler, ReduceLROnPlateau, SequentialLR } from './lr_scheduler_combined.js';
export {
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  OneCycleLR,
} from './lr_scheduler_cyclic.js';
export {
  ConstantLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  type RateFunction,
  StepLR,
} from './lr_scheduler_decay.js';
