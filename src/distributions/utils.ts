// What distributions share: parameters from numbers and tensors, probabilities and log odds.
import { mode } from '../autograd/modes.js';
import { type DType, finfo, get_default_dtype } from '../dtype.js';
import { ValueError } from '../errors.js';
import { broadcast_tensors, empty, log_softmax, softmax, tensor } from '../ops/table.js';
import { pyFloatRepr } from '../pyformat.js';
import { sameSizes, Tensor } from '../tensor.js';

/** A parameter. */
export type Param = Tensor | number;
/** Sizes. */
export type Shape = readonly number[];

/** Options of every distribution. */
export interface DistributionOptions {
  /** Whether parameters and values are checked; on by default. */
  validate_args?: boolean | null;
}

export const EULER = 0.5772156649015329;

/** Numbers and tensors as tensors of one shape; numbers take the dtype of the first tensor. */
export function broadcast_all(...values: readonly Param[]): Tensor[] {
  for (const v of values)
    if (typeof v !== 'number' && !(v instanceof Tensor))
      throw new ValueError(
        'Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__.',
      );
  const first = values.find((v): v is Tensor => v instanceof Tensor);
  const dtype = first?.dtype ?? get_default_dtype();
  const all = values.map((v) => (v instanceof Tensor ? v : tensor(v, { dtype })));
  const [{ shape }] = all;
  if (all.every((x) => sameSizes(x.shape, shape))) return all;
  return [...broadcast_tensors(...all)];
}

/** Sums the last dimensions. */
export const sumRightmost = (x: Tensor, dims: number): Tensor =>
  dims === 0 ? x : x.reshape([...x.shape.slice(0, x.shape.length - dims), -1]).sum(-1);

export const logits_to_probs = (logits: Tensor, is_binary = false): Tensor =>
  is_binary ? logits.sigmoid() : softmax(logits, -1);

/** Probabilities kept away from 0 and 1. */
export function clamp_probs(probs: Tensor): Tensor {
  const { eps } = new finfo(probs.dtype);
  return probs.clamp(eps, 1 - eps);
}

export function probs_to_logits(probs: Tensor, is_binary = false): Tensor {
  const p = clamp_probs(probs);
  return is_binary ? p.log().sub(p.neg().log1p()) : p.log();
}

export const logSoftmax = (x: Tensor): Tensor => log_softmax(x, -1);

/** Values of the normal distribution of mean 0 and variance 1. */
export const standardNormal = (shape: Shape, dtype: DType): Tensor => empty([...shape], { dtype }).normal_();

/** Runs f with gradients recorded, whatever the mode. */
export function recorded<R>(f: () => R): R {
  const outer = mode.grad;
  mode.grad = true;
  try {
    return f();
  } finally {
    mode.grad = outer;
  }
}

/** The value, or where the condition fails, another number. */
export const orElse = (condition: Tensor, x: Tensor, other: number): Tensor => x.where(condition, other);

/** A tensor in a message: the number alone when it has no dimensions. */
export function valueText(x: Tensor): string {
  if (x.shape.length > 0) return String(x);
  const value = x.item();
  return x.dtype.is_floating_point ? pyFloatRepr(value) : String(value);
}
