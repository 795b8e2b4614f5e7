"""Writes goldens of torch.testing: messages of assert_close, and seeded make_tensor. python scripts/goldens/testing.py test/goldens"""
import json
import sys
import warnings

import torch
from cases import dump
from torch.testing import assert_allclose, assert_close, make_tensor

warnings.simplefilter("ignore")
t = torch.tensor
nan, inf = float("nan"), float("inf")


def message(*args, check=assert_close, **kwargs):
    try:
        check(*args, **kwargs)
    except Exception as e:
        return [type(e).__name__, str(e)]
    return None


messages = [
    message(t([1.0, 2.0]), t([1.0, 3.0])),
    message(t([1.0, 2.0]), t([1.0, 2.0 + 1e-6])),
    message(t([1.0]), t([1.0], dtype=torch.float64)),
    message(t([1.0]), t([1.0], dtype=torch.float64), check_dtype=False),
    message(t([1.0, 2.0]), t([1.0, 2.0, 3.0])),
    message(t([1, 2]), t([1, 3])),
    message(t([1.0, 2.0]), t([1.0, 3.0]), rtol=0, atol=0),
    message(1.0, 2.0),
    message(1, 2),
    message(True, False),
    message(1, 2.0),
    message(None, None),
    message(None, 1.5),
    message([1.0, 2.0], [1.0]),
    message([t(1.0), t(2.0)], [t(1.0), t(3.0)]),
    message({"a": t(1.0)}, {"b": t(1.0)}),
    message({"a": t(1.0)}, {"a": t(2.0)}),
    message(t(nan), t(nan)),
    message(t(nan), t(nan), equal_nan=True),
    message(t([1.0]), t([2.0]), rtol=0.1),
    message(t([1.0]), t([2.0]), msg="mine"),
    message(t([1.0]), t([2.0]), msg=lambda m: "X " + m),
    message(t([True, False]), t([True, True])),
    message(t([1 + 1j]), t([1 + 2j])),
    message(t([[1.0, 5.0], [2.0, 3.0]]), t([[1.0, 2.0], [0.0, 3.0]])),
    message(t([1.0]), 1.5),
    message(t([inf]), t([1.0])),
    message([[1.0]], [[2.0]]),
    message(1e-9, 0.0),
    message(t(3), t(4)),
    message(torch.ones(2, 3), torch.ones(3, 2).t(), check_stride=True),
    message("a", "a"),
]

nans = t([1.0, nan])
loose = [
    message([1, 2.0], [1, 2.1], check=assert_allclose),
    message(nans, nans.double(), check=assert_allclose),
    message(t([1.0]), t([1.00009]), check=assert_allclose),
    message(t([1.0]), t([1.0002]), check=assert_allclose),
    message(t([1]), t([2]), check=assert_allclose),
    message(nans, nans, equal_nan=False, check=assert_allclose),
    message(t([1.0]), t([2.0]), msg="mine", check=assert_allclose),
    message(t([1.0]), t([2.0]), rtol=0.5, atol=0.0, check=assert_allclose),
]

torch.manual_seed(0)
made = [
    dump(make_tensor(5, dtype=torch.float32, device="cpu")),
    dump(make_tensor((2, 3), dtype=torch.float64, device="cpu", low=0, high=1)),
    dump(make_tensor((2, 2), dtype=torch.complex64, device="cpu", noncontiguous=True)),
    dump(make_tensor((4,), dtype=torch.int64, device="cpu", exclude_zero=True)),
    dump(make_tensor((4,), dtype=torch.uint8, device="cpu", low=1.5, high=7)),
    dump(make_tensor((6,), dtype=torch.bool, device="cpu")),
]
with open(f"{sys.argv[1]}/testing.json", "w") as f:
    json.dump({"messages": messages, "loose": loose, "made": made}, f, indent=0)
