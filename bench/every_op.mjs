// node bench/every_op.mjs --python PYTHON [--only REGEX] [--pairs N] [--over RATIO] [--threads N]
// Times every call of every_op.txt here and in PyTorch, in turn, in one run, and prints our time over PyTorch's: the
// slowest last, those over RATIO only when one is given. Machines are noisy: only ratios count.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as torch from '../dist/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.TYPETORCH_PYTHON ?? 'python3' },
    only: { type: 'string', default: '' },
    pairs: { type: 'string', default: '5' },
    over: { type: 'string', default: '0' },
    threads: { type: 'string', default: '2' },
  },
});
/** How long one sample should take, in seconds; and the pause between samples of the two sides, in milliseconds. */
const SAMPLE = 0.008;
const PAUSE = 8;

const lines = (file) => readFileSync(join(here, file), 'utf8').split('\n');
const only = new RegExp(options.only);
const calls = lines('every_op.txt')
  .filter((line) => line && !line.startsWith('#'))
  .flatMap((line) => {
    const [group, ...list] = line.split(' ');
    return list.map((call) => ({ group, call }));
  })
  .filter(({ group, call }) => only.test(`${group} ${call}`));

torch.set_num_threads(Number(options.threads));
torch.manual_seed(0);
const names = { torch, F: torch.nn.functional, None: null, True: true, False: false };
const evaluate = (text) => new Function(...Object.keys(names), `return ${text}`)(...Object.values(names));
for (const line of lines('every_op_inputs.txt').filter(Boolean)) {
  const [name, text] = line.split(/ = (.*)/);
  names[name] = evaluate(text);
}

const child = spawn(
  options.python,
  [join(here, 'every_op.py'), options.threads, join(here, 'every_op_inputs.txt')],
  {
    stdio: ['pipe', 'pipe', 'inherit'],
  },
);
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
console.log(`PyTorch ${(await answers.next()).value.slice(6)}, ${calls.length} calls`);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function there(call, iterations) {
  child.stdin.write(`${JSON.stringify({ call, iterations })}\n`);
  const answer = JSON.parse((await answers.next()).value);
  if (typeof answer === 'string') throw new Error(`PyTorch: ${answer}`);
  return answer;
}
function timer(call) {
  const run = evaluate(`() => ${call}`);
  return async (iterations) => {
    const start = performance.now();
    for (let i = 0; i < iterations; i++) run();
    return (performance.now() - start) / 1000;
  };
}
/** How many calls take about SAMPLE seconds, once memory is found and code is compiled. */
async function calibrate(time) {
  let spent = await time(1);
  if (spent > 10 * SAMPLE) return 1;
  let best = spent;
  while (spent < 8 * SAMPLE) {
    const seconds = await time(4);
    best = Math.min(best, seconds / 4);
    spent += seconds;
  }
  return Math.max(1, Math.min(2000, Math.round(SAMPLE / best)));
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

const rows = [];
for (const { group, call } of calls) {
  try {
    const [ours, theirs] = await torch.no_grad(() => [timer(call), (n) => there(call, n)]);
    const n = await calibrate(ours);
    const m = await calibrate(theirs);
    const [a, b] = [[], []];
    for (let i = 0; i < Number(options.pairs); i++) {
      a.push((await ours(n)) / n);
      await pause(PAUSE);
      b.push((await theirs(m)) / m);
      await pause(PAUSE);
    }
    rows.push({ group, call, ours: median(a), theirs: median(b), ratio: median(a.map((x, i) => x / b[i])) });
  } catch (error) {
    console.log(`${call}: ${error.message}`);
  }
}
child.stdin.end();
const us = (seconds) => `${(1e6 * seconds).toFixed(0)}`.padStart(8);
rows.sort((x, y) => x.ratio - y.ratio);
for (const { group, call, ours, theirs, ratio } of rows)
  if (ratio >= Number(options.over))
    console.log(`${ratio.toFixed(2).padStart(7)} ${us(ours)} ${us(theirs)} us  ${group.padEnd(10)} ${call}`);
const geometric = Math.exp(rows.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / rows.length);
console.log(
  `${rows.length} calls, geometric mean ${geometric.toFixed(2)}, over 1: ${rows.filter((r) => r.ratio > 1).length}, over 3: ${rows.filter((r) => r.ratio > 3).length}`,
);
