// torch.utils.benchmark.Timer
import { ValueError } from '../../errors.js';
import { get_num_threads, set_num_threads } from '../../threads.js';
import { Measurement, type TaskSpec } from './measurement.js';

/** Options of a {@link Timer}. */
export interface TimerOptions {
  /** What is measured: a function, or TypeScript's statements without types as text. */
  stmt: string | (() => unknown);
  /** Runs before each measurement; text shares its names with the statement. */
  setup?: string | (() => unknown);
  /** Names that the text uses. */
  globals?: Readonly<Record<string, unknown>>;
  /** A short text instead of the statement. */
  label?: string | null;
  /** Tells variants of one label apart. */
  sub_label?: string | null;
  /** Tells variants of one row apart, such as sizes. */
  description?: string | null;
  env?: string | null;
  /** Threads of the kernels while it runs. */
  num_threads?: number;
  /** Seconds. */
  timer?: () => number;
}

const clock = (): number => performance.now() / 1000;

/** Text without the indentation that all of its lines have. */
function dedented(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n');
  const margins = lines
    .filter((line) => line.trim() !== '')
    .map((line) => /^\s*/.exec(line)?.[0].length ?? 0);
  const margin = margins.length === 0 ? 0 : Math.min(...margins);
  return lines.map((line) => line.slice(margin)).join('\n');
}

const sourceOf = (code: string | (() => unknown)): string =>
  typeof code === 'string' ? dedented(code) : dedented(code.toString().replace(/^\(\)\s*=>\s*/, ''));

/** Runs the statement so many times and returns the seconds. */
type Loop = (times: number) => number;

function loopOf({ stmt, setup = '', globals = {}, timer = clock }: TimerOptions): Loop {
  if (typeof stmt === 'function') {
    if (typeof setup === 'string' && setup !== '')
      throw new ValueError('setup is a function, too, when stmt is one');
    return (times) => {
      if (typeof setup === 'function') setup();
      const start = timer();
      for (let i = 0; i < times; i++) stmt();
      return timer() - start;
    };
  }
  if (typeof setup === 'function') throw new ValueError('setup is text, too, when stmt is text');
  const body = `${setup}\nconst __start = __timer();\nfor (let __i = 0; __i < __times; __i++) {\n${stmt}\n}\nreturn __timer() - __start;`;
  const run = new Function(...Object.keys(globals), '__timer', '__times', body) as (
    ...args: unknown[]
  ) => number;
  return (times) => run(...Object.values(globals), timer, times);
}

/**
 * Measures how long a statement takes: warmed up, with a fixed number of threads, and often enough to tell noise.
 *
 *     const x = torch.randn(256, 256);
 *     const timer = new torch.utils.benchmark.Timer({ stmt: () => x.matmul(x), label: 'matmul' });
 *     console.log(timer.blocked_autorange());
 *
 * @throws ValueError when one of statement and setup is text and the other a function.
 */
export class Timer {
  private readonly loop: Loop;
  private readonly task: TaskSpec;

  constructor(options: TimerOptions) {
    this.loop = loopOf(options);
    const { label = null, sub_label = null, description = null, env = null, num_threads = 1 } = options;
    const [stmt, setup] = [sourceOf(options.stmt), sourceOf(options.setup ?? '')];
    this.task = { stmt, setup, label, sub_label, description, env, num_threads };
  }

  private run(times: number): number {
    return Math.max(this.loop(times), 1e-9);
  }

  private threaded<R>(fn: () => R): R {
    const before = get_num_threads();
    set_num_threads(this.task.num_threads);
    try {
      return fn();
    } finally {
      set_num_threads(before);
    }
  }

  /** Runs the statement `number` times, after a hundredth of it to warm up: one measurement. */
  timeit(number = 1_000_000): Measurement {
    return this.threaded(() => {
      this.run(Math.max(Math.floor(number / 100), 2));
      return new Measurement(number, [this.run(number)], this.task);
    });
  }

  /** So many calls that the clock's own time is less than 0.01 % of theirs, and they take a thousandth of the time. */
  private blockSize(min_run_time: number): number {
    const empty = Array.from({ length: 5 }, () => this.run(0)).sort((a, b) => a - b);
    for (let number = 1; ; number *= 10) {
      const taken = this.run(number);
      if (empty[2] / taken <= 1e-4 && taken >= min_run_time / 1000) return number;
      if (taken > min_run_time || number * 10 > 2 ** 31 - 1) return number;
    }
  }

  /** Measures blocks of calls, whose length is found by itself, for `min_run_time` seconds. */
  blocked_autorange(options: { min_run_time?: number } = {}): Measurement {
    const { min_run_time = 0.2 } = options;
    return this.threaded(() => {
      const number = this.blockSize(min_run_time);
      const times: number[] = [];
      for (let total = 0; total < min_run_time; total += times[times.length - 1])
        times.push(this.run(number));
      return new Measurement(number, times, this.task);
    });
  }

  /**
   * As `blocked_autorange`, until the middle half of the times lies within `threshold` of their median, or `max_run_time` is over.
   */
  adaptive_autorange(
    options: { threshold?: number; min_run_time?: number; max_run_time?: number } = {},
  ): Measurement {
    const { threshold = 0.1, min_run_time = 0.01, max_run_time = 10 } = options;
    return this.threaded(() => {
      const number = this.blockSize(0.05);
      const times: number[] = [];
      for (let total = 0; ; ) {
        times.push(this.run(number));
        total += times[times.length - 1];
        const done =
          times.length > 3 && new Measurement(number, times, this.task).meets_confidence(threshold);
        if ((total >= min_run_time && done) || total > max_run_time)
          return new Measurement(number, times, this.task);
      }
    });
  }
}
