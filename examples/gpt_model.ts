// GPT-2 (Radford et al., 2019), in the names of its published checkpoints.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from 'typetorch';
import { load_file } from 'typetorch/safetensors';

const { nn } = torch;
const F = nn.functional;

export interface Config {
  /** Tokens in the vocabulary, and the longest sequence. */
  readonly n_vocab: number;
  readonly n_ctx: number;
  readonly n_embd: number;
  readonly n_head: number;
  readonly n_layer: number;
}

class Attention extends nn.Module {
  n_head: number;
  c_attn: InstanceType<typeof nn.Linear>;
  c_proj: InstanceType<typeof nn.Linear>;

  constructor({ n_embd, n_head }: Config) {
    super();
    this.n_head = n_head;
    this.c_attn = new nn.Linear(n_embd, 3 * n_embd);
    this.c_proj = new nn.Linear(n_embd, n_embd);
  }
  forward(x: torch.Tensor): torch.Tensor {
    const [b, t, c] = x.shape;
    const [q, k, v] = this.c_attn(x)
      .split(c, 2)
      .map((y) => y.view(b, t, this.n_head, c / this.n_head).transpose(1, 2));
    const y = F.scaled_dot_product_attention(q, k, v, { is_causal: true });
    return this.c_proj(y.transpose(1, 2).reshape(b, t, c));
  }
}

class MLP extends nn.Module {
  c_fc: InstanceType<typeof nn.Linear>;
  act = new nn.GELU({ approximate: 'tanh' });
  c_proj: InstanceType<typeof nn.Linear>;

  constructor({ n_embd }: Config) {
    super();
    this.c_fc = new nn.Linear(n_embd, 4 * n_embd);
    this.c_proj = new nn.Linear(4 * n_embd, n_embd);
  }
  forward(x: torch.Tensor): torch.Tensor {
    return this.c_proj(this.act(this.c_fc(x)));
  }
}

class Block extends nn.Module {
  ln_1: InstanceType<typeof nn.LayerNorm>;
  attn: Attention;
  ln_2: InstanceType<typeof nn.LayerNorm>;
  mlp: MLP;

  constructor(config: Config) {
    super();
    this.ln_1 = new nn.LayerNorm(config.n_embd);
    this.attn = new Attention(config);
    this.ln_2 = new nn.LayerNorm(config.n_embd);
    this.mlp = new MLP(config);
  }
  forward(x: torch.Tensor): torch.Tensor {
    const y = x.add(this.attn(this.ln_1(x)));
    return y.add(this.mlp(this.ln_2(y)));
  }
}

/** Logits [B, T, n_vocab] of the next token for tokens [B, T]; the output layer is the embedding's own weight. */
export class GPT extends nn.Module {
  config: Config;
  wte: InstanceType<typeof nn.Embedding>;
  wpe: InstanceType<typeof nn.Embedding>;
  h: InstanceType<typeof nn.Sequential>;
  ln_f: InstanceType<typeof nn.LayerNorm>;

  constructor(config: Config) {
    super();
    this.config = config;
    this.wte = new nn.Embedding(config.n_vocab, config.n_embd);
    this.wpe = new nn.Embedding(config.n_ctx, config.n_embd);
    this.h = new nn.Sequential(...Array.from({ length: config.n_layer }, () => new Block(config)));
    this.ln_f = new nn.LayerNorm(config.n_embd);
    for (const [name, p] of this.named_parameters())
      if (p.dim() === 2) nn.init.normal_(p, 0, 0.02);
      else if (name.endsWith('bias')) nn.init.zeros_(p);
  }
  forward(tokens: torch.Tensor): torch.Tensor {
    const positions = torch.arange(tokens.shape[1]);
    const x = this.h(this.wte(tokens).add(this.wpe(positions))) as torch.Tensor;
    return F.linear(this.ln_f(x), this.wte.weight);
  }
  /** Appends `count` tokens drawn from the model, one by one, to tokens [1, T]. */
  generate(tokens: torch.Tensor, count: number, temperature = 0.8): torch.Tensor {
    using _ = torch.no_grad();
    let out = tokens;
    for (let i = 0; i < count; i++) {
      const seen = out.at(':', `${-this.config.n_ctx}:`);
      const logits = this.forward(seen).at(':', -1).div(temperature);
      out = torch.cat([out, torch.multinomial(torch.softmax(logits, -1), 1)], 1);
    }
    return out;
  }
}

/** The weights that checkpoints hold as [in, out]; Linear's are [out, in]. */
const TRANSPOSED = /\.(c_attn|c_proj|c_fc)\.weight$/;

/** A GPT-2 from a folder as Hugging Face's transformers saves it: config.json and model.safetensors. */
export function load_pretrained(folder: string): GPT {
  const { vocab_size, n_positions, n_embd, n_head, n_layer } = JSON.parse(
    readFileSync(join(folder, 'config.json'), 'utf8'),
  ) as Config & { vocab_size: number; n_positions: number };
  const model = new GPT({ n_vocab: vocab_size, n_ctx: n_positions, n_embd, n_head, n_layer });
  const wanted = model.state_dict();
  const state = Object.entries(load_file(join(folder, 'model.safetensors')))
    .map(([name, x]) => [name.replace(/^transformer\./, ''), x] as const)
    // Masks and the output layer, where they are stored, add nothing: one is made, the other is `wte`.
    .filter(([name]) => name in wanted)
    .map(([name, x]) => [name, TRANSPOSED.test(name) ? x.t() : x] as const);
  model.load_state_dict(Object.fromEntries(state));
  return model;
}
