// Window functions of the torch namespace: hann_window and its kin.

import { cpu } from '../device.js';
import { type DType, float64 } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { cppTypeName } from './cpp_text.js';
import { creator, type OutOptions, putNumbers, type Target } from './creation.js';
import { full_ } from './fill.js';
import { i0 } from './special_math.js';

/** The elements of a window of `n` points whose last one is the mirror image of the first. */
export type Shape = (i: number, n: number) => number;

/** A sum of cosines with alternating signs. */
export const cosines =
  (coefficients: readonly number[]): Shape =>
  (i, n) =>
    coefficients.reduce((sum, a, k) => sum + (k % 2 ? -a : a) * Math.cos((2 * Math.PI * i * k) / (n - 1)), 0);

export const triangle: Shape = (i, n) => 1 - Math.abs((2 * i) / (n - 1) - 1);

/** Part of Kaiser's window of n points, computed in double precision. */
export function kaiserValues(start: number, count: number, n: number, beta: number): Float64Array {
  const wide = (values: Float64Array): Tensor => putNumbers(full_([values.length], 0, float64, cpu), values);
  const inside = Float64Array.from({ length: count }, (_, i) => {
    const x = (2 * (start + i)) / (n - 1) - 1;
    return beta * Math.sqrt(Math.max(0, 1 - x * x));
  });
  const [values, whole] = [inside, Float64Array.of(beta)].map(
    (x) => i0(wide(x)).toTypedArray() as Float64Array,
  );
  return values.map((v) => v / whole[0]);
}

function checkWindow(name: string, length: number, type: DType): void {
  if (type.is_integral)
    throw new RuntimeError(
      `${name} expects floating point dtypes, got: TensorOptions(dtype=${cppTypeName(type)}, device=cpu, layout=Strided (default), requires_grad=false (default), pinned_memory=false, memory_format=(nullopt))`,
    );
  if (length < 0)
    throw new RuntimeError(`${name} requires non-negative window_length, got window_length=${length}`);
  if (type.is_complex && length > 1)
    throw new NotImplementedError(`"arange_cpu" not implemented for '${type.scalarName}'`);
}

/** Options of a window. */
export interface WindowOptions extends OutOptions {
  /** Leaves out the last element of a window one longer: for spectra. */
  periodic?: boolean;
}
/** A window function. */
export interface WindowFunction {
  (window_length: number, periodic?: boolean, options?: OutOptions): Tensor;
  (window_length: number, options: WindowOptions): Tensor;
}

/** Part of a window of n points. */
type Blocks = (start: number, count: number, n: number) => Float64Array;

/** Fills `to` with a window. */
function windowInto(to: Target, name: string, length: number, periodic: boolean, values: Blocks): Tensor {
  const type = to.type();
  checkWindow(name, length, type);
  if (length <= 1) return to.vector(length, () => 1);
  return to.blocks(length, (start, count) => values(start, count, periodic ? length + 1 : length));
}

const sampled =
  (shape: Shape): Blocks =>
  (start, count, n) =>
    Float64Array.from({ length: count }, (_, i) => shape(start + i, n));

function windowFunction(name: string, shape: Shape): WindowFunction {
  return creator(
    name,
    'int window_length, bool periodic=True',
    (to: Target, length: number, periodic: boolean) => windowInto(to, name, length, periodic, sampled(shape)),
  );
}

/** `1 - |2 i / (n - 1) - 1|`. Periodic by default: n is one more than the length. */
export const bartlett_window: WindowFunction = windowFunction('bartlett_window', triangle);
/** `0.42 - 0.5 cos(2 pi i / (n - 1)) + 0.08 cos(4 pi i / (n - 1))`. Periodic by default. */
export const blackman_window: WindowFunction = windowFunction('blackman_window', cosines([0.42, 0.5, 0.08]));
/** `0.5 - 0.5 cos(2 pi i / (n - 1))`. Periodic by default. */
export const hann_window: WindowFunction = windowFunction('hann_window', cosines([0.5, 0.5]));

/** `alpha - beta cos(2 pi i / (n - 1))`. Periodic by default. */
export const hamming_window: {
  (
    window_length: number,
    periodic?: boolean,
    alpha?: number,
    beta?: number,
    options?: WindowOptions & { alpha?: number; beta?: number },
  ): Tensor;
  (window_length: number, options: WindowOptions & { alpha?: number; beta?: number }): Tensor;
} = creator(
  'hamming_window',
  'int window_length, bool periodic=True, float alpha=0.54, float beta=0.46',
  (to: Target, length: number, periodic: boolean, alpha: number, beta: number) =>
    windowInto(to, 'hamming_window', length, periodic, sampled(cosines([alpha, beta]))),
);

/** `i0(beta sqrt(1 - (2 i / (n - 1) - 1)^2)) / i0(beta)`. Periodic by default. */
export const kaiser_window: {
  (window_length: number, periodic?: boolean, beta?: number, options?: WindowOptions): Tensor;
  (window_length: number, options: WindowOptions & { beta?: number }): Tensor;
} = creator(
  'kaiser_window',
  'int window_length, bool periodic=True, float beta=12',
  (to: Target, length: number, periodic: boolean, beta: number) =>
    windowInto(to, 'kaiser_window', length, periodic, (start, count, n) =>
      kaiserValues(start, count, n, beta),
    ),
);
