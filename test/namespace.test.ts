// Functions of the torch namespace under the signatures of C++ (goldens: scripts/goldens/namespace.py), in-place functions,
// methods that inspect, and switches.
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';
import { replay } from './golden_cases.js';

replay('namespace');

describe('in-place functions', () => {
  it('write to their argument', () => {
    const x = torch.tensor([-1, 2]);
    expect(torch.relu_(x)).toBe(x);
    expect(x.tolist()).toEqual([0, 2]);
    expect(torch.clamp_(x, { max: 1 }).tolist()).toEqual([0, 1]);
    expect(torch.exp_(torch.zeros(2)).tolist()).toEqual([1, 1]);
    torch.manual_seed(0);
    expect(torch.dropout_(x, 0.5, true)).toBe(x);
  });
});

describe('methods', () => {
  const x = torch.arange(6, { dtype: torch.float32 }).reshape(2, 3);
  it('apply JavaScript functions', () => {
    expect(
      x
        .clone()
        .apply_((v) => 2 * v)
        .tolist(),
    ).toEqual([
      [0, 2, 4],
      [6, 8, 10],
    ]);
    expect(
      x
        .clone()
        .map_(torch.tensor([1, 2, 3]), (a, b) => a * b)
        .tolist(),
    ).toEqual([
      [0, 2, 6],
      [3, 8, 15],
    ]);
    expect(() => torch.ones(2, { requires_grad: true }).apply_((v) => v)).toThrow(
      "Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.",
    );
  });
  it('tell what a tensor is', () => {
    expect([x.dim_order(), x.t().dim_order()]).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect([x.is_conj(), x.is_shared(), x.is_nested, x.dense_dim(), x.sparse_dim()]).toEqual([
      false,
      false,
      false,
      2,
      0,
    ]);
    expect(x.to_dense()).toBe(x);
    expect([...x.new(2, 3).shape, ...(x.new([1, 2]).tolist() as number[])]).toEqual([2, 3, 1, 2]);
    expect(torch.typename(x)).toBe('torch.FloatTensor');
    expect(x[0].ger(x[1]).shape).toEqual([3, 3]);
  });
});

describe('switches', () => {
  it('keep what they are told', () => {
    torch.use_deterministic_algorithms(true);
    expect([torch.are_deterministic_algorithms_enabled(), torch.get_deterministic_debug_mode()]).toEqual([
      true,
      2,
    ]);
    torch.set_deterministic_debug_mode('default');
    expect(torch.are_deterministic_algorithms_enabled()).toBe(false);
    torch.set_float32_matmul_precision('high');
    expect(torch.get_float32_matmul_precision()).toBe('high');
    torch.set_float32_matmul_precision('highest');
    torch.set_default_tensor_type('torch.DoubleTensor');
    expect(torch.get_default_dtype()).toBe(torch.float64);
    torch.set_default_tensor_type('torch.FloatTensor');
    const model = (y: torch.Tensor): torch.Tensor => y;
    expect(torch.compile(model)).toBe(model);
    expect(torch.compile({ fullgraph: true })(model)).toBe(model);
  });
});
