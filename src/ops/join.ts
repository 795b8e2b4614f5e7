// Joining tensors: cat, stack and their kin.
import { type Grad, record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { alias, empty } from '../dispatch/allocate.js';
import { resultType } from '../dispatch/promotion.js';
import { typeName } from '../dispatch/schema.js';
import { RuntimeError, ValueError } from '../errors.js';
import { sameSizes, Tensor, wrapDim } from '../tensor.js';
import { type Out, op } from './define.js';
import { zeros_ } from './fill.js';
import { reshape, select, slice, unsqueeze } from './view.js';

/** A function of a list of tensors. */
export type ListOp<A extends readonly unknown[] = []> = (tensors: readonly Tensor[], ...args: A) => Tensor;

/** How many numbers of kernel arguments one call may take: the array that is shared with the addon has room for 16,384. */
const ARGUMENTS = 15_000;

/** @internal Copies every source over its destination of the same shape, converting dtypes; no history. */
export function copyMany(pairs: readonly (readonly [out: Tensor, from: Tensor])[]): void {
  const full = pairs.filter(([out]) => out._numel > 0);
  if (full.length === 0) return;
  const backend = backendOf(full[0][0].device.type);
  for (let i = 0; i < full.length; ) {
    const args: Tensor[] = [];
    for (let used = 1; i < full.length; i++) {
      used += 2 * (3 + 2 * full[i][0].shape.length);
      if (used > ARGUMENTS && args.length > 0) break;
      args.push(full[i][0], full[i][1]);
    }
    backend.launch('copy_many', args.length / 2, ...args);
  }
}

/** @throws when an item of the list is no tensor, or lies on another device. */
function checkList(tensors: readonly unknown[]): asserts tensors is readonly Tensor[] {
  tensors.forEach((x, i) => {
    if (!(x instanceof Tensor))
      throw new TypeError(`expected Tensor as element ${i} in argument 0, but got ${typeName(x)}`);
    const first = tensors[0] as Tensor;
    if (x.device.type !== first.device.type)
      throw new RuntimeError(
        `Expected all tensors to be on the same device, but got tensors is on ${x.device}, different from other tensors on ${first.device} (when checking argument in method wrapper_${first.device.type.toUpperCase()}_cat)`,
      );
  });
}

/** Gradients go to the inputs as they are cut out of the result's. */
function cut(
  g: Grad,
  tensors: readonly Tensor[],
  needs: (i: number) => boolean,
  piece: (g: Tensor, i: number) => Tensor,
): Grad[] {
  return tensors.map((_, i) => (g === null || !needs(i) ? null : piece(g, i)));
}

/** Empty 1-d tensors fit anywhere, for the sake of old programs. */
const skipped = (x: Tensor): boolean => x.shape.length === 1 && x.shape[0] === 0;

/**
 * The tensors one after the other along a dimension. Dtypes promote; 1-d tensors without elements are ignored.
 *
 *     torch.cat([torch.tensor([1, 2, 3]), torch.tensor([4])])
 *     // tensor([1., 2., 3., 4.])
 *
 * @throws RuntimeError unless the shapes agree in all other dimensions.
 */
export const cat: ListOp<[dim?: number, options?: Out] | [options: Out & { dim?: number }]> = op(
  'cat',
  'Tensor[] tensors, int dim=0, *, Tensor? out=None',
  (tensors: readonly Tensor[], dim: number) => {
    checkList(tensors);
    if (tensors.length === 0) throw new ValueError('torch.cat(): expected a non-empty list of Tensors');
    const at = tensors.findIndex((x) => x.shape.length === 0);
    if (at >= 0) throw new RuntimeError(`zero-dimensional tensor (at position ${at}) cannot be concatenated`);
    const model = tensors.find((x) => !skipped(x)) ?? tensors[0];
    const d = wrapDim(dim, model.shape.length);
    const shape = model.shape.slice();
    shape[d] = 0;
    const starts: number[] = [];
    tensors.forEach((x, i) => {
      starts.push(shape[d]);
      if (skipped(x)) return;
      checkFits(x, model, d, i);
      shape[d] += x.shape[d];
    });
    let dtype = tensors[0].dtype;
    if (tensors.some((x) => x.dtype !== dtype)) dtype = resultType(tensors);
    const out = empty(shape, dtype, model.device);
    const pairs: [Tensor, Tensor][] = [];
    tensors.forEach((x, i) => {
      if (x._numel > 0) pairs.push([window(out, d, starts[i], x.shape[d]), x]);
    });
    copyMany(pairs);
    record(
      'CatBackward0',
      tensors,
      [out],
      () =>
        ([g], needs) =>
          cut(g, tensors, needs, (grad, i) =>
            skipped(tensors[i])
              ? zeros_([0], grad.dtype, grad.device)
              : slice(grad, d, starts[i], starts[i] + tensors[i].shape[d]),
          ),
    );
    return out;
  },
  { separateOut: true },
);

/** A part of a fresh result, without history. */
function window(out: Tensor, d: number, start: number, length: number): Tensor {
  const shape = out.shape.slice();
  shape[d] = length;
  return alias(out, shape, out._strides, start * out._strides[d]);
}

function checkFits(x: Tensor, model: Tensor, d: number, i: number): void {
  if (x.shape.length !== model.shape.length)
    throw new RuntimeError(
      `Tensors must have same number of dimensions: got ${model.shape.length} and ${x.shape.length}`,
    );
  for (let k = 0; k < x.shape.length; k++)
    if (k !== d && x.shape[k] !== model.shape[k])
      throw new RuntimeError(
        `Sizes of tensors must match except in dimension ${d}. Expected size ${model.shape[k]} but got size ${x.shape[k]} for tensor number ${i} in the list.`,
      );
}

/** Alias of {@link cat}. */
export const concat: typeof cat = cat;
/** Alias of {@link cat}. */
export const concatenate: typeof cat = cat;

/**
 * The tensors side by side along a new dimension.
 *
 *     torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], 1)
 *     // tensor([[1., 3.],
 *     //         [2., 4.]])
 *
 * @throws RuntimeError unless all have the same shape.
 */
export const stack: ListOp<[dim?: number, options?: Out] | [options: Out & { dim?: number }]> = op(
  'stack',
  'Tensor[] tensors, int dim=0, *, Tensor? out=None',
  (tensors: readonly Tensor[], dim: number) => {
    checkList(tensors);
    if (tensors.length === 0) throw new RuntimeError('stack expects a non-empty TensorList');
    const { shape, device } = tensors[0];
    const d = wrapDim(dim, shape.length + 1);
    tensors.forEach((x, i) => {
      if (!sameSizes(x.shape, shape))
        throw new RuntimeError(
          `stack expects each tensor to be equal size, but got [${shape.join(', ')}] at entry 0 and [${x.shape.join(', ')}] at entry ${i}`,
        );
    });
    let dtype = tensors[0].dtype;
    if (tensors.some((x) => x.dtype !== dtype)) dtype = resultType(tensors);
    const out = empty([...shape.slice(0, d), tensors.length, ...shape.slice(d)], dtype, device);
    const strides = out._strides.filter((_, k) => k !== d);
    copyMany(tensors.map((x, i) => [alias(out, shape, strides, i * out._strides[d]), x] as const));
    record(
      'StackBackward0',
      tensors,
      [out],
      () =>
        ([g], needs) =>
          cut(g, tensors, needs, (grad, i) => select(grad, d, i)),
    );
    return out;
  },
);

function nonEmpty(name: string, tensors: readonly Tensor[]): readonly Tensor[] {
  checkList(tensors);
  if (tensors.length === 0) throw new RuntimeError(`${name} expects a non-empty TensorList`);
  return tensors;
}

/** @internal With at least n dimensions, as numpy's atleast_nd brings them. */
export function atLeast(x: Tensor, n: 1 | 2 | 3): Tensor {
  const have = x.shape.length;
  if (have >= n) return x;
  if (have === 0) return reshape(x, new Array<number>(n).fill(1));
  if (n === 2) return unsqueeze(x, 0);
  return have === 1 ? unsqueeze(unsqueeze(x, 0), -1) : unsqueeze(x, -1);
}

const listSchema = 'Tensor[] tensors, *, Tensor? out=None';

/** The tensors one after the other along the second dimension (1-d tensors: along the first). */
export const hstack: ListOp<[options?: Out]> = op('hstack', listSchema, (tensors: readonly Tensor[]) => {
  const rows = nonEmpty('hstack', tensors).map((x) => atLeast(x, 1));
  return cat(rows, rows[0].shape.length === 1 ? 0 : 1);
});

/** The tensors below each other: along the first dimension, 1-d tensors as rows. */
export const vstack: ListOp<[options?: Out]> = op('vstack', listSchema, (tensors: readonly Tensor[]) =>
  cat(
    nonEmpty('vstack', tensors).map((x) => atLeast(x, 2)),
    0,
  ),
);
/** Alias of {@link vstack}. */
export const row_stack: typeof vstack = vstack;

/** The tensors behind each other: along the third dimension. */
export const dstack: ListOp<[options?: Out]> = op('dstack', listSchema, (tensors: readonly Tensor[]) =>
  cat(
    nonEmpty('dstack', tensors).map((x) => atLeast(x, 3)),
    2,
  ),
);

/** The tensors as columns: 0-d and 1-d tensors become columns first. */
export const column_stack: ListOp<[options?: Out]> = op(
  'column_stack',
  listSchema,
  (tensors: readonly Tensor[]) =>
    hstack(
      nonEmpty('column_stack', tensors).map((x) => (x.shape.length <= 1 ? reshape(x, [x._numel, 1]) : x)),
    ),
);
