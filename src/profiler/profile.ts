// torch.profiler.profile: what runs, for how long, in which step of training.
import { openLog, whoami } from '#event-files';
import { AssertionError, RuntimeError } from '../errors.js';
import { warn } from '../warnings.js';
import { type EventList, FunctionEvent, type FunctionEventAvg, listOf } from './events.js';
import { Recorder, recording, type Span } from './recorder.js';

/** What a profile does in a step of training. */
export const ProfilerAction = { NONE: 0, WARMUP: 1, RECORD: 2, RECORD_AND_SAVE: 3 } as const;
/** One of the values of {@link ProfilerAction}. */
export type Action = (typeof ProfilerAction)[keyof typeof ProfilerAction];

/** Where time is measured. */
export const ProfilerActivity = { CPU: 'CPU' } as const;

/** Steps of a cycle; see {@link schedule}. */
export interface ScheduleOptions {
  wait: number;
  warmup: number;
  active: number;
  /** Cycles; 0 for as many as there are. */
  repeat?: number;
  skip_first?: number;
  /** Not 0: the first cycle begins without its `wait` steps. */
  skip_first_wait?: number;
}

/**
 * A schedule for `profile`: after `skip_first` steps, cycles of `wait` steps without, `warmup` steps whose results are dropped, and
 * `active` steps that are recorded.
 *
 *     const action = torch.profiler.schedule({ wait: 1, warmup: 1, active: 2 });
 *     [0, 1, 2, 3, 4].map(action).join(' ');
 *     // 0 1 2 3 0
 *
 * @throws AssertionError for negative numbers of steps, or no active ones.
 */
export function schedule(options: ScheduleOptions): (step: number) => Action {
  const { wait, warmup, active, repeat = 0, skip_first = 0, skip_first_wait = 0 } = options;
  if (!(wait >= 0 && warmup >= 0 && active > 0 && repeat >= 0 && skip_first >= 0))
    throw new AssertionError(
      `Invalid profiler schedule arguments. Got wait=${wait} (need >= 0), warmup=${warmup} (need >= 0), active=${active} (need > 0), repeat=${repeat} (need >= 0), skip_first=${skip_first} (need >= 0).`,
    );
  if (warmup === 0) warn("Profiler won't be using warmup, this can skew profiler results");
  const length = wait + warmup + active;
  return (step) => {
    if (step < 0) throw new AssertionError(`Step must be non-negative. Got ${step}.`);
    if (step < skip_first) return ProfilerAction.NONE;
    const at = step - skip_first + (skip_first_wait !== 0 ? wait : 0);
    if (repeat > 0 && at / length >= repeat) return ProfilerAction.NONE;
    const place = at % length;
    if (place < wait) return ProfilerAction.NONE;
    if (place < wait + warmup) return ProfilerAction.WARMUP;
    return place < length - 1 ? ProfilerAction.RECORD : ProfilerAction.RECORD_AND_SAVE;
  };
}

/** Options of {@link profile}. */
export interface ProfileOptions {
  activities?: readonly (typeof ProfilerActivity)[keyof typeof ProfilerActivity][];
  /** What is done in each step, which `step()` ends; default: everything is recorded. */
  schedule?: ((step: number) => Action) | null;
  /** Called when the active steps of a cycle are over, or at the end. */
  on_trace_ready?: ((prof: Profile) => unknown) | null;
  /** Keep the shapes of arguments. */
  record_shapes?: boolean;
}

/** A running or finished profile; {@link profile} makes it. */
export class Profile {
  /** The number of the step that runs. */
  step_num = 0;
  private action: Action;
  private recorder: Recorder | null = null;
  private running = false;
  private stepSpan: Span | null = null;

  constructor(private readonly options: ProfileOptions) {
    this.action = this.planned();
  }

  private planned(): Action {
    return this.options.schedule?.(this.step_num) ?? ProfilerAction.RECORD;
  }

  private get recording(): boolean {
    return this.action >= ProfilerAction.RECORD;
  }

  /** Starts, unless it runs already. @throws RuntimeError when another profile runs. */
  start(): void {
    if (this.running) return;
    if (recording.current !== null) throw new RuntimeError("Can't start a profile: another one is running");
    this.running = true;
    if (this.recording) this.begin();
  }

  /** Ends what is being recorded. */
  stop(): void {
    if (!this.running) return;
    this.running = false;
    if (!this.recording) return;
    this.end();
    this.options.on_trace_ready?.(this);
  }

  /** Says that the next step of training begins. */
  step(): void {
    if (!this.running) throw new RuntimeError('the profile is not running');
    if (this.stepSpan !== null) this.recorder?.finish(this.stepSpan);
    const before = this.action;
    this.step_num++;
    this.action = this.planned();
    if (before === ProfilerAction.RECORD_AND_SAVE) {
      this.end();
      this.options.on_trace_ready?.(this);
      if (this.recording) this.begin();
    } else if (before === ProfilerAction.RECORD && !this.recording) {
      warn(
        `Incorrect schedule: RECORD followed by ${this.action === ProfilerAction.NONE ? 'NONE' : 'WARMUP'}`,
      );
      this.end();
    } else if (before < ProfilerAction.RECORD && this.recording) this.begin();
    else this.nameStep();
  }

  private begin(): void {
    this.recorder = new Recorder(this.options.record_shapes ?? false);
    this.recorder.install();
    this.nameStep();
  }

  private end(): void {
    if (this.stepSpan !== null) this.recorder?.finish(this.stepSpan);
    this.stepSpan = null;
    this.recorder?.uninstall();
  }

  /** Steps are ranges of their own, when there is a schedule. */
  private nameStep(): void {
    if (this.recording && this.options.schedule)
      this.stepSpan = this.recorder?.begin(`ProfilerStep#${this.step_num}`, 'user_annotation') ?? null;
  }

  private get spans(): readonly Span[] {
    return this.recorder?.spans ?? [];
  }

  /** Every call in the order of their starts. */
  events(): EventList<FunctionEvent> {
    const known = new Map<Span, FunctionEvent>();
    const origin = this.spans[0]?.start ?? 0;
    const done = this.spans.filter((span) => span.end !== 0);
    done.forEach((span, i) => {
      const parent = span.parent === null ? null : (known.get(span.parent) ?? null);
      known.set(span, new FunctionEvent(i + 1, span, parent, origin));
    });
    return listOf(known.values());
  }

  /** Averages by name, or by name and shapes; `.table({ sort_by, row_limit })` is what to print. */
  key_averages(options: { group_by_input_shape?: boolean } = {}): EventList<FunctionEventAvg> {
    return this.events().key_averages(options.group_by_input_shape ?? false);
  }

  /** The trace as an object of Chrome's trace format. */
  chrome_trace(): { traceEvents: object[]; [name: string]: unknown } {
    const { host, process } = whoami();
    const origin = performance.timeOrigin * 1000;
    const meta = (name: string, args: object): object => ({
      ph: 'M',
      name,
      pid: process,
      tid: process,
      ts: 0,
      args,
    });
    const traceEvents = this.spans
      .filter((span) => span.end !== 0)
      .map((span, i) => ({
        ph: 'X',
        cat: span.kind,
        name: span.name,
        pid: process,
        tid: process,
        ts: origin + span.start,
        dur: span.end - span.start,
        args: {
          'External id': i + 1,
          ...(span.inputs === null
            ? {}
            : {
                'Input Dims': span.inputs.map(({ shape }) => shape),
                'Input type': span.inputs.map(({ type }) => type),
              }),
        },
      }));
    return {
      schemaVersion: 1,
      deviceProperties: [],
      record_shapes: this.options.record_shapes ? 1 : 0,
      host_name: host,
      displayTimeUnit: 'ms',
      traceEvents: [
        meta('process_name', { name: 'typetorch' }),
        meta('thread_name', { name: 'main' }),
        ...traceEvents,
      ],
    };
  }

  /** Writes the trace as a file that chrome://tracing and Perfetto open. @throws RuntimeError in browsers. */
  export_chrome_trace(path: string): void {
    const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
    writeText(at < 0 ? '.' : path.slice(0, at), path.slice(at + 1), JSON.stringify(this.chrome_trace()));
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

function writeText(folder: string, name: string, text: string): void {
  const file = openLog(folder, name, true);
  try {
    file.write(new TextEncoder().encode(text));
  } finally {
    file.close();
  }
}

/** For `on_trace_ready`: writes each trace to a folder, where TensorBoard's profiler plugin finds it. */
export function tensorboard_trace_handler(
  dir_name: string,
  worker_name: string | null = null,
): (prof: Profile) => void {
  return (prof) => {
    const { host, process } = whoami();
    const nanoseconds = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
    prof.export_chrome_trace(
      `${dir_name}/${worker_name ?? `${host}_${process}`}.${nanoseconds}.pt.trace.json`,
    );
  };
}

/**
 * Measures the ops that run inside of a function, or until the scope of `using` ends, or until `stop()`. Backward nodes and ranges
 * of `record_function` are among them. Nothing is measured, and nothing costs time, when no profile runs.
 *
 *     const prof = torch.profiler.profile(() => torch.ones(3).mul(2).sum());
 *     prof.events().map((event) => event.name).join(', ');
 *     // aten::ones, aten::mul, aten::sum
 *
 * `console.log(prof.key_averages().table({ sort_by: 'cpu_time_total' }))` shows where time went, `prof.export_chrome_trace(file)` when.
 */
export function profile<R>(fn: (prof: Profile) => Promise<R>): Promise<Profile>;
export function profile(fn: (prof: Profile) => unknown): Profile;
export function profile<R>(options: ProfileOptions, fn: (prof: Profile) => Promise<R>): Promise<Profile>;
export function profile(options: ProfileOptions, fn: (prof: Profile) => unknown): Profile;
export function profile(options?: ProfileOptions): Profile;
export function profile(
  first: ProfileOptions | ((prof: Profile) => unknown) = {},
  second?: (prof: Profile) => unknown,
): Profile | Promise<Profile> {
  const [options, fn] = typeof first === 'function' ? [{}, first] : [first, second];
  const prof = new Profile(options);
  prof.start();
  if (fn === undefined) return prof;
  const stopped = (): Profile => {
    prof.stop();
    return prof;
  };
  try {
    const result = fn(prof);
    if (result instanceof Promise) return result.finally(stopped).then(() => prof);
  } catch (error) {
    prof.stop();
    throw error;
  }
  return stopped();
}

/**
 * Names a part of the program in profiles: `record_function('load', () => …)`, or `using _ = record_function('load')`.
 *
 *     const prof = torch.profiler.profile(() => torch.profiler.record_function('twice', () => torch.ones(3).mul(2)));
 *     prof.events().map((event) => event.name).join(', ');
 *     // twice, aten::ones, aten::mul
 */
export function record_function<R>(name: string, fn: () => R): R;
export function record_function(name: string): Disposable;
export function record_function<R>(name: string, fn?: () => R): R | Disposable {
  const recorder = recording.current;
  const span = recorder?.begin(name, 'user_annotation') ?? null;
  const finish = (): void => {
    if (span !== null) recorder?.finish(span);
  };
  if (fn === undefined) return { [Symbol.dispose]: finish };
  let result: R;
  try {
    result = fn();
  } catch (error) {
    finish();
    throw error;
  }
  if (result instanceof Promise) return result.finally(finish) as R;
  finish();
  return result;
}
