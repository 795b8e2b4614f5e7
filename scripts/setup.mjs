// Makes a checkout ready to run: installs the dependencies when they are missing or not those of the lock file,
// then builds what is out of date. Quick when there is nothing to do, so `npm test` and `npm start` call it
// first. It may import no package: there may be none yet. Where the addon does not build, WebAssembly takes its
// place, whose compiler is a package. Options: --wasm builds both; --examples the examples too.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function succeeds(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  return result.status === 0;
}
function run(command, args) {
  if (!succeeds(command, args)) process.exit(1);
}

/** The packages of a lock file: path -> what was resolved. */
const packages = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages;

/** Are all the packages of the lock file there, in its versions? (Optional ones are for some platforms only.) */
function installed() {
  const modules = lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false });
  // A link leads to another checkout's packages, which are not ours to replace.
  if (modules?.isSymbolicLink()) return true;
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return false;
  const there = packages('node_modules/.package-lock.json');
  return Object.entries(packages('package-lock.json')).every(
    ([path, wanted]) => path === '' || wanted.optional || there[path]?.version === wanted.version,
  );
}

const tsc = (project) =>
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project]);

if (!installed()) run('npm', ['ci', '--no-audit', '--no-fund']);
tsc('tsconfig.json');
const script = (name) => [join(root, 'scripts', name)];
run(process.execPath, script('bundle.mjs'));
run(process.execPath, script('generate-kernels.mjs'));
const wish = process.env.TYPETORCH_CPU;
const addon = wish !== 'wasm' && succeeds(process.execPath, script('build-native.mjs'));
if (!addon && wish === 'addon') process.exit(1);
if (!addon && wish !== 'wasm')
  console.error('typetorch: the WebAssembly build of the kernels serves instead of the addon; it is slower.');
if (!addon || process.argv.includes('--wasm')) run(process.execPath, script('build-wasm.mjs'));
if (process.argv.includes('--examples')) tsc('tsconfig.examples.json');
