"""Expectations of test/autograd.test.ts, from PyTorch: python scripts/goldens/autograd.py > test/goldens/autograd.json"""
import json
import warnings

import torch
from torch.autograd import Function, functional, grad, gradcheck, graph
from torch.autograd.function import once_differentiable

warnings.simplefilter("ignore")
CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


def plain(x):
    if isinstance(x, torch.Tensor):
        return x.tolist()
    if isinstance(x, (tuple, list, torch.Size)):
        return [plain(i) for i in x]
    if hasattr(x, "next_functions"):
        return type(x).__name__
    return x


def one(*shape):
    return torch.ones(shape or (2,), requires_grad=True)


def custom(forward, backward=None):
    body = {"forward": staticmethod(forward)}
    if backward:
        body["backward"] = staticmethod(backward)
    return type("G", (Function,), body)


def inference(*shape):
    with torch.inference_mode():
        return torch.ones(shape or (3,))


def no_grad_view(p):
    with torch.no_grad():
        return p.view(-1)


@case
def capture_before_hooks():
    x = one(); y = x * 2; y.register_hook(lambda g: g * 10)
    return grad(y.sum(), [x, y])
@case
def capture_after_hooks():
    x = one(); y = x * 2; y.register_hook(lambda g: g * 10)
    return grad(y.sum(), [y])
@case
def retain_and_hooks():
    x = one(); y = x * 2; y.retain_grad(); y.register_hook(lambda g: g * 3); y.mul_(5); y.sum().backward()
    return y.grad, x.grad
@case
def hook_stays_on_old_node():
    x = one(); y = x * 2; log = []
    y.register_hook(lambda g: log.append(("a", g.tolist()))); y.mul_(3); y.register_hook(lambda g: log.append(("b", g.tolist())))
    y.sum().backward()
    return log
@case
def leaf_hook_order():
    x = one(); log = []
    x.register_hook(lambda g: log.append("tensor")); x.register_post_accumulate_grad_hook(lambda p: log.append(("post", p.grad.tolist(), p is x)))
    y = x * 2; a = y.grad_fn.next_functions[0][0]
    a.register_hook(lambda gi, go: log.append(("node", plain(gi), plain(go)))); a.register_prehook(lambda go: log.append("pre"))
    y.sum().backward()
    return log
@case
def hook_changes_size():
    x = one(); x.register_hook(lambda g: torch.ones(3)); (x * 2).sum().backward()
@case
def hook_changes_type():
    x = one(); x.register_hook(lambda g: g.double()); (x * 2).sum().backward()
@case
def node_hook_not_tuple():
    y = one() * 2; y.grad_fn.register_hook(lambda gi, go: gi[0]); y.sum().backward()
@case
def node_hook_count():
    y = one() * 2; y.grad_fn.register_hook(lambda gi, go: (gi[0],)); y.sum().backward()
@case
def node_prehook():
    x = one(); y = x * 2; y.grad_fn.register_prehook(lambda go: (go[0] * 2,)); y.sum().backward()
    return x.grad
@case
def post_hook_non_leaf():
    (one() * 2).register_post_accumulate_grad_hook(print)
@case
def hook_no_grad():
    torch.ones(2).register_hook(print)
@case
def retain_no_grad():
    torch.ones(2).retain_grad()
@case
def multi_grad_hook():
    a, b, c = one(), one(), one(); log = []
    h = graph.register_multi_grad_hook([a, b, c], lambda gs: log.append([None if g is None else g.tolist() for g in gs]))
    (a * b).sum().backward(); (a * b * c).sum().backward(); h.remove(); a.sum().backward()
    return log
@case
def multi_grad_hook_any():
    a, b = one(), one(); log = []
    graph.register_multi_grad_hook([a, b], lambda g: log.append(g.tolist()), mode="any"); (a * 2 * b).sum().backward()
    return len(log)
@case
def no_grad_view_write():
    no_grad_view(one()).mul_(2)
@case
def no_grad_view_used():
    p = one(); v = no_grad_view(p); (v * 2).sum().backward()
    return v.requires_grad, v.is_leaf, v.grad_fn, p.grad, v.grad
@case
def stale_view():
    x = one(2, 3); y = torch.zeros(2, 3); v = y[0]; y.mul_(x); (v * 2).sum().backward()
    return x.grad, v.grad_fn, v.requires_grad
@case
def overlapping_views():
    x = one(3); y = x * 1; v = y[:2]; w = y[1:]; v.mul_(2); w.mul_(3); (y * y).sum().backward()
    return x.grad, y, y.grad_fn
@case
def view_write_retains():
    x = one(2, 3); y = x * 2; v = y[0]; y.retain_grad(); v.retain_grad(); v.mul_(3); y.sum().backward()
    return y.grad, v.grad, x.grad
@case
def copy_into_view():
    x = one(2, 3); y = torch.zeros(2, 3); y[0].copy_(x[1]); y.sum().backward()
    return x.grad, y.grad_fn, y[0].grad_fn
@case
def inference_saved():
    return inference() * one(3)
@case
def inference_added():
    return inference() + one(3)
@case
def inference_written():
    inference().mul_(2)
@case
def inference_requires_grad():
    inference().requires_grad_()
@case
def inference_version():
    return inference()._version
@case
def modified_output():
    y = one().exp(); y.mul_(2); y.sum().backward()
@case
def modified_input():
    y = one() * 2; z = y * y; y.add_(1); z.sum().backward()
@case
def modified_leaf():
    x = one(); z = x * x
    with torch.no_grad():
        x.add_(1)
    z.sum().backward()
@case
def leaf_write():
    one().add_(1)
@case
def leaf_view_write():
    one().view(2).add_(1)
@case
def data_write():
    x = one(); y = x * x; x.data.add_(1); y.sum().backward()
    return x.grad, x._version
@case
def detach_shares_version():
    x = one(); x.detach().add_(1)
    return x._version
@case
def detach_view():
    one().view(2).detach_()
@case
def backward_twice():
    y = (one() ** 2).sum(); y.backward(); y.backward()
@case
def no_graph():
    torch.ones(()).backward()
@case
def not_scalar():
    (one() * 2).backward()
@case
def gradient_shape():
    grad(one() * 2, one(), torch.ones(3))
@case
def gradient_dtype():
    x = one()
    return grad(x * 2, x, torch.ones(2, dtype=torch.float64))[0].dtype == torch.float32
@case
def unused():
    grad(one().sum(), one())
@case
def materialized():
    x = one()
    return grad(x.sum(), [x, one(3)], materialize_grads=True)
@case
def materialize_contradiction():
    grad(one().sum(), one(), allow_unused=False, materialize_grads=True)
@case
def no_inputs():
    one().sum().backward(inputs=[])
@case
def input_not_tensor():
    one().sum().backward(inputs=[3])
@case
def input_no_grad():
    grad(one().sum(), torch.ones(2))
@case
def non_leaf_input():
    x = one(); y = x * 2; y.sum().backward(inputs=[y])
    return y.grad, y.retains_grad, x.grad
@case
def layout():
    w = torch.ones(3, 4).t().requires_grad_(); (w * 2).sum().backward()
    return w.grad.stride()
@case
def create_graph():
    x = one(); (x * x).sum().backward(create_graph=True)
    return x.grad, x.grad.grad_fn
@case
def create_graph_twice():
    x = one(); (x * x).sum().backward(create_graph=True); x.grad.sum().backward()
    return x.grad
@case
def grad_of_half():
    x = torch.ones(2, dtype=torch.float16, requires_grad=True); (x.float() * 2).sum().backward()
    return str(x.grad.dtype)
@case
def reentrant():
    x = one()
    y = x * x
    y.register_hook(lambda g: g * nested())
    def nested():
        with torch.enable_grad():
            w = one(); (w * 3).sum().backward()
        return w.grad
    y.sum().backward()
    return x.grad
@case
def reentrant_same_graph():
    x = one(); y = x * x; z = y * y; runs = []
    def hook(g):
        if not runs:
            runs.append(1); y.sum().backward(retain_graph=True)
    z.register_hook(hook); z.sum().backward()
    return x.grad
@case
def hook_throws():
    x = one(); y = x * x
    def bad(g):
        raise ValueError("mine")
    h = y.register_hook(bad)
    try:
        y.sum().backward(retain_graph=True)
    except ValueError:
        pass
    h.remove(); y.sum().backward()
    return x.grad, torch.is_grad_enabled()
@case
def nan_found():
    x = one()
    with torch.autograd.detect_anomaly():
        ((x - 1).sqrt() * 0).sum().backward()
@case
def nan_not_checked():
    x = one()
    with torch.autograd.detect_anomaly(check_nan=False):
        ((x - 1).sqrt() * 0).sum().backward()
    return x.grad.isnan()
@case
def assign_size():
    torch.ones(2).grad = torch.ones(3)
@case
def assign_dtype():
    torch.ones(2).grad = torch.ones(2, dtype=torch.float64)
@case
def assign_itself():
    z = torch.ones(2); z.grad = z
@case
def requires_int():
    torch.ones(2, dtype=torch.int64).requires_grad_()
@case
def requires_int_factory():
    torch.ones(2, dtype=torch.int64, requires_grad=True)
@case
def requires_non_leaf():
    (one() * 1).requires_grad_(False)
@case
def set_grad_enabled_type():
    torch.set_grad_enabled(3)
@case
def edge_no_grad():
    graph.get_gradient_edge(torch.ones(2))
@case
def edge_as_input():
    x = one()
    return grad((x * 3).sum(), [graph.get_gradient_edge(x)])
@case
def function_few_gradients():
    x = one(); custom(lambda c, x, y: x * y, lambda c, g: g).apply(x, x).sum().backward()
@case
def function_gradient_of_number():
    custom(lambda c, x, k: x * 2, lambda c, g: (g, g)).apply(one(), 2).sum().backward()
@case
def function_extra_none():
    x = one(); custom(lambda c, x: x * 2, lambda c, g: (g, None, None)).apply(x).sum().backward()
    return x.grad
@case
def function_shape():
    custom(lambda c, x: x * 2, lambda c, g: torch.ones(3)).apply(one()).sum().backward()
@case
def function_type():
    custom(lambda c, x: x * 2, lambda c, g: 3).apply(one()).sum().backward()
@case
def function_no_backward():
    custom(lambda c, x: x * 2).apply(one()).sum().backward()
@case
def function_no_forward():
    type("N", (Function,), {}).apply(one())
@case
def function_saves_number():
    def f(c, x):
        c.save_for_backward(3)
        return x * 2
    custom(f).apply(one())
def doubling(c, x):
    x.mul_(2); c.mark_dirty(x)
    return x
@case
def function_dirty():
    x = one(); z = x * 1; r = custom(doubling, lambda c, g: g * 2).apply(z); r.sum().backward()
    return r is z, r._version, x.grad
@case
def function_dirty_leaf():
    custom(doubling, lambda c, g: g).apply(one())
@case
def function_dirty_view():
    x = one(); z = x * 1; v = z[:1]; r = custom(doubling, lambda c, g: g * 2).apply(v); z.sum().backward()
    return r is v, z.grad_fn, v.grad_fn, x.grad
@case
def function_dirty_not_returned():
    def f(c, x):
        c.mark_dirty(x)
        return x + 1
    custom(f).apply(one() * 1)
@case
def function_returns_input():
    x = one(); r = custom(lambda c, x: x, lambda c, g: g * 5).apply(x); r.sum().backward()
    return r is x, r._is_view(), x.grad
@case
def function_returned_input_written():
    custom(lambda c, x: x, lambda c, g: g * 5).apply(one()).mul_(2)
@case
def function_returned_views_written():
    custom(lambda c, x: (x.view(-1), x * 2), lambda c, g, h: g).apply(one() * 1)[0].mul_(2)
@case
def function_non_differentiable():
    seen = []
    def f(c, x):
        a, b = x * 2, x * 3; c.mark_non_differentiable(b)
        return a, b
    def b(c, *g):
        seen.append(plain(g))
        return g[0]
    x = one(); r = custom(f, b).apply(x); r[0].sum().backward()
    return r[1].requires_grad, seen, x.grad
@case
def function_not_materialized():
    seen = []
    def f(c, x):
        c.set_materialize_grads(False)
        return x * 2, x * 3
    def b(c, *g):
        seen.append(plain(g))
        return g[0]
    custom(f, b).apply(one())[0].sum().backward()
    return seen
class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        r = x.exp(); ctx.save_for_backward(r)
        return r
    @staticmethod
    def backward(ctx, g):
        r, = ctx.saved_tensors
        return r * g
@case
def function_double():
    x = torch.zeros(2, requires_grad=True); g, = grad(Exp.apply(x).sum(), x, create_graph=True)
    return g, grad(g.sum(), x)
@case
def function_saved_modified():
    y = Exp.apply(one()); y.mul_(2); y.sum().backward()
@case
def function_freed():
    y = Exp.apply(one()); y.sum().backward()
    return y.grad_fn.saved_tensors
class Once(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 2 * x * g
@case
def function_once():
    x, s = one(), one(); g, = grad(Once.apply(x), x, s, create_graph=True); g.sum().backward()
@case
def gradcheck_fails():
    gradcheck(custom(lambda c, x: x * x, lambda c, g: g * 3).apply, torch.tensor([1.0, 2], dtype=torch.float64, requires_grad=True))
@case
def gradcheck_not_linear():
    gradcheck(custom(lambda c, x: x * 3, lambda c, g: g * 0 + 3).apply, torch.ones(2, dtype=torch.float64, requires_grad=True))
@case
def gradcheck_no_inputs():
    gradcheck(lambda x: x, torch.ones(2))
@case
def gradcheck_overlap():
    gradcheck(lambda x: x, torch.ones(1, dtype=torch.float64).expand(3).requires_grad_())


X, Y = torch.tensor([1.0, 2, 3]), torch.tensor([4.0, 5, 6])
@case
def jacobian_one():
    return functional.jacobian(lambda x: x * x, X)
@case
def jacobian_many():
    return functional.jacobian(lambda x, y: (x * y, x.sum()), (X, Y))
@case
def hessian_many():
    return functional.hessian(lambda x, y: (x * x * y).sum(), (X, Y))
@case
def hessian_strict():
    functional.hessian(lambda x: x.sum(), X, strict=True)
@case
def hessian_not_scalar():
    functional.hessian(lambda x: x, X)
@case
def vjp():
    return functional.vjp(lambda x: x * x, X, Y)
@case
def vjp_no_vector():
    functional.vjp(lambda x: x * x, X)
@case
def vjp_size():
    functional.vjp(lambda x: x * x, X, torch.ones(2))
@case
def jvp():
    return functional.jvp(lambda x: x * x, X, Y)
@case
def jvp_length():
    functional.jvp(lambda x, y: x, (X, Y), (X,))
@case
def vhp():
    return functional.vhp(lambda x: (x * x * x).sum(), X, Y)
@case
def hvp():
    return functional.hvp(lambda x: (x * x * x).sum(), X, Y)
@case
def strict_independent():
    functional.jacobian(lambda x: X, Y, strict=True)


def run(f):
    try:
        return {"value": plain(f())}
    except Exception as e:
        return {"error": [type(e).__name__, str(e)]}


if __name__ == "__main__":
    print(json.dumps({name: run(f) for name, f in CASES.items()}, indent=1))
