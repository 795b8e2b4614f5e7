// Transformer encoders and decoders (Vaswani et al., 2017).
import { mode } from '../../autograd/modes.js';
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { gelu, relu } from '../functional/activation.js';
import * as init from '../init.js';
import { GELU, ReLU } from './activation.js';
import { bind, type Call, type Factory, type FactoryArgs } from './arguments.js';
import { ModuleList } from './container.js';
import { deepcopy } from './deepcopy.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { MultiheadAttention } from './multihead_attention.js';
import { LayerNorm } from './normalization.js';
import { additive, detectCausal, type Mask, subsequentMask } from './transformer_masks.js';

/** The function between the two linear layers. */
export type TransformerActivation = 'relu' | 'gelu' | ((x: Tensor) => Tensor);

interface LayerDefaults extends Factory {
  /** Width of the layer between. */
  dim_feedforward?: number;
  dropout?: number;
  activation?: TransformerActivation;
  layer_norm_eps?: number;
  /** Sequences are [N, length, size] instead of [length, N, size]. */
  batch_first?: boolean;
  /** Normalise before attention and feed-forward instead of after. */
  norm_first?: boolean;
  bias?: boolean;
}

export interface TransformerLayerOptions extends LayerDefaults {
  d_model: number;
  nhead: number;
}

type LayerArgs = Call<
  [d_model: number, nhead: number],
  [
    dim_feedforward: number,
    dropout: number,
    activation: TransformerActivation,
    layer_norm_eps: number,
    batch_first: boolean,
    norm_first: boolean,
    bias: boolean,
    ...FactoryArgs,
  ],
  TransformerLayerOptions
>;

/** The options of a layer, all present. */
interface LayerConfig {
  d_model: number;
  nhead: number;
  dim_feedforward: number;
  dropout: number;
  activation: TransformerActivation | null;
  layer_norm_eps: number;
  batch_first: boolean;
  norm_first: boolean;
  bias: boolean;
  device: DeviceLike | null;
  dtype: DType | null;
}

const LAYER =
  'int d_model, int nhead, int dim_feedforward=2048, float dropout=0.1, any activation=None, float layer_norm_eps=1e-5, bool batch_first=False, bool norm_first=False, bool bias=True, device? device=None, dtype? dtype=None';

function layerConfig(name: string, args: readonly unknown[]): LayerConfig {
  const [
    d_model,
    nhead,
    dim_feedforward,
    dropout,
    activation,
    layer_norm_eps,
    batch_first,
    norm_first,
    bias,
    device,
    dtype,
  ] = bind(name, LAYER, args);
  return {
    d_model,
    nhead,
    dim_feedforward,
    dropout,
    activation,
    layer_norm_eps,
    batch_first,
    norm_first,
    bias,
    device,
    dtype,
  } as LayerConfig;
}

function activationOf(given: TransformerActivation | null): (x: Tensor) => Tensor {
  if (given === null || given === 'relu') return relu;
  if (given === 'gelu') return gelu;
  if (typeof given === 'string')
    throw new RuntimeError(`activation should be relu/gelu, not ${String(given)}`);
  return given;
}

const attentionOf = (c: LayerConfig): MultiheadAttention =>
  new MultiheadAttention(c.d_model, c.nhead, {
    dropout: c.dropout,
    bias: c.bias,
    batch_first: c.batch_first,
    device: c.device,
    dtype: c.dtype,
  });
const normOf = (c: LayerConfig): LayerNorm =>
  new LayerNorm(c.d_model, { eps: c.layer_norm_eps, bias: c.bias, device: c.device, dtype: c.dtype });
const where = (c: LayerConfig): Factory => ({ device: c.device, dtype: c.dtype });

const lengthOf = (x: Tensor, batchFirst: boolean): number =>
  x.shape.length === 2 ? x.shape[0] : x.shape[batchFirst ? 1 : 0];

/** Masks of an encoder layer. */
export interface EncoderLayerInputs {
  src_mask?: Mask;
  src_key_padding_mask?: Mask;
  is_causal?: boolean;
}

/** Self-attention and a feed-forward network, each with dropout, a shortcut and a LayerNorm. */
export class TransformerEncoderLayer extends Module {
  self_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm_first: boolean;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  activation: (x: Tensor) => Tensor;

  constructor(...args: LayerArgs) {
    super();
    const c = layerConfig('TransformerEncoderLayer', args);
    this.self_attn = attentionOf(c);
    this.linear1 = new Linear(c.d_model, c.dim_feedforward, { bias: c.bias, ...where(c) });
    this.dropout = new Dropout(c.dropout);
    this.linear2 = new Linear(c.dim_feedforward, c.d_model, { bias: c.bias, ...where(c) });
    this.norm_first = c.norm_first;
    this.norm1 = normOf(c);
    this.norm2 = normOf(c);
    this.dropout1 = new Dropout(c.dropout);
    this.dropout2 = new Dropout(c.dropout);
    this.activation = activationOf(c.activation);
  }
  override _forwardNames(): readonly string[] {
    return ['src', 'src_mask', 'src_key_padding_mask', 'is_causal'];
  }
  forward(
    src: Tensor,
    src_mask: Mask | EncoderLayerInputs = null,
    src_key_padding_mask: Mask = null,
    is_causal = false,
  ): Tensor {
    const padding = additive(src_key_padding_mask, 'src_key_padding_mask', src.dtype);
    const mask = additive(src_mask as Mask, 'src_mask', src.dtype);
    const attend = (x: Tensor): Tensor =>
      this.dropout1(this.self_attn.forward(x, x, x, padding, false, mask, true, is_causal)[0]);
    if (this.norm_first) {
      const x = src.add(attend(this.norm1(src)));
      return x.add(this.feedForward(this.norm2(x)));
    }
    const x = this.norm1(src.add(attend(src)));
    return this.norm2(x.add(this.feedForward(x)));
  }
  private feedForward(x: Tensor): Tensor {
    return this.dropout2(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}

/** Masks of a decoder layer. */
export interface DecoderInputs {
  tgt_mask?: Mask;
  memory_mask?: Mask;
  tgt_key_padding_mask?: Mask;
  memory_key_padding_mask?: Mask;
  tgt_is_causal?: boolean | null;
  memory_is_causal?: boolean;
}

const DECODER_NAMES = [
  'tgt',
  'memory',
  'tgt_mask',
  'memory_mask',
  'tgt_key_padding_mask',
  'memory_key_padding_mask',
  'tgt_is_causal',
  'memory_is_causal',
] as const;

/** Self-attention, attention to an encoder's output, and a feed-forward network. */
export class TransformerDecoderLayer extends Module {
  self_attn: MultiheadAttention;
  multihead_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm_first: boolean;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  dropout3: Dropout;
  activation: (x: Tensor) => Tensor;

  constructor(...args: LayerArgs) {
    super();
    const c = layerConfig('TransformerDecoderLayer', args);
    this.self_attn = attentionOf(c);
    this.multihead_attn = attentionOf(c);
    this.linear1 = new Linear(c.d_model, c.dim_feedforward, { bias: c.bias, ...where(c) });
    this.dropout = new Dropout(c.dropout);
    this.linear2 = new Linear(c.dim_feedforward, c.d_model, { bias: c.bias, ...where(c) });
    this.norm_first = c.norm_first;
    this.norm1 = normOf(c);
    this.norm2 = normOf(c);
    this.norm3 = normOf(c);
    this.dropout1 = new Dropout(c.dropout);
    this.dropout2 = new Dropout(c.dropout);
    this.dropout3 = new Dropout(c.dropout);
    this.activation = activationOf(c.activation);
  }
  override _forwardNames(): readonly string[] {
    return DECODER_NAMES;
  }
  forward(
    tgt: Tensor,
    memory: Tensor,
    tgt_mask: Mask | DecoderInputs = null,
    memory_mask: Mask = null,
    tgt_key_padding_mask: Mask = null,
    memory_key_padding_mask: Mask = null,
    tgt_is_causal: boolean | null = false,
    memory_is_causal = false,
  ): Tensor {
    const own = (x: Tensor): Tensor =>
      this.dropout1(
        this.self_attn.forward(
          x,
          x,
          x,
          tgt_key_padding_mask,
          false,
          tgt_mask as Mask,
          true,
          tgt_is_causal === true,
        )[0],
      );
    const other = (x: Tensor): Tensor =>
      this.dropout2(
        this.multihead_attn.forward(
          x,
          memory,
          memory,
          memory_key_padding_mask,
          false,
          memory_mask,
          true,
          memory_is_causal,
        )[0],
      );
    if (this.norm_first) {
      const x = tgt.add(own(this.norm1(tgt)));
      const y = x.add(other(this.norm2(x)));
      return y.add(this.feedForward(this.norm3(y)));
    }
    const x = this.norm1(tgt.add(own(tgt)));
    const y = this.norm2(x.add(other(x)));
    return this.norm3(y.add(this.feedForward(y)));
  }
  private feedForward(x: Tensor): Tensor {
    return this.dropout3(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}

/** Masks of an encoder. */
export interface EncoderInputs {
  mask?: Mask;
  src_key_padding_mask?: Mask;
  is_causal?: boolean | null;
}

/** Copies of an encoder layer, one after another. */
export class TransformerEncoder extends Module {
  layers: ModuleList<TransformerEncoderLayer>;
  num_layers: number;
  norm: Module | null;
  enable_nested_tensor: boolean;

  constructor(
    ...args: Call<
      [encoder_layer: TransformerEncoderLayer, num_layers: number],
      [norm: Module | null, enable_nested_tensor: boolean, mask_check: boolean],
      {
        encoder_layer: TransformerEncoderLayer;
        num_layers: number;
        norm?: Module | null;
        enable_nested_tensor?: boolean;
        mask_check?: boolean;
      }
    >
  ) {
    super();
    const [layer, count, norm, nested] = bind(
      'TransformerEncoder',
      'any encoder_layer, int num_layers, any norm=None, bool enable_nested_tensor=True, bool mask_check=True',
      args,
    ) as [TransformerEncoderLayer, number, Module | null, boolean];
    this.layers = new ModuleList(Array.from({ length: count }, () => deepcopy(layer)));
    this.num_layers = count;
    this.norm = norm;
    this.enable_nested_tensor = nested;
  }
  override _forwardNames(): readonly string[] {
    return ['src', 'mask', 'src_key_padding_mask', 'is_causal'];
  }
  forward(
    src: Tensor,
    mask: Mask | EncoderInputs = null,
    src_key_padding_mask: Mask = null,
    is_causal: boolean | null = null,
  ): Tensor {
    const padding = additive(src_key_padding_mask, 'src_key_padding_mask', src.dtype);
    const scores = additive(mask as Mask, 'mask', src.dtype);
    const layers = [...this.layers];
    const causal = detectCausal(scores, is_causal, lengthOf(src, layers[0].self_attn.batch_first));
    let x = src;
    for (const layer of layers) x = layer(x, scores, padding, causal);
    if (padding !== null && scores === null && this.leavesPaddingOut(src, padding))
      x = x.masked_fill(padding.ne(0).unsqueeze(-1), 0);
    return this.norm === null ? x : (this.norm as unknown as (x: Tensor) => Tensor)(x);
  }
  /** Without gradients PyTorch does not compute what is padded at the end of a sequence, and returns zeros there. */
  private leavesPaddingOut(src: Tensor, padding: Tensor): boolean {
    const [first] = this.layers as unknown as Iterable<TransformerEncoderLayer>;
    const { self_attn: attn } = first;
    const { activation } = first;
    const known =
      activation === relu ||
      activation === gelu ||
      (activation as unknown) instanceof ReLU ||
      (activation as unknown) instanceof GELU;
    const supported =
      this.enable_nested_tensor &&
      !first.training &&
      src.shape.length === 3 &&
      !first.norm_first &&
      attn.batch_first;
    if (!supported || !known || attn.in_proj_weight === null || attn.in_proj_bias === null) return false;
    if (first.norm1.eps !== first.norm2.eps || attn.num_heads % 2 === 1) return false;
    if (mode.grad && [src, ...first.parameters()].some((p) => p.requires_grad)) return false;
    const rows = padding.ne(0).tolist() as boolean[][];
    return rows.every((row) => row.every((hidden, i) => i === 0 || hidden || !row[i - 1]));
  }
}

/** Copies of a decoder layer, one after another. */
export class TransformerDecoder extends Module {
  layers: ModuleList<TransformerDecoderLayer>;
  num_layers: number;
  norm: Module | null;

  constructor(
    ...args: Call<
      [decoder_layer: TransformerDecoderLayer, num_layers: number],
      [norm: Module | null],
      { decoder_layer: TransformerDecoderLayer; num_layers: number; norm?: Module | null }
    >
  ) {
    super();
    const [layer, count, norm] = bind(
      'TransformerDecoder',
      'any decoder_layer, int num_layers, any norm=None',
      args,
    ) as [TransformerDecoderLayer, number, Module | null];
    this.layers = new ModuleList(Array.from({ length: count }, () => deepcopy(layer)));
    this.num_layers = count;
    this.norm = norm;
  }
  override _forwardNames(): readonly string[] {
    return DECODER_NAMES;
  }
  forward(
    tgt: Tensor,
    memory: Tensor,
    tgt_mask: Mask | DecoderInputs = null,
    memory_mask: Mask = null,
    tgt_key_padding_mask: Mask = null,
    memory_key_padding_mask: Mask = null,
    tgt_is_causal: boolean | null = null,
    memory_is_causal = false,
  ): Tensor {
    const layers = [...this.layers];
    const causal = detectCausal(
      tgt_mask as Mask,
      tgt_is_causal,
      lengthOf(tgt, layers[0].self_attn.batch_first),
    );
    let x = tgt;
    for (const layer of layers)
      x = layer(
        x,
        memory,
        tgt_mask as Mask,
        memory_mask,
        tgt_key_padding_mask,
        memory_key_padding_mask,
        causal,
        memory_is_causal,
      );
    return this.norm === null ? x : (this.norm as unknown as (x: Tensor) => Tensor)(x);
  }
}

export interface TransformerOptions extends LayerDefaults {
  d_model?: number;
  nhead?: number;
  num_encoder_layers?: number;
  num_decoder_layers?: number;
  custom_encoder?: Module | null;
  custom_decoder?: Module | null;
}

/** Masks of a Transformer. */
export interface TransformerInputs {
  src_mask?: Mask;
  tgt_mask?: Mask;
  memory_mask?: Mask;
  src_key_padding_mask?: Mask;
  tgt_key_padding_mask?: Mask;
  memory_key_padding_mask?: Mask;
  src_is_causal?: boolean | null;
  tgt_is_causal?: boolean | null;
  memory_is_causal?: boolean;
}

const TRANSFORMER =
  'int d_model=512, int nhead=8, int num_encoder_layers=6, int num_decoder_layers=6, int dim_feedforward=2048, float dropout=0.1, any activation=None, any custom_encoder=None, any custom_decoder=None, float layer_norm_eps=1e-5, bool batch_first=False, bool norm_first=False, bool bias=True, device? device=None, dtype? dtype=None';

/** An encoder and a decoder: source [S, N, E] and target [T, N, E] give [T, N, E]. */
export class Transformer extends Module {
  encoder: Module;
  decoder: Module;
  d_model: number;
  nhead: number;
  batch_first: boolean;

  constructor(
    ...args: Call<
      [],
      [
        d_model: number,
        nhead: number,
        num_encoder_layers: number,
        num_decoder_layers: number,
        dim_feedforward: number,
        dropout: number,
        activation: TransformerActivation,
        custom_encoder: Module | null,
        custom_decoder: Module | null,
        layer_norm_eps: number,
        batch_first: boolean,
        norm_first: boolean,
        bias: boolean,
        ...FactoryArgs,
      ],
      TransformerOptions
    >
  ) {
    super();
    const [
      d_model,
      nhead,
      encoders,
      decoders,
      dim_feedforward,
      dropout,
      activation,
      encoder,
      decoder,
      layer_norm_eps,
      batch_first,
      norm_first,
      bias,
      device,
      dtype,
    ] = bind('Transformer', TRANSFORMER, args);
    const config = {
      d_model,
      nhead,
      dim_feedforward,
      dropout,
      activation,
      layer_norm_eps,
      batch_first,
      norm_first,
      bias,
      device,
      dtype,
    } as LayerConfig;
    const options = config as unknown as TransformerLayerOptions;
    this.encoder =
      (encoder as Module | null) ??
      new TransformerEncoder(new TransformerEncoderLayer(options), encoders as number, normOf(config));
    this.decoder =
      (decoder as Module | null) ??
      new TransformerDecoder(new TransformerDecoderLayer(options), decoders as number, normOf(config));
    for (const p of this.parameters()) if (p.shape.length > 1) init.xavier_uniform_(p);
    this.d_model = config.d_model;
    this.nhead = config.nhead;
    this.batch_first = config.batch_first;
  }
  override _forwardNames(): readonly string[] {
    return [
      'src',
      'tgt',
      'src_mask',
      'tgt_mask',
      'memory_mask',
      'src_key_padding_mask',
      'tgt_key_padding_mask',
      'memory_key_padding_mask',
      'src_is_causal',
      'tgt_is_causal',
      'memory_is_causal',
    ];
  }
  forward(
    src: Tensor,
    tgt: Tensor,
    src_mask: Mask | TransformerInputs = null,
    tgt_mask: Mask = null,
    memory_mask: Mask = null,
    src_key_padding_mask: Mask = null,
    tgt_key_padding_mask: Mask = null,
    memory_key_padding_mask: Mask = null,
    src_is_causal: boolean | null = null,
    tgt_is_causal: boolean | null = null,
    memory_is_causal = false,
  ): Tensor {
    const batchDim = this.batch_first ? 0 : 1;
    if (src.shape.length === 3 && src.shape[batchDim] !== tgt.shape[batchDim])
      throw new RuntimeError('the batch number of src and tgt must be equal');
    if (src.shape[src.shape.length - 1] !== this.d_model || tgt.shape[tgt.shape.length - 1] !== this.d_model)
      throw new RuntimeError('the feature number of src and tgt must be equal to d_model');
    const encode = this.encoder as unknown as TransformerEncoder;
    const decode = this.decoder as unknown as TransformerDecoder;
    const memory = encode(src, src_mask as Mask, src_key_padding_mask, src_is_causal);
    return decode(
      tgt,
      memory,
      tgt_mask,
      memory_mask,
      tgt_key_padding_mask,
      memory_key_padding_mask,
      tgt_is_causal,
      memory_is_causal,
    );
  }
  /** The mask that hides what comes later: -inf above the diagonal. */
  static generate_square_subsequent_mask(
    sz: number,
    device: DeviceLike | null = null,
    dtype: DType | null = null,
  ): Tensor {
    return subsequentMask(sz, { device, dtype });
  }
}
