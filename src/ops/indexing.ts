// Gathering and scattering by index.
import { record } from '../autograd/graph.js';
import { backendOf, type Scalar } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { IndexError } from '../errors.js';
import { type Tensor, wrapDim } from '../tensor.js';
import { clone, contiguous } from './copy.js';
import { zeros_ } from './fill.js';
import { op, type Op, type Out } from './define.js';

/** @internal Runs an indexing kernel, which checks the bounds itself. */
export function launchChecked(kernel: string, like: Tensor, describe: (bad: number) => string, ...args: Parameters<ReturnType<typeof backendOf>['launch']> extends [string, ...infer A] ? A : never): void {
  const backend = backendOf(like.device.type);
  if (backend.launch(kernel, ...args) !== 0) throw new IndexError(describe(backend.result(1)));
}

/** The slices along `dim` at the given indices, in their order. */
export const index_select: Op<[dim: number, index: Tensor, options?: Out], Tensor> = op('index_select', 'Tensor self, int dim, Tensor index, *, Tensor? out=None', (x: Tensor, dim: number, index: Tensor) => {
  const d = wrapDim(dim, x.shape.length);
  const out = empty(x.shape.map((n, i) => (i === d ? index._numel : n)), x.dtype, x.device);
  launchChecked('index_select', x, () => 'index out of range in self', out, x, d, index);
  record('IndexSelectBackward0', [x], [out], () => ([g]) => [g === null ? null : index_add(zeros_(x.shape, g.dtype, g.device), d, index, g)]);
  return out;
});

/** A copy with the slices of `source` added at the given indices along `dim`. */
export const index_add: Op<[dim: number, index: Tensor, source: Tensor, options?: Out & { alpha?: Scalar }], Tensor> = op(
  'index_add',
  'Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1, Tensor? out=None',
  (x: Tensor, dim: number, index: Tensor, source: Tensor, alpha: number) => {
    const d = wrapDim(dim, x.shape.length);
    const out = contiguous(clone(x.detach()));
    launchChecked('index_add', x, () => 'index out of range in self', out, d, index, source.detach(), alpha);
    record('IndexAddBackward0', [x, source], [out], () => ([g]) => [g, g === null ? null : index_select(g, d, index)]);
    return out;
  },
);
