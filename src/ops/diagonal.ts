// Diagonals and triangles; and copies in which one view was replaced (`select_scatter` and its kin).
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { cpu } from '../device.js';
import { alias, empty, emptyLike } from '../dispatch/allocate.js';
import { resultType } from '../dispatch/promotion.js';
import { get_default_dtype } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { sameSizes, type Tensor, wrapDim } from '../tensor.js';
import { clone, copyInto, copyView } from './copy.js';
import { type Op, type Out, op } from './define.js';
import { zeros_ } from './fill.js';
import { atLeast, copyMany } from './join.js';
import { as_strided, makeView, select, slice } from './view.js';

type Shape = readonly number[];
type DiagonalArgs =
  | [offset?: number, dim1?: number, dim2?: number]
  | [options: { offset?: number; dim1?: number; dim2?: number }];

/**
 * A view of a diagonal of the planes of two dimensions, as the last dimension; offset above (positive) or below the main one.
 *
 *     torch.tensor([[1, 2], [3, 4]]).diagonal()
 *     // tensor([1., 4.])
 */
export const diagonal: Op<DiagonalArgs, Tensor> = op(
  'diagonal',
  'Tensor self, int offset=0, int dim1=0, int dim2=1',
  (x: Tensor, offset: number, dim1: number, dim2: number) => {
    const n = x.shape.length;
    const [a, b] = [wrapDim(dim1, n), wrapDim(dim2, n)];
    if (a === b) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
    const length = Math.max(
      offset >= 0 ? Math.min(x.shape[a], x.shape[b] - offset) : Math.min(x.shape[a] + offset, x.shape[b]),
      0,
    );
    const start = length === 0 ? 0 : offset >= 0 ? offset * x._strides[b] : -offset * x._strides[a];
    const rest = (list: Shape, last: number): number[] => [
      ...list.filter((_, d) => d !== a && d !== b),
      last,
    ];
    const whole = x.shape;
    return makeView(
      'DiagonalBackward0',
      x,
      rest(x.shape, length),
      rest(x._strides, x._strides[a] + x._strides[b]),
      x._offset + start,
      (grad) => {
        const full = zeros_(whole, grad.dtype, grad.device);
        diagonal(full, offset, a, b).copy_(grad);
        return full;
      },
    );
  },
);

/** The diagonal of a matrix, copied; of a vector, the matrix with that diagonal. */
export const diag: Op<[diagonal?: number, options?: Out] | [options: Out & { diagonal?: number }], Tensor> =
  op('diag', 'Tensor self, int diagonal=0, *, Tensor? out=None', (x: Tensor, offset: number) => {
    const n = x.shape.length;
    if (n !== 1 && n !== 2) throw new RuntimeError(`diag(): Supports 1D or 2D tensors. Got ${n}D`);
    return n === 1 ? diag_embed(x, offset) : copyView(x, [diagonal(x, offset)])[0];
  });

/** Matrices of zeros with the vectors of the last dimension on a diagonal; the two new dimensions are dim1 and dim2. */
export const diag_embed: Op<DiagonalArgs, Tensor> = op(
  'diag_embed',
  'Tensor self, int offset=0, int dim1=-2, int dim2=-1',
  (x: Tensor, offset: number, dim1: number, dim2: number) => {
    const n = x.shape.length + 1;
    const [a, b] = [wrapDim(dim1, n), wrapDim(dim2, n)];
    if (a === b) throw new RuntimeError(`diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
    const length = x.shape[x.shape.length - 1] + Math.abs(offset);
    const shape = x.shape.slice(0, -1);
    shape.splice(Math.min(a, b), 0, length);
    shape.splice(Math.max(a, b), 0, length);
    const out = zeros_(shape, x.dtype, x.device);
    copyInto(diagonal(out, offset, a, b), x);
    record('DiagEmbedBackward0', [x], [out], () => ([g]) => [g === null ? null : diagonal(g, offset, a, b)]);
    return out;
  },
);

/** The matrix with the elements of a tensor, flattened, on a diagonal. */
export const diagflat: Op<[offset?: number] | [options: { offset?: number }], Tensor> = op(
  'diagflat',
  'Tensor self, int offset=0',
  (x: Tensor, offset: number) => diag_embed(x.contiguous().view([-1]), offset),
);

type TriangleOp = Op<[diagonal?: number, options?: Out] | [options: Out & { diagonal?: number }], Tensor> & {
  readonly inPlace: true;
};

function triangle(name: 'tril' | 'triu', node: string): TriangleOp {
  const run = (x: Tensor, k: number): Tensor => {
    const out = emptyLike(x);
    if (out._numel > 0) backendOf(x.device.type).launch(name, out, x, k);
    record(node, [x], [out], () => ([g]) => [g === null ? null : run(g, k)]);
    return out;
  };
  return op(
    name,
    'Tensor self, int diagonal=0, *, Tensor? out=None',
    (x: Tensor, k: number) => {
      if (x.shape.length < 2) throw new RuntimeError(`${name}: input tensor must have at least 2 dimensions`);
      return run(x, k);
    },
    { inPlace: true },
  );
}

/**
 * The lower triangles of matrices, zeros above the given diagonal.
 *
 *     torch.tensor([[1, 2], [3, 4]]).tril()
 *     // tensor([[1., 0.],
 *     //         [3., 4.]])
 */
export const tril: TriangleOp = triangle('tril', 'TrilBackward0');
/**
 * The upper triangles of matrices, zeros below the given diagonal.
 *
 *     torch.tensor([[1, 2], [3, 4]]).triu()
 *     // tensor([[1., 2.],
 *     //         [0., 4.]])
 */
export const triu: TriangleOp = triangle('triu', 'TriuBackward0');

/** The matrices along the diagonal of a larger one; vectors are rows. */
export const block_diag: { (...tensors: readonly Tensor[]): Tensor; (tensors: readonly Tensor[]): Tensor } =
  op('block_diag', 'Tensor[]... tensors', (tensors: readonly Tensor[]) => {
    tensors.forEach((x, i) => {
      if (x.shape.length > 2)
        throw new RuntimeError(
          `torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ${i} has ${x.shape.length} dimensions`,
        );
      if (x.device.type !== tensors[0].device.type)
        throw new RuntimeError(
          `torch.block_diag: input tensors must all be on the same device. Input 0 is on device ${tensors[0].device} and input ${i} is on device ${x.device}.`,
        );
    });
    if (tensors.length === 0) return empty([1, 0], get_default_dtype(), cpu);
    const blocks = tensors.map((x) => atLeast(x.detach(), 2));
    const corners: [number, number][] = [[0, 0]];
    for (const { shape } of blocks)
      corners.push([corners[corners.length - 1][0] + shape[0], corners[corners.length - 1][1] + shape[1]]);
    const out = zeros_(corners[blocks.length], resultType(tensors), tensors[0].device);
    const place = (full: Tensor, i: number): Tensor =>
      slice(slice(full, 0, corners[i][0], corners[i + 1][0]), 1, corners[i][1], corners[i + 1][1]);
    copyMany(blocks.map((x, i) => [place(out, i), x] as const));
    record(
      'BlockDiagBackward0',
      tensors,
      [out],
      () =>
        ([g], needs) =>
          tensors.map((x, i) => (g === null || !needs(i) ? null : place(g, i).reshape(x.shape))),
    );
    return out;
  });

// ---------------------------------------------------------------------------------------
// Copies with one view replaced

function checkSlice(place: Tensor, src: Tensor): void {
  if (!sameSizes(place.shape, src.shape))
    throw new RuntimeError(
      `expected src to have a size equal to the slice of self. src size = [${src.shape.join(', ')}], slice size = [${place.shape.join(', ')}]`,
    );
}

/** A copy of x in which what `look` shows is `src`. */
function scattered(node: string, x: Tensor, src: Tensor, look: (full: Tensor) => Tensor): Tensor {
  const out = clone(x.detach());
  const place = look(out);
  checkSlice(place, src);
  copyInto(place, src);
  record(node, [x, src], [out], () => ([g], needs) => {
    if (g === null) return [null, null];
    const rest = needs(0) ? clone(g) : null;
    if (rest !== null) look(rest).copy_(zeros_([], g.dtype, g.device));
    return [rest, needs(1) ? look(g) : null];
  });
  return out;
}

/** A copy with a diagonal replaced by `src`. */
export const diagonal_scatter: Op<[src: Tensor, offset?: number, dim1?: number, dim2?: number], Tensor> = op(
  'diagonal_scatter',
  'Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1',
  (x: Tensor, src: Tensor, offset: number, dim1: number, dim2: number) =>
    scattered('DiagonalScatterBackward0', x, src, (full) => diagonal(full, offset, dim1, dim2)),
);

/** A copy with the slice at one index of a dimension replaced by `src`. */
export const select_scatter: Op<[src: Tensor, dim: number, index: number], Tensor> = op(
  'select_scatter',
  'Tensor self, Tensor src, int dim, int index',
  (x: Tensor, src: Tensor, dim: number, index: number) =>
    scattered('SelectScatterBackward0', x, src, (full) => select(full, dim, index)),
);

/** A copy with the slices `start:end:step` of a dimension replaced by `src`. */
export const slice_scatter: Op<
  [src: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number],
  Tensor
> = op(
  'slice_scatter',
  'Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1',
  (x: Tensor, src: Tensor, dim: number, start: number | null, end: number | null, step: number) =>
    scattered('SliceScatterBackward0', x, src, (full) => slice(full, dim, start, end, step)),
);

/** A copy of the whole storage, seen as x sees its own: places in the storage stay where they are. */
function cloneStorage(x: Tensor): Tensor {
  const count = Math.floor(x._storage.nbytes / x.dtype.itemsize);
  const all = clone(alias(x, [count], [1], 0));
  return alias(all, x.shape, x._strides, x._offset);
}

/** A copy with the elements that `as_strided` would show replaced by `src`. */
export const as_strided_scatter: Op<
  [src: Tensor, size: Shape, stride: Shape, storage_offset?: number | null],
  Tensor
> = op(
  'as_strided_scatter',
  'Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None',
  (x: Tensor, src: Tensor, size: Shape, stride: Shape, offset: number | null) => {
    const out = cloneStorage(x);
    const place = as_strided(out, size, stride, offset ?? undefined);
    checkSlice(place, src);
    copyInto(place, src);
    record('AsStridedScatterBackward0', [x, src], [out], () => ([g], needs) => {
      if (g === null) return [null, null];
      const shown = (full: Tensor): Tensor => as_strided(full, size, stride, offset ?? undefined);
      // PyTorch's formula gives x the gradient inside of the slice, where src replaced it, and zeros outside.
      const own = needs(0) ? zeros_(x.shape, g.dtype, g.device) : null;
      if (own !== null) shown(own).copy_(shown(g.contiguous()));
      return [own, needs(1) ? shown(g.contiguous()) : null];
    });
    return out;
  },
);
