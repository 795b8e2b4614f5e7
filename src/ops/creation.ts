// What every constructor shares: its options, where its result goes, and how it is defined.

import { backendOf } from '../backends/backend.js';
import { cpu, type Device, type DeviceLike, get_default_device, device as toDevice } from '../device.js';
import { alias, empty as emptyTensor } from '../dispatch/allocate.js';
import { resizeOut } from '../dispatch/out.js';
import { typeName } from '../dispatch/schema.js';
import { type DType, float64, get_default_dtype } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Generator } from '../generator.js';
import { Tensor } from '../tensor.js';
import { op } from './define.js';

/** What every constructor takes. */
export interface TensorOptions {
  dtype?: DType | null;
  device?: DeviceLike | null;
  requires_grad?: boolean;
  /** Accepted for PyTorch's sake: `torch.strided` is the only layout. */
  layout?: string | null;
  /** Accepted for PyTorch's sake: there is nothing to pin. */
  pin_memory?: boolean | null;
}

/** Constructors that can write to a tensor that exists. */
export interface OutOptions extends TensorOptions {
  /** Where to write the result; it is resized. */
  out?: Tensor | null;
}

/** Random constructors. */
export interface RandomOptions extends OutOptions {
  /** Which stream to draw from; the default generator when absent. */
  generator?: Generator | null;
}

/** Sizes as separate arguments or as one array, then options. */
export type SizeArgs<O = OutOptions> =
  | [...size: number[]]
  | [...size: [...number[], O]]
  | [size: readonly number[], options?: O];

/** The part of a constructor's schema that all of them share. */
const OPTIONS =
  'Tensor? out=None, dtype? dtype=None, str? layout=None, device? device=None, bool? pin_memory=False, bool? requires_grad=False';
const OPTION_COUNT = 6;

/** Numbers that are computed at a time. */
const BLOCK = 2 ** 16;

/** Where the result of a constructor goes, and its type. */
export class Target {
  constructor(
    private readonly name: string,
    private readonly out: Tensor | null,
    readonly dtype: DType | null,
    readonly device: Device,
  ) {
    if (out !== null && dtype !== null && out.dtype !== dtype)
      throw new RuntimeError(
        `dtype ${dtype.scalarName} does not match dtype of out parameter (${out.dtype.scalarName})`,
      );
  }

  /** The dtype that was asked for (that of `out` included), else the fallback. */
  type(fallback: DType = get_default_dtype()): DType {
    return this.dtype ?? this.out?.dtype ?? fallback;
  }

  /** `out` in the given size, or a new tensor. Uninitialised. */
  empty(size: readonly unknown[], fallback: DType = get_default_dtype()): Tensor {
    const shape = sizes(size, this.name);
    const { out } = this;
    if (out === null) return emptyTensor(shape, this.dtype ?? fallback, this.device);
    resizeOut(out, shape);
    out._storage.version++;
    return out;
  }

  /**
   * A vector of n numbers, computed block by block. It is allocated first: a length that has no memory is refused at once.
   * @param number the i-th number.
   */
  vector(n: number, number: (i: number) => number, fallback: DType = get_default_dtype()): Tensor {
    return this.blocks(
      n,
      (start, count) => Float64Array.from({ length: count }, (_, i) => number(start + i)),
      fallback,
    );
  }

  /** Like {@link vector}, from whole blocks of numbers. */
  blocks(
    n: number,
    block: (start: number, count: number) => Float64Array,
    fallback: DType = get_default_dtype(),
  ): Tensor {
    const out = this.empty([n], fallback);
    if (out.device.type === 'meta') return out;
    for (let start = 0; start < n; start += BLOCK) {
      const count = Math.min(BLOCK, n - start);
      const part = alias(out, [count], out._strides, out._offset + start * out._strides[0]);
      putNumbers(part, block(start, count));
    }
    return out;
  }

  /** A tensor of the given numbers, row by row. */
  put(values: Float64Array, size: readonly number[], fallback: DType = get_default_dtype()): Tensor {
    return putNumbers(this.empty(size, fallback), values);
  }
}

/** Writes plain numbers to a tensor, converting them to its dtype. */
export function putNumbers(out: Tensor, values: Float64Array): Tensor {
  if (out._numel === 0 || out.device.type === 'meta') return out;
  const wide = emptyTensor(out.shape, float64, cpu);
  backendOf('cpu').write(wide, values);
  if (out.device.type === 'cpu') backendOf('cpu').launch('copy', out, wide);
  else out.copy_(wide);
  return out;
}

/** Sizes as plain numbers: bigints and 0-d integer tensors are taken too. */
export function sizes(size: readonly unknown[], name = 'empty'): number[] {
  if (!Array.isArray(size))
    throw new TypeError(
      `${name}(): argument 'size' (position 1) must be tuple of ints, not ${typeName(size)}`,
    );
  return size.map((n) => (n instanceof Tensor ? Number(n.item()) : Number(n)));
}

/** The device that options name; the default one otherwise. */
export function deviceOf(device: DeviceLike | null | undefined): Device {
  return device === undefined || device === null ? get_default_device() : toDevice(device);
}

/**
 * Defines a constructor: the parameters of `schema`, then the options that all constructors take.
 * @param make builds the result from the target and one value per parameter of the schema.
 */
export function creator<F>(
  name: string,
  schema: string,
  make: (target: Target, ...args: never[]) => Tensor,
): F {
  const build = make as unknown as (target: Target, ...args: readonly unknown[]) => Tensor;
  const full = `${schema}${schema === '' ? '' : ', '}${schema.includes('*, ') ? '' : '*, '}${OPTIONS}`;
  const run = (...bound: readonly unknown[]): Tensor => {
    const n = bound.length - OPTION_COUNT;
    const [out, dtype, , device, , requires_grad] = bound.slice(n) as [
      Tensor | null,
      DType | null,
      unknown,
      DeviceLike | null,
      unknown,
      boolean | null,
    ];
    const result = build(
      new Target(name, out, dtype, out === null ? deviceOf(device) : out.device),
      ...bound.slice(0, n),
    );
    if (requires_grad && result.dtype.is_integral)
      throw new RuntimeError('Only Tensors of floating point and complex dtype can require gradients');
    return requires_grad ? result.requires_grad_(true) : result;
  };
  return op<F>(name, full, run, { ownOut: true, self: null });
}
