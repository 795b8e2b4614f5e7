// Chapter 5, continued: training on pictures from folders and tables.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as torch from 'typetorch';
import { datasets, Image, transforms, utils } from 'typetorch/vision';
import { Labelled } from './labelled.js';

const { nn, optim } = torch;
const { DataLoader } = torch.utils.data;
const folder = mkdtempSync(join(tmpdir(), 'typetorch-'));

/** A picture of 24 × 24 pixels: stripes across, or down. */
function stripes(down: boolean, phase: number): Image {
  const pixels = new Uint8Array(24 * 24 * 3);
  for (let y = 0; y < 24; y++)
    for (let x = 0; x < 24; x++)
      for (let c = 0; c < 3; c++)
        pixels[(y * 24 + x) * 3 + c] = (((down ? x : y) + phase) % 6) * 40 + ((x * y + c * 7) % 11);
  return Image.fromPixels({ data: pixels, width: 24, height: 24, channels: 3 });
}

// One sub-folder for each class.
const train_path = join(folder, 'train');
const rows = ['Image_index,Label'];
for (const [label, name] of ['across', 'down'].entries()) {
  mkdirSync(join(train_path, name), { recursive: true });
  for (let i = 0; i < 40; i++) {
    const file = join(name, `${String(i).padStart(2, '0')}.png`);
    writeFileSync(join(train_path, file), stripes(label === 1, i).toPng());
    rows.push(`${file},${label}`);
  }
}
const transform = new transforms.Compose([
  new transforms.Resize(20),
  new transforms.CenterCrop(16),
  new transforms.RandomHorizontalFlip(),
  new transforms.ToTensor(),
  new transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
]);
console.log(transform);
const train_data = new datasets.ImageFolder(train_path, { transform });
console.log(train_data.classes, train_data.length);

// A table of labels and a list of files.
writeFileSync(join(folder, 'labels.csv'), `${rows.join('\n')}\n`);
const listed = rows.slice(1).filter((_, i) => i % 5 === 0);
writeFileSync(join(folder, 'val.txt'), `${listed.map((row) => row.split(',')[0]).join('\n')}\n`);
const val_data = new Labelled(train_path, join(folder, 'labels.csv'), join(folder, 'val.txt'));
console.log(val_data.length);

torch.manual_seed(0);
const options = { batch_size: 16, num_workers: 4, persistent_workers: true };
const train_loader = new DataLoader(train_data, { ...options, shuffle: true, drop_last: true });
const val_loader = new DataLoader(val_data, { ...options, shuffle: false });
console.log(train_loader.length, val_loader.length);

// One batch by hand, and its first image as a picture.
const first = await val_loader[Symbol.asyncIterator]().next();
const [images, labels] = first.value as [torch.Tensor, torch.Tensor];
console.log(images.shape, images.dtype, labels);
console.log(images[0].permute(1, 2, 0).shape, images[0].mean().item().toFixed(4));
await utils.save_image(images, join(folder, 'batch.png'), { nrow: 8, normalize: true });

const net = new nn.Sequential(
  new nn.Conv2d(3, 4, 3),
  new nn.ReLU(),
  new nn.AdaptiveAvgPool2d(6),
  new nn.Flatten(),
  new nn.Linear(144, 2),
);
const loss_fn = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
for (let epoch = 0; epoch < 2; epoch++) {
  let total = 0;
  for await (const [x, y] of train_loader) {
    const loss = loss_fn(net(x), y);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    total += loss.item();
  }
  let correct = 0;
  for await (const [x, y] of val_loader) correct += net(x).argmax(1).eq(y).sum().item();
  console.log(
    `epoch ${epoch}: loss ${(total / train_loader.length).toFixed(4)}, accuracy ${(correct / val_data.length).toFixed(3)}`,
  );
}

// The whole state of the training in one file, which PyTorch reads too.
torch.save(
  { net: net.state_dict(), optimizer: optimizer.state_dict(), epoch: 2 },
  join(folder, 'checkpoint.pt'),
);
const checkpoint = torch.load<{ net: Record<string, torch.Tensor>; epoch: number }>(
  join(folder, 'checkpoint.pt'),
);
console.log(Object.keys(checkpoint), checkpoint.net['0.weight'].shape, checkpoint.epoch);
rmSync(folder, { recursive: true });
