// torch.autograd.graph: hooks on the graph, and places in it.

import { RuntimeError, ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { GradientEdge } from './backward.js';
import { running } from './engine.js';
import { gradEdge, Node, RemovableHandle, saving } from './graph.js';
import { isPromise } from './modes.js';

export { GradientEdge, Node };

/** Leaves the scope of saved-tensor hooks. */
export interface HooksGuard extends Disposable {}

/** Runs fn inside of what the guard entered, or hands the guard out. */
function scoped<R>(name: string, guard: HooksGuard, fn: (() => R) | undefined): R | HooksGuard {
  if (fn === undefined) return guard;
  try {
    const result = fn();
    if (isPromise(result))
      throw new RuntimeError(
        `torch.autograd.graph.${name}(…, callback): the callback returned a promise. Write \`using\` in the async function instead.`,
      );
    return result;
  } finally {
    guard[Symbol.dispose]();
  }
}

/**
 * Keeps tensors for backward in another form: `pack_hook(x)` is called when an op keeps x, `unpack_hook(packed)`
 * when backward needs it. Around a callback, or with `using`.
 */
export function saved_tensors_hooks<P>(
  pack_hook: (x: Tensor) => P,
  unpack_hook: (packed: P) => Tensor,
): HooksGuard;
export function saved_tensors_hooks<P, R>(
  pack_hook: (x: Tensor) => P,
  unpack_hook: (packed: P) => Tensor,
  fn: () => R,
): R;
export function saved_tensors_hooks<P, R>(
  pack_hook: (x: Tensor) => P,
  unpack_hook: (packed: P) => Tensor,
  fn?: () => R,
): R | HooksGuard {
  if (saving.forbidden !== null) throw new RuntimeError(saving.forbidden);
  const hooks = { pack: pack_hook, unpack: unpack_hook as (packed: unknown) => Tensor };
  saving.hooks = [...(saving.hooks ?? []), hooks];
  const leave = (): void => {
    const rest = (saving.hooks ?? []).filter((h) => h !== hooks);
    saving.hooks = rest.length === 0 ? null : rest;
  };
  return scoped('saved_tensors_hooks', { [Symbol.dispose]: leave }, fn);
}

/** Keeps tensors for backward in main memory, and brings them back to their device. */
export function save_on_cpu(pin_memory?: boolean): HooksGuard;
export function save_on_cpu<R>(fn: () => R): R;
export function save_on_cpu<R>(first?: boolean | (() => R)): R | HooksGuard {
  const pack = (x: Tensor): { device: Tensor['device']; copy: Tensor } => ({
    device: x.device,
    copy: x.is_cpu ? x.detach() : x.to('cpu'),
  });
  const unpack = ({ device, copy }: { device: Tensor['device']; copy: Tensor }): Tensor => copy.to(device);
  return typeof first === 'function'
    ? saved_tensors_hooks(pack, unpack, first)
    : saved_tensors_hooks(pack, unpack);
}

/** Makes the use of saved-tensor hooks fail with the message. */
export function disable_saved_tensors_hooks(error_message: string): HooksGuard;
export function disable_saved_tensors_hooks<R>(error_message: string, fn: () => R): R;
export function disable_saved_tensors_hooks<R>(error_message: string, fn?: () => R): R | HooksGuard {
  const before = saving.forbidden;
  saving.forbidden = error_message;
  if (saving.hooks !== null) {
    saving.forbidden = before;
    throw new RuntimeError(error_message);
  }
  const leave = (): void => {
    saving.forbidden = before;
  };
  return scoped('disable_saved_tensors_hooks', { [Symbol.dispose]: leave }, fn);
}

type MultiHook = ((grads: readonly (Tensor | null)[]) => void) | ((grad: Tensor) => void);

/** The hook of one backward pass over several tensors. */
interface Arrivals {
  left: number;
  readonly grads: (Tensor | null)[];
}

/**
 * Calls `fn(grads)` when the gradients of all the tensors that this backward pass reaches were computed (`mode`
 * 'all': null for the others), or `fn(grad)` with the first one ('any').
 */
export function register_multi_grad_hook(
  tensors: readonly Tensor[],
  fn: (grads: readonly (Tensor | null)[]) => void,
  options?: { mode?: 'all' },
): RemovableHandle;
export function register_multi_grad_hook(
  tensors: readonly Tensor[],
  fn: (grad: Tensor) => void,
  options: { mode: 'any' },
): RemovableHandle;
export function register_multi_grad_hook(
  tensors: readonly Tensor[],
  fn: MultiHook,
  { mode = 'all' }: { mode?: 'all' | 'any' } = {},
): RemovableHandle {
  if (mode !== 'all' && mode !== 'any')
    throw new ValueError(`Expects mode to be one of ('all', 'any') but got ${String(mode)}`);
  const handles =
    mode === 'any'
      ? hookFirst(tensors, fn as (grad: Tensor) => void)
      : hookAll(tensors, fn as (grads: readonly (Tensor | null)[]) => void);
  return new RemovableHandle(() => {
    for (const handle of handles) handle.remove();
  });
}

function hookFirst(tensors: readonly Tensor[], fn: (grad: Tensor) => void): RemovableHandle[] {
  let last = 0;
  const hook = (grad: Tensor): void => {
    if (last === running.pass) return;
    last = running.pass;
    fn(grad);
  };
  return tensors.filter((x) => x.requires_grad).map((x) => x.register_hook(hook));
}

function hookAll(
  tensors: readonly Tensor[],
  fn: (grads: readonly (Tensor | null)[]) => void,
): RemovableHandle[] {
  const nodes = tensors.map((x) => get_gradient_edge(x).node);
  let pass = 0;
  let arrivals: Arrivals = { left: 0, grads: [] };
  return tensors.map((x, i) =>
    x.register_hook((grad) => {
      if (pass !== running.pass) {
        pass = running.pass;
        // Tensors that this pass does not reach are not waited for.
        arrivals = {
          left: nodes.filter((node) => willRun(node, pass)).length,
          grads: tensors.map(() => null),
        };
      }
      arrivals.grads[i] = grad;
      if (--arrivals.left === 0) fn(arrivals.grads);
    }),
  );
}

function willRun(node: Node, pass: number): boolean {
  for (let task = node.task; task !== null; task = task.outer)
    if (task.pass === pass) return task.needed || task.captures !== null;
  return false;
}

/** Counts a write to the memory of the tensors that autograd did not see. */
export function increment_version(tensors: Tensor | Iterable<Tensor>): void {
  for (const x of tensors instanceof Tensor ? [tensors] : tensors) x._storage.version++;
}

/**
 * The place in the graph where the gradient of a tensor is computed; `grad` and `backward` take it in its stead.
 * @throws RuntimeError when the tensor does not require a gradient.
 */
export function get_gradient_edge(tensor: Tensor): GradientEdge {
  const node = tensor.requires_grad ? gradEdge(tensor) : null;
  if (node === null)
    throw new RuntimeError(
      'It is not possible to get the gradient edge for a Tensor that does not require gradients',
    );
  return new GradientEdge(node, tensor.output_nr);
}
