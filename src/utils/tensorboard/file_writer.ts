// Event files: one event after another, each with its time and step.
import { atExit, type LogFile, openLog, whoami } from '#event-files';
import { joined, Message } from './proto.js';
import { record } from './record.js';

/** Event files of this process are numbered. */
let made = 0;

/** What an event is stamped with. */
export interface Stamp {
  step?: number | bigint | null;
  /** Seconds since 1970; default now. */
  walltime?: number | null;
}

/** Fills the fields of an event (TensorFlow's `Event`) other than its time and step. */
export type Content = (event: Message) => void;

/**
 * Writes an event file, which TensorBoard reads, in a folder. `max_queue` events are gathered before they are written,
 * or as many as come in `flush_secs` seconds; the rest is written by `flush` and `close`, and when the program ends.
 */
export class FileWriter {
  private file: LogFile | null = null;
  private pending: Uint8Array[] = [];
  private timer: ReturnType<typeof setTimeout> | null = null;
  private forget: () => void = () => undefined;

  constructor(
    private readonly log_dir: string,
    private readonly max_queue = 10,
    private readonly flush_secs = 120,
    private readonly filename_suffix = '',
  ) {
    this.open();
  }

  private open(): void {
    const { host, process } = whoami();
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    const name = `events.out.tfevents.${seconds}.${host}.${process}.${made++}${this.filename_suffix}`;
    this.file = openLog(this.log_dir, name);
    this.forget = atExit(() => this.close());
    const writer = 'tensorboard.summary.writer.event_file_writer';
    this.add_event((event) => event.add(3, 'brain.Event:2').add(10, new Message().add(1, writer)));
    this.flush();
  }

  /** The folder of the file. */
  get_logdir(): string {
    return this.log_dir;
  }

  /** The file that events go to; null after `close`. */
  get path(): string | null {
    return this.file?.path ?? null;
  }

  /** Adds an event. */
  add_event(content: Content, { step, walltime }: Stamp = {}): void {
    if (this.file === null) return;
    const event = new Message().double(1, walltime ?? Date.now() / 1000);
    if (step !== null && step !== undefined && step !== 0) event.int(2, step);
    content(event);
    this.pending.push(record(event.finish()));
    if (this.pending.length > this.max_queue) this.flush();
    else this.timer ??= later(() => this.flush(), this.flush_secs);
  }

  /** Adds a summary (TensorFlow's `Summary`). */
  add_summary(summary: Message, stamp: Stamp = {}): void {
    this.add_event((event) => event.add(5, summary), stamp);
  }

  /** Writes what is waiting. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.file !== null && this.pending.length > 0) this.file.write(joined(this.pending));
    this.pending = [];
  }

  /** Writes what is waiting and closes the file. */
  close(): void {
    this.flush();
    this.forget();
    this.file?.close();
    this.file = null;
  }

  /** After `close`: goes on in another file of the same folder. */
  reopen(): void {
    if (this.file === null) this.open();
  }
}

/** A timer that does not keep the program running. */
function later(fn: () => void, seconds: number): ReturnType<typeof setTimeout> {
  const timer: unknown = setTimeout(fn, Math.min(seconds * 1000, 2 ** 31 - 1));
  (timer as { unref?(): void }).unref?.();
  return timer as ReturnType<typeof setTimeout>;
}
