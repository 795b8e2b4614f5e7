// Means.
import { record } from '../autograd/graph.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { div } from './arithmetic.js';
import { castTo } from './copy.js';
import { type Op, op } from './define.js';
import { type ReduceArgs, reducedDims, restoreDims, runReduction } from './reduce.js';

/** How many elements each result of a reduction combines. */
export const countOver = (x: Tensor, dims: readonly number[]): number =>
  dims.reduce((n, d) => n * x.shape[d], 1);

function meanType(x: Tensor, dtype: DType | null): DType {
  const type = dtype ?? x.dtype;
  if (type.is_integral)
    throw new RuntimeError(
      `mean(): could not infer output dtype. ${dtype === null ? 'Input' : 'Optional'} dtype must be either a floating point or complex dtype. Got: ${type.scalarName}`,
    );
  return type;
}

/**
 * The mean of the elements, of all or along dimensions.
 *
 *     torch.tensor([[1, 2], [3, 4]]).mean(1, true)
 *     // tensor([[1.5000],
 *     //         [3.5000]])
 *
 * @throws RuntimeError for integers without `dtype`.
 */
export const mean: Op<ReduceArgs, Tensor> = op(
  'mean',
  'Tensor self, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None',
  (x: Tensor, dim: number | number[] | null, keepdim: boolean, dtype: DType | null) => {
    const type = meanType(x, dtype);
    const from = type === x.dtype ? x : castTo(x, type);
    const dims = reducedDims(x, dim);
    const out = runReduction('reduce_mean', from, dims, keepdim, type);
    record(dim === null ? 'MeanBackward0' : 'MeanBackward1', [from], [out], () => ([g]) => [
      g === null ? null : div(restoreDims(g, x.shape, dims, keepdim), countOver(x, dims)).expand(x.shape),
    ]);
    return out;
  },
);
