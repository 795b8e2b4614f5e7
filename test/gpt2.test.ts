// A checkpoint of Hugging Face's transformers gives its logits (test/goldens/gpt2, made by scripts/goldens/gpt2.py).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { load_pretrained } from '../examples/gpt_model.js';
import * as torch from '../src/index.js';

const folder = join(import.meta.dirname, 'goldens', 'gpt2');
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
  tokens: number[][];
  logits: number[][][];
  written: number[];
};

it('a saved GPT-2 gives the logits that transformers computes', () => {
  using _ = torch.no_grad();
  const model = load_pretrained(folder);
  const logits = model(torch.tensor(expected.tokens.map((row) => row.map(BigInt))));
  expect(logits.shape).toEqual([2, 11, 61]);
  const wanted = torch.tensor(expected.logits);
  expect(logits.sub(wanted).abs().max().item()).toBeLessThan(2e-5 * wanted.abs().max().item());
  let row = torch.tensor([expected.written.slice(0, 3).map(BigInt)]);
  for (let i = 0; i < 10; i++) row = torch.cat([row, model(row).at(':', -1).argmax(-1, true)], 1);
  expect(row.at(0).tolist()).toEqual(expected.written);
});
