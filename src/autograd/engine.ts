// Backward: walks the graph from the roots, latest op first, and accumulates into the leaves.
import { RuntimeError } from '../errors.js';
import { autogradMeta, type Tensor } from '../tensor.js';
import { AccumulateGrad, fit, type Grad, graphMath, type Node, type OutputMeta } from './graph.js';
import { mode } from './modes.js';

/** A gradient to start from, or to end in. */
export interface Root {
  readonly node: Node;
  readonly nr: number;
  readonly grad: Tensor;
}

export interface Target {
  readonly node: Node;
  readonly nr: number;
}

/** Gradients that wait for a node; `owned[i]`: nothing else refers to the memory of grads[i]. */
interface Buffer {
  readonly grads: Grad[];
  readonly owned: boolean[];
}

let passes = 0;

/** One backward pass. */
class Pass {
  private readonly id = ++passes;
  private readonly waiting = new Map<Node, number>();
  private readonly buffers = new Map<Node, Buffer>();
  private readonly ready: Node[] = [];
  private needed: Set<Node> | null = null;
  private readonly captured: (Tensor | null)[];
  private readonly captures = new Map<Node, [nr: number, index: number][]>();

  constructor(
    private readonly keepGraph: boolean,
    private readonly createGraph: boolean,
    targets: readonly Target[] | null,
    private readonly accumulate: boolean,
  ) {
    this.captured = (targets ?? []).map(() => null);
    targets?.forEach(({ node, nr }, index) => {
      const list = this.captures.get(node);
      if (list) list.push([nr, index]);
      else this.captures.set(node, [[nr, index]]);
    });
    if (targets) this.needed = new Set();
  }

  run(roots: readonly Root[]): readonly (Tensor | null)[] {
    this.count(roots.map((r) => r.node));
    for (const { node, nr, grad } of roots) {
      grad._storage.pass = this.id;
      this.add(node, nr, grad, false);
    }
    for (const node of new Set(roots.map((r) => r.node))) if (!this.waiting.get(node)) this.push(node);
    for (let node = this.pop(); node !== undefined; node = this.pop()) this.evaluate(node);
    return this.captured;
  }

  /** Counts, for every reachable node, the edges that lead to it; finds the nodes that lead to a target. */
  private count(roots: readonly Node[]): void {
    const { waiting } = this;
    const order: Node[] = [];
    const seen = new Set<Node>(roots);
    const stack = [...seen];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      order.push(node);
      for (const next of node.next) {
        if (next === null) continue;
        waiting.set(next, (waiting.get(next) ?? 0) + 1);
        if (!seen.has(next)) {
          seen.add(next);
          stack.push(next);
        }
      }
    }
    if (this.needed) this.findNeeded(order);
  }

  private findNeeded(nodes: readonly Node[]): void {
    const needed = this.needed as Set<Node>;
    // Inputs of a node were recorded before it, leaves apart: ascending sequence visits them first.
    const leaves = nodes.filter((n) => n.next.length === 0);
    const rest = nodes.filter((n) => n.next.length > 0).sort((a, b) => a.sequence - b.sequence);
    for (const node of [...leaves, ...rest])
      if (this.captures.has(node) || node.next.some((n) => n !== null && needed.has(n))) needed.add(node);
  }

  private add(node: Node, nr: number, grad: Tensor, owned: boolean): void {
    let buffer = this.buffers.get(node);
    if (!buffer) {
      buffer = { grads: new Array<Grad>(Math.max(node.outputs.length, nr + 1)).fill(null), owned: [] };
      this.buffers.set(node, buffer);
    }
    const before = buffer.grads[nr];
    if (before === null) {
      buffer.grads[nr] = grad;
      buffer.owned[nr] = owned;
    } else if (buffer.owned[nr] && !this.createGraph) buffer.grads[nr] = graphMath.add_(before, grad);
    else {
      const sum = graphMath.add(before, grad);
      sum._storage.pass = this.id;
      buffer.grads[nr] = sum;
      buffer.owned[nr] = true;
    }
  }

  private evaluate(node: Node): void {
    const buffer = this.buffers.get(node);
    this.buffers.delete(node);
    if (buffer && (this.needed === null || this.needed.has(node))) {
      const grads = runGradHooks(node, buffer);
      this.capture(node, grads);
      if (node instanceof AccumulateGrad) {
        if (this.accumulate && grads[0] && (this.needed === null || this.captures.has(node)))
          this.accumulateInto(node, grads[0], buffer.owned[0]);
      } else if (this.needed === null || node.next.some((n) => n !== null && this.needed?.has(n))) this.propagate(node, grads);
    }
    for (const next of node.next) if (next !== null) this.arrived(next);
  }

  private capture(node: Node, grads: readonly Grad[]): void {
    for (const [nr, index] of this.captures.get(node) ?? []) this.captured[index] = grads[nr] ?? null;
  }

  private propagate(node: Node, grads: readonly Grad[]): void {
    const inputs = grads.some((g) => g !== null) ? this.call(node, grads) : node.next.map(() => null);
    if (!this.keepGraph) node.release();
    for (let i = 0; i < node.next.length; i++) {
      const next = node.next[i];
      const grad = inputs[i];
      if (next === null || grad === null || grad === undefined) continue;
      const nr = node.nextNr[i];
      const fitted = validate(node, i, grad, next.outputs[nr]);
      const fresh = fitted._storage.pass !== this.id;
      fitted._storage.pass = this.id;
      this.add(next, nr, fitted, fresh && fitted._base === null && !sharedLater(inputs, i, grad));
    }
  }

  /** Runs the node's formula with its hooks. */
  private call(node: Node, grads: readonly Grad[]): readonly Grad[] {
    let incoming = grads;
    if (node.preHooks) for (const hook of node.preHooks.values()) incoming = hook(incoming) ?? incoming;
    let result: readonly Grad[];
    try {
      result = node.apply(incoming);
    } catch (error) {
      if (node.trace !== undefined && error instanceof Error)
        error.message += `\n(Error detected in ${node.name()}. The forward call that caused it:\n${node.trace})`;
      throw error;
    }
    if (mode.anomaly) checkAnomaly(node, result);
    if (node.postHooks) for (const hook of node.postHooks.values()) result = hook(result, incoming) ?? result;
    return result;
  }

  private accumulateInto(node: AccumulateGrad, grad: Tensor, owned: boolean): void {
    const variable = node.variable;
    const m = autogradMeta(variable);
    if (m.grad === null) {
      if (this.createGraph) m.grad = grad._contiguous && owned ? grad : graphMath.clone(grad);
      else m.grad = owned && grad._contiguous && grad._meta === null ? grad : graphMath.detach(graphMath.clone(grad));
    } else if (this.createGraph) m.grad = graphMath.add(m.grad, grad);
    else graphMath.add_(m.grad, grad);
    if (node.postHooks) for (const hook of node.postHooks.values()) hook([], [grad]);
  }

  private arrived(node: Node): void {
    const left = (this.waiting.get(node) ?? 1) - 1;
    this.waiting.set(node, left);
    if (left === 0) this.push(node);
  }

  // A binary heap of nodes that are ready; leaves first (they free gradients), then the latest op.
  private push(node: Node): void {
    const heap = this.ready;
    let i = heap.length;
    heap.push(node);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i], heap[parent])) break;
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
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], heap[i])) break;
      [heap[i], heap[child]] = [heap[child], heap[i]];
      i = child;
    }
    return top;
  }
}

function before(a: Node, b: Node): boolean {
  if (a instanceof AccumulateGrad !== b instanceof AccumulateGrad) return a instanceof AccumulateGrad;
  return a.sequence > b.sequence;
}

/** Does the memory of gradient i also serve another input of the node? */
function sharedLater(grads: readonly Grad[], i: number, grad: Tensor): boolean {
  for (let j = 0; j < grads.length; j++) if (j !== i && grads[j]?._storage === grad._storage) return true;
  return false;
}

/** Hooks on the gradients of a node's outputs, and `retain_grad`. */
function runGradHooks(node: Node, buffer: Buffer): readonly Grad[] {
  const { grads } = buffer;
  if (node.tensorHooks)
    for (const [nr, hooks] of node.tensorHooks)
      for (const hook of hooks.values()) {
        const grad = grads[nr];
        if (!grad) continue;
        buffer.owned[nr] = false;
        const result = hook(grad);
        if (result !== undefined && result !== null) grads[nr] = checkHookResult(result, grad);
      }
  if (node.retained)
    for (const [nr, tensor] of node.retained) {
      const grad = grads[nr];
      if (!grad) continue;
      const m = autogradMeta(tensor);
      m.grad = m.grad === null ? graphMath.clone(grad) : graphMath.add(m.grad, grad);
    }
  return grads;
}

function checkHookResult(result: Tensor, grad: Tensor): Tensor {
  if (String(result.shape) !== String(grad.shape)) throw new RuntimeError('hook has changed the size of value');
  return result;
}

function validate(node: Node, index: number, grad: Tensor, meta: OutputMeta): Tensor {
  if (grad.device.type !== meta.device.type)
    throw new RuntimeError(
      `Function ${node.name()} returned an invalid gradient at index ${index} - expected device ${meta.device} but got ${grad.device}`,
    );
  if (grad.shape !== meta.shape && !expandable(meta.shape, grad.shape))
    throw new RuntimeError(
      `Function ${node.name()} returned an invalid gradient at index ${index} - got [${grad.shape.join(', ')}] but expected shape compatible with [${meta.shape.join(', ')}]`,
    );
  return fit(grad, meta);
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

function checkAnomaly(node: Node, grads: readonly Grad[]): void {
  grads.forEach((grad, i) => {
    if (grad && !grad.dtype.is_integral && graphMath.hasNaN(grad))
      throw new RuntimeError(`Function '${node.name()}' returned nan values in its ${i}th output.`);
  });
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
