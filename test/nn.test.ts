/** Modules, their functions and torch.nn.init against PyTorch (test/goldens/nn.json, made by scripts/goldens/nn.py). */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const { nn } = torch;

interface Plain {
  shape: number[];
  dtype: string;
  data: (number | string | boolean)[];
}
type Nested = Plain | Nested[] | null;
type InputSpec =
  | number[]
  | null
  | { int?: number[]; high?: number; p?: number[]; sign?: number[]; mask?: number[]; linear?: number[] };
interface Called {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  inputs: InputSpec[];
  out: Nested;
  input_grads?: (Plain | null)[];
}
interface ModuleCase extends Called {
  train: boolean;
  repr: string;
  becomes?: string;
  state: Record<string, Plain>;
  parameters: string[];
  grads?: Record<string, Plain>;
  after?: Record<string, Plain>;
}
interface Golden {
  modules: ModuleCase[];
  init: { name: string; shape: number[]; args: unknown[]; out: Plain }[];
  gains: Record<string, number>;
  calls: Called[];
  nested: string[];
}

const golden = JSON.parse(readFileSync(new URL('./goldens/nn.json', import.meta.url), 'utf8')) as Golden;

function makeInput(spec: InputSpec): torch.Tensor | null {
  if (spec === null) return null;
  if (Array.isArray(spec)) return torch.rand(spec).mul(2).sub(1).requires_grad_();
  if (spec.p) return torch.rand(spec.p);
  if (spec.sign) return torch.rand(spec.sign).round().mul(2).sub(1);
  if (spec.mask) return torch.rand(spec.mask).lt(0.3);
  if (spec.linear) return torch.tensor(spec.linear.map(BigInt));
  return torch.randint(0, spec.high as number, spec.int as number[]);
}

function makeInputs(specs: readonly InputSpec[]): (torch.Tensor | null)[] {
  torch.manual_seed(1);
  return specs.map(makeInput);
}

function leaves(x: unknown): torch.Tensor[] {
  if (x instanceof torch.Tensor) return [x];
  return x === null ? [] : Array.from(x as Iterable<unknown>).flatMap(leaves);
}

/** The same dtype, shape and elements, to a few units of the last of seven digits. */
function same(got: unknown, want: Nested, what: string): void {
  if (want === null) {
    expect(got, what).toBeNull();
    return;
  }
  if (Array.isArray(want)) {
    const list = Array.from(got as Iterable<unknown>);
    expect(list.length, what).toBe(want.length);
    list.forEach((g, i) => {
      same(g, want[i], `${what}[${i}]`);
    });
    return;
  }
  const x = got as torch.Tensor;
  expect([...x.shape], `${what} shape`).toEqual(want.shape);
  expect(String(x.dtype), `${what} dtype`).toBe(want.dtype);
  const values = Array.from(x.detach().contiguous().toTypedArray() as ArrayLike<number | bigint>, Number);
  values.forEach((v, i) => {
    const expected = Number(
      want.data[i] === 'inf' ? Infinity : want.data[i] === '-inf' ? -Infinity : want.data[i],
    );
    if (Object.is(v, expected) || v === expected || (Number.isNaN(v) && Number.isNaN(expected))) return;
    expect(Math.abs(v - expected), `${what}, element ${i}: ${v}, not ${expected}`).toBeLessThanOrEqual(
      2e-6 + 2e-6 * Math.abs(expected),
    );
  });
}

const withOptions = (args: readonly unknown[], kwargs: Record<string, unknown>): unknown[] =>
  Object.keys(kwargs).length > 0 ? [...args, kwargs] : [...args];

function differentiate(out: unknown): boolean {
  const outs = leaves(out).filter((x) => x.requires_grad);
  torch.manual_seed(3);
  if (outs.length > 0)
    torch.autograd.backward(
      outs,
      outs.map((x) => torch.rand_like(x)),
    );
  return outs.length > 0;
}

function sameInputGrads(xs: readonly (torch.Tensor | null)[], want: readonly (Plain | null)[]): void {
  want.forEach((g, i) => {
    if (g !== null) same(xs[i]?.grad, g, `gradient of input ${i}`);
  });
}

type AnyModule = torch.nn.Module & ((...args: unknown[]) => unknown);

describe('modules', () => {
  for (const c of golden.modules)
    it(`${c.repr.split('\n')[0]}${c.train ? '' : ' in evaluation'}: summary, initial state, output and gradients`, () => {
      const Class = (nn as unknown as Record<string, new (...args: unknown[]) => AnyModule>)[c.name];
      torch.manual_seed(0);
      const m = new Class(...withOptions(c.args, c.kwargs));
      expect(String(m)).toBe(c.repr);
      const xs = makeInputs(c.inputs);
      if (c.becomes !== undefined) {
        m(...xs);
        expect(String(m)).toBe(c.becomes);
      }
      const state = m.state_dict();
      expect(Object.keys(state)).toEqual(Object.keys(c.state));
      for (const [name, want] of Object.entries(c.state)) same(state[name], want, name);
      expect([...m.named_parameters()].map(([name]) => name)).toEqual(c.parameters);
      m.train(c.train);
      torch.manual_seed(2);
      const out = m(...xs.map((x) => (c.kwargs.inplace && x !== null ? x.clone() : x)));
      same(out, c.out, 'output');
      if (!differentiate(out)) return;
      for (const [name, p] of m.named_parameters())
        if (c.grads?.[name]) same(p.grad, c.grads[name], `gradient of ${name}`);
      sameInputGrads(xs, c.input_grads ?? []);
      for (const [name, want] of Object.entries(c.after ?? {}))
        same(m.get_buffer(name), want, `${name} afterwards`);
    });
});

describe('functions', () => {
  for (const c of golden.calls)
    it(`${c.name}(${JSON.stringify(c.inputs)}, ${JSON.stringify(c.args)}, ${JSON.stringify(c.kwargs)})`, () => {
      const f = (nn.functional as unknown as Record<string, (...args: unknown[]) => torch.Tensor>)[c.name];
      const xs = makeInputs(c.inputs);
      torch.manual_seed(2);
      const out = f(...xs, ...withOptions(c.args, c.kwargs));
      same(out, c.out, 'output');
      if (out.requires_grad) {
        differentiate(out);
        sameInputGrads(xs, c.input_grads ?? []);
      }
    });
});

describe('init', () => {
  for (const c of golden.init)
    it(`${c.name}([${c.shape}], ${c.args})`, () => {
      torch.manual_seed(4);
      const x = torch.empty(c.shape);
      const f = (nn.init as unknown as Record<string, (...args: unknown[]) => torch.Tensor>)[c.name];
      expect(f(x, ...c.args)).toBe(x);
      same(x, c.out, c.name);
    });
  it('calculate_gain', () => {
    for (const [name, gain] of Object.entries(golden.gains))
      expect(nn.init.calculate_gain(name as 'linear')).toBe(gain);
    expect(() => nn.init.calculate_gain('nothing' as 'linear')).toThrow('Unsupported nonlinearity nothing');
  });
  it('takes options by name, and a generator', () => {
    const [a, b] = [torch.empty(2, 3), torch.empty(2, 3)];
    nn.init.kaiming_normal_(a, { mode: 'fan_out', generator: new torch.Generator().manual_seed(3) });
    nn.init.kaiming_normal_(b, 0, 'fan_out', 'leaky_relu', new torch.Generator().manual_seed(3));
    expect(a.tolist()).toEqual(b.tolist());
    expect(() => nn.init.xavier_normal_(torch.empty(3))).toThrow(
      'Fan in and fan out can not be computed for tensor with fewer than 2 dimensions',
    );
  });
});

describe('module trees', () => {
  it('print as in PyTorch', () => {
    const m = new nn.Sequential(
      new nn.Linear(2, 3),
      new nn.Sequential(new nn.ReLU(), new nn.Dropout(0.1)),
      new nn.ModuleList([new nn.Linear(3, 3), new nn.Linear(3, 3), new nn.Tanh()]),
    );
    const p = (...shape: number[]): torch.nn.Parameter => new nn.Parameter(torch.zeros(shape));
    const list = new nn.ParameterList([p(2, 3), p(4)]);
    const dict = new nn.ParameterDict({ a: p(2), b: p() });
    expect([String(m), String(list), String(dict)]).toEqual(golden.nested);
  });
  it('take constructor arguments by position and by name', () => {
    const a = new nn.Linear(2, 3, false);
    const b = new nn.Linear({ in_features: 2, out_features: 3, bias: false });
    const c = new nn.Linear(2, 3, true, null, torch.float64);
    expect(String(a)).toBe(String(b));
    expect(c.weight.dtype).toBe(torch.float64);
    expect(() => new nn.Linear(2, 3, { bais: false } as object)).toThrow(
      "Linear() got an unexpected keyword argument 'bais'",
    );
    expect(() => new (nn.Linear as unknown as new (n: number) => unknown)(2)).toThrow(
      'Linear() missing 1 required positional arguments: "out_features"',
    );
  });
  it('take forward arguments by name', () => {
    const m = new nn.Linear(2, 3) as unknown as (arg: object) => torch.Tensor;
    expect(m({ input: torch.ones(1, 2) }).shape).toEqual([1, 3]);
    expect(() => m({ inputs: 1 })).toThrow("Linear.forward() got an unexpected keyword argument 'inputs'");
  });
  it('load into lazy modules', () => {
    const from = new nn.Linear(4, 2);
    const lazy = new nn.LazyLinear(2);
    expect(nn.is_lazy(lazy.weight)).toBe(true);
    lazy.load_state_dict(from.state_dict());
    expect(lazy(torch.ones(3, 4)).tolist()).toEqual(from(torch.ones(3, 4)).tolist());
    expect(String(lazy)).toBe('Linear(in_features=4, out_features=2, bias=True)');
  });
});

describe('utils', () => {
  it('clip gradients by norm and by value', () => {
    const m = new nn.Linear(2, 1);
    m(torch.tensor([[3, 4]]))
      .sum()
      .backward();
    const norm = nn.utils.clip_grad_norm_(m.parameters(), 1);
    expect(norm.item()).toBeCloseTo(Math.sqrt(26), 5);
    expect(m.weight.grad?.tolist()).toEqual([
      [expect.closeTo(3 / Math.sqrt(26), 5), expect.closeTo(4 / Math.sqrt(26), 5)],
    ]);
    nn.utils.clip_grad_value_(m.parameters(), 0.25);
    expect(m.weight.grad?.tolist()).toEqual([[0.25, 0.25]]);
    const bad = new nn.Parameter(torch.zeros(1));
    bad.grad = torch.tensor([Number.NaN]);
    expect(() => nn.utils.clip_grad_norm_([bad], 1, { error_if_nonfinite: true })).toThrow('non-finite');
  });
  it('turn parameters to a vector and back', () => {
    const m = new nn.Linear(2, 2);
    const v = nn.utils.parameters_to_vector(m.parameters());
    expect(v.shape).toEqual([6]);
    nn.utils.vector_to_parameters(v.mul(2), m.parameters());
    expect(nn.utils.parameters_to_vector(m.parameters()).tolist()).toEqual(v.mul(2).tolist());
  });
});

describe('copies', () => {
  it('of layers of an encoder are independent', () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, 6, { dropout: 0 });
    const encoder = new nn.TransformerEncoder(layer, 2);
    const [a, b] = [...encoder.layers] as (typeof layer)[];
    expect(a === layer).toBe(false);
    expect(a.linear1.weight === b.linear1.weight).toBe(false);
    expect(a.linear1.weight.tolist()).toEqual(layer.linear1.weight.tolist());
    expect([...encoder.named_parameters()].length).toBe(24);
    encoder(torch.rand(3, 2, 4))
      .sum()
      .backward();
    expect(layer.linear1.weight.grad === null).toBe(true);
    expect(b.linear1.weight.grad === null).toBe(false);
    expect(String(a)).toBe(String(layer));
  });
});
