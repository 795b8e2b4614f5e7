// Random tensors for tests.
import type { DeviceLike } from '../device.js';
import { bool, type DType, finfo, iinfo, int64 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { clone, type MemoryFormat } from '../ops/copy.js';
import { empty, randint, view_as_real } from '../ops/table.js';
import { pyFloatRepr } from '../pyformat.js';
import type { Tensor } from '../tensor.js';

/** Options of {@link make_tensor}. */
export interface MakeTensorOptions {
  dtype: DType;
  device?: DeviceLike | null;
  /** The least value; -9 by default, 0 for bool. */
  low?: number | null;
  /** What values stay below; 9 by default, 10 for integers, 2 for bool. */
  high?: number | null;
  requires_grad?: boolean;
  /** Every second element along the last dimension of a larger tensor. */
  noncontiguous?: boolean;
  exclude_zero?: boolean;
  memory_format?: MemoryFormat | null;
}

/** The least value of a dtype, and where its values end. */
function rangeOf(dtype: DType): [number, number] {
  if (dtype === bool) return [0, 2];
  if (!dtype.is_integral) {
    const { min, max } = finfo(dtype.to_real());
    return [min, max];
  }
  const { min, max } = iinfo(dtype);
  return [Number(min), Number(max) + (dtype === int64 ? 0 : 1)];
}

function bounds(dtype: DType, low: number, high: number): [number, number] {
  if (Number.isNaN(low) || Number.isNaN(high))
    throw new ValueError(
      `\`low\` and \`high\` cannot be NaN, but got low=${pyFloatRepr(low)} and high=${pyFloatRepr(high)}`,
    );
  if (low >= high && (dtype.is_integral || low !== high))
    throw new ValueError(`\`low\` must be less than \`high\`, but got ${low} >= ${high}`);
  const [least, end] = rangeOf(dtype);
  if (high < least || low >= end)
    throw new ValueError(
      `The value interval specified by \`low\` and \`high\` is [${low}, ${high}), but ${dtype} only supports [${least}, ${end})`,
    );
  const inside = [low, high].map((x) => Math.min(Math.max(x, least), end));
  return (dtype.is_integral ? inside.map(Math.ceil) : inside) as [number, number];
}

/**
 * A tensor of random values in [low, high), drawn from the default generator.
 * @throws ValueError for bounds that the dtype does not have.
 */
export function make_tensor(shape: readonly number[] | number, options: MakeTensorOptions): Tensor {
  const { dtype, device = null, requires_grad = false, memory_format = null } = options;
  const size = typeof shape === 'number' ? [shape] : [...shape];
  if (options.noncontiguous && memory_format !== null)
    throw new ValueError(
      `The parameters \`noncontiguous\` and \`memory_format\` are mutually exclusive, but got noncontiguous=True and memory_format=${memory_format}`,
    );
  if (requires_grad && dtype.is_integral)
    throw new ValueError(
      `\`requires_grad=True\` is not supported for boolean and integral dtypes, but got dtype=${dtype}`,
    );
  const gaps = options.noncontiguous === true && size.reduce((a, b) => a * b, 1) > 1;
  const drawn = gaps ? [...size.slice(0, -1), 2 * size[size.length - 1]] : size;
  const [low, high] = bounds(
    dtype,
    options.low ?? (dtype === bool ? 0 : -9),
    options.high ?? (dtype === bool ? 2 : dtype.is_integral ? 10 : 9),
  );
  let result: Tensor;
  if (dtype.is_integral) result = randint(low, high, drawn, { dtype, device });
  else {
    result = empty(drawn, { dtype, device });
    const parts = dtype.is_complex ? view_as_real(result) : result;
    // uniform_ takes intervals that the dtype holds.
    if (high - low >= finfo(parts.dtype).max) parts.uniform_(low / 2, high / 2).mul_(2);
    else parts.uniform_(low, high);
  }
  if (gaps) result = result.at('...', '1::2');
  else if (memory_format !== null) result = clone(result, { memory_format });
  if (options.exclude_zero)
    result.masked_fill_(result.eq(0), dtype.is_integral ? 1 : finfo(dtype.to_real()).tiny);
  return requires_grad ? result.requires_grad_() : result;
}
