// What the examples show: a progress bar, a loss curve, a grid of digits.
import { writeFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { SingleBar } from 'cli-progress';
import { parseHTML } from 'linkedom';
import type { Tensor } from 'typetorch';

/** A bar over the batches of an epoch, with the loss and images per second. */
export function progressBar(
  title: string,
  batches: number,
  batch_size: number,
): { update(loss: number): void; stop(): void } {
  const bar = new SingleBar({
    format: `${title} [{bar}] {percentage}% | loss {loss} | {speed} images/s`,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 100_000,
  });
  const started = performance.now();
  let done = 0;
  let mean = 0;
  const values = (): { loss: string; speed: string } => ({
    loss: mean.toFixed(4),
    speed: ((done * batch_size) / ((performance.now() - started) / 1000)).toFixed(0),
  });
  bar.start(batches, 0, { loss: '-', speed: '-' });
  return {
    update(loss) {
      done++;
      mean = done === 1 ? loss : 0.95 * mean + 0.05 * loss;
      if (done % 20 === 0 || done === batches) bar.update(done, values());
    },
    stop: () => {
      bar.stop();
      // Away from a terminal the bar is drawn without line ends.
      if (!process.stderr.isTTY) process.stderr.write('\n');
    },
  };
}

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Writes the loss of every step, and its running mean, as an SVG. */
export function drawLosses(file: string, losses: readonly number[]): void {
  let mean = losses[0];
  const points = losses.map((loss, i) => {
    mean = 0.98 * mean + 0.02 * loss;
    return { step: i + 1, loss, mean };
  });
  const plot = Plot.plot({
    document: document as never,
    width: 720,
    height: 360,
    grid: true,
    x: { label: 'step' },
    y: { label: 'cross entropy', type: 'log' },
    marks: [
      Plot.line(points, { x: 'step', y: 'loss', stroke: '#9ecae1', strokeWidth: 0.6 }),
      Plot.line(points, { x: 'step', y: 'mean', stroke: '#08519c', strokeWidth: 2 }),
    ],
  });
  plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  writeFileSync(file, plot.outerHTML);
}

/** Writes uint8 images [n, h, w] in rows of ten, each with its prediction (red where it is wrong). */
export function drawDigits(
  file: string,
  images: Tensor,
  predictions: readonly number[],
  labels: readonly number[],
): void {
  const columns = 10;
  const cell = 64;
  const [n, height, width] = images.shape;
  const rows = Math.ceil(n / columns);
  const pixels = images.tolist() as number[][][];
  const parts = pixels.map((image, i) => {
    const right = predictions[i] === labels[i];
    const x = (i % columns) * cell;
    const y = Math.floor(i / columns) * (cell + 20);
    const scale = (cell - 8) / Math.max(height, width);
    const ink = image.flatMap((row, r) =>
      row.flatMap((v, c) =>
        v > 16
          ? [`<rect x="${c}" y="${r}" width="1.05" height="1.05" opacity="${(v / 255).toFixed(2)}"/>`]
          : [],
      ),
    );
    return [
      `<g transform="translate(${x + 4} ${y + 4}) scale(${scale.toFixed(3)})">${ink.join('')}</g>`,
      `<text x="${x + cell / 2}" y="${y + cell + 12}" text-anchor="middle" fill="${right ? '#238b45' : '#cb181d'}">${predictions[i]}${right ? '' : ` (${labels[i]})`}</text>`,
    ].join('\n');
  });
  const size = `width="${columns * cell}" height="${rows * (cell + 20)}"`;
  writeFileSync(
    file,
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="system-ui, sans-serif" font-size="14"><rect ${size} fill="white"/>\n${parts.join('\n')}\n</svg>\n`,
  );
}
