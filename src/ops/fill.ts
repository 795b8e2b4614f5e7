// Constant tensors, without history: what formulas start from.
import { backendOf, type Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import type { Device } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import type { DType } from '../dtype.js';
import { bool, complex128, finfo, float64, int64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** @internal A 0-d tensor of a plain value, in the widest type of its kind or the given one. */
export function scalarOf(value: Scalar, device: Device, dtype?: DType): Tensor {
  const type =
    typeof value === 'bigint' || typeof value === 'boolean'
      ? int64
      : value instanceof Complex
        ? complex128
        : float64;
  const wide = empty([], type, device);
  const data =
    value instanceof Complex
      ? new Float64Array([value.re, value.im])
      : typeof value === 'number'
        ? new Float64Array([value])
        : new BigInt64Array([BigInt(value)]);
  const backend = backendOf(device.type);
  backend.write(wide, data);
  if (dtype === undefined || dtype === type) return wide;
  const out = empty([], dtype, device);
  backend.launch('copy', out, wide);
  return out;
}

/** @internal Overwrites every element, outside autograd and without counting a version. */
export function fillWith(x: Tensor, value: Scalar): Tensor {
  if (x._numel > 0) backendOf(x.device.type).launch('fill', x, scalarOf(value, x.device));
  return x;
}

/** C++ names of the element types in messages about values that do not fit. */
const cppNames: Readonly<Record<string, string>> = {
  uint8: 'uint8_t',
  int8: 'int8_t',
  int16: 'int16_t',
  int32: 'int',
  int64: 'int64_t',
  float16: 'c10::Half',
  bfloat16: 'c10::BFloat16',
  float32: 'float',
  float64: 'double',
  complex64: 'c10::complex<float>',
  complex128: 'c10::complex<double>',
};

/** Whether a number lies in the range of a real dtype; infinities and NaN fit floating types. */
function fits(value: number, dtype: DType): boolean {
  if (dtype === bool) return true;
  if (dtype.kind === 'integer') {
    const bits = 8 * dtype.itemsize - (dtype.is_signed ? 1 : 0);
    if (!Number.isInteger(value))
      return value >= (dtype.is_signed ? -(2 ** bits) : 0) && value <= 2 ** bits - 1;
    // Negative whole numbers wrap in unsigned types.
    return value >= (dtype.is_signed ? -(2 ** bits) : -(2 ** bits) + 1) && value < 2 ** bits;
  }
  return !Number.isFinite(value) || Math.abs(value) <= new finfo(dtype).max;
}

/**
 * @internal A value as it is stored in a dtype.
 * @throws RuntimeError when it does not fit, as PyTorch words it.
 */
export function checkedScalar(value: Scalar, dtype: DType): Scalar {
  if (typeof value === 'boolean') return value;
  const parts = value instanceof Complex ? [value.re, value.im] : [Number(value)];
  const real = dtype.to_real();
  const lost = parts.length === 2 && parts[1] !== 0 && !dtype.is_complex && dtype !== bool;
  if (lost || !parts.every((v) => fits(v, real)))
    throw new RuntimeError(`value cannot be converted to type ${cppNames[dtype.name]} without overflow`);
  if (value instanceof Complex)
    return dtype.is_complex ? value : dtype === bool ? value.re !== 0 || value.im !== 0 : value.re;
  return dtype.kind === 'integer' && typeof value === 'number' ? BigInt(Math.trunc(value)) : value;
}

/** @internal Like {@link fillWith}, for values that users give. */
export function fillChecked(x: Tensor, value: Scalar): Tensor {
  return fillWith(x, checkedScalar(value, x.dtype));
}

/** @internal */
export function full_(shape: readonly number[], value: Scalar, dtype: DType, device: Device): Tensor {
  return fillWith(empty(shape, dtype, device), value);
}

/** @internal */
export function zeros_(shape: readonly number[], dtype: DType, device: Device): Tensor {
  return full_(shape, 0, dtype, device);
}

/** @internal */
export function ones_(shape: readonly number[], dtype: DType, device: Device): Tensor {
  return full_(shape, 1, dtype, device);
}

/** @internal 0, 1, …, n - 1 as int64. */
export function arangeOf(n: number, device: Device): Tensor {
  const out = empty([n], int64, device);
  if (n > 0)
    backendOf(device.type).write(
      out,
      BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
    );
  return out;
}
