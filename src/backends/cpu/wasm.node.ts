// The WebAssembly build in Node, Bun and Deno: where its file lies, and how garbage is collected in the middle of a job.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { createContext, Script } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type { Native } from './native.js';
import { collector, packageRoot } from './process.node.js';
import { prepareWasm, type ThreadSetup, type Threads } from './wasm.js';
import type { Collector } from './wasm_blocks.js';
import { chooseBuild, WebAssemblyApi } from './webassembly.js';

/**
 * A weak reference keeps its target until the job in which it was made ends. A script in a context with a microtask
 * queue of its own ends like a job, while the microtasks of this context stay where they are.
 */
function jobEnder(): () => void {
  try {
    const context = createContext({}, { microtaskMode: 'afterEvaluate' });
    const nothing = new Script('0');
    return () => {
      nothing.runInContext(context);
    };
  } catch {
    return () => {};
  }
}

function wasmCollector(): Collector | undefined {
  if (!collector) return undefined;
  const collect = collector;
  const endJob = jobEnder();
  return () => {
    endJob();
    collect(true);
    endJob();
  };
}

/** Node 20 has relaxed SIMD behind a flag. */
function enableRelaxedSimd(): void {
  if (Number.parseInt(process.versions.v8 ?? '', 10) < 12)
    setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/** How many threads one op may use: as many as the addon would. */
function threadCount(): number {
  for (const name of ['TYPETORCH_NUM_THREADS', 'OMP_NUM_THREADS']) {
    const n = Number.parseInt(process.env[name] ?? '', 10);
    if (n > 0) return n;
  }
  return availableParallelism();
}

/** Idle threads do not keep the process. */
function nodeThreads(root: string, count: number): Threads {
  const script = join(root, 'dist', 'esm', 'backends', 'cpu', 'wasm_thread.node.js');
  const start = (setup: ThreadSetup): void => {
    // Flags such as --input-type are for the program. A thread that does not start is not missed.
    const worker = new Worker(script, { workerData: setup, execArgv: [] });
    worker.on('error', () => {});
    worker.unref();
  };
  return { count, early: false, start };
}

/** The kernels as WebAssembly; undefined where they were not built. */
export function loadWasm(): Native | undefined {
  enableRelaxedSimd();
  const root = packageRoot(dirname(fileURLToPath(import.meta.url)));
  const count = threadCount();
  const build = chooseBuild(count > 1);
  const file = join(root, 'dist', 'wasm', build.file);
  if (!existsSync(file)) return undefined;
  const module = new WebAssemblyApi.Module(readFileSync(file));
  const { imports, finish } = prepareWasm({
    module,
    build,
    collector: wasmCollector(),
    threads: build.threads ? nodeThreads(root, count) : undefined,
  });
  return finish(new WebAssemblyApi.Instance(module, imports));
}
