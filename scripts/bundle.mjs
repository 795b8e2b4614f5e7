// Joins the compiled modules (dist/esm) to a few files: Node loads one file much faster than two hundred. The entry
// points share what they have in common, so that the library exists once; the addon's loader stays a module of its own.
// The same for browsers, in *.browser.js: without Node's modules, small, with dist/wasm beside them.
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
  worker_classes: 'vision/datasets/worker_classes.js',
};

for (const name of readdirSync(dist)) if (/^chunk-.*\.js$/.test(name)) rmSync(join(dist, name));
const points = (suffix, names) =>
  Object.fromEntries(names.map((name) => [`${name}${suffix}`, join(dist, 'esm', entries[name])]));
const common = {
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  // Classes name themselves in summaries and error messages.
  keepNames: true,
  logLevel: 'error',
};
await build({
  ...common,
  entryPoints: points('', ['index', 'vision', 'safetensors', 'worker.node', 'worker_classes']),
  platform: 'node',
  target: 'node20',
  external: ['#native', 'sharp'],
});
const browser = { ...common, platform: 'browser', target: 'es2022', minify: true };
await build({ ...browser, entryPoints: points('.browser', ['index', 'vision', 'safetensors']) });
// The script of a worker, which shares no module with the page.
await build({
  ...browser,
  splitting: false,
  entryPoints: { 'thread.browser': join(dist, 'esm', 'backends', 'cpu', 'wasm_thread.browser.js') },
});
// Types of the bundled entry points, for imports by path.
for (const [name, file] of Object.entries(entries))
  if (!name.startsWith('worker'))
    writeFileSync(join(dist, `${name}.d.ts`), `export * from './esm/${file}';\n`);
