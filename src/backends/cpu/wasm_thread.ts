// The life of a thread of the WebAssembly build, in whatever kind of worker it runs.

import type { ThreadSetup } from './wasm.js';
import { outOfMemory } from './wasm_blocks.js';
import { type WasmGlobal, WebAssemblyApi } from './webassembly.js';

interface ThreadExports {
  readonly __stack_pointer: WasmGlobal;
  __wasm_init_tls(address: number): void;
  serve(index: number): void;
  workerFailed(nbytes: number): void;
}

/** Serves the pool until the worker is stopped. */
export function serveThread({ module, memory, index, stackTop, tls }: ThreadSetup): never {
  let wanted = 0;
  const instance = new WebAssemblyApi.Instance(module, {
    env: { memory },
    typetorch: {
      grow(pages: number): number {
        try {
          memory.grow(pages);
          return 1;
        } catch {
          return 0;
        }
      },
      outOfMemory(nbytes: number): never {
        wanted = nbytes;
        throw outOfMemory(nbytes >>> 0);
      },
      startThreads(): void {},
    },
  });
  const wasm = instance.exports as ThreadExports;
  wasm.__stack_pointer.value = stackTop;
  wasm.__wasm_init_tls(tls);
  for (;;) {
    wanted = 1;
    try {
      wasm.serve(index);
    } catch {
      // The thread that waits for this part is told, and throws.
      wasm.workerFailed(wanted);
      wasm.__stack_pointer.value = stackTop;
    }
  }
}
