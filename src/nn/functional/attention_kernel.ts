// Attention by the fused kernels, and by ops where those do not reach.
import { type BackwardFn, needsGrad, record } from '../../autograd/graph.js';
import { mode } from '../../autograd/modes.js';
import { backendOf } from '../../backends/backend.js';
import { alias, empty, emptyStrided, giveBack, memoryOrder } from '../../dispatch/allocate.js';
import { bool, float32, float64 } from '../../dtype.js';
import { contiguous } from '../../ops/copy.js';
import { zeros_ } from '../../ops/fill.js';
import { matmul } from '../../ops/matmul.js';
import { replayedGradients } from '../../ops/replay.js';
import { softmaxAlong } from '../../ops/softmax.js';
import { ones, where, zeros_like } from '../../ops/table.js';
import { numelOf, sameSizes, type Tensor } from '../../tensor.js';
import { dropout } from './dropout.js';

/** How to attend: dropout of the weights, only to keys up to the query's position, factor of the scores. */
export interface Manner {
  readonly p: number;
  readonly causal: boolean;
  readonly factor: number;
}

type Maybe = Tensor | null;

// ---- by ops

/** Scores to be added for a mask: 0 where it is true, -inf elsewhere. */
function additive(mask: Tensor, like: Tensor): Tensor {
  if (mask.dtype !== bool) return mask;
  return zeros_(mask.shape, like.dtype, like.device).masked_fill_(
    mask.logical_not(),
    Number.NEGATIVE_INFINITY,
  );
}

/** Softmax along the last dimension, zero where every score is -inf. */
function safeSoftmax(scores: Tensor): Tensor {
  const none = scores.detach().eq(Number.NEGATIVE_INFINITY).all(-1, true);
  // Filled before as well, so that no gradient passes through 0 / 0.
  const weights = softmaxAlong('softmax', scores.masked_fill(none, 0), -1);
  return where(none, zeros_like(weights.detach()), weights);
}

/** The weights of attention, before dropout. */
function weightsOf(query: Tensor, key: Tensor, given: Maybe, { causal, factor }: Manner): Tensor {
  const [L, S] = [query.shape[query.shape.length - 2], key.shape[key.shape.length - 2]];
  const mask = causal ? ones([L, S], { dtype: bool, device: query.device }).tril() : given;
  const scores = matmul(query.mul(factor), key.transpose(-2, -1));
  if (mask === null) return softmaxAlong('softmax', scores, -1);
  return safeSoftmax(scores.add(additive(mask, query)));
}

// ---- by kernels

const lead = (x: Tensor): readonly number[] => x.shape.slice(0, -2);

/** A tensor as [B, H, rows, size], its rows contiguous; copied only where strides cannot say that. */
function asHeads(x: Tensor): Tensor {
  const n = x.shape.length;
  const own = x._strides[n - 1] === 1 || x.shape[n - 1] === 1 ? x.detach() : contiguous(x.detach());
  const [rows, size] = own.shape.slice(-2);
  if (n === 4) return own;
  if (n < 4) {
    const skip = 4 - n;
    const extra = new Array<number>(skip).fill(1);
    return alias(own, [...extra, ...own.shape], [...extra, ...own._strides], own._offset);
  }
  const flat = contiguous(own);
  return alias(flat, [1, numelOf(lead(flat)), rows, size], [0, rows * size, size, 1], flat._offset);
}

/** An optional mask as [B, H, L, S] with strides of 0 where it is broadcast. */
function asScores(mask: Tensor, shape: readonly number[]): Tensor {
  return asHeads(shape.length > 4 ? mask.expand(shape).contiguous() : mask.expand(shape));
}

/** An uninitialised tensor whose dimensions lie in memory in the order of those of `like`, the last one innermost. */
function emptyAs(like: Tensor, shape: readonly number[]): Tensor {
  if (shape.length > 4) return empty(shape, like.dtype, like.device);
  const last = shape.length - 1;
  const strides = new Array<number>(shape.length);
  strides[last] = 1;
  let step = shape[last];
  for (const d of memoryOrder(like.shape, like._strides)) {
    if (d === last) continue;
    strides[d] = step;
    step *= shape[d];
  }
  return emptyStrided(shape, strides, like.dtype, like.device);
}

/** Do the kernels take these? */
function fits(q: Tensor, k: Tensor, v: Tensor, mask: Maybe, { p }: Manner): boolean {
  if ((q.dtype !== float32 && q.dtype !== float64) || q.device.type !== 'cpu') return false;
  if (q._numel === 0 || k._numel === 0 || v._numel === 0 || p >= 1) return false;
  if (!sameSizes(lead(q), lead(k)) || !sameSizes(lead(q), lead(v))) return false;
  const n = q.shape.length;
  if (q.shape[n - 1] !== k.shape[n - 1] || k.shape[n - 2] !== v.shape[n - 2]) return false;
  if (mask === null) return true;
  // The gradient of a mask is that of the scores, which the kernels do not keep.
  return (
    (mask.dtype === bool || mask.dtype === q.dtype) && !mask.requires_grad && broadcasts(mask, scoresOf(q, k))
  );
}

const scoresOf = (q: Tensor, k: Tensor): number[] => [...q.shape.slice(0, -1), k.shape[k.shape.length - 2]];

function broadcasts(x: Tensor, shape: readonly number[]): boolean {
  const skip = shape.length - x.shape.length;
  return skip >= 0 && x.shape.every((n, d) => n === 1 || n === shape[d + skip]);
}

/** The factors of dropout for every weight: the same as PyTorch's for a seed. */
function dropFactors(q: Tensor, k: Tensor, p: number): Maybe {
  if (p === 0) return null;
  return empty(scoresOf(q, k), q.dtype, q.device)
    .bernoulli_(1 - p)
    .div_(1 - p);
}

const optional = (x: Maybe): readonly [Tensor] | null => (x === null ? null : [x]);

/** What both kernels take after their own tensors. */
function kernelInputs(q: Tensor, k: Tensor, v: Tensor, mask: Maybe, drop: Maybe, how: Manner) {
  const scores = scoresOf(q, k);
  return [
    asHeads(q),
    asHeads(k),
    asHeads(v),
    optional(mask === null ? null : asScores(mask, scores)),
    optional(drop === null ? null : asHeads(drop)),
    how.factor,
    how.causal,
  ] as const;
}

function fused(query: Tensor, key: Tensor, value: Tensor, mask: Maybe, how: Manner): Tensor {
  const backend = backendOf(query.device.type);
  const drop = dropFactors(query, key, how.p);
  const out = emptyAs(query, [...query.shape.slice(0, -1), value.shape[value.shape.length - 1]]);
  const lse = empty([...query.shape.slice(0, -1), 1], query.dtype, query.device);
  backend.launch(
    'attention',
    asHeads(out),
    asHeads(lse),
    ...kernelInputs(query, key, value, mask, drop, how),
  );
  record('ScaledDotProductFlashAttentionForCpuBackward0', [query, key, value], [out], (save) => {
    const saved = [query, key, value].map((x) => save(x));
    const result = save(out);
    const shown = mask === null ? null : save(mask);
    const backward: BackwardFn = ([g], needs) => {
      if (g === null) return [null, null, null];
      const [q, k, v] = saved.map((x) => x());
      const masked = shown?.() ?? null;
      if (mode.grad)
        return replayedGradients([q, k, v] as const, [g], needs, (q, k, v) => {
          const weights = weightsOf(q, k, masked, how);
          return [matmul(drop === null ? weights : weights.mul(drop), v)];
        });
      const grads = [q, k, v].map((x) => emptyAs(x, x.shape));
      backend.launch(
        'attention_backward',
        ...grads.map(asHeads),
        asHeads(g),
        asHeads(result()),
        asHeads(lse),
        ...kernelInputs(q, k, v, masked, drop, how),
      );
      return grads;
    };
    backward.free = () => giveBack(lse, drop);
    return backward;
  });
  if (!needsGrad(query, key, value)) giveBack(lse, drop);
  return out;
}

/** @internal `softmax(query @ key^T * factor + mask) @ value`; shapes and dtypes were checked. */
export function attend(query: Tensor, key: Tensor, value: Tensor, mask: Maybe, how: Manner): Tensor {
  if (fits(query, key, value, mask, how)) return fused(query, key, value, mask, how);
  return matmul(dropout(weightsOf(query, key, mask, how), how.p, how.p > 0), value);
}
