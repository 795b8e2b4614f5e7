// Elements back to JavaScript.

import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { Complex } from '../complex.js';
import {
  bfloat16,
  bool,
  type DType,
  type DTypeArray,
  float16,
  float32,
  get_default_dtype,
  int64,
} from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { formatTensor, type Printable } from '../format.js';
import { type Tensor, tensorHooks } from '../tensor.js';
import { castTo, contiguous } from './copy.js';
import { method, type Op } from './define.js';

function rawArray(x: Tensor): DTypeArray {
  const without = mode.grad;
  mode.grad = false;
  try {
    const plain = contiguous(x);
    const data = new x.dtype.array(new ArrayBuffer(x.nbytes));
    backendOf(x.device.type).read(plain, data);
    return data;
  } finally {
    mode.grad = without;
  }
}

/**
 * A copy of the elements in row-major order, in the typed array of the dtype: raw bits (Uint16Array) for the
 * half types, Uint8Array for bool, interleaved parts for complex.
 */
export const toTypedArray: Op<[], DTypeArray> = method('toTypedArray', rawArray);

/** One element of a dtype as a plain value. */
export type Element = number | bigint | boolean | Complex;

const small = (v: bigint): number | bigint => (v >= -(2n ** 53n) && v <= 2n ** 53n ? Number(v) : v);

/** Reads elements of a raw array as plain values; int64 as number up to 2^53, as bigint beyond. */
function reader(dtype: DType, data: DTypeArray): (i: number) => Element {
  if (dtype === int64) return (i) => small((data as BigInt64Array)[i]);
  const numbers = data as Float64Array;
  if (dtype === bool) return (i) => numbers[i] !== 0;
  if (dtype.is_complex) return (i) => new Complex(numbers[2 * i], numbers[2 * i + 1]);
  return (i) => numbers[i];
}

/** The elements, widened where JavaScript has no such numbers. */
function elements(x: Tensor): (i: number) => Element {
  const wide = x.dtype === float16 || x.dtype === bfloat16 ? castTo(x.detach(), float32) : x;
  return reader(wide.dtype, rawArray(wide));
}

/**
 * The one element as a plain value. The type says number; a bool tensor gives a boolean, a complex one a Complex,
 * an int64 beyond 2^53 a bigint.
 * @throws RuntimeError when there is more or less than one.
 */
export const item: Op<[], number> = method('item', (x: Tensor) => {
  if (x._numel !== 1)
    throw new RuntimeError(`a Tensor with ${x._numel} elements cannot be converted to Scalar`);
  if (x.device.type === 'meta') throw new RuntimeError('Tensor.item() cannot be called on meta tensors');
  return elements(x)(0);
}) as Op<[], unknown> as Op<[], number>;

export type NestedList = Element | NestedList[];

/** The elements as nested arrays of plain values; a plain value for a 0-d tensor. */
export const tolist: Op<[], NestedList> = method('tolist', (x: Tensor): NestedList => {
  const at = elements(x);
  let next = 0;
  const build = (d: number): NestedList =>
    d === x.shape.length ? at(next++) : Array.from({ length: x.shape[d] }, () => build(d + 1));
  return build(0);
});

/** Adapts a tensor to the printer, reading only what is printed. */
function printable(x: Tensor): Printable {
  const flat = x.detach();
  let at: ((i: number) => Element) | null = null;
  const big = x._numel > 4096;
  return {
    shape: x.shape,
    dtype: x.dtype.name,
    element(i) {
      const value = big ? elementAt(flat, i) : (at ??= elements(flat))(i);
      return value instanceof Complex ? [value.re, value.im] : value;
    },
    requires_grad: x.requires_grad,
    grad_fn: x.grad_fn?.name() ?? null,
    device: x.device.toString(),
    is_parameter: x._isParameter(),
  };
}

/** One element by its row-major index, whatever the strides. */
function elementAt(x: Tensor, index: number): Element {
  let offset = x._offset;
  let rest = index;
  for (let d = x.shape.length - 1; d >= 0; d--) {
    offset += (rest % x.shape[d]) * x._strides[d];
    rest = Math.floor(rest / x.shape[d]);
  }
  return item(x.as_strided([], [], offset));
}

tensorHooks.format = (x) => formatTensor(printable(x), { default_dtype: get_default_dtype().name });
