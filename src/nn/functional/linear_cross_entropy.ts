// A linear layer and cross entropy in one call.
import { RuntimeError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { linear } from '../../ops/matmul.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import { cross_entropy } from './cross_entropy.js';
import type { Reduction } from './reduction.js';

export interface LinearCrossEntropyOptions {
  linear_bias?: Tensor | null;
  /** Factor of every class. */
  weight?: Tensor | null;
  reduction?: Reduction;
  /** Class that does not count. */
  ignore_index?: number | null;
  label_smoothing?: number;
}

/**
 * `cross_entropy(linear(input, linear_weight, linear_bias), target)`: input [N, in] or [in], weight
 * [classes, *, in], target [N, *] of class numbers or [N, classes, *] of probabilities.
 * @throws RuntimeError when the shapes do not fit.
 */
export const linear_cross_entropy: (
  input: Tensor,
  linear_weight: Tensor,
  target: Tensor,
  options?: LinearCrossEntropyOptions,
) => Tensor = op(
  'nn.functional.linear_cross_entropy',
  "Tensor input, Tensor linear_weight, Tensor target, *, Tensor? linear_bias=None, Tensor? weight=None, str reduction='mean', int? ignore_index=None, float label_smoothing=0, any options=None",
  (
    input: Tensor,
    linearWeight: Tensor,
    target: Tensor,
    bias: Tensor | null,
    weight: Tensor | null,
    how: string,
    ignore: number | null,
    smoothing: number,
  ) => {
    const text = (shape: readonly number[]): string =>
      `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
    if (input.shape.length < 1 || input.shape.length > 2)
      throw new RuntimeError(`expected input with dimensionality 1 or 2, got ${input.shape.length}`);
    if (linearWeight.shape.length < 2)
      throw new RuntimeError(
        `expected linear_weight with dimensionality at least 2, got ${linearWeight.shape.length}`,
      );
    const features = input.shape[input.shape.length - 1];
    const outputs = linearWeight.shape.slice(0, -1);
    const last = linearWeight.shape[outputs.length];
    if (features !== last)
      throw new RuntimeError(
        `expected equal input and linear_weight last dimensions (in_features), got ${features} and ${last}, respectively`,
      );
    if (bias !== null && !sameSizes(bias.shape, outputs))
      throw new RuntimeError(`expected linear_bias shape ${text(outputs)}, got ${text(bias.shape)}`);
    const batch = input.shape.slice(0, -1);
    if (outputs.length > 1 && batch.length === 0)
      throw new RuntimeError(
        `K-dimensional loss defined by linear_weight shape ${text(linearWeight.shape)} requires batched input, (N, ${features}), got unbatched input with shape ${text(input.shape)}`,
      );
    const logits = linear(
      input,
      linearWeight.reshape([-1, features]),
      bias === null ? null : bias.reshape([-1]),
    ).reshape([...batch, ...outputs]);
    if (ignore !== null && sameSizes(target.shape, logits.shape))
      throw new RuntimeError('ignore_index cannot be specified when target contains probabilities');
    return cross_entropy(logits, target, {
      weight,
      reduction: how as Reduction,
      ignore_index: ignore ?? -100,
      label_smoothing: smoothing,
    });
  },
);
