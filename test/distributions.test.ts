// torch.distributions against PyTorch: samples, densities, moments, divergences, transforms, messages, with gradients.
// Goldens: scripts/goldens/distributions.py.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../src/index.js';
import * as torch from '../src/index.js';

const D = torch.distributions;

interface Dump {
  dtype: string;
  shape: number[];
  data: (number | string | boolean)[];
}
type Spec = [name: string, params: Record<string, unknown>];
interface Numbers {
  at?: Dump;
  out: Dump;
  grad?: (Dump | null)[] | null;
}
interface DistributionCase {
  spec: Spec;
  text: string;
  support: string;
  batch: number[];
  event: number[];
  sample: Dump;
  rsample?: Dump;
  rsample_grad?: (Dump | null)[] | null;
  numbers: Record<string, Numbers>;
  all?: Dump;
  wide: [number[], Dump] | null;
}
interface Goldens {
  distributions: DistributionCase[];
  divergences: { p: Spec; q: Spec; out: Dump; grad: (Dump | null)[] | null }[];
  transforms: {
    name: string;
    args: unknown[];
    x: Dump;
    y: Dump;
    grad: Dump;
    back: Dump;
    jacobian: Dump | null;
    text: string;
    shapes: [number[], number[]];
    regions: [string, string];
  }[];
  messages: [string, string][];
}

const goldens = JSON.parse(
  readFileSync(new URL('goldens/distributions.json', import.meta.url), 'utf8'),
) as Goldens;

const dtypes = torch as unknown as Record<string, torch.Tensor['dtype']>;
const toNumber = (v: number | string | boolean): number =>
  typeof v === 'string' ? ({ nan: NaN, inf: Infinity, '-inf': -Infinity }[v] as number) : Number(v);
const load = ({ dtype, shape, data }: Dump): Tensor =>
  torch.tensor(data.map(toNumber), { dtype: torch.float64 }).to(dtypes[dtype]).reshape(shape);

type Made = Record<string, unknown> & torch.distributions.Distribution;
type Maker = new (...args: unknown[]) => Made;
const classes = D as unknown as Record<string, Maker>;

/** A distribution from its golden description, and its parameters. */
function made([name, params]: Spec): [Made, Tensor[]] {
  const leaves: Tensor[] = [];
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(params)) {
    if (Array.isArray(value)) {
      const [inner, more] = made(value as Spec);
      args[key] = inner;
      leaves.push(...more);
    } else if (typeof value === 'object' && value !== null) {
      const leaf = load((value as { $tensor: Dump }).$tensor).requires_grad_();
      args[key] = leaf;
      leaves.push(leaf);
    } else args[key] = value;
  }
  if (name === 'Independent' || name === 'MixtureSameFamily')
    return [new classes[name](...Object.values(args)), leaves];
  return [new classes[name](...positional(name, args)), leaves];
}

/** Relaxed distributions take their temperature by position. */
function positional(name: string, { temperature, ...rest }: Record<string, unknown>): unknown[] {
  return name.startsWith('Relaxed') ? [temperature, rest] : [rest];
}

function same(got: Tensor | null | undefined, want: Dump | null, what: string, tolerance = 1e-9): void {
  if (want === null || got === null || got === undefined) {
    const zero = want === null ? (got?.abs().sum().item() ?? 0) === 0 : want.data.every((v) => v === 0);
    expect(zero, what).toBe(true);
    return;
  }
  expect([got.dtype.name, [...got.shape]], what).toEqual([want.dtype, want.shape]);
  const loose = want.dtype === 'float32' ? Math.max(tolerance, 1e-5) : tolerance;
  const values = [...got.detach().to(torch.float64).contiguous().toTypedArray()].map(Number);
  want.data.forEach((v, i) => {
    const expected = toNumber(v);
    const close =
      Object.is(values[i], expected) ||
      values[i] === expected ||
      Math.abs(values[i] - expected) <= loose * (1 + Math.abs(expected));
    if (!close) expect.fail(`${what}: [${i}] is ${values[i]}, want ${expected}`);
  });
}

function sameGradients(
  out: Tensor,
  leaves: readonly Tensor[],
  want: (Dump | null)[] | null | undefined,
  what: string,
  tolerance = 1e-9,
): void {
  if (!want) return;
  const grads = torch.autograd.grad(out.square().sum(), [...leaves], {
    allow_unused: true,
    retain_graph: true,
  });
  want.forEach((w, i) => same(grads[i], w, `${what}, gradient ${i}`, tolerance));
}

describe('distributions', () => {
  goldens.distributions.forEach((c, i) => {
    it(`${i}: ${c.text}`, () => {
      const [d, leaves] = made(c.spec);
      expect([String(d), String(d.support), d.batch_shape, d.event_shape]).toEqual([
        c.text,
        c.support,
        c.batch,
        c.event,
      ]);
      torch.manual_seed(0);
      // Normal streams agree within 1e-6.
      same(d.sample([3]), c.sample, 'sample', 1e-5);
      if (c.rsample) {
        torch.manual_seed(0);
        const x = d.rsample([2]);
        same(x, c.rsample, 'rsample', 1e-5);
        // PyTorch approximates these derivatives of gamma and Dirichlet samples by rational functions.
        sameGradients(x, leaves, c.rsample_grad, 'rsample', 2e-3);
      }
      for (const [name, { at, out, grad }] of Object.entries(c.numbers)) {
        const member = d[name] as Tensor | ((value?: Tensor) => Tensor);
        const got = typeof member === 'function' ? member.call(d, at ? load(at) : undefined) : member;
        // PyTorch's trigamma, and its lgamma of counts in single precision, are good to that.
        same(got, out, name, 1e-7);
        sameGradients(got, leaves, grad, name, 1e-7);
      }
      if (c.all) same(d.enumerate_support(), c.all, 'enumerate_support');
      if (!c.wide) return;
      const wide = d.expand([2, ...d.batch_shape]);
      expect(wide.batch_shape).toEqual(c.wide[0]);
      const { at } = c.numbers.log_prob;
      same(wide.log_prob(load(at as Dump)), c.wide[1], 'expanded', 1e-7);
    });
  });
});

describe('divergences', () => {
  goldens.divergences.forEach((c) => {
    it(`${c.p[0]}, ${c.q[0]}`, () => {
      const [p, x] = made(c.p);
      const [q, y] = made(c.q);
      const out = D.kl_divergence(p, q);
      same(out, c.out, 'divergence');
      // Where the divergence is infinite, so are some gradients.
      if (c.out.data.every((v) => typeof v === 'number'))
        sameGradients(out, [...x, ...y], c.grad, 'divergence', 1e-7);
    });
  });
  it('can be registered', () => {
    class Mine extends D.Normal {}
    D.register_kl(Mine, D.Normal, (p) => p.loc.mul(0).add(7));
    expect(D.kl_divergence(new Mine(0, 1), new D.Normal(0, 1)).item()).toBe(7);
    expect(D.kl_divergence(new D.Normal(0, 1), new Mine(0, 1)).item()).toBe(0);
  });
});

describe('transforms', () => {
  const kinds = D.transforms as unknown as Record<
    string,
    new (
      ...args: unknown[]
    ) => torch.distributions.Transform
  >;
  for (const c of goldens.transforms)
    it(`${c.text} ${JSON.stringify(c.args.map((a) => (typeof a === 'object' ? '…' : a)))}`, () => {
      const args = c.args.map((a) =>
        typeof a === 'object' && !Array.isArray(a) ? load((a as { $tensor: Dump }).$tensor) : a,
      );
      const T = new kinds[c.name](...args);
      const x = load(c.x).requires_grad_();
      const y = T(x);
      same(y, c.y, 'value');
      same(T.inv(y.detach()), c.back, 'inverse');
      if (c.jacobian) same(T.log_abs_det_jacobian(x, y), c.jacobian, 'jacobian');
      sameGradients(y, [x], [c.grad], 'value');
      expect([T.forward_shape(x.shape), T.inverse_shape(y.shape)]).toEqual(c.shapes);
      expect([String(T), String(T.domain), String(T.codomain)]).toEqual([c.text, ...c.regions]);
      expect(T.inv.inv).toBe(T);
    });

  it('compose, and make distributions', () => {
    const { ComposeTransform, ExpTransform, AffineTransform } = D.transforms;
    const x = torch.tensor([0.5, -1], { dtype: torch.float64 });
    const T = new ComposeTransform([new AffineTransform(1, 2), new ExpTransform()]);
    expect(T.inv(T(x)).allclose(x)).toBe(true);
    expect(T.log_abs_det_jacobian(x, T(x)).allclose(x.mul(2).add(1 + Math.LN2))).toBe(true);
    const base = new D.Normal(
      torch.zeros(2, { dtype: torch.float64 }),
      torch.ones(2, { dtype: torch.float64 }),
    );
    const d = new D.TransformedDistribution(base, [new AffineTransform(1, 2), new ExpTransform()]);
    const named = new D.LogNormal(
      torch.ones(2, { dtype: torch.float64 }),
      torch.full([2], 2, { dtype: torch.float64 }),
    );
    const value = torch.tensor([0.7, 3], { dtype: torch.float64 });
    expect(d.log_prob(value).allclose(named.log_prob(value))).toBe(true);
    expect(d.cdf(value).allclose(named.cdf(value))).toBe(true);
  });

  it('have parts, slices, and distributions', () => {
    const { CatTransform, CumulativeDistributionTransform, ExpTransform, StackTransform, TanhTransform } =
      D.transforms;
    const x = torch.tensor([
      [0.5, -1],
      [0.2, 0.7],
      [-0.3, 0.4],
    ]);
    const parts = new CatTransform([new ExpTransform(), new TanhTransform()], 0, [1, 2]);
    expect(parts(x).equal(torch.cat([x.at(':1').exp(), x.at('1:').tanh()]))).toBe(true);
    expect(parts.inv(parts(x)).allclose(x, 1e-5, 1e-6)).toBe(true);
    expect(parts.log_abs_det_jacobian(x, parts(x)).shape).toEqual([3, 2]);
    expect(parts.codomain.check(parts(x)).all().item()).toBe(true);
    const slices = new StackTransform([new ExpTransform(), new TanhTransform()], 1);
    expect(slices(x).equal(torch.stack([x.at(':', 0).exp(), x.at(':', 1).tanh()], 1))).toBe(true);
    expect(slices.inv(slices(x)).allclose(x, 1e-5, 1e-6)).toBe(true);
    const normal = new D.Normal(0, 1);
    const uniform = new CumulativeDistributionTransform(normal);
    expect(uniform.inv(uniform(x)).allclose(x, 1e-4, 1e-5)).toBe(true);
    expect(
      (uniform as torch.distributions.Transform)
        .log_abs_det_jacobian(x, uniform(x))
        .equal(normal.log_prob(x)),
    ).toBe(true);
  });

  it('lead to constrained values', () => {
    const x = torch.tensor([0.5, -1]);
    for (const region of [
      D.constraints.positive,
      D.constraints.unit_interval,
      D.constraints.interval(-2, 3),
      D.constraints.less_than(1),
      D.constraints.simplex,
      D.constraints.independent(D.constraints.positive, 1),
    ])
      for (const to of [D.biject_to, D.transform_to])
        expect(region.check(to(region)(x)).all().item()).toBe(true);
    expect(() => D.biject_to(D.constraints.boolean)).toThrow('Cannot transform');
  });
});

describe('messages', () => {
  const one = torch.tensor(1);
  const calls: (() => unknown)[] = [
    () => new D.Normal(torch.tensor([0, 1]), torch.tensor([1, -1])),
    () => new D.Normal(0.5, 1.5).log_prob(torch.tensor(NaN)),
    () => new D.Normal(torch.zeros(2), torch.ones(2)).log_prob(torch.zeros(3)),
    () => new D.Bernoulli({}),
    () => new D.Bernoulli(torch.tensor([0.5])).log_prob(torch.tensor([0.5])),
    () => new D.Categorical(one),
    () => new D.Categorical(torch.ones(3)).log_prob(torch.tensor(3n)),
    () => new D.Dirichlet(one),
    () => new D.Dirichlet(torch.ones(3)).log_prob(torch.ones(2)),
    () => new D.Independent(new D.Normal(0.5, 1.5), 1),
    () => new D.MultivariateNormal(torch.zeros(2), {}),
    () => new D.MultivariateNormal(one, one),
    () => new D.Uniform(torch.tensor([2.5]), torch.tensor([1.5])),
    () => D.kl_divergence(new D.Normal(0.5, 1.5), new D.Bernoulli(0.5)),
    () => new D.transforms.ReshapeTransform([2], [3]),
  ];
  calls.forEach((call, i) => {
    it(goldens.messages[i][1].split('\n')[0], () => {
      let text = 'did not throw';
      try {
        call();
      } catch (e) {
        text = `${(e as Error).name}: ${(e as Error).message}`;
      }
      expect(text).toBe(goldens.messages[i].join(': '));
    });
  });
});
