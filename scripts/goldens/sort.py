"""Writes goldens of the order in which sort leaves equal elements. python scripts/goldens/sort.py test/goldens"""
import sys

import torch
from cases import case, write


def repeated(n, different):
    return torch.tensor([(i * i * 31 + i * 7) % different for i in range(n)])


def slow(n):
    """Makes quicksort with a median of three choose bad pivots, so that the heap sort behind it runs; pairs of equal values."""
    half = n // 2
    values = [0] * n
    for i in range(1, half + 1):
        if i % 2 == 1:
            values[i - 1], values[i] = i, half + i
        values[half + i - 1] = 2 * i
    return torch.tensor(values) // 2


def ties():
    for n, different in [(16, 3), (17, 1), (17, 3), (40, 2), (200, 7), (700, 5)]:
        x = repeated(n, different)
        yield case("sort", x)
        yield case("sort", x.double(), descending=True)
        yield case("argsort", x.to(torch.int16), stable=True)
    yield case("argsort", slow(600))
    yield case("sort", repeated(120, 4).reshape(3, 40).float(), 0)
    yield case("sort", repeated(120, 4).reshape(3, 40).half(), 1)
    x = repeated(60, 4).double()
    x[::7], x[::11] = float("nan"), -0.0
    yield case("sort", x)
    yield case("sort", x, descending=True)


write(sys.argv[1], "sort", {"ties": ties})
