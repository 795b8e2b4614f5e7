// Modules that learn sizes from their first input: parameters without a shape, and the hook that gives them one.
import { no_grad } from '../../autograd/modes.js';
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { empty } from '../../ops/create.js';
import { Tensor } from '../../tensor.js';
import { Parameter } from '../parameter.js';
import type { Module } from './module.js';

/** A parameter whose shape is not known yet. */
export class UninitializedParameter extends Parameter {
  constructor(device: DeviceLike | null = null, dtype: DType | null = null, requires_grad = true) {
    super(empty([0], { device, dtype }), requires_grad);
  }
  /** Gives the parameter a shape and memory; it becomes an ordinary Parameter. */
  materialize(shape: readonly number[], device: DeviceLike | null = null, dtype: DType | null = null): void {
    this.data = empty(shape, { device: device ?? this.device, dtype: dtype ?? this.dtype });
    Object.setPrototypeOf(this, Parameter.prototype);
  }
  override toString(): string {
    return '<UninitializedParameter>';
  }
}

/** A buffer whose shape is not known yet. */
export class UninitializedBuffer extends Tensor {
  constructor(device: DeviceLike | null = null, dtype: DType | null = null) {
    const x = empty([0], { device, dtype });
    super(x._storage, x.shape, x._strides, x._offset, x.dtype, x._numel, x._contiguous);
  }
  materialize(shape: readonly number[], device: DeviceLike | null = null, dtype: DType | null = null): void {
    this.data = empty(shape, { device: device ?? this.device, dtype: dtype ?? this.dtype });
    Object.setPrototypeOf(this, Tensor.prototype);
  }
  override toString(): string {
    return '<UninitializedBuffer>';
  }
}

/** Whether a parameter or buffer still has no shape. */
export function is_lazy(x: unknown): x is UninitializedParameter | UninitializedBuffer {
  return x instanceof UninitializedParameter || x instanceof UninitializedBuffer;
}

const hasUninitialized = (module: Module): boolean =>
  [...module._ownParameters(), ...module._ownBuffers()].some(([, x]) => is_lazy(x));

/**
 * Lets the first call of a lazy module finish it.
 * @param Regular the class that the module is from then on.
 * @param initialize makes the parameters for an input; not called when load_state_dict already made them.
 * @param adopt reads the sizes off parameters that were loaded.
 */
export function becomeOnFirstCall(
  module: Module,
  Regular: { readonly prototype: Module },
  initialize: (input: Tensor) => void,
  adopt: () => void,
): void {
  const handle = module.register_forward_pre_hook((_, [input]) => {
    if (hasUninitialized(module)) no_grad(() => initialize(input as Tensor));
    else adopt();
    handle.remove();
    Object.setPrototypeOf(module, Regular.prototype);
  });
}
