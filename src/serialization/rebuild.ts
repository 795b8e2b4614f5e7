// What a checkpoint's pickle may name, and how tensors are rebuilt: PyTorch's list for `weights_only=True`.
import { hasBackend } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { cpu, type Device, type DeviceLike, device, meta } from '../device.js';
import { emptyStrided } from '../dispatch/allocate.js';
import { type DType, dtypes } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { Parameter } from '../nn/parameter.js';
import { Storage } from '../storage.js';
import { isContiguous, numelOf, Tensor } from '../tensor.js';
import { safeGlobals } from './safe_globals.js';
import { bytesAsTensor } from './storage_bytes.js';
import { describe, type PickleGlobal, type UnpicklerOptions, UnpicklingError } from './unpickler.js';
import { Converter, PyDict, PyTuple, setOrigin } from './values.js';

/** The element types by the names of PyTorch's storage classes. */
export const storageNames: Readonly<Record<string, string>> = {
  bool: 'BoolStorage',
  uint8: 'ByteStorage',
  int8: 'CharStorage',
  int16: 'ShortStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  complex64: 'ComplexFloatStorage',
  complex128: 'ComplexDoubleStorage',
};

/** Element types of PyTorch that this library does not have. */
const foreignStorages = ['QInt8', 'QUInt8', 'QInt32', 'QUInt4x2', 'QUInt2x4'];
const foreignTypes = [
  ...[
    'uint16',
    'uint32',
    'uint64',
    'complex32',
    'qint8',
    'quint8',
    'qint32',
    'quint4x2',
    'quint2x4',
    'bits8',
  ],
  ...[
    'float8_e4m3fn',
    'float8_e5m2',
    'float8_e4m3fnuz',
    'float8_e5m2fnuz',
    'float8_e8m0fnu',
    'float4_e2m1fn_x2',
  ],
];

/** A storage class as the pickle names it. */
class StorageType {
  constructor(
    readonly path: string,
    /** null: untyped bytes. */
    readonly dtype: DType | null,
  ) {}
}

/** A storage that was read, with the element type its tensors count in. */
export class LoadedStorage {
  constructor(
    readonly storage: Storage,
    readonly dtype: DType | null,
  ) {}
}

const storageTypes = new Map<string, StorageType>(
  dtypes.map((d) => [`torch.${storageNames[d.name]}`, new StorageType(`torch.${storageNames[d.name]}`, d)]),
);
for (const path of ['torch.storage.UntypedStorage', 'torch.UntypedStorage'])
  storageTypes.set(path, new StorageType(path, null));

const typesByName = new Map(dtypes.map((d) => [`torch.${d.name}`, d]));

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
const isInt = (x: unknown): x is number => Number.isSafeInteger(x);

/** The numbers of a size or stride. @throws UnpicklingError */
function integers(x: unknown, what: string, valid: (x: unknown) => x is number): number[] {
  const items = x instanceof PyTuple ? x.items : x;
  if (!Array.isArray(items) || !items.every(valid))
    throw new UnpicklingError(`a tensor's ${what} is not valid`);
  return [...items];
}

/** A tensor over a storage. @throws RuntimeError when it does not fit. */
function rebuildTensor(...args: readonly unknown[]): Tensor {
  const [storage, offset, size, stride, requires_grad, , metadata] = args;
  if (!(storage instanceof LoadedStorage) || storage.dtype === null)
    throw new UnpicklingError(`a tensor needs a typed storage, but got ${describe(storage)}`);
  return view(storage.storage, storage.dtype, offset, size, stride, requires_grad === true, metadata);
}

function view(
  storage: Storage,
  dtype: DType,
  offset: unknown,
  size: unknown,
  stride: unknown,
  requires_grad: boolean,
  metadata: unknown,
): Tensor {
  const shape = integers(size, 'size', isCount);
  const strides = integers(stride, 'stride', isInt);
  if (!isCount(offset) || shape.length !== strides.length || strides.some((s) => s < 0))
    throw new UnpicklingError('a tensor of the checkpoint has a size, stride or offset that is not valid');
  const n = numelOf(shape);
  let end = offset + (n === 0 ? 0 : 1);
  if (n > 0) shape.forEach((length, d) => (end += (length - 1) * strides[d]));
  if (!(n <= Number.MAX_SAFE_INTEGER) || (n > 0 && end * dtype.itemsize > storage.nbytes))
    throw new RuntimeError(
      `setStorage: sizes [${shape.join(', ')}], strides [${strides.join(', ')}], storage offset ${offset}, and itemsize ${dtype.itemsize} requiring a storage size of ${end * dtype.itemsize} are out of bounds for storage of size ${storage.nbytes}`,
    );
  let x = new Tensor(storage, shape, strides, n === 0 ? 0 : offset, dtype, n, isContiguous(shape, strides));
  if (metadata instanceof PyDict) {
    if (metadata.get('conj') === true) x = x.conj();
    if (metadata.get('neg') === true) x = x.neg();
  }
  return requires_grad && !dtype.is_integral ? x.requires_grad_(true) : x;
}

function rebuildTensorV3(...args: readonly unknown[]): Tensor {
  const [storage, offset, size, stride, requires_grad, , dtype, metadata] = args;
  if (!(storage instanceof LoadedStorage)) throw new UnpicklingError('a tensor needs a storage');
  return view(storage.storage, dtypeOf(dtype), offset, size, stride, requires_grad === true, metadata);
}

function dtypeOf(x: unknown): DType {
  const found = dtypes.find((d) => d === x);
  if (!found) throw new UnpicklingError(`${describe(x)} is not a dtype that typetorch has`);
  return found;
}

function rebuildMeta(...args: readonly unknown[]): Tensor {
  const [dtype, size, stride, requires_grad] = args;
  const strides = integers(stride, 'stride', isCount);
  const shape = integers(size, 'size', isCount);
  if (shape.length !== strides.length) throw new UnpicklingError("a tensor's stride is not valid");
  const x = emptyStrided(shape, strides, dtypeOf(dtype), meta);
  return requires_grad === true && x.is_floating_point() ? x.requires_grad_(true) : x;
}

function rebuildParameter(...args: readonly unknown[]): Parameter {
  const [data, requires_grad] = args;
  if (!(data instanceof Tensor)) throw new UnpicklingError('a Parameter needs a tensor');
  return new Parameter(data, requires_grad === true && !data.dtype.is_integral);
}

/** A tensor with Python attributes: the attributes are dropped. */
function rebuildFromType(...args: readonly unknown[]): unknown {
  const [fn, , fnArgs] = args;
  const call = (fn as Partial<PickleGlobal> | null)?.call;
  if (typeof call !== 'function' || !(fnArgs instanceof PyTuple))
    throw new UnpicklingError('_rebuild_from_type_v2 needs a function and its arguments');
  return call(...fnArgs.items);
}

function encodeBytes(text: unknown, encoding: unknown = 'utf-8'): Uint8Array {
  if (typeof text !== 'string') throw new UnpicklingError('_codecs.encode needs a string');
  if (encoding === 'utf-8' || encoding === 'utf8') return new TextEncoder().encode(text);
  if (encoding !== 'latin1') throw new UnpicklingError(`unknown encoding: ${describe(encoding)}`);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) throw new UnpicklingError("'latin-1' codec can't encode a character");
    out[i] = code;
  }
  return out;
}

function makeSet(items: unknown = []): Set<unknown> {
  const values = items instanceof PyTuple ? items.items : items;
  if (!Array.isArray(values)) throw new UnpicklingError('set needs a list');
  return new Set(values);
}

function makeDict(kind: 'OrderedDict' | 'Counter'): (items?: unknown) => PyDict {
  return (items) => {
    const out = new PyDict(kind);
    if (items === undefined) return out;
    if (items instanceof PyDict) for (const [key, value] of items) out.set(key, value);
    else if (Array.isArray(items))
      for (const item of items) {
        const pair: unknown = item instanceof PyTuple ? item.items : item;
        if (!Array.isArray(pair) || pair.length !== 2)
          throw new UnpicklingError(`${kind} needs pairs of keys and values`);
        out.set(pair[0], pair[1]);
      }
    else throw new UnpicklingError(`${kind} needs a dict or a list of pairs`);
    return out;
  };
}

function makeSize(items: unknown = new PyTuple([])): PyTuple {
  return new PyTuple(integers(items, 'torch.Size', isInt), 'Size');
}

function makeDevice(type: unknown, index?: unknown): Device {
  if (typeof type !== 'string') throw new UnpicklingError('torch.device needs a string');
  return isCount(index) ? device(type, index) : device(type);
}

function makeComplex(re: unknown = 0, im: unknown = 0): Complex {
  if (typeof re !== 'number' || typeof im !== 'number')
    throw new UnpicklingError('complex needs two numbers');
  return new Complex(re, im);
}

const allowed = new Map<string, PickleGlobal>();
const functions: Readonly<Record<string, (...args: readonly unknown[]) => unknown>> = {
  'collections.OrderedDict': makeDict('OrderedDict'),
  'collections.Counter': makeDict('Counter'),
  'torch.Size': makeSize,
  'torch.device': makeDevice,
  '_codecs.encode': encodeBytes,
  'builtins.bytearray': (x = new Uint8Array(0)) => {
    if (!(x instanceof Uint8Array)) throw new UnpicklingError('bytearray needs bytes');
    return setOrigin(x.slice(), 'bytearray');
  },
  'builtins.set': makeSet,
  'builtins.complex': makeComplex,
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor_v3': rebuildTensorV3,
  'torch._utils._rebuild_parameter': rebuildParameter,
  'torch._utils._rebuild_parameter_with_state': rebuildParameter,
  'torch._utils._rebuild_meta_tensor_no_storage': rebuildMeta,
  'torch._tensor._rebuild_from_type_v2': rebuildFromType,
  'torch.nn.parameter.Parameter': (data) => rebuildParameter(data, true),
  'torch.Tensor': () => {
    throw new UnpicklingError('tensors of checkpoints older than PyTorch 0.4 are not supported');
  },
};
for (const [path, call] of Object.entries(functions)) allowed.set(path, { path, call });
for (const name of [
  '_rebuild_qtensor',
  '_rebuild_sparse_tensor',
  '_rebuild_nested_tensor',
  '_rebuild_wrapper_subclass',
])
  allowed.set(`torch._utils.${name}`, {
    path: `torch._utils.${name}`,
    call: () => {
      throw new UnpicklingError(
        `torch._utils.${name}: quantised, sparse and nested tensors are not supported`,
      );
    },
  });

/** Files of the time when functions lived elsewhere. */
const moved: Readonly<Record<string, string>> = {
  'torch.tensor._rebuild_from_type_v2': 'torch._tensor._rebuild_from_type_v2',
};

function lookUp(path: string, convert: (x: unknown) => unknown): PickleGlobal | null {
  const known = allowed.get(moved[path] ?? path);
  if (known) return known;
  const storage = storageTypes.get(path);
  if (storage) return { path, value: storage };
  const dtype = typesByName.get(path);
  if (dtype) return { path, value: dtype };
  if (
    foreignStorages.some((s) => path === `torch.${s}Storage`) ||
    foreignTypes.some((t) => path === `torch.${t}`)
  )
    throw new UnpicklingError(`${path}: typetorch has no such element type`);
  const user = safeGlobals().get(path);
  return user ? { path, call: (...args) => user(...args.map(convert)) } : null;
}

/** BUILD: sets the state of an object that a user's function made. */
function buildObject(target: unknown, state: unknown, convert: (x: unknown) => unknown): unknown {
  if (typeof target !== 'object' || target === null || target instanceof Tensor || target instanceof Set)
    throw new UnpicklingError(
      `Can only build Tensor, Parameter, OrderedDict or types allowlisted via \`add_safe_globals\`, but got ${describe(target)}`,
    );
  const value = convert(state);
  const set = (target as { __setstate__?: unknown }).__setstate__;
  if (typeof set === 'function') set.call(target, value);
  else if (typeof value === 'object' && value !== null && !Array.isArray(value))
    for (const [key, item] of Object.entries(value))
      if (key !== '__proto__') Object.assign(target, { [key]: item });
  return target;
}

/** How to read a storage's bytes: `key` names it, `nbytes` is what the tensors need. */
export type StorageReader = (key: string, nbytes: number, dtype: DType | null, on: Device) => Storage;

/** Where storages go: see torch.load. */
export type MapLocation =
  | DeviceLike
  | Readonly<Record<string, string>>
  | ReadonlyMap<string, string>
  | ((storage: Storage, location: string) => Storage | null | undefined);

/** The place for a storage that was at `location`. */
export function placeOf(location: string, map: MapLocation | null): string {
  if (map === null || typeof map === 'function') return location;
  if (typeof map === 'string' || typeof map === 'number' || isDevice(map)) return String(device(map));
  const known = map instanceof Map ? map.get(location) : (map as Readonly<Record<string, string>>)[location];
  return known ?? location;
}
const isDevice = (x: object): x is Device => typeof (x as Device).type === 'string' && 'index' in x;

/** The device of a location. @throws RuntimeError when it is not here. */
export function restoreDevice(location: string): Device {
  if (location === 'cpu') return cpu;
  const type = location.replace(/:\d+$/, '');
  if (type === 'meta') return meta;
  if (type !== 'cuda' && type !== 'webgpu' && !/^[a-z]{2,12}$/.test(type))
    throw new RuntimeError(
      `don't know how to restore data location of torch.storage.UntypedStorage (tagged with ${location})`,
    );
  if (!hasBackend(type as 'cuda'))
    throw new RuntimeError(
      `Attempting to deserialize object on a ${type.toUpperCase()} device but torch.${type}.is_available() is False. If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU.`,
    );
  return device(location);
}

/**
 * What the unpickler of a checkpoint may do.
 * @param read reads the bytes of a storage, once for each key.
 */
export function checkpointGlobals(
  read: StorageReader,
  map: MapLocation | null,
  legacy = false,
): UnpicklerOptions {
  const storages = new Map<string, LoadedStorage>();
  const convert = (x: unknown): unknown => new Converter().convert(x);
  const persistent = (id: unknown): LoadedStorage => {
    const items = id instanceof PyTuple ? id.items : null;
    if (items === null)
      throw new UnpicklingError(`persistent_load id must be tuple or int, but got ${describe(id)}`);
    const [what, type, rawKey, location, numel, part] = items;
    if (what !== 'storage')
      throw new UnpicklingError(`Only persistent_load of storage is allowed, but got ${describe(what)}`);
    const key = typeof rawKey === 'number' ? String(rawKey) : rawKey;
    if (
      !(type instanceof StorageType) ||
      typeof key !== 'string' ||
      typeof location !== 'string' ||
      !isCount(numel)
    )
      throw new UnpicklingError('the id of a storage is not valid');
    let found = storages.get(key);
    if (!found) {
      const nbytes = numel * (type.dtype?.itemsize ?? 1);
      if (!Number.isSafeInteger(nbytes)) throw new UnpicklingError('the size of a storage is not valid');
      const place = placeOf(location, map);
      let storage = read(key, nbytes, type.dtype, typeof map === 'function' ? cpu : restoreDevice(place));
      if (typeof map === 'function') storage = map(storage, location) ?? toDevice(storage, location);
      found = new LoadedStorage(storage, type.dtype);
      storages.set(key, found);
    }
    if (legacy && part instanceof PyTuple) return partOf(found, part);
    return found.dtype === type.dtype ? found : new LoadedStorage(found.storage, type.dtype);
  };
  return {
    global: (path) => lookUp(path, convert),
    persistent,
    build: (target, state) => buildObject(target, state, convert),
  };
}

function toDevice(storage: Storage, location: string): Storage {
  const to = restoreDevice(location);
  if (to.equals(storage.device)) return storage;
  return bytesAsTensor(storage).to(to)._storage;
}

/** A part of a storage, as old files name it: (key, offset, length) in elements. */
function partOf({ storage, dtype }: LoadedStorage, part: PyTuple): LoadedStorage {
  const [, offset, length] = part.items;
  const each = dtype?.itemsize ?? 1;
  if (!isCount(offset) || !isCount(length) || (offset + length) * each > storage.nbytes)
    throw new UnpicklingError('the view of a storage is not valid');
  return new LoadedStorage(
    new Storage(storage.device, storage.address + offset * each, length * each, storage),
    dtype,
  );
}
