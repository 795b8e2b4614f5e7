"""Writes test/goldens/create.json and random.json: what PyTorch gives for constructor, conversion and random calls.

Run with PyTorch 2.13:   python scripts/goldens/create.py

Each case is one Python expression, translated to the JavaScript call (`js`: keywords become a trailing object, ints as
data become bigints), evaluated after torch.manual_seed(0), and one of
  tensor   {dtype, shape, stride, bytes}: the elements in row-major order as hexadecimal little-endian bytes
  text     repr of a tensor
  value    a plain value
  error    [exception, message]
`close: true` marks values that depend on the last bit of a transcendental function.
"""

import ast
import json
import pathlib
import warnings

import torch

warnings.simplefilter("ignore")

DATA_CALLS = {"tensor", "full", "full_like", "new_full", "new_tensor", "as_tensor", "scalar_tensor"}


def js(node, data=False):
    """The JavaScript text of a Python expression."""
    if isinstance(node, ast.Expression):
        return js(node.body)
    if isinstance(node, ast.Constant):
        v = node.value
        if v is None or isinstance(v, bool):
            return {None: "null", True: "true", False: "false"}[v]
        if isinstance(v, complex):
            return f"new torch.Complex(0, {v.imag})"
        if isinstance(v, int):
            return f"{v}n" if data or abs(v) > 2**53 else str(v)
        return json.dumps(v)
    if isinstance(node, ast.UnaryOp):
        return f"-{js(node.operand, data)}"
    if isinstance(node, (ast.List, ast.Tuple)):
        return "[" + ", ".join(js(e, data) for e in node.elts) + "]"
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{js(node.value)}.{node.attr}"
    if isinstance(node, ast.BinOp):
        return js(ast.Constant(eval(ast.unparse(node))), data)
    if isinstance(node, ast.Subscript):
        return f"{js(node.value)}.at({', '.join(index(e) for e in (node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]))})"
    if isinstance(node, ast.Call):
        name = js(node.func)
        if name == "float":
            return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[node.args[0].value]
        short = name.split(".")[-1]
        is_data = short in DATA_CALLS
        sized = short in ("full", "new_full")
        args = [js(a, is_data and not (sized and i == 0)) for i, a in enumerate(node.args)]
        if node.keywords:
            args.append("{" + ", ".join(f"{k.arg}: {js(k.value, is_data and k.arg == 'fill_value')}" for k in node.keywords) + "}")
        return f"{'new ' if name in ('torch.Generator', 'torch.nn.Parameter') else ''}{name}({', '.join(args)})"
    raise ValueError(ast.dump(node))


def index(node):
    return json.dumps(ast.unparse(node)) if isinstance(node, ast.Slice) else js(node)


def tensor_record(t):
    t = t.detach()
    flat = t.contiguous().reshape(-1)
    raw = flat.view(torch.uint8) if flat.numel() else torch.empty(0, dtype=torch.uint8)
    return {
        "dtype": str(t.dtype).removeprefix("torch."),
        "shape": list(t.shape),
        "stride": list(t.stride()),
        "bytes": bytes(raw.tolist()).hex(),
    }


def run(expression, close=False, text=False):
    case = {"js": js(ast.parse(expression, mode="eval"))}
    torch.manual_seed(0)
    try:
        result = eval(expression)
    except Exception as e:  # the exception is the golden
        case["error"] = [type(e).__name__, str(e).split(", but expected one of")[0]]
        return case
    if text:
        case["text"] = repr(result)
    elif isinstance(result, torch.Tensor):
        case["tensor"] = tensor_record(result)
    else:
        exact = isinstance(result, torch.dtype) or (isinstance(result, int) and abs(result) > 2**53)
        case["value"] = list(result) if isinstance(result, tuple) else str(result) if exact else result
    if close:
        case["close"] = True
    return case


CREATE = """
torch.zeros(2, 3)
torch.zeros([2, 0])
torch.zeros(())
torch.ones(3, dtype=torch.bfloat16)
torch.ones(2, dtype=torch.complex64)
torch.ones(2, dtype=torch.bool)
torch.zeros(2.5)
torch.zeros('a')
torch.zeros(2, 'a')
torch.zeros()
torch.zeros(-1)
torch.ones(3, -1)
torch.zeros(2, out=torch.zeros(3), dtype=torch.int32)
torch.zeros(2, out=torch.ones(0, dtype=torch.int64))
torch.full((2,), 3.5)
torch.full((2,), 3)
torch.full((2,), True)
torch.full((2,), 1j)
torch.full((2,), 2.5, dtype=torch.int64)
torch.full((2,), 3, dtype=torch.bool)
torch.full((2,), -1, dtype=torch.uint8)
torch.full((2,), 300, dtype=torch.uint8)
torch.full((2,), -256, dtype=torch.uint8)
torch.full((2,), -0.5, dtype=torch.uint8)
torch.full((2,), 1e39)
torch.full((2,), 1e39, dtype=torch.float16)
torch.full((2,), float('inf'))
torch.full((2,), float('inf'), dtype=torch.int64)
torch.full((2,), float('nan'), dtype=torch.int64)
torch.full((2,), 1j, dtype=torch.float32)
torch.full((2,), 2**31, dtype=torch.int32)
torch.full((2,), 1e300, dtype=torch.cfloat)
torch.full(-1, 2)
torch.full((-1,), 2)
torch.eye(3)
torch.eye(3, 2, dtype=torch.int64)
torch.eye(2, dtype=torch.bool)
torch.eye(-1)
torch.eye(2, -1)
torch.empty_strided((2, 3), (1, 2)).stride()
torch.empty_strided((2,), (1, 2))
torch.empty(2, 3, 4, 5, memory_format=torch.channels_last).stride()
torch.empty(2, 3, memory_format=torch.channels_last)
torch.empty(2, 3, memory_format=torch.channels_last_3d)
torch.empty_permuted((2, 3, 4), (2, 0, 1)).stride()
torch.empty_permuted((2, 3, 4), (2, 0))
torch.empty_permuted((2, 3, 4), (2, 0, 0))
torch.empty_permuted((2, 3, 4), (2, 0, 5))
torch.arange(5)
torch.arange(5.5)
torch.arange(2, 8, 3)
torch.arange(5, 0, -2)
torch.arange(0, 1, 0.1)
torch.arange(0, 1, 0.1, dtype=torch.float64)
torch.arange(1, 2, 0.3, dtype=torch.float16)
torch.arange(0.5, 5, dtype=torch.int64)
torch.arange(0, 5, 1.5, dtype=torch.int64)
torch.arange(0, 5, 1.5, dtype=torch.int32)
torch.arange(2**53 + 1, 2**53 + 4)
torch.arange(5, 5)
torch.arange(5, 0)
torch.arange(0, 5, 0)
torch.arange(0, float('inf'))
torch.arange(0, float('nan'))
torch.arange(0, 5, 0.5, dtype=torch.int64)
torch.arange(0, 5, dtype=torch.bool)
torch.arange(0, 5, dtype=torch.cfloat)
torch.arange(0, 5, out=torch.empty(0, dtype=torch.float64))
torch.range(0, 1, 0.25)
torch.linspace(0, 1, 5)
torch.linspace(0, 1, 7)
torch.linspace(-3, 10, 11)
torch.linspace(0, 1, 7, dtype=torch.float64)
torch.linspace(0, 10, 5, dtype=torch.int64)
torch.linspace(-5, 5, 4, dtype=torch.int32)
torch.linspace(0, 1, 1)
torch.linspace(0, 1, 0)
torch.linspace(0, 1, -1)
torch.linspace(0, 1j, 3)
torch.linspace(0, 1j, 3, dtype=torch.float32)
torch.linspace(torch.tensor([1.0]), 2, 3)
torch.linspace(0, 1, 3, dtype=torch.bool)
torch.logspace(0, 2, 3)
torch.logspace(0, 2, 3, 2)
torch.logspace(0, 2, 3, base=-2)
torch.logspace(0, 2, 3, dtype=torch.int64)
torch.tril_indices(2, 4, 1)
torch.triu_indices(3, 2, -1, dtype=torch.int32)
torch.tril_indices(-1, 4, 1)
torch.triu_indices(3, 2, -1, dtype=torch.float32)
torch.scalar_tensor(3.5)
torch.scalar_tensor(True)
torch.scalar_tensor(1j)
torch.complex(torch.tensor([1.0, 2.0]), torch.tensor([[3.0], [4.0]]))
torch.complex(torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64))
torch.complex(torch.tensor([1]), torch.tensor([1]))
torch.polar(torch.tensor([1]), torch.tensor([1]))
torch.zeros_like(torch.zeros(2, 3).t()).stride()
torch.ones_like(torch.zeros(2, 3, dtype=torch.int16))
torch.full_like(torch.zeros(2, dtype=torch.uint8), 300)
torch.full_like(torch.zeros(2, dtype=torch.int64), 2.5)
torch.empty_like(torch.zeros(120).as_strided((2, 2, 4, 5), (60, 40, 5, 1)).transpose(0, 1)).stride()
torch.empty_like(torch.zeros(1, 3).expand(4, 3)).stride()
torch.empty_like(torch.zeros(4, 1).expand(4, 3)).stride()
torch.empty_like(torch.zeros(2, 1, 3).expand(2, 4, 3).permute(2, 1, 0)).stride()
torch.zeros_like(torch.zeros(2, 3).t(), memory_format=torch.contiguous_format).stride()
torch.zeros_like(torch.zeros(2, 3, 4, 5), memory_format=torch.channels_last).stride()
torch.zeros(2, dtype=torch.int64).new_zeros(2, 3)
torch.zeros(2, dtype=torch.int64).new_ones((2,), dtype=torch.float32)
torch.zeros(2, dtype=torch.int64).new_full((2,), 2.5)
torch.zeros(2, dtype=torch.int64).new_tensor([1.5])
torch.zeros(2).new_zeros((-1,))
torch.zeros(2).new_zeros(2.5)
torch.zeros(2).new_empty_strided((2,), (1, 2))
torch.tensor([[1.5, 2.0], [3.0, 4.0]])
torch.tensor([1, 2])
torch.tensor([1, 2.5])
torch.tensor([True, False])
torch.tensor([[], []])
torch.tensor([[1, 2], [3]])
torch.tensor([-1], dtype=torch.uint8)
torch.tensor([2.7], dtype=torch.uint8)
torch.tensor(None)
torch.tensor([1], requires_grad=True)
torch.zeros(2).type()
torch.zeros(2, dtype=torch.bfloat16).type()
torch.tensor([1.7, -1.7]).type('torch.IntTensor')
torch.zeros(2).type(3)
torch.zeros(2).type('torch.XTensor')
torch.tensor([1.7, -1.7]).long()
torch.tensor([1.7, 0.0]).bool()
torch.tensor([1.7, 70000.0]).half()
torch.tensor([1.7, 70000.0]).bfloat16()
torch.tensor([1.5, 2.0]).cdouble()
torch.zeros(2, 3).t().to(torch.int32).stride()
torch.zeros(2, 3).t().clone().stride()
torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last).stride()
torch.zeros(2, 3).contiguous(memory_format=torch.channels_last)
torch.zeros(2, 3).clone(memory_format=torch.channels_last)
torch.zeros(2, 3, 4, 5).contiguous(memory_format=torch.channels_last).is_contiguous(memory_format=torch.channels_last)
torch.zeros(2).copy_(torch.zeros(3))
torch.zeros(2).copy_(torch.zeros(3, 2))
torch.zeros(2).fill_(torch.zeros(2))
torch.fill(torch.zeros(2, 3).t(), 1.5)
torch.fill(torch.zeros(2, dtype=torch.int32), torch.tensor(2.5))
torch.fill(torch.zeros(2, dtype=torch.uint8), 300)
torch.zeros(2, dtype=torch.int8).fill_(300)
torch.zeros(2, dtype=torch.int64).fill_(float('inf'))
torch.zeros(3, 4).fill_diagonal_(1)
torch.zeros(7, 2).fill_diagonal_(1, wrap=True)
torch.zeros(2, 7).fill_diagonal_(1, wrap=True)
torch.zeros(3, 3, 3).fill_diagonal_(2)
torch.zeros(3).fill_diagonal_(1)
torch.zeros(3, 3, 4).fill_diagonal_(1)
torch.equal(torch.zeros(2), torch.zeros(2, dtype=torch.int64))
torch.equal(torch.tensor([float('nan')]), torch.tensor([float('nan')]))
torch.equal(torch.zeros(2), 3)
torch.allclose(torch.tensor([0.0, 1.0]), torch.tensor([1e-9, 1.00001]))
torch.zeros(2, 3, requires_grad=True).resize_(2)
torch.zeros(4).resize_(2, 2)
torch.zeros(2).set_(torch.zeros(4).untyped_storage(), 0, (2, 2), (2, 1))
torch.result_type(torch.zeros(2, dtype=torch.int32), 1.5)
torch.can_cast(torch.float64, torch.int32)
torch.promote_types(torch.int8, torch.uint8)
torch.is_floating_point(3)
torch.is_nonzero(torch.zeros(2))
torch.numel(torch.zeros(2, 3))
torch.iinfo(torch.bool)
torch.finfo(torch.int32)
torch.zeros(2).item()
torch.tensor([2.5]).item()
torch.cuda.is_available()
torch.cuda.current_device()
torch.set_num_threads(0)
torch.Tensor([1, 2])
torch.Tensor(3.5)
torch.Tensor('a')
torch.Tensor(-1)
torch.IntTensor([1.5, 2.0])
"""

TEXTS = """
torch.arange(10).reshape(2, 5)
torch.zeros(2, device='meta')
torch.rand(3, requires_grad=True)
torch.rand(3, requires_grad=True).mul(2)
torch.rand(2, 2, requires_grad=True).t()
torch.rand(40, 40, dtype=torch.float16)
torch.arange(4, dtype=torch.float32).bfloat16()
torch.rand(3, dtype=torch.complex64)
torch.nn.Parameter(torch.ones(2))
torch.tensor([[True], [False]])
torch.arange(2000)
torch.zeros(0, 3)
torch.tensor(1e10)
"""

RANDOM = """
torch.rand(5)
torch.rand(40)
torch.rand(7, dtype=torch.float64)
torch.rand(7, dtype=torch.float16)
torch.rand(7, dtype=torch.bfloat16)
torch.rand(3, dtype=torch.complex64)
torch.rand(3, 4, out=torch.empty(0, dtype=torch.float64))
torch.empty(3, 5).uniform_(-2, 3)
torch.empty(5, 3).t().uniform_(-2, 3)
torch.zeros(24).as_strided((4, 3), (6, 2)).uniform_()
torch.empty(2, 3, 4, 5, memory_format=torch.channels_last).uniform_()
torch.rand_like(torch.zeros(2, 3).t())
torch.rand(3, generator=torch.Generator().manual_seed(5))
torch.rand(3, generator=torch.Generator().manual_seed(-1))
torch.rand(3, generator=torch.Generator())
torch.randint(10, (8,))
torch.randint(-5, 10, (8,), dtype=torch.int16)
torch.randint(0, 2**40, (8,))
torch.randint(high=7, size=(4,), dtype=torch.float32)
torch.randint_like(torch.zeros(2, 3), 5)
torch.randint_like(torch.zeros(2, 3), 2, 5, dtype=torch.int64)
torch.randperm(20)
torch.randperm(20, dtype=torch.int32)
torch.randperm(0)
torch.empty(5).random_()
torch.empty(5).random_(10)
torch.empty(5, dtype=torch.int64).random_()
torch.empty(5, dtype=torch.int8).random_()
torch.empty(5, dtype=torch.uint8).random_(3, 200)
torch.empty(5, dtype=torch.float16).random_(0, 3000)
torch.empty(5).random_(-2**30, 2**30)
torch.empty(8).bernoulli_(0.3)
torch.empty(4, 2).t().bernoulli_(0.3)
torch.empty(8, dtype=torch.int64).bernoulli_()
torch.empty(2, 4).bernoulli_(torch.tensor([0.1, 0.5, 0.9, 1.0]))
torch.bernoulli(torch.full((4, 2), 0.5).t())
torch.bernoulli(torch.zeros(4, 2).t(), 0.5)
torch.multinomial(torch.tensor([0.1, 0.2, 0.3, 0.4]), 3)
torch.multinomial(torch.tensor([[0.1, 0.2], [0.9, 0.1]]), 5, True)
torch.multinomial(torch.ones(6, dtype=torch.float64), 1)
torch.poisson(torch.tensor([0.5, 3.0, 20.0, 0.0]))
torch.binomial(torch.tensor([10.0, 100.0]), torch.tensor([0.5, 0.2]))
torch.binomial(torch.tensor([10.0]), torch.tensor([0.5, 0.2, 0.9]))
"""

RANDOM_CLOSE = """
torch.randn(5)
torch.randn(40)
torch.randn(17, dtype=torch.float64)
torch.randn(3, dtype=torch.complex64)
torch.randn(6, 4).t().normal_()
torch.randn_like(torch.zeros(5, 4).t())
torch.empty(5).normal_(2, 3)
torch.normal(2, 3, (2, 2))
torch.normal(2.0, torch.tensor([1.0, 2.0]))
torch.normal(torch.tensor([1.0, 2.0]))
torch.normal(torch.zeros(2, 1), torch.ones(3))
torch.empty(5).exponential_(2)
torch.empty(5, dtype=torch.float64).exponential_()
torch.empty(5).geometric_(0.3)
torch.empty(5).cauchy_(1, 2)
torch.empty(5).log_normal_()
"""

RANDOM_ERRORS = """
torch.rand(-1, 2)
torch.rand(2, dtype=torch.int64)
torch.randn(2, dtype=torch.int64)
torch.randint(5, 5, (2,))
torch.randint(0, 300, (2,), dtype=torch.uint8)
torch.randint(-1, 3, (2,), dtype=torch.uint8)
torch.randint(0, 2**30, (2,), dtype=torch.float16)
torch.randperm(-1)
torch.randperm(300, dtype=torch.uint8)
torch.randperm(2.5)
torch.normal(0.0, -1.0, (2,))
torch.normal(torch.zeros(2), torch.ones(2).neg())
torch.normal(torch.zeros(2), torch.ones(2, dtype=torch.complex64))
torch.normal(torch.zeros(2), torch.ones(3))
torch.zeros(2).uniform_(3, 1)
torch.zeros(2).uniform_(-1e39, 1)
torch.zeros(2).uniform_(-3e38, 3e38)
torch.zeros(2, dtype=torch.float16).uniform_(0, 70000)
torch.zeros(2).uniform_('a')
torch.zeros(2, dtype=torch.int64).uniform_()
torch.zeros(2).normal_(0, -1.5e10)
torch.zeros(2).exponential_(0)
torch.zeros(2, dtype=torch.int64).exponential_()
torch.zeros(2).geometric_(1)
torch.zeros(2).geometric_()
torch.zeros(2, dtype=torch.bool).geometric_(0.5)
torch.zeros(2).cauchy_(0, -1)
torch.zeros(2, dtype=torch.int64).cauchy_()
torch.zeros(2).log_normal_(0, 0)
torch.zeros(2, dtype=torch.int64).log_normal_()
torch.zeros(2).bernoulli_(2)
torch.bernoulli(torch.tensor([2.0]))
torch.bernoulli(torch.tensor([2]))
torch.zeros(2, dtype=torch.complex64).bernoulli_(0.5)
torch.poisson(torch.tensor([-1.0]))
torch.poisson(torch.tensor([1]))
torch.binomial(torch.tensor([1]), torch.tensor([0.5]))
torch.multinomial(torch.tensor([-1.0, 2.0]), 1)
torch.multinomial(torch.tensor([-1.0, 2.0]), 2, True)
torch.multinomial(torch.tensor([0.0, 0.0]), 1)
torch.multinomial(torch.tensor([1.0, 0.0]), 3)
torch.multinomial(torch.tensor([1, 0]), 1)
torch.multinomial(torch.tensor(1.0), 1)
torch.multinomial(torch.ones(2), 0)
torch.zeros(2).random_(5, 2)
torch.zeros(2, dtype=torch.int8).random_(0, 200)
torch.zeros(1).expand(3).normal_()
torch.zeros(2, requires_grad=True).uniform_()
torch.rand_like([1])
torch.Generator().manual_seed(1.5)
torch.Generator().manual_seed(2**64)
torch.Generator().set_state(3)
torch.Generator().set_state(torch.zeros(3))
torch.Generator().set_state(torch.zeros(3, dtype=torch.uint8))
torch.Generator().get_offset()
torch.Generator().initial_seed()
torch.Generator().manual_seed(-1).initial_seed()
torch.manual_seed('x')
torch.manual_seed(None)
torch.get_rng_state()
"""


def lines(text):
    return [line for line in text.strip().splitlines() if line]


def write(name, cases):
    path = pathlib.Path(__file__).parents[2] / "test" / "goldens" / name
    path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print(path, len(cases))


write("create.json", [run(e) for e in lines(CREATE)] + [run(e, text=True) for e in lines(TEXTS)])
write("random.json", [run(e) for e in lines(RANDOM)] + [run(e, close=True) for e in lines(RANDOM_CLOSE)] + [run(e) for e in lines(RANDOM_ERRORS)])
