"""Solvers and decompositions in PyTorch, under the names of solvers.mjs."""

import torch
from torch import linalg

matrices = {
    "float32 512": (torch.float32, (512, 512)),
    "float64 512": (torch.float64, (512, 512)),
    "complex64 256": (torch.complex64, (256, 256)),
    "float32 64": (torch.float32, (64, 64)),
    "float32 2000x4x4": (torch.float32, (2000, 4, 4)),
    "float32 100x32x32": (torch.float32, (100, 32, 32)),
}

calls = {
    "solve": lambda A, H, B: linalg.solve(A, B),
    "inv": lambda A, H, B: linalg.inv(A),
    "det": lambda A, H, B: linalg.det(A),
    "cholesky": lambda A, H, B: linalg.cholesky(H),
    "solve_triangular": lambda A, H, B: linalg.solve_triangular(A, B, upper=True),
    "matrix_exp": lambda A, H, B: linalg.matrix_exp(A),
}


def workload(call, dtype, shape):
    A, B = torch.randn(shape, dtype=dtype), torch.randn(shape, dtype=dtype)
    H = A @ A.mH + torch.eye(shape[-1], dtype=dtype)
    return lambda: call(A, H, B)


solvers = {
    f"{name}, {label}": lambda call=call, dtype=dtype, shape=shape: workload(call, dtype, shape)
    for name, call in calls.items()
    for label, (dtype, shape) in matrices.items()
}
