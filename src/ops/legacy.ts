// torch.Tensor and torch.FloatTensor as constructors: `new torch.Tensor(2, 3)`, `torch.IntTensor([1, 2])`.
import { cpu } from '../device.js';
import { alias, empty } from '../dispatch/allocate.js';
import { typeName } from '../dispatch/schema.js';
import {
  bfloat16,
  bool,
  complex64,
  complex128,
  type DType,
  float16,
  float32,
  float64,
  get_default_dtype,
  int8,
  int16,
  int32,
  int64,
  uint8,
} from '../dtype.js';
import { Storage } from '../storage.js';
import { Tensor as TensorClass } from '../tensor.js';
import { type TensorData, tensor } from './data.js';

/** What `new torch.Tensor(…)` takes: sizes (uninitialised memory), or data as one array. */
type LegacyArgs = [...size: number[]] | [data: TensorData];

/** PyTorch's legacy constructors: sizes give uninitialised memory, one array gives its data, a tensor an alias. */
function legacy(dtype: DType, args: readonly unknown[]): TensorClass {
  if (args.length === 0) return empty([0], dtype, cpu);
  const [first] = args;
  if (args.length === 1) {
    if (first instanceof TensorClass) {
      if (first.dtype !== dtype)
        throw new TypeError(`expected a tensor of type ${dtype.name} (got one of type ${first.dtype.name})`);
      return alias(first, first.shape, first._strides, first._offset);
    }
    if (Array.isArray(first) || ArrayBuffer.isView(first)) return tensor(first as TensorData, { dtype });
    if (typeof first === 'string') throw new TypeError("new(): invalid data type 'str'");
    if (!isSize(first)) throw new TypeError(`new(): data must be a sequence (got ${typeName(first)})`);
  }
  const wrong = args.findIndex((n) => !isSize(n));
  if (wrong >= 0)
    throw new TypeError(
      `new(): argument 'size' failed to unpack the object at pos ${wrong + 1} with error "type must be tuple of ints,but got ${typeName(args[wrong])}"`,
    );
  return empty(args.map(Number), dtype, cpu);
}

const isSize = (n: unknown): boolean =>
  typeof n === 'bigint' || (typeof n === 'number' && Number.isInteger(n));

/** The class of all tensors, which is also a constructor, with or without `new`. */
export interface TensorConstructor {
  new (...args: LegacyArgs): TensorClass;
  (...args: LegacyArgs): TensorClass;
  readonly prototype: TensorClass;
  [Symbol.hasInstance](value: unknown): value is TensorClass;
}

/**
 * The class of all tensors: `x instanceof torch.Tensor`. Called with sizes it makes an uninitialised tensor of the
 * default dtype, with an array a tensor of its data.
 */
export const Tensor: TensorConstructor = new Proxy(TensorClass, {
  apply: (_target, _self, args: unknown[]) => legacy(get_default_dtype(), args),
  construct(target, args: unknown[], newTarget) {
    // Subclasses in this library pass the parts of a tensor; others pass what users write.
    if (args[0] instanceof Storage) return Reflect.construct(target, args, newTarget) as object;
    const made = legacy(get_default_dtype(), args);
    return newTarget === Tensor
      ? made
      : Object.setPrototypeOf(made, (newTarget as { prototype: object }).prototype);
  },
}) as unknown as TensorConstructor;
export type Tensor = TensorClass;

Object.defineProperty(TensorClass.prototype, 'constructor', {
  value: Tensor,
  writable: true,
  configurable: true,
});

/** A constructor of one dtype, and the class of its tensors. */
export interface LegacyConstructor {
  new (...args: LegacyArgs): TensorClass;
  (...args: LegacyArgs): TensorClass;
  readonly dtype: DType;
  [Symbol.hasInstance](value: unknown): boolean;
}

function legacyConstructor(dtype: DType): LegacyConstructor {
  const make = function (...args: unknown[]): TensorClass {
    return legacy(dtype, args);
  };
  Object.defineProperty(make, 'dtype', { value: dtype });
  Object.defineProperty(make, 'name', { value: `${dtype.scalarName}Tensor` });
  Object.defineProperty(make, Symbol.hasInstance, {
    value: (x: unknown) => x instanceof TensorClass && x.dtype === dtype,
  });
  return make as unknown as LegacyConstructor;
}

/** A bool tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const BoolTensor: LegacyConstructor = legacyConstructor(bool);
/** A uint8 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const ByteTensor: LegacyConstructor = legacyConstructor(uint8);
/** A int8 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const CharTensor: LegacyConstructor = legacyConstructor(int8);
/** A int16 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const ShortTensor: LegacyConstructor = legacyConstructor(int16);
/** A int32 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const IntTensor: LegacyConstructor = legacyConstructor(int32);
/** A int64 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const LongTensor: LegacyConstructor = legacyConstructor(int64);
/** A float16 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const HalfTensor: LegacyConstructor = legacyConstructor(float16);
/** A bfloat16 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const BFloat16Tensor: LegacyConstructor = legacyConstructor(bfloat16);
/** A float32 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const FloatTensor: LegacyConstructor = legacyConstructor(float32);
/** A float64 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const DoubleTensor: LegacyConstructor = legacyConstructor(float64);
/** A complex64 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const ComplexFloatTensor: LegacyConstructor = legacyConstructor(complex64);
/** A complex128 tensor of the given sizes or data, on the CPU; `tensor` with a dtype is the newer way. */
export const ComplexDoubleTensor: LegacyConstructor = legacyConstructor(complex128);
