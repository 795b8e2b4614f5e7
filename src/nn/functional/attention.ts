// Scaled dot product attention (Vaswani et al., 2017).

import { bool, float32 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { castTo } from '../../ops/copy.js';
import { cppTypeName } from '../../ops/cpp_text.js';
import { op } from '../../ops/define.js';
import type { Tensor } from '../../tensor.js';
import { attend } from './attention_kernel.js';

/** Options of {@link scaled_dot_product_attention}. */
export interface AttentionOptions {
  /** Added to the scores; a bool mask tells which keys take part. Broadcasts to [*, L, S]. */
  attn_mask?: Tensor | null;
  dropout_p?: number;
  /** Every query sees the keys up to its own position. */
  is_causal?: boolean;
  /** Factor of the scores; 1 / sqrt(E) by default. */
  scale?: number | null;
  /** Keys and values may have fewer heads (dimension -3), which are shared. */
  enable_gqa?: boolean;
}

/** Repeats each head of x so that there are `heads` of them. */
function sharedHeads(x: Tensor, heads: number): Tensor {
  const own = x.shape[x.shape.length - 3];
  return own === heads ? x : x.repeat_interleave(heads / own, -3);
}

type AttentionArgs =
  | [attn_mask?: Tensor | null, dropout_p?: number, is_causal?: boolean, options?: AttentionOptions]
  | [attn_mask: Tensor | null, options: AttentionOptions]
  | [options: AttentionOptions];

/**
 * `softmax(query @ key^T * scale + mask) @ value`: query [*, L, E], key [*, S, E], value [*, S, Ev], result [*, L, Ev].
 * @throws RuntimeError when both a mask and `is_causal` are given, or the shapes do not fit.
 */
export const scaled_dot_product_attention: (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  ...args: AttentionArgs
) => Tensor = op(
  'nn.functional.scaled_dot_product_attention',
  'Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False',
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | null,
    p: number,
    causal: boolean,
    scale: number | null,
    grouped: boolean,
  ) => {
    check(query, key, value);
    if (mask !== null && causal)
      throw new RuntimeError(
        '_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True',
      );
    const heads = query.shape[query.shape.length - 3];
    const [k, v] = grouped ? [sharedHeads(key, heads), sharedHeads(value, heads)] : [key, value];
    const factor = scale ?? 1 / Math.sqrt(query.shape[query.shape.length - 1]);
    const how = { p, causal, factor };
    if (query.dtype.itemsize > 2) return attend(query, k, v, mask, how);
    // Half types are attended to in single precision, as PyTorch's fused kernel does.
    const [q32, k32, v32] = [query, k, v].map((x) => castTo(x, float32));
    const scores = mask === null || mask.dtype === bool ? mask : castTo(mask, float32);
    return castTo(attend(q32, k32, v32, scores, how), query.dtype);
  },
);

function check(query: Tensor, key: Tensor, value: Tensor): void {
  if (query.dtype !== key.dtype || query.dtype !== value.dtype)
    throw new RuntimeError(
      `Expected query, key, and value to have the same dtype, but got query.dtype: ${cppTypeName(query.dtype)} key.dtype: ${cppTypeName(key.dtype)} and value.dtype: ${cppTypeName(value.dtype)} instead.`,
    );
  if (query.shape.length < 2 || key.shape.length < 2 || value.shape.length < 2)
    throw new RuntimeError(
      `Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: ${query.shape.length}, key.dim: ${key.shape.length} and value.dim: ${value.shape.length} instead.`,
    );
}
