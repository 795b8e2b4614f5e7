"""Writes goldens of reductions, scans, normalisations and losses: values, gradients and gradients of gradients of real PyTorch.

    python scripts/goldens/reductions.py test/goldens

Each case: the call, its tensors (dtype, shape, values; `grad` where it requires one), arguments and keywords (tensors as
{"$t": index}), the outputs, the gradients of sum(output * weights) with weights 1, 2, 3, ... / n, and those of the sum of
squares of these gradients. Numbers that JSON lacks are strings.
"""
import json
import math
import sys
import warnings

import torch
import torch.nn.functional as F

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
        tensors.append(v)
        return {"$t": len(tensors) - 1}
    if isinstance(v, torch.dtype):
        return {"$dtype": str(v)[6:]}
    if isinstance(v, (list, tuple)):
        return [encode(x, tensors) for x in v]
    return plain(v)


def resolve(name):
    f = torch
    for part in name.split("."):
        f = getattr(f, part)
    return f


def weights_like(t):
    n = max(t.numel(), 1)
    return (torch.arange(1, t.numel() + 1, dtype=t.dtype) / n).reshape(t.shape)


def case(name, *args, **kwargs):
    tensors = []
    record = {"call": name, "args": encode(args, tensors), "kwargs": {k: encode(v, tensors) for k, v in kwargs.items()}}
    record["tensors"] = [{**dump(t), **({"grad": True} if t.requires_grad else {})} for t in tensors]
    out = resolve(name)(*args, **kwargs)
    outs = list(out) if isinstance(out, tuple) else [out]
    record["out"] = [dump(t) for t in outs]
    wanted = [t for t in tensors if t.requires_grad]
    used = [t for t in outs if t.requires_grad]
    if wanted and used:
        record["node"] = used[0].grad_fn.name()
        total = sum((t * weights_like(t)).sum() for t in used)
        grads = torch.autograd.grad(total, wanted, create_graph=True, allow_unused=True)
        record["grads"] = [None if g is None else dump(g) for g in grads]
        squares = [g.square().sum() for g in grads if g is not None and g.requires_grad]
        # Where the first gradient has a kink or a bound, the second is an accident of the formula.
        kink = name in ("linalg.vector_norm", "nn.functional.binary_cross_entropy") and any((t == 0).any() for t in wanted)
        if squares and not kink:
            try:
                second = torch.autograd.grad(sum(squares), wanted, allow_unused=True)
                record["second"] = [None if g is None else dump(g) for g in second]
            except (RuntimeError, NotImplementedError):
                pass
    return record


def error(name, *args, **kwargs):
    tensors = []
    record = {"call": name, "args": encode(args, tensors), "kwargs": {k: encode(v, tensors) for k, v in kwargs.items()}}
    record["tensors"] = [dump(t) for t in tensors]
    try:
        resolve(name)(*args, **kwargs)
    except Exception as e:  # noqa: BLE001
        record["error"] = [type(e).__name__, str(e).split("\n")[0]]
    else:
        raise AssertionError(f"{name} did not fail")
    return record


def x(*shape, dtype=torch.float64, grad=True):
    return torch.randn(shape, dtype=dtype).requires_grad_(grad)


def t(data, dtype=torch.float64, grad=True):
    v = torch.tensor(data, dtype=dtype)
    return v.requires_grad_() if grad and dtype.is_floating_point else v


def reductions():
    ties = [[1.0, 3.0, 3.0], [2.0, 2.0, -1.0]]
    zeros = [[1.0, 0.0, 3.0], [0.0, 2.0, 0.0]]
    extremes = [[inf, -inf, 1.0], [nan, 1.0, -0.0], [1e4, -1e4, 0.0]]
    for name in ("sum", "mean", "var", "std", "prod", "amax", "amin", "max", "min", "logsumexp", "median", "nansum", "nanmean", "norm"):
        whole = name != "logsumexp"
        dim = {} if name != "norm" else {"p": 2}
        if whole:
            yield case(name, x(3, 4), **dim)
        yield case(name, x(3, 4), dim=1, keepdim=True, **dim)
        yield case(name, t(ties), dim=0, **dim)
        yield case(name, t(extremes, grad=False), dim=1, **dim)
        yield case(name, x(2, 5, dtype=torch.float32).detach().bfloat16(), dim=1, **dim)
        if name in ("sum", "prod", "amax", "amin", "max", "min", "median", "nansum"):
            yield case(name, torch.tensor([[3, -7, 2], [5, 5, 0]], dtype=torch.int32), dim=1)
    for name in ("prod", "cumprod"):
        yield case(name, t(zeros), 1)
        yield case(name, t(zeros), 0)
    yield case("prod", t(zeros))
    yield case("prod", t([1.0, 0.0, 3.0]))
    for name in ("var_mean", "std_mean"):
        yield case(name, x(3, 4), dim=0, correction=0)
        yield case(name, x(3, 4))
    yield case("std", t([2.0, 2.0, 2.0]))
    yield case("var", x(4), correction=2)
    yield case("var", x(1))
    for name in ("argmax", "argmin"):
        yield case(name, t(ties, grad=False))
        yield case(name, t(extremes, grad=False), dim=1)
    for name in ("all", "any"):
        yield case(name, torch.tensor([[0, 2], [0, 0]], dtype=torch.uint8), dim=1)
        yield case(name, torch.tensor([[True, False], [True, True]]))
    yield case("count_nonzero", t(zeros, grad=False), dim=1)
    yield case("aminmax", t(ties), dim=1)
    for p in (0, 0.5, 1, 1.5, 2, 3, inf, -inf):
        yield case("linalg.vector_norm", t([[1.0, -2.0, 3.0], [3.0, 4.0, -0.5]]), p, dim=1)
        if p:
            yield case("linalg.vector_norm", t([0.0, 0.0, 0.0]), p)
    for ord in ("fro", 1, -1, inf, -inf):
        yield case("linalg.matrix_norm", x(2, 3, 4), ord)
    for name in ("cumsum", "logcumsumexp", "cummax", "cummin"):
        yield case(name, x(3, 4), 1)
        yield case(name, t(ties), 0)
    yield case("logcumsumexp", t([1e4, -1e4, 1.0, 1e4]), 0)
    yield case("cumsum", torch.tensor([True, True, False]), 0)
    for name in ("median", "nanmedian", "mode"):
        yield case(name, t(ties), 1)
        if name != "mode":  # sorts without an order for NaN
            yield case(name, t(extremes, grad=False), 1)
    yield case("kthvalue", x(3, 4), 2, 1)
    for how in ("linear", "lower", "higher", "midpoint", "nearest"):
        yield case("quantile", x(3, 4), t([0.1, 0.6, 1.0], grad=False), dim=1, interpolation=how)
    yield case("nanquantile", t([[nan, 1.0, 3.0], [nan, nan, nan]], grad=False), 0.4, dim=1)
    yield case("trapezoid", x(3, 4), dx=0.5)
    yield case("trapezoid", x(3, 4), x(4))
    yield case("cumulative_trapezoid", x(3, 4), dim=0)
    yield case("diff", x(3, 4), 2, 1, x(3, 1))
    yield case("dist", x(3, 4), x(4), 3)
    yield case("renorm", x(3, 4), 2, 0, 1.0)
    empty = torch.ones(0, 3)
    for name in ("amax", "amin", "max", "min", "argmax", "argmin", "median", "mode", "kthvalue"):
        yield error(name, empty, *([1] if name == "kthvalue" else []), dim=0)
    for name in ("max", "argmax", "amax", "aminmax"):
        yield error(name, empty)
    whole = torch.ones(2, 3, dtype=torch.int64)
    for name in ("mean", "var", "norm", "nanmean", "quantile"):
        yield error(name, whole, *([0.5] if name == "quantile" else []))
    yield error("sum", empty, [0, 0])
    yield error("cumsum", empty, 2)
    yield error("kthvalue", torch.ones(2, 3), 4)
    yield error("quantile", torch.ones(3), 2.0)
    yield error("linalg.vector_norm", empty, inf, 0)


def losses():
    f = "nn.functional."
    for name in ("softmax", "log_softmax", "softmin"):
        yield case(f + name, x(3, 4), dim=1)
        yield case(f + name, x(2, 3, 2), dim=1)
    yield case(f + "softmax", t([[1e4, -1e4, 0.0], [-inf, 1.0, 2.0]]), dim=1)
    yield case(f + "log_softmax", t([[1e4, -1e4, 0.0], [-inf, 1.0, 2.0]], grad=False), dim=1)
    labels = torch.tensor([1, 0, 3, 2])
    weight = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    for name in ("cross_entropy", "nll_loss"):
        for how in ("mean", "sum", "none"):
            yield case(f + name, x(4, 4), labels, reduction=how)
            yield case(f + name, x(4, 4), labels, weight=weight, ignore_index=3, reduction=how)
        yield case(f + name, x(2, 3, 2, 2), torch.tensor([[[0, 1], [2, 0]], [[1, 1], [0, 2]]]))
        yield case(f + name, x(2, 3, 4), torch.tensor([[0, 1, 2, 2], [1, -100, 0, 2]]), reduction="none")
        yield case(f + name, x(3), torch.tensor(1))
        yield error(f + name, torch.ones(2, 5), torch.tensor([1, 7]))
        yield error(f + name, torch.ones(2, 5), torch.tensor([1]))
    for how in ("mean", "sum", "none"):
        yield case(f + "cross_entropy", x(4, 4), labels, weight=weight, label_smoothing=0.2, ignore_index=3, reduction=how)
        yield case(f + "cross_entropy", x(4, 4), x(4, 4, grad=False).softmax(1), weight=weight, label_smoothing=0.1, reduction=how)
    yield case(f + "cross_entropy", x(2, 3, 4), torch.tensor([[0, 1, 2, 2], [1, -100, 0, 2]]), label_smoothing=0.1)
    yield case(f + "cross_entropy", t([[1e4, -1e4, 0.0], [0.0, 1e4, -1e4]]), torch.tensor([0, 0]))
    yield case(f + "cross_entropy", x(2, 3, dtype=torch.float32, grad=False).half(), torch.tensor([0, 2]))
    yield error(f + "cross_entropy", torch.ones(2, 5), torch.tensor([1, 1]), label_smoothing=2.0)
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        for how in ("mean", "sum", "none"):
            yield case(f + name, x(3, 4), x(3, 4), reduction=how)
        yield case(f + name, t([0.0, 1.0, 1e4]), t([0.0, 0.0, 0.5]), reduction="none")
    yield case(f + "soft_margin_loss", x(3, 4), x(3, 4, grad=False).sign())
    probabilities = torch.rand(3, 4, dtype=torch.float64).requires_grad_()
    targets = torch.rand(3, 4, dtype=torch.float64)
    yield case(f + "binary_cross_entropy", probabilities, targets, weight=torch.rand(4, dtype=torch.float64))
    yield case(f + "binary_cross_entropy", t([0.0, 1.0, 0.5]), t([1.0, 0.0, 1.0], grad=False), reduction="none")
    yield error(f + "binary_cross_entropy", torch.tensor([2.0]), torch.tensor([1.0]))
    yield case(f + "binary_cross_entropy_with_logits", x(3, 4), targets, pos_weight=weight)
    yield case(f + "binary_cross_entropy_with_logits", t([1e4, -1e4, 0.0]), t([0.0, 1.0, 1.0], grad=False), reduction="none")
    for log_target in (False, True):
        yield case(f + "kl_div", x(3, 4), targets.log() if log_target else targets, reduction="batchmean", log_target=log_target)
    yield case(f + "poisson_nll_loss", x(3, 4), targets * 5, full=True)
    yield case(f + "gaussian_nll_loss", x(3, 4), x(3, 4), probabilities, full=True)
    signs = torch.tensor([1, -1, 1])
    yield case(f + "hinge_embedding_loss", x(3), signs)
    yield case(f + "margin_ranking_loss", x(3), x(3), signs, margin=0.5)
    yield case(f + "cosine_embedding_loss", x(3, 4), x(3, 4), signs, margin=0.2)
    yield case(f + "multi_margin_loss", x(4, 4), labels, p=2, weight=weight)
    yield case(f + "multilabel_margin_loss", x(2, 4), torch.tensor([[3, 0, -1, 1], [1, -1, 2, 2]]))
    yield case(f + "multilabel_soft_margin_loss", x(3, 4), (targets > 0.5).double())
    yield case(f + "triplet_margin_loss", x(3, 4), x(3, 4), x(3, 4), swap=True)
    log_probs = x(5, 2, 4, grad=False).log_softmax(2).requires_grad_()
    lengths = torch.tensor([5, 4])
    for how in ("mean", "sum", "none"):
        yield case(f + "ctc_loss", log_probs, torch.tensor([[1, 2], [3, 3]]), lengths, torch.tensor([2, 2]), reduction=how)
    yield case(f + "ctc_loss", log_probs, torch.tensor([[1, 2, 3], [3, 3, 3]]), lengths, torch.tensor([3, 3]), zero_infinity=True)
    yield case(f + "linear_cross_entropy", x(4, 3), x(5, 3), labels, linear_bias=x(5))
    for name, extra in (("layer_norm", [[4]]), ("rms_norm", [[4]]), ("group_norm", [2])):
        yield case(f + name, x(3, 4) if name != "group_norm" else x(2, 4, 3), *extra)
        vectors = [x(4)] if name == "rms_norm" else [x(4), x(4)]
        yield case(f + name, x(3, 4) if name != "group_norm" else x(2, 4, 3), *extra, *vectors)
    yield case(f + "layer_norm", x(2, 3, 4), [3, 4], x(3, 4), x(3, 4))
    for training in (True, False):
        mean, var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
        yield case(f + "batch_norm", x(4, 3), mean.clone(), var.clone(), x(3), x(3), training)
        yield case(f + "batch_norm", x(2, 3, 5), mean.clone(), var.clone(), x(3), x(3), training)
    yield case(f + "instance_norm", x(2, 3, 4))
    yield case(f + "local_response_norm", x(2, 5, 3), 3)
    yield case(f + "normalize", x(3, 4), dim=1)
    yield error(f + "batch_norm", torch.ones(1, 3), None, None, None, None, True)
    yield error(f + "layer_norm", torch.ones(2, 3), [4])
    yield error(f + "group_norm", torch.ones(2, 3), 2)


if __name__ == "__main__":
    for name, cases in (("reductions", reductions), ("losses", losses)):
        torch.manual_seed(0)
        with open(f"{sys.argv[1]}/{name}.json", "w") as out:
            out.write("[\n" + ",\n".join(json.dumps(c) for c in cases()) + "\n]\n")
