// Levels of differentiation: what function transforms differentiate by are tensors of their own, so that transforms
// nest, and leave no trace on what they return.
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { grad } from './backward.js';
import { graphMath } from './graph.js';
import { enable_grad, mode } from './modes.js';
import { AccumulateGrad, gradEdge, type Node } from './node.js';

/** @internal One transform that is running, or whose results are in use. */
export class Level {
  /** Whether the function that is transformed still runs: what it computes belongs to this level, too. */
  open = true;
  /** Whether results shall be differentiable by what is around the transform. */
  readonly recorded: boolean = mode.grad;

  /** A tensor to differentiate by, connected to x where x is differentiated itself. */
  enter(x: Tensor): Tensor {
    if (this.recorded && x.requires_grad) return x.view(x.shape);
    const leaf = enable_grad(() => x.detach().requires_grad_());
    owners.set(gradEdge(leaf) as Node, this);
    return leaf;
  }

  /** A result as the surroundings see it: outside of the graph, unless it depends on what others differentiate by. */
  leave(x: Tensor): Tensor {
    if (!x.requires_grad) return x;
    return this.depends([x]) ? x : x.detach();
  }

  /** Whether what is computed from the tensors must be recorded for what is around the transform. */
  depends(tensors: readonly Tensor[]): boolean {
    return this.recorded && tensors.some((x) => x.requires_grad && this.reachesOthers(x));
  }

  private reachesOthers(x: Tensor): boolean {
    const first = gradEdge(x);
    if (first === null) return false;
    const seen = new Set<Node>([first]);
    const stack: Node[] = [first];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node instanceof AccumulateGrad) {
        const owner = owners.get(node);
        if (owner === undefined || (owner !== this && owner.open)) return true;
      }
      for (const next of node.next)
        if (next !== null && !seen.has(next)) {
          seen.add(next);
          stack.push(next);
        }
    }
    return false;
  }
}

/** The leaves that transforms made. */
const owners = new WeakMap<Node, Level>();

/** @internal Runs fn in a level, with recording on. */
export function inLevel<R>(fn: (level: Level) => R): R {
  const level = new Level();
  try {
    return enable_grad(() => fn(level));
  } finally {
    level.open = false;
  }
}

/** @internal Gradients of those outputs that have any; zeros for inputs that none depends on. */
export function pullBack(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  cotangents: readonly Tensor[] | null,
  create_graph: boolean,
  retain_graph: boolean,
): Tensor[] {
  const kept = outputs.flatMap((o, i) => (o.requires_grad ? [i] : []));
  const grads =
    kept.length === 0
      ? inputs.map(() => null)
      : grad(
          kept.map((i) => outputs[i]),
          inputs,
          {
            grad_outputs: cotangents === null ? null : kept.map((i) => cotangents[i]),
            allow_unused: true,
            create_graph,
            retain_graph,
          },
        );
  return grads.map((g, i) => g ?? graphMath.zeros(inputs[i]));
}

/**
 * @internal The derivative of outputs along directions of the inputs. Gradients are linear in their seeds: differentiated
 * by these along a direction, they give it. So every op has it that can be differentiated twice.
 * @returns a function of the directions, which gives null for outputs that depend on no input.
 */
export function linearMap(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
): (directions: readonly Tensor[], create_graph: boolean, retain_graph: boolean) => (Tensor | null)[] {
  const kept = outputs.flatMap((o, i) => (o.requires_grad ? [i] : []));
  if (kept.length === 0) return () => outputs.map(() => null);
  const level = new Level();
  // Ones, where formulas have no kinks: the seeds' values do not matter.
  const seeds = kept.map((i) => level.enter(graphMath.ones(outputs[i])));
  level.open = false;
  const grads = enable_grad(() =>
    grad(
      kept.map((i) => outputs[i]),
      inputs,
      { grad_outputs: seeds, allow_unused: true, create_graph: true },
    ),
  );
  const live = grads.flatMap((g, i) => (g?.requires_grad ? [i] : []));
  return (directions, create_graph, retain_graph) => {
    const results: (Tensor | null)[] = outputs.map(() => null);
    const found =
      live.length === 0
        ? []
        : grad(
            live.map((i) => grads[i] as Tensor),
            seeds,
            { grad_outputs: live.map((i) => directions[i]), allow_unused: true, create_graph, retain_graph },
          );
    kept.forEach((i, k) => {
      results[i] = found[k] ?? null;
      if (results[i] === null) checkConstant(outputs[i], inputs);
    });
    return results;
  };
}

/** @throws RuntimeError for an output whose gradient is not zero: that it could not be differentiated was why it has no tangent. */
function checkConstant(output: Tensor, inputs: readonly Tensor[]): void {
  const grads = grad([output], inputs, {
    grad_outputs: [graphMath.ones(output)],
    allow_unused: true,
    retain_graph: true,
  });
  if (grads.some((g) => g !== null && (g.ne(0).any().item() as unknown as boolean)))
    throw new RuntimeError(
      'Trying to use forward AD with a function that cannot be differentiated twice: forward AD is computed by double backward.',
    );
}

/** @internal @throws RuntimeError for a direction that does not fit its tensor. */
export function checkDirection(x: Tensor, t: Tensor): void {
  if (x.shape.length !== t.shape.length || x.shape.some((n, i) => n !== t.shape[i]))
    throw new RuntimeError(
      `Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. Tensor is of size [${x.shape.join(', ')}] while the given forward gradient is of size [${t.shape.join(', ')}].`,
    );
}
