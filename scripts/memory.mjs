// Endless training loops run at flat memory: `node scripts/memory.mjs [--steps N] [--large N]`.
// Three synchronous loops: training steps of an MLP; steps that allocate 100 MB each; steps that hold 40 activations.
// RSS may grow by at most 32 MB after the first tenth, and never pass twice the peak of live tensors plus 300 MB.
import { parseArgs } from 'node:util';
import * as torch from '../dist/index.js';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '20000' }, large: { type: 'string', default: '5000' } },
});
const { nn, optim } = torch;
const MB = 1024 * 1024;
const baseline = process.memoryUsage.rss();
let failed = 0;

/** Runs step() n times; `live` is the peak of live tensor bytes of a step. */
function loop(name, n, live, step) {
  const settle = Math.ceil(n / 10);
  let early = 0;
  let most = 0;
  const started = performance.now();
  for (let i = 0; i < n; i++) {
    step();
    if (i % 10 !== 0 && n > 1000) continue;
    const rss = process.memoryUsage.rss();
    if (i < settle) early = Math.max(early, rss);
    most = Math.max(most, rss);
  }
  const growth = (most - early) / MB;
  const limit = (2 * live) / MB + 300;
  const ok = growth <= 32 && (most - baseline) / MB <= limit;
  if (!ok) failed++;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${ok ? 'flat' : 'NOT FLAT'}: ${name}, ${n} steps in ${seconds} s; grew ${growth.toFixed(1)} MB after a tenth, peak ${(most / MB).toFixed(0)} MB (${((most - baseline) / MB).toFixed(0)} of ${limit.toFixed(0)} allowed)`,
  );
}

torch.manual_seed(0);
const net = new nn.Sequential(new nn.Linear(784, 256), new nn.ReLU(), new nn.Linear(256, 10));
const sgd = new optim.SGD(net.parameters(), { lr: 0.01 });
const loss_fn = new nn.CrossEntropyLoss();
const [x, y] = [torch.rand(64, 784), torch.randint(0, 10, [64])];
loop('training', Number(values.steps), 8 * MB, () => {
  const loss = loss_fn(net(x), y);
  sgd.zero_grad();
  loss.backward();
  sgd.step();
});

const block = torch.rand((25 * MB) / 8);
loop('100 MB a step', Number(values.large), 112.5 * MB, () => {
  let z = block;
  for (let i = 0; i < 8; i++) z = z.add(1);
});

const part = torch.rand(256 * 1024);
loop('40 activations held', Math.ceil(Number(values.large) / 5), 41 * MB, () => {
  const held = [];
  for (let i = 0; i < 40; i++) held.push(part.mul(i));
  if (held.length !== 40) throw new Error();
});
process.exit(failed ? 1 : 0);
