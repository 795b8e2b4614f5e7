// The kernel sources: every .cc of native/ and native/generated/ but the platform's own files. Printed for
// binding.gyp; imported by the other build scripts. `--isa` prints which builds to make instead.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, env } from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const PLATFORM_FILES = [
  'memory.cc',
  'node_api.cc',
  'owners.cc',
  'pool.cc',
  'wasm_api.cc',
  'wasm_memory.cc',
  'wasm_pool.cc',
];

/** Paths from the repository's root, sorted. */
export function kernelSources() {
  return ['native', 'native/generated'].flatMap((folder) => {
    if (!existsSync(join(root, folder))) return [];
    return readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.cc') && !PLATFORM_FILES.includes(name))
      .sort()
      .map((name) => `${folder}/${name}`);
  });
}

const NAMES = { avx512: 'v4', avx2: 'v3', sse4: 'v2' };

/** TYPETORCH_ISA (v4 | v3 | v2, or avx512 | avx2 | sse4) builds that one only. */
export function wantedIsa() {
  const isa = env.TYPETORCH_ISA || 'all';
  return NAMES[isa] ?? isa;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  console.log(argv[2] === '--isa' ? wantedIsa() : kernelSources().join('\n'));
}
