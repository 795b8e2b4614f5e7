// Maxima with their positions, under names of their own: always `[values, positions]`.
import { op } from '../../ops/define.js';
import type { Tensor } from '../../tensor.js';
import {
  type AdaptiveSizes,
  adaptive_max_pool1d,
  adaptive_max_pool2d,
  adaptive_max_pool3d,
} from './adaptive_pool.js';
import type { Sizes } from './conv.js';
import { type FractionalOptions, fractional_max_pool2d, fractional_max_pool3d } from './fractional_pool.js';
import { type MaxPoolOptions, max_pool1d, max_pool2d, max_pool3d } from './pool.js';

type Pair = [values: Tensor, indices: Tensor];
type Pool = (
  x: Tensor,
  kernel: Sizes,
  stride: Sizes | null,
  padding: Sizes,
  dilation: Sizes,
  ceil: boolean,
  indices: boolean,
) => unknown;
type MaxPool = (
  input: Tensor,
  kernel_size: Sizes,
  ...args:
    | [stride?: Sizes | null, padding?: Sizes, dilation?: Sizes, ceil_mode?: boolean]
    | [options: Omit<MaxPoolOptions, 'return_indices'>]
) => Pair;

const maxPool = (name: string, pool: Pool): MaxPool =>
  op(
    name,
    'Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[1] dilation=1, bool ceil_mode=False, bool return_indices=False',
    (x: Tensor, kernel: Sizes, stride: Sizes | null, padding: Sizes, dilation: Sizes, ceil: boolean) =>
      pool(x, kernel, stride, padding, dilation, ceil, true),
  );
/** `max_pool1d` with positions. */
export const max_pool1d_with_indices: MaxPool = maxPool(
  'nn.functional.max_pool1d_with_indices',
  max_pool1d as Pool,
);
/** `max_pool2d` with positions. */
export const max_pool2d_with_indices: MaxPool = maxPool(
  'nn.functional.max_pool2d_with_indices',
  max_pool2d as Pool,
);
/** `max_pool3d` with positions. */
export const max_pool3d_with_indices: MaxPool = maxPool(
  'nn.functional.max_pool3d_with_indices',
  max_pool3d as Pool,
);

type Adaptive = (input: Tensor, output_size: AdaptiveSizes) => Pair;
const adaptive = (
  name: string,
  pool: (x: Tensor, size: AdaptiveSizes, indices: boolean) => unknown,
): Adaptive =>
  op(name, 'Tensor input, any output_size, bool return_indices=False', (x: Tensor, size: AdaptiveSizes) =>
    pool(x, size, true),
  );
/** `adaptive_max_pool1d` with positions. */
export const adaptive_max_pool1d_with_indices: Adaptive = adaptive(
  'nn.functional.adaptive_max_pool1d_with_indices',
  adaptive_max_pool1d,
);
/** `adaptive_max_pool2d` with positions. */
export const adaptive_max_pool2d_with_indices: Adaptive = adaptive(
  'nn.functional.adaptive_max_pool2d_with_indices',
  adaptive_max_pool2d,
);
/** `adaptive_max_pool3d` with positions. */
export const adaptive_max_pool3d_with_indices: Adaptive = adaptive(
  'nn.functional.adaptive_max_pool3d_with_indices',
  adaptive_max_pool3d,
);

type Fractional = (
  input: Tensor,
  kernel_size: Sizes,
  ...args:
    | [
        output_size?: Sizes | null,
        output_ratio?: Sizes | null,
        return_indices?: boolean,
        _random_samples?: Tensor | null,
      ]
    | [options: FractionalOptions]
) => Pair;
const fractional = (name: string, pool: typeof fractional_max_pool2d): Fractional =>
  op(
    name,
    'Tensor input, int[1] kernel_size, int[1]? output_size=None, any output_ratio=None, bool return_indices=False, Tensor? _random_samples=None',
    (x: Tensor, kernel: Sizes, size: Sizes | null, ratio: Sizes | null, _: boolean, samples: Tensor | null) =>
      pool(x, kernel, size, ratio, true, samples),
  );
/** `fractional_max_pool2d` with positions. */
export const fractional_max_pool2d_with_indices: Fractional = fractional(
  'nn.functional.fractional_max_pool2d_with_indices',
  fractional_max_pool2d,
);
/** `fractional_max_pool3d` with positions. */
export const fractional_max_pool3d_with_indices: Fractional = fractional(
  'nn.functional.fractional_max_pool3d_with_indices',
  fractional_max_pool3d,
);
