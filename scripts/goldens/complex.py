"""Writes test/goldens/complex.json: complex arithmetic of PyTorch, forward with first and second gradients in complex128,
and forward in complex64.

    python scripts/goldens/complex.py
"""
import json
import pathlib
import warnings

import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.manual_seed(0)
OUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "goldens" / "complex.json"

UNARY = """neg positive reciprocal abs sgn square sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan
sinh cosh tanh asinh acosh atanh sinc sigmoid angle conj conj_physical real imag isreal isnan isinf isfinite logical_not
view_as_real sum mean prod var std norm count_nonzero all any""".split()
BINARY = "add sub mul div pow eq ne isclose logaddexp logical_and logical_or logical_xor float_power dot vdot".split()
CALLS = [
    *[[name, "x"] for name in UNARY],
    *[[name, "x", "y"] for name in BINARY],
    *[[name, "x", "r"] for name in ("add", "sub", "mul", "div", "pow", "eq")],
    *[[name, "r", "x"] for name in ("add", "sub", "mul", "div", "pow")],
    *[[name, "x", [0.5, -2.0]] for name in ("add", "mul", "div", "pow", "eq")],
    *[[name, "r", [0.5, -2.0]] for name in ("add", "mul", "div", "pow")],
    *[["pow", "x", p] for p in (0, 1, 2, 3, 0.5, -1, 2.5)],
    ["pow", 2, "x"],
    ["sub", "x", "y", {"alpha": [0.0, 1.0]}],
    ["where", "m", "x", "y"],
    ["where", "m", "x", "r"],
    ["masked_fill", "x", "m", [1.0, 2.0]],
    ["lerp", "x", "y", 0.3],
    ["lerp", "x", "y", "z"],
    ["addcmul", "x", "y", "z"],
    ["addcdiv", "x", "y", "z"],
    ["cumsum", "x", 0],
    ["cumprod", "x", 0],
    ["logcumsumexp", "x", 0],
    ["sum", "a", 1],
    ["prod", "a", 1],
    ["mean", "a", 0],
    ["matmul", "a", "b"],
    ["matmul", "a", "v"],
    ["mm", "a", "b"],
    ["polar", "p", "r"],
    ["complex", "r", "s"],
    ["linalg.vector_norm", "x"],
    ["linalg.vector_norm", "x", 3],
    ["linalg.norm", "a"],
    ["outer", "x", "y"],
    ["adjoint", "a"],
    ["allclose", "x", "x"],
    ["equal", "x", "y"],
]

N = 6
draw = lambda *shape: torch.randn(*shape, dtype=torch.complex128) * 1.3
INPUTS = {
    "x": draw(N), "y": draw(N), "z": draw(N), "a": draw(2, 3), "b": draw(3, 2), "v": draw(3),
    "r": torch.randn(N, dtype=torch.float64), "s": torch.randn(N, dtype=torch.float64), "p": torch.rand(N, dtype=torch.float64) + 0.5,
    "m": torch.tensor([True, False, True, False, False, True]),
}
INPUTS["x"][2] = 1.5  # on the real axis
SPECIAL = [complex(a, b) for a in (0.0, 1.0, -2.0, float("inf"), float("-inf"), float("nan")) for b in (0.0, -0.0, 0.5, float("inf"), float("nan"))]
SPECIAL_OPS = "exp log sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh abs angle sgn reciprocal isnan isinf isfinite".split()


def numbers(t):
    t = t.detach().resolve_conj().resolve_neg()
    flat = torch.view_as_real(t.contiguous()).flatten() if t.is_complex() else t.flatten()
    return [str(v) if isinstance(v, float) and not abs(v) < float("inf") else v for v in flat.tolist()]


def pack(t):
    if not isinstance(t, torch.Tensor):
        return {"value": t}
    return {"dtype": str(t.dtype).split(".")[1], "shape": list(t.shape), "data": numbers(t)}


def function(name):
    value = torch
    for part in name.split("."):
        value = getattr(value, part)
    return value


def operand(a, tensors):
    if isinstance(a, str):
        return tensors[a]
    return complex(*a) if isinstance(a, list) else a


def call(name, args, tensors):
    kwargs = {k: operand(v, tensors) for k, v in args[-1].items()} if isinstance(args[-1], dict) else {}
    plain = args[:-1] if isinstance(args[-1], dict) else args
    return function(name)(*[operand(a, tensors) for a in plain], **kwargs)


def weights(t):
    """A cotangent that the test can make, too: 1, 2, 3 ... times 1 - i/2."""
    w = torch.arange(1, t.numel() + 1, dtype=torch.float64).reshape(t.shape)
    return w * (1 - 0.5j) if t.is_complex() else w


def differentiate(case, name, args):
    tensors = {k: v.clone().requires_grad_(v.dtype != torch.bool) for k, v in INPUTS.items()}
    out = call(name, args, tensors)
    if not isinstance(out, torch.Tensor) or out.grad_fn is None:
        return
    wrt = [tensors[a] for a in dict.fromkeys(a for a in args if isinstance(a, str)) if a != "m"]
    try:
        grads = torch.autograd.grad(out, wrt, weights(out), create_graph=True)
    except RuntimeError as error:  # PyTorch gives a wrong dtype: nothing to compare with
        print(name, args, error)
        return
    case["node"] = out.grad_fn.name()
    case["grad"] = [pack(g) for g in grads]
    live = [g for g in grads if g.requires_grad]
    if live:
        second = torch.autograd.grad(live, wrt, [weights(g) for g in live], allow_unused=True)
        case["gradgrad"] = [None if g is None else pack(g) for g in second]


cases = []
for name, *args in CALLS:
    case = {"call": name, "args": args, "out": pack(call(name, args, INPUTS))}
    differentiate(case, name, args)
    narrow = {k: v if v.dtype == torch.bool else v.to(torch.complex64 if v.is_complex() else torch.float32) for k, v in INPUTS.items()}
    case["narrow"] = pack(call(name, args, narrow))
    cases.append(case)
special = torch.tensor(SPECIAL, dtype=torch.complex128)
golden = {
    "inputs": {k: pack(v) for k, v in INPUTS.items()},
    "cases": cases,
    "special": {"input": pack(special), "out": {name: pack(getattr(torch, name)(special)) for name in SPECIAL_OPS}},
}
OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
