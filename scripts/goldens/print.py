"""Writes test/goldens/print.json: tensors and the text that PyTorch prints for them.

Run with PyTorch 2.13:   python scripts/goldens/print.py
More random cases:       python scripts/goldens/print.py --seed 1 --random 5000 --numbers 20000 --out out/print.json

The file holds
  tensors   what test/format.test.ts needs to rebuild each tensor, and its `repr`. Only the elements
            that are printed are stored (`at`: their flat indices, absent when it is all of them), so
            that the test also proves that no other element is read.
  numbers   [x, digits, format(x, '.{digits}f'), format(x, '.{digits}e'), repr(x)]
Infinities, NaN and integers beyond 2**53 are strings.
"""

import argparse
import json
import math
import pathlib
import random

import torch
from torch._tensor_str import get_summarized_data

FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTS = [torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64]
COMPLEX = [torch.complex64, torch.complex128]
DTYPES = FLOATS + INTS + COMPLEX + [torch.bool]


def scalar(value):
    """A Python number as JSON can hold it."""
    if isinstance(value, complex):
        return [scalar(value.real), scalar(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return value


def printed_indices(t):
    """Flat indices of the elements that the current options print, in order."""
    flat = torch.arange(t.numel()).reshape(t.shape)
    options = torch._tensor_str.PRINT_OPTS
    if t.numel() <= options.threshold:
        return flat.reshape(-1).tolist()
    if options.edgeitems == 0 and t.dim() > 0:
        return []
    return get_summarized_data(flat).reshape(-1).tolist()


def case(t, options=None, default_dtype=torch.float32):
    """The record of one tensor printed under these options."""
    options = options or {}
    torch.set_default_dtype(default_dtype)
    torch.set_printoptions(**options)
    record = {"shape": list(t.shape), "dtype": str(t.dtype).removeprefix("torch.")}
    if t.device.type != "meta":
        indices = printed_indices(t)
        flat = t.detach().reshape(-1)
        record["data"] = [scalar(value) for value in flat[torch.tensor(indices, dtype=torch.long)].tolist()]
        if len(indices) < t.numel():
            record["at"] = indices
    else:
        record["device"] = "meta"
    if t.requires_grad:
        record["requires_grad"] = True
    if t.grad_fn is not None:
        record["grad_fn"] = type(t.grad_fn).__name__
    if isinstance(t, torch.nn.Parameter):
        record["is_parameter"] = True
    if options:
        record["options"] = {k: "inf" if v == math.inf else v for k, v in options.items()}
    if default_dtype != torch.float32:
        record["default_dtype"] = str(default_dtype).removeprefix("torch.")
    record["text"] = repr(t)
    torch.set_printoptions(profile="default")
    torch.set_default_dtype(torch.float32)
    return record


def random_float(rng, style):
    """One float; `style` keeps the elements of a tensor alike enough to reach every notation."""
    if style == "whole":
        return float(rng.randint(-999, 999))
    if style == "plain":
        return rng.gauss(0, 1)
    if style == "decimals":
        return rng.randint(-10**6, 10**6) / 10 ** rng.randint(0, 6)
    if style == "ties":
        return rng.randint(-999, 999) / 2 ** rng.randint(0, 8)
    if style == "wide":
        return rng.choice([-1, 1]) * 10 ** rng.uniform(-8, 9)
    if style == "extreme":
        return rng.choice([-1, 1]) * 10 ** rng.uniform(-320, 308)
    if style == "near":
        return rng.choice([1e-4, 1e8, 1e5, 1e3, 1.0, 99999999.0, 100000001.0, 9.9995, 0.99995]) * rng.choice([1, -1, 1 + 1e-7])
    if style == "large whole":
        return float(rng.randint(-10 ** rng.randint(1, 30), 10 ** rng.randint(1, 30)))
    return rng.choice([0.0, -0.0, 1.0, -1.0, 0.5, math.inf, -math.inf, math.nan])


STYLES = ["whole", "plain", "decimals", "ties", "wide", "extreme", "near", "large whole", "special"]


def random_values(rng, dtype, numel):
    style = rng.choice(STYLES)
    specials = rng.choice([0, 0, 0.1, 0.5])

    def real():
        return random_float(rng, "special" if rng.random() < specials else style)

    if dtype.is_floating_point:
        return torch.tensor([real() for _ in range(numel)], dtype=torch.float64).to(dtype)
    if dtype.is_complex:
        return torch.tensor([complex(real(), real()) for _ in range(numel)], dtype=torch.complex128).to(dtype)
    if dtype == torch.bool:
        return torch.tensor([rng.random() < rng.choice([0, 0.5, 1]) for _ in range(numel)], dtype=dtype)
    info = torch.iinfo(dtype)
    bits = rng.randint(1, info.bits)
    low, high = max(info.min, -(2**bits)), min(info.max, 2**bits)
    return torch.tensor([rng.randint(low, high) for _ in range(numel)], dtype=dtype)


def random_shape(rng):
    kind = rng.random()
    if kind < 0.08:
        return []
    if kind < 0.15:
        return [rng.randint(0, 3) for _ in range(rng.randint(1, 4))]
    if kind < 0.27:
        return rng.choice([[1001], [1500], [40, 30], [2, 600], [600, 2], [7, 6, 30], [3, 4, 5, 20], [1, 1, 1001], [6, 200]])
    if kind < 0.5:
        return [rng.randint(1, 60)]
    if kind < 0.8:
        return [rng.randint(1, 6), rng.randint(1, 12)]
    return [rng.randint(1, 3) for _ in range(rng.randint(3, 5))]


def random_options(rng):
    if rng.random() < 0.6:
        return {}
    choices = {
        "precision": [0, 1, 2, 3, 6, 8, 12, 17],
        "threshold": [0, 1, 5, 10, 100, math.inf],
        "edgeitems": [0, 1, 2, 4, 5],
        "linewidth": [1, 20, 40, 60, 100, 120, 200],
        "profile": ["default", "short", "full"],
        "sci_mode": [True, False],
    }
    options = {name: rng.choice(values) for name, values in choices.items() if rng.random() < 0.35}
    if options.get("threshold") == math.inf or options.get("profile") == "full":
        # Keeps the file small: large tensors are always summarised.
        options["threshold"] = rng.choice([100, 500])
    return options


def random_case(rng):
    dtype = rng.choice(DTYPES)
    shape = random_shape(rng)
    t = random_values(rng, dtype, math.prod(shape)).reshape(shape)
    if rng.random() < 0.05:
        t = t.to("meta")
    if dtype.is_floating_point or dtype.is_complex:
        gradient = rng.random()
        if gradient < 0.1:
            t.requires_grad_()
        elif gradient < 0.2:
            leaf = t.requires_grad_()
            t = rng.choice([lambda: leaf * 1, lambda: leaf.reshape(-1).reshape(shape), lambda: leaf.clone()])()
        elif gradient < 0.25:
            t = torch.nn.Parameter(t, requires_grad=rng.random() < 0.8)
    default = rng.choice([torch.float32] * 8 + [torch.float64, torch.float16])
    return case(t, random_options(rng), default)


def fixed_cases():
    """Cases worth having by name, whatever the random ones reach."""
    inf, nan = math.inf, math.nan
    values = [
        1.0, -0.0, 0.1, nan, inf, -inf, 1e-5, 1e8, 1.0e8 + 1, 123456789.0, 1e38, [0.0, -0.0], [nan, nan], [inf, nan],
        [1.0, inf], [1.0, nan, -inf], [1.5, inf, nan, -0.0], [1.0, 1000.0], [1.0, 1001.0], [1.5, 1500.0], [1.5, 1501.0],
        [1e-4, 1e-3], [9.9e-5, 1e-3], [0.5, 0.25, 0.125, 0.0625, 0.03125], [0.00005, 1.0], [2.5, 3.5], [-1.0, 10.0],
        [0.99995, 1.0], [9.99995, 1.5], [1e8, 1e7], [2e8, 1e7],
    ]
    cases = [case(torch.tensor(v, dtype=d)) for v in values for d in (torch.float32, torch.float64)]
    cases += [case(torch.tensor(v, dtype=torch.float16)) for v in ([65504.0, 1.0], [6e-8, 1.0], [0.1, 0.2], [inf, nan])]
    cases += [case(torch.tensor(v, dtype=torch.bfloat16)) for v in ([3e38, 1.0], [0.1, 0.2], 3.140625)]
    cases += [case(torch.tensor(v)) for v in ([1, -10, 100], 7, [2**63 - 1, -(2**63)], [2**53, 1], [True, False], [True, True], False)]
    cases += [case(torch.tensor(v, dtype=torch.float64)) for v in ([1e300, 1e-300], 5e-324, [1e21, 1e22], [1e16 + 2, 1.0])]
    cases += [case(torch.tensor(v, dtype=torch.float64), {"sci_mode": False}) for v in ([1e21, 1.5], [1e23, 1.0], [-1.7e308])]
    cases += [
        case(torch.tensor(v))
        for v in (1 + 2j, [1 - 2j, 0.5 + 100j], complex(nan, -inf), [complex(-0.0, -0.0), 1j], [1e-6 + 1j, 1e6 - 1e5j])
    ]
    cases += [case(torch.empty(s, dtype=d)) for s in ([0], [0, 3], [2, 0, 4]) for d in (torch.float32, torch.int64, torch.bool)]
    cases += [case(torch.empty(s, device="meta", dtype=d)) for s in ([], [3], [2, 3]) for d in DTYPES[:2]]
    cases += [case(torch.zeros(2, 2, 2, 2, 2)), case(torch.arange(24.0).reshape(2, 3, 4)), case(torch.arange(100))]
    cases += [case(torch.arange(10.0), {"threshold": 5, "edgeitems": e}) for e in (0, 1, 2, 5)]
    cases += [case(torch.arange(8000.0).reshape(20, 20, 20)), case(torch.ones(1001, dtype=torch.bool))]
    cases += [case(torch.arange(n) / 7, {"linewidth": w}) for n in (6, 7, 8) for w in (40, 48, 49, 50)]
    cases += [case((torch.arange(n) / 7).requires_grad_()) for n in range(4, 9)]
    cases += [case(torch.nn.Parameter(torch.eye(2))), case(torch.nn.Parameter(torch.eye(2), requires_grad=False))]
    return cases


def number_row(x, digits):
    return [scalar(x), digits, f"{x:.{digits}f}", f"{x:.{digits}e}", repr(x)]


def number_rows(rng, count):
    """Ties, carries, the bounds of each notation, and random doubles."""
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308]
    edges = [1e-5, 1e-4, 0.00012345, 9.99995, 0.5, 1.5, 2.5, 25.0, 35.0, 9.5, 95.0, 1e15, 1e16, 123456789012345680.0, 1e21, 1e22, 1e23, 2.0**80]
    rows = [number_row(x, digits) for x in special + edges + [-x for x in edges] for digits in (0, 1, 4)]
    rows += [number_row(x, 120) for x in (0.1, 1e23, 5e-320, 2.5, 0.0)]
    for _ in range(count):
        kind = rng.randrange(4)
        if kind == 0:
            x = rng.randint(-(10**6), 10**6) / 2 ** rng.randint(0, 20)
        elif kind == 1:
            x = float(rng.randint(0, 10**5) * 5 * 10 ** rng.randint(0, 16))
        elif kind == 2:
            x = rng.uniform(-10, 10) * 10.0 ** rng.randint(-300, 300)
        else:
            x = round(rng.uniform(-1000, 1000), rng.randint(0, 5))
        rows.append(number_row(x, rng.choice([0, 1, 2, 3, 4, 4, 4, 6, 10, 17])))
    # Numbers near the limit of float64 take 300 characters each.
    return [row for row in rows if len(row[2]) < 130 or count > 1000 or row[1] == 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--random", type=int, default=220, help="number of random tensors")
    parser.add_argument("--numbers", type=int, default=200, help="number of random numbers")
    default_out = pathlib.Path(__file__).resolve().parents[2] / "test" / "goldens" / "print.json"
    parser.add_argument("--out", type=pathlib.Path, default=default_out)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    tensors = fixed_cases() + [random_case(rng) for _ in range(args.random)]
    numbers = number_rows(rng, args.numbers)
    lines = ",\n".join(json.dumps(record, allow_nan=False) for record in tensors)
    rows = ",\n".join(json.dumps(row, allow_nan=False) for row in numbers)
    args.out.write_text(f'{{"tensors": [\n{lines}\n],\n"numbers": [\n{rows}\n]}}\n')
    print(f"{len(tensors)} tensors, {len(numbers)} numbers, {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
