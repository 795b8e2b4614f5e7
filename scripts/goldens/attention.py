"""Expectations of test/attention.test.ts, from PyTorch: python scripts/goldens/attention.py > test/goldens/attention.json

Query, key, value and mask come from manual_seed(0), in this order; the call follows manual_seed(1) and is differentiated
with rand_like after manual_seed(2). Gradients and outputs are summed over their last dimension."""
import json

import torch
import torch.nn.functional as F


def plain(x):
    return {"shape": list(x.shape), "data": [float(f"{v:.7g}") for v in x.detach().double().flatten().tolist()]}


def run(q, k, v, mask=None, dtype="float32", **options):
    torch.manual_seed(0)
    d = getattr(torch, dtype)
    xs = [(torch.rand(s) * 2 - 1).to(d).requires_grad_() for s in (q, k, v)]
    given = None
    if mask:
        kind, shape = mask
        given = torch.rand(shape)
        given = given > 0.4 if kind == "bool" else (given * 2 - 1).to(d)
        if kind == "rows":
            given = torch.ones(shape, dtype=torch.bool)
            given[..., 1, :] = False
    torch.manual_seed(1)
    out = F.scaled_dot_product_attention(*xs, attn_mask=given, **options)
    torch.manual_seed(2)
    out.backward(torch.rand(out.shape).to(d))
    return {"shapes": [q, k, v], "mask": mask, "dtype": dtype, "options": options,
            "out": plain(out.sum(-1)), "grads": [plain(x.grad.sum(-1)) for x in xs]}


cases = [
    run([2, 3, 5, 4], [2, 3, 7, 4], [2, 3, 7, 6]),
    run([2, 2, 70, 8], [2, 2, 70, 8], [2, 2, 70, 8], is_causal=True),
    run([1, 1, 9, 4], [1, 1, 5, 4], [1, 1, 5, 4], is_causal=True),
    run([3, 6, 4], [3, 6, 4], [3, 6, 4], ["float", [6, 6]]),
    run([6, 4], [300, 4], [300, 5], scale=-0.7),
    run([2, 2, 5, 4], [2, 2, 6, 4], [2, 2, 6, 4], ["bool", [2, 1, 5, 6]]),
    run([2, 2, 5, 4], [2, 2, 6, 4], [2, 2, 6, 4], ["rows", [5, 6]]),
    run([2, 2, 5, 4], [2, 2, 6, 4], [2, 2, 6, 4], ["float", [5, 1]], dropout_p=0.3),
    run([2, 2, 66, 4], [2, 2, 66, 4], [2, 2, 66, 4], is_causal=True, dropout_p=0.5, dtype="float64"),
    run([2, 4, 5, 4], [2, 2, 6, 4], [2, 2, 6, 4], enable_gqa=True),
    run([2, 1, 2, 5, 4], [2, 1, 2, 6, 4], [2, 1, 2, 6, 4], is_causal=True),
]
print(json.dumps(cases, separators=(",", ":")))
