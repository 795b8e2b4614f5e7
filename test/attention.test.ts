/** Attention against PyTorch (test/goldens/attention.json, made by scripts/goldens/attention.py) and finite differences. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const F = torch.nn.functional;
const dtypes = { float32: torch.float32, float64: torch.float64 };

interface Plain {
  shape: number[];
  data: number[];
}
interface Case {
  shapes: number[][];
  mask: ['bool' | 'float' | 'rows', number[]] | null;
  dtype: 'float32' | 'float64';
  options: { dropout_p?: number; is_causal?: boolean; scale?: number; enable_gqa?: boolean };
  out: Plain;
  grads: Plain[];
}
const golden = JSON.parse(
  readFileSync(new URL('./goldens/attention.json', import.meta.url), 'utf8'),
) as Case[];

function expectClose(actual: torch.Tensor, expected: Plain): void {
  expect(actual.shape).toEqual(expected.shape);
  const values = actual.detach().flatten().tolist() as number[];
  values.forEach((v, i) => {
    if (Math.abs(v - expected.data[i]) > 2e-5 * (1 + Math.abs(expected.data[i])))
      expect(v).toBe(expected.data[i]);
  });
}

function makeMask(c: Case): torch.Tensor | null {
  if (c.mask === null) return null;
  const [kind, shape] = c.mask;
  const random = torch.rand(shape);
  if (kind === 'bool') return random.gt(0.4);
  if (kind === 'float') return random.mul(2).sub(1).to(dtypes[c.dtype]);
  const rows = torch.ones(shape, { dtype: torch.bool });
  rows.setAt(['...', 1, ':'], false);
  return rows;
}

describe('scaled_dot_product_attention', () => {
  for (const c of golden)
    it(`${c.shapes.map((s) => `[${s}]`).join(' ')} ${c.mask ?? ''} ${JSON.stringify(c.options)}`, () => {
      torch.manual_seed(0);
      const [q, k, v] = c.shapes.map((s) => torch.rand(s).mul(2).sub(1).to(dtypes[c.dtype]).requires_grad_());
      const mask = makeMask(c);
      torch.manual_seed(1);
      const out = F.scaled_dot_product_attention(q, k, v, { attn_mask: mask, ...c.options });
      expectClose(out.sum(-1), c.out);
      torch.manual_seed(2);
      out.backward(torch.rand(out.shape).to(dtypes[c.dtype]));
      [q, k, v].forEach((x, i) => {
        expectClose((x.grad as torch.Tensor).sum(-1), c.grads[i]);
      });
    });

  const make = (...shape: number[]): torch.Tensor =>
    torch.rand(shape, { dtype: torch.float64 }).mul(2).sub(1).requires_grad_();
  it('first and second derivatives, against finite differences', () => {
    torch.manual_seed(3);
    const [q, k, v] = [make(1, 2, 3, 2), make(1, 2, 4, 2), make(1, 2, 4, 3)];
    const mask = torch.rand(3, 4).gt(0.3);
    for (const options of [{}, { is_causal: true }, { attn_mask: mask }]) {
      const run = (q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) =>
        F.scaled_dot_product_attention(q, k, v, options);
      expect(torch.autograd.gradcheck(run as never, [q, k, v])).toBe(true);
      expect(torch.autograd.gradgradcheck(run as never, [q, k, v])).toBe(true);
    }
  });
  it('masks that need a gradient get it', () => {
    const [q, k, v, mask] = [make(2, 3, 2), make(2, 4, 2), make(2, 4, 2), make(3, 4)];
    const run = (...x: torch.Tensor[]) => F.scaled_dot_product_attention(x[0], x[1], x[2], x[3]);
    expect(torch.autograd.gradcheck(run as never, [q, k, v, mask])).toBe(true);
  });
  it('follows the memory of the query, so that joining the heads copies nothing', () => {
    const x = torch.rand(2, 5, 3, 4).transpose(1, 2);
    const out = F.scaled_dot_product_attention(x, x, x, { is_causal: true });
    expect(out.stride()).toEqual(x.stride());
    expect(out.transpose(1, 2).is_contiguous()).toBe(true);
  });
  it('large scores and infinite masks stay finite', () => {
    const q = torch.full([1, 1, 3, 2], 200);
    const out = F.scaled_dot_product_attention(q, q, torch.rand(1, 1, 3, 2));
    expect(out.isfinite().all().item()).toBe(true);
    const mask = torch.full([3, 3], Number.NEGATIVE_INFINITY);
    expect(F.scaled_dot_product_attention(q, q, q, mask).abs().sum().item()).toBe(0);
  });
});
