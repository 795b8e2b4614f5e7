// Norms of and distances between vectors.

import { no_grad } from '../../autograd/modes.js';
import type { DType } from '../../dtype.js';
import { promote_types } from '../../dtype.js';
import { NotImplementedError, RuntimeError } from '../../errors.js';
import { castTo } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { vectorNorm } from '../../ops/norms.js';
import { div, triu_indices } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';

type CosineArgs =
  | [dim?: number, eps?: number]
  | [dim: number, options: { eps?: number }]
  | [options: { dim?: number; eps?: number }];

/** The cosine of the angle between vectors along `dim`; norms below `eps` count as eps. Inputs broadcast. */
export const cosine_similarity: (x1: Tensor, x2: Tensor, ...args: CosineArgs) => Tensor = op(
  'nn.functional.cosine_similarity',
  'Tensor x1, Tensor x2, int dim=1, float eps=1e-8',
  (x1: Tensor, x2: Tensor, dim: number, eps: number) => {
    const dtype: DType = promote_types(x1.dtype, x2.dtype);
    if (!dtype.is_floating_point)
      throw new RuntimeError(
        `expected common dtype to be floating point, yet common dtype is ${dtype.scalarName}`,
      );
    const unit = (x: Tensor): Tensor => {
      const norm = vectorNorm(x, 2, dim, true, null).clone();
      // The bound on the norm takes no part in the gradient, as in PyTorch.
      no_grad(() => norm.detach().clamp_min_(eps));
      return div(x, norm);
    };
    return unit(castTo(x1, dtype))
      .mul(unit(castTo(x2, dtype)))
      .sum(dim);
  },
);

interface PairwiseOptions {
  p?: number;
  eps?: number;
  keepdim?: boolean;
}
type PairwiseArgs =
  | [p?: number, eps?: number, keepdim?: boolean]
  | [p: number, options: PairwiseOptions]
  | [options: PairwiseOptions];

/** The p-norm of `x1 - x2 + eps` over the last dimension. */
export const pairwise_distance: (x1: Tensor, x2: Tensor, ...args: PairwiseArgs) => Tensor = op(
  'nn.functional.pairwise_distance',
  'Tensor x1, Tensor x2, float p=2, float eps=1e-6, bool keepdim=False',
  (x1: Tensor, x2: Tensor, p: number, eps: number, keepdim: boolean) =>
    vectorNorm(x1.sub(x2).add(eps), p, -1, keepdim, null),
);

/** The p-norm distances of every pair of rows of [N, M], as [N * (N - 1) / 2]. @throws RuntimeError for other shapes or a negative p. */
export const pdist: (input: Tensor, ...args: [p?: number] | [options: { p?: number }]) => Tensor = op(
  'nn.functional.pdist',
  'Tensor input, float p=2',
  (x: Tensor, p: number) => {
    if (x.shape.length !== 2)
      throw new RuntimeError(`pdist only supports 2D tensors, got: ${x.shape.length}D`);
    if (!x.dtype.is_floating_point)
      throw new NotImplementedError(`pdist only supports floating-point dtypes`);
    if (!(p >= 0)) throw new RuntimeError('pdist only supports non-negative p values');
    const n = x.shape[0];
    const [rows, columns] = triu_indices(n, n, 1, { device: x.device }).unbind(0);
    return vectorNorm(x.index_select(0, rows).sub(x.index_select(0, columns)), p, -1, false, null);
  },
);
