// The user's entry points: backward and grad.

import { typeName } from '../dispatch/schema.js';
import { RuntimeError, ValueError } from '../errors.js';
import { stack } from '../ops/join.js';
import { sizeText } from '../pyformat.js';
import { sameSizes, Tensor } from '../tensor.js';
import { type Root, runBackward, type Target } from './engine.js';
import { gradEdge, graphMath, type Node } from './graph.js';

/** A place in the graph: an output of a node. */
export class GradientEdge {
  constructor(
    readonly node: Node,
    readonly output_nr: number,
  ) {}
  *[Symbol.iterator](): IterableIterator<Node | number> {
    yield this.node;
    yield this.output_nr;
  }
}

/** What gradients can be taken from and with respect to. */
export type Differentiable = Tensor | GradientEdge;

function listOf<T extends Differentiable>(x: T | readonly T[]): readonly T[] {
  return x instanceof Tensor || x instanceof GradientEdge ? [x as T] : (x as readonly T[]);
}

/** The edge behind a tensor; null when it takes no gradient. */
function edgeOf(x: Differentiable): Target | null {
  if (x instanceof GradientEdge) return { node: x.node, nr: x.output_nr };
  const node = gradEdge(x);
  return node === null ? null : { node, nr: x.output_nr };
}

/** @throws RuntimeError when a gradient does not fit its output. */
function checkGradOutput(grad: Tensor, x: Differentiable, i: number): void {
  const out = x instanceof Tensor ? x : x.node.outputs[x.output_nr];
  if (!sameSizes(grad.shape, out.shape))
    throw new RuntimeError(
      `Mismatch in shape: grad_output[${i}] has a shape of ${sizeText(grad.shape)} and output[${i}] has a shape of ${sizeText(out.shape)}.`,
    );
  if (grad.dtype.is_complex !== out.dtype.is_complex)
    throw new RuntimeError(
      `For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: grad_output[${i}] has a dtype of ${grad.dtype} and output[${i}] has a dtype of ${out.dtype}.`,
    );
}

function rootsOf(
  outputs: readonly Differentiable[],
  grads: readonly (Tensor | null | undefined)[] | null,
): Root[] {
  if (grads !== null && grads.length < outputs.length)
    throw new RuntimeError(`got ${outputs.length} tensors and ${grads.length} gradients`);
  const given = outputs.map((x, i) => {
    const grad = grads?.[i] ?? null;
    if (grad !== null && !(grad instanceof Tensor))
      throw new TypeError(`gradients can be either Tensors or None, but got ${typeName(grad)}`);
    if (grad !== null) checkGradOutput(grad, x, i);
    else if (needsGradient(x)) return implicitGrad(x);
    return grad;
  });
  return outputs.map((x, i) => {
    const edge = edgeOf(x);
    if (edge === null)
      throw new RuntimeError(`element ${i} of tensors does not require grad and does not have a grad_fn`);
    return { ...edge, grad: given[i] as Tensor };
  });
}

const needsGradient = (x: Differentiable): boolean => x instanceof GradientEdge || x.requires_grad;

function implicitGrad(x: Differentiable): Tensor {
  const out = x instanceof Tensor ? x : x.node.outputs[x.output_nr];
  if (out.shape.some((n) => n !== 1))
    throw new RuntimeError('grad can be implicitly created only for scalar outputs');
  if (!out.dtype.is_floating_point)
    throw new RuntimeError(
      `grad can be implicitly created only for real scalar outputs but got ${out.dtype}`,
    );
  return x instanceof Tensor ? graphMath.ones(x) : graphMath.ones(out);
}

function checkInputs(inputs: readonly unknown[]): void {
  for (const x of inputs)
    if (!(x instanceof Tensor || x instanceof GradientEdge))
      throw new RuntimeError(`all inputs have to be Tensors or GradientEdges, but got ${typeName(x)}`);
}

function targetsOf(inputs: readonly Differentiable[]): Target[] {
  return inputs.map((x) => {
    const edge = edgeOf(x);
    if (edge === null) throw new RuntimeError('One of the differentiated Tensors does not require grad');
    return edge;
  });
}

/**
 * Sums the gradients of the tensors with respect to the graph's leaves into their `grad`.
 * @param grad_tensors the "vector" of the vector-Jacobian product for each tensor; null where it is a scalar.
 * @param inputs accumulate into these only.
 * @throws RuntimeError for outputs outside of a graph, for non-scalars without a gradient, and for a graph that was freed.
 */
export function backward(
  tensors: Differentiable | readonly Differentiable[],
  grad_tensors: Tensor | readonly (Tensor | null)[] | null = null,
  retain_graph: boolean | null = null,
  create_graph = false,
  inputs: Differentiable | readonly Differentiable[] | null = null,
): void {
  const outputs = listOf(tensors);
  const grads = grad_tensors instanceof Tensor ? [grad_tensors] : grad_tensors;
  const only = inputs === null || inputs === undefined ? null : listOf(inputs);
  if (only !== null) {
    if (only.length === 0) throw new RuntimeError('`inputs` argument to `backward()` cannot be empty.');
    checkInputs(only);
  }
  const roots = rootsOf(outputs, grads);
  // Inputs that are no leaves keep their gradient from here on.
  if (only !== null) for (const x of only) if (x instanceof Tensor) x.retain_grad();
  runBackward(roots, retain_graph ?? create_graph, create_graph, only === null ? null : targetsOf(only));
}

export interface GradOptions {
  grad_outputs?: Tensor | readonly (Tensor | null)[] | null;
  retain_graph?: boolean | null;
  create_graph?: boolean;
  allow_unused?: boolean | null;
  materialize_grads?: boolean;
  /** The first dimension of each of `grad_outputs` counts vectors; so does that of the results. */
  is_grads_batched?: boolean;
}

/** Options of {@link grad} under which no gradient is null. */
type Complete = GradOptions & ({ allow_unused?: false | null } | { materialize_grads: true });

type GradOutputs = Tensor | readonly (Tensor | null)[] | null;

/**
 * The gradients of the outputs with respect to the inputs, one per input, of its shape.
 * Takes PyTorch's positional order too: `grad(outputs, inputs, grad_outputs, retain_graph, create_graph, …)`.
 * @throws RuntimeError when an input is not part of the graph, unless `allow_unused` (then its gradient is null)
 * or `materialize_grads` (then it is zeros).
 */
export function grad(
  outputs: Differentiable | readonly Differentiable[],
  inputs: Differentiable | readonly Differentiable[],
  options?: Complete,
): Tensor[];
export function grad(
  outputs: Differentiable | readonly Differentiable[],
  inputs: Differentiable | readonly Differentiable[],
  options: GradOptions,
): (Tensor | null)[];
export function grad(
  outputs: Differentiable | readonly Differentiable[],
  inputs: Differentiable | readonly Differentiable[],
  grad_outputs: GradOutputs,
  options: Complete,
): Tensor[];
export function grad(
  outputs: Differentiable | readonly Differentiable[],
  inputs: Differentiable | readonly Differentiable[],
  grad_outputs: GradOutputs,
  options: GradOptions,
): (Tensor | null)[];
export function grad(
  outputs: Differentiable | readonly Differentiable[],
  inputs: Differentiable | readonly Differentiable[],
  grad_outputs?: GradOutputs,
  retain_graph?: boolean | null,
  create_graph?: boolean,
): Tensor[];
export function grad(
  outputs: Differentiable | readonly Differentiable[],
  inputs: Differentiable | readonly Differentiable[],
  second: GradOutputs | GradOptions = null,
  third: GradOptions | boolean | null = {},
  create_graph = false,
): (Tensor | null)[] {
  const options: GradOptions = isOptions(second)
    ? second
    : {
        ...(typeof third === 'object' && third !== null ? third : { retain_graph: third, create_graph }),
        grad_outputs: second,
      };
  const materialize = options.materialize_grads ?? false;
  if (materialize && options.allow_unused === false)
    throw new ValueError(
      'Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.',
    );
  const ins = listOf(inputs);
  if (ins.length === 0) throw new RuntimeError('`inputs` argument to `grad()` cannot be empty.');
  checkInputs(ins);
  const grads =
    options.grad_outputs instanceof Tensor ? [options.grad_outputs] : (options.grad_outputs ?? null);
  const create = options.create_graph ?? false;
  if (options.is_grads_batched) return batched(listOf(outputs), ins, grads, options);
  const roots = rootsOf(listOf(outputs), grads);
  const results = runBackward(roots, options.retain_graph ?? create, create, targetsOf(ins), false);
  const unused = options.allow_unused ?? materialize;
  return results.map((g, i) => {
    if (g !== null) return g;
    if (!unused)
      throw new RuntimeError(
        `The differentiated Tensor at index ${i} appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.`,
      );
    const x = ins[i];
    return materialize ? graphMath.zeros(x instanceof Tensor ? x : x.node.outputs[x.output_nr]) : null;
  });
}

function isOptions(x: unknown): x is GradOptions {
  return typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype;
}

/** Gradients for several vectors, one after the other. */
function batched(
  outputs: readonly Differentiable[],
  inputs: readonly Differentiable[],
  grads: readonly (Tensor | null)[] | null,
  options: GradOptions,
): (Tensor | null)[] {
  const sizes = (grads ?? []).flatMap((g) => (g === null ? [] : [g.shape[0]]));
  if (sizes.length === 0)
    throw new RuntimeError('is_grads_batched=True needs grad_outputs, one for each vector');
  const retain = options.retain_graph ?? options.create_graph ?? false;
  const rows = Array.from({ length: sizes[0] }, (_, k) =>
    grad(outputs, inputs, {
      ...options,
      is_grads_batched: false,
      grad_outputs: (grads ?? []).map((g) => (g === null ? null : g.select(0, k))),
      retain_graph: retain || k < sizes[0] - 1,
    }),
  );
  return inputs.map((_, i) =>
    rows.some((row) => row[i] === null) ? null : stack(rows.map((row) => row[i] as Tensor)),
  );
}
