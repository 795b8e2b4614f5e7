// Builds the native addon (build/Release/typetorch.node) with node-gyp: quietly unless it fails, and only
// when a source is newer than the binary or the list of sources or TYPETORCH_ISA has changed.
// Options: --force rebuilds from nothing; --verbose shows the compiler's commands.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { argv, env, execPath, exit, platform, stderr, version } from 'node:process';
import { kernelSources, root, wantedIsa } from './kernel-sources.mjs';

const verbose = argv.includes('--verbose');
const force = argv.includes('--force');
const binary = join(root, 'build', 'Release', 'typetorch.node');
const stampFile = join(root, 'build', 'typetorch-build.json');

/** What the generated makefiles depend on, apart from the contents of sources. */
const stamp = JSON.stringify({ isa: wantedIsa(), node: version, sources: kernelSources() });

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && /\.(cc|h|inc)$/.test(entry.name))
      time = Math.max(time, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return time;
}

const configTime = statSync(join(root, 'binding.gyp')).mtimeMs;
const stampTime = existsSync(stampFile) ? statSync(stampFile).mtimeMs : 0;
const configured =
  stampTime > configTime &&
  existsSync(join(root, 'build', 'config.gypi')) &&
  readFileSync(stampFile, 'utf8') === stamp;

if (!force && configured && existsSync(binary)) {
  if (statSync(binary).mtimeMs >= newest(join(root, 'native'))) exit(0);
}

const runs = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
/** What the build needs and does not find; unknown on Windows. */
function missingTools() {
  if (platform === 'win32') return [];
  const compilers = env.CXX ? [env.CXX.split(' ').at(-1)] : ['c++', 'g++', 'clang++'];
  return [
    ...(compilers.some(runs) ? [] : ['a C++ compiler']),
    ...['make', 'python3'].filter((tool) => !runs(tool)),
  ];
}

function gyp(...args) {
  const program = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  // The headers that came with this Node, where it has them, spare a download.
  const prefix = dirname(dirname(execPath));
  if (existsSync(join(prefix, 'include', 'node', 'node_api.h'))) args.push('--nodedir', prefix);
  const started = Date.now();
  const result = spawnSync(execPath, [program, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: verbose ? 'inherit' : 'pipe',
  });
  if (result.status === 0) return Date.now() - started;
  const missing = missingTools();
  if (!verbose && missing.length === 0)
    stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}\n`);
  // An older binary must not serve newer sources.
  rmSync(binary, { force: true });
  stderr.write(
    `The native addon did not build${missing.length > 0 ? ` (not found: ${missing.join(', ')})` : ''}. It needs a C++20 compiler (g++ 12, clang 15 or newer), make and Python 3.\n`,
  );
  exit(1);
}

stderr.write(`Building the native addon${wantedIsa() === 'all' ? '' : ` for ${wantedIsa()}`}...\n`);
if (force || !configured) {
  gyp(force ? 'rebuild' : 'configure', '--jobs', String(availableParallelism()));
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}
gyp('build', '--jobs', String(availableParallelism()), ...(verbose ? ['--verbose'] : []));
if (existsSync(binary) && statSync(binary).mtimeMs < newest(join(root, 'native'))) {
  // A source that changed without changing the binary: make the binary the newest again.
  const { utimesSync } = await import('node:fs');
  utimesSync(binary, new Date(), new Date());
}
