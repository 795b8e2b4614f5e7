// Fresh tensors.

import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import type { Device } from '../device.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { contiguousStrides, numelOf, Tensor } from '../tensor.js';

/** More elements than any memory holds: refused before sizes overflow. */
const MAX_BYTES = 2 ** 53;

export function checkShape(shape: readonly number[], itemsize: number): void {
  let bytes = itemsize;
  for (const size of shape) {
    if (!Number.isInteger(size)) throw new TypeError(`a size must be an int, not ${size}`);
    if (size < 0)
      throw new RuntimeError(
        `Trying to create tensor with negative dimension ${size}: [${shape.join(', ')}]`,
      );
    bytes *= size;
  }
  if (bytes > MAX_BYTES)
    throw new RuntimeError(`Storage size calculation overflowed with sizes=[${shape.join(', ')}]`);
}

/** An uninitialised row-major tensor. */
export function empty(shape: readonly number[], dtype: DType, device: Device): Tensor {
  const n = numelOf(shape);
  if (!(n >= 0 && n <= 4096)) checkShape(shape, dtype.itemsize);
  else for (let d = 0; d < shape.length; d++) if (!(shape[d] >= 0)) checkShape(shape, dtype.itemsize);
  const storage = backendOf(device.type).allocate(n * dtype.itemsize);
  const out = new Tensor(storage, shape, contiguousStrides(shape), 0, dtype, n, true);
  if (mode.inference) out._inference = true;
  return out;
}

/** Gives back the memory of temporary tensors that nothing else stands on, without waiting for the garbage collector. */
export function giveBack(...tensors: readonly (Tensor | null)[]): void {
  for (const x of tensors) if (x !== null) backendOf(x.device.type).release(x._storage);
}

/** An uninitialised tensor with the given strides. */
export function emptyStrided(
  shape: readonly number[],
  strides: readonly number[],
  dtype: DType,
  device: Device,
): Tensor {
  checkShape(shape, dtype.itemsize);
  const n = numelOf(shape);
  let extent = n === 0 ? 0 : 1;
  if (n > 0) for (let d = 0; d < shape.length; d++) extent += (shape[d] - 1) * strides[d];
  const storage = backendOf(device.type).allocate(extent * dtype.itemsize);
  const out = new Tensor(storage, shape, strides, 0, dtype, n);
  if (mode.inference) out._inference = true;
  return out;
}

/** Do the elements fill their memory without gaps or overlaps, in whatever order of dimensions? */
export function isDense(x: Tensor): boolean {
  if (x._contiguous) return true;
  const dims = x.shape.map((_, d) => d).filter((d) => x.shape[d] !== 1);
  dims.sort((a, b) => x._strides[a] - x._strides[b]);
  let expected = 1;
  for (const d of dims) {
    if (x._strides[d] !== expected) return false;
    expected *= x.shape[d];
  }
  return true;
}

/**
 * The dimensions of a tensor from the one whose neighbours are nearest in memory to the one whose are farthest, as
 * PyTorch's iterators sort them: a stride of 0 fits anywhere, of equal strides the smaller dimension comes first.
 */
export function memoryOrder(shape: readonly number[], strides: readonly number[]): number[] {
  const order = shape.map((_, d) => shape.length - 1 - d);
  const after = (a: number, b: number): number => {
    if (strides[a] === 0 || strides[b] === 0) return 0;
    if (strides[a] !== strides[b]) return strides[a] - strides[b];
    return shape[a] > shape[b] ? 1 : 0;
  };
  for (let i = 1; i < order.length; i++) {
    let at = i;
    for (let j = i - 1; j >= 0; j--) {
      const comparison = after(order[j], order[at]);
      if (comparison < 0) break;
      if (comparison === 0) continue;
      [order[j], order[at]] = [order[at], order[j]];
      at = j;
    }
  }
  return order;
}

/** Strides without gaps that keep the order of a tensor's dimensions in memory. */
export function denseStrides(x: Tensor): readonly number[] {
  const strides = new Array<number>(x.shape.length);
  let step = 1;
  for (const d of memoryOrder(x.shape, x._strides)) {
    strides[d] = step;
    step *= Math.max(x.shape[d], 1);
  }
  return strides;
}

/** Like x: its memory layout where it is dense, else that without the gaps (`preserve_format`). */
export function emptyLike(x: Tensor, dtype: DType = x.dtype): Tensor {
  if (x._contiguous) return empty(x.shape, dtype, x.device);
  return emptyStrided(x.shape, isDense(x) ? x._strides : denseStrides(x), dtype, x.device);
}

/** A view of x's memory. No history: callers record it. */
export function alias(
  x: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  contiguous?: boolean,
  dtype: DType = x.dtype,
): Tensor {
  const view = new Tensor(x._storage, shape, strides, offset, dtype, numelOf(shape), contiguous);
  if (x._inference) view._inference = true;
  return view;
}
