"""Writes goldens of indexing and ordering ops: values, gradients, gradients of gradients and messages of real PyTorch.

    python scripts/goldens/indexing.py test/goldens [--random SEED COUNT]

Each case: the call, its tensors (dtype, shape, values; `grad` where it requires one), arguments and keywords (tensors as
{"$t": index}), the outputs, the gradients of sum(output * weights) with weights 1, 2, 3, ... / n, and those of the sum of
squares of these gradients; or the class and first line of the error. Calls: a function's name; `at` (tensor, *indices) and
`setAt` (tensor, indices, value) are x[...]; a name that ends in `_` is a method, called on tensor * 1.
Slices are strings, an ellipsis is '...'. With --random only COUNT random uses of x[...] are written (for a wider search).
"""
import json
import math
import random
import sys
import warnings

import torch

warnings.simplefilter("ignore")
inf, nan = math.inf, math.nan


def plain(v):
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, float) and not math.isfinite(v):
        return "nan" if v != v else "inf" if v > 0 else "-inf"
    return v


def dump(t):
    return {"dtype": str(t.dtype)[6:], "shape": list(t.shape), "data": plain(t.detach().flatten().tolist())}


def encode(v, tensors):
    if isinstance(v, torch.Tensor):
        for i, t in enumerate(tensors):
            if t is v:
                return {"$t": i}
        tensors.append(v)
        return {"$t": len(tensors) - 1}
    if isinstance(v, slice):
        return ":".join("" if n is None else str(n) for n in (v.start, v.stop, v.step))
    if v is Ellipsis:
        return "..."
    if isinstance(v, (list, tuple)):
        return [encode(x, tensors) for x in v]
    return plain(v)


def run(name, args, kwargs):
    if name == "at":
        x, *index = args
        return x[tuple(index)] if len(index) != 1 else x[index[0]]
    if name == "setAt":
        x, index, value = args
        y = x * 1 if x.requires_grad else x.clone()
        y[tuple(index)] = value
        return y
    if name.endswith("_"):
        x, *rest = args
        return getattr(x * 1 if x.requires_grad else x.clone(), name)(*rest, **kwargs)
    f = torch
    for part in name.split("."):
        f = getattr(f, part)
    return f(*args, **kwargs)


def weights_like(t):
    n = max(t.numel(), 1)
    return (torch.arange(1, t.numel() + 1, dtype=t.dtype) / n).reshape(t.shape)


def case(name, *args, **kwargs):
    tensors = []
    record = {"call": name, "args": encode(args, tensors), "kwargs": {k: encode(v, tensors) for k, v in kwargs.items()}}
    record["tensors"] = [{**dump(t), **({"grad": True} if t.requires_grad else {})} for t in tensors]
    try:
        out = run(name, args, kwargs)
    except Exception as e:
        record["error"] = [type(e).__name__, str(e).split("\n")[0]]
        return record
    outs = []
    for t in out if isinstance(out, tuple) else (out,):
        outs += list(t) if isinstance(t, tuple) else [t]
    record["out"] = [dump(t) for t in outs]
    wanted = [t for t in tensors if t.requires_grad]
    used = [t for t in outs if t.requires_grad]
    if wanted and used:
        try:
            gradients(record, wanted, used)
        except (IndexError, RuntimeError):
            pass  # PyTorch itself fails: int32 indices in index_reduce, sources that the index reads in part
    return record


def gradients(record, wanted, used):
    total = sum((t * weights_like(t)).sum() for t in used)
    grads = torch.autograd.grad(total, wanted, create_graph=True, allow_unused=True)
    record["node"] = used[0].grad_fn.name().split("::")[-1]
    record["grads"] = [None if g is None else dump(g) for g in grads]
    squares = [g.square().sum() for g in grads if g is not None and g.requires_grad]
    if squares:
        second = torch.autograd.grad(sum(squares), wanted, allow_unused=True)
        record["second"] = [None if g is None else dump(g) for g in second]


def leaf(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype).requires_grad_()


def places(high, *shape):
    return torch.randint(0, high, shape)


# ---- random uses of x[...]


def random_index(shape):
    """A random index of a tensor, with errors now and then."""
    items, dim, broad = [], 0, random.choice([(), (2,), (3,), (2, 1), (1, 3)])
    used_ellipsis = False
    for _ in range(random.randint(1, len(shape) + 2)):
        n = shape[dim] if dim < len(shape) else 2
        kind = random.choice(["int", "slice", "slice", "none", "ellipsis", "tensor", "tensor", "mask", "bool", "list", "zero"])
        if kind == "int":
            items.append(random.randint(-n, max(n - 1, -n)) if random.random() < 0.97 else n)
            dim += 1
        elif kind == "slice":
            bound = lambda: random.choice([None, random.randint(-n - 1, n + 1)])
            items.append(slice(bound(), bound(), random.choice([None, None, 1, 2, 3])))
            dim += 1
        elif kind == "none":
            items.append(None)
        elif kind == "ellipsis":
            if used_ellipsis:
                continue
            used_ellipsis = True
            items.append(Ellipsis)
            dim = max(dim, len(shape) - random.randint(0, 2))
        elif kind == "tensor" and n > 0:
            size = broad if random.random() < 0.95 else (4,)
            items.append(torch.randint(-n, n, size, dtype=random.choice([torch.int64, torch.int32])))
            dim += 1
        elif kind == "mask" and dim < len(shape):
            count = random.randint(1, min(2, len(shape) - dim))
            if random.random() < 0.6 and count == 1:
                mask = torch.zeros(n, dtype=torch.bool)
                mask[: min(n, (broad or (1,))[-1])] = True
                items.append(mask[torch.randperm(n)])
            else:
                items.append(torch.rand(shape[dim : dim + count]) > 0.5)
            dim += count
        elif kind == "bool" and random.random() < 0.5:
            items.append(random.random() < 0.8)
        elif kind == "list" and n > 0:
            items.append([random.randint(-n, n - 1) for _ in range((broad or (2,))[-1])])
            dim += 1
        elif kind == "zero" and n > 0:
            items.append(torch.tensor(random.randint(-n, n - 1)))
            dim += 1
    return items or [0]


def random_case():
    shape = [random.choice([1, 2, 3, 3, 4]) if random.random() < 0.97 else 0 for _ in range(random.randint(1, 4))]
    x = leaf(*shape)
    index = random_index(shape)
    if random.random() < 0.5:
        return case("at", x, *index)
    try:
        picked = x.detach()[tuple(index)]
    except Exception:
        return case("setAt", x, index, 1.5)
    size = [n if random.random() < 0.8 else 1 for n in picked.shape][random.choice([0, 0, 0, 1]) :]
    if random.random() < 0.1:
        size = [1, *size]
    # Which of several values for one place stays is open: such places get equal values.
    flat = [torch.arange(x.numel()).reshape(shape)[tuple(index)].flatten().tolist()][0]
    if len(set(flat)) != len(flat):
        return case("setAt", x, index, random.choice([2.5, torch.tensor(0.5, dtype=torch.float64).requires_grad_()]))
    return case("setAt", x, index, leaf(*size))


# ---- the cases of the tests


def slices():
    x, s = leaf(4, 3), leaf(2, 3)
    i, twice = torch.tensor([3, 0]), torch.tensor([1, 1])
    for index in (i, twice, i.int()):
        yield case("index_select", x, 0, index)
        yield case("index_add", x, 0, index, s, alpha=2)
        yield case("index_add_", x, 0, index, s)
        yield case("index_fill", x, 0, index.long(), 2.5)
        yield case("index_fill_", x, 0, index.long(), torch.tensor(1.5, dtype=torch.float64).requires_grad_())
        for reduce in ("prod", "mean", "amax", "amin"):
            for include in (True, False):
                yield case("index_reduce", x, 0, index, s, reduce, include_self=include)
    yield case("index_copy", x, 0, i, s)
    yield case("index_copy_", x, 0, i, s)
    yield case("index_fill", x, 1, torch.tensor([-1]), 7)
    yield case("index_select", torch.tensor(3.0), 0, torch.tensor([0]))
    zeros = torch.tensor([[0.0, 0, 2], [0, 3, 4], [5, 6, 0]], dtype=torch.float64).requires_grad_()
    yield case("index_reduce", leaf(2, 3), 0, torch.tensor([0, 1, 1]), zeros, "prod")
    for dtype in (torch.int8, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.bool):
        y = torch.tensor([[1, 0], [3, 4], [5, 6]]).to(dtype)
        yield case("index_add", y, 0, torch.tensor([0, 0]), y[:2])
        yield case("index_select", y, 1, torch.tensor([1, 0, 1]))


def scattered():
    x, s, i = leaf(3, 4), leaf(2, 4), places(3, 2, 4)
    distinct = torch.tensor([[0, 1, 2, 0], [1, 2, 0, 2]])
    yield case("gather", x, 0, i)
    yield case("gather", x, 1, places(4, 3, 2))
    yield case("gather", x, -1, places(4, 2, 6).int())
    yield case("scatter", x, 0, distinct, s)
    yield case("scatter", x, 0, i, 1.5)
    yield case("scatter_", x, 0, distinct, s)
    yield case("scatter", x.detach(), 0, i, s.detach(), reduce="add")
    yield case("scatter", x.detach(), 0, i, 3.0, reduce="multiply")
    yield case("scatter_add", x, 0, i, s)
    yield case("scatter_add_", x, 0, i, s)
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for include in (True, False):
            yield case("scatter_reduce", x, 0, i, s, reduce, include_self=include)
        yield case("scatter_reduce_", x, 0, i, s, reduce)
    ties = torch.tensor([[1.0, 2, 2], [2, 2, 1]], dtype=torch.float64)
    for reduce in ("amax", "amin"):
        for include in (True, False):
            a, b = ties.clone().requires_grad_(), ties.clone().requires_grad_()
            yield case("scatter_reduce", a, 1, torch.tensor([[0, 0, 0], [1, 0, 0]]), b, reduce, include_self=include)
    yield case("take_along_dim", x, places(4, 3, 1), 1)
    yield case("take_along_dim", x, places(12, 5))
    yield case("take", x, torch.tensor([[0, -1], [5, 5]]))
    yield case("put", x, torch.tensor([1, -1]), leaf(2))
    yield case("put", x, torch.tensor([1, 1]), leaf(2), True)
    yield case("put_", x, torch.tensor([[0], [7]]), leaf(2, 1))
    yield case("index_put", x, [torch.tensor([0, 2]), torch.tensor([1, 1])], leaf(2))
    yield case("index_put_", x, [torch.tensor([0, 0])], leaf(4), True)


def masked():
    x = leaf(3, 4)
    mask = torch.tensor([[True, False, True, False], [False] * 4, [True] * 4])
    yield case("masked_select", x, mask)
    yield case("masked_select", leaf(4), mask)
    yield case("masked_select", x, mask[0])
    yield case("masked_scatter", x, mask, leaf(8))
    yield case("masked_scatter", leaf(4), mask, leaf(2, 3))
    yield case("masked_scatter_", x, mask[2], leaf(12))
    y = torch.tensor([[0, 1, 0], [2, 0, nan]])
    yield case("nonzero", y)
    yield case("nonzero", y, as_tuple=True)
    yield case("argwhere", y != 0)
    yield case("nonzero_static", y, size=5)
    yield case("nonzero_static", y, size=2, fill_value=9)
    yield case("where", y > 0)
    yield case("where", y > 0, y, 0)
    yield case("where", torch.tensor(True))
    yield case("nonzero", torch.tensor(0))


def ordered():
    x = torch.tensor([[3.0, nan, -1, 2], [0, inf, -inf, 5]], dtype=torch.float64)
    for args in ((), (0,), (1, True), (-1, False)):
        yield case("sort", x.clone().requires_grad_(), *args)
        yield case("argsort", x, *args)
    yield case("sort", leaf(3, 2), stable=True, dim=0, descending=True)
    yield case("sort", torch.tensor(2.0))
    for dtype in (torch.bool, torch.int8, torch.uint8, torch.int64, torch.float16, torch.bfloat16):
        yield case("sort", torch.tensor([3, 0, 2, 0, 7, 3, 1]).to(dtype), stable=True)
    yield case("msort", leaf(4, 2))
    for k, dim, largest in ((1, -1, True), (2, 0, False), (3, 1, True), (0, 1, True)):
        yield case("topk", leaf(3, 4), k, dim, largest)
    yield case("topk", torch.tensor(3.0), 1)
    a = torch.tensor([[1, 2, 1], [1, 2, 1], [0, 2, 1], [1, 2, 1]])
    for dim in (None, 0, 1):
        for f in ("unique", "unique_consecutive"):
            yield case(f, a, return_inverse=True, return_counts=True, dim=dim)
            yield case(f, a, dim=dim, return_counts=True)
    yield case("unique", torch.tensor([nan, 1, nan, 0, -0.0]), return_counts=True)
    yield case("unique", torch.zeros(2, 0), return_inverse=True, return_counts=True)
    yield case("unique", torch.tensor([True, False, True]), return_inverse=True)


def searched():
    b = torch.tensor([1.0, 3, 3, 5])
    v = torch.tensor([[0.0, 1, 2], [3, 5, nan]])
    for right in (False, True):
        yield case("searchsorted", b, v, right=right)
        yield case("bucketize", v, b, right=right, out_int32=True)
    yield case("searchsorted", b, 2)
    yield case("searchsorted", b, v.double(), side="right")
    yield case("searchsorted", torch.stack([b, b + 1]), torch.tensor([[3.0, 0], [3, 9]]))
    yield case("searchsorted", b[[3, 0, 2, 1]], v, sorter=torch.tensor([1, 2, 3, 0]))
    x = torch.tensor([0.5, 1, 1, 2, 3, 9, -1])
    for args in ((3,), (4, 0, 3), (2, 1, 1)):
        yield case("histc", x, *args)
    yield case("histc", torch.ones(3, dtype=torch.float16), 3)
    yield case("histogram", x, 3)
    yield case("histogram", x, 4, range=(0.0, 3.0), density=True)
    yield case("histogram", x, torch.tensor([0.0, 1, 2.5]), weight=torch.arange(7.0))
    yield case("histogramdd", torch.tensor([[0.0, 1], [1, 0], [1, 2], [4, 4]]), [2, 3])
    yield case("histogramdd", torch.tensor([[0.0, 1], [1, 0], [1, 2]]), [torch.tensor([0.0, 1]), torch.tensor([0.0, 1, 2])])
    yield case("bincount", torch.tensor([1, 4, 1]))
    yield case("bincount", torch.tensor([1, 4, 1]), torch.tensor([0.5, 1, 2]), minlength=7)
    yield case("bincount", torch.tensor([1, 0], dtype=torch.uint8), torch.tensor([3, 4]))
    yield case("isin", v, b)
    yield case("isin", v, 3, invert=True)
    yield case("isin", torch.tensor([1, 2]), torch.tensor([2.0, 7]))
    yield case("unravel_index", torch.tensor([5, 11, -1]), (3, 4))


def contracted():
    a, b, c = leaf(2, 3), leaf(3, 4), leaf(2, 3, 3)
    for equation, *operands in (
        ("ij,jk->ik", a, b), ("ij,jk", a, b), ("ij->ji", a), ("ij->", a), ("ij->j", a), ("bii->b", c), ("bii->bi", c),
        ("bij,jk->bik", c, b), ("...ij,jk", c, b), ("b...,b...->...", c, c), ("i,j->ij", leaf(2), leaf(3)),
        ("ij,ij,ij->i", a, a, a), ("bij,bjk,kl->bil", c, c, b), ("ij, kj -> ik", a, a), ("ij,jk->ik", a, leaf(1, 4)),
        ("ba", a), ("aB", a), ("...", a), ("i...->...i", c), ("bij,bij->b", c, c), ("ii", leaf(3, 3)), ("i,i", leaf(3), leaf(3)),
        ("...i,...i->...", c, leaf(3)), ("bi,bij->bj", leaf(2, 3), c),
    ):
        yield case("einsum", equation, *operands)
    yield case("einsum", a, [0, 1], b, [1, 2], [2, 0])
    yield case("einsum", a, [Ellipsis, 1], b, [1, 2])
    yield case("tensordot", c, b, 1)
    yield case("tensordot", c, c, ([0, 2], [0, 1]))
    yield case("tensordot", a, b, 0)
    yield case("kron", a, leaf(2))
    yield case("kron", leaf(2, 1), b)
    yield case("cross", a, leaf(2, 3))
    yield case("cross", leaf(1, 3, 2), leaf(4, 3, 1), 1)
    yield case("trace", b)
    yield case("trace", torch.arange(6).reshape(2, 3).int())
    yield case("vander", torch.tensor([1.0, 2, 3]))
    yield case("vander", torch.tensor([1, 2]), 4, True)
    for p in (0.0, 0.5, 1.0, 2.0, 3.0, inf):
        yield case("cdist", leaf(2, 3, 2), leaf(4, 2), p)
    yield case("cdist", leaf(2, 3), leaf(3, 3), 2.0, "use_mm_for_euclid_dist")
    yield case("cov", leaf(3, 5))
    yield case("cov", leaf(2, 4), correction=0, fweights=torch.tensor([1, 2, 0, 3]), aweights=torch.tensor([0.5, 1, 1, 2]).double())
    yield case("cov", leaf(4))
    yield case("cov", torch.arange(6).reshape(2, 3))
    yield case("corrcoef", torch.randn(3, 5, dtype=torch.float64))


def refused():
    x, i = torch.zeros(3, 4), torch.tensor([0, 2])
    m = x.bool()
    calls = [
        ("at", x, 5), ("at", x, 0, 0, 0), ("at", x, 0, 4), ("at", x, torch.tensor([5])), ("at", x, i, torch.tensor([0, 1, 2])),
        ("at", x, m[0, :2]), ("at", x, slice(None), m[0, :2]), ("at", x, torch.tensor([1.5])), ("at", x, slice(None, None, -1)),
        ("at", x, slice(None, None, 0)), ("at", x, None, 5), ("at", torch.tensor(3.0), 0), ("at", torch.tensor(3.0), slice(0, 1)),
        ("at", torch.zeros(0, 3), torch.tensor([0])), ("at", torch.tensor(3.0), m[0, :1]),
        ("setAt", x, [0], torch.ones(3)), ("setAt", x, [i], torch.ones(3)), ("setAt", x, [i], torch.ones(2, 4).double()), ("setAt", x, [0], "a"),
        ("gather", x, 0, i), ("gather", x, 1, x), ("gather", x, 1, torch.tensor([[5]])), ("gather", x, 0, places(1, 2, 5)), ("gather", x, 5, places(1, 2, 2)),
        ("scatter", x, 0, i, x), ("scatter", x, 0, torch.tensor([[5]]), x), ("scatter", x, 0, places(1, 1, 1), x.double()), ("scatter", x, 0, places(1, 2, 5), x),
        ("scatter_reduce", x, 0, places(1, 1, 1), x, "foo"), ("index_select", x, 0, torch.tensor([5])), ("index_select", x, 0, torch.tensor([1.0])),
        ("index_select", x, 0, places(1, 1, 1)), ("index_add", x, 0, i, x), ("index_add", x, 0, torch.tensor([5]), x[:1]), ("index_add", x, 0, i, x[:2].double()),
        ("index_copy", x, 0, i, x), ("index_copy", x, 0, i, x[0]), ("index_copy", x, 0, i, x[:2].double()), ("index_fill", x, 0, torch.tensor([5]), 1), ("index_fill", x, 0, i.int(), 1),
        ("index_reduce", x, 0, i, x[:2], "foo"), ("index_put", x, [torch.tensor([5])], torch.tensor(1.0)), ("index_put", x, [i, i, i], torch.ones(3)),
        ("take", x, torch.tensor([12])), ("take", x, torch.tensor([1.0])), ("put", x, torch.tensor([12]), torch.ones(1)), ("put", x, i, torch.ones(1)),
        ("take_along_dim", x, torch.tensor([5]), 1), ("masked_select", x, x), ("masked_scatter", x, x == 0, x[0]), ("masked_scatter", x, x, x), ("masked_select", x, torch.ones(3, 5).bool()),
        ("sort", x, 5), ("sort", x.cfloat()), ("topk", x, 5), ("topk", m, 1), ("unique", torch.zeros(0, 3), True, False, False, 1),
        ("searchsorted", torch.ones(2, 3), torch.ones(3)), ("searchsorted", torch.ones(2, 3), 2.0), ("bucketize", x, torch.ones(2, 2)), ("histc", x, 3, 3, 1), ("histc", x.long(), 3),
        ("histogram", x, 0), ("histogram", x, torch.ones(2, 2)), ("histogramdd", x[0], [2]), ("bincount", torch.tensor([-1])), ("bincount", x[0]), ("bincount", i, torch.ones(3)),
        ("einsum", "ij,jk->ik", x, x), ("einsum", "ij,jk", x), ("einsum", "ij->ijk", x), ("einsum", "ij->iij", x), ("einsum", "i1->i", x), ("einsum", "i->i", x), ("einsum", "ii->i", x),
        ("einsum", ".i->i", x), ("einsum", "......ij", x), ("einsum", "ij", x, x), ("tensordot", x, x, 3), ("tensordot", x, x, 1), ("tensordot", x, x.double()),
        ("cross", x[0], x[0]), ("cross", x, x, 1), ("trace", x[0]), ("vander", x), ("cdist", x, x[0]), ("cdist", x, x.t()), ("cdist", x, x, -1.0),
        ("cov", torch.zeros(2, 2, 2)), ("cov", m), ("unravel_index", x, (2, 3)), ("unravel_index", i, (2, -3)),
    ]
    for c in calls:
        if any(isinstance(a, torch.Tensor) and a.is_complex() for a in c):
            continue  # JSON has no complex numbers
        yield case(*c)


def main():
    target, *rest = sys.argv[1:]
    seed, count = (int(rest[1]), int(rest[2])) if rest else (0, 120)
    torch.manual_seed(seed)
    random.seed(seed)
    groups = {"random": [random_case() for _ in range(count)]}
    if not rest:
        for family in (slices, scattered, masked, ordered, searched, contracted, refused):
            groups[family.__name__] = list(family())
    with open(f"{target}/indexing.json", "w") as f:
        f.write("{\n" + ",\n".join(f'"{k}": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in v) + "\n]" for k, v in groups.items()) + "\n}\n")


main()
