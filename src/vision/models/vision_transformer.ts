// Vision Transformer (Dosovitskiy et al., 2020), with torchvision's parameter names.
import { AssertionError } from '../../errors.js';
import * as nn from '../../nn/index.js';
import { cat } from '../../ops/join.js';
import { empty, zeros } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { type ModelOptions, rest } from './common.js';

const layerNorm = (n: number): nn.LayerNorm => new nn.LayerNorm(n, { eps: 1e-6 });

/** @throws AssertionError, as torchvision, unless the condition holds. */
function check(condition: boolean, message: () => string): void {
  if (!condition) throw new AssertionError(message());
}

/** Two linear layers with GELU between. */
function mlp(dim: number, hidden: number, dropout: number): nn.Sequential {
  const block = new nn.Sequential(
    new nn.Linear(dim, hidden),
    new nn.GELU(),
    new nn.Dropout({ p: dropout }),
    new nn.Linear(hidden, dim),
    new nn.Dropout({ p: dropout }),
  );
  for (const m of block.modules())
    if (m instanceof nn.Linear) {
      nn.init.xavier_uniform_(m.weight);
      if (m.bias !== null) nn.init.normal_(m.bias, { std: 1e-6 });
    }
  return block;
}

class EncoderBlock extends nn.Module {
  readonly ln_1: nn.LayerNorm;
  readonly self_attention: nn.MultiheadAttention;
  readonly dropout: nn.Dropout;
  readonly ln_2: nn.LayerNorm;
  readonly mlp: nn.Sequential;
  constructor(heads: number, dim: number, hidden: number, dropout: number, attention_dropout: number) {
    super();
    this.ln_1 = layerNorm(dim);
    this.self_attention = new nn.MultiheadAttention(dim, heads, {
      dropout: attention_dropout,
      batch_first: true,
    });
    this.dropout = new nn.Dropout({ p: dropout });
    this.ln_2 = layerNorm(dim);
    this.mlp = mlp(dim, hidden, dropout);
  }
  forward(input: Tensor): Tensor {
    const y = this.ln_1(input);
    const [attended] = this.self_attention(y, y, y, null, false);
    const x = this.dropout(attended).add(input);
    return x.add(this.mlp(this.ln_2(x)));
  }
}

class Encoder extends nn.Module {
  readonly pos_embedding: nn.Parameter;
  readonly dropout: nn.Dropout;
  readonly layers: nn.Sequential;
  readonly ln: nn.LayerNorm;
  constructor(
    length: number,
    count: number,
    heads: number,
    dim: number,
    hidden: number,
    dropout: number,
    attention_dropout: number,
  ) {
    super();
    this.pos_embedding = new nn.Parameter(empty([1, length, dim]).normal_(0, 0.02));
    this.dropout = new nn.Dropout({ p: dropout });
    this.layers = new nn.Sequential(
      new Map(
        Array.from({ length: count }, (_, i) => [
          `encoder_layer_${i}`,
          new EncoderBlock(heads, dim, hidden, dropout, attention_dropout),
        ]),
      ),
    );
    this.ln = layerNorm(dim);
  }
  forward(input: Tensor): Tensor {
    return this.ln(this.layers(this.dropout(input.add(this.pos_embedding))));
  }
}

export interface VisionTransformerOptions {
  /** Height and width of the images, a multiple of `patch_size`. */
  image_size?: number;
  patch_size: number;
  num_layers: number;
  num_heads: number;
  hidden_dim: number;
  mlp_dim: number;
  dropout?: number;
  attention_dropout?: number;
  num_classes?: number;
  /** Width of a layer before the classifier; null for none. */
  representation_size?: number | null;
}

/** Images [N, 3, size, size] to scores [N, classes]. */
export class VisionTransformer extends nn.Module {
  readonly class_token: nn.Parameter;
  readonly conv_proj: nn.Conv2d;
  readonly encoder: Encoder;
  readonly heads: nn.Sequential;
  readonly image_size: number;
  readonly patch_size: number;
  readonly hidden_dim: number;
  constructor(options: VisionTransformerOptions) {
    super();
    const { image_size = 224, patch_size, hidden_dim, num_classes = 1000, dropout = 0 } = options;
    const { attention_dropout = 0, representation_size = null } = options;
    check(image_size % patch_size === 0, () => 'Input shape indivisible by patch size!');
    this.image_size = image_size;
    this.patch_size = patch_size;
    this.hidden_dim = hidden_dim;
    this.conv_proj = new nn.Conv2d(3, hidden_dim, patch_size, patch_size);
    this.class_token = new nn.Parameter(zeros(1, 1, hidden_dim));
    this.encoder = new Encoder(
      (image_size / patch_size) ** 2 + 1,
      options.num_layers,
      options.num_heads,
      hidden_dim,
      options.mlp_dim,
      dropout,
      attention_dropout,
    );
    const before = representation_size === null ? null : new nn.Linear(hidden_dim, representation_size);
    const head = new nn.Linear(representation_size ?? hidden_dim, num_classes);
    this.heads = new nn.Sequential(
      before === null ? { head } : { pre_logits: before, act: new nn.Tanh(), head },
    );
    this.start(head);
  }
  private start(head: nn.Linear): void {
    const fan = this.conv_proj.in_channels * this.patch_size ** 2;
    nn.init.trunc_normal_(this.conv_proj.weight, { std: Math.sqrt(1 / fan) });
    if (this.conv_proj.bias !== null) nn.init.zeros_(this.conv_proj.bias);
    for (const [name, layer] of this.heads.named_children())
      if (name === 'pre_logits' && layer instanceof nn.Linear) {
        nn.init.trunc_normal_(layer.weight, { std: Math.sqrt(1 / layer.in_features) });
        if (layer.bias !== null) nn.init.zeros_(layer.bias);
      }
    nn.init.zeros_(head.weight);
    if (head.bias !== null) nn.init.zeros_(head.bias);
  }
  forward(x: Tensor): Tensor {
    const [n, , h, w] = x.shape;
    const { image_size, patch_size, hidden_dim } = this;
    check(h === image_size, () => `Wrong image height! Expected ${image_size} but got ${h}!`);
    check(w === image_size, () => `Wrong image width! Expected ${image_size} but got ${w}!`);
    const patches = this.conv_proj(x)
      .reshape(n, hidden_dim, (image_size / patch_size) ** 2)
      .permute(0, 2, 1);
    const tokens = cat([this.class_token.expand(n, -1, -1), patches], 1);
    return this.heads(this.encoder(tokens).select(1, 0));
  }
}

type Options = ModelOptions & Partial<Omit<VisionTransformerOptions, 'patch_size'>>;
type Maker = (options?: Options) => VisionTransformer;
const make =
  (patch_size: number, num_layers: number, num_heads: number, hidden_dim: number, mlp_dim: number): Maker =>
  (options = {}) =>
    new VisionTransformer({ patch_size, num_layers, num_heads, hidden_dim, mlp_dim, ...rest(options) });

/** ViT-B/16, with torchvision's names of parameters and initial weights. */
export const vit_b_16: Maker = make(16, 12, 12, 768, 3072);
/** ViT-B/32, with torchvision's names of parameters and initial weights. */
export const vit_b_32: Maker = make(32, 12, 12, 768, 3072);
/** ViT-L/16, with torchvision's names of parameters and initial weights. */
export const vit_l_16: Maker = make(16, 24, 16, 1024, 4096);
/** ViT-L/32, with torchvision's names of parameters and initial weights. */
export const vit_l_32: Maker = make(32, 24, 16, 1024, 4096);
/** ViT-H/14, with torchvision's names of parameters and initial weights. */
export const vit_h_14: Maker = make(14, 32, 16, 1280, 5120);
