// Binding of call arguments: PyTorch's positional order, then one plain object of keywords, checked by a
// schema such as 'Tensor self, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None'.
import { Complex } from '../complex.js';
import { Device } from '../device.js';
import { DType } from '../dtype.js';
import { Generator } from '../generator.js';
import { Tensor } from '../tensor.js';

type Check = (x: unknown) => boolean;

interface Param {
  readonly name: string;
  readonly type: string;
  readonly check: Check;
  readonly required: boolean;
  readonly fallback: unknown;
  readonly keywordOnly: boolean;
}

const isInt: Check = (x) =>
  (typeof x === 'number' && Number.isInteger(x)) || typeof x === 'bigint' || isScalarTensor(x, true);
const isNumber: Check = (x) => typeof x === 'number' || typeof x === 'bigint' || isScalarTensor(x, false);
const isScalar: Check = (x) => isNumber(x) || typeof x === 'boolean' || x instanceof Complex;
const isTensor: Check = (x) => x instanceof Tensor;

function isScalarTensor(x: unknown, integral: boolean): boolean {
  return (
    x instanceof Tensor && x.shape.length === 0 && (!integral || x.dtype.is_integral) && !x.requires_grad
  );
}

/** The types that schemas name, as PyTorch's schema language has them. */
const checks: Readonly<Record<string, Check>> = {
  Tensor: isTensor,
  int: isInt,
  float: isNumber,
  bool: (x) => typeof x === 'boolean',
  str: (x) => typeof x === 'string',
  Scalar: isScalar,
  Operand: (x) => isTensor(x) || isScalar(x),
  dtype: (x) => x instanceof DType,
  device: (x) => x instanceof Device || typeof x === 'string' || typeof x === 'number',
  Generator: (x) => x instanceof Generator,
  any: () => true,
};

/** The Python type's name of a value, for messages. */
export function typeName(x: unknown): string {
  if (x === null || x === undefined) return 'NoneType';
  if (Array.isArray(x)) return 'list';
  if (typeof x === 'number') return Number.isInteger(x) ? 'int' : 'float';
  if (typeof x === 'bigint') return 'int';
  if (typeof x === 'boolean') return 'bool';
  if (typeof x === 'string') return 'str';
  if (typeof x === 'function') return 'function';
  if (x instanceof Complex) return 'complex';
  const name = (x as object).constructor?.name;
  return name === 'Object' || !name ? 'dict' : name;
}

const displayed: Readonly<Record<string, string>> = {
  'int[]': 'tuple of ints',
  'float[]': 'tuple of floats',
  'Tensor[]': 'tuple of Tensors',
  Scalar: 'Number',
  Operand: 'Tensor',
  dtype: 'torch.dtype',
  device: 'torch.device',
  Generator: 'torch.Generator',
};

function parseDefault(text: string): unknown {
  if (text === 'None') return null;
  if (text === 'True') return true;
  if (text === 'False') return false;
  if (text.startsWith("'")) return text.slice(1, -1);
  if (text.startsWith('[')) return JSON.parse(text) as unknown;
  const n = Number(text);
  if (Number.isNaN(n) && text !== 'nan') throw new Error(`schema default ${text}`);
  return n;
}

function parseParam(text: string, keywordOnly: boolean): Param {
  const match = /^(\w+)(\[\d*\])?(\?)?(\.\.\.)?\s+(\w+)(?:=(.*))?$/.exec(text);
  if (!match) throw new Error(`schema parameter '${text}'`);
  const [, base, list, optional, , name, fallback] = match;
  const one = checks[base];
  if (!one) throw new Error(`schema type '${base}'`);
  let check = one;
  if (list !== undefined) {
    // int[1] also takes one int, as in PyTorch; int[] of varargs was gathered before.
    const single = list === '[]' ? () => false : one;
    check = (x) => (Array.isArray(x) ? x.every(one) : single(x));
  }
  const inner = check;
  if (optional) check = (x) => x === null || inner(x);
  return {
    name,
    type: base + (list === undefined ? '' : '[]'),
    check,
    required: fallback === undefined,
    fallback: fallback === undefined ? undefined : parseDefault(fallback),
    keywordOnly,
  };
}

/** What is wrong with separate arguments that stand for one list. */
function misfit(param: Param, values: readonly unknown[], where: string): string {
  const type = displayed[param.type] ?? param.type;
  if (values.length === 1) return `${where.trim()} must be ${type}, not ${typeName(values[0])}`;
  const at = values.findIndex((x) => !checks[param.type.slice(0, -2)](x));
  return `failed to unpack the object at pos ${at + 1} with error "type must be ${type},but got ${typeName(values[at])}"`;
}

/** The name of a parameter in messages: functions call the tensor they belong to `input`. */
const shown = (param: Param): string => (param.name === 'self' ? 'input' : param.name);

/** What is wrong with an argument: its type, or that of an element of a list. */
function mismatch(param: Param, value: unknown): string {
  const one = param.type.endsWith('[]') ? checks[param.type.slice(0, -2)] : null;
  const at = one && Array.isArray(value) ? value.findIndex((x) => !one(x)) : -1;
  return at < 0
    ? `not ${typeName(value)}`
    : `but found element of type ${typeName((value as unknown[])[at])} at pos ${at}`;
}

/** Plain objects carry keywords; every class instance is a value. */
export function isKeywords(x: unknown): x is Record<string, unknown> {
  return typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype;
}

/** Names under which PyTorch also takes a parameter. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  self: ['input'],
  input: ['self'],
  dim: ['axis', 'axes'],
  dims: ['axes', 'dim'],
  keepdim: ['keepdims'],
  other: ['x2'],
};

/** A bigint as the number that it equals, where a number is asked for and holds it. */
function narrowed(value: bigint, param: Param): number | bigint {
  if (param.type === 'float') return Number(value);
  return param.type.startsWith('int') && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** A parsed schema. */
export class Schema {
  private params: readonly Param[] | undefined;
  private positional = 0;
  private varargs = -1;

  constructor(
    readonly name: string,
    private readonly text: string,
  ) {}

  private parse(): readonly Param[] {
    let keywordOnly = false;
    const params: Param[] = [];
    for (const raw of this.text.split(/,\s*(?![^[]*\])/)) {
      const part = raw.trim();
      if (part === '') continue;
      if (part === '*') {
        keywordOnly = true;
        continue;
      }
      if (/^\w+\[\d*\]\??\.\.\./.test(part)) this.varargs = params.length;
      params.push(parseParam(part, keywordOnly));
    }
    const firstKeyword = params.findIndex((p) => p.keywordOnly);
    this.positional = firstKeyword < 0 ? params.length : firstKeyword;
    this.params = params;
    return params;
  }

  /** Parameter names, in the order of the bound arguments. */
  get names(): readonly string[] {
    return (this.params ?? this.parse()).map((p) => p.name);
  }

  /**
   * One value per parameter, defaults filled in.
   * @param skipped how many leading arguments are a method's `this`: positions in messages count from the next one.
   * @throws TypeError as PyTorch's argument parser words it.
   */
  bind(given: readonly unknown[], skipped = 0): unknown[] {
    const params = this.params ?? this.parse();
    let count = given.length;
    while (count > 0 && given[count - 1] === undefined) count--;
    let args = given;
    const last = args[count - 1];
    let keywords: Record<string, unknown> | null = null;
    if (isKeywords(last)) {
      keywords = last;
      count--;
    }
    if (this.varargs >= 0 && count > this.varargs) {
      const first = args[this.varargs];
      if (!Array.isArray(first) && first !== null) {
        args = [...args.slice(0, this.varargs), args.slice(this.varargs, count)];
        count = args.length;
      }
    }
    if (count > this.positional)
      throw new TypeError(
        `${this.name}() takes ${this.positional} positional argument${this.positional === 1 ? '' : 's'} but ${count} were given`,
      );
    const bound = new Array<unknown>(params.length);
    for (let i = 0; i < params.length; i++)
      bound[i] = i < count && args[i] !== undefined ? args[i] : undefined;
    if (keywords) this.bindKeywords(keywords, bound, count);
    for (let i = 0; i < params.length; i++)
      bound[i] = this.checked(params[i], bound[i], i - skipped, args !== given && i === this.varargs);
    return bound;
  }

  private bindKeywords(keywords: Record<string, unknown>, bound: unknown[], count: number): void {
    const params = this.params as readonly Param[];
    for (const key of Object.keys(keywords)) {
      if (keywords[key] === undefined) continue;
      let i = params.findIndex((p) => p.name === key);
      if (i < 0) i = params.findIndex((p) => synonyms[p.name]?.includes(key));
      if (i < 0) throw new TypeError(`${this.name}() got an unexpected keyword argument '${key}'`);
      if (i < count && bound[i] !== undefined)
        throw new TypeError(`${this.name}() got multiple values for argument '${key}'`);
      bound[i] = keywords[key];
    }
  }

  private checked(param: Param, value: unknown, i: number, gathered: boolean): unknown {
    if (value === undefined) {
      if (param.required)
        throw new TypeError(`${this.name}() missing 1 required positional arguments: "${shown(param)}"`);
      return param.fallback;
    }
    if (!param.check(value)) {
      const where = param.keywordOnly ? '' : ` (position ${i + 1})`;
      if (gathered)
        throw new TypeError(
          `${this.name}(): argument '${shown(param)}' ${misfit(param, value as unknown[], where)}`,
        );
      throw new TypeError(
        `${this.name}(): argument '${shown(param)}'${where} must be ${displayed[param.type] ?? param.type}, ${mismatch(param, value)}`,
      );
    }
    if (typeof value === 'bigint') return narrowed(value, param);
    if (param.type === 'int[]' && Array.isArray(value))
      return value.map((x: unknown) => (typeof x === 'bigint' ? narrowed(x, param) : x));
    if (value instanceof Tensor && (param.type === 'int' || param.type === 'float')) return value.item();
    return value;
  }
}
