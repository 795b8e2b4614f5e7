// Indexing, ordering, searching and contracting ops against PyTorch: values, gradients, second gradients, messages.
// Goldens: scripts/goldens/indexing.py.
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.js';
import * as torch from '../src/index.js';
import { type Call, replay, sumOf, weightsLike, working } from './golden_cases.js';

function run(call: string, args: unknown[], kwargs: Record<string, unknown>): unknown {
  const [self, ...rest] = args as [Tensor, ...unknown[]];
  if (call === 'at') return self.at(...(rest as []));
  if (call === 'setAt') return working(self).setAt(rest[0] as number, rest[1] as number);
  if (call.endsWith('_')) return (working(self) as unknown as Record<string, Call>)[call](...rest, kwargs);
  return (torch as unknown as Record<string, Call>)[call](...args, kwargs);
}

replay('indexing', {
  run,
  total: (outs) => sumOf(outs.map((t) => t.mul(weightsLike(t)).sum())),
  totalOfGradients: (grads) => sumOf(grads.map((g) => g.square().sum())),
});

describe('views and writes', () => {
  it('shares memory for basic indices only', () => {
    const x = torch.zeros([3, 4]);
    x.at(1, '1:3').fill_(1);
    x.at([0, 2]).fill_(9);
    expect(x.tolist()).toEqual([
      [0, 0, 0, 0],
      [0, 1, 1, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('refuses to write what it reads', () => {
    const x = torch.arange(12).reshape(3, 4);
    expect(() => x.index_put_([torch.tensor([0n])], x[1])).toThrow(/refer to a single memory location/);
    expect(() => x.index_add_(0, torch.tensor([0n]), x.at('1:2'))).toThrow(
      /refer to a single memory location/,
    );
  });

  it('names the results of sort, topk and histogram', () => {
    const { values, indices } = torch.sort(torch.tensor([3, 1, 2]));
    expect([values.tolist(), indices.tolist()]).toEqual([
      [1, 2, 3],
      [1, 2, 0],
    ]);
    const { hist, bin_edges } = torch.histogram(torch.tensor([0, 1]), 1);
    expect([hist.tolist(), bin_edges.tolist()]).toEqual([[2], [0, 1]]);
  });

  it('writes to out=, of the exact dtype', () => {
    const x = torch.tensor([
      [1, 2],
      [3, 4],
    ]);
    const out = torch.empty([0]);
    expect(torch.gather(x, 0, torch.tensor([[1n, 0n]]), { out })).toBe(out);
    expect(out.tolist()).toEqual([[3, 2]]);
    expect(() =>
      torch.masked_select(x, x.gt(1), { out: torch.empty([0], { dtype: torch.float64 }) }),
    ).toThrow('masked_select(): self and result must have the same scalar type');
  });

  it('has no derivative where PyTorch has none', () => {
    const x = torch.rand([4], { requires_grad: true });
    expect(() => (torch.unique(x) as Tensor).sum().backward()).toThrow(
      "the derivative for '_unique2' is not implemented.",
    );
    const y = torch.bincount(torch.tensor([0n, 1n, 1n, 0n]), x);
    expect(() => y.sum().backward()).toThrow('derivative for aten::bincount is not implemented');
  });
});
