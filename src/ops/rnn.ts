// Recurrent networks and cells: torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu and their cells.
import { empty } from '../dispatch/allocate.js';
import { int64 } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { mul } from './arithmetic.js';
import { op } from './define.js';
import { zeros_ } from './fill.js';
import { cat, stack } from './join.js';
import { recurrentLayer } from './rnn_layer.js';
import type { LayerOutput, LayerWeights, RnnKind } from './rnn_steps.js';
import { unbind } from './split.js';
import { reshape, transpose, view } from './view.js';

const GATES: Readonly<Record<RnnKind, number>> = { lstm: 4, gru: 3, rnn_tanh: 1, rnn_relu: 1 };

/** Everything that the networks take beside their input. */
interface Network {
  readonly kind: RnnKind;
  /** [layers * directions, B, size] each: hidden states, and cells in an LSTM. */
  readonly hx: readonly Tensor[];
  readonly params: readonly Tensor[];
  readonly biases: boolean;
  readonly layers: number;
  readonly dropout: number;
  readonly train: boolean;
  readonly bidirectional: boolean;
}

const dims = (x: Tensor): string => `[${x.shape.join(', ')}]`;

/** @throws RuntimeError unless x has the given shape (-1: any size) and the type of `like`. */
function expectShape(name: string, x: Tensor, shape: readonly number[], like: Tensor): void {
  if (x.shape.length !== shape.length || shape.some((n, d) => n >= 0 && x.shape[d] !== n))
    throw new RuntimeError(`Expected ${name} size [${shape.join(', ')}], got ${dims(x)}`);
  if (x.dtype !== like.dtype)
    throw new RuntimeError(
      `Expected ${name} to have the input's dtype ${like.dtype.scalarName}, but got ${x.dtype.scalarName}`,
    );
  if (x.device.type !== like.device.type)
    throw new RuntimeError(
      `Input and ${name} tensors are not at the same device, found input tensor at ${like.device} and ${name} tensor at ${x.device}`,
    );
}

/** The parameters of every layer and direction, in the order in which they run. */
function weightsOf(net: Network): LayerWeights[] {
  const { kind, params, biases, layers, bidirectional, hx } = net;
  const count = layers * (bidirectional ? 2 : 1);
  const projected = kind === 'lstm' && hx[0].shape[2] !== hx[1].shape[2];
  const each = 2 + (biases ? 2 : 0) + (projected ? 1 : 0);
  if (params.length !== count * each)
    throw new RuntimeError(
      `${kind}(): expected ${count * each} parameters for ${count} layers and directions, but got ${params.length}`,
    );
  return Array.from({ length: count }, (_, i) => {
    const own = params.slice(i * each, (i + 1) * each);
    return {
      w_ih: own[0],
      w_hh: own[1],
      b_ih: biases ? own[2] : null,
      b_hh: biases ? own[3] : null,
      w_hr: projected ? own[each - 1] : null,
    };
  });
}

function checkStates(net: Network, batch: number, x: Tensor): void {
  const { kind, hx } = net;
  const wanted = kind === 'lstm' ? 2 : 1;
  if (hx.length !== wanted)
    throw new RuntimeError(`${kind} expects ${wanted === 2 ? 'two hidden states' : 'one hidden state'}`);
  const count = net.layers * (net.bidirectional ? 2 : 1);
  hx.forEach((h, i) => {
    expectShape(wanted === 1 ? 'hidden' : `hidden[${i}]`, h, [count, batch, -1], x);
  });
}

function checkWeights(kind: RnnKind, w: LayerWeights, x: Tensor, hidden: number, width: number): void {
  const gates = GATES[kind] * width;
  expectShape('weight_ih', w.w_ih, [gates, x.shape[1]], x);
  expectShape('weight_hh', w.w_hh, [gates, hidden], x);
  if (w.b_ih !== null) expectShape('bias_ih', w.b_ih, [gates], x);
  if (w.b_hh !== null) expectShape('bias_hh', w.b_hh, [gates], x);
  if (w.w_hr !== null) expectShape('weight_hr', w.w_hr, [hidden, width], x);
}

/** Dropout of a layer's output: the same mask as PyTorch's for a seed. */
function dropped(x: Tensor, p: number): Tensor {
  if (p === 1) return mul(x, zeros_([], x.dtype, x.device));
  const mask = empty(x.shape, x.dtype, x.device);
  mask.bernoulli_(1 - p).div_(1 - p);
  return mul(x, mask);
}

/** All layers over packed rows: output rows and the last states, [layers * directions, B, size] each. */
function runLayers(data: Tensor, sizes: readonly number[], net: Network): [Tensor, ...Tensor[]] {
  if (!data.dtype.is_floating_point)
    throw new RuntimeError(`${net.kind}: expected a floating point input, but got ${data.dtype.scalarName}`);
  if (!(net.dropout >= 0 && net.dropout <= 1))
    throw new RuntimeError(`dropout probability has to be between 0 and 1, but got ${net.dropout}`);
  checkStates(net, sizes[0], data);
  const weights = weightsOf(net);
  const directions = net.bidirectional ? 2 : 1;
  const [hidden, cells] = net.hx.map((x) => unbind(x, 0));
  const results: LayerOutput[] = [];
  let x = data;
  for (let layer = 0; layer < net.layers; layer++) {
    const outs: Tensor[] = [];
    for (let d = 0; d < directions; d++) {
      const i = layer * directions + d;
      const [h0, c0] = [hidden[i], cells === undefined ? null : cells[i]];
      checkWeights(net.kind, weights[i], x, h0.shape[1], (c0 ?? h0).shape[1]);
      const result = recurrentLayer(net.kind, { x, sizes, reverse: d === 1, h0, c0 }, weights[i]);
      results.push(result);
      outs.push(result.out);
    }
    x = directions === 1 ? outs[0] : cat(outs, 1);
    if (net.dropout > 0 && net.train && layer < net.layers - 1) x = dropped(x, net.dropout);
  }
  const last = stack(results.map((r) => r.h));
  return cells === undefined ? [x, last] : [x, last, stack(results.map((r) => r.c as Tensor))];
}

/** A padded batch of sequences [T, B, size], or [B, T, size] with batch_first. */
function runPadded(input: Tensor, net: Network, batchFirst: boolean): [Tensor, ...Tensor[]] {
  if (input.shape.length !== 3)
    throw new RuntimeError(`input must have 3 dimensions, got ${input.shape.length}`);
  const x = batchFirst ? transpose(input, 0, 1) : input;
  const [steps, batch, size] = x.shape;
  if (steps === 0) throw new RuntimeError('Expected sequence length to be larger than 0 in RNN');
  const sizes = new Array<number>(steps).fill(batch);
  const [rows, ...last] = runLayers(reshape(x, [steps * batch, size]), sizes, net);
  const out = view(rows, [steps, batch, rows.shape[1]]);
  return [batchFirst ? transpose(out, 0, 1) : out, ...last];
}

/** Packed sequences: data [rows, size] and how many rows each step has. */
function runPacked(data: Tensor, batchSizes: Tensor, net: Network): [Tensor, ...Tensor[]] {
  if (data.shape.length !== 2)
    throw new RuntimeError(`input must have 2 dimensions, got ${data.shape.length}`);
  if (batchSizes.shape.length !== 1 || batchSizes.dtype !== int64)
    throw new RuntimeError('batch_sizes must be a 1D tensor of int64');
  const sizes = (batchSizes.tolist() as unknown[]).map(Number);
  if (sizes.length === 0) throw new RuntimeError('Expected sequence length to be larger than 0 in RNN');
  if (sizes.some((n, t) => n <= 0 || (t > 0 && n > sizes[t - 1])))
    throw new ValueError('batch_sizes must be positive and must not increase');
  const rows = sizes.reduce((a, b) => a + b, 0);
  if (rows !== data.shape[0])
    throw new RuntimeError(`Expected the batch_sizes to sum to ${data.shape[0]} rows, but got ${rows}`);
  return runLayers(data, sizes, net);
}

type Settings = [
  params: readonly Tensor[],
  has_biases: boolean,
  num_layers: number,
  dropout: number,
  train: boolean,
  bidirectional: boolean,
];

/** A network over padded sequences (`hx` second), or over packed ones (`batch_sizes` second). */
interface Recurrent<Hx, R> {
  (input: Tensor, hx: Hx, ...settings: [...Settings, batch_first: boolean]): R;
  (data: Tensor, batch_sizes: Tensor, hx: Hx, ...settings: Settings): R;
}

const SETTINGS =
  'Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional';

function network<Hx, R>(kind: RnnKind): Recurrent<Hx, R> {
  const states = kind === 'lstm' ? 'Tensor[] hx' : 'Tensor hx';
  const make = (hx: Tensor | readonly Tensor[], settings: Settings): Network => {
    const [params, biases, layers, dropout, train, bidirectional] = settings;
    if (layers <= 0) throw new RuntimeError('num_layers must be greater than zero');
    return {
      kind,
      hx: hx instanceof Tensor ? [hx] : hx,
      params,
      biases,
      layers,
      dropout,
      train,
      bidirectional,
    };
  };
  const padded: (...args: readonly unknown[]) => unknown = op(
    kind,
    `Tensor input, ${states}, ${SETTINGS}, bool batch_first`,
    (input: Tensor, hx: Tensor | readonly Tensor[], ...settings: [...Settings, boolean]) =>
      runPadded(input, make(hx, settings.slice(0, 6) as Settings), settings[6]),
    { self: null },
  );
  const packed: (...args: readonly unknown[]) => unknown = op(
    `${kind}.data`,
    `Tensor data, Tensor batch_sizes, ${states}, ${SETTINGS}`,
    (data: Tensor, sizes: Tensor, hx: Tensor | readonly Tensor[], ...settings: Settings) =>
      runPacked(data, sizes, make(hx, settings)),
    { self: null },
  );
  const isPacked = (args: readonly unknown[]): boolean =>
    kind === 'lstm' ? args[1] instanceof Tensor : args[2] instanceof Tensor;
  return ((...args: readonly unknown[]) =>
    (isPacked(args) ? packed : padded)(...args)) as unknown as Recurrent<Hx, R>;
}

/**
 * Long short-term memory of one or more layers. Returns the output [T, B, D * P] (or packed rows) and the last hidden
 * states [layers * D, B, P] and cells [layers * D, B, H]; `hx` holds those to start from.
 */
export const lstm = network<readonly Tensor[], [Tensor, Tensor, Tensor]>('lstm');
/** Gated recurrent units: the output [T, B, D * H] (or packed rows) and the last hidden states. */
export const gru = network<Tensor, [Tensor, Tensor]>('gru');
/** Elman networks with tanh; see {@link gru}. */
export const rnn_tanh = network<Tensor, [Tensor, Tensor]>('rnn_tanh');
/** Elman networks with ReLU; see {@link gru}. */
export const rnn_relu = network<Tensor, [Tensor, Tensor]>('rnn_relu');

// ---- cells

function checkCell(x: Tensor, h: Tensor, hidden: number, label: number): void {
  if (x.shape[0] !== h.shape[0])
    throw new RuntimeError(
      `Input batch size ${x.shape[0]} doesn't match hidden${label} batch size ${h.shape[0]}`,
    );
  if (h.shape[1] !== hidden)
    throw new RuntimeError(
      `hidden${label} has inconsistent hidden_size: got ${h.shape[1]}, expected ${hidden}`,
    );
}

function runCell(kind: RnnKind, x: Tensor, hx: readonly Tensor[], w: LayerWeights): LayerOutput {
  const { w_ih, w_hh } = w;
  if (w_ih.shape.length !== 2 || w_hh.shape.length !== 2)
    throw new RuntimeError(`${kind}_cell: weights must be matrices`);
  for (const [name, t] of [['input', x], ...hx.map((h, i) => [`hidden${i}`, h] as const)] as const)
    if (t.shape.length !== 2) throw new RuntimeError(`${name} must have 2 dimensions, got ${t.shape.length}`);
  if (x.shape[1] !== w_ih.shape[1])
    throw new RuntimeError(`input has inconsistent input_size: got ${x.shape[1]} expected ${w_ih.shape[1]}`);
  hx.forEach((h, i) => {
    checkCell(x, h, w_hh.shape[1], i);
  });
  if (x.dtype !== w_ih.dtype)
    throw new RuntimeError(
      `mat1 and mat2 must have the same dtype, but got ${x.dtype.scalarName} and ${w_ih.dtype.scalarName}`,
    );
  checkWeights(kind, w, x, w_hh.shape[1], w_hh.shape[1]);
  for (const h of hx) expectShape('hidden', h, h.shape, x);
  const input = { x, sizes: [x.shape[0]], reverse: false, h0: hx[0], c0: hx[1] ?? null };
  return recurrentLayer(kind, input, w);
}

const CELL = 'Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None';

type CellWeights = [w_ih: Tensor, w_hh: Tensor, b_ih?: Tensor | null, b_hh?: Tensor | null];
const cellWeights = (w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | null, b_hh: Tensor | null): LayerWeights => ({
  w_ih,
  w_hh,
  b_ih,
  b_hh,
  w_hr: null,
});

const cell = (
  kind: Exclude<RnnKind, 'lstm'>,
): ((input: Tensor, hx: Tensor, ...weights: CellWeights) => Tensor) =>
  op(
    `${kind}_cell`,
    `Tensor input, Tensor hx, ${CELL}`,
    (x: Tensor, h: Tensor, ...w: Parameters<typeof cellWeights>) =>
      runCell(kind, x, [h], cellWeights(...w)).out,
    { self: null },
  );

/** One step of an LSTM: input [B, in], `hx` the hidden state and the cells [B, H]; returns both anew. */
export const lstm_cell: (input: Tensor, hx: readonly Tensor[], ...weights: CellWeights) => [Tensor, Tensor] =
  op(
    'lstm_cell',
    `Tensor input, Tensor[] hx, ${CELL}`,
    (x: Tensor, hx: readonly Tensor[], ...w: Parameters<typeof cellWeights>) => {
      if (hx.length !== 2) throw new RuntimeError('lstm_cell expects two hidden states');
      const { out, c } = runCell('lstm', x, hx, cellWeights(...w));
      return [out, c as Tensor];
    },
    { self: null },
  );
/** One step of a GRU: input [B, in], hx [B, H]; returns the new hidden state. */
export const gru_cell = cell('gru');
/** One step of an Elman network with tanh; see {@link gru_cell}. */
export const rnn_tanh_cell = cell('rnn_tanh');
/** One step of an Elman network with ReLU; see {@link gru_cell}. */
export const rnn_relu_cell = cell('rnn_relu');
