"""Expectations of test/nn.test.ts, from PyTorch: python scripts/goldens/nn.py > test/goldens/nn.json

A module case is made after manual_seed(0); its inputs are rand(shape) * 2 - 1 (or randint) after manual_seed(1);
it is called after manual_seed(2), and differentiated with rand_like(out) after manual_seed(3)."""
import json
import math
import warnings

import torch
import torch.nn.functional as F
from torch import nn

warnings.simplefilter("ignore")


def number(v):
    if isinstance(v, bool) or isinstance(v, int):
        return v
    if not math.isfinite(v):
        return str(v)
    return float(f"{v:.7g}")


def plain(x):
    if isinstance(x, torch.Tensor):
        return {"shape": list(x.shape), "dtype": str(x.dtype), "data": [number(v) for v in x.detach().contiguous().flatten().tolist()]}
    if isinstance(x, (tuple, list)):
        return [plain(v) for v in x]
    return x


def make_inputs(specs):
    """[shape] is uniform on [-1, 1); {"int": [shape], "high": n} are integers; {"p": [shape]} is uniform on [0, 1)."""
    torch.manual_seed(1)
    out = []
    for s in specs:
        if s is None:
            out.append(None)
        elif isinstance(s, list):
            out.append((torch.rand(s) * 2 - 1).requires_grad_())
        elif "p" in s:
            out.append(torch.rand(s["p"]))
        elif "sign" in s:
            out.append(torch.rand(s["sign"]).round() * 2 - 1)
        elif "mask" in s:
            out.append(torch.rand(s["mask"]) < 0.3)
        elif "linear" in s:
            out.append(torch.tensor(s["linear"]))
        else:
            out.append(torch.randint(0, s["high"], s["int"]))
    return out


def tuples(x):
    return tuple(tuples(v) for v in x) if isinstance(x, (list, tuple)) else x


def leaves(x):
    if isinstance(x, torch.Tensor):
        return [x]
    return [t for v in x or [] for t in leaves(v)]


def module_case(name, args=(), kwargs=None, inputs=(), train=True):
    kwargs = kwargs or {}
    torch.manual_seed(0)
    m = getattr(nn, name)(*tuples(args), **{k: tuples(v) for k, v in kwargs.items()})
    case = {"name": name, "args": list(args), "kwargs": kwargs, "inputs": list(inputs), "train": train, "repr": repr(m)}
    xs = make_inputs(inputs)
    if name.startswith("Lazy"):
        m(*xs)
        case["becomes"] = repr(m)
    case["state"] = {k: plain(v) for k, v in m.state_dict().items()}
    case["parameters"] = [k for k, _ in m.named_parameters()]
    m.train(train)
    torch.manual_seed(2)
    out = m(*[x.clone() if kwargs.get("inplace") and x is not None else x for x in xs])
    case["out"] = plain(out)
    outs = [o for o in leaves(out) if o.requires_grad]
    if outs:
        torch.manual_seed(3)
        torch.autograd.backward(outs, [torch.rand_like(o) for o in outs])
        case["grads"] = {k: plain(p.grad) for k, p in m.named_parameters() if p.grad is not None}
        case["input_grads"] = [plain(x.grad) if x is not None and x.is_floating_point() and x.grad is not None else None for x in xs]
    if m.state_dict() and any(b is not None for b in m.buffers()):
        case["after"] = {k: plain(v) for k, v in m.named_buffers()}
    return case


X = [3, 4]
IMAGE = [2, 4, 5, 6]
MODULES = [
    ("Identity", (1, 2), {"any": 3}, [X]),
    ("Linear", (4, 5), None, [X]),
    ("Linear", (4, 5), {"bias": False}, [[2, 3, 4]]),
    ("Bilinear", (3, 4, 2), None, [[5, 3], [5, 4]]),
    ("LazyLinear", (3,), None, [X]),
    *[(n, (), None, [X]) for n in "ReLU Hardtanh ReLU6 Sigmoid Tanh Hardsigmoid Hardswish SiLU Mish SELU ELU CELU GELU Hardshrink Softshrink LeakyReLU LogSigmoid Softplus Softsign Tanhshrink GLU RReLU PReLU".split()],
    *[(n, (), {"inplace": True}, [X]) for n in "ReLU Hardtanh ReLU6 Hardsigmoid Hardswish SiLU Mish SELU ELU CELU LeakyReLU RReLU".split()],
    ("Hardtanh", (0, 0.5), None, [X]),
    ("ELU", (2,), None, [X]),
    ("Softplus", (2,), {"threshold": 0.5}, [X]),
    ("GELU", ("tanh",), None, [X]),
    ("Threshold", (0.1, 20), None, [X]),
    ("Threshold", (0, 2), {"inplace": True}, [X]),
    ("PReLU", (4,), {"init": 0.1}, [X]),
    ("RReLU", (), None, [X], False),
    ("GLU", (0,), None, [[4, 3]]),
    ("Softmax", (1,), None, [X]),
    ("Softmax", (), None, [X]),
    ("Softmin", (), {"dim": 0}, [X]),
    ("LogSoftmax", (-1,), None, [X]),
    ("Softmax2d", (), None, [IMAGE]),
    ("Dropout", (), None, [X]),
    ("Dropout", (0.3,), None, [X], False),
    ("Dropout", (0,), None, [X]),
    ("Dropout", (1,), None, [X]),
    ("Dropout1d", (), None, [[2, 3, 4]]),
    ("Dropout2d", (0.25,), None, [IMAGE]),
    ("Dropout3d", (), None, [[2, 3, 2, 2, 2]]),
    ("AlphaDropout", (0.2,), None, [X]),
    ("FeatureAlphaDropout", (), None, [[2, 3, 4]]),
    ("Flatten", (), None, [IMAGE]),
    ("Flatten", (0, 1), None, [IMAGE]),
    ("Unflatten", (1, [2, 2]), None, [X]),
    ("Embedding", (6, 3), None, [{"int": [2, 4], "high": 6}]),
    ("Embedding", (6, 3), {"padding_idx": -1, "max_norm": 1, "scale_grad_by_freq": True}, [{"int": [8], "high": 6}]),
    ("EmbeddingBag", (6, 3), None, [{"int": [2, 4], "high": 6}]),
    ("EmbeddingBag", (6, 3), {"mode": "sum", "padding_idx": 2}, [{"int": [7], "high": 6}, {"linear": [0, 3, 3]}]),
    ("EmbeddingBag", (6, 3), {"mode": "max", "include_last_offset": True}, [{"int": [7], "high": 6}, {"linear": [0, 3, 7]}]),
    *[(f"{n}{d}d", (1,), None, [[1, 2, 3, 4, 5][: d + 2]]) for n in ("CircularPad", "ReflectionPad", "ReplicationPad", "ZeroPad") for d in (1, 2, 3)],
    ("ReflectionPad2d", ([1, 2, 0, 1],), None, [IMAGE]),
    ("ConstantPad1d", (2, 3.5), None, [X]),
    ("ConstantPad2d", ([1, -1, 0, 2], 1), None, [IMAGE]),
    ("ConstantPad3d", (1, 0), None, [[1, 2, 1, 2, 2]]),
    ("PixelShuffle", (2,), None, [IMAGE]),
    ("PixelUnshuffle", (2,), None, [[1, 2, 4, 6]]),
    ("ChannelShuffle", (2,), None, [IMAGE]),
    ("Fold", ([4, 5], 2), {"stride": [2, 1], "padding": [0, 1]}, [[1, 8, 12]]),
    ("Unfold", ([2, 3],), {"padding": 1}, [[1, 2, 3, 4]]),
    ("Upsample", (), {"scale_factor": 2}, [[1, 2, 3]]),
    ("Upsample", (), {"size": [3, 4], "mode": "nearest-exact"}, [IMAGE]),
    ("Upsample", (), {"scale_factor": [1.5, 2.3], "mode": "bilinear"}, [[1, 2, 3, 4]]),
    ("Upsample", (), {"size": 5, "mode": "bicubic", "align_corners": True}, [[1, 1, 3, 4]]),
    ("Upsample", (3,), {"mode": "area"}, [[1, 1, 7]]),
    ("Upsample", ([2, 3, 5],), {"mode": "trilinear"}, [[1, 1, 2, 2, 3]]),
    ("UpsamplingNearest2d", (4,), None, [[1, 2, 3, 3]]),
    ("UpsamplingBilinear2d", (), {"scale_factor": 2}, [[1, 2, 3, 3]]),
    ("LayerNorm", (4,), None, [X]),
    ("LayerNorm", ([5, 6],), {"bias": False}, [IMAGE]),
    ("RMSNorm", (4,), None, [X]),
    ("GroupNorm", (2, 4), {"eps": 0.1}, [IMAGE]),
    ("LocalResponseNorm", (2,), None, [IMAGE]),
    ("BatchNorm1d", (4,), None, [X]),
    ("BatchNorm1d", (4,), {"momentum": None}, [[2, 4, 3]], True),
    ("BatchNorm2d", (4, 1e-3, 0.5), None, [IMAGE], False),
    ("BatchNorm2d", (4,), {"affine": False, "track_running_stats": False}, [IMAGE]),
    ("BatchNorm3d", (2,), None, [[2, 2, 2, 1, 3]]),
    ("LazyBatchNorm1d", (), None, [X]),
    ("LazyBatchNorm2d", (), {"affine": False}, [IMAGE]),
    ("InstanceNorm1d", (4,), None, [[4, 3]]),
    ("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, [IMAGE]),
    ("LazyInstanceNorm2d", (), None, [IMAGE]),
    ("PairwiseDistance", (), None, [X, X]),
    ("PairwiseDistance", (1,), {"keepdim": True}, [X, X]),
    ("CosineSimilarity", (), None, [X, X]),
    ("TransformerEncoderLayer", (4, 2, 6), {"dropout": 0}, [[3, 2, 4]]),
    ("TransformerEncoderLayer", (4, 2, 6, 0.5), {"norm_first": True, "batch_first": True, "activation": "gelu"}, [[2, 3, 4]]),
    ("TransformerDecoderLayer", (4, 2, 6, 0.1), None, [[3, 2, 4], [5, 2, 4]]),
    ("Transformer", (4, 2, 1, 2, 6), None, [[3, 2, 4], [5, 2, 4]]),
    ("MSELoss", (), None, [X, X]),
    ("MSELoss", (), {"reduction": "none"}, [X, X]),
    ("NLLLoss", (), {"reduction": "sum", "ignore_index": 1}, [X, {"int": [3], "high": 4}]),
    ("CrossEntropyLoss", (), {"label_smoothing": 0.1}, [X, {"int": [3], "high": 4}]),
    ("CrossEntropyLoss", (), None, [[2, 3, 4], {"int": [2, 4], "high": 3}]),
    ("L1Loss", (), None, [X, X]),
    ("SmoothL1Loss", (), {"beta": 0.5}, [X, X]),
    ("HuberLoss", ("sum", 0.3), None, [X, X]),
    ("SoftMarginLoss", (), None, [X, {"sign": X}]),
    ("MultiLabelMarginLoss", (), None, [[4], {"linear": [2, 0, -1, 1]}]),
    ("MultiLabelSoftMarginLoss", (), None, [X, {"p": X}]),
    ("BCELoss", (), None, [{"p": X}, {"p": X}]),
    ("BCEWithLogitsLoss", (), {"reduction": "sum"}, [X, {"p": X}]),
    ("KLDivLoss", (), {"reduction": "batchmean"}, [X, {"p": X}]),
    ("PoissonNLLLoss", (), {"full": True}, [X, {"p": X}]),
    ("GaussianNLLLoss", (), None, [X, X, {"p": X}]),
    ("HingeEmbeddingLoss", (), None, [X, {"sign": X}]),
    ("CosineEmbeddingLoss", (0.2,), None, [X, X, {"sign": [3]}]),
    ("MarginRankingLoss", (0.5,), None, [[5], [5], {"sign": [5]}]),
    ("MultiMarginLoss", (2,), None, [X, {"int": [3], "high": 4}]),
    ("TripletMarginLoss", (), {"swap": True}, [X, X, X]),
    ("TripletMarginWithDistanceLoss", (), None, [X, X, X]),
    ("AdaptiveLogSoftmaxWithLoss", (8, 20, [4, 10]), {"div_value": 2}, [[6, 8], {"int": [6], "high": 20}]),
    ("LinearCrossEntropyLoss", (4, 5), {"bias": True, "label_smoothing": 0.1}, [X, {"int": [3], "high": 5}]),
    ("MultiheadAttention", (4, 2), None, [[3, 2, 4], [5, 2, 4], [5, 2, 4]]),
    ("MultiheadAttention", (4, 2), {"kdim": 3, "vdim": 5, "add_bias_kv": True, "add_zero_attn": True, "batch_first": True}, [[2, 3, 4], [2, 5, 3], [2, 5, 5], {"mask": [2, 5]}]),
    ("MultiheadAttention", (4, 1), {"dropout": 0.5, "bias": False}, [[3, 4], [3, 4], [3, 4]]),
]

INIT = [
    ("uniform_", [3, 4], ()), ("uniform_", [5], (-2, 3)), ("normal_", [20], (1, 0.5)), ("normal_", [7], ()),
    ("constant_", [3], (0.3,)), ("ones_", [2, 2], ()), ("zeros_", [2], ()), ("eye_", [3, 4], ()),
    ("dirac_", [4, 2, 3], ()), ("dirac_", [6, 2, 3, 3], (3,)), ("xavier_uniform_", [3, 4], ()),
    ("xavier_uniform_", [3, 4, 2], (2,)), ("xavier_normal_", [3, 5, 2, 2], ()), ("kaiming_uniform_", [3, 4], (0.2, "fan_out", "leaky_relu")),
    ("kaiming_uniform_", [3, 4], ()), ("kaiming_normal_", [3, 4, 3], (0, "fan_in", "relu")), ("trunc_normal_", [30], ()),
    ("trunc_normal_", [30], (0, 1, 1, 3)), ("trunc_normal_", [5, 6], (1, 2, -1, 1.5)), ("orthogonal_", [3, 5], ()), ("orthogonal_", [5, 3], (2,)),
    ("orthogonal_", [4, 2, 3], ()), ("sparse_", [6, 4], (0.5,)), ("sparse_", [5, 3], (0.3, 2)),
]

CALLS = [
    ("one_hot", [{"int": [2, 3], "high": 4}], (), {}), ("one_hot", [{"int": [5], "high": 3}], (6,), {}),
    ("pad", [[2, 3]], ([1, 2],), {}), ("pad", [[2, 3, 4]], ([1, -1, 0, 2], "constant", 5), {}),
    ("gumbel_softmax", [X], (), {}), ("gumbel_softmax", [X], (0.5, True), {}),
    ("scaled_dot_product_attention", [[2, 3, 4], [2, 5, 4], [2, 5, 6]], (), {}),
    ("scaled_dot_product_attention", [[2, 4, 3, 4], [2, 2, 3, 4], [2, 2, 3, 4]], (), {"is_causal": True, "enable_gqa": True}),
    ("interpolate", [[1, 2, 8, 9]], (), {"size": [3, 4], "mode": "bilinear", "antialias": True}),
    ("interpolate", [[1, 1, 8, 9]], (), {"size": [3, 12], "mode": "bicubic", "antialias": True}),
    ("normalize", [X], (), {"p": 1, "dim": 0}), ("cosine_similarity", [X, [4]], (), {"dim": -1}), ("pdist", [[4, 3]], (), {}),
    ("grid_sample", [[1, 2, 3, 4], [1, 2, 5, 2]], (), {"mode": "bicubic", "padding_mode": "reflection"}),
    ("grid_sample", [[1, 2, 2, 3, 4], [1, 2, 2, 2, 3]], (), {"align_corners": True}),
    ("affine_grid", [[2, 2, 3]], ([2, 1, 3, 4],), {}),
    ("alpha_dropout", [X], (0.4, True), {}), ("dropout", [X], (), {"p": 0.6}),
]


def call_case(name, inputs, args, kwargs):
    xs = make_inputs(inputs)
    torch.manual_seed(2)
    out = getattr(F, name)(*xs, *args, **kwargs)
    case = {"name": name, "inputs": inputs, "args": list(args), "kwargs": kwargs, "out": plain(out)}
    if out.requires_grad:
        torch.manual_seed(3)
        out.backward(torch.rand_like(out))
        case["input_grads"] = [plain(x.grad) if x is not None and x.is_floating_point() else None for x in xs]
    return case


def init_case(name, shape, args):
    torch.manual_seed(4)
    return {"name": name, "shape": shape, "args": list(args), "out": plain(getattr(nn.init, name)(torch.empty(shape), *args))}


def nested():
    m = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Dropout(0.1)), nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.Tanh()]))
    p = nn.ParameterList([nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4))])
    d = nn.ParameterDict({"a": nn.Parameter(torch.zeros(2)), "b": nn.Parameter(torch.zeros(()))})
    return [repr(m), repr(p), repr(d)]


print(json.dumps({
    "modules": [module_case(*c) for c in MODULES],
    "init": [init_case(*c) for c in INIT],
    "gains": {n: nn.init.calculate_gain(n) for n in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")},
    "calls": [call_case(*c) for c in CALLS],
    "nested": nested(),
}, separators=(",", ":")))
