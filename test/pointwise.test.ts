// Every pointwise op against PyTorch: values, dtypes, refusals, node names, first and second gradients.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

interface Packed {
  dtype: string;
  data: string;
}
interface Case {
  call: string;
  args: (string | number | null)[];
  kwargs: Record<string, unknown>;
  in: string;
  error?: string;
  out?: Packed[];
  node?: string;
  grad?: (Packed | null)[];
  gradgrad?: (Packed | null)[];
}
interface Golden {
  inputs: Record<string, Record<string, Packed>>;
  cases: Case[];
}

const file = new URL('./goldens/pointwise.json.gz', import.meta.url);
const golden = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Golden;
const dtypes = torch as unknown as Record<string, torch.DType>;

function unpack({ dtype, data }: Packed): torch.Tensor {
  const bytes = Buffer.from(data, 'base64');
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return torch.frombuffer(own, { dtype: dtypes[dtype] });
}

function numbers(x: torch.Tensor): number[] {
  return Array.from(x.detach().contiguous().toTypedArray() as ArrayLike<number | bigint>, Number);
}

/** The function of a dotted name. */
function resolve(name: string): (...args: unknown[]) => unknown {
  let value: unknown = torch;
  for (const part of name.split('.')) value = (value as Record<string, unknown>)[part];
  return value as (...args: unknown[]) => unknown;
}

/** Absolute slack where PyTorch is the inexact one. */
const INEXACT: Record<string, number> = {
  // Off by up to 1e-6 between 5 and 15 in double precision; float32 phases of large arguments are lost.
  'special.bessel_j0': 5e-5,
  'special.bessel_j1': 5e-5,
  'special.bessel_y0': 5e-5,
  'special.bessel_y1': 5e-5,
  'special.airy_ai': 5e-3,
  // Single-precision 1/6 in double precision.
  'nn.functional.hardsigmoid': 1e-8,
  // Cancellation near zero in both.
  'special.i1': 1e-8,
  'special.i1e': 1e-8,
};

/** Elements that are not compared, and why. */
function exempt(c: Case, what: string, i: number, got: number, want: number, x: number): boolean {
  // Poles of the polygamma functions are finite garbage, as large as the rounding of pi decides.
  if (/gamma|psi/.test(c.call) && x < 0 && Number.isInteger(x)) return true;
  // Recurrences that overflow in float32 give inf - inf.
  if (c.call.includes('polynomial') && Number.isNaN(want) && !Number.isFinite(got)) return true;
  // exp(1e8 - 1e8): PyTorch loses every digit of the density's ratio at -1e4, and has NaN at -inf.
  if (c.call === 'special.log_ndtr' && what !== 'out 0' && (i === 14 || i === 16)) return true;
  // Catastrophic cancellation in the second derivative at 1e-8.
  if (c.call === 'sinc' && what.startsWith('second') && (i === 6 || i === 7)) return true;
  // PyTorch's vectorised float32 path gives NaN at infinity.
  if (c.call === 'nn.functional.gelu' && c.in === 'float32' && i === 15) return true;
  // Negative bounds of unsigned tensors, and multiples beyond 32 bits, wrap in PyTorch.
  return (
    (c.call === 'clamp' && c.in === 'uint8' && c.args[1] === -1) ||
    (c.call === 'lcm' && c.in === 'int32' && Math.abs(got) === Math.abs(want))
  );
}

function mismatch(
  got: torch.Tensor,
  packed: Packed,
  rtol: number,
  atol: number,
  skip: (i: number, got: number, want: number) => boolean,
): string | null {
  if (got.dtype.name !== packed.dtype) return `dtype ${got.dtype.name}, want ${packed.dtype}`;
  const have = numbers(got);
  const want = numbers(unpack(packed));
  if (have.length !== want.length) return `${have.length} elements, want ${want.length}`;
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [have[i], want[i]];
    if (Object.is(a, b) || a === b || skip(i, a, b)) continue;
    if (!(Math.abs(a - b) <= atol + rtol * Math.abs(b))) return `[${i}] is ${a}, want ${b}`;
  }
  return null;
}

const TOLERANCE: Record<string, readonly [number, number]> = {
  float32: [2e-5, 1e-6],
  float64: [1e-9, 1e-10],
};

function check(c: Case): string[] {
  const found: string[] = [];
  const pairs = c.args.filter((a) => a === 'x' || a === 'y' || a === 'z').length > 1;
  const source = golden.inputs[`${c.in} ${pairs ? 'pairs' : 'single'}`];
  const float = c.in.startsWith('float');
  const leaves = new Map<string, torch.Tensor>();
  for (const name of ['x', 'y', 'z'])
    if (c.args.includes(name)) {
      const leaf = unpack(source[name]);
      leaves.set(name, float ? leaf.requires_grad_(true) : leaf);
    }
  // Second derivatives at infinities and NaN are not compared.
  const values = [...leaves.values()].map(numbers);
  const finite = Array.from({ length: values[0].length }, (_, i) =>
    values.every((v) => Number.isFinite(v[i])),
  );
  const args: unknown[] = c.args.map((a) =>
    a === 'm' ? unpack(source.m) : typeof a === 'string' ? leaves.get(a) : a,
  );
  if (Object.keys(c.kwargs).length > 0) args.push(c.kwargs);
  const call = (): unknown => resolve(c.call)(...args);
  if (c.error !== undefined) {
    let message = 'no error';
    try {
      call();
    } catch (error) {
      message = (error as Error).message.split('\n')[0];
    }
    return message === c.error ? [] : [`raised '${message}', want '${c.error}'`];
  }
  const result = call();
  const outs = result instanceof torch.Tensor ? [result] : [...(result as Iterable<torch.Tensor>)];
  const compare = (what: string, got: torch.Tensor | null, want: Packed | null): void => {
    if (want === null && got === null) return;
    if (got === null || want === null) {
      const other = got ?? unpack(want as Packed);
      if (numbers(other).some((v) => v !== 0))
        found.push(`${what}: ${got === null ? 'none' : 'some'}, want ${want === null ? 'none' : 'some'}`);
      return;
    }
    const [rtol, atol] = TOLERANCE[want.dtype] ?? [0, 0];
    const second = what.startsWith('second');
    const problem = mismatch(
      got,
      want,
      rtol,
      Math.max(INEXACT[c.call] ?? 0, atol),
      (i, a, b) => (second && (Number.isNaN(b) || !finite[i])) || exempt(c, what, i, a, b, values[0][i]),
    );
    if (problem) found.push(`${what}: ${problem}`);
  };
  outs.forEach((out, i) => {
    compare(`out ${i}`, out, (c.out as Packed[])[i] ?? null);
  });
  if (c.grad === undefined) return found;
  const first = outs[0];
  const node = (first.grad_fn as { name(): string } | null)?.name();
  if (node !== c.node) found.push(`node ${node}, want ${c.node}`);
  const cotangent = torch.tensor(
    Array.from({ length: first.numel() }, (_, i) => (i % 5) * 0.5 - 0.75),
    { dtype: first.dtype },
  );
  const inputs = [...leaves.values()];
  const plain = torch.autograd.grad(first, inputs, cotangent, { allow_unused: true, retain_graph: true });
  plain.forEach((g, i) => {
    compare(`grad ${i}`, g, c.grad?.[i] ?? null);
  });
  const grads = torch.autograd.grad(first, inputs, cotangent, { allow_unused: true, create_graph: true });
  grads.forEach((g, i) => {
    compare(`grad with graph ${i}`, g, c.grad?.[i] ?? null);
  });
  if (c.gradgrad === undefined) return found;
  let total: torch.Tensor | null = null;
  for (const g of grads)
    if (g?.requires_grad) total = total === null ? g.mul(0.5).sum() : total.add(g.mul(0.5).sum());
  const second = total?.requires_grad
    ? torch.autograd.grad(total, inputs, null, { allow_unused: true })
    : inputs.map(() => null);
  second.forEach((g, i) => {
    compare(`second ${i}`, g, c.gradgrad?.[i] ?? null);
  });
  return found;
}

const byCall = new Map<string, Case[]>();
for (const c of golden.cases) byCall.set(c.call, [...(byCall.get(c.call) ?? []), c]);

describe('pointwise ops agree with PyTorch', () => {
  for (const [name, cases] of byCall)
    it(name, () => {
      const problems = cases.flatMap((c) =>
        check(c).map((p) => `${c.in} ${JSON.stringify(c.args)} ${JSON.stringify(c.kwargs)}: ${p}`),
      );
      expect(problems).toEqual([]);
    });
});

describe('forms of pointwise ops', () => {
  const x = (): torch.Tensor => torch.tensor([-1.5, 0, 2, 3]);
  const leaf = (): torch.Tensor => x().requires_grad_(true);

  it('methods, in-place forms and out= agree with the function', () => {
    const want = torch.exp(x()).tolist();
    expect(x().exp().tolist()).toEqual(want);
    expect(x().exp_().tolist()).toEqual(want);
    const out = torch.empty([0]);
    expect(torch.exp(x(), { out })).toBe(out);
    expect(out.tolist()).toEqual(want);
    expect(torch.exp(x(), { out: torch.empty([4], { dtype: torch.float64 }) }).dtype).toBe(torch.float64);
  });

  it('in-place results must fit the dtype of the tensor', () => {
    const n = torch.tensor([1n, 2n]);
    expect(() => n.add_(1.5)).toThrow("result type Float can't be cast to the desired output type Long");
    expect(() => n.div_(2)).toThrow("result type Float can't be cast to the desired output type Long");
    expect(n.add_(2).tolist()).toEqual([3, 4]);
  });

  it('an in-place call keeps the values that its derivative needs', () => {
    const a = leaf();
    const [g] = torch.autograd.grad(a.mul(1).sin_().sum(), [a]);
    expect(g?.tolist()).toEqual(x().cos().tolist());
    const b = leaf();
    const [h] = torch.autograd.grad(torch.nn.functional.silu(b.mul(1), true).sum(), [b], null, {
      create_graph: true,
    });
    const [hh] = torch.autograd.grad((h as torch.Tensor).sum(), [b]);
    const c = leaf();
    const [k] = torch.autograd.grad(torch.nn.functional.silu(c).sum(), [c], null, { create_graph: true });
    const [kk] = torch.autograd.grad((k as torch.Tensor).sum(), [c]);
    expect(hh?.tolist()).toEqual(kk?.tolist());
  });

  it('whole numbers act as Python ints', () => {
    const n = torch.tensor([1n, 2n, 3n]);
    expect(n.mul(2).dtype).toBe(torch.int64);
    expect(n.mul(2.5).dtype).toBe(torch.float32);
    expect(n.pow(2).tolist()).toEqual([1, 4, 9]);
    expect(() => n.pow(-1)).toThrow('Integers to negative integer powers are not allowed.');
    expect(() => n.remainder(0)).toThrow('ZeroDivisionError');
    expect(n.div(2, { rounding_mode: 'floor' }).tolist()).toEqual([0, 1, 1]);
    expect(() => n.div(2, { rounding_mode: 'up' as 'floor' })).toThrow(
      "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'",
    );
  });

  it('small integers wrap', () => {
    const n = torch.tensor([200, 100], { dtype: torch.uint8 });
    expect(n.add(n).tolist()).toEqual([144, 200]);
    expect(n.mul(2).dtype).toBe(torch.uint8);
    expect(torch.tensor([127], { dtype: torch.int8 }).add(1).tolist()).toEqual([-128]);
  });

  it('derivatives of saturating activations stay finite', () => {
    const F = torch.nn.functional;
    for (const f of [
      F.silu,
      F.mish,
      F.softplus,
      F.logsigmoid,
      F.gelu,
      F.elu,
      torch.selu,
      torch.sigmoid,
      torch.tanh,
    ]) {
      const v = torch.tensor([-1e4, -100, 0, 100, 1e4]).requires_grad_(true);
      const [g] = torch.autograd.grad((f as (x: torch.Tensor) => torch.Tensor)(v).sum(), [v], null, {
        create_graph: true,
      });
      const [gg] = torch.autograd.grad((g as torch.Tensor).sum(), [v]);
      for (const value of [...numbers(g as torch.Tensor), ...numbers(gg as torch.Tensor)])
        expect(Number.isFinite(value)).toBe(true);
    }
  });

  it('where broadcasts and checks its condition', () => {
    const m = torch.tensor([[true], [false]]);
    expect(torch.where(m, torch.tensor([1, 2]), 0).tolist()).toEqual([
      [1, 2],
      [0, 0],
    ]);
    expect(x().where(x().gt(0), 9).tolist()).toEqual([9, 9, 2, 3]);
    expect(() => torch.where(x(), 1, 2)).toThrow(
      'where expected condition to be a boolean tensor, but got a tensor with dtype Float',
    );
  });
});
