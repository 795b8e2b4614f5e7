// Single steps of recurrent networks.
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell, zeros } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import { bind, type Call, type Factory, type FactoryArgs, parameter } from './arguments.js';
import { Module } from './module.js';
import type { LSTMState, RNNNonlinearity } from './rnn.js';

export interface RNNCellBaseOptions extends Factory {
  input_size: number;
  hidden_size: number;
  bias?: boolean;
}

type CellArgs = Call<
  [input_size: number, hidden_size: number],
  [bias: boolean, ...FactoryArgs],
  RNNCellBaseOptions
>;
type CellBound = [number, number, boolean, DeviceLike | null, DType | null];

const CELL = 'int input_size, int hidden_size, bool bias=True, device? device=None, dtype? dtype=None';

/** What the cells share: `chunks` gates of parameters. */
export abstract class RNNCellBase extends Module {
  input_size: number;
  hidden_size: number;
  bias: boolean;
  weight_ih: Parameter;
  weight_hh: Parameter;
  bias_ih: Parameter | null;
  bias_hh: Parameter | null;

  constructor(chunks: number, [input, hidden, bias, device, dtype]: CellBound) {
    super();
    this.input_size = input;
    this.hidden_size = hidden;
    this.bias = bias;
    const make = (...shape: number[]): Parameter => parameter(shape, device, dtype);
    this.weight_ih = make(chunks * hidden, input);
    this.weight_hh = make(chunks * hidden, hidden);
    this.bias_ih = bias ? make(chunks * hidden) : null;
    this.bias_hh = bias ? make(chunks * hidden) : null;
    this.reset_parameters();
  }
  /** Uniform between -1 / sqrt(hidden_size) and that with the other sign. */
  reset_parameters(): void {
    const bound = this.hidden_size > 0 ? 1 / Math.sqrt(this.hidden_size) : 0;
    for (const p of this.parameters()) init.uniform_(p, -bound, bound);
  }
  override _forwardNames(): readonly string[] {
    return ['input', 'hx'];
  }
  override extra_repr(): string {
    return `${this.input_size}, ${this.hidden_size}${this.bias ? '' : ', bias=False'}`;
  }
  /** Runs a step on a batch; one sample is a batch of one. @internal */
  protected _step<R extends readonly Tensor[]>(
    input: Tensor,
    states: readonly (Tensor | null)[],
    label: (i: number) => string,
    run: (x: Tensor, states: Tensor[], weights: [Parameter, Parameter, Tensor | null, Tensor | null]) => R,
  ): R {
    const name = this._getName();
    const check = (what: string, x: Tensor): void => {
      if (x.shape.length !== 1 && x.shape.length !== 2)
        throw new ValueError(`${name}: Expected ${what} to be 1D or 2D, got ${x.shape.length}D instead`);
    };
    check('input', input);
    states.forEach((h, i) => {
      if (h !== null) check(label(i), h);
    });
    const batched = input.shape.length === 2;
    const x = batched ? input : input.unsqueeze(0);
    const given = states.map((h) => {
      if (h === null) return zeros([x.shape[0], this.hidden_size], { dtype: x.dtype, device: x.device });
      return batched ? h : h.unsqueeze(0);
    });
    const out = run(x, given, [this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh]);
    return batched ? out : (out.map((y) => y.squeeze(0)) as unknown as R);
  }
}

export interface RNNCellOptions extends RNNCellBaseOptions {
  nonlinearity?: RNNNonlinearity;
}

/** `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or ReLU: input [B, in] or [in], hx [B, H] or [H] (zeros without it). */
export class RNNCell extends RNNCellBase {
  nonlinearity: RNNNonlinearity;

  constructor(
    ...args: Call<
      [input_size: number, hidden_size: number],
      [bias: boolean, nonlinearity: RNNNonlinearity, ...FactoryArgs],
      RNNCellOptions
    >
  ) {
    const schema = CELL.replace('device?', "str nonlinearity='tanh', device?");
    const values = bind('RNNCell', schema, args);
    const nonlinearity = values.splice(3, 1)[0] as RNNNonlinearity;
    super(1, values as CellBound);
    this.nonlinearity = nonlinearity;
  }
  override extra_repr(): string {
    const other = this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`;
    return super.extra_repr() + other;
  }
  forward(input: Tensor, hx: Tensor | null = null): Tensor {
    const cell = { tanh: rnn_tanh_cell, relu: rnn_relu_cell }[this.nonlinearity];
    if (cell === undefined) throw new RuntimeError(`Unknown nonlinearity: ${String(this.nonlinearity)}`);
    return this._step(
      input,
      [hx],
      () => 'hidden',
      (x, [h], w) => [cell(x, h, ...w)],
    )[0];
  }
}

/** One step of an LSTM: input [B, in] or [in], state (zeros without it) and result [B, H] or [H] each. */
export class LSTMCell extends RNNCellBase {
  constructor(...args: CellArgs) {
    super(4, bind('LSTMCell', CELL, args) as CellBound);
  }
  forward(input: Tensor, hx: LSTMState | null = null): LSTMState {
    return this._step(
      input,
      hx ?? [null, null],
      (i) => `hx[${i}]`,
      (x, states, w) => lstm_cell(x, states, ...w),
    );
  }
}

/** One step of a GRU: input [B, in] or [in], hx (zeros without it) and result [B, H] or [H]. */
export class GRUCell extends RNNCellBase {
  constructor(...args: CellArgs) {
    super(3, bind('GRUCell', CELL, args) as CellBound);
  }
  forward(input: Tensor, hx: Tensor | null = null): Tensor {
    return this._step(
      input,
      [hx],
      () => 'hidden',
      (x, [h], w) => [gru_cell(x, h, ...w)],
    )[0];
  }
}
