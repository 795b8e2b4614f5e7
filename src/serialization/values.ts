// How Python's values and JavaScript's stand for each other in checkpoints.
//
// Loading: None is null; ints are numbers (bigints beyond 2^53); floats numbers; str strings; bytes and bytearray
// Uint8Array; list, tuple and torch.Size arrays; set Set; complex Complex; dict, OrderedDict and Counter plain objects
// when all their keys are strings, or all are whole numbers >= 0, else Maps.
//
// Saving: the same backwards. A number is an int when it is whole (so 1.0 becomes 1), undefined is None. What an array
// or object was when it was loaded (a tuple, an OrderedDict) is remembered, so that it is saved as that again.

/** What a JavaScript container was in Python. */
export type Origin = 'tuple' | 'Size' | 'OrderedDict' | 'Counter' | 'bytearray' | 'frozenset';

const origins = new WeakMap<object, Origin>();
const attributes = new WeakMap<object, unknown>();

/** @internal What a container shall be saved as, when not what its class says. */
export const originOf = (x: object): Origin | undefined => origins.get(x);

/** @internal */
export function setOrigin<T extends object>(x: T, origin: Origin): T {
  origins.set(x, origin);
  return x;
}

/** @internal Python attributes of an OrderedDict, such as the `_metadata` of a state_dict. */
export const attributesOf = (x: object): unknown => attributes.get(x);

/** @internal */
export function setAttributes(x: object, value: unknown): void {
  attributes.set(x, value);
}

/** Marks an array as a Python tuple: `torch.save` writes it as one. Returns the array. */
export function tuple<T extends readonly unknown[]>(items: T): T {
  return setOrigin(items, 'tuple');
}

/** Marks an array of sizes as a `torch.Size`: `torch.save` writes it as one. Returns the array. */
export function size<T extends readonly number[]>(sizes: T): T {
  return setOrigin(sizes, 'Size');
}

/** Is the text how JavaScript writes a whole number >= 0 as a key? */
export const isIntegerKey = (key: string): boolean =>
  /^(?:0|[1-9]\d{0,15})$/.test(key) && Number.isSafeInteger(Number(key));

/** A dict while it is read. */
export class PyDict extends Map<unknown, unknown> {
  /** Attributes that BUILD set. */
  state: unknown = null;
  constructor(readonly kind: 'dict' | 'OrderedDict' | 'Counter' = 'dict') {
    super();
  }
}

/** A tuple while it is read. */
export class PyTuple {
  constructor(
    readonly items: readonly unknown[],
    readonly kind: 'tuple' | 'Size' = 'tuple',
  ) {}
}

/** Nesting deeper than this is refused rather than overflowing the stack. */
const MAX_DEPTH = 1000;

/** Turns what the unpickler made into JavaScript's values; shared containers stay shared, cycles stay cycles. */
export class Converter {
  private readonly done = new Map<object, unknown>();

  /** @throws RangeError when containers nest too deeply. */
  convert(value: unknown, depth = 0): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const isContainer =
      value instanceof PyDict || value instanceof PyTuple || Array.isArray(value) || value instanceof Set;
    if (!isContainer) return value;
    const known = this.done.get(value);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) throw new RangeError(`containers nest more than ${MAX_DEPTH} deep`);
    if (value instanceof PyDict) return this.dict(value, depth);
    if (value instanceof Set) return this.set(value, depth);
    return this.sequence(value as PyTuple | unknown[], depth);
  }

  private sequence(value: PyTuple | unknown[], depth: number): unknown[] {
    const out: unknown[] = [];
    this.done.set(value, out);
    for (const item of Array.isArray(value) ? value : value.items) out.push(this.convert(item, depth + 1));
    if (value instanceof PyTuple) setOrigin(out, value.kind);
    return out;
  }

  private set(value: Set<unknown>, depth: number): Set<unknown> {
    const out = new Set<unknown>();
    this.done.set(value, out);
    for (const item of value) out.add(this.convert(item, depth + 1));
    const origin = originOf(value);
    return origin ? setOrigin(out, origin) : out;
  }

  private dict(value: PyDict, depth: number): object {
    const out = isPlain(value) ? {} : new Map<unknown, unknown>();
    this.done.set(value, out);
    for (const [key, item] of value) {
      const converted = this.convert(item, depth + 1);
      if (out instanceof Map) out.set(this.convert(key, depth + 1), converted);
      else setOwn(out, String(key), converted);
    }
    if (value.kind !== 'dict') setOrigin(out, value.kind);
    if (value.state !== null) setAttributes(out, this.convert(value.state, depth + 1));
    return out;
  }
}

/** Can the dict be a plain object that is saved as the same dict again? */
function isPlain(dict: PyDict): boolean {
  const keys = [...dict.keys()];
  if (keys.every((k) => typeof k === 'string'))
    return keys.length === 0 || dict.kind === 'OrderedDict' || !keys.every((k) => isIntegerKey(k));
  if (dict.kind === 'OrderedDict') return false;
  return keys.every((k) => typeof k === 'number' && Number.isSafeInteger(k) && k >= 0 && !Object.is(k, -0));
}

/** Sets an own property, whatever its name. */
function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else (target as Record<string, unknown>)[key] = value;
}
