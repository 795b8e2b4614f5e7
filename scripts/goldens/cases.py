"""What golden scripts share: one call of real PyTorch, with its results, gradients and second gradients, or its message.

A case has the call (dotted name under torch; `Tensor.x` is a method of the first argument), its tensors (dtype, shape,
values as pairs where complex; `grad` where it requires one), arguments and keywords (tensors as {"$t": index}, dtypes as
{"$dtype": name}), the outputs, the gradients of sum(|output|^2 * weights) with weights 1, 2, 3, ... / n, and those of the sum
of squares of these gradients; or the class and first line of the error. test/golden_cases.ts replays them.
"""
import json
import math

import torch


def plain(v):
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, float) and not math.isfinite(v):
        return "nan" if v != v else "inf" if v > 0 else "-inf"
    return v


def dump(t):
    t = t.detach().resolve_conj().resolve_neg()
    values = torch.view_as_real(t) if t.is_complex() else t
    data = values.flatten().tolist()
    if t.dtype in (torch.float32, torch.complex64):
        data = [float(f"{x:.9g}") for x in data]
    return {"dtype": str(t.dtype)[6:], "shape": list(t.shape), "data": plain(data)}


def encode(v, tensors):
    if isinstance(v, torch.Tensor):
        for i, t in enumerate(tensors):
            if t is v:
                return {"$t": i}
        tensors.append(v)
        return {"$t": len(tensors) - 1}
    if isinstance(v, torch.dtype):
        return {"$dtype": str(v)[6:]}
    if isinstance(v, complex):
        return {"$complex": [v.real, v.imag]}
    if isinstance(v, (list, tuple)):
        return [encode(x, tensors) for x in v]
    return plain(v)


def run(name, args, kwargs):
    if name.startswith("Tensor."):
        x, *rest = args
        method = name[7:]
        if method.endswith("_"):
            x = x * 1 if x.requires_grad else x.clone()
        return getattr(x, method)(*rest, **kwargs)
    f = torch
    for part in name.split("."):
        f = getattr(f, part)
    return f(*args, **kwargs)


def flat(out):
    if isinstance(out, torch.Tensor):
        return [out]
    if isinstance(out, (bool, int, float)):
        return [torch.tensor(out)]
    return [t for part in out for t in flat(part)]


def case(name, *args, second=True, **kwargs):
    tensors = []
    record = {"call": name, "args": encode(args, tensors), "kwargs": {k: encode(v, tensors) for k, v in kwargs.items()}}
    record["tensors"] = [{**dump(t), **({"grad": True} if t.requires_grad else {})} for t in tensors]
    try:
        outs = flat(run(name, args, kwargs))
    except Exception as e:
        record["error"] = [type(e).__name__.lstrip("_"), str(e).split("\n")[0]]
        return record
    record["out"] = [dump(t) for t in outs]
    wanted = [t for t in tensors if t.requires_grad]
    used = [t for t in outs if t.requires_grad]
    if wanted and used:
        gradients(record, wanted, used, second)
    return record


def total(outs):
    """A number that depends on every element of every output, in its own way."""
    parts = []
    for t in outs:
        weights = torch.arange(1, t.numel() + 1, dtype=t.dtype.to_real()).reshape(t.shape) / max(t.numel(), 1)
        squared = t.real.square() + t.imag.square() if t.is_complex() else t.square()
        parts.append((squared * weights).sum())
    return sum(parts)


def gradients(record, wanted, used, second):
    grads = torch.autograd.grad(total(used), wanted, create_graph=True, allow_unused=True)
    record["node"] = used[0].grad_fn.name().split("::")[-1]
    record["grads"] = [None if g is None else dump(g) for g in grads]
    again = [g for g in grads if g is not None and g.requires_grad]
    if second and again:
        found = torch.autograd.grad(total(again), wanted, allow_unused=True)
        record["second"] = [None if g is None else dump(g) for g in found]


def leaf(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype).requires_grad_()


def write(folder, name, families):
    """Writes {family: cases} to folder/name.json, one case a line."""
    torch.manual_seed(0)
    lines = []
    for family, cases in families.items():
        rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases())
        lines.append(f"{json.dumps(family)}:[\n{rows}\n]")
    with open(f"{folder}/{name}.json", "w") as f:
        f.write("{\n" + ",\n".join(lines) + "\n}\n")
