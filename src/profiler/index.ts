// torch.profiler
export { EventList, FunctionEvent, FunctionEventAvg, type TableOptions } from './events.js';
export {
  type Action,
  Profile,
  type ProfileOptions,
  ProfilerAction,
  ProfilerActivity,
  profile,
  record_function,
  type ScheduleOptions,
  schedule,
  tensorboard_trace_handler,
} from './profile.js';
