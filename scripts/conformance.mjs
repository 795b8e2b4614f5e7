// The conformance gate: replays PyTorch's cases ($CONFORMANCE_DIR, by default ../shared/conformance) and fails when
// an entry that test/conformance/passed.json lists does not pass any more, or when a case crashed the process.
//   node scripts/conformance.mjs [--kind ops|modules|optims|errors] [--jobs N] [--update]
// --update adds the entries that pass for the first time; it never removes one.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const passedFile = join(root, 'test', 'conformance', 'passed.json');
const cases = resolve(root, process.env.CONFORMANCE_DIR ?? '../shared/conformance');

const { values: options } = parseArgs({
  options: {
    kind: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    update: { type: 'boolean', default: false },
  },
});

/** How the runner words a case that took its process down. */
const CRASH = /^crashed the process/;

if (!existsSync(join(cases, 'run.mjs'))) {
  console.log(`SKIPPED: there are no conformance cases in ${cases} (set CONFORMANCE_DIR)`);
  process.exit(0);
}

/** Replays one kind; returns the runner's entries. */
function replay(kind) {
  const scratch = mkdtempSync(join(tmpdir(), 'conformance-'));
  const report = join(scratch, 'report.json');
  const entry = join(root, 'dist', 'index.js');
  const args = ['--torch', entry, '--data', join(cases, 'data'), '--kind', kind];
  args.push('--jobs', options.jobs, '--json', report);
  const run = spawnSync(process.execPath, [join(cases, 'run.mjs'), ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const text = existsSync(report) ? readFileSync(report, 'utf8') : null;
  rmSync(scratch, { recursive: true });
  if (text === null) throw new Error(`the runner failed on ${kind}:\n${run.stdout}${run.stderr}`);
  return JSON.parse(text)[kind]?.entries ?? [];
}

const firstFailure = (entry) => {
  const failure = entry?.failures.find((f) => f.required);
  return failure
    ? `case ${failure.case} ${failure.aspect}: ${failure.reason}`
    : 'there are no cases of it any more';
};

const listed = existsSync(passedFile) ? JSON.parse(readFileSync(passedFile, 'utf8')) : {};
let failed = false;
let changed = false;
for (const kind of options.kind ? [options.kind] : ['ops', 'modules', 'optims', 'errors']) {
  const entries = new Map(replay(kind).map((entry) => [entry.name, entry]));
  const passing = [...entries.values()].filter((e) => e.passed).map((e) => e.name);
  const percent = ((100 * passing.length) / entries.size).toFixed(1);
  console.log(`${kind}: ${passing.length} of ${entries.size} pass (${percent} %)`);
  const before = listed[kind] ?? [];
  for (const name of before) {
    if (entries.get(name)?.passed) continue;
    failed = true;
    console.log(`  passed before: ${name}: ${firstFailure(entries.get(name))}`);
  }
  for (const { name, failures } of entries.values()) {
    const crash = failures.find((f) => CRASH.test(f.reason));
    if (!crash) continue;
    failed = true;
    console.log(`  crashed: ${name} case ${crash.case}: ${crash.reason}`);
  }
  const known = new Set(before);
  const fresh = passing.filter((name) => !known.has(name));
  if (fresh.length === 0) continue;
  if (!options.update) {
    console.log(`  ${fresh.length} pass that are not listed (--update lists them)`);
    continue;
  }
  listed[kind] = [...before, ...fresh].sort();
  changed = true;
  console.log(`  listed ${fresh.length} more`);
}
if (changed) {
  mkdirSync(dirname(passedFile), { recursive: true });
  writeFileSync(passedFile, `${JSON.stringify(listed, null, 2)}\n`);
}
process.exit(failed ? 1 : 0);
