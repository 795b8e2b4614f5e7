// Chooses what serves the CPU back end in this process, once: the addon, or WebAssembly where there is none.
// TYPETORCH_CPU=wasm or TYPETORCH_CPU=addon insists on one of them.
import { loadAddon } from './addon.node.js';
import type { Native } from './native.js';
import { loadWasm } from './wasm.node.js';

function load(): Native {
  const wish = process.env.TYPETORCH_CPU || 'auto';
  if (!['auto', 'addon', 'wasm'].includes(wish))
    throw new Error(`typetorch: TYPETORCH_CPU must be 'addon' or 'wasm', not '${wish}'`);
  let problem: unknown;
  if (wish !== 'wasm') {
    try {
      const addon = loadAddon();
      if (addon) return addon;
    } catch (error) {
      if (wish === 'addon') throw error;
      problem = error;
    }
  }
  if (wish !== 'addon') {
    const wasm = loadWasm();
    if (wasm) {
      if (problem)
        process.emitWarning(`${String(problem)}\nIts WebAssembly build serves instead.`, 'TypetorchWarning');
      return wasm;
    }
  }
  if (problem) throw problem;
  throw new Error(
    [
      `typetorch has no ${wish === 'auto' ? 'native addon and no WebAssembly' : wish} build of its kernels here.`,
      'The addon needs a C++20 compiler (g++ 12, clang 15 or newer), make and Python 3, then `npm run build:native`;',
      'WebAssembly needs nothing but `npm run build:wasm`.',
    ].join('\n'),
  );
}

export const native: Native = load();
