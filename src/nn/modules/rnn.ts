// Recurrent networks: RNN (Elman), LSTM and GRU.
import type { DeviceLike } from '../../device.js';
import { isKeywords, typeName } from '../../dispatch/schema.js';
import type { DType } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { gru, lstm, rnn_relu, rnn_tanh, zeros } from '../../ops/table.js';
import { pyFloatRepr } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';
import { warn } from '../../warnings.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import { PackedSequence } from '../utils/rnn.js';
import { bind, type Call, type Factory, type FactoryArgs, parameter } from './arguments.js';
import { Module } from './module.js';

interface RnnDefaults extends Factory {
  num_layers?: number;
  bias?: boolean;
  /** Sequences are [B, T, size] instead of [T, B, size]. */
  batch_first?: boolean;
  /** Probability of dropout after every layer but the last. */
  dropout?: number;
  bidirectional?: boolean;
}
interface Sizes {
  input_size: number;
  hidden_size: number;
}

/** The arguments of a constructor, all present. */
interface RnnConfig extends Sizes {
  num_layers: number;
  bias: boolean;
  batch_first: boolean;
  dropout: number;
  bidirectional: boolean;
  proj_size: number;
  device: DeviceLike | null;
  dtype: DType | null;
}

const HEAD = 'any input_size, any hidden_size, int num_layers=1';
const TAIL =
  'any bias=True, any batch_first=False, any dropout=0.0, bool bidirectional=False, int proj_size=0, device? device=None, dtype? dtype=None';
const NAMES = [
  'input_size',
  'hidden_size',
  'num_layers',
  'bias',
  'batch_first',
  'dropout',
  'bidirectional',
  'proj_size',
  'device',
  'dtype',
] as const;

const configOf = (values: readonly unknown[]): RnnConfig =>
  Object.fromEntries(NAMES.map((name, i) => [name, values[i]])) as unknown as RnnConfig;

type Mode = 'LSTM' | 'GRU' | 'RNN_TANH' | 'RNN_RELU';
const GATES: Readonly<Record<Mode, number>> = { LSTM: 4, GRU: 3, RNN_TANH: 1, RNN_RELU: 1 };

function checkSize(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new TypeError(`${name} should be of type int, got: ${typeName(value)}`);
  if (value <= 0) throw new ValueError(`${name} must be greater than zero`);
}

/** @throws ValueError and TypeError in PyTorch's words and order. */
function checkConfig(c: RnnConfig): void {
  if (typeof c.dropout !== 'number' || !(c.dropout >= 0 && c.dropout <= 1))
    throw new ValueError(
      'dropout should be a number in range [0, 1] representing the probability of an element being zeroed',
    );
  if (c.dropout > 0 && c.num_layers === 1)
    warn(
      `dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater than 1, but got dropout=${pyFloatRepr(c.dropout)} and num_layers=1`,
    );
  for (const name of ['bias', 'batch_first'] as const)
    if (typeof c[name] !== 'boolean')
      throw new TypeError(`${name} should be of type bool, got: ${typeName(c[name])}`);
  checkSize('input_size', c.input_size);
  checkSize('hidden_size', c.hidden_size);
  if (c.num_layers <= 0) throw new ValueError('num_layers must be greater than zero');
  if (c.proj_size < 0)
    throw new ValueError('proj_size should be a positive integer or zero to disable projections');
  if (c.proj_size >= c.hidden_size) throw new ValueError('proj_size has to be smaller than hidden_size');
}

const tuple = (sizes: readonly number[]): string => `(${sizes.join(', ')})`;
const permuted = (x: Tensor, order: Tensor | null): Tensor => (order === null ? x : x.index_select(1, order));

/** Rows or a batch of sequences on their way through a network. */
interface Prepared {
  readonly input: Tensor;
  readonly batch_sizes: Tensor | null;
  readonly packed: PackedSequence | null;
  readonly batched: boolean;
}

/** What RNN, LSTM and GRU share: their parameters, checks and printed form. */
export abstract class RNNBase extends Module {
  mode: Mode;
  input_size: number;
  hidden_size: number;
  num_layers: number;
  bias: boolean;
  batch_first: boolean;
  dropout: number;
  bidirectional: boolean;
  proj_size: number;
  /** Names of the parameters of each layer and direction. */
  private readonly _names!: readonly (readonly string[])[];
  [weight: `weight_${string}`]: Parameter;
  [bias: `bias_${string}`]: Parameter;

  constructor(mode: Mode, config: RnnConfig) {
    super();
    checkConfig(config);
    this.mode = mode;
    this.input_size = config.input_size;
    this.hidden_size = config.hidden_size;
    this.num_layers = config.num_layers;
    this.bias = config.bias;
    this.batch_first = config.batch_first;
    this.dropout = config.dropout;
    this.bidirectional = config.bidirectional;
    this.proj_size = config.proj_size;
    const names = Array.from({ length: this.num_layers * this._directions }, (_, i) =>
      this._makeLayer(Math.floor(i / this._directions), i % this._directions === 1, config),
    );
    Object.defineProperty(this, '_names', { value: names, configurable: true });
    this.reset_parameters();
  }
  private get _directions(): number {
    return this.bidirectional ? 2 : 1;
  }
  /** The size of the hidden state. */
  private get _hidden(): number {
    return this.proj_size > 0 ? this.proj_size : this.hidden_size;
  }
  /** Registers the parameters of one layer in one direction; returns their names. */
  private _makeLayer(layer: number, reverse: boolean, { device, dtype }: RnnConfig): string[] {
    const gates = GATES[this.mode] * this.hidden_size;
    const width = layer === 0 ? this.input_size : this._hidden * this._directions;
    const shapes: [string, number[]][] = [
      ['weight_ih', [gates, width]],
      ['weight_hh', [gates, this._hidden]],
    ];
    if (this.bias) shapes.push(['bias_ih', [gates]], ['bias_hh', [gates]]);
    if (this.proj_size > 0) shapes.push(['weight_hr', [this.proj_size, this.hidden_size]]);
    return shapes.map(([kind, shape]) => {
      const name = `${kind}_l${layer}${reverse ? '_reverse' : ''}`;
      this.register_parameter(name, parameter(shape, device, dtype));
      return name;
    });
  }
  /** The parameters of every layer and direction. */
  get all_weights(): Parameter[][] {
    const self = this as unknown as Record<string, Parameter>;
    return this._names.map((names) => names.map((name) => self[name]));
  }
  /** @internal */
  protected get _flat_weights(): Parameter[] {
    return this.all_weights.flat();
  }
  /** Accepted as in PyTorch, where it lays the parameters out for cuDNN; on the CPU there is nothing to do. */
  flatten_parameters(): void {}
  /** Uniform between -1 / sqrt(hidden_size) and that with the other sign. */
  reset_parameters(): void {
    const bound = 1 / Math.sqrt(this.hidden_size);
    for (const p of this.parameters()) init.uniform_(p, -bound, bound);
  }
  override _forwardNames(): readonly string[] {
    return ['input', 'hx'];
  }

  /** The input as the ops take it, with PyTorch's complaints about its dimensions. @internal */
  protected _prepare(input: Tensor | PackedSequence, name: string): Prepared {
    if (input instanceof PackedSequence)
      return { input: input.data, batch_sizes: input.batch_sizes, packed: input, batched: true };
    const n = input.shape.length;
    if (n !== 2 && n !== 3)
      throw new ValueError(
        `${name}: Expected input to be 2D or 3D, got ${n}D ${name === 'RNN' ? 'tensor ' : ''}instead`,
      );
    const batched = n === 3;
    const x = batched ? input : input.unsqueeze(this.batch_first ? 0 : 1);
    return { input: x, batch_sizes: null, packed: null, batched };
  }
  /** @internal */
  protected _checkInput({ input, batch_sizes }: Prepared): void {
    const [first] = this._flat_weights;
    if (input.dtype !== first.dtype)
      throw new ValueError(
        `RNN input dtype (${input.dtype}) does not match weight dtype (${first.dtype}). Convert input: input.to(${first.dtype}), or convert model: model.to(${input.dtype})`,
      );
    const expected = batch_sizes === null ? 3 : 2;
    if (input.shape.length !== expected)
      throw new RuntimeError(`input must have ${expected} dimensions, got ${input.shape.length}`);
    const size = input.shape[input.shape.length - 1];
    if (this.input_size !== size)
      throw new RuntimeError(
        `input.size(-1) must be equal to input_size. Expected ${this.input_size}, got ${size}`,
      );
  }
  /** The shape of the states for an input. @internal */
  protected _stateShape({ input, batch_sizes }: Prepared, size: number): number[] {
    const batch =
      batch_sizes === null ? input.shape[this.batch_first ? 0 : 1] : Number(batch_sizes.at(0).item());
    return [this.num_layers * this._directions, batch, size];
  }
  /** @internal */
  protected _zeros(x: Prepared, size: number): Tensor {
    return zeros(this._stateShape(x, size), { dtype: x.input.dtype, device: x.input.device });
  }
  /** @internal */
  protected _checkState(h: Tensor, x: Prepared, size: number, name: string): void {
    const expected = this._stateShape(x, size);
    if (h.shape.length !== 3 || expected.some((n, d) => h.shape[d] !== n))
      throw new RuntimeError(`Expected ${name} size ${tuple(expected)}, got [${h.shape.join(', ')}]`);
  }
  /** The arguments that every op takes after the states. @internal */
  protected _settings(): [Parameter[], boolean, number, number, boolean, boolean] {
    return [this._flat_weights, this.bias, this.num_layers, this.dropout, this.training, this.bidirectional];
  }
  /** The output in the form of the input. @internal */
  protected _restore(out: Tensor, { packed, batched }: Prepared): Tensor | PackedSequence {
    if (packed !== null)
      return new PackedSequence(out, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices);
    return batched ? out : out.squeeze(this.batch_first ? 0 : 1);
  }
  /** A last state in the form of the input. @internal */
  protected _restoreState(h: Tensor, { packed, batched }: Prepared): Tensor {
    return batched ? permuted(h, packed?.unsorted_indices ?? null) : h.squeeze(1);
  }
  override extra_repr(): string {
    const parts = [`${this.input_size}`, `${this.hidden_size}`];
    if (this.proj_size !== 0) parts.push(`proj_size=${this.proj_size}`);
    if (this.num_layers !== 1) parts.push(`num_layers=${this.num_layers}`);
    if (!this.bias) parts.push('bias=False');
    if (this.batch_first) parts.push('batch_first=True');
    if (this.dropout !== 0) parts.push(`dropout=${pyFloatRepr(this.dropout)}`);
    if (this.bidirectional) parts.push('bidirectional=True');
    return parts.join(', ');
  }
}

/** A network with one state: RNN and GRU. */
abstract class SingleState extends RNNBase {
  /** @internal */
  protected _run(
    name: string,
    fn: typeof gru,
    given: Tensor | PackedSequence,
    hx: Tensor | null,
  ): [Tensor | PackedSequence, Tensor] {
    const x = this._prepare(given, name);
    let h = hx;
    if (h === null) h = this._zeros(x, this.hidden_size);
    else if (x.packed !== null) h = permuted(h, x.packed.sorted_indices);
    else {
      const wanted = x.batched ? 3 : 2;
      if (h.shape.length !== wanted)
        throw new RuntimeError(
          `For ${x.batched ? 'batched 3-D' : 'unbatched 2-D'} input, hx should also be ${wanted}-D but got ${h.shape.length}-D tensor`,
        );
      if (!x.batched) h = h.unsqueeze(1);
    }
    this._checkInput(x);
    this._checkState(h, x, this.hidden_size, 'hidden');
    const [out, last] =
      x.batch_sizes === null
        ? fn(x.input, h, ...this._settings(), this.batch_first)
        : fn(x.input, x.batch_sizes, h, ...this._settings());
    return [this._restore(out, x), this._restoreState(last, x)];
  }
}

/** proj_size belongs to LSTM. */
function refuseProjection(args: readonly unknown[]): void {
  const last = args[args.length - 1];
  if (isKeywords(last) && 'proj_size' in last)
    throw new ValueError('proj_size argument is only supported for LSTM, not RNN or GRU');
}

export type RNNNonlinearity = 'tanh' | 'relu';
export interface RNNOptions extends RnnDefaults, Sizes {
  nonlinearity?: RNNNonlinearity;
}
type RNNArgs = Call<
  [input_size: number, hidden_size: number],
  [
    num_layers: number,
    nonlinearity: RNNNonlinearity,
    bias: boolean,
    batch_first: boolean,
    dropout: number,
    bidirectional: boolean,
    proj_size: number,
    ...FactoryArgs,
  ],
  RNNOptions
>;

/** Calls with sequences [T, B, in] (or [T, in]) and with packed ones. */
export interface RNN {
  (input: Tensor, hx?: Tensor | null): [output: Tensor, h_n: Tensor];
  (input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, h_n: Tensor];
}

/**
 * Elman networks: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or ReLU. Input [T, B, in], [B, T, in] with
 * `batch_first`, [T, in], or packed; returns the last layer's states [T, B, D * H] and the last states of every layer
 * [layers * D, B, H].
 */
export class RNN extends SingleState {
  nonlinearity: RNNNonlinearity;

  constructor(...args: RNNArgs) {
    refuseProjection(args);
    const values = bind('RNN', `${HEAD}, any nonlinearity='tanh', ${TAIL}`, args);
    const nonlinearity = values.splice(3, 1)[0] as RNNNonlinearity;
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu')
      throw new ValueError(`Unknown nonlinearity '${String(nonlinearity)}'. Select from 'tanh' or 'relu'.`);
    super(nonlinearity === 'tanh' ? 'RNN_TANH' : 'RNN_RELU', configOf(values));
    this.nonlinearity = nonlinearity;
  }
  forward(
    input: Tensor | PackedSequence,
    hx: Tensor | null = null,
  ): [output: Tensor | PackedSequence, h_n: Tensor] {
    return this._run('RNN', this.mode === 'RNN_TANH' ? rnn_tanh : rnn_relu, input, hx);
  }
}

export interface GRUOptions extends RnnDefaults, Sizes {}
type GRUArgs = Call<
  [input_size: number, hidden_size: number],
  [
    num_layers: number,
    bias: boolean,
    batch_first: boolean,
    dropout: number,
    bidirectional: boolean,
    proj_size: number,
    ...FactoryArgs,
  ],
  GRUOptions
>;

/** Calls with sequences [T, B, in] (or [T, in]) and with packed ones. */
export interface GRU {
  (input: Tensor, hx?: Tensor | null): [output: Tensor, h_n: Tensor];
  (input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, h_n: Tensor];
}

/** Gated recurrent units; shapes as of {@link RNN}. */
export class GRU extends SingleState {
  constructor(...args: GRUArgs) {
    refuseProjection(args);
    super('GRU', configOf(bind('GRU', `${HEAD}, ${TAIL}`, args)));
  }
  forward(
    input: Tensor | PackedSequence,
    hx: Tensor | null = null,
  ): [output: Tensor | PackedSequence, h_n: Tensor] {
    return this._run('GRU', gru, input, hx);
  }
}

export interface LSTMOptions extends RnnDefaults, Sizes {
  /** Project the hidden states to this size (0: not). */
  proj_size?: number;
}
type LSTMArgs = Call<
  [input_size: number, hidden_size: number],
  [
    num_layers: number,
    bias: boolean,
    batch_first: boolean,
    dropout: number,
    bidirectional: boolean,
    proj_size: number,
    ...FactoryArgs,
  ],
  LSTMOptions
>;

/** Hidden states and cells. */
export type LSTMState = [h: Tensor, c: Tensor];

/** Calls with sequences [T, B, in] (or [T, in]) and with packed ones. */
export interface LSTM {
  (input: Tensor, hx?: LSTMState | null): [output: Tensor, state: LSTMState];
  (input: PackedSequence, hx?: LSTMState | null): [output: PackedSequence, state: LSTMState];
}

/**
 * Long short-term memory. Input [T, B, in], [B, T, in] with `batch_first`, [T, in], or packed; returns the last layer's
 * hidden states [T, B, D * P] and the last states of every layer, [layers * D, B, P] and [layers * D, B, H].
 */
export class LSTM extends RNNBase {
  constructor(...args: LSTMArgs) {
    super('LSTM', configOf(bind('LSTM', `${HEAD}, ${TAIL}`, args)));
  }
  forward(
    input: Tensor | PackedSequence,
    hx: LSTMState | null = null,
  ): [output: Tensor | PackedSequence, state: LSTMState] {
    const x = this._prepare(input, 'LSTM');
    const width = this.proj_size > 0 ? this.proj_size : this.hidden_size;
    const [h, c] =
      hx === null ? [this._zeros(x, width), this._zeros(x, this.hidden_size)] : this._given(hx, x);
    this._checkInput(x);
    this._checkState(h, x, width, 'hidden[0]');
    this._checkState(c, x, this.hidden_size, 'hidden[1]');
    const [out, lastH, lastC] =
      x.batch_sizes === null
        ? lstm(x.input, [h, c], ...this._settings(), this.batch_first)
        : lstm(x.input, x.batch_sizes, [h, c], ...this._settings());
    return [this._restore(out, x), [this._restoreState(lastH, x), this._restoreState(lastC, x)]];
  }
  /** The states that the caller gave, as the op takes them. */
  private _given([h, c]: LSTMState, x: Prepared): LSTMState {
    if (x.packed !== null) {
      const order = x.packed.sorted_indices;
      return [permuted(h, order), permuted(c, order)];
    }
    const wanted = x.batched ? 3 : 2;
    if (h.shape.length !== wanted || c.shape.length !== wanted)
      throw new RuntimeError(
        `For ${x.batched ? 'batched 3-D' : 'unbatched 2-D'} input, hx and cx should also be ${wanted}-D but got (${h.shape.length}-D, ${c.shape.length}-D) tensors`,
      );
    return x.batched ? [h, c] : [h.unsqueeze(1), c.unsqueeze(1)];
  }
}
