// Methods and properties of tensors for everyday inspection that are no functions of the torch namespace.
import { empty, memoryOrder } from '../dispatch/allocate.js';
import { RuntimeError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { copyInto } from './copy.js';
import { type TensorData, tensor } from './data.js';
import { method, type Op } from './define.js';
import { polygamma } from './special_math.js';
import { expand, reshape } from './view.js';

type Value = number | bigint | boolean;

/** Writes f of the values at each place of tensors to the first one, in row-major order. */
function overwrite(
  name: string,
  x: Tensor,
  others: readonly Tensor[],
  f: (...values: never[]) => Value,
): Tensor {
  if (x.requires_grad)
    throw new RuntimeError(
      `Can't call ${name}() on Variable that requires grad. Use var.detach().${name}() instead.`,
    );
  const call = f as unknown as (...values: readonly unknown[]) => Value;
  const columns = [x, ...others].map((t) => reshape(expand(t.detach(), x.shape), [-1]).tolist() as Value[]);
  const values = columns[0].map((_, i) => call(...columns.map((column) => column[i])));
  copyInto(x, reshape(tensor(values as TensorData).to(x.dtype), x.shape));
  x._storage.version++;
  return x;
}

/** Replaces every element by f of it. Slow: every element passes through JavaScript. */
export const apply_: Op<[callable: (value: number) => Value], Tensor> = method(
  'apply_',
  (x: Tensor, f: (value: number) => Value) => overwrite('apply_', x, [], f as never),
);
/** Replaces every element by f of it and of the element of `tensor` (broadcast) at its place. */
export const map_: Op<[tensor: Tensor, callable: (a: number, b: number) => Value], Tensor> = method(
  'map_',
  (x: Tensor, y: Tensor, f: (a: number, b: number) => Value) => overwrite('map_', x, [y], f as never),
);

type No = Op<[], boolean>;
const no = (name: string): No => method(name, () => false);

/** Whether conjugation is pending: never, it is computed at once. */
export const is_conj: No = no('is_conj');
/** Whether negation is pending: never, it is computed at once. */
export const is_neg: No = no('is_neg');
/** Never here. */
export const is_distributed: No = no('is_distributed');
/** Whether the memory is shared with other processes: never. */
export const is_shared: No = no('is_shared');
/** The tensor itself: threads share what they are given. */
export const share_memory_: Op<[], Tensor> = method('share_memory_', (x: Tensor) => x);
/** The tensor itself: every tensor is dense. */
export const to_dense: Op<[], Tensor> = method('to_dense', (x: Tensor) => x);
/** The number of dense dimensions: all. */
export const dense_dim: Op<[], number> = method('dense_dim', (x: Tensor) => x.shape.length);
/** The number of sparse dimensions: none. */
export const sparse_dim: Op<[], number> = method('sparse_dim', () => 0);
/** The dimensions from the one whose neighbours lie farthest apart in memory. */
export const dim_order: Op<[], number[]> = method('dim_order', (x: Tensor) =>
  memoryOrder(x.shape, x._strides).reverse(),
);
/** `polygamma(n, x)` in x's memory. */
export const polygamma_: Op<[n: number], Tensor> = method('polygamma_', (x: Tensor, n: number) =>
  x.copy_(polygamma(n, x)),
);

/** A tensor of the same dtype: uninitialised of the given sizes, or of the given data. */
const make: Op<[...size: number[]] | [data: TensorData], Tensor> = method(
  'new',
  (x: Tensor, ...args: number[] | [data: TensorData]) => {
    if (args.length === 0) return empty([0], x.dtype, x.device);
    if (args.length === 1 && (Array.isArray(args[0]) || args[0] instanceof Tensor))
      return tensor(args[0] as TensorData, { dtype: x.dtype, device: x.device });
    return empty(args.map(Number), x.dtype, x.device);
  },
);

export { make as new };
