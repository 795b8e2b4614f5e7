// The gemm kernel, and what the matrix products share; without history.
import { backendOf } from '../backends/backend.js';
import { alias, empty } from '../dispatch/allocate.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { transpose } from './view.js';

/** A matrix, transposed without a record. */
export const flipped = (x: Tensor): Tensor =>
  alias(x, [x.shape[1], x.shape[0]], [x._strides[1], x._strides[0]], x._offset);
/** The tensor without its history. */
export const bare = (x: Tensor): Tensor => alias(x, x.shape, x._strides, x._offset);
/** The conjugate transpose of each matrix of a batch. Recorded. */
export const adjoint = (x: Tensor): Tensor =>
  x.dtype.is_complex ? transpose(x, -2, -1).conj() : transpose(x, -2, -1);
export const batched = (x: Tensor): Tensor =>
  alias(x, [1, x.shape[0], x.shape[1]], [0, x._strides[0], x._strides[1]], x._offset);

/** out = alpha * a @ b + beta * out + bias over batches of matrices; no history. */
export function gemmInto(
  out: Tensor,
  a: Tensor,
  b: Tensor,
  alpha: number,
  beta: number,
  bias: Tensor | null,
): void {
  if (out._numel > 0)
    backendOf(out.device.type).launch('gemm', out, a, b, alpha, beta, bias === null ? null : [bias]);
}

/** `a @ b + bias` of two matrices, without history. */
export function product(a: Tensor, b: Tensor, bias: Tensor | null = null): Tensor {
  const out = empty([a.shape[0], b.shape[1]], a.dtype, a.device);
  gemmInto(batched(out), batched(a), batched(b), 1, 0, bias);
  return out;
}

export function checkTypes(a: Tensor, b: Tensor): void {
  if (a.dtype !== b.dtype)
    throw new RuntimeError(
      `expected m1 and m2 to have the same dtype, but got: ${cppName(a.dtype)} != ${cppName(b.dtype)}`,
    );
}

const cppNames: Readonly<Record<string, string>> = {
  float32: 'float',
  float64: 'double',
  float16: 'c10::Half',
  bfloat16: 'c10::BFloat16',
  int64: 'int64_t',
  int32: 'int',
  int16: 'short',
  int8: 'signed char',
  uint8: 'unsigned char',
  bool: 'bool',
  complex64: 'c10::complex<float>',
  complex128: 'c10::complex<double>',
};
/** The element type's name in messages of C++. */
export const cppName = (d: DType): string => cppNames[d.name];
