// Fractional max-pooling layers.
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { fractional_max_pool2d, fractional_max_pool3d } from '../functional/fractional_pool.js';
import { bind, type Call, py, type Size, tuple } from './arguments.js';
import { Module } from './module.js';

export interface FractionalMaxPoolOptions {
  kernel_size: Size;
  output_size?: Size | null;
  /** The result's size as a part of the image's, in (0, 1). */
  output_ratio?: Size | null;
  return_indices?: boolean;
  _random_samples?: Tensor | null;
}
type FractionalArgs = Call<
  [kernel_size: Size],
  [
    output_size: Size | null,
    output_ratio: Size | null,
    return_indices: boolean,
    _random_samples: Tensor | null,
  ],
  FractionalMaxPoolOptions
>;

abstract class FractionalMaxPool extends Module {
  kernel_size: number[];
  return_indices: boolean;
  output_size: number[] | null;
  output_ratio: number[] | null;
  declare _random_samples: Tensor | null;
  constructor(n: 2 | 3, args: FractionalArgs) {
    super();
    const [kernel, size, ratio, indices, samples] = bind(
      'FractionalMaxPool',
      'int[1] kernel_size, int[1]? output_size=None, any output_ratio=None, bool return_indices=False, Tensor? _random_samples=None',
      args,
    ) as [Size, Size | null, Size | null, boolean, Tensor | null];
    if (n === 3 && tuple(kernel, n).some((k) => k <= 0))
      throw new ValueError(`kernel_size must be greater than 0, but got ${py(kernel)}`);
    if (size === null && ratio === null)
      throw new ValueError(
        `FractionalMaxPool${n}d requires specifying either an output size, or a pooling ratio`,
      );
    if (size !== null && ratio !== null)
      throw new ValueError('only one of output_size and output_ratio may be specified');
    this.kernel_size = tuple(kernel, n);
    this.return_indices = indices;
    this.register_buffer('_random_samples', samples);
    this.output_size = size === null ? null : tuple(size, n);
    this.output_ratio = ratio === null ? null : tuple(ratio, n);
    if (this.output_ratio?.some((r) => !(r > 0 && r < 1)))
      throw new ValueError(`output_ratio must be between 0 and 1 (got ${py(ratio)})`);
  }
  abstract override forward(input: Tensor): Tensor;
}

/**
 * Maxima of windows of [N, C, H, W] at random steps, which give `output_size` or `output_ratio` of the image; with
 * `return_indices` an array of them and their positions.
 * @throws ValueError unless exactly one of `output_size` and `output_ratio` is given.
 */
export class FractionalMaxPool2d extends FractionalMaxPool {
  constructor(...args: FractionalArgs) {
    super(2, args);
  }
  override forward(input: Tensor): Tensor {
    return fractional_max_pool2d(
      input,
      this.kernel_size,
      this.output_size,
      this.output_ratio,
      this.return_indices,
      this._random_samples,
    );
  }
}

/** {@link FractionalMaxPool2d} of [N, C, D, H, W]. */
export class FractionalMaxPool3d extends FractionalMaxPool {
  constructor(...args: FractionalArgs) {
    super(3, args);
  }
  override forward(input: Tensor): Tensor {
    return fractional_max_pool3d(
      input,
      this.kernel_size,
      this.output_size,
      this.output_ratio,
      this.return_indices,
      this._random_samples,
    );
  }
}
