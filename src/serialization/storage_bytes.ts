// The bytes of storages.
import { backendOf } from '../backends/backend.js';
import { uint8 } from '../dtype.js';
import { ValueError } from '../errors.js';
import type { Storage } from '../storage.js';
import { Tensor } from '../tensor.js';
import { PIECE } from './source.js';

function bytesAt(storage: Storage, at: number, length: number): Tensor {
  return new Tensor(storage, [length], [1], at, uint8, length, true);
}

/** A storage's bytes as a tensor. */
export function bytesAsTensor(storage: Storage): Tensor {
  return bytesAt(storage, 0, storage.nbytes);
}

/** Writes bytes into a storage at a position. @throws ValueError when they do not fit. */
export function writeBytes(storage: Storage, bytes: Uint8Array, at: number): void {
  if (at + bytes.length > storage.nbytes) throw new ValueError('bytes do not fit into the storage');
  backendOf(storage.device.type).write(bytesAt(storage, at, bytes.length), bytes);
}

/** Reads bytes of a storage from a position on. */
export function readBytes(storage: Storage, at: number, length: number): Uint8Array {
  const into = new Uint8Array(length);
  backendOf(storage.device.type).read(bytesAt(storage, at, length), into);
  return into;
}

/** The elements of a tensor in row-major order, as bytes in pieces. */
export function* elementBytes(x: Tensor): Iterable<Uint8Array> {
  const data = x.detach().cpu().contiguous();
  const first = data._offset * data.itemsize;
  for (let at = 0; at < data.nbytes; at += PIECE)
    yield readBytes(data._storage, first + at, Math.min(PIECE, data.nbytes - at));
}
