// Reductions of consecutive segments.
import { int32, int64 } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { wrapDim } from '../tensor.js';
import { add, div, mul } from './arithmetic.js';
import { choose } from './clamp.js';
import { ge, le } from './compare.js';
import { op } from './define.js';
import { full_ } from './fill.js';
import { stack } from './join.js';
import { sum } from './reduce.js';
import { amax, amin } from './reduce_extreme.js';
import { prod } from './reduce_stats.js';
import { narrow } from './split.js';
import { select } from './view.js';

type Reduce = 'sum' | 'mean' | 'max' | 'min' | 'prod';

/** What an empty segment gives, and what non-empty ones combine with only when it is given. */
const identities: Readonly<Record<Reduce, number>> = {
  sum: 0,
  mean: Number.NaN,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  prod: 1,
};

const reducers: Readonly<Record<Reduce, (part: Tensor, initial: number | null) => Tensor>> = {
  sum: (x, initial) => withInitial(sum(x, 0), initial),
  mean: (x, initial) => div(withInitial(sum(x, 0), initial), x.shape[0]),
  prod: (x, initial) => (initial === null ? prod(x, 0) : mul(prod(x, 0), initial)),
  max: (x, initial) => beyond(amax(x, 0), initial, ge),
  min: (x, initial) => beyond(amin(x, 0), initial, le),
};

const withInitial = (x: Tensor, initial: number | null): Tensor => (initial === null ? x : add(x, initial));
const beyond = (x: Tensor, initial: number | null, wins: typeof ge): Tensor =>
  initial === null ? x : choose(wins(x, initial), x, initial);

/** The reduced segments of x along its first dimension. */
function segments(x: Tensor, lengths: readonly number[], reduce: Reduce, initial: number | null): Tensor {
  let start = 0;
  const parts = lengths.map((length) => {
    const part = narrow(x, 0, start, length);
    start += length;
    if (length === 0) return full_(x.shape.slice(1), initial ?? identities[reduce], x.dtype, x.device);
    return reducers[reduce](part, initial);
  });
  return stack(parts, 0);
}

type Nested = number[] | Nested[];

/** Segments of every line of the dimensions before the reduced one. */
function nested(x: Tensor, lengths: Nested, reduce: Reduce, initial: number | null): Tensor {
  if (!Array.isArray(lengths[0])) return segments(x, lengths as number[], reduce, initial);
  return stack(
    (lengths as Nested[]).map((row, i) => nested(select(x, 0, i), row, reduce, initial)),
    0,
  );
}

const map = (rows: Nested, f: (row: number[]) => number[]): Nested =>
  Array.isArray(rows[0]) ? (rows as Nested[]).map((row) => map(row, f)) : f(rows as number[]);

function checkLengths(rows: Nested, size: number): void {
  map(rows, (row) => {
    if (row.some((n) => n < 0)) throw new RuntimeError('lengths contains negative value!');
    if (row.reduce((a, b) => a + b, 0) !== size)
      throw new RuntimeError(
        'segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe.',
      );
    return row;
  });
}

interface SegmentOptions {
  lengths?: Tensor | null;
  indices?: Tensor | null;
  offsets?: Tensor | null;
  axis?: number;
  unsafe?: boolean;
  initial?: number | null;
}

/**
 * Reduces consecutive segments of `data` along `axis`, whose `lengths` (or `offsets`, one more than segments) are given.
 * @param reduce 'sum', 'mean', 'max', 'min' or 'prod'.
 * @throws RuntimeError when the lengths do not add up.
 */
export const segment_reduce: (data: Tensor, reduce: Reduce, options: SegmentOptions) => Tensor = op(
  'segment_reduce',
  'Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None',
  (
    x: Tensor,
    reduce: Reduce,
    lengths: Tensor | null,
    indices: Tensor | null,
    offsets: Tensor | null,
    axis: number,
    unsafe: boolean,
    initial: number | null,
  ) => {
    const d = wrapDim(axis, x.shape.length);
    if (!Object.hasOwn(reducers, reduce))
      throw new RuntimeError(`reduce argument must be either sum, prod, mean, amax or amin, got ${reduce}`);
    if (indices !== null)
      throw new RuntimeError('segment_reduce(): indices based reduction is not supported yet.');
    const given = offsets ?? lengths;
    if (given === null)
      throw new RuntimeError('segment_reduce(): Either lengths or offsets must be defined.');
    if (given.dtype !== int64 && given.dtype !== int32)
      throw new NotImplementedError(
        `"_segment_reduce_${offsets ? 'offsets' : 'lengths'}_cpu_kernel1" not implemented for '${given.dtype.scalarName}'`,
      );
    if (given.shape.length !== d + 1)
      throw new RuntimeError('Expected axis to be the last dimension of lengths but got otherwise.');
    if (!x.dtype.is_floating_point)
      throw new NotImplementedError(`"_segment_reduce_cpu" not implemented for '${x.dtype.scalarName}'`);
    const rows = given.tolist() as Nested;
    const sizes = offsets ? map(rows, (row) => row.slice(1).map((end, i) => end - row[i])) : rows;
    if (!unsafe && !offsets) checkLengths(sizes, x.shape[d]);
    return nested(x, sizes, reduce, initial);
  },
);
