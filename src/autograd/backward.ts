// The user's entry points: backward and grad.
import { RuntimeError } from '../errors.js';
import { sameSizes, Tensor } from '../tensor.js';
import { type Root, runBackward, type Target } from './engine.js';
import { gradEdge, graphMath } from './graph.js';

function rootsOf(tensors: readonly Tensor[], grads: readonly (Tensor | null)[] | null): Root[] {
  if (grads !== null && grads.length !== tensors.length)
    throw new RuntimeError(`got ${tensors.length} tensors and ${grads.length} gradients`);
  const roots: Root[] = [];
  tensors.forEach((x, i) => {
    const node = gradEdge(x);
    if (node === null) throw new RuntimeError(`element ${i} of tensors does not require grad and does not have a grad_fn`);
    const grad = grads?.[i] ?? implicitGrad(x);
    if (!sameSizes(grad.shape, x.shape))
      throw new RuntimeError(
        `Mismatch in shape: grad_output[${i}] has a shape of torch.Size([${grad.shape.join(', ')}]) and output[${i}] has a shape of torch.Size([${x.shape.join(', ')}]).`,
      );
    if (grad.dtype.is_complex !== x.dtype.is_complex)
      throw new RuntimeError(
        `For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: grad_output[${i}] has a dtype of ${grad.dtype} and output[${i}] has a dtype of ${x.dtype}.`,
      );
    roots.push({ node, nr: x.output_nr, grad });
  });
  return roots;
}

function implicitGrad(x: Tensor): Tensor {
  if (x._numel !== 1) throw new RuntimeError('grad can be implicitly created only for scalar outputs');
  if (!x.dtype.is_floating_point)
    throw new RuntimeError(`grad can be implicitly created only for real scalar outputs but got ${x.dtype}`);
  return graphMath.ones(x);
}

function targetsOf(inputs: readonly Tensor[], name: string): Target[] {
  return inputs.map((x) => {
    const node = x instanceof Tensor ? gradEdge(x) : null;
    if (node === null) throw new RuntimeError(name);
    return { node, nr: x.output_nr };
  });
}

/**
 * Sums the gradients of the tensors with respect to the graph's leaves into their `grad`.
 * @param grad_tensors the "vector" of the vector-Jacobian product for each tensor; null where it is a scalar.
 * @param inputs accumulate into these only.
 */
export function backward(
  tensors: Tensor | readonly Tensor[],
  grad_tensors: Tensor | readonly (Tensor | null)[] | null = null,
  retain_graph: boolean | null = null,
  create_graph = false,
  inputs: Tensor | readonly Tensor[] | null = null,
): void {
  const list = tensors instanceof Tensor ? [tensors] : tensors;
  const grads = grad_tensors instanceof Tensor ? [grad_tensors] : grad_tensors;
  const only = inputs instanceof Tensor ? [inputs] : inputs;
  if (only !== null && only.length === 0) throw new RuntimeError('`inputs` argument to `backward()` cannot be empty.');
  const targets = only === null ? null : targetsOf(only, 'One of the differentiated Tensors does not require grad');
  const results = runBackward(rootsOf(list, grads), retain_graph ?? create_graph, create_graph, targets);
  if (only !== null) accumulateInto(only, results, create_graph);
}

/** Non-leaf inputs of backward keep their gradient as leaves do. */
function accumulateInto(inputs: readonly Tensor[], grads: readonly (Tensor | null)[], create: boolean): void {
  inputs.forEach((x, i) => {
    const grad = grads[i];
    if (x.is_leaf || grad === null) return;
    const kept = create ? grad : graphMath.detach(graphMath.clone(grad));
    x.grad = x.grad === null ? kept : graphMath.add(x.grad, kept);
  });
}

export interface GradOptions {
  grad_outputs?: Tensor | readonly (Tensor | null)[] | null;
  retain_graph?: boolean | null;
  create_graph?: boolean;
  allow_unused?: boolean | null;
  materialize_grads?: boolean;
}

/**
 * The gradients of the outputs with respect to the inputs.
 * @throws RuntimeError when an input is not part of the graph, unless `allow_unused` (then its gradient is null).
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  grad_outputs: Tensor | readonly (Tensor | null)[] | null | GradOptions = null,
  options: GradOptions | boolean | null = {},
): (Tensor | null)[] {
  const given: GradOptions = isOptions(grad_outputs) ? grad_outputs : { ...(typeof options === 'object' ? options : { retain_graph: options }), grad_outputs };
  const outs = outputs instanceof Tensor ? [outputs] : outputs;
  const ins = inputs instanceof Tensor ? [inputs] : inputs;
  const grads = given.grad_outputs instanceof Tensor ? [given.grad_outputs] : (given.grad_outputs ?? null);
  const create = given.create_graph ?? false;
  const targets = targetsOf(ins, 'One of the differentiated Tensors does not require grad');
  const results = runBackward(rootsOf(outs, grads), given.retain_graph ?? create, create, targets, false);
  const unused = given.allow_unused ?? given.materialize_grads ?? false;
  return results.map((g, i) => {
    if (g !== null) return g;
    if (!unused)
      throw new RuntimeError('One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.');
    return given.materialize_grads ? graphMath.zeros(ins[i]) : null;
  });
}

function isOptions(x: unknown): x is GradOptions {
  return typeof x === 'object' && x !== null && !(x instanceof Tensor) && !Array.isArray(x);
}

