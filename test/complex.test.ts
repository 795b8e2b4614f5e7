// Complex arithmetic against PyTorch: values, dtypes, node names, first and second gradients, special values.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

type Arg = string | number | readonly [number, number] | Record<string, readonly [number, number]>;
interface Packed {
  dtype: string;
  shape: number[];
  data: (number | string | boolean)[];
}
interface Case {
  call: string;
  args: Arg[];
  out: Packed | { value: boolean };
  narrow: Packed | { value: boolean };
  node?: string;
  grad?: Packed[];
  gradgrad?: (Packed | null)[];
}
interface Golden {
  inputs: Record<string, Packed>;
  cases: Case[];
  special: { input: Packed; out: Record<string, Packed> };
}

const golden = JSON.parse(readFileSync(new URL('./goldens/complex.json', import.meta.url), 'utf8')) as Golden;
const dtypes = torch as unknown as Record<string, torch.DType>;
const value = (v: number | string | boolean): number =>
  v === 'inf' ? Number.POSITIVE_INFINITY : v === '-inf' ? Number.NEGATIVE_INFINITY : Number(v);

function unpack({ dtype, shape, data }: Packed): torch.Tensor {
  const numbers = Float64Array.from(data, value);
  if (dtype === 'bool') return torch.tensor(Array.from(numbers, (v) => v !== 0)).reshape(shape);
  const flat = torch.tensor(numbers);
  return dtype === 'complex128' ? torch.view_as_complex(flat.reshape([...shape, 2])) : flat.reshape(shape);
}

function numbers(x: torch.Tensor): number[] {
  return Array.from(x.detach().contiguous().toTypedArray() as ArrayLike<number | bigint>, Number);
}

/** Why the tensor is not what PyTorch gives, or null. Parts of one number share their scale. */
function mismatch(got: torch.Tensor, want: Packed, tolerance: number): string | null {
  if (got.dtype.name !== want.dtype) return `dtype ${got.dtype.name}, want ${want.dtype}`;
  if (got.shape.join() !== want.shape.join())
    return `shape [${got.shape.join()}], want [${want.shape.join()}]`;
  const have = numbers(got);
  const data = want.data.map(value);
  const step = want.dtype.startsWith('complex') ? 2 : 1;
  for (let i = 0; i < data.length; i++) {
    const [a, b] = [have[i], data[i]];
    if (Object.is(a, b) || a === b) continue;
    const scale = Math.hypot(...data.slice(i - (i % step), i - (i % step) + step));
    if (!(Math.abs(a - b) <= tolerance * (1 + scale))) return `[${i}] is ${a}, want ${b}`;
  }
  return null;
}

function resolve(name: string): (...args: unknown[]) => unknown {
  let found: unknown = torch;
  for (const part of name.split('.')) found = (found as Record<string, unknown>)[part];
  return found as (...args: unknown[]) => unknown;
}

type Inputs = Record<string, torch.Tensor>;

function call(c: Case, inputs: Inputs): unknown {
  const operand = (a: Arg): unknown => {
    if (typeof a === 'string') return inputs[a];
    if (Array.isArray(a)) return new torch.Complex(a[0] as number, a[1] as number);
    return typeof a === 'object'
      ? Object.fromEntries(Object.entries(a).map(([k, v]) => [k, operand(v as Arg)]))
      : a;
  };
  return resolve(c.call)(...c.args.map(operand));
}

/** Computed by other ops, whose nodes they have. */
const COMPOSED: ReadonlySet<string> = new Set(['var', 'std', 'vdot']);

/** 1, 2, 3 ..., times 1 - i/2 where the output is complex. */
function weights(out: torch.Tensor): torch.Tensor {
  const w = torch.tensor(Float64Array.from({ length: out.numel() }, (_, i) => i + 1)).reshape([...out.shape]);
  return out.dtype.is_complex ? w.mul(new torch.Complex(1, -0.5)) : w;
}

function compare(got: unknown, want: Packed | { value: boolean }, tolerance: number): string | null {
  if (!(got instanceof torch.Tensor)) return 'value' in want && got === want.value ? null : `${String(got)}`;
  return 'value' in want ? `a tensor, want ${want.value}` : mismatch(got, want, tolerance);
}

function differentiate(c: Case, wrong: string[]): void {
  const names = [...new Set(c.args.filter((a): a is string => typeof a === 'string' && a !== 'm'))];
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs).map(([k, v]) => [k, unpack(v).requires_grad_(v.dtype !== 'bool')]),
  );
  const wrt = names.map((name) => inputs[name]);
  const out = call(c, inputs) as torch.Tensor;
  const note = (what: string, problem: string | null): void => {
    if (problem !== null) wrong.push(`${what} ${problem}`);
  };
  if (out.grad_fn?.name() !== c.node && !COMPOSED.has(c.call))
    wrong.push(`node ${out.grad_fn?.name()}, want ${c.node}`);
  const grads = torch.autograd.grad([out], wrt, [weights(out)], { create_graph: true }) as torch.Tensor[];
  grads.forEach((g, i) => {
    note(`grad ${i}`, mismatch(g, (c.grad as Packed[])[i], 1e-11));
  });
  if (c.gradgrad === undefined) return;
  const plain = torch.autograd.grad([call(c, inputs) as torch.Tensor], wrt, [weights(out)]) as torch.Tensor[];
  plain.forEach((g, i) => {
    note(`plain grad ${i}`, mismatch(g, (c.grad as Packed[])[i], 1e-11));
  });
  const live = grads.filter((g) => g.requires_grad);
  const second = torch.autograd.grad(live, wrt, live.map(weights), {
    allow_unused: true,
  }) as (torch.Tensor | null)[];
  second.forEach((g, i) => {
    const want = c.gradgrad?.[i] ?? null;
    if (g !== null && want !== null) note(`second ${i}`, mismatch(g, want, 1e-10));
    else if (g !== null || want !== null) {
      const zero =
        g === null ? (want as Packed).data.every((v) => Number(v) === 0) : numbers(g).every((v) => v === 0);
      if (!zero) wrong.push(`second ${i}: ${g === null ? 'none' : 'one too many'}`);
    }
  });
}

describe('complex arithmetic', () => {
  const wide = Object.fromEntries(Object.entries(golden.inputs).map(([k, v]) => [k, unpack(v)]));
  const narrow = Object.fromEntries(
    Object.entries(wide).map(([k, v]) => [
      k,
      v.dtype === torch.bool ? v : v.to(v.dtype.is_complex ? torch.complex64 : torch.float32),
    ]),
  );
  it.each(
    golden.cases.map((c) => [`${c.call}(${c.args.map((a) => JSON.stringify(a)).join(', ')})`, c] as const),
  )('%s', (_, c) => {
    const wrong: string[] = [];
    const problem = compare(call(c, wide), c.out, 1e-13);
    if (problem !== null) wrong.push(problem);
    const inFloat = compare(call(c, narrow), c.narrow, 2e-5);
    if (inFloat !== null) wrong.push(`float32: ${inFloat}`);
    if (c.grad !== undefined) differentiate(c, wrong);
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(golden.special.out))('special values of %s', (name, want) => {
    const got = resolve(name)(unpack(golden.special.input)) as torch.Tensor;
    expect(mismatch(got, want, 1e-13)).toBeNull();
  });
});
