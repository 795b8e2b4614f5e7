// The safetensors format (https://github.com/huggingface/safetensors): a JSON header with dtype, shape and byte range of
// each tensor, then the bytes.
import { backendOf } from '../backends/backend.js';
import { cpu } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import { type DType, dtypes } from '../dtype.js';
import { RuntimeError } from '../errors.js';
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

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** More than any real header: a damaged length must not make us allocate it. */
const MAX_HEADER = 100_000_000;

/** The bytes of a safetensors file with these tensors, and texts to keep with them. */
export function save(
  tensors: Readonly<Record<string, Tensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, x] of Object.entries(tensors)) {
    if (!(x instanceof Tensor)) throw new TypeError(`save: '${name}' is not a tensor`);
    header[name] = {
      dtype: codes[x.dtype.name],
      shape: [...x.shape],
      data_offsets: [end, end + x.nbytes],
    } satisfies Entry;
    end += x.nbytes;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end).fill(0x20, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  let at = 8 + length;
  for (const x of Object.values(tensors)) {
    const data = x.detach().cpu().toTypedArray();
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * The tensors of a safetensors file's bytes.
 * @throws RuntimeError when the bytes are not such a file, or are damaged.
 */
export function load(bytes: Uint8Array): Record<string, Tensor> {
  const { header, start } = readHeader(bytes);
  const out: Record<string, Tensor> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, from, to } = checkEntry(name, entry, bytes.length - start);
    const x = empty(shape, dtype, cpu);
    backendOf('cpu').write(x, bytes.subarray(start + from, start + to));
    out[name] = x;
  }
  return out;
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw new RuntimeError('Error while deserializing header: header too small');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER))
    throw new RuntimeError('Error while deserializing header: header too large');
  const start = 8 + Number(length);
  if (start > bytes.length) throw new RuntimeError('Error while deserializing header: invalid header length');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw new RuntimeError('Error while deserializing header: invalid JSON in header');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new RuntimeError('Error while deserializing header: invalid JSON in header');
  return { header: header as Record<string, unknown>, start };
}

function checkEntry(
  name: string,
  entry: unknown,
  available: number,
): { dtype: DType; shape: number[]; from: number; to: number } {
  const { dtype: code, shape, data_offsets: range } = (entry ?? {}) as Partial<Entry>;
  const dtype = byCode.get(String(code));
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!dtype)
    throw new RuntimeError(
      `Error while deserializing header: tensor '${name}' has the unknown dtype ${String(code)}`,
    );
  if (
    !Array.isArray(shape) ||
    !shape.every(isSize) ||
    !Array.isArray(range) ||
    range.length !== 2 ||
    !range.every(isSize)
  )
    throw new RuntimeError(`Error while deserializing header: the entry of tensor '${name}' is not valid`);
  const [from, to] = range;
  if (to < from || to > available || to - from !== shape.reduce((n, size) => n * size, dtype.itemsize))
    throw new RuntimeError(
      `Error while deserializing header: tensor '${name}' has invalid offsets [${from}, ${to}] for its shape [${shape.join(', ')}]`,
    );
  return { dtype, shape, from, to };
}
