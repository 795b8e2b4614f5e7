// Anomaly mode: where the forward call of a failing node was, and gradients that are not numbers.
import { RuntimeError } from '../errors.js';
import { warn } from '../warnings.js';
import { type Grad, graphMath, type Node } from './node.js';

/** @throws RuntimeError when a node returned a NaN. */
export function checkNaN(node: Node, grads: readonly Grad[]): void {
  grads.forEach((grad, i) => {
    if (grad && !grad.dtype.is_integral && graphMath.hasNaN(grad))
      throw new RuntimeError(`Function '${node.name()}' returned nan values in its ${i}th output.`);
  });
}

/** Warns, as PyTorch does, where the failing node was recorded; the error's own stack tells it, too. */
export function describeFailure(node: Node, error: unknown): void {
  const text =
    node.trace === undefined
      ? `Error detected in ${node.name()}. No forward pass information available. Enable detect anomaly during forward pass for more information.`
      : `Error detected in ${node.name()}. Traceback of forward call that caused the error:\n${node.trace}`;
  warn(text);
  if (error instanceof Error && error.stack !== undefined) error.stack += `\n${text}`;
}
