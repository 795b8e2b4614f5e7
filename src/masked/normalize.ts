// Masked softmax and its kin, and normalization.
import type { DType } from '../dtype.js';
import { div, neg } from '../ops/arithmetic.js';
import { op } from '../ops/define.js';
import { log_softmax as logSoftmax, softmax as softMax } from '../ops/softmax.js';
import type { Tensor } from '../tensor.js';
import { dimsOf, filled, type MaskedOptions } from './common.js';
import { atLeast, normOf } from './reduce.js';

/** A function over the elements of each line along `dim` that the mask leaves. */
export interface MaskedLines {
  (input: Tensor, dim: number, options?: MaskedOptions): Tensor;
  (input: Tensor, options: MaskedOptions & { dim: number }): Tensor;
}

function lines(
  name: string,
  compute: (x: Tensor, mask: Tensor | null, d: number, dtype: DType) => Tensor,
): MaskedLines {
  return op(
    `masked.${name}`,
    'Tensor input, int dim, *, dtype? dtype=None, Tensor? mask=None',
    (x: Tensor, dim: number, dtype: DType | null, mask: Tensor | null) =>
      compute(x, mask, dimsOf(dim, x.shape.length)[0], dtype ?? x.dtype),
    { self: null },
  );
}

/** Softmax along `dim`: 0 for what is masked out, NaN where nothing is left. */
export const softmax: MaskedLines = lines('softmax', (x, mask, d, dtype) =>
  softMax(filled('amax', x, mask, 'lowest'), d, { dtype }),
);
/** The logarithm of {@link softmax}. */
export const log_softmax: MaskedLines = lines('log_softmax', (x, mask, d, dtype) =>
  logSoftmax(filled('amax', x, mask, 'lowest'), d, { dtype }),
);
/** {@link softmax} of -x. */
export const softmin: MaskedLines = lines('softmin', (x, mask, d, dtype) =>
  softMax(neg(filled('amin', x, mask, 'highest')), d, { dtype }),
);

interface NormalizeOptions extends MaskedOptions {
  /** The least norm that is divided by. */
  eps?: number;
}
/** Divides lines along `dim` by their norms of order `ord`; 0 where masked out. */
export const normalize: {
  (input: Tensor, ord: number, dim: number, options?: NormalizeOptions): Tensor;
  (input: Tensor, options: NormalizeOptions & { ord: number; dim: number }): Tensor;
} = op(
  'masked.normalize',
  'Tensor input, float ord, int dim, *, float eps=1e-12, dtype? dtype=None, Tensor? mask=None',
  (x: Tensor, ord: number, dim: number, eps: number, dtype: DType | null, mask: Tensor | null) => {
    const size = normOf(x, ord, dimsOf(dim, x.shape.length), true, dtype ?? x.dtype, mask);
    return div(filled('sum', x, mask, 'zero'), atLeast(size, eps));
  },
  { self: null },
);
