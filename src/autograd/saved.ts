// Tensors kept for backward.
import { RuntimeError } from '../errors.js';
import { type AutogradMeta, autogradMeta, Tensor } from '../tensor.js';
import { mode } from './modes.js';
import { gradEdge, type Node } from './node.js';

/** Packs a tensor that is kept for backward into anything, and back (see `torch.autograd.graph.saved_tensors_hooks`). */
export interface SavedTensorHooks {
  readonly pack: (x: Tensor) => unknown;
  readonly unpack: (packed: unknown) => Tensor;
}

/** @internal The hooks through which tensors are kept, innermost last; null when there are none. */
export const saving: { hooks: readonly SavedTensorHooks[] | null; forbidden: string | null } = {
  hooks: null,
  forbidden: null,
};

const backwardTwice =
  'Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after calling backward.';

export function throwBackwardTwice(): never {
  throw new RuntimeError(backwardTwice);
}

/** 'torch.FloatTensor', as messages name the type of a tensor. */
export function typeText(x: Tensor): string {
  return `torch.${x.device.type === 'cpu' ? '' : `${x.device.type}.`}${x.dtype.scalarName}Tensor`;
}

/**
 * PyTorch's complaint about a saved tensor that was written to.
 * @param fn the node that kept it, when it is a result of that node.
 */
export function modifiedText(x: Tensor, expected: number, fn: Node | null): string {
  const source = fn ?? x.grad_fn;
  const origin = source === null ? '' : `, which is output ${x.output_nr} of ${source.title},`;
  const hint = mode.anomaly
    ? 'Hint: the backtrace further above shows the operation that failed to compute its gradient. The variable in question was changed in there or anywhere later. Good luck!'
    : 'Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).';
  return `one of the variables needed for gradient computation has been modified by an inplace operation: [${typeText(x)} [${x.shape.join(', ')}]]${origin} is at version ${x._storage.version}; expected version ${expected} instead. ${hint}`;
}

/** Outputs share their shape array with the description that their node has of them. */
function isOutput(x: Tensor, node: Node): boolean {
  return node.outputs.some((meta) => meta.shape === x.shape && meta.dtype === x.dtype);
}

/** A tensor kept for backward, with the version it must still have then. */
export class SavedTensor {
  private readonly version: number;
  constructor(private tensor: Tensor | null) {
    this.version = tensor === null ? 0 : tensor._storage.version;
  }
  /** The tensor, with its place in the graph. @param node the node that keeps it. */
  unpack(node: Node): Tensor {
    const x = this.tensor;
    if (x === null) throw new RuntimeError(backwardTwice);
    if (x._storage.version !== this.version)
      throw new RuntimeError(modifiedText(x, this.version, isOutput(x, node) ? node : null));
    return x;
  }
  release(): void {
    this.tensor = null;
  }
}

/** A tensor kept in the form that a hook packed it into. */
class PackedTensor extends SavedTensor {
  private packed: { readonly value: unknown } | null;
  private readonly edge: Node | null;
  private readonly nr: number;
  private readonly leaf: boolean;
  /** Of a tensor without history: a result of the op itself hangs on its node only after it was kept. */
  private readonly later: AutogradMeta | null;

  constructor(
    x: Tensor,
    private readonly hooks: SavedTensorHooks,
  ) {
    super(null);
    this.edge = gradEdge(x);
    this.nr = x.output_nr;
    this.leaf = x.is_leaf;
    this.later = this.edge === null ? autogradMeta(x) : null;
    const version = x._storage.version;
    this.packed = { value: quietly(() => hooks.pack(x)) };
    if (x._storage.version !== version)
      throw new RuntimeError(
        'A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can not be modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if you need to perform in-place operations on the input to a pack hook.',
      );
  }

  override unpack(node: Node): Tensor {
    const { packed, edge, later } = this;
    if (packed === null) throw new RuntimeError(backwardTwice);
    const x = quietly(() => this.hooks.unpack(packed.value));
    if (!(x instanceof Tensor))
      throw new TypeError(
        `Output of saved tensor unpack_hook expected to be a Tensor but got result of type ${typeof x}`,
      );
    const out = new Tensor(x._storage, x.shape, x._strides, x._offset, x.dtype, x._numel, x._contiguous);
    if (later !== null && later.grad_fn === node)
      Object.assign(autogradMeta(out), { grad_fn: node, output_nr: later.output_nr });
    else if (edge !== null && this.leaf)
      Object.assign(autogradMeta(out), { requires_grad: true, accumulator: edge });
    else if (edge !== null) Object.assign(autogradMeta(out), { grad_fn: edge, output_nr: this.nr });
    return out;
  }

  override release(): void {
    this.packed = null;
  }
}

function quietly<R>(fn: () => R): R {
  const before = mode.grad;
  mode.grad = false;
  try {
    return fn();
  } finally {
    mode.grad = before;
  }
}

/**
 * Keeps a tensor for backward.
 * @throws RuntimeError for tensors made in inference mode.
 */
export function saveTensor(x: Tensor): SavedTensor {
  if (x._inference && !mode.inference)
    throw new RuntimeError(
      'Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.',
    );
  if (saving.hooks === null) return new SavedTensor(x);
  return new PackedTensor(x, saving.hooks[saving.hooks.length - 1]);
}
