// Products of tensors beyond matrices: kron, cross, trace, vander, pairwise distances.

import { record } from '../autograd/graph.js';
import { unrecorded } from '../autograd/modes.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { bool, int64 } from '../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { sameSizes, type Tensor, wrapDim } from '../tensor.js';
import { add, div, mul, neg, sqrt, sub } from './arithmetic.js';
import { clamp_min, masked_fill } from './clamp.js';
import { eq } from './compare.js';
import { conj } from './complex.js';
import { castTo } from './copy.js';
import { eye } from './create.js';
import { type Op, type Out, op } from './define.js';
import { diagonal } from './diagonal.js';
import { ones_, zeros_ } from './fill.js';
import { cat } from './join.js';
import { matmul } from './matmul.js';
import { normGradient, vectorNorm } from './norms.js';
import { flip, roll } from './rearrange.js';
import { sum } from './reduce.js';
import { cumprod } from './scan.js';
import { expand, reshape, transpose, unsafeView, unsqueeze } from './view.js';

/**
 * The Kronecker product: `input[i] * other` in blocks, for tensors of any rank.
 *
 *     torch.kron(torch.eye(2), torch.tensor([1, 2]))
 *     // tensor([[1., 2., 0., 0.],
 *     //         [0., 0., 1., 2.]])
 */
export const kron: Op<[other: Tensor, options?: Out], Tensor> = op(
  'kron',
  'Tensor self, Tensor other, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    const rank = Math.max(a.shape.length, b.shape.length);
    const padded = (x: Tensor): number[] => [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape];
    const [p, q] = [padded(a), padded(b)];
    const left = reshape(
      a,
      p.flatMap((n) => [n, 1]),
    );
    const right = reshape(
      b,
      q.flatMap((n) => [1, n]),
    );
    const blocks = mul(left, right);
    const shape = p.map((n, d) => n * q[d]);
    return blocks._contiguous ? unsafeView(blocks, shape) : reshape(blocks, shape);
  },
);

/** The product without history. */
function crossValues(a: Tensor, b: Tensor, d: number): Tensor {
  const shifted = (x: Tensor, by: number): Tensor => roll(x, by, d);
  return sub(mul(shifted(a, -1), shifted(b, -2)), mul(shifted(a, -2), shifted(b, -1)));
}

/** @internal The cross product of vectors of three elements along `dim`; the rest broadcasts (`torch.linalg.cross`). */
export function crossAlong(a: Tensor, b: Tensor, dim: number): Tensor {
  if (a.shape.length !== b.shape.length)
    throw new RuntimeError('linalg.cross: inputs must have the same number of dimensions.');
  const d = wrapDim(dim, a.shape.length);
  if (a.shape[d] !== 3 || b.shape[d] !== 3)
    throw new RuntimeError(
      `linalg.cross: inputs dimension ${dim} must have length 3. Got ${a.shape[d]} and ${b.shape[d]}`,
    );
  const shape = broadcastShapes(a.shape, b.shape);
  if (a.dtype !== b.dtype)
    throw new RuntimeError(`expected scalar type ${a.dtype.scalarName} but found ${b.dtype.scalarName}`);
  if (a.dtype === bool) throw new NotImplementedError(`"cross" not implemented for 'Bool'`);
  const whole = (x: Tensor): Tensor => expand(x.detach(), shape);
  const out = crossValues(whole(a), whole(b), d);
  record('LinalgCrossBackward0', [a, b], [out], (save) => {
    const [x, y] = [save(a), save(b)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      return [needs(0) ? crossAlong(conj(y()), g, d) : null, needs(1) ? crossAlong(g, conj(x()), d) : null];
    };
  });
  return out;
}

/** The cross product along `dim`, by default the first dimension of size 3. @throws RuntimeError without such a dimension. */
export const cross: Op<
  | [other: Tensor, dim?: number | null, options?: Out]
  | [other: Tensor, options: Out & { dim?: number | null }],
  Tensor
> = op(
  'cross',
  'Tensor self, Tensor other, int? dim=None, *, Tensor? out=None',
  (a: Tensor, b: Tensor, dim: number | null) => {
    const d = dim ?? a.shape.indexOf(3);
    if (dim === null && d < 0) throw new RuntimeError('no dimension of size 3 in input');
    return crossAlong(a, b, d);
  },
);

/** The sum of a matrix' diagonal. @throws RuntimeError for other ranks. */
export const trace: Op<[], Tensor> = op('trace', 'Tensor self', (x: Tensor) => {
  if (x.shape.length !== 2)
    throw new RuntimeError(`trace: expected a matrix, but got tensor with dim ${x.shape.length}`);
  if (x.dtype === bool) throw new NotImplementedError(`"trace" not implemented for 'Bool'`);
  const out = sum(diagonal(x.detach()));
  const [rows, columns] = x.shape;
  record('TraceBackward0', [x], [out], () => ([g]) => [
    g === null ? null : mul(g, eye(rows, columns, { dtype: g.dtype, device: g.device })),
  ]);
  return out;
});

/** @internal Rows of ascending powers of the elements along a new last dimension (`torch.linalg.vander`). */
export function powersOf(x: Tensor, count: number): Tensor {
  const type = x.dtype.is_integral ? int64 : x.dtype;
  const ones = ones_([...x.shape, 1], type, x.device);
  const repeated = expand(unsqueeze(castTo(x, type), -1), [...x.shape, count - 1]);
  return cumprod(cat([ones, repeated], -1), -1);
}

/** The matrix of powers of a vector's elements, descending unless `increasing`. @param N columns; as many as rows by default. */
export const vander: (
  x: Tensor,
  ...args: [N?: number | null, increasing?: boolean] | [options: { N?: number | null; increasing?: boolean }]
) => Tensor = op(
  'vander',
  'Tensor x, int? N=None, bool increasing=False',
  (x: Tensor, N: number | null, increasing: boolean) => {
    if (x.shape.length !== 1) throw new RuntimeError('x must be a one-dimensional tensor.');
    const columns = N ?? x._numel;
    if (columns < 0) throw new RuntimeError('N must be non-negative.');
    if (columns === 0) return zeros_([x._numel, 0], x.dtype.is_integral ? int64 : x.dtype, x.device);
    const powers = powersOf(x, columns);
    return increasing ? powers : flip(powers, [1]);
  },
  { self: null },
);

// ---- distances

const euclideanModes = [
  'use_mm_for_euclid_dist_if_necessary',
  'use_mm_for_euclid_dist',
  'donot_use_mm_for_euclid_dist',
] as const;
/** How cdist finds Euclidean distances: by a matrix product for more than 25 rows, always, or never. */
export type EuclideanMode = (typeof euclideanModes)[number];

function checkDistance(a: Tensor, b: Tensor, p: number): void {
  const named: [string, Tensor][] = [
    ['X1', a],
    ['X2', b],
  ];
  for (const [name, x] of named) {
    if (!x.dtype.is_floating_point)
      throw new RuntimeError(`cdist only supports floating-point dtypes, ${name} got: ${x.dtype.scalarName}`);
    if (x.shape.length < 2)
      throw new RuntimeError(`cdist only supports at least 2D tensors, ${name} got: ${x.shape.length}D`);
  }
  const [m, n] = [a.shape[a.shape.length - 1], b.shape[b.shape.length - 1]];
  if (m !== n) throw new RuntimeError(`X1 and X2 must have the same number of columns. X1: ${m} X2: ${n}`);
  if (!(p >= 0)) throw new RuntimeError('cdist only supports non-negative p values');
  if (a.dtype !== b.dtype)
    throw new RuntimeError(`expected scalar type ${a.dtype.scalarName} but found ${b.dtype.scalarName}`);
}

/** |x|^2 + |y|^2 - 2 x y, of which rounding may leave less than zero. */
function squaredDistances(a: Tensor, b: Tensor): Tensor {
  const norms = (x: Tensor): Tensor => sum(mul(x, x), -1, true);
  const products = matmul(a, transpose(b, -1, -2));
  return clamp_min(add(sub(norms(a), mul(products, 2)), transpose(norms(b), -1, -2)), 0);
}

/** Euclidean distances by a matrix product; the gradient between equal points is zero. */
function euclidean(a: Tensor, b: Tensor): Tensor {
  const out = unrecorded(() => sqrt(squaredDistances(a, b)));
  record('EuclideanDistBackward0', [a, b], [out], (save) => {
    const [x, y, distance] = [save(a), save(b), save(out)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      const ratio = masked_fill(div(g, distance()), eq(distance(), 0), 0);
      const pull = (r: Tensor, from: Tensor, to: Tensor): Tensor =>
        sub(mul(from, sum(r, -1, true)), matmul(r, to));
      return [
        needs(0) ? pull(ratio, x(), y()) : null,
        needs(1) ? pull(transpose(ratio, -1, -2), y(), x()) : null,
      ];
    };
  });
  return reshape(out, out.shape);
}

/** Distances by the differences of all pairs, which backward makes anew. */
function pairwise(a: Tensor, b: Tensor, p: number): Tensor {
  const differences = (x: Tensor, y: Tensor): Tensor => sub(unsqueeze(x, -2), unsqueeze(y, -3));
  const out = unrecorded(() => vectorNorm(differences(a, b), p, -1, false, null));
  record('CdistBackward0', [a, b], [out], (save) => {
    const [x, y, distance] = [save(a), save(b), save(out)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      const each = normGradient(unsqueeze(g, -1), differences(x(), y()), unsqueeze(distance(), -1), p, [-1]);
      return [needs(0) ? sum(each, -2) : null, needs(1) ? neg(sum(each, -3)) : null];
    };
  });
  return out;
}

/**
 * The p-norm distances of every row of `x1` to every row of `x2`: [..., P, M] and [..., R, M] give [..., P, R].
 * @throws RuntimeError for dtypes that are not floating point, differing columns, negative p.
 */
export const cdist: (
  x1: Tensor,
  x2: Tensor,
  ...args:
    | [p?: number, compute_mode?: EuclideanMode]
    | [options: { p?: number; compute_mode?: EuclideanMode }]
) => Tensor = op(
  'cdist',
  "Tensor x1, Tensor x2, float p=2, str compute_mode='use_mm_for_euclid_dist_if_necessary'",
  (a: Tensor, b: Tensor, p: number, compute: string) => {
    const at = euclideanModes.indexOf(compute as EuclideanMode);
    if (at < 0) throw new ValueError(`${compute} is not a valid value for compute_mode`);
    checkDistance(a, b, p);
    const [rows, columns] = [a.shape[a.shape.length - 2], b.shape[b.shape.length - 2]];
    const lead = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const wide = (x: Tensor): Tensor => {
      const shape = [...lead, ...x.shape.slice(-2)];
      return sameSizes(shape, x.shape) ? x : expand(x, shape);
    };
    const many = rows > 25 || columns > 25;
    if (p === 2 && (at === 1 || (at === 0 && many))) return euclidean(wide(a), wide(b));
    return pairwise(wide(a), wide(b), p);
  },
  { self: null },
);
