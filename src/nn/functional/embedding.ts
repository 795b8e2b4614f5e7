// Rows of a table by index.
import { record } from '../../autograd/graph.js';
import { no_grad } from '../../autograd/modes.js';
import { empty } from '../../dispatch/allocate.js';
import { float64, int32, int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { launchChecked } from '../../ops/indexing.js';
import type { Tensor } from '../../tensor.js';

/** Options of {@link embedding}. */
export interface EmbeddingOptions {
  /** Row that gets no gradient. */
  padding_idx?: number | null;
  /** Rows that are read are first scaled, in place, to at most this norm. */
  max_norm?: number | null;
  norm_type?: number;
  /** Divide the gradient of a row by how often it was read. */
  scale_grad_by_freq?: boolean;
  /** Accepted for PyTorch's sake: gradients are dense. */
  sparse?: boolean;
}

/** @internal */
export const outOfRange = (): string => 'index out of range in self';

/** @internal The indices as contiguous int64. */
export function indicesOf(x: Tensor, name: string): Tensor {
  if (x.dtype !== int64 && x.dtype !== int32)
    throw new RuntimeError(
      `Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.${x.dtype.scalarName}Tensor instead (while checking arguments for ${name})`,
    );
  return contiguous(castTo(x, int64));
}

/** @internal Brings a padding index into [0, rows); -1 for none. */
export function paddingOf(padding: number | null, rows: number): number {
  if (padding === null) return -1;
  if (padding >= rows || padding < -rows) throw new ValueError('Padding_idx must be within num_embeddings');
  return padding < 0 ? padding + rows : padding;
}

/** @internal Rows of the weight, read by contiguous int64 indices. */
export function rowsOf(weight: Tensor, index: Tensor, padding: number, byFrequency: boolean): Tensor {
  const out = empty([...index.shape, weight.shape[1]], weight.dtype, weight.device);
  if (out._numel > 0 || index._numel > 0)
    launchChecked('embedding', weight, outOfRange, out, weight.detach(), index);
  record('EmbeddingBackward0', [weight], [out], () => ([g]) => [
    g === null ? null : addRows(g, index, weight.shape[0], padding, byFrequency),
  ]);
  return out;
}

/** @internal The gradient of the weight: the gradients of the rows, added where they were read. */
export function addRows(
  grad: Tensor,
  index: Tensor,
  rows: number,
  padding: number,
  byFrequency: boolean,
): Tensor {
  const out = empty([rows, grad.shape[grad.shape.length - 1]], grad.dtype, grad.device);
  launchChecked(
    'embedding_backward',
    grad,
    outOfRange,
    out,
    contiguous(grad.detach()),
    index,
    padding,
    byFrequency,
  );
  record('EmbeddingDenseBackwardBackward0', [grad], [out], () => ([g]) => {
    if (byFrequency)
      throw new RuntimeError('embedding_backward does not support double backward with scale_grad_by_freq');
    if (g === null) return [null];
    const read = rowsOf(g, index, -1, false);
    return [padding < 0 ? read : read.masked_fill(index.eq(padding).unsqueeze(-1), 0)];
  });
  return out;
}

/** @internal Scales, in place, the rows that the indices name to at most `maxNorm`. */
export function renormalize(weight: Tensor, index: Tensor, maxNorm: number, p: number): void {
  no_grad(() => {
    const named = new Set(index.reshape([-1]).tolist() as number[]);
    for (const i of [...named].sort((a, b) => a - b)) {
      const row = weight.detach().select(0, i);
      const norm = normOf(row, p);
      if (norm > maxNorm) row.mul_(maxNorm / (norm + 1e-7));
    }
  });
}

/** The p-norm of a row, as a number. */
function normOf(row: Tensor, p: number): number {
  const values = castTo(row, float64).tolist() as number[];
  if (p === Number.POSITIVE_INFINITY) return Math.max(...values.map(Math.abs));
  return values.reduce((sum, v) => sum + Math.abs(v) ** p, 0) ** (1 / p);
}

type EmbeddingArgs =
  | [
      padding_idx?: number | null,
      max_norm?: number | null,
      norm_type?: number,
      scale_grad_by_freq?: boolean,
      sparse?: boolean,
    ]
  | [options: EmbeddingOptions];

/**
 * Rows of a table: input [*] of indices, weight [rows, columns], result [*, columns].
 *
 *     F.embedding(torch.tensor([1n, 0n]), torch.tensor([[1, 2], [3, 4]]))
 *     // tensor([[3., 4.],
 *     //         [1., 2.]])
 *
 * @throws IndexError for an index outside of the table.
 */
export const embedding: (input: Tensor, weight: Tensor, ...args: EmbeddingArgs) => Tensor = op(
  'nn.functional.embedding',
  'Tensor input, Tensor weight, int? padding_idx=None, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, bool sparse=False',
  (
    input: Tensor,
    weight: Tensor,
    padding: number | null,
    maxNorm: number | null,
    normType: number,
    byFrequency: boolean,
  ) => {
    if (weight.shape.length !== 2) throw new RuntimeError("'weight' must be 2-D");
    const at = paddingOf(padding, weight.shape[0]);
    const index = indicesOf(input, 'embedding');
    if (maxNorm !== null) renormalize(weight, index, maxNorm, normType);
    return rowsOf(weight, index, at, byFrequency);
  },
);
