// Recurrent layers written with tensor operations, step by step: for dtypes and devices without a kernel, and for
// derivatives of derivatives.
import type { Tensor } from '../tensor.js';
import { relu, sigmoid } from './activation.js';
import { add, mul, sub } from './arithmetic.js';
import { cat } from './join.js';
import { linear } from './matmul.js';
import { chunk, narrow } from './split.js';
import { tanh } from './trig.js';

/** The recurrences that PyTorch has. */
export type RnnKind = 'lstm' | 'gru' | 'rnn_tanh' | 'rnn_relu';

/** The parameters of one layer in one direction. */
export interface LayerWeights {
  /** [gates * H, input] and [gates * H, P]: 4 gates (i, f, g, o) in an LSTM, 3 (r, z, n) in a GRU, else 1. */
  readonly w_ih: Tensor;
  readonly w_hh: Tensor;
  readonly b_ih: Tensor | null;
  readonly b_hh: Tensor | null;
  /** [P, H]: projects an LSTM's hidden state. */
  readonly w_hr: Tensor | null;
}

/** What a layer runs over: packed rows, `sizes[t]` of them in step t, sizes falling. */
export interface LayerInput {
  readonly x: Tensor;
  readonly sizes: readonly number[];
  readonly reverse: boolean;
  /** [B, P], and [B, H] for an LSTM's cells. */
  readonly h0: Tensor;
  readonly c0: Tensor | null;
}

/** Output rows, and the last states [B, P] and [B, H] (`c` is null but for an LSTM). */
export interface LayerOutput {
  readonly out: Tensor;
  readonly h: Tensor;
  readonly c: Tensor | null;
}

interface State {
  readonly h: Tensor;
  readonly c: Tensor | null;
}

/** One step from the part of its input in the gates. */
function step(kind: RnnKind, part: Tensor, { h, c }: State, w: LayerWeights): State {
  const own = linear(h, w.w_hh, w.b_hh);
  if (kind === 'gru') {
    const [r, z, n] = chunk(part, 3, 1);
    const [r2, z2, n2] = chunk(own, 3, 1);
    const reset = sigmoid(add(r, r2));
    const update = sigmoid(add(z, z2));
    const fresh = tanh(add(n, mul(reset, n2)));
    return { h: add(fresh, mul(update, sub(h, fresh))), c: null };
  }
  const gates = add(part, own);
  if (c === null) return { h: kind === 'rnn_relu' ? relu(gates) : tanh(gates), c: null };
  const [i, f, g, o] = chunk(gates, 4, 1);
  const cell = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
  const hidden = mul(sigmoid(o), tanh(cell));
  return { h: w.w_hr === null ? hidden : linear(hidden, w.w_hr), c: cell };
}

const firstRows = (x: Tensor, n: number): Tensor => (x.shape[0] === n ? x : narrow(x, 0, 0, n));
const otherRows = (x: Tensor, from: number): Tensor => narrow(x, 0, from, x.shape[0] - from);
const join = (parts: readonly Tensor[]): Tensor => (parts.length === 1 ? parts[0] : cat(parts));

/** Both states through `change`. */
const each = ({ h, c }: State, change: (x: Tensor, initial: boolean) => Tensor): State => ({
  h: change(h, false),
  c: c === null ? null : change(c, true),
});

/** One layer in one direction, by ops that autograd records. */
export function composedLayer(kind: RnnKind, input: LayerInput, w: LayerWeights): LayerOutput {
  const { sizes, reverse, h0, c0 } = input;
  const parts = linear(input.x, w.w_ih, w.b_ih);
  const steps = sizes.length;
  const outs = new Array<Tensor>(steps);
  const ended: State[] = [];
  const initial: State = { h: h0, c: c0 };
  const offsets = sizes.map(
    (
      (at) => (n: number) =>
        (at += n) - n
    )(0),
  );
  let state = each(initial, (x) => firstRows(x, sizes[reverse ? steps - 1 : 0]));
  for (let s = 0; s < steps; s++) {
    const t = reverse ? steps - 1 - s : s;
    const n = sizes[t];
    const rows = state.h.shape[0];
    if (n < rows) {
      ended.unshift(each(state, (x) => otherRows(x, n)));
      state = each(state, (x) => firstRows(x, n));
    } else if (n > rows)
      // Going backwards, the shorter sequences begin here.
      state = each(state, (x, cell) => cat([x, narrow(cell ? (c0 as Tensor) : h0, 0, rows, n - rows)]));
    state = step(kind, narrow(parts, 0, offsets[t], n), state, w);
    outs[t] = state.h;
  }
  const last = [state, ...ended];
  return {
    out: join(outs),
    h: join(last.map((x) => x.h)),
    c: c0 === null ? null : join(last.map((x) => x.c as Tensor)),
  };
}
