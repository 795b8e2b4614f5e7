// What both implementations of the CPU back end need of the process: its files and its garbage collector.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The folder of the package that a file of it lies in. */
export function packageRoot(folder: string): string {
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, 'package.json')) ? folder : packageRoot(above);
}

type Gc = (options?: { type: 'minor' }) => void;

/** A function that collects garbage at once, or undefined where this runtime offers none. */
function findCollector(): ((major: boolean) => void) | undefined {
  const bun = (globalThis as { Bun?: { gc(sync: boolean): void } }).Bun;
  if (bun) return () => bun.gc(true);
  let gc = (globalThis as { gc?: Gc }).gc;
  if (!gc) {
    try {
      setFlagsFromString('--expose-gc');
      gc = runInNewContext('gc') as Gc;
    } catch {
      return undefined;
    }
  }
  if (typeof gc !== 'function') return undefined;
  const collect = gc;
  const minor = { type: 'minor' } as const; // Node 20 takes any argument for a request of a minor collection
  let alone = false;
  const withHelpers = () => {
    setFlagsFromString('--parallel-scavenge');
    alone = false;
  };
  return (major) => {
    if (major) return collect();
    // Waking helper threads costs more than they do for the few young objects of a sweep (measured: 105 us with them,
    // 63 without, 6 for the two changes of the flag). Collections in later turns of the event loop have them again.
    if (!alone) {
      setFlagsFromString('--no-parallel-scavenge');
      alone = true;
      setImmediate(withHelpers).unref();
    }
    collect(minor);
  };
}

/** Collects garbage at once; undefined where this runtime offers no way to. */
export const collector = findCollector();
