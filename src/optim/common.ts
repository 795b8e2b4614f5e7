// What several optimizers share: checks, state, and the kernels of the adaptive ones.
import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { float32 } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { e } from '../expr.js';
import { full_, zeros_ } from '../ops/fill.js';
import { Tensor } from '../tensor.js';
import { type OptimizerState, requireValue } from './optimizer.js';

/** @internal Options that every optimizer here has. */
export interface CommonOptions {
  /** Learning rate. */
  lr?: number | Tensor;
  /** L2 penalty. */
  weight_decay?: number;
  maximize?: boolean;
  foreach?: boolean | null;
  capturable?: boolean;
  differentiable?: boolean;
}

/**
 * @internal One kernel of a step: operands are the tensors, then options as numbers. Integers are refused. Recorded as
 * separate ops by optimizers that are `differentiable`.
 */
export function stepKernel(name: string, spec: Pick<PointwiseSpec, 'forward'>): PointwiseOp {
  return new PointwiseOp(name, { types: 'real', fused: true, forward: spec.forward });
}

/** @internal v * beta + weight * g * g */
export const squareAverage = stepKernel('optim_square_average', {
  forward: (v, g, beta, weight) => e.add(e.mul(v, beta), e.mul(weight, e.mul(g, g))),
});

/** @internal p - step * g / (sqrt(v) + eps) */
export const scaledStep = stepKernel('optim_scaled_step', {
  forward: (p, g, v, step, eps) => e.sub(p, e.div(e.mul(step, g), e.add(e.sqrt(v), eps))),
});

/** @internal @throws ValueError for a tensor of several elements. */
export function checkSingle(lr: number | Tensor): void {
  if (lr instanceof Tensor && lr.numel() !== 1) throw new ValueError('Tensor lr must be 1-element');
}

/** @internal @throws ValueError for rates, epsilons, decays and betas out of range. */
export function checkCommon(o: {
  lr: number | Tensor;
  eps?: number;
  weight_decay?: number;
  betas?: readonly [number, number];
}): void {
  checkSingle(o.lr);
  requireValue(Number(o.lr) >= 0, 'learning rate', Number(o.lr));
  if (o.eps !== undefined) requireValue(o.eps >= 0, 'epsilon value', o.eps);
  o.betas?.forEach((beta, i) => {
    requireValue(beta >= 0 && beta < 1, `beta parameter at index ${i}`, beta);
  });
  if (o.weight_decay !== undefined) requireValue(o.weight_decay >= 0, 'weight_decay value', o.weight_decay);
}

/** @internal A 0-d tensor of the state, in the default type of counters. */
export function scalarState(value: number, p: Tensor): Tensor {
  return full_([], value, float32, p.device);
}

/** @internal */
export function zerosLike(p: Tensor): Tensor {
  return zeros_(p.shape, p.dtype, p.device);
}

/** @internal Counts a step. @returns its number, from 1. */
export function countStep(state: OptimizerState): number {
  return (state.step as Tensor).add_(1).item() as number;
}

/** @internal The gradient to descend along: with its sign and the decay. */
export function descent(p: Tensor, grad: Tensor, maximize: boolean, decay: number): Tensor {
  const g = maximize ? grad.neg() : grad;
  return decay === 0 ? g : g.add(p, { alpha: decay });
}

/** @internal @throws RuntimeError for `fused` together with `differentiable` or `foreach`. */
export function checkFused(o: {
  fused?: boolean | null;
  differentiable?: boolean;
  foreach?: boolean | null;
}): void {
  if (!o.fused) return;
  if (o.differentiable) throw new RuntimeError('`fused` does not support `differentiable`');
  if (o.foreach) throw new RuntimeError('`fused` and `foreach` cannot be `True` together.');
}
