// Tensors from data: tensor, as_tensor, asarray, frombuffer.
import { backendOf, type Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { cpu, type Device, type DeviceLike } from '../device.js';
import { empty as emptyTensor } from '../dispatch/allocate.js';
import { typeName } from '../dispatch/schema.js';
import {
  bool,
  complex128,
  type DType,
  float32,
  float64,
  get_default_dtype,
  int8,
  int16,
  int32,
  int64,
  promote_types,
  uint8,
} from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { contiguousStrides, Tensor } from '../tensor.js';
import { castTo, copyInto } from './copy.js';
import { creator, deviceOf, type OutOptions, type Target, type TensorOptions } from './creation.js';
import { fillChecked } from './fill.js';

/** Data that becomes a tensor: numbers are floats, bigints int64, booleans bool; arrays nest. */
export type TensorData = Scalar | Tensor | ArrayBufferView | readonly TensorData[];

/** The dtype of a plain value as data. */
function dataType(value: unknown): DType {
  if (typeof value === 'number') return get_default_dtype();
  if (typeof value === 'bigint') return int64;
  if (typeof value === 'boolean') return bool;
  if (value instanceof Complex) return get_default_dtype().to_complex();
  throw new RuntimeError(`Could not infer dtype of ${typeName(value)}`);
}

const arrayTypes: readonly (readonly [abstract new (...args: never[]) => ArrayBufferView, DType])[] = [
  [Float32Array, float32],
  [Float64Array, float64],
  [Int8Array, int8],
  [Uint8Array, uint8],
  [Uint8ClampedArray, uint8],
  [Int16Array, int16],
  [Int32Array, int32],
  [BigInt64Array, int64],
];

function fromArray(data: ArrayBufferView): Tensor {
  const entry = arrayTypes.find(([type]) => data instanceof type);
  if (!entry)
    throw new TypeError(
      `can't convert ${data.constructor.name} to a tensor: the supported types are: ${arrayTypes.map(([c]) => c.name).join(', ')}`,
    );
  const x = emptyTensor([data.byteLength / entry[1].itemsize], entry[1], cpu);
  backendOf('cpu').write(x, data);
  return x;
}

interface Gathered {
  shape: number[];
  leaves: (Scalar | Tensor)[];
}

/** Flattens nested arrays; every level must be as long as its neighbours. */
function gather(data: unknown, depth: number, into: Gathered): void {
  if (!Array.isArray(data)) {
    if (depth !== into.shape.length)
      throw new ValueError(
        `expected sequence of length ${into.shape[depth]} at dim ${depth} (got a single value)`,
      );
    into.leaves.push(data as Scalar);
    return;
  }
  if (depth >= into.shape.length)
    throw new TypeError('only one element tensors can be converted to Python scalars');
  if (data.length !== into.shape[depth])
    throw new ValueError(
      `expected sequence of length ${into.shape[depth]} at dim ${depth} (got ${data.length})`,
    );
  for (const item of data) gather(item, depth + 1, into);
}

/** Elements of a dtype from plain values, as a typed array of its raw form. */
export function encode(values: readonly Scalar[], dtype: DType): Tensor {
  const n = values.length;
  const wide = dtype.is_complex ? complex128 : dtype.is_integral ? int64 : float64;
  const x = emptyTensor([n], wide, cpu);
  const backend = backendOf('cpu');
  if (wide === int64)
    backend.write(
      x,
      BigInt64Array.from(values, (v) => integerOf(v, dtype)),
    );
  else if (wide === float64)
    backend.write(
      x,
      Float64Array.from(values, (v) => (v instanceof Complex ? failComplex() : Number(v))),
    );
  else
    backend.write(
      x,
      Float64Array.from({ length: 2 * n }, (_, i) => {
        const v = values[i >> 1];
        return v instanceof Complex ? (i & 1 ? v.im : v.re) : i & 1 ? 0 : Number(v);
      }),
    );
  return castTo(x, dtype);
}

function failComplex(): never {
  throw new TypeError("can't convert complex to float");
}

function integerOf(value: Scalar, dtype: DType): bigint {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value);
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof Complex) return failComplex();
  if (dtype === bool) return value === 0 ? 0n : 1n;
  if (Number.isNaN(value)) throw new ValueError('cannot convert float NaN to integer');
  if (!Number.isFinite(value))
    throw new RuntimeError(`value cannot be converted to type ${dtype.name} without overflow`);
  return BigInt(Math.trunc(value));
}

/**
 * A new tensor that copies data: a number (float), bigint (int64), boolean, typed array (its own dtype), tensor,
 * or nested arrays of these.
 *
 *     torch.tensor([[1, 2], [3, 4]])
 *     // tensor([[1., 2.],
 *     //         [3., 4.]])
 *     torch.tensor([1n, 2n])
 *     // tensor([1, 2])
 *
 * @throws ValueError when nested arrays have different lengths.
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  return leaf(
    moveTo(
      fromData(data, options.dtype ?? null),
      data instanceof Tensor && !options.device ? data.device : deviceOf(options.device),
    ),
    options,
  );
}

/** A finished result that autograd shall follow, or not. */
function leaf(x: Tensor, options: { requires_grad?: boolean }): Tensor {
  if (!options.requires_grad) return x;
  if (x.dtype.is_integral)
    throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients');
  return x.requires_grad_(true);
}

function moveTo(x: Tensor, device: Device): Tensor {
  return device.equals(x.device) ? x : x.detach().to(device);
}

function fromData(data: unknown, dtype: DType | null): Tensor {
  if (data instanceof Tensor) {
    const out = emptyTensor(data.shape, dtype ?? data.dtype, data.device);
    return copyInto(out, data);
  }
  if (ArrayBuffer.isView(data)) {
    const x = fromArray(data);
    return dtype === null ? x : castTo(x, dtype);
  }
  if (!Array.isArray(data)) return encode([scalarData(data)], dtype ?? dataType(data)).view([]);
  return fromNested(data, dtype);
}

function scalarData(data: unknown): Scalar {
  dataType(data);
  return data as Scalar;
}

function fromNested(data: readonly unknown[], dtype: DType | null): Tensor {
  const shape: number[] = [];
  let first: unknown = data;
  for (; Array.isArray(first); first = first[0]) {
    shape.push(first.length);
    if (first.length === 0) break;
  }
  if (first instanceof Tensor || ArrayBuffer.isView(first)) return stackLeaves(data, shape, dtype);
  const found: Gathered = { shape, leaves: [] };
  if (!shape.includes(0)) gather(data, 0, found);
  const leaves = found.leaves as Scalar[];
  let type = dtype;
  if (type === null) {
    for (const v of leaves) type = type === null ? dataType(v) : promote_types(type, dataType(v));
    type ??= get_default_dtype();
  }
  return encode(leaves, type).view(shape);
}

/** Nested arrays whose innermost items are tensors or typed arrays. */
function stackLeaves(data: readonly unknown[], outer: readonly number[], dtype: DType | null): Tensor {
  const flat = (data as unknown[]).flat(outer.length - 1);
  const parts = flat.map((item) => fromData(item, null));
  let type = parts[0].dtype;
  for (const p of parts) type = promote_types(type, p.dtype);
  for (const p of parts)
    if (p.shape.length > 0 && outer.length === 1 && String(p.shape) !== String(parts[0].shape))
      throw new ValueError('only one element tensors can be converted to Python scalars');
  const out = emptyTensor([...outer, ...parts[0].shape], dtype ?? type, cpu);
  const rows = out.view([parts.length, ...parts[0].shape]);
  for (let i = 0; i < parts.length; i++) copyInto(rows.select(0, i), parts[i]);
  return out;
}

/** A 1-d tensor over the bytes of a buffer, which stay shared with JavaScript. */
export function frombuffer(
  buffer: ArrayBufferLike | ArrayBufferView,
  options: { dtype: DType; count?: number; offset?: number; requires_grad?: boolean },
): Tensor {
  const { dtype, count = -1, offset = 0 } = options;
  for (const [name, value] of Object.entries({ count, offset }))
    if (!Number.isInteger(value))
      throw new TypeError(`frombuffer(): argument '${name}' must be int, not float`);
  const view = ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer);
  if (view.byteLength === 0)
    throw new ValueError(`both buffer length (0) and count (${count}) must not be 0`);
  if (offset < 0 || offset >= view.byteLength)
    throw new ValueError(
      `offset (${offset} bytes) must be non-negative and no greater than buffer length (${view.byteLength} bytes) minus 1`,
    );
  const available = view.byteLength - offset;
  if (count <= 0 && available % dtype.itemsize !== 0)
    throw new ValueError(
      `buffer length (${available} bytes) after offset (${offset} bytes) must be a multiple of element size (${dtype.itemsize})`,
    );
  const n = count > 0 ? count : available / dtype.itemsize;
  if (n * dtype.itemsize > available)
    throw new ValueError(
      `requested buffer length (${n} * ${dtype.itemsize} bytes) after offset (${offset} bytes) must not be greater than actual buffer length (${view.byteLength} bytes)`,
    );
  const start = view.byteOffset + offset;
  if (start % dtype.itemsize !== 0)
    return leaf(fromBytes(new Uint8Array(view.buffer, start, n * dtype.itemsize), dtype, n), options);
  const storage = backendOf('cpu').adopt(view.buffer);
  return leaf(
    new Tensor(storage, [n], contiguousStrides([n]), start / dtype.itemsize, dtype, n, true),
    options,
  );
}

function fromBytes(bytes: Uint8Array, dtype: DType, n: number): Tensor {
  const x = emptyTensor([n], dtype, cpu);
  backendOf('cpu').write(x, bytes);
  return x;
}

/** Shares the memory of the argument where it can: a tensor as it is, a typed array over its own buffer. */
function shared(data: TensorData, dtype: DType | null, device: Device | null): Tensor {
  if (data instanceof Tensor) return data.to(dtype, device);
  if (ArrayBuffer.isView(data) && (device === null || device.type === 'cpu')) {
    const x = from_numpy(data);
    return dtype === null ? x : castTo(x, dtype);
  }
  return tensor(data, { dtype, device });
}

/** A tensor of the data, which shares memory with a tensor or typed array of that dtype and device. */
export function as_tensor(
  data: TensorData,
  dtype?: DType | { dtype?: DType | null; device?: DeviceLike | null } | null,
  device?: DeviceLike | null,
): Tensor {
  const options =
    dtype === null || dtype === undefined || 'itemsize' in dtype
      ? { dtype: dtype as DType | null | undefined, device }
      : dtype;
  const where = options.device === undefined || options.device === null ? null : deviceOf(options.device);
  return shared(data, options.dtype ?? null, where);
}

/** Like `as_tensor`; `copy: true` always copies, `copy: false` throws where sharing is impossible. */
export function asarray(obj: TensorData, options: TensorOptions & { copy?: boolean | null } = {}): Tensor {
  const { copy = null } = options;
  const where = options.device === undefined || options.device === null ? null : deviceOf(options.device);
  const sharable = obj instanceof Tensor || ArrayBuffer.isView(obj);
  if (copy === true || !sharable) {
    if (copy === false) throw new ValueError("can't alias arbitrary sequence into a tensor.");
    return leaf(tensor(obj, { dtype: options.dtype, device: where }), options);
  }
  const x = shared(obj, options.dtype ?? null, where);
  if (copy === false && obj instanceof Tensor && x !== obj)
    throw new ValueError(
      `can't alias tensor ${where && !where.equals(obj.device) ? `from device '${obj.device}' to '${where}'` : `with dtype '${obj.dtype.scalarName}' into dtype '${x.dtype.scalarName}'`}.`,
    );
  return leaf(x, options);
}

/** A tensor over a typed array's own memory: writes to one show in the other. The place of PyTorch's `from_numpy`. */
export function from_numpy(data: ArrayBufferView): Tensor {
  const entry = arrayTypes.find(([type]) => data instanceof type);
  if (!entry) throw new TypeError(`expected a typed array (got ${typeName(data)})`);
  return data.byteLength === 0 ? emptyTensor([0], entry[1], cpu) : frombuffer(data, { dtype: entry[1] });
}

/** A 0-d tensor of a number; the default dtype unless given. */
export const scalar_tensor: (s: Scalar, options?: OutOptions) => Tensor = creator(
  'scalar_tensor',
  'Scalar s',
  (to: Target, value: Scalar) => fillChecked(to.empty([]), value),
);
