// Values on their way between threads: plain data as it is, tensors as their bytes.

import { cpu } from '../../device.js';
import { empty } from '../../dispatch/allocate.js';
import { isKeywords } from '../../dispatch/schema.js';
import { dtypes } from '../../dtype.js';
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

const isTensorWire = (x: object): x is TensorWire => MARK in x;

/** Encodes a value; buffers to hand over are added to `transfer`. */
export function encode(value: unknown, transfer: ArrayBuffer[] = []): Wire {
  if (value instanceof Tensor) {
    const buffer = value.detach().toTypedArray().buffer as ArrayBuffer;
    transfer.push(buffer);
    return { [MARK]: value.dtype.code, shape: value.shape, buffer } satisfies TensorWire;
  }
  if (Array.isArray(value)) return value.map((v) => encode(v, transfer));
  if (isKeywords(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, encode(v, transfer)]));
  return value;
}

/** The value again; tensors stand on the buffers that came. */
export function decode(value: Wire): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (!isKeywords(value)) return value;
  if (!isTensorWire(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, decode(v)]));
  const dtype = dtypes[value[MARK]];
  if (value.buffer.byteLength === 0) return empty(value.shape, dtype, cpu);
  return frombuffer(value.buffer, { dtype }).view(value.shape);
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
