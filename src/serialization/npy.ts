// NumPy's .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) and .npz archives of them.
import { withFile, writeFileWhole } from '#files';
import { cpu } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import { type DType, dtypes } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { numelOf, Tensor } from '../tensor.js';

import {
  type ByteSink,
  type ByteSource,
  type Bytes,
  BytesIO,
  bytesOf,
  inPieces,
  isBytes,
  MemorySource,
  viewOf,
} from './source.js';
import { elementBytes, writeBytes } from './storage_bytes.js';
import { ZipReader, ZipWriter } from './zip.js';

/** NumPy's descriptions of the element types. NumPy has no bfloat16. */
const descriptions: Readonly<Record<string, string>> = {
  bool: '|b1',
  uint8: '|u1',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  complex64: '<c8',
  complex128: '<c16',
};
const byDescription: ReadonlyMap<string, DType> = new Map(
  dtypes.flatMap((d) => (descriptions[d.name] ? [[descriptions[d.name].slice(1), d] as const] : [])),
);

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_HEADER = 1 << 20;

interface Header {
  readonly dtype: DType;
  readonly shape: number[];
  readonly fortran: boolean;
  readonly big: boolean;
  /** Where the elements begin. */
  readonly start: number;
}

const invalid = (why: string): RuntimeError => new RuntimeError(`not a valid .npy file: ${why}`);

function readHeader(source: ByteSource): Header {
  if (source.size < 10) throw invalid('it is too short');
  const fixed = source.read(0, Math.min(12, source.size));
  if (MAGIC.some((byte, i) => fixed[i] !== byte)) throw invalid('the magic string is not there');
  const version = fixed[6];
  if (version < 1 || version > 3) throw invalid(`unknown version ${version}.${fixed[7]}`);
  if (version > 1 && fixed.length < 12) throw invalid('it is too short');
  const begin = version === 1 ? 10 : 12;
  const length = version === 1 ? viewOf(fixed).getUint16(8, true) : viewOf(fixed).getUint32(8, true);
  if (length > MAX_HEADER || begin + length > source.size) throw invalid('the header is damaged');
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(source.read(begin, length));
  return { ...parseHeader(text), start: begin + length };
}

/** Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`. */
function parseHeader(text: string): Omit<Header, 'start'> {
  const descr = /'descr'\s*:\s*'([<>|=])([a-zA-Z]\d{1,2})'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const sizes = /'shape'\s*:\s*\(([\d\sL,]*)\)/.exec(text);
  if (!descr) throw invalid(`the element type is not one of tensors: ${text.slice(0, 200).trim()}`);
  if (!order || !sizes) throw invalid('the header is damaged');
  const dtype = byDescription.get(descr[2]);
  if (!dtype) throw invalid(`the element type '${descr[1]}${descr[2]}' is not one of tensors`);
  const shape = sizes[1]
    .split(',')
    .map((s) => s.replace('L', '').trim())
    .filter((s) => s !== '')
    .map(Number);
  if (shape.length > 64 || !shape.every((n) => Number.isSafeInteger(n)))
    throw invalid('the shape is damaged');
  return { dtype, shape, fortran: order[1] === 'True', big: descr[1] === '>' };
}

function readArray(source: ByteSource): Tensor {
  const { dtype, shape, fortran, big, start } = readHeader(source);
  const nbytes = numelOf(shape) * dtype.itemsize;
  if (nbytes !== source.size - start)
    throw invalid(`the header promises ${nbytes} bytes of data, and there are ${source.size - start}`);
  const x = empty(fortran ? [...shape].reverse() : shape, dtype, cpu);
  inPieces(source, start, nbytes, (piece, at) =>
    writeBytes(x._storage, big ? swap(piece, dtype) : piece, at),
  );
  return fortran ? x.permute(shape.map((_, d) => shape.length - 1 - d)) : x;
}

function swap(bytes: Uint8Array, dtype: DType): Uint8Array {
  const width = dtype.is_complex ? dtype.itemsize / 2 : dtype.itemsize;
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += width)
    for (let b = 0; b < width; b++) out[i + b] = bytes[i + width - 1 - b];
  return out;
}

/** The header of a tensor's file: as long as makes the elements start at a multiple of 64. */
function headerOf(x: Tensor): Uint8Array {
  const descr = descriptions[x.dtype.name];
  if (!descr) throw new TypeError(`NumPy has no ${x.dtype}: convert the tensor first`);
  const shape = x.shape.length === 1 ? `${x.shape[0]},` : x.shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const out = new Uint8Array(10 + length).fill(0x20);
  out.set(MAGIC);
  out.set([1, 0, length & 255, length >> 8], 6);
  out.set(new TextEncoder().encode(text), 10);
  out[out.length - 1] = 0x0a;
  return out;
}

function* piecesOf(x: Tensor): Iterable<Uint8Array> {
  yield headerOf(x);
  yield* elementBytes(x);
}

type Target = string | URL | ByteSink;

function writeTo(
  target: Target | undefined,
  write: (sink: ByteSink) => void,
): Uint8Array<ArrayBuffer> | void {
  if (target === undefined) {
    const memory = new BytesIO();
    write(memory);
    return memory.getvalue();
  }
  if (typeof target === 'string' || target instanceof URL) writeFileWhole(target, write);
  else write(target);
}

function readFrom<R>(file: string | URL | Bytes, use: (source: ByteSource) => R): R {
  return isBytes(file) ? use(new MemorySource(bytesOf(file))) : withFile(file, use);
}

/**
 * Writes a tensor as a .npy file, which `numpy.load` reads: `save_npy(x, 'x.npy')`; without a target, returns the bytes.
 * @throws TypeError for bfloat16, which NumPy does not have.
 */
export function save_npy(x: Tensor): Uint8Array<ArrayBuffer>;
export function save_npy(x: Tensor, f: Target): void;
export function save_npy(x: Tensor, f?: Target): Uint8Array<ArrayBuffer> | void {
  if (!(x instanceof Tensor)) throw new TypeError('save_npy takes a tensor');
  headerOf(x);
  return writeTo(f, (sink) => {
    for (const piece of piecesOf(x)) sink.write(piece);
  });
}

/** The tensor of a .npy file, from a path or its bytes. @throws RuntimeError when it is damaged or holds no numbers. */
export function load_npy(f: string | URL | Bytes): Tensor {
  return readFrom(f, readArray);
}

/** Writes tensors as an .npz archive, which `numpy.load` reads; without a target, returns the bytes. */
export function save_npz(tensors: Readonly<Record<string, Tensor>>): Uint8Array<ArrayBuffer>;
export function save_npz(tensors: Readonly<Record<string, Tensor>>, f: Target): void;
export function save_npz(
  tensors: Readonly<Record<string, Tensor>>,
  f?: Target,
): Uint8Array<ArrayBuffer> | void {
  for (const [name, x] of Object.entries(tensors)) {
    if (!(x instanceof Tensor)) throw new ValueError(`save_npz: '${name}' is not a tensor`);
    headerOf(x);
  }
  return writeTo(f, (sink) => {
    const zip = new ZipWriter(sink);
    for (const [name, x] of Object.entries(tensors))
      zip.add(`${name}.npy`, headerOf(x).length + x.nbytes, piecesOf(x));
    zip.end();
  });
}

/** The tensors of an .npz archive (stored or compressed), by name. @throws RuntimeError when it is damaged. */
export function load_npz(f: string | URL | Bytes): Record<string, Tensor> {
  return readFrom(f, (source) => {
    const zip = new ZipReader(source);
    const names = [...zip.entries.keys()].filter((name) => name.endsWith('.npy'));
    return Object.fromEntries(
      names.map((name) => [name.slice(0, -4), readArray(new MemorySource(zip.read(name)))]),
    );
  });
}
