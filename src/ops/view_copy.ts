// The *_copy functions: what a view shows, copied, with the view's derivative.
import { DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { copyView } from './copy.js';
import { type Out, op } from './define.js';
import { diagonal } from './diagonal.js';
import { unfold } from './shape.js';
import { split, split_with_sizes, unbind } from './split.js';
import {
  as_strided,
  expand,
  makeView,
  permute,
  select,
  slice,
  squeeze,
  t,
  transpose,
  unsqueeze,
  view,
  viewDtype,
} from './view.js';
import { view_as_complex, view_as_real } from './view_dtype.js';

type Shape = readonly number[];
type Copy<A extends readonly unknown[] = []> = (input: Tensor, ...args: [...A, options?: Out]) => Tensor;
type Copies<A extends readonly unknown[] = []> = (
  input: Tensor,
  ...args: [...A, options?: { out?: readonly Tensor[] }]
) => Tensor[];

/** Defines NAME_copy from a view: same parameters (and `out`, which is bound last), a fresh result. */
function copyOf<F>(name: string, schema: string, look: (...args: never[]) => Tensor): F {
  const show = look as (...args: readonly unknown[]) => Tensor;
  const run = (x: Tensor, ...args: readonly unknown[]): Tensor =>
    copyView(x, [show(x, ...args.slice(0, -1))])[0];
  return op(`${name}_copy`, `${schema}, *, Tensor? out=None`, run as (...args: never[]) => Tensor, {
    self: null,
  });
}

/** Defines NAME_copy from an op with several views. */
function copiesOf<F>(name: string, schema: string, look: (...args: never[]) => Tensor[]): F {
  const show = look as (...args: readonly unknown[]) => Tensor[];
  const run = (x: Tensor, ...args: readonly unknown[]): Tensor[] =>
    copyView(x, show(x, ...args.slice(0, -1)));
  return op(`${name}_copy`, `${schema}, *, Tensor[]? out=None`, run as (...args: never[]) => Tensor[], {
    self: null,
  });
}

const alias = (x: Tensor): Tensor => makeView('AliasBackward0', x, x.shape, x._strides, x._offset, (g) => g);

/** A copy. */
export const alias_copy: Copy = copyOf('alias', 'Tensor self', alias);
/** A copy outside the graph. */
export const detach_copy: Copy = copyOf('detach', 'Tensor self', (x: Tensor) => x.detach());
/** A copy of what `as_strided` shows. */
export const as_strided_copy: Copy<[size: Shape, stride: Shape, storage_offset?: number | null]> = copyOf(
  'as_strided',
  'Tensor self, int[] size, int[] stride, int? storage_offset=None',
  as_strided,
);
/** A copy of what `expand` shows. */
export const expand_copy: Copy<[size: Shape]> = copyOf(
  'expand',
  'Tensor self, int[] size',
  (x: Tensor, size: Shape) => expand(x, size),
);
/** A copy of what `permute` shows. */
export const permute_copy: Copy<[dims: Shape]> = copyOf(
  'permute',
  'Tensor self, int[] dims',
  (x: Tensor, dims: Shape) => permute(x, dims),
);
/** A copy of what `select` shows. */
export const select_copy: Copy<[dim: number, index: number]> = copyOf(
  'select',
  'Tensor self, int dim, int index',
  select,
);
/** A copy of the slices `start:end:step` of a dimension. */
export const slice_copy: Copy<[dim?: number, start?: number | null, end?: number | null, step?: number]> =
  copyOf('slice', 'Tensor self, int dim=0, int? start=None, int? end=None, int step=1', slice);
/** A copy of what `squeeze` shows. */
export const squeeze_copy: Copy<[dim?: number | Shape]> = copyOf(
  'squeeze',
  'Tensor self, int[1]? dim=None',
  squeeze,
);
/** A copy of what `t` shows. */
export const t_copy: Copy = copyOf('t', 'Tensor self', t);
/** A copy of what `transpose` shows. */
export const transpose_copy: Copy<[dim0: number, dim1: number]> = copyOf(
  'transpose',
  'Tensor self, int dim0, int dim1',
  transpose,
);
/** A copy of what `unfold` shows. */
export const unfold_copy: Copy<[dimension: number, size: number, step: number]> = copyOf(
  'unfold',
  'Tensor self, int dimension, int size, int step',
  unfold,
);
/** A copy of what `unsqueeze` shows. */
export const unsqueeze_copy: Copy<[dim: number]> = copyOf('unsqueeze', 'Tensor self, int dim', unsqueeze);
/** A copy with another shape, or of the bytes as another element type. */
export const view_copy: Copy<[size: Shape | DType]> = copyOf(
  'view',
  'Tensor self, any size',
  (x: Tensor, size: Shape | DType) => (size instanceof DType ? viewDtype(x, size) : view(x, size)),
);
/** A copy of what `diagonal` shows. */
export const diagonal_copy: Copy<[offset?: number, dim1?: number, dim2?: number]> = copyOf(
  'diagonal',
  'Tensor self, int offset=0, int dim1=0, int dim2=1',
  (x: Tensor, offset: number, a: number, b: number) => diagonal(x, offset, a, b),
);
/** A copy of a complex tensor as pairs of reals. */
export const view_as_real_copy: Copy = copyOf('view_as_real', 'Tensor self', view_as_real);
/** A copy of pairs of reals as a complex tensor. */
export const view_as_complex_copy: Copy = copyOf('view_as_complex', 'Tensor self', view_as_complex);
/** Copies of what `unbind` shows. */
export const unbind_copy: Copies<[dim?: number]> = copiesOf('unbind', 'Tensor self, int dim=0', unbind);
/** Copies of what `split` shows. */
export const split_copy: Copies<[split_size: number, dim?: number]> = copiesOf(
  'split',
  'Tensor self, int split_size, int dim=0',
  split,
);
/** Copies of what `split_with_sizes` shows. */
export const split_with_sizes_copy: Copies<[split_sizes: Shape, dim?: number]> = copiesOf(
  'split_with_sizes',
  'Tensor self, int[] split_sizes, int dim=0',
  split_with_sizes,
);
