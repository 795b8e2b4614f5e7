// One recurrent layer in one direction as one node of the graph: kernels for float32 and float64, ops elsewhere.
import { type BackwardFn, type Grad, needsGrad, record } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { cpu } from '../device.js';
import { empty, emptyStrided, giveBack } from '../dispatch/allocate.js';
import { float32, float64, int64 } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { add } from './arithmetic.js';
import { contiguous } from './copy.js';
import { batched, flipped, gemmInto, product } from './gemm.js';
import { sum } from './reduce.js';
import { replayedGradients } from './replay.js';
import {
  composedLayer,
  type LayerInput,
  type LayerOutput,
  type LayerWeights,
  type RnnKind,
} from './rnn_steps.js';

const plain = (x: Tensor): Tensor => contiguous(x.detach());
const given = (x: Tensor | null): readonly [Tensor] | null => (x === null ? null : [x]);
const like = (x: Tensor, ...shape: number[]): Tensor => empty(shape, x.dtype, x.device);

/** A matrix like x whose columns do not all fall on the same few sets of the caches: rows a multiple of 2 KiB apart do. */
function spread(x: Tensor, rows: number, n: number): Tensor {
  const step = (n * x.dtype.itemsize) % 2048 === 0 ? n + 64 / x.dtype.itemsize : n;
  return step === n ? like(x, rows, n) : emptyStrided([rows, n], [step, 1], x.dtype, x.device);
}

/** What the forward kernels leave for backward. */
interface Kept {
  readonly x: Tensor;
  /** int64 [steps]. */
  readonly sizes: Tensor;
  readonly reverse: boolean;
  /** The hidden state that each row started from. */
  readonly before: Tensor;
  /** The output of a simple recurrence. */
  readonly out: Tensor | null;
  /** Activated gates (not in simple recurrences). */
  readonly gates: Tensor | null;
  /** Cells of an LSTM; hidden part of the candidate in a GRU. */
  readonly inner: Tensor | null;
  /** Hidden states before their projection. */
  readonly raw: Tensor | null;
  readonly c0: Tensor | null;
}

function sizesTensor(sizes: readonly number[]): Tensor {
  const out = empty([sizes.length], int64, cpu);
  backendOf('cpu').write(out, BigInt64Array.from(sizes, BigInt));
  return out;
}

/** Runs the forward kernel; `b_hh` joins the input part where both biases are only added. */
function launchForward(kind: RnnKind, input: LayerInput, w: LayerWeights): [LayerOutput, Kept] {
  const { reverse } = input;
  const backend = backendOf(input.x.device.type);
  const x = plain(input.x);
  const h0 = plain(input.h0);
  const c0 = input.c0 === null ? null : plain(input.c0);
  const sizes = sizesTensor(input.sizes);
  const [rows, [batch, p]] = [x.shape[0], h0.shape];
  const [b_ih, b_hh] = [w.b_ih?.detach() ?? null, w.b_hh?.detach() ?? null];
  const bias = kind !== 'gru' && b_ih !== null && b_hh !== null ? add(b_ih, b_hh) : b_ih;
  const simple = kind === 'rnn_tanh' || kind === 'rnn_relu';
  const part = (simple ? like : spread)(x, rows, w.w_ih.shape[0]);
  gemmInto(batched(part), batched(x), batched(flipped(w.w_ih.detach())), 1, 0, bias);
  const w_hh = plain(w.w_hh);
  const before = like(x, rows, p);
  const h = like(x, batch, p);
  const kept = { x, sizes, reverse, before, c0, out: null, gates: null, inner: null, raw: null };
  if (simple) {
    backend.launch('elman', part, before, h, h0, w_hh, kind === 'rnn_relu', sizes, reverse);
    return [{ out: part, h, c: null }, kept];
  }
  const out = like(x, rows, p);
  if (c0 === null) {
    const inner = like(x, rows, p);
    backend.launch('gru', out, before, h, inner, part, h0, w_hh, given(b_hh), sizes, reverse);
    return [
      { out, h, c: null },
      { ...kept, gates: part, inner },
    ];
  }
  const width = c0.shape[1];
  const inner = like(x, rows, width);
  const c = like(x, batch, width);
  const w_hr = w.w_hr === null ? null : plain(w.w_hr);
  const raw = w_hr === null ? null : like(x, rows, width);
  const states = [out, before, inner, given(raw), h, c];
  backend.launch('lstm', ...states, part, h0, c0, w_hh, given(w_hr), sizes, reverse);
  return [
    { out, h, c },
    { ...kept, gates: part, inner, raw },
  ];
}

/** Gradients of the gates' input part and hidden part (the same but for a GRU), of the states, and of the projection. */
interface GateGradients {
  readonly input: Tensor;
  readonly hidden: Tensor;
  readonly h0: Tensor;
  readonly c0: Tensor | null;
  readonly w_hr: Tensor | null;
}

function launchBackward(
  kind: RnnKind,
  k: Kept,
  grads: readonly Grad[],
  batch: number,
  w_hh: Tensor,
  w_hr: Tensor | null,
): GateGradients {
  const backend = backendOf(k.x.device.type);
  const [rows, p] = k.before.shape;
  const [g, gh, gc] = grads.map((t) => given(t === null || t === undefined ? null : contiguous(t)));
  const h0 = like(k.x, batch, p);
  const order = [k.sizes, k.reverse] as const;
  if (k.gates === null || k.inner === null) {
    const input = like(k.x, rows, p);
    backend.launch('elman_backward', input, h0, g, gh, k.out as Tensor, w_hh, kind === 'rnn_relu', ...order);
    return { input, hidden: input, h0, c0: null, w_hr: null };
  }
  const input = spread(k.x, rows, w_hh.shape[0]);
  if (k.c0 === null) {
    const hidden = spread(k.x, rows, w_hh.shape[0]);
    backend.launch('gru_backward', input, hidden, h0, g, gh, k.gates, k.inner, k.before, w_hh, ...order);
    return { input, hidden, h0, c0: null, w_hr: null };
  }
  const c0 = like(k.x, ...k.c0.shape);
  const projected = k.raw === null ? null : like(k.x, rows, p);
  const outs = [input, h0, c0, given(projected), g, gh, gc ?? null];
  backend.launch('lstm_backward', ...outs, k.gates, k.inner, k.c0, w_hh, given(w_hr), ...order);
  return {
    input,
    hidden: input,
    h0,
    c0,
    w_hr: projected === null || k.raw === null ? null : product(flipped(projected), k.raw),
  };
}

type Inputs = readonly [
  x: Tensor,
  h0: Tensor,
  c0: Tensor | null,
  w_ih: Tensor,
  w_hh: Tensor,
  b_ih: Tensor | null,
  b_hh: Tensor | null,
  w_hr: Tensor | null,
];

function kernelGradients(
  kind: RnnKind,
  k: Kept,
  grads: readonly Grad[],
  inputs: Inputs,
  needs: (i: number) => boolean,
): Grad[] {
  const [, h0, , w_ih, w_hh, , , w_hr] = inputs;
  const d = launchBackward(kind, k, grads, h0.shape[0], plain(w_hh), w_hr === null ? null : plain(w_hr));
  const bias = needs(5) || (needs(6) && d.hidden === d.input) ? sum(d.input, 0) : null;
  const results = [
    needs(0) ? product(d.input, w_ih.detach()) : null,
    d.h0,
    d.c0,
    needs(3) ? product(flipped(d.input), k.x) : null,
    needs(4) ? product(flipped(d.hidden), k.before) : null,
    bias,
    d.hidden === d.input ? bias : needs(6) ? sum(d.hidden, 0) : null,
    d.w_hr,
  ];
  giveBack(d.input, d.hidden);
  return results;
}

const NODES: Readonly<Record<RnnKind, string>> = {
  lstm: 'LstmLayerBackward0',
  gru: 'GruLayerBackward0',
  rnn_tanh: 'RnnTanhLayerBackward0',
  rnn_relu: 'RnnReluLayerBackward0',
};

/** Gives back what forward left for backward alone. */
const freeKept = (k: Kept): void => giveBack(k.sizes, k.before, k.gates, k.inner, k.raw);

/** @internal One layer in one direction over packed rows. Shapes and dtypes fit. */
export function recurrentLayer(kind: RnnKind, input: LayerInput, w: LayerWeights): LayerOutput {
  const { x, h0, c0, sizes, reverse } = input;
  const fused =
    (x.dtype === float32 || x.dtype === float64) && x.device.type === 'cpu' && h0._numel > 0 && x._numel > 0;
  if (!fused) return composedLayer(kind, input, w);
  const [result, kept] = launchForward(kind, input, w);
  const inputs: Inputs = [x, h0, c0, w.w_ih, w.w_hh, w.b_ih, w.b_hh, w.w_hr];
  const outputs = result.c === null ? [result.out, result.h] : [result.out, result.h, result.c];
  record(NODES[kind], inputs, outputs, (save) => {
    const saved = inputs.map((t) => (t === null ? null : save(t)));
    // Only simple recurrences are differentiated from their output, which the user may have overwritten.
    const out = kept.gates === null ? save(result.out) : null;
    const backward: BackwardFn = (grads, needs) => {
      const values = saved.map((t) => t?.() ?? null) as unknown as Inputs;
      if (mode.grad)
        return replayedGradients(values, grads, needs, (x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr) => {
          const result = composedLayer(kind, { x, sizes, reverse, h0, c0 }, { w_ih, w_hh, b_ih, b_hh, w_hr });
          return [result.out, result.h, result.c];
        });
      return kernelGradients(kind, { ...kept, out: out?.() ?? null }, grads, values, needs);
    };
    backward.free = () => freeKept(kept);
    return backward;
  });
  if (!needsGrad(...inputs)) freeKept(kept);
  return result;
}
