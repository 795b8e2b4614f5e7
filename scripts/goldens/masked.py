"""Writes goldens of torch.masked and torch.gradient. python scripts/goldens/masked.py test/goldens"""
import sys
import warnings

import torch
from cases import case, leaf, write

warnings.simplefilter("ignore")
REDUCTIONS = ("sum", "prod", "amax", "amin", "mean", "logsumexp", "norm", "var", "std")


def masks():
    yield None
    yield torch.tensor([[True, False, True], [True, True, False]])
    yield torch.tensor([True, False, True])
    yield torch.tensor([[True], [False]])


def reductions():
    for name in REDUCTIONS:
        for mask in masks():
            for dim in (None, 0, (1,), (0, -1)):
                # Gradients of NaN and infinite outputs depend on how zeros and infinities meet.
                whole = mask is None or mask.shape == (2, 3)
                x = leaf(2, 3) if whole and name not in ("var", "std") else torch.randn(2, 3, dtype=torch.float64)
                yield case(f"masked.{name}", x, dim=dim, keepdim=True, mask=mask)
        x = torch.arange(6).reshape(2, 3)
        yield case(f"masked.{name}", x, dim=1, mask=torch.tensor([[True, False, True], [True, True, False]]))
        yield case(f"masked.{name}", x.to(torch.uint8), dtype=torch.float32)
        yield case(f"masked.{name}", torch.tensor(2.5), mask=torch.tensor(False))
    for name in ("var", "std"):
        yield case(f"masked.{name}", leaf(2, 3), 1, False)
        yield case(f"masked.{name}", leaf(2, 3), correction=0.5)
        yield case(f"masked.{name}", leaf(2, 3), 1, True, correction=1)
    for order in (1.0, 3.0, float("inf"), float("-inf"), 0.0):
        yield case("masked.norm", torch.randn(2, 3), order, 1, mask=torch.tensor([True, False, True]))
    for mask in masks():
        for name in ("argmax", "argmin"):
            yield case(f"masked.{name}", torch.randn(2, 3), mask=mask)
            yield case(f"masked.{name}", torch.randn(2, 3), 1, keepdim=True, mask=mask)
        yield case("masked.median", torch.randn(2, 3), mask=mask)
        for name in ("cumsum", "cumprod"):
            yield case(f"masked.{name}", leaf(2, 3), 1, mask=mask)
            yield case(f"masked.{name}", torch.arange(1, 4, dtype=torch.int32), 0)
    yield case("masked.median", torch.tensor([1, 2, 3]), 0)
    yield case("masked.median", torch.tensor([1, 2, 3]), 0, mask=torch.tensor(False))


def lines():
    for mask in masks():
        for name in ("softmax", "log_softmax", "softmin"):
            yield case(f"masked.{name}", torch.randn(2, 3), 1, mask=mask)
            yield case(f"masked.{name}", torch.randn(2, 3), 0, dtype=torch.float64, mask=mask)
        yield case("masked.softmax", leaf(2, 3), 1)
        yield case("masked.normalize", torch.randn(2, 3), 2.0, 1, mask=mask)
        yield case("masked.logaddexp", torch.randn(2, 3), torch.randn(3), other_mask=torch.tensor([True, False, True]))
    yield case("masked.normalize", leaf(2, 3), 1.0, 1, eps=1e-3)


def gradients():
    x = leaf(4, 5)
    yield case("gradient", x)
    yield case("gradient", x, spacing=0.5)
    yield case("gradient", x, spacing=(0.5, 2.0), edge_order=2)
    yield case("gradient", x, dim=-1, spacing=3.0)
    yield case("gradient", x, dim=(1, 0), edge_order=2)
    points = [torch.tensor([0.0, 1.0, 3.0, 3.5], dtype=torch.float64), torch.tensor([0.0, 0.5, 1.0, 3.0, 7.0], dtype=torch.float64)]
    yield case("gradient", x, spacing=points)
    yield case("gradient", x, spacing=points, edge_order=2)
    yield case("gradient", torch.arange(5))
    yield case("gradient", torch.randn(3, dtype=torch.complex64))
    yield case("gradient", torch.tensor(5.0))


def errors():
    x = torch.randn(4, 5)
    yield case("gradient", x, edge_order=3)
    yield case("gradient", x, dim=2)
    yield case("gradient", x, dim=(0, 0))
    yield case("gradient", x, spacing=[1.5, 2.5, 3.5])
    yield case("gradient", x, spacing=[2.5, 3.5], dim=0)
    yield case("gradient", x, spacing=[torch.ones(4, 1), torch.ones(5)])
    yield case("gradient", torch.randn(1))
    yield case("gradient", torch.randn(2), edge_order=2)
    yield case("gradient", torch.arange(5, dtype=torch.uint8))
    yield case("gradient", torch.tensor([True, False, True]))
    yield case("masked.sum", x, dim=(0, 0))
    yield case("masked.sum", x, dim=3)
    yield case("masked.sum", x, mask=torch.ones(1, 4, 5, dtype=torch.bool))
    yield case("masked.amax", torch.tensor([True]), mask=torch.tensor([True]))
    yield case("masked.mean", torch.tensor([1, 2]))
    yield case("masked.mean", torch.tensor([1, 2]), dtype=torch.int32)
    yield case("masked.var", x, unbiased=True, correction=1)


write(sys.argv[1], "masked", {"reductions": reductions, "lines": lines, "gradients": gradients, "errors": errors})
