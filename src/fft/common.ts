// What the functions of torch.fft share: the arguments' meaning, checks, and out=.
import { type DType, float32, float64, get_default_dtype } from '../dtype.js';
import { IndexError, RuntimeError } from '../errors.js';
import { castTo } from '../ops/copy.js';
import { op, writeOut } from '../ops/define.js';
import { constant_pad_nd } from '../ops/rearrange.js';
import { slice } from '../ops/view.js';
import { type Tensor, wrapDim } from '../tensor.js';

/** How transforms are scaled: 'backward' (the inverse by 1/n), 'forward' (the other by 1/n), 'ortho' (both by 1/sqrt(n)). */
export type Norm = 'backward' | 'forward' | 'ortho';

/** Options of a transform along one dimension. */
export interface LineOptions {
  /** Length of the transformed signal: the input is cut or filled up with zeros. */
  n?: number | null;
  dim?: number;
  norm?: Norm | null;
  out?: Tensor;
}
/** A transform along one dimension, the last one by default. */
export interface LineTransform {
  (input: Tensor, n?: number | null, dim?: number, norm?: Norm | null, options?: LineOptions): Tensor;
  (input: Tensor, options: LineOptions): Tensor;
  (input: Tensor, n: number | null, options: LineOptions): Tensor;
  (input: Tensor, n: number | null, dim: number, options: LineOptions): Tensor;
}

type Sizes = number | readonly number[] | null;

/** Options of a transform along several dimensions. */
export interface GridOptions {
  /** Lengths of the transformed signal along `dim`; -1 leaves one as it is. */
  s?: Sizes;
  dim?: Sizes;
  norm?: Norm | null;
  out?: Tensor;
}
/** A transform along several dimensions. */
export interface GridTransform {
  (input: Tensor, s?: Sizes, dim?: Sizes, norm?: Norm | null, options?: GridOptions): Tensor;
  (input: Tensor, options: GridOptions): Tensor;
  (input: Tensor, s: Sizes, options: GridOptions): Tensor;
  (input: Tensor, s: Sizes, dim: Sizes, options: GridOptions): Tensor;
}

/** x in the floating point (or, where asked, complex) dtype that transforms compute in. */
export function promoted(x: Tensor, complex = false): Tensor {
  if (x.dtype.is_complex) return x;
  const type: DType = x.dtype.is_integral ? get_default_dtype() : x.dtype;
  if (type !== float32 && type !== float64) throw new RuntimeError(`Unsupported dtype ${type.scalarName}`);
  return castTo(x, complex ? type.to_complex() : type);
}

/** A dimension counted from the front; a tensor without dimensions has none. */
export function dimOf(x: Tensor, dim: number): number {
  if (x.shape.length === 0)
    throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`);
  return wrapDim(dim, x.shape.length);
}

export function checkPoints(n: number): void {
  if (!(n >= 1)) throw new RuntimeError(`Invalid number of data points (${n}) specified`);
}

/** The factor of a transform over that many points. */
export function scaleOf(norm: string | null, inverse: boolean, points: number): number {
  if (norm === 'ortho') return 1 / Math.sqrt(points);
  if (norm !== null && norm !== 'backward' && norm !== 'forward')
    throw new RuntimeError(`Invalid normalization mode: "${norm}"`);
  return (norm === 'forward') !== inverse ? 1 / points : 1;
}

/** x cut or filled up with zeros at the end of dimensions. */
export function resized(x: Tensor, dims: readonly number[], sizes: readonly number[]): Tensor {
  const rank = x.shape.length;
  const pad = new Array<number>(2 * rank).fill(0);
  let out = x;
  let padded = false;
  dims.forEach((d, i) => {
    const missing = sizes[i] - x.shape[d];
    if (missing < 0) out = slice(out, d, 0, sizes[i]);
    else if (missing > 0) {
      pad[2 * (rank - 1 - d) + 1] = missing;
      padded = true;
    }
  });
  return padded ? constant_pad_nd(out, pad) : out;
}

const listOf = (sizes: Sizes): readonly number[] | null => (typeof sizes === 'number' ? [sizes] : sizes);

/** The transformed dimensions and their lengths, from the arguments `s` and `dim`. */
export function gridOf(x: Tensor, s: Sizes, dim: Sizes): { dims: number[]; sizes: number[] } {
  const rank = x.shape.length;
  const named = listOf(dim);
  const given = listOf(s);
  let dims = x.shape.map((_, d) => d);
  if (named !== null) {
    dims = named.map((d) => dimOf(x, d));
    if (new Set(dims).size !== dims.length) throw new RuntimeError('FFT dims must be unique');
  }
  if (given !== null) {
    if (named !== null && named.length !== given.length)
      throw new RuntimeError('When given, dim and shape arguments must have the same length');
    if (given.length > rank)
      throw new RuntimeError(
        `Got shape with ${given.length} values but input tensor only has ${rank} dimensions.`,
      );
    if (named === null) dims = dims.slice(rank - given.length);
  }
  const sizes = dims.map((d, i) => (given === null || given[i] === -1 ? x.shape[d] : given[i]));
  sizes.forEach(checkPoints);
  return { dims, sizes };
}

/** The last length of the real signal whose half spectrum x is, and the lengths of x that go with it. */
export function halfGridOf(
  name: string,
  x: Tensor,
  s: Sizes,
  dim: Sizes,
): { dims: number[]; sizes: number[]; last: number } {
  const { dims, sizes } = gridOf(x, s, dim);
  const given = listOf(s);
  checkAxes(name, dims);
  const at = dims.length - 1;
  const last = given === null || given[at] === -1 ? 2 * (x.shape[dims[at]] - 1) : sizes[at];
  checkPoints(last);
  sizes[at] = Math.floor(last / 2) + 1;
  return { dims, sizes, last };
}

export function checkAxes(name: string, dims: readonly number[]): void {
  if (dims.length === 0) throw new RuntimeError(`${name} must transform at least one axis`);
}

/** Defines a transform whose `out` must be complex, or must be real. */
export function transform<F>(
  name: string,
  schema: string,
  kind: 'complex' | 'real',
  impl: (x: Tensor, ...args: never[]) => Tensor,
): F {
  const run = impl as unknown as (...args: readonly unknown[]) => Tensor;
  const own = name.replace(/2$/, 'n');
  return op(
    `fft.${name}`,
    schema,
    (...args: readonly unknown[]) => {
      const given = args.slice(0, -1);
      const out = args[args.length - 1] as Tensor | null;
      if (out !== null && kind === 'complex' && !out.dtype.is_complex)
        throw new RuntimeError(`${own} expects a complex output tensor, but got ${out.dtype.scalarName}`);
      if (out !== null && kind === 'real' && !out.dtype.is_floating_point)
        throw new RuntimeError(
          `${own} expects a floating point output tensor, but got ${out.dtype.scalarName}`,
        );
      const result = run(...given);
      return out === null ? result : writeOut(name, given, result, out, false);
    },
    { self: null, ownOut: true },
  );
}
