"""Sequence models in PyTorch, under the names of sequences.mjs."""

import torch
import torch.nn.functional as F
from torch import nn


def recurrent(kind):
    torch.manual_seed(0)
    net = getattr(nn, kind)(256, 256, 2)
    x = torch.randn(64, 32, 256)

    def step():
        net.zero_grad()
        y, _ = net(x)
        y.sum().backward()

    return step


def encoder(**options):
    torch.manual_seed(0)
    net = nn.TransformerEncoderLayer(256, 8, batch_first=True, **options)
    sgd = torch.optim.SGD(net.parameters(), lr=0.01)
    x = torch.randn(8, 128, 256)

    def step():
        sgd.zero_grad()
        net(x).square().mean().backward()
        sgd.step()

    return step


def attention(shape, **options):
    q, k, v = (torch.randn(shape, requires_grad=True) for _ in range(3))
    g = torch.randn(shape)

    def step():
        q.grad = k.grad = v.grad = None
        F.scaled_dot_product_attention(q, k, v, **options).backward(g)

    return step


WIDTH, HEADS, LENGTH, VOCABULARY = 384, 6, 256, 83


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_attn = nn.Linear(WIDTH, 3 * WIDTH)
        self.c_proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, HEADS, c // HEADS).transpose(1, 2) for y in self.c_attn(x).split(c, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(b, t, c))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(WIDTH)
        self.attn = Attention()
        self.ln_2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(VOCABULARY, WIDTH)
        self.wpe = nn.Embedding(LENGTH, WIDTH)
        self.h = nn.Sequential(*(Block() for _ in range(6)))
        self.ln_f = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens):
        return self.head(self.ln_f(self.h(self.wte(tokens) + self.wpe(torch.arange(LENGTH)))))


def gpt(batch):
    torch.manual_seed(0)
    net = GPT()
    adamw = torch.optim.AdamW(net.parameters(), lr=3e-4)
    x, y = (torch.randint(0, VOCABULARY, [batch, LENGTH]) for _ in range(2))

    def step():
        loss = F.cross_entropy(net(x).flatten(0, 1), y.flatten())
        adamw.zero_grad()
        loss.backward()
        adamw.step()

    return step


def cross_entropy():
    x, y = torch.randn(256, 50257, requires_grad=True), torch.randint(0, 50257, [256])

    def step():
        x.grad = None
        F.cross_entropy(x, y).backward()

    return step


def embedding():
    e = nn.Embedding(50257, 384)
    y, g = torch.randint(0, 50257, [4, 256]), torch.randn(4, 256, 384)

    def step():
        e.zero_grad()
        e(y).backward(g)

    return step


sequences = {
    "LSTM 2x256, 64 steps, batch 32": lambda: recurrent("LSTM"),
    "GRU 2x256, 64 steps, batch 32": lambda: recurrent("GRU"),
    "attention 4x6x256x64, causal": lambda: attention([4, 6, 256, 64], is_causal=True),
    "attention 2x4x1024x64": lambda: attention([2, 4, 1024, 64]),
    "encoder layer step, 8x128x256": lambda: encoder(),
    "encoder layer step, no dropout": lambda: encoder(dropout=0),
    "GPT 6x384 step, 4x256": lambda: gpt(4),
    "cross_entropy of 256x50257": cross_entropy,
    "embedding of 1024 in 50257x384": embedding,
}
