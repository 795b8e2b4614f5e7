// Normalisations.

import { ValueError } from '../../errors.js';
import { add, div, mul, pow } from '../../ops/arithmetic.js';
import { batch_norm as batchNorm, instance_norm as instanceNorm } from '../../ops/batch_norm.js';
import { type Out, op } from '../../ops/define.js';
import {
  group_norm as groupNorm,
  layer_norm as layerNorm,
  rms_norm as rmsNorm,
} from '../../ops/layer_norm.js';
import { vectorNorm } from '../../ops/norms.js';
import { constant_pad_nd } from '../../ops/rearrange.js';
import { sum } from '../../ops/reduce.js';
import { mean } from '../../ops/reduce_mean.js';
import { unfold } from '../../ops/shape.js';
import { sizeText } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';

type Optional = Tensor | null;

interface AffineOptions {
  weight?: Optional;
  bias?: Optional;
  eps?: number;
}

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` over the last dimensions, whose sizes are `normalized_shape`.
 *
 *     F.layer_norm(torch.tensor([[1, 3]]), [2])
 *     // tensor([[-1.0000,  1.0000]])
 */
export const layer_norm: {
  (
    input: Tensor,
    normalized_shape: readonly number[],
    weight?: Optional,
    bias?: Optional,
    eps?: number,
  ): Tensor;
  (input: Tensor, normalized_shape: readonly number[], options: AffineOptions): Tensor;
} = op(
  'nn.functional.layer_norm',
  'Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05',
  layerNorm,
);

/** `x / sqrt(mean(x^2) + eps) * weight` over the last dimensions; eps is the dtype's by default. */
export const rms_norm: {
  (input: Tensor, normalized_shape: readonly number[], weight?: Optional, eps?: number | null): Tensor;
  (
    input: Tensor,
    normalized_shape: readonly number[],
    options: { weight?: Optional; eps?: number | null },
  ): Tensor;
} = op(
  'nn.functional.rms_norm',
  'Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None',
  rmsNorm,
);

function requireSeveral(x: Tensor): void {
  const each = x.shape.reduce((n, size, d) => (d === 1 ? n : n * size), 1);
  if (each === 1)
    throw new ValueError(
      `Expected more than 1 value per channel when training, got input size ${sizeText(x.shape)}`,
    );
}

/** Normalises the groups of channels of every sample: input [N, C, …]. */
export const group_norm: {
  (input: Tensor, num_groups: number, weight?: Optional, bias?: Optional, eps?: number): Tensor;
  (input: Tensor, num_groups: number, options: AffineOptions): Tensor;
} = op(
  'nn.functional.group_norm',
  'Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05',
  (x: Tensor, groups: number, weight: Optional, bias: Optional, eps: number) => {
    if (x.shape.length >= 2 && groups > 0) {
      const each = (x.shape[0] * x.shape[1]) / groups;
      if (each * x.shape.slice(2).reduce((n, size) => n * size, 1) === 1)
        throw new ValueError(
          `Expected more than 1 value per channel when training, got input size ${`torch.Size([${[each, groups, ...x.shape.slice(2)].join(', ')}])`}`,
        );
    }
    return groupNorm(x, groups, weight, bias, eps);
  },
);

interface BatchOptions extends AffineOptions {
  running_mean?: Optional;
  running_var?: Optional;
  training?: boolean;
  momentum?: number;
}

/**
 * Normalises each channel of [N, C, …] over the batch when training (which moves the running statistics), else by them.
 * @throws ValueError when training on one value per channel.
 */
export const batch_norm: {
  (
    input: Tensor,
    running_mean: Optional,
    running_var: Optional,
    weight?: Optional,
    bias?: Optional,
    training?: boolean,
    momentum?: number,
    eps?: number,
  ): Tensor;
  (input: Tensor, running_mean: Optional, running_var: Optional, options: BatchOptions): Tensor;
  (
    input: Tensor,
    running_mean: Optional,
    running_var: Optional,
    weight: Optional,
    bias: Optional,
    options: BatchOptions,
  ): Tensor;
  (input: Tensor, options: BatchOptions): Tensor;
} = op(
  'nn.functional.batch_norm',
  'Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, Tensor? bias=None, bool training=False, float momentum=0.1, float eps=1e-05',
  (
    x: Tensor,
    runningMean: Optional,
    runningVar: Optional,
    weight: Optional,
    bias: Optional,
    training: boolean,
    momentum: number,
    eps: number,
  ) => {
    if (training) requireSeveral(x);
    return batchNorm(x, weight, bias, runningMean, runningVar, training, momentum, eps);
  },
);

/** Normalises each channel of each sample; `use_input_stats: false` takes the running statistics. */
export const instance_norm: {
  (
    input: Tensor,
    running_mean?: Optional,
    running_var?: Optional,
    weight?: Optional,
    bias?: Optional,
    use_input_stats?: boolean,
    momentum?: number,
    eps?: number,
  ): Tensor;
  (input: Tensor, options: Omit<BatchOptions, 'training'> & { use_input_stats?: boolean }): Tensor;
} = op(
  'nn.functional.instance_norm',
  'Tensor input, Tensor? running_mean=None, Tensor? running_var=None, Tensor? weight=None, Tensor? bias=None, bool use_input_stats=True, float momentum=0.1, float eps=1e-05',
  (
    x: Tensor,
    runningMean: Optional,
    runningVar: Optional,
    weight: Optional,
    bias: Optional,
    own: boolean,
    momentum: number,
    eps: number,
  ) => {
    if (own && x.shape.slice(2).reduce((n, size) => n * size, 1) === 1)
      throw new ValueError(
        `Expected more than 1 spatial element when training, got input size ${sizeText(x.shape)}`,
      );
    return instanceNorm(x, weight, bias, runningMean, runningVar, own, momentum, eps);
  },
);

/** `x / (k + alpha * mean of x^2 over size neighbouring channels)^beta`. */
export const local_response_norm: {
  (input: Tensor, size: number, alpha?: number, beta?: number, k?: number): Tensor;
  (input: Tensor, size: number, options: { alpha?: number; beta?: number; k?: number }): Tensor;
} = op(
  'nn.functional.local_response_norm',
  'Tensor input, int size, float alpha=0.0001, float beta=0.75, float k=1.0',
  (x: Tensor, size: number, alpha: number, beta: number, k: number) => {
    const n = x.shape.length;
    if (n < 3) throw new ValueError(`Expected 3D or higher dimensionality input (got ${n} dimensions)`);
    if (x._numel === 0) return x;
    const around = [
      ...new Array<number>(2 * (n - 2)).fill(0),
      Math.floor(size / 2),
      Math.floor((size - 1) / 2),
    ];
    const windows = unfold(constant_pad_nd(mul(x, x), around, 0), 1, size, 1);
    // Of integers the mean is rounded to zero, as in integer pooling.
    const neighbours = x.dtype.is_integral
      ? div(sum(windows, -1), size, { rounding_mode: 'trunc' })
      : mean(windows, -1);
    return div(x, pow(add(mul(neighbours, alpha), k), beta));
  },
);

/**
 * `x / max(p-norm of x along dim, eps)`.
 *
 *     F.normalize(torch.tensor([[3, 4]]))
 *     // tensor([[0.6000, 0.8000]])
 */
export const normalize: {
  (input: Tensor, p?: number, dim?: number | readonly number[], eps?: number, options?: Out): Tensor;
  (input: Tensor, options: Out & { p?: number; dim?: number | readonly number[]; eps?: number }): Tensor;
} = op(
  'nn.functional.normalize',
  'Tensor input, float p=2.0, int[1] dim=1, float eps=1e-12, Tensor? out=None',
  (x: Tensor, p: number, dim: number | readonly number[], eps: number) =>
    div(x, vectorNorm(x, p, dim, true, null).clamp_min(eps)),
);
