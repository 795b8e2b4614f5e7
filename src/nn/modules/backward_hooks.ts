// Full backward hooks of modules: identity nodes around the inputs and outputs of a call see the gradients.
import { record } from '../../autograd/graph.js';
import { alias } from '../../dispatch/allocate.js';
import { Tensor } from '../../tensor.js';
import type { ModuleState } from './hooks.js';
import type { Module } from './module.js';

type Grads = readonly (Tensor | null)[];

/** Passes the tensors on through a node whose gradients `see` may replace. */
function through(name: string, tensors: readonly Tensor[], see: (grads: Grads) => Grads): Tensor[] {
  const out = tensors.map((x) => alias(x, x.shape, x._strides, x._offset, x._contiguous));
  record(name, tensors, out, () => see, true);
  return out;
}

const asList = (x: Grads | Tensor): Grads => (x instanceof Tensor ? [x] : x);

/** The wrapping of one call of a module that has backward hooks. */
export function backwardHooks(
  module: Module,
  state: ModuleState,
): { inputs: (args: unknown[]) => unknown[]; outputs: (output: unknown) => unknown } {
  let gradOutputs: Grads = [];
  let sawInputs = false;
  const runHooks = (gradInputs: Grads): Grads => {
    let grads = gradInputs;
    for (const hook of state.backwardHooks.values()) {
      const result = hook(module, grads, gradOutputs);
      if (result !== undefined && result !== null) grads = asList(result);
    }
    return grads;
  };
  return {
    inputs(args) {
      const tensors = args.filter((x): x is Tensor => x instanceof Tensor);
      if (!tensors.some((x) => x.requires_grad)) return args;
      sawInputs = true;
      const wrapped = through('BackwardHookFunctionBackward', tensors, runHooks);
      let next = 0;
      return args.map((x) => (x instanceof Tensor ? wrapped[next++] : x));
    },
    outputs(output) {
      const list = output instanceof Tensor ? [output] : Array.isArray(output) ? output : null;
      if (list === null) return output;
      const tensors = list.filter((x): x is Tensor => x instanceof Tensor);
      const wrapped = through('BackwardHookFunctionBackward', tensors, (grads) => {
        gradOutputs = grads;
        for (const hook of state.backwardPreHooks.values()) {
          const result = hook(module, gradOutputs);
          if (result !== undefined && result !== null) gradOutputs = asList(result);
        }
        // Without an input that requires a gradient, this is where the hooks are called.
        if (!sawInputs) runHooks([]);
        return gradOutputs;
      });
      if (output instanceof Tensor) return wrapped[0];
      let next = 0;
      return list.map((x) => (x instanceof Tensor ? wrapped[next++] : x));
    },
  };
}
