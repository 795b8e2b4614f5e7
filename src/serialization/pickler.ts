// Writing pickles: protocol 2, which is what torch.save writes and weights_only loading reads.
import { Complex } from '../complex.js';
import { Device } from '../device.js';
import { isKeywords, typeName } from '../dispatch/schema.js';
import { DType } from '../dtype.js';
import { ValueError } from '../errors.js';
import { attributesOf, isIntegerKey, originOf, setOrigin } from './values.js';

/** A Python name, such as a function to call. */
export class PyGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}
}

/** `fn(*args)`, with an optional state that BUILD sets. */
export class PyCall {
  constructor(
    readonly fn: PyGlobal,
    readonly args: readonly unknown[],
  ) {}
}

/** Something outside the pickle, by its id. */
export class PyPersistent {
  constructor(readonly id: readonly unknown[]) {}
}

/** How a value that the pickler does not know is written; undefined when it cannot be. */
export type Reducer = (value: object) => PyCall | PyPersistent | undefined;

const orderedDict = new PyGlobal('collections', 'OrderedDict');
const MAX_DEPTH = 1000;

/** Writes one value. */
export class Pickler {
  private bytes = new Uint8Array(1 << 12);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  private readonly memo = new Map<unknown, number>();
  private readonly globals = new Map<string, number>();
  private memoSize = 0;
  private depth = 0;

  constructor(private readonly reducer: Reducer) {}

  /** @throws TypeError for a value that no checkpoint can hold. */
  dump(value: unknown): Uint8Array {
    this.code(0x80);
    this.code(2);
    this.save(value);
    this.code(0x2e);
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for n bytes and returns where: call it before touching `bytes` and `view`, which it may replace. */
  private reserve(n: number): number {
    if (this.length + n > this.bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + n));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length += n;
    return this.length - n;
  }
  private code(byte: number): void {
    const at = this.reserve(1);
    this.bytes[at] = byte;
  }
  private raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** Remembers the value on top of the stack. */
  private memoize(key?: unknown): number {
    const index = this.memoSize++;
    if (key !== undefined) this.memo.set(key, index);
    if (index < 256) {
      this.code(0x71);
      this.code(index);
    } else {
      this.code(0x72);
      const at = this.reserve(4);
      this.view.setUint32(at, index, true);
    }
    return index;
  }
  private recall(index: number): void {
    if (index < 256) {
      this.code(0x68);
      this.code(index);
    } else {
      this.code(0x6a);
      const at = this.reserve(4);
      this.view.setUint32(at, index, true);
    }
  }

  private save(value: unknown): void {
    if (value === null || value === undefined) this.code(0x4e);
    else if (typeof value === 'boolean') this.code(value ? 0x88 : 0x89);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'bigint') this.integer(value);
    else if (typeof value === 'string') this.string(value);
    else if (typeof value === 'object' || typeof value === 'function') this.object(value);
    else throw new TypeError(`cannot pickle '${typeof value}' object`);
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.integer(BigInt(value));
    else {
      this.code(0x47);
      const at = this.reserve(8);
      this.view.setFloat64(at, value);
    }
  }
  private integer(value: bigint): void {
    if (value >= 0n && value < 256n) {
      this.code(0x4b);
      this.code(Number(value));
    } else if (value >= 0n && value < 65536n) {
      this.code(0x4d);
      const at = this.reserve(2);
      this.view.setUint16(at, Number(value), true);
    } else if (value >= -(2n ** 31n) && value < 2n ** 31n) {
      this.code(0x4a);
      const at = this.reserve(4);
      this.view.setInt32(at, Number(value), true);
    } else this.long(value);
  }
  private long(value: bigint): void {
    let size = 4;
    while (BigInt.asIntN(8 * size, value) !== value) size++;
    if (size > 255) throw new ValueError('an int of more than 255 bytes cannot be saved');
    this.code(0x8a);
    this.code(size);
    for (let i = 0; i < size; i++) this.code(Number((value >> BigInt(8 * i)) & 255n));
  }
  private string(value: string): void {
    const known = this.memo.get(value);
    if (known !== undefined) {
      this.recall(known);
      return;
    }
    if (/[\ud800-\udfff]/.test(value.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')))
      throw new ValueError('a string with an unpaired surrogate cannot be saved');
    const bytes = new TextEncoder().encode(value);
    this.code(0x58);
    const at = this.reserve(4);
    this.view.setUint32(at, bytes.length, true);
    this.raw(bytes);
    this.memoize(value);
  }

  private object(value: object): void {
    const known = this.memo.get(value);
    if (known !== undefined) {
      this.recall(known);
      return;
    }
    if (++this.depth > MAX_DEPTH)
      throw new RangeError(`cannot save containers that nest more than ${MAX_DEPTH} deep`);
    this.container(value);
    this.depth--;
  }

  private container(value: object): void {
    if (Array.isArray(value)) this.array(value);
    else if (value instanceof Map) this.dict(value, [...value.entries()]);
    else if (value instanceof Set) this.set(value);
    else if (value instanceof Uint8Array) this.byteString(value);
    else if (value instanceof DType) this.global(new PyGlobal('torch', value.name), value);
    else if (value instanceof Device) this.call(deviceCall(value), value);
    else if (value instanceof Complex)
      this.call(
        new PyCall(new PyGlobal('__builtin__', 'complex'), [asFloat(value.re), asFloat(value.im)]),
        value,
      );
    else if (value instanceof Float) {
      this.code(0x47);
      const at = this.reserve(8);
      this.view.setFloat64(at, value.value);
    } else if (value instanceof PyGlobal) this.global(value);
    else if (value instanceof PyCall) this.call(value);
    else if (value instanceof PyPersistent) this.persistent(value);
    else this.other(value);
  }

  private other(value: object): void {
    const reduced = this.reducer(value);
    if (reduced instanceof PyCall) this.call(reduced, value);
    else if (reduced instanceof PyPersistent) this.persistent(reduced);
    else if (isKeywords(value) || (typeof value === 'object' && Object.getPrototypeOf(value) === null))
      this.dict(value, plainEntries(value as Record<string, unknown>));
    else
      throw new TypeError(
        `cannot pickle '${typeName(value)}' object: a checkpoint holds tensors, numbers, strings, Uint8Array, arrays, plain objects, Maps and Sets; save the state_dict() of modules and optimizers`,
      );
  }

  private array(value: readonly unknown[]): void {
    const origin = originOf(value);
    if (origin === 'Size') this.call(new PyCall(new PyGlobal('torch', 'Size'), [tupleOf(value)]), value);
    else if (origin === 'tuple') this.tuple(value, value);
    else this.list(value, value);
  }
  private list(items: readonly unknown[], key?: unknown): void {
    this.code(0x5d);
    this.memoize(key);
    this.batches(items, 1, 0x61, 0x65);
  }
  /** Items of a container on the stack, a thousand at a time. */
  private batches(items: readonly unknown[], each: number, single: number, many: number): void {
    for (let i = 0; i < items.length; i += 1000 * each) {
      const batch = items.slice(i, i + 1000 * each);
      if (batch.length > each) this.code(0x28);
      for (const item of batch) this.save(item);
      this.code(batch.length > each ? many : single);
    }
  }
  private tuple(items: readonly unknown[], key?: unknown): void {
    if (items.length === 0) {
      this.code(0x29);
      return;
    }
    if (items.length > 3) this.code(0x28);
    for (const item of items) this.save(item);
    // A tuple that contains itself was written while its items were.
    const known = key === undefined ? undefined : this.memo.get(key);
    if (known !== undefined) throw new ValueError('a tuple that contains itself cannot be saved');
    this.code(items.length > 3 ? 0x74 : 0x84 + items.length);
    this.memoize(key);
  }
  private dict(value: object, entries: readonly (readonly [unknown, unknown])[]): void {
    const origin = originOf(value);
    if (origin === 'OrderedDict') this.call(new PyCall(orderedDict, []), value);
    else if (origin === 'Counter') {
      const counts = new Map(entries);
      this.call(new PyCall(new PyGlobal('collections', 'Counter'), [counts]), value);
      return;
    } else {
      this.code(0x7d);
      this.memoize(value);
    }
    this.batches(entries.flat(), 2, 0x73, 0x75);
    const attributes = attributesOf(value);
    if (attributes === undefined) return;
    this.save(attributes);
    this.code(0x62);
  }
  private set(value: ReadonlySet<unknown>): void {
    const name = originOf(value) === 'frozenset' ? 'frozenset' : 'set';
    this.call(new PyCall(new PyGlobal('__builtin__', name), [[...value]]), value);
  }
  private byteString(value: Uint8Array): void {
    let text = '';
    for (let i = 0; i < value.length; i += 8192) text += String.fromCharCode(...value.subarray(i, i + 8192));
    const encoded = new PyCall(new PyGlobal('_codecs', 'encode'), [text, 'latin1']);
    if (originOf(value) === 'bytearray')
      this.call(new PyCall(new PyGlobal('__builtin__', 'bytearray'), [encoded]), value);
    else this.call(encoded, value);
  }
  private global(value: PyGlobal, key?: unknown): void {
    const path = `${value.module}\n${value.name}\n`;
    const known = this.globals.get(path);
    if (known !== undefined) {
      this.recall(known);
      return;
    }
    this.code(0x63);
    this.raw(new TextEncoder().encode(path));
    this.globals.set(path, this.memoize(key));
  }
  private call(value: PyCall, key?: unknown): void {
    this.global(value.fn);
    this.tuple(value.args);
    this.code(0x52);
    this.memoize(key);
  }
  private persistent(value: PyPersistent): void {
    this.tuple(value.id);
    this.code(0x51);
  }
}

/** A number that is a float in Python even when it is whole. */
class Float {
  constructor(readonly value: number) {}
}
export const asFloat = (value: number): object => new Float(value);

/** A fresh array that is written as a tuple. */
export function tupleOf(items: readonly unknown[]): readonly unknown[] {
  return setOrigin([...items], 'tuple');
}

const deviceCall = (device: Device): PyCall =>
  new PyCall(
    new PyGlobal('torch', 'device'),
    device.index === null ? [device.type] : [device.type, device.index],
  );

/** Entries of a plain object; keys that are all whole numbers were written as numbers. */
function plainEntries(value: Record<string, unknown>): readonly (readonly [unknown, unknown])[] {
  const entries = Object.entries(value);
  const numbers =
    originOf(value) !== 'OrderedDict' && entries.length > 0 && entries.every(([key]) => isIntegerKey(key));
  return numbers ? entries.map(([key, item]) => [Number(key), item] as const) : entries;
}
