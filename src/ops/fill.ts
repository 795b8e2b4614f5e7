// Constant tensors, without history: what formulas start from.
import { backendOf, type Scalar } from '../backends/backend.js';
import type { Device } from '../device.js';
import type { DType } from '../dtype.js';
import { Complex } from '../complex.js';
import { complex128, float64, int64 } from '../dtype.js';
import { empty } from '../dispatch/allocate.js';
import { Tensor } from '../tensor.js';

/** @internal A 0-d tensor of a plain value, in the widest type of its kind or the given one. */
export function scalarOf(value: Scalar, device: Device, dtype?: DType): Tensor {
  const type = typeof value === 'bigint' || typeof value === 'boolean' ? int64 : value instanceof Complex ? complex128 : float64;
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
  if (n > 0) backendOf(device.type).write(out, BigInt64Array.from({ length: n }, (_, i) => BigInt(i)));
  return out;
}
