// DataLoader: batches of a dataset, in this thread or prepared by worker threads.

import { WorkerPool } from '#workers';
import { isPromise } from '../../autograd/modes.js';
import { RuntimeError, ValueError } from '../../errors.js';
import type { Generator } from '../../generator.js';
import type { Tensor } from '../../tensor.js';
import { default_collate, default_convert } from './collate.js';
import { type BatchSource, type Dataset, IterableDataset, samplesAt } from './dataset.js';
import { BatchSampler, drawSeed, RandomSampler, SequentialSampler } from './sampler.js';
import { canTravel } from './wire.js';
import { importing } from './worker_info.js';

type Indices = Iterable<number> & { __len__?(): number };
type Batches = Iterable<readonly number[]> & { __len__?(): number };

export interface DataLoaderOptions<T = unknown, R = unknown> {
  /** Samples per batch (default 1); null turns batching off. */
  batch_size?: number | null;
  /** Visit the samples in random order. */
  shuffle?: boolean | null;
  sampler?: Indices | null;
  batch_sampler?: Batches | null;
  /** Worker threads, for datasets that say where they are defined; for others, calls of `__getitem__` at once. */
  num_workers?: number;
  /** Makes a batch of a list of samples (of one sample, where batching is off); default `default_collate`. */
  collate_fn?: ((batch: T[]) => R) | null;
  /** Accepted for PyTorch's sake. */
  pin_memory?: boolean;
  /** Leave out an incomplete last batch. */
  drop_last?: boolean;
  /** Seconds to wait for a batch of a worker; 0 waits for ever. */
  timeout?: number;
  /**
   * Called in each worker thread with the worker's number, before it reads. The thread finds it by name: the module of
   * the dataset's class must export it.
   */
  worker_init_fn?: ((worker_id: number) => void) | null;
  generator?: Generator | null;
  /** Batches that each worker prepares ahead (default 2). */
  prefetch_factor?: number | null;
  /** Keep the workers from one pass to the next. */
  persistent_workers?: boolean;
}

/** What a batch of a dataset looks like, where its type tells; else unknown. */
export type Batch<T> = T extends readonly unknown[]
  ? { [K in keyof T]: Batch<T[K]> }
  : T extends number | bigint | boolean | ArrayBufferView
    ? Tensor
    : T extends string
      ? string[]
      : T extends Tensor
        ? T
        : T extends Readonly<Record<string, unknown>>
          ? { [K in keyof T]: Batch<T[K]> }
          : T;

type Source<T> = Dataset<T> | IterableDataset<T>;

/**
 * Iterates over a dataset in batches: `for await (const [x, y] of loader)`; with a plain `for` when nothing is
 * asynchronous. Orders and seeds are PyTorch's.
 */
export class DataLoader<T = unknown, R = Batch<T>> {
  readonly dataset: Source<T>;
  readonly batch_size: number | null;
  readonly drop_last: boolean;
  readonly num_workers: number;
  readonly sampler: Indices | null;
  readonly batch_sampler: Batches | null;
  readonly collate_fn: (batch: readonly unknown[]) => unknown;
  readonly generator: Generator | null;
  readonly prefetch_factor: number;
  readonly timeout: number;
  readonly persistent_workers: boolean;
  readonly worker_init_fn: ((worker_id: number) => void) | null;
  private readonly plainCollate: boolean;
  private pool: WorkerPool | null = null;

  constructor(dataset: Source<T>, options: DataLoaderOptions<T, R> = {}) {
    checkOptions(options as DataLoaderOptions);
    const { batch_size = 1, shuffle = false, drop_last = false, num_workers = 0, generator = null } = options;
    this.dataset = dataset;
    this.num_workers = num_workers;
    this.generator = generator;
    this.timeout = options.timeout ?? 0;
    this.prefetch_factor = options.prefetch_factor ?? 2;
    this.persistent_workers = options.persistent_workers ?? false;
    const custom = options.batch_sampler ?? null;
    this.batch_size = custom ? null : batch_size;
    this.drop_last = drop_last;
    if (dataset instanceof IterableDataset) {
      if (shuffle)
        throw new ValueError(
          `DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle=${shuffle ? 'True' : 'False'}`,
        );
      if (options.sampler)
        throw new ValueError('DataLoader with IterableDataset: expected unspecified sampler option');
      if (custom)
        throw new ValueError('DataLoader with IterableDataset: expected unspecified batch_sampler option');
      this.sampler = null;
      this.batch_sampler = null;
    } else {
      this.sampler =
        options.sampler ??
        (shuffle ? new RandomSampler(dataset, { generator }) : new SequentialSampler(dataset));
      this.batch_sampler =
        custom ?? (batch_size === null ? null : new BatchSampler(this.sampler, batch_size, drop_last));
    }
    const batched =
      this.batch_sampler !== null || (dataset instanceof IterableDataset && batch_size !== null);
    this.plainCollate = options.collate_fn === undefined || options.collate_fn === null;
    const custom_collate = options.collate_fn as ((batch: readonly unknown[]) => unknown) | null | undefined;
    this.collate_fn = custom_collate ?? (batched ? default_collate : default_convert);
    this.worker_init_fn = options.worker_init_fn ?? null;
    if (this.worker_init_fn !== null && typeof this.worker_init_fn !== 'function')
      throw new TypeError('worker_init_fn must be callable');
  }

  /** Number of batches. */
  __len__(): number {
    if (this.dataset instanceof IterableDataset)
      throw new TypeError(`object of type '${this.dataset.constructor.name}' has no len()`);
    const source = this.batch_sampler ?? this.sampler;
    const n = source?.__len__?.();
    if (n === undefined) throw new TypeError(`object of type '${source?.constructor.name}' has no len()`);
    return n;
  }
  get length(): number {
    return this.__len__();
  }

  /** Batches as they are read: promises where the dataset is asynchronous. */
  private *batches(): IterableIterator<unknown> {
    drawSeed(this.generator);
    if (this.dataset instanceof IterableDataset) {
      yield* this.streamed(this.dataset as IterableDataset<T>);
      return;
    }
    if (this.batch_sampler === null) {
      for (const i of this.sampler as Indices) yield this.single(i);
      return;
    }
    for (const indices of this.batch_sampler) yield this.fetch(indices);
  }

  private *streamed(dataset: IterableDataset<T>): IterableIterator<unknown> {
    if (this.batch_size === null) {
      for (const sample of dataset as Iterable<T>) yield this.collate_fn(sample as never);
      return;
    }
    let batch: T[] = [];
    for (const sample of dataset as Iterable<T>) {
      batch.push(sample);
      if (batch.length < this.batch_size) continue;
      yield this.collate_fn(batch);
      batch = [];
    }
    if (batch.length > 0 && !this.drop_last) yield this.collate_fn(batch);
  }

  private single(index: number): unknown {
    const sample = (this.dataset as Dataset<T>).__getitem__(index);
    return isPromise(sample)
      ? sample.then((s) => this.collate_fn(s as never))
      : this.collate_fn(sample as never);
  }

  private fetch(indices: readonly number[]): unknown {
    const source = this.dataset as Dataset<T> & Partial<BatchSource>;
    if (this.plainCollate && typeof source._batch === 'function') return source._batch(indices);
    const samples = samplesAt(source, indices, this.num_workers > 0);
    return isPromise(samples) ? samples.then((all) => this.collate_fn(all)) : this.collate_fn(samples);
  }

  /** @throws RuntimeError when the dataset is asynchronous or workers are asked for. */
  *[Symbol.iterator](): IterableIterator<R> {
    if (this.inThreads())
      throw new RuntimeError(
        'a DataLoader with workers is asynchronous: use `for await (const batch of loader)`',
      );
    for (const batch of this.batches()) {
      if (isPromise(batch))
        throw new RuntimeError('__getitem__ returned a promise: use `for await (const batch of loader)`');
      yield batch as R;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Awaited<R>> {
    if (this.inThreads()) yield* this.fromWorkers() as AsyncIterable<Awaited<R>>;
    else yield* this.ahead() as AsyncIterable<Awaited<R>>;
  }

  /** Are samples read in worker threads? */
  private inThreads(): boolean {
    return this.num_workers > 0 && threaded(this.dataset);
  }

  /** In this thread, with `num_workers` batches of asynchronous samples under way. */
  private async *ahead(): AsyncIterable<unknown> {
    const waiting: unknown[] = [];
    let lastTurn = performance.now();
    for (const batch of this.batches()) {
      waiting.push(batch);
      if (isPromise(batch)) batch.catch(() => {});
      // Timers, signals and progress displays get their turn.
      if (performance.now() - lastTurn > 50) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        lastTurn = performance.now();
      }
      if (waiting.length > (isPromise(batch) ? this.num_workers : 0)) yield await waiting.shift();
    }
    while (waiting.length > 0) yield await waiting.shift();
  }

  private async *fromWorkers(): AsyncIterable<unknown> {
    if (importing.current)
      throw new RuntimeError(
        'A DataLoader with workers was started while a worker imports the module of its dataset, which would start workers without end. Define the dataset class in a module of its own, or run the program only where `isMainThread` of node:worker_threads is true.',
      );
    // Persistent workers are seeded once; their generators go on from one pass to the next.
    const seed = this.pool === null ? drawSeed(this.generator) : 0n;
    const pool =
      this.pool ??
      new WorkerPool(this.dataset, this.num_workers, {
        timeout: this.timeout,
        convert: this.batch_sampler === null,
        batch_size: this.batch_size,
        drop_last: this.drop_last,
        init: this.worker_init_fn?.name ?? null,
      });
    this.pool = this.persistent_workers ? pool : null;
    try {
      const collate = this.plainCollate ? null : this.collate_fn;
      if (this.dataset instanceof IterableDataset) yield* pool.stream(seed, collate);
      else
        yield* pool.run(
          seed,
          (this.batch_sampler ?? this.sampler) as Iterable<number | readonly number[]>,
          this.prefetch_factor,
          collate,
        );
    } finally {
      if (!this.persistent_workers) await pool.close();
    }
  }
}

/**
 * Can the dataset be rebuilt in worker threads? Its own class must say where it is defined: a subclass lives elsewhere.
 * Datasets of the library stay in this thread when one of their fields (a transform of the user's) cannot travel.
 */
function threaded(dataset: object): boolean {
  const type = dataset.constructor as { module?: unknown; _mayStay?: boolean };
  if (!Object.hasOwn(type, 'module') || typeof type.module !== 'string') return false;
  return type._mayStay !== true || canTravel(dataset);
}

function checkOptions(o: DataLoaderOptions): void {
  const known = [
    'batch_size',
    'shuffle',
    'sampler',
    'batch_sampler',
    'num_workers',
    'collate_fn',
    'pin_memory',
    'drop_last',
    'timeout',
    'worker_init_fn',
    'generator',
    'prefetch_factor',
    'persistent_workers',
    'multiprocessing_context',
    'pin_memory_device',
    'in_order',
  ];
  for (const key of Object.keys(o))
    if (!known.includes(key))
      throw new TypeError(`DataLoader.__init__() got an unexpected keyword argument '${key}'`);
  const workers = o.num_workers ?? 0;
  if (!Number.isInteger(workers) || workers < 0)
    throw new ValueError(
      'num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.',
    );
  if ((o.timeout ?? 0) < 0) throw new ValueError('timeout option should be non-negative');
  if (workers === 0 && o.prefetch_factor != null)
    throw new ValueError(
      'prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.',
    );
  if (workers > 0 && o.prefetch_factor != null && o.prefetch_factor < 0)
    throw new ValueError('prefetch_factor option should be non-negative');
  if (o.persistent_workers && workers === 0)
    throw new ValueError('persistent_workers option needs num_workers > 0');
  if (o.sampler && o.shuffle) throw new ValueError('sampler option is mutually exclusive with shuffle');
  if (o.batch_sampler && ((o.batch_size ?? 1) !== 1 || o.shuffle || o.sampler || o.drop_last))
    throw new ValueError(
      'batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last',
    );
  if (o.batch_size === null && o.drop_last)
    throw new ValueError(
      'batch_size=None option disables auto-batching and is mutually exclusive with drop_last',
    );
  if (
    o.batch_size !== undefined &&
    o.batch_size !== null &&
    (!Number.isInteger(o.batch_size) || o.batch_size <= 0)
  )
    throw new ValueError(`batch_size should be a positive integer value, but got batch_size=${o.batch_size}`);
}
