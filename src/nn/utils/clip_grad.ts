// torch.nn.utils: limits on gradients.
import { no_grad } from '../../autograd/modes.js';
import { float32 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { stack, tensor } from '../../ops/table.js';
import { Tensor } from '../../tensor.js';
import { bind } from '../modules/arguments.js';

/** One tensor or several. */
export type Tensors = Tensor | Iterable<Tensor>;

const listOf = (tensors: Tensors): Tensor[] => (tensors instanceof Tensor ? [tensors] : [...tensors]);
const gradsOf = (parameters: Tensors): Tensor[] =>
  listOf(parameters).flatMap((p) => (p.grad === null ? [] : [p.grad.detach()]));

/** The p-norm of all elements, as a 0-d tensor. */
function normOf(x: Tensor, p: number): Tensor {
  if (p === 2) return x.square().sum().sqrt();
  if (p === 1) return x.abs().sum();
  if (p === Number.POSITIVE_INFINITY) return x.abs().amax();
  if (p === Number.NEGATIVE_INFINITY) return x.abs().amin();
  if (p === 0) return x.ne(0).sum().to(x.dtype);
  return x
    .abs()
    .pow(p)
    .sum()
    .pow(1 / p);
}

interface NormOptions {
  norm_type?: number;
  /** Throw when the norm is infinite or NaN. */
  error_if_nonfinite?: boolean;
  /** Accepted for PyTorch's sake. */
  foreach?: boolean | null;
}

type NormArgs =
  | [norm_type?: number, error_if_nonfinite?: boolean, foreach?: boolean | null]
  | [norm_type?: number, options?: NormOptions]
  | [options: NormOptions];

/** The norm of all elements of the tensors together, as a 0-d tensor. */
export function get_total_norm(tensors: Tensors, ...args: NormArgs): Tensor {
  const [p, strict] = bind(
    'get_total_norm',
    'float norm_type=2, bool error_if_nonfinite=False, bool? foreach=None',
    args,
  ) as [number, boolean];
  return no_grad(() => {
    const list = listOf(tensors);
    if (list.length === 0) return tensor(0, { dtype: float32 });
    const total = normOf(stack(list.map((x) => normOf(x.detach(), p))), p);
    if (strict && !Number.isFinite(Number(total.item())))
      throw new RuntimeError(
        `The total norm of order ${p} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set \`error_if_nonfinite=False\``,
      );
    return total;
  });
}

/** Scales the gradients by max_norm / total_norm, if that is less than 1. */
export function clip_grads_with_norm_(
  parameters: Tensors,
  max_norm: number,
  total_norm: Tensor,
  _foreach: boolean | null = null,
): void {
  no_grad(() => {
    const factor = total_norm.add(1e-6).reciprocal().mul(max_norm).clamp({ max: 1 });
    for (const g of gradsOf(parameters)) g.mul_(factor);
  });
}

/**
 * Scales the gradients in place so that their norm, all taken together, is at most `max_norm`. Returns the norm before.
 * @throws RuntimeError for a norm that is not finite, when `error_if_nonfinite`.
 */
export function clip_grad_norm_(parameters: Tensors, max_norm: number, ...args: NormArgs): Tensor {
  const list = listOf(parameters);
  const total = get_total_norm(gradsOf(list), ...args);
  clip_grads_with_norm_(list, Number(max_norm), total);
  return total;
}

/** Limits every element of the gradients to [-clip_value, clip_value], in place. */
export function clip_grad_value_(
  parameters: Tensors,
  clip_value: number,
  _foreach: boolean | null = null,
): void {
  no_grad(() => {
    for (const g of gradsOf(parameters)) g.clamp_(-clip_value, clip_value);
  });
}
