// The WebAssembly build behind the CPU back end: what differs from the addon (memory, threads, loading). The other tests
// run on it too, with TYPETORCH_CPU=wasm. Each scenario runs in a process of its own.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = existsSync(`${root}/dist/wasm/relaxed-threads.wasm`) && existsSync(`${root}/dist/index.js`);

/** What a program prints, as JSON; `torch` and `native` are there. */
function scenario(body: string, env: Record<string, string> = {}): Record<string, unknown> {
  const prelude = `
    const torch = await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)});
    const { native } = await import(${JSON.stringify(new URL('../dist/esm/backends/cpu/native.node.js', import.meta.url).href)});
    const report = (value) => console.log(JSON.stringify(value));
    const message = (fn) => { try { fn(); } catch (error) { return error.message; } };
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', prelude + body], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, TYPETORCH_CPU: 'wasm', TYPETORCH_NUM_THREADS: '1', ...env },
  });
  if (child.status !== 0) throw new Error(`exit ${child.status}\n${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) as string) as Record<string, unknown>;
}

describe.skipIf(!built)('the WebAssembly build', () => {
  it('says what it is', () => {
    const r = scenario(`report({
      implementation: torch.backends.cpu.implementation(), isa: torch.backends.cpu.isa(),
      capability: torch.backends.cpu.get_cpu_capability(), threads: torch.get_num_threads() });`);
    expect(r.implementation).toBe('wasm');
    expect(['wasm-relaxed', 'wasm-simd']).toContain(r.isa);
    expect(['WASM_RELAXED_SIMD', 'WASM_SIMD']).toContain(r.capability);
    expect(r.threads).toBe(1);
  });

  it('draws the numbers of PyTorch', () => {
    // torch.manual_seed(0); torch.rand(3), torch.randn(2)
    const r = scenario(
      `torch.manual_seed(0); report([torch.rand(3).tolist(), torch.randn(2).tolist()].flat());`,
    );
    [0.49625658988952637, 0.7682217955589294, 0.08847743272781372].forEach((x, i) => {
      expect((r as unknown as number[])[i]).toBe(x);
    });
  });

  it('keeps the memory of a synchronous loop flat', () => {
    const r = scenario(`
      let x = torch.zeros(1_000_000);
      let early = false;
      Promise.resolve().then(() => { early = true; });
      for (let i = 0; i < 2000; i++) x = x.add(1);
      report({ last: x[0].item(), reserved: native.memoryStats().reserved, sweeps: native.memoryStats().sweeps, early });`);
    expect(r.last).toBe(2000);
    expect(r.sweeps).toBeGreaterThan(2);
    expect(r.reserved).toBeLessThan(1.2e9);
    // Sweeps end the job for weak references only.
    expect(r.early).toBe(false);
  });

  it('grows while arguments and results stay where they are', () => {
    const r = scenario(`
      const kept = [];
      for (let i = 0; i < 40; i++) kept.push(torch.full([1_000_000], i));
      report({ sums: kept.map((x) => x.sum().item()) });`);
    expect(r.sums).toEqual(Array.from({ length: 40 }, (_, i) => i * 1e6));
  });

  it('says how much memory it could not have, and goes on', () => {
    const r = scenario(`
      const big = message(() => torch.empty(2_000_000_000));
      const kept = [];
      const full = message(() => { for (;;) kept.push(torch.zeros(50_000_000)); });
      const count = kept.length;
      kept.length = 0;
      await new Promise((resolve) => setTimeout(resolve));
      report({ big, full, count, after: torch.zeros(100_000_000).sum().item() });`);
    expect(r.big).toContain("can't allocate memory: you tried to allocate 8000000000 bytes.");
    expect(r.full).toContain("can't allocate memory: you tried to allocate 200000000 bytes.");
    expect(r.count).toBeGreaterThan(4);
    expect(r.after).toBe(0);
  });

  it('gives one result for a number of threads, whoever ran which part', () => {
    const r = scenario(
      `
      const sums = [];
      torch.manual_seed(0);
      const a = torch.randn(300, 400), b = torch.randn(400, 500), v = torch.randn(3_000_000);
      for (const n of [1, 2, 3, 4]) {
        torch.set_num_threads(n);
        await new Promise((resolve) => setTimeout(resolve, 200));
        const found = new Set();
        for (let i = 0; i < 20; i++) found.add([a.matmul(b).sum().item(), v.exp().sum().item()].join());
        sums.push(found.size);
      }
      report({ sums, threads: torch.get_num_threads() });`,
      { TYPETORCH_NUM_THREADS: '4' },
    );
    expect(r.sums).toEqual([1, 1, 1, 1]);
    expect(r.threads).toBe(4);
  });

  it('ends the process while its threads sleep', () => {
    const r = scenario(`const x = torch.ones(1000, 1000); report({ sum: x.matmul(x).sum().item() });`, {
      TYPETORCH_NUM_THREADS: '2',
    });
    expect(r.sum).toBe(1e9);
  });
});

describe('disposed tensors', () => {
  it.skipIf(!built)('give their memory back at once, and refuse to be used', () => {
    const r = scenario(`
      const x = torch.ones(1000, 1000), view = x.t(), before = native.memoryStats().live;
      x[Symbol.dispose]();
      const freed = before - native.memoryStats().live;
      const y = torch.ones(1000, 1000), detached = y.detach();
      y[Symbol.dispose]();
      report({ freed, messages: [() => x.add(1), () => view.sum(), () => x.tolist(), () => x.copy_(1), () => detached.sum()].map(message),
        twice: message(() => x[Symbol.dispose]()) ?? null });`);
    expect(r.freed).toBe(4e6);
    for (const text of r.messages as string[]) expect(text).toContain('the tensor was disposed');
    expect(r.twice).toBeNull();
  });
});
