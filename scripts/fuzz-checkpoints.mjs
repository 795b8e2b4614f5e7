// Damages checkpoints, .npy, .npz and safetensors files at random and loads them: every outcome must be a value or an
// Error, quickly and without large allocations.
//
//     node scripts/fuzz-checkpoints.mjs [--files 10000] [--seed 1]
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as torch from '../dist/index.js';
import { load as loadSafetensors, save as saveSafetensors } from '../dist/safetensors.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const goldens = join(root, 'test', 'goldens', 'checkpoints');

/** xorshift32: the same damage for the same seed. */
export function randomStream(seed) {
  let state = seed >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % n;
  };
}

const interesting = [
  0, 1, 0x7f, 0x80, 0xff, 0x28, 0x2e, 0x52, 0x51, 0x63, 0x65, 0x71, 0x74, 0x75, 0x8a, 0x8b,
];

/** A damaged copy: bytes changed, cut, repeated, moved or removed. */
export function damage(bytes, random) {
  let out = Uint8Array.from(bytes);
  for (let rounds = 1 + random(4); rounds > 0 && out.length > 0; rounds--) {
    const at = random(out.length);
    const kind = random(7);
    if (kind === 0) out[at] = random(256);
    else if (kind === 1) out[at] ^= 1 << random(8);
    else if (kind === 2) out[at] = interesting[random(interesting.length)];
    else if (kind === 3) out = out.slice(0, at);
    else if (kind === 4) out.fill(random(2) ? 255 : 0, at, at + 1 + random(8));
    else if (kind === 5) out.copyWithin(at, random(out.length), random(out.length));
    else
      out = Uint8Array.from([
        ...out.subarray(0, at),
        ...out.subarray(Math.min(out.length, at + 1 + random(16))),
      ]);
  }
  return out;
}

/** The pickle of a checkpoint: damage there is not stopped by checksums. */
function withDamagedPickle(bytes, random, rewrite) {
  const zip = new torch.serialization.ZipReader(new torch.serialization.MemorySource(bytes));
  const memory = new torch.serialization.BytesIO();
  const writer = new torch.serialization.ZipWriter(memory);
  for (const name of zip.entries.keys()) {
    const content = name.endsWith('data.pkl') ? rewrite(zip.read(name), random) : zip.read(name);
    writer.add(name, content.length, [content]);
  }
  writer.end();
  return memory.getvalue();
}

function samples() {
  const files = readdirSync(goldens)
    .filter((name) => /\.(pt|npy|npz)$/.test(name))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(goldens, name))) }));
  const tensors = { a: torch.rand(3, 4), b: torch.ones(5) };
  return [...files, { name: 'x.safetensors', bytes: saveSafetensors(tensors, { note: 'x' }) }];
}

function open(name, bytes) {
  if (name.endsWith('.pt')) return torch.load(bytes);
  if (name.endsWith('.npy')) return torch.serialization.load_npy(bytes);
  if (name.endsWith('.npz')) return torch.serialization.load_npz(bytes);
  return loadSafetensors(bytes);
}

/** Runs `count` damaged files. Returns what went wrong, and the longest time and largest growth of memory. */
export function fuzz(count, seed) {
  const random = randomStream(seed);
  const files = samples();
  const problems = [];
  let failed = 0;
  let slowest = 0;
  let grown = 0;
  for (let i = 0; i < count; i++) {
    const { name, bytes } = files[i % files.length];
    const zipped = name.endsWith('.pt') && name !== 'legacy.pt';
    const hurt = zipped && random(2) ? withDamagedPickle(bytes, random, damage) : damage(bytes, random);
    const before = process.memoryUsage().rss;
    const start = performance.now();
    try {
      open(name, hurt);
    } catch (error) {
      failed++;
      const fine =
        error instanceof Error &&
        !(error instanceof TypeError && /undefined|null|not a function|not iterable/.test(error.message)) &&
        !(error instanceof ReferenceError) &&
        !/Maximum call stack|Invalid array length|allocation/.test(error.message);
      if (!fine)
        problems.push(`${name} (file ${i}): ${error instanceof Error ? error.stack : String(error)}`);
    }
    slowest = Math.max(slowest, performance.now() - start);
    grown = Math.max(grown, process.memoryUsage().rss - before);
  }
  return { problems, failed, slowest, grown };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { files: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
  });
  const { problems, failed, slowest, grown } = fuzz(Number(values.files), Number(values.seed));
  for (const problem of problems.slice(0, 20)) console.log(problem);
  console.log(
    `${values.files} files, ${failed} refused, ${problems.length} problems; slowest ${slowest.toFixed(0)} ms, largest growth ${(grown / 2 ** 20).toFixed(0)} MiB`,
  );
  process.exit(problems.length > 0 ? 1 : 0);
}
