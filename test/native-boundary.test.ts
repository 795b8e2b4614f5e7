// What native code must never see: tensors of another device, and more dimensions than its arrays hold.
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

const meta = (...shape: number[]) => torch.zeros(shape, { device: 'meta' });

describe('tensors without memory', () => {
  it.each([
    ['mm', () => torch.zeros(2, 2).mm(meta(2, 2))],
    ['dot', () => torch.dot(torch.zeros(2), meta(2))],
    ['copy_', () => torch.zeros(2).copy_(meta(2))],
    ['out', () => torch.add(torch.zeros(2), torch.zeros(2), { out: meta(2) })],
    [
      'index_select',
      () => torch.zeros(4).index_select(0, torch.zeros([1], { dtype: torch.int64, device: 'meta' })),
    ],
  ])('%s throws', (_, call) => {
    expect(call).toThrow(/device|meta/);
  });
});

describe('more than 64 dimensions', () => {
  it.each([
    ['zeros', () => torch.zeros(Array(100).fill(1))],
    ['sum', () => torch.empty(Array(65).fill(1)).sum(0)],
    [
      'add',
      () =>
        torch
          .empty([2, 2, ...Array(70).fill(1)])
          .transpose(0, 1)
          .add(1),
    ],
  ])('%s throws', (_, call) => {
    expect(call).toThrow('only tensors with up to 64 dims are supported');
  });

  it('64 are fine', () => {
    expect(torch.zeros(Array(64).fill(1)).add(1).sum().item()).toBe(1);
  });
});

describe('frombuffer', () => {
  it.each([{ offset: 0.5 }, { count: 1.5 }])('refuses %o', (options) => {
    const call = () => torch.frombuffer(new ArrayBuffer(16), { dtype: torch.float32, count: 1, ...options });
    expect(call).toThrow('must be int, not float');
  });
});
