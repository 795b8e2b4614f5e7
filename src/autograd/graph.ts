// How results join the autograd graph: recorded ops, views, in-place writes.
import { RuntimeError } from '../errors.js';
import { autogradMeta, type Tensor, tensorHooks } from '../tensor.js';
import { mode } from './modes.js';
import { type BaseGeometry, type Grad, gradEdge, graphMath, Node, type OutputMeta } from './node.js';
import { type SavedTensor, saveTensor, throwBackwardTwice } from './saved.js';

export * from './node.js';
export { modifiedText, SavedTensor, saveTensor, saving, throwBackwardTwice } from './saved.js';

/** Keeps a tensor for backward; the returned function gives it back. */
export type Save = (x: Tensor) => () => Tensor;
/** A derivative: gradients of the outputs in, gradients of the inputs out (null for none). */
export interface BackwardFn {
  (grads: readonly Grad[], needs: (input: number) => boolean): readonly Grad[];
  /** Gives back the memory that the formula alone holds, when the graph is freed. */
  free?: () => void;
}

class FunctionNode extends Node {
  private readonly saved: SavedTensor[] = [];
  private backward: BackwardFn;

  constructor(
    private readonly label: string,
    make: (save: Save) => BackwardFn,
    private readonly shares: boolean,
  ) {
    super();
    this.backward = make((x) => {
      const slot = saveTensor(x);
      this.saved.push(slot);
      return () => slot.unpack(this);
    });
  }
  name(): string {
    return this.label;
  }
  override get borrows(): boolean {
    return this.shares;
  }
  apply(grads: readonly Grad[]): readonly Grad[] {
    return this.backward(grads, (i) => this.needs(i));
  }
  release(): void {
    if (this.saved.length === 0) return;
    for (const slot of this.saved) slot.release();
    this.backward.free?.();
    this.backward = throwBackwardTwice;
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

/** Where the running op was called from. */
function forwardTrace(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  const stack = new Error('forward call').stack ?? '';
  Error.stackTraceLimit = limit;
  // The first lines are the message, this function and attach.
  return stack.split('\n').slice(3).join('\n');
}

/** Makes the outputs results of a node whose edges stand. */
export function attach(node: Node, outputs: readonly Tensor[]): void {
  if (mode.anomaly) node.trace = forwardTrace();
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
 * @param borrows the derivative may return tensors that others hold, such as a user's.
 */
export function record(
  name: string,
  inputs: readonly (Tensor | null)[],
  outputs: readonly Tensor[],
  make: (save: Save) => BackwardFn,
  borrows = false,
): void {
  if (!needsGrad(...inputs)) return;
  connect(new FunctionNode(name, make, borrows), inputs, outputs);
}

/** A node made like {@link record}'s, for callers that connect it themselves. */
export function functionNode(name: string, make: (save: Save) => BackwardFn): Node {
  return new FunctionNode(name, make, false);
}

// ---------------------------------------------------------------------------------------
// Views and in-place writes

/** How a view was made, where that decides whether it may be written to: values of `Tensor._creation`. */
export const Creation = { ordinary: 0, oneOfMany: 1, noGrad: 2, inference: 3, inFunction: 4 } as const;

/**
 * Makes `view` a differentiable view: it shares the history of the tensor it looks into.
 * @param multiple it is one of several results of its op (`unbind`, `split`).
 */
export function markView(view: Tensor, of: Tensor, multiple = false): Tensor {
  view._base = of._base ?? of;
  if (multiple || !mode.grad || of._creation !== 0)
    view._creation = mode.inference
      ? Creation.inference
      : !mode.grad
        ? Creation.noGrad
        : multiple
          ? Creation.oneOfMany
          : of._creation;
  // A view made without recording stays out of the graph until its memory is written to.
  if (!mode.grad && of.requires_grad) autogradMeta(view).version = view._storage.version;
  return view;
}

/** The gradient of a view that must be re-read because its base was written to. */
class AsStridedNode extends Node {
  constructor(
    private readonly base: BaseGeometry,
    private readonly view: BaseGeometry,
    private readonly label: string,
  ) {
    super();
  }
  name(): string {
    return this.label;
  }
  apply([grad]: readonly Grad[]): readonly Grad[] {
    if (grad === null) return [null];
    return [
      graphMath.asStridedBackward(grad, this.base, this.view.shape, this.view.strides, this.view.offset),
    ];
  }
  release(): void {}
}

export function geometry(base: Tensor): BaseGeometry {
  return {
    shape: base.shape,
    dtype: base.dtype,
    device: base.device,
    strides: base._strides,
    offset: base._offset,
  };
}

tensorHooks.inferenceMode = () => mode.inference;

/** A view with another element type than its base's keeps its node's name, as PyTorch makes it anew from the base. */
const viewLabel = (name = ''): string => (name.startsWith('ViewAs') ? name : 'AsStridedBackward0');

tensorHooks.gradFn = (x) => {
  const base = x._base;
  const m = x._meta;
  if (base === null) return m === null ? null : m.grad_fn;
  const current = m === null ? -1 : m.version;
  if (current === x._storage.version || !base.requires_grad) return m?.grad_fn ?? null;
  if (m === null && (base.grad_fn === null || x.dtype.is_integral)) return null;
  if (x._creation !== 0)
    throw new RuntimeError(viewWriteText(x, 'its base or another view of its base has been'));
  const node = new AsStridedNode(
    geometry(base),
    geometry(x),
    x.dtype === base.dtype ? 'AsStridedBackward0' : viewLabel(m?.grad_fn?.name()),
  );
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
    private readonly view: BaseGeometry,
    private readonly fn: Node,
  ) {
    super();
  }
  name(): string {
    return 'CopySlices';
  }
  override get title(): string {
    return 'torch::autograd::CopySlices';
  }
  apply([grad]: readonly Grad[]): readonly Grad[] {
    if (grad === null) return this.next.map(() => null);
    const { base, view } = this;
    const result = graphMath.copy_(graphMath.emptyStrided(base.shape, base.strides, base), grad);
    const slice = graphMath.asStrided(
      result,
      view.shape,
      view.strides,
      view.offset - (base.offset * base.dtype.itemsize) / view.dtype.itemsize,
      view.dtype,
    );
    const [own, ...others] = this.fn.apply([graphMath.clone(slice)]);
    if (own === null || own === undefined) graphMath.zero_(slice);
    else graphMath.copy_(slice, fitGradient(own, view));
    return [result, ...others];
  }
  release(): void {
    this.fn.release();
  }
}

/** Brings a gradient to the shape and dtype of what it belongs to. */
export function fitGradient(grad: Tensor, meta: OutputMeta): Tensor {
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
  const origin = fn === null ? '' : `Output ${x._meta?.output_nr} of ${fn.title} is a view `;
  const where = x._creation === Creation.inference ? 'inference' : 'no_grad';
  const unrecorded = x._creation === Creation.noGrad || x._creation === Creation.inference || fn === null;
  const text = unrecorded
    ? `${origin === '' ? 'A view was' : `${origin}of a view which was`} created in ${where} mode and ${modified} modified inplace ${where === 'inference' ? 'in normal mode.' : 'with grad mode enabled.'}`
    : `${origin}and ${modified} modified inplace.`;
  if (x._creation === Creation.inFunction)
    return `${text} This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.`;
  if (x._creation === Creation.oneOfMany)
    return `${text} This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.`;
  return `${text} Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the ${where}${where === 'no_grad' ? '' : '_mode'} block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).`;
}

/** @throws RuntimeError when x was made in inference mode and that is over. */
export function checkInference(x: Tensor): void {
  if (x._inference && !mode.inference)
    throw new RuntimeError(
      'Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.',
    );
}

/** @throws RuntimeError when autograd forbids to write to x. */
export function checkInPlace(x: Tensor, recorded: boolean): void {
  checkInference(x);
  if (!mode.grad || !(recorded || x.requires_grad)) return;
  const base = x._base;
  if (base !== null) {
    if (x._creation !== 0) throw new RuntimeError(viewWriteText(x, 'is being'));
    if (x.requires_grad && base.is_leaf)
      throw new RuntimeError(
        'a view of a leaf Variable that requires grad is being used in an in-place operation.',
      );
  }
  if (x.requires_grad && x.is_leaf)
    throw new RuntimeError('a leaf Variable that requires grad is being used in an in-place operation.');
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
    node.outputs.length = 0;
    moveHooks(x, node);
    attach(node, [x]);
    return;
  }
  const copy = new CopySlices(geometry(base), geometry(x), node);
  const edge = gradEdge(base);
  copy.next = [edge, ...node.next.slice(1)];
  copy.nextNr = [base.output_nr, ...node.nextNr.slice(1)];
  moveHooks(base, copy);
  attach(copy, [base]);
  const own = autogradMeta(x);
  own.version = -1; // regenerate grad_fn from the base
}

/** Hooks of a tensor follow it to its new node only when it retains its gradient. */
export function moveHooks(x: Tensor, node: Node): void {
  const old = x._meta?.grad_fn;
  if (!old || !x._meta) return;
  const kept = old.retained?.get(x._meta.output_nr);
  if (kept === x) {
    old.retained?.delete(x._meta.output_nr);
    node.retained = new Map([[node.outputs.length, x]]);
  }
}
