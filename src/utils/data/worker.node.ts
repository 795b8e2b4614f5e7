// The thread of one DataLoader worker: rebuilds the dataset and answers requests for batches.
import { parentPort, workerData } from 'node:worker_threads';
import '../../index.js';
import { manual_seed } from '../../generator.js';
import { default_collate, default_convert } from './collate.js';
import { type BatchSource, type Dataset, samplesAt } from './dataset.js';
import { decode, encode } from './wire.js';
import { importing, type WorkerInfo, workerInfo } from './worker_info.js';
import type { Reply, Request, WorkerSetup } from './workers.node.js';

const setup = workerData as WorkerSetup;
type AnyDataset = Dataset & Partial<BatchSource> & Partial<Iterable<unknown>>;
let dataset: AnyDataset | undefined;
let collated = true;
let stream: Iterator<unknown> | undefined;
let init: ((worker_id: number) => unknown) | null = null;
let started = false;

async function load(): Promise<AnyDataset> {
  importing.current = true;
  const module = (await import(setup.module).finally(() => {
    importing.current = false;
  })) as Record<string, unknown>;
  const type = (module[setup.className] ?? module.default) as (abstract new () => object) | undefined;
  if (type === undefined)
    throw new TypeError(`${setup.module} does not export the dataset class ${setup.className}`);
  if (setup.init !== null) {
    const found = module[setup.init];
    if (typeof found !== 'function')
      throw new TypeError(
        `worker_init_fn: ${setup.module} does not export a function ${setup.init || '(it has no name)'}; worker threads find it there by name`,
      );
    init = found as (worker_id: number) => unknown;
  }
  return Object.assign(Object.create(type.prototype) as object, decode(setup.state)) as AnyDataset;
}

async function fetch(indices: number | readonly number[]): Promise<unknown> {
  const source = dataset as AnyDataset;
  if (typeof indices === 'number') return default_convert(await source.__getitem__(indices));
  if (collated && typeof source._batch === 'function') return source._batch(indices);
  const samples = await samplesAt(source, indices, false);
  return collated ? default_collate(samples) : samples;
}

function* batches(): IterableIterator<unknown> {
  let batch: unknown[] = [];
  for (const sample of dataset as Iterable<unknown>) {
    if (setup.batch_size === null) {
      yield default_convert(sample);
      continue;
    }
    batch.push(sample);
    if (batch.length < setup.batch_size) continue;
    yield collated ? default_collate(batch) : batch;
    batch = [];
  }
  if (batch.length > 0 && !setup.drop_last) yield collated ? default_collate(batch) : batch;
}

async function answer(request: Request): Promise<Reply | null> {
  dataset ??= await load();
  if (request.kind === 'start') {
    if (!started) {
      const seed = request.seed + BigInt(setup.worker);
      manual_seed(seed);
      workerInfo.current = {
        id: setup.worker,
        num_workers: setup.workers,
        seed,
        dataset,
      } satisfies WorkerInfo;
      if (init !== null) await init(setup.worker);
      started = true;
    }
    collated = request.collate;
    stream = request.stream ? batches() : undefined;
    return null;
  }
  if (request.kind === 'fetch') return { id: request.id, value: await fetch(request.indices) };
  const next = (stream as Iterator<unknown>).next();
  return next.done ? { id: request.id, done: true } : { id: request.id, value: next.value };
}

const port = parentPort as NonNullable<typeof parentPort>;
/** What went wrong at the start: it is told with the first answer. */
let failed: unknown = null;
// One request at a time, in order.
let last: Promise<void> = Promise.resolve();
port.on('message', (request: Request) => {
  last = last.then(async () => {
    try {
      if (failed !== null) throw failed;
      const reply = await answer(request);
      if (reply === null) return;
      const transfer: ArrayBuffer[] = [];
      port.postMessage(
        'value' in reply ? { ...reply, value: encode(reply.value, transfer) } : reply,
        transfer,
      );
    } catch (error) {
      if (!('id' in request)) {
        failed = error;
        return;
      }
      const e = error instanceof Error ? error : new Error(String(error));
      port.postMessage({
        id: request.id,
        error: e.name,
        message: e.message,
        stack: e.stack ?? '',
      } satisfies Reply);
    }
  });
});
