// Values on their way between threads: plain data as it is, tensors as their bytes.

import { cpu } from '../../device.js';
import { empty } from '../../dispatch/allocate.js';
import { isKeywords } from '../../dispatch/schema.js';
import { DType, dtypes } from '../../dtype.js';
import { frombuffer } from '../../ops/data.js';
import { Tensor } from '../../tensor.js';

/** A value that postMessage can carry. */
export type Wire = unknown;

const MARK = '__typetorch_tensor__';

interface TensorWire {
  [MARK]: number;
  shape: readonly number[];
  buffer: ArrayBuffer;
}

/** How the instances of a class travel: as plain data, and back. */
export interface Traveller {
  readonly name: string;
  readonly owns: (value: unknown) => boolean;
  readonly pack: (value: never, encodeInner: (x: unknown) => Wire) => Wire;
  readonly unpack: (data: never, decodeInner: (x: Wire) => unknown) => unknown;
}

const travellers = new Map<string, Traveller>();
const CLASS = '__typetorch_class__';

/** Lets the instances of a class travel between threads. */
export function registerTraveller(traveller: Traveller): void {
  travellers.set(traveller.name, traveller);
}

registerTraveller({
  name: 'dtype',
  owns: (x) => x instanceof DType,
  pack: (x: DType) => x.code,
  unpack: (code: number) => dtypes[code],
});

const isTensorWire = (x: object): x is TensorWire => MARK in x;

/** Encodes a value; buffers to hand over are added to `transfer`. */
export function encode(value: unknown, transfer: ArrayBuffer[] = []): Wire {
  if (value instanceof Tensor) {
    const buffer = value.detach().toTypedArray().buffer as ArrayBuffer;
    transfer.push(buffer);
    return { [MARK]: value.dtype.code, shape: value.shape, buffer } satisfies TensorWire;
  }
  if (Array.isArray(value)) return value.map((v) => encode(v, transfer));
  if (typeof value === 'function' || (typeof value === 'object' && value !== null))
    for (const traveller of travellers.values())
      if (traveller.owns(value))
        return { [CLASS]: traveller.name, data: traveller.pack(value as never, (x) => encode(x, transfer)) };
  if (isKeywords(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, encode(v, transfer)]));
  return value;
}

/** The value again; tensors stand on the buffers that came. */
export function decode(value: Wire): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (!isKeywords(value)) return value;
  if (CLASS in value) {
    const traveller = travellers.get(String(value[CLASS]));
    if (!traveller)
      throw new TypeError(`a value of the class ${String(value[CLASS])} came from another thread`);
    return traveller.unpack(value.data as never, decode);
  }
  if (!isTensorWire(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, decode(v)]));
  const dtype = dtypes[value[MARK]];
  if (value.buffer.byteLength === 0) return empty(value.shape, dtype, cpu);
  return frombuffer(value.buffer, { dtype }).view(value.shape);
}

/** Can every field of a dataset be copied to another thread? */
export function canTravel(dataset: object): boolean {
  return Object.values(dataset).every(isPlain);
}

/** Is a value made of plain data, tensors and what {@link registerTraveller} knows? */
function isPlain(value: unknown): boolean {
  if (typeof value === 'symbol') return false;
  if (typeof value !== 'object' && typeof value !== 'function') return true;
  if (value === null || value instanceof Tensor || ArrayBuffer.isView(value)) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  for (const traveller of travellers.values())
    if (traveller.owns(value)) return typeof value !== 'function' || Object.values(value).every(isPlain);
  return isKeywords(value) && Object.values(value).every(isPlain);
}

/**
 * The fields of a dataset.
 * @throws TypeError when one cannot be copied to another thread.
 */
export function encodeState(dataset: object): Wire {
  const state: Record<string, Wire> = {};
  for (const [key, value] of Object.entries(dataset)) {
    const wire = encode(value);
    try {
      structuredClone(wire);
    } catch {
      throw new TypeError(
        `DataLoader: the field '${key}' of ${dataset.constructor.name} cannot be copied to a worker thread. Define it in the class (a method, or a constant of its module), or remove \`static module\` to read the samples in this thread.`,
      );
    }
    state[key] = wire;
  }
  return state;
}
