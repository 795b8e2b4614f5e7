// npm run bench -- [--python PATH] [--only REGEX] [--pairs N] [--threads N]
// Runs each workload here and, when a Python with PyTorch is given (or in TYPETORCH_PYTHON), there, in turn, in one
// run, and prints the median ratio of the pairs: our time over PyTorch's. Machines are noisy: only ratios count.
import { spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as torch from '../dist/index.js';
import { workloads } from './workloads.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.TYPETORCH_PYTHON },
    only: { type: 'string', default: '' },
    pairs: { type: 'string', default: '31' },
    threads: { type: 'string', default: '2' },
  },
});
const pairs = Number(options.pairs);
const only = new RegExp(options.only);
/** How long one sample of a workload should take, in seconds. */
const SAMPLE = 0.02;
/** Between samples of the two sides, in milliseconds: threads that wait for work still spin for some after each. */
const PAUSE = 25;

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function measure(run, iterations) {
  const start = performance.now();
  for (let i = 0; i < iterations; i++) run();
  return (performance.now() - start) / 1000;
}

/** How many calls take about SAMPLE seconds. The best of three, as a first call compiles and finds memory. */
async function calibrate(time) {
  for (let iterations = 1; ; iterations *= 2) {
    const seconds = Math.min(await time(iterations), await time(iterations), await time(iterations));
    if (seconds > SAMPLE / 2) return Math.max(1, Math.round((iterations * SAMPLE) / seconds));
  }
}

/** PyTorch in a process of its own, asked over its standard input. */
async function startPython(python) {
  const child = spawn(python, [join(here, 'workloads.py'), options.threads], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const greeting = (await lines.next()).value;
  if (!greeting?.startsWith('ready')) throw new Error(`${python} did not start PyTorch`);
  return {
    version: greeting.slice(6),
    async time(name, iterations) {
      child.stdin.write(`${JSON.stringify({ name, iterations })}\n`);
      return Number((await lines.next()).value);
    },
    stop: () => child.stdin.end(),
  };
}

const micro = (seconds) =>
  seconds < 1e-3 ? `${(seconds * 1e6).toFixed(2)} us` : `${(seconds * 1e3).toFixed(2)} ms`;
function report(name, ours, theirs, ratios) {
  const columns = [name.padEnd(36), micro(median(ours)).padStart(12)];
  if (theirs.length) columns.push(micro(median(theirs)).padStart(12), median(ratios).toFixed(3).padStart(8));
  console.log(columns.join(' '));
}

async function compare(name, time, timeTorch) {
  const n = await calibrate(time);
  const m = timeTorch && (await calibrate(timeTorch));
  const [ours, theirs, ratios] = [[], [], []];
  for (let i = 0; i < pairs; i++) {
    ours.push((await time(n)) / n);
    if (!timeTorch) continue;
    await pause(PAUSE);
    theirs.push((await timeTorch(m)) / m);
    ratios.push(ours[i] / theirs[i]);
    await pause(PAUSE);
  }
  report(name, ours, theirs, ratios);
}

function startUp(command, args) {
  const start = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${command} failed`);
  return (performance.now() - start) / 1000;
}

torch.set_num_threads(Number(options.threads));
const python = options.python ? await startPython(options.python) : null;
console.log(
  `typetorch ${torch.__version__} (${torch.get_num_threads()} threads)${python ? ` against PyTorch ${python.version}` : ''}, median of ${pairs}`,
);
console.log(
  [
    'workload'.padEnd(36),
    'typetorch'.padStart(12),
    ...(python ? ['PyTorch'.padStart(12), 'ratio'.padStart(8)] : []),
  ].join(' '),
);
for (const [name, make] of Object.entries(workloads)) {
  if (!only.test(name)) continue;
  const run = make(torch);
  for (let i = 0; i < 3; i++) run();
  await compare(name, (n) => measure(run, n), python && ((n) => python.time(name, n)));
}
const startName = 'import to first tensor';
if (only.test(startName)) {
  const entry = join(here, '..', 'dist', 'index.js');
  const ours = [
    process.execPath,
    ['--input-type=module', '-e', `import * as torch from ${JSON.stringify(entry)}; torch.zeros(1)`],
  ];
  const theirs = [options.python, ['-c', 'import torch; torch.zeros(1)']];
  const [a, b, ratios] = [[], [], []];
  for (let i = 0; i <= pairs; i++) {
    const t = startUp(...ours);
    const u = python ? startUp(...theirs) : 0;
    if (i === 0) continue;
    a.push(t);
    if (python) b.push(u);
    if (python) ratios.push(t / u);
  }
  report(startName, a, b, ratios);
}
python?.stop();
