// Replays the cases that scripts/goldens/cases.py wrote: values, gradients, second gradients, messages.
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
export type Call = (...args: unknown[]) => unknown;
type Names = Record<string, unknown>;

const dtypes = torch as unknown as Record<string, torch.Tensor['dtype']>;
const toNumber = (v: number | string | boolean): number =>
  typeof v === 'string' ? ({ nan: NaN, inf: Infinity, '-inf': -Infinity }[v] as number) : Number(v);

function load(dump: Dump): Tensor {
  const dtype = dtypes[dump.dtype];
  const values = torch.tensor(dump.data.map(toNumber), { dtype: torch.float64 });
  const x = dtype.is_complex
    ? torch.view_as_complex(values.reshape([...dump.shape, 2])).to(dtype)
    : values.to(dtype).reshape(dump.shape);
  return dump.grad ? x.detach().requires_grad_() : x;
}

function decode(v: unknown, tensors: readonly Tensor[]): unknown {
  if (v === 'inf' || v === '-inf' || v === 'nan') return toNumber(v);
  if (Array.isArray(v)) return v.map((item) => decode(item, tensors));
  if (typeof v !== 'object' || v === null) return v;
  const { $t, $dtype, $complex } = v as { $t?: number; $dtype?: string; $complex?: [number, number] };
  if ($dtype !== undefined) return dtypes[$dtype];
  if ($complex !== undefined) return new torch.Complex(...$complex);
  return tensors[$t as number];
}

/** How the goldens of a file are meant: how calls are named, and what is differentiated. */
export interface Dialect {
  run(call: string, args: unknown[], kwargs: Record<string, unknown>): unknown;
  /** The scalar of outputs whose gradients are the golden's, and that of gradients for the second ones. */
  total(outs: readonly Tensor[]): Tensor;
  totalOfGradients(grads: readonly Tensor[]): Tensor;
}

/** A tensor that a call may write to. */
export const working = (x: Tensor): Tensor => (x.requires_grad ? x.mul(1) : x.clone());

function run(c: Case, tensors: readonly Tensor[], dialect: Dialect): unknown {
  const args = c.args.map((a) => decode(a, tensors));
  const kwargs = Object.fromEntries(Object.entries(c.kwargs).map(([k, v]) => [k, decode(v, tensors)]));
  return dialect.run(c.call, args, kwargs);
}

/** Calls by their path in torch, or `Tensor.method`. */
function runByPath(call: string, args: unknown[], kwargs: Record<string, unknown>): unknown {
  if (Object.keys(kwargs).length > 0) args.push(kwargs);
  if (call.startsWith('Tensor.')) {
    const method = call.slice(7);
    let [self, ...rest] = args as [Tensor, ...unknown[]];
    if (method.endsWith('_')) self = working(self);
    return (self as unknown as Record<string, Call>)[method](...rest);
  }
  const path = call.split('.');
  const last = path.pop() as string;
  const namespace = path.reduce((at, part) => at[part] as Names, torch as unknown as Names);
  return (namespace[last] as Call)(...args);
}

function flat(out: unknown): Tensor[] {
  if (out instanceof torch.Tensor) return [out];
  if (typeof out === 'number' || typeof out === 'boolean') return [torch.tensor(out)];
  return [...(out as Iterable<unknown>)].flatMap(flat);
}

const precision: Readonly<Record<string, number>> = {
  float64: 1e-9,
  complex128: 1e-9,
  float32: 1e-5,
  complex64: 1e-5,
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
  const plain = got.detach().contiguous();
  const wide = plain.dtype.is_complex ? torch.view_as_real(plain) : plain;
  const values = [...wide.to(torch.float64).toTypedArray()].map(Number);
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

/** Factors that tell the elements of an output apart. */
export const weightsLike = (t: Tensor): Tensor =>
  torch
    .arange(1, t.numel() + 1, { dtype: t.dtype.to_real() })
    .div(Math.max(t.numel(), 1))
    .reshape([...t.shape]);

export const sumOf = (parts: readonly Tensor[]): Tensor => parts.reduce((a, b) => a.add(b));

function totalOfSquares(outs: readonly Tensor[]): Tensor {
  return sumOf(
    outs.map((t) => {
      const squared = t.dtype.is_complex ? t.real.square().add(t.imag.square()) : t.square();
      return squared.mul(weightsLike(t)).sum();
    }),
  );
}

const common: Dialect = { run: runByPath, total: totalOfSquares, totalOfGradients: totalOfSquares };

/** Compares a case with its golden. */
function check(c: Case, dialect: Dialect): void {
  const tensors = c.tensors.map(load);
  if (c.error) {
    let text = 'did not throw';
    try {
      run(c, tensors, dialect);
    } catch (e) {
      text = `${(e as Error).name}: ${(e as Error).message.split('\n')[0]}`;
    }
    expect(text).toBe(c.error.join(': '));
    return;
  }
  const outs = flat(run(c, tensors, dialect));
  expect(outs.length).toBe(c.out?.length);
  c.out?.forEach((want, i) => same(outs[i], want, `output ${i}`));
  if (!c.grads) return;
  const wanted = tensors.filter((t) => t.requires_grad);
  const used = outs.filter((t) => t.requires_grad);
  if (c.node !== undefined) expect(used[0].grad_fn?.name()).toBe(c.node);
  const grads = torch.autograd.grad(dialect.total(used), wanted, { create_graph: true, allow_unused: true });
  c.grads.forEach((want, i) => same(grads[i], want, `gradient ${i}`));
  if (!c.second) return;
  const again = grads.filter((g): g is Tensor => g?.requires_grad === true);
  const second = torch.autograd.grad(dialect.totalOfGradients(again), wanted, { allow_unused: true });
  c.second.forEach((want, i) => same(second[i], want, `second gradient ${i}`));
}

/** One test for each case of test/goldens/NAME.json. */
export function replay(name: string, dialect: Dialect = common): void {
  const file = new URL(`goldens/${name}.json`, import.meta.url);
  const goldens = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Case[]>;
  for (const [family, cases] of Object.entries(goldens))
    describe(family, () => {
      cases.forEach((c, i) => {
        it(`${i}: ${c.call} ${JSON.stringify(c.args)} ${JSON.stringify(c.kwargs)}`, () => check(c, dialect));
      });
    });
}
