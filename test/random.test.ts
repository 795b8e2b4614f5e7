import { describe, expect, test } from 'vitest';
import * as torch from '../src/index.js';
import { replay } from './create_cases.js';

describe('random streams are those of PyTorch', () => replay('random.json'));

describe('generators', () => {
  test('a state continues where it was saved', () => {
    torch.manual_seed(3);
    torch.randn(5);
    const state = torch.get_rng_state();
    const first = torch.randn(7).tolist();
    torch.set_rng_state(state);
    expect(torch.randn(7).tolist()).toEqual(first);
  });

  test('clone_state draws the same values and leaves the original alone', () => {
    const g = new torch.Generator().manual_seed(9);
    torch.rand(3, { generator: g });
    const copy = g.clone_state();
    const a = torch.rand(4, { generator: copy }).tolist();
    expect(torch.rand(4, { generator: g }).tolist()).toEqual(a);
  });

  test('generators do not disturb the default one', () => {
    torch.manual_seed(0);
    const want = torch.rand(3).tolist();
    torch.manual_seed(0);
    torch.rand(100, { generator: new torch.Generator() });
    expect(torch.rand(3).tolist()).toEqual(want);
  });

  test('seed() changes the stream and returns the seed', () => {
    const seed = torch.seed();
    const want = torch.rand(3).tolist();
    torch.manual_seed(seed);
    expect(torch.initial_seed()).toBe(seed);
    expect(torch.rand(3).tolist()).toEqual(want);
  });
});

describe('in-place draws', () => {
  test('their gradient is zero and their node has its name in PyTorch', () => {
    const x = torch.ones(3, { requires_grad: true });
    const y = x.mul(2).uniform_();
    expect(y.grad_fn?.name()).toBe('UniformBackward0');
    y.sum().backward();
    expect(x.grad?.tolist()).toEqual([0, 0, 0]);
    const name = (f: (t: torch.Tensor) => torch.Tensor): string | undefined => f(x.mul(1)).grad_fn?.name();
    expect(name((t) => t.random_())).toBe('RandomBackward2');
    expect(name((t) => t.random_(3))).toBe('RandomBackward1');
    expect(name((t) => t.random_(2, 3))).toBe('RandomBackward0');
    expect(name((t) => t.bernoulli_())).toBe('BernoulliBackward2');
    expect(name((t) => torch.bernoulli(t.mul(0)))).toBe('BernoulliBackward0');
    expect(name((t) => torch.normal(t, 1))).toBe('NormalBackward1');
  });

  test('meta tensors and empty ones draw nothing', () => {
    torch.manual_seed(0);
    torch.rand(5, { device: 'meta' });
    torch.rand(0, 3);
    expect(torch.rand(3).tolist()).toEqual((torch.manual_seed(0), torch.rand(3).tolist()));
  });
});
