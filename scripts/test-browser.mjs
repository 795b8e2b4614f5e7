// Runs the parts of the test suite that need no Node in Chromium, on the browser build's sources: every test file in a
// page of its own. Arguments are names of test files; --isolated serves cross-origin isolated pages only.
// CHROMIUM names the browser (Debian's is found by itself).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { argv, env, exit } from 'node:process';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { root } from './kernel-sources.mjs';

/** It opens a checkpoint by name. */
const OPENS_FILES = ['gpt2.test.ts'];

/** Does a test file need more of Node than the shims in test/browser have, or the bundle for Node? */
function needsNode(file) {
  if (OPENS_FILES.includes(file)) return true;
  const text = readFileSync(join(root, 'test', file), 'utf8');
  const imports = [...text.matchAll(/^import (?!type)([^;]*?) from '([^']+)'/gm)];
  return imports.some(
    ([, names, from]) =>
      (/^node:/.test(from) && !/^node:(fs|path|v8|vm|zlib)$/.test(from)) ||
      (from === 'node:fs' && !/^\{ (existsSync, )?readFileSync \}$/.test(names)) ||
      /\/dist\/|^(?![.]|node:|vitest)/.test(from),
  );
}
const TYPES = {
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.html': 'text/html',
  '.json': 'application/json',
};

const wanted = argv.slice(2).filter((arg) => !arg.startsWith('--'));
const names = readdirSync(join(root, 'test'))
  .filter((file) => file.endsWith('.test.ts') && !needsNode(file))
  .map((file) => file.slice(0, -'.test.ts'.length))
  .filter((name) => wanted.length === 0 || wanted.includes(name));

const browserFile = ({ browser }) =>
  join(root, browser.default.replace('./dist/esm', 'src').replace(/js$/, 'ts'));
const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const shim = (name) => join(root, 'test', 'browser', `${name}.ts`);

/** The compiled tests by their URLs. They lie in /test/, beside the goldens that they name. */
async function compile() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: {
      ...Object.fromEntries(names.map((name) => [name, `test/${name}.test.ts`])),
      run: shim('vitest'),
    },
    outdir: join(root, 'test'),
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    keepNames: true,
    sourcemap: 'inline',
    alias: {
      ...Object.fromEntries(Object.entries(imports).map(([name, target]) => [name, browserFile(target)])),
      ...Object.fromEntries(['fs', 'path', 'v8', 'vm', 'zlib'].map((name) => [`node:${name}`, shim('node')])),
      vitest: shim('vitest'),
    },
    define: { 'import.meta.dirname': '"/test"', Buffer: 'NodeBuffer', process: 'NodeProcess' },
    inject: [join(root, 'test', 'browser', 'globals.ts')],
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(root.length), contents]));
}

function serve(files, isolated) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(request.url.split('?')[0]));
    const file = join(root, path);
    const body =
      path === '/'
        ? '<!doctype html><title>tests</title>'
        : (files.get(path) ?? (existsSync(file) && readFileSync(file)));
    response.writeHead(body ? 200 : 404, {
      'content-type': path === '/' ? 'text/html' : (TYPES[extname(path)] ?? 'application/octet-stream'),
      ...(isolated && {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      }),
    });
    response.end(body || 'not found');
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

const executablePath = env.CHROMIUM || ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const server = await serve(await compile(), argv.includes('--isolated'));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--js-flags=--expose-gc'] });
let passed = 0;
let failed = 0;
for (const name of names) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.stack}`));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const started = Date.now();
  const outcome = await page.evaluate(async (file) => {
    globalThis.TYPETORCH_WASM = `${location.origin}/dist/wasm/`;
    const { run } = await import('/test/run.js');
    await import(file);
    return run();
  }, `/test/${name}.js`);
  await page.close();
  passed += outcome.passed;
  failed += outcome.failures.length;
  console.log(
    `${name}: ${outcome.passed} passed, ${outcome.failures.length} failed in ${Date.now() - started} ms`,
  );
  for (const { name: title, message } of outcome.failures)
    console.log(`  ${title}\n    ${message.slice(0, 600)}`);
}
await browser.close();
server.close();
console.log(`Chromium: ${passed} passed, ${failed} failed`);
exit(failed > 0 || passed === 0 ? 1 : 0);
