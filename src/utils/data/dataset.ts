// Datasets: what a DataLoader reads samples from.

import { backendOf } from '../../backends/backend.js';
import { int64 } from '../../dtype.js';
import { IndexError, RuntimeError, ValueError } from '../../errors.js';
import type { Generator } from '../../generator.js';
import { tensor } from '../../ops/data.js';
import { index_select } from '../../ops/indexing.js';
import { randperm } from '../../ops/random.js';
import type { Tensor } from '../../tensor.js';

/**
 * A map from indices to samples. Subclasses define `__getitem__` and `__len__`; a sample is what collate takes:
 * tensors, numbers, strings, or arrays and objects of these. `__getitem__` may return a promise.
 *
 * A class whose static `module` says where it is defined (`static module = import.meta.url`) is loaded in worker
 * threads when the DataLoader has `num_workers`: its fields are copied there.
 */
export abstract class Dataset<T = unknown> {
  /** URL of the module that exports the class, for worker threads. */
  static module?: string;
  abstract __getitem__(index: number): T | Promise<T>;
  abstract __len__(): number;
  /** Several samples at once: a DataLoader calls it in place of `__getitem__` where a class defines it. */
  __getitems__?(indices: number[]): T[] | Promise<T[]>;
  /** Number of samples. */
  get length(): number {
    return this.__len__();
  }
}

/** A stream of samples: subclasses define the iterator. */
export abstract class IterableDataset<T = unknown> {
  static module?: string;
  abstract [Symbol.iterator](): Iterator<T>;
}

/**
 * The samples at several indices. Where they are promises, one is asked for after the other, so that what they draw
 * at random does not depend on their speed; `together` asks for all at once. @internal
 */
export function samplesAt<T>(
  dataset: Dataset<T>,
  indices: readonly number[],
  together: boolean,
): readonly T[] | Promise<readonly T[]> {
  const many = dataset.__getitems__?.([...indices]);
  if (many !== undefined) return many;
  const ordered = (dataset.constructor as { _ordered?: boolean })._ordered === true;
  const samples: (T | Promise<T>)[] = [];
  for (const [at, i] of indices.entries()) {
    const sample = dataset.__getitem__(i);
    samples.push(sample);
    if (sample instanceof Promise && !together && !ordered)
      return oneByOne(dataset, samples, indices.slice(at + 1));
  }
  return samples.some((x) => x instanceof Promise) ? Promise.all(samples) : (samples as T[]);
}

async function oneByOne<T>(
  dataset: Dataset<T>,
  first: readonly (T | Promise<T>)[],
  indices: readonly number[],
): Promise<T[]> {
  const samples = await Promise.all(first);
  for (const i of indices) samples.push(await dataset.__getitem__(i));
  return samples;
}

/** A dataset that can hand out a whole batch at once, already collated. @internal */
export interface BatchSource {
  _batch(indices: readonly number[]): unknown;
}

/** Samples are the slices of the tensors along their first dimension. */
export class TensorDataset extends Dataset<Tensor[]> implements BatchSource {
  readonly tensors: readonly Tensor[];
  constructor(...tensors: readonly Tensor[]) {
    super();
    if (tensors.some((t) => t.shape[0] !== tensors[0].shape[0]))
      throw new RuntimeError('Size mismatch between tensors');
    this.tensors = tensors;
  }
  __getitem__(index: number): Tensor[] {
    return this.tensors.map((t) => t.select(0, index));
  }
  __len__(): number {
    return this.tensors[0].shape[0];
  }
  /** @internal */
  _batch(indices: readonly number[]): Tensor[] {
    const rows = indexTensor(indices);
    return this.tensors.map((t) => index_select(t, 0, rows));
  }
}

/** Datasets side by side: a sample is an array (or object) of one sample of each. */
export class StackDataset<S = unknown[]> extends Dataset<S> {
  readonly datasets: readonly Dataset[] | Readonly<Record<string, Dataset>>;
  private readonly size: number;
  /** @param args datasets, or one object of named ones. */
  constructor(...args: readonly Dataset[] | readonly [Readonly<Record<string, Dataset>>]) {
    super();
    const [first] = args;
    this.datasets = first instanceof Dataset ? (args as readonly Dataset[]) : (first ?? {});
    const sizes = Object.values(this.datasets).map((d) => (d as Dataset).__len__());
    if (sizes.length === 0) throw new ValueError('At least one dataset should be passed');
    if (sizes.some((n) => n !== sizes[0])) throw new ValueError('Size mismatch between datasets');
    this.size = sizes[0];
  }
  __getitem__(index: number): S | Promise<S> {
    const keys = Object.keys(this.datasets);
    const parts = Object.values(this.datasets).map((d) => (d as Dataset).__getitem__(index));
    const join = (values: readonly unknown[]): S =>
      (Array.isArray(this.datasets)
        ? values
        : Object.fromEntries(keys.map((key, i) => [key, values[i]]))) as S;
    return parts.some((x) => x instanceof Promise) ? Promise.all(parts).then(join) : join(parts);
  }
  __len__(): number {
    return this.size;
  }
}

/** Indices as an int64 tensor. @internal */
export function indexTensor(indices: readonly number[]): Tensor {
  return tensor(BigInt64Array.from(indices, BigInt), { dtype: int64 });
}

/** The samples of a dataset at the given indices. */
export class Subset<T> extends Dataset<T> {
  constructor(
    readonly dataset: Dataset<T>,
    readonly indices: readonly number[],
  ) {
    super();
  }
  __getitem__(index: number): T | Promise<T> {
    if (index < 0 || index >= this.indices.length) throw new IndexError('list index out of range');
    return this.dataset.__getitem__(this.indices[index]);
  }
  __len__(): number {
    return this.indices.length;
  }
  /** @internal */
  get _batch(): ((indices: readonly number[]) => unknown) | undefined {
    const source = this.dataset as Partial<BatchSource>;
    if (typeof source._batch !== 'function') return undefined;
    return (indices) => (source as BatchSource)._batch(indices.map((i) => this.indices[i]));
  }
}

/** Datasets one after another. */
export class ConcatDataset<T> extends Dataset<T> {
  readonly datasets: readonly Dataset<T>[];
  readonly cumulative_sizes: readonly number[];
  constructor(datasets: Iterable<Dataset<T>>) {
    super();
    this.datasets = [...datasets];
    if (this.datasets.length === 0) throw new ValueError('datasets should not be an empty iterable');
    let total = 0;
    this.cumulative_sizes = this.datasets.map((d) => (total += d.__len__()));
  }
  __getitem__(index: number): T | Promise<T> {
    const n = this.__len__();
    if (index < -n) throw new ValueError('absolute value of index should not exceed dataset length');
    const i = index < 0 ? index + n : index;
    const at = this.cumulative_sizes.findIndex((end) => i < end);
    if (at < 0) throw new IndexError('list index out of range');
    return this.datasets[at].__getitem__(at === 0 ? i : i - this.cumulative_sizes[at - 1]);
  }
  __len__(): number {
    return this.cumulative_sizes[this.cumulative_sizes.length - 1];
  }
}

/** Iterable datasets one after another. */
export class ChainDataset<T> extends IterableDataset<T> {
  constructor(readonly datasets: Iterable<IterableDataset<T>>) {
    super();
  }
  *[Symbol.iterator](): IterableIterator<T> {
    for (const dataset of this.datasets) yield* dataset as Iterable<T>;
  }
}

/**
 * Splits a dataset at random into subsets of the given lengths, or fractions that sum to 1.
 * @throws ValueError when the lengths do not add up.
 */
export function random_split<T>(
  dataset: Dataset<T>,
  lengths: readonly number[],
  generator: Generator | { generator?: Generator } | null = null,
): Subset<T>[] {
  const n = dataset.__len__();
  const total = lengths.reduce((a, b) => a + b, 0);
  let sizes = [...lengths];
  if (Math.abs(total - 1) < 1e-9 && total <= 1 + 1e-9) {
    sizes = lengths.map((fraction, i) => {
      if (fraction < 0 || fraction > 1) throw new ValueError(`Fraction at index ${i} is not between 0 and 1`);
      return Math.floor(n * fraction);
    });
    let rest = n - sizes.reduce((a, b) => a + b, 0);
    for (let i = 0; rest > 0; i = (i + 1) % sizes.length, rest--) sizes[i]++;
  }
  if (sizes.reduce((a, b) => a + b, 0) !== n)
    throw new ValueError('Sum of input lengths does not equal the length of the input dataset!');
  const g =
    generator !== null && 'generator' in generator
      ? (generator.generator ?? null)
      : (generator as Generator | null);
  const order = permutation(n, g);
  let start = 0;
  return sizes.map((size) => new Subset(dataset, order.slice(start, (start += size))));
}

/** A random permutation as plain numbers. @internal */
export function permutation(n: number, generator: Generator | null): number[] {
  const x = randperm(n, generator === null ? {} : { generator });
  const data = new BigInt64Array(n);
  backendOf('cpu').read(x, data);
  return Array.from(data, Number);
}
