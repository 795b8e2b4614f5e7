// A bar that shows how far a loop is, drawn as Python's tqdm draws it.

/** Where a bar is drawn. */
export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Options of {@link progress}. */
export interface ProgressOptions {
  /** Stands before the bar. */
  desc?: string;
  /** Steps of the whole; default the length of what is iterated. */
  total?: number | null;
  /** What is counted; default 'it'. */
  unit?: string;
  /** Characters of a line; 0 for no bar. Default: the terminal's width. */
  ncols?: number | null;
  /** `#` instead of blocks. */
  ascii?: boolean;
  /** Seconds between two drawings; default 0.1 in terminals, 10 elsewhere. */
  mininterval?: number;
  /** Whether the bar stays when it is done; default true. */
  leave?: boolean;
  disable?: boolean;
  /** Default: the standard error of the process; nothing is drawn where there is none. */
  file?: ProgressOutput | null;
}

/** A time as `mm:ss` or `h:mm:ss`. */
function interval(seconds: number): string {
  const whole = Math.trunc(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

/** Three digits of a number, where that is shorter. */
function short(value: unknown): string {
  if (typeof value !== 'number') return String(value);
  const exact = String(value);
  if (!Number.isFinite(value) || value === 0) return exact;
  const power = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3)))));
  const plain = power >= -4 && power < 3;
  const digits = plain ? value.toFixed(Math.max(0, 2 - power)) : value.toExponential(2);
  const text = digits.includes('.') ? digits.replace(/\.?0+(?=e|$)/, '') : digits;
  return text.length < exact.length ? text : exact;
}

function barOf(fraction: number, width: number, ascii: boolean): string {
  const symbols = ascii ? ' 123456789#' : ' ▏▎▍▌▋▊▉█';
  const steps = symbols.length - 1;
  const done = Math.trunc(fraction * width * steps);
  const full = Math.floor(done / steps);
  if (full >= width) return symbols[steps].repeat(full);
  return symbols[steps].repeat(full) + symbols[done % steps] + symbols[0].repeat(width - full - 1);
}

/** What a line shows. */
export interface Meter {
  n: number;
  total: number | null;
  elapsed: number;
  rate?: number | null;
  desc?: string;
  unit?: string;
  postfix?: string;
  ncols?: number | null;
  ascii?: boolean;
}

/**
 * The line of a bar.
 *
 *     const { formatMeter } = torch.utils;
 *     formatMeter({ n: 45, total: 100, elapsed: 9, desc: 'epoch 1', postfix: 'loss=0.5' });
 *     // epoch 1:  45%|████▌     | 45/100 [00:09<00:11,  5.00it/s, loss=0.5]
 */
export function formatMeter(meter: Meter): string {
  const { n, elapsed, desc = '', unit = 'it', postfix = '', ncols = null, ascii = false } = meter;
  const total = meter.total && n < meter.total + 0.5 ? meter.total : null;
  const rate = meter.rate ?? (elapsed > 0 ? n / elapsed : null);
  const slow = rate ? 1 / rate > 1 : false;
  const number = rate ? (slow ? 1 / rate : rate).toFixed(2).padStart(5) : '?';
  const speed = slow ? `${number}s/${unit}` : `${number}${unit}/s`;
  const prefix = desc === '' ? '' : `${desc}: `;
  const more = postfix === '' ? '' : `, ${postfix}`;
  if (total === null) return `${prefix}${n}${unit} [${interval(elapsed)}, ${speed}${more}]`;
  const left = `${prefix}${((n / total) * 100).toFixed(0).padStart(3)}%`;
  const remaining = rate ? interval((total - n) / rate) : '?';
  const right = ` ${n}/${total} [${interval(elapsed)}<${remaining}, ${speed}${more}]`;
  if (ncols === 0) return left + right;
  const width = ncols === null ? 10 : Math.max(1, ncols - left.length - right.length - 2);
  const line = `${left}|${barOf(n / total, width, ascii)}|${right}`;
  return ncols === null ? line : line.slice(0, ncols);
}

/** A mean in which older values count less. */
class Smoothed {
  private last = 0;
  private calls = 0;
  add(x: number): void {
    this.last = 0.3 * x + 0.7 * this.last;
    this.calls++;
  }
  get value(): number {
    return this.calls === 0 ? 0 : this.last / (1 - 0.7 ** this.calls);
  }
}

/** What is used of the notebook API in Deno's kernel. */
interface Notebook {
  broadcast(type: 'stream', content: { name: 'stderr'; text: string }): Promise<void>;
}

/** The notebook of Deno's kernel; the API throws when it is asked for elsewhere. */
function notebook(): ProgressOutput | null {
  try {
    const { jupyter } = (globalThis as { Deno?: { jupyter?: Notebook } }).Deno ?? {};
    if (typeof jupyter?.broadcast !== 'function') return null;
    const write = (text: string): unknown => jupyter.broadcast('stream', { name: 'stderr', text });
    return { write, isTTY: true, columns: 80 };
  } catch {
    return null;
  }
}

function standardError(): ProgressOutput | null {
  const cell = notebook();
  if (cell !== null) return cell;
  const { process } = globalThis as { process?: { stderr?: ProgressOutput } };
  return typeof process?.stderr?.write === 'function' ? process.stderr : null;
}

/** A bar; {@link progress} makes it. */
export class Progress<T = unknown> implements Disposable {
  /** Steps done. */
  n = 0;
  readonly total: number | null;
  private desc: string;
  private postfix = '';
  private readonly start = performance.now();
  private drawn = this.start;
  private drawnAt = 0;
  private longest = 0;
  private readonly times = new Smoothed();
  private readonly steps = new Smoothed();
  private readonly out: ProgressOutput | null;
  private open = true;

  constructor(
    private readonly source: Iterable<T> | AsyncIterable<T> | null,
    private readonly options: ProgressOptions = {},
  ) {
    this.total = options.total ?? lengthOf(source);
    this.desc = options.desc ?? '';
    this.out = options.disable ? null : options.file === undefined ? standardError() : options.file;
    this.draw();
  }

  /** The line as it stands. */
  toString(): string {
    const { n, total, desc, postfix, options } = this;
    const elapsed = (performance.now() - this.start) / 1000;
    const rate = this.times.value > 0 ? this.steps.value / this.times.value : null;
    const ncols = options.ncols ?? (this.out?.isTTY ? (this.out.columns ?? null) : null);
    const ascii = options.ascii ?? false;
    return formatMeter({ n, total, elapsed, rate, desc, postfix, ncols, ascii, unit: options.unit ?? 'it' });
  }

  private draw(last = false): void {
    const { out } = this;
    if (out === null) return;
    const line = this.toString();
    const blank = ' '.repeat(Math.max(0, this.longest - line.length));
    this.longest = line.length;
    if (!out.isTTY) out.write(`${line}\n`);
    else if (!last) out.write(`\r${line}${blank}`);
    else if (this.options.leave ?? true) out.write(`\r${line}${blank}\n`);
    else out.write(`\r${' '.repeat(line.length)}\r`);
  }

  /** Counts steps, and draws when it is time. */
  update(n = 1): void {
    this.n += n;
    const now = performance.now();
    const wait = this.options.mininterval ?? (this.out?.isTTY ? 0.1 : 10);
    if (now - this.drawn < wait * 1000) return;
    this.times.add((now - this.drawn) / 1000);
    this.steps.add(this.n - this.drawnAt);
    this.drawn = now;
    this.drawnAt = this.n;
    this.draw();
  }

  /** The text before the bar. */
  set_description(desc: string): void {
    this.desc = desc;
  }

  /** Values after the speed: `set_postfix({ loss: 0.5 })`. */
  set_postfix(values: Readonly<Record<string, unknown>>): void {
    this.postfix = Object.entries(values)
      .map(([name, value]) => `${name}=${short(value)}`)
      .join(', ');
  }

  /** Draws the bar for the last time. */
  close(): void {
    if (this.open) this.draw(true);
    this.open = false;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    const { source } = this;
    if (source === null || !(Symbol.iterator in source))
      throw new TypeError('the source is not iterable without await');
    try {
      for (const item of source) {
        yield item;
        this.update();
      }
    } finally {
      this.close();
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Awaited<T>> {
    const { source } = this;
    if (source === null) throw new TypeError('there is nothing to iterate');
    try {
      for await (const item of source) {
        yield item;
        this.update();
      }
    } finally {
      this.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function lengthOf(source: unknown): number | null {
  if (typeof source !== 'object' || source === null) return null;
  const { length, size } = source as { length?: unknown; size?: unknown };
  return typeof length === 'number' ? length : typeof size === 'number' ? size : null;
}

/**
 * Shows how far a loop is, as tqdm does. A terminal draws one line again and again; elsewhere a line is written every ten seconds.
 *
 *     for (const step of torch.utils.progress([1, 2, 3], { desc: 'epoch 1' })) await train(step);
 *
 *     const bar = torch.utils.progress(loader);
 *     for await (const [x, y] of bar) bar.set_postfix({ loss: train(x, y) });
 *
 * @param source what is iterated; or the number of steps that `update()` counts.
 */
export function progress<T>(source: Iterable<T> | AsyncIterable<T>, options?: ProgressOptions): Progress<T>;
export function progress(total: number, options?: ProgressOptions): Progress<number>;
export function progress<T>(
  source: Iterable<T> | AsyncIterable<T> | number,
  options: ProgressOptions = {},
): Progress<T> | Progress<number> {
  if (typeof source !== 'number') return new Progress(source, options);
  return new Progress(countTo(source), { total: source, ...options });
}

function* countTo(n: number): Iterable<number> {
  for (let i = 0; i < n; i++) yield i;
}
