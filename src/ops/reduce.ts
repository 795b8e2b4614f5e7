// Reductions.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { alias, empty } from '../dispatch/allocate.js';
import { type DType, int64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { contiguousStrides, type Tensor, wrapDim } from '../tensor.js';
import { castTo } from './copy.js';
import { type Op, type Out, op } from './define.js';

/** @internal The dimensions that a reduction runs over: all when none are named. */
export function reducedDims(x: Tensor, dim: number | readonly number[] | null): number[] {
  const n = x.shape.length;
  const named = dim === null ? [] : Array.isArray(dim) ? (dim as number[]) : [dim as number];
  if (named.length === 0) return x.shape.map((_, d) => d);
  const dims = named.map((d) => wrapDim(d, n));
  dims.forEach((d, i) => {
    if (dims.indexOf(d) !== i) throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
  });
  return n === 0 ? [] : dims;
}

/** @internal The shape with the reduced dimensions kept as 1. */
export function keptShape(x: Tensor, dims: readonly number[]): number[] {
  return x.shape.map((size, d) => (dims.includes(d) ? 1 : size));
}

/** @internal The shape without the reduced dimensions, or with them as 1. */
export function reducedShape(x: Tensor, dims: readonly number[], keepdim: boolean): number[] {
  return keepdim ? keptShape(x, dims) : x.shape.filter((_, d) => !dims.includes(d));
}

/** @internal A fresh result as a reduction kernel writes it: with the reduced dimensions as 1. */
export function asKept(out: Tensor, x: Tensor, dims: readonly number[]): Tensor {
  if (out.shape.length === x.shape.length) return out;
  const shape = keptShape(x, dims);
  return alias(out, shape, contiguousStrides(shape), out._offset, true);
}

/** @internal Runs a reduction kernel; the result keeps the reduced dimensions. */
export function reduceKernel(
  kernel: string,
  x: Tensor,
  dims: readonly number[],
  dtype: DType,
  ...extra: readonly number[]
): Tensor {
  return runReduction(kernel, x, dims, true, dtype, ...extra);
}

/** @internal Runs a reduction kernel `out, in, count, dims…, extra…`. */
export function runReduction(
  kernel: string,
  x: Tensor,
  dims: readonly number[],
  keepdim: boolean,
  dtype: DType,
  ...extra: readonly number[]
): Tensor {
  const out = empty(reducedShape(x, dims, keepdim), dtype, x.device);
  if (out._numel > 0)
    backendOf(x.device.type).launch(kernel, asKept(out, x, dims), x, dims.length, ...dims, ...extra);
  return out;
}

/** @internal A gradient or result of a reduction, with the reduced dimensions back as 1. */
export function restoreDims(
  grad: Tensor,
  x: readonly number[],
  dims: readonly number[],
  keepdim: boolean,
): Tensor {
  return keepdim || dims.length === 0
    ? grad
    : grad.reshape(x.map((size, d) => (dims.includes(d) ? 1 : size)));
}

/** Options of the reductions over some dimensions. */
export interface ReduceOptions extends Out {
  dim?: number | readonly number[] | null;
  keepdim?: boolean;
  dtype?: DType | null;
}

/** Arguments of the reductions over some dimensions. */
export type ReduceArgs =
  | [dim?: number | readonly number[] | null, keepdim?: boolean, options?: ReduceOptions]
  | [options: ReduceOptions]
  | [dim: number | readonly number[] | null, options: ReduceOptions];

/**
 * The sum of the elements, of all or along dimensions. Integers and bool sum to int64.
 *
 *     torch.tensor([[1, 2], [3, 4]]).sum(0)
 *     // tensor([4., 6.])
 */
export const sum: Op<ReduceArgs, Tensor> = op(
  'sum',
  'Tensor self, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None',
  (x: Tensor, dim: number | number[] | null, keepdim: boolean, dtype: DType | null) => {
    const dims = reducedDims(x, dim);
    const type = dtype ?? (x.dtype.is_integral ? int64 : x.dtype);
    const from = dtype !== null && dtype !== x.dtype ? castTo(x, dtype) : x;
    const out = runReduction('reduce_sum', from, dims, keepdim, type);
    record(dim === null ? 'SumBackward0' : 'SumBackward1', [from], [out], () => ([g]) => [
      g === null ? null : restoreDims(g, x.shape, dims, keepdim).expand(x.shape),
    ]);
    return out;
  },
);
