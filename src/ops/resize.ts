// Tensor objects that change their shape or memory in place: resize_, resize_as_, set_.

import { empty as emptyTensor } from '../dispatch/allocate.js';
import { resizeStorage, setGeometry } from '../dispatch/out.js';
import { uint8 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { Storage } from '../storage.js';
import { contiguousStrides, numelOf, sameSizes, Tensor } from '../tensor.js';
import { type MemoryFormat, stridesFor } from './copy.js';
import { sizes } from './creation.js';
import { type Op, op } from './define.js';

interface FormatOption {
  memory_format?: MemoryFormat | null;
}

function resize(name: string, x: Tensor, shape: readonly number[], format: MemoryFormat | null): Tensor {
  if (x.requires_grad) throw new RuntimeError(`cannot ${name} variables that require grad`);
  if (shape.some((n) => n < 0))
    throw new RuntimeError(
      `Trying to create tensor with negative dimension ${shape.find((n) => n < 0)}: [${shape.join(', ')}]`,
    );
  if (!sameSizes(shape, x.shape) || format !== null)
    resizeStorage(x, shape, format === null ? contiguousStrides(shape) : stridesFor(shape, format));
  return x;
}

/** Changes the size of this tensor; new memory is uninitialised. */
export const resize_: Op<[...size: number[]] | [size: readonly number[], options?: FormatOption], Tensor> =
  op(
    'resize_',
    'Tensor self, int[]... size, *, str? memory_format=None',
    (x: Tensor, size: number[], format: MemoryFormat | null) => resize('resize', x, sizes(size), format),
  );

/** Changes the size of this tensor to that of another one. */
export const resize_as_: Op<[the_template: Tensor, options?: FormatOption], Tensor> = op(
  'resize_as_',
  'Tensor self, Tensor the_template, *, str? memory_format=None',
  (x: Tensor, like: Tensor, format: MemoryFormat | null) =>
    resize('resize_as_', x, like.shape, format === 'torch.preserve_format' ? null : format),
);

type SetArgs =
  | [
      source?: Tensor | Storage | null,
      storage_offset?: number,
      size?: readonly number[],
      stride?: readonly number[],
    ]
  | [
      options: {
        source?: Tensor | Storage;
        storage_offset?: number;
        size?: readonly number[];
        stride?: readonly number[];
      },
    ];

/** Makes this tensor look into the memory of a tensor or storage: all of it, or as the geometry says. */
export const set_: Op<SetArgs, Tensor> = op(
  'set_',
  'Tensor self, any source=None, int storage_offset=0, int[]? size=None, int[]? stride=None',
  (
    x: Tensor,
    source: Tensor | Storage | null,
    offset: number,
    size: number[] | null,
    stride: number[] | null,
  ) => {
    if (source instanceof Tensor && source.dtype !== x.dtype)
      throw new RuntimeError(
        `Could not set tensor of type ${source.dtype.name} to a tensor of type ${x.dtype.name}`,
      );
    const storage =
      source === null
        ? emptyTensor([0], uint8, x.device)._storage
        : source instanceof Tensor
          ? source._storage
          : source;
    if (!(storage instanceof Storage))
      throw new TypeError("set_(): argument 'source' (position 1) must be Tensor");
    x._storage = storage;
    if (size !== null) {
      const strides = stride ?? contiguousStrides(size);
      if (strides.length !== size.length || [...size, ...strides, offset].some((n) => n < 0))
        throw new RuntimeError(
          `set_: sizes [${size.join(', ')}], strides [${strides.join(', ')}] and storage offset ${offset} must be of equal length and non-negative`,
        );
      const last = numelOf(size) === 0 ? 0 : 1 + size.reduce((sum, n, d) => sum + (n - 1) * strides[d], 0);
      const bytes = (offset + last) * x.dtype.itemsize;
      if (bytes > storage.nbytes)
        throw new RuntimeError(
          `setStorage: sizes [${size.join(', ')}], strides [${strides.join(', ')}], storage offset ${offset}, and itemsize ${x.dtype.itemsize} requiring a storage size of ${bytes} are out of bounds for storage of size ${storage.nbytes}`,
        );
      setGeometry(x, [...size], strides, offset);
    } else if (source instanceof Tensor) setGeometry(x, source.shape, source._strides, source._offset);
    else {
      const n = Math.floor(storage.nbytes / x.dtype.itemsize);
      setGeometry(x, [n], [1], 0);
    }
    return x;
  },
);

/** Whether this tensor looks at the same elements of the same storage as another one. */
export const is_set_to: Op<[tensor: Tensor], boolean> = op(
  'is_set_to',
  'Tensor self, Tensor tensor',
  (x: Tensor, y: Tensor) =>
    x._storage.address === y._storage.address &&
    x._offset === y._offset &&
    x.dtype === y.dtype &&
    sameSizes(x.shape, y.shape) &&
    sameSizes(x._strides, y._strides),
) as Op<[tensor: Tensor], boolean>;
