// Covariance and correlation of variables.
import { bool, promote_types } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { warnOnce } from '../warnings.js';
import { div, mul, sqrt, sub } from './arithmetic.js';
import { clamp } from './clamp.js';
import { conj } from './complex.js';
import { castTo } from './copy.js';
import { complex } from './create.js';
import { type Op, op } from './define.js';
import { diag } from './diagonal.js';
import { mm } from './matmul.js';
import { sum } from './reduce.js';
import { min } from './reduce_extreme.js';
import { squeeze, t, unsqueeze } from './view.js';

/** Checks one list of weights. */
function checkWeights(name: 'fweights' | 'aweights', w: Tensor, count: number): void {
  if (w.shape.length > 1)
    throw new RuntimeError(
      `cov(): expected ${name} to have one or fewer dimensions but got ${name} with ${w.shape.length} dimensions`,
    );
  const fits = name === 'fweights' ? w.dtype.is_integral && w.dtype !== bool : w.dtype.is_floating_point;
  if (!fits)
    throw new RuntimeError(
      `cov(): expected ${name} to have ${name === 'fweights' ? 'integral' : 'floating point'} dtype but got ${name} with ${w.dtype.scalarName} dtype`,
    );
  if (w._numel !== count)
    throw new RuntimeError(
      `cov(): expected ${name} to have the same numel as there are observations in the input but got ${w._numel} != ${count}`,
    );
  if (w._numel > 0 && Number(min(w.detach()).item()) < 0)
    throw new RuntimeError(`cov(): ${name} cannot be negative`);
}

interface Weights {
  readonly correction: number;
  readonly fweights: Tensor | null;
  readonly aweights: Tensor | null;
}

/** What the products of deviations are divided by. */
function normaliser(
  count: number,
  w: Tensor | null,
  total: Tensor | null,
  { correction, aweights }: Weights,
): number | Tensor {
  if (w === null || total === null) return Math.max(count - correction, 0);
  const factor =
    correction === 0
      ? total
      : aweights === null
        ? sub(total, correction)
        : sub(total, mul(div(sum(mul(w, aweights)), total), correction));
  return clamp(factor, 0);
}

function covariance(x: Tensor, options: Weights): Tensor {
  const { fweights, aweights } = options;
  if (x.shape.length > 2)
    throw new RuntimeError(
      `cov(): expected input to have two or fewer dimensions but got an input with ${x.shape.length} dimensions`,
    );
  if (x.dtype === bool) throw new RuntimeError('cov(): bool dtype is not supported for input');
  const rows = x.shape.length < 2 ? x.reshape([1, -1]) : x;
  const count = rows.shape[1];
  if (fweights !== null) checkWeights('fweights', fweights, count);
  if (aweights !== null) checkWeights('aweights', aweights, count);
  const w = fweights === null ? aweights : aweights === null ? fweights : mul(fweights, aweights);
  const total = w === null ? null : sum(w);
  if (total !== null && count > 0 && Number(total.detach().item()) === 0)
    throw new RuntimeError("cov(): weights sum to zero, can't be normalized");
  const average = w === null || total === null ? div(sum(rows, 1), count) : div(sum(mul(rows, w), 1), total);
  const norm = normaliser(count, w, total, options);
  if (Number(typeof norm === 'number' ? norm : norm.detach().item()) <= 0)
    warnOnce(
      'cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.',
    );
  const deviations = sub(rows, unsqueeze(average, 1));
  const weighted = w === null ? deviations : mul(deviations, w);
  const other = conj(t(weighted));
  const type = promote_types(deviations.dtype, other.dtype);
  return squeeze(div(mm(castTo(deviations, type), castTo(other, type)), norm));
}

/**
 * The covariance matrix of the variables in the rows of `input` (0-d for one variable).
 * @param options.correction 1 by default; `fweights` are repetitions, `aweights` importances of the observations.
 */
export const cov: Op<
  [options?: { correction?: number; fweights?: Tensor | null; aweights?: Tensor | null }],
  Tensor
> = op(
  'cov',
  'Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None',
  (x: Tensor, correction: number, fweights: Tensor | null, aweights: Tensor | null) =>
    covariance(x, { correction, fweights, aweights }),
);

/** Pearson's correlation coefficients of the variables in the rows of `input`. */
export const corrcoef: Op<[], Tensor> = op('corrcoef', 'Tensor self', (x: Tensor) => {
  if (x.shape.length > 2)
    throw new RuntimeError(
      `corrcoef(): expected input to have two or fewer dimensions but got an input with ${x.shape.length} dimensions`,
    );
  const c = cov(x);
  if (c.shape.length === 0) return div(c, c);
  const d = diag(c);
  const deviation = sqrt(d.dtype.is_complex ? d.real : d);
  const scaled = div(div(c, deviation.view([-1, 1])), deviation.view([1, -1]));
  return scaled.dtype.is_complex
    ? complex(clamp(scaled.real, -1, 1), clamp(scaled.imag, -1, 1))
    : clamp(scaled, -1, 1);
});
