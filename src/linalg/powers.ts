// Powers and exponentials of square matrices.

import { record } from '../autograd/graph.js';
import { bfloat16, complex128, type DType, float16, float32, float64, int64 } from '../dtype.js';
import { abs, add, mul } from '../ops/arithmetic.js';
import { castTo, clone } from '../ops/copy.js';
import { eye } from '../ops/create.js';
import { encode } from '../ops/data.js';
import { type Out, op } from '../ops/define.js';
import { full_, zeros_ } from '../ops/fill.js';
import { adjoint, bare } from '../ops/gemm.js';
import { index_copy, index_select } from '../ops/indexing.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { sum } from '../ops/reduce.js';
import { amax } from '../ops/reduce_extreme.js';
import { expand, reshape, slice } from '../ops/view.js';
import { numelOf, type Tensor } from '../tensor.js';
import { batchOf, checkFloating, checkSquare, columnsOf } from './matrices.js';
import { inverseOf } from './solve.js';

/** @internal The n-th power of square matrices, by repeated squaring; of their inverses for a negative n. */
export function matrixPower(A: Tensor, n: number): Tensor {
  checkSquare(A, 'linalg.matrix_power');
  // As a write to a copy: A keeps its place in the graph, with a gradient of zeros.
  if (n === 0) return clone(A).copy_(eye(columnsOf(A), { dtype: A.dtype, device: A.device }));
  let base = n < 0 ? inverseOf(A, 'linalg.inv').X : A;
  const count = Math.abs(n);
  if (count === 1) return n < 0 ? base : clone(A);
  if (count === 3) return matmul(matmul(base, base), base);
  let result: Tensor | null = null;
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === null ? base : matmul(result, base);
    if (rest > 1) base = matmul(base, base);
  }
  return result as Tensor;
}

/**
 * The n-th power of square matrices A [*, n, n]; for a negative n, of their inverses.
 * @throws LinAlgError for a negative power of a singular matrix.
 */
export const matrix_power: (A: Tensor, n: number, options?: Out) => Tensor = op(
  'linalg.matrix_power',
  'Tensor A, int n, *, Tensor? out=None',
  matrixPower,
  { self: null },
);

// ---------------------------------------------------------------------------------------
// Exponentials

/** Degrees of Taylor polynomials, and the 1-norms up to which their backward error is below the precision. */
interface Degree {
  readonly degree: number;
  /** Powers of the matrix that are formed: the polynomial is one in the highest of them. */
  readonly powers: number;
  readonly single: number;
  readonly double: number;
}
// Bounds: P. Bader, S. Blanes, F. Casas, "Computing the matrix exponential with an optimized Taylor polynomial
// approximation" (2019), table 3; that of degree 16: A. Al-Mohy, N. Higham (2011).
const degrees: readonly Degree[] = [
  { degree: 1, powers: 1, single: 1.192092800768788e-7, double: 2.220446049250313e-16 },
  { degree: 2, powers: 2, single: 5.978858893805233e-4, double: 2.580956802971767e-8 },
  { degree: 4, powers: 2, single: 5.116619363445086e-2, double: 3.397168839976962e-4 },
  { degree: 8, powers: 3, single: 5.800524627688768e-1, double: 4.991228871115323e-2 },
  { degree: 12, powers: 3, single: 1.461661507209034, double: 2.99615891381158e-1 },
  { degree: 16, powers: 4, single: 2.2, double: 7.8e-1 },
];

/** How the exponential of a matrix is formed: a polynomial of `A / 2^squarings`, squared so often; without a finite norm it is NaN. */
interface Plan {
  readonly degree: Degree;
  readonly squarings: number;
}

function planFor(norm: number, dtype: DType): Plan {
  const wide = dtype === float64 || dtype === complex128;
  const bound = (d: Degree): number => (wide ? d.double : d.single);
  const fits = degrees.find((d) => norm <= bound(d));
  if (fits) return { degree: fits, squarings: 0 };
  const last = degrees[degrees.length - 1];
  return { degree: last, squarings: Math.ceil(Math.log2(norm / bound(last))) };
}

/** The Taylor polynomial of the exponential, by Paterson and Stockmeyer's scheme. A [b, n, n]. */
function taylor(A: Tensor, { degree, powers }: Degree): Tensor {
  const coefficients = [1];
  for (let k = 1; k <= degree; k++) coefficients.push(coefficients[k - 1] / k);
  const list: Tensor[] = [eye(columnsOf(A), { dtype: A.dtype, device: A.device }), A];
  for (let k = 2; k <= powers; k++) list.push(matmul(list[k - 1], A));
  /** The terms of the degrees [from, to], over A^from. */
  const block = (from: number, to: number): Tensor => {
    let result = mul(list[0], coefficients[from]);
    for (let k = from + 1; k <= to; k++) result = add(result, list[k - from], { alpha: coefficients[k] });
    return result;
  };
  let from = Math.floor((degree - 1) / powers) * powers;
  let result = block(from, degree);
  while (from > 0) {
    from -= powers;
    result = add(matmul(result, list[powers]), block(from, from + powers - 1));
  }
  return result;
}

/** Matrices [b, n, n] of one plan. */
function exponentials(A: Tensor, { degree, squarings }: Plan): Tensor {
  if (!Number.isFinite(squarings)) return full_(A.shape, Number.NaN, A.dtype, A.device);
  let result = taylor(squarings === 0 ? A : mul(A, 2 ** -squarings), degree);
  for (let i = 0; i < squarings; i++) result = matmul(result, result);
  return result;
}

/** The exponential without history. */
function exponentialValues(A: Tensor): Tensor {
  const n = columnsOf(A);
  const count = numelOf(batchOf(A));
  const flat = reshape(bare(A), [count, n, n]);
  if (count === 0 || n === 0 || A.device.type === 'meta') return clone(bare(A));
  const norms = amax(sum(abs(flat), -2), -1).tolist() as number[];
  const groups = new Map<string, { plan: Plan; members: bigint[] }>();
  norms.forEach((norm, i) => {
    const plan = planFor(norm, A.dtype);
    const key = `${plan.degree.degree} ${plan.squarings}`;
    const group = groups.get(key);
    if (group) group.members.push(BigInt(i));
    else groups.set(key, { plan, members: [BigInt(i)] });
  });
  const all = [...groups.values()];
  if (all.length === 1) return reshape(expand(exponentials(flat, all[0].plan), [count, n, n]), A.shape);
  let out = zeros_([count, n, n], A.dtype, A.device);
  for (const { plan, members } of all) {
    const index = encode(members, int64);
    out = index_copy(out, 0, index, exponentials(index_select(flat, 0, index), plan));
  }
  return reshape(out, A.shape);
}

/** The exponential of checked matrices. Recorded: its derivative is a block of the exponential of a matrix of twice the size. */
function exponential(A: Tensor): Tensor {
  const low = A.dtype === float16 || A.dtype === bfloat16;
  const out = low ? castTo(exponentialValues(castTo(bare(A), float32)), A.dtype) : exponentialValues(A);
  record('LinalgMatrixExpBackward0', [A], [out], (save) => {
    const saved = save(A);
    return ([g]) => {
      if (g === null) return [null];
      const x = adjoint(saved());
      const n = columnsOf(x);
      const zeros = zeros_(x.shape, x.dtype, x.device);
      const blocks = cat([cat([x, g], -1), cat([zeros, x], -1)], -2);
      return [slice(slice(exponential(blocks), -2, 0, n), -1, n, 2 * n)];
    };
  });
  return out;
}

/** @internal */
export function matrixExp(A: Tensor): Tensor {
  checkFloating(A, 'linalg.matrix_exp', true);
  checkSquare(A, 'linalg.matrix_exp');
  return exponential(A);
}

/**
 * The exponential of square matrices A [*, n, n]: the sum of `A^k / k!`. Differentiable.
 *
 *     torch.linalg.matrix_exp(torch.zeros(2, 2))
 *     // tensor([[1., 0.],
 *     //         [0., 1.]])
 */
export const matrix_exp: (A: Tensor) => Tensor = op('linalg.matrix_exp', 'Tensor A', matrixExp, {
  self: null,
});
