// x.new_zeros and its kin: constructors with the dtype and device of a tensor.
import type { Scalar } from '../backends/backend.js';
import { type DeviceLike, device as toDevice } from '../device.js';
import { emptyStrided, empty as emptyTensor } from '../dispatch/allocate.js';
import type { DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { sizes, type TensorOptions } from './creation.js';
import { type TensorData, tensor } from './data.js';
import { method, type Op, op } from './define.js';
import { fillChecked } from './fill.js';

const OPTIONS =
  'dtype? dtype=None, str? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False';

type OptionArgs = [
  dtype: DType | null,
  layout: unknown,
  device: DeviceLike | null,
  pin: unknown,
  requires_grad: boolean | null,
];

type SizeMethod = Op<
  | [...size: number[]]
  | [...size: [...number[], TensorOptions]]
  | [size: readonly number[], options?: TensorOptions],
  Tensor
>;

function newMethod(name: string, fill: ((x: Tensor) => Tensor) | null): SizeMethod {
  return op(
    name,
    `Tensor self, int[]... size, *, ${OPTIONS}`,
    (x: Tensor, size: number[], ...args: OptionArgs) => made(x, size, args, fill),
  );
}

function made(
  x: Tensor,
  size: readonly number[],
  [dtype, , device, , requires_grad]: OptionArgs,
  fill: ((x: Tensor) => Tensor) | null,
): Tensor {
  const out = emptyTensor(sizes(size), dtype ?? x.dtype, device === null ? x.device : toDevice(device));
  fill?.(out);
  return requires_grad ? out.requires_grad_(true) : out;
}

/** `x.new_empty(size)`: uninitialised memory with the dtype and device of x. */
export const new_empty: SizeMethod = newMethod('new_empty', null);
/** `x.new_zeros(size)`: zeros with the dtype and device of x. */
export const new_zeros: SizeMethod = newMethod('new_zeros', (x) => fillChecked(x, 0));
/** `x.new_ones(size)`: ones with the dtype and device of x. */
export const new_ones: SizeMethod = newMethod('new_ones', (x) => fillChecked(x, 1));

/** `x.new_full(size, value)`: one value with the dtype and device of x. */
export const new_full: Op<[size: readonly number[], fill_value: Scalar, options?: TensorOptions], Tensor> =
  op(
    'new_full',
    `Tensor self, int[] size, Scalar fill_value, *, ${OPTIONS}`,
    (x: Tensor, size: number[], value: Scalar, ...args: OptionArgs) =>
      made(x, size, args, (out) => fillChecked(out, value)),
  );

/** `x.new_empty_strided(size, stride)`: uninitialised memory with the dtype and device of x, and the given strides. */
export const new_empty_strided: Op<
  [size: readonly number[], stride: readonly number[], options?: TensorOptions],
  Tensor
> = op(
  'new_empty_strided',
  `Tensor self, int[] size, int[] stride, *, ${OPTIONS}`,
  (x: Tensor, size: number[], stride: number[], ...[dtype, , device, , requires_grad]: OptionArgs) => {
    if (size.length !== stride.length)
      throw new RuntimeError(
        `dimensionality of sizes (${size.length}) must match dimensionality of strides (${stride.length})`,
      );
    const out = emptyStrided(
      sizes(size),
      sizes(stride),
      dtype ?? x.dtype,
      device === null ? x.device : toDevice(device),
    );
    return requires_grad ? out.requires_grad_(true) : out;
  },
);

/** `x.new_tensor(data)`: a copy of the data with the dtype and device of x. */
export const new_tensor: Op<[data: TensorData, options?: TensorOptions], Tensor> = method(
  'new_tensor',
  (x: Tensor, data: TensorData, options: TensorOptions = {}) =>
    tensor(data, { ...options, dtype: options.dtype ?? x.dtype, device: options.device ?? x.device }),
) as Op<[data: TensorData, options?: TensorOptions], Tensor>;
