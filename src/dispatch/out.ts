// Checks on tensors that are written to: `out=` arguments and in-place targets.
import { checkInference } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { RuntimeError } from '../errors.js';
import { contiguousStrides, numelOf, sameSizes, Tensor } from '../tensor.js';
import { checkShape, isDense } from './allocate.js';

/** @throws RuntimeError when an `out=` call would have to be recorded. */
export function checkOut(name: string, operands: readonly unknown[], out: Tensor): void {
  checkInference(out);
  if (!mode.grad) return;
  if (out.requires_grad || operands.some((x) => x instanceof Tensor && x.requires_grad))
    throw new RuntimeError(
      `${name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.`,
    );
}

/** Gives `out` the shape of the result, with new memory where its own does not suffice. */
export function resizeOut(out: Tensor, shape: readonly number[]): void {
  for (const size of shape)
    if (!(size >= 0))
      throw new RuntimeError(
        `Trying to create tensor with negative dimension ${size}: [${shape.join(', ')}]`,
      );
  if (!sameSizes(out.shape, shape)) resizeStorage(out, shape, contiguousStrides(shape));
}

/** Changes shape and strides of a tensor object in place, growing its storage when needed. */
export function resizeStorage(x: Tensor, shape: readonly number[], strides: readonly number[]): void {
  checkShape(shape, x.dtype.itemsize);
  const n = numelOf(shape);
  let extent = n === 0 ? 0 : 1;
  if (n > 0) for (let d = 0; d < shape.length; d++) extent += (shape[d] - 1) * strides[d];
  const bytes = (x._offset + extent) * x.dtype.itemsize;
  if (bytes > x._storage.nbytes) {
    const old = x._storage;
    const backend = backendOf(x.device.type);
    const storage = backend.allocate(bytes);
    storage.version = old.version;
    if (old.nbytes > 0) copyBytes(backend, x, old, storage);
    x._storage = storage;
  }
  setGeometry(x, shape, strides, x._offset);
}

function copyBytes(
  backend: ReturnType<typeof backendOf>,
  like: Tensor,
  from: Tensor['_storage'],
  to: Tensor['_storage'],
): void {
  const count = Math.floor(from.nbytes / like.dtype.itemsize);
  const flat = (s: Tensor['_storage']): Tensor => new Tensor(s, [count], [1], 0, like.dtype, count, true);
  if (count > 0) backend.launch('copy', flat(to), flat(from));
}

/** @internal Overwrites the geometry of a tensor object (`resize_`, `set_`, `x.data = y`, `t_`). */
export function setGeometry(
  x: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): void {
  const fresh = new Tensor(x._storage, shape, strides, offset, x.dtype, numelOf(shape));
  Object.assign(x, {
    shape,
    _strides: strides,
    _offset: offset,
    _numel: fresh._numel,
    _contiguous: fresh._contiguous,
  });
}

/** @throws RuntimeError when an element of `out` is written twice, or read after another was written over it. */
export function checkOverlap(out: Tensor, from: Tensor): void {
  if (!out._contiguous) checkInternalOverlap(out);
  if (out === from || out._storage.address === 0) return;
  if (out._storage !== from._storage && out._storage.address !== from._storage.address) return;
  if (out._numel === 0 || from._numel === 0) return;
  if (sameElements(out, from)) return;
  checkApart(out, from);
}

const sharedText =
  'unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.';

/** @throws RuntimeError when an operand shares memory with `out`. */
export function checkSeparate(out: Tensor, operands: readonly unknown[]): void {
  for (const x of operands) {
    if (x === out) throw new RuntimeError(sharedText);
    if (!(x instanceof Tensor) || out._numel === 0 || x._numel === 0 || x._storage.address === 0) continue;
    if (sameElements(out, x)) throw new RuntimeError(sharedText);
    checkApart(out, x);
  }
}

/** Do both tensors show the same elements, in the same order? */
function sameElements(a: Tensor, b: Tensor): boolean {
  return (
    a._address === b._address &&
    a.dtype === b.dtype &&
    sameSizes(a.shape, b.shape) &&
    sameSizes(a._strides, b._strides)
  );
}

/** Like PyTorch, only tensors without gaps are compared: views such as even and odd columns may take turns in memory. */
function checkApart(out: Tensor, from: Tensor): void {
  if (!isDense(out) || !isDense(from)) return;
  const [a0, a1] = extent(out);
  const [b0, b1] = extent(from);
  if (a0 < b1 && b0 < a1) throw new RuntimeError(sharedText);
}

/** @throws RuntimeError when one element of x is another, as in an expanded tensor. */
export function checkInternalOverlap(x: Tensor): void {
  for (let d = 0; d < x.shape.length; d++)
    if (x._strides[d] === 0 && x.shape[d] > 1)
      throw new RuntimeError(
        'unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.',
      );
}

function extent(x: Tensor): [number, number] {
  let last = 1;
  for (let d = 0; d < x.shape.length; d++) last += (x.shape[d] - 1) * x._strides[d];
  const start = x._address;
  return [start, start + last * x.dtype.itemsize];
}
