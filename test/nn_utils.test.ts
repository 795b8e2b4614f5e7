/** torch.nn.utils against PyTorch (test/goldens/nn_utils.json, made by scripts/goldens/nn_utils.py). */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const { nn } = torch;
const { parametrizations, parametrize, prune } = nn.utils;
const golden = JSON.parse(
  readFileSync(new URL('./goldens/nn_utils.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

const numbers = (x: torch.Tensor | null): number[] =>
  ((x as torch.Tensor).detach().flatten().tolist() as number[]).map(Number);
const keys = (m: torch.nn.Module): string[] => Object.keys(m.state_dict());
/** A tensor that a utility added to the module. */
const part = (m: torch.nn.Module, path: string): torch.Tensor =>
  path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], m) as torch.Tensor;
const gradOf = (m: torch.nn.Module, path: string): number[] => numbers(part(m, path).grad);

/** Equal, numbers within 1e-5. */
function same(got: unknown, want: unknown, at: string): void {
  if (Array.isArray(want)) {
    expect((got as unknown[]).length, at).toBe(want.length);
    want.forEach((w, i) => {
      same((got as unknown[])[i], w, `${at}[${i}]`);
    });
  } else if (typeof want === 'number')
    expect(Math.abs((got as number) - want), at).toBeLessThan(1e-5 * (1 + Math.abs(want)));
  else expect(got, at).toEqual(want);
}

const x = torch.arange(6).to(torch.float32).reshape([2, 3]);

it('norms of weights, drawn from one random stream', () => {
  torch.manual_seed(0);
  let m = parametrizations.weight_norm(new nn.Linear(3, 4));
  m(x).square().sum().backward();
  const at = 'parametrizations.weight';
  same(
    [String(m), keys(m), numbers(m.weight), gradOf(m, `${at}.original0`), gradOf(m, `${at}.original1`)],
    golden.weight_norm,
    'weight_norm',
  );
  (m as { weight: torch.Tensor }).weight = torch.ones([4, 3]);
  same(numbers(part(m, `${at}.original0`)), golden['weight_norm set'], 'set');
  parametrize.remove_parametrizations(m, 'weight');
  same([String(m), numbers(m.weight)], golden['weight_norm removed'], 'removed');

  m = parametrizations.spectral_norm(new nn.Linear(3, 4));
  same([String(m), keys(m), numbers(m.weight)], golden.spectral_norm, 'spectral_norm');
  m(x).sum().backward();
  same(gradOf(m, `${at}.original`), golden['spectral_norm grad'], 'grad');
  const conv = parametrizations.spectral_norm(new nn.ConvTranspose1d(2, 3, 2), { n_power_iterations: 3 });
  same(numbers(conv.eval().weight), golden['spectral_norm transposed'], 'transposed');

  m = nn.utils.weight_norm(new nn.Linear(3, 4));
  m(x).square().sum().backward();
  same(
    [keys(m), gradOf(m, 'weight_g'), keys(nn.utils.remove_weight_norm(m))],
    golden['legacy weight_norm'],
    'legacy weight_norm',
  );
  m = nn.utils.spectral_norm(new nn.Linear(3, 4));
  m(x);
  m(x).sum().backward();
  same(
    [keys(m).sort(), gradOf(m, 'weight_orig'), numbers(nn.utils.remove_spectral_norm(m).weight)],
    golden['legacy spectral_norm'],
    'legacy spectral_norm',
  );
});

it('weight_norm loads the state of its older form', () => {
  const old = nn.utils.weight_norm(new nn.Linear(3, 4));
  const m = parametrizations.weight_norm(new nn.Linear(3, 4));
  m.load_state_dict(old.state_dict());
  same(numbers(m.weight), numbers(part(old, 'weight')), 'weight');
});

describe('orthogonal', () => {
  for (const shape of [
    [3, 3],
    [4, 2],
    [2, 4],
  ])
    for (const map of ['matrix_exp', 'cayley', 'householder'] as const)
      for (const use_trivialization of [true, false])
        it(`${shape} ${map} ${use_trivialization}`, () => {
          torch.manual_seed(0);
          const m = new nn.Linear(shape[1], shape[0]);
          parametrizations.orthogonal(m, 'weight', map, { use_trivialization });
          const original = part(m, 'parametrizations.weight.original');
          const steps = torch.arange(original.numel()).reshape(original.shape).to(torch.float32);
          torch.no_grad(() => original.add_(steps.sin().mul(0.3)));
          const w = m.weight as torch.Tensor;
          w.mul(torch.arange(w.numel()).reshape(w.shape)).sum().backward();
          const key = `orthogonal [${shape.join(', ')}] ${map} ${use_trivialization}`;
          const [values, gradient] = golden[key] as [number[], number[]];
          numbers(w).forEach((x, i) => expect(x).toBeCloseTo(values[i], 4));
          numbers(original.grad).forEach((x, i) => expect(x).toBeCloseTo(gradient[i], 3));
        });

  it('refuses vectors and unknown maps', () => {
    expect(() => parametrizations.orthogonal(new nn.Linear(2, 2), 'bias')).toThrow(
      'Expected a matrix or batch of matrices. Got a tensor of 1 dimensions.',
    );
    expect(() => parametrizations.orthogonal(new nn.Linear(2, 2), 'weight', 'x' as 'cayley')).toThrow(
      'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: x',
    );
  });
});

describe('prune', () => {
  const pruning: Record<string, (m: torch.nn.Linear) => torch.nn.Linear> = {
    random_unstructured: (m) => prune.random_unstructured(m, 'weight', { amount: 0.3 }),
    l1_unstructured: (m) => prune.l1_unstructured(m, 'weight', 3),
    random_structured: (m) => prune.random_structured(m, 'weight', { amount: 2, dim: 1 }),
    ln_structured: (m) => prune.ln_structured(m, 'weight', { amount: 0.5, n: 2, dim: 0 }),
  };
  for (const [name, apply] of Object.entries(pruning))
    it(name, () => {
      torch.manual_seed(1);
      const m = apply(new nn.Linear(5, 4));
      const got: unknown[] = [numbers(m.weight), keys(m)];
      prune.l1_unstructured(m, 'weight', { amount: 2 });
      prune.ln_structured(m, 'weight', { amount: 1, n: 2, dim: -1 });
      got.push(numbers(part(m, 'weight_mask')));
      m(torch.ones([2, 5]))
        .sum()
        .backward();
      got.push(gradOf(m, 'weight_orig'));
      expect(prune.is_pruned(m)).toBe(true);
      got.push(keys(prune.remove(m, 'weight')), numbers(m.weight));
      expect(prune.is_pruned(m)).toBe(false);
      same(got, golden[name], name);
    });

  it('global_unstructured, twice', () => {
    torch.manual_seed(2);
    const [a, b] = [new nn.Linear(4, 3), new nn.Linear(3, 2)];
    const both = [
      [a, 'weight'],
      [b, 'weight'],
    ] as const;
    prune.global_unstructured(both, prune.L1Unstructured, { amount: 0.4 });
    prune.global_unstructured(both, prune.L1Unstructured, { amount: 2 });
    same([...numbers(a.weight), ...numbers(b.weight)], golden.global_unstructured, 'global');
  });

  it('refuses amounts out of range', () => {
    const m = (): torch.nn.Linear => new nn.Linear(2, 2);
    expect(() => prune.l1_unstructured(m(), 'weight', { amount: 1.5 })).toThrow(
      'amount=1.5 should either be a float in the range [0, 1] or a non-negative integer',
    );
    expect(() => prune.l1_unstructured(m(), 'weight', 9)).toThrow(
      'amount=9 should be smaller than the number of parameters to prune=4',
    );
    expect(() => prune.remove(m(), 'weight')).toThrow('has to be pruned before pruning can be removed');
  });
});

describe('parametrize', () => {
  class Symmetric extends nn.Module {
    forward(a: torch.Tensor): torch.Tensor {
      return a.triu().add(a.triu(1).T);
    }
  }
  class Twice extends nn.Module {
    forward(a: torch.Tensor): torch.Tensor {
      return a.mul(2);
    }
    right_inverse(a: torch.Tensor): torch.Tensor {
      return a.div(2);
    }
  }

  it('chains parametrizations, and trains through them', () => {
    const m = parametrize.register_parametrization(new nn.Linear(3, 3), 'weight', new Symmetric());
    parametrize.register_parametrization(m, 'weight', new Twice());
    expect(m.weight.tolist()).toEqual(m.weight.T.tolist());
    const opt = new torch.optim.SGD(m.parameters(), { lr: 0.01 });
    const before = m(x).square().mean();
    before.backward();
    opt.step();
    expect(m(x).square().mean().item()).toBeLessThan(before.item());
    expect(m.weight.tolist()).toEqual(m.weight.T.tolist());
    expect(() => {
      (m as { weight: torch.Tensor }).weight = torch.ones([3, 3]);
    }).toThrow('parametrization Symmetric does not implement right_inverse.');
    expect(parametrize.is_parametrized(m, 'bias')).toBe(false);
    expect(parametrize.type_before_parametrizations(m)).toBe(nn.Linear);
    parametrize.remove_parametrizations(m, 'weight', { leave_parametrized: false });
    expect(m.constructor).toBe(nn.Linear);
    expect([...m.parameters()].length).toBe(2);
  });

  it('caches inside of cached', () => {
    const m = parametrize.register_parametrization(new nn.Linear(3, 3), 'weight', new Twice());
    const same = (): boolean => {
      const first = m.weight;
      return m.weight === first;
    };
    expect(same()).toBe(false);
    parametrize.cached(() => {
      expect(same()).toBe(true);
    });
    {
      using _ = parametrize.cached();
      expect(same()).toBe(true);
    }
    expect(same()).toBe(false);
  });

  it('refuses what changes shape or dtype, and unknown names', () => {
    class First extends nn.Module {
      forward(a: torch.Tensor): torch.Tensor {
        return a[0];
      }
    }
    const m = new nn.Linear(2, 2);
    expect(() => parametrize.register_parametrization(m, 'weight', new First())).toThrow(
      'Registering a parametrization may not change the shape of the tensor, unless `unsafe` flag is enabled.\nunparametrized shape: torch.Size([2, 2])\nparametrized shape: torch.Size([2])',
    );
    expect(() => parametrize.register_parametrization(m, 'other', new Twice())).toThrow(
      "does not have a parameter, a buffer, or a parametrized element with name 'other'",
    );
  });
});

it('fuses batch normalisation into the layer before', () => {
  torch.manual_seed(3);
  const conv = new nn.Conv2d(2, 3, 3, { bias: false }).eval();
  const bn = new nn.BatchNorm2d(3);
  bn(torch.randn([4, 3, 2, 2]));
  const fused = nn.utils.fuse_conv_bn_eval(conv, bn.eval());
  same([...numbers(fused.weight), ...numbers(fused.bias)], golden.fuse_conv_bn_eval, 'fuse_conv_bn_eval');
  const input = torch.randn([1, 2, 5, 5]);
  expect(torch.allclose(fused(input), bn(conv(input)), { atol: 1e-5 })).toBe(true);
});

it('skip_init makes the module without drawing random numbers', () => {
  torch.manual_seed(5);
  const m = nn.utils.skip_init(nn.Linear, 3, 2, { bias: false });
  const after = torch.rand([1]).item();
  torch.manual_seed(5);
  expect(torch.rand([1]).item()).toBe(after);
  expect([m.weight.shape, String(m.weight.device), m.weight.requires_grad]).toEqual([[2, 3], 'cpu', true]);
});
