// torch.save, torch.load and torch.serialization.
import { fileName, withFile, writeFileWhole } from '#files';
import { isKeywords, typeName } from '../dispatch/schema.js';
import { ValueError } from '../errors.js';
import { readCheckpoint, writeCheckpoint } from './checkpoint.js';
import type { MapLocation } from './rebuild.js';
import { type ByteSink, type Bytes, BytesIO, bytesOf, isBytes, MemorySource } from './source.js';

export { load_npy, load_npz, save_npy, save_npz } from './npy.js';
export type { MapLocation } from './rebuild.js';
export {
  add_safe_globals,
  clear_safe_globals,
  get_safe_globals,
  type SafeFunction,
  type SafeGlobal,
  safe_globals,
} from './safe_globals.js';
export { type ByteSink, type ByteSource, type Bytes, BytesIO, MemorySource } from './source.js';
export { UnpicklingError } from './unpickler.js';
export { size, tuple } from './values.js';
export { type ZipEntry, ZipReader, ZipWriter } from './zip.js';

/** Where a checkpoint comes from in memory or on disk. */
export type FileLike = string | URL | Bytes | BytesIO;

export interface SaveOptions {
  /** Accepted for PyTorch's sake: files are always written in the zip format. */
  _use_new_zipfile_serialization?: boolean;
  /** Accepted for PyTorch's sake: pickles are always of protocol 2. */
  pickle_protocol?: number;
}

/**
 * Saves a value in PyTorch's zip format: `torch.save(model.state_dict(), 'model.pt')`. Tensors that share memory share
 * it in the file. Plain objects, Maps, Sets, arrays, strings, numbers, booleans, bigints, null, Uint8Array (bytes),
 * dtypes and devices nest in any way; whole numbers become ints, other numbers floats.
 *
 * A file appears whole or not at all: it is written under another name first.
 * @param f a path, an object with `write(bytes)` such as `new torch.serialization.BytesIO()`; none to get the bytes.
 * @throws TypeError for a value that a checkpoint cannot hold, such as a module (save its `state_dict()`).
 */
export function save(obj: unknown): Uint8Array<ArrayBuffer>;
export function save(obj: unknown, f: string | URL | ByteSink, options?: SaveOptions): void;
export function save(
  obj: unknown,
  f?: string | URL | ByteSink,
  options: SaveOptions = {},
): Uint8Array<ArrayBuffer> | void {
  if (options._use_new_zipfile_serialization === false)
    throw new ValueError('save: the format before PyTorch 1.6 can be loaded, but not written');
  if (f === undefined) {
    const memory = new BytesIO();
    writeCheckpoint(obj, memory, 'archive');
    return memory.getvalue();
  }
  if (typeof f === 'string' || f instanceof URL) {
    const name = fileName(f).replace(/\.[^.]*$/, '') || 'archive';
    writeFileWhole(f, (sink) => writeCheckpoint(obj, sink, name));
  } else if (typeof f?.write === 'function') writeCheckpoint(obj, f, 'archive');
  else
    throw new TypeError(
      `expected 'f' to be string, path, or a file-like object with a 'write' attribute, not ${typeName(f)}`,
    );
}

export interface LoadOptions {
  /** Where tensors go: a device, a table of devices by the saved ones' names, or a function of storage and name. */
  map_location?: MapLocation | null;
  /** Only `true`: no code of a checkpoint is ever run. */
  weights_only?: boolean | null;
  /** Read the storages one by one from the file (which is always done; it must be a path). */
  mmap?: boolean | null;
}

/**
 * Loads what `torch.save` saved, here or in PyTorch (also in its format before 1.6). A dict becomes a plain object (or a
 * Map, when its keys are not all strings or all whole numbers), a tuple an array. Names that the file asks for are
 * looked up in a fixed list (as with PyTorch's `weights_only=True`) and in `torch.serialization.add_safe_globals`.
 * @param f a path, bytes, or a Blob (then the result is a promise).
 * @throws RuntimeError when the file is damaged; UnpicklingError when it asks for something that is not allowed.
 */
export function load<T = unknown>(f: Blob, options?: LoadOptions | MapLocation): Promise<T>;
export function load<T = unknown>(f: FileLike, options?: LoadOptions | MapLocation): T;
export function load<T = unknown>(
  f: FileLike | Blob,
  options: LoadOptions | MapLocation = {},
): T | Promise<T> {
  const { map_location = null, weights_only = true, mmap = false } = loadOptions(options);
  if (weights_only === false)
    throw new ValueError(
      'load: `weights_only: false` would run code of the file, which typetorch cannot; allow single names with torch.serialization.add_safe_globals',
    );
  const isPath = typeof f === 'string' || f instanceof URL;
  if (mmap && !isPath) throw new ValueError('f must be a file path in order to use the mmap argument');
  if (isPath) return withFile(f, (source) => readCheckpoint(source, map_location)) as T;
  if (f instanceof BytesIO) return readCheckpoint(new MemorySource(f.getvalue()), map_location) as T;
  if (isBytes(f)) return readCheckpoint(new MemorySource(bytesOf(f)), map_location) as T;
  if (typeof Blob !== 'undefined' && f instanceof Blob)
    return f.arrayBuffer().then((buffer) => readCheckpoint(new MemorySource(buffer), map_location) as T);
  throw new TypeError(`expected 'f' to be a path, bytes or a Blob, not ${typeName(f)}`);
}

const optionNames = ['map_location', 'weights_only', 'mmap', 'pickle_module'];

/** Options, or PyTorch's second positional argument, `map_location`. */
function loadOptions(given: LoadOptions | MapLocation | null): LoadOptions {
  if (
    isKeywords(given) &&
    (Object.keys(given).length === 0 || Object.keys(given).some((k) => optionNames.includes(k)))
  ) {
    for (const key of Object.keys(given))
      if (!optionNames.includes(key))
        throw new TypeError(`load() got an unexpected keyword argument '${key}'`);
    return given as LoadOptions;
  }
  return { map_location: given as MapLocation | null };
}
