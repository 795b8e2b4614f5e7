// What masked functions share: masks that fit, and what stands for the elements that are masked out.
import type { Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { bool, type DType, iinfo } from '../dtype.js';
import { IndexError, NotImplementedError, RuntimeError } from '../errors.js';
import { castTo } from '../ops/copy.js';
import { scalarOf } from '../ops/fill.js';
import { where } from '../ops/masks.js';
import { expand } from '../ops/view.js';
import type { Tensor } from '../tensor.js';

export type Dims = number | readonly number[] | null;

/** Options of every masked function. */
export interface MaskedOptions {
  dtype?: DType | null;
  /** Which elements count: bool, broadcast to the input. */
  mask?: Tensor | null;
}

/** The dimensions meant by `dim`, in ascending order: all of them for null and []. */
export function dimsOf(dim: Dims, ndim: number): number[] {
  const named = dim === null ? [] : typeof dim === 'number' ? [dim] : dim;
  if (named.length === 0) return Array.from({ length: ndim }, (_, d) => d);
  const n = Math.max(ndim, 1);
  const dims: number[] = [];
  for (const d of named) {
    if (dims.includes(d)) throw new RuntimeError(`dim=${d} appears multiple times in the list of dims`);
    if (d >= n || d < -n)
      throw new IndexError(
        `Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${d})`,
      );
    dims.push((d + n) % n);
  }
  return dims.sort((a, b) => a - b);
}

/** The mask as bool in the input's shape. @throws IndexError when it has more dimensions. */
export function fullMask(x: Tensor, mask: Tensor): Tensor {
  if (mask.shape.length > x.shape.length)
    throw new IndexError(
      '_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)',
    );
  return castTo(expand(mask, x.shape), bool);
}

/** What leaves each kind of function unchanged. */
export type Identity = 'zero' | 'one' | 'lowest' | 'highest' | 'nan';

function identityOf(name: string, kind: Identity, dtype: DType): Scalar {
  if (kind === 'zero') return 0;
  if (kind === 'one') return 1;
  if (kind === 'nan') return Number.NaN;
  if (dtype.is_floating_point) return kind === 'lowest' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (dtype.is_complex && name === 'logsumexp') return new Complex(Number.NEGATIVE_INFINITY, 0);
  if (dtype.is_complex || dtype === bool)
    throw new NotImplementedError(`identity of ${name} on ${dtype} input`);
  const { min, max } = iinfo(dtype);
  return kind === 'lowest' ? min : max;
}

/** x with the identity in the places that are masked out. */
export function filled(name: string, x: Tensor, mask: Tensor | null, kind: Identity): Tensor {
  if (mask === null) return x;
  const place = fullMask(x, mask);
  return where(place, x, scalarOf(identityOf(name, kind, x.dtype), x.device, x.dtype));
}
