// Checkpoints: files of PyTorch load here with the same values; what is saved loads again; damage is an Error. The files
// come from scripts/goldens/checkpoints.py.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as torch from '../dist/index.js';
import { fuzz } from '../scripts/fuzz-checkpoints.mjs';

const { nn, optim, serialization } = torch;
const golden = (name: string): string => new URL(`./goldens/checkpoints/${name}`, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'typetorch-'));
afterAll(() => rmSync(folder, { recursive: true }));
type Record_ = Record<string, unknown>;
type Tensors = Record<string, torch.Tensor>;

describe('files of PyTorch', () => {
  const v = torch.load<Record_>(golden('containers.pt'));
  it('plain values', () => {
    expect(v.none).toBeNull();
    expect(v.flags).toEqual([true, false]);
    expect(v.floats).toEqual([0.5, -0, Number.POSITIVE_INFINITY, Number.NaN, 1e300]);
    expect(v.text).toBe('häß 漢字 🎉');
    expect(v.bytes).toEqual(Uint8Array.from({ length: 256 }, (_, i) => i));
    expect((v.ints as unknown[]).slice(0, 9)).toEqual([
      0,
      1,
      255,
      256,
      65535,
      65536,
      -1,
      -(2 ** 31),
      2 ** 31,
    ]);
    expect((v.ints as unknown[]).slice(9)).toEqual([2n ** 53n, -(2n ** 53n) - 1n, 2n ** 70n, -(2n ** 70n)]);
    expect(v.dtype).toBe(torch.bfloat16);
    expect(String(v.device)).toBe('cpu');
    expect(String(v.complex)).toBe('(1+2j)');
  });
  it('containers', () => {
    expect(v.tuple).toEqual([1, [2, 3], [4, 5, 6, 7], []]);
    expect(v.set).toEqual(new Set([3]));
    expect(v['by number']).toEqual({ 0: 'a', 1: 'b' });
    expect(v.mixed).toEqual(
      new Map<unknown, unknown>([
        [1, 'int'],
        ['1', 'str'],
        [null, 0],
        [2.5, 1],
      ]),
    );
    expect(v.digits).toEqual(
      new Map([
        ['0', 'x'],
        ['1', 'y'],
      ]),
    );
    expect(Object.keys(v.ordered as object)).toEqual(['b', 'a']);
    expect(v.counter).toEqual({ a: 2, b: 1 });
    expect(v.size).toEqual([2, 3]);
    const [a, b] = v.shared as unknown[];
    expect(a).toBe(b);
    expect(Object.getPrototypeOf(v)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(v, '__proto__')?.value).toBe('own');
  });
  it('every dtype', () => {
    const x = torch.load<Tensors>(golden('dtypes.pt'));
    for (const [name, t] of Object.entries(x)) {
      expect(String(t.dtype)).toBe(`torch.${name}`);
      expect(t.shape).toEqual([3, 2]);
    }
    expect(x.int16.tolist()).toEqual([
      [-2, -4],
      [1, 4],
      [2, 2],
    ]);
    expect(x.bfloat16[0].tolist()).toEqual([-0.0225830078125, -2.75]);
  });
  it('views share their storage', () => {
    const x = torch.load<Tensors>(golden('views.pt'));
    expect(x.same).toBe(x.slice);
    expect(x.transposed.stride()).toEqual([1, 6]);
    expect(x.strided.tolist()).toEqual([1, 6, 11, 16, 21]);
    x.base.fill_(-1);
    for (const name of ['slice', 'transposed', 'strided', 'expanded'])
      expect(x[name].eq(-1).all().item()).toBe(true);
    expect(x.expanded.shape).toEqual([1000, 7]);
    expect(x.empty.shape).toEqual([0, 3]);
    expect(x.parameter).toBeInstanceOf(nn.Parameter);
    expect([x.parameter, x.frozen, x.leaf, x.base].map((t) => t.requires_grad)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(String(x.conj)).toBe('tensor([1.-2.j])');
    expect(x.meta.is_meta).toBe(true);
  });
  it('the format before PyTorch 1.6', () => {
    const x = torch.load<Tensors>(golden('legacy.pt'));
    expect(x.x.tolist()).toEqual([4, 5, 6, 7, 8, 9]);
    x.base.zero_();
    expect(x.x.sum().item()).toBe(0);
    expect(x.y.tolist()).toEqual([1, 2]);
  });
});

describe('training goes on from a checkpoint', () => {
  const { x, losses } = JSON.parse(readFileSync(golden('training.json'), 'utf8'));
  const make = () => {
    const model = new nn.Sequential(
      new nn.Linear(4, 3),
      new nn.BatchNorm1d(3),
      new nn.ReLU(),
      new nn.Linear(3, 2),
    );
    return { model, optimizer: new optim.AdamW(model.parameters(), { lr: 0.5 }) };
  };
  const run = ({ model, optimizer }: ReturnType<typeof make>): number[] =>
    losses.map(() => {
      optimizer.zero_grad();
      const loss = (model(torch.tensor(x)) as torch.Tensor).square().mean();
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  type Saved = { model: Tensors; optimizer: never; epoch: number };
  const restore = (saved: Saved): ReturnType<typeof make> => {
    const made = make();
    made.model.load_state_dict(saved.model);
    made.optimizer.load_state_dict(saved.optimizer);
    return made;
  };
  it('of PyTorch and of ours', () => {
    const first = restore(torch.load<Saved>(golden('training.pt')));
    const saved = torch.save({
      model: first.model.state_dict(),
      optimizer: first.optimizer.state_dict(),
      epoch: 3,
    });
    run(first).forEach((loss, i) => expect(loss).toBeCloseTo(losses[i], 6));
    run(restore(torch.load<Saved>(saved))).forEach((loss, i) => expect(loss).toBeCloseTo(losses[i], 6));
  });
});

describe('saving', () => {
  it('round trip keeps what containers were', () => {
    for (const name of ['containers.pt', 'views.pt', 'dtypes.pt', 'training.pt']) {
      const value = torch.load(golden(name));
      const again = torch.load(torch.save(value));
      expect(String(JSON.stringify(again, replacer))).toBe(String(JSON.stringify(value, replacer)));
    }
    const tensors = torch.load<Tensors>(golden('dtypes.pt'));
    const [ours, theirs] = [torch.save(tensors), readFileSync(golden('dtypes.pt'))].map((bytes) => {
      const zip = new serialization.ZipReader(new serialization.MemorySource(bytes));
      return [...zip.entries.keys()]
        .filter((entry) => !entry.endsWith('serialization_id'))
        .map((entry) => [entry.replace(/^[^/]*/, ''), Buffer.from(zip.read(entry)).toString('hex')]);
    });
    expect(ours).toEqual(theirs);
  });
  it('pickles of every length', () => {
    // The buffer grows in the middle of each kind of value.
    for (let n = 0; n < 400; n++) {
      const value = {
        pad: 'x'.repeat(4080 - 3 * n),
        items: Array.from({ length: n }, (_, i) => [i * 0.5, i * 70000, `${i}`, BigInt(i) << 40n]),
      };
      if (n % 7 === 0 || n > 390) expect(torch.load(torch.save(value))).toEqual(plain(value));
    }
  });
  it('paths, sinks, bytes and blobs', async () => {
    const file = join(folder, 'x.pt');
    torch.save({ x: torch.arange(3) }, file);
    const memory = new serialization.BytesIO();
    torch.save({ x: torch.arange(3) }, memory);
    for (const from of [
      file,
      new URL(`file://${file}`),
      readFileSync(file),
      memory,
      memory.getvalue().buffer,
    ])
      expect(torch.load<Tensors>(from).x.tolist()).toEqual([0, 1, 2]);
    expect((await torch.load<Tensors>(new Blob([readFileSync(file)]))).x.tolist()).toEqual([0, 1, 2]);
    expect(torch.load<Tensors>(file, { mmap: true }).x.tolist()).toEqual([0, 1, 2]);
    expect(torch.load<Tensors>(file, { map_location: 'meta' }).x.is_meta).toBe(true);
    expect(torch.load<Tensors>(file, { map_location: (storage) => storage }).x.tolist()).toEqual([0, 1, 2]);
  });
  it('a failed save leaves the old file', () => {
    const file = join(folder, 'old.pt');
    torch.save(1, file);
    expect(() => torch.save({ bad: () => 1 }, file)).toThrow(TypeError);
    expect(torch.load(file)).toBe(1);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
  it('refuses what it cannot hold', () => {
    const net = new nn.Linear(1, 1);
    expect(() => torch.save(net)).toThrow(/save its state_dict\(\)/);
    expect(() => torch.save(new Float32Array(2))).toThrow(/from_numpy/);
    expect(() => torch.save(new Date())).toThrow(/cannot pickle 'Date' object/);
    const x = torch.arange(4);
    expect(() => torch.save([x, x.view(torch.uint8)])).toThrow(
      'Cannot save multiple tensors or storages that view the same data as different types',
    );
    const deep: unknown[] = [];
    let at = deep;
    for (let i = 0; i < 5000; i++) at.push((at = []));
    expect(() => torch.save(deep)).toThrow(RangeError);
    const self: unknown[] = [];
    self.push(self);
    const back = torch.load<unknown[]>(torch.save(self));
    expect(back[0]).toBe(back);
  });
});

describe('what a file may not do', () => {
  it('names outside the list', () => {
    expect(() => torch.load(golden('evil.pt'))).toThrow(
      /Weights only load failed\.[\s\S]*Unsupported global: GLOBAL print was not an allowed global by default\. Please use `torch\.serialization\.add_safe_globals\(\[print\]\)`/,
    );
    const seen: unknown[] = [];
    const value = serialization.safe_globals([[(...args) => seen.push(...args), 'builtins.print']], () =>
      torch.load<Record_>(golden('evil.pt')),
    );
    expect(seen).toEqual(['code of the file ran']);
    expect(value.x).toBe(1);
    expect(() => torch.load(golden('evil.pt'))).toThrow(serialization.UnpicklingError);
    expect(() => torch.load(golden('evil.pt'), { weights_only: false })).toThrow(
      /would run code of the file/,
    );
  });
  it('damage', () => {
    const bytes = new Uint8Array(readFileSync(golden('views.pt')));
    expect(() => torch.load(bytes.subarray(0, 900))).toThrow(/failed finding central directory/);
    const at = Buffer.from(bytes).indexOf(Buffer.from(new Float32Array([5, 6]).buffer));
    const flipped = bytes.slice();
    flipped[at] ^= 1;
    expect(() => torch.load(flipped)).toThrow(/data\/0: CRC-32 check failed/);
    expect(() => torch.load(new Uint8Array(0))).toThrow('the file is empty');
    writeFileSync(join(folder, 'text.pt'), 'hello');
    expect(() => torch.load(join(folder, 'text.pt'))).toThrow('Invalid magic number; corrupt file?');
    expect(() => torch.load(join(folder, 'none.pt'))).toThrow(/ENOENT/);
    expect(() => torch.load(golden('views.pt'), { map_location: 'cuda' })).toThrow(
      /Attempting to deserialize object on a CUDA device but torch\.cuda\.is_available\(\) is False/,
    );
  });
  it('a thousand damaged files', () => {
    const { problems, slowest } = fuzz(1000, 7);
    expect(problems).toEqual([]);
    expect(slowest).toBeLessThan(2000);
  });
});

describe('npy and npz', () => {
  const { load_npy, load_npz, save_npy, save_npz } = serialization;
  it('files of NumPy', () => {
    expect(load_npy(golden('f4.npy')).tolist()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(load_npy(golden('fortran.npy')).tolist()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(load_npy(golden('big.npy')).tolist()).toEqual([0, 1, 2, 3]);
    expect(load_npz(golden('stored.npz')).a.dtype).toBe(torch.uint8);
    const { zeros, c } = load_npz(golden('deflated.npz'));
    expect([zeros.shape, zeros.dtype, zeros.sum().item(), String(c)]).toEqual([
      [100, 10],
      torch.float64,
      0,
      'tensor([1.+2.j])',
    ]);
  });
  it('are written as NumPy writes them', () => {
    const x = torch.arange(6, { dtype: torch.float32 }).view(2, 3);
    expect(Buffer.from(save_npy(x)).equals(readFileSync(golden('f4.npy')))).toBe(true);
    expect(load_npy(save_npy(x.t())).equal(x.t())).toBe(true);
    expect(load_npy(save_npy(torch.tensor(3))).item()).toBe(3);
    save_npz({ x, y: torch.ones(2, { dtype: torch.bool }) }, join(folder, 'a.npz'));
    expect(load_npz(join(folder, 'a.npz')).y.tolist()).toEqual([true, true]);
    expect(() => save_npy(x.to(torch.bfloat16))).toThrow(/NumPy has no torch\.bfloat16/);
    expect(() => load_npy(readFileSync(golden('f4.npy')).subarray(0, 140))).toThrow(/promises 24 bytes/);
  });
});

/** Bigints as they load: numbers where these are exact. */
function plain(value: { pad: string; items: (number | string | bigint)[][] }): unknown {
  return {
    ...value,
    items: value.items.map((row) => row.map((v) => (typeof v === 'bigint' ? Number(v) : v))),
  };
}

/** Tensors as text; Maps and Sets as lists. */
function replacer(_key: string, value: unknown): unknown {
  if (value instanceof torch.Tensor) return `${value.dtype} ${value.is_meta ? 'meta' : String(value)}`;
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value];
  if (typeof value === 'bigint') return `${value}n`;
  return value;
}
