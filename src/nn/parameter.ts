// Tensors that modules register as their parameters.
import { cpu } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import { get_default_dtype } from '../dtype.js';
import { Tensor } from '../tensor.js';

/** A tensor that becomes a parameter of the module it is assigned to. Shares the memory of `data`. */
export class Parameter extends Tensor {
  constructor(data: Tensor | null = null, requires_grad: boolean | { requires_grad?: boolean } = true) {
    const x = data ?? empty([0], get_default_dtype(), cpu);
    if (!(x instanceof Tensor)) throw new TypeError(`Parameter data must be a Tensor, not ${typeof x}`);
    super(x._storage, x.shape, x._strides, x._offset, x.dtype, x._numel, x._contiguous);
    this.requires_grad_(
      typeof requires_grad === 'boolean' ? requires_grad : (requires_grad.requires_grad ?? true),
    );
  }
  override _isParameter(): boolean {
    return true;
  }
}
