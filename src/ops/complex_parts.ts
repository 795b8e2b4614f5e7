// What complex numbers have beyond real ones, from views of their parts.
import { record } from '../autograd/graph.js';
import { Complex } from '../complex.js';
import { PointwiseOp } from '../dispatch/pointwise.js';
import { bool } from '../dtype.js';
import { constant, e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { div, mul } from './arithmetic.js';
import { choose } from './clamp.js';
import { eq } from './compare.js';
import { conj } from './complex.js';
import { type Op, type Out, op } from './define.js';
import { full_ } from './fill.js';
import { atan2 } from './trig.js';
import { imag, real } from './view_dtype.js';

const realAngle = new PointwiseOp('angle', {
  types: 'float',
  forward: (x) => e.select(e.isnan(x), x, e.select(e.lt(x, 0), Math.PI, 0)),
  derivative: () => [constant(0)],
});

/**
 * The angle in radians, in (-pi, pi]: a real tensor. Of real numbers 0, pi where they are negative, and NaN. The gradient
 * at 0 is 0.
 */
export const angle: Op<[options?: Out], Tensor> = op(
  'angle',
  'Tensor self, *, Tensor? out=None',
  (x: Tensor) => {
    if (!x.dtype.is_complex) return realAngle.call([x]);
    const value = x.detach();
    const out = atan2(imag(value), real(value));
    record('AngleBackward0', [x], [out], (save) => {
      const saved = save(x);
      return ([g]) => {
        if (g === null) return [null];
        const z = saved();
        return [choose(eq(z, 0), 0, mul(g, div(new Complex(0, 1) as never, conj(z))))];
      };
    });
    return out;
  },
);

/** Whether the imaginary part is 0: always for real tensors. */
export const isreal: Op<[], Tensor> = op('isreal', 'Tensor self', (x: Tensor) =>
  x.dtype.is_complex ? eq(imag(x.detach()), 0) : full_(x.shape, true, bool, x.device),
);
