// The file that a FileWriter appends to.
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A file that grows. */
export interface LogFile {
  readonly path: string;
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Opens a file, which grows unless it is to be written afresh, in a folder, which is made when it is missing. */
export function openLog(folder: string, name: string, fresh = false): LogFile {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const descriptor = openSync(path, fresh ? 'w' : 'a');
  return {
    path,
    write(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at);
    },
    close: () => closeSync(descriptor),
  };
}

/** What names this process in file names. */
export const whoami = (): { host: string; process: number } => ({ host: hostname(), process: process.pid });

const open = new Set<() => void>();
let listening = false;

/** Calls a function before the process ends. @returns what takes the function off again. */
export function atExit(fn: () => void): () => void {
  if (!listening) process.on('exit', () => [...open].forEach((each) => void each()));
  listening = true;
  open.add(fn);
  return () => void open.delete(fn);
}
