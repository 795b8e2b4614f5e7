// The summaries that TensorBoard shows (torch.utils.tensorboard.summary), as protocol buffers.
import type { Complex } from '../../complex.js';
import type { DType } from '../../dtype.js';
import { AssertionError, ValueError } from '../../errors.js';
import { view_as_real } from '../../ops/table.js';
import { Tensor } from '../../tensor.js';
import { encodePng } from '../../vision/io/png.js';
import { warn } from '../../warnings.js';
import { type Bins, type HistogramData, histogramMessage, makeHistogram } from './histogram.js';
import { pixelsOf } from './pixels.js';
import { Message } from './proto.js';

/** Numbers of TensorFlow's `DataType`. */
const DT_FLOAT = 1;
const DT_DOUBLE = 2;
const DT_STRING = 7;

/** A Summary of one value; fields: 2 simple_value, 4 image, 5 histo, 6 audio, 8 tensor, 9 metadata. */
const summary = (tag: string, fill: (value: Message) => void): Message => {
  const value = new Message().text(1, tag);
  fill(value);
  return new Message().add(1, value);
};

/** SummaryMetadata that names the plugin which shows the value. */
function metadata(plugin: string, content: Message | null = null): Message {
  const data = new Message().add(1, plugin);
  if (content !== null) {
    const bytes = content.finish();
    if (bytes.length > 0) data.add(2, bytes);
  }
  return new Message().add(1, data);
}

function shapeMessage(shape: readonly number[]): Message {
  const message = new Message();
  for (const size of shape) message.add(2, size === 0 ? new Message() : new Message().int(1, size));
  return message;
}

/** A number, or the value of a tensor with one element. */
function numberOf(value: number | bigint | boolean | Tensor): number {
  if (!(value instanceof Tensor)) return Number(value);
  if (value._numel !== 1)
    throw new AssertionError(
      `Tensor should contain one element (0 dimensions). Was given size: ${value._numel} and ${value.squeeze().ndim} dimensions.`,
    );
  return Number(value.item());
}

/** What counts as a scalar. */
export type Scalar = number | bigint | boolean | Tensor;

export function scalar(tag: string, value: Scalar, new_style = false, double_precision = false): Message {
  const x = numberOf(value);
  if (!new_style) return summary(tag, (v) => v.float(2, x));
  const tensor = double_precision
    ? new Message().int(1, DT_DOUBLE).doubles(6, [x])
    : new Message().int(1, DT_FLOAT).floats(5, [x]);
  return summary(tag, (v) => v.add(8, tensor).add(9, metadata('scalars')));
}

export function histogram(tag: string, values: Tensor, bins: Bins, max_bins: number | null): Message {
  return summary(tag, (v) => v.add(5, histogramMessage(makeHistogram(values, bins, max_bins))));
}

export function histogram_raw(tag: string, data: HistogramData): Message {
  return summary(tag, (v) => v.add(5, histogramMessage(data)));
}

export function image(tag: string, tensor: Tensor, dataformats: string): Message {
  const pixels = pixelsOf(tensor, dataformats);
  const message = new Message()
    .int(1, pixels.height)
    .int(2, pixels.width)
    .int(3, pixels.channels)
    .add(4, encodePng(pixels));
  return summary(tag, (v) => v.add(4, message));
}

/** Sound of one channel with values from -1 to 1, as a WAV file of 16 bits. */
export function audio(tag: string, tensor: Tensor, sample_rate: number): Message {
  const x = tensor.detach().squeeze().double();
  if (x.ndim !== 1) throw new AssertionError('input tensor should be 1 dimensional.');
  const values = x.toTypedArray() as Float64Array;
  if (values.some((v) => Math.abs(v) > 1)) warn('audio amplitude out of range, auto clipped.');
  const message = new Message()
    .float(1, sample_rate)
    .int(2, 1)
    .int(3, values.length)
    .add(4, wav(values, sample_rate))
    .add(5, 'audio/wav');
  return summary(tag, (v) => v.add(6, message));
}

function wav(values: Float64Array, sample_rate: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(44 + 2 * values.length));
  const name = (at: number, text: string): void =>
    [...text].forEach((letter, i) => void view.setUint8(at + i, letter.charCodeAt(0)));
  name(0, 'RIFF');
  view.setUint32(4, 36 + 2 * values.length, true);
  name(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sample_rate, true);
  view.setUint32(28, 2 * sample_rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  name(36, 'data');
  view.setUint32(40, 2 * values.length, true);
  values.forEach((v, i) => void view.setInt16(44 + 2 * i, Math.min(1, Math.max(-1, v)) * 32767, true));
  return new Uint8Array(view.buffer);
}

export function text(tag: string, words: string): Message {
  const tensor = new Message()
    .int(1, DT_STRING)
    .add(2, shapeMessage([1]))
    .add(8, words);
  return summary(`${tag}/text_summary`, (v) => v.add(8, tensor).add(9, metadata('text')));
}

/** How the elements of a dtype are written: the type's number, the field, and how it is packed. */
const tensorTypes: Readonly<
  Record<string, readonly [number, number, 'floats' | 'doubles' | 'ints'] | undefined>
> = {
  float32: [1, 5, 'floats'],
  float64: [2, 6, 'doubles'],
  int32: [3, 7, 'ints'],
  uint8: [4, 16, 'ints'],
  int16: [5, 7, 'ints'],
  int8: [6, 7, 'ints'],
  complex64: [8, 9, 'floats'],
  int64: [9, 10, 'ints'],
  bool: [10, 11, 'ints'],
  bfloat16: [14, 13, 'ints'],
  complex128: [18, 12, 'doubles'],
  float16: [19, 13, 'ints'],
};

const typeName = (dtype: DType): string => String(dtype).replace('torch.', '');

/** Elements as numbers; those of half precision as the bits of a float32, as PyTorch writes them. */
function elements(tensor: Tensor, type: string): (number | bigint | boolean)[] {
  const x = tensor.detach().is_complex() ? view_as_real(tensor.detach()) : tensor.detach();
  const flat = x.reshape(-1).tolist() as (number | bigint | boolean | Complex)[];
  const values = flat as (number | bigint | boolean)[];
  if (!/^b?float16$/.test(type)) return values;
  const bits = new DataView(new ArrayBuffer(4));
  return values.map((v) => {
    bits.setFloat32(0, Number(v));
    return bits.getInt32(0);
  });
}

export function tensor_proto(tag: string, tensor: Tensor): Message {
  const type = typeName(tensor.dtype);
  const [number, field, packing] = tensorTypes[type] ?? [];
  if (number === undefined || field === undefined || packing === undefined)
    throw new ValueError(`${tag} has unsupported tensor dtype ${tensor.dtype}`);
  const message = new Message().int(1, number).add(2, shapeMessage(tensor.shape));
  const values = elements(tensor, type);
  if (packing === 'ints') message.ints(field, values);
  else message[packing](field, values as number[]);
  return summary(tag, (v) => v.add(8, message).add(9, metadata('tensor')));
}

/** Rows of a precision-recall curve, each with a value per threshold. */
export type Curve = readonly [
  tp: ArrayLike<number>,
  fp: ArrayLike<number>,
  tn: ArrayLike<number>,
  fn: ArrayLike<number>,
  precision: ArrayLike<number>,
  recall: ArrayLike<number>,
];

export function pr_curve_raw(tag: string, curve: Curve, num_thresholds: number): Message {
  const rows = curve.map((row) => Array.from(row));
  const tensor = new Message()
    .int(1, DT_FLOAT)
    .add(2, shapeMessage([rows.length, rows[0].length]))
    .floats(5, rows.flat());
  const content = new Message().int(2, Math.min(num_thresholds, 127));
  return summary(tag, (v) => v.add(8, tensor).add(9, metadata('pr_curves', content)));
}

/** Counts of true and false positives above each of evenly spaced thresholds. */
export function curveOf(
  labels: Tensor,
  predictions: Tensor,
  num_thresholds: number,
  weights: Tensor | null,
): Curve {
  const plain = (t: Tensor): Float64Array => t.detach().double().reshape(-1).toTypedArray() as Float64Array;
  const [truth, scores] = [plain(labels), plain(predictions)];
  const weight = weights === null ? null : plain(weights);
  const [tp, fp] = [new Float64Array(num_thresholds), new Float64Array(num_thresholds)];
  scores.forEach((score, i) => {
    const bin = Math.floor(score * (num_thresholds - 1));
    if (bin < 0 || bin >= num_thresholds) return;
    tp[bin] += truth[i] * (weight?.[i] ?? 1);
    fp[bin] += (1 - truth[i]) * (weight?.[i] ?? 1);
  });
  for (let i = num_thresholds - 2; i >= 0; i--) {
    tp[i] += tp[i + 1];
    fp[i] += fp[i + 1];
  }
  const share = (of: number, rest: number): number => of / Math.max(1e-7, of + rest);
  const tn = fp.map((v) => fp[0] - v);
  const fn = tp.map((v) => tp[0] - v);
  return [tp, fp, tn, fn, tp.map((v, i) => share(v, fp[i])), tp.map((v, i) => share(v, fn[i]))];
}

/** Charts by category: several series in one, or a series with its margins. */
export type Layout = Readonly<
  Record<string, Readonly<Record<string, readonly ['Multiline' | 'Margin', readonly string[]]>>>
>;

export function custom_scalars(layout: Layout): Message {
  const message = new Message();
  for (const [title, charts] of Object.entries(layout)) {
    const category = new Message().text(1, title);
    for (const [name, [kind, tags]] of Object.entries(charts)) category.add(2, chart(name, kind, tags));
    message.add(2, category);
  }
  const tensor = new Message().int(1, DT_STRING).add(2, new Message()).add(8, message);
  return summary('custom_scalars__config__', (v) => v.add(8, tensor).add(9, metadata('custom_scalars')));
}

function chart(name: string, kind: string, tags: readonly string[]): Message {
  const message = new Message().text(1, name);
  if (kind !== 'Margin') {
    const lines = new Message();
    for (const tag of tags) lines.add(1, tag);
    return message.add(2, lines);
  }
  if (tags.length !== 3) throw new AssertionError('len(tags) != 3');
  const series = new Message();
  tags.forEach((tag, i) => void series.add(i + 1, tag));
  return message.add(3, new Message().add(1, series));
}

/** The value of a hyperparameter. */
export type HParam = number | string | boolean | bigint | Tensor | null;

/** Numbers of the plugin's `DataType`. */
const [STRING, FLOAT64] = [1, 3];

/** A `google.protobuf.Value`; truth values are numbers, as in PyTorch. */
const hparamValue = (v: Exclude<HParam, null>): Message =>
  typeof v === 'string' ? new Message().add(3, v) : new Message().double(2, numberOf(v));

/** The three summaries of a run's hyperparameters: the experiment, the start and the end of the session. */
export function hparams(
  hparam_dict: Readonly<Record<string, HParam>>,
  metric_dict: Readonly<Record<string, Scalar>>,
  discrete: Readonly<Record<string, readonly HParam[]>>,
): [experiment: Message, start: Message, end: Message] {
  for (const [key, values] of Object.entries(discrete))
    if (!(key in hparam_dict) || !values.every((v) => typeof v === typeof hparam_dict[key]))
      throw new TypeError(
        `parameter: hparam_domain_discrete[${key}] should be a list of same type as hparam_dict[${key}].`,
      );
  const [experiment, start] = [new Message(), new Message()];
  for (const [key, value] of Object.entries(hparam_dict)) {
    if (value === null || value === undefined) continue;
    if (!(value instanceof Tensor) && !['number', 'string', 'boolean', 'bigint'].includes(typeof value))
      throw new ValueError('value should be one of int, float, str, bool, or torch.Tensor');
    start.add(1, new Message().text(1, key).add(2, hparamValue(value)));
    const info = new Message().text(1, key).int(4, typeof value === 'string' ? STRING : FLOAT64);
    if (discrete[key]) {
      const list = new Message();
      for (const v of discrete[key]) if (v !== null) list.add(1, hparamValue(v));
      info.add(5, list);
    }
    experiment.add(4, info);
  }
  for (const key of Object.keys(metric_dict))
    experiment.add(5, new Message().add(1, new Message().text(2, key)));
  const one = (tag: string, field: number, content: Message): Message =>
    summary(tag, (v) => v.add(9, metadata('hparams', new Message().add(field, content))));
  return [
    one('_hparams_/experiment', 2, experiment),
    one('_hparams_/session_start_info', 3, start),
    one('_hparams_/session_end_info', 4, new Message().int(1, 1)),
  ];
}
