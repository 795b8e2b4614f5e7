// Views with another element type: complex numbers as pairs of reals and back, the bytes as another type.
import type { BaseGeometry } from '../autograd/graph.js';
import { complex64, complex128, type DType, float32, float64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { type Op, op, type Property, property } from './define.js';
import { as_strided, asStridedBackward, makeView, select } from './view.js';

type Shape = readonly number[];

/** A complex tensor as a real view with a last dimension of 2: real and imaginary parts. */
export const view_as_real: (input: Tensor) => Tensor = op(
  'view_as_real',
  'Tensor self',
  (x: Tensor) => {
    if (!x.dtype.is_complex) throw new RuntimeError('view_as_real is only supported for complex tensors');
    return makeView(
      'ViewAsRealBackward0',
      x,
      [...x.shape, 2],
      [...x._strides.map((s) => 2 * s), 1],
      2 * x._offset,
      (g) => view_as_complex(g.contiguous()),
      x.dtype.to_real(),
    );
  },
  { self: null },
);

/**
 * A real tensor whose last dimension of 2 holds real and imaginary parts, as a complex view.
 * @throws RuntimeError unless the pairs lie together in memory.
 */
export const view_as_complex: (input: Tensor) => Tensor = op(
  'view_as_complex',
  'Tensor self',
  (x: Tensor) => {
    const n = x.shape.length;
    if (x.dtype !== float32 && x.dtype !== float64)
      throw new RuntimeError(
        `view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: ${x.dtype.scalarName}`,
      );
    if (n === 0) throw new RuntimeError('Input tensor must have one or more dimensions');
    if (x.shape[n - 1] !== 2) throw new RuntimeError('Tensor must have a last dimension of size 2');
    if (x._strides[n - 1] !== 1) throw new RuntimeError('Tensor must have a last dimension with stride 1');
    const strides = x._strides.slice(0, -1);
    if (strides.some((s) => s % 2 !== 0))
      throw new RuntimeError('Tensor must have a stride divisible by 2 for all but last dimension');
    if (x._offset % 2 !== 0) throw new RuntimeError('Tensor must have a storage_offset divisible by 2');
    return makeView(
      'ViewAsComplexBackward0',
      x,
      x.shape.slice(0, -1),
      strides.map((s) => s / 2),
      x._offset / 2,
      view_as_real,
      x.dtype === float64 ? complex128 : complex64,
    );
  },
  { self: null },
);

/** A view of the real parts; real tensors as they are. */
export const real: Property<Tensor> = property('real', (x: Tensor) =>
  x.dtype.is_complex ? select(view_as_real(x), -1, 0) : x,
);

/**
 * A view of the imaginary parts.
 * @throws RuntimeError for real tensors.
 */
export const imag: Property<Tensor> = property('imag', (x: Tensor) => {
  if (!x.dtype.is_complex)
    throw new RuntimeError('imag is not implemented for tensors with non-complex dtypes.');
  return select(view_as_real(x), -1, 1);
});

/** The tensor itself: conjugation is computed at once here, never pending. */
export const resolve_conj: Op<[], Tensor> = op('resolve_conj', 'Tensor self', (x: Tensor) => x);
/** The tensor itself: negation is computed at once here, never pending. */
export const resolve_neg: Op<[], Tensor> = op('resolve_neg', 'Tensor self', (x: Tensor) => x);

/** @internal as_strided that may look at complex numbers as reals or the other way around; offsets count elements of `dtype`. */
export function asStridedOf(x: Tensor, shape: Shape, strides: Shape, offset: number, dtype: DType): Tensor {
  if (x.dtype.is_complex === dtype.is_complex) return as_strided(x, shape, strides, offset);
  if (x.dtype.is_complex) return as_strided(view_as_real(x), shape, strides, offset);
  return view_as_complex(as_strided(x, [...shape, 2], [...strides.map((s) => 2 * s), 1], 2 * offset));
}

/** @internal The gradient of {@link asStridedOf} for a base of the given geometry. */
export function asStridedOfBackward(
  grad: Tensor,
  base: BaseGeometry,
  shape: Shape,
  strides: Shape,
  offset: number,
): Tensor {
  if (grad.dtype.is_complex === base.dtype.is_complex)
    return asStridedBackward(grad, base, shape, strides, offset);
  if (base.dtype.is_complex) {
    const pairs = {
      ...base,
      shape: [...base.shape, 2],
      strides: [...base.strides.map((s) => 2 * s), 1],
      offset: 2 * base.offset,
    };
    return view_as_complex(asStridedBackward(grad, pairs, shape, strides, offset).contiguous());
  }
  return asStridedBackward(
    view_as_real(grad),
    base,
    [...shape, 2],
    [...strides.map((s) => 2 * s), 1],
    2 * offset,
  );
}
