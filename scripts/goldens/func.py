"""Expectations of test/func.test.ts, from PyTorch: python scripts/goldens/func.py > test/goldens/func.json"""
import json

import torch
from torch.func import functional_call, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap

out = {}
x = torch.tensor([0.5, -1.0, 2.0])
y = torch.tensor([1.5, 0.25, -0.75])
m = torch.arange(6.0).reshape(2, 3) / 5


def put(name, value):
    if isinstance(value, torch.Tensor):
        out[name] = value.tolist()
    elif isinstance(value, (list, tuple)):
        out[name] = [v.tolist() for v in value]
    else:
        out[name] = {k: v.tolist() for k, v in value.items()}


def f(a, b):
    return (a.sin() * b.exp()).sum()


def g(a, b):
    return torch.stack([(a * b).sum(), (a.pow(3) - b).sum()])


put("grad", grad(f)(x, y))
put("grad both", grad(f, argnums=(0, 1))(x, y))
put("grad of grad", grad(lambda a: grad(torch.sin)(a))(torch.tensor(0.7)))
put("three times", grad(grad(grad(lambda a: a.pow(4).sum() if a.ndim == 0 else a)))(torch.tensor(1.5)))
gv = grad_and_value(lambda p: (p["w"] @ x + p["b"]).square().sum())({"w": m, "b": torch.ones(2)})
put("grad_and_value", gv[0])
put("value", gv[1])
o, pull = vjp(g, x, y)
put("vjp output", o)
put("vjp", pull(torch.tensor([2.0, -1.0])))
put("jvp", jvp(g, (x, y), (y, x)))
put("linearize", linearize(lambda a: a.tanh() * a, x)[1](y))
put("jacrev", jacrev(g, argnums=(0, 1))(x, y))
put("jacfwd", jacfwd(g, argnums=(0, 1))(x, y))
put("jacfwd matrix", jacfwd(lambda a: torch.outer(a, a).sin())(x))
put("hessian", hessian(lambda a: (a.pow(3) * y).sum() + a.prod())(x))
put("hessian of two", [h for row in hessian(f, argnums=(0, 1))(x, y) for h in row])
put("jacrev of jacfwd", jacrev(jacfwd(lambda a: a.exp() * a.sum()))(x))
put("jvp of grad", jvp(grad(lambda a: a.pow(3).sum()), (x,), (y,)))
put("vmap", vmap(torch.dot, in_dims=(0, None))(m, x))
put("vmap out_dims", vmap(lambda a: a * 2, in_dims=1, out_dims=1)(m))
put("vmap of grad", vmap(grad(lambda a, b: (a * b).sin().sum()), in_dims=(0, None))(m, x))
put("nested vmap", vmap(vmap(lambda a, b: a * b, in_dims=(0, None)), in_dims=(None, 0))(x, y))
put("jacobian by vmap", vmap(vjp(lambda a: a.pow(2), x)[1])(torch.eye(3)))
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
params = {k: v.detach() for k, v in net.named_parameters()}
put("per-sample gradients", vmap(grad(lambda p, a: functional_call(net, p, (a,)).sum()), in_dims=(None, 0))(params, m))
print(json.dumps(out))
