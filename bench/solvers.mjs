// Solvers and decompositions on this side; bench/solvers.py has the same names.
const matrices = {
  'float32 512': ['float32', [512, 512]],
  'float64 512': ['float64', [512, 512]],
  'complex64 256': ['complex64', [256, 256]],
  'float32 64': ['float32', [64, 64]],
  'float32 2000x4x4': ['float32', [2000, 4, 4]],
  'float32 100x32x32': ['float32', [100, 32, 32]],
};

const calls = {
  solve: (torch, A, _, B) => torch.linalg.solve(A, B),
  inv: (torch, A) => torch.linalg.inv(A),
  det: (torch, A) => torch.linalg.det(A),
  cholesky: (torch, _, H) => torch.linalg.cholesky(H),
  solve_triangular: (torch, A, _, B) => torch.linalg.solve_triangular(A, B, { upper: true }),
  matrix_exp: (torch, A) => torch.linalg.matrix_exp(A),
};

export const solvers = Object.fromEntries(
  Object.entries(calls).flatMap(([name, call]) =>
    Object.entries(matrices).map(([label, [dtype, shape]]) => [
      `${name}, ${label}`,
      (torch) => {
        const options = { dtype: torch[dtype] };
        const A = torch.randn(shape, options);
        const B = torch.randn(shape, options);
        const H = A.matmul(A.mH).add(torch.eye(shape.at(-1), options));
        return () => call(torch, A, H, B);
      },
    ]),
  ),
);
