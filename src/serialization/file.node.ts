// Files as byte sources, and files that are written whole or not at all.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { RuntimeError } from '../errors.js';
import { type ByteSink, type ByteSource, checkRange } from './source.js';
import { checksum } from './zip.js';

// Node's own CRC-32 (from 20.15 and 22.2 on) is several times faster.
const native = (zlib as { crc32?: (data: Uint8Array, seed?: number) => number }).crc32;
if (native) checksum.crc32 = (bytes, seed = 0) => native(bytes, seed);

const pathOf = (file: string | URL): string => (typeof file === 'string' ? file : fileURLToPath(file));

/** The name of a file without its folders. */
export const fileName = (file: string | URL): string => basename(pathOf(file));

class FileSource implements ByteSource {
  readonly size: number;
  constructor(private readonly descriptor: number) {
    this.size = fstatSync(descriptor).size;
  }
  read(at: number, length: number): Uint8Array {
    checkRange(at, length, this.size);
    const bytes = new Uint8Array(length);
    this.readInto(at, bytes);
    return bytes;
  }
  readInto(at: number, into: Uint8Array): void {
    checkRange(at, into.length, this.size);
    for (let done = 0; done < into.length; ) {
      const n = readSync(this.descriptor, into, done, into.length - done, at + done);
      if (n === 0) throw new RuntimeError('unexpected end of file: the file shrank while it was read');
      done += n;
    }
  }
  close(): void {
    closeSync(this.descriptor);
  }
}

/** Opens a file for reading at any position; the caller closes it. */
export function openFile(file: string | URL): ByteSource & { close(): void } {
  return new FileSource(openSync(pathOf(file), 'r'));
}

/** Reads from a file with `use`; only what is asked for is read. */
export function withFile<R>(file: string | URL, use: (source: ByteSource) => R): R {
  const source = openFile(file);
  try {
    return use(source);
  } finally {
    source.close();
  }
}

/**
 * Writes a file under a temporary name and renames it: a crash while writing leaves the old file as it was.
 * @param write writes the content to the sink.
 */
export function writeFileWhole(file: string | URL, write: (sink: ByteSink) => void): void {
  const path = pathOf(file);
  const temporary = `${path}.${process.pid}.${Date.now().toString(36)}.tmp`;
  try {
    const descriptor = openSync(temporary, 'w');
    try {
      write(bufferedSink(descriptor));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function bufferedSink(descriptor: number): ByteSink {
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at);
    },
  };
}
