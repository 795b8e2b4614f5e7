// torch.nn.utils.parametrizations.orthogonal: matrices that stay orthogonal (or unitary).
import { no_grad } from '../../autograd/modes.js';
import { finfo } from '../../dtype.js';
import { NotImplementedError, ValueError } from '../../errors.js';
import { formatSize } from '../../format.js';
import { householder_product, matrix_exp, solve } from '../../linalg/index.js';
import { allclose, cat, eye, geqrf, matmul, randn, zeros_like } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { bind } from '../modules/arguments.js';
import { Module } from '../modules/module.js';
import { register_parametrization } from './parametrize.js';
import { tensorNamed } from './tensor_named.js';

/** How a matrix becomes orthogonal. */
export type OrthogonalMap = 'matrix_exp' | 'cayley' | 'householder';

const identity = (n: number, like: Tensor): Tensor => eye(n, { dtype: like.dtype, device: like.device });

/** Whether the columns are orthonormal, up to rounding. */
function isOrthogonal(q: Tensor): boolean {
  const [n, k] = q.shape.slice(-2);
  const eps = 10 * n * finfo(q.dtype).eps;
  return allclose(matmul(q.mH, q), identity(k, q).expand([...q.shape.slice(0, -2), k, k]), { atol: eps });
}

/** The orthogonal factor whose triangular one has a positive diagonal. */
function makeOrthogonal(a: Tensor): Tensor {
  const [x, tau] = geqrf(a);
  return householder_product(x, tau).mul(x.diagonal(0, -2, -1).sgn().unsqueeze(-2));
}

/** An orthogonal matrix from any matrix. */
class _Orthogonal extends Module {
  /** The factor on the left (the "base point"), of dynamic trivializations. */
  declare base: Tensor | null;
  readonly shape: readonly number[];
  constructor(
    weight: Tensor,
    readonly orthogonal_map: OrthogonalMap,
    private readonly trivialized: boolean,
  ) {
    super();
    if (weight.is_complex() && orthogonal_map === 'householder')
      throw new ValueError('The householder parametrization does not support complex tensors.');
    this.shape = weight.shape;
    if (trivialized) this.register_buffer('base', null);
  }

  forward(given: Tensor): Tensor {
    const transposed = given.size(-2) < given.size(-1);
    const x = transposed ? given.mT : given;
    const square = this.orthogonal_map === 'householder' ? householder(x) : this.exponential(x);
    const q = this.trivialized ? matmul(this.base as Tensor, square) : square;
    return transposed ? q.mT : q;
  }

  /** A map of a skew-symmetric matrix, of which the first columns are taken. */
  private exponential(given: Tensor): Tensor {
    const [n, k] = given.shape.slice(-2);
    const lower = given.tril();
    const x = n === k ? lower : cat([lower, given.new_zeros([...given.shape.slice(0, -2), n, n - k])], -1);
    const a = x.sub(x.mH);
    const id = identity(n, a);
    const q =
      this.orthogonal_map === 'matrix_exp'
        ? matrix_exp(a)
        : solve(id.add(a, { alpha: -0.5 }), id.add(a, { alpha: 0.5 }));
    return n === k ? q : q.narrow(-1, 0, k);
  }

  right_inverse(value: Tensor): Tensor {
    if (formatSize([...value.shape]) !== formatSize([...this.shape]))
      throw new ValueError(
        `Expected a matrix or batch of matrices of shape ${formatSize([...this.shape])}. Got a tensor of shape ${formatSize([...value.shape])}.`,
      );
    return no_grad(() => {
      const transposed = value.size(-2) < value.size(-1);
      const q = transposed ? value.mT : value;
      if (!this.trivialized) return this.factors(q, transposed);
      this.base = completed(q);
      const start = zeros_like(value);
      start.diagonal(0, -2, -1).fill_(-1);
      return start;
    });
  }

  /** Householder vectors, with the signs of the triangular factor on the diagonal. */
  private factors(q: Tensor, transposed: boolean): Tensor {
    if (this.orthogonal_map !== 'householder')
      throw new NotImplementedError(
        'It is not possible to assign to the matrix exponential or the Cayley parametrizations when use_trivialization=False.',
      );
    const [a, tau] = geqrf(q);
    const diagonal = a.diagonal(0, -2, -1);
    diagonal.copy_(diagonal.sign().mul(tau.eq(0).to(a.dtype).mul(-2).add(1)));
    return transposed ? a.mT : a;
  }
}

/** Reflections by the columns, below a unit diagonal; the diagonal itself holds signs. */
function householder(x: Tensor): Tensor {
  const a = x.tril(-1);
  const tau = a.square().sum(-2).add(1).reciprocal().mul(2);
  return householder_product(a, tau).mul(x.diagonal(0, -2, -1).int().unsqueeze(-2));
}

/** A square orthogonal matrix that begins with the columns of q, made orthogonal. */
function completed(q: Tensor): Tensor {
  const [n, k] = q.shape.slice(-2);
  if (n === k) return isOrthogonal(q) ? q.clone() : makeOrthogonal(q);
  const more = randn([...q.shape.slice(0, -2), n, n - k], { dtype: q.dtype, device: q.device });
  return makeOrthogonal(cat([q, more], -1));
}

interface OrthogonalOptions {
  name?: string;
  orthogonal_map?: OrthogonalMap | null;
  /** Keep a factor apart, by which the weight starts as it is (if it is orthogonal). */
  use_trivialization?: boolean;
}

/**
 * The weight's columns are orthonormal, or its rows where it has more columns than rows; a batch of matrices where it
 * has more dimensions (https://arxiv.org/abs/1909.09501).
 * @throws ValueError for a name that is no matrix of the module, and for an unknown map.
 */
export function orthogonal<M extends Module>(
  module: M,
  ...args:
    | [
        name?: string,
        orthogonal_map?: OrthogonalMap | null,
        options?: Pick<OrthogonalOptions, 'use_trivialization'>,
      ]
    | [name: string, options: Omit<OrthogonalOptions, 'name'>]
    | [options: OrthogonalOptions]
): M {
  const schema = "str name='weight', str? orthogonal_map=None, *, bool use_trivialization=True";
  const [name, given, trivialized] = bind('orthogonal', schema, args) as [
    string,
    OrthogonalMap | null,
    boolean,
  ];
  const weight = tensorNamed(module, name);
  if (weight.ndim < 2)
    throw new ValueError(
      `Expected a matrix or batch of matrices. Got a tensor of ${weight.ndim} dimensions.`,
    );
  const square = weight.size(-2) === weight.size(-1);
  const map = given ?? (square || weight.is_complex() ? 'matrix_exp' : 'householder');
  if (!['matrix_exp', 'cayley', 'householder'].includes(map))
    throw new ValueError(
      `orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: ${String(map)}`,
    );
  return register_parametrization(module, name, new _Orthogonal(weight, map, trivialized), { unsafe: true });
}
