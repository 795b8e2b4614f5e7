// The zip container (PKWARE's APPNOTE 6.3), as PyTorch writes it: entries stored without compression, their data at
// multiples of 64 bytes, zip64 where sizes need it. Reading also takes deflated entries (npz).
//
// Written here because no library writes aligned entries; inflating is fflate's.
import { inflateSync } from 'fflate';
import { RuntimeError } from '../errors.js';
import { crc32 as portableCrc32 } from './crc32.js';
import { type ByteSink, type ByteSource, inPieces, viewOf } from './source.js';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const DESCRIPTOR = 0x08074b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const MAX32 = 0xffffffff;
/** Sizes follow the data, names are UTF-8: the flags that PyTorch's writer sets. */
const FLAGS = 0x0808;
/** Deflate cannot shrink more than this: a header that promises more is damaged. */
const MAX_RATIO = 1040;

type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** @internal The checksum in use: a runtime may put its native one here. */
export const checksum: { crc32: Crc32 } = { crc32: portableCrc32 };

/** One entry of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes of the content. */
  readonly size: number;
  readonly compressedSize: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc: number;
  /** Position of the local header. */
  readonly header: number;
}

const wholeNumber = (x: bigint): number => {
  if (x > BigInt(Number.MAX_SAFE_INTEGER)) throw new RuntimeError('zip archive: a size is out of range');
  return Number(x);
};

/** Reads an archive through its directory. Contents are checked against their CRC-32. */
export class ZipReader {
  readonly entries = new Map<string, ZipEntry>();

  /** @throws RuntimeError when the directory is missing or damaged. */
  constructor(private readonly source: ByteSource) {
    const end = this.findEnd();
    let at = 0;
    const bytes = source.read(end.start, end.size);
    const view = viewOf(bytes);
    for (let i = 0; i < end.count; i++) {
      if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL)
        throw new RuntimeError('failed reading zip archive: the central directory is damaged');
      const lengths = [28, 30, 32].map((o) => view.getUint16(at + o, true));
      const next = at + 46 + lengths[0] + lengths[1] + lengths[2];
      if (next > bytes.length)
        throw new RuntimeError('failed reading zip archive: the central directory is damaged');
      const entry = centralEntry(bytes.subarray(at, next), lengths[0], lengths[1]);
      this.entries.set(entry.name, entry);
      at = next;
    }
  }

  private findEnd(): { start: number; size: number; count: number } {
    const { source } = this;
    const tail = Math.min(source.size, 22 + 0xffff);
    const bytes = source.read(source.size - tail, tail);
    const view = viewOf(bytes);
    for (let at = tail - 22; at >= 0; at--) {
      if (view.getUint32(at, true) !== END || at + 22 + view.getUint16(at + 20, true) !== tail) continue;
      const position = source.size - tail + at;
      const found = {
        count: view.getUint16(at + 10, true),
        size: view.getUint32(at + 12, true),
        start: view.getUint32(at + 16, true),
      };
      return this.checkedEnd(this.end64(position) ?? found, position);
    }
    throw new RuntimeError('failed reading zip archive: failed finding central directory');
  }

  private end64(position: number): { start: number; size: number; count: number } | null {
    const { source } = this;
    if (position < 20) return null;
    const locator = viewOf(source.read(position - 20, 20));
    if (locator.getUint32(0, true) !== LOCATOR64) return null;
    const at = wholeNumber(locator.getBigUint64(8, true));
    if (at + 56 > position)
      throw new RuntimeError('failed reading zip archive: the zip64 directory is damaged');
    const view = viewOf(source.read(at, 56));
    if (view.getUint32(0, true) !== END64)
      throw new RuntimeError('failed reading zip archive: the zip64 directory is damaged');
    return {
      count: wholeNumber(view.getBigUint64(32, true)),
      size: wholeNumber(view.getBigUint64(40, true)),
      start: wholeNumber(view.getBigUint64(48, true)),
    };
  }

  private checkedEnd<T extends { start: number; size: number; count: number }>(end: T, limit: number): T {
    if (end.start + end.size > limit || end.count * 46 > end.size)
      throw new RuntimeError('failed reading zip archive: failed finding central directory');
    return end;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Where an entry's bytes begin. @throws RuntimeError when its local header is damaged. */
  dataOffset(entry: ZipEntry): number {
    if (entry.header + 30 > this.source.size)
      throw damaged(entry.name, 'invalid header or archive is corrupted');
    const view = viewOf(this.source.read(entry.header, 30));
    if (view.getUint32(0, true) !== LOCAL)
      throw damaged(entry.name, 'invalid header or archive is corrupted');
    const start = entry.header + 30 + view.getUint16(26, true) + view.getUint16(28, true);
    if (start + entry.compressedSize > this.source.size)
      throw damaged(entry.name, 'file read failed: the archive is truncated');
    return start;
  }

  /** The content of an entry. @throws RuntimeError when it is missing or damaged. */
  read(name: string): Uint8Array {
    const entry = this.entry(name);
    const raw = this.source.read(this.dataOffset(entry), entry.compressedSize);
    const content = entry.method === 0 ? raw : inflate(raw, entry);
    if (content.length !== entry.size) throw damaged(name, 'file read failed: sizes differ');
    if (checksum.crc32(content) !== entry.crc) throw damaged(name, 'CRC-32 check failed');
    return content;
  }

  /** Hands an entry's content over in pieces. @throws RuntimeError when it is missing or damaged. */
  stream(name: string, use: (piece: Uint8Array, at: number) => void): void {
    const entry = this.entry(name);
    if (entry.method !== 0) {
      use(this.read(name), 0);
      return;
    }
    let crc = 0;
    inPieces(this.source, this.dataOffset(entry), entry.size, (piece, at) => {
      crc = checksum.crc32(piece, crc);
      use(piece, at);
    });
    if (crc !== entry.crc) throw damaged(name, 'CRC-32 check failed');
  }

  private entry(name: string): ZipEntry {
    const entry = this.entries.get(name);
    if (entry === undefined) throw damaged(name, 'file not found in the archive');
    if (entry.method !== 0 && entry.method !== 8)
      throw damaged(name, `unsupported compression method ${entry.method}`);
    if (entry.method === 0 && entry.size !== entry.compressedSize)
      throw damaged(name, 'invalid header or archive is corrupted');
    return entry;
  }
}

function damaged(name: string, why: string): RuntimeError {
  return new RuntimeError(`PytorchStreamReader failed reading file ${name}: ${why}`);
}

function inflate(raw: Uint8Array, entry: ZipEntry): Uint8Array {
  if (entry.size > raw.length * MAX_RATIO)
    throw damaged(entry.name, 'invalid header or archive is corrupted');
  try {
    return inflateSync(raw, { out: new Uint8Array(entry.size) });
  } catch (error) {
    throw damaged(entry.name, `decompression failed: ${(error as Error).message}`);
  }
}

/** Reads one header of the directory. */
function centralEntry(bytes: Uint8Array, nameLength: number, extraLength: number): ZipEntry {
  const view = viewOf(bytes);
  let compressedSize = view.getUint32(20, true);
  let size = view.getUint32(24, true);
  let header = view.getUint32(42, true);
  const extraEnd = 46 + nameLength + extraLength;
  for (let at = 46 + nameLength; at + 4 <= extraEnd; ) {
    const id = view.getUint16(at, true);
    const next = at + 4 + view.getUint16(at + 2, true);
    let field = at + 4;
    const take = (): number => {
      if (field + 8 > Math.min(next, extraEnd))
        throw new RuntimeError('failed reading zip archive: a zip64 field is damaged');
      field += 8;
      return wholeNumber(view.getBigUint64(field - 8, true));
    };
    if (id === 1) {
      if (size === MAX32) size = take();
      if (compressedSize === MAX32) compressedSize = take();
      if (header === MAX32) header = take();
    }
    at = next;
  }
  return {
    name: new TextDecoder().decode(bytes.subarray(46, 46 + nameLength)),
    size,
    compressedSize,
    method: view.getUint16(10, true),
    crc: view.getUint32(16, true),
    header,
  };
}

/** Little-endian numbers in a row: `[bytes, value]` each. */
function record(fields: readonly (readonly [2 | 4 | 8, number])[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((n, [bytes]) => n + bytes, 0));
  const view = viewOf(out);
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return out;
}

/** Writes an archive of stored entries to a sink, front to back. */
export class ZipWriter {
  private at = 0;
  private readonly written: ZipEntry[] = [];

  /** @param alignment where the content of entries begins: a multiple of so many bytes. */
  constructor(
    private readonly sink: ByteSink,
    private readonly alignment = 64,
  ) {}

  private put(bytes: Uint8Array): void {
    this.sink.write(bytes);
    this.at += bytes.length;
  }

  /** Adds an entry whose content comes in pieces. */
  add(name: string, size: number, pieces: Iterable<Uint8Array>): void {
    const encoded = new TextEncoder().encode(name);
    const header = this.at;
    this.localHeader(encoded, size);
    let crc = 0;
    let count = 0;
    for (const piece of pieces) {
      crc = checksum.crc32(piece, crc);
      count += piece.length;
      this.put(piece);
    }
    if (count !== size) throw new RuntimeError(`zip entry ${name}: ${count} bytes came instead of ${size}`);
    const wide = size >= MAX32 || header >= MAX32 ? 8 : 4;
    if (size > 0)
      this.put(
        record([
          [4, DESCRIPTOR],
          [4, crc],
          [wide, size],
          [wide, size],
        ]),
      );
    this.written.push({ name, size, compressedSize: size, method: 0, crc, header });
  }

  private localHeader(name: Uint8Array, size: number): void {
    const zip64 = this.zip64(size, this.at);
    const start = this.at + 30 + name.length + zip64.length + 4;
    const padding = (this.alignment - (start % this.alignment)) % this.alignment;
    const wide = size >= MAX32;
    this.put(
      record([
        [4, LOCAL],
        [2, 0],
        [2, size > 0 ? FLAGS : FLAGS & ~8],
        [2, 0],
        [4, 0],
        [4, 0],
        [4, wide ? MAX32 : 0],
        [4, wide ? MAX32 : 0],
        [2, name.length],
        [2, zip64.length + 4 + padding],
      ]),
    );
    this.put(name);
    this.put(zip64);
    this.put(
      record([
        [2, 0x4246],
        [2, padding],
      ]),
    );
    this.put(new Uint8Array(padding).fill(0x5a));
  }

  /** The zip64 field of sizes and positions that 32 bits do not hold. */
  private zip64(size: number, header: number): Uint8Array {
    const fields: [8, number][] = [];
    if (size >= MAX32) fields.push([8, size], [8, size]);
    if (header >= MAX32) fields.push([8, header]);
    if (fields.length === 0) return new Uint8Array(0);
    return record([[2, 1], [2, 8 * fields.length], ...fields]);
  }

  /** The CRC-32 of every entry so far, by name. */
  checksums(): readonly (readonly [string, number])[] {
    return this.written.map((entry) => [entry.name, entry.crc] as const);
  }

  /** Writes the directory. */
  end(): void {
    const start = this.at;
    for (const entry of this.written) this.centralHeader(entry);
    const size = this.at - start;
    const count = this.written.length;
    const position = this.at;
    const capped = (x: number, limit: number): number => Math.min(x, limit);
    this.put(
      record([
        [4, END64],
        [8, 44],
        [2, 0x031e],
        [2, 45],
        [4, 0],
        [4, 0],
        [8, count],
        [8, count],
        [8, size],
        [8, start],
        [4, LOCATOR64],
        [4, 0],
        [8, position],
        [4, 1],
        [4, END],
        [2, 0],
        [2, 0],
        [2, capped(count, 0xffff)],
        [2, capped(count, 0xffff)],
        [4, capped(size, MAX32)],
        [4, capped(start, MAX32)],
        [2, 0],
      ]),
    );
  }

  private centralHeader({ name, size, crc, header }: ZipEntry): void {
    const encoded = new TextEncoder().encode(name);
    const zip64 = this.zip64(size, header);
    this.put(
      record([
        [4, CENTRAL],
        [2, 0],
        [2, 0],
        [2, size > 0 ? FLAGS : FLAGS & ~8],
        [2, 0],
        [4, 0],
        [4, crc],
        [4, Math.min(size, MAX32)],
        [4, Math.min(size, MAX32)],
        [2, encoded.length],
        [2, zip64.length],
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, Math.min(header, MAX32)],
      ]),
    );
    this.put(encoded);
    this.put(zip64);
  }
}
