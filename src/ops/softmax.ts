// Softmax and its logarithm.
import { record } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { alias, empty } from '../dispatch/allocate.js';
import type { DType } from '../dtype.js';
import { NotImplementedError } from '../errors.js';
import { type Tensor, wrapDim } from '../tensor.js';
import { mul, sub } from './arithmetic.js';
import { castTo, contiguous } from './copy.js';
import { type Op, type Out, op } from './define.js';
import { exp } from './exp.js';
import { sum } from './reduce.js';

type Kind = 'softmax' | 'log_softmax';

/** A contiguous tensor seen as [outer, n, inner] around dimension d. */
function asRows(x: Tensor, d: number): Tensor {
  const n = x.shape.length === 0 ? 1 : x.shape[d];
  let inner = 1;
  for (let i = d + 1; i < x.shape.length; i++) inner *= x.shape[i];
  const outer = n * inner === 0 ? 0 : x._numel / (n * inner);
  return alias(x, [outer, n, inner], [n * inner, inner, 1], x._offset, true);
}

function backward(kind: Kind, g: Tensor, result: Tensor, d: number): Tensor {
  if (mode.grad) {
    if (kind === 'softmax') return mul(sub(g, sum(mul(g, result), d, true)), result);
    return sub(g, mul(exp(result), sum(g, d, true)));
  }
  const grad = empty(result.shape, g.dtype, g.device);
  if (grad._numel > 0)
    backendOf(g.device.type).launch(
      `${kind}_backward`,
      asRows(grad, d),
      asRows(contiguous(g), d),
      asRows(result, d),
    );
  return grad;
}

/** @internal softmax or log_softmax of x along dim. */
export function softmaxAlong(kind: Kind, input: Tensor, dim: number, dtype: DType | null = null): Tensor {
  const x = dtype === null ? input : castTo(input, dtype);
  const d = wrapDim(dim, x.shape.length);
  if (!x.dtype.is_floating_point)
    throw new NotImplementedError(
      `"${kind}${d >= x.shape.length - 1 ? '_lastdim' : ''}_kernel_impl" not implemented for '${x.dtype.scalarName}'`,
    );
  const out = empty(x.shape, x.dtype, x.device);
  if (out._numel > 0)
    backendOf(x.device.type).launch(kind, asRows(out, d), asRows(contiguous(x.detach()), d));
  record(kind === 'softmax' ? 'SoftmaxBackward0' : 'LogSoftmaxBackward0', [x], [out], (save) => {
    const result = save(out);
    return ([g]) => [g === null ? null : backward(kind, g, result(), d)];
  });
  return out;
}

type Arguments =
  | [dim: number, dtype?: DType | null, options?: Out]
  | [dim: number, options: Out & { dtype?: DType | null }]
  | [options: Out & { dim: number; dtype?: DType | null }];

const define = (kind: Kind): Op<Arguments, Tensor> =>
  op(
    kind,
    'Tensor self, int dim, dtype? dtype=None, *, Tensor? out=None',
    (x: Tensor, dim: number, dtype: DType | null) => softmaxAlong(kind, x, dim, dtype),
    { exactOut: true },
  );

/**
 * `exp(x) / sum(exp(x))` along `dim`, without overflow. Floating point only; `dtype` converts first.
 *
 *     torch.tensor([1, 2, 3]).softmax(0)
 *     // tensor([0.0900, 0.2447, 0.6652])
 */
export const softmax = define('softmax');
/**
 * The logarithm of {@link softmax}, computed directly.
 *
 *     torch.tensor([1, 2, 3]).log_softmax(0)
 *     // tensor([-2.4076, -1.4076, -0.4076])
 */
export const log_softmax = define('log_softmax');
