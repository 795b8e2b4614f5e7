import { describe, expect, test } from 'vitest';
import * as torch from '../src/index.js';
import { replay } from './create_cases.js';

describe('constructors and conversions give what PyTorch gives', () => replay('create.json'));

describe('what only JavaScript has', () => {
  test('torch.Tensor is the class of every tensor, with or without new', () => {
    expect(torch.Tensor(2, 3).shape).toEqual([2, 3]);
    expect(new torch.Tensor(2, 3)).toBeInstanceOf(torch.Tensor);
    expect(torch.zeros(2)).toBeInstanceOf(torch.Tensor);
    expect(torch.zeros(2)).toBeInstanceOf(torch.FloatTensor);
    expect(torch.zeros(2).long()).not.toBeInstanceOf(torch.FloatTensor);
    expect({}).not.toBeInstanceOf(torch.Tensor);
    expect(torch.zeros(2).constructor).toBe(torch.Tensor);
  });

  test('a tensor with one element acts as its value', () => {
    expect(Number(torch.tensor(2.5))).toBe(2.5);
    expect(Number(torch.tensor([[true]]))).toBe(1);
    expect(`${torch.tensor([1, 2])}`).toBe('tensor([1., 2.])');
    expect(() => Number(torch.zeros(2))).toThrow(/only one element tensors can be converted/);
    expect(() => Number(torch.zeros(1, { dtype: torch.complex64 }))).toThrow(TypeError);
  });

  // Linear memory cannot share a buffer.
  test.skipIf(torch.backends.cpu.implementation() === 'wasm')(
    'typed arrays share memory through from_numpy and as_tensor',
    () => {
      const data = new Float32Array([1, 2, 3]);
      const x = torch.from_numpy(data);
      x.fill_(7);
      expect([...data]).toEqual([7, 7, 7]);
      data[1] = 5;
      expect(torch.as_tensor(data).tolist()).toEqual([7, 5, 7]);
      expect(torch.asarray(data, { copy: true }).data_ptr()).not.toBe(x.data_ptr());
      expect(() => torch.asarray([1], { copy: false })).toThrow("can't alias arbitrary sequence");
    },
  );

  test('complex and polar have gradients', () => {
    const r = torch.tensor([1, 2], { dtype: torch.float64, requires_grad: true });
    const a = torch.tensor([[0.5], [-1]], { dtype: torch.float64, requires_grad: true });
    const z = torch.polar(r, a);
    expect(z.grad_fn?.name()).toBe('PolarBackward0');
    const parts = torch.view_as_real(z);
    parts
      .mul(torch.tensor([2, 3], { dtype: torch.float64 }))
      .sum()
      .backward();
    // Σ 2 r cos a + 3 r sin a
    const slope = [0.5, -1].reduce((s, v) => s + 2 * Math.cos(v) + 3 * Math.sin(v), 0);
    for (const i of [0, 1]) expect(Number(r.grad?.[i].item())).toBeCloseTo(slope, 12);
    for (const [i, v] of [0.5, -1].entries())
      expect(Number(a.grad?.[i].item())).toBeCloseTo(3 * (3 * Math.cos(v) - 2 * Math.sin(v)), 12);
    const re = torch.ones(2, { dtype: torch.float64, requires_grad: true });
    const im = torch.ones(2, { dtype: torch.float64, requires_grad: true });
    torch
      .view_as_real(torch.complex(re, im))
      .mul(torch.tensor([2, 3], { dtype: torch.float64 }))
      .sum()
      .backward();
    expect([re.grad?.tolist(), im.grad?.tolist()]).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  test('the gradient of a fill goes to the value', () => {
    const x = torch.ones(2, 2, { requires_grad: true });
    const v = torch.tensor(2, { requires_grad: true });
    const y = x.mul(1).fill_(v);
    expect(y.grad_fn?.name()).toBe('FillBackward3');
    y.sum().backward();
    expect([x.grad?.tolist(), v.grad?.item()]).toEqual([
      [
        [0, 0],
        [0, 0],
      ],
      4,
    ]);
    expect(torch.fill(x, 3).grad_fn?.name()).toBe('FillBackward0');
    expect(torch.fill(torch.ones(2), v).grad_fn?.name()).toBe('FillBackward1');
  });

  test('the default device', () => {
    torch.set_default_device('meta');
    try {
      expect(torch.zeros(2).device.type).toBe('meta');
      expect(torch.tensor([1]).device.type).toBe('meta');
    } finally {
      torch.set_default_device(null);
    }
    expect(torch.get_default_device().type).toBe('cpu');
  });
});
