// Pools on the back end's kernels, with their derivatives: means are linear, and maxima gather what their positions name.
import { record } from '../../autograd/graph.js';
import { backendOf } from '../../backends/backend.js';
import { alias, empty } from '../../dispatch/allocate.js';
import { int64 } from '../../dtype.js';
import { NotImplementedError } from '../../errors.js';
import { gatherAlong } from '../../ops/along.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { contiguousStrides, type Tensor } from '../../tensor.js';
import { inSpace, type Windows } from './windows.js';

/** A contiguous [N, C, spatial...] as [N C, D, H, W]. */
function planes(x: Tensor): Tensor {
  const [n, c, ...spatial] = x.shape;
  const shape = [n * c, ...inSpace(spatial, 1)];
  return alias(x, shape, contiguousStrides(shape), x._offset, true);
}

const sizes = (w: Windows): number[] => [
  ...inSpace(w.kernel, 1),
  ...inSpace(w.stride, 1),
  ...inSpace(w.before, 0),
  ...inSpace(w.dilation, 1),
];

/** What a kernel reads: contiguous, integers as int64. */
const operand = (x: Tensor): Tensor =>
  contiguous(castTo(x.detach(), x.dtype.is_floating_point ? x.dtype : int64));

/** Refuses the dtypes that PyTorch's kernel of that name has no case for. */
export function refuseDtype(x: Tensor, kernel: string, integers: 'all' | 'int64' | 'none'): void {
  const d = x.dtype;
  if (d.is_floating_point) return;
  if (integers === 'all' && d.is_integral && d.name !== 'bool') return;
  if (integers === 'int64' && d === int64) return;
  throw new NotImplementedError(`"${kernel}" not implemented for '${d.scalarName}'`);
}

/** Adds grad [N, C, count...] at the positions in the flattened images [N, C, image...]. */
export function scatterPooled(grad: Tensor, indices: Tensor, image: readonly number[], node: string): Tensor {
  const [n, c] = grad.shape;
  const source = operand(grad);
  const out = empty([n, c, ...image], grad.dtype, grad.device);
  if (out._numel > 0)
    backendOf(out.device.type).launch('pool_scatter', planes(out), planes(source), planes(indices));
  record(node, [grad], [out], () => ([g]) => [g === null ? null : gatherPooled(g, indices)]);
  return out;
}

/** The elements of x [N, C, image...] at positions [N, C, count...] of its flattened images. */
function gatherPooled(x: Tensor, indices: Tensor): Tensor {
  const flat = gatherAlong(x.flatten(2), 2, indices.flatten(2));
  return flat.reshape(indices.shape);
}

/** Puts values and positions of maxima on the graph. */
function finishMax(x: Tensor, values: Tensor, indices: Tensor, node: string): [Tensor, Tensor] {
  const image = x.shape.slice(2);
  const out = castTo(values, x.dtype);
  record(node, [x], [out], () => ([g]) => [
    g === null ? null : scatterPooled(g, indices, image, `${node.slice(0, -1)}Backward0`),
  ]);
  return [out, indices];
}

/** Maxima of windows of x [N, C, image...] and their positions in the flattened image; NaN is the largest. */
export function maxPool(x: Tensor, w: Windows, node: string): [values: Tensor, indices: Tensor] {
  const source = operand(x);
  const shape = [x.shape[0], x.shape[1], ...w.count];
  const values = empty(shape, source.dtype, x.device);
  const indices = empty(shape, int64, x.device);
  if (values._numel > 0)
    backendOf(x.device.type).launch(
      'max_pool',
      planes(values),
      [planes(indices)],
      planes(source),
      ...sizes(w),
    );
  return finishMax(x, values, indices, node);
}

/** How the elements of a window are counted; divisor 0: those of the window. */
export interface Averaging {
  readonly includePad: boolean;
  readonly divisor: number;
}

const averaging = (a: Averaging): [boolean, number] => [a.includePad, a.divisor];

/** Means of windows of x [N, C, image...]. */
export function avgPool(x: Tensor, w: Windows, a: Averaging, node: string): Tensor {
  const source = operand(x);
  const values = empty([x.shape[0], x.shape[1], ...w.count], source.dtype, x.device);
  if (values._numel > 0)
    backendOf(x.device.type).launch('avg_pool', planes(values), planes(source), ...sizes(w), ...averaging(a));
  const out = castTo(values, x.dtype);
  record(node, [x], [out], () => ([g]) => [g === null ? null : spreadPooled(g, w, a, node)]);
  return out;
}

/** The transpose of {@link avgPool}. */
function spreadPooled(grad: Tensor, w: Windows, a: Averaging, node: string): Tensor {
  const source = operand(grad);
  const out = empty([grad.shape[0], grad.shape[1], ...w.image], grad.dtype, grad.device);
  if (out._numel > 0)
    backendOf(out.device.type).launch(
      'avg_pool_backward',
      planes(out),
      planes(source),
      ...sizes(w),
      ...averaging(a),
    );
  record(`${node.slice(0, -1)}Backward0`, [grad], [out], () => ([g]) => [
    g === null ? null : avgPool(g, w, a, node),
  ]);
  return out;
}

/** Boxes of an image: [1 or N C, 2, sum of count] firsts along each axis (depth, height, width), then ends, int64. */
export interface Boxes {
  readonly image: readonly number[];
  readonly count: readonly number[];
  readonly bounds: Tensor;
}

/** Maxima of boxes of x [N, C, image...] and their positions in the flattened image. */
export function boxMax(x: Tensor, b: Boxes, node: string): [values: Tensor, indices: Tensor] {
  const source = operand(x);
  const shape = [x.shape[0], x.shape[1], ...b.count];
  const values = empty(shape, source.dtype, x.device);
  const indices = empty(shape, int64, x.device);
  if (values._numel > 0)
    backendOf(x.device.type).launch('box_max', planes(values), planes(indices), planes(source), b.bounds);
  return finishMax(x, values, indices, node);
}

/** Means of boxes of x [N, C, image...]. */
export function boxMean(x: Tensor, b: Boxes, node: string): Tensor {
  const source = operand(x);
  const out = empty([x.shape[0], x.shape[1], ...b.count], x.dtype, x.device);
  if (out._numel > 0) backendOf(x.device.type).launch('box_mean', planes(out), planes(source), b.bounds);
  record(node, [x], [out], () => ([g]) => [g === null ? null : spreadBoxes(g, b, node)]);
  return out;
}

/** The transpose of {@link boxMean}. */
function spreadBoxes(grad: Tensor, b: Boxes, node: string): Tensor {
  const source = operand(grad);
  const out = empty([grad.shape[0], grad.shape[1], ...b.image], grad.dtype, grad.device);
  if (out._numel > 0)
    backendOf(out.device.type).launch('box_mean_backward', planes(out), planes(source), b.bounds);
  record(`${node.slice(0, -1)}Backward0`, [grad], [out], () => ([g]) => [
    g === null ? null : boxMean(g, b, node),
  ]);
  return out;
}
