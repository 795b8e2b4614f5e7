"""Convolutions of small integers in PyTorch, as test/goldens/conv.json: every result is exact.

Usage: python scripts/goldens/conv.py. Data are not stored: fill() of the test makes the same. Of each result only its
shape, its sum and its product with another filled tensor are.
"""

import json
import random
import warnings
from pathlib import Path

import torch
from torch.nn import functional as F

warnings.filterwarnings("ignore")
random.seed(0)
pick, between = random.choice, random.randint


def fill(shape, seed, dtype=torch.float64):
    n = torch.Size(shape).numel()
    values = (torch.arange(n) * 37 + seed * 11 + torch.arange(n) // 17) % 5 - 2
    return values.reshape(shape).to(dtype)


def summary(t):
    """Shape, sum, and sum of the product with a filled tensor; of parts for complex."""
    if t is None:
        return None
    t = t.detach()
    t = (torch.view_as_real(t.resolve_conj()) if t.is_complex() else t).to(torch.float64)
    return [list(t.shape), t.sum().item(), (t * fill(t.shape, 3)).sum().item()]


def random_case():
    n, transposed = pick([1, 2, 2, 2, 3]), random.random() < 0.4
    depthwise, large = random.random() < 0.2, random.random() < 0.25
    groups = between(1, 12) if depthwise else pick([1, 1, 2, 3])
    a, b = (1, pick([1, 2, 3])) if depthwise else (between(1, 40 if large else 5), between(1, 100 if large else 5))
    kernel = [between(1, pick([1, 3, 5])) for _ in range(n)]
    stride = [between(1, pick([1, 2, 3])) for _ in range(n)]
    dilation = [between(1, pick([1, 1, 3])) for _ in range(n)]
    padding = [between(0, pick([0, 1, 3])) for _ in range(n)]
    if not transposed and random.random() < 0.2:
        padding = pick(["same", "valid"])
    if padding == "same":
        stride = [1] * n
    longest = {1: 120, 2: 30, 3: 7}[n]
    size = [between(1, longest) for _ in range(n)]
    weight = [groups * a, b, *kernel] if transposed else [groups * b, a, *kernel]
    case = {
        "name": f"conv_transpose{n}d" if transposed else f"conv{n}d",
        "dtype": pick(["float32", "float32", "float64", "float16", "bfloat16", "complex64", "int64"]),
        "x": [pick([0, 1, 2, 3, 9]), groups * a, *size],
        "weight": weight,
        "bias": groups * b if random.random() < 0.5 else None,
        "options": {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups},
    }
    if transposed and random.random() < 0.5:
        case["options"]["output_padding"] = [between(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
    return case


def run(case):
    dtype = getattr(torch, case["dtype"])
    work = torch.complex128 if dtype.is_complex else torch.float64  # exact; results are rounded once
    grad = dtype.is_floating_point or dtype.is_complex
    rounded = (lambda t: t.to(dtype)) if dtype.itemsize == 2 else (lambda t: t)
    x, weight = (fill(case[key], seed, work).requires_grad_(grad) for key, seed in (("x", 1), ("weight", 2)))
    bias = None if case["bias"] is None else fill([case["bias"]], 4, work).requires_grad_(grad)
    out = getattr(F, case["name"])(x, weight, bias, **case["options"])
    results = [rounded(out)]
    inputs = [t for t in (x, weight, bias) if t is not None]
    if grad:
        second = dtype.itemsize > 2
        grads = torch.autograd.grad(out, inputs, fill(out.shape, 5, work), create_graph=second)
        results += [rounded(g) for g in grads]
        if second:
            seconds = torch.autograd.grad(
                grads[:2], inputs[:2], [fill(g.shape, 6, work) for g in grads[:2]], allow_unused=True
            )
            results += seconds
    return [summary(r) for r in results]


cases = []
while len(cases) < 150:
    case = random_case()
    try:
        case["results"] = run(case)
    except RuntimeError:
        continue
    if case["results"][0][0] and torch.Size(case["results"][0][0]).numel() * torch.Size(case["weight"][1:]).numel() < 2e7:
        cases.append(case)

target = Path(__file__).parents[2] / "test" / "goldens" / "conv.json"
target.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
print(f"{len(cases)} cases, {target.stat().st_size} bytes")
