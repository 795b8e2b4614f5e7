// What several optimizers share: checks, state, and the kernels of the adaptive ones.
import { checkInPlace, recordInPlace } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { interception } from '../dispatch/intercept.js';
import { PointwiseOp, type PointwiseSpec } from '../dispatch/pointwise.js';
import { float32, float64 } from '../dtype.js';
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

/** @internal A kernel of a step, the tensor that it writes, and its operands. */
export type StepCall = readonly [kernel: PointwiseOp, target: Tensor, operands: readonly (Tensor | number)[]];

/** Can the calls be run over memory as it is? Then nothing is recorded or intercepted, and all tensors are alike. */
function alike(calls: readonly StepCall[]): boolean {
  if (mode.grad || (interception.current !== null && !interception.current.passive)) return false;
  const [, { dtype, _numel, device }] = calls[0];
  if (dtype !== float32 && dtype !== float64) return false;
  return calls.every(([, , operands]) =>
    operands.every(
      (x) =>
        typeof x === 'number' ||
        (x.dtype === dtype && x._numel === _numel && x._contiguous && x.device.type === device.type),
    ),
  );
}

/**
 * @internal Runs kernels one after the other, each written to one of its operands: block by block, where the back end
 * can, so that all of them together read and write memory once.
 */
export function runSteps(...calls: readonly StepCall[]): void {
  const [, first] = calls[0];
  const chain = backendOf(first.device.type).pointwiseChain;
  if (chain && alike(calls)) {
    const steps = calls.map(([op, out, inputs]) => ({ kernel: op.kernel(first.dtype), out, inputs }));
    for (const { out } of steps) checkInPlace(out, false);
    if (chain(steps)) {
      for (const { out } of steps) recordInPlace(out, null, []);
      return;
    }
  }
  for (const [op, target, operands] of calls) op.call(operands, target, true);
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
