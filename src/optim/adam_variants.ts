// Adamax, NAdam and RAdam.
import { e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import {
  type CommonOptions,
  checkCommon,
  countStep,
  descent,
  scalarState,
  scaledStep,
  squareAverage,
  stepKernel,
  zerosLike,
} from './common.js';
import {
  type Arguments,
  bindOptions,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type Params,
  requireValue,
} from './optimizer.js';

const infinityNorm = stepKernel('adamax_norm', {
  forward: (u, g, beta2, eps) => e.max(e.mul(u, beta2), e.add(e.abs(g), eps)),
});
const mix = stepKernel('nadam_direction', {
  forward: (g, m, now, next) => e.add(e.mul(now, g), e.mul(next, m)),
});

export interface AdamaxOptions extends CommonOptions {
  /** Decay rates of the average of the gradient and of its infinity norm. */
  betas?: readonly [number, number];
  eps?: number;
}

/**
 * Adamax, Adam with the infinity norm (https://arxiv.org/abs/1412.6980).
 * @throws ValueError for options out of range.
 */
export class Adamax extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        betas: readonly [number, number],
        eps: number,
        weight_decay: number,
        foreach: boolean | null,
      ],
      AdamaxOptions
    >
  ) {
    const schema =
      'any lr=0.002, any betas=[0.9,0.999], float eps=1e-8, float weight_decay=0, bool? foreach=None, *, bool maximize=False, bool differentiable=False, bool capturable=False';
    const bound = bindOptions('Adamax', schema, options);
    checkCommon(bound as unknown as Required<AdamaxOptions>);
    super(params, bound);
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<AdamaxOptions>;
    if (state.step === undefined) {
      state.step = scalarState(0, p);
      state.exp_avg = zerosLike(p);
      state.exp_inf = zerosLike(p);
    }
    const count = countStep(state);
    const [beta1, beta2] = o.betas;
    const g = descent(p, grad, o.maximize, o.weight_decay);
    const m = (state.exp_avg as Tensor).lerp_(g, 1 - beta1);
    const u = state.exp_inf as Tensor;
    infinityNorm.call([u, g, beta2, o.eps], u, true);
    p.addcdiv_(m, u, { value: -Number(o.lr) / (1 - beta1 ** count) });
  }
}

/** What NAdam and RAdam have in common. */
interface DecoupledOptions extends CommonOptions {
  /** Decay rates of the averages of the gradient and its square. */
  betas?: readonly [number, number];
  eps?: number;
  /** Decay the weights apart from the gradient. */
  decoupled_weight_decay?: boolean;
}

/** Decays the weights and moves both averages on. */
function averages(p: Tensor, grad: Tensor, o: Required<DecoupledOptions>, state: OptimizerState) {
  const apart = o.decoupled_weight_decay && o.weight_decay !== 0;
  if (apart) p.mul_(1 - Number(o.lr) * o.weight_decay);
  const g = descent(p, grad, o.maximize, apart ? 0 : o.weight_decay);
  const m = (state.exp_avg as Tensor).lerp_(g, 1 - o.betas[0]);
  const v = state.exp_avg_sq as Tensor;
  squareAverage.call([v, g, o.betas[1], 1 - o.betas[1]], v, true);
  return { g, m, v };
}

function startAverages(p: Tensor, state: OptimizerState): void {
  state.step = scalarState(0, p);
  state.exp_avg = zerosLike(p);
  state.exp_avg_sq = zerosLike(p);
}

export interface NAdamOptions extends DecoupledOptions {
  momentum_decay?: number;
}

/**
 * NAdam, Adam with Nesterov momentum (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).
 * @throws ValueError for options out of range.
 */
export class NAdam extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        betas: readonly [number, number],
        eps: number,
        weight_decay: number,
        momentum_decay: number,
        decoupled_weight_decay: boolean,
      ],
      NAdamOptions
    >
  ) {
    const schema =
      'any lr=0.002, any betas=[0.9,0.999], float eps=1e-8, float weight_decay=0, float momentum_decay=0.004, bool decoupled_weight_decay=False, *, bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False';
    const bound = bindOptions('NAdam', schema, options);
    const o = bound as unknown as Required<NAdamOptions>;
    checkCommon(o);
    requireValue(o.momentum_decay >= 0, 'momentum_decay value', o.momentum_decay);
    super(params, bound);
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<NAdamOptions>;
    if (state.step === undefined) {
      startAverages(p, state);
      state.mu_product = scalarState(1, p);
    }
    const count = countStep(state);
    const [beta1, beta2] = o.betas;
    const momentum = (step: number): number => beta1 * (1 - 0.5 * 0.96 ** (step * o.momentum_decay));
    const mu = momentum(count);
    const next = momentum(count + 1);
    const product = (state.mu_product as Tensor).mul_(mu).item() as number;
    const { g, m, v } = averages(p, grad, o, state);
    // sqrt(v / c) + eps as (sqrt(v) + eps * sqrt(c)) / sqrt(c).
    const root = Math.sqrt(1 - beta2 ** count);
    const rate = Number(o.lr) * root;
    const direction = mix.call([
      g,
      m,
      (rate * (1 - mu)) / (1 - product),
      (rate * next) / (1 - product * next),
    ]);
    scaledStep.call([p, direction, v, 1, o.eps * root], p, true);
  }
}

export interface RAdamOptions extends DecoupledOptions {}

/**
 * RAdam, Adam with a rectified variance (https://arxiv.org/abs/1908.03265).
 * @throws ValueError for options out of range.
 */
export class RAdam extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        betas: readonly [number, number],
        eps: number,
        weight_decay: number,
        decoupled_weight_decay: boolean,
      ],
      RAdamOptions
    >
  ) {
    const schema =
      'any lr=0.001, any betas=[0.9,0.999], float eps=1e-8, float weight_decay=0, bool decoupled_weight_decay=False, *, bool? foreach=None, bool maximize=False, bool capturable=False, bool differentiable=False';
    const bound = bindOptions('RAdam', schema, options);
    checkCommon(bound as unknown as Required<RAdamOptions>);
    super(params, bound);
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<RAdamOptions>;
    if (state.step === undefined) startAverages(p, state);
    const count = countStep(state);
    const [beta1, beta2] = o.betas;
    const { m, v } = averages(p, grad, o, state);
    const rate = Number(o.lr) / (1 - beta1 ** count);
    const c = 1 - beta2 ** count;
    // The length of the average, in the limit and now: too short a one has no variance to scale by.
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * count * beta2 ** count) / c;
    if (length <= 5) {
      p.add_(m, { alpha: -rate });
      return;
    }
    const rectified = Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length));
    scaledStep.call([p, m, v, rate * rectified * Math.sqrt(c), o.eps], p, true);
  }
}
