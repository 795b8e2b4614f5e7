// torch.utils.data
export { default_collate, default_convert } from './collate.js';
export { type Batch, DataLoader, type DataLoaderOptions } from './dataloader.js';
export {
  ChainDataset,
  ConcatDataset,
  Dataset,
  IterableDataset,
  random_split,
  StackDataset,
  Subset,
  TensorDataset,
} from './dataset.js';
export {
  BatchSampler,
  DistributedSampler,
  type DistributedSamplerOptions,
  RandomSampler,
  Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './sampler.js';
export { get_worker_info, type WorkerInfo } from './worker_info.js';
