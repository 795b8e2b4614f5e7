// Stochastic gradient descent.
import { ValueError } from '../errors.js';
import { e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { checkFused, checkSingle, runSteps, type StepCall, stepKernel } from './common.js';
import {
  type Arguments,
  bindOptions,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type Params,
  requireValue,
} from './optimizer.js';

// One kernel each: the parameter, its gradient, and the options as scalars.
const plainStep = stepKernel('sgd_step', {
  forward: (p, g, lr, decay) => e.sub(p, e.mul(lr, e.add(g, e.mul(decay, p)))),
});
const firstBuffer = stepKernel('sgd_first_buffer', {
  forward: (g, p, decay) => e.add(g, e.mul(decay, p)),
});
const nextBuffer = stepKernel('sgd_buffer', {
  forward: (buffer, g, p, momentum, rate, decay) =>
    e.add(e.mul(buffer, momentum), e.mul(rate, e.add(g, e.mul(decay, p)))),
});
const momentumStep = stepKernel('sgd_momentum', {
  forward: (p, buffer, rate) => e.add(p, e.mul(rate, buffer)),
});
const nesterovStep = stepKernel('sgd_nesterov', {
  forward: (p, g, buffer, lr, momentum, decay) =>
    e.sub(p, e.mul(lr, e.add(e.add(g, e.mul(decay, p)), e.mul(momentum, buffer)))),
});

export interface SGDOptions {
  /** Learning rate (default 1e-3). */
  lr?: number | Tensor;
  momentum?: number;
  dampening?: number;
  /** L2 penalty. */
  weight_decay?: number;
  nesterov?: boolean;
  maximize?: boolean;
  foreach?: boolean | null;
  differentiable?: boolean;
  fused?: boolean | null;
}

/**
 * Stochastic gradient descent, with momentum and Nesterov momentum
 * (https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html).
 * @throws ValueError for a negative rate, momentum or decay.
 */
export class SGD extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [lr: number | Tensor, momentum: number, dampening: number, weight_decay: number, nesterov: boolean],
      SGDOptions
    >
  ) {
    const o = bindOptions(
      'SGD',
      'any lr=0.001, float momentum=0, float dampening=0, float weight_decay=0, bool nesterov=False, *, bool maximize=False, bool? foreach=None, bool differentiable=False, bool? fused=None',
      options,
    ) as unknown as Required<SGDOptions>;
    checkSingle(o.lr);
    requireValue(Number(o.lr) >= 0, 'learning rate', Number(o.lr));
    requireValue(o.momentum >= 0, 'momentum value', o.momentum);
    requireValue(o.weight_decay >= 0, 'weight_decay value', o.weight_decay);
    if (o.nesterov && (o.momentum <= 0 || o.dampening !== 0))
      throw new ValueError('Nesterov momentum requires a momentum and zero dampening');
    super(params, o as unknown as Record<string, unknown>);
    checkFused(o);
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<SGDOptions>;
    const lr = Number(o.lr);
    const g = o.maximize ? grad.neg() : grad;
    if (o.momentum === 0) {
      if (o.weight_decay === 0) p.add_(g, { alpha: -lr });
      else plainStep.call([p, g, lr, o.weight_decay], p, true);
      return;
    }
    const known = state.momentum_buffer as Tensor | undefined;
    const buffer = known ?? firstBuffer.call([g, p, o.weight_decay]);
    state.momentum_buffer = buffer;
    const calls: StepCall[] = known
      ? [[nextBuffer, buffer, [buffer, g, p, o.momentum, 1 - o.dampening, o.weight_decay]]]
      : [];
    if (o.nesterov) calls.push([nesterovStep, p, [p, g, buffer, lr, o.momentum, o.weight_decay]]);
    else calls.push([momentumStep, p, [p, buffer, -lr]]);
    runSteps(...calls);
  }
}
