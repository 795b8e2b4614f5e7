// The generic call of a pointwise op: promotion, broadcasting, allocation, kernel, autograd.
import {
  attach,
  checkInPlace,
  fitGradient,
  functionNode,
  type Grad,
  gradEdge,
  graphMath,
  modifiedText,
  Node,
  recordInPlace,
  SavedTensor,
  saveTensor,
  saving,
  throwBackwardTwice,
} from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf, type Operand, type PointwiseKernel, type Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import type { Device } from '../device.js';
import { bool, complex128, type DType, float32, float64, get_default_dtype, int64 } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { type Expr, type ExprKind, input, type Prim, type Program, program } from '../expr.js';
import { autogradMeta, sameSizes, Tensor } from '../tensor.js';
import { empty, emptyLike } from './allocate.js';
import { interception } from './intercept.js';
import { checkOut, checkOverlap, resizeOut } from './out.js';
import { broadcastShapes, resultType } from './promotion.js';

/** What a derivative may name: the gradient of the result, the result, and the operands. */
export interface Symbols {
  readonly grad: Expr;
  readonly result: Expr;
  readonly x: Expr;
  readonly y: Expr;
  readonly z: Expr;
  readonly w: Expr;
}

/** The record of a pointwise op. */
export interface PointwiseSpec {
  /** Value of one element. */
  readonly forward: (...inputs: Expr[]) => Expr;
  /** Gradients by operand, over {@link Symbols}; null for an operand that has none. Absent: not differentiable. */
  readonly derivative?: (s: Symbols) => readonly (Expr | null)[];
  /**
   * Which element types: `number` integers and floats as they are (the default); `float` integers are promoted
   * to the default float; `integer` integers and bool only; `real` floats as they are, integers refused.
   */
  readonly types?: 'number' | 'float' | 'integer' | 'real';
  /** Also defined for complex numbers. */
  readonly complex?: boolean;
  /** How many operands decide the dtype, when the others are parameters. Default: all. */
  readonly deciding?: number;
  /** Complex operands give a real result. */
  readonly realResult?: boolean;
  /** Refused for bool operands, with this name in the message. */
  readonly noBool?: boolean;
  /** Which operands are truth values (they do not take part in promotion). Default: none. */
  readonly kinds?: readonly ExprKind[];
  /** Every operand must be a tensor. */
  readonly tensorsOnly?: boolean;
  /** The op's name in "not implemented for" messages; the name itself by default. */
  readonly kernelName?: string;
  /** The node's name, or how it follows from the operands; by default from the op's: 'mul' gives MulBackward0. */
  readonly node?: string | ((operands: readonly Operand[]) => string);
  /** One kernel for what are several ops: where gradients are wanted, they are called instead. */
  readonly fused?: boolean;
  /** Checks of an op's own, by the dtype it would compute in: throws what PyTorch does. */
  readonly check?: (type: DType, operands: readonly Operand[]) => void;
}

const SYMBOLS: Symbols = {
  grad: input(0),
  result: input(1),
  x: input(2),
  y: input(3),
  z: input(4),
  w: input(5),
};
const FIRST_OPERAND = 2;

/** A derivative's program and the operands (as in {@link Symbols}) that it reads. */
interface Derivative {
  readonly expr: Expr;
  readonly program: Program;
  readonly kernels: (PointwiseKernel | undefined)[];
  /** The gradient itself: nothing to compute. */
  readonly passes: boolean;
}

/** 'log_softmax' to 'LogSoftmaxBackward0'. */
export function nodeName(op: string): string {
  return `${op.replace(/(^|_|[0-9])([a-z0-9])/g, (_, before: string, c: string) => (before === '_' ? '' : before) + c.toUpperCase())}Backward0`;
}

/** Every pointwise op that was defined: what the kernel generator renders. */
export const pointwiseOps: PointwiseOp[] = [];

export class PointwiseOp {
  readonly arity: number;
  readonly node: string | ((operands: readonly Operand[]) => string);
  readonly kinds: readonly ExprKind[];
  /** May the second operand be a plain number? */
  readonly numbers: boolean;
  private readonly kernels: (PointwiseKernel | undefined)[] = [];
  private compiled: Program | undefined;
  private gradients: readonly (Derivative | null)[] | undefined;

  constructor(
    readonly name: string,
    readonly spec: PointwiseSpec,
  ) {
    this.arity = spec.forward.length;
    this.kinds = spec.kinds ?? [];
    this.numbers = spec.tensorsOnly !== true;
    this.node = spec.node ?? nodeName(name);
    pointwiseOps.push(this);
  }

  get program(): Program {
    if (!this.compiled) {
      const inputs = Array.from({ length: this.arity }, (_, i) => input(i, this.kinds[i] ?? 'number'));
      this.compiled = program(this.spec.forward(...inputs));
      if (this.compiled.inputs.length !== this.arity)
        throw new Error(`${this.name} does not read all its operands`);
    }
    return this.compiled;
  }

  get derivatives(): readonly (Derivative | null)[] {
    this.gradients ??= (this.spec.derivative?.(this.symbols()) ?? []).map((expr) => {
      if (expr === null) return null;
      return { expr, program: program(expr), kernels: [], passes: expr === SYMBOLS.grad };
    });
    return this.gradients;
  }

  private symbols(): Symbols {
    if (this.kinds.length === 0) return SYMBOLS;
    const operand = (i: number): Expr => input(FIRST_OPERAND + i, this.kinds[i] ?? 'number');
    return {
      grad: SYMBOLS.grad,
      result: SYMBOLS.result,
      x: operand(0),
      y: operand(1),
      z: operand(2),
      w: operand(3),
    };
  }

  /** The kernel that computes in the given dtype. */
  kernel(compute: DType): PointwiseKernel {
    let k = this.kernels[compute.code];
    if (!k) {
      k = { program: this.program, compute, handle: -1 };
      this.kernels[compute.code] = k;
    }
    return k;
  }

  /**
   * Calls the op.
   * @param out write the result there: into the first operand for in-place calls.
   */
  call(operands: readonly Operand[], out: Tensor | null = null, inPlace = false): Tensor {
    if (interception.current !== null)
      return interception.current(inPlace ? `${this.name}_` : this.name, operands, (...args) =>
        this.run(args as readonly Operand[], out, inPlace),
      ) as Tensor;
    return this.run(operands, out, inPlace);
  }

  private run(operands: readonly Operand[], out: Tensor | null, inPlace: boolean): Tensor {
    const type = this.operandType(operands);
    const resultDtype =
      this.program.kind === 'bool' ? bool : this.spec.realResult === true ? type.to_real() : type;
    let first: Tensor | null = null;
    let shape: readonly number[] | null = null;
    let device: Device | null = null;
    let grad = false;
    for (let i = 0; i < operands.length; i++) {
      const x = operands[i];
      if (!(x instanceof Tensor)) continue;
      if (shape === null) {
        first = x;
        shape = x.shape;
        device = x._storage.device;
      } else {
        if (x.shape !== shape) shape = this.broadcast(shape, x.shape, inPlace ? operands[0] : null);
        if (x._storage.device !== device) device = joinDevices(device as Device, x);
      }
      if (mode.grad && x.requires_grad && x.dtype.code > int64.code) grad = true;
    }
    if (shape === null || first === null || device === null)
      throw new TypeError(`${this.name}(): needs a Tensor among its arguments`);
    if (this.spec.derivative === undefined) {
      if (grad && this.spec.fused) return this.unfused(operands, out);
      grad = false;
    }
    const target =
      out === null
        ? this.allocate(operands, first, shape, resultDtype, device)
        : this.prepare(operands, out, shape, resultDtype, inPlace, grad);
    // Saving comes before the write: an operand that it changes must fail in backward.
    const node = grad ? new PointwiseNode(this, operands, inPlace) : null;
    if (target._numel > 0) backendOf(device.type).pointwise(this.kernel(computeType(type)), target, operands);
    if (inPlace) {
      recordInPlace(target, node, node ? operands.map(asTensor) : []);
      node?.keepResult(target);
    } else if (out !== null) out._storage.version++;
    else if (node !== null) {
      for (let i = 0; i < operands.length; i++) {
        const x = operands[i];
        const edge = x instanceof Tensor && this.derivatives[i] ? gradEdge(x) : null;
        node.next.push(edge);
        node.nextNr.push(edge === null ? 0 : ((x as Tensor)._meta?.output_nr ?? 0));
      }
      attach(node, [target]);
      node.keepResult(target);
    }
    return target;
  }

  /** The call as differentiable tensor ops. */
  private unfused(operands: readonly Operand[], out: Tensor | null): Tensor {
    const inputs = Array.from({ length: this.arity }, (_, i) => input(i, this.kinds[i] ?? 'number'));
    // What the formula saves must outlive the write.
    const before = out?.clone();
    const operand = (i: number): Operand => (operands[i] === out ? (before as Tensor) : operands[i]);
    const value = evaluate(this.spec.forward(...inputs), operand) as Tensor;
    return out === null ? value : out.copy_(value);
  }

  private broadcast(a: readonly number[], b: readonly number[], self: Operand | null): readonly number[] {
    const shape = broadcastShapes(a, b);
    if (self instanceof Tensor && !sameSizes(shape, self.shape))
      throw new RuntimeError(
        `output with shape [${self.shape.join(', ')}] doesn't match the broadcast shape [${shape.join(', ')}]`,
      );
    return shape;
  }

  private allocate(
    operands: readonly Operand[],
    first: Tensor,
    shape: readonly number[],
    dtype: DType,
    device: Device,
  ): Tensor {
    if (first.shape === shape && first._contiguous) return empty(shape, dtype, device);
    for (const x of operands)
      if (
        x instanceof Tensor &&
        x.shape.length > 1 &&
        sameSizes(x.shape, shape) &&
        !x._contiguous &&
        device.type === x.device.type
      ) {
        const like = emptyLike(x, dtype);
        if (!like._contiguous || x === operands[operands.length - 1]) return like;
      } else if (x instanceof Tensor && x._contiguous && sameSizes(x.shape, shape)) break;
    return empty(shape, dtype, device);
  }

  private prepare(
    operands: readonly Operand[],
    out: Tensor,
    shape: readonly number[],
    dtype: DType,
    inPlace: boolean,
    grad: boolean,
  ): Tensor {
    checkCast(dtype, out.dtype);
    if (inPlace) {
      checkInPlace(out, grad || out.requires_grad);
      if (!sameSizes(out.shape, shape))
        throw new RuntimeError(
          `output with shape [${out.shape.join(', ')}] doesn't match the broadcast shape [${shape.join(', ')}]`,
        );
    } else {
      checkOut(this.name, operands, out);
      resizeOut(out, shape);
    }
    for (const x of operands) if (x instanceof Tensor) checkOverlap(out, x);
    return out;
  }

  /** The dtype to compute and (unless the op tests) to return. */
  private operandType(operands: readonly Operand[]): DType {
    const a = operands[0];
    const { deciding } = this.spec;
    let type: DType;
    if ((operands.length === 1 || deciding === 1) && a instanceof Tensor) type = a.dtype;
    else if (deciding !== undefined) type = resultType(operands.slice(0, deciding));
    else if (this.kinds.length > 0) type = resultType(operands.filter((_, i) => this.kinds[i] !== 'bool'));
    else type = resultType(operands);
    const { types = 'number', complex, noBool, check } = this.spec;
    if (check) check(type, operands);
    if (type.code <= int64.code) {
      if (types === 'float') return get_default_dtype();
      if (types === 'real' || (noBool && type === bool)) throw this.unsupported(type);
    } else if (types === 'integer' || (type.is_complex && !complex)) throw this.unsupported(type);
    return type;
  }

  private unsupported(type: DType): Error {
    return new NotImplementedError(
      `"${this.spec.kernelName ?? `${this.name}_cpu`}" not implemented for '${type.scalarName}'`,
    );
  }
}

const asTensor = (x: Operand): Tensor | null => (x instanceof Tensor ? x : null);

/** The element type that kernels compute a dtype in. */
export function computeType(dtype: DType): DType {
  if (dtype.code <= int64.code) return int64;
  if (dtype.kind === 'complex') return complex128;
  return dtype === float64 ? float64 : float32;
}

/** @throws RuntimeError when a result may not be written to an output of lower category. */
export function checkCast(from: DType, to: DType): void {
  const order = { bool: 0, integer: 1, float: 2, complex: 3 };
  if (order[from.kind] > order[to.kind])
    throw new RuntimeError(
      `result type ${from.scalarName} can't be cast to the desired output type ${to.scalarName}`,
    );
}

function joinDevices(device: Device, x: Tensor): Device {
  if (device.equals(x.device)) return device;
  if (x.shape.length === 0 && x.device.type === 'cpu') return device;
  if (device.type === 'meta' || x.device.type === 'meta')
    throw new RuntimeError(`Tensor on device ${x.device} is not on the expected device ${device}!`);
  throw new RuntimeError(
    `Expected all tensors to be on the same device, but found at least two devices, ${device} and ${x.device}!`,
  );
}

/** How an expression's primitives are spelled with differentiable tensor ops; filled in by ops/. */
export const tensorPrims: { table: Readonly<Record<Prim, (...args: Operand[]) => Operand>> | null } = {
  table: null,
};

/** Evaluates an expression with tensor ops, so that the evaluation itself is recorded. */
function evaluate(expr: Expr, operand: (index: number) => Operand, memo = new Map<Expr, Operand>()): Operand {
  if (expr.is === 'const') return expr.value;
  if (expr.is === 'input') return operand(expr.index);
  let value = memo.get(expr);
  if (value === undefined) {
    if (!tensorPrims.table) throw new Error('the tensor spelling of scalar primitives is not installed');
    value = tensorPrims.table[expr.prim](...expr.args.map((a) => evaluate(a, operand, memo)));
    memo.set(expr, value);
  }
  return value;
}

/** The recorded call of a pointwise op: its gradients are kernels too, or tensor ops when a graph is wanted. */
class PointwiseNode extends Node {
  /** By symbol: 0 is unused (the gradient), 1 the result, then the operands. */
  private readonly saved: (Operand | SavedTensor | null)[];
  private readonly versions: number[] = [];
  private released = false;
  private readonly label: string;
  /** The first operand's values before an in-place write. */
  private before: Tensor | null = null;

  constructor(
    private readonly op: PointwiseOp,
    operands: readonly Operand[],
    private readonly inPlace: boolean,
  ) {
    super();
    this.label = typeof op.node === 'string' ? op.node : op.node(operands);
    this.saved = new Array<Operand | SavedTensor | null>(FIRST_OPERAND + operands.length).fill(null);
    const { derivatives } = op;
    for (let i = 0; i < operands.length; i++) {
      const x = operands[i];
      if (!(x instanceof Tensor)) continue;
      const d = derivatives[i];
      if (!d || !x.requires_grad) continue;
      for (const symbol of d.program.inputs)
        if (symbol >= FIRST_OPERAND) this.save(symbol, operands[symbol - FIRST_OPERAND]);
    }
  }

  name(): string {
    return this.label;
  }

  private save(symbol: number, operand: Operand): void {
    let x = operand;
    if (this.inPlace && symbol === FIRST_OPERAND && x instanceof Tensor) {
      this.before ??= graphMath.clone(x);
      x = this.before;
    }
    if (!(x instanceof Tensor)) this.saved[symbol] = x;
    else if (saving.hooks !== null || x._inference) this.saved[symbol] = saveTensor(x);
    else {
      this.saved[symbol] = x;
      this.versions[symbol] = x._storage.version;
    }
  }

  keepResult(result: Tensor): void {
    const { derivatives } = this.op;
    for (let i = 0; i < derivatives.length; i++)
      if (this.next[i] && derivatives[i]?.program.inputs.includes(1)) {
        this.save(1, result);
        return;
      }
  }

  private operand(symbol: number, grad: Tensor): Operand {
    if (symbol === 0) return grad;
    const x = this.saved[symbol];
    if (x === null) return this.released ? throwBackwardTwice() : missing(this.op.name);
    if (x instanceof SavedTensor) return x.unpack(this);
    if (x instanceof Tensor && x._storage.version !== this.versions[symbol])
      throw new RuntimeError(modifiedText(x, this.versions[symbol], symbol < FIRST_OPERAND ? this : null));
    return x;
  }

  /** An operand for tensor formulas: as the kernels, they must not fall into integer arithmetic, nor into the reals' when one is complex. */
  private tensorOperand(symbol: number, grad: Tensor, complex: boolean): Operand {
    const x = this.operand(symbol, grad);
    const isNumber = symbol < FIRST_OPERAND || this.op.kinds[symbol - FIRST_OPERAND] !== 'bool';
    if (!isNumber) return x;
    if (complex && !(x instanceof Tensor ? x.dtype.is_complex : x instanceof Complex))
      return x instanceof Tensor
        ? graphMath.cast(x, (x.dtype.is_integral ? grad.dtype : x.dtype).to_complex())
        : new Complex(Number(x));
    return x instanceof Tensor && x.dtype.is_integral ? graphMath.cast(x, grad.dtype) : x;
  }

  apply(grads: readonly Grad[]): readonly Grad[] {
    const grad = grads[0];
    const { next } = this;
    const { derivatives } = this.op;
    const results = new Array<Grad>(next.length).fill(null);
    if (grad === null) return results;
    for (let i = 0; i < derivatives.length; i++) {
      const d = derivatives[i];
      if (d !== null && next[i] !== null) results[i] = d.passes ? grad : this.differentiate(d, grad);
    }
    return results;
  }

  private differentiate(d: Derivative, grad: Tensor): Tensor {
    if (mode.grad) {
      const isComplex = (symbol: number): boolean => {
        const x = this.operand(symbol, grad);
        return x instanceof Tensor && x.dtype.is_complex;
      };
      const complex = d.program.inputs.some(isComplex);
      const value = evaluate(d.expr, (symbol) => this.tensorOperand(symbol, grad, complex));
      return value instanceof Tensor ? value : tensorOf(value, grad);
    }
    const operands: Operand[] = [];
    for (const symbol of d.program.inputs) operands.push(this.operand(symbol, grad));
    return runKernel(d, operands, grad);
  }

  release(): void {
    if (this.saved.some((x) => x !== null)) this.released = true;
    this.saved.fill(null);
  }
}

function missing(name: string): never {
  throw new Error(`${name}: an operand of the derivative was not saved`);
}

/** A gradient that is the same plain number everywhere. */
function tensorOf(value: Operand, grad: Tensor): Tensor {
  const out = graphMath.zeros(grad);
  return value === 0 ? out : (tensorPrims.table?.add(out, value) as Tensor);
}

/** Runs a derivative's kernel over the broadcast shape of its operands, in the gradient's dtype. */
function runKernel(d: Derivative, operands: readonly Operand[], grad: Tensor): Tensor {
  let shape = grad.shape;
  for (const x of operands)
    if (x instanceof Tensor && x.shape !== shape) shape = broadcastShapes(shape, x.shape);
  let dtype = grad.dtype;
  for (const x of operands)
    if (x instanceof Tensor && x.dtype.is_complex && !dtype.is_complex) dtype = dtype.to_complex();
  const compute = computeType(dtype);
  let kernel = d.kernels[compute.code];
  if (!kernel) {
    kernel = { program: d.program, compute, handle: -1 };
    d.kernels[compute.code] = kernel;
  }
  const out = empty(shape, dtype, grad.device);
  if (out._numel > 0) backendOf(out.device.type).pointwise(kernel, out, operands);
  return out;
}

/** The dtypes in which an op's kernels (forward or derivative) must exist. */
export function kernelTypes(op: PointwiseOp): { forward: readonly DType[]; derivative: readonly DType[] } {
  const { types = 'number', complex } = op.spec;
  const floats = complex ? [float32, float64, complex128] : [float32, float64];
  if (types === 'integer') return { forward: [int64], derivative: [] };
  return { forward: types === 'number' ? [...floats, int64] : floats, derivative: floats };
}

export type { Operand, Scalar };
export { autogradMeta, fitGradient, functionNode };
