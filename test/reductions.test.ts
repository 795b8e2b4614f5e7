// Reductions, scans, normalisations and losses against PyTorch: values, gradients, second gradients, messages.
// Goldens: scripts/goldens/reductions.py.
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
  out: Dump[];
  node?: string;
  grads?: (Dump | null)[];
  second?: (Dump | null)[];
  error?: [string, string];
}

const dtypes = torch as unknown as Record<string, torch.Tensor['dtype']>;
const toNumber = (v: number | string | boolean): number =>
  typeof v === 'string' ? ({ nan: NaN, inf: Infinity, '-inf': -Infinity }[v] as number) : Number(v);

function load(dump: Dump): Tensor {
  const values = dump.data.map((v) => (typeof v === 'boolean' ? Number(v) : toNumber(v)));
  const x = torch.tensor(values, { dtype: torch.float64 }).to(dtypes[dump.dtype]).reshape(dump.shape);
  return dump.grad ? x.requires_grad_() : x;
}

function decode(v: unknown, tensors: readonly Tensor[]): unknown {
  if (v === 'inf' || v === '-inf' || v === 'nan') return toNumber(v);
  if (Array.isArray(v)) return v.map((item) => decode(item, tensors));
  if (typeof v !== 'object' || v === null) return v;
  const o = v as { $t?: number; $dtype?: string };
  return o.$t === undefined ? dtypes[o.$dtype as string] : tensors[o.$t];
}

function call(c: Case, tensors: readonly Tensor[]): Tensor[] {
  const fn = c.call
    .split('.')
    .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], torch) as (
    ...args: unknown[]
  ) => Tensor | Iterable<Tensor>;
  const kwargs = Object.fromEntries(Object.entries(c.kwargs).map(([k, v]) => [k, decode(v, tensors)]));
  const result = fn(...c.args.map((a) => decode(a, tensors)), kwargs);
  return result instanceof torch.Tensor ? [result] : [...result];
}

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
  const x = got;
  expect([x.dtype.name, [...x.shape]], what).toEqual([want.dtype, want.shape]);
  const values = [...x.detach().to(torch.float64).contiguous().toTypedArray()].map(Number);
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

const weighted = (x: Tensor): Tensor =>
  x
    .mul(
      torch
        .arange(1, x.numel() + 1, { dtype: x.dtype })
        .div(Math.max(x.numel(), 1))
        .reshape([...x.shape]),
    )
    .sum();
const total = (list: readonly Tensor[]): Tensor => list.reduce((a, b) => a.add(b));

function check(c: Case): void {
  const tensors = c.tensors.map(load);
  if (c.error) {
    const [type, message] = c.error;
    let thrown: unknown;
    try {
      call(c, tensors);
    } catch (e) {
      thrown = e;
    }
    expect((thrown as Error | undefined)?.constructor.name).toBe(type);
    expect((thrown as Error).message).toBe(message);
    return;
  }
  const outs = call(c, tensors);
  c.out.forEach((want, i) => {
    same(outs[i], want, `output ${i}`);
  });
  if (!c.grads) return;
  const wanted = tensors.filter((x) => x.requires_grad);
  const used = outs.filter((x) => x.requires_grad);
  const plain = torch.autograd.grad(total(used.map(weighted)), wanted, null, {
    allow_unused: true,
    retain_graph: true,
  });
  c.grads.forEach((want, i) => {
    same(plain[i], want, `gradient ${i}`);
  });
  if (!c.second) return;
  const again = torch.autograd.grad(
    total(
      call(c, tensors)
        .filter((x) => x.requires_grad)
        .map(weighted),
    ),
    wanted,
    null,
    { allow_unused: true, create_graph: true },
  );
  c.grads.forEach((want, i) => {
    same(again[i], want, `gradient ${i} with a graph`);
  });
  const squares = again.filter((g): g is Tensor => g?.requires_grad === true).map((g) => g.square().sum());
  const second =
    squares.length === 0
      ? wanted.map(() => null)
      : torch.autograd.grad(total(squares), wanted, null, { allow_unused: true });
  c.second.forEach((want, i) => {
    same(second[i], want, `second gradient ${i}`);
  });
}

for (const file of ['reductions', 'losses'])
  describe(file, () => {
    const cases = JSON.parse(
      readFileSync(new URL(`goldens/${file}.json`, import.meta.url), 'utf8'),
    ) as Case[];
    cases.forEach((c, i) => {
      it(`${i} ${c.call} ${JSON.stringify(c.args.slice(1))} ${JSON.stringify(c.kwargs)}${c.error ? ' fails' : ''}`, () =>
        check(c));
    });
  });
