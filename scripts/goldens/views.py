"""Writes test/goldens/views.json: short programs of views and in-place writes, and what PyTorch makes of them.

Run with PyTorch 2.13:   python scripts/goldens/views.py
More random programs:    python scripts/goldens/views.py --seed 1 --random 2000 --out out/views.json

A program is a list of statements in the part of Python's syntax that test/views.test.ts can also run:
`name = object.method(arguments)`, where an object is a name or `name[i]`; a method without parentheses is a
property; `no_grad: ` or `inference: ` in front runs the statement in that mode. `leaf(sizes)`,
`const(sizes)` and `cleaf(sizes)` make tensors 0.5, 0.75, 1.0, ... (float64 or complex128).

The file holds, per program, the statements, the message of each that failed, what every tensor looks like at
the end, and the gradients of the leaves of sum((i + 1) * out[i]) over the tensor named `out`.
"""

import argparse
import json
import pathlib
import random
import re

import torch


def const(*sizes):
    n = torch.Size(sizes).numel()
    return (torch.arange(n, dtype=torch.float64) * 0.25 + 0.5).reshape(sizes).clone()


def leaf(*sizes):
    return const(*sizes).requires_grad_()


def cleaf(*sizes):
    return torch.complex(const(*sizes), -const(*sizes) + 2).requires_grad_()


PROGRAMS = {
    "write through a view": ["x = leaf(3, 4)", "y = x.mul(2)", "v = y.select(0, 1)", "v.mul_(x.select(0, 2))", "out = y.exp()"],
    "write through a view of a view": ["x = leaf(3, 4)", "y = x.mul(2)", "a = y.narrow(1, 1, 3)", "b = a.t()", "c = b.select(0, 1)", "c.mul_(c)", "b.sin_()", "out = y.mul(a.sum())"],
    "write to the base, read the view": ["x = leaf(3, 4)", "y = x.mul(2)", "v = y.select(0, 1)", "y.mul_(y)", "out = v.exp()"],
    "write to one view, read another": ["x = leaf(3, 4)", "y = x.mul(2)", "a = y.narrow(0, 0, 2)", "b = y.narrow(0, 1, 2)", "a.mul_(3)", "out = b.exp()"],
    "copy into a view of zeros": ["x = leaf(3)", "y = const(3, 3)", "y.diagonal().copy_(x)", "out = y.mul(y)"],
    "constant base gets a history through its view": ["x = leaf(4)", "y = const(3, 4)", "v = y.select(0, 0)", "w = y.select(0, 1)", "v.mul_(x)", "out = y.mul(2)"],
    "zero_ and fill_ of a view": ["x = leaf(3, 4)", "y = x.mul(x)", "y.select(0, 0).zero_()", "y.select(1, 1).fill_(7)", "out = y.mul(y)"],
    "fill_ with a tensor": ["x = leaf(3, 4)", "s = leaf()", "y = x.mul(x)", "y.select(0, 0).fill_(s)", "out = y.mul(y)"],
    "leaf": ["x = leaf(3)", "x.add_(1)", "out = x.mul(2)"],
    "view of a leaf": ["x = leaf(3, 2)", "v = x.view(6)", "v.add_(1)", "out = v.mul(v)"],
    "leaf under no_grad": ["x = leaf(3, 2)", "v = x.view(6)", "no_grad: v.add_(1)", "out = v.mul(v)"],
    "base under no_grad": ["x = leaf(3, 2)", "y = x.mul(1)", "v = y.view(6)", "no_grad: v.mul_(2)", "no_grad: y.add_(1)", "out = v.mul(v)"],
    "view made under no_grad": ["x = leaf(3, 2)", "no_grad: v = x.view(6)", "v.add_(1)", "no_grad: v.add_(1)", "out = v.mul(2)"],
    "no_grad view of a result": ["x = leaf(3, 2)", "y = x.mul(2)", "no_grad: v = y.select(0, 0)", "v.add_(1)", "y.mul_(2)", "w = v.mul(2)", "out = y.mul(y)"],
    "view of a no_grad view": ["x = leaf(3, 2)", "y = x.mul(2)", "no_grad: v = y.select(0, 0)", "w = v.unsqueeze(0)", "w.mul_(2)", "out = y.mul(y)"],
    "inference view": ["x = leaf(3, 2)", "y = x.mul(2)", "inference: v = y.select(0, 0)", "v.add_(1)", "out = y.mul(y)"],
    "unbind": ["x = leaf(3, 2)", "y = x.mul(2)", "u = y.unbind(0)", "u[1].mul_(2)", "w = u[1].view(2)", "w.mul_(2)", "out = u[1].mul(y)"],
    "unbind, base written": ["x = leaf(3, 2)", "y = x.mul(2)", "u = y.unbind(0)", "y.mul_(2)", "w = u[0].mul(2)", "out = y.mul(y)"],
    "unbind without gradient": ["x = leaf(2)", "y = const(3, 2)", "u = y.unbind(0)", "u[0].add_(1)", "u[0].add_(x)", "out = x.mul(x)"],
    "split": ["x = leaf(4, 2)", "y = x.mul(2)", "s = y.split(3, 0)", "s[1].mul_(2)", "p = y.split([1, 3])", "p[0].mul_(2)", "c = y.chunk(2)", "c[0].mul_(2)", "out = s[0].exp()"],
    "tensor_split may be written to": ["x = leaf(4, 2)", "y = x.mul(2)", "s = y.tensor_split(3)", "s[1].mul_(s[1])", "out = y.exp()"],
    "unsafe_split may be written to": ["x = leaf(4, 2)", "y = x.mul(2)", "s = y.unsafe_split(2)", "s[1].mul_(s[1])", "out = s[1].exp()"],
    "saved tensor overwritten": ["x = leaf(3)", "y = x.exp()", "z = y.mul(y)", "y.add_(1)", "out = z.mul(2)"],
    "saved tensor overwritten through a view": ["x = leaf(3, 2)", "y = x.exp()", "z = y.mul(y)", "y.select(0, 0).add_(1)", "out = z.mul(2)"],
    "saved view, base overwritten": ["x = leaf(3, 2)", "y = x.mul(2)", "v = y.select(0, 0)", "z = v.mul(v)", "y.mul_(2)", "out = z.mul(2)"],
    "expanded": ["x = leaf(3, 1)", "y = x.mul(2)", "e = y.expand([3, 4])", "e.add_(1)", "out = e.mul(e)"],
    "data has a version of its own": ["x = leaf(3)", "y = x.mul(x)", "d = y.data", "d.mul_(2)", "out = y.mul(2)"],
    "data of a saved tensor": ["x = leaf(3)", "y = x.exp()", "d = y.data", "d.zero_()", "out = y.mul(1)"],
    "detach shares the version": ["x = leaf(3)", "y = x.exp()", "d = y.detach()", "d.zero_()", "out = y.mul(1)"],
    "detached view": ["x = leaf(3, 2)", "y = x.mul(2)", "d = y.detach()", "v = d.select(0, 0)", "v.add_(1)", "out = y.mul(y)"],
    "detach_ of a view": ["x = leaf(3, 2)", "y = x.mul(2)", "v = y.select(0, 0)", "v.detach_()", "out = y.mul(y)"],
    "t_": ["x = leaf(3, 4)", "y = x.mul(2)", "y.t_()", "v = y.select(0, 1)", "v.mul_(2)", "out = y.mul(y)"],
    "t_ of a view": ["x = leaf(3, 4)", "y = x.mul(2)", "v = y.narrow(1, 0, 3)", "v.t_()", "out = v.mul(v)"],
    "t_ of a view, then a write": ["x = leaf(3, 4)", "y = x.mul(2)", "v = y.narrow(1, 0, 2)", "v.t_()", "v.mul_(v)", "out = y.mul(y)"],
    "t_ of a leaf": ["x = leaf(3, 4)", "x.t_()", "no_grad: x.t_()", "out = x.mul(x)"],
    "squeeze_, unsqueeze_, transpose_": ["x = leaf(3, 1, 4)", "y = x.mul(2)", "y.squeeze_()", "y.unsqueeze_(0)", "y.transpose_(1, 2)", "y.squeeze_(0)", "y.unsqueeze_(-1)", "y.squeeze_([2])", "y.swapaxes_(0, 1)", "out = y.exp()"],
    "as_strided_": ["x = leaf(3, 4)", "y = x.mul(2)", "y.as_strided_([2, 2], [1, 4], 1)", "out = y.mul(y)"],
    "as_strided overlaps": ["x = leaf(5)", "y = x.mul(2)", "v = y.as_strided([3, 3], [1, 1])", "out = v.mul(v)"],
    "diagonal": ["x = leaf(3, 4)", "y = x.mul(2)", "d = y.diagonal(1)", "d.mul_(d)", "out = y.mul(y)"],
    "unfold": ["x = leaf(6)", "y = x.mul(2)", "u = y.unfold(0, 3, 2)", "out = u.mul(u)"],
    "permute and reshape": ["x = leaf(2, 3, 4)", "y = x.mul(2)", "p = y.permute(2, 0, 1)", "r = p.reshape(4, 6)", "f = y.flatten(1)", "f.mul_(2)", "r.mul_(3)", "out = p.mul(p)"],
    "T and mT": ["x = leaf(3, 4)", "y = x.mul(2)", "a = y.T", "b = y.mT", "a.mul_(a)", "out = b.mul(b)"],
    "atleast and movedim": ["x = leaf(3)", "y = x.mul(2)", "a = torch.atleast_3d(y)", "b = a.movedim(1, 0)", "b.mul_(b)", "out = y.mul(y)"],
    "broadcast": ["x = leaf(3, 1)", "y = leaf(4)", "b = torch.broadcast_tensors(x, y)", "out = b[0].mul(b[1])"],
    "view_as_real of a result": ["z = cleaf(2, 2)", "y = z.clone()", "r = torch.view_as_real(y)", "r.mul_(r)", "i = y.imag", "i.select(0, 1).zero_()", "out = y.clone()"],
    "view_as_complex of a result": ["x = leaf(3, 2)", "y = x.mul(2)", "c = torch.view_as_complex(y)", "c.narrow(0, 0, 2).copy_(c.narrow(0, 1, 1))", "out = y.mul(y)"],
    "real part written": ["z = cleaf(3)", "y = z.clone()", "a = y.real", "a.mul_(a)", "out = a.mul(a)"],
    "view with another dtype": ["x = leaf(4)", "y = x.mul(2)", "b = y.view(torch.int64)", "b.zero_()", "out = y.mul(2)"],
    "cat and stack": ["x = leaf(2, 3)", "y = leaf(2, 3)", "a = torch.cat([x, y], 1)", "b = torch.stack([x, y], 1)", "a.select(1, 2).mul_(x.select(1, 0))", "out = a.mul(b.flatten(1))"],
    "self copy": ["x = leaf(4)", "y = x.mul(2)", "y.narrow(0, 0, 2).copy_(y.narrow(0, 2, 2))", "out = y.mul(y)"],
    "overlapping copy": ["x = leaf(4)", "y = x.mul(2)", "y.narrow(0, 0, 3).copy_(y.narrow(0, 1, 3))", "out = y.mul(y)"],
    "unwritten view after write keeps its own node": ["x = leaf(3, 4)", "y = x.mul(2)", "a = y.view(12)", "y.mul_(2)", "b = y.view(12)", "out = a.mul(b)"],
}


def random_program(rng):
    """Views of views of one tensor, written to and read in random order."""
    lines = ["x = leaf(4, 4)", "w = leaf(4, 4)", "y = x.mul(2)" if rng.random() < 0.8 else "y = const(4, 4)"]
    shapes = {"y": (4, 4)}
    for step in range(rng.randint(3, 9)):
        name = rng.choice(list(shapes))
        shape = shapes[name]
        if rng.random() < 0.55 and len(shapes) < 7:
            new = "abcdefgh"[len(shapes)]
            moves = [("unsqueeze(0)", (1, *shape))]
            if len(shape) > 0:
                d = rng.randrange(len(shape))
                moves += [(f"select({d}, {rng.randrange(shape[d])})", shape[:d] + shape[d + 1 :])] if len(shape) > 1 else []
                if shape[d] > 1:
                    moves.append((f"narrow({d}, 1, {shape[d] - 1})", shape[:d] + (shape[d] - 1,) + shape[d + 1 :]))
                    moves.append((f"narrow({d}, 0, {shape[d] - 1})", shape[:d] + (shape[d] - 1,) + shape[d + 1 :]))
            if len(shape) > 1:
                moves.append(("transpose(0, 1)", (shape[1], shape[0], *shape[2:])))
                moves.append(("diagonal()", (*shape[2:], min(shape[:2]))))
            if len(shape) > 3:
                continue
            call, result = rng.choice(moves)
            mode = "no_grad: " if rng.random() < 0.04 else ""
            lines.append(f"{mode}{new} = {name}.{call}")
            shapes[new] = result
        else:
            mode = "no_grad: " if rng.random() < 0.1 else ""
            other = rng.choice(list(shapes))
            write = rng.choice(["mul_(2)", "sin_()", f"mul_({name})", "add_(1)", "zero_()", "tanh_()", f"add_({other}.sum())", "mul_(w.select(0, 0).select(0, 0))"])
            lines.append(f"{mode}{name}.{write}")
    name = rng.choice(list(shapes))
    lines.append(f"out = {name}.mul({name})" if rng.random() < 0.5 else f"out = {name}.mul(y.sum())")
    return lines


def run(lines):
    """Runs a program; returns the environment and the messages of statements that failed."""
    env = {"leaf": leaf, "const": const, "cleaf": cleaf, "torch": torch}
    errors = {}
    for i, line in enumerate(lines):
        mode, _, code = line.rpartition(": ")
        try:
            with torch.inference_mode(mode == "inference"), torch.set_grad_enabled(mode == ""):
                exec(code, env)
        except Exception as error:
            errors[i] = str(error)
    return env, errors


def describe(x):
    try:
        fn = x.grad_fn.name().removeprefix("torch::autograd::") if x.grad_fn is not None else None
    except RuntimeError as error:
        fn = f"error: {error}"
    values = torch.view_as_real(x.detach()) if x.is_complex() else x.detach()
    return {"shape": list(x.shape), "requires_grad": x.requires_grad, "grad_fn": fn, "version": x._version, "values": values.reshape(-1).tolist()}


def weighted_sum(out):
    flat = torch.view_as_real(out).reshape(-1) if out.is_complex() else out.reshape(-1)
    return (flat * torch.arange(1, flat.numel() + 1, dtype=flat.dtype)).sum()


def case(name, lines):
    env, errors = run(lines)
    record = {"name": name, "lines": lines, "errors": errors, "state": {}, "grads": {}}
    tensors = {k: v for k, v in env.items() if isinstance(v, torch.Tensor)}
    for key, x in tensors.items():
        if key != "out":
            record["state"][key] = describe(x)
    if "out" in tensors:
        try:
            weighted_sum(tensors["out"]).backward()
            for key, x in tensors.items():
                if re.search(rf"^{key} = c?leaf", "\n".join(lines), re.M) and x.grad is not None:
                    record["grads"][key] = (torch.view_as_real(x.grad) if x.is_complex() else x.grad).reshape(-1).tolist()
        except RuntimeError as error:
            record["backward_error"] = str(error)
    return record


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--random", type=int, default=80)
    parser.add_argument("--out", default=pathlib.Path(__file__).parents[2] / "test" / "goldens" / "views.json")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    cases = [case(name, lines) for name, lines in PROGRAMS.items()]
    cases += [case(f"random {i}", random_program(rng)) for i in range(options.random)]
    pathlib.Path(options.out).write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


main()
