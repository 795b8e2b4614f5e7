// Samplers: in which order a DataLoader visits a dataset.

import { cpu } from '../../device.js';
import { empty } from '../../dispatch/allocate.js';
import { float64, int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { default_generator, Generator } from '../../generator.js';
import { tensor } from '../../ops/data.js';
import { multinomial, randint, randperm } from '../../ops/random.js';
import type { Tensor } from '../../tensor.js';
import { permutation } from './dataset.js';

/** Base class: iterates over indices (or batches of them). */
export abstract class Sampler<T = number> {
  abstract [Symbol.iterator](): Iterator<T>;
  /** Number of items; undefined when it is not known. */
  __len__?(): number;
}

interface Sized {
  __len__(): number;
}

/** One 64-bit draw of the generator, as PyTorch draws base seeds. @internal */
export function drawSeed(generator: Generator | null): bigint {
  const x = empty([], int64, cpu);
  x.random_({ generator: generator ?? default_generator });
  return BigInt(x.item() as number | bigint);
}

/** 0, 1, 2, … */
export class SequentialSampler extends Sampler {
  constructor(readonly data_source: Sized) {
    super();
  }
  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0, n = this.data_source.__len__(); i < n; i++) yield i;
  }
  override __len__(): number {
    return this.data_source.__len__();
  }
}

export interface RandomSamplerOptions {
  /** Draw with replacement (default false). */
  replacement?: boolean;
  /** How many to draw (default: the dataset's length). */
  num_samples?: number | null;
  generator?: Generator | null;
}

/** Indices in random order; the order for a seed is PyTorch's. */
export class RandomSampler extends Sampler {
  readonly replacement: boolean;
  readonly generator: Generator | null;
  private readonly samples: number | null;
  constructor(
    readonly data_source: Sized,
    options: RandomSamplerOptions = {},
  ) {
    super();
    this.replacement = options.replacement ?? false;
    this.samples = options.num_samples ?? null;
    this.generator = options.generator ?? null;
    if (typeof this.replacement !== 'boolean')
      throw new TypeError(`replacement should be a boolean value, but got replacement=${this.replacement}`);
    if (!Number.isInteger(this.num_samples) || this.num_samples <= 0)
      throw new ValueError(
        `num_samples should be a positive integer value, but got num_samples=${this.num_samples}`,
      );
  }
  get num_samples(): number {
    return this.samples ?? this.data_source.__len__();
  }
  *[Symbol.iterator](): IterableIterator<number> {
    const n = this.data_source.__len__();
    const generator = this.generator ?? new Generator().manual_seed(drawSeed(null));
    const count = this.num_samples;
    if (this.replacement) {
      for (let left = count; left > 0; left -= 32)
        yield* numbers(randint(n, [Math.min(left, 32)], { generator, dtype: int64 }));
      return;
    }
    for (let round = 0; round < Math.floor(count / n); round++) yield* permutation(n, generator);
    // PyTorch draws one more permutation for the remainder, also when there is none.
    yield* permutation(n, generator).slice(0, count % n);
  }
  override __len__(): number {
    return this.num_samples;
  }
}

const numbers = (x: Tensor): number[] => x.tolist() as number[];

/** The given indices in random order. */
export class SubsetRandomSampler extends Sampler {
  constructor(
    readonly indices: readonly number[],
    readonly generator: Generator | null = null,
  ) {
    super();
  }
  *[Symbol.iterator](): IterableIterator<number> {
    for (const i of numbers(
      randperm(this.indices.length, this.generator ? { generator: this.generator } : {}),
    ))
      yield this.indices[i];
  }
  override __len__(): number {
    return this.indices.length;
  }
}

/** Indices drawn with the given weights (which need not sum to 1). */
export class WeightedRandomSampler extends Sampler {
  readonly weights: Tensor;
  constructor(
    weights: readonly number[] | Tensor,
    readonly num_samples: number,
    readonly replacement = true,
    readonly generator: Generator | null = null,
  ) {
    super();
    if (!Number.isInteger(num_samples) || num_samples <= 0)
      throw new ValueError(
        `num_samples should be a positive integer value, but got num_samples=${num_samples}`,
      );
    if (typeof replacement !== 'boolean')
      throw new ValueError(
        `replacement should be a boolean value, but got replacement=${String(replacement)}`,
      );
    this.weights = Array.isArray(weights)
      ? tensor(weights as number[], { dtype: float64 })
      : (weights as Tensor).to(float64);
    if (this.weights.shape.length !== 1)
      throw new ValueError(
        `weights should be a 1d sequence but given weights have shape (${this.weights.shape.join(', ')})`,
      );
  }
  *[Symbol.iterator](): IterableIterator<number> {
    yield* numbers(
      multinomial(
        this.weights,
        this.num_samples,
        this.replacement,
        this.generator ? { generator: this.generator } : {},
      ),
    );
  }
  override __len__(): number {
    return this.num_samples;
  }
}

/** Batches of another sampler's indices. */
export class BatchSampler extends Sampler<number[]> {
  constructor(
    readonly sampler: Iterable<number> & { __len__?(): number },
    readonly batch_size: number,
    readonly drop_last: boolean,
  ) {
    super();
    if (!Number.isInteger(batch_size) || batch_size <= 0)
      throw new ValueError(`batch_size should be a positive integer value, but got batch_size=${batch_size}`);
    if (typeof drop_last !== 'boolean')
      throw new ValueError(`drop_last should be a boolean value, but got drop_last=${String(drop_last)}`);
  }
  *[Symbol.iterator](): IterableIterator<number[]> {
    let batch: number[] = [];
    for (const i of this.sampler) {
      batch.push(i);
      if (batch.length === this.batch_size) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0 && !this.drop_last) yield batch;
  }
  override __len__(): number {
    const n = this.sampler.__len__?.() ?? 0;
    return this.drop_last ? Math.floor(n / this.batch_size) : Math.ceil(n / this.batch_size);
  }
}

export interface DistributedSamplerOptions {
  /** Number of processes. */
  num_replicas?: number | null;
  /** This process's number. */
  rank?: number | null;
  shuffle?: boolean;
  /** The same in every process. */
  seed?: number;
  /** Leave out the samples that do not divide evenly, rather than repeating some. */
  drop_last?: boolean;
}

/**
 * The part of a dataset that one of several processes visits. Call `set_epoch` before each epoch for another order.
 * @throws ValueError for a rank that is none.
 */
export class DistributedSampler extends Sampler {
  readonly num_replicas: number;
  readonly rank: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly drop_last: boolean;
  readonly num_samples: number;
  readonly total_size: number;
  epoch = 0;
  constructor(
    readonly dataset: Sized,
    options: DistributedSamplerOptions = {},
  ) {
    super();
    const { num_replicas, rank } = options;
    if (typeof num_replicas !== 'number' || typeof rank !== 'number')
      throw new RuntimeError(
        'Requires distributed package to be available: pass num_replicas and rank to DistributedSampler',
      );
    if (rank >= num_replicas || rank < 0)
      throw new ValueError(`Invalid rank ${rank}, rank should be in the interval [0, ${num_replicas - 1}]`);
    this.num_replicas = num_replicas;
    this.rank = rank;
    this.shuffle = options.shuffle ?? true;
    this.seed = options.seed ?? 0;
    this.drop_last = options.drop_last ?? false;
    const n = dataset.__len__();
    this.num_samples =
      this.drop_last && n % num_replicas !== 0
        ? Math.ceil((n - num_replicas) / num_replicas)
        : Math.ceil(n / num_replicas);
    this.total_size = this.num_samples * num_replicas;
  }
  *[Symbol.iterator](): IterableIterator<number> {
    const n = this.dataset.__len__();
    const order = this.shuffle
      ? permutation(n, new Generator().manual_seed(this.seed + this.epoch))
      : Array.from({ length: n }, (_, i) => i);
    for (let i = this.rank; i < this.total_size; i += this.num_replicas) yield order[i % n];
  }
  override __len__(): number {
    return this.num_samples;
  }
  /** Sets the epoch, on which the order depends. */
  set_epoch(epoch: number): void {
    this.epoch = epoch;
  }
}
