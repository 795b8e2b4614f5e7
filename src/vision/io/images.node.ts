// Decoding and encoding of pictures in Node: PNG files that need nothing else are read here, everything else by sharp.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RuntimeError } from '../../errors.js';
import { writeFileWhole } from '../../serialization/file.node.js';
import type { Pixels } from '../image.js';
import { decodePng, encodePng, isPng } from './png.js';

/** What is used of sharp. */
interface Sharp {
  metadata(): Promise<{ space?: string }>;
  raw(): Sharp;
  toColourspace(space: string): Sharp;
  toFile(path: string): Promise<unknown>;
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Uint8Array;
    info: { width: number; height: number; channels: number };
  }>;
}
type SharpFactory = (input: Uint8Array, options?: object) => Sharp;

let loading: Promise<SharpFactory> | null = null;

/** The package sharp, which is optional. @throws RuntimeError when it is not installed. */
function sharp(): Promise<SharpFactory> {
  loading ??= (import('sharp' as string) as Promise<{ default: SharpFactory }>).then(
    (module) => module.default,
    (error: Error) => {
      loading = null;
      throw new RuntimeError(
        `pictures other than PNG are decoded by the package sharp: npm install sharp (${error.message})`,
      );
    },
  );
  return loading;
}

async function bytesOf(file: string | URL | Uint8Array | Blob): Promise<Uint8Array> {
  if (file instanceof Uint8Array) return file;
  if (file instanceof Blob) return new Uint8Array(await file.arrayBuffer());
  return readFile(file);
}

/** Decodes a picture file. @throws RuntimeError when it is damaged. */
export async function decodeImage(file: string | URL | Uint8Array | Blob): Promise<Pixels> {
  const bytes = await bytesOf(file);
  const name = typeof file === 'string' || file instanceof URL ? String(file) : 'picture';
  if (isPng(bytes) && bytes[24] === 8 && bytes[28] === 0) return decodePng(bytes);
  const make = await sharp();
  try {
    const picture = make(bytes, { failOn: 'error' });
    const grey = (await picture.metadata()).space === 'b-w';
    const { data, info } = await (grey ? picture.toColourspace('b-w') : picture)
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels };
  } catch (error) {
    throw new RuntimeError(`${name}: cannot identify image file (${(error as Error).message})`);
  }
}

/** Writes a picture; the file's ending names the format. */
export async function encodeImage(pixels: Pixels, file: string | URL): Promise<void> {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  if (/\.png$/i.test(path)) {
    await writeFile(path, encodePng(pixels));
    return;
  }
  const make = await sharp();
  const { width, height, channels } = pixels;
  await make(pixels.data, { raw: { width, height, channels } }).toFile(path);
}

/** Writes a PNG file at once. */
export function writePng(file: string | URL, pixels: Pixels): void {
  const bytes = encodePng(pixels);
  writeFileWhole(file, (sink) => sink.write(bytes));
}
