// How ops are defined: each is one record, from which come its function, method, in-place and out= forms.
import { checkInPlace, functionNode, needsGrad, rebase, recordInPlace } from '../autograd/graph.js';
import { type Backend, backendOf, type Operand } from '../backends/backend.js';
import { interception } from '../dispatch/intercept.js';
import { checkInternalOverlap, checkOut, checkOverlap, checkSeparate, resizeOut } from '../dispatch/out.js';
import { checkCast, PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { Schema, typeName } from '../dispatch/schema.js';
import { RuntimeError } from '../errors.js';
import { sameSizes, Tensor } from '../tensor.js';
import { cppTypeName } from './cpp_text.js';

export type { Operand, Scalar } from '../backends/backend.js';

declare const argsOf: unique symbol;
declare const resultOf: unique symbol;

/** An op that is also a tensor method: called as `torch.op(x, ...args)` or `x.op(...args)`. */
export interface Op<A extends readonly unknown[], R> {
  (input: Tensor, ...args: A): R;
  /** @internal Where the methods' types come from. */
  readonly [argsOf]?: A;
  /** @internal */
  readonly [resultOf]?: R;
  readonly opName: string;
}

/** An op with an in-place method `x.op_(...args)`, too. */
export interface InPlaceOp<A extends readonly unknown[], R> extends Op<A, R> {
  readonly inPlace: true;
}

declare const methodOf: unique symbol;

/** An op whose result's type follows from its arguments: `F` are its overloads as a function, `M` as a method. */
export type Overloads<F, M> = F & { readonly opName: string /** @internal */; readonly [methodOf]: M };

/** Method types of a table of ops. */
export type Methods<T> = MethodsOf<Pick<T, OpNames<T>>>;

/** The exports of a module that are ops. */
type OpNames<T> = { [K in keyof T]: T[K] extends { readonly opName: string } ? K : never }[keyof T];
// Mapped over keyof its parameter, without renaming: only so do editors find documentation and definitions.
type MethodsOf<T> = {
  [K in keyof T]: T[K] extends { readonly [methodOf]: infer M }
    ? M
    : T[K] extends Op<infer A, infer R>
      ? (...args: A) => R
      : never;
};

/** Types of the in-place methods of a table of ops. */
export type InPlaceMethods<T> = {
  [K in keyof T as T[K] extends { readonly inPlace: true } ? `${K & string}_` : never]: T[K] extends Op<
    infer A,
    unknown
  >
    ? (...args: A) => Tensor
    : never;
};

/** A read-only property of tensors, such as `x.T`; also a function of the tensor. */
export interface Property<R> {
  (input: Tensor): R;
  readonly propertyName: string;
}

/** Property types of a table of ops. */
export type Properties<T> = {
  readonly [K in keyof T as T[K] extends { readonly propertyName: string }
    ? K
    : never]: T[K] extends Property<infer R> ? R : never;
};

/** What an op's function carries for the installation of methods. */
interface Installed {
  opName: string;
  method?: (this: Tensor, ...args: readonly unknown[]) => unknown;
  inPlaceMethod?: (this: Tensor, ...args: readonly unknown[]) => unknown;
}

/** Options that every op with one tensor result takes. */
export interface Out {
  /** Where to write the result. */
  out?: Tensor;
}

type Impl = (...args: never[]) => unknown;

interface OpOptions {
  /** Which parameter the method's `this` is; none: no method. Default 0 when the first is `Tensor self`. */
  self?: number | null;
  /** Name of the method, when it is not the function's. */
  inPlace?: boolean;
  /** The implementation takes `out` itself, as one of its parameters. */
  ownOut?: boolean;
  /** `out=` tensors must have the results' dtypes, and (unless 'dtype') share no memory with the arguments. */
  exactOut?: boolean | 'dtype';
  /** No operand may share memory with `out`. */
  separateOut?: boolean;
}

/** Every op by name, for tools that look at the whole (the fuzzer, the documentation). */
export const opTable = new Map<
  string,
  { readonly schema: Schema; readonly fn: (...args: readonly unknown[]) => unknown }
>();

/** The name by which messages call an op: `linalg_inv`, but `pad` of `nn.functional.pad`. */
const messageName = (name: string): string =>
  name.startsWith('nn.') ? name.slice(name.lastIndexOf('.') + 1) : name.replaceAll('.', '_');

/**
 * Defines an op from a schema and an implementation over other ops or kernels.
 * @param name the public name, with dots for namespaces ('nn.functional.pad').
 * @param schema PyTorch's parameters; `out` is added by itself unless the result is no tensor.
 * @param impl takes one argument per parameter of the schema.
 */
export function op<F>(name: string, schema: string, impl: Impl, options: OpOptions = {}): F {
  const short = messageName(name);
  const hasOut = /\bout\b/.test(schema);
  const full = new Schema(short, schema);
  const outAt = hasOut && !options.ownOut ? full.names.indexOf('out') : -1;
  const self = options.self === undefined ? (schema.startsWith('Tensor self') ? 0 : null) : options.self;
  const implementation = impl as unknown as (...args: readonly unknown[]) => unknown;

  const execute = (bound: unknown[]): unknown => {
    const out = outAt < 0 ? null : bound[outAt];
    if (out === null) return implementation(...bound);
    bound[outAt] = null;
    if (options.separateOut && out instanceof Tensor) checkSeparate(out, bound.flat());
    return writeOut(short, bound, implementation(...bound), out, options.exactOut ?? false);
  };
  const invoke = (args: readonly unknown[], skipped: number): unknown => {
    const bound = full.bind(args, skipped);
    if (interception.current === null) return execute(bound);
    return interception.current(name, bound, (...next) => execute([...next]));
  };
  const call = (...args: readonly unknown[]): unknown => invoke(args, 0);
  const installed: Installed = { opName: name };
  if (self === 0)
    installed.method = function (...args) {
      return invoke([this, ...args], 1);
    };
  else if (self !== null)
    installed.method = function (...args) {
      return call(...args.slice(0, self), this, ...args.slice(self));
    };
  if (options.inPlace)
    installed.inPlaceMethod = function (...args) {
      return writeInPlace(this, (x) => call(x, ...args) as Tensor);
    };
  opTable.set(name, { schema: full, fn: call });
  return Object.assign(call, installed, options.inPlace ? { inPlace: true } : {}) as F;
}

/** Defines a tensor method (and function) that reads its own arguments, such as `to`. */
export function method<A extends readonly unknown[], R>(
  name: string,
  fn: (self: Tensor, ...args: A) => R,
): Op<A, R> {
  const call = fn as unknown as (...args: readonly unknown[]) => unknown;
  const installed: Installed = {
    opName: name,
    method(...args) {
      return call(this, ...args);
    },
  };
  return Object.assign(fn, installed) as unknown as Op<A, R>;
}

/** Defines a read-only property of tensors. */
export function property<R>(name: string, get: (self: Tensor) => R): Property<R> {
  return Object.assign((self: Tensor) => get(self), { propertyName: name });
}

/** @internal Copies results into `out=` tensors, resizing them. */
export function writeOut(
  name: string,
  args: readonly unknown[],
  result: unknown,
  out: unknown,
  exact: boolean | 'dtype',
): unknown {
  if (result instanceof Tensor) {
    if (!(out instanceof Tensor))
      throw new TypeError(`${name}(): argument 'out' must be Tensor, not ${typeName(out)}`);
    checkOut(name, args, out);
    if (exact) checkExact(result, out, exact === true ? args : []);
    storeOut(result, out);
    return out;
  }
  const results = Array.from(result as Iterable<Tensor>);
  const outs = Array.isArray(out) ? (out as Tensor[]) : [out as Tensor];
  if (outs.length !== results.length)
    throw new TypeError(`${name}(): argument 'out' must be tuple of ${results.length} Tensors`);
  const wrong = outs.findIndex((x) => !(x instanceof Tensor));
  if (wrong >= 0)
    throw new TypeError(
      `${name}(): expected Tensor as element ${wrong} in argument 'out', but got ${typeName(outs[wrong])}`,
    );
  results.forEach((r, i) => {
    checkOut(name, args, outs[i]);
    if (exact) checkExact(r, outs[i], exact === true ? args : []);
    storeOut(r, outs[i]);
  });
  return Array.isArray(result) ? Object.assign(result, outs) : outs;
}

function checkExact(result: Tensor, out: Tensor, args: readonly unknown[]): void {
  if (out.dtype !== result.dtype) {
    throw new RuntimeError(
      `Expected out tensor to have dtype ${cppTypeName(result.dtype)}, but got ${cppTypeName(out.dtype)} instead`,
    );
  }
  checkSeparate(out, args);
}

function storeOut(result: Tensor, out: Tensor): void {
  checkCast(result.dtype, out.dtype);
  resizeOut(out, result.shape);
  if (!out._contiguous) checkInternalOverlap(out);
  if (result._numel > 0) backend(out).launch('copy', out, result);
  out._storage.version++;
}

/** The in-place form of any op: x takes the values and the history of op(x). */
export function writeInPlace(x: Tensor, compute: (x: Tensor) => Tensor): Tensor {
  checkInPlace(x, needsGrad(x));
  const result = compute(x);
  if (result.requires_grad) checkInPlace(x, true);
  if (!sameSizes(result.shape, x.shape))
    throw new RuntimeError(
      `output with shape [${x.shape.join(', ')}] doesn't match the broadcast shape [${result.shape.join(', ')}]`,
    );
  checkCast(result.dtype, x.dtype);
  checkOverlap(x, x);
  if (x._numel > 0) backend(x).launch('copy', x, result);
  const node = result.grad_fn;
  // A view is overwritten, as if by copy_: the op's own node knows nothing of the slice that it replaces.
  if (node !== null && x._base !== null)
    recordInPlace(
      x,
      functionNode('CopyBackwards', () => ([g]) => [null, g]),
      [x, result],
    );
  else {
    recordInPlace(x, null, []);
    if (node !== null) rebase(x, node);
  }
  return x;
}

/** Defines a pointwise op of one tensor: function, method, in-place and out= forms. */
export function unary(name: string, spec: PointwiseSpec): InPlaceOp<[options?: Out], Tensor> {
  const record = new PointwiseOp(name, spec);
  return pointwiseForms(name, 'Tensor self, *, Tensor? out=None', (self) => [record, self], record);
}

/** Defines a pointwise op of two operands, either of which may be a number. */
export function binary(
  name: string,
  spec: PointwiseSpec,
): InPlaceOp<[other: Operand, options?: Out], Tensor> {
  const record = new PointwiseOp(name, spec);
  return pointwiseForms(
    name,
    'Operand self, Operand other, *, Tensor? out=None',
    (self, other) => [record, self, other],
    record,
  );
}

/** Defines a pointwise op of a tensor and an operand that may be a number. */
export function tensorFirst(
  name: string,
  spec: PointwiseSpec,
): InPlaceOp<[other: Operand, options?: Out], Tensor> {
  const record = new PointwiseOp(name, spec);
  return pointwiseForms(
    name,
    'Tensor self, Operand other, *, Tensor? out=None',
    (self, other) => [record, self, other],
    record,
  );
}

/** Defines a pointwise op of two tensors. */
export function tensorBinary(
  name: string,
  spec: PointwiseSpec,
): InPlaceOp<[other: Tensor, options?: Out], Tensor> {
  const record = new PointwiseOp(name, { ...spec, tensorsOnly: true });
  return pointwiseForms(
    name,
    'Tensor self, Tensor other, *, Tensor? out=None',
    (self, other) => [record, self, other],
    record,
  );
}

/** The same op under another name. */
export function alias<F extends { readonly opName: string }>(name: string, target: F): F {
  const call = target as unknown as (...args: readonly unknown[]) => unknown;
  const fn = (...args: readonly unknown[]): unknown => call(...args);
  const known = opTable.get(target.opName);
  if (known) opTable.set(name, { schema: known.schema, fn });
  return Object.assign(fn, target, { opName: name }) as unknown as F;
}

/** A pointwise record with the operands to call it on. */
export type PointwiseCall = readonly [record: PointwiseOp, ...operands: Operand[]];

/** What serves the calls with plain operands: a record, or a choice among several. */
export interface Fast {
  readonly arity: number;
  /** May the second operand be a plain number? */
  readonly numbers: boolean;
  call(operands: readonly Operand[], out?: Tensor | null, inPlace?: boolean): Tensor;
}

/** Serves calls of two operands with the record that they ask for. */
export function fastChoice(choose: (x: Operand, y: Operand) => PointwiseCall): Fast {
  return {
    arity: 2,
    numbers: true,
    call: ([x, y], out = null, inPlace = false) => {
      const [record, ...operands] = choose(x, y);
      return record.call(operands, out, inPlace);
    },
  };
}

/**
 * Defines the forms of a pointwise op whose record depends on its arguments, such as `add` with `alpha`.
 * @param select picks the record and its operands from the bound arguments (without `out`, the last parameter).
 * @param fast the record of calls with tensors (or one tensor and a number) alone.
 */
export function pointwiseForms<F>(
  name: string,
  schema: string,
  select: (...args: never[]) => PointwiseCall,
  fast: Fast | null = null,
): F {
  const short = messageName(name);
  const full = new Schema(short, schema);
  const choose = select as unknown as (...args: readonly unknown[]) => PointwiseCall;
  const arity = fast?.arity ?? 0;
  const numbers = fast?.numbers ?? false;
  const general = (given: readonly unknown[], inPlace: boolean): Tensor => {
    const bound = full.bind(given);
    const out = (bound.pop() as Tensor | null) ?? null;
    const [record, ...operands] = choose(...bound);
    return record.call(operands, inPlace ? (given[0] as Tensor) : out, inPlace);
  };
  // Fixed arity and no argument objects: these are the hottest paths of the library.
  const call = (a?: unknown, b?: unknown, c?: unknown, d?: unknown, x?: unknown, y?: unknown): Tensor => {
    if (a instanceof Tensor && c === undefined && fast !== null) {
      if (arity === 1) {
        if (b === undefined) return fast.call([a]);
      } else if (arity === 2 && (b instanceof Tensor || (numbers && typeof b === 'number')))
        return fast.call([a, b]);
    }
    return general([a, b, c, d, x, y], false);
  };
  const forms = {
    opName: name,
    inPlace: true,
    method(this: Tensor, a?: unknown, b?: unknown, c?: unknown, d?: unknown, x?: unknown): Tensor {
      return call(this, a, b, c, d, x);
    },
    inPlaceMethod(this: Tensor, a?: unknown, b?: unknown, c?: unknown, d?: unknown, x?: unknown): Tensor {
      if (
        arity === 2 &&
        b === undefined &&
        fast !== null &&
        (a instanceof Tensor || (numbers && typeof a === 'number'))
      )
        return fast.call([this, a], this, true);
      return general([this, a, b, c, d, x], true);
    },
  };
  opTable.set(name, { schema: full, fn: call });
  return Object.assign(call, forms) as unknown as F;
}

/** A pointwise record without public forms of its own: the engine of ops with more parameters. */
export function pointwise(name: string, spec: PointwiseSpec): (...operands: readonly Operand[]) => Tensor {
  const record = new PointwiseOp(name, spec);
  return Object.assign((...operands: readonly Operand[]) => record.call(operands), { record });
}

/** Makes the methods of every op of a module. */
export function installMethods(ops: Readonly<Record<string, unknown>>): void {
  for (const value of Object.values(ops)) {
    if (typeof value !== 'function') continue;
    const { opName, method, inPlaceMethod, propertyName } = value as Partial<
      Installed & { propertyName: string }
    >;
    if (propertyName !== undefined) {
      Object.defineProperty(Tensor.prototype, propertyName, {
        get: getter(value as (x: Tensor) => unknown),
        configurable: true,
      });
      continue;
    }
    if (opName === undefined) continue;
    const short = opName.slice(opName.lastIndexOf('.') + 1);
    if (method) define(short, method);
    if (inPlaceMethod) define(`${short}_`, inPlaceMethod);
  }
}

function getter(get: (x: Tensor) => unknown): () => unknown {
  return function (this: Tensor) {
    return get(this);
  };
}

function define(name: string, value: unknown): void {
  Object.defineProperty(Tensor.prototype, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

/** The back end of a tensor's device. */
export function backend(x: Tensor): Backend {
  return backendOf(x._storage.device.type);
}
