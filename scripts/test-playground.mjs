// Drives the playground in Chromium from end to end: trains until the test accuracy passes 95 %, draws a digit and reads
// the prediction, stops a training, runs a program of the code pane and asks the editor for completions.
// CHROMIUM names the browser (Debian's is found by itself); --screenshot FILE keeps a picture.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { serve } from './playground.mjs';

const { values } = parseArgs({
  options: { screenshot: { type: 'string' }, model: { type: 'string', default: 'mlp' } },
});
const executablePath = env.CHROMIUM || ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const { server, url } = await serve(0);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 1180 } });
const problems = [];
page.on('pageerror', (error) => problems.push(error.stack ?? String(error)));
page.on('console', (message) => {
  if (message.type() === 'error') problems.push(message.text());
});

const text = (id) => page.textContent(`#${id}`);
const shows = (id, test) =>
  page.waitForFunction(
    ([name, source]) => new RegExp(source).test(document.getElementById(name)?.textContent ?? ''),
    [id, test.source],
    { timeout: 90_000 },
  );

/** Draws strokes, given as points in fractions of the pad. */
async function draw(...strokes) {
  const box = await page.locator('#pad').boundingBox();
  for (const stroke of strokes) {
    const [first, ...rest] = stroke.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height]);
    await page.mouse.move(...first);
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...point, { steps: 12 });
    await page.mouse.up();
  }
}

try {
  await page.goto(url);
  await page.waitForSelector('#train:not([disabled])', { timeout: 120_000 });
  console.log(`back end: ${await text('backend')}`);

  await page.selectOption('select[name=model]', values.model);
  await page.click('#train');
  await shows('accuracy', /9[5-9]\.\d\d %|100/);
  console.log(`accuracy ${await text('accuracy')} at ${await text('speed')} images/s`);
  await shows('status', /done after/);
  console.log(`${await text('status')}, test accuracy ${await text('accuracy')}`);

  await draw([
    [0.5, 0.15],
    [0.5, 0.85],
  ]);
  await shows('reading', /1/);
  await page.click('#clear');
  await shows('reading', /\?/);
  await draw([
    [0.25, 0.2],
    [0.75, 0.2],
    [0.45, 0.85],
  ]);
  await shows('reading', /7/);
  console.log(`drawn 1 and 7, read as such (${await page.textContent('.bar.best .value')})`);

  await page.waitForSelector('.monaco-editor .view-line', { timeout: 60_000 });
  await page.click('#run');
  await shows('console', /Linear\(in_features=1, out_features=1, bias=True\)[\s\S]*done in/);
  console.log('program ran');
  await page.click('.monaco-editor .view-lines');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('torch.softm');
  await page.waitForSelector('.suggest-widget.visible .monaco-list-row', { timeout: 60_000 });
  await page.waitForFunction(
    () => /softmax/.test(document.querySelector('.suggest-widget')?.textContent ?? ''),
    null,
    {
      timeout: 60_000,
    },
  );
  console.log('the editor completes torch.softmax');
  await page.keyboard.press('Escape');
  if (values.screenshot) await page.screenshot({ path: values.screenshot, fullPage: true });

  await page.click('#train');
  await shows('status', /training/);
  await page.click('#train');
  await shows('status', /stopped after/);
  assert.deepEqual(problems, []);
  console.log('the playground works');
} catch (error) {
  console.error(problems.join('\n'));
  if (values.screenshot) await page.screenshot({ path: values.screenshot, fullPage: true });
  throw error;
} finally {
  await browser.close();
  server.close();
}
