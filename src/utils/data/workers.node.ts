// Worker threads of a DataLoader. A dataset travels as the name of its class, the module that exports it, and a
// copy of its fields; batches come back as buffers that change hands without being copied.
import { Worker } from 'node:worker_threads';
import * as errors from '../../errors.js';
import { decode, encodeState, type Wire } from './wire.js';

export interface PoolOptions {
  /** Seconds to wait for one batch; 0 waits for ever. */
  readonly timeout: number;
  /** Samples are handed out one by one, not collated. */
  readonly convert: boolean;
  readonly batch_size: number | null;
  readonly drop_last: boolean;
  /** The exported function that each worker calls first. */
  readonly init: string | null;
}

/** What the main thread tells a worker. */
export type Request =
  | { readonly kind: 'start'; readonly seed: bigint; readonly collate: boolean; readonly stream: boolean }
  | { readonly kind: 'fetch'; readonly id: number; readonly indices: number | readonly number[] }
  | { readonly kind: 'next'; readonly id: number };

/** What a worker answers. */
export type Reply =
  | { readonly id: number; readonly value: Wire }
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly error: string; readonly message: string; readonly stack: string };

/** What a worker is started with. */
export interface WorkerSetup {
  readonly worker: number;
  readonly workers: number;
  readonly module: string;
  readonly className: string;
  readonly state: Wire;
  readonly convert: boolean;
  readonly batch_size: number | null;
  readonly drop_last: boolean;
  readonly init: string | null;
}

interface Pending {
  resolve(reply: Reply): void;
  reject(error: Error): void;
  readonly worker: number;
}

const { RuntimeError, IndexError, ValueError, NotImplementedError, KeyError, AssertionError } = errors;
const errorClasses: Readonly<Record<string, new (message: string) => Error>> = {
  RuntimeError,
  IndexError,
  ValueError,
  NotImplementedError,
  KeyError,
  AssertionError,
  TypeError,
  RangeError,
};

/** An error of a worker as one of this thread: of the same class where that is known, with the worker's stack. */
function raised({ error, message, stack }: Extract<Reply, { error: string }>, worker: number): Error {
  const type = Object.hasOwn(errorClasses, error) ? errorClasses[error] : RuntimeError;
  return new type(
    `Caught ${error} in DataLoader worker process ${worker}.\nOriginal stack:\n${stack.includes(message) ? stack : `${message}\n${stack}`}`,
  );
}

type Collate = ((batch: readonly unknown[]) => unknown) | null;

export class WorkerPool {
  private readonly workers: Worker[];
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  private readonly failures: (Error | null)[];

  constructor(
    dataset: object,
    count: number,
    private readonly options: PoolOptions,
  ) {
    const type = dataset.constructor as { name: string; module?: string };
    const setup = {
      workers: count,
      module: type.module as string,
      className: type.name,
      state: encodeState(dataset),
      convert: options.convert,
      batch_size: options.batch_size,
      drop_last: options.drop_last,
      init: options.init,
    };
    this.failures = new Array<Error | null>(count).fill(null);
    this.workers = Array.from({ length: count }, (_, worker) => this.start({ ...setup, worker }));
  }

  private start(setup: WorkerSetup): Worker {
    const worker = new Worker(new URL('./worker.node.js', import.meta.url), { workerData: setup });
    worker.on('message', (reply: Reply) => {
      const waiting = this.pending.get(reply.id);
      this.pending.delete(reply.id);
      waiting?.resolve(reply);
    });
    const fail = (error: Error): void => {
      this.failures[setup.worker] = error;
      for (const [id, waiting] of this.pending)
        if (waiting.worker === setup.worker) {
          this.pending.delete(id);
          waiting.reject(error);
        }
    };
    worker.on('error', (error) =>
      fail(
        new RuntimeError(
          `DataLoader worker ${setup.worker} failed: ${(error as Error).stack ?? String(error)}`,
        ),
      ),
    );
    worker.on('exit', (code) =>
      fail(new RuntimeError(`DataLoader worker ${setup.worker} exited unexpectedly with exit code ${code}.`)),
    );
    // A program that is done does not wait for idle workers.
    worker.unref();
    return worker;
  }

  private ask(worker: number, make: (id: number) => Request): Promise<Reply> {
    const failed = this.failures[worker];
    if (failed) return Promise.reject(failed);
    const id = this.nextId++;
    const answer = new Promise<Reply>((resolve, reject) => this.pending.set(id, { resolve, reject, worker }));
    this.workers[worker].postMessage(make(id));
    return answer;
  }

  private broadcast(request: Request): void {
    for (const worker of this.workers) worker.postMessage(request);
  }

  /** Waits for a reply, for at most `timeout` seconds, keeping the process alive meanwhile. */
  private async wait(answer: Promise<Reply>): Promise<Reply> {
    const { timeout } = this.options;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new RuntimeError(`DataLoader timed out after ${timeout} seconds`)),
        timeout > 0 ? timeout * 1000 : 2 ** 31 - 1,
      );
    });
    try {
      return await Promise.race([answer, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  private value(reply: Reply, worker: number, collate: Collate): unknown {
    if ('error' in reply) throw raised(reply, worker);
    const value = 'value' in reply ? decode(reply.value) : undefined;
    return collate ? collate(value as readonly unknown[]) : value;
  }

  /** Fetches the sampler's items in order, each worker `ahead` of them in advance. */
  async *run(
    seed: bigint,
    items: Iterable<number | readonly number[]>,
    ahead: number,
    collate: Collate,
  ): AsyncIterable<unknown> {
    this.broadcast({ kind: 'start', seed, collate: collate === null, stream: false });
    const queue: { worker: number; answer: Promise<Reply> }[] = [];
    let turn = 0;
    for (const indices of items) {
      const worker = turn++ % this.workers.length;
      const answer = this.ask(worker, (id) => ({ kind: 'fetch', id, indices }));
      answer.catch(() => {});
      queue.push({ worker, answer });
      if (queue.length >= Math.max(ahead, 1) * this.workers.length) yield await this.take(queue, collate);
    }
    while (queue.length > 0) yield await this.take(queue, collate);
  }

  private async take(
    queue: { worker: number; answer: Promise<Reply> }[],
    collate: Collate,
  ): Promise<unknown> {
    const { worker, answer } = queue.shift() as { worker: number; answer: Promise<Reply> };
    return this.value(await this.wait(answer), worker, collate);
  }

  /** Batches of an iterable dataset: each worker has its own copy; they take turns until all are exhausted. */
  async *stream(seed: bigint, collate: Collate): AsyncIterable<unknown> {
    this.broadcast({ kind: 'start', seed, collate: collate === null, stream: true });
    let live = this.workers.map((_, worker) => ({
      worker,
      answer: this.ask(worker, (id) => ({ kind: 'next', id })),
    }));
    while (live.length > 0)
      for (const entry of [...live]) {
        const reply = await this.wait(entry.answer);
        if ('done' in reply) {
          live = live.filter((other) => other !== entry);
          continue;
        }
        const { worker } = entry;
        entry.answer = this.ask(worker, (id) => ({ kind: 'next', id }));
        entry.answer.catch(() => {});
        yield this.value(reply, worker, collate);
      }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
