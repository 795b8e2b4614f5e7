// Reductions.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { type DType, int64 } from '../dtype.js';
import { empty } from '../dispatch/allocate.js';
import { RuntimeError } from '../errors.js';
import { type Tensor, wrapDim } from '../tensor.js';
import { castTo } from './copy.js';
import { op, type Op, type Out } from './define.js';

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

/** @internal Runs a reduction kernel; the result keeps the reduced dimensions. */
export function reduceKernel(kernel: string, x: Tensor, dims: readonly number[], dtype: DType, ...extra: readonly number[]): Tensor {
  const out = empty(keptShape(x, dims), dtype, x.device);
  if (out._numel > 0) backendOf(x.device.type).launch(kernel, out, x, dims.length, ...dims, ...extra);
  return out;
}

/** @internal Drops the reduced dimensions. */
export function dropDims(x: Tensor, dims: readonly number[], keepdim: boolean): Tensor {
  return keepdim || dims.length === 0 ? x : x.view(x.shape.filter((_, d) => !dims.includes(d)));
}

/** @internal A gradient or result of a reduction, with the reduced dimensions back as 1. */
export function restoreDims(grad: Tensor, x: readonly number[], dims: readonly number[], keepdim: boolean): Tensor {
  return keepdim ? grad : grad.view(x.map((size, d) => (dims.includes(d) ? 1 : size)));
}

/** The sum of the elements, of all or along dimensions. Integers and bool sum to int64. */
export const sum: Op<
  [dim?: number | readonly number[] | null, keepdim?: boolean, options?: Out & { dtype?: DType }] | [options: Out & { dim?: number | readonly number[]; keepdim?: boolean; dtype?: DType }],
  Tensor
> = op('sum', 'Tensor self, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None', (x: Tensor, dim: number | number[] | null, keepdim: boolean, dtype: DType | null) => {
  const dims = reducedDims(x, dim);
  const type = dtype ?? (x.dtype.is_integral ? int64 : x.dtype);
  const from = dtype !== null && dtype !== x.dtype ? castTo(x, dtype) : x;
  const out = reduceKernel('reduce_sum', from.detach(), dims, type);
  const result = dropDims(out, dims, keepdim);
  record(dim === null ? 'SumBackward0' : 'SumBackward1', [from], [result], () => ([g]) => [g === null ? null : restoreDims(g, x.shape, dims, keepdim).expand(x.shape)]);
  return result;
});
