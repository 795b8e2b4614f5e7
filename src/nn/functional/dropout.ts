// Dropout: elements or whole channels set to zero at random, the rest scaled so that the mean stays.
import { empty } from '../../dispatch/allocate.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { zeros_ } from '../../ops/fill.js';
import { empty_like } from '../../ops/table.js';
import { pyFloatRepr } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';

/** Arguments of every dropout after the input. */
export interface DropoutOptions {
  /** Probability of an element (or channel) to be set to zero. */
  p?: number;
  /** Off: the input is returned as it is. */
  training?: boolean;
  /** Write the result to the input's memory. */
  inplace?: boolean;
}

type DropoutArgs =
  | [p?: number, training?: boolean, inplace?: boolean]
  | [p?: number, training?: boolean, options?: DropoutOptions]
  | [p?: number, options?: DropoutOptions]
  | [options: DropoutOptions];
export type DropoutFunction = (input: Tensor, ...args: DropoutArgs) => Tensor;

/** -scale * alpha of SELU: what dropped elements are set to. */
const ALPHA = 1.7580993408473766;

interface Kind {
  /** One decision per channel: the mask is [N, C, 1, ...]. */
  readonly features: boolean;
  /** Keeps the mean and the variance of SELU's output instead of scaling. */
  readonly alpha: boolean;
}

/** PyTorch's dropout in terms of a Bernoulli mask; p = 0 and p = 1 draw nothing. */
function drop(x: Tensor, p: number, training: boolean, inplace: boolean, kind: Kind): Tensor {
  if (p === 0 || !training || x._numel === 0) return x;
  if (p === 1) {
    const zero = zeros_([], x.dtype, x.device);
    return inplace ? x.mul_(zero) : x.mul(zero);
  }
  const mask = kind.features ? empty(channelShape(x), x.dtype, x.device) : empty_like(x.detach());
  mask.bernoulli_(1 - p);
  if (!kind.alpha) {
    mask.div_(1 - p);
    return inplace ? x.mul_(mask) : x.mul(mask);
  }
  const a = 1 / Math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p));
  const shift = mask
    .add(-1)
    .mul_(ALPHA * a)
    .add_(ALPHA * a * p);
  mask.mul_(a);
  return (inplace ? x.mul_(mask) : x.mul(mask)).add_(shift);
}

function channelShape(x: Tensor): number[] {
  if (x.shape.length < 2)
    throw new RuntimeError('Feature dropout requires at least 2 dimensions in the input');
  return x.shape.map((n, d) => (d < 2 ? n : 1));
}

type Wrap = (x: Tensor, run: (x: Tensor) => Tensor) => Tensor;

function define(
  name: string,
  training: 'True' | 'False',
  kind: Kind,
  wrap: Wrap = (x, run) => run(x),
): DropoutFunction {
  return op(
    `nn.functional.${name}`,
    `Tensor input, float p=0.5, bool training=${training}, bool inplace=False`,
    (x: Tensor, p: number, on: boolean, inplace: boolean) => {
      if (!(p >= 0 && p <= 1))
        throw new ValueError(`dropout probability has to be between 0 and 1, but got ${pyFloatRepr(p)}`);
      return wrap(x, (input) => drop(input, p, on, inplace, kind));
    },
  );
}

/** Adds a batch dimension around `run` for inputs that lack one. */
const batched =
  (ndim: number): Wrap =>
  (x, run) =>
    x.shape.length === ndim ? run(x) : run(x.unsqueeze(0)).squeeze(0);

/** Sets elements to zero with probability p and divides the others by 1 - p. The same mask as PyTorch's for a seed. */
export const dropout: DropoutFunction = define('dropout', 'True', { features: false, alpha: false });

/** Sets whole channels of [N, C, L] or [C, L] to zero. @throws RuntimeError for another number of dimensions. */
export const dropout1d: DropoutFunction = define(
  'dropout1d',
  'True',
  { features: true, alpha: false },
  (x, run) => {
    const n = x.shape.length;
    if (n !== 2 && n !== 3)
      throw new RuntimeError(
        `dropout1d: Expected 2D or 3D input, but received a ${n}D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).`,
      );
    return batched(3)(x, run);
  },
);

/** Sets whole channels of [N, C, H, W] to zero; a 3-d input is [N, C, L], as in PyTorch. */
export const dropout2d: DropoutFunction = define('dropout2d', 'True', { features: true, alpha: false });

/** Sets whole channels of [N, C, D, H, W] or [C, D, H, W] to zero. */
export const dropout3d: DropoutFunction = define(
  'dropout3d',
  'True',
  { features: true, alpha: false },
  batched(5),
);

/** Dropout that keeps the mean and variance of SELU's output (Klambauer et al., 2017). Off unless `training` is given. */
export const alpha_dropout: DropoutFunction = define('alpha_dropout', 'False', {
  features: false,
  alpha: true,
});

/** {@link alpha_dropout} of whole channels. */
export const feature_alpha_dropout: DropoutFunction = define('feature_alpha_dropout', 'False', {
  features: true,
  alpha: true,
});
