// Views: other shapes and strides over the same memory.
import { type BaseGeometry, type Grad, geometry, markView, record } from '../autograd/graph.js';
import { alias } from '../dispatch/allocate.js';
import { isKeywords } from '../dispatch/schema.js';
import { DType } from '../dtype.js';
import { IndexError, RuntimeError } from '../errors.js';
import { contiguousStrides, numelOf, type Tensor, wrapDim } from '../tensor.js';
import { clone, contiguous_format } from './copy.js';
import { method, type Op, op } from './define.js';
import { arangeOf, zeros_ } from './fill.js';

/**
 * A recorded view; `backward` maps the gradient of the view to that of x. It must not look at x, whose shape an
 * in-place op may have changed by then.
 */
export function makeView(
  node: string,
  x: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  backward: (grad: Tensor) => Tensor,
  dtype: DType = x.dtype,
): Tensor {
  const view = markView(alias(x, shape, strides, offset, undefined, dtype), x);
  record(node, [x], [view], () => ([grad]) => [grad === null ? null : backward(grad)]);
  return view;
}

/** Several recorded views made by one op, which PyTorch does not let in-place ops write to. */
export function makeViews(
  node: string,
  x: Tensor,
  views: readonly Tensor[],
  backward: (grads: readonly Grad[]) => Tensor,
): Tensor[] {
  const marked = views.map((view) => markView(view, x, true));
  record(node, [x], marked, () => (grads) => [backward(grads)]);
  return marked;
}

/**
 * Strides with which memory of the given layout has another shape; null when it cannot without a copy.
 * After PyTorch's computeStride: runs of dimensions that are contiguous among themselves are re-split.
 */
export function viewStrides(
  shape: readonly number[],
  strides: readonly number[],
  to: readonly number[],
): number[] | null {
  if (numelOf(shape) === 0) {
    const out = new Array<number>(to.length);
    let step = 1;
    for (let d = to.length - 1; d >= 0; d--) {
      out[d] = step;
      step *= Math.max(to[d], 1);
    }
    return out;
  }
  const out = new Array<number>(to.length);
  let d = to.length - 1;
  let base = strides.length === 0 ? 1 : strides[strides.length - 1];
  let available = 1;
  let used = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    available *= shape[i];
    if (i > 0 && (shape[i - 1] === 1 || strides[i - 1] === available * base)) continue;
    while (d >= 0 && (used < available || to[d] === 1)) {
      out[d] = used * base;
      used *= to[d];
      d--;
    }
    if (used !== available) return null;
    if (i > 0) {
      base = strides[i - 1];
      available = 1;
      used = 1;
    }
  }
  for (; d >= 0; d--) out[d] = used * base;
  return out;
}

/** Replaces one -1 by the size that makes the shape fit. */
export function inferShape(shape: readonly number[], numel: number): readonly number[] {
  let known = 1;
  let unknown = -1;
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === -1) {
      if (unknown >= 0) throw new RuntimeError('only one dimension can be inferred');
      unknown = d;
    } else if (shape[d] < 0) throw new RuntimeError(`invalid shape dimension ${shape[d]}`);
    else known *= shape[d];
  }
  if (unknown < 0) {
    if (known !== numel)
      throw new RuntimeError(`shape '[${shape.join(', ')}]' is invalid for input of size ${numel}`);
    return shape;
  }
  if (known === 0 && numel === 0)
    throw new RuntimeError(
      `cannot reshape tensor of 0 elements into shape [${shape.join(', ')}] because the unspecified dimension size -1 can be any value and is ambiguous`,
    );
  if (known === 0 || numel % known !== 0)
    throw new RuntimeError(`shape '[${shape.join(', ')}]' is invalid for input of size ${numel}`);
  const out = shape.slice();
  out[unknown] = numel / known;
  return out;
}

function viewAs(
  x: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  node = 'ViewBackward0',
): Tensor {
  const from = x.shape;
  return makeView(node, x, shape, strides, x._offset, (grad) => reshape(grad, from));
}

/** Fresh row-major memory with another shape: no view, since nobody else holds x. */
export function unsafeView(x: Tensor, shape: readonly number[]): Tensor {
  const out = alias(x, shape, contiguousStrides(shape), x._offset, true);
  const from = x.shape;
  record('UnsafeViewBackward0', [x], [out], () => ([grad]) => [grad === null ? null : reshape(grad, from)]);
  return out;
}

type Shape = readonly number[];

const viewOf: Op<[...shape: number[]] | [shape: Shape], Tensor> = op(
  'view',
  'Tensor self, int[]... size',
  (x: Tensor, size: number[]) => {
    const shape = inferShape(size, x._numel);
    const strides = viewStrides(x.shape, x._strides, shape);
    if (strides === null)
      throw new RuntimeError(
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
      );
    return viewAs(x, shape, strides);
  },
);

/**
 * The same memory with another shape, where -1 is inferred; or (`x.view(dtype)`) as elements of another type.
 *
 *     torch.arange(6).view(-1, 2)
 *     // tensor([[0, 1],
 *     //         [2, 3],
 *     //         [4, 5]])
 *
 * @throws RuntimeError when the strides do not allow it: use reshape.
 */
export const view: Op<
  [...shape: number[]] | [shape: Shape] | [dtype: DType] | [options: { dtype: DType } | { size: Shape }],
  Tensor
> = method('view', (x: Tensor, ...args: readonly unknown[]) => {
  const first = isKeywords(args[0]) && 'dtype' in args[0] ? args[0].dtype : args[0];
  return first instanceof DType ? viewDtype(x, first) : viewOf(x, ...(args as number[]));
}) as never;

/**
 * @internal The same bytes as elements of another type (`x.view(dtype)`), outside the graph. The last
 * dimension grows or shrinks with the element size.
 */
export function viewDtype(x: Tensor, dtype: DType): Tensor {
  const [from, to] = [x.dtype.itemsize, dtype.itemsize];
  if (from === to) return alias(x, x.shape, x._strides, x._offset, x._contiguous, dtype);
  const n = x.shape.length;
  const sizes = `to view ${x.dtype.scalarName} as ${dtype.scalarName} (different element sizes)`;
  if (n === 0) throw new RuntimeError(`self.dim() cannot be 0 ${sizes}`);
  if (x._strides[n - 1] !== 1)
    throw new RuntimeError(`self.stride(-1) must be 1 ${sizes}, but got ${x._strides[n - 1]}`);
  const lead = x._strides.slice(0, -1);
  const last = x.shape[n - 1];
  if (from > to) {
    const k = from / to;
    return alias(
      x,
      [...x.shape.slice(0, -1), last * k],
      [...lead.map((s) => s * k), 1],
      x._offset * k,
      undefined,
      dtype,
    );
  }
  const k = to / from;
  if (last % k !== 0)
    throw new RuntimeError(`self.size(-1) must be divisible by ${k} ${sizes}, but got ${last}`);
  if (x._offset % k !== 0)
    throw new RuntimeError(`self.storage_offset() must be divisible by ${k} ${sizes}, but got ${x._offset}`);
  lead.forEach((s, d) => {
    if (s % k !== 0)
      throw new RuntimeError(`self.stride(${d}) must be divisible by ${k} ${sizes}, but got ${s}`);
  });
  return alias(
    x,
    [...x.shape.slice(0, -1), last / k],
    [...lead.map((s) => s / k), 1],
    x._offset / k,
    undefined,
    dtype,
  );
}

/**
 * A view of the given shape where the strides allow it, a copy otherwise; -1 is inferred.
 *
 *     torch.arange(6).reshape(2, 3)
 *     // tensor([[0, 1, 2],
 *     //         [3, 4, 5]])
 */
export const reshape: Op<[...shape: number[]] | [shape: Shape], Tensor> = op(
  'reshape',
  'Tensor self, int[]... shape',
  (x: Tensor, size: readonly number[]) => {
    const shape = inferShape(size, x._numel);
    const strides = viewStrides(x.shape, x._strides, shape);
    if (strides !== null)
      return viewAs(x, shape, strides, x._contiguous ? 'ViewBackward0' : 'ReshapeAliasBackward0');
    return unsafeView(clone(x, { memory_format: contiguous_format }), shape);
  },
);

/**
 * A view with the dimensions in another order.
 *
 *     torch.zeros(2, 3, 4).permute(2, 0, 1).shape.join()
 *     // 4,2,3
 */
export const permute: Op<[...dims: number[]] | [dims: Shape], Tensor> = op(
  'permute',
  'Tensor self, int[]... dims',
  (x: Tensor, dims: number[]) => {
    if (dims.length !== x.shape.length)
      throw new RuntimeError(
        `permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = ${x.shape.length} is not equal to len(dims) = ${dims.length}`,
      );
    const order = dims.map((d) => wrapDim(d, x.shape.length));
    if (new Set(order).size !== order.length)
      throw new RuntimeError('permute(): duplicate dims are not allowed.');
    return permuted('PermuteBackward0', x, order);
  },
);

function permuted(node: string, x: Tensor, order: readonly number[]): Tensor {
  const inverse = new Array<number>(order.length);
  order.forEach((d, i) => {
    inverse[d] = i;
  });
  return makeView(
    node,
    x,
    order.map((d) => x.shape[d]),
    order.map((d) => x._strides[d]),
    x._offset,
    (grad) => permuted(node, grad, inverse),
  );
}

/**
 * A view with two dimensions swapped.
 *
 *     torch.tensor([[1, 2], [3, 4]]).transpose(0, 1)
 *     // tensor([[1., 3.],
 *     //         [2., 4.]])
 */
export const transpose: Op<[dim0: number, dim1: number], Tensor> = op(
  'transpose',
  'Tensor self, int dim0, int dim1',
  (x: Tensor, dim0: number, dim1: number) => {
    const n = x.shape.length;
    const a = wrapDim(dim0, n);
    const b = wrapDim(dim1, n);
    if (n === 0) return makeView('TransposeBackward0', x, [], [], x._offset, (grad) => grad);
    return swapped('TransposeBackward0', x, a, b);
  },
);

function swapped(node: string, x: Tensor, a: number, b: number): Tensor {
  const shape = x.shape.slice();
  const strides = x._strides.slice();
  [shape[a], shape[b]] = [shape[b], shape[a]];
  [strides[a], strides[b]] = [strides[b], strides[a]];
  return makeView(node, x, shape, strides, x._offset, (grad) => swapped(node, grad, a, b));
}

/** A matrix transposed; 0-d and 1-d tensors as they are. */
export const t: Op<[], Tensor> = op('t', 'Tensor self', (x: Tensor) => {
  if (x.shape.length > 2)
    throw new RuntimeError(`t() expects a tensor with <= 2 dimensions, but self is ${x.shape.length}D`);
  return x.shape.length < 2
    ? makeView('TBackward0', x, x.shape, x._strides, x._offset, (grad) => grad)
    : swapped('TBackward0', x, 0, 1);
});

/**
 * A view in which dimensions of size 1 repeat; -1 keeps a size.
 *
 *     torch.tensor([1, 2, 3]).expand(2, 3)
 *     // tensor([[1., 2., 3.],
 *     //         [1., 2., 3.]])
 */
export const expand: Op<[...sizes: number[]] | [sizes: Shape], Tensor> = op(
  'expand',
  'Tensor self, int[]... size, *, bool implicit=False',
  (x: Tensor, size: number[]) => {
    const skip = size.length - x.shape.length;
    const text = (): string =>
      `expand(torch.${x.dtype.scalarName}Tensor{[${x.shape.join(', ')}]}, size=[${size.join(', ')}])`;
    if (skip < 0)
      throw new RuntimeError(
        `${text()}: the number of sizes provided (${size.length}) must be greater or equal to the number of dimensions in the tensor (${x.shape.length})`,
      );
    const shape = size.slice();
    const strides = new Array<number>(size.length).fill(0);
    for (let d = size.length - 1; d >= 0; d--) {
      const own = d < skip ? 1 : x.shape[d - skip];
      if (size[d] === -1) {
        if (d < skip)
          throw new RuntimeError(
            `The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ${d}`,
          );
        shape[d] = own;
      }
      if (shape[d] < 0) throw new RuntimeError(`The expanded size of the tensor (${shape[d]}) isn't allowed`);
      if (own === shape[d] && d >= skip) strides[d] = x._strides[d - skip];
      else if (own !== 1)
        throw new RuntimeError(
          `The expanded size of the tensor (${shape[d]}) must match the existing size (${own}) at non-singleton dimension ${d}.  Target sizes: [${size.join(', ')}].  Tensor sizes: [${x.shape.join(', ')}]`,
        );
    }
    // The engine sums the gradient back to x's shape.
    return makeView('ExpandBackward0', x, shape, strides, x._offset, (grad) => grad);
  },
);

/**
 * A view of one index along a dimension, which disappears.
 *
 *     torch.tensor([[1, 2], [3, 4]]).select(0, 1)
 *     // tensor([3., 4.])
 */
export const select: Op<[dim: number, index: number], Tensor> = op(
  'select',
  'Tensor self, int dim, int index',
  (x: Tensor, dim: number, index: number) => {
    if (x.shape.length === 0) throw new IndexError('select() cannot be applied to a 0-dim tensor.');
    const d = wrapDim(dim, x.shape.length);
    const size = x.shape[d];
    if (index < -size || index >= size || !Number.isInteger(index))
      throw new IndexError(
        `select(): index ${index} out of range for tensor of size [${x.shape.join(', ')}] at dimension ${d}`,
      );
    const i = index < 0 ? index + size : index;
    const drop = (list: readonly number[]): number[] => list.filter((_, at) => at !== d);
    const whole = x.shape;
    return makeView(
      'SelectBackward0',
      x,
      drop(x.shape),
      drop(x._strides),
      x._offset + i * x._strides[d],
      (grad) => scatterView(grad, whole, (full) => select(full, d, i)),
    );
  },
);

/** Zeros with a gradient in the place that a view looks at. */
export function scatterView(grad: Tensor, shape: readonly number[], place: (full: Tensor) => Tensor): Tensor {
  const full = zeros_(shape, grad.dtype, grad.device);
  place(full).copy_(grad);
  return full;
}

/** @internal `x[start:end:step]` along one dimension: bounds are clamped as Python clamps them. */
export function slice(x: Tensor, dim: number, start: number | null, end: number | null, step = 1): Tensor {
  if (x.shape.length === 0) throw new RuntimeError('slice() cannot be applied to a 0-dim tensor.');
  const d = wrapDim(dim, x.shape.length);
  if (step <= 0) throw new RuntimeError('slice step must be positive');
  const size = x.shape[d];
  const clamp = (v: number): number => Math.min(Math.max(v < 0 ? v + size : v, 0), size);
  const from = clamp(start ?? 0);
  const to = Math.max(clamp(end ?? size), from);
  const shape = x.shape.slice();
  const strides = x._strides.slice();
  shape[d] = Math.ceil((to - from) / step);
  strides[d] *= step;
  const whole = x.shape;
  return makeView('SliceBackward0', x, shape, strides, x._offset + from * x._strides[d], (grad) =>
    scatterView(grad, whole, (full) => slice(full, d, from, to, step)),
  );
}

/**
 * A view with a dimension of size 1 inserted at `dim`.
 *
 *     torch.tensor([1, 2, 3]).unsqueeze(0)
 *     // tensor([[1., 2., 3.]])
 */
export const unsqueeze: Op<[dim: number], Tensor> = op(
  'unsqueeze',
  'Tensor self, int dim',
  (x: Tensor, dim: number) => {
    const d = wrapDim(dim, x.shape.length + 1);
    const shape = x.shape.slice();
    const strides = x._strides.slice();
    const stride = d < x.shape.length ? x.shape[d] * x._strides[d] : 1;
    shape.splice(d, 0, 1);
    strides.splice(d, 0, stride);
    return makeView('UnsqueezeBackward0', x, shape, strides, x._offset, (grad) => squeeze(grad, d));
  },
);

/**
 * A view without the dimensions of size 1: all of them, or those named.
 *
 *     torch.zeros(1, 3, 1).squeeze().shape.join()
 *     // 3
 */
export const squeeze: Op<[dim?: number | Shape], Tensor> = op(
  'squeeze',
  'Tensor self, int[1]? dim=None',
  (x: Tensor, dim: number | number[] | null) => {
    const n = x.shape.length;
    const dims = dim === null ? null : (Array.isArray(dim) ? dim : [dim]).map((d) => wrapDim(d, n));
    dims?.forEach((d, i) => {
      if (dims.indexOf(d) !== i)
        throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
    });
    const named = dims === null ? null : new Set(dims);
    const keep = x.shape
      .map((_, d) => d)
      .filter((d) => x.shape[d] !== 1 || (named !== null && !named.has(d)));
    const at = (list: readonly number[]): number[] => keep.map((d) => list[d]);
    const node =
      named === null ? 'SqueezeBackward0' : Array.isArray(dim) ? 'SqueezeBackward2' : 'SqueezeBackward1';
    const from = x.shape;
    return makeView(node, x, at(from), at(x._strides), x._offset, (grad) => reshape(grad, from));
  },
);

/**
 * A view with any shape, strides and offset over the storage.
 * @throws RuntimeError when it reaches outside of the storage.
 */
export const as_strided: Op<[size: Shape, stride: Shape, storage_offset?: number], Tensor> = op(
  'as_strided',
  'Tensor self, int[] size, int[] stride, int? storage_offset=None',
  (x: Tensor, size: readonly number[], stride: readonly number[], storageOffset: number | null) => {
    const offset = storageOffset ?? x._offset;
    checkGeometry(x, size, stride, offset);
    const base = geometry(x);
    return makeView('AsStridedBackward0', x, size, stride, offset, (grad) =>
      asStridedBackward(grad, base, size, stride, offset),
    );
  },
);

function checkGeometry(x: Tensor, size: readonly number[], stride: readonly number[], offset: number): void {
  if (size.length !== stride.length) throw new RuntimeError('mismatch in length of strides and shape');
  for (const s of size)
    if (s < 0)
      throw new RuntimeError(`Trying to create tensor with negative dimension ${s}: [${size.join(', ')}]`);
  for (const s of stride)
    if (s < 0)
      throw new RuntimeError(
        `as_strided: Negative strides are not supported at the moment, got strides: [${stride.join(', ')}]`,
      );
  if (offset < 0) throw new RuntimeError(`Tensor: invalid storage offset ${offset}`);
  if (size.includes(0)) return;
  const last = size.reduce((at, n, d) => at + (n - 1) * stride[d], offset);
  const bytes = (last + 1) * x.dtype.itemsize;
  if (bytes > x._storage.nbytes)
    throw new RuntimeError(
      `setStorage: sizes [${size.join(', ')}], strides [${stride.join(', ')}], storage offset ${offset}, and itemsize ${x.dtype.itemsize} requiring a storage size of ${bytes} are out of bounds for storage of size ${x._storage.nbytes}`,
    );
}

/** May two places of this geometry be the same element? */
function overlaps(shape: Shape, strides: Shape): boolean {
  const dims = shape.map((_, d) => d).filter((d) => shape[d] !== 1);
  dims.sort((a, b) => strides[a] - strides[b]);
  let reach = 0;
  return dims.some((d) => {
    const shared = strides[d] <= reach;
    reach += (shape[d] - 1) * strides[d];
    return shared;
  });
}

/** The gradient of as_strided: adds the elements that the view shows where the base keeps them. */
export function asStridedBackward(
  grad: Tensor,
  base: BaseGeometry,
  size: readonly number[],
  stride: readonly number[],
  offset: number,
): Tensor {
  const least = Math.min(base.offset, offset);
  const reach = (shape: readonly number[], strides: readonly number[], at: number): number =>
    shape.includes(0) ? 0 : shape.reduce((end, n, d) => end + (n - 1) * strides[d], at - least) + 1;
  const memory = zeros_(
    [Math.max(reach(base.shape, base.strides, base.offset), reach(size, stride, offset))],
    grad.dtype,
    grad.device,
  );
  if (!overlaps(size, stride)) {
    as_strided(memory, size, stride, offset - least).copy_(grad);
    return as_strided(memory, base.shape, base.strides, base.offset - least);
  }
  const places = arangeOf(memory._numel, grad.device)
    .as_strided(size, stride, offset - least)
    .reshape([-1]);
  const summed = memory.index_add(0, places, grad.reshape([-1]));
  return summed.as_strided(base.shape, base.strides, base.offset - least).clone();
}
