// Indexing, ordering, searching and contracting ops against PyTorch: values, gradients, second gradients, messages.
// Goldens: scripts/goldens/indexing.py.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.js';
import * as torch from '../src/index.js';

interface Dump {
  dtype: string;
  shape: number[];
  data: (number | string | boolean)[];
  grad?: boolean;
}
interface Case {
  call: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  tensors: Dump[];
  out?: Dump[];
  node?: string;
  grads?: (Dump | null)[];
  second?: (Dump | null)[];
  error?: [type: string, text: string];
}
type Call = (...args: unknown[]) => unknown;

const dtypes = torch as unknown as Record<string, torch.Tensor['dtype']>;
const toNumber = (v: number | string | boolean): number =>
  typeof v === 'string' ? ({ nan: NaN, inf: Infinity, '-inf': -Infinity }[v] as number) : Number(v);

function load(dump: Dump): Tensor {
  const x = torch
    .tensor(dump.data.map(toNumber), { dtype: torch.float64 })
    .to(dtypes[dump.dtype])
    .reshape(dump.shape);
  return dump.grad ? x.requires_grad_() : x;
}

function decode(v: unknown, tensors: readonly Tensor[]): unknown {
  if (v === 'inf') return Infinity;
  if (Array.isArray(v)) return v.map((item) => decode(item, tensors));
  if (typeof v !== 'object' || v === null) return v;
  return tensors[(v as { $t: number }).$t];
}

/** A tensor that the call may write to. */
const working = (x: Tensor): Tensor => (x.requires_grad ? x.mul(1) : x.clone());

function run(c: Case, tensors: readonly Tensor[]): unknown {
  const args = c.args.map((a) => decode(a, tensors));
  const kwargs = Object.fromEntries(Object.entries(c.kwargs).map(([k, v]) => [k, decode(v, tensors)]));
  const [self, ...rest] = args as [Tensor, ...unknown[]];
  if (c.call === 'at') return self.at(...(rest as []));
  if (c.call === 'setAt') return working(self).setAt(rest[0] as number, rest[1] as number);
  if (c.call.endsWith('_')) {
    const x = working(self);
    return (x as unknown as Record<string, Call>)[c.call](...rest, kwargs);
  }
  return (torch as unknown as Record<string, Call>)[c.call](...args, kwargs);
}

const call = (c: Case, tensors: readonly Tensor[]): Tensor[] => {
  const result = run(c, tensors);
  return result instanceof torch.Tensor ? [result] : ([...(result as Iterable<Tensor>)].flat() as Tensor[]);
};

const precision: Readonly<Record<string, number>> = {
  float64: 1e-9,
  float32: 1e-5,
  float16: 2e-3,
  bfloat16: 1.6e-2,
};

function same(got: Tensor | null | undefined, want: Dump | null, what: string): void {
  // A gradient that does not depend on the input may be absent: it is zero.
  if (want === null || got === null || got === undefined) {
    const zero = want === null ? (got?.abs().sum().item() ?? 0) === 0 : want.data.every((v) => v === 0);
    expect(zero, what).toBe(true);
    return;
  }
  expect([got.dtype.name, [...got.shape]], what).toEqual([want.dtype, want.shape]);
  const values = [...got.detach().to(torch.float64).contiguous().toTypedArray()].map(Number);
  const tolerance = precision[want.dtype] ?? 0;
  want.data.forEach((v, i) => {
    const expected = toNumber(v);
    const close =
      Object.is(values[i], expected) ||
      values[i] === expected ||
      Math.abs(values[i] - expected) <= tolerance * (1 + Math.abs(expected));
    if (!close) expect.fail(`${what}: [${i}] is ${values[i]}, want ${expected}`);
  });
}

const weightsLike = (t: Tensor): Tensor =>
  torch
    .arange(1, t.numel() + 1, { dtype: t.dtype })
    .div(Math.max(t.numel(), 1))
    .reshape([...t.shape]);

/** Compares a case with its golden. */
function check(c: Case): void {
  const tensors = c.tensors.map(load);
  if (c.error) {
    let text = 'did not throw';
    try {
      run(c, tensors);
    } catch (e) {
      text = `${(e as Error).name}: ${(e as Error).message.split('\n')[0]}`;
    }
    expect(text).toBe(c.error.join(': '));
    return;
  }
  const outs = call(c, tensors);
  expect(outs.length).toBe(c.out?.length);
  c.out?.forEach((want, i) => same(outs[i], want, `output ${i}`));
  if (!c.grads) return;
  const wanted = tensors.filter((t) => t.requires_grad);
  const used = outs.filter((t) => t.requires_grad);
  expect(used[0].grad_fn?.name()).toBe(c.node);
  const total = used.map((t) => t.mul(weightsLike(t)).sum()).reduce((a, b) => a.add(b));
  const grads = torch.autograd.grad(total, wanted, { create_graph: true, allow_unused: true });
  c.grads.forEach((want, i) => same(grads[i], want, `gradient ${i}`));
  if (!c.second) return;
  const squares = grads.filter((g): g is Tensor => g?.requires_grad === true).map((g) => g.square().sum());
  const second = torch.autograd.grad(
    squares.reduce((a, b) => a.add(b)),
    wanted,
    { allow_unused: true },
  );
  c.second.forEach((want, i) => same(second[i], want, `second gradient ${i}`));
}

const file = process.env.INDEXING_GOLDENS ?? new URL('goldens/indexing.json', import.meta.url);
const goldens = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Case[]>;

for (const [family, cases] of Object.entries(goldens))
  describe(family, () => {
    cases.forEach((c, i) => {
      it(`${i}: ${c.call} ${JSON.stringify(c.args)} ${JSON.stringify(c.kwargs)}`, () => check(c));
    });
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
