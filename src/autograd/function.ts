// torch.autograd.Function: differentiable functions with a backward of the user's own.
import { alias } from '../dispatch/allocate.js';
import { typeName } from '../dispatch/schema.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { autogradMeta, Tensor } from '../tensor.js';
import { warnOnce } from '../warnings.js';
import {
  attach,
  Creation,
  type Grad,
  gradEdge,
  graphMath,
  markView,
  moveHooks,
  Node,
  needsGrad,
  rebase,
  type SavedTensor,
  saveTensor,
  throwBackwardTwice,
} from './graph.js';
import { mode, no_grad } from './modes.js';

/** The static methods that a subclass of {@link Function} has. */
interface Definition {
  readonly name: string;
  forward?: (...args: readonly unknown[]) => unknown;
  setup_context?: (ctx: FunctionCtx, inputs: readonly unknown[], output: unknown) => unknown;
  backward?: (ctx: FunctionCtx, ...grads: Grad[]) => unknown;
  vjp?: (ctx: FunctionCtx, ...grads: Grad[]) => unknown;
}

/**
 * What `forward` (or `setup_context`) leaves for `backward`; also the `grad_fn` of the outputs. Anything that is
 * no tensor may be kept as a property.
 */
export class FunctionCtx extends Node {
  /** For each argument of `apply`, whether it is a tensor that requires a gradient. */
  needs_input_grad: readonly boolean[] = [];
  /** Properties that users set. */
  [attribute: string]: unknown;

  /** @internal */
  toSave: readonly (Tensor | null)[] = [];
  /** @internal */
  kept: (SavedTensor | null)[] = [];
  /** @internal */
  dirty: readonly Tensor[] = [];
  /** @internal */
  nonDifferentiable: readonly Tensor[] = [];
  /** @internal */
  materialize = true;
  /** @internal */
  freed = false;
  /** @internal For each argument, whether it is a tensor. */
  tensors: readonly boolean[] = [];

  /** @internal */
  constructor(private readonly definition: Definition) {
    super();
  }

  /** Keeps inputs and outputs for backward: call it once. Other values belong in properties. */
  save_for_backward(...tensors: readonly (Tensor | null)[]): void {
    this.toSave = tensors;
  }

  /** What {@link save_for_backward} kept. @throws RuntimeError when it was freed or modified. */
  get saved_tensors(): Tensor[] {
    if (this.freed) throwBackwardTwice();
    if (this.kept.length === 0) return this.toSave as Tensor[];
    return this.kept.map((slot) => (slot === null ? null : slot.unpack(this))) as Tensor[];
  }

  /** Names the inputs that `forward` writes to; it must return them. */
  mark_dirty(...tensors: readonly Tensor[]): void {
    this.dirty = tensors;
  }

  /** Names the outputs that have no gradient. */
  mark_non_differentiable(...tensors: readonly Tensor[]): void {
    this.nonDifferentiable = tensors;
  }

  /** Whether gradients that are missing reach `backward` as zeros (the default) or as null. */
  set_materialize_grads(value: boolean): void {
    this.materialize = value;
  }

  name(): string {
    return `${this.definition.name}Backward`;
  }
  override get title(): string {
    return this.definition.name;
  }
  override get borrows(): boolean {
    return true;
  }
  override get runsEmpty(): boolean {
    return true;
  }

  /** @internal */
  apply(grads: readonly Grad[]): readonly Grad[] {
    const { backward, vjp } = this.definition;
    if (backward !== undefined && vjp !== undefined)
      throw new RuntimeError(
        "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of them.",
      );
    const formula = vjp ?? backward;
    if (formula === undefined)
      throw new NotImplementedError(
        'You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD.',
      );
    const given = this.materialize ? grads.map((g, i) => g ?? graphMath.zeros(this.outputs[i])) : grads;
    const result = formula.call(this.definition, this, ...given);
    return this.checked(Array.isArray(result) ? (result as unknown[]) : [result]);
  }

  /** Gradients of the tensor arguments, in their order. */
  private checked(returned: readonly unknown[]): readonly Grad[] {
    const count = this.tensors.length;
    let results = returned;
    if (results.length > count && results.slice(count).every((g) => g === null || g === undefined))
      results = results.slice(0, count);
    if (results.length !== count)
      throw new RuntimeError(
        `function ${this.name()} returned an incorrect number of gradients (expected ${count}, got ${results.length})`,
      );
    results.forEach((g, i) => {
      if (g === null || g === undefined) return;
      if (!this.tensors[i])
        throw new RuntimeError(
          `function ${this.name()} returned a gradient different than None at position ${i + 1}, but the corresponding forward input was not a Variable`,
        );
      if (!(g instanceof Tensor)) throw new RuntimeError(`expected Variable or None (got ${typeName(g)})`);
    });
    return results.filter((_, i) => this.tensors[i]).map((g) => (g as Grad | undefined) ?? null);
  }

  release(): void {
    if (this.toSave.length > 0 || this.kept.length > 0) this.freed = true;
    for (const slot of this.kept) slot?.release();
    this.kept = [];
    this.toSave = [];
  }
}

/** A subclass whose `forward` takes the context first. */
interface WithContext<A extends readonly unknown[], R> {
  forward(ctx: FunctionCtx, ...args: A): R;
}
/** A subclass whose context is set up apart. */
interface WithSetup<A extends readonly unknown[], R> {
  forward(...args: A): R;
  setup_context(ctx: FunctionCtx, inputs: A, output: R): void;
}

/**
 * The base of differentiable functions that bring their own backward.
 *
 *     class Exp extends torch.autograd.Function {
 *       static forward(ctx: FunctionCtx, x: Tensor) { const y = x.exp(); ctx.save_for_backward(y); return y; }
 *       static backward(ctx: FunctionCtx, grad: Tensor) { const [y] = ctx.saved_tensors; return grad.mul(y); }
 *     }
 *     const y = Exp.apply(x);
 *
 * With a static `setup_context(ctx, inputs, output)`, `forward` takes no context. `backward` returns one gradient per
 * argument of `apply` (null for those that are no tensors); it is differentiable itself when it calls tensor ops.
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: PyTorch's name, used as torch.autograd.Function
// biome-ignore lint/complexity/noStaticOnlyClass: subclasses are called through apply, as in PyTorch
export abstract class Function {
  /** Calls the function on the arguments of its `forward`, and records it. */
  static apply<A extends readonly unknown[], R>(this: WithSetup<A, R>, ...args: A): R;
  static apply<A extends readonly unknown[], R>(this: WithContext<A, R>, ...args: A): R;
  static apply(this: unknown, ...args: readonly unknown[]): unknown {
    return call(this as Definition, args);
  }
}

function call(definition: Definition, args: readonly unknown[]): unknown {
  const ctx = new FunctionCtx(definition);
  const inputs = args.filter((x): x is Tensor => x instanceof Tensor);
  ctx.tensors = args.map((x) => x instanceof Tensor);
  ctx.needs_input_grad = args.map((x) => x instanceof Tensor && x.requires_grad);
  const recorded = needsGrad(...inputs);
  const { forward, setup_context: setup } = definition;
  if (forward === undefined)
    throw new NotImplementedError('You must implement the forward function for custom autograd.Function.');
  const result = no_grad(() => {
    if (setup === undefined) return forward.call(definition, ctx, ...args);
    const output = forward.apply(definition, [...args]);
    setup.call(definition, ctx, args, output);
    return output;
  });
  checkMarks(ctx);
  const outputs: readonly unknown[] = Array.isArray(result) ? result : [result];
  checkDirty(ctx, inputs, outputs);
  if (recorded)
    for (const x of inputs) {
      const edge = gradEdge(x);
      ctx.next.push(edge);
      ctx.nextNr.push(edge === null ? 0 : x.output_nr);
    }
  const views = outputs.length > 1;
  const wrapped = outputs.map((out) =>
    out instanceof Tensor ? wrap(ctx, out, inputs, recorded, views) : out,
  );
  if (recorded) keep(ctx);
  if (!Array.isArray(result)) return wrapped[0];
  return Object.assign(result.slice(), wrapped);
}

/** @throws when something was marked or saved that is no tensor. */
function checkMarks(ctx: FunctionCtx): void {
  ctx.toSave.forEach((x: unknown, i) => {
    if (x !== null && x !== undefined && !(x instanceof Tensor))
      throw new TypeError(
        `save_for_backward can only save variables, but argument ${i} is of type ${typeName(x)}`,
      );
  });
  ctx.dirty.forEach((x: unknown, i) => {
    if (!(x instanceof Tensor))
      throw new TypeError(
        `mark_dirty can only accept variables, but argument ${i} is of type ${typeName(x)}`,
      );
  });
  for (const x of ctx.nonDifferentiable as readonly unknown[])
    if (!(x instanceof Tensor))
      throw new TypeError(`mark_non_differentiable only accepts variable arguments, but got ${typeName(x)}`);
}

function checkDirty(ctx: FunctionCtx, inputs: readonly Tensor[], outputs: readonly unknown[]): void {
  for (const x of ctx.dirty) {
    if (!inputs.includes(x))
      warnOnce(
        'ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be passed to ctx.mark_dirty().',
      );
    if (!outputs.includes(x))
      throw new RuntimeError(
        'Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.',
      );
  }
}

/** Gives an output its place in the graph. */
function wrap(
  ctx: FunctionCtx,
  out: Tensor,
  inputs: readonly Tensor[],
  recorded: boolean,
  multiple: boolean,
): Tensor {
  const isInput = inputs.includes(out);
  const dirty = ctx.dirty.includes(out);
  const differentiable = recorded && !out.dtype.is_integral && !ctx.nonDifferentiable.includes(out);
  if (!differentiable) {
    // An output keeps its place among the gradients that backward takes.
    if (recorded) ctx.outputs.push({ shape: out.shape, dtype: out.dtype, device: out.device });
    if (isInput && !dirty && out.requires_grad)
      return alias(out, out.shape, out._strides, out._offset, out._contiguous);
    return out;
  }
  if (dirty) out._storage.version++;
  if (dirty && isInput) {
    if (out.is_leaf && out.requires_grad && out._base === null)
      throw new RuntimeError('a leaf Variable that requires grad has been used in an in-place operation.');
    rebaseDirty(out, ctx);
    return out;
  }
  let result = out;
  if (isInput)
    result = no_grad(() => markView(alias(out, out.shape, out._strides, out._offset, out._contiguous), out));
  if (result._base !== null) result._creation = multiple ? Creation.oneOfMany : Creation.inFunction;
  attach(ctx, [result]);
  return result;
}

/** The history of an input that `forward` wrote to. */
function rebaseDirty(x: Tensor, ctx: FunctionCtx): void {
  const m = autogradMeta(x);
  if (x._base === null) {
    m.accumulator = null;
    moveHooks(x, ctx);
    attach(ctx, [x]);
    return;
  }
  ctx.outputs.push({ shape: x.shape, dtype: x.dtype, device: x.device });
  rebase(x, ctx);
}

/** Keeps the saved tensors, of which the outputs have their history by now. */
function keep(ctx: FunctionCtx): void {
  ctx.kept = ctx.toSave.map((x) => (x === null || x === undefined ? null : saveTensor(x)));
  ctx.toSave = [];
}

/**
 * Wraps a `backward` that cannot be differentiated itself: `static backward = once_differentiable((ctx, grad) => …)`.
 * Its results require gradients when the incoming ones do, and fail when they are differentiated.
 */
export function once_differentiable<C extends FunctionCtx, A extends readonly unknown[], R>(
  backward: (ctx: C, ...grads: A) => R,
): (ctx: C, ...grads: A) => R {
  return function (this: unknown, ctx: C, ...grads: A): R {
    const outputs = no_grad(() => backward.call(this, ctx, ...grads));
    if (!mode.grad || !needsGrad(...grads.map((g) => (g instanceof Tensor ? g : null)))) return outputs;
    const fail = (x: unknown): unknown => {
      if (!(x instanceof Tensor)) return x;
      const out = x.detach();
      const node = new DelayedError(
        'trying to differentiate twice a function that was marked with @once_differentiable',
      );
      node.next = grads.map((g) => (g instanceof Tensor ? gradEdge(g) : null));
      node.nextNr = grads.map((g) => (g instanceof Tensor ? g.output_nr : 0));
      attach(node, [out]);
      return out;
    };
    return (Array.isArray(outputs) ? outputs.map(fail) : fail(outputs)) as R;
  };
}

/** A node that cannot be passed. */
class DelayedError extends Node {
  constructor(private readonly message: string) {
    super();
  }
  name(): string {
    return 'torch::autograd::Error';
  }
  apply(): readonly Grad[] {
    throw new RuntimeError(this.message);
  }
  release(): void {}
}
