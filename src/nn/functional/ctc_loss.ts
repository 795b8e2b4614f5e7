// Connectionist temporal classification: Graves, Fernandez, Gomez, Schmidhuber (2006).
import { record } from '../../autograd/graph.js';
import { backendOf } from '../../backends/backend.js';
import { empty } from '../../dispatch/allocate.js';
import { float64 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { div } from '../../ops/arithmetic.js';
import { choose } from '../../ops/clamp.js';
import { eq } from '../../ops/compare.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { sum } from '../../ops/reduce.js';
import { notImplemented } from '../../ops/reduce_extreme.js';
import { mean } from '../../ops/reduce_mean.js';
import { Tensor } from '../../tensor.js';
import { type Reduction, reductionOf } from './reduction.js';

/** Numbers as plain arrays, however they were given. */
function integers(name: string, x: Tensor | readonly number[]): number[] {
  if (Array.isArray(x) && x.every((n) => Number.isInteger(n))) return [...x];
  if (!(x instanceof Tensor))
    throw new TypeError(`ctc_loss(): argument '${name}' must be Tensor or tuple of ints`);
  if (!x.dtype.is_integral) throw new RuntimeError(`${name} must be integral`);
  return values(x);
}
const values = (x: Tensor): number[] =>
  Array.from(contiguous(castTo(x.detach(), float64)).toTypedArray() as Float64Array);

/** One batch of sequences: log-probabilities [T, N, C] and what they are to spell. */
interface Batch {
  readonly steps: number;
  readonly size: number;
  readonly classes: number;
  readonly logs: Float64Array;
  readonly labels: readonly (readonly number[])[];
  readonly inputLengths: readonly number[];
  readonly blank: number;
}

function splitTargets(targets: Tensor, lengths: readonly number[]): number[][] {
  const all = values(targets);
  if (targets.shape.length !== 1) {
    const width = targets.shape[1];
    const longest = Math.max(0, ...lengths);
    if (longest > width)
      throw new RuntimeError(
        `Expected tensor to have size at least ${longest} at dimension 1, but got size ${width} for argument #2 'targets' (while checking arguments for ctc_loss_allocate_outputs)`,
      );
    return lengths.map((n, i) => all.slice(i * width, i * width + n));
  }
  const wanted = lengths.reduce((a, b) => a + b, 0);
  if (wanted !== all.length)
    throw new RuntimeError(
      `Expected tensor to have size ${wanted} at dimension 0, but got size ${all.length} for argument #2 'targets' (while checking arguments for ctc_loss_allocate_outputs)`,
    );
  let at = 0;
  return lengths.map((n) => {
    at += n;
    return all.slice(at - n, at);
  });
}

function readBatch(
  x: Tensor,
  targets: Tensor,
  inputLengths: readonly number[],
  targetLengths: readonly number[],
  blank: number,
): Batch {
  const [steps, size, classes] = x.shape;
  if (blank < 0 || blank >= classes) throw new RuntimeError('blank must be in label range');
  if (inputLengths.length !== size) throw new RuntimeError('input_lengths must be of size batch_size');
  if (targetLengths.length !== size) throw new RuntimeError('target_lengths must be of size batch_size');
  for (const n of inputLengths) {
    if (n < 0)
      throw new RuntimeError(
        `Expected input_lengths to have value at least 0, but got value ${n} (while checking arguments for ctc_loss_allocate_outputs)`,
      );
    if (n > steps)
      throw new RuntimeError(
        `Expected input_lengths to have value at most ${steps}, but got value ${n} (while checking arguments for ctc_loss_allocate_outputs)`,
      );
  }
  for (const n of targetLengths)
    if (n < 0)
      throw new RuntimeError(
        `Expected target_lengths to have value at least 0, but got value ${n} (while checking arguments for ctc_loss_allocate_outputs)`,
      );
  return {
    steps,
    size,
    classes,
    logs: Float64Array.from(values(x)),
    labels: splitTargets(targets, targetLengths),
    inputLengths,
    blank,
  };
}

function logAdd(a: number, b: number): number {
  if (a === -Infinity) return b;
  if (b === -Infinity) return a;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** The labels of sequence n with blanks between and around them. */
function spelled(b: Batch, n: number): number[] {
  const states = [b.blank];
  for (const label of b.labels[n]) states.push(label, b.blank);
  return states;
}

/** Log-probabilities of the prefixes that end in each state after each step (`forward`), or of the suffixes that begin there. */
function chain(b: Batch, n: number, states: readonly number[], forward: boolean): Float64Array[] {
  const length = b.inputLengths[n];
  const last = states.length - 1;
  const at = (s: number): number => (forward ? s : last - s);
  const rows: Float64Array[] = [];
  for (let k = 0; k < length; k++) {
    const t = forward ? k : length - 1 - k;
    const row = new Float64Array(states.length).fill(-Infinity);
    for (let s = 0; s <= last; s++) {
      const state = states[at(s)];
      let value = k === 0 ? (s < 2 ? 0 : -Infinity) : rows[k - 1][at(s)];
      if (k > 0 && s > 0) value = logAdd(value, rows[k - 1][at(s - 1)]);
      // A blank may be left out between labels that differ.
      if (k > 0 && s > 1 && state !== b.blank && state !== states[at(s - 2)])
        value = logAdd(value, rows[k - 1][at(s - 2)]);
      row[at(s)] = value + b.logs[(t * b.size + n) * b.classes + state];
    }
    rows.push(row);
  }
  return forward ? rows : rows.reverse();
}

function lossOf(states: readonly number[], alpha: readonly Float64Array[]): number {
  if (alpha.length === 0) return states.length === 1 ? 0 : Infinity;
  const end = alpha[alpha.length - 1];
  const last = states.length - 1;
  return -(last === 0 ? end[0] : logAdd(end[last], end[last - 1]));
}

/** d loss / d log_probs, for normalised log-probabilities: exp(log_prob) minus the share of paths through each class. */
function addGradient(
  b: Batch,
  n: number,
  loss: number,
  g: number,
  zeroInfinity: boolean,
  grad: Float64Array,
): void {
  if (loss === Infinity && zeroInfinity) return;
  const states = spelled(b, n);
  const alpha = chain(b, n, states, true);
  const beta = chain(b, n, states, false);
  for (let t = 0; t < alpha.length; t++) {
    const row = (t * b.size + n) * b.classes;
    const share = new Float64Array(b.classes).fill(-Infinity);
    states.forEach((c, s) => {
      share[c] = logAdd(share[c], alpha[t][s] + beta[t][s]);
    });
    for (let c = 0; c < b.classes; c++) {
      const log = b.logs[row + c];
      grad[row + c] = g * (Math.exp(log) - Math.exp(share[c] + loss - log));
    }
  }
}

/** The losses [N] of log-probabilities [T, N, C], recorded. */
function ctcLosses(x: Tensor, b: Batch, zeroInfinity: boolean): Tensor {
  const losses = Float64Array.from({ length: b.size }, (_, n) => {
    const states = spelled(b, n);
    return lossOf(states, chain(b, n, states, true));
  });
  const backend = backendOf(x.device.type);
  const wide = empty([b.size], float64, x.device);
  backend.write(wide, losses);
  const out = castTo(wide, x.dtype);
  record('CtcLossBackward0', [x], [out], () => ([g]) => {
    if (g === null) return [null];
    const grad = new Float64Array(b.logs.length);
    values(g).forEach((weight, n) => {
      addGradient(b, n, losses[n], weight, zeroInfinity, grad);
    });
    const result = empty([b.steps, b.size, b.classes], float64, x.device);
    backend.write(result, grad);
    return [castTo(result, x.dtype)];
  });
  return zeroInfinity ? choose(eq(out, Number.POSITIVE_INFINITY), 0, out) : out;
}

interface CtcOptions {
  blank?: number;
  reduction?: Reduction;
  zero_infinity?: boolean;
}

/**
 * Minus the log-probability of the targets over all alignments. log_probs [T, N, C] (or [T, C]), targets [N, S] or
 * concatenated. The mean divides each loss by its target's length first. Computed in double precision on the CPU.
 * Like PyTorch's, the gradient takes the log-probabilities to be normalised.
 */
export const ctc_loss: (
  log_probs: Tensor,
  targets: Tensor,
  input_lengths: Tensor | readonly number[],
  target_lengths: Tensor | readonly number[],
  options?: CtcOptions,
) => Tensor = op(
  'nn.functional.ctc_loss',
  "Tensor log_probs, Tensor targets, any input_lengths, any target_lengths, int blank=0, str reduction='mean', bool zero_infinity=False",
  (
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
    blank: number,
    how: string,
    zeroInfinity: boolean,
  ) => {
    const reduction = reductionOf(how);
    if (!logProbs.dtype.is_floating_point || logProbs.dtype.itemsize < 4)
      notImplemented('ctc_loss_cpu', logProbs.dtype);
    const single = logProbs.shape.length === 2;
    const x = single ? logProbs.unsqueeze(1) : logProbs;
    const lengths = integers('target_lengths', targetLengths);
    const batch = readBatch(x, targets, integers('input_lengths', inputLengths), lengths, blank);
    const losses = ctcLosses(x, batch, zeroInfinity);
    if (reduction === 'sum') return sum(losses);
    if (reduction === 'none') return single ? losses.squeeze(0) : losses;
    const divisors = empty([batch.size], float64, x.device);
    backendOf(x.device.type).write(
      divisors,
      Float64Array.from(lengths, (n) => Math.max(n, 1)),
    );
    return mean(div(losses, castTo(divisors, losses.dtype)));
  },
);
