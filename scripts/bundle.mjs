// Joins the compiled modules (dist/esm) to a few files: Node loads one file much faster than two hundred. The entry
// points share what they have in common, so that the library exists once; the addon's loader stays a module of its own.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const entries = {
  index: 'index.js',
  vision: 'vision/index.js',
  safetensors: 'safetensors/index.js',
  'worker.node': 'utils/data/worker.node.js',
};

for (const name of readdirSync(dist)) if (/^chunk-.*\.js$/.test(name)) rmSync(join(dist, name));
await build({
  entryPoints: Object.fromEntries(
    Object.entries(entries).map(([name, file]) => [name, join(dist, 'esm', file)]),
  ),
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Classes name themselves in summaries and error messages.
  keepNames: true,
  external: ['#native'],
  logLevel: 'error',
});
// Types of the bundled entry points, for imports by path.
for (const [name, file] of Object.entries(entries))
  if (name !== 'worker.node') writeFileSync(join(dist, `${name}.d.ts`), `export * from './esm/${file}';\n`);
