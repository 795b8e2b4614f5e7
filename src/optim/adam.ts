// Adam and AdamW.
import { PointwiseOp } from '../dispatch/pointwise.js';
import { float32 } from '../dtype.js';
import { e } from '../expr.js';
import { full_, zeros_ } from '../ops/fill.js';
import type { Tensor } from '../tensor.js';
import {
  bindOptions,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type Params,
  requireValue,
} from './optimizer.js';

const firstMoment = new PointwiseOp('adam_first_moment', {
  types: 'real',
  forward: (m, g, p, weight, decay) => e.add(m, e.mul(weight, e.sub(e.add(g, e.mul(decay, p)), m))),
});
const secondMoment = new PointwiseOp('adam_second_moment', {
  types: 'real',
  forward: (v, g, p, beta2, weight, decay) => {
    const full = e.add(g, e.mul(decay, p));
    return e.add(e.mul(v, beta2), e.mul(weight, e.mul(full, full)));
  },
});
// step * m / (sqrt(v) / c + eps) as (step * c) * m / (sqrt(v) + eps * c): one scalar less.
const adamStep = new PointwiseOp('adam_step', {
  types: 'real',
  forward: (p, m, v, shrink, step, eps) =>
    e.sub(e.mul(p, shrink), e.div(e.mul(step, m), e.add(e.sqrt(v), eps))),
});
const largest = new PointwiseOp('adam_largest', { types: 'real', forward: (a, b) => e.max(a, b) });

export interface AdamOptions {
  /** Learning rate (default 1e-3). */
  lr?: number;
  /** Decay rates of the running averages of the gradient and its square. */
  betas?: readonly [number, number];
  /** Added to the denominator. */
  eps?: number;
  weight_decay?: number;
  amsgrad?: boolean;
  foreach?: boolean | null;
  maximize?: boolean;
  capturable?: boolean;
  differentiable?: boolean;
  fused?: boolean | null;
  /** Decay the weights apart from the gradient, as AdamW does. */
  decoupled_weight_decay?: boolean;
}

type AdamArgs =
  | [
      lr?: number,
      betas?: readonly [number, number],
      eps?: number,
      weight_decay?: number,
      amsgrad?: boolean,
      options?: AdamOptions,
    ]
  | [options?: AdamOptions];

function checkOptions(o: Required<AdamOptions>): Record<string, unknown> {
  requireValue(o.lr >= 0, 'learning rate', o.lr);
  requireValue(o.eps >= 0, 'epsilon value', o.eps);
  o.betas.forEach((beta, i) => requireValue(beta >= 0 && beta < 1, `beta parameter at index ${i}`, beta));
  requireValue(o.weight_decay >= 0, 'weight_decay value', o.weight_decay);
  return o as unknown as Record<string, unknown>;
}

const shared =
  'bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False, bool? fused=None';

/**
 * Adam (https://arxiv.org/abs/1412.6980).
 * @throws ValueError for options out of range.
 */
export class Adam extends Optimizer {
  constructor(params: Params, ...options: AdamArgs) {
    const schema = `any lr=0.001, any betas=[0.9,0.999], float eps=1e-8, float weight_decay=0, bool amsgrad=False, *, ${shared}, bool decoupled_weight_decay=False`;
    super(params, checkOptions(bindOptions('Adam', schema, options) as unknown as Required<AdamOptions>));
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<AdamOptions>;
    if (state.step === undefined) {
      state.step = full_([], 0, float32, p.device);
      state.exp_avg = zeros_(p.shape, p.dtype, p.device);
      state.exp_avg_sq = zeros_(p.shape, p.dtype, p.device);
      if (o.amsgrad) state.max_exp_avg_sq = zeros_(p.shape, p.dtype, p.device);
    }
    const count = (state.step as Tensor).add_(1).item() as number;
    const lr = Number(o.lr);
    const [beta1, beta2] = o.betas;
    const g = o.maximize ? grad.neg() : grad;
    const decay = o.decoupled_weight_decay ? 0 : o.weight_decay;
    const m = state.exp_avg as Tensor;
    let v = state.exp_avg_sq as Tensor;
    firstMoment.call([m, g, p, 1 - beta1, decay], m, true);
    secondMoment.call([v, g, p, beta2, 1 - beta2, decay], v, true);
    if (o.amsgrad) {
      const top = state.max_exp_avg_sq as Tensor;
      largest.call([top, v], top, true);
      v = top;
    }
    const root = Math.sqrt(1 - beta2 ** count);
    const shrink = o.decoupled_weight_decay ? 1 - lr * o.weight_decay : 1;
    adamStep.call([p, m, v, shrink, (lr / (1 - beta1 ** count)) * root, o.eps * root], p, true);
  }
}

/**
 * Adam with decoupled weight decay (https://arxiv.org/abs/1711.05101); the decay is 1e-2 by default.
 * @throws ValueError for options out of range.
 */
export class AdamW extends Adam {
  constructor(params: Params, ...options: AdamArgs) {
    const schema = `any lr=0.001, any betas=[0.9,0.999], float eps=1e-8, float weight_decay=0.01, bool amsgrad=False, *, ${shared}`;
    super(params, { ...bindOptions('AdamW', schema, options), decoupled_weight_decay: true } as AdamOptions);
  }
}
