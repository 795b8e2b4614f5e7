// Backward: walks the graph from the roots, latest op first, and accumulates into the leaves.
import { RuntimeError } from '../errors.js';
import { autogradMeta, sameSizes, type Tensor } from '../tensor.js';
import { checkNaN, describeFailure } from './anomaly.js';
import { fitGradient, type Grad, graphMath } from './graph.js';
import { replaceGrads, runLeafHooks, runNodeHooks, runTensorHooks } from './hooks.js';
import { mode } from './modes.js';
import { AccumulateGrad, type Node, type OutputMeta, Task } from './node.js';

/** A gradient to start from. */
export interface Root {
  readonly node: Node;
  readonly nr: number;
  readonly grad: Tensor;
}

/** An edge whose gradient is wanted. */
export interface Target {
  readonly node: Node;
  readonly nr: number;
}

let passes = 0;
/** @internal The number of the innermost running pass, 0 outside of backward; whether it, or one around it, wants given inputs only. */
export const running = { pass: 0, limited: false };

/** @internal Runs each backward node, when something watches them: a profiler. */
export const observer: { execute: ((name: string, run: () => void) => void) | null } = { execute: null };

/** One backward pass. */
class Pass {
  private readonly id = ++passes;
  /** Every reachable node, in the order of discovery. */
  private readonly nodes: Node[] = [];
  private readonly ready: Node[] = [];
  private readonly captured: (Tensor | null)[] = [];
  private readonly limited: boolean;

  constructor(
    private readonly keepGraph: boolean,
    private readonly createGraph: boolean,
    private readonly targets: readonly Target[] | null,
    private readonly accumulate: boolean,
  ) {
    this.limited = targets !== null;
  }

  run(roots: readonly Root[]): readonly (Tensor | null)[] {
    const { pass, limited } = running;
    running.pass = this.id;
    running.limited ||= this.limited;
    try {
      this.discover(roots);
      if (this.targets !== null) this.aim(this.targets);
      for (const { node, nr, grad } of roots) {
        const fitted = fitGradient(grad, node.outputs[nr]);
        fitted._storage.passed = true;
        this.add(node, nr, fitted, false);
      }
      for (let i = 0; i < roots.length; i++) {
        const { node } = roots[i];
        const first = roots.length === 1 || roots.findIndex((r) => r.node === node) === i;
        if (first && node.task?.waiting === 0) this.push(node);
      }
      for (let node = this.pop(); node !== undefined; node = this.pop()) this.evaluate(node);
    } finally {
      running.pass = pass;
      running.limited = limited;
      // What a failure left behind.
      if (this.nodes.length > 0)
        for (const node of this.nodes) if (node.task?.pass === this.id) node.task = node.task.outer;
    }
    return this.captured;
  }

  /** Finds every reachable node and counts the edges that lead to it. */
  private discover(roots: readonly Root[]): void {
    const { nodes } = this;
    for (let i = 0; i < roots.length; i++) this.visit(roots[i].node);
    for (let i = 0; i < nodes.length; i++) {
      const { next } = nodes[i];
      for (let j = 0; j < next.length; j++) {
        const node = next[j];
        if (node !== null) this.visit(node).waiting++;
      }
    }
  }

  private visit(node: Node): Task {
    let task = node.task;
    if (task === null || task.pass !== this.id) {
      task = new Task(this.id, task);
      node.task = task;
      this.nodes.push(node);
    }
    return task;
  }

  /** Restricts the pass to the nodes that lead to a target. */
  private aim(targets: readonly Target[]): void {
    for (const node of this.nodes) (node.task as Task).needed = false;
    targets.forEach(({ node, nr }, index) => {
      this.captured.push(null);
      const { task } = node;
      if (task === null || task.pass !== this.id) return;
      if (this.accumulate) task.needed = true;
      else {
        task.captures ??= [];
        task.captures.push([nr, index]);
      }
    });
    // Inputs of a node were recorded before it: in ascending order they are visited first.
    const inner = this.nodes.filter((n) => n.next.length > 0).sort((a, b) => a.sequence - b.sequence);
    for (const node of inner) {
      const task = node.task as Task;
      if (!task.needed) task.needed = node.next.some((n) => n !== null && this.wanted(n));
    }
  }

  /** Does the node, which was not run yet, take gradients? */
  private wanted(node: Node): boolean {
    const task = node.task as Task;
    return task.needed || task.captures !== null;
  }

  private add(node: Node, nr: number, grad: Tensor, owned: boolean): void {
    const task = node.task as Task;
    const bit = nr < 31 ? 1 << nr : 0;
    if (task.grads === null)
      task.grads = node.outputs.length === 1 ? [null] : new Array<Grad>(node.outputs.length).fill(null);
    const before = task.grads[nr];
    if (before === null) {
      task.grads[nr] = grad;
      if (owned) task.owned |= bit;
    } else if ((task.owned & bit) !== 0 && !this.createGraph && before.dtype === grad.dtype)
      graphMath.add_(before, grad);
    else {
      const sum = graphMath.add(before, grad);
      sum._storage.passed = true;
      task.grads[nr] = sum;
      task.owned |= bit;
    }
  }

  private evaluate(node: Node): void {
    const task = node.task as Task;
    if (task.needed) {
      if (task.captures !== null) this.capture(task);
      if (task.grads !== null || node.runsEmpty) {
        if (observer.execute === null) this.execute(node, task);
        else observer.execute(node.name(), () => this.execute(node, task));
      }
    } else if (task.captures !== null && task.grads !== null) {
      if (node.tensorHooks !== null || node.retained !== null) runTensorHooks(node, task);
      this.capture(task);
    }
    node.task = task.outer;
    const { next } = node;
    for (let i = 0; i < next.length; i++) {
      const input = next[i];
      if (input === null) continue;
      const waiting = input.task as Task;
      if (--waiting.waiting === 0) this.push(input);
    }
  }

  private capture({ grads, captures }: Task): void {
    if (grads === null || captures === null) return;
    for (const [nr, index] of captures) {
      this.captured[index] = grads[nr];
      // A captured gradient is the caller's.
      const storage = grads[nr]?._storage;
      if (storage) storage.passed = true;
    }
  }

  private execute(node: Node, task: Task): void {
    task.grads ??= new Array<Grad>(node.outputs.length).fill(null);
    if (node.tensorHooks !== null || node.retained !== null) runTensorHooks(node, task);
    if (node.preHooks !== null) {
      task.grads = replaceGrads(node.preHooks.values(), task.grads, (hook, grads) => hook(grads));
      task.owned = 0;
    }
    if (node instanceof AccumulateGrad) this.reachLeaf(node, task.grads[0], (task.owned & 1) !== 0);
    else this.propagate(node, task.grads, task.captures !== null);
  }

  /** Runs a node's formula and hands the results on. */
  private propagate(node: Node, grads: readonly Grad[], captured: boolean): void {
    let results: readonly Grad[];
    if (mode.anomaly) results = this.watch(node, grads);
    else results = node.apply(grads);
    if (node.postHooks !== null) results = runNodeHooks(node, results, grads);
    if (!this.keepGraph) node.release();
    const borrowed = captured || node.postHooks !== null || node.borrows;
    const { next, nextNr } = node;
    for (let i = 0; i < next.length; i++) {
      const input = next[i];
      const grad = results[i];
      if (input === null || grad === null || grad === undefined) continue;
      if (this.limited && !this.wanted(input)) continue;
      const nr = nextNr[i];
      const fitted = validate(node, i, grad, input.outputs[nr]);
      const storage = fitted._storage;
      const owned = !borrowed && !storage.passed && fitted._base === null && !sharedWith(results, i, storage);
      storage.passed = true;
      this.add(input, nr, fitted, owned);
    }
  }

  /** Runs a node's formula in anomaly mode. */
  private watch(node: Node, grads: readonly Grad[]): readonly Grad[] {
    try {
      const results = node.apply(grads);
      if (mode.checkNaN) checkNaN(node, results);
      return results;
    } catch (error) {
      describeFailure(node, error);
      throw error;
    }
  }

  private reachLeaf(node: AccumulateGrad, grad: Grad, owned: boolean): void {
    if (grad === null || !this.accumulate || !node.variable.requires_grad) return;
    accumulateInto(
      node.variable,
      grad,
      owned && node.tensorHooks === null && node.postHooks === null,
      this.createGraph,
    );
    if (node.leafHooks !== null) runLeafHooks(node);
    if (node.postHooks !== null) runNodeHooks(node, [], [grad]);
  }

  // A binary heap of nodes that are ready; leaves first (they free gradients), then the latest op.
  private push(node: Node): void {
    const heap = this.ready;
    let i = heap.length;
    heap.push(node);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[i].sequence <= heap[parent].sequence) break;
      [heap[i], heap[parent]] = [heap[parent], heap[i]];
      i = parent;
    }
  }

  private pop(): Node | undefined {
    const heap = this.ready;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return top;
    heap[0] = last;
    for (let i = 0; ; ) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].sequence > heap[child].sequence) child++;
      if (heap[child].sequence <= heap[i].sequence) break;
      [heap[i], heap[child]] = [heap[child], heap[i]];
      i = child;
    }
    return top;
  }
}

/** Adds a gradient to the leaf's `grad`; the first one is laid out in memory as the leaf is. */
function accumulateInto(variable: Tensor, grad: Tensor, owned: boolean, createGraph: boolean): void {
  const m = autogradMeta(variable);
  if (m.grad === null) {
    const fits = variable._contiguous ? grad._contiguous : sameSizes(grad._strides, variable._strides);
    if (owned && fits && !createGraph && grad._meta === null) m.grad = grad;
    else m.grad = copyLike(grad, variable);
  } else if (createGraph) m.grad = graphMath.add(m.grad, grad);
  else graphMath.add_(m.grad, grad);
}

/** A copy of the gradient, recorded when a graph is wanted, in the memory layout of the leaf where that is dense. */
function copyLike(grad: Tensor, variable: Tensor): Tensor {
  return graphMath.copy_(graphMath.emptyLike(variable, grad.dtype), grad);
}

/** Does the memory of gradient i also serve another input of the node? */
function sharedWith(grads: readonly Grad[], i: number, storage: object): boolean {
  for (let j = 0; j < grads.length; j++) if (j !== i && grads[j]?._storage === storage) return true;
  return false;
}

/** The gradient in the form that the edge takes. @throws RuntimeError when it does not fit. */
function validate(node: Node, index: number, grad: Tensor, meta: OutputMeta): Tensor {
  if (grad.device.type !== meta.device.type)
    throw new RuntimeError(
      `Function ${node.name()} returned an invalid gradient at index ${index} - expected device ${meta.device} but got ${grad.device}`,
    );
  if (grad.shape !== meta.shape && !expandable(meta.shape, grad.shape))
    throw new RuntimeError(
      `Function ${node.name()} returned an invalid gradient at index ${index} - got [${grad.shape.join(', ')}] but expected shape compatible with [${meta.shape.join(', ')}]`,
    );
  return fitGradient(grad, meta);
}

/** Can a tensor of this shape be broadcast to `to`? */
function expandable(shape: readonly number[], to: readonly number[]): boolean {
  if (shape.length > to.length) return false;
  for (let d = 1; d <= shape.length; d++) {
    const size = shape[shape.length - d];
    if (size !== to[to.length - d] && size !== 1) return false;
  }
  return true;
}

/**
 * Runs backward from the roots.
 * @param targets return the gradients of these instead of accumulating (or, with `accumulate`, accumulate into only these).
 */
export function runBackward(
  roots: readonly Root[],
  keepGraph: boolean,
  createGraph: boolean,
  targets: readonly Target[] | null = null,
  accumulate = true,
): readonly (Tensor | null)[] {
  const saved = mode.grad;
  mode.grad = createGraph;
  try {
    return new Pass(keepGraph, createGraph, targets, accumulate).run(roots);
  } finally {
    mode.grad = saved;
  }
}
