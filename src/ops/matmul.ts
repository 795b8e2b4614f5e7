// Matrix products.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { op, type Op, type Out } from './define.js';

/** @internal `a @ b` for batches of matrices [b, m, k] and [b, k, n], by the gemm kernel; no history. */
export function gemm(a: Tensor, b: Tensor, bias: Tensor | null = null): Tensor {
  const out = empty([a.shape[0], a.shape[1], b.shape[2]], a.dtype, a.device);
  if (out._numel > 0) backendOf(a.device.type).launch('gemm', out, a, b, 1, 0, bias === null ? null : [bias]);
  return out;
}

/** The product of two matrices. */
export const mm: Op<[mat2: Tensor, options?: Out], Tensor> = op('mm', 'Tensor self, Tensor mat2, *, Tensor? out=None', (a: Tensor, b: Tensor) => {
  if (a.shape.length !== 2) throw new RuntimeError('self must be a matrix');
  if (b.shape.length !== 2) throw new RuntimeError('mat2 must be a matrix');
  if (a.shape[1] !== b.shape[0])
    throw new RuntimeError(`mat1 and mat2 shapes cannot be multiplied (${a.shape.join('x')} and ${b.shape.join('x')})`);
  if (a.dtype !== b.dtype) throw new RuntimeError(`expected m1 and m2 to have the same dtype, but got: ${a.dtype.scalarName} != ${b.dtype.scalarName}`);
  const out = gemm(a.detach().unsqueeze(0), b.detach().unsqueeze(0)).view([a.shape[0], b.shape[1]]);
  record('MmBackward0', [a, b], [out], (save) => {
    const [x, y] = [save(a), save(b)];
    return ([g], needs) => (g === null ? [null, null] : [needs(0) ? mm(g, y().t()) : null, needs(1) ? mm(x().t(), g) : null]);
  });
  return out;
});
