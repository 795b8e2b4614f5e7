// Multi-head attention as a layer.
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { type MultiHeadOptions, multi_head_attention_forward } from '../functional/multi_head_attention.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import { bind, type Call, type Factory, type FactoryArgs, parameter } from './arguments.js';
import { type Linear, NonDynamicallyQuantizableLinear } from './linear.js';
import { Module } from './module.js';

export interface MultiheadAttentionOptions extends Factory {
  embed_dim: number;
  num_heads: number;
  /** Probability of a weight to be dropped in training. */
  dropout?: number;
  bias?: boolean;
  /** Learn one key and value that are added to every sequence. */
  add_bias_kv?: boolean;
  /** Add a key and value of zeros to every sequence. */
  add_zero_attn?: boolean;
  /** Sizes of the keys and values; those of the queries by default. */
  kdim?: number | null;
  vdim?: number | null;
  /** Sequences are [N, length, size] instead of [length, N, size]. */
  batch_first?: boolean;
}

/** What {@link MultiheadAttention} takes besides query, key and value. */
export interface MultiheadAttentionInputs {
  key_padding_mask?: Tensor | null;
  need_weights?: boolean;
  attn_mask?: Tensor | null;
  average_attn_weights?: boolean;
  is_causal?: boolean;
}

type AttentionArgs = Call<
  [embed_dim: number, num_heads: number],
  [
    dropout: number,
    bias: boolean,
    add_bias_kv: boolean,
    add_zero_attn: boolean,
    kdim: number | null,
    vdim: number | null,
    batch_first: boolean,
    ...FactoryArgs,
  ],
  MultiheadAttentionOptions
>;

const NAMES = [
  'query',
  'key',
  'value',
  'key_padding_mask',
  'need_weights',
  'attn_mask',
  'average_attn_weights',
  'is_causal',
] as const;

/**
 * Attention of several heads, with learned projections: query [L, N, E], key [S, N, kdim], value [S, N, vdim];
 * returns the output [L, N, E] and the weights [N, L, S] (null unless needed). Without N, too.
 */
export class MultiheadAttention extends Module {
  embed_dim: number;
  kdim: number;
  vdim: number;
  num_heads: number;
  dropout: number;
  batch_first: boolean;
  head_dim: number;
  add_zero_attn: boolean;
  q_proj_weight: Parameter | null = null;
  k_proj_weight: Parameter | null = null;
  v_proj_weight: Parameter | null = null;
  in_proj_weight: Parameter | null = null;
  in_proj_bias: Parameter | null = null;
  out_proj: Linear;
  bias_k: Parameter | null = null;
  bias_v: Parameter | null = null;

  constructor(...args: AttentionArgs) {
    super();
    const [embed, heads, dropout, bias, biasKv, zeroAttn, kdim, vdim, batchFirst, device, dtype] = bind(
      'MultiheadAttention',
      'int embed_dim, int num_heads, float dropout=0, bool bias=True, bool add_bias_kv=False, bool add_zero_attn=False, int? kdim=None, int? vdim=None, bool batch_first=False, device? device=None, dtype? dtype=None',
      args,
    ) as [
      number,
      number,
      number,
      boolean,
      boolean,
      boolean,
      number | null,
      number | null,
      boolean,
      DeviceLike | null,
      DType | null,
    ];
    if (embed <= 0 || heads <= 0)
      throw new ValueError(
        `embed_dim and num_heads must be greater than 0, got embed_dim=${embed} and num_heads=${heads} instead`,
      );
    if (embed % heads !== 0) throw new ValueError('embed_dim must be divisible by num_heads');
    this.embed_dim = embed;
    this.kdim = kdim ?? embed;
    this.vdim = vdim ?? embed;
    this.num_heads = heads;
    this.dropout = dropout;
    this.batch_first = batchFirst;
    this.head_dim = embed / heads;
    this.add_zero_attn = zeroAttn;
    const make = (...shape: number[]): Parameter => parameter(shape, device, dtype);
    if (this.kdim === embed && this.vdim === embed) this.in_proj_weight = make(3 * embed, embed);
    else {
      this.q_proj_weight = make(embed, embed);
      this.k_proj_weight = make(embed, this.kdim);
      this.v_proj_weight = make(embed, this.vdim);
    }
    if (bias) this.in_proj_bias = make(3 * embed);
    this.out_proj = new NonDynamicallyQuantizableLinear(embed, embed, bias, device, dtype);
    if (biasKv) {
      this.bias_k = make(1, 1, embed);
      this.bias_v = make(1, 1, embed);
    }
    this._reset_parameters();
  }
  /** Xavier-uniform projections, zero biases. @internal */
  _reset_parameters(): void {
    for (const w of [this.in_proj_weight, this.q_proj_weight, this.k_proj_weight, this.v_proj_weight])
      if (w !== null) init.xavier_uniform_(w);
    if (this.in_proj_bias !== null) init.zeros_(this.in_proj_bias);
    if (this.out_proj.bias !== null) init.zeros_(this.out_proj.bias);
    for (const b of [this.bias_k, this.bias_v]) if (b !== null) init.xavier_normal_(b);
  }
  override _forwardNames(): readonly string[] {
    return NAMES;
  }
  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | null | MultiheadAttentionInputs = null,
    need_weights = true,
    attn_mask: Tensor | null = null,
    average_attn_weights = true,
    is_causal = false,
  ): [output: Tensor, weights: Tensor | null] {
    const padding = key_padding_mask as Tensor | null;
    const swap = this.batch_first && query.shape.length === 3;
    const q = swap ? query.transpose(1, 0) : query;
    const k = !swap ? key : key === query ? q : key.transpose(1, 0);
    const v = !swap ? value : value === key ? k : value.transpose(1, 0);
    const options: MultiHeadOptions = {
      training: this.training,
      key_padding_mask: padding,
      need_weights,
      attn_mask,
      average_attn_weights,
      is_causal,
    };
    if (this.in_proj_weight === null)
      Object.assign(options, {
        use_separate_proj_weight: true,
        q_proj_weight: this.q_proj_weight,
        k_proj_weight: this.k_proj_weight,
        v_proj_weight: this.v_proj_weight,
      });
    const [out, weights] = multi_head_attention_forward(
      q,
      k,
      v,
      this.embed_dim,
      this.num_heads,
      this.in_proj_weight,
      this.in_proj_bias,
      this.bias_k,
      this.bias_v,
      this.add_zero_attn,
      this.dropout,
      this.out_proj.weight,
      this.out_proj.bias,
      options,
    );
    return [swap ? out.transpose(1, 0) : out, weights];
  }
  /** The two masks of an encoder as one, and which: 0 attention, 1 padding, 2 both. */
  merge_masks(
    attn_mask: Tensor | null,
    key_padding_mask: Tensor | null,
    query: Tensor,
  ): [Tensor | null, number | null] {
    if (attn_mask === null) return [key_padding_mask, key_padding_mask === null ? null : 1];
    const [batch, length] = query.shape;
    const wide =
      attn_mask.shape.length === 3
        ? attn_mask.view([batch, -1, length, length])
        : attn_mask.view([1, 1, length, length]).expand([batch, this.num_heads, -1, -1]);
    if (key_padding_mask === null) return [wide.expand([batch, this.num_heads, -1, -1]), 2];
    return [wide.add(key_padding_mask.view([batch, 1, 1, length]).expand([-1, this.num_heads, -1, -1])), 2];
  }
}
