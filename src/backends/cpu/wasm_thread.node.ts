// A thread of the WebAssembly build in Node: the script of its worker.
import { workerData } from 'node:worker_threads';
import type { ThreadSetup } from './wasm.js';
import { serveThread } from './wasm_thread.js';

serveThread(workerData as ThreadSetup);
