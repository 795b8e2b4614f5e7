// Averaged SGD and resilient backpropagation.
import { ValueError } from '../errors.js';
import { e } from '../expr.js';
import { full_ } from '../ops/fill.js';
import type { Tensor } from '../tensor.js';
import {
  type CommonOptions,
  checkCommon,
  countStep,
  descent,
  scalarState,
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
} from './optimizer.js';

const decayedStep = stepKernel('asgd_step', {
  forward: (p, g, shrink, eta) => e.sub(e.mul(p, shrink), e.mul(eta, g)),
});
// A product that is NaN compares with nothing and is kept.
const stepSize = stepKernel('rprop_step_size', {
  forward: (size, g, before, down, up) => {
    const turn = e.mul(g, before);
    const still = e.select(e.eq(turn, 0), 1, turn);
    return e.mul(size, e.select(e.gt(turn, 0), up, e.select(e.lt(turn, 0), down, still)));
  },
});
const kept = stepKernel('rprop_gradient', {
  forward: (g, before) => e.select(e.lt(e.mul(g, before), 0), 0, g),
});
const signStep = stepKernel('rprop_step', {
  forward: (p, g, size) => e.sub(p, e.mul(e.sign(g), size)),
});

export interface ASGDOptions extends CommonOptions {
  /** Decay term. */
  lambd?: number;
  /** Power of the rate's decay. */
  alpha?: number;
  /** The step at which averaging starts. */
  t0?: number;
}

/**
 * Averaged stochastic gradient descent (https://dl.acm.org/doi/10.1137/0330046): the average is `ax` of the state.
 * @throws ValueError for a negative rate or decay.
 */
export class ASGD extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        lambd: number,
        alpha: number,
        t0: number,
        weight_decay: number,
        foreach: boolean | null,
        maximize: boolean,
        differentiable: boolean,
        capturable: boolean,
      ],
      ASGDOptions
    >
  ) {
    const schema =
      'any lr=0.01, float lambd=0.0001, float alpha=0.75, float t0=1000000, float weight_decay=0, bool? foreach=None, bool maximize=False, bool differentiable=False, bool capturable=False';
    const bound = bindOptions('ASGD', schema, options);
    checkCommon(bound as unknown as Required<ASGDOptions>);
    super(params, bound);
  }

  protected override get wholeFloats(): Readonly<Record<string, number>> {
    return { t0: 1e6 };
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<ASGDOptions>;
    const lr = Number(o.lr);
    if (state.step === undefined) {
      state.step = scalarState(0, p);
      state.eta = scalarState(lr, p);
      state.mu = scalarState(1, p);
      state.ax = zerosLike(p);
    }
    const count = countStep(state);
    const eta = (state.eta as Tensor).item() as number;
    const mu = (state.mu as Tensor).item() as number;
    const g = descent(p, grad, o.maximize, o.weight_decay);
    decayedStep.call([p, g, 1 - o.lambd * eta, eta], p, true);
    const average = state.ax as Tensor;
    if (mu === 1) average.copy_(p);
    else average.lerp_(p, mu);
    (state.eta as Tensor).fill_(lr / (1 + o.lambd * lr * count) ** o.alpha);
    (state.mu as Tensor).fill_(1 / Math.max(1, count - o.t0));
  }
}

export interface RpropOptions extends Omit<CommonOptions, 'weight_decay'> {
  /** Factors of the step size where the gradient's sign changed, and where it did not. */
  etas?: readonly [number, number];
  /** The smallest and the largest step size. */
  step_sizes?: readonly [number, number];
}

/**
 * Resilient backpropagation: steps by the gradient's sign.
 * @throws ValueError for options out of range.
 */
export class Rprop extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [lr: number | Tensor, etas: readonly [number, number], step_sizes: readonly [number, number]],
      RpropOptions
    >
  ) {
    const schema =
      'any lr=0.01, any etas=[0.5,1.2], any step_sizes=[0.000001,50], *, bool capturable=False, bool? foreach=None, bool maximize=False, bool differentiable=False';
    const bound = bindOptions('Rprop', schema, options);
    const o = bound as unknown as Required<RpropOptions>;
    checkCommon({ lr: o.lr });
    const [down, up] = o.etas;
    if (!(down > 0 && down < 1 && up > 1)) throw new ValueError(`Invalid eta values: ${down}, ${up}`);
    super(params, bound);
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    const o = group as unknown as Required<RpropOptions>;
    if (state.step === undefined) {
      state.step = scalarState(0, p);
      state.prev = zerosLike(p);
      state.step_size = full_(grad.shape, Number(o.lr), grad.dtype, grad.device);
    }
    countStep(state);
    const g = descent(p, grad, o.maximize, 0);
    const before = state.prev as Tensor;
    const size = state.step_size as Tensor;
    stepSize.call([size, g, before, o.etas[0], o.etas[1]], size, true);
    size.clamp_(o.step_sizes[0], o.step_sizes[1]);
    const used = kept.call([g, before]);
    signStep.call([p, used, size], p, true);
    state.prev = used;
  }
}
