"""Expectations of test/rnn.test.ts, from PyTorch: python scripts/goldens/rnn.py > test/goldens/rnn.json

A module is made after manual_seed(0), its input is rand(shape) - 0.5 after manual_seed(1), the states that it starts
from follow; it is called after manual_seed(2) and differentiated with rand_like of each output after manual_seed(3)."""
import json
import warnings

import torch
from torch import nn
from torch.nn.utils import rnn as R

warnings.simplefilter("ignore")


def plain(x):
    if isinstance(x, torch.Tensor):
        return {"shape": list(x.shape), "data": [float(f"{v:.6g}") for v in x.detach().contiguous().flatten().double().tolist()]}
    if isinstance(x, R.PackedSequence):
        return plain(x.data)
    return [plain(v) for v in x]


def leaves(x):
    if isinstance(x, torch.Tensor):
        return [x]
    if isinstance(x, R.PackedSequence):
        return [x.data]
    return [y for v in x for y in leaves(v)]


def run(name, args, shape, lengths=None, states=(), dtype="float32", **options):
    torch.manual_seed(0)
    made = {k: v for k, v in options.items()}
    module = getattr(nn, name)(*args, **made, dtype=getattr(torch, dtype))
    torch.manual_seed(1)
    x = (torch.rand(shape) - 0.5).to(getattr(torch, dtype)).requires_grad_()
    hx = [(torch.rand(s) - 0.5).to(getattr(torch, dtype)).requires_grad_() for s in states]
    given = x
    if lengths:
        given = R.pack_padded_sequence(x, lengths, options.get("batch_first", False), enforce_sorted=False)
    torch.manual_seed(2)
    call = [given] + ([] if not hx else [hx[0] if len(hx) == 1 else tuple(hx)])
    out = module(*call)
    torch.manual_seed(3)
    ys = leaves(out)
    torch.autograd.backward(ys, [torch.rand(y.shape).to(y.dtype) for y in ys])
    return {
        "name": name, "args": args, "options": options, "shape": shape, "lengths": lengths, "states": list(states),
        "dtype": dtype, "repr": repr(module), "out": [plain(y) for y in ys],
        "keys": list(module.state_dict()), "first": plain(next(module.parameters()).flatten()[:4]),
        "input_grads": [plain(t.grad) for t in [x, *hx]],
        "grads": {k: plain(p.grad.sum(-1) if p.dim() > 1 else p.grad) for k, p in module.named_parameters()},
    }


cases = []
for name, states in (("LSTM", 2), ("GRU", 1), ("RNN", 1)):
    for options in (
        {},
        {"num_layers": 2, "bidirectional": True, "dropout": 0.4},
        {"num_layers": 2, "batch_first": True, "bias": False, "dropout": 1.0},
    ):
        layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
        for lengths in (None, [2, 4, 3]):
            shape = [3, 4, 5] if options.get("batch_first") else [4, 3, 5]
            cases.append(run(name, [5, 6], shape, lengths, [[layers, 3, 6]] * states, **options))
    cases.append(run(name, [5, 6], [4, 5]))
    cases.append(run(name, [3, 20], [3, 17, 3], dtype="float64", bidirectional=True))
    cases.append(run(name + "Cell", [5, 6], [3, 5], None, [[3, 6]] * states))
    cases.append(run(name + "Cell", [5, 6], [5], bias=False))
cases.append(run("RNN", [5, 6], [4, 3, 5], nonlinearity="relu", num_layers=2))
cases.append(run("RNNCell", [5, 6], [3, 5], nonlinearity="relu"))
for lengths in (None, [4, 2, 3]):
    cases.append(run("LSTM", [5, 6], [4, 3, 5], lengths, [[4, 3, 2], [4, 3, 6]], proj_size=2, num_layers=2, bidirectional=True))
cases.append(run("LSTM", [3, 70], [3, 40, 3], proj_size=33))

torch.manual_seed(0)
sequences = [torch.rand(n, 2) for n in (2, 4, 1)]
packed = R.pack_sequence(sequences, enforce_sorted=False)
utils = {
    "packed": [plain(packed.data), packed.batch_sizes.tolist(), packed.sorted_indices.tolist(), packed.unsorted_indices.tolist()],
    "text": str(packed),
    "padded": plain(R.pad_packed_sequence(packed, batch_first=True, padding_value=-1.0, total_length=5)[0]),
    "lengths": R.pad_packed_sequence(packed)[1].tolist(),
    "left": plain(R.pad_sequence(sequences, padding_value=7.0, padding_side="left")),
    "unpacked": [plain(x) for x in R.unpack_sequence(packed)],
    "inverse": R.invert_permutation(torch.tensor([2, 0, 1])).tolist(),
}

P = R.pack_padded_sequence
errors = []
for code, call in {
    "cell input": lambda: nn.LSTMCell(3, 4)(torch.zeros(2, 5)),
    "cell batch": lambda: nn.LSTMCell(3, 4)(torch.zeros(2, 3), (torch.zeros(3, 4), torch.zeros(2, 4))),
    "cell hidden": lambda: nn.GRUCell(3, 4)(torch.zeros(2, 3), torch.zeros(2, 5)),
    "cell dims": lambda: nn.GRUCell(3, 4)(torch.zeros(2, 3, 3)),
    "cell type": lambda: nn.RNNCell(3, 4)(torch.zeros(2, 3).double()),
    "type": lambda: nn.LSTM(3, 4)(torch.zeros(2, 3, 3).double()),
    "dims": lambda: nn.RNN(3, 4)(torch.zeros(3)),
    "size": lambda: nn.GRU(3, 4)(torch.zeros(2, 3, 5)),
    "hidden": lambda: nn.LSTM(3, 4)(torch.zeros(2, 3, 3), (torch.zeros(1, 2, 4), torch.zeros(1, 3, 4))),
    "hidden dims": lambda: nn.GRU(3, 4)(torch.zeros(2, 3, 3), torch.zeros(1, 4)),
    "empty": lambda: nn.LSTM(3, 4)(torch.zeros(0, 3, 3)),
    "dropout": lambda: nn.LSTM(3, 4, dropout=2),
    "projection": lambda: nn.LSTM(3, 4, proj_size=5),
    "no projection": lambda: nn.GRU(3, 4, proj_size=2),
    "nonlinearity": lambda: nn.RNN(3, 4, nonlinearity="x"),
    "bias": lambda: nn.LSTM(3, 4, bias=3),
    "input size": lambda: nn.LSTM(0, 4),
    "sorted": lambda: P(torch.zeros(4, 2, 3), [2, 4]),
    "no length": lambda: P(torch.zeros(4, 2, 3), [4, 0]),
    "lengths": lambda: P(torch.zeros(4, 2, 3), [4, 2, 1]),
    "total": lambda: R.pad_packed_sequence(P(torch.zeros(4, 2, 3), [4, 2]), total_length=3),
    "nothing": lambda: R.pad_sequence([]),
}.items():
    try:
        call()
        raise SystemExit(f"{code} passed")
    except (RuntimeError, ValueError, TypeError) as e:
        errors.append([code, str(e)])

print(json.dumps({"cases": cases, "utils": utils, "errors": errors}, separators=(",", ":")))
