// Rounding. Integers are whole already; gradients are zero.
import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { constant, e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { refuseComplex } from './checks.js';
import { alias, type InPlaceOp, type Out, pointwiseForms, unary } from './define.js';

const rounding = (name: string, forward: PointwiseSpec['forward']): InPlaceOp<[options?: Out], Tensor> =>
  unary(name, {
    noBool: true,
    kernelName: `${name}_vml_cpu`,
    check: refuseComplex(`${name} is not supported for complex inputs`),
    forward,
    derivative: () => [constant(0)],
  });

/** The largest whole number not above. */
export const floor = rounding('floor', (x) => e.floor(x));
/** The smallest whole number not below. */
export const ceil = rounding('ceil', (x) => e.ceil(x));
/** The whole number towards zero. */
export const trunc = rounding('trunc', (x) => e.trunc(x));
/** Alias of {@link trunc}. */
export const fix = alias('fix', trunc);
/** What {@link trunc} takes away; the sign of `input`. */
export const frac = unary('frac', {
  types: 'real',
  forward: (x) => e.sub(x, e.trunc(x)),
  derivative: ({ grad }) => [grad],
});

const nearest = new PointwiseOp('round', {
  noBool: true,
  kernelName: 'round_vml_cpu',
  forward: (x) => e.round(x),
  derivative: () => [constant(0)],
});
const decimal = (up: boolean): PointwiseOp =>
  new PointwiseOp('round', {
    types: 'real',
    deciding: 1,
    kernelName: 'round_cpu',
    node: 'RoundBackward1',
    forward: (x, scale) =>
      up ? e.div(e.round(e.mul(x, scale)), scale) : e.mul(e.round(e.div(x, scale)), scale),
    derivative: () => [constant(0), null],
  });
const decimalUp = decimal(true);
const decimalDown = decimal(false);

/**
 * The nearest whole number (half to even), or that many decimals.
 *
 *     torch.tensor([0.5, 1.5, 2.5]).round()
 *     // tensor([0., 2., 2.])
 */
export const round: InPlaceOp<[options?: Out & { decimals?: number }], Tensor> = pointwiseForms(
  'round',
  'Tensor self, *, int decimals=0, Tensor? out=None',
  (x: Tensor, decimals: number) =>
    decimals === 0 ? [nearest, x] : [decimals > 0 ? decimalUp : decimalDown, x, 10 ** Math.abs(decimals)],
);
