"""Expectations of test/nn_utils.test.ts, from PyTorch: python scripts/goldens/nn_utils.py > test/goldens/nn_utils.json

Values, gradients, keys of state dicts and printed forms of reparametrized, pruned and fused modules, by case."""
import json
import warnings

import torch
import torch.nn as nn
import torch.nn.utils as utils
from torch.nn.utils import parametrizations, parametrize, prune

warnings.simplefilter("ignore")
out = {}
x = torch.arange(6.0).reshape(2, 3)


def numbers(t):
    return [round(v, 6) for v in t.detach().flatten().tolist()]


def keys(m):
    return list(m.state_dict().keys())


torch.manual_seed(0)
m = parametrizations.weight_norm(nn.Linear(3, 4))
m(x).square().sum().backward()
lists = m.parametrizations.weight
out["weight_norm"] = [repr(m), keys(m), numbers(m.weight), numbers(lists.original0.grad), numbers(lists.original1.grad)]
m.weight = torch.ones(4, 3)
out["weight_norm set"] = numbers(lists.original0)
parametrize.remove_parametrizations(m, "weight")
out["weight_norm removed"] = [repr(m), numbers(m.weight)]

m = parametrizations.spectral_norm(nn.Linear(3, 4))
out["spectral_norm"] = [repr(m), keys(m), numbers(m.weight)]
m(x).sum().backward()
out["spectral_norm grad"] = numbers(m.parametrizations.weight.original.grad)
m = parametrizations.spectral_norm(nn.ConvTranspose1d(2, 3, 2), n_power_iterations=3).eval()
out["spectral_norm transposed"] = numbers(m.weight)

m = utils.weight_norm(nn.Linear(3, 4))
m(x).square().sum().backward()
out["legacy weight_norm"] = [keys(m), numbers(m.weight_g.grad), keys(utils.remove_weight_norm(m))]
m = utils.spectral_norm(nn.Linear(3, 4))
m(x)
m(x).sum().backward()
out["legacy spectral_norm"] = [sorted(keys(m)), numbers(m.weight_orig.grad), numbers(utils.remove_spectral_norm(m).weight)]

PRUNING = {
    "random_unstructured": lambda m: prune.random_unstructured(m, "weight", amount=0.3),
    "l1_unstructured": lambda m: prune.l1_unstructured(m, "weight", 3),
    "random_structured": lambda m: prune.random_structured(m, "weight", amount=2, dim=1),
    "ln_structured": lambda m: prune.ln_structured(m, "weight", amount=0.5, n=2, dim=0),
}
for name, apply in PRUNING.items():
    torch.manual_seed(1)
    m = apply(nn.Linear(5, 4))
    got = [numbers(m.weight), keys(m)]
    prune.l1_unstructured(m, "weight", amount=2)
    prune.ln_structured(m, "weight", amount=1, n=2, dim=-1)
    got.append(numbers(m.weight_mask))
    m(torch.ones(2, 5)).sum().backward()
    got.append(numbers(m.weight_orig.grad))
    got += [keys(prune.remove(m, "weight")), numbers(m.weight)]
    out[name] = got

torch.manual_seed(2)
a, b = nn.Linear(4, 3), nn.Linear(3, 2)
prune.global_unstructured([(a, "weight"), (b, "weight")], pruning_method=prune.L1Unstructured, amount=0.4)
prune.global_unstructured([(a, "weight"), (b, "weight")], pruning_method=prune.L1Unstructured, amount=2)
out["global_unstructured"] = numbers(a.weight) + numbers(b.weight)

torch.manual_seed(3)
conv, bn = nn.Conv2d(2, 3, 3, bias=False).eval(), nn.BatchNorm2d(3)
bn(torch.randn(4, 3, 2, 2))
fused = utils.fuse_conv_bn_eval(conv, bn.eval())
out["fuse_conv_bn_eval"] = numbers(fused.weight) + numbers(fused.bias)

for shape in [(3, 3), (4, 2), (2, 4)]:
    for kind in ["matrix_exp", "cayley", "householder"]:
        for trivial in [True, False]:
            torch.manual_seed(0)
            m = nn.Linear(shape[1], shape[0])
            parametrizations.orthogonal(m, "weight", kind, use_trivialization=trivial)
            original = m.parametrizations.weight.original
            with torch.no_grad():
                original += torch.arange(original.numel()).reshape(original.shape).float().sin() * 0.3
            w = m.weight
            (w * torch.arange(w.numel()).reshape(w.shape)).sum().backward()
            out[f"orthogonal {list(shape)} {kind} {str(trivial).lower()}"] = [numbers(w), numbers(original.grad)]

print(json.dumps(out))
