// In browsers there are no files by name.
import { RuntimeError } from '../errors.js';
import type { ByteSink, ByteSource } from './source.js';

function noFiles(file: string | URL): never {
  throw new RuntimeError(
    `${String(file)}: files cannot be opened by name in this runtime; pass the bytes or a Blob, such as (await fetch(url)).blob()`,
  );
}

export const fileName = (file: string | URL): string => String(file);

export function openFile(file: string | URL): ByteSource & { close(): void } {
  return noFiles(file);
}

export function withFile<R>(file: string | URL, _use: (source: ByteSource) => R): R {
  return noFiles(file);
}

export function writeFileWhole(file: string | URL, _write: (sink: ByteSink) => void): void {
  noFiles(file);
}
