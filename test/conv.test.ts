/** Convolutions against PyTorch, exactly, on small integers (test/goldens/conv.json, made by scripts/goldens/conv.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

/** Shape, sum, and sum of the product with a filled tensor. */
type Summary = [shape: number[], sum: number, product: number];
interface Case {
  name: 'conv1d' | 'conv2d' | 'conv3d' | 'conv_transpose1d' | 'conv_transpose2d' | 'conv_transpose3d';
  dtype: 'float32' | 'float64' | 'float16' | 'bfloat16' | 'complex64' | 'int64';
  x: number[];
  weight: number[];
  bias: number | null;
  options: Record<string, number | number[]>;
  results: (Summary | null)[];
}
const cases = JSON.parse(readFileSync(new URL('goldens/conv.json', import.meta.url), 'utf8')) as Case[];
const F = torch.nn.functional;
const { float32, float64, float16, bfloat16, complex64, int64 } = torch;
const dtypes = { float32, float64, float16, bfloat16, complex64, int64 };

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The same as fill() in scripts/goldens/conv.py. */
function fill(shape: readonly number[], seed: number, dtype = torch.float64): torch.Tensor {
  const values = Float64Array.from(
    { length: size(shape) },
    (_, i) => ((i * 37 + seed * 11 + Math.floor(i / 17)) % 5) - 2,
  );
  return torch
    .tensor(values)
    .reshape([...shape])
    .to(dtype);
}

function summary(t: torch.Tensor): Summary {
  const plain = t.detach();
  const x = (plain.is_complex() ? torch.view_as_real(plain) : plain).to(torch.float64);
  return [[...x.shape], x.sum().item() + 0, x.mul(fill(x.shape, 3)).sum().item() + 0];
}

function run(c: Case): (torch.Tensor | null)[] {
  const dtype = dtypes[c.dtype];
  const grad = dtype.is_floating_point || dtype.is_complex;
  const [x, weight] = [
    fill(c.x, 1, dtype).requires_grad_(grad),
    fill(c.weight, 2, dtype).requires_grad_(grad),
  ];
  const bias = c.bias === null ? null : fill([c.bias], 4, dtype).requires_grad_(grad);
  const out = (F[c.name] as typeof F.conv2d)(x, weight, bias, c.options);
  if (!grad) return [out];
  const inputs = [x, weight, bias].filter((t) => t !== null);
  const second = dtype.itemsize > 2;
  const grads = torch.autograd.grad([out], inputs, [fill(out.shape, 5, dtype)], { create_graph: second });
  const seconds = second
    ? torch.autograd.grad(
        grads.slice(0, 2) as torch.Tensor[],
        inputs.slice(0, 2),
        grads.slice(0, 2).map((g) => fill((g as torch.Tensor).shape, 6, dtype)),
        { allow_unused: true },
      )
    : [];
  return [out, ...grads, ...seconds];
}

describe('convolutions', () => {
  it.each(cases.map((c, i) => [`${i}: ${c.name} ${c.dtype}`, c] as const))('%s', (_, c) => {
    const results = run(c);
    expect(results.length).toBe(c.results.length);
    results.forEach((r, i) => {
      const wanted = c.results[i];
      // An unused input's gradient may be absent on one side and zero on the other.
      if (r !== null && wanted !== null) expect([i, c.options, summary(r)]).toEqual([i, c.options, wanted]);
      else expect([r === null ? 0 : summary(r)[1], wanted?.[1] ?? 0]).toEqual([0, 0]);
    });
  });

  it('gives the same result for any thread count', () => {
    const [x, w] = [torch.randn(3, 16, 21, 19), torch.randn(40, 16, 3, 3)];
    const before = torch.get_num_threads();
    const outs = [1, 2].map((threads) => {
      torch.set_num_threads(threads);
      return F.conv2d(x, w, null, { padding: 1 });
    });
    torch.set_num_threads(before);
    expect(torch.allclose(outs[0], outs[1], 1e-5, 1e-5)).toBe(true);
  });

  it('does not multiply what lies outside of the image', () => {
    const x = torch.full([1, 1, 3, 3], Number.POSITIVE_INFINITY);
    const y = F.conv2d(x, torch.ones(1, 1, 3, 3), null, { padding: 1 });
    expect(y.isnan().any().item()).toBe(false);
  });

  it('refuses what PyTorch refuses, in its words', () => {
    const x = torch.ones(1, 3, 4, 4);
    expect(() => F.conv2d(x, torch.ones(3, 2, 2, 2))).toThrow(
      'Given groups=1, weight of size [3, 2, 2, 2], expected input[1, 3, 4, 4] to have 2 channels, but got 3 channels instead',
    );
    expect(() => F.conv2d(x, torch.ones(3, 3, 2, 2).double())).toThrow(
      'expected scalar type Float but found Double',
    );
    expect(() => F.conv_transpose2d(x, torch.ones(3, 2, 2, 2), { output_padding: 1 })).toThrow(
      'output padding must be smaller than either stride or dilation, but got output_padding_height: 1 output_padding_width: 1 stride_height: 1',
    );
  });
});
