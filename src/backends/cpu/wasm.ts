// The kernels as WebAssembly (native/wasm_api.cc): the same contract as the addon over linear memory.
import type { MemoryStats, Native, View } from './native.js';
import { Blocks, type Collector, type Heap, outOfMemory } from './wasm_blocks.js';
import {
  type Imports,
  type WasmBuild,
  type WasmGlobal,
  type WasmInstance,
  type WasmMemory,
  type WasmModule,
  WebAssemblyApi,
} from './webassembly.js';

/** The module's exports. Addresses come as signed 32-bit integers. */
export interface WasmExports {
  readonly __stack_pointer: WasmGlobal;
  __wasm_call_ctors(): void;
  args(): number;
  argsLength(): number;
  run(): number;
  kernelName(i: number): number;
  spanName(i: number): number;
  take(nbytes: number): number;
  giveBack(address: number): void;
  heapUsed(): number;
  heapPeak(): number;
  setThreads(n: number): void;
  /** After an error that went through the module's frames, before anything else runs. */
  abandon(): void;
  /** Of the builds with threads. */
  readonly __tls_size?: WasmGlobal;
  readonly __tls_align?: WasmGlobal;
}

/** What a thread of the pool starts with: its stack and thread-local memory lie in the shared memory. */
export interface ThreadSetup {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  readonly index: number;
  readonly stackTop: number;
  readonly tls: number;
}

/** How this platform runs threads; `start` need not wait for them. */
export interface Threads {
  readonly count: number;
  /** Start them with the module, because the program may not yield later; otherwise the first parallel kernel does. */
  readonly early: boolean;
  start(setup: ThreadSetup): void;
}

/** The bytes of a thread's stack, as those of the module's own (`stack-size` in scripts/build-wasm.mjs). */
const STACK_BYTES = 1 << 20;

/** Linear memory starts with this many pages of 64 KiB (`--initial-memory` in scripts/build-wasm.mjs). */
const INITIAL_PAGES = 64;
const MAX_PAGES = 65536;

function createMemory(shared: boolean): WasmMemory {
  // Some engines do not reserve as much address space.
  for (let maximum = MAX_PAGES; ; maximum /= 2) {
    try {
      return new WebAssemblyApi.Memory({ initial: INITIAL_PAGES, maximum, ...(shared && { shared }) });
    } catch (error) {
      if (maximum <= MAX_PAGES / 16) throw error;
    }
  }
}

/** A linear memory and what a module imports; `finish` makes the back end of the module's instance. */
export interface Prepared {
  readonly imports: Imports;
  finish(instance: WasmInstance): Native;
}

export interface WasmOptions {
  readonly module: WasmModule;
  readonly build: WasmBuild;
  /** Undefined where garbage collections cannot be asked for. */
  readonly collector?: Collector;
  /** For a build with threads. */
  readonly threads?: Threads;
}

export function prepareWasm({ module, build, collector, threads }: WasmOptions): Prepared {
  const memory = createMemory(build.threads);
  let startThread = (_index: number): void => {};
  let grown = (): void => {};
  const imports = {
    env: { memory },
    typetorch: {
      grow(pages: number): number {
        try {
          memory.grow(pages);
        } catch {
          return 0;
        }
        grown();
        return 1;
      },
      outOfMemory(nbytes: number): never {
        throw outOfMemory(nbytes >>> 0);
      },
      startThreads(first: number, last: number): void {
        for (let index = first; index < last; index++) startThread(index);
      },
    },
  };
  const finish = (instance: WasmInstance): Native => {
    const wasm = instance.exports as WasmExports;
    wasm.__wasm_call_ctors();
    const native = new WasmNative(wasm, memory, build, collector, threads?.count ?? 1);
    const started = new Set<number>();
    startThread = (index) => {
      if (started.has(index)) return;
      started.add(index);
      const align = Math.max(64, wasm.__tls_align?.value ?? 0);
      const size = Math.ceil((wasm.__tls_size?.value ?? 0) / align) * align;
      const tls = Math.ceil((wasm.take(size + STACK_BYTES + align) >>> 0) / align) * align;
      threads?.start({ module, memory, index, tls, stackTop: tls + size + STACK_BYTES });
    };
    grown = () => native.memoryGrew();
    if (threads?.early) for (let index = 1; index < threads.count; index++) startThread(index);
    return native;
  };
  return { imports, finish };
}

/** The contract over the exports of one instance. */
class WasmNative implements Native {
  readonly implementation = 'wasm';
  args: Float64Array;
  readonly argsAddress: number;
  grown?: () => void;
  private bytes: Uint8Array;
  private readonly stack: number;
  private readonly blocks: Blocks;

  constructor(
    private readonly wasm: WasmExports,
    private readonly memory: WasmMemory,
    private readonly build: WasmBuild,
    collector: Collector | undefined,
    private threadCount: number,
  ) {
    wasm.setThreads(threadCount);
    this.stack = wasm.__stack_pointer.value;
    this.argsAddress = wasm.args();
    this.args = new Float64Array(memory.buffer, this.argsAddress, wasm.argsLength());
    this.bytes = new Uint8Array(memory.buffer);
    const heap: Heap = {
      take: (nbytes) => wasm.take(nbytes) >>> 0,
      giveBack: (address) => wasm.giveBack(address),
      used: () => wasm.heapUsed() >>> 0,
      peak: () => wasm.heapPeak() >>> 0,
      reserved: () => memory.buffer.byteLength,
    };
    this.blocks = new Blocks(heap, collector);
  }

  /** Views of linear memory end with the buffer that they were made over. */
  memoryGrew(): void {
    const { buffer } = this.memory;
    this.bytes = new Uint8Array(buffer);
    if (this.args.byteLength > 0) return; // shared memory keeps its views
    this.args = new Float64Array(buffer, this.argsAddress, this.wasm.argsLength());
    this.grown?.();
  }

  run(): void {
    try {
      if (this.wasm.run() === 1) return;
    } catch (error) {
      this.wasm.abandon();
      // What was thrown through the module's frames left them on its stack.
      this.wasm.__stack_pointer.value = this.stack;
      throw error;
    }
    throw new Error('typetorch: run() with an unknown kernel id in args[0]');
  }

  kernelNames(): string[] {
    return this.names((i) => this.wasm.kernelName(i));
  }
  spanNames(): string[] {
    return this.names((i) => this.wasm.spanName(i));
  }
  private names(nameAt: (i: number) => number): string[] {
    const list: string[] = [];
    for (let i = 0; ; i++) {
      let at = nameAt(i) >>> 0;
      if (at === 0) return list;
      let text = '';
      while (this.bytes[at] !== 0) text += String.fromCharCode(this.bytes[at++]);
      list.push(text);
    }
  }

  allocate(owner: object, nbytes: number): number {
    return this.blocks.allocate(owner, nbytes);
  }
  release(address: number): void {
    this.blocks.release(address);
  }
  adopt(owner: object, buffer: ArrayBufferLike): number {
    const address = this.blocks.allocate(owner, buffer.byteLength);
    this.bytesAt(address, buffer.byteLength).set(new Uint8Array(buffer));
    return address;
  }
  read(address: number, out: View): void {
    bytesOf(out).set(this.bytesAt(address, out.byteLength));
  }
  write(address: number, from: View): void {
    this.bytesAt(address, from.byteLength).set(bytesOf(from));
  }
  private bytesAt(address: number, nbytes: number): Uint8Array {
    // Another thread may have made shared memory larger.
    if (address + nbytes > this.bytes.length) this.bytes = new Uint8Array(this.memory.buffer);
    return this.bytes.subarray(address, address + nbytes);
  }

  memoryStats(): MemoryStats {
    return this.blocks.stats();
  }
  collect(): void {
    this.blocks.sweep();
  }
  /** Linear memory does not shrink. */
  emptyCache(): void {}

  /** One thread stays one where there is no shared memory. */
  setNumThreads(n: number): void {
    if (!this.build.threads) return;
    this.threadCount = n;
    this.wasm.setThreads(n);
  }
  getNumThreads(): number {
    return this.threadCount;
  }
  isa(): string {
    return this.build.isa;
  }
}

const bytesOf = (view: View): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
