// Vector norms and what is made of them.
import { record } from '../autograd/graph.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { wrapDim } from '../tensor.js';
import { abs, add, div, mul, pow, reciprocal, sgn, sub } from './arithmetic.js';

import { choose, masked_fill } from './clamp.js';
import { eq, gt, isnan } from './compare.js';
import { castTo } from './copy.js';
import { type InPlaceOp, type Op, type Out, op } from './define.js';
import { reducedDims, restoreDims, runReduction, sum } from './reduce.js';

export type NormDim = number | readonly number[] | null;

/** How PyTorch prints the order of a norm. */
export const orderText = (p: number): string =>
  p === Number.POSITIVE_INFINITY ? 'inf' : p === Number.NEGATIVE_INFINITY ? '-inf' : String(p);

function checkVectorNorm(
  x: Tensor,
  p: number,
  dims: readonly number[],
  named: boolean,
  dtype: DType | null,
): void {
  if (x.dtype.is_integral)
    throw new RuntimeError(
      `linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${x.dtype.scalarName}`,
    );
  if (dtype !== null) {
    if (dtype.is_integral)
      throw new RuntimeError(
        `linalg.vector_norm: dtype should be floating point or complex, but got ${dtype.scalarName}`,
      );
    if (x.dtype.is_complex !== dtype.is_complex)
      throw new RuntimeError(
        `linalg.vector_norm: dtype should be ${x.dtype.is_complex ? 'complex' : 'real'} for ${x.dtype.is_complex ? 'complex' : 'real'} inputs, but got ${dtype.scalarName}`,
      );
    if (dtype.to_real().code < x.dtype.to_real().code)
      throw new RuntimeError(
        `linalg.vector_norm: the dtype of the input (${x.dtype.scalarName}) should be convertible without narrowing to the specified dtype (${dtype.scalarName})`,
      );
  }
  if (x._numel > 0 || !(p < 0 || p === Number.POSITIVE_INFINITY)) return;
  const no = `linalg.vector_norm cannot compute the ${orderText(p)} norm on`;
  if (!named) throw new RuntimeError(`${no} an empty tensor because the operation does not have an identity`);
  for (const d of dims)
    if (x.shape[d] === 0)
      throw new RuntimeError(
        `${no} the dimension ${d}because this dimension is empty and the operation does not have an identity`,
      );
}

/** The gradient of the p-norm; 0 where the norm has none (Clarke's subgradient of least size). */
export function normGradient(g: Tensor, x: Tensor, norm: Tensor, p: number, dims: readonly number[]): Tensor {
  if (p === 0) return mul(x, 0);
  if (p === 1) return mul(sgn(x), g);
  if (p === 2) return mul(x, masked_fill(div(g, norm), eq(norm, 0), 0));
  if (Math.abs(p) === Number.POSITIVE_INFINITY) {
    const size = abs(x);
    const hit = eq(size, norm).logical_or(isnan(size).logical_and(isnan(norm)));
    return mul(sgn(x), mul(div(g, sum(hit, [...dims], true)), hit));
  }
  if (p < 1) return mul(mul(masked_fill(mul(sgn(x), pow(abs(x), p - 1)), eq(x, 0), 0), g), pow(norm, 1 - p));
  const scale = masked_fill(div(g, pow(norm, p - 1)), eq(norm, 0), 0);
  if (p < 2) return mul(masked_fill(mul(sgn(x), pow(abs(x), p - 1)), eq(x, 0), 0), scale);
  return mul(mul(x, pow(abs(x), p - 2)), scale);
}

/** @internal The p-norm along `dim` (all elements by default). */
export function vectorNorm(
  input: Tensor,
  p: number,
  dim: NormDim,
  keepdim: boolean,
  dtype: DType | null,
): Tensor {
  const dims = reducedDims(input, dim);
  checkVectorNorm(input, p, dims, dim !== null, dtype);
  const x = dtype === null ? input : castTo(input, dtype);
  const out = runReduction('reduce_norm', x, dims, keepdim, x.dtype.to_real(), p);
  record('LinalgVectorNormBackward0', [x], [out], (save) => {
    const saved = save(x);
    const result = save(out);
    return ([g]) => {
      if (g === null) return [null];
      const kept = (t: Tensor): Tensor => restoreDims(t, x.shape, dims, keepdim);
      return [normGradient(kept(g), saved(), kept(result()), p, dims)];
    };
  });
  return out;
}

/** `(sum |input - other|^p)^(1/p)`; the two broadcast. */
export const dist: Op<[other: Tensor, p?: number], Tensor> = op(
  'dist',
  'Tensor self, Tensor other, float p=2',
  (x: Tensor, y: Tensor, p: number) => vectorNorm(sub(x, y), p, null, false, null),
);

/** Scales the slices along `dim` whose p-norm exceeds `maxnorm` down to it. */
export const renorm: InPlaceOp<[p: number, dim: number, maxnorm: number, options?: Out], Tensor> = op(
  'renorm',
  'Tensor self, float p, int dim, float maxnorm, *, Tensor? out=None',
  (x: Tensor, p: number, dim: number, maxnorm: number) => {
    if (!(p > 0)) throw new RuntimeError('renorm: non-positive-norm not supported');
    if (!(maxnorm >= 0)) throw new RuntimeError(`renorm: expected maxnorm to be >= 0 but got ${maxnorm}`);
    const n = x.shape.length;
    if (n < 2) throw new RuntimeError(`renorm: input needs at least 2 dimensions, got ${n} dimensions`);
    const d = wrapDim(dim, n);
    const norms = vectorNorm(
      x,
      p,
      x.shape.map((_, i) => i).filter((i) => i !== d),
      true,
      null,
    );
    const factor = choose(gt(norms, maxnorm), mul(reciprocal(add(norms, 1e-7)), maxnorm), 1);
    return mul(x, factor);
  },
  { inPlace: true },
);
