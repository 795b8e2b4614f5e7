"""Pools in PyTorch, as test/goldens/pool.json: results, positions and gradients.

Usage: python scripts/goldens/pool.py. Data are not stored: fill() of the test makes the same small integers, many of
them equal. Of each result only its shape, its sum and its product with another filled tensor are.
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
    return ((torch.arange(n) * 37 + seed * 11 + torch.arange(n) // 17) % 19 - 9).reshape(shape).to(dtype)


def summary(t):
    t = t.detach().to(torch.float64)
    return [list(t.shape), t.sum().item(), (t * fill(t.shape, 3)).sum().item()]


def random_case():
    kind = pick(["max", "max", "avg", "adaptive_max", "adaptive_avg", "fractional_max"])
    n = between(2 if kind == "fractional_max" else 1, 3)
    size = [between(1, {1: 60, 2: 20, 3: 8}[n]) for _ in range(n)]
    kernel = [between(1, 4) for _ in range(n)]
    case = {
        "name": f"{kind}_pool{n}d",
        "dtype": pick(["float32", "float32", "float64", "bfloat16"]),
        "x": [pick([0, 1, 2, 3]), between(1, 5), *size],
        "special": pick([None, None, None, "nan", "-inf"]),
    }
    if kind in ("max", "avg"):
        options = {"kernel_size": kernel, "stride": [between(1, 4) for _ in range(n)]}
        options |= {"padding": [between(0, k // 2) for k in kernel], "ceil_mode": random.random() < 0.5}
        if kind == "max":
            options |= {"dilation": [pick([1, 1, 2]) for _ in range(n)], "return_indices": True}
        else:
            options |= {"count_include_pad": random.random() < 0.5}
            if n > 1:
                options |= {"divisor_override": pick([None, 3])}
    elif kind == "fractional_max":
        options = {"kernel_size": kernel, "output_size": [between(1, max(1, s - k + 1)) for s, k in zip(size, kernel)]}
        options |= {"return_indices": True}
    else:
        options = {"output_size": [between(1, s + 2) for s in size]}
        if kind == "adaptive_max":
            options |= {"return_indices": True}
    case["options"] = options
    return case


def run(case):
    dtype = getattr(torch, case["dtype"])
    x = fill(case["x"], 1, dtype)
    if case["special"]:
        x[x == 4] = float(case["special"])
    x.requires_grad_()
    torch.manual_seed(7)
    out = getattr(F, case["name"])(x, **case["options"])
    out, *rest = out if isinstance(out, tuple) else (out,)
    (grad,) = torch.autograd.grad(out, x, fill(out.shape, 5, dtype))
    plain = torch.nan_to_num(out.detach().double(), nan=1000, neginf=-500)
    return [summary(t) for t in (plain, grad, *rest)]


cases = []
while len(cases) < 120:
    case = random_case()
    try:
        case["results"] = run(case)
    except (RuntimeError, NotImplementedError):
        continue
    cases.append(case)

target = Path(__file__).parents[2] / "test" / "goldens" / "pool.json"
target.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
print(f"{len(cases)} cases, {target.stat().st_size} bytes")
