// Arithmetic of more operands, and two-operand functions beyond the operators.
import type { Scalar } from '../backends/backend.js';
import { PointwiseOp } from '../dispatch/pointwise.js';
import { int32 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { constant, e } from '../expr.js';
import { Tensor } from '../tensor.js';
import { refuse, requireSameDtype } from './checks.js';
import { castTo } from './copy.js';
import {
  type InPlaceOp,
  type Op,
  type Operand,
  type Out,
  op,
  pointwiseForms,
  tensorBinary,
  tensorFirst,
} from './define.js';

type Scaled = InPlaceOp<[tensor1: Tensor, tensor2: Tensor, options?: Out & { value?: Scalar }], Tensor>;

const productSum = new PointwiseOp('addcmul', {
  deciding: 3,
  complex: true,
  noBool: true,
  kernelName: 'addcmul_cpu_out',
  forward: (x, y, z, w) => e.add(x, e.mul(e.mul(w, y), z)),
  derivative: ({ grad, y, z, w }) => [
    grad,
    e.mul(grad, e.conj(e.mul(z, w))),
    e.mul(grad, e.conj(e.mul(y, w))),
    null,
  ],
});

/** `input + value * tensor1 * tensor2`. */
export const addcmul: Scaled = pointwiseForms(
  'addcmul',
  'Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1, Tensor? out=None',
  (x: Tensor, y: Tensor, z: Tensor, value: Scalar) => [productSum, x, y, z, value],
);

const quotientSum = new PointwiseOp('addcdiv', {
  deciding: 3,
  complex: true,
  forward: (x, y, z, w) => e.add(x, e.div(e.mul(w, y), z)),
  derivative: ({ grad, y, z, w }) => [
    grad,
    e.mul(grad, e.conj(e.div(w, z))),
    e.neg(e.mul(grad, e.conj(e.div(e.mul(w, y), e.mul(z, z))))),
    null,
  ],
});

/** `input + value * tensor1 / tensor2`. @throws RuntimeError for integer numerator and denominator. */
export const addcdiv: Scaled = pointwiseForms(
  'addcdiv',
  'Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1, Tensor? out=None',
  (x: Tensor, y: Tensor, z: Tensor, value: Scalar) => {
    if (y.dtype.is_integral && z.dtype.is_integral)
      throw new RuntimeError(
        'Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all dtypes.',
      );
    return [quotientSum, x, y, z, value];
  },
);

const interpolation = (node: string, kernelName: string): PointwiseOp =>
  new PointwiseOp('lerp', {
    deciding: 2,
    types: 'real',
    complex: true,
    kernelName,
    node,
    forward: (x, y, w) => {
      const step = e.sub(y, x);
      return e.select(e.lt(e.abs(w), 0.5), e.add(x, e.mul(w, step)), e.sub(y, e.mul(step, e.sub(1, w))));
    },
    derivative: ({ grad, x, y, z }) => [
      e.mul(grad, e.conj(e.sub(1, z))),
      e.mul(grad, e.conj(z)),
      e.mul(grad, e.conj(e.sub(y, x))),
    ],
  });
const lerpScalar = interpolation('LerpBackward0', 'lerp_kernel_scalar');
const lerpTensor = interpolation('LerpBackward1', 'lerp_kernel_tensor');
const dtypeName = (x: Tensor): string =>
  ({ float32: 'float', float64: 'double' })[x.dtype.name as string] ?? x.dtype.name;

/**
 * `input + weight * (end - input)`, exact at both ends.
 *
 *     torch.lerp(torch.tensor([0, 10]), torch.tensor([10, 20]), 0.5)
 *     // tensor([ 5., 15.])
 *
 * @throws RuntimeError for differing dtypes.
 */
export const lerp: InPlaceOp<[end: Tensor, weight: Operand, options?: Out], Tensor> = pointwiseForms(
  'lerp',
  'Tensor self, Tensor end, Operand weight, *, Tensor? out=None',
  (x: Tensor, y: Tensor, weight: Operand) => {
    requireSameDtype(x, y, () => `expected dtype ${dtypeName(x)} for \`end\` but got dtype ${dtypeName(y)}`);
    if (!(weight instanceof Tensor)) return [lerpScalar, x, y, weight];
    requireSameDtype(
      x,
      weight,
      () => `expected dtype ${dtypeName(x)} for \`weight\` but got dtype ${dtypeName(weight)}`,
    );
    return [lerpTensor, x, y, weight];
  },
);

/** `sqrt(input^2 + other^2)` without overflow. */
export const hypot = tensorBinary('hypot', {
  types: 'real',
  forward: (x, y) => e.hypot(x, y),
  derivative: ({ grad, result, x, y }) => [e.mul(grad, e.div(x, result)), e.mul(grad, e.div(y, result))],
});

/** The magnitude of `input` with the sign of `other`. Integers promote to the default float. */
export const copysign = tensorFirst('copysign', {
  types: 'float',
  node: ([, y]) => (y instanceof Tensor ? 'CopysignBackward0' : 'CopysignBackward1'),
  forward: (x, y) => e.copysign(x, y),
  derivative: ({ grad, result, x }) => [e.select(e.eq(x, 0), 0, e.mul(grad, e.div(result, x))), constant(0)],
});

/** The next floating-point number from `input` towards `other`. */
export const nextafter = tensorBinary('nextafter', {
  types: 'real',
  forward: (x, y) => e.nextafter(x, y),
  derivative: ({ grad, x, y }) => [e.select(e.ne(x, y), grad, 0), constant(0)],
});

/** `input * 2^other`. */
export const ldexp = tensorBinary('ldexp', {
  types: 'float',
  complex: true,
  forward: (x, y) => e.mul(x, e.exp2(y)),
  derivative: ({ grad, result, y }) => [
    e.mul(grad, e.conj(e.exp2(y))),
    e.mul(grad, e.conj(e.mul(result, Math.LN2))),
  ],
});

/** 0 below zero, 1 above, `values` at zero. Not differentiable. @throws RuntimeError for differing dtypes. */
export const heaviside: InPlaceOp<[values: Tensor, options?: Out], Tensor> = (() => {
  const step = new PointwiseOp('heaviside', {
    tensorsOnly: true,
    check: (type, [x, y]) => {
      refuse({ complex: 'heaviside is not yet implemented for complex tensors.' })(type, [x, y]);
      requireSameDtype(x, y, () => 'heaviside is not yet implemented for tensors with different dtypes.');
    },
    forward: (x, y) => e.select(e.eq(x, 0), y, e.select(e.gt(x, 0), 1, 0)),
  });
  return pointwiseForms(
    'heaviside',
    'Tensor self, Tensor values, *, Tensor? out=None',
    (x, y) => [step, x, y],
    step,
  );
})();

/** Greatest common divisor, of integers. */
export const gcd = tensorBinary('gcd', { types: 'integer', noBool: true, forward: (x, y) => e.gcd(x, y) });
/** Least common multiple, of integers. */
export const lcm = tensorBinary('lcm', { types: 'integer', noBool: true, forward: (x, y) => e.lcm(x, y) });

const mantissaRecord = new PointwiseOp('frexp', {
  types: 'real',
  forward: (x) => e.mantissa(x),
  derivative: ({ grad, x }) => [e.div(grad, e.exp2(e.exponent(x)))],
});
const exponentRecord = new PointwiseOp('frexp', { types: 'real', forward: (x) => e.exponent(x) });

/** @internal */
export const frexpParts = {
  mantissa: (x: Tensor): Tensor => mantissaRecord.call([x]),
  exponent: (x: Tensor): Tensor => exponentRecord.call([x]),
};

/** A decomposition into `mantissa * 2^exponent`. */
export type Frexp = [mantissa: Tensor, exponent: Tensor] & {
  readonly mantissa: Tensor;
  readonly exponent: Tensor;
};

/** Splits into a mantissa in [1/2, 1) and an int32 exponent. @throws RuntimeError unless floating point. */
export const frexp: Op<[options?: { out?: readonly [Tensor, Tensor] }], Frexp> = op(
  'frexp',
  'Tensor self, *, any out=None',
  (x: Tensor) => {
    if (!x.dtype.is_floating_point)
      throw new RuntimeError('torch.frexp() only supports floating-point dtypes');
    const mantissa = frexpParts.mantissa(x);
    const exponent = castTo(frexpParts.exponent(x), int32);
    return Object.assign([mantissa, exponent], { mantissa, exponent });
  },
);
