// Sequence models on this side; bench/sequences.py has the same names.

/** Forward and backward of a recurrent network over [64, 32, 256]. */
const recurrent = (torch, kind) => {
  torch.manual_seed(0);
  const net = new torch.nn[kind](256, 256, { num_layers: 2 });
  const x = torch.randn(64, 32, 256);
  return () => {
    net.zero_grad();
    const [y] = net(x);
    y.sum().backward();
  };
};

const encoder = (torch, options) => {
  torch.manual_seed(0);
  const net = new torch.nn.TransformerEncoderLayer(256, 8, { batch_first: true, ...options });
  const sgd = new torch.optim.SGD(net.parameters(), { lr: 0.01 });
  const x = torch.randn(8, 128, 256);
  return () => {
    sgd.zero_grad();
    net(x).square().mean().backward();
    sgd.step();
  };
};

const attention = (torch, shape, options) => {
  const [q, k, v] = [0, 1, 2].map(() => torch.randn(shape, { requires_grad: true }));
  const g = torch.randn(shape);
  return () => {
    for (const x of [q, k, v]) x.grad = null;
    torch.nn.functional.scaled_dot_product_attention(q, k, v, options).backward(g);
  };
};

/** A training step of GPT, 6 layers of 384, on sequences of 256 characters. */
const gpt = (torch, batch) => {
  const { nn } = torch;
  const F = nn.functional;
  const [width, heads, length, vocabulary] = [384, 6, 256, 83];
  torch.manual_seed(0);
  class Attention extends nn.Module {
    c_attn = new nn.Linear(width, 3 * width);
    c_proj = new nn.Linear(width, width);
    forward(x) {
      const [b, t, c] = x.shape;
      const heads_of = (y) => y.view(b, t, heads, c / heads).transpose(1, 2);
      const [q, k, v] = this.c_attn(x).split(c, 2).map(heads_of);
      const y = F.scaled_dot_product_attention(q, k, v, { is_causal: true });
      return this.c_proj(y.transpose(1, 2).reshape(b, t, c));
    }
  }
  class Block extends nn.Module {
    ln_1 = new nn.LayerNorm(width);
    attn = new Attention();
    ln_2 = new nn.LayerNorm(width);
    mlp = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width));
    forward(x) {
      const y = x.add(this.attn(this.ln_1(x)));
      return y.add(this.mlp(this.ln_2(y)));
    }
  }
  class GPT extends nn.Module {
    wte = new nn.Embedding(vocabulary, width);
    wpe = new nn.Embedding(length, width);
    h = new nn.Sequential(...Array.from({ length: 6 }, () => new Block()));
    ln_f = new nn.LayerNorm(width);
    head = new nn.Linear(width, vocabulary);
    forward(tokens) {
      const x = this.wte(tokens).add(this.wpe(torch.arange(length)));
      return this.head(this.ln_f(this.h(x)));
    }
  }
  const net = new GPT();
  const adamw = new torch.optim.AdamW(net.parameters(), { lr: 3e-4 });
  const [x, y] = [0, 1].map(() => torch.randint(0, vocabulary, [batch, length]));
  return () => {
    const loss = F.cross_entropy(net(x).flatten(0, 1), y.flatten());
    adamw.zero_grad();
    loss.backward();
    adamw.step();
  };
};

export const sequences = {
  'LSTM 2x256, 64 steps, batch 32': (torch) => recurrent(torch, 'LSTM'),
  'GRU 2x256, 64 steps, batch 32': (torch) => recurrent(torch, 'GRU'),
  'attention 4x6x256x64, causal': (torch) => attention(torch, [4, 6, 256, 64], { is_causal: true }),
  'attention 2x4x1024x64': (torch) => attention(torch, [2, 4, 1024, 64], {}),
  'encoder layer step, 8x128x256': (torch) => encoder(torch, {}),
  'encoder layer step, no dropout': (torch) => encoder(torch, { dropout: 0 }),
  'GPT 6x384 step, 4x256': (torch) => gpt(torch, 4),
  'cross_entropy of 256x50257': (torch) => {
    const [x, y] = [torch.randn(256, 50257, { requires_grad: true }), torch.randint(0, 50257, [256])];
    return () => {
      x.grad = null;
      torch.nn.functional.cross_entropy(x, y).backward();
    };
  },
  'embedding of 1024 in 50257x384': (torch) => {
    const e = new torch.nn.Embedding(50257, 384);
    const [y, g] = [torch.randint(0, 50257, [4, 256]), torch.randn(4, 256, 384)];
    return () => {
      e.zero_grad();
      e(y).backward(g);
    };
  },
};
