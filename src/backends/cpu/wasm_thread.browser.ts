// A thread of the WebAssembly build in a page: the script of its worker.
import type { ThreadSetup } from './wasm.js';
import { serveThread } from './wasm_thread.js';

interface WorkerScope {
  addEventListener(
    type: 'message',
    listener: (event: { readonly data: ThreadSetup }) => void,
    options: { once: boolean },
  ): void;
}

(globalThis as unknown as WorkerScope).addEventListener('message', ({ data }) => serveThread(data), {
  once: true,
});
