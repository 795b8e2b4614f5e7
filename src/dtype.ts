// Element types and PyTorch's promotion lattice.

/** The category decides promotion: bool < integer < float < complex. */
export type DTypeKind = 'bool' | 'integer' | 'float' | 'complex';

export type DTypeName =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128';

/** The typed array that holds a dtype's elements: raw bits for the half types, pairs for complex. */
export type DTypeArray =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

type ArrayConstructor = new (buffer: ArrayBufferLike, offset?: number, length?: number) => DTypeArray;

/** An element type, such as `torch.float32`. There is one object per type: compare with `===`. */
export class DType {
  /** @internal */
  constructor(
    readonly name: DTypeName,
    /** Index in {@link dtypes}; the same numbers as `enum class DType` in native/kernel.h. */
    readonly code: number,
    readonly kind: DTypeKind,
    /** Bytes per element. */
    readonly itemsize: number,
    readonly is_signed: boolean,
    /** @internal Holds the elements in JavaScript. */
    readonly array: ArrayConstructor,
    /** @internal Name of the C++ type in PyTorch's messages ("Float", "Long"). */
    readonly scalarName: string,
  ) {}

  get is_floating_point(): boolean {
    return this.kind === 'float';
  }
  get is_complex(): boolean {
    return this.kind === 'complex';
  }
  /** Bool and the integers. */
  get is_integral(): boolean {
    return this.kind === 'integer' || this.kind === 'bool';
  }
  toString(): string {
    return `torch.${this.name}`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
  /** The complex type with parts of this type (`float64` to `complex128`); itself when complex. */
  to_complex(): DType {
    return this.kind === 'complex' ? this : this === float64 ? complex128 : complex64;
  }
  /** The type of a complex type's parts; itself when real. */
  to_real(): DType {
    return this === complex128 ? float64 : this === complex64 ? float32 : this;
  }
}

export const bool = new DType('bool', 0, 'bool', 1, false, Uint8Array, 'Bool');
export const uint8 = new DType('uint8', 1, 'integer', 1, false, Uint8Array, 'Byte');
export const int8 = new DType('int8', 2, 'integer', 1, true, Int8Array, 'Char');
export const int16 = new DType('int16', 3, 'integer', 2, true, Int16Array, 'Short');
export const int32 = new DType('int32', 4, 'integer', 4, true, Int32Array, 'Int');
export const int64 = new DType('int64', 5, 'integer', 8, true, BigInt64Array, 'Long');
export const float16 = new DType('float16', 6, 'float', 2, true, Uint16Array, 'Half');
export const bfloat16 = new DType('bfloat16', 7, 'float', 2, true, Uint16Array, 'BFloat16');
export const float32 = new DType('float32', 8, 'float', 4, true, Float32Array, 'Float');
export const float64 = new DType('float64', 9, 'float', 8, true, Float64Array, 'Double');
export const complex64 = new DType('complex64', 10, 'complex', 8, true, Float32Array, 'ComplexFloat');
export const complex128 = new DType('complex128', 11, 'complex', 16, true, Float64Array, 'ComplexDouble');

export const half = float16;
export const float = float32;
export const double = float64;
export const cfloat = complex64;
export const cdouble = complex128;
export const short = int16;
export const int = int32;
export const long = int64;

/** Every dtype, by code. */
export const dtypes: readonly DType[] = [
  bool,
  uint8,
  int8,
  int16,
  int32,
  int64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
  complex128,
];

function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const [low, high] = a.code < b.code ? [a, b] : [b, a];
  if (high.kind === 'complex') return low === float64 ? complex128 : high;
  if (low === uint8 && high === int8) return int16;
  if (low === float16 && high === bfloat16) return float32;
  return high;
}

const table: readonly (readonly DType[])[] = dtypes.map((a) => dtypes.map((b) => promote(a, b)));

/** The smallest dtype that holds values of both (`torch.promote_types`). */
export function promote_types(type1: DType, type2: DType): DType {
  return table[type1.code][type2.code];
}

/** Whether PyTorch's promotion rules allow to store `from` values in a `to` tensor (`torch.can_cast`). */
export function can_cast(from_: DType, to: DType): boolean {
  const rank = { bool: 0, integer: 1, float: 2, complex: 3 };
  if (rank[from_.kind] > rank[to.kind]) return false;
  return true;
}

let defaultDtype = float32;

/** The dtype of floating point results without a dtype of their own. Initially float32. */
export function get_default_dtype(): DType {
  return defaultDtype;
}

/** Sets the default floating point dtype; complex results follow it. */
export function set_default_dtype(d: DType): void {
  if (!(d instanceof DType))
    throw new TypeError(`invalid dtype object: only floating-point types are supported as the default type`);
  if (!d.is_floating_point)
    throw new TypeError('only floating-point types are supported as the default type');
  defaultDtype = d;
}

/** Range and resolution of a floating point dtype. */
export class FInfo {
  readonly bits: number;
  readonly eps: number;
  readonly max: number;
  readonly min: number;
  readonly tiny: number;
  readonly smallest_normal: number;
  readonly resolution: number;
  readonly dtype: string;
  constructor(type: DType = defaultDtype) {
    if (type.is_integral)
      throw new TypeError(
        "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'",
      );
    const real = type.to_real();
    const [mantissa, exponent, digits] = (
      {
        float16: [10, 15, 3],
        bfloat16: [7, 127, 2],
        float32: [23, 127, 6],
        float64: [52, 1023, 15],
      } as Record<string, number[]>
    )[real.name];
    this.bits = real.itemsize * 8;
    this.eps = 2 ** -mantissa;
    this.max = (2 - 2 ** -mantissa) * 2 ** exponent;
    this.min = -this.max;
    this.tiny = this.smallest_normal = 2 ** (1 - exponent);
    this.resolution = 10 ** -digits;
    this.dtype = real.name;
  }
}

/** Range of an integer dtype; bounds of int64 are bigints. */
export class IInfo {
  readonly bits: number;
  readonly max: number | bigint;
  readonly min: number | bigint;
  readonly dtype: string;
  constructor(type: DType) {
    if (type === undefined) throw new TypeError('iinfo() missing 1 required positional arguments: "type"');
    if (type === bool) throw new TypeError('torch.bool is not supported by torch.iinfo');
    if (type.kind !== 'integer')
      throw new TypeError(
        "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'",
      );
    this.bits = type.itemsize * 8;
    if (type === int64) {
      this.max = 2n ** 63n - 1n;
      this.min = -(2n ** 63n);
    } else {
      const top = this.bits - (type.is_signed ? 1 : 0);
      this.max = 2 ** top - 1;
      this.min = type.is_signed ? -(2 ** top) : 0;
    }
    this.dtype = type.name;
  }
}

/** A class that may also be called without `new`, as in Python. */
function callable<A extends readonly unknown[], T extends object>(
  type: new (...args: A) => T,
): { new (...args: A): T; (...args: A): T } {
  return new Proxy(type, { apply: (target, _self, args) => Reflect.construct(target, args) as T }) as never;
}

/** `torch.finfo(dtype)`: range and resolution of a floating point dtype (the default one when none is given). */
export const finfo: { new (type?: DType): FInfo; (type?: DType): FInfo } = callable(FInfo);
/** `torch.iinfo(dtype)`: range of an integer dtype. */
export const iinfo: { new (type: DType): IInfo; (type: DType): IInfo } = callable(IInfo);

/** The type of `torch.float32` and its kin, under PyTorch's name. */
export type dtype = DType;
