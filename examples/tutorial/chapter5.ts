// Chapter 5: the parts of a training program.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as torch from 'typetorch';
import { load_file, save_file } from 'typetorch/safetensors';

const { nn, optim } = torch;
const { DataLoader, Dataset, random_split } = torch.utils.data;

const batch_size = 16;
const lr = 0.1;
const max_epochs = 3;
torch.manual_seed(0);

/** A dataset of the user's own: points in a square, labelled by the quadrant. */
class Quadrants extends Dataset<[torch.Tensor, number]> {
  private readonly points: torch.Tensor;
  private readonly labels: number[];
  constructor(n: number) {
    super();
    this.points = torch.rand(n, 2).mul(2).sub(1);
    this.labels = (this.points.tolist() as number[][]).map((p) => (p[0] > 0 ? 1 : 0) + (p[1] > 0 ? 2 : 0));
  }
  __getitem__(index: number): [torch.Tensor, number] {
    return [this.points[index], this.labels[index]];
  }
  __len__(): number {
    return this.labels.length;
  }
}

const [train_data, val_data] = random_split(new Quadrants(200), [160, 40]);
const train_loader = new DataLoader(train_data, { batch_size, shuffle: true, drop_last: true });
const val_loader = new DataLoader(val_data, { batch_size, shuffle: false });
console.log(train_loader.length, val_loader.length);

// One batch by hand.
const [points, labels] = val_loader[Symbol.iterator]().next().value as [torch.Tensor, torch.Tensor];
console.log(points.shape, labels.shape, labels.dtype);
console.log(points[0], labels);

class MLP extends nn.Module {
  hidden = new nn.Linear(2, 16);
  act = new nn.ReLU();
  output = new nn.Linear(16, 4);
  forward(x: torch.Tensor): torch.Tensor {
    return this.output(this.act(this.hidden(x)));
  }
}

const net = new MLP();
console.log(net);
console.log(net(points).shape);
for (const [name, parameter] of net.named_parameters()) console.log(name, parameter.shape);
console.log(net.hidden.weight[0]);

const loss_fn = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9 });
console.log(optimizer);

async function evaluate(model: MLP): Promise<number> {
  using _ = torch.no_grad();
  model.eval();
  let correct = 0;
  for await (const [x, y] of val_loader) correct += model(x).argmax(1).eq(y).sum().item();
  model.train();
  return correct / val_data.length;
}

for (let epoch = 0; epoch < max_epochs; epoch++) {
  let total = 0;
  for await (const [x, y] of train_loader) {
    const loss = loss_fn(net(x), y);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    total += loss.item();
  }
  console.log(
    `epoch ${epoch}: loss ${(total / train_loader.length).toFixed(4)}, accuracy ${(await evaluate(net)).toFixed(3)}`,
  );
}

// Saving and loading the weights.
const folder = mkdtempSync(join(tmpdir(), 'typetorch-'));
const file = join(folder, 'net.safetensors');
save_file(net.state_dict(), file);
const copy = new MLP();
console.log(copy.load_state_dict(load_file(file)).missing_keys.length === 0);
console.log((await evaluate(copy)) === (await evaluate(net)));
rmSync(folder, { recursive: true });
