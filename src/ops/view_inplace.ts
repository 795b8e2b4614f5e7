// View ops in place: the tensor object itself takes the geometry and the history of the view.
import { attach, checkInPlace, connect, functionNode } from '../autograd/graph.js';
import { setGeometry } from '../dispatch/out.js';
import { autogradMeta, type Tensor } from '../tensor.js';
import { type Op, op } from './define.js';
import { swapaxes, swapdims } from './shape.js';
import { as_strided, squeeze, t, transpose, unsqueeze } from './view.js';

type Shape = readonly number[];

/**
 * Defines NAME_ from a view op. The history is the view's node, by the name that PyTorch gives the in-place
 * form: `offset` higher in number (TransposeBackward1). A view of another tensor keeps its base.
 */
function inPlaceView<F>(name: string, schema: string, look: (...args: never[]) => Tensor, offset = 1): F {
  const show = look as (...args: readonly unknown[]) => Tensor;
  const run = (x: Tensor, ...args: readonly unknown[]): Tensor => {
    checkInPlace(x, x.requires_grad);
    const view = show(x, ...args);
    const node = view.grad_fn;
    const renamed =
      node === null
        ? null
        : functionNode(
            node.name().replace(/\d+$/, (n) => String(Number(n) + offset)),
            () => (grads) => node.apply(grads),
          );
    if (renamed !== null) connect(renamed, [x], []);
    setGeometry(x, view.shape, view._strides, view._offset);
    x._storage.version++;
    if (renamed !== null) {
      attach(renamed, [x]);
      autogradMeta(x).version = x._storage.version;
    }
    return x;
  };
  return op(`${name}_`, schema, run as (...args: never[]) => Tensor);
}

/** {@link squeeze} of this tensor itself. */
export const squeeze_: Op<[dim?: number | Shape], Tensor> = inPlaceView(
  'squeeze',
  'Tensor self, int[1]? dim=None',
  squeeze,
  3,
);
/** {@link unsqueeze} of this tensor itself. */
export const unsqueeze_: Op<[dim: number], Tensor> = inPlaceView(
  'unsqueeze',
  'Tensor self, int dim',
  unsqueeze,
);
/** {@link transpose} of this tensor itself. */
export const transpose_: Op<[dim0: number, dim1: number], Tensor> = inPlaceView(
  'transpose',
  'Tensor self, int dim0, int dim1',
  transpose,
);
/** {@link t} of this tensor itself. */
export const t_: Op<[], Tensor> = inPlaceView('t', 'Tensor self', t);
/** {@link swapaxes} of this tensor itself. */
export const swapaxes_: Op<[axis0: number, axis1: number], Tensor> = inPlaceView(
  'swapaxes',
  'Tensor self, int axis0, int axis1',
  swapaxes,
);
/** {@link swapdims} of this tensor itself. */
export const swapdims_: Op<[dim0: number, dim1: number], Tensor> = inPlaceView(
  'swapdims',
  'Tensor self, int dim0, int dim1',
  swapdims,
);
/** {@link as_strided} of this tensor itself. */
export const as_strided_: Op<[size: Shape, stride: Shape, storage_offset?: number | null], Tensor> =
  inPlaceView('as_strided', 'Tensor self, int[] size, int[] stride, int? storage_offset=None', as_strided);
