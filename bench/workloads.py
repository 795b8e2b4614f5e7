"""The workloads in PyTorch, under the names of workloads.mjs, served over standard input and output.

Reads lines of JSON {"name", "iterations"}; answers the seconds that so many calls took.
"""

import json
import sys
import time

import torch
from torch import nn

from convnets import convnets
from sequences import sequences
from solvers import solvers

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
torch.set_num_threads(THREADS)


def mlp(batch):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    loss = nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=0.01)
    x, y = torch.rand(batch, 1, 28, 28), torch.randint(0, 10, [batch])

    def step():
        value = loss(net(x), y)
        sgd.zero_grad()
        value.backward()
        sgd.step()

    return step


def product(a, b):
    x, y = torch.rand(*a), torch.rand(*b)
    return lambda: x.matmul(y)


def transposed(n, ta, tb):
    a, b = torch.rand(n, n), torch.rand(n, n)
    a, b = (a.t() if ta else a), (b.t() if tb else b)
    return lambda: a.matmul(b)


def on(x, fn):
    return lambda: fn(x)


def pair(n, grad=False):
    a, b = torch.rand(n, requires_grad=grad), torch.rand(n)
    return lambda: a.add(b)


F = nn.functional
workloads = {
    "dispatch: add of 4": lambda: pair(4),
    "dispatch: add of 4 with gradient": lambda: pair(4, True),
    "add of 1M": lambda: pair(1_000_000),
    "exp of 1M": lambda: on(torch.randn(1_000_000), lambda x: x.exp()),
    "gelu of 1M": lambda: on(torch.randn(1_000_000), F.gelu),
    "sum of 1M": lambda: on(torch.randn(1_000_000), lambda x: x.sum()),
    "softmax of 1024x1024": lambda: on(torch.randn(1024, 1024), lambda x: torch.softmax(x, -1)),
    "layer_norm of 1024x1024": lambda: on(torch.randn(1024, 1024), lambda x: F.layer_norm(x, [1024])),
    "batched matmul 32x128x64": lambda: product([32, 128, 64], [32, 64, 128]),
    "MLP step, batch 16": lambda: mlp(16),
    "MLP step, batch 64": lambda: mlp(64),
    "MLP step, batch 256": lambda: mlp(256),
}
for n in (64, 256, 1024):
    for suffix, ta, tb in (("", 0, 0), (", b transposed", 0, 1), (", a transposed", 1, 0), (", both transposed", 1, 1)):
        workloads[f"matmul {n}{suffix}"] = lambda n=n, ta=ta, tb=tb: transposed(n, ta, tb)

workloads |= convnets
workloads |= sequences
workloads |= solvers

ready = {}
print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    name = request["name"]
    if name not in ready:
        ready = {name: workloads[name]()}
    run, iterations = ready[name], request["iterations"]
    start = time.perf_counter()
    for _ in range(iterations):
        run()
    print(time.perf_counter() - start, flush=True)
