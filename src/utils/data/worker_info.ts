// Which DataLoader worker the current thread is.

export interface WorkerInfo {
  readonly id: number;
  readonly num_workers: number;
  readonly seed: bigint;
  /** This worker's copy of the dataset. */
  readonly dataset: unknown;
}

/** @internal */
export const workerInfo: { current: WorkerInfo | null } = { current: null };

/** In a worker thread of a DataLoader: its number, seed and dataset; null elsewhere. */
export function get_worker_info(): WorkerInfo | null {
  return workerInfo.current;
}

/** @internal Whether this worker thread is importing the module of its dataset. */
export const importing = { current: false };
