// Activations with a second operand: learned or random slopes, gates.
import { backendOf } from '../../backends/backend.js';
import { empty } from '../../dispatch/allocate.js';
import { PointwiseOp } from '../../dispatch/pointwise.js';
import { RuntimeError } from '../../errors.js';
import { e } from '../../expr.js';
import { default_generator } from '../../generator.js';
import { contiguous } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { type Tensor, wrapDim } from '../../tensor.js';
import { leaky_relu, leaky_relu_ } from './activation.js';

const sloped = new PointwiseOp('prelu_kernel', {
  types: 'real',
  node: 'PreluKernelBackward0',
  forward: (x, y) => e.select(e.gt(x, 0), x, e.mul(x, y)),
  derivative: ({ grad, x, y }) => [
    e.select(e.gt(x, 0), grad, e.mul(grad, y)),
    e.select(e.gt(x, 0), 0, e.mul(grad, x)),
  ],
});

/**
 * x above 0, `weight * x` below; the weight has one element, or one per channel (dimension 1).
 * @throws RuntimeError when the weight does not fit.
 */
export const prelu: (input: Tensor, weight: Tensor) => Tensor = op(
  'nn.functional.prelu',
  'Tensor input, Tensor weight',
  (x: Tensor, weight: Tensor) => {
    if (x.dtype !== weight.dtype)
      throw new RuntimeError(
        `prelu: Type promoting not supported. Got ${x.dtype.scalarName} and ${weight.dtype.scalarName}`,
      );
    if (weight.shape.length > 1)
      throw new RuntimeError(
        `prelu: Expected \`weight\` to be a scalar or 1D tensor, but got: ndim = ${weight.shape.length}`,
      );
    if (weight._numel === 1) return sloped.call([x, weight.reshape([])]);
    if (x.shape.length === 0) throw new RuntimeError('Not allow zero-dim input tensor.');
    const channels = x.shape.length > 1 ? x.shape[1] : 1;
    if (channels !== weight._numel)
      throw new RuntimeError(
        `Mismatch of parameter numbers and input channel size. Found parameter numbers = ${weight._numel} and channel size = ${channels}.`,
      );
    return sloped.call([x, weight.reshape(x.shape.map((_, d) => (d === 1 ? channels : 1)))]);
  },
);

/** Multiplication by drawn slopes, under PyTorch's name in the graph. */
const rectified = new PointwiseOp('rrelu_with_noise', {
  types: 'real',
  node: 'RreluWithNoiseBackward0',
  forward: (x, y) => e.mul(x, y),
  derivative: ({ grad, y }) => [e.mul(grad, y), null],
});

type RReLUArgs =
  | [lower?: number, upper?: number, training?: boolean, inplace?: boolean]
  | [lower?: number, upper?: number, options?: { training?: boolean; inplace?: boolean }]
  | [options: { lower?: number; upper?: number; training?: boolean; inplace?: boolean }];

/** Leaky ReLU with slopes that are uniform on [lower, upper) in training, and their mean otherwise. */
export const rrelu: (input: Tensor, ...args: RReLUArgs) => Tensor = op(
  'nn.functional.rrelu',
  'Tensor input, float lower=0.125, float upper=0.3333333333333333, bool training=False, bool inplace=False',
  (x: Tensor, lower: number, upper: number, training: boolean, inplace: boolean) => {
    if (lower > upper) throw new RuntimeError('Lower bound should be less than or equal to the upper bound');
    if (!training) return inplace ? leaky_relu_(x, (lower + upper) / 2) : leaky_relu(x, (lower + upper) / 2);
    const slopes = empty(x.shape, x.dtype, x.device);
    if (x._numel > 0)
      backendOf('cpu').launch(
        'random_rrelu',
        default_generator._address,
        slopes,
        contiguous(x.detach()),
        lower,
        upper,
      );
    return rectified.call([x, slopes], inplace ? x : null, inplace);
  },
);
/** In-place {@link rrelu}. */
export const rrelu_ = (input: Tensor, lower = 1 / 8, upper = 1 / 3, training = false): Tensor =>
  rrelu(input, lower, upper, training, true);

const gate = new PointwiseOp('glu', {
  types: 'real',
  node: 'GluBackward0',
  forward: (x, y) => e.mul(x, e.sigmoid(y)),
  derivative: ({ grad, x, y }) => {
    const s = e.sigmoid(y);
    return [e.mul(grad, s), e.mul(e.mul(grad, x), e.mul(s, e.sub(1, s)))];
  },
});

/** `a * sigmoid(b)`, where a and b are the halves of a dimension. @throws RuntimeError when its size is odd. */
export const glu: (input: Tensor, ...args: [dim?: number] | [options: { dim?: number }]) => Tensor = op(
  'nn.functional.glu',
  'Tensor input, int dim=-1',
  (x: Tensor, dim: number) => {
    if (x.shape.length === 0) throw new RuntimeError('glu does not support 0-dimensional tensors');
    const d = wrapDim(dim, x.shape.length);
    if (x.shape[d] % 2 !== 0)
      throw new RuntimeError(`Halving dimension must be even, but dimension ${d} is size ${x.shape[d]}`);
    const half = x.shape[d] / 2;
    return gate.call([x.narrow(d, 0, half), x.narrow(d, half, half)]);
  },
);
