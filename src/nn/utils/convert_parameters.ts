// torch.nn.utils: parameters as one vector, and back.
import { cat } from '../../ops/table.js';
import { Tensor } from '../../tensor.js';

/** All parameters as one vector, each flattened. */
export function parameters_to_vector(parameters: Iterable<Tensor>): Tensor {
  return cat([...parameters].map((p) => p.reshape([-1])));
}

/** Replaces the values of the parameters by the parts of a vector, which they then share memory with. */
export function vector_to_parameters(vec: Tensor, parameters: Iterable<Tensor>): void {
  if (!(vec instanceof Tensor)) throw new TypeError(`expected torch.Tensor, but got: ${typeof vec}`);
  let at = 0;
  for (const p of parameters) {
    p.data = vec.detach().narrow(0, at, p._numel).reshape(p.shape);
    at += p._numel;
  }
}
