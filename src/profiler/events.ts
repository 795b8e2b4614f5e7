// What a profile measured: events, averages by name, and their table.
import { ValueError } from '../errors.js';
import { pyFixed } from '../pyformat.js';
import type { Input, Span } from './recorder.js';

/** One call of an op, or one range; times in microseconds. */
export class FunctionEvent {
  readonly cpu_children: FunctionEvent[] = [];
  readonly name: string;
  readonly time_range: { readonly start: number; readonly end: number };
  /** Shapes of the arguments; empty unless `record_shapes`. */
  readonly input_shapes: readonly (readonly number[])[];

  constructor(
    readonly id: number,
    span: Span,
    readonly cpu_parent: FunctionEvent | null,
    origin: number,
  ) {
    this.name = span.name;
    this.time_range = { start: span.start - origin, end: span.end - origin };
    this.input_shapes = span.inputs?.map(({ shape }: Input) => shape) ?? [];
    this.is_user_annotation = span.kind === 'user_annotation';
    cpu_parent?.cpu_children.push(this);
  }

  /** Whether the range comes from `record_function` or the library, not from an op. */
  readonly is_user_annotation: boolean;
  readonly count: number = 1;

  get key(): string {
    return this.name.startsWith('ProfilerStep#') ? 'ProfilerStep*' : this.name;
  }
  get cpu_time_total(): number {
    return this.time_range.end - this.time_range.start;
  }
  get cpu_time(): number {
    return this.cpu_time_total;
  }
  get self_cpu_time_total(): number {
    return this.cpu_time_total - this.cpu_children.reduce((sum, child) => sum + child.cpu_time_total, 0);
  }
  toString(): string {
    const children = this.cpu_children.map(({ id }) => id).join(', ');
    const { start, end } = this.time_range;
    return `<FunctionEvent id=${this.id} name=${this.name} cpu_time=${formatTime(this.cpu_time)} start_us=${start.toFixed(3)} end_us=${end.toFixed(3)} cpu_children=[${children}] input_shapes=${shapesText(this.input_shapes)}>`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** All events of one name together. */
export class FunctionEventAvg {
  count = 0;
  cpu_time_total = 0;
  self_cpu_time_total = 0;

  constructor(
    readonly key: string,
    readonly input_shapes: readonly (readonly number[])[],
    readonly is_user_annotation: boolean,
  ) {}

  /** Adds an event. */
  add(event: FunctionEvent): this {
    this.count += event.count;
    // A range inside of one of the same name is counted there.
    let outer = event.cpu_parent;
    while (outer !== null && outer.key !== event.key) outer = outer.cpu_parent;
    if (outer === null) this.cpu_time_total += event.cpu_time_total;
    this.self_cpu_time_total += event.self_cpu_time_total;
    return this;
  }
  /** The average of a call. */
  get cpu_time(): number {
    return this.count === 0 ? 0 : this.cpu_time_total / this.count;
  }
  toString(): string {
    return `<FunctionEventAvg key=${this.key} self_cpu_time=${formatTime(this.self_cpu_time_total)} cpu_time=${formatTime(this.cpu_time)} count=${this.count} input_shapes=${this.input_shapes.length > 0 ? shapesText(this.input_shapes) : ''}>`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Events, or averages, with their table. */
export class EventList<E extends FunctionEvent | FunctionEventAvg> extends Array<E> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** Time of everything, in microseconds. */
  get self_cpu_time_total(): number {
    return this.reduce((sum, event) => sum + event.self_cpu_time_total, 0);
  }

  /**
   * The events in rows with PyTorch's columns.
   * @throws ValueError for another `sort_by` than the names of the times, `count` or `key`.
   */
  table(options: TableOptions = {}): string {
    return tableOf(this, options);
  }

  /** Averages by name, or by name and shapes of the arguments. */
  key_averages(group_by_input_shapes = false): EventList<FunctionEventAvg> {
    const found = new Map<string, FunctionEventAvg>();
    for (const event of this) {
      if (event instanceof FunctionEventAvg) throw new ValueError('the events are averages already');
      const shapes = group_by_input_shapes ? event.input_shapes : [];
      const group = `${event.key}\n${JSON.stringify(shapes)}`;
      const average = found.get(group) ?? new FunctionEventAvg(event.key, shapes, event.is_user_annotation);
      found.set(group, average.add(event));
    }
    return listOf(found.values());
  }

  override toString(): string {
    return this.table();
  }
}

/** @internal A list of events. */
export function listOf<E extends FunctionEvent | FunctionEventAvg>(events: Iterable<E>): EventList<E> {
  const list = new EventList<E>();
  for (const event of events) list.push(event);
  return list;
}

/** Options of {@link EventList.table}. */
export interface TableOptions {
  /** The largest first. */
  sort_by?: 'cpu_time_total' | 'self_cpu_time_total' | 'cpu_time' | 'count' | 'key' | null;
  row_limit?: number;
  max_name_column_width?: number;
  max_shapes_column_width?: number;
  header?: string | null;
  /** Only events that lie in no other. */
  top_level_events_only?: boolean;
  /** One unit for all times. */
  time_unit?: 's' | 'ms' | 'us' | null;
}

const units = { s: 1e6, ms: 1e3, us: 1 } as const;

/** A time in the unit that suits it. */
export function formatTime(us: number, unit: keyof typeof units | null = null): string {
  const suits = unit ?? (us >= 1e6 ? 's' : us >= 1e3 ? 'ms' : 'us');
  return `${pyFixed(us / units[suits], 3)}${suits}`;
}

const shapesText = (shapes: readonly (readonly number[])[]): string =>
  `[${shapes.map((shape) => `[${shape.join(', ')}]`).join(', ')}]`;

const share = (us: number, total: number): string =>
  total === 0 ? 'NaN' : `${pyFixed((us * 100) / total, 2)}%`;

const COLUMNS = ['Self CPU %', 'Self CPU', 'CPU total %', 'CPU total', 'CPU time avg', '# of Calls'] as const;
const WIDTH = 12;
const SPACE = '  ';

type Event = FunctionEvent | FunctionEventAvg;

function sorted(events: readonly Event[], key: TableOptions['sort_by']): readonly Event[] {
  if (key === null || key === undefined) return events;
  if (!['cpu_time_total', 'self_cpu_time_total', 'cpu_time', 'count', 'key'].includes(key))
    throw new ValueError(`sort_by: events have no '${key}'`);
  return [...events].sort((a, b) => (a[key] < b[key] ? 1 : a[key] > b[key] ? -1 : 0));
}

function tableOf(events: readonly Event[], options: TableOptions): string {
  if (events.length === 0) return '';
  const {
    row_limit = 100,
    max_name_column_width = 55,
    max_shapes_column_width = 80,
    time_unit = null,
  } = options;
  const nameWidth = Math.min(Math.max(...events.map((e) => e.key.length)) + 4, max_name_column_width);
  const withShapes = events.some((e) => e.input_shapes.length > 0);
  const shapesWidth = Math.min(
    Math.max(...events.map((e) => shapesText(e.input_shapes).length)) + 4,
    max_shapes_column_width,
  );
  const widths = [nameWidth, ...COLUMNS.map(() => WIDTH), ...(withShapes ? [shapesWidth] : [])];
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => cell.padStart(widths[i]) + SPACE).join('');
  const rule = widths.map((width) => '-'.repeat(width) + SPACE).join('');
  const total = events.reduce((sum, e) => sum + e.self_cpu_time_total, 0);
  const shown = sorted(events, options.sort_by)
    .filter((e) => !options.top_level_events_only || !(e instanceof FunctionEvent) || e.cpu_parent === null)
    .slice(0, row_limit < 0 ? undefined : row_limit);
  const rows = shown.map((e) => {
    const cut = max_name_column_width - 3;
    const cells = [
      e.key.length >= cut ? `${e.key.slice(0, cut)}...` : e.key,
      share(e.self_cpu_time_total, total),
      formatTime(e.self_cpu_time_total, time_unit),
      share(e.cpu_time_total, total),
      formatTime(e.cpu_time_total, time_unit),
      formatTime(e.cpu_time, time_unit),
      String(e.count),
    ];
    return row(withShapes ? [...cells, shapesText(e.input_shapes).slice(0, shapesWidth)] : cells);
  });
  const double = '='.repeat(rule.length - SPACE.length);
  const lines = [
    ...(options.header ? [double, options.header] : []),
    ...(options.top_level_events_only ? [double, 'This report only display top-level ops statistics'] : []),
    rule,
    row(['Name', ...COLUMNS, ...(withShapes ? ['Input Shapes'] : [])]),
    rule,
    ...rows,
    rule,
    `Self CPU time total: ${formatTime(total, time_unit)}`,
  ];
  return `${lines.join('\n')}\n`;
}
