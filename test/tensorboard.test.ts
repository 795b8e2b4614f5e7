// Event files: every event has the bytes that PyTorch's SummaryWriter writes for the same values.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';
import { decodePng } from '../src/vision/io/png.js';

const { SummaryWriter } = torch.utils.tensorboard;
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'tensorboard.json'), 'utf8')) as {
  file: string;
  events: string[];
  hparams: Record<string, string[]>;
};
const folder = mkdtempSync(join(tmpdir(), 'events-'));
afterAll(() => rmSync(folder, { recursive: true }));

const eventFile = (of: string): string => {
  const names = readdirSync(of).filter((name) => name.startsWith('events.out.tfevents.'));
  expect(names.length).toBe(1);
  return join(of, names[0]);
};

/** The data of a file's records. */
function records(file: string): Uint8Array[] {
  const bytes = readFileSync(file);
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    found.push(bytes.subarray(at + 12, at + 12 + length));
    at += 16 + length;
  }
  return found;
}

interface Field {
  field: number;
  /** Where the field begins and ends, with its key. */
  from: number;
  to: number;
  value: bigint | Uint8Array;
}

/** The fields of a protocol buffer. */
function parse(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const from = at;
    const key = Number(varint());
    const type = key & 7;
    if (type === 0) {
      fields.push({ field: key >> 3, from, value: varint(), to: at });
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : Number(varint());
    fields.push({ field: key >> 3, from, value: bytes.subarray(at, at + length), to: at + length });
    at += length;
  }
  return fields;
}

const inside = (bytes: Uint8Array, ...path: number[]): Uint8Array | undefined =>
  path.reduce<Uint8Array | undefined>(
    (at, field) => at && (parse(at).find((f) => f.field === field)?.value as Uint8Array | undefined),
    bytes,
  );
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** The event's time set to that of the goldens. */
function atGoldenTime(event: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(event);
  new DataView(copy.buffer).setFloat64(1, 1.5, true);
  return copy;
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromGolden = (encoded: string): Uint8Array => Uint8Array.from(Buffer.from(encoded, 'base64'));

const ramp = torch.arange(24, { dtype: torch.float32 }).reshape(2, 3, 4);

/** The calls of scripts/goldens/summary_writer.py. */
function write(w: InstanceType<typeof SummaryWriter>): void {
  const walltime = 1.5;
  const at = (global_step: number) => ({ global_step, walltime });
  w.add_scalar('a/b', 0.1, at(3));
  w.add_scalar('zero', 0, at(0));
  w.add_scalar('negative step', torch.tensor([[2.5]]), at(-1));
  w.add_scalar('no step', -1e300, { walltime });
  w.add_scalar('new', 0.1, { ...at(2 ** 40), new_style: true });
  w.add_scalar('double', 0.1, { ...at(4), new_style: true, double_precision: true });
  w.add_histogram('h', ramp.sub(7).div(8), at(1));
  w.add_histogram('h/ints', torch.arange(-3, 9), { ...at(1), bins: 5 });
  for (const bins of ['auto', 'fd', 'sturges', 'sqrt', 'rice', 'scott'] as const)
    w.add_histogram(`h/${bins}`, ramp, { ...at(1), bins });
  w.add_histogram('h/few', ramp, { ...at(2), bins: 20, max_bins: 6 });
  w.add_histogram('h/edges', ramp, { ...at(2), bins: [0, 1, 2.5, 30] });
  w.add_histogram('h/same', torch.full([4], 3), { ...at(2), bins: 'auto' });
  w.add_histogram_raw('raw', {
    ...{ min: 0, max: 2.5, num: 7, sum: 3, sum_squares: 9.5 },
    ...{ bucket_limits: [1, 2, 3], bucket_counts: [1, 2, 4], ...at(3) },
  });
  w.add_text('words', '**Grüße** | a\n--- | ---\n', at(5));
  const { float32, float64, int64, int32, int16, int8, uint8 } = torch;
  for (const dtype of [float32, float64, int64, int32, int16, int8, uint8])
    w.add_tensor(`t/${dtype}`, ramp.sub(dtype === uint8 ? 0 : 5).to(dtype), at(1));
  for (const dtype of [torch.bool, torch.float16, torch.bfloat16, torch.complex64, torch.complex128])
    w.add_tensor(`t/${dtype}`, ramp.div(3).to(dtype), at(1));
  w.add_tensor('t/scalar', torch.tensor(3.5), at(1));
  const labels = torch.tensor([1n, 0n, 1n, 1n, 0n, 0n, 1n, 0n]);
  const scores = torch.tensor([0.9, 0.8, 0.7, 0.1, 0.2, 0.6, 1, 0]);
  w.add_pr_curve('pr', labels, scores, { ...at(9), num_thresholds: 6 });
  w.add_audio('sound', torch.arange(50).div(5).sin(), { ...at(2), sample_rate: 8000 });
  const square = ramp.narrow(2, 0, 3).permute(2, 0, 1).div(24);
  w.add_image('im', square, at(1));
  w.add_image('im/hw', ramp.at(0).div(10), { ...at(1), dataformats: 'HW' });
  w.add_images('ims', ramp.div(24).reshape(2, 1, 3, 4).expand(-1, 3, -1, -1), at(1));
}

describe('event files', () => {
  const w = new SummaryWriter(folder, { filename_suffix: '.golden', purge_step: 7 });
  write(w);
  w.close();
  const file = eventFile(folder);
  const events = records(file);

  it('are named as TensorBoard expects', () => {
    expect(file).toMatch(/events\.out\.tfevents\.\d{10}\.[^/]+\.\d+\.\d+\.golden$/);
  });

  it('have as many events', () => expect(events.length).toBe(golden.events.length));

  const pictures = golden.events.length - 3;
  it.each(golden.events.slice(0, pictures).map((encoded, i) => [i, fromGolden(encoded)] as const))(
    'have the bytes of event %i',
    (i, expected) => expect(hex(atGoldenTime(events[i]))).toBe(hex(atGoldenTime(expected))),
  );

  it('have the checksums of the first record', () => {
    const theirs = fromGolden(golden.file);
    const ours = readFileSync(file).subarray(0, 12);
    expect(hex(ours)).toBe(hex(theirs.subarray(0, 12)));
  });

  it('have pictures as PNG files', () => {
    const png = inside(events[pictures], 5, 1, 4, 4) as Uint8Array;
    const { data, width, height, channels } = decodePng(png);
    expect([width, height, channels]).toEqual([3, 2, 3]);
    const wanted = ramp.narrow(2, 0, 3).div(24).mul(255).to(torch.uint8);
    expect([...data]).toEqual([...(wanted.contiguous().toTypedArray() as Uint8Array)]);
    const sizes = (event: Uint8Array): unknown[] =>
      parse(inside(event, 5, 1, 4) as Uint8Array)
        .filter((f) => f.field < 4)
        .map((f) => f.value);
    for (let i = pictures; i < events.length; i++)
      expect(sizes(events[i])).toEqual(sizes(fromGolden(golden.events[i])));
  });
});

describe('SummaryWriter', () => {
  it('writes hyperparameters as PyTorch does', () => {
    const root = join(folder, 'hp');
    const w = new SummaryWriter(root);
    w.add_custom_scalars({ c: { one: ['Multiline', ['x', 'y']], two: ['Margin', ['v', 'lo', 'hi']] } });
    w.add_hparams({ lr: 0.5 }, { acc: 0.25 }, { run_name: 'run' });
    const hparam_domain_discrete = { kind: ['adam', 'sgd'] };
    const options = { hparam_domain_discrete, run_name: 'text', global_step: 2 };
    w.add_hparams({ kind: 'adam' }, { acc: 1 }, options);
    w.close();
    for (const [name, events] of Object.entries(golden.hparams)) {
      const ours = records(eventFile(join(root, name))).map((event) => hex(atGoldenTime(event)));
      expect(ours).toEqual(events.map((event) => hex(fromGolden(event))));
    }
    expect(() => w.add_hparams([] as never, {})).toThrow(
      new TypeError('hparam_dict and metric_dict should be dictionary.'),
    );
    expect(() => w.add_hparams({ a: 1 }, {}, { hparam_domain_discrete: { b: [1] } })).toThrow(
      'parameter: hparam_domain_discrete[b] should be a list of same type as hparam_dict[b].',
    );
  });

  it('gives each of several scalars a file of its own', () => {
    const root = join(folder, 'several');
    const w = new SummaryWriter(root);
    w.add_scalars('loss/all', { train: 1, test: 2 }, 5);
    w.add_scalars('loss/all', { train: 0.5 }, 6);
    w.flush();
    expect(records(eventFile(join(root, 'loss_all_train'))).length).toBe(3);
    const [, event] = records(eventFile(join(root, 'loss_all_test')));
    expect(text(inside(event, 5, 1, 1))).toBe('loss/all');
    w.close();
  });

  it('writes after max_queue events, at flush and close, and goes on in another file', () => {
    const root = join(folder, 'queue');
    const w = new SummaryWriter({ log_dir: root, max_queue: 2 });
    const file = eventFile(root);
    w.add_scalar('x', 1, 1);
    w.add_scalar('x', 1, 2);
    expect(records(file).length).toBe(1);
    w.add_scalar('x', 1, 3);
    expect(records(file).length).toBe(4);
    w.add_scalar('x', 1, 4);
    w.close();
    expect(records(file).length).toBe(5);
    w.add_scalar('x', 1, 5);
    w.close();
    expect(readdirSync(root).length).toBe(2);
  });

  it('writes the graph of a model', () => {
    const { nn } = torch;
    class Net extends nn.Module {
      fc1 = new nn.Linear(4, 3);
      fc2 = new nn.Linear(3, 2);
      forward(x: torch.Tensor): torch.Tensor {
        return this.fc2(this.fc1(x).relu()).add(x.sum());
      }
    }
    const root = join(folder, 'graph');
    using w = new SummaryWriter(root);
    w.add_graph(new nn.Sequential(new Net(), new nn.ReLU()), torch.ones(2, 4));
    w.flush();
    const event = records(eventFile(root))[1];
    const nodes = parse(inside(event, 4) as Uint8Array)
      .filter((f) => f.field === 1)
      .map((f) => parse(f.value as Uint8Array));
    const of = (fields: Field[], field: number): string[] =>
      fields.filter((f) => f.field === field).map((f) => text(f.value as Uint8Array));
    const named = new Map(nodes.map((node) => [of(node, 1)[0], node]));
    expect(named.size).toBe(nodes.length);
    for (const node of nodes) for (const input of of(node, 3)) expect(named.has(input)).toBe(true);
    expect(nodes.map((node) => of(node, 1)[0])).toMatchInlineSnapshot(`
      [
        "input/0",
        "Sequential/Net[0]/Linear[fc1]/weight",
        "Sequential/Net[0]/Linear[fc1]/bias",
        "Sequential/Net[0]/Linear[fc1]/linear",
        "Sequential/Net[0]/relu",
        "Sequential/Net[0]/Linear[fc2]/weight",
        "Sequential/Net[0]/Linear[fc2]/bias",
        "Sequential/Net[0]/Linear[fc2]/linear",
        "Sequential/Net[0]/sum",
        "Sequential/Net[0]/add",
        "Sequential/ReLU[1]/relu",
        "output/0",
      ]
    `);
  });

  it('refuses what cannot be drawn', () => {
    using w = new SummaryWriter(join(folder, 'refused'));
    expect(() => w.add_histogram('h', torch.zeros(0))).toThrow('The input has no element.');
    expect(() => w.add_histogram('h', [1, 2], { bins: 0 })).toThrow('`bins` must be positive');
    expect(() => w.add_image('i', ramp.at(0))).toThrow('size of input tensor and input format are different');
    expect(() => w.add_scalar('s', ramp)).toThrow('Tensor should contain one element (0 dimensions)');
  });
});
