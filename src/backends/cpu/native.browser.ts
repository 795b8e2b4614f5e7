// The CPU back end in browsers: the WebAssembly build that this engine runs best, fetched beside this module.
import type { Native } from './native.js';
import { prepareWasm, type ThreadSetup, type Threads } from './wasm.js';
import { chooseBuild, type WasmBuild, type WasmModule, WebAssemblyApi } from './webassembly.js';

/** Bundlers copy the files that they see named like this. The paths are from dist/, where the joined module lies. */
const urls: Readonly<Record<string, () => URL>> = {
  'relaxed.wasm': () => new URL('./wasm/relaxed.wasm', import.meta.url),
  'simd.wasm': () => new URL('./wasm/simd.wasm', import.meta.url),
  'relaxed-threads.wasm': () => new URL('./wasm/relaxed-threads.wasm', import.meta.url),
  'simd-threads.wasm': () => new URL('./wasm/simd-threads.wasm', import.meta.url),
};

/** Another folder (a URL that ends with a slash) may be named before this module loads. */
const folder = (globalThis as { TYPETORCH_WASM?: string }).TYPETORCH_WASM;

const folderUrl = (path: string): URL => new URL(path, import.meta.url);

async function compile(build: WasmBuild): Promise<WasmModule> {
  const url = folder ? new URL(build.file, folderUrl(folder)) : urls[build.file]();
  const response = await fetch(url);
  // Servers answer for a missing file with a page.
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || type.startsWith('text/html'))
    throw new Error(
      `typetorch: ${url} is not there (status ${response.status}). Copy node_modules/typetorch/dist/wasm beside the bundle, or set globalThis.TYPETORCH_WASM to the URL of that folder.`,
    );
  if (WebAssemblyApi.compileStreaming && type === 'application/wasm')
    return WebAssemblyApi.compileStreaming(response);
  return WebAssemblyApi.compile(await response.arrayBuffer());
}

interface Scope {
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}
declare const Worker: new (url: URL, options: { type: 'module' }) => { postMessage(message: unknown): void };

/** Workers over shared memory; undefined where the page may not share any, which is said once. */
function browserThreads(): Threads | undefined {
  const { crossOriginIsolated, navigator } = globalThis as Scope;
  const count = Math.min(navigator?.hardwareConcurrency ?? 1, 32);
  if (typeof Worker === 'undefined' || count < 2) return undefined;
  if (!crossOriginIsolated) {
    console.info(
      'typetorch: this page is not cross-origin isolated, so kernels run in one thread. Threads need the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    );
    return undefined;
  }
  const start = (setup: ThreadSetup): void => {
    // Bundlers find the script in these very words.
    const worker = folder
      ? new Worker(new URL('../thread.browser.js', folderUrl(folder)), { type: 'module' })
      : new Worker(new URL('./thread.browser.js', import.meta.url), { type: 'module' });
    worker.postMessage(setup);
  };
  return { count, early: true, start };
}

async function load(): Promise<Native> {
  const threads = browserThreads();
  const build = chooseBuild(threads !== undefined);
  const module = await compile(build);
  const { imports, finish } = prepareWasm({ module, build, threads });
  return finish(await WebAssemblyApi.instantiate(module, imports));
}

export const native: Native = await load();
