// Tensors from nothing: empty, zeros, ones, full, eye, index grids; complex numbers from their parts.

import { record } from '../autograd/graph.js';
import { backendOf, type Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { cpu } from '../device.js';
import { emptyStrided, empty as emptyTensor } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { typeName } from '../dispatch/schema.js';
import {
  bool,
  complex64,
  complex128,
  type DType,
  float32,
  float64,
  get_default_dtype,
  int32,
  int64,
} from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { add, mul, sign, sub } from './arithmetic.js';
import { copyInto, type MemoryFormat, stridesFor } from './copy.js';
import {
  creator,
  type OutOptions,
  putNumbers,
  type SizeArgs,
  sizes,
  type Target,
  type TensorOptions,
} from './creation.js';
import { type Out, op } from './define.js';
import { fillChecked, fillWith, zeros_ } from './fill.js';
import { cos, sin } from './trig.js';
import { select } from './view.js';
import { view_as_real } from './view_dtype.js';

export type { OutOptions, RandomOptions, SizeArgs, TensorOptions } from './creation.js';

/** The memory layout of all tensors here. */
export const strided = 'torch.strided';

interface EmptyOptions extends OutOptions {
  memory_format?: MemoryFormat | null;
}

/** A tensor of uninitialised memory. */
export const empty: (...args: SizeArgs<EmptyOptions>) => Tensor = creator(
  'empty',
  'int[]... size, *, str? memory_format=None',
  (to: Target, size: number[], format: MemoryFormat | null) => {
    if (format === null || format === 'torch.contiguous_format') return to.empty(size);
    if (format === 'torch.preserve_format')
      throw new RuntimeError('unsupported memory format option Preserve');
    const shape = sizes(size);
    return emptyStrided(shape, stridesFor(shape, format), to.type(), to.device);
  },
);

/**
 * A tensor of zeros.
 *
 *     torch.zeros(2, 3)
 *     // tensor([[0., 0., 0.],
 *     //         [0., 0., 0.]])
 */
export const zeros: (...args: SizeArgs) => Tensor = creator(
  'zeros',
  'int[]... size',
  (to: Target, size: number[]) => {
    if (size.some((n) => Number(n) < 0))
      throw new RuntimeError('zeros: Dimension size must be non-negative.');
    return fillWith(to.empty(size), 0);
  },
);

/**
 * A tensor of ones.
 *
 *     torch.ones([2], { dtype: torch.int64 })
 *     // tensor([1, 1])
 */
export const ones: (...args: SizeArgs) => Tensor = creator(
  'ones',
  'int[]... size',
  (to: Target, size: number[]) => fillWith(to.empty(size), 1),
);

/** The dtype of a plain value as data: a number is a float. */
function dataType(value: unknown): DType {
  if (typeof value === 'bigint') return int64;
  if (typeof value === 'boolean') return bool;
  if (value instanceof Complex) return get_default_dtype().to_complex();
  if (typeof value === 'number') return get_default_dtype();
  throw new RuntimeError(`Could not infer dtype of ${typeName(value)}`);
}

const plain = (value: Scalar | Tensor): Scalar =>
  value instanceof Tensor ? (value.item() as Scalar) : value;

/**
 * A tensor filled with one value; the dtype follows the value (a number is a float) unless given.
 *
 *     torch.full([2], 0.5)
 *     // tensor([0.5000, 0.5000])
 */
export const full: (size: readonly number[], fill_value: Scalar, options?: OutOptions) => Tensor = creator(
  'full',
  'int[] size, Scalar fill_value',
  (to: Target, size: number[], value: Scalar | Tensor) =>
    fillChecked(to.empty(size, value instanceof Tensor ? value.dtype : dataType(value)), plain(value)),
);

/** Uninitialised memory with the given strides. */
export const empty_strided: (
  size: readonly number[],
  stride: readonly number[],
  options?: TensorOptions,
) => Tensor = creator(
  'empty_strided',
  'int[] size, int[] stride',
  (to: Target, size: number[], stride: number[]) => {
    if (size.length !== stride.length)
      throw new RuntimeError(
        `dimensionality of sizes (${size.length}) must match dimensionality of strides (${stride.length})`,
      );
    return emptyStrided(sizes(size), sizes(stride), to.type(), to.device);
  },
);

/** Uninitialised memory whose dimensions lie in memory in the given order, the first one outermost. */
export const empty_permuted: (
  size: readonly number[],
  physical_layout: readonly number[],
  options?: TensorOptions,
) => Tensor = creator(
  'empty_permuted',
  'int[] size, int[] physical_layout',
  (to: Target, size: number[], layout: number[]) => {
    const n = size.length;
    if (layout.length !== n)
      throw new RuntimeError(
        `Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = ${n} is not equal to len(physical_layout) = ${layout.length}`,
      );
    layout.forEach((d, i) => {
      if (d < 0 || d >= n)
        throw new RuntimeError(
          `Dimension out of range (expected to be between 0 and ${n - 1}, but got ${d} at index ${i}).  NB: negative dims not currently supported; file an issue if you want it.`,
        );
      if (layout.indexOf(d) !== i) throw new RuntimeError('Duplicate dim not allowed');
    });
    const strides = new Array<number>(n);
    let step = 1;
    for (const d of [...layout].reverse()) {
      strides[d] = step;
      step *= Math.max(size[d], 1);
    }
    return emptyStrided(sizes(size), strides, to.type(), to.device);
  },
);

/**
 * Ones on the diagonal, zeros elsewhere: n rows, m (default n) columns.
 *
 *     torch.eye(2)
 *     // tensor([[1., 0.],
 *     //         [0., 1.]])
 */
export const eye: {
  (n: number, options?: OutOptions): Tensor;
  (n: number, m: number, options?: OutOptions): Tensor;
} = creator('eye', 'int n, int? m=None', (to: Target, n: number, m: number | null) => {
  const columns = m ?? n;
  if (n < 0) throw new RuntimeError(`n must be greater or equal to 0, got ${n}`);
  if (columns < 0) throw new RuntimeError(`m must be greater or equal to 0, got ${columns}`);
  const out = fillWith(to.empty([n, columns]), 0);
  const length = Math.min(n, columns);
  if (length > 0)
    fillWith(out.detach().as_strided([length], [out._strides[0] + out._strides[1]], out._offset), 1);
  return out;
});

type IndexGrid = (row: number, col: number, offset?: number, options?: TensorOptions) => Tensor;

/** How many of the columns [0, col) come before the diagonal in each row of [0, row), summed up. */
function countBefore(row: number, col: number, offset: number): number {
  const first = Math.min(Math.max(-offset, 0), row); // rows before it have none
  const full = Math.min(Math.max(col - offset, first), row); // rows from it on have all
  const n = full - first;
  return n * (first + offset) + (n * (n - 1)) / 2 + (row - full) * col;
}

/** The indices of one triangle, row by row: 2 rows, one column for each element. */
function triangle(name: string, lower: boolean): IndexGrid {
  return creator(
    name,
    'int row, int col, int offset=0',
    (to: Target, row: number, col: number, offset: number) => {
      if (row < 0) throw new RuntimeError(`row must be non-negative, got${row}`);
      if (col < 0) throw new RuntimeError(`col must be non-negative, got${col}`);
      const type = to.type(int64);
      if (type !== int64 && type !== int32)
        throw new NotImplementedError(`"${name}" not implemented for '${type.scalarName}'`);
      const n = lower ? countBefore(row, col, offset + 1) : row * col - countBefore(row, col, offset);
      const out = to.empty([2, n], type);
      if (n === 0 || out.device.type === 'meta') return out;
      const pairs = type === int64 && out._contiguous ? out : emptyTensor([2, n], int64, cpu);
      const [rows, cols] = [select(pairs, 0, 0), select(pairs, 0, 1)];
      backendOf(pairs.device.type).launch('triangle_indices', rows, cols, row, col, offset, lower);
      return pairs === out ? out : out.copy_(pairs);
    },
  );
}

/** The indices of the lower triangle (on and below the diagonal `offset`) of a row × col matrix. */
export const tril_indices: IndexGrid = triangle('tril_indices', true);
/** The indices of the upper triangle (on and above the diagonal `offset`) of a row × col matrix. */
export const triu_indices: IndexGrid = triangle('triu_indices', false);

/** The complex dtype of two real parts. */
function partsType(a: Tensor, b: Tensor): DType {
  if (![float32, float64].includes(a.dtype) || ![float32, float64].includes(b.dtype))
    throw new RuntimeError(
      `Expected both inputs to be Half, Float or Double tensors but got ${a.dtype.scalarName} and ${b.dtype.scalarName}`,
    );
  if (a.dtype !== b.dtype)
    throw new RuntimeError(
      `Expected object of scalar type ${a.dtype.scalarName} but got scalar type ${b.dtype.scalarName} for second argument`,
    );
  return a.dtype === float64 ? complex128 : complex64;
}

type FromParts = (first: Tensor, second: Tensor, options?: Out) => Tensor;

function fromParts(
  name: string,
  combine: (first: Tensor, second: Tensor, dtype: DType) => Tensor,
): FromParts {
  return op(
    name,
    name === 'complex'
      ? 'Tensor real, Tensor imag, *, Tensor? out=None'
      : 'Tensor abs, Tensor angle, *, Tensor? out=None',
    (a: Tensor, b: Tensor, out: Tensor | null) => {
      const dtype = partsType(a, b);
      if (out === null) return combine(a, b, dtype);
      if (out.dtype !== dtype)
        throw new RuntimeError(
          `Expected object of scalar type ${dtype.scalarName} but got scalar type ${out.dtype.scalarName} for argument 'out'`,
        );
      const result = combine(a.detach(), b.detach(), dtype);
      return out.resize_([...result.shape]).copy_(result);
    },
    { ownOut: true, self: null },
  );
}

/** The real and the imaginary parts, by ops that have derivatives. */
const realPart = (x: Tensor): Tensor => (x.dtype.is_complex ? select(view_as_real(x), -1, 0) : x);
const imagPart = (x: Tensor): Tensor =>
  x.dtype.is_complex ? select(view_as_real(x), -1, 1) : zeros_(x.shape, x.dtype, x.device);

/** Complex numbers from real and imaginary parts, which broadcast. Differentiable. */
export const complex: FromParts = fromParts('complex', (real, imag, dtype) => {
  const shape = broadcastShapes(real.shape, imag.shape);
  const out = emptyTensor(shape, dtype, real.device);
  const parts = new Tensor(
    out._storage,
    [...shape, 2],
    [...out._strides.map((s) => 2 * s), 1],
    0,
    dtype.to_real(),
    2 * out._numel,
  );
  copyInto(parts.select(-1, 0), real.detach().expand([...shape]));
  copyInto(parts.select(-1, 1), imag.detach().expand([...shape]));
  record(
    'ComplexBackward0',
    [real, imag],
    [out],
    () =>
      ([g]) =>
        g === null ? [null, null] : [realPart(g), imagPart(g)],
  );
  return out;
});

/**
 * Complex numbers from absolute values and angles in radians, which broadcast. Differentiable; the gradient of the
 * absolute value is 0 where it is 0, as in PyTorch.
 */
export const polar: FromParts = fromParts('polar', (radius, angle, _dtype) => {
  const result = complex(
    mul(radius.detach(), cos(angle.detach())),
    mul(radius.detach(), sin(angle.detach())),
  );
  record('PolarBackward0', [radius, angle], [result], (save) => {
    const [r, a] = [save(radius), save(angle)];
    return ([g]) => {
      if (g === null) return [null, null];
      const [re, im] = [realPart(g), imagPart(g)];
      const [c, s] = [cos(a()), sin(a())];
      return [mul(sign(r()), add(mul(re, c), mul(im, s))), mul(r(), sub(mul(im, c), mul(re, s)))];
    };
  });
  return result;
});
