// Type promotion and broadcasting: PyTorch's rules, once, for every device.
import type { Operand, Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import {
  bool,
  complex128,
  type DType,
  float32,
  float64,
  get_default_dtype,
  int64,
  promote_types,
} from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { Tensor } from '../tensor.js';

/** The dtype of a plain value as data or operand: whole numbers act as Python ints. */
export function scalarType(value: Scalar): DType {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? int64 : get_default_dtype();
  if (typeof value === 'boolean') return bool;
  if (typeof value === 'bigint') return int64;
  if (value instanceof Complex) return get_default_dtype().to_complex();
  throw new TypeError(`unsupported operand type: ${typeof value}`);
}

const rank = { bool: 0, integer: 1, float: 2, complex: 3 } as const;

/** Combines a category's dtype with the next lower one's, which counts only through its category. */
function combine(high: DType | null, low: DType | null): DType | null {
  if (high === null) return low;
  if (low === null || rank[low.kind] <= rank[high.kind]) return high;
  // The lower-priority operand is of a higher category: it decides, keeping the precision of the other.
  return low.kind === 'complex' && high.kind === 'float' ? promote_types(high, low) : low;
}

const join = (a: DType | null, b: DType): DType => (a === null || a === b ? b : promote_types(a, b));

/** The dtype that an op over these operands computes in (`torch.result_type` of many). */
export function resultType(operands: readonly Operand[]): DType {
  let dims: DType | null = null;
  let zero: DType | null = null;
  let wrapped: DType | null = null;
  for (let i = 0; i < operands.length; i++) {
    const x = operands[i];
    if (!(x instanceof Tensor)) {
      let type = scalarType(x);
      if (type.kind === 'complex') type = get_default_dtype().to_complex();
      wrapped = join(wrapped, type);
    } else if (x.shape.length > 0) dims = join(dims, x.dtype);
    else zero = join(zero, x.dtype);
  }
  if (wrapped !== null && wrapped.kind === 'complex') {
    const real = dims ?? zero;
    if (real !== null && real.kind === 'float')
      wrapped = real === float64 ? complex128 : float32.to_complex();
  }
  return combine(combine(dims, zero), wrapped) ?? get_default_dtype();
}

/**
 * The shape that two shapes broadcast to.
 * @throws RuntimeError when a dimension differs and neither is 1.
 */
export function broadcastShapes(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a === b) return a;
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const skip = long.length - short.length;
  let out: number[] | null = null;
  // From the end, as PyTorch does: of several misfits the last is reported.
  for (let d = short.length - 1; d >= 0; d--) {
    const x = long[skip + d];
    const y = short[d];
    if (x === y || y === 1) continue;
    if (x !== 1) {
      const dim = skip + d;
      throw new RuntimeError(
        `The size of tensor a (${a[a.length - long.length + dim]}) must match the size of tensor b (${b[b.length - long.length + dim]}) at non-singleton dimension ${dim}`,
      );
    }
    out ??= long.slice();
    out[skip + d] = y;
  }
  return out ?? long;
}
