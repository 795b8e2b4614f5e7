"""Writes goldens of QR, least squares, pseudoinverses, ranks, condition numbers, matrix norms, and eigenvalues and singular
values (their vectors are open up to sign or phase). python scripts/goldens/factorizations.py test/goldens"""
import sys
import warnings

import torch
from cases import case, leaf, write

warnings.simplefilter("ignore")
torch.set_num_threads(1)
F64, C128, F32, C64 = torch.float64, torch.complex128, torch.float32, torch.complex64
EYE = torch.eye(3, dtype=F64)
BAD = [torch.ones(3), torch.ones(3, 4), torch.ones(3, 3, dtype=torch.int64), torch.ones(3, 3, dtype=torch.float16)]


def qr():
    for dtype in (F64, C128):
        for shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 0), (0, 3), (3, 0), (2, 0, 2)]:
            yield case("linalg.qr", leaf(*shape, dtype=dtype))
        yield case("linalg.qr", leaf(2, 4, dtype=dtype), mode="complete")
        yield case("linalg.qr", torch.randn(4, 2, dtype=dtype), mode="complete")
        yield case("linalg.qr", torch.randn(4, 2, dtype=dtype), mode="r")
        yield case("linalg.qr", torch.zeros(3, 2, dtype=dtype))
        yield case("Tensor.qr", torch.randn(4, 2, dtype=dtype), False)
        yield case("geqrf", torch.randn(2, 4, 3, dtype=dtype))
        yield case("Tensor.geqrf", torch.randn(2, 4, dtype=dtype))
        for a, t in [((4, 3), (3,)), ((4, 3), (2,)), ((2, 3, 3), (2, 3)), ((3, 2), (0,)), ((3, 0), (0,))]:
            yield case("linalg.householder_product", leaf(*a, dtype=dtype), leaf(*t, dtype=dtype), second=False)
        yield case("orgqr", torch.randn(3, 2, dtype=dtype), torch.randn(2, dtype=dtype))
        for left in (True, False):
            for transpose in (True, False):
                other = leaf(*((4, 2) if left else (2, 4)), dtype=dtype)
                yield case("ormqr", leaf(4, 3, dtype=dtype), leaf(3, dtype=dtype), other, left, transpose, second=False)
    for dtype in (F32, C64):
        yield case("linalg.qr", torch.randn(5, 4, dtype=dtype))
        yield case("linalg.qr", torch.randn(4, 3, dtype=dtype) * 1e-30)
        yield case("linalg.qr", torch.randn(4, 3, dtype=dtype) * 1e30)
    yield case("linalg.qr", torch.randn(4, 3, dtype=F64) * 1e-200)
    for bad in BAD[:1] + BAD[2:]:
        yield case("linalg.qr", bad)
        yield case("geqrf", bad)
    yield case("linalg.qr", EYE, mode="x")
    ones = lambda *s: torch.ones(s, dtype=F64)
    for a, t in [((3,), (3,)), ((2, 3), (2,)), ((3, 2), (3,)), ((4, 3, 2), (3, 2)), ((3, 2), (3, 2))]:
        yield case("linalg.householder_product", ones(*a), ones(*t))
    yield case("linalg.householder_product", ones(3, 2), torch.ones(2))
    for a, t, c, left in [
        ((3,), (2,), (3, 3), True), ((3, 2), (2,), (3,), True), ((3, 2), (2,), (2, 3), True), ((3, 2), (2,), (3, 2), False),
        ((3, 2), (2, 2), (3, 2), True), ((2, 3, 2), (2,), (2, 3, 2), True), ((2, 3, 2), (2, 2), (3, 3, 2), True),
        ((2, 3, 2), (3, 2), (2, 3, 2), True),
    ]:
        yield case("ormqr", ones(*a), ones(*t), ones(*c), left)
    yield case("ormqr", torch.ones(3, 2), ones(2), ones(3, 2))


def eigenvalues():
    for dtype in (F64, C128):
        for shape in [(3, 3), (2, 4, 4), (1, 1), (0, 0), (2, 0, 0)]:
            yield case("linalg.eigvalsh", leaf(*shape, dtype=dtype))
        yield case("linalg.eigvalsh", leaf(3, 3, dtype=dtype), UPLO="U")
        yield case("linalg.eigvalsh", torch.randn(4, 4, dtype=dtype).triu(), UPLO="u")
        for shape in [(4, 2), (2, 4), (2, 3, 3), (1, 1), (0, 3), (2, 0, 0)]:
            yield case("linalg.svdvals", leaf(*shape, dtype=dtype))
        yield case("linalg.eigvals", torch.diag(torch.arange(1, 4)).to(dtype))
        yield case("linalg.eigvals", torch.zeros(2, 0, 0, dtype=dtype))
        yield case("linalg.eig", torch.zeros(0, 0, dtype=dtype))
        yield case("linalg.svd", torch.zeros(0, 3, dtype=dtype))
        yield case("linalg.svd", torch.zeros(2, 3, 0, dtype=dtype), full_matrices=False)
        yield case("linalg.eigvalsh", torch.zeros(3, 3, dtype=dtype))
        yield case("linalg.eigvalsh", torch.eye(3, dtype=dtype) * 1e-300)
        yield case("linalg.svdvals", torch.randn(4, 3, dtype=dtype) * 1e300)
        yield case("linalg.svdvals", torch.zeros(3, 2, dtype=dtype))
        yield case("linalg.svdvals", torch.ones(3, 2, dtype=dtype).tril() * torch.tensor([1e10, 1e-10]).to(dtype))
        yield case("svd", torch.randn(3, 2, dtype=dtype), compute_uv=False)
    for dtype in (F32, C64):
        yield case("linalg.eigvalsh", torch.randn(6, 6, dtype=dtype))
        yield case("linalg.svdvals", torch.randn(6, 4, dtype=dtype))
    for bad in BAD:
        for name in ("eigh", "eigvalsh", "eig", "eigvals"):
            yield case(f"linalg.{name}", bad)
    for bad in BAD[:1] + BAD[2:]:
        for name in ("svd", "svdvals"):
            yield case(f"linalg.{name}", bad)
    yield case("svd", BAD[0])
    yield case("linalg.svd", EYE, driver="gesvd")
    yield case("linalg.eigh", EYE, UPLO="X")
    nan = torch.tensor([[1.0, float("nan")], [0, 1]], dtype=F64)
    yield case("linalg.svd", nan)
    yield case("linalg.svdvals", torch.stack([torch.eye(2, dtype=F64), nan]))
    yield case("linalg.eig", nan)


def least_squares():
    for dtype in (F64, C128):
        for driver in ("gels", "gelsy", "gelsd", "gelss"):
            yield case("linalg.lstsq", leaf(4, 3, dtype=dtype), leaf(4, 2, dtype=dtype), driver=driver)
            yield case("linalg.lstsq", torch.randn(2, 3, 4, dtype=dtype), torch.randn(2, 3, dtype=dtype), driver=driver)
        low = torch.randn(5, 2, dtype=dtype) @ torch.randn(2, 4, dtype=dtype)
        for driver in ("gelsy", "gelsd", "gelss"):
            yield case("linalg.lstsq", low, torch.randn(5, 2, dtype=dtype), rcond=1e-10, driver=driver)
            yield case("linalg.lstsq", torch.zeros(3, 2, dtype=dtype), torch.randn(3, 2, dtype=dtype), driver=driver)
            yield case("linalg.lstsq", torch.eye(3, dtype=dtype), torch.ones(3, 1, dtype=dtype), rcond=2.0, driver=driver)
        yield case("linalg.lstsq", leaf(2, 3, 4, dtype=dtype), leaf(2, 3, dtype=dtype))
        yield case("linalg.lstsq", torch.randn(1, 5, 3, dtype=dtype), torch.randn(4, 5, 2, dtype=dtype))
        for a, b in [((2, 0, 5), (2, 0, 4)), ((2, 5, 0), (2, 5, 4)), ((0, 5, 3), (0, 5, 4))]:
            yield case("linalg.lstsq", torch.ones(a, dtype=dtype), torch.ones(b, dtype=dtype), driver="gelsd")
    for a, b in [((3,), (3,)), ((3, 2), ()), ((3, 2), (4, 2)), ((3, 2), (2,)), ((2, 3, 2), (3, 2)), ((5, 3), (4, 5, 2))]:
        yield case("linalg.lstsq", torch.ones(a), torch.ones(b))
    yield case("linalg.lstsq", EYE, EYE, driver="x")
    yield case("linalg.lstsq", EYE, EYE.float())
    yield case("linalg.lstsq", EYE.half(), EYE.half())


def inverses():
    for dtype in (F64, C128):
        for shape in [(3, 3), (4, 2), (2, 2, 3), (1, 1), (0, 3), (3, 0), (2, 0, 0)]:
            yield case("linalg.pinv", leaf(*shape, dtype=dtype))
            yield case("linalg.matrix_rank", torch.randn(shape, dtype=dtype))
        definite = torch.diag(torch.tensor([3.0, 1, 1e-20])).to(dtype)
        yield case("linalg.pinv", definite)
        yield case("linalg.pinv", definite, hermitian=True)
        yield case("linalg.pinv", definite, rcond=0.5)
        yield case("linalg.pinv", definite, atol=2.0)
        yield case("linalg.pinv", definite, rtol=0.5, hermitian=True)
        yield case("linalg.pinv", definite.expand(2, 3, 3), rcond=torch.tensor([0.5, 2], dtype=F64))
        yield case("linalg.pinv", definite.expand(2, 3, 3), atol=torch.tensor([0.0, 2], dtype=F64))
        yield case("Tensor.pinverse", torch.randn(3, 2, dtype=dtype))
        yield case("pinverse", definite, 0.5)
        yield case("linalg.matrix_rank", definite)
        yield case("linalg.matrix_rank", definite, hermitian=True)
        yield case("linalg.matrix_rank", definite, 2.0)
        yield case("linalg.matrix_rank", definite, tol=1e-30, hermitian=True)
        yield case("linalg.matrix_rank", definite, atol=1e-30)
        yield case("linalg.matrix_rank", definite, rtol=0.5)
        yield case("linalg.matrix_rank", definite, torch.tensor(2.0, dtype=F64))
        yield case("linalg.matrix_rank", definite.expand(2, 3, 3), atol=torch.tensor([[0.5], [2]], dtype=F64))
    for bad in BAD[:1] + BAD[2:]:
        yield case("linalg.pinv", bad)
        yield case("linalg.matrix_rank", bad)
    yield case("linalg.pinv", BAD[1], hermitian=True)
    yield case("linalg.matrix_rank", BAD[1], hermitian=True)
    yield case("linalg.pinv", EYE, atol=torch.tensor(1j))
    yield case("linalg.matrix_rank", EYE, rtol=torch.tensor(1j))


def norms():
    inf = float("inf")
    for dtype in (F64, C128):
        for p in (None, "fro", "nuc", 1, -1, 2, -2, inf, -inf):
            # PyTorch's own backward of the orders by inverses fails: they write to the inverse.
            x = leaf(3, 3, dtype=dtype) if p in (None, 2, -2) else torch.randn(3, 3, dtype=dtype)
            yield case("linalg.cond", x, *([] if p is None else [p]))
            yield case("linalg.cond", torch.zeros(2, 0, 0, dtype=dtype), p)
            if p is not None:
                yield case("linalg.matrix_norm", leaf(2, 3, dtype=dtype), p)
                yield case("linalg.norm", leaf(2, 3, dtype=dtype), p)
        yield case("linalg.cond", leaf(2, 4, 3, dtype=dtype))
        yield case("linalg.cond", torch.zeros(3, 3, dtype=dtype), 1)
        for p in ("nuc", 2, -2):
            yield case("linalg.matrix_norm", leaf(2, 3, 2, dtype=dtype), p, dim=(0, 2), keepdim=True)
            yield case("linalg.matrix_norm", leaf(2, 3, 2, dtype=dtype), p, dim=(1, 0))
            yield case("linalg.norm", torch.randn(2, 3, 2, dtype=dtype), p, dim=(2, 0))
        yield case("norm", leaf(2, 3, dtype=dtype), "nuc")
        yield case("norm", leaf(2, 3, 2, dtype=dtype), "nuc", dim=(0, 1))
    yield case("linalg.matrix_norm", torch.randn(2, 2), "nuc", dtype=F64)
    yield case("nuclear_norm", leaf(2, 3, 2))
    yield case("nuclear_norm", torch.randn(3, 2), True)
    yield case("nuclear_norm", torch.randn(2, 3, 2), (0, 1), keepdim=True)
    yield case("nuclear_norm", torch.ones(2, 3, 2), (0,))
    yield case("linalg.matrix_norm", torch.zeros(0, 3), 2)
    yield case("linalg.matrix_norm", torch.zeros(0, 3), "nuc")
    yield case("linalg.matrix_norm", torch.zeros(0, 3), -2)
    for p in ("x", 3):
        yield case("linalg.matrix_norm", EYE, p)
        yield case("linalg.cond", EYE, p)
    yield case("linalg.cond", torch.ones(3, 2), 1)
    yield case("linalg.cond", torch.ones(3), 1)
    yield case("linalg.matrix_norm", EYE, 2, dim=(0, 0))
    yield case("linalg.norm", torch.ones(3), "nuc")
    yield case("linalg.norm", torch.ones(2, 3, 3), "nuc")
    yield case("norm", torch.ones(2, 3, 3), "nuc")
    yield case("norm", torch.ones(3), "nuc")


write(
    sys.argv[1],
    "factorizations",
    {"qr": qr, "eigenvalues": eigenvalues, "least squares": least_squares, "inverses": inverses, "norms": norms},
)
