// The IDX format of the original MNIST files (http://yann.lecun.com/exdb/mnist): a big-endian header, then elements.
import { backendOf } from '../../backends/backend.js';
import { cpu } from '../../device.js';
import { empty } from '../../dispatch/allocate.js';
import { type DType, float32, float64, int8, int16, int32, uint8 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

const types: Readonly<Record<number, DType>> = {
  8: uint8,
  9: int8,
  11: int16,
  12: int32,
  13: float32,
  14: float64,
};

/**
 * Reads an IDX file's bytes as a tensor.
 * @throws RuntimeError when the header is not IDX, or the length does not match it.
 */
export function parseIdx(bytes: Uint8Array, name = 'IDX file'): Tensor {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 4 || header.getUint16(0) !== 0) throw new RuntimeError(`${name}: not an IDX file`);
  const dtype = types[header.getUint8(2)];
  const ndim = header.getUint8(3);
  if (dtype === undefined || ndim === 0 || bytes.byteLength < 4 + 4 * ndim)
    throw new RuntimeError(`${name}: not an IDX file`);
  const shape = Array.from({ length: ndim }, (_, d) => header.getUint32(4 + 4 * d));
  const start = 4 + 4 * ndim;
  const length = shape.reduce((n, size) => n * size, dtype.itemsize);
  if (bytes.byteLength - start !== length)
    throw new RuntimeError(
      `${name}: the header promises ${length} bytes of data, and there are ${bytes.byteLength - start}`,
    );
  const out = empty(shape, dtype, cpu);
  const data = bytes.subarray(start);
  backendOf('cpu').write(out, dtype.itemsize === 1 ? data : swapped(data, dtype.itemsize));
  return out;
}

/** Elements in the other byte order. */
function swapped(data: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += size)
    for (let b = 0; b < size; b++) out[i + b] = data[i + size - 1 - b];
  return out;
}
