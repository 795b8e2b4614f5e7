// Places in sorted sequences, membership, counts of integers.

import { backendOf, type Operand } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { resultType } from '../dispatch/promotion.js';
import { typeName } from '../dispatch/schema.js';
import { bool, float32, float64, int32, int64 } from '../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { listText } from '../pyformat.js';
import { Tensor } from '../tensor.js';
import { take } from './advanced.js';
import { floor_divide, remainder } from './arithmetic.js';
import { clamp } from './clamp.js';
import { eq } from './compare.js';
import { castTo, contiguous } from './copy.js';
import { type Op, type Out, op, writeOut } from './define.js';
import { full_, scalarOf, zeros_ } from './fill.js';
import { logical_not } from './logic.js';
import { notDifferentiable } from './notdiff.js';
import { max, min } from './reduce_extreme.js';
import { sort } from './sort.js';

interface SearchOptions extends Out {
  out_int32?: boolean;
  right?: boolean;
}
type Sides = SearchOptions & { side?: 'left' | 'right' | null; sorter?: Tensor | null };

/** The values as a tensor, and whether they were a number. */
const valuesOf = (values: Operand, like: Tensor): Tensor =>
  values instanceof Tensor ? values : scalarOf(values, like.device);

function runSearch(
  sequence: Tensor,
  given: Operand,
  narrow: boolean,
  right: boolean,
  sorter: Tensor | null,
): Tensor {
  const type = resultType([sequence, given]);
  if (type.is_complex || type === bool)
    throw new NotImplementedError(`"searchsorted_out_cpu" not implemented for '${type.scalarName}'`);
  const values = castTo(valuesOf(given, sequence).detach(), type);
  const out = empty(values.shape, narrow ? int32 : int64, sequence.device);
  if (out._numel === 0) return out;
  const sorted = contiguous(castTo(sequence.detach(), type));
  const rest = sorter === null ? [null] : [[contiguous(sorter)] as const];
  backendOf(sequence.device.type).launch('searchsorted', out, sorted, values, right, ...rest);
  return out;
}

function checkSequence(sequence: Tensor, values: Operand, sorter: Tensor | null): void {
  const fail = (text: string): never => {
    throw new RuntimeError(`torch.searchsorted(): ${text}`);
  };
  const n = sequence.shape.length;
  const shape = values instanceof Tensor ? values.shape : [];
  if (shape.length === 0 && n !== 1)
    fail(
      n === 0
        ? 'boundaries tensor should have positive dimension, but got 0 dimension'
        : `input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(${n}) and input value's dim(0) numel(1)`,
    );
  if (n === 0) fail('boundaries tensor should have positive dimension, but got 0 dimension');
  const rows = n === shape.length && shape.slice(0, -1).every((size, d) => size === sequence.shape[d]);
  if (n !== 1 && !rows)
    fail(
      `boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor ${listText(sequence.shape)} and input value tensor ${listText(shape)}`,
    );
  if (sorter === null) return;
  if (listText(sorter.shape) !== listText(sequence.shape))
    fail(
      `boundary and sorter must have the same size, but got boundary tensor ${listText(sequence.shape)}and got sorter tensor ${listText(sorter.shape)}`,
    );
  if (sorter.dtype !== int64)
    fail(`sorter must be a tensor of long dtype but got dtype ${sorter.dtype.scalarName}`);
  if (
    sorter._numel > 0 &&
    (Number(min(sorter).item()) < 0 || Number(max(sorter).item()) >= sequence.shape[n - 1])
  )
    fail('sorter index out of range');
}

function checkOutType(out: Tensor | null, narrow: boolean): void {
  if (out !== null && out.dtype !== (narrow ? int32 : int64))
    throw new RuntimeError(
      `torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether out_int32 flag is True, but we got output tensor's dtype ${out.dtype.scalarName} and out_int32 flag is ${narrow ? 'True' : 'False'}`,
    );
}

/**
 * Where `values` (a tensor or a number) would be inserted to keep `sorted_sequence` (its last dimension) in order: before
 * equal elements, or behind them with `right: true` or `side: 'right'`. @param sorter order of an unsorted sequence.
 *
 *     torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([2, 5]))
 *     // tensor([1, 2])
 */
export const searchsorted: (sorted_sequence: Tensor, values: Operand, options?: Sides) => Tensor = op(
  'searchsorted',
  'Tensor sorted_sequence, Operand input, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None, Tensor? out=None',
  (
    sequence: Tensor,
    values: Operand,
    narrow: boolean,
    right: boolean,
    side: string | null,
    sorter: Tensor | null,
    out: Tensor | null,
  ) => {
    if (side !== null && side !== 'left' && side !== 'right')
      throw new RuntimeError(`torch.searchsorted(): side can only be 'left' or 'right' but got ${side}`);
    if (side === 'left' && right)
      throw new RuntimeError(
        "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True",
      );
    checkSequence(sequence, values, sorter);
    checkOutType(out, narrow);
    return into(out, runSearch(sequence, values, narrow, right || side === 'right', sorter));
  },
  { self: null, ownOut: true },
);

/** The result itself, or copied to `out`. */
const into = (out: Tensor | null, result: Tensor): Tensor =>
  out === null ? result : (writeOut('searchsorted', [], result, out, false) as Tensor);

/** Which interval of the ascending 1-d `boundaries` each element of `input` (a tensor or a number) lies in. */
export const bucketize: (input: Operand, boundaries: Tensor, options?: SearchOptions) => Tensor = op(
  'bucketize',
  'Operand input, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor? out=None',
  (input: Operand, boundaries: Tensor, narrow: boolean, right: boolean, out: Tensor | null) => {
    if (boundaries.shape.length !== 1)
      throw new RuntimeError(
        `boundaries tensor must be 1 dimension, but got dim(${boundaries.shape.length})`,
      );
    checkOutType(out, narrow);
    return into(out, runSearch(boundaries, input, narrow, right, null));
  },
  { self: null, ownOut: true },
);

/**
 * Whether each element of `elements` is among `test_elements`; one of both may be a number.
 * @param options.invert asks for those that are not; `assume_unique` is a hint.
 */
export const isin: (
  elements: Operand,
  test_elements: Operand,
  options?: Out & { assume_unique?: boolean; invert?: boolean },
) => Tensor = op(
  'isin',
  'Operand elements, Operand test_elements, *, bool assume_unique=False, bool invert=False, Tensor? out=None',
  (elements: Operand, tests: Operand, _unique: boolean, invert: boolean) => {
    const like = elements instanceof Tensor ? elements : tests;
    if (!(like instanceof Tensor))
      throw new TypeError(
        `isin() received an invalid combination of arguments - got (${typeName(elements)}, ${typeName(tests)})`,
      );
    for (const t of [elements, tests]) {
      const type = resultType([t]);
      if (type.is_complex || type === bool)
        throw new RuntimeError(`Unsupported input type encountered for isin(): ${type.scalarName}`);
    }
    const type = resultType([elements, tests]);
    const wanted = castTo(valuesOf(elements, like).detach(), type);
    const among = castTo(valuesOf(tests, like).detach(), type).reshape([-1]);
    if (among._numel === 0) return full_(wanted.shape, invert, bool, like.device);
    const sorted = sort(among).values;
    const place = clamp(runSearch(sorted, wanted, false, false, null), null, among._numel - 1);
    const found = eq(take(sorted, place), wanted);
    return invert ? logical_not(found) : found;
  },
  { self: null },
);

/**
 * How often each non-negative integer occurs; with `weights`, the sums of the weights. @param minlength least size.
 *
 *     torch.tensor([1n, 1n, 3n]).bincount()
 *     // tensor([0, 2, 0, 1])
 */
export const bincount: Op<
  | [weights?: Tensor | null, minlength?: number]
  | [options: { weights?: Tensor | null; minlength?: number }]
  | [weights: Tensor, options: { minlength?: number }],
  Tensor
> = op(
  'bincount',
  'Tensor self, Tensor? weights=None, int minlength=0',
  (x: Tensor, weights: Tensor | null, minlength: number) => {
    if (!x.dtype.is_integral || x.dtype === bool)
      throw new NotImplementedError(`"bincount_cpu" not implemented for '${x.dtype.scalarName}'`);
    if (minlength < 0) throw new RuntimeError('minlength should be >= 0');
    if (x.shape.length === 1 && x._numel === 0) return zeros_([minlength], int64, x.device);
    const negative = 'bincount only supports 1-d non-negative integral inputs.';
    if (x.shape.length !== 1 || Number(min(x).item()) < 0) throw new RuntimeError(negative);
    if (weights !== null && (weights.shape.length !== 1 || weights._numel !== x._numel))
      throw new RuntimeError('weights should be 1-d and have the same length as input');
    const size = Math.max(Number(max(x).item()) + 1, minlength);
    const values = castTo(x, int64);
    const backend = backendOf(x.device.type);
    if (weights === null) {
      const counts = empty([size], int64, x.device);
      backend.launch('bincount', counts, values, false);
      return counts;
    }
    const type = weights.dtype === float32 ? float32 : float64;
    const sums = empty([size], type, x.device);
    backend.launch('bincount', sums, values, true, castTo(weights.detach(), type));
    notDifferentiable('bincount', [weights], [sums]);
    return sums;
  },
);

/**
 * The coordinates of flat positions in a tensor of the given shape: one tensor per dimension.
 * @throws ValueError for negative sizes; TypeError for positions that are not integers.
 */
export const unravel_index: (indices: Tensor, shape: number | readonly number[]) => Tensor[] = op(
  'unravel_index',
  'Tensor indices, any shape',
  (indices: Tensor, shape: unknown) => {
    if (!indices.dtype.is_integral || indices.dtype === bool)
      throw new TypeError(`expected 'indices' to be integer dtype, but got ${String(indices.dtype)}`);
    const sizes = (Array.isArray(shape) ? shape : [shape]) as number[];
    for (const n of sizes)
      if (!Number.isInteger(n))
        throw new TypeError(
          `expected 'shape' sequence to only contain ints, but got <class '${typeName(n)}'>`,
        );
    if (sizes.some((n) => n < 0))
      throw new ValueError(`'shape' cannot have negative values, but got (${sizes.join(', ')})`);
    let below = 1;
    const out: Tensor[] = [];
    for (let d = sizes.length - 1; d >= 0; d--) {
      out.unshift(remainder(floor_divide(indices, below), sizes[d]));
      below *= sizes[d];
    }
    return out;
  },
  { self: null },
);
