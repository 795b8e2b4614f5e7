// Elements along one dimension by their positions, and orders reversed: what derivatives of selections and scans need.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { int64 } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { zeros_ } from './fill.js';

/** @internal The elements of x at `index` along d; index has x's shape but along d. Bounds were checked. */
export function gatherAlong(x: Tensor, d: number, index: Tensor): Tensor {
  const out = empty(index.shape, x.dtype, x.device);
  if (out._numel > 0) backendOf(x.device.type).launch('gather', out, x, d, index);
  record('GatherBackward0', [x], [out], () => ([g]) => [
    g === null ? null : scatterAdd(x.shape, d, index, g),
  ]);
  return out;
}

/** @internal Zeros of the given shape with the elements of `source` added at `index` along d. */
export function scatterAdd(shape: readonly number[], d: number, index: Tensor, source: Tensor): Tensor {
  const out = zeros_(shape, source.dtype, source.device);
  if (source._numel > 0) backendOf(source.device.type).launch('scatter_reduce', out, d, index, source, 0, 1);
  record('ScatterAddBackward0', [source], [out], () => ([g]) => [
    g === null ? null : gatherAlong(g, d, index),
  ]);
  return out;
}

/** @internal x with the order along d reversed. */
export function reverse(x: Tensor, d: number): Tensor {
  if (x.shape.length === 0) return x;
  const out = empty(x.shape, x.dtype, x.device);
  if (out._numel > 0) backendOf(x.device.type).launch('flip', out, x, 1, d);
  record('FlipBackward0', [x], [out], () => ([g]) => [g === null ? null : reverse(g, d)]);
  return out;
}

/** @internal x in ascending (or descending) order along d, stably, and where each element was. */
export function sortAlong(x: Tensor, d: number, descending = false): [values: Tensor, indices: Tensor] {
  const values = empty(x.shape, x.dtype, x.device);
  const indices = empty(x.shape, int64, x.device);
  if (x._numel > 0) backendOf(x.device.type).launch('sort', values, indices, x, d, descending, true);
  record('SortBackward0', [x], [values], () => ([g]) => [
    g === null ? null : scatterAdd(x.shape, d, indices, g),
  ]);
  return [values, indices];
}

/** @internal Hangs values that were picked from x along d on the graph; without keepdim they lack that dimension. */
export function recordSelection(
  node: string,
  x: Tensor,
  values: Tensor,
  indices: Tensor,
  d: number,
  keepdim: boolean,
): void {
  record(node, [x], [values], () => ([g]) => {
    if (g === null) return [null];
    if (x.shape.length === 0) return [g];
    const kept = (t: Tensor): Tensor => (keepdim ? t : t.unsqueeze(d));
    return [scatterAdd(x.shape, d, kept(indices), kept(g))];
  });
}
