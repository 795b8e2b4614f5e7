// What autograd adds to tensors: backward, hooks, and leaving the graph.
import { alias } from '../dispatch/allocate.js';
import { setGeometry } from '../dispatch/out.js';
import { RuntimeError } from '../errors.js';
import { installMethods, method, type Op } from '../ops/define.js';
import { autogradMeta, Tensor } from '../tensor.js';
import { backward as backwardOf } from './backward.js';
import {
  AccumulateGrad,
  addHook,
  gradEdge,
  type LeafHook,
  type RemovableHandle,
  type TensorHook,
} from './graph.js';

export interface BackwardOptions {
  gradient?: Tensor | null;
  retain_graph?: boolean | null;
  create_graph?: boolean;
  inputs?: Tensor | readonly Tensor[] | null;
}

/**
 * Computes the gradient of this tensor with respect to the leaves and adds it to their `grad`.
 * @throws RuntimeError for a non-scalar without `gradient`, and for a graph that was freed.
 */
export const backward: Op<
  | [
      gradient?: Tensor | null,
      retain_graph?: boolean | null,
      create_graph?: boolean,
      inputs?: readonly Tensor[] | null,
    ]
  | [options?: BackwardOptions],
  void
> = method(
  'backward',
  (
    x: Tensor,
    first?: Tensor | BackwardOptions | null,
    retain_graph?: boolean | null,
    create_graph?: boolean,
    inputs?: readonly Tensor[] | null,
  ) => {
    const o: BackwardOptions =
      first instanceof Tensor || first === null || first === undefined
        ? { gradient: first, retain_graph, create_graph, inputs }
        : first;
    const targets = o.inputs instanceof Tensor ? [o.inputs] : (o.inputs ?? null);
    backwardOf(
      [x],
      o.gradient ? [o.gradient] : null,
      o.retain_graph ?? null,
      o.create_graph ?? false,
      targets,
    );
  },
) as never;

/**
 * Calls `hook(grad)` whenever the gradient of this tensor was computed; it may return another one of its shape and dtype.
 * @throws RuntimeError when the tensor does not require a gradient.
 */
export const register_hook: Op<[hook: TensorHook], RemovableHandle> = method(
  'register_hook',
  (x: Tensor, hook: TensorHook) => {
    const node = x.requires_grad ? gradEdge(x) : null;
    if (node === null)
      throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    node.tensorHooks ??= new Map();
    let hooks = node.tensorHooks.get(x.output_nr);
    if (!hooks) {
      hooks = new Map();
      node.tensorHooks.set(x.output_nr, hooks);
    }
    return addHook(hooks, hook);
  },
);

/**
 * Calls `hook(param)` whenever a gradient was accumulated into this leaf.
 * @throws RuntimeError for tensors that are no leaves or do not require gradients.
 */
export const register_post_accumulate_grad_hook: Op<[hook: LeafHook], RemovableHandle> = method(
  'register_post_accumulate_grad_hook',
  (x: Tensor, hook: LeafHook) => {
    if (!x.requires_grad)
      throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient");
    const node = gradEdge(x);
    if (!(node instanceof AccumulateGrad))
      throw new RuntimeError('post accumulate grad hooks cannot be registered on non-leaf tensors');
    node.leafHooks ??= new Map();
    return addHook(node.leafHooks, hook);
  },
);

/** Keeps the gradient of a non-leaf in `grad`, too. */
export const retain_grad: Op<[], void> = method('retain_grad', (x: Tensor) => {
  if (!x.requires_grad) throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False");
  const node = x.grad_fn;
  if (node === null) return;
  const m = autogradMeta(x);
  if (m.retains_grad) return;
  m.retains_grad = true;
  node.retained ??= new Map();
  node.retained.set(x.output_nr, x);
});

/** Takes this tensor itself out of the graph. */
export const detach_: Op<[], Tensor> = method('detach_', (x: Tensor) => {
  if (x._base !== null)
    throw new RuntimeError(
      "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.",
    );
  if (x._meta)
    Object.assign(x._meta, { requires_grad: false, grad_fn: null, output_nr: 0, accumulator: null });
  return x;
});

installMethods({ backward, register_hook, register_post_accumulate_grad_hook, retain_grad, detach_ });

// x.data: the values outside the graph, with a version count of their own; assigning replaces the values.
Object.defineProperty(Tensor.prototype, 'data', {
  configurable: true,
  get(this: Tensor): Tensor {
    const out = alias(this, this.shape, this._strides, this._offset, this._contiguous);
    out._storage = this._storage.alias();
    return out;
  },
  set(this: Tensor, value: Tensor) {
    if (!(value instanceof Tensor))
      throw new TypeError(`Variable data has to be a tensor, but got ${typeof value}`);
    if (value.dtype !== this.dtype) Object.assign(this, { dtype: value.dtype });
    this._storage = value._storage;
    setGeometry(this, value.shape, value._strides, value._offset);
  },
});
