// Shapes: reshaping, broadcasting, and reordering of dimensions, all as views over those of view.ts.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { int64 } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { pyTuple } from '../pyformat.js';
import { numelOf, type Tensor, wrapDim } from '../tensor.js';
import { conj } from './complex.js';
import { triu_indices } from './create.js';
import { type Op, op } from './define.js';
import { zeros_ } from './fill.js';
import { index_select } from './indexing.js';
import { atLeast, stack } from './join.js';
import { expand, inferShape, makeView, permute, reshape, transpose, view } from './view.js';

type Shape = readonly number[];

/** `view` with the shape of another tensor. */
export const view_as: Op<[other: Tensor], Tensor> = op(
  'view_as',
  'Tensor self, Tensor other',
  (x: Tensor, other: Tensor) => view(x, other.shape),
);
/** `reshape` to the shape of another tensor. */
export const reshape_as: Op<[other: Tensor], Tensor> = op(
  'reshape_as',
  'Tensor self, Tensor other',
  (x: Tensor, other: Tensor) => reshape(x, other.shape),
);
/** `expand` to the shape of another tensor. */
export const expand_as: Op<[other: Tensor], Tensor> = op(
  'expand_as',
  'Tensor self, Tensor other',
  (x: Tensor, other: Tensor) => expand(x, other.shape),
);
/** `expand` to a shape. */
export const broadcast_to: Op<[size: Shape], Tensor> = op(
  'broadcast_to',
  'Tensor self, int[] size',
  (x: Tensor, size: Shape) => expand(x, size),
);

type TensorList<R> = { (...tensors: readonly Tensor[]): R; (tensors: readonly Tensor[]): R };

/** The tensors expanded to their common shape; each as it is where it has that shape. */
export const broadcast_tensors: TensorList<Tensor[]> = op(
  'broadcast_tensors',
  'Tensor[]... tensors',
  (tensors: readonly Tensor[]) => {
    const shape = tensors.reduce<Shape>((s, x) => broadcastShapes(s, x.shape), []);
    return tensors.map((x) => expand(x, shape));
  },
);

/**
 * The shape that shapes (lists, or numbers for one dimension) broadcast to.
 * @throws RuntimeError when they do not.
 */
export function broadcast_shapes(...shapes: readonly (Shape | number)[]): number[] {
  const lists = shapes.map((s) => (typeof s === 'number' ? [s] : s));
  const ndim = Math.max(0, ...lists.map((s) => s.length));
  const out = new Array<number>(ndim).fill(1);
  lists.forEach((shape, at) => {
    for (let d = -1; d >= -shape.length; d--) {
      const size = shape[shape.length + d];
      if (size < 0) throw new ValueError('Attempting to broadcast a dimension with negative length!');
      if (size === 1 || size === out[ndim + d]) continue;
      if (out[ndim + d] !== 1)
        throw new RuntimeError(
          `Attempting to broadcast a dimension of length ${size} at ${d}! Mismatching argument at index ${at} had ${pyTuple(shape)}; but expected shape should be broadcastable to [${out.join(', ')}]`,
        );
      out[ndim + d] = size;
    }
  });
  return out;
}

/**
 * The dimensions from `start_dim` to `end_dim` as one: a view where the strides allow it, else a copy.
 *
 *     torch.zeros(2, 3, 4).flatten(1).shape.join()
 *     // 2,12
 */
export const flatten: Op<
  [start_dim?: number, end_dim?: number] | [options: { start_dim?: number; end_dim?: number }],
  Tensor
> = op('flatten', 'Tensor self, int start_dim=0, int end_dim=-1', (x: Tensor, start: number, end: number) => {
  const n = x.shape.length;
  const [from, to] = [wrapDim(start, n), wrapDim(end, n)];
  if (from > to) throw new RuntimeError('flatten() has invalid args: start_dim cannot come after end_dim');
  if (n === 0) return reshape(x, [1]);
  if (from === to) return x;
  return reshape(x, [
    ...x.shape.slice(0, from),
    numelOf(x.shape.slice(from, to + 1)),
    ...x.shape.slice(to + 1),
  ]);
});

/** A view in which one dimension is split into several, of which one may be -1. */
export const unflatten: Op<[dim: number, sizes: Shape], Tensor> = op(
  'unflatten',
  'Tensor self, int dim, int[] sizes',
  (x: Tensor, dim: number, sizes: Shape) => {
    const d = wrapDim(dim, x.shape.length);
    if (sizes.length === 0) throw new RuntimeError('unflatten: sizes must be non-empty');
    const known = numelOf(sizes.filter((s) => s !== -1));
    if (sizes.includes(-1) ? known === 0 || x.shape[d] % known !== 0 : known !== x.shape[d])
      throw new RuntimeError(
        `unflatten: Provided sizes [${sizes.join(', ')}] don't multiply up to the size of dim ${d} (${x.shape[d]}) in the input tensor`,
      );
    return view(x, [...x.shape.slice(0, d), ...inferShape(sizes, x.shape[d]), ...x.shape.slice(d + 1)]);
  },
);

/** All elements in row-major order, as one dimension: a view where the memory has that order, else a copy. */
export const ravel: Op<[], Tensor> = op('ravel', 'Tensor self', (x: Tensor) => view(x.contiguous(), [-1]));

type Dims = number | Shape;

/** A view with dimensions at other places, the rest in their order. */
export const movedim: Op<[source: Dims, destination: Dims], Tensor> = op(
  'movedim',
  'Tensor self, int[1] source, int[1] destination',
  (x: Tensor, source: Dims, destination: Dims) => {
    const lists = [source, destination].map((l) => (typeof l === 'number' ? [l] : l));
    const [from, to] = lists.map((l) => l.map((d) => wrapDim(d, x.shape.length)));
    if (from.length !== to.length)
      throw new RuntimeError(
        `movedim: Invalid source or destination dims: source ([${lists[0].join(', ')}] dims) should contain the same number of dims as destination ([${lists[1].join(', ')}] dims)`,
      );
    for (const [name, list, given] of [
      ['source', from, lists[0]],
      ['destination', to, lists[1]],
    ] as const)
      if (new Set(list).size !== list.length)
        throw new RuntimeError(`movedim: repeated dim in \`${name}\` ([${given.join(', ')}])`);
    if (x.shape.length === 0) return permute(x, []);
    const order = new Array<number>(x.shape.length).fill(-1);
    from.forEach((d, i) => {
      order[to[i]] = d;
    });
    const rest = x.shape.map((_, d) => d).filter((d) => !from.includes(d));
    let next = 0;
    return permute(
      x,
      order.map((d) => (d >= 0 ? d : rest[next++])),
    );
  },
);
/** Alias of {@link movedim}. */
export const moveaxis: typeof movedim = op(
  'moveaxis',
  'Tensor self, int[1] source, int[1] destination',
  (x: Tensor, source: Dims, destination: Dims) => movedim(x, source, destination),
);
/** Alias of `transpose`. */
export const swapaxes: Op<[axis0: number, axis1: number], Tensor> = op(
  'swapaxes',
  'Tensor self, int axis0, int axis1',
  (x: Tensor, a: number, b: number) => transpose(x, a, b),
);
/** Alias of `transpose`. */
export const swapdims: Op<[dim0: number, dim1: number], Tensor> = op(
  'swapdims',
  'Tensor self, int dim0, int dim1',
  (x: Tensor, a: number, b: number) => transpose(x, a, b),
);

/** The conjugate transpose of the last two dimensions. */
export const adjoint: Op<[], Tensor> = op('adjoint', 'Tensor self', (x: Tensor) => {
  if (x.shape.length === 1)
    throw new RuntimeError(
      `tensor.adjoint() is only supported on matrices or batches of matrices. Got ${x.shape.length}-D tensor.`,
    );
  return conj(x.shape.length === 0 ? transpose(x, 0, 0) : transpose(x, -2, -1));
});

/**
 * A view of all windows of `size` elements along a dimension, `step` apart: the window is the last dimension.
 *
 *     torch.arange(5).unfold(0, 3, 1)
 *     // tensor([[0, 1, 2],
 *     //         [1, 2, 3],
 *     //         [2, 3, 4]])
 */
export const unfold: Op<[dimension: number, size: number, step: number], Tensor> = op(
  'unfold',
  'Tensor self, int dimension, int size, int step',
  (x: Tensor, dim: number, size: number, step: number) => {
    const d = wrapDim(dim, x.shape.length);
    const total = x.shape.length === 0 ? 1 : x.shape[d];
    if (size < 0) throw new RuntimeError(`size is ${size} but must be >= 0`);
    if (size > total)
      throw new RuntimeError(`maximum size for tensor at dimension ${d} is ${total} but size is ${size}`);
    if (step <= 0) throw new RuntimeError(`step is ${step} but must be > 0`);
    const shape = [...x.shape, size];
    const strides = [...x._strides, x.shape.length === 0 ? 1 : x._strides[d]];
    if (x.shape.length > 0) {
      shape[d] = Math.floor((total - size) / step) + 1;
      strides[d] *= step;
    }
    const whole = x.shape;
    return makeView('UnfoldBackward0', x, shape, strides, x._offset, (grad) =>
      unfoldBackward(grad, whole, d, size, step),
    );
  },
);

/** @internal The gradient of unfold: every element sums those of the windows that show it. */
export function unfoldBackward(grad: Tensor, shape: Shape, d: number, size: number, step: number): Tensor {
  const out = zeros_(shape, grad.dtype, grad.device);
  if (out._numel > 0 && grad._numel > 0)
    backendOf(grad.device.type).launch('unfold_backward', out, grad, d, size, step);
  record('UnfoldBackwardBackward0', [grad], [out], () => ([g]) => [
    g === null ? null : unfold(g, d, size, step),
  ]);
  return out;
}

/** The sum over the dimensions that broadcasting would have added or grown. */
export const sum_to_size: Op<[...size: number[]] | [size: Shape], Tensor> = op(
  'sum_to_size',
  'Tensor self, int[]... size',
  (x: Tensor, size: Shape) => {
    const lead = x.shape.length - size.length;
    if (lead < 0 || size.some((n, d) => n !== 1 && n !== x.shape[lead + d]))
      throw new RuntimeError(
        `size {[${size.join(', ')}]} is not expandable to size {[${x.shape.join(', ')}]}.`,
      );
    if (size.length === 0) return x.sum();
    const dims = x.shape
      .map((_, d) => d)
      .filter((d) => d < lead || (size[d - lead] === 1 && x.shape[d] !== 1));
    const summed = dims.length > 0 ? x.sum(dims, true) : x;
    return lead > 0 ? view(summed, size) : summed;
  },
);

type AtLeast = {
  (tensor: Tensor): Tensor;
  (...tensors: readonly Tensor[]): Tensor[];
  (tensors: readonly Tensor[]): Tensor[];
};

function atLeastForm(n: 1 | 2 | 3): AtLeast {
  const name = `atleast_${n}d`;
  const many = op<(...tensors: readonly unknown[]) => Tensor[]>(
    name,
    'Tensor[]... tensors',
    (tensors: readonly Tensor[]) => tensors.map((x) => atLeast(x, n)),
  );
  return ((...args: readonly unknown[]) =>
    args.length === 1 && !Array.isArray(args[0]) ? many(...args)[0] : many(...args)) as AtLeast;
}

/** The tensor, or each of several, with at least one dimension. */
export const atleast_1d: AtLeast = atLeastForm(1);
/** The tensor, or each of several, with at least two dimensions: a vector becomes a row. */
export const atleast_2d: AtLeast = atLeastForm(2);
/** The tensor, or each of several, with at least three dimensions: [n] becomes [1, n, 1] and [m, n] [m, n, 1]. */
export const atleast_3d: AtLeast = atLeastForm(3);

interface Indexing {
  /** 'ij': the result's dimensions are in the order of the inputs; 'xy': the first two are swapped. */
  indexing?: 'ij' | 'xy';
}

/** Coordinates on a grid: each 1-d (or 0-d) tensor expanded along the dimensions of the others. */
export const meshgrid: {
  (...args: readonly (Tensor | Indexing)[]): Tensor[];
  (tensors: readonly Tensor[], options?: Indexing): Tensor[];
} = op(
  'meshgrid',
  'Tensor[]... tensors, *, str? indexing=None',
  (tensors: readonly Tensor[], indexing: string | null) => {
    if (tensors.length === 0) throw new RuntimeError('meshgrid expects a non-empty TensorList');
    if (indexing !== null && indexing !== 'ij' && indexing !== 'xy')
      throw new RuntimeError(
        `torch.meshgrid: indexing must be one of "xy" or "ij", but received: ${indexing}`,
      );
    for (const x of tensors) {
      if (x.shape.length > 1)
        throw new RuntimeError(
          `torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: [${x.shape.join(', ')}]`,
        );
      if (x.dtype !== tensors[0].dtype)
        throw new RuntimeError('meshgrid expects all tensors to have the same dtype');
      if (x.device.type !== tensors[0].device.type)
        throw new RuntimeError('meshgrid expects all tensors to have the same device');
    }
    const swap = indexing === 'xy' && tensors.length >= 2;
    const list = swap ? [tensors[1], tensors[0], ...tensors.slice(2)] : tensors;
    const shape = list.map((x) => x._numel);
    const grids = list.map((x, i) =>
      expand(
        view(
          x,
          shape.map((_, d) => (d === i ? -1 : 1)),
        ),
        shape,
      ),
    );
    return swap ? [grids[1], grids[0], ...grids.slice(2)] : grids;
  },
);

/** All combinations of one element of each 1-d tensor, as rows; of one tensor, the tensor. */
export const cartesian_prod: TensorList<Tensor> = op(
  'cartesian_prod',
  'Tensor[]... tensors',
  (tensors: readonly Tensor[]) => {
    for (const x of tensors)
      if (x.shape.length !== 1)
        throw new RuntimeError(`Expect a 1D vector, but got shape [${x.shape.join(', ')}]`);
    if (tensors.length === 1) return tensors[0];
    const grids = meshgrid(tensors, { indexing: 'ij' });
    return stack(
      grids.map((g) => flatten(g)),
      1,
    );
  },
);

/** All combinations of r elements of a 1-d tensor, in the order of their places, as rows. */
export const combinations: (
  input: Tensor,
  r?: number | { r?: number; with_replacement?: boolean },
  with_replacement?: boolean | { with_replacement?: boolean },
) => Tensor = op(
  'combinations',
  'Tensor self, int r=2, bool with_replacement=False',
  (x: Tensor, r: number, replace: boolean) => {
    if (x.shape.length !== 1)
      throw new RuntimeError(`Expect a 1D vector, but got shape [${x.shape.join(', ')}]`);
    if (r < 0) throw new RuntimeError(`Expect a non-negative number, but got ${r}`);
    if (r === 0) return empty([0], x.dtype, x.device);
    if (r === 2) {
      const pairs = triu_indices(x._numel, x._numel, replace ? 0 : 1, { device: x.device });
      return index_select(x, 0, flatten(transpose(pairs, 0, 1))).view([-1, 2]);
    }
    const rows: number[][] = [];
    const grow = (row: number[], from: number): void => {
      if (row.length === r) rows.push(row);
      else for (let i = from; i < x._numel; i++) grow([...row, i], replace ? i : i + 1);
    };
    grow([], 0);
    const columns = Array.from({ length: r }, (_, j) => {
      const index = empty([rows.length], int64, x.device);
      if (rows.length > 0)
        backendOf(x.device.type).write(
          index,
          BigInt64Array.from(rows, (row) => BigInt(row[j])),
        );
      return index_select(x, 0, index);
    });
    return stack(columns, 1);
  },
  { self: null },
);
