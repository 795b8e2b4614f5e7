// Data loading: orders, batches, workers. Worker threads run the build, so these tests do.
import { describe, expect, it } from 'vitest';
import * as torch from '../dist/index.js';
import { Squares, Stream, Unclonable } from './fixtures/squares.mjs';

const {
  DataLoader,
  TensorDataset,
  random_split,
  RandomSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  BatchSampler,
  SequentialSampler,
} = torch.utils.data;

async function collect<T>(loader: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const batch of loader) out.push(batch);
  return out;
}
const numbers = (x: unknown): number[] => (x as torch.Tensor).tolist() as number[];

describe('orders are PyTorch’s', () => {
  // torch.manual_seed(0); [b.tolist() for (b,) in DataLoader(TensorDataset(torch.arange(10)), batch_size=4, shuffle=True)]
  it('shuffle, twice', async () => {
    torch.manual_seed(0);
    const loader = new DataLoader(new TensorDataset(torch.arange(10)), { batch_size: 4, shuffle: true });
    const epochs = [await collect(loader), await collect(loader)].map((e) => e.map(([b]) => numbers(b)));
    expect(epochs).toEqual(golden.shuffle);
  });
  it('random_split', () => {
    torch.manual_seed(0);
    const parts = random_split(new TensorDataset(torch.arange(10)), [0.5, 0.3, 0.2]);
    expect(parts.map((p) => [...p.indices])).toEqual(golden.split);
  });
  it('samplers', () => {
    torch.manual_seed(0);
    const ten = new TensorDataset(torch.arange(10));
    expect([...new RandomSampler(ten, { replacement: true, num_samples: 5 })]).toEqual(golden.replacement);
    expect([...new SubsetRandomSampler([3, 1, 4, 1, 5])]).toEqual(golden.subset);
    expect([...new WeightedRandomSampler([0.1, 0.2, 0.7], 6)]).toEqual(golden.weighted);
    expect([...new BatchSampler(new SequentialSampler(ten), 4, true)]).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
  });
});

const golden = {
  shuffle: [
    [
      [6, 7, 1, 4],
      [2, 0, 9, 8],
      [3, 5],
    ],
    [
      [2, 4, 7, 0],
      [8, 9, 5, 3],
      [6, 1],
    ],
  ],
  split: [
    [4, 1, 7, 5, 3],
    [9, 0, 8],
    [6, 2],
  ],
  replacement: [6, 0, 4, 3, 9],
  subset: [1, 1, 3, 5, 4],
  weighted: [2, 2, 2, 1, 2, 2],
};

describe('collate', () => {
  it('stacks tensors, labels to int64, and keeps the structure', async () => {
    const [[x, label]] = await collect(new DataLoader(new Squares(3), { batch_size: 3 }));
    expect(numbers(x)).toEqual([[0.5], [1.5], [4.5]]);
    expect(String((label as torch.Tensor).dtype)).toBe('torch.int64');
  });
  it('refuses a number that is not whole', () => {
    expect(() => torch.utils.data.default_collate([1, 0.5])).toThrow(/return a tensor/);
  });
  it('says what is wrong with the options', () => {
    expect(() => new DataLoader(new Squares(3), { batch_size: 0 })).toThrow(
      /batch_size should be a positive integer value/,
    );
    expect(() => new DataLoader(new Squares(3), { sampler: [1], shuffle: true })).toThrow(
      /mutually exclusive with shuffle/,
    );
  });
});

describe('worker threads', () => {
  it('prepare batches in order, in threads of their own', async () => {
    const loader = new DataLoader(new Squares(10), { batch_size: 3, num_workers: 2 });
    const batches = await collect(loader);
    expect(batches.flatMap(([, label]) => numbers(label))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(batches.flatMap(([x]) => (numbers(x) as unknown as number[][]).flat())).toEqual([
      0.5, 1.5, 4.5, 9.5, 16.5, 25.5, 36.5, 49.5, 64.5, 81.5,
    ]);
    const threads = new Set(batches.flatMap(([, , thread]) => numbers(thread)));
    expect(threads.size).toBe(2);
    expect(threads.has(0)).toBe(false);
  });
  it('shuffle as without them', async () => {
    const run = async (num_workers: number): Promise<number[]> => {
      torch.manual_seed(7);
      return (
        await collect(new DataLoader(new Squares(12), { batch_size: 4, shuffle: true, num_workers }))
      ).flatMap(([, label]) => numbers(label));
    };
    expect(await run(2)).toEqual(await run(0));
  });
  it('share an iterable dataset', async () => {
    const batches = await collect(new DataLoader(new Stream(), { batch_size: 2, num_workers: 2 }));
    expect(batches.flatMap(numbers).sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
  });
  it('pass errors on, with their stack', async () => {
    await expect(collect(new DataLoader(new Squares(14), { batch_size: 7, num_workers: 1 }))).rejects.toThrow(
      /Caught RangeError in DataLoader worker process 0\.\nOriginal stack:\nRangeError: sample 13 is broken/,
    );
  });
  it('refuse a dataset that cannot be copied', async () => {
    await expect(collect(new DataLoader(new Unclonable(3), { num_workers: 1 }))).rejects.toThrow(
      /field 'transform' of Unclonable cannot be copied/,
    );
  });
});
