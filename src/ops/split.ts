// Parts of a tensor along a dimension: narrow, unbind, split and their kin.
import { type Grad, record } from '../autograd/graph.js';
import { alias } from '../dispatch/allocate.js';
import { typeName } from '../dispatch/schema.js';
import { IndexError, RuntimeError } from '../errors.js';
import { Tensor, wrapDim } from '../tensor.js';
import { clone, contiguous_format } from './copy.js';
import { type Op, type Out, op } from './define.js';
import { zeros_ } from './fill.js';
import { cat, stack } from './join.js';
import { makeViews, slice } from './view.js';

type Sizes = readonly number[];

/** @internal A view of x from `start` of the given length along d, without history. */
function part(x: Tensor, d: number, start: number, length: number): Tensor {
  const shape = x.shape.slice();
  shape[d] = length;
  return alias(x, shape, x._strides, x._offset + start * x._strides[d]);
}

function checkNarrow(x: Tensor, dim: number, start: number, length: number): [d: number, from: number] {
  if (x.shape.length === 0) throw new RuntimeError('narrow() cannot be applied to a 0-dim tensor.');
  const d = wrapDim(dim, x.shape.length);
  const size = x.shape[d];
  if (start < -size || start > size)
    throw new IndexError(
      `start out of range (expected to be in range of [${-size}, ${size}], but got ${start})`,
    );
  const from = start < 0 ? start + size : start;
  if (length < 0 || from + length > size)
    throw new RuntimeError(`start (${from}) + length (${length}) exceeds dimension size (${size}).`);
  return [d, from];
}

/**
 * A view of `length` slices along `dim`, from `start` (an int or a 0-d integer tensor).
 *
 *     torch.arange(5).narrow(0, 1, 3)
 *     // tensor([1, 2, 3])
 *
 * @throws RuntimeError when the range leaves the dimension.
 */
export const narrow: Op<[dim: number, start: number | Tensor, length: number], Tensor> = op(
  'narrow',
  'Tensor self, int dim, int start, int length',
  (x: Tensor, dim: number, start: number, length: number) => {
    if (x.shape.length > 0 && length < 0) throw new RuntimeError('narrow(): length must be non-negative.');
    const [d, from] = checkNarrow(x, dim, start, length);
    return slice(x, d, from, from + length);
  },
);

/** A copy of what {@link narrow} shows. */
export const narrow_copy: Op<[dim: number, start: number, length: number, options?: Out], Tensor> = op(
  'narrow_copy',
  'Tensor self, int dim, int start, int length, *, Tensor? out=None',
  (x: Tensor, dim: number, start: number, length: number) => {
    const [d, from] = checkNarrow(x, dim, start, length);
    const out = clone(part(x, d, from, length), { memory_format: contiguous_format });
    record('NarrowCopyBackward0', [x], [out], () => ([g]) => {
      if (g === null) return [null];
      const full = zeros_(x.shape, g.dtype, g.device);
      narrow(full, d, from, length).copy_(g);
      return [full];
    });
    return out;
  },
);

/** Views of every slice along a dimension, which disappears. */
export const unbind: Op<[dim?: number], Tensor[]> = op(
  'unbind',
  'Tensor self, int dim=0',
  (x: Tensor, dim: number) => {
    if (x.shape.length === 0) throw new IndexError('Dimension specified as 0 but tensor has no dimensions');
    const d = wrapDim(dim, x.shape.length);
    const drop = (list: Sizes): number[] => list.filter((_, at) => at !== d);
    const shape = drop(x.shape);
    const strides = drop(x._strides);
    const views = Array.from({ length: x.shape[d] }, (_, i) =>
      alias(x, shape, strides, x._offset + i * x._strides[d]),
    );
    return makeViews('UnbindBackward0', x, views, (grads) => stack(filled(grads, views), d));
  },
);

/** Gradients of parts, with zeros for those that have none. */
function filled(grads: readonly Grad[], parts: readonly Tensor[]): Tensor[] {
  return parts.map((p, i) => grads[i] ?? zeros_(p.shape, p.dtype, p.device));
}

function partsOf(x: Tensor, d: number, sizes: Sizes): Tensor[] {
  let start = 0;
  return sizes.map((size) => {
    const view = part(x, d, start, size);
    start += size;
    return view;
  });
}

function splitViews(node: string, x: Tensor, d: number, sizes: Sizes): Tensor[] {
  const views = partsOf(x, d, sizes);
  return makeViews(node, x, views, (grads) => cat(filled(grads, views), d));
}

/** The parts as results of an op of their own, which in-place ops may write to: each counts its own versions. */
function unsafeParts(node: string, x: Tensor, d: number, sizes: Sizes): Tensor[] {
  const parts = partsOf(x, d, sizes);
  for (const p of parts) p._storage = x._storage.alias();
  record(node, [x], parts, () => (grads) => [cat(filled(grads, parts), d)]);
  return parts;
}

/** The lengths of parts of `size` slices each, the last one shorter. */
function equalSizes(x: Tensor, size: number, d: number): number[] {
  if (x.shape.length === 0) throw new RuntimeError('split expects at least a 1-dimensional tensor');
  if (size < 0)
    throw new RuntimeError(`split expects split_size be non-negative, but got split_size=${size}`);
  const total = x.shape[d];
  if (size === 0 && total !== 0)
    throw new RuntimeError(
      `split_size can only be 0 if dimension size is 0, but got dimension size of ${total}`,
    );
  const count = size === 0 ? 1 : Math.max(Math.ceil(total / size), 1);
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? size : total - size * (count - 1)));
}

function checkSizes(x: Tensor, sizes: Sizes, dim: number): number {
  if (x.shape.length === 0) throw new RuntimeError('split expects at least a 1-dimensional tensor');
  const d = wrapDim(dim, x.shape.length);
  if (sizes.some((s) => s < 0))
    throw new RuntimeError(
      `split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=[${sizes.join(', ')}]`,
    );
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[d])
    throw new RuntimeError(
      `split_with_sizes expects split_sizes to sum exactly to ${x.shape[d]} (input tensor's size at dimension ${dim}), but got split_sizes=[${sizes.join(', ')}]`,
    );
  return d;
}

/**
 * Views of consecutive parts: of `split_size` slices each (the last one shorter), or of the sizes in a list.
 *
 *     torch.arange(5).split(2).map(String).join(' ')
 *     // tensor([0, 1]) tensor([2, 3]) tensor([4])
 */
export const split: Op<[split_size_or_sections: number | Sizes, dim?: number], Tensor[]> = op(
  'split',
  'Tensor self, int[1] split_size, int dim=0',
  (x: Tensor, size: number | number[], dim: number) => {
    if (Array.isArray(size)) return split_with_sizes(x, size, dim);
    const d = wrapDim(dim, x.shape.length);
    return splitViews('SplitBackward0', x, d, equalSizes(x, size, d));
  },
);

/** Views of consecutive parts of the given sizes. */
export const split_with_sizes: Op<[split_sizes: Sizes, dim?: number], Tensor[]> = op(
  'split_with_sizes',
  'Tensor self, int[] split_sizes, int dim=0',
  (x: Tensor, sizes: number[], dim: number) =>
    splitViews('SplitWithSizesBackward0', x, checkSizes(x, sizes, dim), sizes),
);

/** {@link split}, whose results are no views for autograd: they may be written to, when they are the only user of the memory. */
export const unsafe_split: Op<[split_size: number, dim?: number], Tensor[]> = op(
  'unsafe_split',
  'Tensor self, int split_size, int dim=0',
  (x: Tensor, size: number, dim: number) => {
    const d = wrapDim(dim, x.shape.length);
    return unsafeParts('UnsafeSplitBackward0', x, d, equalSizes(x, size, d));
  },
);

/** {@link split_with_sizes}, whose results are no views for autograd. */
export const unsafe_split_with_sizes: Op<[split_sizes: Sizes, dim?: number], Tensor[]> = op(
  'unsafe_split_with_sizes',
  'Tensor self, int[] split_sizes, int dim=0',
  (x: Tensor, sizes: number[], dim: number) =>
    unsafeParts('UnsafeSplitWithSizesBackward0', x, checkSizes(x, sizes, dim), sizes),
);

/** The length of each part of a division into (at most) `chunks`; null when nothing is there to divide. */
function chunkSize(x: Tensor, chunks: number, dim: number): number {
  if (x.shape.length === 0) throw new RuntimeError('chunk expects at least a 1-dimensional tensor');
  if (chunks <= 0) throw new RuntimeError(`chunk expects \`chunks\` to be greater than 0, got: ${chunks}`);
  return Math.ceil(x.shape[wrapDim(dim, x.shape.length)] / chunks);
}

/**
 * At most `chunks` views of equal length along a dimension (the last one shorter).
 *
 *     torch.arange(4).chunk(2).length
 *     // 2
 */
export const chunk: Op<[chunks: number, dim?: number], Tensor[]> = op(
  'chunk',
  'Tensor self, int chunks, int dim=0',
  (x: Tensor, chunks: number, dim: number) => {
    const size = chunkSize(x, chunks, dim);
    // Of an empty dimension there are as many parts as asked for.
    return size === 0 ? split_with_sizes(x, new Array<number>(chunks).fill(0), dim) : split(x, size, dim);
  },
);

/** {@link chunk}, whose results are no views for autograd. */
export const unsafe_chunk: Op<[chunks: number, dim?: number], Tensor[]> = op(
  'unsafe_chunk',
  'Tensor self, int chunks, int dim=0',
  (x: Tensor, chunks: number, dim: number) => {
    const size = chunkSize(x, chunks, dim);
    return size === 0
      ? unsafe_split_with_sizes(x, new Array<number>(chunks).fill(0), dim)
      : unsafe_split(x, size, dim);
  },
);

type Sections = number | Sizes | Tensor;

/** A number of sections or the places to cut at, from an int, a list, or an integer tensor. */
function sectionsOf(name: string, given: number | number[] | Tensor): number | number[] {
  if (typeof given === 'number' || Array.isArray(given)) return given;
  if (!(given instanceof Tensor))
    throw new TypeError(
      `${name}(): argument 'indices_or_sections' (position 1) must be int, tuple of ints or Tensor, not ${typeName(given)}`,
    );
  if (given.dtype.name !== 'int64')
    throw new RuntimeError(
      `${name} expected tensor_indices_or_sections to have dtype of long, but got ${given.dtype.scalarName}`,
    );
  if (given.shape.length > 1)
    throw new RuntimeError(
      `${name} expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor with ${given.shape.length} dims`,
    );
  return given.shape.length === 0
    ? Number(given.item())
    : (given.tolist() as (number | bigint)[]).map(Number);
}

/** Views of a division into `sections` parts as equal as possible, or of the parts between the given indices. */
export const tensor_split: Op<[indices_or_sections: Sections, dim?: number], Tensor[]> = op(
  'tensor_split',
  'Tensor self, any indices_or_sections, int dim=0',
  (x: Tensor, given: number | number[] | Tensor, dim: number) =>
    tensorSplit(x, sectionsOf('tensor_split', given), dim),
);

function tensorSplit(x: Tensor, sections: number | readonly number[], dim: number): Tensor[] {
  if (x.shape.length === 0)
    throw new RuntimeError(
      'tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims',
    );
  const d = wrapDim(dim, x.shape.length);
  if (typeof sections !== 'number')
    return [...sections, null].map((end, i) => slice(x, d, i === 0 ? 0 : sections[i - 1], end));
  if (sections <= 0) throw new RuntimeError(`number of sections must be larger than 0, got ${sections}`);
  const base = Math.floor(x.shape[d] / sections);
  const longer = x.shape[d] % sections;
  let start = 0;
  return Array.from({ length: sections }, (_, i) => {
    const end = start + base + (i < longer ? 1 : 0);
    const view = slice(x, d, start, end);
    start = end;
    return view;
  });
}

type FixedSplit = Op<[indices_or_sections: number | Sizes], Tensor[]>;

/** hsplit, vsplit and dsplit: tensor_split along a fixed dimension, which a number of sections must divide. */
function fixedSplit(name: string, least: number, dimOf: (x: Tensor) => number): FixedSplit {
  return op(name, 'Tensor self, int[1] indices', (x: Tensor, sections: number | number[]) => {
    if (x.shape.length < least)
      throw new RuntimeError(
        `torch.${name} requires a tensor with at least ${least} dimension, but got a tensor with ${x.shape.length} dimensions!`,
      );
    const d = dimOf(x);
    if (typeof sections === 'number' && (sections <= 0 || x.shape[d] % sections !== 0))
      throw new RuntimeError(
        `torch.${name} attempted to split along dimension ${d}, but the size of the dimension ${x.shape[d]} is not divisible by the split_size ${sections}!`,
      );
    return tensorSplit(x, sections, d);
  });
}

/** Views of a division by columns (of a 1-d tensor: by elements). */
export const hsplit: FixedSplit = fixedSplit('hsplit', 1, (x) => (x.shape.length === 1 ? 0 : 1));
/** Views of a division by rows. */
export const vsplit: FixedSplit = fixedSplit('vsplit', 2, () => 0);
/** Views of a division along the third dimension. */
export const dsplit: FixedSplit = fixedSplit('dsplit', 3, () => 2);
