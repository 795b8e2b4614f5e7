/**
 * Loader of the native addon (native/node_api.cc): the CPU kernels, their thread pool and the allocator.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Any view of an ArrayBuffer (typed arrays, DataView, Buffer). */
type View = ArrayBufferView<ArrayBufferLike>;

/** What the allocator of this environment holds, in bytes, and how it got there. */
export interface MemoryStats {
  /** Bytes in blocks whose owner has not been found dead yet. */
  live: number;
  /** Bytes in free blocks that are kept for reuse. */
  cached: number;
  /** Bytes obtained from the operating system: live and cached blocks and their rounding. */
  reserved: number;
  /** The largest `live` so far. */
  peak: number;
  /** How many times the weak references were swept. */
  sweeps: number;
  /** How many of the sweeps ran a minor garbage collection, and how many a major one. */
  minor: number;
  major: number;
  /** Seconds spent in sweeps, garbage collections included. */
  sweepSeconds: number;
}

/** The addon's exports. Addresses are native pointers as numbers (they stay below 2^53). */
export interface Native {
  /** Arguments of the next `run()`: `[kernel id, arguments...]`; results come back from index 1 on. */
  readonly args: Float64Array;
  /** Address of `args[0]`. */
  readonly argsAddress: number;
  /** Runs the kernel whose id is `args[0]` on the arguments from `args[1]` on. */
  run(): void;
  /** Names of the kernels; a kernel's index is its id. */
  kernelNames(): string[];
  /** Names of the pointwise spans; a span's index is its id. */
  spanNames(): string[];
  /**
   * Address of a 64-byte aligned, uninitialised block that returns to the allocator after `owner` has been
   * garbage collected, or by {@link Native.release}.
   * Throws an Error in PyTorch's words when there is not enough memory.
   */
  allocate(owner: object, nbytes: number): number;
  /** Returns a block at once. Throws when `address` is not that of a live block. */
  release(address: number): void;
  /** Address of the bytes of `buffer`, which the caller keeps reachable from `owner`. */
  adopt(owner: object, buffer: ArrayBufferLike): number;
  /** Copies `out.byteLength` bytes from native memory to `out`. */
  read(address: number, out: View): void;
  /** Copies the bytes of `from` to native memory. */
  write(address: number, from: View): void;
  /** An ArrayBuffer over native memory, which keeps `owner` alive. Throws where the runtime forbids it. */
  view(owner: object, address: number, nbytes: number): ArrayBuffer;
  memoryStats(): MemoryStats;
  /** Collects garbage (a major collection unless `major` is false) and takes back the blocks of dead owners. */
  collect(major?: boolean): void;
  /** Hands freed blocks that are kept for reuse back to the operating system. */
  emptyCache(): void;
  setNumThreads(n: number): void;
  getNumThreads(): number;
  /** The instruction set in use: 'avx512', 'avx2', 'sse4', 'neon' or 'generic'. */
  isa(): string;
  /** The instruction sets this binary holds that this processor can run. */
  isas(): string[];
  /** `collect(major)` runs a garbage collection. */
  setCollector(collect: (major: boolean) => void): void;
}

const PLATFORM = `${process.platform}-${process.arch}`;

/** The folder of the package that a file of it lies in. */
function packageRoot(folder: string): string {
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, 'package.json')) ? folder : packageRoot(above);
}

function load(): Native {
  const require = createRequire(import.meta.url);
  const root = packageRoot(dirname(fileURLToPath(import.meta.url)));
  const candidates = [
    join(root, 'prebuilds', PLATFORM, 'typetorch.node'),
    join(root, 'build', 'Release', 'typetorch.node'),
  ];
  const problems: string[] = [];
  const tryLoad = (id: string): Native | undefined => {
    try {
      return require(id) as Native;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND')
        problems.push(`${id}: ${String(error)}`);
      return undefined;
    }
  };
  for (const id of [candidates[0], `@typetorch/${PLATFORM}`, candidates[1]]) {
    if (id.endsWith('.node') && !existsSync(id)) continue;
    const native = tryLoad(id);
    if (native) return native;
  }
  if (problems.length > 0) {
    throw new Error(
      [
        `typetorch could not load its native addon for ${PLATFORM}:`,
        ...problems,
        `If it was built for another system or Node version, run \`npm run build:native -- --force\` in ${root}.`,
      ].join('\n'),
    );
  }
  throw new Error(
    [
      `typetorch has no native addon for ${PLATFORM}.`,
      'Install a C++20 compiler (g++ 12, clang 15 or newer), make and Python 3, then run',
      '    npm run build:native',
      `in ${root}; or install the prebuilt package @typetorch/${PLATFORM} where one exists.`,
    ].join('\n'),
  );
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

export const native: Native = load();

const collector = findCollector();
if (collector) native.setCollector(collector);
