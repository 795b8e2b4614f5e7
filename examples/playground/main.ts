// The page: settings, curve, drawing and the code pane. What computes runs in workers.
import './style.css';
import { LossChart } from './chart.js';
import { Pad } from './pad.js';
import type { ModelName, Reply, Request } from './protocol.js';

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as T;
}

const trainer = new Worker('/assets/trainer.js', { type: 'module' });
const ask = (request: Request): void => trainer.postMessage(request);

const chart = new LossChart(element('chart'));
const status = element('status');
const trainButton = element<HTMLButtonElement>('train');
let running = false;
let drawing: Float32Array | null = null;

function show(id: string, text: string): void {
  element(id).textContent = text;
}
function setRunning(on: boolean): void {
  running = on;
  trainButton.textContent = on ? 'Stop' : 'Train';
  trainButton.classList.toggle('primary', !on);
}
const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;

// ---- training ----

element<HTMLFormElement>('settings').addEventListener('submit', (event) => {
  event.preventDefault();
  if (running) return ask({ type: 'stop' });
  const form = new FormData(event.currentTarget as HTMLFormElement);
  chart.clear();
  for (const id of ['speed', 'epoch', 'loss', 'accuracy']) show(id, '–');
  setRunning(true);
  status.textContent = 'training';
  ask({
    type: 'train',
    model: form.get('model') as ModelName,
    lr: Number(form.get('lr')),
    batch_size: Number(form.get('batch_size')),
    epochs: Number(form.get('epochs')),
  });
});

function drawSamples(reply: Extract<Reply, { type: 'samples' }>): void {
  const host = element('samples');
  host.replaceChildren(
    ...reply.labels.map((label, i) => {
      const box = document.createElement('div');
      const canvas = document.createElement('canvas');
      const text = document.createElement('span');
      canvas.width = canvas.height = 28;
      const context = canvas.getContext('2d');
      const picture = new ImageData(28, 28);
      for (let p = 0; p < 784; p++) {
        const v = reply.images[784 * i + p];
        picture.data.set([v, v, v, 255], 4 * p);
      }
      context?.putImageData(picture, 0, 0);
      text.textContent = String(reply.predictions[i]);
      box.className = reply.predictions[i] === label ? 'sample' : 'sample wrong';
      box.title = `a ${label}, read as ${reply.predictions[i]}`;
      box.append(canvas, text);
      return box;
    }),
  );
}

// ---- the drawn digit ----

const bars = Array.from({ length: 10 }, (_, digit) => {
  const bar = document.createElement('div');
  bar.className = 'bar';
  bar.innerHTML = `<b>${digit}</b><div class="track"><div class="fill"></div></div><span class="value"></span>`;
  element('bars').append(bar);
  return bar;
});

function drawPrediction(probabilities: readonly number[] | null): void {
  const best = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
  show('reading', best < 0 ? '?' : String(best));
  for (const [digit, bar] of bars.entries()) {
    const p = probabilities?.[digit] ?? 0;
    bar.classList.toggle('best', digit === best);
    (bar.querySelector('.fill') as HTMLElement).style.width = `${100 * p}%`;
    (bar.querySelector('.value') as HTMLElement).textContent = probabilities
      ? `${(100 * p).toFixed(1)} %`
      : '';
  }
}
drawPrediction(null);

const predict = (): void => {
  if (drawing) ask({ type: 'predict', pixels: drawing });
};
const pad = new Pad(element<HTMLCanvasElement>('pad'), element<HTMLCanvasElement>('seen'), (pixels) => {
  drawing = pixels;
  if (pixels) predict();
  else drawPrediction(null);
});
element('clear').addEventListener('click', () => pad.clear());

// ---- what the worker says ----

function fail(message: string): void {
  status.textContent = message;
  setRunning(false);
}

function receive(reply: Reply): void {
  switch (reply.type) {
    case 'ready':
      show('backend', reply.backend);
      status.textContent = `${reply.train.toLocaleString('en')} training digits, ${reply.test.toLocaleString('en')} for the test`;
      trainButton.disabled = false;
      break;
    case 'progress':
      chart.add(reply.steps, reply.losses);
      show('speed', Math.round(reply.imagesPerSecond).toLocaleString('en'));
      show('epoch', String(reply.epoch));
      show('loss', (reply.losses.at(-1) ?? 0).toFixed(4));
      break;
    case 'accuracy':
      show('accuracy', percent(reply.value));
      predict();
      break;
    case 'samples':
      drawSamples(reply);
      break;
    case 'prediction':
      drawPrediction(reply.probabilities);
      break;
    case 'done':
      setRunning(false);
      status.textContent = `${reply.stopped ? 'stopped' : 'done'} after ${reply.seconds.toFixed(1)} s`;
      break;
    case 'error':
      fail(reply.message);
  }
}
trainer.addEventListener('message', ({ data }: MessageEvent<Reply>) => receive(data));
trainer.addEventListener('error', (event) => fail(event.message || 'the training worker failed to load'));

// The editor is the heaviest part of the page: it comes last.
const { startEditor } = await import('./editor.js');
await startEditor();
