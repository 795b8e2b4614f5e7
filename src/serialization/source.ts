// Where bytes are read from and written to: arrays in memory here, files in file.node.ts.
import { RuntimeError } from '../errors.js';

/** Bytes that can be read at any position. */
export interface ByteSource {
  readonly size: number;
  /** @throws RuntimeError when the range does not lie inside. The result must not be written to. */
  read(at: number, length: number): Uint8Array;
  /** Fills an array with the bytes from a position on. @throws RuntimeError when there are fewer. */
  readInto(at: number, into: Uint8Array): void;
}

/** Takes bytes in order. */
export interface ByteSink {
  write(bytes: Uint8Array): unknown;
}

/** What is accepted as bytes in memory. */
export type Bytes = ArrayBufferLike | ArrayBufferView;

export function isBytes(x: unknown): x is Bytes {
  return (
    ArrayBuffer.isView(x) ||
    x instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer !== 'undefined' && x instanceof SharedArrayBuffer)
  );
}

/** The bytes of a buffer or view, without copying them. */
export function bytesOf(x: Bytes): Uint8Array {
  return ArrayBuffer.isView(x) ? new Uint8Array(x.buffer, x.byteOffset, x.byteLength) : new Uint8Array(x);
}

/** @throws RuntimeError unless `[at, at + length)` lies in `[0, size)`. */
export function checkRange(at: number, length: number, size: number): void {
  if (!(at >= 0 && length >= 0 && at + length <= size))
    throw new RuntimeError(`unexpected end of data: ${length} bytes at ${at} of ${size}`);
}

/** Bytes in memory as a source. */
export class MemorySource implements ByteSource {
  private readonly bytes: Uint8Array;
  constructor(data: Bytes) {
    this.bytes = bytesOf(data);
  }
  get size(): number {
    return this.bytes.length;
  }
  read(at: number, length: number): Uint8Array {
    checkRange(at, length, this.bytes.length);
    return this.bytes.subarray(at, at + length);
  }
  readInto(at: number, into: Uint8Array): void {
    into.set(this.read(at, into.length));
  }
}

/** Bytes are handed over in pieces of this size. */
export const PIECE: number = 1 << 22;

/** Hands a range of a source over in pieces, each in the same array. */
export function inPieces(
  source: ByteSource,
  start: number,
  length: number,
  use: (piece: Uint8Array, at: number) => void,
): void {
  const scratch = new Uint8Array(Math.min(PIECE, length));
  for (let at = 0; at < length; at += PIECE) {
    const piece = scratch.subarray(0, Math.min(PIECE, length - at));
    source.readInto(start + at, piece);
    use(piece, at);
  }
}

/** Collects what is written, as Python's `io.BytesIO`. */
export class BytesIO implements ByteSink {
  private parts: Uint8Array[] = [];
  private length = 0;
  constructor(initial?: Bytes) {
    if (initial !== undefined) this.write(bytesOf(initial));
  }
  write(bytes: Uint8Array): number {
    this.parts.push(bytes.slice());
    this.length += bytes.length;
    return bytes.length;
  }
  /** Everything that was written. */
  getvalue(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    this.parts = [all];
    return all;
  }
}

/** A view of bytes for reading numbers. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
