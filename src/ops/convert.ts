// Conversions by name: x.float(), x.long(), x.type(), x.type_as(y), x.cuda().
import { type DeviceLike, device as toDevice } from '../device.js';
import {
  bfloat16 as bfloat16Type,
  bool as boolType,
  complex64,
  complex128,
  DType,
  dtypes,
  float16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  uint8,
} from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { castTo, type MemoryFormat, preserve_format, to } from './copy.js';
import { method, type Op, op } from './define.js';

type Conversion = Op<[options?: { memory_format?: MemoryFormat | null }], Tensor>;

function conversion(name: string, dtype: DType): Conversion {
  return op(name, 'Tensor self, *, str? memory_format=None', (x: Tensor, format: MemoryFormat | null) =>
    castTo(x, dtype, false, format ?? preserve_format),
  );
}

/** The values as float32; the tensor itself when it is. */
export const float: Conversion = conversion('float', float32);
/** The values as float64; the tensor itself when it is. */
export const double: Conversion = conversion('double', float64);
/** The values as float16; the tensor itself when it is. */
export const half: Conversion = conversion('half', float16);
/** The values as bfloat16; the tensor itself when it is. */
export const bfloat16: Conversion = conversion('bfloat16', bfloat16Type);
/** The values as int32, truncated; the tensor itself when it is. */
export const int: Conversion = conversion('int', int32);
/** The values as int64, truncated; the tensor itself when it is. */
export const long: Conversion = conversion('long', int64);
/** The values as int16, truncated; the tensor itself when it is. */
export const short: Conversion = conversion('short', int16);
/** The values as int8, truncated; the tensor itself when it is. */
export const char: Conversion = conversion('char', int8);
/** The values as uint8, truncated; the tensor itself when it is. */
export const byte: Conversion = conversion('byte', uint8);
/** Which values are not zero; the tensor itself when it is bool. */
export const bool: Conversion = conversion('bool', boolType);
/** The values as complex64; the tensor itself when it is. */
export const cfloat: Conversion = conversion('cfloat', complex64);
/** The values as complex128; the tensor itself when it is. */
export const cdouble: Conversion = conversion('cdouble', complex128);

/** PyTorch's legacy name of a tensor type: 'torch.FloatTensor'. */
export const legacyName = (dtype: DType): string => `torch.${dtype.scalarName}Tensor`;

/** Its method's type stands in methods.ts: overloads do not survive the derivation. */
interface TypeFunction {
  (input: Tensor): string;
  (input: Tensor, dtype: DType | string | null, non_blocking?: boolean): Tensor;
}

/** The legacy name of the tensor's type ('torch.FloatTensor'), or the tensor converted to a dtype. */
export const type: TypeFunction = method('type', (x: Tensor, dtype?: DType | string | null) => {
  if (dtype === undefined || dtype === null) return legacyName(x.dtype);
  if (dtype instanceof DType) return castTo(x, dtype);
  if (typeof dtype !== 'string') throw new TypeError('dtype must be a type, str, or dtype object');
  const found =
    dtypes.find((t) => legacyName(t) === dtype || String(t) === dtype) ??
    (dtype === 'torch.Tensor' ? float32 : undefined);
  if (!found) throw new ValueError(`invalid type: '${dtype}'`);
  return castTo(x, found);
}) as never;

/** The tensor in the dtype and on the device of another one. */
export const type_as: Op<[other: Tensor], Tensor> = op(
  'type_as',
  'Tensor self, Tensor other',
  (x: Tensor, other: Tensor) => to(x, other),
);

/** The tensor in CPU memory. */
export const cpu: Conversion = op('cpu', 'Tensor self, *, str? memory_format=None', (x: Tensor) =>
  to(x, 'cpu'),
);

/** The tensor in the memory of a GPU. */
export const cuda: Op<[device?: DeviceLike | null, non_blocking?: boolean], Tensor> = op(
  'cuda',
  'Tensor self, device? device=None, bool non_blocking=False, *, str? memory_format=None',
  (x: Tensor, where: DeviceLike | null) => {
    const target = toDevice(where ?? 'cuda');
    if (target.type !== 'cuda') throw new RuntimeError(`Invalid device, must be cuda device`);
    return to(x, target);
  },
);

/** The tensor itself: memory here is never page-locked. */
export const pin_memory: Op<[device?: DeviceLike | null], Tensor> = op(
  'pin_memory',
  'Tensor self, device? device=None',
  (x: Tensor) => x,
);

/** Whether the memory is page-locked: never. */
export const is_pinned: Op<[device?: DeviceLike | null], boolean> = op(
  'is_pinned',
  'Tensor self, device? device=None',
  () => false,
) as Op<[device?: DeviceLike | null], boolean>;
