// Softmax functions with an optional dimension.
import type { DType } from '../../dtype.js';
import { neg } from '../../ops/arithmetic.js';
import { op } from '../../ops/define.js';
import { softmaxAlong } from '../../ops/softmax.js';
import type { Tensor } from '../../tensor.js';

interface SoftmaxOptions {
  dim?: number | null;
  dtype?: DType | null;
}
/** A softmax along `dim`, which should be given: else it is 0 for 0-, 1- and 3-d input and 1 for others. */
export interface SoftmaxFunction {
  (input: Tensor, dim?: number | null, _stacklevel?: number, dtype?: DType | null): Tensor;
  (input: Tensor, dim: number | null, options: SoftmaxOptions): Tensor;
  (input: Tensor, options: SoftmaxOptions): Tensor;
}

const implicitDim = (x: Tensor): number => ([0, 1, 3].includes(x.shape.length) ? 0 : 1);

const define = (
  name: string,
  run: (x: Tensor, dim: number, dtype: DType | null) => Tensor,
): SoftmaxFunction =>
  op(
    `nn.functional.${name}`,
    'Tensor input, int? dim=None, int _stacklevel=3, dtype? dtype=None',
    (x: Tensor, dim: number | null, _level: number, dtype: DType | null) =>
      run(x, dim ?? implicitDim(x), dtype),
  );

/** `exp(x) / sum(exp(x))` along `dim`. */
export const softmax = define('softmax', (x, dim, dtype) => softmaxAlong('softmax', x, dim, dtype));
/** The logarithm of softmax along `dim`. */
export const log_softmax = define('log_softmax', (x, dim, dtype) =>
  softmaxAlong('log_softmax', x, dim, dtype),
);
/** The softmax of `-input` along `dim`. */
export const softmin = define('softmin', (x, dim, dtype) => softmaxAlong('softmax', neg(x), dim, dtype));
