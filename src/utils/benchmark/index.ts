// torch.utils.benchmark
export { Measurement, select_unit, type TaskSpec } from './measurement.js';
export { Timer, type TimerOptions } from './timer.js';
