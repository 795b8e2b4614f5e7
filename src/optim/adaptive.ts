// RMSprop, Adagrad and Adadelta: steps scaled by the size of past gradients.
import { Complex } from '../complex.js';
import { e } from '../expr.js';
import { full_ } from '../ops/fill.js';
import type { Tensor } from '../tensor.js';
import {
  type CommonOptions,
  checkCommon,
  checkFused,
  countStep,
  descent,
  runSteps,
  type StepCall,
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

const centeredSquare = stepKernel('rmsprop_variance', {
  forward: (v, mean) => e.sub(v, e.mul(mean, mean)),
});
const rmspropBuffer = stepKernel('rmsprop_buffer', {
  forward: (buffer, g, v, momentum, eps) => e.add(e.mul(buffer, momentum), e.div(g, e.add(e.sqrt(v), eps))),
});
const adadeltaStep = stepKernel('adadelta_delta', {
  forward: (acc, v, g, eps) => e.mul(e.div(e.sqrt(e.add(acc, eps)), e.sqrt(e.add(v, eps))), g),
});

export interface RMSpropOptions extends CommonOptions {
  /** Decay rate of the average of squares. */
  alpha?: number;
  eps?: number;
  momentum?: number;
  /** Scale by the variance instead of the mean square. */
  centered?: boolean;
}

/**
 * RMSprop (https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf).
 * @throws ValueError for negative options.
 */
export class RMSprop extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        alpha: number,
        eps: number,
        weight_decay: number,
        momentum: number,
        centered: boolean,
        capturable: boolean,
        foreach: boolean | null,
        maximize: boolean,
        differentiable: boolean,
      ],
      RMSpropOptions
    >
  ) {
    const schema =
      'any lr=0.01, float alpha=0.99, float eps=1e-8, float weight_decay=0, float momentum=0, bool centered=False, bool capturable=False, bool? foreach=None, bool maximize=False, bool differentiable=False';
    const bound = bindOptions('RMSprop', schema, options);
    const o = bound as unknown as Required<RMSpropOptions>;
    checkCommon(o);
    requireValue(o.momentum >= 0, 'momentum value', o.momentum);
    requireValue(o.alpha >= 0, 'alpha value', o.alpha);
    super(params, bound);
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<RMSpropOptions>;
    if (state.step === undefined) {
      state.step = scalarState(0, p);
      state.square_avg = zerosLike(p);
      if (o.momentum > 0) state.momentum_buffer = zerosLike(p);
      if (o.centered) state.grad_avg = zerosLike(p);
    }
    countStep(state);
    const lr = Number(o.lr);
    const g = descent(p, grad, o.maximize, o.weight_decay);
    let v = state.square_avg as Tensor;
    const calls: StepCall[] = [[squareAverage, v, [v, g, o.alpha, 1 - o.alpha]]];
    if (o.centered) {
      runSteps(...calls.splice(0));
      const mean = (state.grad_avg as Tensor).lerp_(g, 1 - o.alpha);
      v = centeredSquare.call([v, mean]);
    }
    if (o.momentum > 0) {
      const buffer = state.momentum_buffer as Tensor;
      runSteps(...calls, [rmspropBuffer, buffer, [buffer, g, v, o.momentum, o.eps]]);
      p.add_(buffer, { alpha: -lr });
    } else runSteps(...calls, [scaledStep, p, [p, g, v, lr, o.eps]]);
  }
}

export interface AdagradOptions extends Omit<CommonOptions, 'capturable'> {
  lr_decay?: number;
  initial_accumulator_value?: number;
  eps?: number;
  fused?: boolean | null;
}

/**
 * Adagrad (https://jmlr.org/papers/v12/duchi11a.html). The state is made at once.
 * @throws ValueError for negative options.
 * @throws RuntimeError for `fused` together with `foreach` or `differentiable`.
 */
export class Adagrad extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        lr_decay: number,
        weight_decay: number,
        initial_accumulator_value: number,
        eps: number,
        foreach: boolean | null,
      ],
      AdagradOptions
    >
  ) {
    const schema =
      'any lr=0.01, float lr_decay=0, float weight_decay=0, float initial_accumulator_value=0, float eps=1e-10, bool? foreach=None, *, bool maximize=False, bool differentiable=False, bool? fused=None';
    const bound = bindOptions('Adagrad', schema, options);
    const o = bound as unknown as Required<AdagradOptions>;
    checkCommon(o);
    requireValue(o.lr_decay >= 0, 'lr_decay value', o.lr_decay);
    const initial = o.initial_accumulator_value;
    requireValue(initial >= 0, 'initial_accumulator_value value', initial);
    super(params, bound);
    checkFused(o);
    for (const group of this.param_groups) for (const p of group.params) this.prepare(p, this.stateOf(p));
  }

  private prepare(p: Tensor, state: OptimizerState): void {
    const initial = this.defaults.initial_accumulator_value as number;
    state.step = scalarState(0, p);
    // Real and imaginary parts are accumulated apart.
    const start = p.is_complex() ? new Complex(initial, initial) : initial;
    state.sum = full_(p.shape, start, p.dtype, p.device);
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<AdagradOptions>;
    // A parameter of a group that was added later.
    if (state.step === undefined) this.prepare(p, state);
    const count = countStep(state);
    const g = descent(p, grad, o.maximize, o.weight_decay);
    const sum = (state.sum as Tensor).addcmul_(g, g);
    scaledStep.call([p, g, sum, Number(o.lr) / (1 + (count - 1) * o.lr_decay), o.eps], p, true);
  }
}

export interface AdadeltaOptions extends CommonOptions {
  /** Decay rate of the averages of squares. */
  rho?: number;
  eps?: number;
}

/**
 * Adadelta (https://arxiv.org/abs/1212.5701).
 * @throws ValueError for options out of range.
 */
export class Adadelta extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [lr: number | Tensor, rho: number, eps: number, weight_decay: number, foreach: boolean | null],
      AdadeltaOptions
    >
  ) {
    const schema =
      'any lr=1, float rho=0.9, float eps=1e-6, float weight_decay=0, bool? foreach=None, *, bool capturable=False, bool maximize=False, bool differentiable=False';
    const bound = bindOptions('Adadelta', schema, options);
    const o = bound as unknown as Required<AdadeltaOptions>;
    checkCommon(o);
    requireValue(o.rho >= 0 && o.rho <= 1, 'rho value', o.rho);
    super(params, bound);
  }

  protected override get wholeFloats(): Readonly<Record<string, number>> {
    return { lr: 1 };
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<AdadeltaOptions>;
    if (state.step === undefined) {
      state.step = scalarState(0, p);
      state.square_avg = zerosLike(p);
      state.acc_delta = zerosLike(p);
    }
    countStep(state);
    const g = descent(p, grad, o.maximize, o.weight_decay);
    const v = state.square_avg as Tensor;
    const acc = state.acc_delta as Tensor;
    squareAverage.call([v, g, o.rho, 1 - o.rho], v, true);
    const delta = adadeltaStep.call([acc, v, g, o.eps]);
    squareAverage.call([acc, delta, o.rho, 1 - o.rho], acc, true);
    p.add_(delta, { alpha: -Number(o.lr) });
  }
}
