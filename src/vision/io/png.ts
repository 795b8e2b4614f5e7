// PNG files (https://www.w3.org/TR/png-3): reading 8-bit and palette pictures without interlacing, and writing.
import { unzlibSync, zlibSync } from 'fflate';
import { RuntimeError } from '../../errors.js';
import { crc32 } from '../../serialization/crc32.js';
import type { Pixels } from '../image.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Channels by colour type. */
const channelsByType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const MAX_PIXELS = 2 ** 28;

const damaged = (why: string): RuntimeError => new RuntimeError(`not a valid PNG file: ${why}`);

export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.every((b, i) => bytes[i] === b);

interface Chunks {
  readonly header: DataView;
  readonly palette: Uint8Array | null;
  readonly data: Uint8Array;
}

function readChunks(bytes: Uint8Array): Chunks {
  if (!isPng(bytes)) throw damaged('the signature is not there');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: DataView | null = null;
  let palette: Uint8Array | null = null;
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) throw damaged('it is truncated');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length))
      throw damaged(`CRC-32 check of ${type} failed`);
    if (type === 'IHDR') header = new DataView(body.buffer, body.byteOffset, body.length);
    else if (type === 'PLTE') palette = body;
    else if (type === 'IDAT') parts.push(body);
    else if (type === 'IEND') break;
    at += 12 + length;
  }
  if (header === null || header.byteLength !== 13 || parts.length === 0) throw damaged('it is truncated');
  const data = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { header, palette, data };
}

/**
 * The picture of a PNG file.
 * @throws RuntimeError when it is damaged, or of a kind that only `sharp` reads (16 bits, interlaced).
 */
export function decodePng(bytes: Uint8Array): Pixels {
  const { header, palette, data } = readChunks(bytes);
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  const [depth, type, , , interlaced] = [8, 9, 10, 11, 12].map((o) => header.getUint8(o));
  const channels = channelsByType[type];
  if (channels === undefined || width === 0 || height === 0 || width * height > MAX_PIXELS)
    throw damaged('the header is damaged');
  if (depth > 8 || interlaced !== 0 || (type !== 3 && type !== 0 && depth !== 8))
    throw new RuntimeError('PNG: 16-bit and interlaced pictures are read by the package sharp');
  const row = Math.ceil((width * channels * depth) / 8);
  const raw = inflate(data, (row + 1) * height);
  const flat = unfilter(raw, row, height, Math.max(1, (channels * depth) >> 3));
  const values =
    depth === 8 ? flat : unpack(flat, width, height, row, depth, type === 3 ? 1 : 255 / ((1 << depth) - 1));
  if (type === 3) return { data: colours(values, palette), width, height, channels: 3 };
  if (type === 4) return { data: greyAlpha(values), width, height, channels: 4 };
  return { data: values, width, height, channels };
}

function inflate(data: Uint8Array, size: number): Uint8Array {
  if (size > data.length * 1040) throw damaged('the header is damaged');
  let raw: Uint8Array;
  try {
    raw = unzlibSync(data, { out: new Uint8Array(size) });
  } catch (error) {
    throw damaged((error as Error).message);
  }
  if (raw.length !== size) throw damaged('data are missing');
  return raw;
}

/** Undoes the rows' filters: differences to the left, above, their mean, or Paeth's choice. */
function unfilter(raw: Uint8Array, row: number, height: number, step: number): Uint8Array {
  const out = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    const from = y * (row + 1) + 1;
    const to = y * row;
    for (let x = 0; x < row; x++) {
      const left = x >= step ? out[to + x - step] : 0;
      const above = y > 0 ? out[to + x - row] : 0;
      const corner = x >= step && y > 0 ? out[to + x - row - step] : 0;
      out[to + x] = raw[from + x] + predicted(filter, left, above, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, above: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  if (filter !== 4) throw damaged(`unknown filter ${filter}`);
  const p = left + above - corner;
  const [a, b, c] = [Math.abs(p - left), Math.abs(p - above), Math.abs(p - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** Values of 1, 2 or 4 bits as bytes. */
function unpack(
  flat: Uint8Array,
  width: number,
  height: number,
  row: number,
  depth: number,
  scale: number,
): Uint8Array {
  const out = new Uint8Array(width * height);
  const mask = (1 << depth) - 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      out[y * width + x] = ((flat[y * row + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask) * scale;
    }
  return out;
}

function colours(values: Uint8Array, palette: Uint8Array | null): Uint8Array {
  if (palette === null) throw damaged('the palette is missing');
  const out = new Uint8Array(values.length * 3);
  values.forEach((v, i) => {
    for (let c = 0; c < 3; c++) out[3 * i + c] = palette[3 * v + c] ?? 0;
  });
  return out;
}

function greyAlpha(values: Uint8Array): Uint8Array {
  const out = new Uint8Array(values.length * 2);
  for (let i = 0; i < values.length / 2; i++)
    out.set([values[2 * i], values[2 * i], values[2 * i], values[2 * i + 1]], 4 * i);
  return out;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(body, 8);
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)));
  return out;
}

/** A picture as a PNG file; rows hold differences to the row above, which compress well. */
export function encodePng({ data, width, height, channels }: Pixels): Uint8Array<ArrayBuffer> {
  const row = width * channels;
  const raw = new Uint8Array((row + 1) * height);
  for (let y = 0; y < height; y++) {
    const to = y * (row + 1);
    raw[to] = 2;
    for (let x = 0; x < row; x++) raw[to + 1 + x] = data[y * row + x] - (y > 0 ? data[(y - 1) * row + x] : 0);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, { 1: 0, 3: 2, 4: 6 }[channels] ?? 0, 0, 0, 0], 8);
  const parts = [
    Uint8Array.from(SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', zlibSync(raw, { level: 6 })),
    chunk('IEND', new Uint8Array(0)),
  ];
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
