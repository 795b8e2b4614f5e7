// Reading pickles: a machine for the opcodes that hold data. It looks up no names: what a pickle may call is what
// `globals` allows, so that loading a file runs no code of the file's choosing (PyTorch's `weights_only=True`).
//
// The opcodes are those of Python's pickletools documentation, protocols 0 to 5 without those that make new classes.
import { RuntimeError } from '../errors.js';
import { viewOf } from './source.js';
import { PyDict, PyTuple, setOrigin } from './values.js';

/** What Python's `pickle.UnpicklingError` is: a pickle that is damaged, or asks for what is not allowed. */
export class UnpicklingError extends RuntimeError {
  override name = 'UnpicklingError';
}

/** Something that a pickle names and may call, create or extend. */
export interface PickleGlobal {
  readonly path: string;
  /** Called by REDUCE and NEWOBJ with the argument tuple's items. */
  readonly call?: (...args: readonly unknown[]) => unknown;
  /** What stands on the stack when the name itself is a value (a dtype). */
  readonly value?: unknown;
}

export interface UnpicklerOptions {
  /** The meaning of a name; null when it is not allowed. */
  readonly global: (path: string) => PickleGlobal | null;
  readonly persistent?: (id: unknown) => unknown;
  /** BUILD of an object that is no dict. */
  readonly build?: (target: unknown, state: unknown) => unknown;
  /** How 8-bit strings of Python 2 are read. */
  readonly encoding?: 'utf-8' | 'latin1' | 'bytes';
}

const MARK = Symbol('mark');
const blocked = new Set(['sys', 'os', 'posix', 'nt']);

/** Names of Python 2 that protocol 2 writes. */
const renamed: Readonly<Record<string, string>> = {
  __builtin__: 'builtins',
  copy_reg: 'copyreg',
  UserDict: 'collections',
};

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads one pickle of a buffer. */
export class Unpickler {
  /** Position behind what was read. */
  at: number;
  private readonly view: DataView;
  private stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly options: UnpicklerOptions,
    start = 0,
  ) {
    this.view = viewOf(bytes);
    this.at = start;
  }

  /** @throws UnpicklingError for a damaged pickle or a name that is not allowed. */
  load(): unknown {
    for (;;) {
      const code = this.byte();
      if (code === 0x2e) return this.pop();
      const step = opcodes[code];
      if (step === undefined) throw new UnpicklingError(`Unsupported operand ${code}`);
      step(this);
    }
  }

  // Reading.

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new UnpicklingError('pickle data was truncated');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  byte(): number {
    return this.take(1)[0];
  }
  uint16(): number {
    this.take(2);
    return this.view.getUint16(this.at - 2, true);
  }
  uint32(): number {
    this.take(4);
    return this.view.getUint32(this.at - 4, true);
  }
  int32(): number {
    this.take(4);
    return this.view.getInt32(this.at - 4, true);
  }
  uint64(): number {
    this.take(8);
    const n = this.view.getBigUint64(this.at - 8, true);
    if (n > 2n ** 53n) throw new UnpicklingError('pickle data was truncated');
    return Number(n);
  }
  double(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8);
  }
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new UnpicklingError('pickle data was truncated');
    const text = this.text(this.take(end - this.at));
    this.at++;
    return text;
  }
  text(bytes: Uint8Array): string {
    try {
      return utf8.decode(bytes);
    } catch {
      throw new UnpicklingError('a string of the pickle is not UTF-8');
    }
  }
  /** A string of Python 2. */
  oldString(bytes: Uint8Array): unknown {
    const { encoding = 'utf-8' } = this.options;
    if (encoding === 'bytes') return bytes.slice();
    if (encoding === 'utf-8') return this.text(bytes);
    let out = '';
    for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return out;
  }
  /** A two's complement integer, little-endian. */
  long(bytes: Uint8Array): number | bigint {
    if (bytes.length > 1024) throw new UnpicklingError('an integer of the pickle is too long');
    let value = 0n;
    for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
    return integer(BigInt.asIntN(8 * bytes.length, value));
  }

  // The stack.

  push(value: unknown): void {
    this.stack.push(value);
  }
  pop(): unknown {
    if (this.stack.length === 0) throw new UnpicklingError('unexpected end of the stack');
    const value = this.stack.pop();
    if (value === MARK) throw new UnpicklingError('unexpected MARK found');
    return value;
  }
  top(): unknown {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }
  mark(): void {
    this.stack.push(MARK);
  }
  popMark(): unknown[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw new UnpicklingError('could not find MARK');
    const items = this.stack.slice(at + 1);
    this.stack.length = at;
    return items;
  }
  tuple(n: number): void {
    const items: unknown[] = [];
    for (let i = 0; i < n; i++) items.unshift(this.pop());
    this.push(new PyTuple(items));
  }
  remember(index = this.memo.size): void {
    this.memo.set(index, this.top());
  }
  recall(index: number): void {
    if (!this.memo.has(index)) throw new UnpicklingError(`Memo value not found at index ${index}`);
    this.push(this.memo.get(index));
  }

  // Containers.

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list))
      throw new UnpicklingError(`Can only append to lists, but got ${describe(list)}`);
    for (const item of items) list.push(item);
  }
  setItems(items: readonly unknown[], opcode: string): void {
    const dict = this.top();
    if (!(dict instanceof PyDict))
      throw new UnpicklingError(
        `Can only ${opcode} for dict, collections.OrderedDict, collections.Counter, but got ${describe(dict)}`,
      );
    if (items.length % 2 !== 0) throw new UnpicklingError('odd number of items for a dict');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }
  addItems(items: readonly unknown[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw new UnpicklingError(`Can only add to sets, but got ${describe(set)}`);
    for (const item of items) set.add(item);
  }

  // Names and calls.

  global(module: string, name: string): void {
    const path = `${Object.hasOwn(renamed, module) ? renamed[module] : module}.${name}`;
    if (blocked.has(module))
      throw new UnpicklingError(
        `Trying to load unsupported GLOBAL ${path} whose module ${module} is blocked.`,
      );
    const found = this.options.global(path);
    if (found === null) {
      const shown = path.replace(/^builtins\./, '');
      throw new UnpicklingError(
        `Unsupported global: GLOBAL ${shown} was not an allowed global by default. ` +
          `Please use \`torch.serialization.add_safe_globals([${shown}])\` or the ` +
          `\`torch.serialization.safe_globals([${shown}])\` context manager to allowlist this global ` +
          'if you trust this class/function.',
      );
    }
    this.push(found.value === undefined ? found : found.value);
  }
  reduce(what: string): void {
    const args = this.pop();
    const fn = this.pop() as PickleGlobal | null;
    if (!(args instanceof PyTuple)) throw new UnpicklingError(`${what} needs a tuple of arguments`);
    if (typeof fn !== 'object' || fn === null || typeof fn.call !== 'function' || typeof fn.path !== 'string')
      throw new UnpicklingError(`Trying to call reduce for unrecognized function ${describe(fn)}`);
    this.push(fn.call(...args.items));
  }
  build(): void {
    const state = this.pop();
    const target = this.pop();
    if (target instanceof PyDict && target.kind === 'OrderedDict') {
      target.state = state;
      this.push(target);
      return;
    }
    if (!this.options.build)
      throw new UnpicklingError(
        `Can only build Tensor, Parameter, OrderedDict or types allowlisted via \`add_safe_globals\`, but got ${describe(target)}`,
      );
    this.push(this.options.build(target, state));
  }
  persistent(): void {
    const id = this.pop();
    if (!this.options.persistent) throw new UnpicklingError('unsupported persistent id encountered');
    this.push(this.options.persistent(id));
  }
}

/** Python's name for the type of a value on the stack. */
export function describe(x: unknown): string {
  if (x === null || x === undefined) return "<class 'NoneType'>";
  if (x instanceof PyDict) return `<class '${x.kind === 'dict' ? 'dict' : `collections.${x.kind}`}'>`;
  if (x instanceof PyTuple) return "<class 'tuple'>";
  if (Array.isArray(x)) return "<class 'list'>";
  if (typeof x === 'string') return "<class 'str'>";
  if (typeof x === 'boolean') return "<class 'bool'>";
  if (typeof x === 'bigint') return "<class 'int'>";
  if (typeof x === 'number') return `<class '${Number.isInteger(x) ? 'int' : 'float'}'>`;
  const path = (x as Partial<PickleGlobal>).path;
  return typeof path === 'string' ? path : `<class '${(x as object).constructor?.name ?? 'object'}'>`;
}

/** An integer as a number where that is exact. */
const integer = (n: bigint): number | bigint =>
  n >= BigInt(Number.MIN_SAFE_INTEGER) && n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n;

/** The integer of a line of digits (protocols 0 and 1). */
function decimal(text: string): unknown {
  if (text === '00') return false;
  if (text === '01') return true;
  const digits = text.replace(/L$/, '');
  if (!/^-?\d{1,400}$/.test(digits))
    throw new UnpicklingError(`invalid literal for int(): '${text.slice(0, 40)}'`);
  return integer(BigInt(digits));
}

const opcodes: Readonly<Record<number, (u: Unpickler) => void>> = {
  128: (u) => {
    const protocol = u.byte();
    if (protocol > 5) throw new UnpicklingError(`unsupported pickle protocol: ${protocol}`);
  },
  149: (u) => void u.take(8),
  40: (u) => u.mark(),
  48: (u) => void u.pop(),
  49: (u) => void u.popMark(),
  50: (u) => u.push(u.top()),
  // Memo: PUT, BINPUT, LONG_BINPUT, MEMOIZE; GET, BINGET, LONG_BINGET.
  112: (u) => u.remember(Number(decimal(u.line()))),
  113: (u) => u.remember(u.byte()),
  114: (u) => u.remember(u.uint32()),
  148: (u) => u.remember(),
  103: (u) => u.recall(Number(decimal(u.line()))),
  104: (u) => u.recall(u.byte()),
  106: (u) => u.recall(u.uint32()),
  // Plain values.
  78: (u) => u.push(null),
  136: (u) => u.push(true),
  137: (u) => u.push(false),
  73: (u) => u.push(decimal(u.line())),
  76: (u) => u.push(decimal(u.line())),
  74: (u) => u.push(u.int32()),
  75: (u) => u.push(u.byte()),
  77: (u) => u.push(u.uint16()),
  138: (u) => u.push(u.long(u.take(u.byte()))),
  139: (u) => u.push(u.long(u.take(u.uint32()))),
  70: (u) => u.push(floatOf(u.line())),
  71: (u) => u.push(u.double()),
  84: (u) => u.push(u.oldString(u.take(u.uint32()))),
  85: (u) => u.push(u.oldString(u.take(u.byte()))),
  88: (u) => u.push(u.text(u.take(u.uint32()))),
  140: (u) => u.push(u.text(u.take(u.byte()))),
  141: (u) => u.push(u.text(u.take(u.uint64()))),
  66: (u) => u.push(u.take(u.uint32()).slice()),
  67: (u) => u.push(u.take(u.byte()).slice()),
  142: (u) => u.push(u.take(u.uint64()).slice()),
  150: (u) => u.push(setOrigin(u.take(u.uint64()).slice(), 'bytearray')),
  // Containers.
  93: (u) => u.push([]),
  108: (u) => u.push(u.popMark()),
  97: (u) => u.append([u.pop()]),
  101: (u) => {
    const items = u.popMark();
    u.append(items);
  },
  41: (u) => u.push(new PyTuple([])),
  133: (u) => u.tuple(1),
  134: (u) => u.tuple(2),
  135: (u) => u.tuple(3),
  116: (u) => u.push(new PyTuple(u.popMark())),
  125: (u) => u.push(new PyDict()),
  100: (u) => {
    const items = u.popMark();
    u.push(new PyDict());
    u.setItems(items, 'DICT');
  },
  115: (u) => {
    const value = u.pop();
    u.setItems([u.pop(), value], 'SETITEM');
  },
  117: (u) => {
    const items = u.popMark();
    u.setItems(items, 'SETITEMS');
  },
  143: (u) => u.push(new Set()),
  144: (u) => {
    const items = u.popMark();
    u.addItems(items);
  },
  145: (u) => u.push(setOrigin(new Set(u.popMark()), 'frozenset')),
  // Names and calls.
  99: (u) => {
    const module = u.line();
    u.global(module, u.line());
  },
  147: (u) => {
    const name = u.pop();
    const module = u.pop();
    if (typeof name !== 'string' || typeof module !== 'string')
      throw new UnpicklingError('STACK_GLOBAL requires str');
    u.global(module, name);
  },
  82: (u) => u.reduce('REDUCE'),
  129: (u) => u.reduce('NEWOBJ'),
  98: (u) => u.build(),
  81: (u) => u.persistent(),
};

function floatOf(text: string): number {
  const value = text === 'nan' ? Number.NaN : Number(text.replace(/^(-?)inf$/, '$1Infinity'));
  if (text === '' || (Number.isNaN(value) && text !== 'nan'))
    throw new UnpicklingError(`could not convert string to float: '${text.slice(0, 40)}'`);
  return value;
}
