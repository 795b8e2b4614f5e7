/** torch.func and torch.autograd.forward_ad against PyTorch (test/goldens/func.json, made by scripts/goldens/func.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const { grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp, functional_call } = torch.func;
const { vmap } = torch;
type Tensor = torch.Tensor;
const golden = JSON.parse(readFileSync(new URL('./goldens/func.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;

const x = torch.tensor([0.5, -1, 2]);
const y = torch.tensor([1.5, 0.25, -0.75]);
const m = torch.arange(6).to(torch.float32).reshape([2, 3]).div(5);

const plain = (v: unknown): unknown =>
  v instanceof torch.Tensor
    ? v.tolist()
    : Array.isArray(v)
      ? v.map(plain)
      : Object.fromEntries(Object.entries(v as object).map(([k, w]) => [k, plain(w)]));

function same(got: unknown, want: unknown, at: string): void {
  if (typeof want === 'number') {
    expect(Math.abs((got as number) - want), at).toBeLessThan(2e-5 * (1 + Math.abs(want)));
    return;
  }
  const [a, b] = [got, want] as [Record<string, unknown>, Record<string, unknown>];
  expect(Object.keys(a), at).toEqual(Object.keys(b));
  for (const key of Object.keys(b)) same(a[key], b[key], `${at}.${key}`);
}

const f = (a: Tensor, b: Tensor): Tensor => a.sin().mul(b.exp()).sum();
const g = (a: Tensor, b: Tensor): Tensor => torch.stack([a.mul(b).sum(), a.pow(3).sub(b).sum()]);
const both = [0, 1] as const;
const net = (() => {
  torch.manual_seed(0);
  return new torch.nn.Sequential(new torch.nn.Linear(3, 4), new torch.nn.Tanh(), new torch.nn.Linear(4, 1));
})();
const parameters = (): Record<string, Tensor> =>
  Object.fromEntries([...net.named_parameters()].map(([k, p]) => [k, p.detach()]));

const cases: Record<string, () => unknown> = {
  grad: () => grad(f)(x, y),
  'grad both': () => grad(f, both)(x, y),
  'grad of grad': () => grad((a: Tensor) => grad((b: Tensor) => b.sin())(a))(torch.tensor(0.7)),
  'three times': () => grad(grad(grad((a: Tensor) => a.pow(4))))(torch.tensor(1.5)),
  grad_and_value: () =>
    grad_and_value((p: { w: Tensor; b: Tensor }) => p.w.matmul(x).add(p.b).square().sum())({
      w: m,
      b: torch.ones([2]),
    })[0],
  value: () =>
    grad_and_value((p: { w: Tensor; b: Tensor }) => p.w.matmul(x).add(p.b).square().sum())({
      w: m,
      b: torch.ones([2]),
    })[1],
  'vjp output': () => vjp(g, x, y)[0],
  vjp: () => vjp(g, x, y)[1](torch.tensor([2, -1])),
  jvp: () => jvp(g, [x, y], [y, x]),
  linearize: () => linearize((a: Tensor) => a.tanh().mul(a), x)[1](y),
  jacrev: () => jacrev(g, { argnums: both })(x, y),
  jacfwd: () => jacfwd(g, { argnums: both })(x, y),
  'jacfwd matrix': () => jacfwd((a: Tensor) => torch.outer(a, a).sin())(x),
  hessian: () => hessian((a: Tensor) => a.pow(3).mul(y).sum().add(a.prod()))(x),
  'hessian of two': () => (hessian(f, both)(x, y) as unknown as Tensor[][]).flat(),
  'jacrev of jacfwd': () => jacrev(jacfwd((a: Tensor) => a.exp().mul(a.sum())))(x),
  'jvp of grad': () =>
    jvp(
      grad((a: Tensor) => a.pow(3).sum()),
      [x],
      [y],
    ),
  vmap: () => vmap(torch.dot as (a: Tensor, b: Tensor) => Tensor, [0, null])(m, x),
  'vmap out_dims': () => vmap((a: Tensor) => a.mul(2), { in_dims: 1, out_dims: 1 })(m),
  'vmap of grad': () =>
    vmap(
      grad((a: Tensor, b: Tensor) => a.mul(b).sin().sum()),
      [0, null],
    )(m, x),
  'nested vmap': () =>
    vmap(
      vmap((a: Tensor, b: Tensor) => a.mul(b), [0, null]),
      [null, 0],
    )(x, y),
  'jacobian by vmap': () => vmap(vjp((a: Tensor) => a.pow(2), x)[1] as (v: Tensor) => unknown)(torch.eye(3)),
  'per-sample gradients': () =>
    vmap(
      grad((p: Record<string, Tensor>, a: Tensor) => functional_call(net, p, a).sum()),
      [null, 0],
    )(parameters(), m),
};
describe('torch.func', () => {
  for (const [name, run] of Object.entries(cases)) it(name, () => same(plain(run()), golden[name], name));

  it('leaves no graph behind, unless something around is differentiated', () => {
    expect(grad(f)(x, y).requires_grad).toBe(false);
    expect(x.requires_grad).toBe(false);
    const w = torch.tensor(2, { requires_grad: true });
    const got = grad((a: Tensor) => a.pow(2).mul(w).sum())(x);
    expect(got.requires_grad).toBe(true);
    got.sum().backward();
    expect(w.grad?.item()).toBeCloseTo(3, 5);
    const inner = torch.no_grad(() => grad((a: Tensor) => a.pow(2).mul(w).sum())(x));
    expect(inner.requires_grad).toBe(false);
    const [out, tangent] = jvp((a: Tensor) => a.sin(), [x], [y]);
    expect([out.requires_grad, tangent.requires_grad]).toEqual([false, false]);
  });

  it('forward mode is right where gradients of zero are special, and refuses what has none', () => {
    const p = torch.tensor([0.2, 0.5]);
    const [, tangent] = jvp((a: Tensor) => torch.xlogy(a, a), [p], [torch.ones([2])]);
    expect(torch.allclose(tangent, p.log().add(1))).toBe(true);
    const lengths = torch.tensor([4n]);
    const ctc = (a: Tensor): Tensor =>
      torch.nn.functional.ctc_loss(a.log_softmax(-1), torch.tensor([[1n, 2n]]), lengths, torch.tensor([2n]));
    expect(() => jvp(ctc, [torch.rand([4, 1, 3])], [torch.rand([4, 1, 3])])).toThrow(
      'Trying to use forward AD with a function that cannot be differentiated twice',
    );
  });

  it('does not confuse levels', () => {
    // d/da (a * d/db (a + b)) = 1, not 2.
    const got = grad((a: Tensor) => a.mul(grad((b: Tensor) => a.add(b))(torch.tensor(1))))(torch.tensor(1));
    expect(got.item()).toBe(1);
  });

  it('hands out auxiliary results', () => {
    const [value, aux] = grad((a: Tensor) => [a.sum(), a.mul(2)] as const, { has_aux: true })(x);
    expect([value.tolist(), aux.tolist()]).toEqual([
      [1, 1, 1],
      [1, -2, 4],
    ]);
  });

  it('speaks PyTorch', () => {
    expect(() => grad((a: Tensor) => a)(x)).toThrow(
      'grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with 1 dims.',
    );
    expect(() => grad(f, 2)(x, y)).toThrow('Got argnum=2, but only 2 positional inputs');
    expect(() => jvp((a: Tensor) => a, [x], [m])).toThrow('Trying to set a forward gradient');
    expect(() => vmap((a: Tensor) => a, 3)(x)).toThrow(
      'but that input is a Tensor of dimensionality 1 so expected in_dim to satisfy -1 <= in_dim < 1.',
    );
    expect(() => vmap((a: Tensor, b: Tensor) => a.add(b.sum()))(x, m)).toThrow(
      'vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [3, 2]',
    );
  });

  it('vmap: random numbers as asked for, and empty batches', () => {
    const noisy = (a: Tensor): Tensor => a.add(torch.rand([]));
    expect(() => vmap(noisy)(x)).toThrow('vmap: called random operation while in randomness error mode.');
    const same = vmap(noisy, { randomness: 'same' })(torch.zeros([3])).tolist() as number[];
    expect(new Set(same).size).toBe(1);
    const different = vmap(noisy, { randomness: 'different' })(torch.zeros([3])).tolist() as number[];
    expect(new Set(different).size).toBe(3);
    expect(vmap((a: Tensor) => a.sum())(torch.zeros([0, 4])).shape).toEqual([0]);
  });

  it('stacks the state of an ensemble', () => {
    const models = [new torch.nn.Linear(3, 2), new torch.nn.Linear(3, 2)];
    const [params, buffers] = torch.func.stack_module_state(models);
    const run = (p: Record<string, Tensor>, b: Record<string, Tensor>, a: Tensor): Tensor =>
      functional_call(models[0], [p, b], a);
    const outs = vmap(run, [0, 0, null])(params, buffers, x);
    expect(outs.tolist()).toEqual(models.map((model) => model(x).tolist()));
  });
});

describe('forward_ad', () => {
  const fw = torch.autograd.forward_ad;
  it('carries tangents', () => {
    fw.dual_level(() => {
      const dual = fw.make_dual(x, y);
      const { primal, tangent } = fw.unpack_dual(dual.exp().mul(dual));
      expect(primal.requires_grad).toBe(false);
      const want = x.exp().mul(x.add(1)).mul(y);
      expect(torch.allclose(tangent as Tensor, want)).toBe(true);
      expect(fw.unpack_dual(x).tangent).toBe(null);
      expect(fw.unpack_dual(dual).tangent).toBe(y);
    });
    expect(() => fw.make_dual(x, y)).toThrow('make sure to enter_dual_level() first');
  });

  it('is differentiable', () => {
    const w = torch.tensor([1, 2, 3], { requires_grad: true });
    fw.dual_level(() => {
      const tangent = fw.unpack_dual(fw.make_dual(x, y).pow(2).mul(w)).tangent as Tensor;
      tangent.sum().backward();
    });
    expect(torch.allclose(w.grad as Tensor, x.mul(2).mul(y))).toBe(true);
  });
});

it('autograd.grad takes several vectors at once', () => {
  const a = torch.tensor([1, 2, 3], { requires_grad: true });
  const [rows] = torch.autograd.grad(a.pow(2), a, {
    grad_outputs: torch.eye(3),
    is_grads_batched: true,
  });
  expect(rows.tolist()).toEqual([
    [2, 0, 0],
    [0, 4, 0],
    [0, 0, 6],
  ]);
});
