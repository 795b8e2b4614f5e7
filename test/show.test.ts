// What is shown: bars as tqdm draws them, pictures in files and notebooks.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';
import { Image } from '../src/vision/index.js';
import { decodePng } from '../src/vision/io/png.js';

const { formatMeter, progress, showImage } = torch.utils;
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'progress.json'), 'utf8')) as {
  lines: [Parameters<typeof formatMeter>[0] & { prefix?: string }, string][];
  values: [unknown, string][];
};

class Terminal {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns = 60,
  ) {}
  write(text: string): void {
    this.text += text;
  }
}

describe('progress', () => {
  it.each(golden.lines)('prints %j as tqdm does', ({ prefix, ...meter }, line) => {
    expect(formatMeter({ ...meter, desc: prefix ?? '' })).toBe(line);
  });
  it.each(golden.values)('shortens %s', (value, text) => {
    const bar = progress(3, { file: null });
    bar.set_postfix({ v: value });
    expect(String(bar)).toMatch(new RegExp(`, v=${text.replaceAll(/[.+]/g, '\\$&')}\\]$`));
  });

  it('goes over arrays, loaders and counts, and draws in terminals', async () => {
    const file = new Terminal(true);
    const seen: number[] = [];
    for (const x of progress(['a', 'b', 'c'], { file, desc: 'go', mininterval: 0 })) seen.push(x.length);
    expect(seen).toEqual([1, 1, 1]);
    const lines = file.text.split('\r');
    expect(lines.length).toBe(6);
    expect(lines[1]).toMatch(/^go: {3}0%\| +\| 0\/3 \[00:00<\?, \?it\/s\]$/);
    expect(lines[5]).toMatch(/^go: 100%\|█+\| 3\/3 \[00:00<00:00, .*it\/s\]\n$/);
    for (const line of lines.slice(1)) expect(line.replace('\n', '').length).toBeLessThanOrEqual(60);

    const dataset = new torch.utils.data.TensorDataset(torch.arange(10));
    const loader = new torch.utils.data.DataLoader(dataset, { batch_size: 4 });
    const log = new Terminal(false);
    const bar = progress(loader, { file: log });
    for await (const [x] of bar) bar.set_postfix({ first: x.at(0).item() });
    expect(bar.total).toBe(3);
    expect(log.text).toMatch(/^ {2}0%\|.*\n100%\|█{10}\| 3\/3 .*, first=8\]\n$/);
    expect([...progress(3, { disable: true })]).toEqual([0, 1, 2]);
  });

  it('counts updates, and leaves no trace when asked', () => {
    const file = new Terminal(true);
    {
      using bar = progress(10, { file, leave: false, mininterval: 0 });
      bar.set_description('half');
      bar.update(5);
    }
    expect(file.text).toMatch(/\rhalf: {2}50%\|.*\| 5\/10 .*\r +\r$/);
  });

  it("draws in the notebooks of Deno's kernel", () => {
    const sent: unknown[][] = [];
    const jupyter = { broadcast: (...message: unknown[]) => void sent.push(message) };
    const scope = globalThis as { Deno?: unknown };
    scope.Deno = { jupyter };
    try {
      for (const _ of progress(2, { mininterval: 100 }));
      // Outside of a notebook, asking for the API throws.
      scope.Deno = Object.defineProperty({}, 'jupyter', { get: () => expect.fail('no notebook') });
      progress(2, { disable: true });
    } finally {
      delete scope.Deno;
    }
    expect(sent.length).toBe(2);
    expect(sent[1]).toEqual(['stream', { name: 'stderr', text: expect.stringMatching(/^\r100%.*2\/2/) }]);
  });

  it('closes after a break', () => {
    const file = new Terminal(false);
    for (const _ of progress([1, 2, 3], { file })) break;
    expect(file.text.split('\n').length).toBe(3);
  });
});

describe('pictures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'show-'));

  it('are written as PNG and SVG', () => {
    const x = torch.tensor([
      [0, 0.5],
      [1, 2],
    ]);
    showImage(x, { file: join(folder, 'deeper', 'x.png'), scale: 2 });
    const png = decodePng(new Uint8Array(readFileSync(join(folder, 'deeper', 'x.png'))));
    expect([png.width, png.height, png.channels]).toEqual([4, 4, 3]);
    expect([...png.data].filter((_, i) => i % 3 === 0)).toEqual([
      0, 0, 127, 127, 0, 0, 127, 127, 255, 255, 255, 255, 255, 255, 255, 255,
    ]);
    showImage(torch.rand(3, 5, 7), { file: join(folder, 'x.svg') });
    expect(readFileSync(join(folder, 'x.svg'), 'utf8')).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="7" height="5" .*href="data:image\/png;base64,iVBOR/,
    );
    rmSync(folder, { recursive: true });
  });

  it('take bytes, batches, lists and other orders', () => {
    const size = (p: torch.utils.Picture): number[] => [p.width, p.height];
    expect(size(showImage(torch.zeros([10, 1, 4, 5])))).toEqual([40, 8]);
    expect(size(showImage([torch.zeros(4, 5), torch.zeros(4, 5)]))).toEqual([10, 4]);
    expect(size(showImage(torch.zeros(4, 5, 3), { dataformats: 'HWC' }))).toEqual([5, 4]);
    const bytes = torch.tensor([[7n, 200n]]).to(torch.uint8);
    expect([...decodePng(showImage(bytes).toPng()).data]).toEqual([7, 7, 7, 200, 200, 200]);
    const stretched = showImage(torch.tensor([[-2, 0, 2]]), { normalize: true });
    expect([...decodePng(stretched.toPng()).data].filter((_, i) => i % 3 === 0)).toEqual([0, 127, 255]);
    expect(() => showImage(torch.zeros(3))).toThrow('a picture has 2 to 4 dimensions, got shape [3]');
    expect(() => showImage(bytes, { file: 'x.gif' })).toThrow('the ending must be .png or .svg');
    expect(() => showImage(bytes, { scale: 0 })).toThrow('scale must be a positive whole number');
  });

  it('are shown in notebooks', () => {
    const jupyter = Symbol.for('Jupyter.display');
    type Shown = Record<symbol, () => Record<string, string>>;
    const shown = (x: unknown): Record<string, string> => (x as Shown)[jupyter]();
    const picture = showImage(torch.zeros(2, 3));
    expect(shown(picture)['image/png']).toMatch(/^iVBOR/);
    expect(shown(picture)['text/plain']).toBe('<Picture 3x2>');
    expect(shown(new Image(torch.zeros([2, 3, 3], { dtype: torch.uint8 })))['image/png']).toMatch(/^iVBOR/);
    expect(shown(torch.ones(2))).toEqual({ 'text/plain': 'tensor([1., 1.])' });
    const given: number[] = [];
    showImage(torch.zeros(2, 3), { display: { png: (bytes) => void given.push(bytes.length) } });
    expect(given.length).toBe(1);
  });
});
