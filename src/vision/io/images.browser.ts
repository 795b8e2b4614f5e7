/// <reference lib="dom" />
// Decoding of pictures in browsers: createImageBitmap and a canvas.
import { RuntimeError } from '../../errors.js';
import type { Pixels } from '../image.js';

/** Decodes a picture; a string or URL is fetched. @throws RuntimeError when it cannot be decoded. */
export async function decodeImage(file: string | URL | Uint8Array | Blob): Promise<Pixels> {
  const blob =
    file instanceof Blob
      ? file
      : file instanceof Uint8Array
        ? new Blob([file as Uint8Array<ArrayBuffer>])
        : await fetch(file).then((reply) => {
            if (!reply.ok) throw new RuntimeError(`${String(file)}: the server answered ${reply.status}`);
            return reply.blob();
          });
  const bitmap = await createImageBitmap(blob, {
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  }).catch((error: Error) => {
    throw new RuntimeError(`cannot identify image file (${error.message})`);
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw new RuntimeError('this browser has no 2d canvas');
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return withoutAlpha(new Uint8Array(data.buffer), width, height);
}

/** Drops the fourth channel where everything is opaque. */
function withoutAlpha(data: Uint8Array, width: number, height: number): Pixels {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return { data, width, height, channels: 4 };
  const out = new Uint8Array(width * height * 3);
  for (let i = 0, j = 0; i < data.length; i += 4) {
    out[j++] = data[i];
    out[j++] = data[i + 1];
    out[j++] = data[i + 2];
  }
  return { data: out, width, height, channels: 3 };
}

const noFiles = (): never => {
  throw new RuntimeError('there are no files in browsers: use image.toPng()');
};

export async function encodeImage(_pixels: Pixels, _file: string | URL): Promise<void> {
  noFiles();
}

export function writePng(_file: string | URL, _pixels: Pixels): void {
  noFiles();
}
