// torch.utils.tensorboard
export { FileWriter, type Stamp } from './file_writer.js';
export type { Bins, HistogramData } from './histogram.js';
export type { HParam, Layout, Scalar } from './summary.js';
export { type Measured, SummaryWriter, type SummaryWriterOptions } from './writer.js';
