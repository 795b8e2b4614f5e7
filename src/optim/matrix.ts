// Adafactor and Muon: optimizers that see a parameter as a matrix.
import { bfloat16, finfo, float32 } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { matmul } from '../ops/matmul.js';
import { addmm } from '../ops/matmul_add.js';
import { norm } from '../ops/norm.js';
import type { Tensor } from '../tensor.js';
import { type CommonOptions, checkSingle, countStep, descent, scalarState, zerosLike } from './common.js';
import {
  type Arguments,
  bindOptions,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type Params,
} from './optimizer.js';

function atLeast(ok: boolean, text: string, value: unknown): void {
  if (!ok) throw new ValueError(`${text} but is: ${String(value)}`);
}

export interface AdafactorOptions extends Omit<CommonOptions, 'capturable' | 'differentiable'> {
  beta2_decay?: number;
  /** Below the variance (null: the dtype's epsilon), and below the parameter's size. */
  eps?: readonly [number | null, number];
  /** Threshold at which updates are clipped. */
  d?: number;
}

/**
 * Adafactor (https://arxiv.org/abs/1804.04235): the variance of a matrix from its rows' and columns' means.
 * @throws ValueError for options out of range.
 * @throws RuntimeError for complex parameters.
 */
export class Adafactor extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number | Tensor,
        beta2_decay: number,
        eps: readonly [number | null, number],
        d: number,
        weight_decay: number,
      ],
      AdafactorOptions
    >
  ) {
    const schema =
      'any lr=0.01, float beta2_decay=-0.8, any eps=[null,0.001], float d=1, float weight_decay=0, *, bool? foreach=None, bool maximize=False';
    const bound = bindOptions('Adafactor', schema, options);
    const o = bound as unknown as Required<AdafactorOptions>;
    const [eps1, eps2] = o.eps;
    checkSingle(o.lr);
    atLeast(Number(o.lr) >= 0, 'Learning rate should be >= 0', Number(o.lr));
    atLeast(o.beta2_decay <= 0, 'beta2_decay should be <= 0', o.beta2_decay);
    atLeast(eps1 === null || eps1 >= 0, 'epsilon1 should be >= 0', eps1);
    atLeast(eps2 >= 0, 'epsilon2 should be >= 0', eps2);
    atLeast(o.d >= 1, 'Clipping threshold d should be >= 1', o.d);
    atLeast(o.weight_decay >= 0, 'weight_decay should be >= 0', o.weight_decay);
    super(params, bound);
  }

  protected override get wholeFloats(): Readonly<Record<string, number>> {
    return { d: 1, weight_decay: 0 };
  }

  protected override get splitsComplex(): boolean {
    return false;
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    if (p.is_complex()) throw new RuntimeError('Adafactor does not support complex parameters');
    const o = group as unknown as Required<AdafactorOptions>;
    if (state.step === undefined) {
      state.step = scalarState(0, p);
      if (grad.ndim > 1) {
        state.row_var = zerosLike(grad.narrow(-1, 0, 1));
        state.col_var = zerosLike(grad.narrow(-2, 0, 1));
      } else state.variance = zerosLike(grad);
    }
    const count = countStep(state);
    const lr = Number(o.lr);
    const eps1 = o.eps[0] ?? finfo(p.dtype).eps;
    const g = descent(p, grad, o.maximize, 0);
    const size = rootMeanSquare(p);
    const rate = Math.max(o.eps[1], size) * Math.min(lr, 1 / Math.sqrt(count));
    if (o.weight_decay !== 0) p.mul_(1 - lr * o.weight_decay);
    const update = variance(g, state, count ** o.beta2_decay, eps1)
      .clamp_({ min: eps1 * eps1 })
      .rsqrt_()
      .mul_(g);
    p.add_(update, { alpha: -rate / Math.max(1, rootMeanSquare(update) / o.d) });
  }
}

const rootMeanSquare = (x: Tensor): number => (norm(x, 2).item() as number) / Math.sqrt(x.numel());

/** Moves the averages on. @returns the variance of each element, in memory of its own. */
function variance(g: Tensor, state: OptimizerState, weight: number, eps: number): Tensor {
  if (g.ndim < 2) return (state.variance as Tensor).lerp_(g.mul(g), weight).clone();
  const means = (dim: number): Tensor => norm(g, 2, dim, true).square_().div_(g.size(dim));
  const rows = (state.row_var as Tensor).lerp_(means(-1), weight);
  const columns = (state.col_var as Tensor).lerp_(means(-2), weight);
  return matmul(rows, columns).div_(rows.mean(-2, true).clamp_({ min: eps }));
}

export interface MuonOptions {
  /** Learning rate. */
  lr?: number;
  weight_decay?: number;
  momentum?: number;
  nesterov?: boolean;
  /** Coefficients of the Newton-Schulz iteration's polynomial. */
  ns_coefficients?: readonly [number, number, number];
  /** The least norm to divide by. */
  eps?: number;
  ns_steps?: number;
  /** How the rate depends on the shape. */
  adjust_lr_fn?: 'original' | 'match_rms_adamw' | null;
}

/**
 * Muon (https://kellerjordan.github.io/posts/muon/): momentum whose matrix is made orthogonal. Only for matrices.
 * @throws ValueError for options out of range, and for parameters that are no matrices.
 */
export class Muon extends Optimizer {
  constructor(
    params: Params,
    ...options: Arguments<
      [],
      [
        lr: number,
        weight_decay: number,
        momentum: number,
        nesterov: boolean,
        ns_coefficients: readonly [number, number, number],
        eps: number,
        ns_steps: number,
        adjust_lr_fn: 'original' | 'match_rms_adamw' | null,
      ],
      MuonOptions
    >
  ) {
    const schema =
      'any lr=0.001, float weight_decay=0.1, float momentum=0.95, bool nesterov=True, any ns_coefficients=[3.4445,-4.775,2.0315], float eps=1e-7, int ns_steps=5, any adjust_lr_fn=None';
    const bound = bindOptions('Muon', schema, options);
    const o = bound as unknown as Required<MuonOptions>;
    checkSingle(o.lr);
    atLeast(Number(o.lr) >= 0, 'Learning rate should be >= 0', Number(o.lr));
    atLeast(o.momentum >= 0, 'momentum should be >= 0', o.momentum);
    atLeast(o.weight_decay >= 0, 'weight decay should be >= 0', o.weight_decay);
    if (o.adjust_lr_fn !== null && !['original', 'match_rms_adamw'].includes(o.adjust_lr_fn))
      throw new ValueError(`Adjust learning rate function ${String(o.adjust_lr_fn)} is not supported`);
    super(params, bound);
    for (const p of this.param_groups.flatMap((group) => group.params))
      if (p.ndim !== 2)
        throw new ValueError(
          `Muon only supports 2D parameters whereas we found a parameter with size: torch.Size([${p.shape.join(', ')}])`,
        );
  }

  protected override get splitsComplex(): boolean {
    return false;
  }

  protected update(p: Tensor, grad: Tensor, group: ParamGroup, state: OptimizerState): void {
    if (p.is_complex()) throw new RuntimeError('Muon does not support complex parameters');
    const o = group as unknown as Required<MuonOptions>;
    state.momentum_buffer ??= zerosLike(grad);
    const buffer = (state.momentum_buffer as Tensor).lerp_(grad, 1 - o.momentum);
    const update = orthogonal(o.nesterov ? grad.lerp(buffer, o.momentum) : buffer, o);
    const lr = Number(o.lr);
    const [rows, columns] = p.shape;
    const ratio =
      o.adjust_lr_fn === 'match_rms_adamw'
        ? 0.2 * Math.sqrt(Math.max(rows, columns))
        : Math.sqrt(Math.max(1, rows / columns));
    p.mul_(1 - lr * o.weight_decay);
    p.add_(update, { alpha: -lr * ratio });
  }
}

/** The nearest orthogonal matrix, roughly, in bfloat16: Newton-Schulz iterations with a polynomial of degree five. */
function orthogonal(g: Tensor, o: Required<MuonOptions>): Tensor {
  if (o.ns_steps >= 100)
    throw new ValueError('Number of steps must be less than 100 for computational efficiency');
  if (o.ns_coefficients.length !== 3)
    throw new ValueError('Coefficients must be a tuple of exactly 3 values');
  const [a, b, c] = o.ns_coefficients;
  // The smaller Gram matrix is that of the rows.
  const tall = g.shape[0] > g.shape[1];
  const half = g.to(bfloat16);
  let x = tall ? half.t() : half;
  x = x.div(norm(x).clamp({ min: o.eps }));
  // A sum of products is rounded to bfloat16 once, as in PyTorch: the terms are added in float32.
  const rounded = (sum: Tensor): Tensor => sum.to(bfloat16);
  for (let i = 0; i < o.ns_steps; i++) {
    const wide = x.to(float32);
    const gram = rounded(matmul(wide, wide.t())).to(float32);
    const polynomial = rounded(addmm(gram, gram, gram, { beta: b, alpha: c })).to(float32);
    x = rounded(addmm(wide, polynomial, wide, { beta: a }));
  }
  return tall ? x.t() : x;
}
