// torch.utils.benchmark
export { Compare } from './compare.js';
export { Measurement, select_unit, type TaskSpec } from './measurement.js';
export { Timer, type TimerOptions } from './timer.js';
