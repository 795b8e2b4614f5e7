// Nodes of the autograd graph, their edges and hooks.
import type { Device } from '../device.js';
import type { DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';

export type Grad = Tensor | null;
export type TensorHook = (grad: Tensor) => Tensor | null | undefined | void;
export type NodeHook = (
  gradInputs: readonly Grad[],
  gradOutputs: readonly Grad[],
) => readonly Grad[] | null | undefined | void;
export type NodePreHook = (gradOutputs: readonly Grad[]) => readonly Grad[] | null | undefined | void;

export type LeafHook = (param: Tensor) => void;

/** What an output of a node looks like: gradients that arrive for it must fit. */
export interface OutputMeta {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly device: Device;
}

/** The ops that the graph itself needs; ops/ fills them in. */
export const graphMath: {
  zeros: (like: OutputMeta) => Tensor;
  ones: (like: OutputMeta) => Tensor;
  add: (a: Tensor, b: Tensor) => Tensor;
  add_: (a: Tensor, b: Tensor) => Tensor;
  clone: (x: Tensor) => Tensor;
  detach: (x: Tensor) => Tensor;
  copy_: (x: Tensor, from: Tensor) => Tensor;
  zero_: (x: Tensor) => Tensor;
  sumTo: (x: Tensor, shape: readonly number[]) => Tensor;
  cast: (x: Tensor, dtype: DType) => Tensor;
  real: (x: Tensor) => Tensor;
  hasNaN: (x: Tensor) => boolean;
  /** Uninitialised, with the memory layout of `like` without its gaps. */
  emptyLike: (like: Tensor, dtype: DType) => Tensor;
  emptyStrided: (shape: readonly number[], strides: readonly number[], like: OutputMeta) => Tensor;
  asStrided: (
    x: Tensor,
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
    dtype: DType,
  ) => Tensor;
  asStridedBackward: (
    grad: Tensor,
    base: BaseGeometry,
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
  ) => Tensor;
} = {} as typeof graphMath;

/** The layout that a gradient of a written base is laid out in. */
export interface BaseGeometry extends OutputMeta {
  readonly strides: readonly number[];
  readonly offset: number;
}

/** What a backward pass knows about a node; the node holds it, since a look-up in a map would cost more than the rest. */
export class Task {
  /** Edges to this node over which nothing came yet. */
  waiting = 0;
  /** The gradients of the node's outputs that came so far. */
  grads: Grad[] | null = null;
  /** Bit n: nothing else refers to the memory of gradient n. */
  owned = 0;
  /** The node is to be run. */
  needed = true;
  /** Where to report gradients of outputs: `[output, index of the target]`. */
  captures: [nr: number, index: number][] | null = null;

  constructor(
    readonly pass: number,
    /** The task of the pass inside of which this one runs. */
    readonly outer: Task | null,
  ) {}
}

let sequence = 0;

/** One recorded op: turns gradients of its outputs into gradients of its inputs. */
export abstract class Node {
  /** Later ops have larger numbers; backward runs them first. @internal */
  readonly sequence: number;
  /** The node behind each input, null where no gradient is wanted. @internal */
  next: (Node | null)[] = [];
  /** Which output of that node the input was. @internal */
  nextNr: number[] = [];
  /** @internal */
  outputs: OutputMeta[] = [];
  /** @internal Hooks on the gradient of output n, and on whole calls. */
  tensorHooks: Map<number, Map<number, TensorHook>> | null = null;
  /** @internal The non-leaf tensors that keep their gradient, by output. */
  retained: Map<number, Tensor> | null = null;
  /** @internal */
  preHooks: Map<number, NodePreHook> | null = null;
  /** @internal */
  postHooks: Map<number, NodeHook> | null = null;
  /** Stack of the forward call, in anomaly mode. @internal */
  trace: string | undefined = undefined;
  /** @internal The state of the backward pass that is running. */
  task: Task | null = null;
  private notes: Record<string, unknown> | null = null;

  constructor(order: number = sequence++) {
    this.sequence = order;
  }

  /** @internal Its name in messages. */
  get title(): string {
    return this.name().replace(/Backward\d*$/, '');
  }
  /** @internal May its formula return tensors that others hold, too? Then the engine never writes to them. */
  get borrows(): boolean {
    return false;
  }
  /** @internal Is it run also when no gradient arrived? */
  get runsEmpty(): boolean {
    return false;
  }
  /** Anything that users want to keep with this node. */
  get metadata(): Record<string, unknown> {
    this.notes ??= {};
    return this.notes;
  }

  abstract name(): string;
  /** @internal */
  abstract apply(grads: readonly Grad[]): readonly Grad[];
  /** Drops what was saved. @internal */
  abstract release(): void;

  /** The nodes of the inputs with the output each was, as `[node, output_nr]`. */
  get next_functions(): readonly (readonly [Node | null, number])[] {
    return this.next.map((node, i) => [node, this.nextNr[i]] as const);
  }
  /** @internal Whether input i wants a gradient. */
  needs(i: number): boolean {
    return this.next[i] !== null;
  }
  /** Calls `hook(grad_inputs, grad_outputs)` after this node ran; it may return other input gradients. */
  register_hook(hook: NodeHook): RemovableHandle {
    this.postHooks ??= new Map();
    return addHook(this.postHooks, hook);
  }
  /** Calls `hook(grad_outputs)` before this node runs; it may return other gradients. */
  register_prehook(hook: NodePreHook): RemovableHandle {
    this.preHooks ??= new Map();
    return addHook(this.preHooks, hook);
  }
  toString(): string {
    return `<${this.name()}>`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `<${this.name()} object>`;
  }
}

let hookId = 0;

/** What registering a hook returns: `remove()` takes the hook away again. */
export class RemovableHandle implements Disposable {
  readonly id: number = hookId++;
  /** @internal */
  constructor(private readonly detach: (id: number) => void) {}
  remove(): void {
    this.detach(this.id);
  }
  [Symbol.dispose](): void {
    this.remove();
  }
}

/** Adds a hook to an ordered table, behind the others or before them. */
export function addHook<H>(table: Map<number, H>, hook: H, prepend = false): RemovableHandle {
  const handle = new RemovableHandle((id) => table.delete(id));
  const others = prepend ? [...table] : [];
  if (prepend) table.clear();
  table.set(handle.id, hook);
  for (const [id, other] of others) table.set(id, other);
  return handle;
}

/** Adds a gradient into `grad` of a leaf: the end of every path through the graph. */
export class AccumulateGrad extends Node {
  /** @internal Called with the leaf after each accumulation. */
  leafHooks: Map<number, LeafHook> | null = null;

  constructor(readonly variable: Tensor) {
    // Leaves come before every other ready node: they free gradients.
    super(Number.POSITIVE_INFINITY);
    this.outputs = [variable];
  }
  name(): string {
    return 'AccumulateGrad';
  }
  apply(): readonly Grad[] {
    return [];
  }
  release(): void {}
}

/** The node that receives the gradient of x, or null when x takes none. */
export function gradEdge(x: Tensor): Node | null {
  const fn = x.grad_fn;
  if (fn !== null) return fn;
  const m = x._meta;
  if (m === null || !m.requires_grad) return null;
  m.accumulator ??= new AccumulateGrad(x);
  return m.accumulator;
}
