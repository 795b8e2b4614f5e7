// x.at(...) and x.setAt(...): Python's x[...] with integers, slices, ellipsis, None, booleans, tensors and lists.

import type { Operand, Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { typeName } from '../dispatch/schema.js';
import { bool, int64, uint8 } from '../dtype.js';
import { IndexError, ValueError } from '../errors.js';
import { sameSizes, Tensor } from '../tensor.js';
import { type Indices, indexWith } from './advanced.js';
import { castTo, copy_, fill_ } from './copy.js';
import { type TensorData, tensor } from './data.js';
import { method, type Op } from './define.js';
import { checkedScalar, full_, scalarOf } from './fill.js';
import { expand, makeView, reshape, select, slice, unsqueeze } from './view.js';

/**
 * One index: a number, a slice `'start:stop:step'`, `'...'`, `null` for a new dimension, a boolean, a tensor of
 * integers or a mask, or a nested list of numbers or booleans.
 */
export type Index = number | bigint | string | boolean | null | Tensor | IndexList;
/** A list that stands for an index tensor. */
export type IndexList = readonly (number | bigint | boolean | IndexList)[];

/** x after basic indexing, with the tensors that are left to index it with. */
interface Indexed {
  readonly view: Tensor;
  readonly indices: Indices | null;
}

const slicePattern = /^\s*([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?\s*)?$/;

/** x[start:stop:step] along d, from the text of the slice. */
function sliceText(x: Tensor, d: number, text: string): Tensor {
  const match = slicePattern.exec(text);
  if (!match) throw new IndexError(`invalid slice '${text}': a string index is '...' or 'start:stop:step'`);
  const number = (s: string | undefined): number | null => (s === undefined ? null : Number(s));
  const step = number(match[3]) ?? 1;
  if (step === 0) throw new ValueError('slice step cannot be zero');
  if (step < 0) throw new ValueError('step must be greater than zero');
  if (x.shape.length === 0) throw new IndexError('slice() cannot be applied to a 0-dim tensor.');
  const [start, stop] = [number(match[1]), number(match[2])];
  if ((start ?? 0) === 0 && (stop === null || stop >= x.shape[d]) && step === 1) return x;
  return slice(x, d, start, stop, step);
}

/** One slice along d, which disappears. @param position which of the indices this is: messages count so. */
function selectAt(x: Tensor, d: number, index: number, position: number): Tensor {
  if (!Number.isInteger(index))
    throw new IndexError(
      'only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got float)',
    );
  const size = x.shape[d];
  if (index < -size || index >= size)
    throw new IndexError(`index ${index} is out of bounds for dimension ${position} with size ${size}`);
  return select(x, d, index);
}

/** A list as an index tensor. */
function listIndex(list: IndexList): Tensor {
  const flat = (list as readonly unknown[]).flat(Number.POSITIVE_INFINITY);
  for (const v of flat)
    if (!(v instanceof Tensor) && typeof v !== 'number' && typeof v !== 'bigint' && typeof v !== 'boolean')
      throw new TypeError(`new(): invalid data type '${typeName(v)}'`);
  if (flat.length === 0) return reshape(tensor([], { dtype: int64 }), shapeOf(list));
  const masks = flat.every((v) => typeof v === 'boolean' || (v instanceof Tensor && v.dtype === bool));
  return tensor(list as TensorData, { dtype: masks ? bool : int64 });
}

function shapeOf(list: unknown): number[] {
  return Array.isArray(list) ? [list.length, ...(list.length > 0 ? shapeOf(list[0]) : [])] : [];
}

/** A tensor that selects by its true elements. */
const isMask = (index: Tensor): boolean => index.dtype === bool || index.dtype === uint8;

/** How many dimensions of the tensor an index uses up. */
function consumed(index: Index): number {
  if (index === null || index === undefined || typeof index === 'boolean') return 0;
  if (typeof index === 'string') return index.trim() === '...' ? 0 : 1;
  return index instanceof Tensor && isMask(index) ? index.shape.length : 1;
}

/** Applies indices one after another: basic ones at once, as views; tensors wait for the end. */
class Indexing {
  private readonly pending: (Tensor | null)[] = [];
  /** The dimension that the next index reads. */
  private d = 0;
  /** The dimensions that the waiting tensors and the nulls between them stand for. */
  private covered = 0;

  constructor(private view: Tensor) {}

  run(list: readonly Index[]): Indexed {
    const used = list.reduce<number>((n, index) => n + consumed(index), 0);
    const ndim = this.view.shape.length;
    if (used > ndim) throw new IndexError(`too many indices for tensor of dimension ${ndim}`);
    list.forEach((index, position) => {
      this.apply(index, position, ndim - used);
    });
    return { view: this.view, indices: this.pending.length > 0 ? this.pending : null };
  }

  private apply(index: Index, position: number, skipped: number): void {
    if (index === null || index === undefined) this.view = unsqueeze(this.view, this.d++);
    else if (typeof index === 'string') {
      if (index.trim() === '...') this.d += skipped;
      else this.view = sliceText(this.view, this.d++, index);
    } else if (typeof index === 'boolean') this.truth(full_([1], index, bool, this.view.device));
    else if (index instanceof Tensor) this.tensor(index, position);
    else if (typeof index === 'number' || typeof index === 'bigint')
      this.view = selectAt(this.view, this.d, Number(index), position);
    else
      throw new IndexError(
        `only integers, slices (\`:\`), ellipsis (\`...\`), None and long or byte Variables are valid indices (got ${typeName(index)})`,
      );
  }

  private tensor(index: Tensor, position: number): void {
    if (index.shape.length > 0 || !index.dtype.is_integral) this.wait(index);
    else if (isMask(index)) this.truth(reshape(castTo(index.detach(), bool), [1]));
    else this.view = selectAt(this.view, this.d, Number(index.item()), position);
  }

  /** A boolean makes a new dimension of size 1 or 0. */
  private truth(mask: Tensor): void {
    this.view = unsqueeze(this.view, this.d);
    this.wait(mask);
  }

  private wait(index: Tensor): void {
    for (; this.covered < this.d; this.covered++) this.pending.push(null);
    this.pending.push(index);
    const span = isMask(index) ? index.shape.length : 1;
    this.d += span;
    this.covered += span;
  }
}

/** Reads the arguments of at: lists become tensors. @throws IndexError for a number into a 0-d tensor. */
function resolve(x: Tensor, given: readonly Index[]): Indexed {
  const [first] = given;
  if (x.shape.length === 0 && given.length === 1 && (typeof first === 'number' || typeof first === 'bigint'))
    throw new IndexError(
      'invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number',
    );
  if (x.shape.length === 0 && given.length === 1 && typeof first === 'string' && first.includes(':'))
    throw new IndexError('slice() cannot be applied to a 0-dim tensor.');
  return new Indexing(x).run(
    given.map((index) => (Array.isArray(index) ? listIndex(index as IndexList) : index)),
  );
}

const wholeView = (x: Tensor): Tensor =>
  makeView('AliasBackward0', x, x.shape, x._strides, x._offset, (g) => g);

/**
 * Elements by indices, as Python's `x[...]` gives them: `x.at(0, '1:3')`, `x.at('...', null)`, `x.at(mask)`,
 * `x.at([0, 2])`. Numbers, slices, '...' and null give a view that shares memory; tensors, lists and booleans a copy.
 * The dimensions of index tensors stand where the first is when they are neighbours, else in front.
 * @throws IndexError for an index out of range, too many indices, or a mask that does not fit; ValueError for negative steps.
 */
export const at: Op<readonly Index[], Tensor> = method('at', (x: Tensor, ...given: readonly Index[]) => {
  const { view, indices } = resolve(x, given);
  if (indices !== null) return indexWith(view, indices);
  if (view !== x) return view;
  // A single full slice is a slice; nothing at all, or '...', the tensor again.
  const [only] = given;
  return given.length === 1 && typeof only === 'string' && only.includes(':')
    ? slice(x, 0, null, null, 1)
    : wholeView(x);
});

/** The value as a tensor of x's dtype. */
function asValue(x: Tensor, value: unknown): Tensor {
  if (value instanceof Tensor) return value;
  if (
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    typeof value === 'boolean' ||
    value instanceof Complex
  )
    return scalarOf(checkedScalar(value as Scalar, x.dtype), x.device, x.dtype);
  throw new TypeError(`can't assign a ${typeName(value)} to a torch.${x.dtype.scalarName}Tensor`);
}

/** The value without leading dimensions of size 1, which Python's assignment ignores. */
function withoutLeadingOnes(value: Tensor): Tensor {
  const first = value.shape.findIndex((n) => n !== 1);
  const skip = first < 0 ? value.shape.length : first;
  return skip === 0 ? value : reshape(value, value.shape.slice(skip));
}

/** Overwrites a view with a value that broadcasts to it. */
function assign(view: Tensor, value: Tensor): void {
  if (value.shape.length === 0) fill_(view, value);
  else if (sameSizes(view.shape, value.shape)) copy_(view, value);
  else copy_(view, expand(withoutLeadingOnes(value), view.shape));
}

/**
 * Python's `x[index] = value`: `x.setAt(0, 1)`, `x.setAt([0, '1:3'], y)`, `x.setAt([mask], 0)`. The value broadcasts.
 * @param index one index, or the array of them.
 * @throws IndexError as {@link at}; RuntimeError for a value that does not fit.
 */
export const setAt: Op<[index: Index | readonly Index[], value: Operand], Tensor> = method(
  'setAt',
  (x: Tensor, index: Index | readonly Index[], value: Operand) => {
    const written = asValue(x, value);
    if (typeof index === 'boolean') {
      if (index) assign(unsqueeze(x, 0), written);
      return x;
    }
    const given = Array.isArray(index) ? (index as readonly Index[]) : [index as Index];
    const { view, indices } = resolve(x, given);
    if (indices === null) assign(view, written);
    else {
      const shaped =
        written.shape.length > 0 && !sameSizes(written.shape, view.shape)
          ? withoutLeadingOnes(written)
          : written;
      view.index_put_(indices, shaped);
    }
    return x;
  },
);
