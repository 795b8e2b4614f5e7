// Hooks that backward calls: on gradients of tensors, on nodes, on leaves.
import { RuntimeError } from '../errors.js';
import { autogradMeta, sameSizes, Tensor } from '../tensor.js';
import { type AccumulateGrad, type Grad, graphMath, type Node, type Task } from './node.js';
import { typeText } from './saved.js';

const nameOf = (hook: unknown): string => (hook as { name?: string }).name || '<lambda>';

/** The name that Python would give the type of a value. */
function kindOf(x: unknown): string {
  if (Array.isArray(x)) return 'list';
  if (typeof x === 'number') return Number.isInteger(x) ? 'int' : 'float';
  const plain: Partial<Record<string, string>> = { boolean: 'bool', string: 'str', bigint: 'int' };
  return plain[typeof x] ?? (x as object | null)?.constructor?.name ?? typeof x;
}

/** Hooks on the gradients of a node's outputs, in the order of registration; then `retain_grad`. */
export function runTensorHooks(node: Node, task: Task): void {
  const { grads } = task;
  if (grads === null) return;
  if (node.tensorHooks !== null)
    for (const [nr, hooks] of node.tensorHooks)
      for (const hook of [...hooks.values()]) {
        const grad = grads[nr];
        if (!grad) continue;
        task.owned = 0;
        const result: unknown = hook(grad);
        if (result !== undefined && result !== null) grads[nr] = checked(result, grad, hook);
        const storage = grads[nr]?._storage;
        if (storage) storage.passed = true;
      }
  if (node.retained !== null)
    for (const [nr, tensor] of node.retained) {
      const grad = grads[nr];
      if (!grad) continue;
      const m = autogradMeta(tensor);
      m.grad = m.grad === null ? graphMath.clone(grad) : graphMath.add(m.grad, grad);
    }
}

/** @throws when a hook returned something that cannot stand for the gradient. */
function checked(result: unknown, grad: Tensor, hook: unknown): Tensor {
  if (!(result instanceof Tensor))
    throw new TypeError(`expected Variable, but hook returned '${kindOf(result)}'`);
  if (result.dtype !== grad.dtype)
    throw new RuntimeError(
      `hook '${nameOf(hook)}' has changed the type of value (was ${typeText(grad)} got ${typeText(result)})`,
    );
  if (result.device.type !== grad.device.type)
    throw new RuntimeError(`hook '${nameOf(hook)}' has changed the device of value`);
  if (!sameSizes(result.shape, grad.shape))
    throw new RuntimeError(`hook '${nameOf(hook)}' has changed the size of value`);
  return result;
}

/** Lets each hook replace a list of gradients. */
export function replaceGrads<H>(
  hooks: Iterable<H>,
  grads: readonly Grad[],
  call: (hook: H, grads: readonly Grad[]) => unknown,
): Grad[] {
  let current = grads.slice();
  for (const hook of [...hooks]) {
    const result = call(hook, current);
    if (result === undefined || result === null) continue;
    if (!Array.isArray(result)) throw new TypeError(`expected tuple, but hook returned '${kindOf(result)}'`);
    if (result.length !== current.length)
      throw new RuntimeError(
        `hook '${nameOf(hook)}' has returned an incorrect number of values (got ${result.length}, but expected ${current.length})`,
      );
    const before = current;
    current = (result as unknown[]).map((grad, i) => {
      const old = before[i];
      if (grad === null || grad === undefined) {
        if (old !== null && old !== undefined)
          throw new RuntimeError(`can't replace a ${typeText(old)} with None`);
        return null;
      }
      if (old === null || old === undefined) {
        if (!(grad instanceof Tensor))
          throw new TypeError(`expected Variable, but hook returned '${kindOf(grad)}'`);
        return grad;
      }
      return checked(grad, old, hook);
    });
  }
  return current;
}

/** Hooks that see what a node made of its gradients. */
export function runNodeHooks(
  node: Node,
  gradInputs: readonly Grad[],
  gradOutputs: readonly Grad[],
): readonly Grad[] {
  if (node.postHooks === null) return gradInputs;
  const inputs = gradInputs.map((g) => g ?? null);
  return replaceGrads(node.postHooks.values(), inputs, (hook, grads) => hook(grads, gradOutputs));
}

/** Hooks that see a leaf after its gradient was accumulated. */
export function runLeafHooks(node: AccumulateGrad): void {
  for (const hook of [...(node.leafHooks?.values() ?? [])]) {
    const result: unknown = hook(node.variable);
    if (result !== undefined && result !== null)
      throw new TypeError(`expected Variable, but hook returned '${kindOf(result)}'`);
  }
}
