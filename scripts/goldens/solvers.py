"""Writes goldens of the solvers and decompositions by LU, Cholesky and L D L^H, of determinants, powers and exponentials of
matrices, and of products that are added. python scripts/goldens/solvers.py test/goldens"""
import sys
import warnings

import torch
from cases import case, leaf, write

warnings.simplefilter("ignore")
torch.set_num_threads(1)
F64, C128, F32, C64 = torch.float64, torch.complex128, torch.float32, torch.complex64
INT = torch.int32
EYE = torch.eye(3, dtype=F64)


def definite(*shape, dtype=F64):
    a = torch.randn(shape, dtype=dtype)
    return (a @ a.mH + torch.eye(shape[-1], dtype=dtype)).requires_grad_()


def triangle(*shape, dtype=F64, upper=False):
    a = torch.randn(shape, dtype=dtype) + 4 * torch.eye(shape[-1], dtype=dtype)
    a.diagonal(dim1=-2, dim2=-1).copy_(a.diagonal(dim1=-2, dim2=-1).real)  # as of Cholesky factors
    return (a.triu() if upper else a.tril()).requires_grad_()


def solving():
    for dtype in (F64, C128):
        for a, b, options in [
            ((3, 3), (3,), {}), ((3, 3), (3, 2), {}), ((2, 3, 3), (3,), {}), ((2, 3, 3), (2, 3), {}),
            ((2, 3, 3), (2, 3, 2), {}), ((2, 1, 3, 3), (4, 3, 2), {}), ((3, 3), (2, 3), {"left": False}),
            ((2, 3, 3), (1, 2, 3), {"left": False}), ((0, 0), (0, 2), {}), ((0, 3, 3), (3, 2), {}), ((3, 3), (3, 0), {}),
        ]:
            yield case("linalg.solve", leaf(*a, dtype=dtype), leaf(*b, dtype=dtype), **options)
        for shape in [(3, 3), (2, 2, 2), (1, 1), (0, 0), (2, 0, 0)]:
            yield case("linalg.inv", leaf(*shape, dtype=dtype))
        yield case("linalg.solve_ex", leaf(3, 3, dtype=dtype), leaf(3, dtype=dtype))
        yield case("linalg.inv_ex", leaf(3, 3, dtype=dtype))
        yield case("Tensor.inverse", leaf(3, 3, dtype=dtype))
    for dtype in (F32, C64):
        yield case("linalg.solve", torch.randn(4, 4, dtype=dtype) + 3 * torch.eye(4), torch.randn(4, 2, dtype=dtype))
        yield case("linalg.inv", torch.randn(4, 4, dtype=dtype) + 3 * torch.eye(4))
    zero, batch = torch.zeros(3, 3, dtype=F64), torch.stack([EYE, torch.zeros(3, 3, dtype=F64)])
    yield case("linalg.inv", zero)
    yield case("linalg.inv", batch)
    yield case("linalg.inv_ex", batch[:1], check_errors=True)
    yield case("linalg.inv_ex", batch, check_errors=True)
    yield case("linalg.solve", batch, torch.ones(3, dtype=F64))
    yield case("linalg.solve_ex", zero, torch.ones(3, dtype=F64), check_errors=True)
    for bad in (torch.ones(3), torch.ones(3, 4), torch.ones(3, 3, dtype=torch.int64), torch.ones(3, 3, dtype=torch.float16)):
        yield case("linalg.inv", bad)
        yield case("linalg.solve", bad, torch.ones(3))
    yield case("linalg.solve", EYE, torch.ones(4, dtype=F64))
    yield case("linalg.solve", EYE, torch.ones(3))
    yield case("linalg.solve", EYE, torch.ones(3, dtype=F64), left=False)
    yield case("linalg.solve", EYE.reshape(1, 3, 3), torch.ones(1, 3, dtype=F64), left=False)
    yield case("linalg.tensorinv", leaf(2, 3, 6))
    yield case("linalg.tensorinv", leaf(6, 2, 3, dtype=C128), ind=1)
    yield case("linalg.tensorinv", torch.ones(2, 3, 6), ind=1)
    yield case("linalg.tensorinv", torch.ones(2, 3, 6), ind=0)
    yield case("linalg.tensorinv", torch.zeros(6, 2, 3), ind=1)
    yield case("linalg.tensorsolve", leaf(2, 3, 6), leaf(2, 3))
    yield case("linalg.tensorsolve", leaf(3, 6, 2, dtype=C128), leaf(3, 2, dtype=C128), dims=(1,))
    yield case("linalg.tensorsolve", torch.ones(2, 3, 6), torch.ones(2, 4))


def decomposing():
    for dtype in (F64, C128):
        for shape in [(3, 3), (2, 3, 3), (4, 2), (2, 2, 4), (1, 3), (0, 0), (2, 0, 3), (9, 9)]:
            second = shape[-1] < 9
            yield case("linalg.lu_factor", leaf(*shape, dtype=dtype), second=second)
            yield case("linalg.lu", leaf(*shape, dtype=dtype), second=second)
        yield case("lu", leaf(3, 3, dtype=dtype))
        yield case("Tensor.lu", leaf(3, 3, dtype=dtype), get_infos=True)
        for shape in [(3, 3), (2, 4, 2), (2, 4)]:
            x = leaf(*shape, dtype=dtype)
            LU, pivots = torch.linalg.lu_factor(x.detach())
            yield case("lu_unpack", LU.clone().requires_grad_(), pivots)
            yield case("lu_unpack", LU, pivots, unpack_data=False)
            yield case("lu_unpack", LU, pivots, unpack_pivots=False)
        for shape in [(3, 3), (2, 3, 3), (1, 1), (0, 0)]:
            yield case("linalg.cholesky", definite(*shape, dtype=dtype), second=shape[-1] < 9)
            yield case("linalg.cholesky", definite(*shape, dtype=dtype), upper=True, second=shape[-1] < 9)
        yield case("linalg.cholesky_ex", definite(2, 3, 3, dtype=dtype))
        yield case("cholesky", definite(3, 3, dtype=dtype))
        yield case("Tensor.cholesky", definite(3, 3, dtype=dtype), True)
        for upper in (False, True):
            for shape in [(3, 3), (2, 3, 3), (0, 0)]:
                yield case("cholesky_inverse", triangle(*shape, dtype=dtype, upper=upper), upper=upper)
            for b, l in [((3, 2), (3, 3)), ((2, 3, 2), (3, 3)), ((3, 1), (2, 3, 3)), ((0, 2), (0, 0))]:
                yield case("cholesky_solve", leaf(*b, dtype=dtype), triangle(*l, dtype=dtype, upper=upper), upper=upper)
        for hermitian in (False, True):
            for shape in [(4, 4), (2, 5, 5), (0, 0), (7, 7)]:
                a = torch.randn(shape, dtype=dtype)
                a = a + (a.mH if hermitian else a.mT)
                if shape == (4, 4):
                    a.diagonal().zero_()
                LD, pivots = torch.linalg.ldl_factor(a, hermitian=hermitian)
                yield case("linalg.ldl_factor", a, hermitian=hermitian)
                yield case("linalg.ldl_factor_ex", a, hermitian=hermitian)
                yield case("linalg.ldl_solve", LD, pivots, torch.randn(shape[:-1] + (2,), dtype=dtype), hermitian=hermitian)
    for dtype in (F32, C64):
        yield case("linalg.lu", torch.randn(4, 4, dtype=dtype))
        yield case("linalg.cholesky", definite(4, 4, dtype=dtype).detach())
    zero, batch = torch.zeros(3, 3, dtype=F64), torch.stack([EYE, torch.zeros(3, 3, dtype=F64)])
    for bad in (zero, batch, -EYE, torch.ones(3), torch.ones(3, 4), torch.ones(3, 3, dtype=torch.int64), torch.ones(3, 3, dtype=torch.float16)):
        if bad.shape != (3, 4):
            yield case("linalg.lu_factor", bad)
            yield case("linalg.lu", bad)
        yield case("linalg.cholesky", bad)
        yield case("cholesky", bad)
        yield case("cholesky_inverse", bad)
    for bad in (torch.ones(3), torch.ones(3, 4), torch.ones(3, 3, dtype=torch.int64), torch.ones(3, 3, dtype=torch.float16)):
        yield case("linalg.ldl_factor", bad)
    yield case("linalg.cholesky_ex", batch)
    yield case("linalg.cholesky_ex", batch, check_errors=True)
    yield case("linalg.lu_factor_ex", batch)
    yield case("linalg.lu_factor_ex", batch, check_errors=True)
    yield case("linalg.lu_factor", EYE, pivot=False)
    for call, args in [("cholesky_solve", (torch.ones(4, 2), torch.eye(3))), ("cholesky_solve", (torch.ones(3), torch.eye(3))),
                       ("cholesky_solve", (torch.ones(3, 2), torch.ones(3, 4))), ("cholesky_solve", (torch.ones(3, 2, dtype=F64), torch.eye(3)))]:
        yield case(call, *args)
    one = torch.tensor([1, 2, 3], dtype=INT)
    yield case("lu_unpack", torch.eye(3), one.long())
    yield case("lu_unpack", torch.eye(3), torch.tensor([1, 2, 8], dtype=INT))
    yield case("linalg.ldl_solve", torch.eye(3), torch.tensor([1, 2, 8], dtype=INT), torch.ones(3, 1))
    yield case("linalg.ldl_solve", torch.eye(3), one[:2], torch.ones(3, 1))
    yield case("linalg.ldl_solve", torch.eye(3), one.float(), torch.ones(3, 1))
    yield case("linalg.ldl_solve", torch.eye(3), one, torch.ones(4, 1))


def factored():
    for dtype in (F64, C128):
        for left in (True, False):
            for adjoint in (False, True):
                for a, b in [((3, 3), (3, 3)), ((2, 3, 3), (3, 3)), ((3, 3), (2, 3, 3)), ((0, 0), (0, 0))]:
                    LU, pivots = torch.linalg.lu_factor(torch.randn(a, dtype=dtype))
                    yield case("linalg.lu_solve", LU.clone().requires_grad_(), pivots, leaf(*b, dtype=dtype), left=left, adjoint=adjoint)
            for upper in (True, False):
                for unitriangular in (True, False):
                    options = dict(upper=upper, left=left, unitriangular=unitriangular)
                    for a, b in [((3, 3), (3, 3)), ((2, 3, 3), (3, 3)), ((3, 3), (2, 3, 3)), ((0, 0), (0, 0))]:
                        yield case("linalg.solve_triangular", triangle(*a, dtype=dtype, upper=upper), leaf(*b, dtype=dtype), **options)
                    if left:
                        for transpose in (True, False):
                            yield case("triangular_solve", leaf(3, 2, dtype=dtype), triangle(2, 3, 3, dtype=dtype, upper=upper),
                                       upper=upper, transpose=transpose, unitriangular=unitriangular)
        LU, pivots = torch.linalg.lu_factor(torch.randn(3, 3, dtype=dtype))
        yield case("lu_solve", leaf(3, 2, dtype=dtype), LU, pivots)
    one = torch.tensor([1, 2, 3], dtype=INT)
    e = torch.eye(3)
    for args in [(e, one.long(), e), (e, one[:2], e), (e, torch.tensor([1, 2, 7], dtype=INT), e), (e, torch.tensor([0, 2, 3], dtype=INT), e),
                 (torch.ones(3, 4), one, e), (e, one, torch.ones(3)), (e, one, e.double()), (e, one, torch.ones(4, 3)),
                 (e.expand(2, 3, 3), one, e), (e.half(), one, e.half()), (e.long(), one, e.long())]:
        yield case("linalg.lu_solve", *args)
    for args in [(e, torch.ones(3)), (torch.ones(3, 4), e), (e, torch.ones(4, 3)), (e.long(), e.long()), (e.half(), e.half())]:
        yield case("linalg.solve_triangular", *args, upper=True)
    yield case("linalg.solve_triangular", e, torch.ones(3, 4), upper=True, left=False)
    yield case("linalg.solve_triangular", e, e)
    for args in [(torch.ones(3), e), (e, torch.ones(3)), (torch.ones(4, 3), e), (e, torch.ones(3, 4)), (e.double(), e), (e.long(), e.long())]:
        yield case("triangular_solve", *args)


def functions():
    for dtype in (F64, C128):
        for shape in [(3, 3), (2, 3, 3), (1, 1), (0, 0), (2, 0, 0), (9, 9)]:
            second = shape[-1] not in (1, 9)
            yield case("linalg.det", leaf(*shape, dtype=dtype), second=second)
            yield case("linalg.slogdet", leaf(*shape, dtype=dtype), second=second)
            positive = definite(*shape, dtype=dtype)
            yield case("logdet", positive, second=second)
            yield case("linalg.matrix_exp", leaf(*shape, dtype=dtype), second=second)
        yield case("Tensor.det", leaf(3, 3, dtype=dtype))
        yield case("slogdet", leaf(3, 3, dtype=dtype))
        for n in (-3, -1, 0, 1, 2, 3, 4, 5):
            yield case("linalg.matrix_power", leaf(2, 3, 3, dtype=dtype), n)
        for scale in (1e-9, 1e-4, 0.02, 0.1, 5.0, 20.0):
            yield case("matrix_exp", torch.stack([torch.randn(4, 4, dtype=dtype) * scale, torch.randn(4, 4, dtype=dtype) / 50]), second=False)
        yield case("linalg.multi_dot", [leaf(2, 3, dtype=dtype), leaf(3, 4, dtype=dtype), leaf(4, 2, dtype=dtype)])
        yield case("linalg.vecdot", leaf(2, 3, dtype=dtype), leaf(3, dtype=dtype))
        yield case("linalg.vecdot", leaf(2, 3, dtype=dtype), leaf(2, 1, dtype=dtype), dim=0)
        yield case("linalg.diagonal", leaf(2, 3, 4, dtype=dtype), offset=1)
        partly = torch.randn(3, 3, 3, dtype=dtype)
        partly[1, 2] = partly[1, 0] + partly[1, 1]
        yield case("linalg.det", (partly * 2).round().requires_grad_() if dtype is F64 else partly.requires_grad_(), second=dtype is F64)
    singular = torch.tensor([[1.0, 2], [2, 4]], dtype=F64)
    yield case("det", torch.tensor([[1.0, 2, 3], [4, 5, 7], [5, 7, 10]], dtype=F64).requires_grad_())
    for call in ("linalg.det", "linalg.slogdet", "logdet", "linalg.matrix_exp"):
        yield case(call, singular)
        yield case(call, -EYE)
        for bad in (torch.ones(3), torch.ones(3, 4), torch.ones(3, 3, dtype=torch.int64)):
            yield case(call, bad)
    yield case("linalg.det", torch.ones(3, 3, dtype=torch.float16))
    yield case("linalg.slogdet", torch.ones(3, 3, dtype=torch.float16))
    yield case("linalg.matrix_power", torch.ones(3, 3, dtype=torch.int64), 3)
    yield case("linalg.matrix_power", torch.ones(3, 3, dtype=torch.int64), -1)
    yield case("linalg.matrix_power", torch.ones(3, 4), 2)
    yield case("linalg.matrix_power", torch.ones(3), 2)
    v, m = torch.ones(3), torch.ones(3, 3)
    for chain in ([m, v], [v, m], [v, v], [v, m, v], [m], [], [m, m[None]], [m, v, m], [m, m.double()], [m, torch.ones(3, 4), torch.ones(3, 4)]):
        yield case("linalg.multi_dot", chain)
    yield case("linalg.vecdot", m, m.double())
    yield case("linalg.vecdot", m.long(), m.long())
    yield case("linalg.vecdot", m, torch.ones(4))
    yield case("linalg.diagonal", v)


def added():
    for dtype in (F64, C128):
        scalars = [{}, {"beta": 0.5, "alpha": -2}, {"beta": 0}] + ([{"beta": 1 + 2j, "alpha": 0.5j}] if dtype is C128 else [])
        for options in scalars:
            f = lambda *shape: leaf(*shape, dtype=dtype)
            same = {} if options.get("beta", 1) != 0 else {"second": False}
            for shape in [(2, 4), (4,), (1, 4), ()]:
                yield case("addmm", f(*shape), f(2, 3), f(3, 4), **options, **same)
                yield case("addbmm", f(*shape), f(2, 2, 3), f(2, 3, 4), **options, **same)
            yield case("baddbmm", f(2, 1, 4), f(2, 2, 3), f(2, 3, 4), **options, **same)
            yield case("addmv", f(2), f(2, 3), f(3), **options, **same)
            yield case("addmv", f(), f(2, 3), f(3), **options, **same)
            yield case("addmm", f(2, 4), f(2, 0), f(0, 4), **options, **same)
            yield case("addbmm", f(2, 4), f(0, 2, 3), f(0, 3, 4), **options, **same)
    for dtype in (torch.int64, torch.int32):
        a, b = torch.arange(6, dtype=dtype).reshape(2, 3), torch.arange(12, dtype=dtype).reshape(3, 4)
        for options in ({}, {"beta": 2, "alpha": 3}, {"beta": 0.5, "alpha": 1.7}):
            yield case("addmm", torch.ones(2, 4, dtype=dtype), a, b, **options)
            yield case("addbmm", torch.ones(4, dtype=dtype), a[None], b[None], **options)
            yield case("baddbmm", torch.ones(4, dtype=dtype), a[None], b[None], **options)
            yield case("addmv", torch.ones(2, dtype=dtype), a, b[:, 0], **options)
            yield case("addr", torch.ones(2, 3, dtype=dtype), a[:, 1], b[:, 1], **options)
    t, f = torch.ones(2, 2, dtype=torch.bool), torch.tensor([True, False])
    for options in ({}, {"beta": False}, {"beta": 0}, {"alpha": 0}, {"beta": 2}, {"alpha": 0.5}):
        yield case("addr", ~t, f, f, **options)
    b16 = torch.randn(3, 4, 4, dtype=torch.bfloat16)
    yield case("baddbmm", b16, b16, b16, beta=0.3, alpha=0.7)
    m, v, b = torch.ones(3, 3), torch.ones(3), torch.ones(2, 3, 3)
    for call, args in [
        ("addmm", (m, m.to(C64), m.to(C64))), ("addmm", (m, m, v)), ("addmv", (v, m, v.double())), ("addmv", (v, m, torch.ones(4))),
        ("addmv", (torch.ones(4), m, v)), ("addmv", (v, v, v)), ("baddbmm", (b, b, b.double())), ("baddbmm", (b.double(), b, b)),
        ("baddbmm", (b, b, torch.ones(2, 4, 3))), ("addbmm", (m, m, b)), ("addbmm", (m, b, torch.ones(3, 3, 3))),
        ("addbmm", (m, b, torch.ones(2, 4, 3))), ("addbmm", (m, b, b.double())), ("addbmm", (torch.ones(4, 3), b, b)),
        ("addr", (m, v, m)), ("addr", (m, m, v)), ("addr", (torch.ones(4, 4), v, v)),
    ]:
        yield case(call, *args)
    yield case("addmm", m, m, m, beta=1j)


write(sys.argv[1], "solvers", {"solving": solving, "decomposing": decomposing, "factored": factored, "functions": functions, "added": added})
