// The autograd graph: nodes, edges, saved tensors, and how results join it.
import type { Device } from '../device.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { autogradMeta, Tensor, tensorHooks } from '../tensor.js';
import { mode } from './modes.js';

export type Grad = Tensor | null;
export type TensorHook = (grad: Tensor) => Tensor | null | undefined | void;
export type NodeHook = (gradInputs: readonly Grad[], gradOutputs: readonly Grad[]) => readonly Grad[] | null | undefined | void;
export type NodePreHook = (gradOutputs: readonly Grad[]) => readonly Grad[] | null | undefined | void;

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
  emptyStrided: (shape: readonly number[], strides: readonly number[], like: OutputMeta) => Tensor;
  asStrided: (x: Tensor, shape: readonly number[], strides: readonly number[], offset: number, dtype: DType) => Tensor;
  asStridedBackward: (grad: Tensor, base: BaseGeometry, shape: readonly number[], strides: readonly number[], offset: number) => Tensor;
} = {} as typeof graphMath;

/** The layout that a gradient of a written base is laid out in. */
export interface BaseGeometry extends OutputMeta {
  readonly strides: readonly number[];
  readonly offset: number;
}

let sequence = 0;

/** One recorded op: turns gradients of its outputs into gradients of its inputs. */
export abstract class Node {
  /** Later ops have larger numbers; backward runs them first. @internal */
  readonly sequence: number = sequence++;
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
  preHooks: Map<number, NodePreHook> | null = null;
  postHooks: Map<number, NodeHook> | null = null;
  /** Stack of the forward call, in anomaly mode. @internal */
  trace: string | undefined;
  metadata: Record<string, unknown> = {};

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

/** Adds a hook to an ordered table. */
export function addHook<H>(table: Map<number, H>, hook: H): RemovableHandle {
  const handle = new RemovableHandle((id) => table.delete(id));
  table.set(handle.id, hook);
  return handle;
}

/** Adds a gradient into `grad` of a leaf: the end of every path through the graph. */
export class AccumulateGrad extends Node {
  constructor(readonly variable: Tensor) {
    super();
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

/** A tensor kept for backward, with the version it must still have then. */
class SavedTensor {
  private tensor: Tensor | null;
  private readonly version: number;
  constructor(
    tensor: Tensor,
    private readonly node: Node,
  ) {
    this.tensor = tensor;
    this.version = tensor._storage.version;
  }
  unpack(): Tensor {
    const x = this.tensor;
    if (x === null) throw new RuntimeError(backwardTwice);
    if (x._storage.version !== this.version) throw new RuntimeError(modifiedText(x, this.version));
    return x;
  }
  release(): void {
    this.tensor = null;
  }
}

const backwardTwice =
  'Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.';

export function throwBackwardTwice(): never {
  throw new RuntimeError(backwardTwice);
}

/** PyTorch's complaint about a saved tensor that was written to. */
export function modifiedText(x: Tensor, expected: number): string {
  const fn = x.grad_fn;
  const origin = fn === null ? '' : `, which is output ${x.output_nr} of ${fn.name()},`;
  const hint = mode.anomaly
    ? 'Hint: the backtrace further above shows the operation that failed to compute its gradient. The variable in question was changed in there or anywhere later. Good luck!'
    : 'Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True).';
  return `one of the variables needed for gradient computation has been modified by an inplace operation: [torch.${x.dtype.scalarName}Tensor [${x.shape.join(', ')}]]${origin} is at version ${x._storage.version}; expected version ${expected} instead. ${hint}`;
}

/** Keeps a tensor for backward; the returned function gives it back. */
export type Save = (x: Tensor) => () => Tensor;
/** A derivative: gradients of the outputs in, gradients of the inputs out (null for none). */
export type BackwardFn = (grads: readonly Grad[], needs: (input: number) => boolean) => readonly Grad[];

class FunctionNode extends Node {
  private saved: SavedTensor[] = [];
  private released = false;
  private backward: BackwardFn;
  constructor(
    private readonly label: string,
    make: (save: Save) => BackwardFn,
  ) {
    super();
    this.backward = make((x) => {
      const slot = new SavedTensor(x, this);
      this.saved.push(slot);
      return () => slot.unpack();
    });
  }
  name(): string {
    return this.label;
  }
  apply(grads: readonly Grad[]): readonly Grad[] {
    if (this.released && this.saved.length > 0) throwBackwardTwice();
    return this.backward(grads, (i) => this.needs(i));
  }
  release(): void {
    this.released = true;
    for (const slot of this.saved) slot.release();
  }
}

/** Whether an op on these inputs is recorded. */
export function needsGrad(...inputs: readonly (Tensor | null | undefined)[]): boolean {
  if (!mode.grad) return false;
  for (let i = 0; i < inputs.length; i++) if (inputs[i]?.requires_grad) return true;
  return false;
}

/** Connects a node to its inputs and hangs the outputs on it. */
export function connect(node: Node, inputs: readonly (Tensor | null)[], outputs: readonly Tensor[]): void {
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i];
    const edge = x === null ? null : gradEdge(x);
    node.next.push(edge);
    node.nextNr.push(edge === null || x === null ? 0 : (x._meta?.output_nr ?? 0));
  }
  attach(node, outputs);
}

/** Makes the outputs results of a node whose edges stand. */
export function attach(node: Node, outputs: readonly Tensor[]): void {
  if (mode.anomaly) node.trace = new Error('forward call').stack;
  for (let i = 0; i < outputs.length; i++) {
    const out = outputs[i];
    const m = autogradMeta(out);
    m.grad_fn = node;
    m.output_nr = node.outputs.length;
    m.version = out._storage.version;
    node.outputs.push({ shape: out.shape, dtype: out.dtype, device: out._storage.device });
  }
}

/**
 * Records an op: `record('ExpBackward0', [x], [out], (save) => { const y = save(out); return ([g]) => [g.mul(y())]; })`.
 * Does nothing unless grad mode is on and an input requires a gradient. Gradients are summed to the inputs'
 * shapes and cast to their dtypes by the engine.
 */
export function record(
  name: string,
  inputs: readonly (Tensor | null)[],
  outputs: readonly Tensor[],
  make: (save: Save) => BackwardFn,
): void {
  if (!needsGrad(...inputs)) return;
  connect(new FunctionNode(name, make), inputs, outputs);
}

/** A node made like {@link record}'s, for callers that connect it themselves. */
export function functionNode(name: string, make: (save: Save) => BackwardFn): Node {
  return new FunctionNode(name, make);
}

// ---------------------------------------------------------------------------------------
// Views and in-place writes

/** How a view was made, where that decides whether it may be written to: values of `Tensor._creation`. */
export const Creation = { ordinary: 0, oneOfMany: 1, noGrad: 2, inference: 3 } as const;

/**
 * Makes `view` a differentiable view: it shares the history of the tensor it looks into.
 * @param multiple it is one of several results of its op (`unbind`, `split`).
 */
export function markView(view: Tensor, of: Tensor, multiple = false): Tensor {
  view._base = of._base ?? of;
  if (multiple || !mode.grad || of._creation !== 0)
    view._creation = mode.inference ? Creation.inference : !mode.grad ? Creation.noGrad : multiple ? Creation.oneOfMany : of._creation;
  // A view made without recording stays out of the graph until its memory is written to.
  if (!mode.grad && of.requires_grad) autogradMeta(view).version = view._storage.version;
  return view;
}

/** The gradient of a view that must be re-read because its base was written to. */
class AsStridedNode extends Node {
  constructor(
    private readonly base: BaseGeometry,
    private readonly view: Tensor,
  ) {
    super();
  }
  name(): string {
    return 'AsStridedBackward0';
  }
  apply([grad]: readonly Grad[]): readonly Grad[] {
    if (grad === null) return [null];
    return [graphMath.asStridedBackward(grad, this.base, this.view.shape, this.view._strides, this.view._offset)];
  }
  release(): void {}
}

export function geometry(base: Tensor): BaseGeometry {
  return { shape: base.shape, dtype: base.dtype, device: base.device, strides: base._strides, offset: base._offset };
}

tensorHooks.gradFn = (x) => {
  const base = x._base;
  const m = x._meta;
  if (base === null) return m === null ? null : m.grad_fn;
  const current = m === null ? -1 : m.version;
  if (current === x._storage.version || !base.requires_grad) return m?.grad_fn ?? null;
  if (m === null && (base.grad_fn === null || x.dtype.is_integral)) return null;
  if (x._creation !== 0) throw new RuntimeError(viewWriteText(x, 'its base or another view of its base has been'));
  const node = new AsStridedNode(geometry(base), x);
  node.next.push(gradEdge(base));
  node.nextNr.push(base.output_nr);
  const own = autogradMeta(x);
  own.grad_fn = node;
  own.output_nr = 0;
  own.version = x._storage.version;
  node.outputs.push({ shape: x.shape, dtype: x.dtype, device: x.device });
  return node;
};

/** The write of an op through a view, seen from the base: replaces the slice's gradient by the op's. */
class CopySlices extends Node {
  constructor(
    private readonly base: BaseGeometry,
    private readonly view: Tensor,
    private readonly fn: Node,
  ) {
    super();
  }
  name(): string {
    return 'CopySlices';
  }
  apply([grad]: readonly Grad[]): readonly Grad[] {
    if (grad === null) return this.next.map(() => null);
    const { base, view } = this;
    const result = graphMath.copy_(graphMath.emptyStrided(base.shape, base.strides, base), grad);
    const slice = graphMath.asStrided(result, view.shape, view._strides, view._offset - (base.offset * base.dtype.itemsize) / view.dtype.itemsize, view.dtype);
    const [own, ...others] = this.fn.apply([graphMath.clone(slice)]);
    if (own === null || own === undefined) graphMath.zero_(slice);
    else graphMath.copy_(slice, fit(own, view));
    return [result, ...others];
  }
  release(): void {
    this.fn.release();
  }
}

/** Brings a gradient to the shape and dtype of what it belongs to. */
export function fit(grad: Tensor, meta: OutputMeta): Tensor {
  let g = grad;
  if (g.shape !== meta.shape && !sameShape(g.shape, meta.shape)) g = graphMath.sumTo(g, meta.shape);
  if (g.dtype !== meta.dtype) {
    if (g.dtype.is_complex && !meta.dtype.is_complex) g = graphMath.real(g);
    if (g.dtype !== meta.dtype) g = graphMath.cast(g, meta.dtype);
  }
  return g;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** PyTorch's complaint about a recorded write to a view that was made in a way that forbids it. */
function viewWriteText(x: Tensor, modified: string): string {
  const fn = x._meta?.grad_fn ?? null;
  const origin = fn === null ? '' : `Output ${x._meta?.output_nr} of ${fn.name().replace(/Backward\d*$/, '')} is a view `;
  const where = x._creation === Creation.inference ? 'inference' : 'no_grad';
  const unrecorded = x._creation !== Creation.oneOfMany || fn === null;
  const text = unrecorded
    ? `${origin === '' ? 'A view was' : `${origin}of a view which was`} created in ${where} mode and ${modified} modified inplace ${where === 'inference' ? 'in normal mode.' : 'with grad mode enabled.'}`
    : `${origin}and ${modified} modified inplace.`;
  if (x._creation === Creation.oneOfMany)
    return `${text} This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.`;
  return `${text} Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the ${where}${where === 'no_grad' ? '' : '_mode'} block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).`;
}

/** @throws RuntimeError when autograd forbids to write to x. */
export function checkInPlace(x: Tensor, recorded: boolean): void {
  if (x._inference && !mode.inference && recorded)
    throw new RuntimeError(
      'Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.',
    );
  if (!mode.grad || !(recorded || x.requires_grad)) return;
  const base = x._base;
  if (base !== null) {
    if (x._creation !== 0) throw new RuntimeError(viewWriteText(x, 'is being'));
    if (x.requires_grad && base.is_leaf) throw new RuntimeError('a view of a leaf Variable that requires grad is being used in an in-place operation.');
  }
  if (x.requires_grad && x.is_leaf) throw new RuntimeError('a leaf Variable that requires grad is being used in an in-place operation.');
}

/**
 * Records an in-place op on `x`, whose first input is x as it was. Call after the write; it counts the version.
 * `inputs` are the edges to follow, x's own first; `node` is null when nothing is recorded.
 */
export function recordInPlace(x: Tensor, node: Node | null, inputs: readonly (Tensor | null)[]): void {
  x._storage.version++;
  if (node === null) return;
  for (const input of inputs) {
    const edge = input === null ? null : gradEdge(input);
    node.next.push(edge);
    node.nextNr.push(edge === null || input === null ? 0 : (input._meta?.output_nr ?? 0));
  }
  rebase(x, node);
}

/** Gives x, after a write, the history of `node`, whose edges stand; writes through views reach the base. */
export function rebase(x: Tensor, node: Node): void {
  const base = x._base;
  if (base === null) {
    moveHooks(x, node);
    node.outputs.length = 0;
    attach(node, [x]);
    return;
  }
  const copy = new CopySlices(geometry(base), x, node);
  const edge = gradEdge(base);
  copy.next = [edge, ...node.next.slice(1)];
  copy.nextNr = [base.output_nr, ...node.nextNr.slice(1)];
  // The node itself still has to compute the slice's own gradient when only the base needs it.
  node.next[0] ??= copy;
  attach(copy, [base]);
  const own = autogradMeta(x);
  own.version = -1; // regenerate grad_fn from the base
}

/** Hooks of a tensor follow it to its new node only when it retains its gradient. */
function moveHooks(x: Tensor, node: Node): void {
  const old = x._meta?.grad_fn;
  if (!old || !x._meta) return;
  const kept = old.retained?.get(x._meta.output_nr);
  if (kept === x) {
    old.retained?.delete(x._meta.output_nr);
    node.retained = new Map([[0, x]]);
  }
}
