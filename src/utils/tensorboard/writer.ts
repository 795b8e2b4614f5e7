// torch.utils.tensorboard.SummaryWriter
import { whoami } from '#event-files';
import type { Module } from '../../nn/modules/module.js';
import { tensor } from '../../ops/data.js';
import { Tensor } from '../../tensor.js';
import { FileWriter, type Stamp } from './file_writer.js';
import { graphOf } from './graph.js';
import type { Bins, HistogramData } from './histogram.js';
import { Message } from './proto.js';
import * as summary from './summary.js';

/** Options of a {@link SummaryWriter}. */
export interface SummaryWriterOptions {
  /** The folder of the event file; default `runs/<date>_<time>_<host>`. */
  log_dir?: string | null;
  /** Ends the default folder's name. */
  comment?: string;
  /** Hides from TensorBoard what an earlier run wrote at this step and later. */
  purge_step?: number | null;
  /** As many events are gathered before they are written. */
  max_queue?: number;
  /** After as many seconds they are written, too. */
  flush_secs?: number;
  filename_suffix?: string;
}

/** When a value was measured. */
export interface Measured {
  /** The step of training. */
  global_step?: number | bigint | null;
  /** Seconds since 1970; default now. */
  walltime?: number | null;
}

/** The step, or options by name. */
type When<O> = number | bigint | null | O;

/** The options of a call whose step may stand by itself. */
const optionsOf = <O extends Measured>(when: When<O>): O =>
  typeof when === 'object' && when !== null ? when : ({ global_step: when } as O);

const stampOf = ({ global_step, walltime }: Measured): Stamp => ({
  step: global_step ?? null,
  walltime: walltime ?? null,
});

const asTensor = (x: Tensor | ArrayLike<number> | number): Tensor =>
  x instanceof Tensor ? x : tensor(typeof x === 'number' ? [x] : Array.from(x));

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `runs/May04_22-14-54_host`. */
function defaultFolder(comment: string): string {
  const now = new Date();
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('-');
  return `runs/${months[now.getMonth()]}${two(now.getDate())}_${time}_${whoami().host}${comment}`;
}

/**
 * Writes what happens in training to an event file, which TensorBoard shows (`tensorboard --logdir runs`). Events are gathered
 * and written from time to time: `flush` and `close` write the rest, and so does the end of the program.
 *
 * The step may stand by itself, or with other options in one object: `{ global_step, walltime, … }`.
 *
 *     const writer = new torch.utils.tensorboard.SummaryWriter('runs/first');
 *     for (let step = 0; step < 100; step++) writer.add_scalar('loss/train', Math.exp(-step / 20), step);
 *     writer.close();
 *
 * @throws RuntimeError in browsers, which have no files.
 */
export class SummaryWriter {
  readonly log_dir: string;
  private readonly options: SummaryWriterOptions;
  private writers: Map<string, FileWriter> | null = null;
  private purge: number | null;

  constructor(log_dir: string | null | SummaryWriterOptions = null, options: SummaryWriterOptions = {}) {
    this.options = typeof log_dir === 'object' && log_dir !== null ? log_dir : { log_dir, ...options };
    this.log_dir = this.options.log_dir || defaultFolder(this.options.comment ?? '');
    this.purge = this.options.purge_step ?? null;
    this.main();
  }

  private open(folder: string): FileWriter {
    const { max_queue, flush_secs, filename_suffix } = this.options;
    return new FileWriter(folder, max_queue, flush_secs, filename_suffix);
  }

  /** The writer of the folder itself, opened again after `close`. */
  private main(): FileWriter {
    const known = this.writers?.get(this.log_dir);
    if (known) return known;
    const writer = this.open(this.log_dir);
    this.writers = new Map([[this.log_dir, writer]]);
    if (this.purge !== null) {
      writer.add_event((event) => event.add(3, 'brain.Event:2'), { step: this.purge });
      writer.add_event((event) => event.add(7, new Message().int(1, 1)), { step: this.purge });
      this.purge = null;
    }
    return writer;
  }

  private write(message: Message, when: Measured): void {
    this.main().add_summary(message, stampOf(when));
  }

  /** The folder of the event file. */
  get_logdir(): string {
    return this.log_dir;
  }

  /**
   * Adds a number.
   * @param value a number or a tensor with one element.
   * @param when the step, or `{ global_step, walltime, new_style, double_precision }`: the new style keeps the value as a
   * tensor, of float64 if wanted.
   */
  add_scalar(
    tag: string,
    value: summary.Scalar,
    when: When<Measured & { new_style?: boolean; double_precision?: boolean }> = null,
  ): void {
    const options = optionsOf(when);
    this.write(summary.scalar(tag, value, options.new_style, options.double_precision), options);
  }

  /** Adds several numbers that are drawn in one chart; each gets an event file in a folder of its own. */
  add_scalars(
    main_tag: string,
    values: Readonly<Record<string, summary.Scalar>>,
    when: When<Measured> = null,
  ): void {
    this.main();
    for (const [tag, value] of Object.entries(values)) {
      const folder = `${this.log_dir}/${main_tag.replaceAll('/', '_')}_${tag}`;
      const writer = this.writers?.get(folder) ?? this.open(folder);
      this.writers?.set(folder, writer);
      writer.add_summary(summary.scalar(main_tag, value), stampOf(optionsOf(when)));
    }
  }

  /** Adds a tensor with all its elements. */
  add_tensor(tag: string, value: Tensor, when: When<Measured> = null): void {
    this.write(summary.tensor_proto(tag, value), optionsOf(when));
  }

  /**
   * Adds a histogram of the values of a tensor.
   * @param when the step, or `{ global_step, bins, max_bins, walltime }`. `bins` are edges, their number, `tensorflow` (each edge 1.1
   * times the one before), or an estimator of numpy's: `auto`, `fd`, `sturges`, `sqrt`, `rice`, `scott`.
   * @throws ValueError for a tensor without elements.
   */
  add_histogram(
    tag: string,
    values: Tensor | ArrayLike<number>,
    when: When<Measured & { bins?: Bins; max_bins?: number | null }> = null,
  ): void {
    const options = optionsOf(when);
    const { bins = 'tensorflow', max_bins = null } = options;
    this.write(summary.histogram(tag, asTensor(values), bins, max_bins), options);
  }

  /** Adds a histogram whose values were counted elsewhere; `bucket_limits` are the right edges. */
  add_histogram_raw(tag: string, data: HistogramData & Measured): void {
    this.write(summary.histogram_raw(tag, data), data);
  }

  /**
   * Adds a picture: bytes, or floats from 0 to 1.
   * @param when the step, or `{ global_step, walltime, dataformats }`: the dimensions, default 'CHW' ('HWC', 'HW').
   */
  add_image(tag: string, img: Tensor, when: When<Measured & { dataformats?: string }> = null): void {
    const options = optionsOf(when);
    this.write(summary.image(tag, img, options.dataformats ?? 'CHW'), options);
  }

  /** Adds a batch of pictures as one grid; `dataformats` is 'NCHW' or another order. */
  add_images(tag: string, imgs: Tensor, when: When<Measured & { dataformats?: string }> = null): void {
    const options = optionsOf(when);
    this.write(summary.image(tag, imgs, options.dataformats ?? 'NCHW'), options);
  }

  /** Adds sound of one channel: values from -1 to 1, [L] or [1, L], at `sample_rate` (default 44100) a second. */
  add_audio(tag: string, sound: Tensor, when: When<Measured & { sample_rate?: number }> = null): void {
    const options = optionsOf(when);
    this.write(summary.audio(tag, sound, options.sample_rate ?? 44100), options);
  }

  /** Adds text, which TensorBoard shows as Markdown. */
  add_text(tag: string, text_string: string, when: When<Measured> = null): void {
    this.write(summary.text(tag, text_string), optionsOf(when));
  }

  /**
   * Adds the precision-recall curve of a binary classification.
   * @param labels 0 or 1, [N].
   * @param predictions probabilities, [N].
   * @param when the step, or `{ global_step, num_thresholds, weights, walltime }`; at most 127 thresholds.
   */
  add_pr_curve(
    tag: string,
    labels: Tensor | ArrayLike<number>,
    predictions: Tensor | ArrayLike<number>,
    when: When<Measured & { num_thresholds?: number; weights?: Tensor | null }> = null,
  ): void {
    const options = optionsOf(when);
    const n = Math.min(options.num_thresholds ?? 127, 127);
    const curve = summary.curveOf(asTensor(labels), asTensor(predictions), n, options.weights ?? null);
    this.write(summary.pr_curve_raw(tag, curve, n), options);
  }

  /** Groups scalars in charts: `{ taiwan: { twse: ['Multiline', ['twse/0050', 'twse/2330']] } }`; also ['Margin', [value, low, high]]. */
  add_custom_scalars(layout: summary.Layout): void {
    this.write(summary.custom_scalars(layout), {});
  }

  /**
   * Adds hyperparameters with the metrics that they led to, in an event file of its own.
   * @param options `hparam_domain_discrete` lists all values of a hyperparameter, `run_name` names the folder (default the time).
   * @throws TypeError unless both are plain objects; ValueError for values other than numbers, strings, booleans, tensors.
   */
  add_hparams(
    hparam_dict: Readonly<Record<string, summary.HParam>>,
    metric_dict: Readonly<Record<string, summary.Scalar>>,
    options: {
      hparam_domain_discrete?: Readonly<Record<string, readonly summary.HParam[]>>;
      run_name?: string | null;
      global_step?: number | null;
    } = {},
  ): void {
    if (!isDict(hparam_dict) || !isDict(metric_dict))
      throw new TypeError('hparam_dict and metric_dict should be dictionary.');
    const { hparam_domain_discrete = {}, run_name, global_step = null } = options;
    const messages = summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete);
    const writer = new FileWriter(`${this.log_dir}/${run_name || Date.now() / 1000}`);
    for (const [tag, value] of Object.entries(metric_dict)) messages.push(summary.scalar(tag, value));
    for (const message of messages) writer.add_summary(message, { step: global_step });
    writer.close();
  }

  /**
   * Adds the ops that a model runs on an input, grouped by module, for TensorBoard's graph page.
   * @param input_to_model the input, or an array of them; the model runs once on it.
   */
  add_graph(model: Module, input_to_model: Tensor | readonly unknown[]): void {
    const graph = graphOf(model, input_to_model instanceof Tensor ? [input_to_model] : input_to_model);
    this.main().add_event((event) => event.add(4, graph));
  }

  /** Writes what was gathered. */
  flush(): void {
    for (const writer of this.writers?.values() ?? []) writer.flush();
  }

  /** Writes what was gathered and closes the files; adding more opens another one. */
  close(): void {
    for (const writer of this.writers?.values() ?? []) writer.close();
    this.writers = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const isDict = (x: unknown): boolean =>
  typeof x === 'object' && x !== null && !Array.isArray(x) && !(x instanceof Tensor);
