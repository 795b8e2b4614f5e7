/** grid_sample: first and second derivatives against differences, what lies outside, and resized images. */
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const F = torch.nn.functional;
const { float64 } = torch;

function inputs(shape: number[], points: number[]): [torch.Tensor, torch.Tensor] {
  torch.manual_seed(1);
  const x = torch.randn(shape, { dtype: float64 }).requires_grad_(true);
  const grid = torch
    .rand([shape[0], ...points, points.length], { dtype: float64 })
    .mul(2.6)
    .sub(1.3)
    .requires_grad_(true);
  return [x, grid];
}

describe('grid_sample', () => {
  const cases = (['bilinear', 'nearest', 'bicubic'] as const).flatMap((mode) =>
    (['zeros', 'border', 'reflection'] as const).flatMap((padding_mode) =>
      [true, false].map((align_corners) => ({ mode, padding_mode, align_corners })),
    ),
  );
  it.each(cases)('$mode, $padding_mode, $align_corners', (options) => {
    const [x, grid] = inputs([2, 2, 5, 4], [3, 2]);
    const fn = (a: torch.Tensor, b: torch.Tensor) => F.grid_sample(a, b, options);
    expect(torch.autograd.gradcheck(fn, [x, grid])).toBe(true);
    expect(torch.autograd.gradgradcheck(fn, [x, grid])).toBe(true);
  });

  it('samples volumes', () => {
    const [x, grid] = inputs([1, 2, 3, 4, 3], [2, 2, 2]);
    const fn = (a: torch.Tensor, b: torch.Tensor) => F.grid_sample(a, b, { align_corners: true });
    expect(torch.autograd.gradcheck(fn, [x, grid])).toBe(true);
  });

  it('takes zero outside, whatever the image holds, and where a place is no number', () => {
    const x = torch.full([1, 1, 2, 2], Number.POSITIVE_INFINITY);
    const far = torch.tensor([[[[9, 9]]]]);
    expect(F.grid_sample(x, far, { align_corners: true }).item()).toBe(0);
    const none = torch.tensor([[[[Number.NaN, 0]]]]);
    expect(F.grid_sample(x, none, { mode: 'nearest', align_corners: true }).item()).toBe(0);
  });

  it('maps an image on itself', () => {
    const x = torch.randn([2, 3, 5, 7], { dtype: float64 });
    const theta = torch
      .tensor(
        [
          [
            [1, 0, 0],
            [0, 1, 0],
          ],
        ],
        { dtype: float64 },
      )
      .expand(2, 2, 3);
    for (const align_corners of [true, false]) {
      const grid = F.affine_grid(theta, [2, 3, 5, 7], { align_corners });
      expect(torch.allclose(F.grid_sample(x, grid, { align_corners }), x)).toBe(true);
    }
  });

  it('gives the same when a size comes again', () => {
    const x = torch.randn([1, 2, 6, 6], { dtype: float64 });
    const once = F.interpolate(x, { size: [9, 4], mode: 'bilinear' });
    expect(torch.equal(F.interpolate(x, { size: [9, 4], mode: 'bilinear' }), once)).toBe(true);
    expect(torch.equal(F.interpolate(x, { size: [9, 4], mode: 'bilinear', align_corners: true }), once)).toBe(
      false,
    );
  });
});
