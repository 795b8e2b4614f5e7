// Checkpoints: torch.save's zip archive and the older format, between bytes and values.
import { backendOf } from '../backends/backend.js';
import { cpu, type Device } from '../device.js';
import type { DType } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { Module } from '../nn/modules/module.js';
import { Parameter } from '../nn/parameter.js';
import { Optimizer } from '../optim/optimizer.js';
import type { Storage } from '../storage.js';
import { Tensor } from '../tensor.js';
import { Pickler, PyCall, PyGlobal, PyPersistent, tupleOf } from './pickler.js';
import { checkpointGlobals, type MapLocation, type StorageReader, storageNames } from './rebuild.js';
import { type ByteSink, type ByteSource, PIECE } from './source.js';
import { bytesAsTensor, readBytes, writeBytes } from './storage_bytes.js';
import { Unpickler, type UnpicklerOptions, UnpicklingError } from './unpickler.js';
import { Converter } from './values.js';
import { ZipReader, ZipWriter } from './zip.js';

// Saving.

const orderedDict = new PyGlobal('collections', 'OrderedDict');
const rebuild = (name: string): PyGlobal => new PyGlobal('torch._utils', name);

/** The storages that a value refers to, in the order in which they were met. */
class StorageTable {
  private readonly keys = new Map<unknown, string>();
  private readonly types: DType[] = [];
  readonly list: Storage[] = [];

  /** Tensors whose storage objects differ may share memory (`x.data`): the address tells. */
  key(storage: Storage, dtype: DType): string {
    const identity = storage.nbytes > 0 && storage.address !== 0 ? storage.address : storage;
    const known = this.keys.get(identity);
    if (known !== undefined) {
      const i = Number(known);
      if (this.types[i] !== dtype)
        throw new RuntimeError(
          'Cannot save multiple tensors or storages that view the same data as different types',
        );
      if (storage.nbytes > this.list[i].nbytes) this.list[i] = storage;
      return known;
    }
    const key = String(this.list.length);
    this.keys.set(identity, key);
    this.list.push(storage);
    this.types.push(dtype);
    return key;
  }
}

function reduceTensor(x: Tensor, storages: StorageTable): PyCall {
  const size = tupleOf(x.shape);
  const stride = tupleOf(x._strides);
  if (x.device.type === 'meta')
    return new PyCall(rebuild('_rebuild_meta_tensor_no_storage'), [x.dtype, size, stride, x.requires_grad]);
  const storage = x._storage;
  const id = new PyPersistent([
    'storage',
    new PyGlobal('torch', storageNames[x.dtype.name]),
    storages.key(storage, x.dtype),
    String(x.device),
    Math.floor(storage.nbytes / x.dtype.itemsize),
  ]);
  const hooks = new PyCall(orderedDict, []);
  const isParameter = x instanceof Parameter;
  const args = [id, x._offset, size, stride, isParameter ? false : x.requires_grad, hooks];
  return new PyCall(rebuild('_rebuild_tensor_v2'), args);
}

function reduceParameter(x: Parameter, storages: StorageTable): PyCall {
  return new PyCall(rebuild('_rebuild_parameter'), [
    reduceTensor(x, storages),
    x.requires_grad,
    new PyCall(orderedDict, []),
  ]);
}

function reduce(value: object, storages: StorageTable): PyCall | undefined {
  if (value instanceof Parameter) return reduceParameter(value, storages);
  if (value instanceof Tensor) return reduceTensor(value, storages);
  if (value instanceof Module || value instanceof Optimizer)
    throw new TypeError(
      `cannot save a ${value.constructor.name} itself: save its state_dict(), and load it with load_state_dict()`,
    );
  if (ArrayBuffer.isView(value))
    throw new TypeError(
      `cannot save a ${value.constructor.name}: save torch.from_numpy(array), a tensor over its memory (a Uint8Array is saved as bytes)`,
    );
  return undefined;
}

function* piecesOf(storage: Storage): Iterable<Uint8Array> {
  const source = storage.device.type === 'cpu' ? storage : bytesAsTensor(storage).cpu()._storage;
  for (let at = 0; at < storage.nbytes; at += PIECE)
    yield readBytes(source, at, Math.min(PIECE, storage.nbytes - at));
}

/** 40 digits that depend on the contents, as PyTorch's writer adds them. */
function contentId(checksums: readonly (readonly [string, number])[]): string {
  const prime = 1099511628211n;
  let names = 14695981039346656037n;
  let sums = 14695981039346656037n;
  for (const [name, crc] of checksums) {
    for (const c of name) names = BigInt.asUintN(64, (names ^ BigInt(c.codePointAt(0) as number)) * prime);
    sums = BigInt.asUintN(64, (sums ^ BigInt(crc)) * prime);
  }
  return `${String(names).padStart(20, '0')}${String(sums).padStart(20, '0')}`;
}

/** Writes a value as a checkpoint. @param name the folder inside the archive. */
export function writeCheckpoint(value: unknown, sink: ByteSink, name: string): void {
  const storages = new StorageTable();
  const pickle = new Pickler((x) => reduce(x, storages)).dump(value);
  const zip = new ZipWriter(sink);
  const text = (path: string, content: string): void => {
    const bytes = new TextEncoder().encode(content);
    zip.add(`${name}/${path}`, bytes.length, [bytes]);
  };
  zip.add(`${name}/data.pkl`, pickle.length, [pickle]);
  text('.format_version', '1');
  text('.storage_alignment', '64');
  text('byteorder', 'little');
  storages.list.forEach((storage, i) => {
    zip.add(`${name}/data/${i}`, storage.nbytes, piecesOf(storage));
  });
  text('version', '3\n');
  text('.data/serialization_id', contentId(zip.checksums()));
  zip.end();
}

// Loading.

const UNSAFE =
  'In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. typetorch never runs code of a checkpoint, so `weights_only: false` is not supported.';

/** The message of PyTorch's torch.load around what the unpickler says. */
function weightsOnly(error: unknown): unknown {
  if (!(error instanceof UnpicklingError) && !(error instanceof RangeError)) return error;
  const why = error.message;
  if (/GLOBAL (\S+) was not an allowed global by default\./.test(why))
    return new UnpicklingError(
      `Weights only load failed. ${UNSAFE}\n\tPlease check the recommended steps in the following error message.\n\tWeightsUnpickler error: ${why}`,
    );
  return new UnpicklingError(`Weights only load failed. ${UNSAFE}\n\n${why}`);
}

/** Runs an unpickler and turns what it made into JavaScript's values. */
function unpickle(unpickler: Unpickler): unknown {
  return new Converter().convert(unpickler.load());
}

const SIGNATURE = [0x50, 0x4b, 0x03, 0x04];

/** Does the source begin as a zip archive does? */
export function isZip(source: ByteSource): boolean {
  if (source.size < 4) return false;
  const start = source.read(0, 4);
  return SIGNATURE.every((byte, i) => start[i] === byte);
}

/**
 * Reads a checkpoint.
 * @throws RuntimeError when it is damaged, UnpicklingError when it asks for what is not allowed.
 */
export function readCheckpoint(source: ByteSource, map: MapLocation | null): unknown {
  try {
    return isZip(source) ? readZip(source, map) : readLegacy(source, map);
  } catch (error) {
    throw weightsOnly(error);
  }
}

function readZip(source: ByteSource, map: MapLocation | null): unknown {
  const zip = new ZipReader(source);
  const [first] = zip.entries.keys();
  const folder = first?.includes('/') ? first.slice(0, first.indexOf('/')) : null;
  if (folder === null || !zip.has(`${folder}/data.pkl`))
    throw new RuntimeError(
      'PytorchStreamReader failed locating file data.pkl: file not found (not a checkpoint of torch.save)',
    );
  if (zip.has(`${folder}/constants.pkl`))
    throw new RuntimeError(
      'Cannot load TorchScript archives: save the state_dict of the module with torch.save',
    );
  const order = zip.has(`${folder}/byteorder`)
    ? new TextDecoder().decode(zip.read(`${folder}/byteorder`)).trim()
    : 'little';
  if (order !== 'little' && order !== 'big') throw new ValueError(`Unknown endianness type: ${order}`);
  const read: StorageReader = (key, nbytes, dtype, on) => {
    const name = `${folder}/data/${key}`;
    const entry = zip.entries.get(name);
    if (entry === undefined)
      throw new RuntimeError(`PytorchStreamReader failed locating file data/${key}: file not found`);
    if (entry.size !== nbytes)
      throw new RuntimeError(
        `PytorchStreamReader failed reading file data/${key}: the record has ${entry.size} bytes, and its tensors need ${nbytes}`,
      );
    zip.dataOffset(entry);
    return fill(nbytes, on, (storage) => {
      const swap = order === 'big' && dtype !== null;
      zip.stream(name, (bytes, at) => writeBytes(storage, swap ? swapped(bytes, dtype) : bytes, at));
    });
  };
  const unpickler = new Unpickler(zip.read(`${folder}/data.pkl`), checkpointGlobals(read, map));
  return unpickle(unpickler);
}

/** A storage of a device with bytes that are written on the CPU. */
function fill(nbytes: number, on: Device, write: (storage: Storage) => void): Storage {
  if (on.type === 'meta') return backendOf('meta').allocate(nbytes);
  const storage = backendOf('cpu').allocate(nbytes);
  if (nbytes > 0) write(storage);
  return on.equals(cpu) ? storage : bytesAsTensor(storage).to(on)._storage;
}

/** Elements in the other byte order. */
function swapped(bytes: Uint8Array, dtype: DType): Uint8Array {
  const width = dtype.is_complex ? dtype.itemsize / 2 : dtype.itemsize;
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[i - (i % width) + width - 1 - (i % width)] ?? 0;
  return out;
}

// The format before PyTorch 1.6: pickles in a row, then the bytes of the storages.

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

function readLegacy(source: ByteSource, map: MapLocation | null): unknown {
  const bytes = source.read(0, source.size);
  if (isTar(bytes))
    throw new RuntimeError(
      'Cannot use ``weights_only=True`` with files saved in the legacy .tar format: load and save the file with a newer PyTorch',
    );
  if (bytes.length === 0) throw new RuntimeError('Ran out of input: the file is empty');
  let at = 0;
  const plain: UnpicklerOptions = { global: () => null };
  const next = (options: UnpicklerOptions): unknown => {
    const unpickler = new Unpickler(bytes, options, at);
    const value = unpickle(unpickler);
    at = unpickler.at;
    return value;
  };
  if (bytes[0] !== 0x80 || next(plain) !== MAGIC)
    throw new RuntimeError('Invalid magic number; corrupt file?');
  const protocol = next(plain);
  if (protocol !== PROTOCOL) throw new RuntimeError(`Invalid protocol version: ${String(protocol)}`);
  next(plain);
  const waiting = new Map<string, { storage: Storage; dtype: DType | null }>();
  const read: StorageReader = (key, nbytes, dtype, on) => {
    if (nbytes > bytes.length) throw new UnpicklingError('the size of a storage is not valid');
    const storage = fill(nbytes, on, () => {});
    waiting.set(key, { storage, dtype });
    return storage;
  };
  const value = next(checkpointGlobals(read, map, true));
  const keys = next(plain);
  if (!Array.isArray(keys)) throw new UnpicklingError('the list of storages is damaged');
  for (const key of keys) at = readLegacyStorage(bytes, at, String(key), waiting);
  if (waiting.size > 0) throw new UnpicklingError('the bytes of a storage are missing');
  return value;
}

/** One storage: its length in elements, then its elements. Returns the position behind it. */
function readLegacyStorage(
  bytes: Uint8Array,
  at: number,
  key: string,
  waiting: Map<string, { storage: Storage; dtype: DType | null }>,
): number {
  const found = waiting.get(key);
  if (!found) throw new UnpicklingError(`storage key '${key}' not found in deserialized_objects`);
  waiting.delete(key);
  const { storage, dtype } = found;
  if (at + 8 + storage.nbytes > bytes.length)
    throw new RuntimeError(
      `unexpected EOF, expected ${at + 8 + storage.nbytes - bytes.length} more bytes. The file might be corrupted.`,
    );
  const count = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(at, true);
  if (count * BigInt(dtype?.itemsize ?? 1) !== BigInt(storage.nbytes))
    throw new RuntimeError(`storage has wrong byte size: expected ${storage.nbytes}, got ${count} elements`);
  if (storage.device.type === 'cpu' && storage.nbytes > 0)
    writeBytes(storage, bytes.subarray(at + 8, at + 8 + storage.nbytes), 0);
  return at + 8 + storage.nbytes;
}

const isTar = (bytes: Uint8Array): boolean =>
  bytes.length > 262 && new TextDecoder().decode(bytes.subarray(257, 262)) === 'ustar';
