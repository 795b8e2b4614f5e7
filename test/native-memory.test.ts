// The allocator of the addon: memory of endless synchronous loops stays flat, and misuse throws.
// Each scenario runs in a process of its own, so that its resident set is its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const LOADER = new URL('../dist/esm/backends/cpu/native.node.js', import.meta.url).href;
const MB = 1e6;

const PRELUDE = `
  import { readFileSync } from 'node:fs';
  import { Worker } from 'node:worker_threads';
  const { native } = await import(${JSON.stringify(LOADER)});
  const id = native.kernelNames().indexOf('zero_fill');
  class Storage {
    constructor(nbytes) { this.nbytes = nbytes; this.address = native.allocate(this, nbytes); }
    fill() { native.args[0] = id; native.args[1] = this.address; native.args[2] = this.nbytes; native.run(); return this; }
  }
  const rss = () => process.memoryUsage().rss;
  const base = rss();
  let most = 0;
  const sample = () => { most = Math.max(most, rss()); };
  const report = (more = {}) => console.log(JSON.stringify({ base, most, ...more, stats: native.memoryStats() }));
`;

interface Report {
  base: number;
  most: number;
  stats: { live: number; cached: number; reserved: number; minor: number; major: number; sweeps: number };
  [key: string]: unknown;
}

/** Runs a scenario in a fresh process; the object that it reports. */
function scenario(body: string, env: Record<string, string> = {}): Report {
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', PRELUDE + body], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    env: { ...process.env, TYPETORCH_CPU: 'addon', ...env },
  });
  if (child.status !== 0) throw new Error(`exit ${child.status} ${child.signal}\n${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) as string) as Report;
}

describe.skipIf(process.env.TYPETORCH_CPU === 'wasm')('memory of synchronous loops', () => {
  it('stays flat for 500 steps of 100 MB', () => {
    const r = scenario(`
      let x;
      for (let step = 0; step < 500; step++) { x = new Storage(100e6).fill(); if (step % 10 === 0) sample(); }
      report();`);
    expect(r.most - r.base).toBeLessThan(2 * 200 * MB + 150 * MB);
  });

  it('stays flat when 40 blocks are held through several sweeps of each step', () => {
    // 40 activations of 2 MB held to the end of the step, each after four temporaries of 4 MB that die at once.
    const r = scenario(`
      for (let step = 0; step < 100; step++) {
        const held = [];
        for (let i = 0; i < 40; i++) {
          for (let j = 0; j < 4; j++) new Storage(4e6).fill();
          held.push(new Storage(2e6).fill());
        }
        sample();
      }
      report();`);
    expect(r.stats.sweeps).toBeGreaterThan(100);
    expect(r.most - r.base).toBeLessThan(2 * 84 * MB + 250 * MB);
  });

  it('stays flat when whole steps age past the minor collection', () => {
    // 800 MB a step, all of it held: everything survives several sweeps, then dies at once.
    const r = scenario(`
      for (let step = 0; step < 15; step++) {
        const held = [];
        for (let i = 0; i < 100; i++) held.push(new Storage(8e6).fill());
        sample();
      }
      report();`);
    expect(r.most - r.base).toBeLessThan(2 * 800 * MB + 250 * MB);
  });

  it('stays flat for small blocks', () => {
    const r = scenario(`
      let x;
      for (let i = 0; i < 1000000; i++) { x = new Storage(8 + i % 500); if (i % 10000 === 0) sample(); }
      report();`);
    expect(r.most - r.base).toBeLessThan(150 * MB);
    expect(r.stats.live).toBeLessThan(60 * MB);
  });

  it('keeps what is reachable', () => {
    const r = scenario(`
      const held = [];
      for (let i = 0; i < 2000; i++) {
        const s = new Storage(4096);
        native.write(s.address, new Float64Array(512).fill(i));
        held.push(s);
        for (let j = 0; j < 4; j++) new Storage(1 << 20).fill();
      }
      const out = new Float64Array(512);
      let wrong = 0;
      held.forEach((s, i) => { native.read(s.address, out); if (!out.every((v) => v === i)) wrong++; });
      report({ wrong });`);
    expect(r.wrong).toBe(0);
    expect(r.stats.live).toBeGreaterThanOrEqual(2000 * 4096);
  });

  it('reuses one block where blocks of slightly different sizes follow each other', () => {
    const r = scenario(`
      for (let i = 0; i < 3000; i++) { const s = new Storage(5e6 + i * 1000).fill(); native.release(s.address); }
      sample();
      report();`);
    expect(r.most - r.base).toBeLessThan(150 * MB);
    expect(r.stats.live).toBe(0);
  });
});

describe.skipIf(process.env.TYPETORCH_CPU === 'wasm')('blocks', () => {
  it('are aligned, and release gives them back once', () => {
    const r = scenario(`
      const s = new Storage(1000), t = new Storage(0);
      const live = native.memoryStats().live;
      const aligned = s.address % 64 === 0 && t.address % 64 === 0 && s.address !== t.address;
      native.release(s.address);
      const message = (f) => { try { f(); return 'no error'; } catch (e) { return e.message; } };
      const again = message(() => native.release(s.address));
      const unknown = message(() => native.release(12345));
      const reused = new Storage(1000).address === s.address;
      report({ live, aligned, again, unknown, reused });`);
    expect(r.live).toBe(1000);
    expect(r.aligned).toBe(true);
    expect(r.again).toMatch(/no block in use/);
    expect(r.unknown).toMatch(/no block in use/);
    expect(r.reused).toBe(true);
  });

  it('throw PyTorch’s error when memory is short, and go on', () => {
    const r = scenario(`
      const message = (f) => { try { f(); return 'no error'; } catch (e) { return e.message; } };
      const first = message(() => new Storage(2 ** 46));
      const second = message(() => new Storage(2 ** 53 - 1));
      const address = new Storage(100).fill().address;
      report({ first, second, address });`);
    expect(r.first).toBe(
      "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate " +
        `${2 ** 46} bytes.`,
    );
    expect(r.second).toContain(`${2 ** 53 - 1} bytes.`);
    expect(r.address).toBeGreaterThan(0);
  });

  it('refuse arguments of the wrong type', () => {
    const r = scenario(`
      const calls = {
        owner: () => native.allocate(1, 10), size: () => native.allocate({}, 1.5), negative: () => native.allocate({}, -1),
        nan: () => native.allocate({}, NaN), text: () => native.allocate({}, '10'), none: () => native.allocate(),
        release: () => native.release('x'), releaseNone: () => native.release(), adopt: () => native.adopt({}, [1]),
        adoptNone: () => native.adopt(), read: () => native.read(64, [1]), readNone: () => native.read(),
        write: () => native.write('x', new Uint8Array(1)), view: () => native.view(1, 64, 10), viewNone: () => native.view(),
        threads: () => native.setNumThreads(0), collector: () => native.setCollector(1),
        run: () => { native.args[0] = 1e9; native.run(); }, runNaN: () => { native.args[0] = NaN; native.run(); },
      };
      const passed = Object.keys(calls).filter((k) => { try { calls[k](); return true; } catch (e) { return !(e instanceof Error); } });
      report({ passed });`);
    expect(r.passed).toEqual([]);
  });

  it('are read, written, viewed and adopted byte for byte', () => {
    const r = scenario(`
      const s = new Storage(64);
      native.write(s.address, Uint8Array.from({ length: 64 }, (_, i) => i));
      const part = new DataView(new ArrayBuffer(8), 2, 3);
      native.read(s.address + 5, part);
      const middle = [...new Uint8Array(part.buffer)];
      const view = new Uint8Array(native.view(s, s.address, 64));
      view[0] = 77;
      const first = new Uint8Array(1);
      native.read(s.address, first);
      const buffer = new Float32Array([1, 2, 3, 4]).buffer;
      const three = new Float32Array(1);
      native.read(native.adopt({}, buffer) + 8, three);
      const shared = new SharedArrayBuffer(8);
      native.write(native.adopt({}, shared), new Int32Array([5, 6]));
      report({ middle, first: first[0], three: three[0], shared: [...new Int32Array(shared)] });`);
    expect(r.middle).toEqual([0, 0, 5, 6, 7, 0, 0, 0]);
    expect(r.first).toBe(77);
    expect(r.three).toBe(3);
    expect(r.shared).toEqual([5, 6]);
  });

  it('outlive a view only as long as their owner: the view keeps it', () => {
    const r = scenario(`
      let s = new Storage(8);
      const view = new Float64Array(native.view(s, s.address, 8));
      view[0] = 42;
      s = null;
      for (let i = 0; i < 50; i++) { native.collect(); new Storage(8).fill(); }
      report({ value: view[0] });`);
    expect(r.value).toBe(42);
  });
});

describe.skipIf(process.env.TYPETORCH_CPU === 'wasm')('worker threads', () => {
  it('load the addon, use it and exit, alone or beside the main thread', () => {
    const body = `
      import(${JSON.stringify(LOADER)}).then(({ native }) => {
        const id = native.kernelNames().indexOf('zero_fill');
        for (let i = 0; i < 300; i++) {
          const owner = {};
          native.args[0] = id; native.args[1] = native.allocate(owner, 4e6); native.args[2] = 4e6; native.run();
        }
      });`;
    const r = scenario(`
      for (let round = 0; round < 5; round++) {
        await Promise.all([1, 2, 3].map(() => new Promise((resolve, reject) => {
          const w = new Worker(${JSON.stringify(body)}, { eval: true });
          w.on('error', reject);
          w.on('exit', (code) => (code === 0 ? resolve() : reject(new Error('exit ' + code))));
          for (let i = 0; i < 50; i++) new Storage(4e6).fill();
        })));
        sample();
      }
      report();`);
    expect(r.most - r.base).toBeLessThan(1200 * MB);

    // A process whose only user of the addon is a worker that exits.
    const child = spawnSync(
      process.execPath,
      [
        '-e',
        `const { Worker } = require('node:worker_threads');
         const go = (n) => { if (n === 0) return console.log('done');
           new Worker(${JSON.stringify(body)}, { eval: true }).on('exit', () => setTimeout(go, 50, n - 1)); };
         go(4);`,
      ],
      { encoding: 'utf8' },
    );
    expect(child.stderr).toBe('');
    expect(child.stdout.trim()).toBe('done');
    expect(child.status).toBe(0);
  });
});

describe.skipIf(process.env.TYPETORCH_CPU === 'wasm')('threads', () => {
  it('cut work into parts that depend only on its size, the grain and the thread count', () => {
    const r = scenario(`
      const parts = (n, grain, threads) => {
        native.setNumThreads(threads);
        native.args[0] = native.kernelNames().indexOf('count_parts');
        native.args[1] = n; native.args[2] = grain; native.run();
        return native.args[1];
      };
      const counts = [parts(100, 1, 4), parts(100, 30, 4), parts(3, 1, 4), parts(100, 1, 1), parts(0, 1, 4), parts(100, 100, 4)];
      let wrong = 0;
      for (let i = 0; i < 20000; i++) if (parts(64, 1, 1 + i % 7) !== Math.ceil(64 / Math.ceil(64 / (1 + i % 7)))) wrong++;
      report({ counts, wrong, threads: native.getNumThreads() });`);
    expect(r.counts).toEqual([4, 4, 3, 1, 0, 1]);
    expect(r.wrong).toBe(0);
  });

  it('follow the environment variables', () => {
    expect(
      scenario(`report({ n: native.getNumThreads() })`, { TYPETORCH_NUM_THREADS: '', OMP_NUM_THREADS: '3' })
        .n,
    ).toBe(3);
    expect(
      scenario(`report({ n: native.getNumThreads() })`, { TYPETORCH_NUM_THREADS: '5', OMP_NUM_THREADS: '3' })
        .n,
    ).toBe(5);
  });
});
