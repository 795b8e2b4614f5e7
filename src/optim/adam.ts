// Adam and AdamW.
import { float32 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { e } from '../expr.js';
import { full_, zeros_ } from '../ops/fill.js';
import { Tensor } from '../tensor.js';
import { checkCommon, checkFused, runSteps, type StepCall, stepKernel } from './common.js';
import {
  type Arguments,
  bindOptions,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type Params,
} from './optimizer.js';

const firstMoment = stepKernel('adam_first_moment', {
  forward: (m, g, p, weight, decay) => e.add(m, e.mul(weight, e.sub(e.add(g, e.mul(decay, p)), m))),
});
const secondMoment = stepKernel('adam_second_moment', {
  forward: (v, g, p, beta2, weight, decay) => {
    const full = e.add(g, e.mul(decay, p));
    return e.add(e.mul(v, beta2), e.mul(weight, e.mul(full, full)));
  },
});
// step * m / (sqrt(v) / c + eps) as (step * c) * m / (sqrt(v) + eps * c): one scalar less.
const adamStep = stepKernel('adam_step', {
  forward: (p, m, v, shrink, step, eps) =>
    e.sub(e.mul(p, shrink), e.div(e.mul(step, m), e.add(e.sqrt(v), eps))),
});
const largest = stepKernel('adam_largest', {
  forward: (a, b) => e.max(a, b),
});

export interface AdamOptions {
  /** Learning rate (default 1e-3). */
  lr?: number | Tensor;
  /** Decay rates of the running averages of the gradient and its square. */
  betas?: readonly [number | Tensor, number | Tensor];
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

type AdamArgs<Options> = Arguments<
  [],
  [
    lr: number | Tensor,
    betas: readonly [number | Tensor, number | Tensor],
    eps: number,
    weight_decay: number,
    amsgrad: boolean,
  ],
  Options
>;

/** The options, with betas as numbers. */
function checkOptions(o: Required<AdamOptions>): Record<string, unknown> {
  const singles = [['lr', o.lr], ...o.betas.map((beta, i) => [`betas[${i}]`, beta])] as const;
  if (o.betas.some((beta) => beta instanceof Tensor) && !o.betas.every((beta) => beta instanceof Tensor))
    throw new ValueError('betas must be either both floats or both Tensors');
  for (const [name, x] of singles) {
    if (!(x instanceof Tensor)) continue;
    if (o.foreach && !o.capturable)
      throw new ValueError(`${name} as a Tensor is not supported for capturable=False and foreach=True`);
    if (x.numel() !== 1) throw new ValueError(`Tensor ${name} must be 1-element`);
  }
  const betas = o.betas.map(Number) as [number, number];
  checkCommon({ lr: o.lr, eps: o.eps, weight_decay: o.weight_decay, betas });
  return { ...o, betas };
}

const shared =
  'bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False, bool? fused=None';

/**
 * Adam (https://arxiv.org/abs/1412.6980).
 * @throws ValueError for options out of range.
 */
export class Adam extends Optimizer {
  constructor(params: Params, ...options: AdamArgs<AdamOptions>) {
    const schema = `any lr=0.001, any betas=[0.9,0.999], float eps=1e-8, float weight_decay=0, bool amsgrad=False, *, ${shared}, bool decoupled_weight_decay=False`;
    const o = bindOptions('Adam', schema, options) as unknown as Required<AdamOptions>;
    super(params, checkOptions(o));
    checkFused(o);
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
    const [beta1, beta2] = o.betas as readonly [number, number];
    const g = o.maximize ? grad.neg() : grad;
    const decay = o.decoupled_weight_decay ? 0 : o.weight_decay;
    const m = state.exp_avg as Tensor;
    let v = state.exp_avg_sq as Tensor;
    const calls: StepCall[] = [
      [firstMoment, m, [m, g, p, 1 - beta1, decay]],
      [secondMoment, v, [v, g, p, beta2, 1 - beta2, decay]],
    ];
    if (o.amsgrad) {
      const top = state.max_exp_avg_sq as Tensor;
      calls.push([largest, top, [top, v]]);
      v = top;
    }
    const root = Math.sqrt(1 - beta2 ** count);
    const shrink = o.decoupled_weight_decay ? 1 - lr * o.weight_decay : 1;
    const rate = (lr / (1 - beta1 ** count)) * root;
    runSteps(...calls, [adamStep, p, [p, m, v, shrink, rate, o.eps * root]]);
  }
}

/**
 * Adam with decoupled weight decay (https://arxiv.org/abs/1711.05101); the decay is 1e-2 by default.
 * @throws ValueError for options out of range.
 */
export class AdamW extends Adam {
  constructor(params: Params, ...options: AdamArgs<Omit<AdamOptions, 'decoupled_weight_decay'>>) {
    const schema = `any lr=0.001, any betas=[0.9,0.999], float eps=1e-8, float weight_decay=0.01, bool amsgrad=False, *, ${shared}`;
    super(params, { ...bindOptions('AdamW', schema, options), decoupled_weight_decay: true } as AdamOptions);
  }
}
