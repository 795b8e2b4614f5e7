// Attention over several heads: projections, masks, and the weights on request.
import { bool, type DType } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { zeros_ } from '../../ops/fill.js';
import { bmm, linear } from '../../ops/matmul.js';
import { baddbmm } from '../../ops/matmul_add.js';
import { pad } from '../../ops/pad.js';
import { softmaxAlong } from '../../ops/softmax.js';
import { cat, chunk, split } from '../../ops/table.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import { scaled_dot_product_attention } from './attention.js';
import { dropout } from './dropout.js';

/** Options of {@link multi_head_attention_forward} after its required arguments. */
export interface MultiHeadOptions {
  training?: boolean;
  /** [N, S] (or [S]): true, or -inf, for keys to leave out. */
  key_padding_mask?: Tensor | null;
  /** Also return the weights of the attention. */
  need_weights?: boolean;
  /** [L, S] or [N * heads, L, S]: true, or -inf, for pairs to leave out; other values are added to the scores. */
  attn_mask?: Tensor | null;
  use_separate_proj_weight?: boolean;
  q_proj_weight?: Tensor | null;
  k_proj_weight?: Tensor | null;
  v_proj_weight?: Tensor | null;
  static_k?: Tensor | null;
  static_v?: Tensor | null;
  /** Average the weights over the heads. */
  average_attn_weights?: boolean;
  is_causal?: boolean;
}

type Maybe = Tensor | null;

function fail(condition: boolean, text: () => string): void {
  if (condition) throw new ValueError(text());
}

const dims = (x: readonly number[]): string => `torch.Size([${x.join(', ')}])`;

/** Checks the shapes of an unbatched or batched call. Returns whether it is batched. */
function checkShapes(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  padding: Maybe,
  mask: Maybe,
  heads: number,
): boolean {
  const n = query.shape.length;
  if (n !== 2 && n !== 3)
    throw new ValueError(
      `query should be unbatched 2D or batched 3D tensor but received ${n}-D query tensor`,
    );
  const kind = n === 3 ? 'batched (3-D)' : 'unbatched (2-D)';
  fail(
    key.shape.length !== n || value.shape.length !== n,
    () =>
      `For ${kind} \`query\`, expected \`key\` and \`value\` to be ${n}-D but found ${key.shape.length}-D and ${value.shape.length}-D tensors respectively`,
  );
  fail(
    padding !== null && padding.shape.length !== n - 1,
    () =>
      `For ${kind} \`query\`, expected \`key_padding_mask\` to be \`None\` or ${n - 1}-D but found ${padding?.shape.length}-D tensor instead`,
  );
  fail(
    mask !== null && mask.shape.length !== 2 && mask.shape.length !== 3,
    () =>
      `For ${kind} \`query\`, expected \`attn_mask\` to be \`None\`, 2-D or 3-D but found ${mask?.shape.length}-D tensor instead`,
  );
  if (n === 2 && mask?.shape.length === 3) {
    const expected = [heads, query.shape[0], key.shape[0]];
    fail(
      !sameSizes(mask.shape, expected),
      () => `Expected \`attn_mask\` shape to be (${expected.join(', ')}) but got ${dims(mask.shape)}`,
    );
  }
  return n === 3;
}

/** A mask as scores to add. */
function additive(mask: Maybe, name: string, dtype: DType): Maybe {
  if (mask === null || mask.dtype.is_floating_point) return mask;
  fail(mask.dtype !== bool, () => `only bool and floating types of ${name} are supported`);
  return zeros_(mask.shape, dtype, mask.device).masked_fill_(mask, Number.NEGATIVE_INFINITY);
}

/** query, key and value through the rows of one weight, in as few products as they allow. */
function projectPacked(q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Maybe): Tensor[] {
  const e = q.shape[q.shape.length - 1];
  if (k === v && q === k) return split(linear(q, w, b), e, -1);
  if (k === v) {
    const [wq, wkv] = split(w, [e, 2 * e]);
    const [bq, bkv] = b === null ? [null, null] : split(b, [e, 2 * e]);
    return [linear(q, wq, bq), ...split(linear(k, wkv, bkv), e, -1)];
  }
  return projectEach([q, k, v], chunk(w, 3), b);
}

function projectEach(inputs: readonly Tensor[], weights: readonly Tensor[], b: Maybe): Tensor[] {
  const biases = b === null ? [null, null, null] : chunk(b, 3);
  return inputs.map((x, i) => linear(x, weights[i], biases[i]));
}

/** [length, N, heads * size] to [N * heads, length, size]. */
function splitHeads(x: Tensor, count: number, size: number): Tensor {
  return x.reshape([x.shape[0], count, size]).transpose(0, 1);
}

/** Room for one more key in a mask. */
const widened = (mask: Maybe): Maybe => (mask === null ? null : pad(mask, [0, 1]));

/** The mask of all heads and the padding of each sequence as one tensor of scores. */
function joinMasks(mask: Maybe, padding: Maybe, batch: number, heads: number, sources: number): Maybe {
  if (padding === null) return mask;
  fail(
    !sameSizes(padding.shape, [batch, sources]),
    () => `expecting key_padding_mask shape of ${dims([batch, sources])}, but got ${dims(padding.shape)}`,
  );
  const spread = padding
    .view([batch, 1, 1, sources])
    .expand([-1, heads, -1, -1])
    .reshape([batch * heads, 1, sources]);
  return mask === null ? spread : mask.add(spread);
}

type Result = [output: Tensor, weights: Tensor | null];

type Required_ = [
  query: Tensor,
  key: Tensor,
  value: Tensor,
  embed_dim_to_check: number,
  num_heads: number,
  in_proj_weight: Maybe,
  in_proj_bias: Maybe,
  bias_k: Maybe,
  bias_v: Maybe,
  add_zero_attn: boolean,
  dropout_p: number,
  out_proj_weight: Tensor,
  out_proj_bias: Maybe,
];

const SCHEMA =
  'Tensor query, Tensor key, Tensor value, int embed_dim_to_check, int num_heads, Tensor? in_proj_weight, Tensor? in_proj_bias, Tensor? bias_k, Tensor? bias_v, bool add_zero_attn, float dropout_p, Tensor out_proj_weight, Tensor? out_proj_bias, bool training=True, Tensor? key_padding_mask=None, bool need_weights=True, Tensor? attn_mask=None, bool use_separate_proj_weight=False, Tensor? q_proj_weight=None, Tensor? k_proj_weight=None, Tensor? v_proj_weight=None, Tensor? static_k=None, Tensor? static_v=None, bool average_attn_weights=True, bool is_causal=False';

/**
 * Multi-head attention over sequences [length, N, size] (or [length, size]). Returns the output [L, N, E] and the
 * weights [N, L, S] (or [N, heads, L, S] when not averaged), or null for those.
 */
export const multi_head_attention_forward: (...args: [...Required_, options?: MultiHeadOptions]) => Result =
  op(
    'nn.functional.multi_head_attention_forward',
    SCHEMA,
    (
      query: Tensor,
      key: Tensor,
      value: Tensor,
      expected: number,
      heads: number,
      weight: Maybe,
      bias: Maybe,
      biasK: Maybe,
      biasV: Maybe,
      zeroKey: boolean,
      dropoutP: number,
      outWeight: Tensor,
      outBias: Maybe,
      training: boolean,
      padding: Maybe,
      needWeights: boolean,
      mask: Maybe,
      separate: boolean,
      wq: Maybe,
      wk: Maybe,
      wv: Maybe,
      staticK: Maybe,
      staticV: Maybe,
      average: boolean,
      causal: boolean,
    ): Result => {
      const batched = checkShapes(query, key, value, padding, mask, heads);
      const lift = (x: Tensor, d: number): Tensor => (batched ? x : x.unsqueeze(d));
      const q3 = lift(query, 1);
      const k3 = key === query ? q3 : lift(key, 1);
      const v3 = value === key ? k3 : lift(value, 1);
      const [targets, batch, embed] = q3.shape;
      const keyPadding = additive(padding === null ? null : lift(padding, 0), 'key_padding_mask', q3.dtype);
      if (causal && mask === null)
        throw new RuntimeError(
          'Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.',
        );
      const hint = causal && keyPadding === null && !needWeights;
      const scores = hint ? null : additive(mask, 'attn_mask', q3.dtype);
      fail(embed !== expected, () => `was expecting embedding dimension of ${expected}, but got ${embed}`);
      const size = Math.floor(embed / heads);
      fail(size * heads !== embed, () => `embed_dim ${embed} not divisible by num_heads ${heads}`);
      if (separate)
        fail(
          !sameSizes(k3.shape.slice(0, 2), v3.shape.slice(0, 2)),
          () =>
            `key's sequence and batch dims ${dims(k3.shape.slice(0, 2))} do not match value's ${dims(v3.shape.slice(0, 2))}`,
        );
      else
        fail(
          !sameSizes(k3.shape, v3.shape),
          () => `key shape ${dims(k3.shape)} does not match value shape ${dims(v3.shape)}`,
        );
      const projected = separate
        ? projectEach([q3, k3, v3], [wq, wk, wv] as Tensor[], bias)
        : projectPacked(q3, k3, v3, weight as Tensor, bias);
      const state: Heads = {
        mask: placed(scores, targets, k3.shape[0], batch * heads),
        padding: keyPadding,
        k: projected[1],
        v: projected[2],
      };
      if (biasK !== null && biasV !== null) addBiasKey(state, biasK, biasV, batch);
      const q = splitHeads(projected[0], batch * heads, size);
      state.k = staticK ?? splitHeads(state.k, batch * heads, size);
      state.v = staticV ?? splitHeads(state.v, batch * heads, size);
      if (zeroKey) addZeroKey(state);
      const sources = state.k.shape[1];
      const joined = joinMasks(state.mask, state.padding, batch, heads, sources);
      const p = training ? dropoutP : 0;
      const [mixed, weights] = needWeights
        ? weighted(q, state, joined, p)
        : [unweighted(q, state, joined, p, hint, batch, heads), null];
      const flat = mixed.transpose(0, 1).reshape([targets * batch, embed]);
      const out = linear(flat, outWeight, outBias).view([targets, batch, outWeight.shape[0]]);
      return [
        batched ? out : out.squeeze(1),
        weights === null ? null : shown(weights, [batch, heads, targets, sources], average, batched),
      ];
    },
  );

/** Keys, values and masks on their way. */
interface Heads {
  mask: Maybe;
  padding: Maybe;
  k: Tensor;
  v: Tensor;
}

/** A mask of scores as [1 or N * heads, L, S]. */
function placed(mask: Maybe, targets: number, sources: number, count: number): Maybe {
  if (mask === null) return null;
  const wanted = mask.shape.length === 2 ? [targets, sources] : [count, targets, sources];
  if (!sameSizes(mask.shape, wanted))
    throw new RuntimeError(
      `The shape of the ${mask.shape.length}D attn_mask is ${dims(mask.shape)}, but should be (${wanted.join(', ')}).`,
    );
  return mask.shape.length === 2 ? mask.unsqueeze(0) : mask;
}

/** One learned key and value more. */
function addBiasKey(state: Heads, biasK: Tensor, biasV: Tensor, batch: number): void {
  state.k = cat([state.k, biasK.repeat([1, batch, 1])]);
  state.v = cat([state.v, biasV.repeat([1, batch, 1])]);
  state.mask = widened(state.mask);
  state.padding = widened(state.padding);
}

/** One key and value of zeros more. */
function addZeroKey(state: Heads): void {
  const [count, , size] = state.k.shape;
  const zeros = zeros_([count, 1, size], state.k.dtype, state.k.device);
  state.k = cat([state.k, zeros], 1);
  state.v = cat([state.v, zeros], 1);
  state.mask = widened(state.mask);
  state.padding = widened(state.padding);
}

/** The mixed values [N * heads, L, size] and the weights. */
function weighted(q: Tensor, { k, v }: Heads, mask: Maybe, p: number): [Tensor, Tensor] {
  const scaled = q.mul(Math.sqrt(1 / q.shape[2]));
  const keys = k.transpose(-2, -1);
  const weights = softmaxAlong(
    'softmax',
    mask === null ? bmm(scaled, keys) : baddbmm(mask, scaled, keys),
    -1,
  );
  const kept = p > 0 ? dropout(weights, p) : weights;
  return [bmm(kept, v), kept];
}

function unweighted(
  q: Tensor,
  { k, v }: Heads,
  mask: Maybe,
  p: number,
  causal: boolean,
  batch: number,
  heads: number,
): Tensor {
  const four = (x: Tensor): Tensor => x.reshape([batch, heads, x.shape[1], x.shape[2]]);
  const scores =
    mask === null
      ? null
      : mask.shape[0] === 1
        ? mask.unsqueeze(0)
        : mask.view([batch, heads, -1, mask.shape[2]]);
  return scaled_dot_product_attention(four(q), four(k), four(v), scores, p, causal).reshape([
    batch * heads,
    q.shape[1],
    v.shape[2],
  ]);
}

/** The weights as they are returned. */
function shown(weights: Tensor, shape: readonly number[], average: boolean, batched: boolean): Tensor {
  const each = weights.view(shape);
  const out = average ? each.mean(1) : each;
  return batched ? out : out.squeeze(0);
}
