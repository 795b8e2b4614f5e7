// Ops that PyTorch does not differentiate, although their inputs may require gradients.
import { record } from '../autograd/graph.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** @internal Hangs results on a node that refuses backward: `derivative for aten::NAME is not implemented`. */
export function notDifferentiable(name: string, inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
  record('NotImplemented', inputs, outputs, () => refusal(name));
}

/** @internal The derivative of such an op. */
export const refusal = (name: string) => (): never => {
  throw new RuntimeError(`derivative for aten::${name} is not implemented`);
};

/** @internal The same for ops that have a node of their own in PyTorch. */
export function derivativeMissing(node: string, name: string, x: Tensor, outputs: readonly Tensor[]): void {
  record(node, [x], outputs, () => () => {
    throw new NotImplementedError(`the derivative for '${name}' is not implemented.`);
  });
}
