// Elements by tensors of coordinates: x[i, j] read and written, take and put.

import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { bool, int32, int64, uint8 } from '../dtype.js';
import { IndexError, RuntimeError } from '../errors.js';
import { listText } from '../pyformat.js';
import { numelOf, sameSizes, type Tensor } from '../tensor.js';
import { warnOnce } from '../warnings.js';
import { contiguous, copyInto } from './copy.js';
import { type InPlaceOp, type Op, type Out, op } from './define.js';
import { zeros_ } from './fill.js';
import { launchChecked, longIndex } from './indexing.js';
import { coordinates } from './masks.js';
import { overwriting } from './overwrite.js';
import { unbind } from './split.js';
import { expand, permute, reshape } from './view.js';

/** One index per dimension of a tensor; null takes the whole dimension. */
export type Indices = readonly (Tensor | null)[];

/**
 * Index tensors as kernels take them: int64, masks replaced by the coordinates of their true elements.
 * @throws IndexError for other dtypes, masks that do not fit, and too many indices.
 */
function asCoordinates(x: Tensor, indices: Indices): (Tensor | null)[] {
  const out: (Tensor | null)[] = [];
  for (const index of indices) {
    if (index === null) out.push(null);
    else if (index.dtype === bool || index.dtype === uint8) {
      if (index.dtype === uint8)
        warnOnce('indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.');
      const at = out.length;
      if (at + index.shape.length > x.shape.length)
        throw new IndexError(`too many indices for tensor of dimension ${x.shape.length}`);
      index.shape.forEach((n, i) => {
        if (n !== x.shape[at + i])
          throw new IndexError(
            `The shape of the mask ${listText(index.shape)} at index ${i} does not match the shape of the indexed tensor ${listText(x.shape)} at index ${at + i}`,
          );
      });
      out.push(...unbind(coordinates(index), 1));
    } else if (index.dtype === int64 || index.dtype === int32) out.push(longIndex(index));
    else throw new IndexError('tensors used as indices must be long, int, byte or bool tensors');
  }
  if (out.length > x.shape.length)
    throw new IndexError(`too many indices for tensor of dimension ${x.shape.length} (got ${out.length})`);
  return out;
}

/** How x is read by its index tensors: with the indexed dimensions in front. */
interface Reading {
  /** The indexed dimensions, then the others. */
  readonly order: readonly number[];
  /** Broadcast index tensors. */
  readonly places: readonly Tensor[];
  /** The shape of the index tensors. */
  readonly common: readonly number[];
  /** The sizes of the dimensions that no index reads. */
  readonly rest: readonly number[];
  /** Where in the result the dimensions of the indices go: the place of the first when they are neighbours, else the front. */
  readonly at: number;
}

function readingOf(x: Tensor, given: Indices): Reading {
  const indices = asCoordinates(x, given);
  const used: number[] = [];
  indices.forEach((index, d) => {
    if (index !== null) used.push(d);
  });
  const tensors = used.map((d) => indices[d] as Tensor);
  if (tensors.length === 0) throw new IndexError('at least one index must be a tensor');
  let common: readonly number[] = [];
  try {
    for (const t of tensors) common = broadcastShapes(common, t.shape);
  } catch {
    const shapes = tensors.map((t) => listText(t.shape)).join(', ');
    throw new IndexError(
      `shape mismatch: indexing tensors could not be broadcast together with shapes ${shapes}`,
    );
  }
  const others = x.shape.map((_, d) => d).filter((d) => !used.includes(d));
  const neighbours = used.every((d, i) => i === 0 || d === used[i - 1] + 1);
  if (numelOf(common) > 0 || others.some((d) => x.shape[d] === 0)) {
    // Reading from nothing is an error only where something would be read.
    for (const d of used)
      if (x.shape[d] === 0 && numelOf(common) > 0)
        throw new IndexError('index is out of bounds for dimension with size 0');
  }
  return {
    order: [...used, ...others],
    places: tensors.map((t) => expand(t, common)),
    common,
    rest: others.map((d) => x.shape[d]),
    at: neighbours ? (used[0] ?? 0) : 0,
  };
}

/** The bad index that a kernel met, in PyTorch's words, which count index tensors rather than dimensions. */
function describe(x: Tensor, reading: Reading): (bad: number) => string {
  return (bad) => {
    const i = backendOf(x.device.type).result(3);
    return `index ${bad} is out of bounds for dimension ${i} with size ${x.shape[reading.order[i]]}`;
  };
}

/** Moves the dimensions of the indices from the front of a tensor to their place. */
function placeIndices(x: Tensor, reading: Reading): Tensor {
  const { at } = reading;
  const k = reading.common.length;
  if (at === 0 || k === 0) return x;
  const lead = Array.from({ length: at }, (_, i) => k + i);
  const own = Array.from({ length: k }, (_, i) => i);
  const rest = Array.from({ length: x.shape.length - k - at }, (_, i) => k + at + i);
  return permute(x, [...lead, ...own, ...rest]);
}

/** The inverse of {@link placeIndices}. */
function frontIndices(x: Tensor, reading: Reading): Tensor {
  const { at } = reading;
  const k = reading.common.length;
  if (at === 0 || k === 0) return x;
  const own = Array.from({ length: k }, (_, i) => at + i);
  const lead = Array.from({ length: at }, (_, i) => i);
  const rest = Array.from({ length: x.shape.length - k - at }, (_, i) => k + at + i);
  return permute(x, [...own, ...lead, ...rest]);
}

const front = (x: Tensor, reading: Reading): Tensor => permute(x.detach(), [...reading.order]);
const isMask = (index: Tensor | null): boolean =>
  index !== null && (index.dtype === bool || index.dtype === uint8);

/** Index tensors that backward can reuse: masks are looked up once. */
const settled = (x: Tensor, indices: Indices): Indices =>
  indices.some(isMask) ? asCoordinates(x, indices) : indices;

/**
 * @internal `x[indices]` with tensors: elements at their common coordinates. The dimensions of the indices stand where
 * the first index is when the indexed dimensions are neighbours, else in front.
 */
export function indexWith(x: Tensor, given: Indices): Tensor {
  const indices = settled(x, given);
  const reading = readingOf(x, indices);
  const { places, common, rest } = reading;
  const fresh = empty([...common, ...rest], x.dtype, x.device);
  if (fresh._numel > 0)
    launchChecked('index', x, describe(x, reading), fresh, front(x, reading), places.length, ...places);
  const out = placeIndices(fresh, reading).detach();
  const shape = x.shape;
  record('IndexBackward0', [x], [out], () => ([g]) => [
    g === null ? null : putWith(zeros_(shape, g.dtype, g.device), indices, g, true),
  ]);
  return out;
}

/** The values in the layout that the kernel writes: indices first, expanded to the whole. */
function spreadValues(values: Tensor, reading: Reading): Tensor {
  const { at, common, rest } = reading;
  const shape = [...rest.slice(0, at), ...common, ...rest.slice(at)];
  const lead = values.shape.length - shape.length;
  const fits =
    (lead <= 0 || values.shape.slice(0, lead).every((n) => n === 1)) &&
    values.shape.slice(Math.max(lead, 0)).every((n, i) => {
      const size = shape[i + Math.max(-lead, 0)];
      return n === 1 || n === size;
    });
  if (!fits)
    throw new RuntimeError(
      `shape mismatch: value tensor of shape ${listText(values.shape)} cannot be broadcast to indexing result of shape ${listText(shape)}`,
    );
  const flat = lead > 0 ? reshape(values, values.shape.slice(lead)) : values;
  return frontIndices(expand(flat, shape), reading);
}

type PutArgs = [indices: Indices, values: Tensor, accumulate?: boolean];

/**
 * A copy with `values` (broadcast) written at the coordinates of the index tensors; with `accumulate`, added there.
 * @throws IndexError for indices out of range; RuntimeError for values that do not fit.
 */
export const index_put: InPlaceOp<PutArgs, Tensor> = overwriting(
  'index_put',
  'Tensor self, any indices, Tensor values, bool accumulate=False',
  (x: Tensor, given: unknown, values: Tensor, accumulate: boolean) => {
    if (!Array.isArray(given))
      throw new TypeError("index_put(): argument 'indices' (position 2) must be tuple of Tensors");
    if (values.dtype !== x.dtype)
      throw new RuntimeError(
        `Index put requires the source and destination dtypes match, got ${x.dtype.scalarName} for the destination and ${values.dtype.scalarName} for the source.`,
      );
    const indices = settled(x, given as Indices);
    const reading = readingOf(x, indices);
    const spread = spreadValues(values.detach(), reading);
    const shape = values.shape;
    return {
      node: 'IndexPutBackward0',
      inputs: [x, values],
      reads: [values, ...(given as Indices).filter((index) => index !== null)],
      write: (out) => {
        if (spread._numel === 0) return;
        const { places } = reading;
        launchChecked(
          'index_put',
          x,
          describe(x, reading),
          front(out, reading),
          places.length,
          ...places,
          spread,
          accumulate,
        );
      },
      derivative:
        () =>
        ([g], needs) => [
          g === null || !needs(0)
            ? null
            : accumulate
              ? g
              : putWith(g, indices, zeros_([], g.dtype, g.device), false),
          g === null || !needs(1) ? null : reduceTo(indexWith(g, indices), shape),
        ],
    };
  },
);

/** Sums a gradient over the dimensions in which values were broadcast, leading ones of size 1 included. */
function reduceTo(g: Tensor, shape: readonly number[]): Tensor {
  const extra = shape.length - g.shape.length;
  if (extra <= 0) return g; // the engine sums
  const bare = shape.slice(extra);
  return reshape(sameSizes(bare, g.shape) ? g : g.sum_to_size([...bare]), shape);
}

const putWith = (x: Tensor, indices: Indices, values: Tensor, accumulate: boolean): Tensor =>
  index_put(x, indices, values, accumulate);

const outside =
  (x: Tensor) =>
  (bad: number): string =>
    `out of range: tried to access index ${bad} on a tensor of ${x._numel} elements.`;

/**
 * Elements by their positions in row-major order; negative ones count from the end. The result has the index's shape.
 *
 *     torch.tensor([[1, 2], [3, 4]]).take(torch.tensor([0n, 3n]))
 *     // tensor([1., 4.])
 */
export const take: Op<[index: Tensor, options?: Out], Tensor> = op(
  'take',
  'Tensor self, Tensor index, *, Tensor? out=None',
  (x: Tensor, index: Tensor) => {
    if (index.dtype !== int64)
      throw new RuntimeError(`take(): Expected a long tensor for index, but got ${index.dtype.scalarName}`);
    if (x._numel === 0 && index._numel > 0)
      throw new IndexError('take(): tried to take from an empty tensor');
    const out = empty(index.shape, x.dtype, x.device);
    if (out._numel > 0) launchChecked('take', x, outside(x), out, contiguous(x.detach()), index.detach());
    const shape = x.shape;
    record('TakeBackward0', [x], [out], () => ([g]) => [
      g === null ? null : put(zeros_(shape, g.dtype, g.device), index, g, true),
    ]);
    return out;
  },
  { exactOut: true },
);

/** A copy with the elements of `source` at the given positions in row-major order; with `accumulate`, added there. */
export const put: InPlaceOp<
  | [index: Tensor, source: Tensor, accumulate?: boolean]
  | [index: Tensor, source: Tensor, options: { accumulate?: boolean }],
  Tensor
> = overwriting(
  'put',
  'Tensor self, Tensor index, Tensor source, bool accumulate=False',
  (x: Tensor, index: Tensor, source: Tensor, accumulate: boolean) => {
    if (index.dtype !== int64)
      throw new RuntimeError(`put_(): Expected a long tensor for index, but got ${index.dtype.scalarName}`);
    if (x.dtype !== source.dtype)
      throw new RuntimeError(
        `put_(): self and source expected to have the same dtype, but got self.dtype = ${x.dtype.scalarName} and source.dtype = ${source.dtype.scalarName}`,
      );
    if (source._numel !== index._numel)
      throw new IndexError(
        `put_(): Expected source and index to have the same number of elements, but got source.numel() = ${source._numel}, index.numel() = ${index._numel}`,
      );
    if (x._numel === 0 && index._numel > 0)
      throw new IndexError('put_(): tried to put elements into an empty tensor');
    const shape = source.shape;
    return {
      node: 'PutBackward0',
      inputs: [x, source],
      reads: [index, source],
      write: (out) => {
        if (index._numel === 0) return;
        const line = contiguous(out.detach());
        launchChecked(
          'put',
          x,
          outside(x),
          line,
          index.detach(),
          reshape(source.detach(), index.shape),
          accumulate,
        );
        if (line._storage !== out._storage) copyInto(out, line);
      },
      derivative:
        () =>
        ([g], needs) => [
          g === null || !needs(0)
            ? null
            : accumulate
              ? g
              : put(g, index, zeros_(index.shape, g.dtype, g.device)),
          g === null || !needs(1) ? null : reshape(take(g, index), shape),
        ],
    };
  },
);
