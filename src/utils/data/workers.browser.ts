// In browsers a DataLoader prepares its batches in the thread of the page (or of the worker that trains).
import { RuntimeError } from '../../errors.js';
import type { PoolOptions } from './workers.node.js';

export class WorkerPool {
  constructor(_dataset: object, count: number, _options: PoolOptions) {
    throw new RuntimeError(
      `DataLoader: num_workers=${count} needs threads that load modules by name, which this runtime does not offer; use num_workers=0`,
    );
  }

  run(..._: readonly unknown[]): AsyncIterable<unknown> {
    throw new RuntimeError('DataLoader has no workers in this runtime');
  }
  stream(..._: readonly unknown[]): AsyncIterable<unknown> {
    throw new RuntimeError('DataLoader has no workers in this runtime');
  }
  close(): void {}
}
