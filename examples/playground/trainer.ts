// The worker that trains and predicts, so that the page stays responsive.
import * as torch from 'typetorch';
import { datasets, transforms } from 'typetorch/vision';
import { makeModel, type Net } from './models.js';
import type { Reply, Request, Settings } from './protocol.js';

const { nn, optim } = torch;
const { DataLoader } = torch.utils.data;

const send = (reply: Reply): void => postMessage(reply);
const SAMPLES = 26;

torch.manual_seed(0);
const transform = new transforms.ToTensor();
const url = new URL('/mnist/', self.location.href);
const [train_data, test_data] = await Promise.all([
  datasets.MNIST.fetch(url, { train: true, transform }),
  datasets.MNIST.fetch(url, { train: false, transform }),
]);

let net: Net = makeModel('mlp');
let stopRequested = false;
let training = false;

/** Images as the transform gives them, for many at once. */
const asInput = (images: torch.Tensor): torch.Tensor => images.unsqueeze(1).to(torch.float32).div(255);

function sendSamples(): void {
  const images = test_data.data.narrow(0, 0, SAMPLES);
  net.eval();
  const predictions = torch.no_grad(() => net(asInput(images)).argmax(1));
  net.train();
  send({
    type: 'samples',
    images: images.contiguous().toTypedArray() as Uint8Array,
    predictions: predictions.tolist() as number[],
    labels: test_data.targets.narrow(0, 0, SAMPLES).tolist() as number[],
  });
}

function accuracy(): number {
  net.eval();
  let correct = 0;
  const size = 1000;
  torch.no_grad(() => {
    for (let from = 0; from < test_data.length; from += size) {
      const images = asInput(test_data.data.narrow(0, from, size));
      correct += net(images)
        .argmax(1)
        .eq(test_data.targets.narrow(0, from, size))
        .sum()
        .item();
    }
  });
  net.train();
  return correct / test_data.length;
}

/** Steps and losses since the last report, which goes out a few times a second. */
class Report {
  private steps: number[] = [];
  private losses: number[] = [];
  private images = 0;
  private since = performance.now();

  add(step: number, loss: number, images: number, epoch: number): void {
    this.steps.push(step);
    this.losses.push(loss);
    this.images += images;
    if (performance.now() - this.since > 200) this.flush(epoch);
  }
  flush(epoch: number): void {
    if (this.steps.length === 0) return;
    const seconds = (performance.now() - this.since) / 1000;
    send({
      type: 'progress',
      steps: this.steps,
      losses: this.losses,
      epoch,
      imagesPerSecond: this.images / seconds,
    });
    this.steps = [];
    this.losses = [];
    this.images = 0;
    this.since = performance.now();
  }
}

async function train({ model, lr, batch_size, epochs }: Settings): Promise<void> {
  torch.manual_seed(0);
  net = makeModel(model);
  const loader = new DataLoader(train_data, { batch_size, shuffle: true, drop_last: true });
  const loss_fn = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9 });
  const scheduler = new optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs);
  const started = performance.now();
  const report = new Report();
  let step = 0;
  for (let epoch = 1; epoch <= epochs && !stopRequested; epoch++) {
    for await (const [images, labels] of loader) {
      const loss = loss_fn(net(images), labels);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      report.add(++step, loss.item(), batch_size, epoch);
      if (step % 150 === 0) {
        send({ type: 'accuracy', value: accuracy(), epoch });
        sendSamples();
      }
      if (stopRequested) break;
    }
    report.flush(epoch);
    scheduler.step();
    send({ type: 'accuracy', value: accuracy(), epoch });
    sendSamples();
  }
  send({ type: 'done', stopped: stopRequested, seconds: (performance.now() - started) / 1000 });
}

function predict(pixels: Float32Array): void {
  const image = torch.tensor(pixels).reshape(1, 1, 28, 28);
  net.eval();
  const probabilities = torch.no_grad(() => net(image).softmax(1));
  net.train();
  send({ type: 'prediction', probabilities: probabilities.squeeze(0).tolist() as number[] });
}

async function handle(request: Request): Promise<void> {
  if (request.type === 'stop') stopRequested = true;
  else if (request.type === 'predict') predict(request.pixels);
  else if (!training) {
    training = true;
    stopRequested = false;
    try {
      await train(request);
    } finally {
      training = false;
    }
  }
}

self.addEventListener('message', ({ data }: MessageEvent<Request>) => {
  handle(data).catch((error: unknown) =>
    send({
      type: 'error',
      message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    }),
  );
});

const { cpu } = torch.backends;
const threads = torch.get_num_threads();
send({
  type: 'ready',
  backend: `${cpu.get_cpu_capability()} · ${threads} thread${threads === 1 ? '' : 's'}`,
  train: train_data.length,
  test: test_data.length,
});
sendSamples();
