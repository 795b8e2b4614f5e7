// Pointwise activations. With `inplace`, the input's own memory takes the result.
import { PointwiseOp } from '../../dispatch/pointwise.js';
import { uint8 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { type Expr, type ExprLike, e } from '../../expr.js';
import {
  celu as celuOp,
  eluRecord,
  relu as reluOp,
  selu as seluOp,
  threshold as thresholdOp,
} from '../../ops/activation.js';
import { abs, add, div, sub } from '../../ops/arithmetic.js';
import { refuse } from '../../ops/checks.js';
import { type Operand, op } from '../../ops/define.js';
import { tanh } from '../../ops/trig.js';
import type { Tensor } from '../../tensor.js';

export { hardshrink, sigmoid } from '../../ops/activation.js';
export { tanh } from '../../ops/trig.js';

/** An activation's function: `A` are its arguments after the input. */
export type Activation<A extends readonly unknown[] = []> = (input: Tensor, ...args: A) => Tensor;

interface InPlace {
  inplace?: boolean;
}

/** Runs the record on the operands: into the first one's memory when `inplace`. */
function run(record: PointwiseOp, inplace: boolean, x: Tensor, ...rest: readonly Operand[]): Tensor {
  return record.call([x, ...rest], inplace ? x : null, inplace);
}

/** The larger of the element and 0. The gradient at 0 is 0. */
export const relu: Activation<[inplace?: boolean] | [options: InPlace]> = op(
  'nn.functional.relu',
  'Tensor input, bool inplace=False',
  (x: Tensor, inplace: boolean) => (inplace ? x.relu_() : reluOp(x)),
);
/** In-place {@link relu}. */
export const relu_ = (x: Tensor): Tensor => x.relu_();

const clipped = new PointwiseOp('hardtanh', {
  deciding: 1,
  check: refuse({
    bool: 'Bool inputs not supported for hardtanh',
    complex: 'clamp is not supported for complex types',
  }),
  forward: (x, y, z) => e.min(e.max(x, y), z),
  derivative: ({ grad, x, y, z }) => [e.select(e.mand(e.gt(x, y), e.lt(x, z)), grad, 0), null, null],
});

/** Elements limited to [min_val, max_val]. @throws ValueError when min_val exceeds max_val. */
export const hardtanh: Activation<
  | [min_val?: number, max_val?: number, inplace?: boolean]
  | [options: InPlace & { min_val?: number; max_val?: number }]
> = op(
  'nn.functional.hardtanh',
  'Tensor input, float min_val=-1.0, float max_val=1.0, bool inplace=False',
  (x: Tensor, low: number, high: number, inplace: boolean) => {
    if (low > high) throw new ValueError('min_val cannot be greater than max_val');
    if (x.dtype === uint8 && (Math.trunc(low) < 0 || Math.trunc(high) < 0))
      throw new RuntimeError('cannot do hardtanh on an unsigned type with negative limits');
    return run(clipped, inplace, x, low, high);
  },
);
/** `min(max(0, x), 6)`. */
export const relu6: Activation<[inplace?: boolean] | [options: InPlace]> = op(
  'nn.functional.relu6',
  'Tensor input, bool inplace=False',
  (x: Tensor, inplace: boolean) => run(clipped, inplace, x, 0, 6),
);

const leaky = new PointwiseOp('leaky_relu', {
  deciding: 1,
  types: 'real',
  forward: (x, y) => e.select(e.gt(x, 0), x, e.mul(x, y)),
  derivative: ({ grad, x, y }) => [e.select(e.gt(x, 0), grad, e.mul(grad, y)), null],
});
/** x above 0, `negative_slope * x` below. */
export const leaky_relu: Activation<
  [negative_slope?: number, inplace?: boolean] | [options: InPlace & { negative_slope?: number }]
> = op(
  'nn.functional.leaky_relu',
  'Tensor input, float negative_slope=0.01, bool inplace=False',
  (x: Tensor, slope: number, inplace: boolean) => run(leaky, inplace, x, slope),
);
/** In-place {@link leaky_relu}. */
export const leaky_relu_ = (x: Tensor, negative_slope = 0.01): Tensor => run(leaky, true, x, negative_slope);

/** x above 0, `alpha * (exp(x) - 1)` below. */
export const elu: Activation<[alpha?: number, inplace?: boolean] | [options: InPlace & { alpha?: number }]> =
  op(
    'nn.functional.elu',
    'Tensor input, float alpha=1.0, bool inplace=False',
    (x: Tensor, alpha: number, inplace: boolean) => run(eluRecord, inplace, x, alpha, 1, 1),
  );
/** In-place {@link elu}. */
export const elu_ = (x: Tensor, alpha = 1): Tensor => run(eluRecord, true, x, alpha, 1, 1);
/** Scaled exponential linear unit. */
export const selu: Activation<[inplace?: boolean] | [options: InPlace]> = op(
  'nn.functional.selu',
  'Tensor input, bool inplace=False',
  (x: Tensor, inplace: boolean) => (inplace ? x.selu_() : seluOp(x)),
);
/** In-place {@link selu}. */
export const selu_ = (x: Tensor): Tensor => x.selu_();
/** Continuously differentiable exponential linear unit. */
export const celu: Activation<[alpha?: number, inplace?: boolean] | [options: InPlace & { alpha?: number }]> =
  op(
    'nn.functional.celu',
    'Tensor input, float alpha=1.0, bool inplace=False',
    (x: Tensor, alpha: number, inplace: boolean) => (inplace ? x.celu_(alpha) : celuOp(x, alpha)),
  );
/** In-place {@link celu}. */
export const celu_ = (x: Tensor, alpha = 1): Tensor => x.celu_(alpha);

const gaussian = new PointwiseOp('gelu', {
  types: 'real',
  kernelName: 'GeluKernelImpl',
  forward: (x) => e.mul(x, e.cdf(x)),
  derivative: ({ grad, x }) => {
    const density = e.mul(1 / Math.sqrt(2 * Math.PI), e.exp(e.mul(-0.5, e.mul(x, x))));
    return [e.mul(grad, e.add(e.cdf(x), e.mul(x, density)))];
  },
});
/** The argument of the hyperbolic tangent in GELU's approximation. */
const geluInner = (x: Expr): Expr =>
  e.mul(Math.sqrt(2 / Math.PI), e.add(x, e.mul(0.044715, e.mul(x, e.mul(x, x)))));
const gaussianTanh = new PointwiseOp('gelu', {
  types: 'real',
  kernelName: 'GeluKernelImpl',
  forward: (x) => e.mul(e.mul(0.5, x), e.add(1, e.tanh(geluInner(x)))),
  derivative: ({ grad, x }) => {
    const t = e.tanh(geluInner(x));
    const slope = e.mul(Math.sqrt(2 / Math.PI), e.add(1, e.mul(3 * 0.044715, e.mul(x, x))));
    const right = e.mul(e.mul(e.mul(0.5, x), e.sub(1, e.mul(t, t))), slope);
    return [e.mul(grad, e.add(e.mul(0.5, e.add(1, t)), right))];
  },
});
/**
 * Gaussian error linear unit, exact or by the hyperbolic tangent.
 *
 *     F.gelu(torch.tensor([-1, 0, 1]))
 *     // tensor([-0.1587,  0.0000,  0.8413])
 *
 * @throws RuntimeError for another approximation.
 */
export const gelu: Activation<[options?: { approximate?: 'none' | 'tanh' }]> = op(
  'nn.functional.gelu',
  "Tensor input, *, str approximate='none'",
  (x: Tensor, approximate: string) => {
    if (approximate !== 'none' && approximate !== 'tanh')
      throw new RuntimeError('approximate argument must be either none or tanh.');
    return run(approximate === 'tanh' ? gaussianTanh : gaussian, false, x);
  },
);

const swish = new PointwiseOp('silu', {
  types: 'real',
  complex: true,
  forward: (x) => e.div(x, e.add(1, e.exp(e.neg(x)))),
  derivative: ({ grad, x }) => {
    const s = e.sigmoid(x);
    return [e.mul(grad, e.conj(e.mul(s, e.add(1, e.mul(x, e.sub(1, s))))))];
  },
});
/** `x * sigmoid(x)`. */
export const silu: Activation<[inplace?: boolean] | [options: InPlace]> = op(
  'nn.functional.silu',
  'Tensor input, bool inplace=False',
  (x: Tensor, inplace: boolean) => run(swish, inplace, x),
);

/** log(1 + exp(x)), without overflow. */
const softplusOf = (x: ExprLike): Expr => e.add(e.max(x, 0), e.log1p(e.exp(e.neg(e.abs(x)))));

const mishRecord = new PointwiseOp('mish', {
  types: 'real',
  forward: (x) => e.mul(x, e.tanh(softplusOf(x))),
  derivative: ({ grad, x }) => {
    const t = e.tanh(softplusOf(x));
    return [e.mul(grad, e.add(t, e.mul(e.mul(x, e.sigmoid(x)), e.sub(1, e.mul(t, t)))))];
  },
});
/** `x * tanh(softplus(x))`. */
export const mish: Activation<[inplace?: boolean] | [options: InPlace]> = op(
  'nn.functional.mish',
  'Tensor input, bool inplace=False',
  (x: Tensor, inplace: boolean) => run(mishRecord, inplace, x),
);

const smooth = new PointwiseOp('softplus', {
  deciding: 1,
  types: 'real',
  forward: (x, y, z) => {
    const scaled = e.mul(x, y);
    return e.select(e.gt(scaled, z), x, e.div(softplusOf(scaled), y));
  },
  derivative: ({ grad, x, y, z }) => {
    const scaled = e.mul(x, y);
    return [e.select(e.gt(scaled, z), grad, e.mul(grad, e.sigmoid(scaled))), null, null];
  },
});
/** `log(1 + exp(beta * x)) / beta`; x itself where `beta * x` exceeds `threshold`. */
export const softplus: Activation<
  [beta?: number, threshold?: number] | [options: { beta?: number; threshold?: number }]
> = op(
  'nn.functional.softplus',
  'Tensor input, float beta=1.0, float threshold=20.0',
  (x: Tensor, beta: number, threshold: number) => run(smooth, false, x, beta, threshold),
);

const logistic = new PointwiseOp('log_sigmoid', {
  types: 'real',
  forward: (x) => e.sub(e.min(x, 0), e.log1p(e.exp(e.neg(e.abs(x))))),
  derivative: ({ grad, x }) => [e.mul(grad, e.sigmoid(e.neg(x)))],
});
/** log(sigmoid(x)), without underflow. */
export const logsigmoid: Activation = op('nn.functional.logsigmoid', 'Tensor input', (x: Tensor) =>
  run(logistic, false, x),
);

const hardLogistic = new PointwiseOp('hardsigmoid', {
  types: 'real',
  forward: (x) => e.div(e.min(e.max(e.add(x, 3), 0), 6), 6),
  derivative: ({ grad, x }) => [e.select(e.mand(e.gt(x, -3), e.lt(x, 3)), e.div(grad, 6), 0)],
});
/** `min(max(x + 3, 0), 6) / 6`. */
export const hardsigmoid: Activation<[inplace?: boolean] | [options: InPlace]> = op(
  'nn.functional.hardsigmoid',
  'Tensor input, bool inplace=False',
  (x: Tensor, inplace: boolean) => run(hardLogistic, inplace, x),
);

const hardSwishRecord = new PointwiseOp('hardswish', {
  types: 'real',
  forward: (x) => e.div(e.mul(x, e.min(e.max(e.add(x, 3), 0), 6)), 6),
  derivative: ({ grad, x }) => [
    e.select(e.le(x, -3), 0, e.select(e.ge(x, 3), grad, e.mul(grad, e.add(e.div(x, 3), 0.5)))),
  ],
});
/** `x * hardsigmoid(x)` (Howard et al., 2019). */
export const hardswish: Activation<[inplace?: boolean] | [options: InPlace]> = op(
  'nn.functional.hardswish',
  'Tensor input, bool inplace=False',
  (x: Tensor, inplace: boolean) => run(hardSwishRecord, inplace, x),
);

const shrunk = new PointwiseOp('softshrink', {
  deciding: 1,
  types: 'real',
  kernelName: 'softshrink_check',
  forward: (x, y) => e.select(e.gt(x, y), e.sub(x, y), e.select(e.lt(x, e.neg(y)), e.add(x, y), e.mul(x, 0))),
  derivative: ({ grad, x, y }) => [e.select(e.mor(e.gt(x, y), e.lt(x, e.neg(y))), grad, 0), null],
});
/** Elements moved `lambd` towards 0, 0 within [-lambd, lambd]. @throws RuntimeError for a negative lambd. */
export const softshrink: Activation<[lambd?: number] | [options: { lambd?: number }]> = op(
  'nn.functional.softshrink',
  'Tensor input, float lambd=0.5',
  (x: Tensor, lambd: number) => {
    if (!(lambd >= 0))
      throw new RuntimeError(
        `lambda must be in range [0, 3.40282e+38] for input dtype ${x.dtype.scalarName}, but found ${lambd}`,
      );
    return run(shrunk, false, x, lambd);
  },
);

/** Elements not above `threshold` become `value`. */
export const threshold: Activation<[threshold: number, value: number, inplace?: boolean]> = op(
  'nn.functional.threshold',
  'Tensor input, float threshold, float value, bool inplace=False',
  (x: Tensor, at: number, value: number, inplace: boolean) =>
    inplace ? x.threshold_(at, value) : thresholdOp(x, at, value),
);
/** In-place {@link threshold}. */
export const threshold_ = (x: Tensor, at: number, value: number): Tensor => x.threshold_(at, value);

/** `x / (1 + |x|)`. */
export const softsign: Activation = op('nn.functional.softsign', 'Tensor input', (x: Tensor) =>
  div(x, add(abs(x), 1)),
);
/** `x - tanh(x)`. */
export const tanhshrink: Activation = op('nn.functional.tanhshrink', 'Tensor input', (x: Tensor) =>
  sub(x, tanh(x)),
);
