// torch.fft against PyTorch (goldens: scripts/goldens/fft.py), and long transforms against their own definition.
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';
import { replay } from './golden_cases.js';

replay('fft');

/** exp(-2 pi i j k / n) as a matrix product, in double precision. */
function byDefinition(x: torch.Tensor): torch.Tensor {
  const n = x.shape[x.shape.length - 1];
  const j = torch.arange(n, { dtype: torch.float64 });
  const angle = torch
    .outer(j, j)
    .remainder(n)
    .mul((-2 * Math.PI) / n);
  return x.to(torch.complex128).matmul(torch.complex(angle.cos(), angle.sin()));
}

const distance = (a: torch.Tensor, b: torch.Tensor): number =>
  a.sub(b).abs().max().item() / b.abs().max().item();

describe('every algorithm', () => {
  // Lines by themselves, by the vector, side by side, large primes, odd and even real lines.
  for (const n of [64, 81, 96, 100, 127, 128, 202, 210, 243, 251, 256, 289, 500, 509, 1000, 1024])
    for (const [dtype, tolerance] of [
      [torch.float32, 2e-6],
      [torch.float64, 1e-13],
    ] as const)
      it(`${n} points of ${dtype.name}`, () => {
        torch.manual_seed(n);
        const x = torch.randn([5, n], { dtype: dtype.to_complex() });
        const r = torch.randn([5, n], { dtype });
        const want = byDefinition(x);
        expect(distance(torch.fft.fft(x), want)).toBeLessThan(tolerance);
        expect(distance(torch.fft.ifft(torch.fft.fft(x)), x)).toBeLessThan(tolerance);
        expect(distance(torch.fft.fft(x.t().contiguous(), { dim: 0 }).t(), want)).toBeLessThan(tolerance);
        const half = byDefinition(r).narrow(1, 0, Math.floor(n / 2) + 1);
        expect(distance(torch.fft.rfft(r), half)).toBeLessThan(tolerance);
        expect(distance(torch.fft.rfft(r.t().contiguous(), { dim: 0 }).t(), half)).toBeLessThan(tolerance);
        expect(distance(torch.fft.irfft(torch.fft.rfft(r), n), r)).toBeLessThan(tolerance);
      });

  it('takes short lines by the vector', () => {
    for (const n of [4, 8, 16, 24, 33, 48]) {
      const x = torch.randn([37, n], { dtype: torch.complex64 });
      expect(distance(torch.fft.fft(x), byDefinition(x))).toBeLessThan(2e-6);
      const r = torch.randn([37, 2 * n]);
      expect(distance(torch.fft.irfft(torch.fft.rfft(r)), r)).toBeLessThan(2e-6);
    }
  });

  it('finds the parts of a long signal', () => {
    const n = 1 << 18;
    const t = torch.arange(n, { dtype: torch.float64 }).mul((2 * Math.PI) / n);
    const x = t.mul(1000).cos().mul(2).add(t.mul(77777).sin());
    const spectrum = torch.fft
      .rfft(x)
      .abs()
      .div(n / 2);
    expect(spectrum[1000].item()).toBeCloseTo(2, 10);
    expect(spectrum[77777].item()).toBeCloseTo(1, 10);
    expect(spectrum.sum().item()).toBeCloseTo(3, 6);
  });
});
