// torch.utils.benchmark.Compare: measurements side by side.
import { ValueError } from '../../errors.js';
import { pyFixed } from '../../pyformat.js';
import { Measurement, select_unit } from './measurement.js';

const UNITS: Readonly<Record<string, string>> = {
  ns: 'nanosecond',
  us: 'microsecond',
  ms: 'millisecond',
  s: 'second',
};

/** Colours of a terminal: the best and those within 1.1 of it, twice and five times as slow. */
const [BEST, GOOD, DIM, PALE, VERY_BAD, BOLD, END] = [92, 34, 2, 91, 31, 1, 0].map((code) => `\x1b[${code}m`);
const BAD = DIM + PALE;

/** Text in the middle of a width, as Python's `str.center`. */
function centered(text: string, width: number, fill = ' '): string {
  const margin = width - text.length;
  if (margin <= 0) return text;
  const left = (margin >> 1) + (margin & width & 1);
  return fill.repeat(left) + text + fill.repeat(margin - left);
}

/** A value rounded to so many digits. */
function trimmed(value: number, digits: number): number {
  const scale = 10 ** (Math.ceil(Math.log10(Math.abs(value))) - digits);
  return Math.round(value / scale) * scale;
}

interface Style {
  readonly trim: boolean;
  readonly warnings: boolean;
  readonly colours: 'none' | 'rows' | 'columns';
}

/** One cell: the time in the table's unit, with its spread when that is large. */
class Column {
  private readonly length: number;
  private readonly decimals: number;
  private readonly spread: boolean;

  constructor(
    readonly cells: readonly (Measurement | null)[],
    private readonly scale: number,
    private readonly style: Style,
  ) {
    const found = cells.filter((m) => m !== null);
    this.spread = style.warnings && found.some((m) => m.has_warnings);
    const leading = found.map((m) => Math.ceil(Math.log10(m.median / scale)));
    this.decimals = style.trim
      ? Math.min(...found.map((m, i) => Math.max(m.significant_figures - leading[i], 0)))
      : 1;
    this.length = Math.max(...leading) + this.decimals + (this.decimals > 0 ? 1 : 0);
  }

  text(m: Measurement | null): string {
    const wide = this.spread ? 7 : 0;
    if (m === null) return ' '.repeat(Math.max(this.length, pyFixed(1, this.decimals).length) + wide);
    const value = m.median / this.scale;
    const shown = this.style.trim ? trimmed(value, m.significant_figures) : value;
    const note = this.spread && m.has_warnings ? ` (! ${pyFixed((m.iqr / m.median) * 100, 0)}%)` : '';
    return pyFixed(shown, this.decimals).padStart(this.length) + note.padStart(wide);
  }
}

function coloured(text: string, value: number, best: number): string {
  if (value <= best * 1.01 || value <= best + 100e-9) return BEST + BOLD + text + END + END;
  if (value <= best * 1.1) return GOOD + BOLD + text + END + END;
  if (value >= best * 5) return VERY_BAD + BOLD + text + END + END;
  return value >= best * 2 ? BAD + text + END + END : text;
}

const keyOf = (m: Measurement): string => JSON.stringify([m.num_threads, m.task_spec.env, m.as_row_name]);

/** The table of the measurements of one label. */
function tableOf(results: readonly Measurement[], style: Style): string {
  const [unit, scale] = select_unit(Math.min(...results.map((m) => m.median)));
  const first = new Map(results.map((m) => [keyOf(m), m]).reverse() as [string, Measurement][]);
  const order = [...new Set(results.map(keyOf))].map((key) => first.get(key) as Measurement);
  const envOf = (m: Measurement): string => m.task_spec.env ?? '';
  order.sort(
    (a, b) => a.num_threads - b.num_threads || (envOf(a) < envOf(b) ? -1 : envOf(a) > envOf(b) ? 1 : 0),
  );
  const titles = [...new Set(results.map((m) => m.task_spec.description))];
  const at = (row: Measurement, title: string | null): Measurement | null =>
    results.findLast((m) => keyOf(m) === keyOf(row) && m.task_spec.description === title) ?? null;
  const columns = titles.map(
    (title) =>
      new Column(
        order.map((row) => at(row, title)),
        scale,
        style,
      ),
  );
  const names = rowNames(order, results);
  const cells = order.map((_, i) => [names[i], ...columns.map((column) => column.text(column.cells[i]))]);
  const header = ['', ...titles.map((title) => title ?? '')];
  const widths = header.map((title, j) => Math.max(title.length, ...cells.map((row) => row[j].length)));
  const top = header.map((title, j) => centered(title, widths[j])).join('  |  ');
  const lines = [top];
  order.forEach((row, i) => {
    const threads = row.num_threads;
    if (i === 0 || threads !== order[i - 1].num_threads)
      lines.push(`${threads} threads: `.padEnd(top.length, '-'));
    const group = order.flatMap((other, k) => (other.num_threads === threads ? [k] : []));
    const shown = columns.map((column, j) => {
      const text = centered(cells[i][j + 1], widths[j + 1]);
      const value = column.cells[i]?.median;
      if (style.colours === 'none' || value === undefined) return text;
      const rivals =
        style.colours === 'rows' ? columns.map((c) => c.cells[i]) : group.map((k) => column.cells[k]);
      return coloured(text, value, Math.min(...rivals.flatMap((m) => (m === null ? [] : [m.median]))));
    });
    lines.push([cells[i][0].padEnd(widths[0]), ...shown].join('  |  '));
  });
  const label = centered(` ${results[0].task_spec.label ?? ''} `, top.length - 2, '-');
  const warned = style.warnings && results.some((m) => m.has_warnings);
  const note = warned ? '(! XX%) Measurement has high variance, where XX is the IQR / median * 100.\n' : '';
  return `[${label}]\n${lines.join('\n')}\n\nTimes are in ${UNITS[unit]}s (${unit}).\n${note}`;
}

/** Names of rows, after the environment where it changes and there are several. */
function rowNames(order: readonly Measurement[], results: readonly Measurement[]): string[] {
  const environments = new Set(results.map((m) => String(m.task_spec.env)));
  if (environments.size < 2) return order.map((m) => `      ${m.as_row_name}`);
  const width = Math.max(...[...environments].map((env) => env.length)) + 4;
  return order.map(({ task_spec: { env }, num_threads, as_row_name }, i) => {
    const before = order[i - 1];
    const again = before !== undefined && before.num_threads === num_threads && before.task_spec.env === env;
    return `  ${(again ? '' : `(${env})`).padEnd(width)}${as_row_name}`;
  });
}

/**
 * Shows many measurements in tables: one for each label, rows by `sub_label`, columns by `description`, groups by threads.
 *
 *     const { Compare, Measurement } = torch.utils.benchmark;
 *     const task = { stmt: 'x', setup: '', label: 'sum', env: null, num_threads: 1 };
 *     const of = (sub_label, description, t) => new Measurement(1, [t], { ...task, sub_label, description });
 *     const table = new Compare([of('a', 'n=1', 1e-6), of('a', 'n=4', 2e-6)]);
 *     console.log(String(table).split('\n').slice(0, 4).join('\n'));
 *     // [-------- sum --------]
 *     //          |  n=1  |  n=4
 *     // 1 threads: ------------
 *     //       a  |  1.0  |  2.0
 *
 * @throws ValueError for anything but measurements.
 */
export class Compare {
  private readonly results: Measurement[] = [];
  private style: Style = { trim: false, warnings: false, colours: 'none' };

  constructor(results: readonly Measurement[]) {
    this.extend_results(results);
  }

  /** Adds measurements. */
  extend_results(results: readonly Measurement[]): void {
    for (const m of results) {
      if (!(m instanceof Measurement))
        throw new ValueError(`Expected an instance of \`Measurement\`, got ${typeof m} instead.`);
      this.results.push(m);
    }
  }
  /** Shows only digits that mean something. */
  trim_significant_figures(): void {
    this.style = { ...this.style, trim: true };
  }
  /** Colours for terminals: the best of each column, or of each row. */
  colorize(options: { rowwise?: boolean } = {}): void {
    this.style = { ...this.style, colours: options.rowwise ? 'rows' : 'columns' };
  }
  /** Shows the spread of measurements where it is large. */
  highlight_warnings(): void {
    this.style = { ...this.style, warnings: true };
  }
  /** Prints the tables. */
  print(): void {
    console.log(String(this));
  }
  toString(): string {
    const groups = new Map<string | null, Measurement[]>();
    for (const m of Measurement.merge(this.results)) {
      const { label } = m.task_spec;
      groups.set(label, [...(groups.get(label) ?? []), m]);
    }
    return [...groups.values()].map((group) => tableOf(group, this.style)).join('\n');
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
