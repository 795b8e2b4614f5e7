// The kernels as WebAssembly (native/wasm_api.cc): the same contract as the addon over linear memory.
import type { Native, View } from './native.js';
import { Blocks, type Collector, outOfMemory } from './wasm_blocks.js';
import {
  type WasmBuild,
  type WasmGlobal,
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
  threads(): number;
}

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

export interface WasmOptions {
  readonly module: WasmModule;
  readonly build: WasmBuild;
  /** Undefined where garbage collections cannot be asked for. */
  readonly collector?: Collector;
}

/** The CPU back end's kernels, threads and allocator in a fresh linear memory. */
export function createWasm({ module, build, collector }: WasmOptions): Native {
  const memory = createMemory(build.threads);
  let bytes = new Uint8Array(memory.buffer);

  const grow = (pages: number): number => {
    try {
      memory.grow(pages);
    } catch {
      return 0;
    }
    refresh();
    return 1;
  };
  const instance = new WebAssemblyApi.Instance(module, {
    env: { memory },
    typetorch: {
      grow,
      outOfMemory: (nbytes: number) => {
        throw outOfMemory(nbytes >>> 0);
      },
    },
  });
  const wasm = instance.exports as WasmExports;
  wasm.__wasm_call_ctors();
  const stack = wasm.__stack_pointer.value;
  const argsAddress = wasm.args();
  const argsLength = wasm.argsLength();

  /** Views of linear memory, which end with the buffer that they were made over. */
  function refresh(): void {
    bytes = new Uint8Array(memory.buffer);
    if (native.args.byteLength > 0) return; // shared memory keeps its views
    native.args = new Float64Array(memory.buffer, argsAddress, argsLength);
    native.grown?.();
  }
  const bytesAt = (address: number, nbytes: number): Uint8Array => {
    // Another thread may have made shared memory larger.
    if (address + nbytes > bytes.length) bytes = new Uint8Array(memory.buffer);
    return bytes.subarray(address, address + nbytes);
  };
  const bytesOf = (view: View): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

  const names = (nameAt: (i: number) => number): string[] => {
    const list: string[] = [];
    for (let i = 0; ; i++) {
      let at = nameAt(i) >>> 0;
      if (at === 0) return list;
      let text = '';
      while (bytes[at] !== 0) text += String.fromCharCode(bytes[at++]);
      list.push(text);
    }
  };

  const blocks = new Blocks(
    {
      take: (nbytes) => wasm.take(nbytes) >>> 0,
      giveBack: (address) => wasm.giveBack(address),
      used: () => wasm.heapUsed() >>> 0,
      peak: () => wasm.heapPeak() >>> 0,
      reserved: () => memory.buffer.byteLength,
    },
    collector,
  );

  const native = {
    implementation: 'wasm' as const,
    args: new Float64Array(memory.buffer, argsAddress, argsLength),
    argsAddress,
    grown: undefined as (() => void) | undefined,
    run(): void {
      try {
        if (wasm.run() === 1) return;
      } catch (error) {
        // What was thrown through the module's frames left them on its stack.
        wasm.__stack_pointer.value = stack;
        throw error;
      }
      throw new Error('typetorch: run() with an unknown kernel id in args[0]');
    },
    kernelNames: () => names(wasm.kernelName),
    spanNames: () => names(wasm.spanName),
    allocate: (owner: object, nbytes: number) => blocks.allocate(owner, nbytes),
    release: (address: number) => blocks.release(address),
    adopt(owner: object, buffer: ArrayBufferLike): number {
      const address = blocks.allocate(owner, buffer.byteLength);
      bytesAt(address, buffer.byteLength).set(new Uint8Array(buffer));
      return address;
    },
    read: (address: number, out: View) => bytesOf(out).set(bytesAt(address, out.byteLength)),
    write: (address: number, from: View) => bytesAt(address, from.byteLength).set(bytesOf(from)),
    memoryStats: () => blocks.stats(),
    collect: () => blocks.sweep(),
    emptyCache: () => {},
    setNumThreads: (_n: number) => {},
    getNumThreads: () => 1,
    isa: () => build.isa,
  };
  return native;
}
