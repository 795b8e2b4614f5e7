// Properties of tensors that are views: T, mT, H, mH. They are no functions of the torch namespace.
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { type Property, property } from './define.js';
import { adjoint } from './shape.js';
import { permute, transpose } from './view.js';

/** The dimensions in reversed order. */
export const T: Property<Tensor> = property('T', (x: Tensor) =>
  permute(
    x,
    x.shape.map((_, d) => x.shape.length - 1 - d),
  ),
);

/** The last two dimensions swapped. */
export const mT: Property<Tensor> = property('mT', (x: Tensor) => {
  if (x.shape.length === 1)
    throw new RuntimeError(
      `tensor.mT is only supported on matrices or batches of matrices. Got ${x.shape.length}-D tensor.`,
    );
  return x.shape.length === 0 ? transpose(x, 0, 0) : transpose(x, -2, -1);
});

/** The conjugate transpose of a matrix (0-d tensors: themselves). */
export const H: Property<Tensor> = property('H', (x: Tensor) => {
  if (x.shape.length !== 2 && x.shape.length !== 0)
    throw new RuntimeError(
      `tensor.H is only supported on matrices (2-D tensors). Got ${x.shape.length}-D tensor.${x.shape.length > 2 ? ' For batches of matrices, consider using tensor.mH' : ''}`,
    );
  return adjoint(x);
});

/** The conjugate transpose of the last two dimensions. */
export const mH: Property<Tensor> = property('mH', (x: Tensor) => {
  if (x.shape.length === 1)
    throw new RuntimeError(
      `tensor.mH is only supported on matrices or batches of matrices. Got ${x.shape.length}-D tensor.`,
    );
  return adjoint(x);
});

const never = (name: string): Property<boolean> => property(name, () => false);
/** @internal No such tensors exist here. */
export const is_mkldnn: Property<boolean> = never('is_mkldnn');
/** @internal */
export const is_mps: Property<boolean> = never('is_mps');
/** @internal */
export const is_nested: Property<boolean> = never('is_nested');
/** @internal */
export const is_sparse_csr: Property<boolean> = never('is_sparse_csr');
/** @internal */
export const is_vulkan: Property<boolean> = never('is_vulkan');
/** @internal */
export const is_xla: Property<boolean> = never('is_xla');
/** @internal */
export const is_xpu: Property<boolean> = never('is_xpu');
