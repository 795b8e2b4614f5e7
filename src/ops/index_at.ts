// Indexing as in x[...]: basic indices give views, tensors and masks select elements.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { bool, int64, uint8 } from '../dtype.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { IndexError, RuntimeError } from '../errors.js';
import { numelOf, Tensor } from '../tensor.js';
import { castTo, contiguous, copy_ } from './copy.js';
import { tensor } from './data.js';
import { method, type Op, type Operand, op, writeInPlace } from './define.js';
import { full_, zeros_ } from './fill.js';
import { expand, permute, reshape, select, slice, unsqueeze } from './view.js';

/** One index: a position, a slice `'a:b:c'`, `'...'`, null for a new dimension, a truth value, positions, or a mask. */
export type Index = number | bigint | string | boolean | null | Tensor | readonly (number | boolean | readonly unknown[])[];

/** How many elements of x are not zero. @internal */
export function countNonzero(x: Tensor): number {
  if (x._numel === 0) return 0;
  if (x.device.type === 'meta') throw new RuntimeError('nonzero is not supported for meta tensors: it depends on the elements');
  return backendOf(x.device.type).launch('nonzero_count', x);
}

/** The positions of the nonzero elements, one row each: [n, ndim]. */
export function nonzeroRows(x: Tensor): Tensor {
  const n = countNonzero(x);
  const out = empty([n, x.shape.length], int64, x.device);
  if (out._numel > 0) backendOf(x.device.type).launch('nonzero', out, x);
  return out;
}

const isMask = (x: Tensor): boolean => x.dtype === bool || x.dtype === uint8;

/** The advanced indices of each dimension of a view; null where a dimension is taken whole. */
type Positions = (Tensor | null)[];

function parseSlice(text: string): [number | null, number | null, number] {
  const parts = text.split(':');
  if (parts.length < 2 || parts.length > 3) throw new TypeError(`'${text}' is not a slice: write 'start:end' or 'start:end:step'`);
  const [start, end, step] = parts.map((p) => {
    const trimmed = p.trim();
    if (trimmed === '') return null;
    if (!/^[+-]?\d+$/.test(trimmed)) throw new TypeError(`'${text}' is not a slice: slice indices must be integers`);
    return Number(trimmed);
  });
  if (step !== undefined && step !== null && step <= 0) throw new RuntimeError(step === 0 ? 'slice step cannot be zero' : 'step must be greater than zero');
  return [start, end, step ?? 1];
}

/** How many dimensions an index consumes. */
function consumed(index: Index): number {
  if (index === null || index === '...' || typeof index === 'boolean') return 0;
  if (index instanceof Tensor) return isMask(index) ? index.shape.length : 1;
  return 1;
}

/** Applies basic indices as views and collects the advanced ones. */
function applyBasic(x: Tensor, indices: readonly Index[]): { view: Tensor; positions: Positions } {
  const list = indices.map((i) => (Array.isArray(i) ? tensor(i as never, typeof i.flat(9)[0] === 'number' || i.length === 0 ? { dtype: int64 } : {}) : i)) as Exclude<Index, readonly unknown[]>[];
  const used = list.reduce((n: number, i) => n + consumed(i), 0);
  if (used > x.shape.length) throw new IndexError(`too many indices for tensor of dimension ${x.shape.length}`);
  let view = x;
  let dim = 0;
  const positions: Positions = [];
  const put = (p: Tensor | null): void => {
    positions[dim] = p;
    dim++;
  };
  for (const index of list) {
    if (typeof index === 'number' || typeof index === 'bigint') view = selectAt(view, dim, Number(index));
    else if (index === '...') for (let rest = x.shape.length - used; rest > 0; rest--) put(null);
    else if (typeof index === 'string') {
      view = slice(view, dim, ...parseSlice(index));
      put(null);
    } else if (index === null) {
      view = unsqueeze(view, dim);
      put(null);
    } else if (typeof index === 'boolean') {
      view = unsqueeze(view, dim);
      put(index ? zeros_([1], int64, x.device) : empty([0], int64, x.device));
    } else if (index instanceof Tensor) {
      if (index.shape.length === 0 && !isMask(index)) {
        if (index.dtype.kind !== 'integer') throw badIndexType();
        view = selectAt(view, dim, Number(index.item()));
      } else view = advanced(view, dim, index, put);
    } else throw new TypeError(`only integers, slices ('a:b'), ellipsis ('...'), null and long or byte Variables are valid indices (got ${typeof index})`);
  }
  return { view, positions };
}

function badIndexType(): IndexError {
  return new IndexError('tensors used as indices must be long, int, byte or bool tensors');
}

function selectAt(view: Tensor, dim: number, index: number): Tensor {
  if (view.shape.length === 0 || dim >= view.shape.length) throw new IndexError(`invalid index of a 0-dim tensor. Use \`tensor.item()\` in Python or \`tensor.item<T>()\` in C++ to convert a 0-dim tensor to a number`);
  const size = view.shape[dim];
  if (!Number.isInteger(index) || index < -size || index >= size) throw new IndexError(`index ${index} is out of bounds for dimension ${dim} with size ${size}`);
  return select(view, dim, index);
}

function advanced(view: Tensor, dim: number, index: Tensor, put: (p: Tensor) => void): Tensor {
  if (!isMask(index)) {
    if (index.dtype.kind !== 'integer') throw badIndexType();
    put(castTo(index.detach(), int64));
    return view;
  }
  if (index.shape.length === 0) {
    const widened = unsqueeze(view, dim);
    put(Boolean(index.item()) ? zeros_([1], int64, view.device) : empty([0], int64, view.device));
    return widened;
  }
  index.shape.forEach((n, d) => {
    if (view.shape[dim + d] !== n)
      throw new IndexError(
        `The shape of the mask [${index.shape.join(', ')}] at index ${d} does not match the shape of the indexed tensor [${view.shape.join(', ')}] at index ${dim + d}`,
      );
  });
  const rows = nonzeroRows(index);
  for (let d = 0; d < index.shape.length; d++) put(select(rows, 1, d).contiguous());
  return view;
}

/** Advanced indices in a standard form: dimensions in front, positions broadcast to one shape. */
interface Plan {
  /** Which dimensions are indexed, then the others. */
  readonly order: readonly number[];
  readonly indices: readonly Tensor[];
  readonly shape: readonly number[];
  /** Where the broadcast dimensions of the result go: 0, or the first indexed dimension when these are neighbours. */
  readonly at: number;
}

function planOf(x: Tensor, positions: Positions): Plan {
  const indexed = positions.map((_, d) => d).filter((d) => positions[d] != null);
  const rest = x.shape.map((_, d) => d).filter((d) => !indexed.includes(d));
  let shape: readonly number[] = [];
  for (const d of indexed) {
    try {
      shape = broadcastShapes(shape, (positions[d] as Tensor).shape);
    } catch {
      const shapes = indexed.map((i) => `[${(positions[i] as Tensor).shape.join(', ')}]`).join(', ');
      throw new IndexError(`shape mismatch: indexing tensors could not be broadcast together with shapes ${shapes}`);
    }
  }
  const neighbours = indexed.every((d, i) => i === 0 || d === indexed[i - 1] + 1);
  return {
    order: [...indexed, ...rest],
    indices: indexed.map((d) => contiguous(expand(positions[d] as Tensor, shape as number[]))),
    shape,
    at: neighbours ? indexed[0] : 0,
  };
}

function checkStatus(status: number, x: Tensor, plan: Plan): void {
  if (status === 0) return;
  const backend = backendOf(x.device.type);
  const dim = plan.order[backend.result(3)];
  throw new IndexError(`index ${backend.result(1)} is out of bounds for dimension ${dim} with size ${x.shape[dim]}`);
}

/** Empty results need no kernel, but a position into an empty dimension is an error all the same. */
function checkEmpty(x: Tensor, plan: Plan): void {
  if (numelOf(plan.shape) === 0) return;
  plan.indices.forEach((_, i) => {
    const dim = plan.order[i];
    if (x.shape[dim] === 0) throw new IndexError(`index is out of bounds for dimension with size 0`);
  });
}

/** The elements of x at the positions: a copy. */
function take(x: Tensor, positions: Positions): Tensor {
  const plan = planOf(x, positions);
  const { order, indices, shape, at } = plan;
  const front = permute(x.detach(), order as number[]);
  const rest = order.slice(indices.length).map((d) => x.shape[d]);
  const out = empty([...shape, ...rest], x.dtype, x.device);
  checkEmpty(x, plan);
  if (out._numel > 0) checkStatus(backendOf(x.device.type).launch('index', out, front, indices.length, ...indices), x, plan);
  const moved = moveBlock(out, shape.length, at);
  record('IndexBackward0', [x], [moved], () => ([g]) => [g === null ? null : putInto(zeros_(x.shape, g.dtype, g.device), positions, g, true)]);
  return moved;
}

/** Moves the first `count` dimensions to position `at`. */
function moveBlock(x: Tensor, count: number, at: number): Tensor {
  if (at === 0 || count === 0) return x;
  const block = Array.from({ length: count }, (_, i) => i);
  const rest = x.shape.map((_, d) => d).slice(count);
  return permute(x, [...rest.slice(0, at), ...block, ...rest.slice(at)]).detach();
}

/** A copy of x with values at the positions. */
function putInto(x: Tensor, positions: Positions, values: Tensor, accumulate: boolean): Tensor {
  const plan = planOf(x, positions);
  const { order, indices, shape, at } = plan;
  const out = contiguous(x.detach()).clone();
  const rest = order.slice(indices.length).map((d) => x.shape[d]);
  const target = [...rest.slice(0, at), ...shape, ...rest.slice(at)];
  let spread: Tensor;
  try {
    spread = expand(dropLeading(values.detach(), target.length), target);
  } catch {
    throw new RuntimeError(`shape mismatch: value tensor of shape [${values.shape.join(', ')}] cannot be broadcast to indexing result of shape [${target.join(', ')}]`);
  }
  const block = shape.map((_, i) => at + i);
  const others = target.map((_, d) => d).filter((d) => !block.includes(d));
  const ordered = permute(spread, [...block, ...others]);
  checkEmpty(x, plan);
  if (ordered._numel > 0) {
    const status = backendOf(x.device.type).launch('index_put', permute(out, order as number[]), indices.length, ...indices, ordered, accumulate);
    checkStatus(status, x, plan);
  }
  record('IndexPutBackward0', [x, values], [out], () => ([g], needs) => {
    if (g === null) return [null, null];
    const kept = needs(0) ? (accumulate ? g : putInto(g, positions, zeros_([], g.dtype, g.device), false)) : null;
    return [kept, needs(1) ? take(g, positions) : null];
  });
  return out;
}

/** Leading dimensions of size 1 that the target lacks do not count. */
function dropLeading(x: Tensor, ndim: number): Tensor {
  let extra = x.shape.length - ndim;
  let d = 0;
  while (extra > 0 && x.shape[d] === 1) {
    d++;
    extra--;
  }
  return d === 0 ? x : reshape(x, x.shape.slice(d));
}

const hasPositions = (p: Positions): boolean => p.some((t) => t != null);

/**
 * `x[indices]`: `x.at(0, '1:3')`, `x.at('...', null)`, `x.at(mask)`, `x.at([0, 2])`. Numbers, slices, `'...'` and null give a
 * view that shares memory; tensors, arrays and masks give a copy.
 * @throws IndexError when an index is out of bounds, or there are too many.
 */
export const at: Op<readonly Index[], Tensor> = method('at', (x: Tensor, ...indices: readonly Index[]) => {
  const { view, positions } = applyBasic(x, indices);
  if (hasPositions(positions)) return take(view, positions);
  return view === x ? slice(view.shape.length === 0 ? unsqueeze(view, 0) : view, 0, null, null).view(view.shape as number[]) : view;
});

/**
 * `x[index] = value`, in place: the index as for `at`, several in an array: `x.setAt([1, '2:'], 0)`.
 * @throws IndexError or RuntimeError when the index or the value does not fit.
 */
export const setAt: Op<[index: Index | readonly Index[], value: Operand], Tensor> = method('setAt', (x: Tensor, index: Index | readonly Index[], value: Operand) => {
  const { view, positions } = applyBasic(x, Array.isArray(index) ? (index as readonly Index[]) : [index as Index]);
  if (!hasPositions(positions)) {
    copy_(view, value instanceof Tensor ? dropLeading(value, view.shape.length) : value);
    return x;
  }
  putIn(view, positions, value, false);
  return x;
});

function putIn(x: Tensor, positions: Positions, value: Operand, accumulate: boolean): Tensor {
  const values = value instanceof Tensor ? castTo(value, x.dtype) : full_([], value, x.dtype, x.device);
  return writeInPlace(x, (self) => putInto(self, positions, values, accumulate));
}

/** Positions of an index list: masks become the positions of their true elements. */
function positionsOf(x: Tensor, indices: readonly (Tensor | null)[]): Positions {
  const positions: Positions = [];
  let dim = 0;
  for (const index of indices) {
    if (index === null) {
      positions[dim++] = null;
      continue;
    }
    if (isMask(index) && index.shape.length > 0) {
      advanced(x, dim, index, (p) => {
        positions[dim++] = p;
      });
    } else {
      if (index.dtype.kind !== 'integer') throw badIndexType();
      positions[dim++] = castTo(index.detach(), int64);
    }
  }
  if (dim > x.shape.length) throw new IndexError(`too many indices for tensor of dimension ${x.shape.length} (got ${dim})`);
  return positions;
}

/** A copy with `values` at the given positions (one tensor of positions per dimension); `accumulate` adds. */
export const index_put: Op<[indices: readonly Tensor[], values: Tensor, accumulate?: boolean], Tensor> = op(
  'index_put',
  'Tensor self, any indices, Tensor values, bool accumulate=False',
  (x: Tensor, indices: readonly Tensor[], values: Tensor, accumulate: boolean) => {
    if (x.dtype !== values.dtype)
      throw new RuntimeError(`Index put requires the source and destination dtypes match, got ${x.dtype.scalarName} for the destination and ${values.dtype.scalarName} for the source.`);
    return putInto(x, positionsOf(x, indices), values, accumulate);
  },
  { inPlace: true },
);

