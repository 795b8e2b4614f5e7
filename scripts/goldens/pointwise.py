"""Writes test/goldens/pointwise.json.gz: every pointwise op of PyTorch on special and random values, forward in
float64, float32, int64, int32, uint8 and bool, first and second gradients in the floating types, and what PyTorch
says where it refuses a dtype.

    python scripts/goldens/pointwise.py
"""
import base64
import gzip
import json
import pathlib
import warnings

import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
OUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "goldens" / "pointwise.json.gz"

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1e-8, -1e-8, 3.0, -3.0, 6.0, 20.5, -20.5, 1e4, -1e4, INF, -INF, NAN]
CROSSED = [0.0, -0.0, 1.0, -1.5, 2.0, 1e4, INF, -INF, NAN]

UNARY = """neg negative positive reciprocal abs absolute sign sgn square sqrt rsqrt deg2rad rad2deg frac trunc fix floor
ceil round logit sinc signbit isnan isinf isfinite isposinf isneginf isreal logical_not bitwise_not exp exp2 expm1 log log2
log10 log1p sin cos tan asin arcsin acos arccos atan arctan sinh cosh tanh asinh arcsinh acosh arccosh atanh arctanh erf erfc
erfinv lgamma digamma i0 nan_to_num relu selu celu sigmoid frexp
special.entr special.erfcx special.i0e special.i1 special.i1e special.ndtr special.ndtri special.log_ndtr special.expit
special.gammaln special.psi special.bessel_j0 special.bessel_j1 special.bessel_y0 special.bessel_y1
special.modified_bessel_i0 special.modified_bessel_i1 special.modified_bessel_k0 special.modified_bessel_k1
special.scaled_modified_bessel_k0 special.scaled_modified_bessel_k1 special.spherical_bessel_j0 special.airy_ai
nn.functional.relu nn.functional.relu6 nn.functional.leaky_relu nn.functional.elu nn.functional.gelu nn.functional.silu
nn.functional.mish nn.functional.softplus nn.functional.softsign nn.functional.tanhshrink nn.functional.hardtanh
nn.functional.hardsigmoid nn.functional.hardswish nn.functional.hardshrink nn.functional.softshrink
nn.functional.logsigmoid""".split()

BINARY = """add sub subtract mul multiply div divide true_divide pow float_power remainder fmod floor_divide hypot copysign
nextafter maximum minimum fmax fmin ldexp heaviside xlogy gcd lcm logaddexp logaddexp2 atan2 arctan2 isclose eq ne lt le gt
ge not_equal less less_equal greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
bitwise_left_shift bitwise_right_shift rsub igamma igammac clamp_min clamp_max special.xlog1py special.zeta""".split()

# Name, arguments ("x", "y", "z": tensors, "m": a mask), keywords.
OTHERS = [
    *[(n, ["x", s], {}) for n in ("add", "mul", "remainder", "fmod", "floor_divide", "pow", "eq", "lt") for s in (2, -1.5)],
    *[(n, [s, "x"], {}) for n in ("pow", "sub", "div", "remainder", "xlogy", "bitwise_and") for s in (2, 3)],
    *[("pow", ["x", s], {}) for s in (0, 1, 3, 0.5, -1, -2, 2.5)],
    *[("div", ["x", s], {"rounding_mode": r}) for r in ("trunc", "floor") for s in ("y", 2)],
    ("add", ["x", "y"], {"alpha": 3}),
    ("sub", ["x", "y"], {"alpha": 0.5}),
    ("rsub", ["x", 2], {"alpha": 2}),
    ("bitwise_and", ["x", 6], {}),
    ("bitwise_left_shift", ["x", 3], {}),
    ("bitwise_right_shift", ["x", 2], {}),
    ("copysign", ["x", -2], {}),
    ("xlogy", ["x", 2], {}),
    ("addcmul", ["x", "y", "z"], {"value": 0.5}),
    ("addcdiv", ["x", "y", "z"], {"value": 0.5}),
    ("lerp", ["x", "y", 0.25], {}),
    ("lerp", ["x", "y", "z"], {}),
    ("clamp", ["x", -1, 2], {}),
    ("clamp", ["x"], {"min": 0.5}),
    ("clamp", ["x"], {"max": 1}),
    ("clamp", ["x", "y", "z"], {}),
    ("clip", ["x", "y"], {}),
    ("clamp_min", ["x", 1], {}),
    ("clamp_max", ["x", 1], {}),
    ("where", ["m", "x", "y"], {}),
    ("where", ["m", "x", 1], {}),
    ("where", ["m", 0, "y"], {}),
    ("masked_fill", ["x", "m", 2.5], {}),
    ("round", ["x"], {"decimals": 2}),
    ("round", ["x"], {"decimals": -1}),
    ("logit", ["x", 0.1], {}),
    ("nan_to_num", ["x", 1.0, 2.0, -2.0], {}),
    ("isclose", ["x", "y"], {"rtol": 0.5, "atol": 0.25, "equal_nan": True}),
    ("mvlgamma", ["x", 3], {}),
    *[("polygamma", [n, "x"], {}) for n in (0, 1, 3)],
    ("threshold", ["x", 0.5, 2.0], {}),
    ("celu", ["x", 2.0], {}),
    ("nn.functional.elu", ["x"], {"alpha": 0.5}),
    ("nn.functional.celu", ["x"], {"alpha": 0.5}),
    ("nn.functional.selu", ["x"], {}),
    ("nn.functional.leaky_relu", ["x", 0.2], {}),
    ("nn.functional.gelu", ["x"], {"approximate": "tanh"}),
    ("nn.functional.softplus", ["x", 2.0, 5.0], {}),
    ("nn.functional.hardtanh", ["x", -0.5, 0.5], {}),
    ("nn.functional.hardshrink", ["x", 1.0], {}),
    ("nn.functional.softshrink", ["x", 1.0], {}),
    ("nn.functional.threshold", ["x", 0.5, 2.0], {}),
    *[
        (f"special.{n}", ["x", k], {})
        for n in torch.special.__all__
        if "polynomial" in n
        for k in (0, 1, 4)
    ],
]
CASES = (
    [(n, ["x"], {}) for n in UNARY]
    + [(n, ["x", "y"], {}) for n in BINARY]
    + OTHERS
)


def inputs(dtype, pairs):
    """The tensors that cases name, by dtype; crossed special values where there is more than one operand."""
    torch.manual_seed(0)
    if dtype.is_floating_point:
        special = torch.tensor(SPECIAL, dtype=dtype)
        left = torch.tensor([a for a in CROSSED for _ in CROSSED], dtype=dtype)
        right = torch.tensor([b for _ in CROSSED for b in CROSSED], dtype=dtype)
        random = lambda: torch.randn(15, dtype=dtype) * 2
        x = torch.cat([left, random()]) if pairs else torch.cat([special, random()])
        y = torch.cat([right, random()]) if pairs else x
    elif dtype == torch.bool:
        x, y = torch.tensor([0, 0, 1, 1], dtype=dtype), torch.tensor([0, 1, 0, 1], dtype=dtype)
    else:
        info = torch.iinfo(dtype)
        # The smallest integer is left out: PyTorch divides it by -1 with a machine trap.
        values = [v for v in (0, 1, 2, 3, 7, -1, -2, -7, 63, 64, info.min + 1, info.max) if v >= info.min]
        left = [a for a in values for _ in values] if pairs else values
        right = [b for _ in values for b in values] if pairs else values
        x, y = torch.tensor(left, dtype=dtype), torch.tensor(right, dtype=dtype)
    z = y.roll(3)
    return {"x": x, "y": y, "z": z, "m": torch.arange(len(x)) % 3 == 0}


def packed(x):
    return {"dtype": str(x.dtype)[6:], "data": base64.b64encode(x.detach().contiguous().numpy(force=True).tobytes()).decode()}


def resolve(name):
    f = torch
    for part in name.split("."):
        f = getattr(f, part)
    return f


def run(name, arguments, keywords, dtype):
    """One case: the result, or what PyTorch raises; gradients of floating results."""
    tensors = inputs(dtype, len([a for a in arguments if a in ("x", "y", "z")]) > 1)
    case = {"call": name, "args": arguments, "kwargs": keywords, "in": str(dtype)[6:]}
    differentiable = dtype.is_floating_point
    used = sorted({a for a in arguments if a in ("x", "y", "z")})
    leaves = {k: tensors[k].clone().requires_grad_(differentiable) for k in used}
    values = [leaves.get(a, tensors["m"]) if a in ("x", "y", "z", "m") else a for a in arguments]
    try:
        out = resolve(name)(*values, **keywords)
    except (RuntimeError, TypeError, ValueError) as error:
        message = str(error).split("\n")[0]
        return None if "invalid combination" in message or isinstance(error, TypeError) else {**case, "error": message}
    outs = [out] if isinstance(out, torch.Tensor) else list(out)
    case["out"] = [packed(o) for o in outs]
    first = outs[0]
    if not first.requires_grad:
        return case
    if first.grad_fn is not None:
        case["node"] = type(first.grad_fn).__name__
    cotangent = (torch.arange(first.numel()) % 5 * 0.5 - 0.75).to(first.dtype)
    try:
        grads = torch.autograd.grad(first, list(leaves.values()), cotangent, create_graph=True, allow_unused=True)
    except RuntimeError:
        return {k: v for k, v in case.items() if k != "node"}
    case["grad"] = [None if g is None else packed(g) for g in grads]
    total = sum((g * 0.5).sum() for g in grads if g is not None and g.requires_grad)
    if isinstance(total, torch.Tensor) and total.requires_grad and dtype == torch.float64:
        try:
            second = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
            case["gradgrad"] = [None if g is None else packed(g) for g in second]
        except RuntimeError:
            pass
    return case


def main():
    dtypes = [torch.float64, torch.float32, torch.int64, torch.int32, torch.uint8, torch.bool]
    cases = []
    for name, arguments, keywords in CASES:
        for dtype in dtypes:
            case = run(name, arguments, keywords, dtype)
            if case is not None:
                cases.append(case)
    ins = {
        f"{str(d)[6:]} {'pairs' if pairs else 'single'}": {k: packed(v) for k, v in inputs(d, pairs).items()}
        for d in dtypes
        for pairs in (False, True)
    }
    text = json.dumps({"torch": torch.__version__.split("+")[0], "inputs": ins, "cases": cases}, separators=(",", ":"))
    OUT.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(cases)} cases, {OUT.stat().st_size} bytes")


main()
