// QR, eigenvalues, singular values and what rests on them against PyTorch (goldens: scripts/goldens/factorizations.py), and
// matrices of many sizes by what defines their decompositions.
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';
import { replay } from './golden_cases.js';

replay('factorizations');

const { linalg } = torch;
type Tensor = torch.Tensor;

/** The largest difference, relative to the largest element. */
function distance(a: Tensor, b: Tensor): number {
  if (a.numel() === 0) return 0;
  return a.sub(b).abs().max().item() / Math.max(b.abs().max().item(), 1e-30);
}

const kinds = [
  [torch.float32, 1e-6],
  [torch.float64, 2e-15],
  [torch.complex64, 1e-6],
  [torch.complex128, 2e-15],
] as const;

/** V diag(w). */
const scaled = (V: Tensor, w: Tensor): Tensor => V.mul(w.unsqueeze(-2));

/** Checks that the columns of Q are orthonormal. */
function expectOrthonormal(Q: Tensor, tolerance: number): void {
  const product = Q.mH.matmul(Q);
  expect(distance(product, torch.eye(Q.shape[Q.shape.length - 1], { dtype: Q.dtype }))).toBeLessThan(
    tolerance,
  );
}

function expectDecompositions(A: Tensor, tolerance: number): void {
  for (const mode of ['reduced', 'complete'] as const) {
    const [Q, R] = linalg.qr(A, mode);
    expect(distance(Q.matmul(R), A)).toBeLessThan(tolerance);
    expectOrthonormal(Q, tolerance);
    expect(R.tril(-1).abs().max().item()).toBe(0);
  }
  for (const full of [true, false]) {
    const [U, S, Vh] = linalg.svd(A, full);
    const k = S.shape[0];
    expect(distance(scaled(U.narrow(-1, 0, k), S).matmul(Vh.narrow(-2, 0, k)), A)).toBeLessThan(tolerance);
    expectOrthonormal(U, tolerance);
    expectOrthonormal(Vh.mH, tolerance);
    expect(distance(linalg.svdvals(A), S)).toBeLessThan(tolerance);
    if (k > 1) expect(S.diff().max().item()).toBeLessThanOrEqual(0);
  }
}

function expectEigen(A: Tensor, tolerance: number): void {
  const [w, V] = linalg.eig(A);
  const size = A.abs().max().item() * A.shape[0];
  expect(A.to(V.dtype).matmul(V).sub(scaled(V, w)).abs().max().item()).toBeLessThanOrEqual(tolerance * size);
  expect(distance(linalg.vector_norm(V, 2, 0), torch.ones([A.shape[0]]))).toBeLessThan(1e-5);
  // The largest component is real. Where several are as large, rounding picks one.
  const sizes = V.abs();
  const largest = sizes.ge(sizes.amax(0, true).mul(1 - 1e-5));
  const turned = torch.where(largest, torch.imag(V).abs(), torch.ones_like(sizes));
  expect(turned.amin(0).max().item()).toBe(0);
  const H = A.add(A.mH);
  for (const triangle of ['L', 'U'] as const) {
    const [l, Q] = linalg.eigh(triangle === 'L' ? H.tril() : H.triu(), triangle);
    expect(distance(scaled(Q, l).matmul(Q.mH), H)).toBeLessThan(tolerance);
    expectOrthonormal(Q, tolerance);
    expect(distance(linalg.eigvalsh(H, triangle), l)).toBeLessThan(tolerance);
  }
}

describe('what defines the decompositions', () => {
  for (const [m, n] of [
    [1, 1],
    [2, 2],
    [3, 8],
    [9, 4],
    [17, 17],
    [33, 31],
    [64, 64],
    [100, 40],
    [40, 101],
    [150, 150],
  ])
    for (const [dtype, precision] of kinds)
      it(`${m} by ${n}, ${dtype.name}`, () => {
        torch.manual_seed(m);
        const A = torch.randn([m, n], { dtype });
        expectDecompositions(A, precision * (20 + n));
        if (m === n) expectEigen(A, precision * (20 + n));
      });

  for (const [dtype, precision] of kinds) {
    const tolerance = 200 * precision;
    const eye = torch.eye(6, { dtype });
    const rotation = linalg.qr(torch.randn([6, 6], { dtype }))[0];
    const matrices: Record<string, Tensor> = {
      zeros: torch.zeros([6, 6], { dtype }),
      identity: eye,
      'equal values': rotation.mul(2),
      'rank 1': torch.ones([6, 6], { dtype }),
      nilpotent: torch.ones([6, 6], { dtype }).triu(1),
      cyclic: torch.roll(eye, 1, 0),
      triangular: torch.randn([6, 6], { dtype }).triu(),
      blocks: torch.block_diag(torch.randn([3, 3], { dtype }), torch.randn([3, 3], { dtype })),
      huge: torch.randn([6, 6], { dtype }).mul(dtype.to_real() === torch.float32 ? 1e30 : 1e300),
      tiny: torch.randn([6, 6], { dtype }).mul(dtype.to_real() === torch.float32 ? 1e-30 : 1e-300),
      graded: torch.randn([6, 6], { dtype }).mul(torch.exp(torch.arange(6).mul(-4.6)).to(dtype)),
    };
    for (const [kind, A] of Object.entries(matrices))
      it(`${kind}, ${dtype.name}`, () => {
        if (kind !== 'tiny' || dtype.to_real() !== torch.float32) expectDecompositions(A, tolerance);
        expectEigen(A, tolerance);
      });
  }

  it('small singular values of bidiagonal matrices keep their digits', () => {
    const A = torch.diag(torch.tensor([1, 1e-8, 1e-16, 1e-24], { dtype: torch.float64 }));
    A.diagonal(1).fill_(0);
    const B = A.add(torch.diag(torch.tensor([1e-4, 1e-12, 1e-20], { dtype: torch.float64 }), 1));
    const product = linalg.svdvals(B).prod().item();
    expect(Math.abs(product / 1e-48 - 1)).toBeLessThan(1e-13);
  });

  it('batches and strides', () => {
    const A = torch.randn([300, 5, 4], { dtype: torch.float64 });
    for (const x of [A, A.mT, A.transpose(0, 2), torch.randn([1, 4, 4]).expand(3, -1, -1)]) {
      const [U, S, Vh] = linalg.svd(x, false);
      expect(distance(scaled(U, S).matmul(Vh), x)).toBeLessThan(x.dtype === torch.float32 ? 1e-5 : 1e-13);
      const [Q, R] = linalg.qr(x);
      expect(distance(Q.matmul(R), x)).toBeLessThan(x.dtype === torch.float32 ? 1e-5 : 1e-13);
    }
  });

  it('least squares of larger systems', () => {
    for (const [dtype, precision] of kinds)
      for (const [m, n] of [
        [60, 40],
        [40, 60],
        [50, 50],
      ]) {
        const A = torch.randn([m, n], { dtype });
        const B = torch.randn([m, 3], { dtype });
        for (const driver of ['gels', 'gelsy', 'gelsd', 'gelss'] as const) {
          const X = linalg.lstsq(A, B, { driver }).solution;
          expect(distance(X, linalg.pinv(A).matmul(B))).toBeLessThan(precision * 1e5);
        }
      }
  });
});

describe('refusals that depend on values', () => {
  it('losses that depend on phases', () => {
    const A = torch.randn([3, 3], { dtype: torch.complex128 }).requires_grad_();
    const imaginary = (x: Tensor): Tensor => torch.imag(x).sum();
    expect(() => imaginary(linalg.eig(A).eigenvectors).backward()).toThrow(
      /linalg_eig_backward: .* ill-defined/,
    );
    expect(() => imaginary(linalg.eigh(A).eigenvectors).backward()).toThrow(
      /linalg_eigh_backward: .* ill-defined/,
    );
    expect(() => imaginary(linalg.svd(A).U).backward()).toThrow(/svd_backward: .* ill-defined/);
  });

  it('derivatives that do not exist', () => {
    const A = torch.randn([4, 3]).requires_grad_();
    expect(() => linalg.qr(A, 'r').R.sum().backward()).toThrow(
      /depends on Q, which is not computed when mode='r'/,
    );
    expect(() => linalg.qr(A, 'complete').R.sum().backward()).toThrow(
      /not differentiable when mode='complete'/,
    );
    expect(() => torch.geqrf(A).a.sum().backward()).toThrow("the derivative for 'geqrf' is not implemented.");
  });

  it('NaN and infinities, instead of endless loops', () => {
    for (const value of [NaN, Infinity])
      for (const size of [2, 40]) {
        const A = torch.randn([size, size]);
        A.at(1, 0).fill_(value);
        expect(() => linalg.eigh(A)).toThrow(/linalg.eigh: The algorithm failed to converge/);
        expect(() => linalg.eigvals(A)).toThrow(/should not contain infs or NaNs/);
        for (const f of [linalg.svd, linalg.svdvals, linalg.pinv, linalg.matrix_rank, linalg.cond])
          expect(() => f(A)).toThrow(/linalg.svd: The algorithm failed to converge/);
        expect(linalg.qr(A).R.isnan().any().item()).toBe(true);
      }
  });

  it('out= of other dtypes', () => {
    const A = torch.eye(2);
    const double = (): Tensor => torch.empty([0], { dtype: torch.float64 });
    expect(() => linalg.svdvals(A, { out: double() })).toThrow('Expected out tensor to have dtype float');
    const out = [torch.empty([0]), torch.empty([0])] as const;
    const result = linalg.qr(A, { out });
    expect(result.R).toBe(out[1]);
    expect(out[0].shape).toEqual([2, 2]);
  });
});

describe('low rank', () => {
  it('finds the singular values of a matrix of low rank', () => {
    for (const [m, n] of [
      [30, 20],
      [20, 30],
    ]) {
      const A = torch
        .randn([2, m, 3], { dtype: torch.float64 })
        .matmul(torch.randn([2, 3, n], { dtype: torch.float64 }));
      const [U, S, V] = torch.svd_lowrank(A, { q: 5 });
      expect(distance(scaled(U, S).matmul(V.mH), A)).toBeLessThan(1e-12);
      const [P, , W] = torch.pca_lowrank(A, 4);
      expect(P.shape).toEqual([2, m, 4]);
      expect(W.shape).toEqual([2, n, 4]);
      const centred = A.sub(A.mean(-2, true));
      expect(distance(linalg.svdvals(centred).narrow(-1, 0, 4), torch.pca_lowrank(A, 4)[1])).toBeLessThan(
        1e-9,
      );
    }
  });

  it('refuses sizes out of range', () => {
    const A = torch.ones([5, 4]);
    expect(() => torch.pca_lowrank(A, 9)).toThrow(
      'q(=9) must be non-negative integer and not greater than min(m, n)=4',
    );
    expect(() => torch.pca_lowrank(A, { niter: -1 })).toThrow('niter(=-1) must be non-negative integer');
  });
});
