// Solvers, decompositions and functions of matrices against PyTorch (goldens: scripts/goldens/solvers.py), and matrices
// larger than the kernels' blocks by what defines their decompositions.
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';
import { replay } from './golden_cases.js';

replay('solvers');

const { linalg } = torch;
type Tensor = torch.Tensor;

/** The largest difference, relative to the largest element. */
function distance(a: Tensor, b: Tensor): number {
  if (a.numel() === 0) return 0;
  return a.sub(b).abs().max().item() / Math.max(b.abs().max().item(), 1);
}

const kinds = [
  [torch.float32, 2e-5],
  [torch.float64, 1e-13],
  [torch.complex64, 2e-5],
  [torch.complex128, 1e-13],
] as const;

describe('every size of block', () => {
  for (const n of [1, 7, 8, 9, 16, 17, 33, 65, 100, 131, 260])
    for (const [dtype, precision] of kinds)
      it(`${n} rows of ${dtype.name}`, () => {
        torch.manual_seed(n);
        const tolerance = precision * n;
        const eye = torch.eye(n, { dtype });
        const A = torch.randn([n, n], { dtype }).add(eye.mul(2 * Math.sqrt(n)));
        const B = torch.randn([n, 19], { dtype });
        const wide = torch.randn([n, 2 * n + 3], { dtype });
        for (const M of [A, wide, wide.mT]) {
          const [P, L, U] = linalg.lu(M);
          expect(distance(P.matmul(L).matmul(U), M)).toBeLessThan(tolerance);
          expect(L.abs().max().item()).toBeLessThan(dtype.is_complex ? 1.5 : 1.0001);
        }
        expect(distance(A.matmul(linalg.solve(A, B)), B)).toBeLessThan(tolerance);
        expect(distance(linalg.solve(A, B.mT, { left: false }).matmul(A), B.mT)).toBeLessThan(tolerance);
        expect(distance(A.matmul(linalg.inv(A)), eye)).toBeLessThan(tolerance);
        const [LU, pivots] = linalg.lu_factor(A);
        const X = linalg.lu_solve(LU, pivots, B, { adjoint: true });
        expect(distance(A.mH.matmul(X), B)).toBeLessThan(tolerance);
        const [sign, logabs] = linalg.slogdet(A);
        if (n < 60)
          expect(distance(sign.mul(logabs.exp()).div(linalg.det(A)), torch.ones([]))).toBeLessThan(1e-3);

        const H = A.matmul(A.mH);
        const R = linalg.cholesky(H);
        expect(distance(R.matmul(R.mH), H)).toBeLessThan(tolerance);
        const S = linalg.cholesky(H, { upper: true });
        expect(distance(S, R.mH)).toBeLessThan(tolerance);
        expect(distance(H.matmul(torch.cholesky_inverse(R)), eye)).toBeLessThan(tolerance * 10);
        expect(distance(H.matmul(torch.cholesky_inverse(S, true)), eye)).toBeLessThan(tolerance * 10);
        expect(distance(H.matmul(torch.cholesky_solve(B, R)), B)).toBeLessThan(tolerance * 10);

        for (const hermitian of n > 1 ? [false, true] : []) {
          const W = A.tril(-1);
          const M = W.add(hermitian ? W.mH : W.mT); // a zero diagonal asks for blocks of two
          const [LD, swaps] = linalg.ldl_factor(M, { hermitian });
          const Y = linalg.ldl_solve(LD, swaps, B, { hermitian });
          expect(distance(M.matmul(Y), B)).toBeLessThan(tolerance * 20);
        }

        for (const upper of [false, true])
          for (const unitriangular of [false, true])
            for (const left of [false, true]) {
              const T = upper ? A.triu() : A.tril();
              const M = unitriangular ? T.sub(T.diagonal().diag()).div(n).add(eye) : T;
              const C = left ? B : B.mT;
              const Y = linalg.solve_triangular(unitriangular ? M.add(eye) : M, C, {
                upper,
                left,
                unitriangular,
              });
              expect(distance(left ? M.matmul(Y) : Y.matmul(M), C)).toBeLessThan(tolerance);
            }
      });
});

describe('memory', () => {
  const A = torch.tensor([
    [4, 1, 0],
    [1, 3, 1],
    [0, 1, 2],
  ]);

  it('takes any strides and many small matrices', () => {
    torch.manual_seed(3);
    const M = torch.randn([40, 6, 5, 5], { dtype: torch.float64 });
    const odd = M.permute(1, 3, 0, 2).at('...', '1::2', ':');
    const square = odd.matmul(odd.mT).add(torch.eye(20, { dtype: torch.float64 }));
    expect(distance(square.matmul(linalg.inv(square)), torch.eye(20, { dtype: torch.float64 }))).toBeLessThan(
      1e-10,
    );
    expect(distance(linalg.inv(M.mT), linalg.inv(M).mT)).toBeLessThan(1e-8);
    expect(distance(linalg.det(M.mT), linalg.det(M))).toBeLessThan(1e-10);
  });

  it('repeats a matrix without copying it', () => {
    const B = torch.arange(24, { dtype: torch.float32 }).reshape(4, 3, 2);
    expect(distance(A.matmul(linalg.solve(A.expand(4, 3, 3), B)), B)).toBeLessThan(1e-5);
  });

  it('writes to out, which may be an argument', () => {
    const inverse = linalg.inv(A);
    const out = torch.empty([0]);
    expect(linalg.inv(A, { out })).toBe(out);
    expect(distance(out, inverse)).toBe(0);
    const own = A.clone();
    linalg.inv(own, { out: own });
    expect(distance(own, inverse)).toBe(0);
    const results = [torch.empty([0]), torch.empty([0], { dtype: torch.int32 })] as const;
    const { LU, pivots } = linalg.lu_factor(A, { out: results });
    expect(LU).toBe(results[0]);
    expect(pivots).toBe(results[1]);
    expect(() => linalg.inv(A, { out: torch.empty([0], { dtype: torch.float64 }) })).toThrow(
      'Expected out tensor to have dtype float, but got double instead',
    );
  });

  it('leaves its arguments as they are', () => {
    const before = A.clone();
    linalg.solve(A, torch.ones([3]));
    linalg.cholesky(A);
    linalg.ldl_factor(A);
    torch.triangular_solve(torch.ones([3, 1]), A);
    expect(torch.equal(A, before)).toBe(true);
  });

  it('names results', () => {
    expect(String(linalg.slogdet(torch.eye(2)))).toBe(
      'torch.return_types.linalg_slogdet(\nsign=tensor(1.),\nlogabsdet=tensor(0.))',
    );
    const { P, L, U } = linalg.lu(A);
    expect(distance(P.matmul(L).matmul(U), A)).toBeLessThan(1e-6);
  });
});

describe('derivatives', () => {
  it('of singular matrices are as PyTorch gives them', () => {
    const A = torch
      .tensor([
        [1, 2],
        [2, 4],
      ])
      .requires_grad_();
    expect(torch.autograd.grad(linalg.det(A), A)[0]?.tolist()).toEqual(
      [
        [0, 0],
        [0, 0],
      ].map((row) => row.map((v) => expect.closeTo(v))),
    );
  });

  it('are refused for L D L^H', () => {
    const A = torch.eye(3).requires_grad_();
    expect(() => linalg.ldl_factor(A).LD.sum().backward()).toThrow(
      'derivative for aten::linalg_ldl_factor_ex is not implemented',
    );
  });

  it('pass gradcheck', () => {
    torch.manual_seed(1);
    const A = torch
      .randn([2, 3, 3], { dtype: torch.float64 })
      .add(torch.eye(3, { dtype: torch.float64 }).mul(3));
    const B = torch.randn([3, 2], { dtype: torch.float64 }).requires_grad_();
    A.requires_grad_();
    const { gradcheck, gradgradcheck } = torch.autograd;
    expect(gradcheck((a: Tensor, b: Tensor) => linalg.solve(a, b), [A, B])).toBe(true);
    expect(gradgradcheck((a: Tensor, b: Tensor) => linalg.solve(a, b), [A, B])).toBe(true);
    expect(gradgradcheck((a: Tensor) => torch.logdet(a.matmul(a.mT)), [A])).toBe(true);
    expect(gradgradcheck((a: Tensor) => linalg.cholesky(a.matmul(a.mT)), [A])).toBe(true);
    expect(gradgradcheck((a: Tensor) => torch.matrix_exp(a), [A])).toBe(true);
    expect(gradgradcheck((a: Tensor) => linalg.lu_factor(a).LU, [A])).toBe(true);
  });
});
