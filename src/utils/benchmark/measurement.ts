// What a Timer measured, with its statistics.
import { ValueError } from '../../errors.js';
import { pyFixed } from '../../pyformat.js';

/** What is measured. */
export interface TaskSpec {
  readonly stmt: string;
  readonly setup: string;
  readonly label: string | null;
  readonly sub_label: string | null;
  readonly description: string | null;
  readonly env: string | null;
  readonly num_threads: number;
}

const units: readonly (readonly [name: string, seconds: number])[] = [
  ['ns', 1e-9],
  ['us', 1e-6],
  ['ms', 1e-3],
  ['s', 1],
];

/** The unit in which a time in seconds has one to three digits before the point, and its seconds. */
export function select_unit(t: number): [unit: string, scale: number] {
  const power = Math.floor(Math.trunc(Math.log10(t) * 1e9) / 1e9 / 3);
  const [unit, scale] = units[power + 3] ?? units[3];
  return [unit, scale];
}

const indented = (text: string): string => text.replace(/^(?=.*\S)/gm, '  ');

function titleOf({ stmt, label, sub_label }: TaskSpec): string {
  const more = sub_label ? `: ${sub_label}` : '';
  if (label !== null) return label + more;
  if (!stmt.includes('\n')) return stmt + more;
  return `stmt:${sub_label ? ` (${sub_label})` : ''}\n${indented(stmt)}`;
}

function setupOf({ setup }: TaskSpec): string {
  if (setup === '') return '';
  return setup.includes('\n') ? `setup:\n${indented(setup)}` : `setup: ${setup}`;
}

/**
 * The result of a measurement: times in seconds, their statistics, and a text that shows them.
 *
 *     const { Measurement } = torch.utils.benchmark;
 *     const task = { stmt: 'x.add(y)', setup: '', label: null, sub_label: null, description: null, env: null, num_threads: 1 };
 *     console.log(new Measurement(10, [1e-5, 2e-5, 3e-5, 4e-5, 5e-5], task));
 *     // <torch.utils.benchmark.utils.common.Measurement object>
 *     // x.add(y)
 *     //   Median: 3.00 us
 *     //   IQR:    2.00 us (2.00 to 4.00)
 *     //   5 measurements, 10 runs per measurement, 1 thread
 *     //   WARNING: Interquartile range is 66.7% of the median measurement.
 *     //            This suggests significant environmental influence.
 */
export class Measurement {
  private readonly ordered: readonly number[];

  constructor(
    readonly number_per_run: number,
    /** Seconds of each run of `number_per_run` calls. */
    readonly raw_times: readonly number[],
    readonly task_spec: TaskSpec,
    readonly metadata: Readonly<Record<string, unknown>> | null = null,
  ) {
    if (raw_times.length === 0) throw new ValueError('a Measurement has at least one time');
    this.ordered = [...this.times].sort((a, b) => a - b);
  }

  /** Seconds of one call, by run. */
  get times(): number[] {
    return this.raw_times.map((t) => t / this.number_per_run);
  }
  get median(): number {
    return this.quantile(0.5);
  }
  get mean(): number {
    return this.ordered.reduce((sum, t) => sum + t, 0) / this.ordered.length;
  }
  /** The range of the middle half. */
  get iqr(): number {
    return this.quantile(0.75) - this.quantile(0.25);
  }
  get title(): string {
    return titleOf(this.task_spec);
  }
  get num_threads(): number {
    return this.task_spec.num_threads;
  }
  get as_row_name(): string {
    return this.task_spec.sub_label || this.task_spec.stmt || '[Unknown]';
  }

  private quantile(q: number): number {
    const at = q * (this.ordered.length - 1);
    const below = Math.floor(at);
    const above = this.ordered[Math.min(below + 1, this.ordered.length - 1)];
    return this.ordered[below] + (at - below) * (above - this.ordered[below]);
  }

  /** How many digits of the median mean something, from 1 to 4. */
  get significant_figures(): number {
    const n = this.ordered.length;
    const middle = this.ordered.slice(Math.floor(n / 4), Math.ceil((3 * n) / 4));
    const mean = middle.reduce((sum, t) => sum + t, 0) / middle.length;
    const deviation = Math.sqrt(middle.reduce((sum, t) => sum + (t - mean) ** 2, 0) / middle.length);
    const interval = Math.max((1.645 * deviation) / Math.sqrt(middle.length), 25e-9);
    return Math.min(Math.max(Math.floor(Math.log10(this.median / interval)), 1), 4);
  }

  /** Whether the middle half lies within this part of the median. */
  meets_confidence(threshold = 0.1): boolean {
    return this.iqr / this.median < threshold;
  }

  get has_warnings(): boolean {
    return !this.meets_confidence(0.1);
  }

  private warning(): string[] {
    if (!this.has_warnings) return [];
    const reason = this.meets_confidence(0.25)
      ? 'This could indicate system fluctuation.'
      : 'This suggests significant environmental influence.';
    const part = pyFixed((this.iqr / this.median) * 100, 1);
    return [`  WARNING: Interquartile range is ${part}% of the median measurement.`, `           ${reason}`];
  }

  toString(): string {
    const n = this.ordered.length;
    const [unit, scale] = select_unit(this.median);
    const shown = (t: number): string => pyFixed(t / scale, 2);
    const { description, num_threads } = this.task_spec;
    const sections = [this.title, description ?? '', setupOf(this.task_spec)]
      .filter((section) => section !== '')
      .map((section) => (section.includes('\n') ? `${section}\n` : section));
    const several = n > 1 ? 's' : '';
    return [
      '<torch.utils.benchmark.utils.common.Measurement object>',
      ...sections,
      `  ${n > 1 ? 'Median: ' : ''}${shown(this.median)} ${unit}`,
      ...(n >= 4
        ? [
            `  IQR:    ${shown(this.iqr)} ${unit} (${shown(this.quantile(0.25))} to ${shown(this.quantile(0.75))})`,
          ]
        : []),
      `  ${n} measurement${several}, ${this.number_per_run} runs ${n > 1 ? 'per measurement,' : ','} ${num_threads} thread${num_threads > 1 ? 's' : ''}`,
      ...this.warning(),
    ].join('\n');
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Joins measurements of the same task, each call counted by itself. */
  static merge(measurements: Iterable<Measurement>): Measurement[] {
    const groups = new Map<string, Measurement[]>();
    for (const m of measurements) {
      const key = JSON.stringify(m.task_spec);
      groups.set(key, [...(groups.get(key) ?? []), m]);
    }
    return [...groups.values()].map((group) => {
      const times = group.flatMap((m) => m.times);
      return new Measurement(1, times, group[0].task_spec);
    });
  }
}
