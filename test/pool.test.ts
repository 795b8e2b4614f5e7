/** Pools against PyTorch (test/goldens/pool.json, made by scripts/goldens/pool.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

/** Shape, sum, and sum of the product with a filled tensor. */
type Summary = [shape: number[], sum: number, product: number];
interface Case {
  name: string;
  dtype: 'float32' | 'float64' | 'bfloat16';
  x: number[];
  special: 'nan' | '-inf' | null;
  options: Record<string, unknown>;
  results: Summary[];
}
const cases = JSON.parse(readFileSync(new URL('goldens/pool.json', import.meta.url), 'utf8')) as Case[];
const F = torch.nn.functional;
const { float32, float64, bfloat16 } = torch;
const dtypes = { float32, float64, bfloat16 };
const pools = new Map(Object.entries(F)) as unknown as Map<
  string,
  (x: torch.Tensor, options: object) => torch.Tensor | torch.Tensor[]
>;

/** The same as fill() in scripts/goldens/pool.py. */
function fill(shape: readonly number[], seed: number, dtype = torch.float64): torch.Tensor {
  const values = Float64Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => ((i * 37 + seed * 11 + Math.floor(i / 17)) % 19) - 9,
  );
  return torch
    .tensor(values)
    .reshape([...shape])
    .to(dtype);
}

function summary(t: torch.Tensor): Summary {
  const x = t.detach().to(torch.float64);
  return [[...x.shape], x.sum().item(), x.mul(fill(x.shape, 3)).sum().item()];
}

function run(c: Case): Summary[] {
  const dtype = dtypes[c.dtype];
  const x = fill(c.x, 1, dtype);
  if (c.special !== null)
    x.masked_fill_(x.eq(4), c.special === 'nan' ? Number.NaN : Number.NEGATIVE_INFINITY);
  x.requires_grad_(true);
  torch.manual_seed(7);
  const found = pools.get(c.name)?.(x, c.options) ?? [];
  const [out, ...rest] = Array.isArray(found) ? found : [found];
  const [grad] = torch.autograd.grad([out], [x], [fill(out.shape, 5, dtype)]);
  const plain = out.detach().to(torch.float64).nan_to_num(1000, null, -500);
  return [plain, grad as torch.Tensor, ...rest].map(summary);
}

describe('pools', () => {
  it.each(cases.map((c, i) => [`${i}: ${c.name} ${c.dtype}`, c] as const))('%s', (_, c) => {
    const results = run(c);
    expect(results.map((r) => r[0])).toEqual(c.results.map((r) => r[0]));
    results.forEach((r, i) => {
      const scale = (c.dtype === 'bfloat16' ? 1e-2 : 1e-5) * (1 + Math.hypot(...r[0])) * 10;
      for (const k of [1, 2] as const)
        expect(Math.abs(r[k] - c.results[i][k]), `${i} ${JSON.stringify(c.options)}`).toBeLessThanOrEqual(
          i === 2 ? 0 : scale + 1e-5 * Math.abs(c.results[i][k]),
        );
    });
  });

  it('differentiates twice', () => {
    torch.manual_seed(0);
    const x = torch.randn(2, 2, 7, 6, { dtype: float64 }).requires_grad_(true);
    const fns = [
      (t: torch.Tensor) => F.max_pool2d(t, 3, 2, 1),
      (t: torch.Tensor) => F.avg_pool2d(t, 3, 2, 1),
      (t: torch.Tensor) => F.adaptive_avg_pool2d(t, [3, 4]),
      (t: torch.Tensor) => F.adaptive_max_pool2d(t, [3, 4]) as torch.Tensor,
    ];
    for (const fn of fns)
      expect(torch.autograd.gradgradcheck((t: torch.Tensor) => fn(t).pow(2), [x])).toBe(true);
  });

  it('puts maxima back where they were', () => {
    const x = fill([2, 3, 8, 8], 1);
    const [values, indices] = F.max_pool2d_with_indices(x, 2);
    const back = F.max_unpool2d(values, indices, 2);
    expect(back.shape).toEqual([2, 3, 8, 8]);
    expect(back.sum().item()).toBe(values.sum().item());
    expect(torch.equal(F.max_pool2d(back.abs(), 2), values.abs())).toBe(true);
  });

  it('refuses windows that do not fit', () => {
    expect(() => F.max_pool2d(torch.ones(1, 1, 4, 4), 5)).toThrow('Output size is too small');
    expect(() => F.avg_pool2d(torch.ones(1, 1, 4, 4), 2, 2, 2)).toThrow('pad should be at most half');
    expect(() => F.fractional_max_pool2d(torch.ones(1, 1, 4, 4), 3, 3)).toThrow(
      'pool height 3 too large relative to input height 4',
    );
  });
});
