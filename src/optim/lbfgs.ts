// L-BFGS with an optional line search for the strong Wolfe conditions.
import { enable_grad, no_grad } from '../autograd/modes.js';
import { RuntimeError, ValueError } from '../errors.js';
import { cat } from '../ops/join.js';
import { view_as_real } from '../ops/view_dtype.js';
import type { Tensor } from '../tensor.js';
import { checkCommon, zerosLike } from './common.js';
import { type Evaluation, strongWolfe } from './line_search.js';
import { type Arguments, bindOptions, Optimizer, type OptimizerState, type Params } from './optimizer.js';

export interface LBFGSOptions {
  lr?: number | Tensor;
  /** Iterations of one step. */
  max_iter?: number;
  /** Evaluations of one step; by default 1.25 times `max_iter`. */
  max_eval?: number | null;
  tolerance_grad?: number;
  tolerance_change?: number;
  history_size?: number;
  line_search_fn?: 'strong_wolfe' | null;
}

/** What is kept between steps, as the state of the first parameter. */
interface History extends OptimizerState {
  func_evals: number;
  n_iter: number;
  d: Tensor;
  t: number;
  old_dirs: Tensor[];
  old_stps: Tensor[];
  ro: number[];
  H_diag: number;
  prev_flat_grad: Tensor | null;
  prev_loss: number;
}

const dot = (a: Tensor, b: Tensor): number => a.dot(b).item() as number;
/** Complex numbers as pairs, in the same memory. */
const realParts = (x: Tensor): Tensor => (x.is_complex() ? view_as_real(x) : x);
const largest = (x: Tensor): number => x.abs().max().item() as number;

/**
 * Limited-memory BFGS. `step` needs a closure, which it calls several times. One group of real parameters only.
 * @throws ValueError for a negative rate or several groups.
 */
export class LBFGS extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        max_iter: number,
        max_eval: number | null,
        tolerance_grad: number,
        tolerance_change: number,
        history_size: number,
        line_search_fn: 'strong_wolfe' | null,
      ],
      LBFGSOptions
    >
  ) {
    const schema =
      'any lr=1, int max_iter=20, int? max_eval=None, float tolerance_grad=1e-7, float tolerance_change=1e-9, int history_size=100, any line_search_fn=None';
    const bound = bindOptions('LBFGS', schema, options);
    const o = bound as unknown as Required<LBFGSOptions>;
    checkCommon({ lr: o.lr });
    super(params, { ...bound, max_eval: o.max_eval ?? Math.floor((o.max_iter * 5) / 4) });
    if (this.param_groups.length !== 1)
      throw new ValueError("LBFGS doesn't support per-parameter options (parameter groups)");
  }

  /** Parameters are updated together, by `run`. */
  protected update(): void {}

  private get all(): readonly Tensor[] {
    return this.param_groups[0].params;
  }

  private flatGrad(): Tensor {
    return cat(this.all.map((p) => realParts(p.grad ?? zerosLike(p)).reshape(-1)));
  }

  /** Moves the parameters by t * d. */
  private move(t: number, d: Tensor): void {
    let at = 0;
    for (const p of this.all.map(realParts)) {
      const n = p.numel();
      p.add_(d.narrow(0, at, n).view(p.shape), { alpha: t });
      at += n;
    }
  }

  protected override run<L>(closure: (() => L) | undefined): L | undefined {
    if (typeof closure !== 'function')
      throw new TypeError("LBFGS.step() missing 1 required positional argument: 'closure'");
    return no_grad(() => this.minimize(() => enable_grad(closure)));
  }

  private minimize<L>(closure: () => L): L {
    const o = this.param_groups[0] as unknown as Required<LBFGSOptions> & { max_eval: number };
    const state = this.stateOf(this.all[0]) as History;
    state.func_evals ??= 0;
    state.n_iter ??= 0;
    const first = closure();
    let loss = Number(first);
    let evaluations = 1;
    state.func_evals++;
    let g = this.flatGrad();
    if (largest(g) <= o.tolerance_grad) return first;
    for (let i = 1; i <= o.max_iter; i++) {
      state.n_iter++;
      this.chooseDirection(state, g, o.history_size);
      state.prev_flat_grad = g.clone();
      state.prev_loss = loss;
      const lr = Number(o.lr);
      state.t = state.n_iter === 1 ? Math.min(1, 1 / (g.abs().sum().item() as number)) * lr : lr;
      const slope = dot(g, state.d);
      if (slope > -o.tolerance_change) break;
      const last = i === o.max_iter;
      const found = this.search({ t: 0, loss, grad: g, slope }, state, closure, o, evaluations, last);
      if (found !== null) {
        ({ loss, grad: g } = found);
        evaluations += found.count;
        state.func_evals += found.count;
      }
      if (last || evaluations >= o.max_eval || largest(g) <= o.tolerance_grad) break;
      if (largest(state.d.mul(state.t)) <= o.tolerance_change) break;
      if (Math.abs(loss - state.prev_loss) < o.tolerance_change) break;
    }
    return first;
  }

  /** Remembers the last step's curvature, and multiplies the gradient by the inverse Hessian that follows. */
  private chooseDirection(state: History, g: Tensor, size: number): void {
    if (state.n_iter === 1 || !state.prev_flat_grad) {
      Object.assign(state, { d: g.neg(), old_dirs: [], old_stps: [], ro: [], H_diag: 1 });
      return;
    }
    const y = g.sub(state.prev_flat_grad);
    const s = state.d.mul(Number(state.t));
    const ys = dot(y, s);
    const { old_dirs, old_stps, ro } = state;
    if (ys > 1e-10) {
      if (old_dirs.length === size) for (const list of [old_dirs, old_stps, ro]) list.shift();
      old_dirs.push(y);
      old_stps.push(s);
      ro.push(1 / ys);
      state.H_diag = ys / dot(y, y);
    }
    const r = g.neg();
    const weights: number[] = [];
    for (let i = old_dirs.length - 1; i >= 0; i--) {
      weights[i] = dot(old_stps[i], r) * Number(ro[i]);
      r.add_(old_dirs[i], { alpha: -weights[i] });
    }
    r.mul_(state.H_diag);
    for (let i = 0; i < old_dirs.length; i++)
      r.add_(old_stps[i], { alpha: weights[i] - dot(old_dirs[i], r) * Number(ro[i]) });
    state.d = r;
  }

  /** Moves along the direction. @returns the loss and gradient there; null after the last fixed step. */
  private search(
    start: Evaluation,
    state: History,
    closure: () => unknown,
    o: Required<LBFGSOptions> & { max_eval: number },
    evaluations: number,
    last: boolean,
  ): { loss: number; grad: Tensor; count: number } | null {
    const { d } = state;
    const wolfe = o.line_search_fn !== null;
    if (wolfe && o.line_search_fn !== 'strong_wolfe')
      throw new RuntimeError("only 'strong_wolfe' is supported");
    if (!wolfe) {
      this.move(state.t, d);
      return last ? null : { loss: Number(closure()), grad: this.flatGrad(), count: 1 };
    }
    const origin = this.all.map((p) => p.clone());
    const evaluate = (t: number): Evaluation => {
      this.move(t, d);
      const loss = Number(closure());
      const grad = this.flatGrad();
      this.all.forEach((p, i) => {
        p.copy_(origin[i]);
      });
      return { t, loss, grad, slope: dot(grad, d) };
    };
    const limits = { most: o.max_eval - evaluations, change: o.tolerance_change, scale: largest(d) };
    const { point, count } = strongWolfe(evaluate, start, state.t, limits);
    state.t = point.t;
    this.move(point.t, d);
    return { loss: point.loss, grad: point.grad, count };
  }
}
