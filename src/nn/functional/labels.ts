// Class labels as the targets of losses over rows of scores.

import { int64 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { castTo } from '../../ops/copy.js';
import { listText } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';

/**
 * @internal Scores as [N, C] and labels as [N].
 * @throws RuntimeError when the shapes do not fit or a label is no class.
 */
export function checkTarget(x: Tensor, target: Tensor): { rows: Tensor; labels: Tensor } {
  if (x.shape.length > 2)
    throw new RuntimeError(
      `Expected non-empty vector or matrix with optional 0-dim batch size, but got: ${listText(x.shape)}`,
    );
  const rows = x.shape.length === 2 ? x : x.reshape([1, -1]);
  if (target.shape.length > 1 || target._numel !== rows.shape[0])
    throw new RuntimeError(
      `multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). Expected target size [${rows.shape[0]}], but got ${listText(target.shape)}. Input has shape ${listText(x.shape)}.`,
    );
  const labels = castTo(target.detach(), int64).reshape([-1]);
  if (labels.lt(0).logical_or(labels.ge(rows.shape[1])).any().item())
    throw new RuntimeError('target out of range');
  return { rows, labels };
}
