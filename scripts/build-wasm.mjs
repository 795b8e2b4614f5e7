// Builds dist/wasm/*.wasm: the kernels as WebAssembly, by the clang of the npm package @yowasp/clang, which runs in
// Node and needs no toolchain of the system. Objects are kept in build/wasm by the hash of what went into them, so only
// what changed is compiled again; TYPETORCH_WASM_CACHE names a folder that several checkouts share. Options: --force compiles everything; --jobs=N processes (the cores of the machine).
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { argv, env, exit, pid, stderr, versions } from 'node:process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { gzipSync } from 'node:zlib';
import { kernelSources, root } from './kernel-sources.mjs';

const target = join(root, 'dist', 'wasm');
const cache = env.TYPETORCH_WASM_CACHE || join(root, 'build', 'wasm');
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
  // Loop strength reduction rewrites addresses so that loads lose their constant offsets, and the order of the sums of a
  // tile with them (sgemm: 31 GFLOP/s with it, 56 without).
  '-mllvm',
  '-disable-lsr',
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

const LINK_FLAGS = [
  '--no-entry',
  '--import-memory',
  '--initial-memory=4194304',
  '--max-memory=4294967296',
  '--export=__stack_pointer',
  '--export=__wasm_call_ctors',
  '--stack-first',
  '-zstack-size=1048576',
  // Constants that are specialisations of a template: equal in every file, and defined in each for this linker.
  '--allow-multiple-definition',
  '--gc-sections',
  '--strip-all',
  '-O2',
];
const THREAD_FLAGS = [
  '--shared-memory',
  '--export=__wasm_init_tls',
  '--export=__tls_size',
  '--export=__tls_align',
];

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

/** The place of an object, named by all that goes into it. */
function objectFile(files, name, flags, version) {
  const texts = [...closure(files, name)].sort().map((file) => files[file]);
  return join(cache, `${name.replace(/\.cc$/, '')}-${digest(version, ...flags, ...texts)}.o`);
}

/** Every object of the build: its source, flags and place. */
function plan(files) {
  const version = compiler();
  const objects = [];
  const add = (build, path, flags, platform) => {
    const name = basename(path);
    const object = objectFile(files, name, flags, version);
    objects.push({ build, name, flags, object, platform, size: files[name].length });
  };
  for (const [set, simd] of Object.entries(SETS)) {
    for (const path of kernelSources()) add(set, path, [...COMMON, ...simd], false);
    for (const [build, flags] of Object.entries(BUILDS))
      for (const path of PLATFORM) add(set + build, path, [...COMMON, ...simd, ...flags], true);
  }
  return objects;
}

// ---- in a compiling process ----------------------------------------------------------------------------------------

/** Runs clang; what it wrote is told, and thrown when it fails. */
async function clang(args, tree) {
  const { runClang } = await import('@yowasp/clang');
  let text = '';
  const stream = (bytes) => {
    if (bytes) text += Buffer.from(bytes).toString();
  };
  try {
    return { out: await runClang(['clang++', ...args], tree, { stdout: stream, stderr: stream }), text };
  } catch (error) {
    throw new Error(`${text}${error.message}`);
  }
}

async function compile({ name, flags, object }) {
  const files = sources();
  if (objectFile(files, name, flags, compiler()) !== object) throw new Error('changed while the build ran');
  const tree = { native: Object.fromEntries([...closure(files, name)].map((file) => [file, files[file]])) };
  const { out, text } = await clang(['-c', ...flags, `native/${name}`, '-o', 'out.o'], tree);
  // Whole or not at all, whatever stops the build.
  writeFileSync(`${object}.${pid}`, out['out.o']);
  renameSync(`${object}.${pid}`, object);
  return text;
}

async function link({ name, objects }) {
  const names = objects.map((file, i) => `${i}-${basename(file)}`);
  const tree = Object.fromEntries(objects.map((file, i) => [names[i], readFileSync(file)]));
  const threads = name.endsWith('-threads') ? THREAD_FLAGS : [];
  const flags = [...LINK_FLAGS, ...threads].map((flag) => `-Wl,${flag}`);
  const { out } = await clang(
    ['--target=wasm32-wasip1', '-nostartfiles', ...flags, ...names, '-o', 'out.wasm'],
    tree,
  );
  const wasm = out['out.wasm'];
  const foreign = WebAssembly.Module.imports(await WebAssembly.compile(wasm)).filter(
    (i) => i.module !== 'typetorch' && !(i.module === 'env' && i.name === 'memory'),
  );
  if (foreign.length > 0)
    throw new Error(`kernels may not call an operating system: ${foreign.map((i) => i.name).join(', ')}`);
  const gzip = gzipSync(wasm).length;
  if (gzip > MAX_GZIP) throw new Error(`${gzip} bytes gzipped are more than ${MAX_GZIP}`);
  writeFileSync(join(target, `${name}.wasm`), wasm);
  return `  ${(wasm.length / 1e6).toFixed(2)} MB, ${(gzip / 1e6).toFixed(2)} MB gzipped`;
}

function serve() {
  // Node 20 has relaxed SIMD behind a flag.
  if (Number.parseInt(versions.v8, 10) < 12) setFlagsFromString('--experimental-wasm-relaxed-simd');
  process.on('message', async (job) => {
    try {
      process.send({ ok: true, text: await (job.objects ? link(job) : compile(job)) });
    } catch (error) {
      process.send({ ok: false, text: error.message });
    }
  });
  process.send('ready');
}

// ---- in the process that directs them ------------------------------------------------------------------------------

/** Runs the jobs in several processes, in their order; whether all went well. */
async function runAll(jobs, processes) {
  const queue = [...jobs];
  let failed = false;
  const one = () =>
    new Promise((done) => {
      // The compiler writes of its own loading to stderr.
      const child = fork(fileURLToPath(import.meta.url), ['--serve'], { silent: true });
      let current;
      let noise = '';
      child.stderr.on('data', (data) => {
        noise += data;
      });
      child.on('message', (answer) => {
        if (answer.text) stderr.write(`${current.name}:\n${answer.text}\n`);
        if (answer.ok === false) failed = true;
        current = failed ? undefined : queue.shift();
        if (current) child.send(current);
        else child.disconnect();
      });
      child.on('exit', (code) => {
        if (code !== 0) stderr.write(noise);
        failed ||= code !== 0;
        done();
      });
    });
  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, one));
  return !failed;
}

async function main() {
  mkdirSync(target, { recursive: true });
  mkdirSync(cache, { recursive: true });
  mkdirSync(join(root, 'build', 'wasm'), { recursive: true });
  const objects = plan(sources());
  const stampFile = join(root, 'build', 'wasm', 'linked.json');
  const stamp = JSON.stringify([
    LINK_FLAGS,
    THREAD_FLAGS,
    objects.map(({ build, object }) => [build, basename(object)]),
  ]);
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
  const processes = wish || availableParallelism();
  // The largest first, so that none is left over at the end.
  if (
    !(await runAll(
      missing.sort((a, b) => b.size - a.size),
      processes,
    ))
  )
    exit(1);
  const links = builds.map((name) => {
    const parts = objects.filter(
      ({ build, platform }) => build === name || (!platform && name.startsWith(build)),
    );
    return { name, objects: parts.map(({ object }) => object) };
  });
  if (!(await runAll(links, processes))) exit(1);
  writeFileSync(stampFile, stamp);
  if (env.TYPETORCH_WASM_CACHE) return;
  const wanted = new Set(objects.map(({ object }) => basename(object)));
  for (const name of readdirSync(cache))
    if (name.endsWith('.o') && !wanted.has(name)) rmSync(join(cache, name));
  stderr.write(`  in ${((Date.now() - started) / 1000).toFixed(0)} s\n`);
}

if (argv.includes('--serve')) serve();
else await main();
