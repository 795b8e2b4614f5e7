// The safetensors format (https://github.com/huggingface/safetensors): a JSON header with dtype, shape and byte range of
// each tensor, then the bytes.
import { type DType, dtypes } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { type ByteSink, viewOf } from '../serialization/source.js';
import { elementBytes } from '../serialization/storage_bytes.js';
import { Tensor } from '../tensor.js';

const codes: Readonly<Record<string, string>> = {
  bool: 'BOOL',
  uint8: 'U8',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
  complex64: 'C64',
  complex128: 'C128',
};
const byCode: ReadonlyMap<string, DType> = new Map(dtypes.map((d) => [codes[d.name], d]));

/** In which order the format's own writer stores element types: wide ones first, so that all are aligned. */
const storedFirst = ['C128', 'I64', 'F64', 'C64', 'F32', 'I32', 'BF16', 'F16', 'I16', 'I8', 'U8', 'BOOL'];

/** Where a tensor lies in a file. */
export interface Entry {
  readonly dtype: DType;
  readonly shape: number[];
  /** Position of the first byte in the file. */
  readonly start: number;
  readonly nbytes: number;
}

/** The header of a file. */
export interface Header {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: Readonly<Record<string, string>> | null;
}

export type Tensors = Readonly<Record<string, Tensor>>;
export type Metadata = Readonly<Record<string, string>>;

/** More than any real header: a damaged length must not make us allocate it. */
const MAX_HEADER = 100_000_000;

/** Writes tensors in the format, one after another. */
export function writeTensors(tensors: Tensors, metadata: Metadata | undefined, sink: ByteSink): void {
  const list = Object.entries(tensors);
  for (const [name, x] of list)
    if (!(x instanceof Tensor)) throw new TypeError(`save: '${name}' is not a tensor`);
  const rank = (x: Tensor): number => storedFirst.indexOf(codes[x.dtype.name]);
  list.sort(([a, x], [b, y]) => rank(x) - rank(y) || (a < b ? -1 : 1));
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, x] of list) {
    header[name] = {
      dtype: codes[x.dtype.name],
      shape: [...x.shape],
      data_offsets: [end, (end += x.nbytes)],
    };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const first = new Uint8Array(8 + length).fill(0x20, 8);
  viewOf(first).setBigUint64(0, BigInt(length), true);
  first.set(json, 8);
  sink.write(first);
  for (const [, x] of list) for (const piece of elementBytes(x)) sink.write(piece);
}

/**
 * The length of the header from the first eight bytes of a file.
 * @throws RuntimeError when it cannot be one.
 */
export function headerLength(bytes: Uint8Array, size: number): number {
  if (bytes.length < 8) throw invalid('header too small');
  const length = viewOf(bytes).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) throw invalid('header too large');
  if (8 + Number(length) > size) throw invalid('invalid header length');
  return Number(length);
}

const invalid = (why: string): RuntimeError => new RuntimeError(`Error while deserializing header: ${why}`);

/**
 * Reads a header's JSON.
 * @param size bytes of the whole file; null when it is not known.
 * @throws RuntimeError when it is damaged.
 */
export function parseHeader(json: Uint8Array, size: number | null): Header {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw invalid('invalid JSON in header');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw invalid('invalid JSON in header');
  const start = 8 + json.length;
  const entries = new Map<string, Entry>();
  let metadata: Record<string, string> | null = null;
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') metadata = entry as Record<string, string>;
    else entries.set(name, readEntry(name, entry, start, (size ?? Number.MAX_SAFE_INTEGER) - start));
  }
  checkCover([...entries], start, size);
  return { entries, metadata };
}

function readEntry(name: string, entry: unknown, start: number, available: number): Entry {
  const { dtype: code, shape, data_offsets: range } = (entry ?? {}) as Partial<Record<string, unknown>>;
  const dtype = byCode.get(String(code));
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!dtype) throw invalid(`tensor '${name}' has the unknown dtype ${String(code)}`);
  if (
    !Array.isArray(shape) ||
    shape.length > 64 ||
    !shape.every(isSize) ||
    !Array.isArray(range) ||
    range.length !== 2 ||
    !range.every(isSize)
  )
    throw invalid(`the entry of tensor '${name}' is not valid`);
  const [from, to] = range;
  if (to < from || to > available || to - from !== shape.reduce((n, size) => n * size, dtype.itemsize))
    throw invalid(
      `tensor '${name}' has invalid offsets [${from}, ${to}] for its shape [${shape.join(', ')}]`,
    );
  return { dtype, shape, start: start + from, nbytes: to - from };
}

/** Every byte belongs to one tensor. */
function checkCover(
  entries: readonly (readonly [string, Entry])[],
  start: number,
  size: number | null,
): void {
  let at = start;
  for (const [name, entry] of [...entries].sort(([, a], [, b]) => a.start - b.start || a.nbytes - b.nbytes)) {
    if (entry.start !== at) throw invalid(`invalid offset for tensor '${name}'`);
    at += entry.nbytes;
  }
  if (size !== null && at !== size) throw invalid('incomplete metadata, file not fully covered');
}
