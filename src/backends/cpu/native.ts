// What serves the CPU back end: the kernels, their threads and the allocator. The Node addon (addon.node.ts) and the
// WebAssembly build of the same kernels (wasm.ts) implement it; `#native` is the one that was chosen at load.

/** Any view of an ArrayBuffer (typed arrays, DataView, Buffer). */
export type View = ArrayBufferView<ArrayBufferLike>;

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

/** Addresses are numbers: native pointers (they stay below 2^53), or offsets in linear memory. */
export interface Native {
  readonly implementation: 'addon' | 'wasm';
  /**
   * Arguments of the next `run()`: `[kernel id, arguments...]`; results come back from index 1 on. Another array over the
   * same address takes its place when linear memory grows: then `grown` is called.
   */
  readonly args: Float64Array;
  /** Address of `args[0]`. */
  readonly argsAddress: number;
  /** Called after `args` was replaced. */
  grown?: () => void;
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
  /**
   * Address of the bytes of `buffer`, which the caller keeps reachable from `owner`. Linear memory cannot hold another
   * buffer's bytes: there it is a copy of them.
   */
  adopt(owner: object, buffer: ArrayBufferLike): number;
  /** Copies `out.byteLength` bytes from native memory to `out`. */
  read(address: number, out: View): void;
  /** Copies the bytes of `from` to native memory. */
  write(address: number, from: View): void;
  memoryStats(): MemoryStats;
  /** Collects garbage (a major collection unless `major` is false) and takes back the blocks of dead owners. */
  collect(major?: boolean): void;
  /** Hands freed blocks that are kept for reuse back to the operating system, where that can be. */
  emptyCache(): void;
  setNumThreads(n: number): void;
  getNumThreads(): number;
  /** The instruction set in use: 'avx512', 'avx2', 'sse4', 'neon', 'generic', 'wasm-simd' or 'wasm-relaxed'. */
  isa(): string;
}
