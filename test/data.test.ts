// Data loading: orders, batches, workers. Worker threads run the build, so these tests do.
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as torch from '../dist/index.js';
import { Broken, Several, Slow, Squares, Started, Stream, start, Unclonable } from './fixtures/squares.mjs';

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
  it('call worker_init_fn once, found by name in the module of the dataset', async () => {
    const options = { batch_size: 2, num_workers: 2, persistent_workers: true, worker_init_fn: start };
    const loader = new DataLoader(new Started(8), options);
    for (let epoch = 0; epoch < 2; epoch++) {
      const seen = (await collect(loader)).flatMap(([, id]) => numbers(id));
      expect(seen).toEqual([10, 10, 11, 11, 10, 10, 11, 11]);
    }
    const other = new DataLoader(new Started(2), { num_workers: 1, worker_init_fn: () => {} });
    await expect(collect(other)).rejects.toThrow(/does not export a function worker_init_fn/);
  });
  it('give up after the timeout', async () => {
    const loader = new DataLoader(new Slow(4), { num_workers: 1, timeout: 0.5 });
    await expect(collect(loader)).rejects.toThrow('DataLoader timed out after 0.5 seconds');
  });
  it('raise errors of the class that the worker raised', async () => {
    const error = await collect(new DataLoader(new Broken(5), { num_workers: 2 })).catch((e) => e);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(
      /Caught TypeError in DataLoader worker process 1\.\nOriginal stack:\nTypeError: no third sample\n {4}at Broken\.__getitem__/,
    );
  });
  it('ask for several samples at once where the dataset can', async () => {
    for (const num_workers of [0, 1]) {
      const [[index, size]] = await collect(new DataLoader(new Several(3), { batch_size: 3, num_workers }));
      expect([numbers(index), numbers(size)]).toEqual([
        [0, 1, 2],
        [3, 3, 3],
      ]);
    }
  });
  it('end with the process at Ctrl-C', async () => {
    const program = new URL('./fixtures/endless.mjs', import.meta.url).pathname;
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<string | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.kill('SIGINT');
    expect(await ended).toBe('SIGINT');
  });
});

describe('DistributedSampler', () => {
  const ten = { __len__: () => 10 };
  it('orders are PyTorch’s', () => {
    const run = (options: object): number[][] => {
      const sampler = new torch.utils.data.DistributedSampler(ten, options);
      const first = [...sampler];
      sampler.set_epoch(1);
      expect(sampler.__len__()).toBe(first.length);
      return [first, [...sampler]];
    };
    // torch.utils.data.DistributedSampler(range(10), …)
    expect(run({ num_replicas: 3, rank: 1 })).toEqual([
      [1, 3, 8, 4],
      [6, 0, 3, 5],
    ]);
    expect(run({ num_replicas: 3, rank: 2, shuffle: false })).toEqual([
      [2, 5, 8, 1],
      [2, 5, 8, 1],
    ]);
    expect(run({ num_replicas: 4, rank: 0, drop_last: true, seed: 5 })).toEqual([
      [1, 3],
      [0, 8],
    ]);
    expect(() => run({})).toThrow('Requires distributed package to be available');
    expect(() => run({ num_replicas: 2, rank: 2 })).toThrow(/Invalid rank 2/);
  });
});

describe('types', () => {
  it('a batch is what collate_fn makes of the samples', async () => {
    const data = new TensorDataset(torch.arange(6));
    const loader = new DataLoader(data, {
      batch_size: 2,
      collate_fn: (batch) => batch.map(([x]) => x.item()).join('+'),
    });
    const texts: string[] = [];
    for await (const text of loader) texts.push(text.toUpperCase());
    expect(texts).toEqual(['0+1', '2+3', '4+5']);
    const stacked = new torch.utils.data.StackDataset<[torch.Tensor[], torch.Tensor[]]>(data, data);
    const [[[x], [y]]] = await collect(new DataLoader(stacked, { batch_size: 3 }));
    expect(x.equal(y)).toBe(true);
  });
});
