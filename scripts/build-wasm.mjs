// Builds dist/wasm/*.wasm: the kernels as WebAssembly, by the clang of the npm package @yowasp/clang, which runs in
// Node and needs no toolchain of the system. Objects are kept in build/wasm by the hash of what went into them, so only
// what changed is compiled again. Options: --force compiles everything; --jobs=N processes (the cores of the machine).
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { argv, exit, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { kernelSources, root } from './kernel-sources.mjs';

const target = join(root, 'dist', 'wasm');
const cache = join(root, 'build', 'wasm');
const PLATFORM = ['native/wasm_api.cc', 'native/wasm_memory.cc', 'native/wasm_pool.cc'];
const MAX_GZIP = 2e6;

const COMMON = [
  '--target=wasm32-wasip1',
  '-std=c++20',
  '-O3',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-ffp-contract=off',
  '-fno-threadsafe-statics',
  '-fvisibility=hidden',
  // Everything that engines with SIMD have; atomics also work on memory that is not shared.
  '-msimd128',
  '-mbulk-memory',
  '-mnontrapping-fptoint',
  '-matomics',
  '-DKERNEL_NS=wasm',
  '-Wall',
  '-Wextra',
  '-Wno-bitwise-conditional-parentheses',
  '-Wno-bitwise-op-parentheses',
  '-Wno-pass-failed',
];
/** Instruction sets of the kernels. */
const SETS = { simd: [], relaxed: ['-mrelaxed-simd'] };
/** Builds of the platform's part: one thread, or threads over shared memory. */
const BUILDS = { '': [], '-threads': ['-DTT_THREADS'] };

/** The text of every source and header by its name: generated files lie beside the others there. */
function sources() {
  const files = {};
  for (const folder of ['native', 'native/generated'])
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }))
      if (entry.isFile())
        files[entry.name] = readFileSync(join(root, folder, entry.name), 'utf8').replaceAll(
          '#include "../',
          '#include "',
        );
  return files;
}

/** The names of the files that a file includes, itself first. */
function closure(files, name, found = new Set()) {
  if (found.has(name) || files[name] === undefined) return found;
  found.add(name);
  for (const [, included] of files[name].matchAll(/^\s*#\s*include\s+"([^"]+)"/gm))
    closure(files, included, found);
  return found;
}

function digest(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 24);
}

const compiler = () =>
  JSON.parse(readFileSync(join(root, 'node_modules', '@yowasp', 'clang', 'package.json'), 'utf8')).version;

/** Every object of the build: its source, flags and place. */
function plan(files) {
  const version = compiler();
  const objects = [];
  const add = (build, path, flags) => {
    const name = basename(path);
    const texts = [...closure(files, name)].sort().map((file) => files[file]);
    const object = join(cache, `${name.replace(/\.cc$/, '')}-${digest(version, ...flags, ...texts)}.o`);
    objects.push({ build, name, flags, object, size: texts[0].length });
  };
  for (const [set, simd] of Object.entries(SETS)) {
    for (const path of kernelSources()) add(set, path, [...COMMON, ...simd]);
    for (const [build, flags] of Object.entries(BUILDS))
      for (const path of PLATFORM) add(set + build, path, [...COMMON, ...simd, ...flags]);
  }
  return objects;
}

// ---- in a compiling process ----------------------------------------------------------------------------------------

async function compile(files, { name, flags, object }) {
  const { runClang } = await import('@yowasp/clang');
  let text = '';
  const stream = (bytes) => {
    if (bytes) text += Buffer.from(bytes).toString();
  };
  const tree = { native: Object.fromEntries([...closure(files, name)].map((file) => [file, files[file]])) };
  try {
    const out = await runClang(['clang++', '-c', ...flags, `native/${name}`, '-o', 'out.o'], tree, {
      stdout: stream,
      stderr: stream,
      fetchProgress: () => {},
    });
    writeFileSync(object, out['out.o']);
    return { ok: true, text };
  } catch (error) {
    return { ok: false, text: `${text}${error}` };
  }
}

function serve() {
  const files = sources();
  process.on('message', async (job) => process.send(await compile(files, job)));
  process.send('ready');
}

// ---- in the process that directs them ------------------------------------------------------------------------------

/** Compiles the jobs in several processes, the largest sources first. */
function compileAll(jobs, processes) {
  const queue = [...jobs].sort((a, b) => b.size - a.size);
  let failed = false;
  const one = () =>
    new Promise((done) => {
      const child = fork(fileURLToPath(import.meta.url), ['--serve']);
      let current;
      const next = () => {
        current = failed ? undefined : queue.shift();
        if (current) child.send(current);
        else child.disconnect();
      };
      child.on('message', (answer) => {
        if (answer !== 'ready') {
          if (answer.text) stderr.write(`${current.name}:\n${answer.text}\n`);
          if (!answer.ok) failed = true;
        }
        next();
      });
      child.on('exit', (code) => {
        if (code !== 0) failed = true;
        done();
      });
    });
  return Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, one)).then(() => !failed);
}

async function link(build, objects) {
  const { runLLVM } = await import('@yowasp/clang');
  const threads = build.endsWith('-threads');
  const names = objects.map((file, i) => `${i}-${basename(file)}`);
  const tree = Object.fromEntries(objects.map((file, i) => [names[i], readFileSync(file)]));
  const flags = [
    '--no-entry',
    '--import-memory',
    '--max-memory=4294967296',
    ...(threads
      ? ['--shared-memory', '--export=__wasm_init_tls', '--export=__tls_size', '--export=__tls_align']
      : []),
    '--export=__stack_pointer',
    '--export=__wasm_call_ctors',
    '--stack-first',
    '-z',
    'stack-size=1048576',
    '--gc-sections',
    '--strip-all',
    '-O2',
  ];
  const libraries = ['/lib/wasm32-wasip1/libc.a', '/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a'];
  const out = await runLLVM(['wasm-ld', ...flags, ...names, ...libraries, '-o', 'out.wasm'], tree, {
    fetchProgress: () => {},
  });
  const wasm = out['out.wasm'];
  const foreign = WebAssembly.Module.imports(await WebAssembly.compile(wasm)).filter(
    ({ module, name }) => module !== 'typetorch' && !(module === 'env' && name === 'memory'),
  );
  if (foreign.length > 0)
    throw new Error(`${build}: kernels may not call an operating system: ${JSON.stringify(foreign)}`);
  const gzip = gzipSync(wasm).length;
  if (gzip > MAX_GZIP) throw new Error(`${build}: ${gzip} bytes gzipped are more than ${MAX_GZIP}`);
  writeFileSync(join(target, `${build}.wasm`), wasm);
  stderr.write(
    `  ${build}.wasm: ${(wasm.length / 1e6).toFixed(2)} MB, ${(gzip / 1e6).toFixed(2)} MB gzipped\n`,
  );
}

async function main() {
  mkdirSync(target, { recursive: true });
  mkdirSync(cache, { recursive: true });
  const objects = plan(sources());
  const stampFile = join(cache, 'linked.json');
  const stamp = JSON.stringify(objects.map(({ build, object }) => [build, basename(object)]));
  const builds = Object.keys(SETS).flatMap((set) => Object.keys(BUILDS).map((build) => set + build));
  const complete = builds.every((build) => existsSync(join(target, `${build}.wasm`)));
  if (argv.includes('--force')) {
    for (const { object } of objects) rmSync(object, { force: true });
  } else if (complete && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    return;
  }
  const missing = objects.filter(({ object }) => !existsSync(object));
  const wish = Number(argv.find((arg) => arg.startsWith('--jobs='))?.slice(7));
  stderr.write(`Building WebAssembly (${missing.length} of ${objects.length} objects)...\n`);
  const started = Date.now();
  if (!(await compileAll(missing, wish || availableParallelism()))) exit(1);
  for (const build of builds) {
    const set = build.replace('-threads', '');
    const parts = objects.filter((o) => o.build === build || o.build === set);
    // The platform's part of the build itself only.
    const own = parts.filter((o) => o.build === build || !PLATFORM.some((path) => basename(path) === o.name));
    await link(
      build,
      own.map(({ object }) => object),
    );
  }
  writeFileSync(stampFile, stamp);
  const wanted = new Set(objects.map(({ object }) => basename(object)));
  for (const name of readdirSync(cache))
    if (name.endsWith('.o') && !wanted.has(name)) rmSync(join(cache, name));
  stderr.write(`  in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
}

if (argv.includes('--serve')) serve();
else await main();
