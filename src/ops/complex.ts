// Complex parts and conjugates.
import { PointwiseOp } from '../dispatch/pointwise.js';
import { e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { type Op, type Out, op } from './define.js';

const conjugate = new PointwiseOp('conj_physical', {
  complex: true,
  forward: (x) => e.conj(x),
  derivative: ({ grad }) => [e.conj(grad)],
});

const negatedImaginary = new PointwiseOp('conj', {
  complex: true,
  forward: (x) => e.conj(x),
  derivative: ({ grad }) => [e.conj(grad)],
});

/** The complex conjugate, computed; real tensors as they are. */
export const conj_physical: Op<[options?: Out], Tensor> = op(
  'conj_physical',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => (x.dtype.is_complex ? conjugate.call([x]) : x),
  {
    inPlace: true,
  },
);

/** The complex conjugate; real tensors as they are. PyTorch's is a lazy view, this one is computed. */
export const conj: Op<[], Tensor> = op('conj', 'Tensor self', (x: Tensor) =>
  x.dtype.is_complex ? negatedImaginary.call([x]) : x,
);
