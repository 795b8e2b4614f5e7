// The CPU back end in browsers: the WebAssembly build that this engine runs best, fetched beside this module.
import type { Native } from './native.js';
import { prepareWasm } from './wasm.js';
import { chooseBuild, type WasmBuild, type WasmModule, WebAssemblyApi } from './webassembly.js';

/** Bundlers copy the files that they see named like this. The paths are from dist/, where the joined module lies. */
const urls: Readonly<Record<string, () => URL>> = {
  'relaxed.wasm': () => new URL('./wasm/relaxed.wasm', import.meta.url),
  'simd.wasm': () => new URL('./wasm/simd.wasm', import.meta.url),
};

/** Another folder (a URL that ends with a slash) may be named before this module loads. */
const folder = (globalThis as { TYPETORCH_WASM?: string }).TYPETORCH_WASM;

async function compile(build: WasmBuild): Promise<WasmModule> {
  const url = folder ? new URL(build.file, new URL(folder, import.meta.url)) : urls[build.file]();
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

async function load(): Promise<Native> {
  const build = chooseBuild(false);
  const module = await compile(build);
  const { imports, finish } = prepareWasm({ module, build });
  return finish(await WebAssemblyApi.instantiate(module, imports));
}

export const native: Native = await load();
