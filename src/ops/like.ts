// Constructors that take their form from a tensor: zeros_like and its kin.
import type { Scalar } from '../backends/backend.js';
import { type DeviceLike, device as toDevice } from '../device.js';
import { denseStrides, emptyLike, emptyStrided } from '../dispatch/allocate.js';
import type { DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { type MemoryFormat, stridesFor } from './copy.js';
import type { TensorOptions } from './creation.js';
import { op } from './define.js';
import { fillChecked } from './fill.js';

/** Options of `zeros_like` and its kin. */
export interface LikeOptions extends TensorOptions {
  /** Default `torch.preserve_format`: the strides of the input where it is dense. */
  memory_format?: MemoryFormat | null;
}

const OPTIONS =
  'dtype? dtype=None, str? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False';
const LIKE = `*, ${OPTIONS}, str? memory_format=None`;

type OptionArgs = [
  dtype: DType | null,
  layout: unknown,
  device: DeviceLike | null,
  pin: unknown,
  requires_grad: boolean | null,
  format?: MemoryFormat | null,
];

/** @internal An uninitialised tensor in the form of x. */
export function emptyFor(
  x: Tensor,
  dtype: DType | null,
  device: DeviceLike | null,
  format: MemoryFormat | null | undefined,
): Tensor {
  const where = device === null ? x.device : toDevice(device);
  const type = dtype ?? x.dtype;
  if (format !== null && format !== undefined && format !== 'torch.preserve_format')
    return emptyStrided(x.shape, stridesFor(x.shape, format), type, where);
  if (where.equals(x.device)) return emptyLike(x, type);
  return emptyStrided(x.shape, denseStrides(x), type, where);
}

function like(
  name: string,
  fill: ((x: Tensor) => Tensor) | null,
): (input: Tensor, options?: LikeOptions) => Tensor {
  return op(
    name,
    `Tensor input, ${LIKE}`,
    (x: Tensor, ...[dtype, , device, , requires_grad, format]: OptionArgs) => {
      const out = emptyFor(x, dtype, device, format);
      fill?.(out);
      return requires_grad ? out.requires_grad_(true) : out;
    },
  );
}

/** Uninitialised memory in the shape, dtype and memory layout of a tensor. */
export const empty_like: (input: Tensor, options?: LikeOptions) => Tensor = like('empty_like', null);
/** Zeros in the shape, dtype and memory layout of a tensor. */
export const zeros_like: (input: Tensor, options?: LikeOptions) => Tensor = like('zeros_like', (x) =>
  fillChecked(x, 0),
);
/** Ones in the shape, dtype and memory layout of a tensor. */
export const ones_like: (input: Tensor, options?: LikeOptions) => Tensor = like('ones_like', (x) =>
  fillChecked(x, 1),
);

/** A tensor filled with one value, in the shape, dtype and memory layout of a tensor. */
export const full_like: (input: Tensor, fill_value: Scalar, options?: LikeOptions) => Tensor = op(
  'full_like',
  `Tensor input, Scalar fill_value, ${LIKE}`,
  (x: Tensor, value: Scalar, ...[dtype, , device, , requires_grad, format]: OptionArgs) => {
    const out = fillChecked(emptyFor(x, dtype, device, format), value);
    return requires_grad ? out.requires_grad_(true) : out;
  },
);
