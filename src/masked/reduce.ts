// Masked reductions and running sums.
import { type DType, float32, int64 } from '../dtype.js';
import { AssertionError, ValueError } from '../errors.js';
import { div, mul, sqrt, sub } from '../ops/arithmetic.js';
import { clamp_min } from '../ops/clamp.js';
import { isnan, maximum } from '../ops/compare.js';
import { conj } from '../ops/complex.js';
import { castTo } from '../ops/copy.js';
import { op } from '../ops/define.js';
import { logaddexp as logAddExp } from '../ops/exp.js';
import { full_, ones_ } from '../ops/fill.js';
import { vectorNorm } from '../ops/norms.js';
import { sum as sumOver } from '../ops/reduce.js';
import {
  any,
  amax as largest,
  amin as least,
  argmax as whereLargest,
  argmin as whereLeast,
} from '../ops/reduce_extreme.js';
import { nanmedian } from '../ops/reduce_order.js';
import { logsumexp as logSumExp, prod as productOver } from '../ops/reduce_stats.js';
import { cumprod as runningProduct, cumsum as runningSum } from '../ops/scan.js';
import { reshape } from '../ops/view.js';
import type { Tensor } from '../tensor.js';
import { type Dims, dimsOf, filled, fullMask, type Identity, type MaskedOptions } from './common.js';

interface ReduceOptions extends MaskedOptions {
  keepdim?: boolean | null;
}
/** A reduction over the elements that the mask leaves, along `dim` (all dimensions by default). */
export interface MaskedReduction {
  (input: Tensor, dim?: Dims, options?: ReduceOptions): Tensor;
  (input: Tensor, options: ReduceOptions & { dim?: Dims }): Tensor;
}

const plain = { self: null };
const OPTIONS = '*, bool? keepdim=False, dtype? dtype=None, Tensor? mask=None';

/** Sums and products of narrow integers are int64. */
const widened = (x: Tensor, dtype: DType | null): DType => dtype ?? (x.dtype.is_integral ? int64 : x.dtype);

function reduction(
  name: string,
  kind: Identity,
  compute: (x: Tensor, dims: number[], keepdim: boolean, dtype: DType | null) => Tensor,
): MaskedReduction {
  return op(
    `masked.${name}`,
    `Tensor input, int[1]? dim=None, ${OPTIONS}`,
    (x: Tensor, dim: Dims, keepdim: boolean | null, dtype: DType | null, mask: Tensor | null) =>
      compute(filled(name, x, mask, kind), dimsOf(dim, x.shape.length), keepdim ?? false, dtype),
    plain,
  );
}

const total = (x: Tensor, dims: number[], keepdim: boolean, dtype: DType | null): Tensor =>
  sumOver(x, dims, keepdim, { dtype: widened(x, dtype) });

/** The sum. Integers sum to int64. @throws IndexError for a mask of more dimensions than the input. */
export const sum: MaskedReduction = reduction('sum', 'zero', total);
/** The product. Integers multiply to int64. */
export const prod: MaskedReduction = reduction('prod', 'one', (x, dims, keepdim, dtype) =>
  dims.reduceRight((y, d) => productOver(y, d, keepdim), castTo(x, widened(x, dtype))),
);
/** The largest element; the lowest number there is where nothing is left. */
export const amax: MaskedReduction = reduction('amax', 'lowest', (x, dims, keepdim, dtype) =>
  castTo(largest(x, dims, keepdim), dtype ?? x.dtype),
);
/** The smallest element; the highest number there is where nothing is left. */
export const amin: MaskedReduction = reduction('amin', 'highest', (x, dims, keepdim, dtype) =>
  castTo(least(x, dims, keepdim), dtype ?? x.dtype),
);
/** `log(sum(exp(x)))`; -infinity where nothing is left. */
export const logsumexp: MaskedReduction = reduction('logsumexp', 'lowest', (x, dims, keepdim, dtype) =>
  castTo(logSumExp(x, dims, keepdim), dtype ?? x.dtype),
);

/** A position, along one dimension or in the flattened input. */
export interface MaskedPosition {
  (input: Tensor, dim?: number | null, options?: ReduceOptions): Tensor;
  (input: Tensor, options: ReduceOptions & { dim?: number | null }): Tensor;
}

function position(name: string, kind: Identity, find: typeof whereLargest): MaskedPosition {
  return op(
    `masked.${name}`,
    `Tensor input, int? dim=None, ${OPTIONS}`,
    (x: Tensor, dim: number | null, keepdim: boolean | null, dtype: DType | null, mask: Tensor | null) =>
      castTo(find(filled(name, x, mask, kind), dim, keepdim ?? false), dtype ?? x.dtype),
    plain,
  );
}
/** Where the largest element is, in the input's dtype. */
export const argmax: MaskedPosition = position('argmax', 'lowest', whereLargest);
/** Where the smallest element is, in the input's dtype. */
export const argmin: MaskedPosition = position('argmin', 'highest', whereLeast);

/** How many elements are left along dimensions: int64. */
function countOf(x: Tensor, dims: number[], keepdim: boolean, mask: Tensor | null): Tensor {
  return sumOver(mask ?? ones_(x.shape, int64, x.device), dims, keepdim);
}

const summed = (
  x: Tensor,
  dims: number[],
  keepdim: boolean,
  dtype: DType | null,
  mask: Tensor | null,
): Tensor => total(filled('sum', x, mask, 'zero'), dims, keepdim, dtype);

/** The mean; NaN where nothing is left. @throws ValueError for integers without a floating point `dtype`. */
export const mean: MaskedReduction = op(
  'masked.mean',
  `Tensor input, int[1]? dim=None, ${OPTIONS}`,
  (x: Tensor, dim: Dims, keepdim: boolean | null, dtype: DType | null, mask: Tensor | null) => {
    const type = dtype ?? x.dtype;
    if (type.is_integral)
      throw new ValueError(
        `mean(): Could not infer output dtype. ${dtype === null ? 'Input' : 'Optional'} dtype must be either a floating point or complex dtype. Got: ${type}`,
      );
    const dims = dimsOf(dim, x.shape.length);
    const place = mask === null ? null : fullMask(x, mask);
    return div(summed(x, dims, keepdim ?? false, type, place), countOf(x, dims, keepdim ?? false, place));
  },
  plain,
);

/** The lower median along `dim`; NaN where nothing is left. @throws ValueError where that would be an integer. */
export const median: MaskedPosition = op(
  'masked.median',
  `Tensor input, int dim=-1, ${OPTIONS}`,
  (x: Tensor, dim: number, keepdim: boolean | null, dtype: DType | null, mask: Tensor | null) => {
    const [d] = dimsOf(dim, x.shape.length);
    const numbers = x.dtype.is_floating_point ? x : castTo(x, float32);
    const { values } = nanmedian(filled('median', numbers, mask, 'nan'), d, keepdim ?? false);
    if (x.dtype.is_floating_point) return values;
    if (Number(any(isnan(values)).item()) !== 0)
      throw new ValueError('masked median expects no fully masked out rows if dtype is not floating point');
    return castTo(values, dtype ?? x.dtype);
  },
  plain,
);

/** A norm of what the mask leaves. */
export interface MaskedNorm {
  (input: Tensor, ord?: number, dim?: Dims, options?: ReduceOptions): Tensor;
  (input: Tensor, options: ReduceOptions & { ord?: number; dim?: Dims }): Tensor;
  (input: Tensor, ord: number, options: ReduceOptions & { dim?: Dims }): Tensor;
}
/** The vector norm of order `ord` along `dim`. */
export const norm: MaskedNorm = op(
  'masked.norm',
  `Tensor input, float? ord=2, int[1]? dim=None, ${OPTIONS}`,
  (
    x: Tensor,
    ord: number | null,
    dim: Dims,
    keepdim: boolean | null,
    dtype: DType | null,
    mask: Tensor | null,
  ) => normOf(x, ord ?? 2, dimsOf(dim, x.shape.length), keepdim ?? false, dtype, mask),
  plain,
);

/** @internal */
export function normOf(
  x: Tensor,
  ord: number,
  dims: number[],
  keepdim: boolean,
  dtype: DType | null,
  mask: Tensor | null,
): Tensor {
  const kind = ord === Number.NEGATIVE_INFINITY ? 'highest' : 'zero';
  const y = filled('norm', x, mask, kind);
  return vectorNorm(y, ord, dims.length === 0 ? null : dims, keepdim, dtype ?? x.dtype);
}

interface SpreadOptions extends ReduceOptions {
  unbiased?: boolean | null;
  correction?: number | null;
}
/** A variance or standard deviation of what the mask leaves. */
export interface MaskedSpread {
  (input: Tensor, dim?: Dims, unbiased?: boolean | null, options?: SpreadOptions): Tensor;
  (input: Tensor, options: SpreadOptions & { dim?: Dims }): Tensor;
  (input: Tensor, dim: Dims, options: SpreadOptions): Tensor;
}

function variance(
  x: Tensor,
  dims: number[],
  correction: number,
  keepdim: boolean,
  type: DType,
  mask: Tensor | null,
): Tensor {
  const compute = type.is_integral ? float32 : type;
  const middle = div(summed(x, dims, true, type, mask), countOf(x, dims, true, mask));
  const off = sub(x, middle);
  const squares = summed(mul(off, conj(off)), dims, keepdim, compute, mask);
  let count = reshape(countOf(x, dims, true, mask), squares.shape);
  if (correction !== 0) count = clamp_min(sub(castTo(count, compute.to_real()), correction), 0);
  return castTo(div(squares, count), type);
}

function spread(name: string, finish: (variance: Tensor) => Tensor): MaskedSpread {
  return op(
    `masked.${name}`,
    'Tensor input, int[1]? dim=None, bool? unbiased=None, *, float? correction=None, bool? keepdim=False, dtype? dtype=None, Tensor? mask=None',
    (
      x: Tensor,
      dim: Dims,
      unbiased: boolean | null,
      correction: number | null,
      keepdim: boolean | null,
      dtype: DType | null,
      mask: Tensor | null,
    ) => {
      if (unbiased !== null && correction !== null)
        throw new AssertionError('Only one of unbiased and correction may be given');
      const type = dtype ?? (x.dtype.is_integral ? float32 : x.dtype);
      const place = mask === null ? null : fullMask(x, mask);
      const by = correction ?? (unbiased === false ? 0 : 1);
      return finish(variance(x, dimsOf(dim, x.shape.length), by, keepdim ?? false, type, place));
    },
    plain,
  );
}
/** The variance, over n - `correction` (1 by default). */
export const masked_var: MaskedSpread = spread('var', (x) => x);
/** The standard deviation, as {@link masked_var}. */
export const std: MaskedSpread = spread('std', (x) => sqrt(x));

/** A running sum or product. */
export interface MaskedScan {
  (input: Tensor, dim: number, options?: MaskedOptions): Tensor;
  (input: Tensor, options: MaskedOptions & { dim: number }): Tensor;
}
function scan(name: string, kind: Identity, run: typeof runningSum): MaskedScan {
  return op(
    `masked.${name}`,
    'Tensor input, int dim, *, dtype? dtype=None, Tensor? mask=None',
    (x: Tensor, dim: number, dtype: DType | null, mask: Tensor | null) => {
      const [d] = dimsOf(dim, x.shape.length);
      const type = dtype ?? x.dtype;
      return castTo(run(filled(name, x, mask, kind), d, { dtype: type }), type);
    },
    plain,
  );
}
/** Sums of the elements up to each along `dim`, in the input's dtype. */
export const cumsum: MaskedScan = scan('cumsum', 'zero', runningSum);
/** Products of the elements up to each along `dim`, in the input's dtype. */
export const cumprod: MaskedScan = scan('cumprod', 'one', runningProduct);

/** `log(exp(input) + exp(other))`; what a mask leaves out counts as -infinity. */
export const logaddexp: (
  input: Tensor,
  other: Tensor,
  options?: { dtype?: DType | null; input_mask?: Tensor | null; other_mask?: Tensor | null },
) => Tensor = op(
  'masked.logaddexp',
  'Tensor input, Tensor other, *, dtype? dtype=None, Tensor? input_mask=None, Tensor? other_mask=None',
  (x: Tensor, y: Tensor, dtype: DType | null, input_mask: Tensor | null, other_mask: Tensor | null) =>
    castTo(
      logAddExp(filled('logaddexp', x, input_mask, 'lowest'), filled('logaddexp', y, other_mask, 'lowest')),
      dtype ?? x.dtype,
    ),
  plain,
);

/** @internal The larger of a norm and a small number. */
export const atLeast = (x: Tensor, eps: number): Tensor => maximum(x, full_([], eps, x.dtype, x.device));
