// Safetensors files on disk.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Tensor } from '../tensor.js';
import { load, save } from './format.js';

/**
 * Writes tensors to a file. The file appears whole or not at all: a crash while saving leaves the old one.
 * @param metadata texts to keep with the tensors.
 */
export function save_file(
  tensors: Readonly<Record<string, Tensor>>,
  filename: string,
  metadata?: Readonly<Record<string, string>>,
): void {
  const bytes = save(tensors, metadata);
  const temporary = `${filename}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, filename);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Reads the tensors of a file. @throws RuntimeError when it is damaged. */
export function load_file(filename: string): Record<string, Tensor> {
  return load(readFileSync(filename));
}
