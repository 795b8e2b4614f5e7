// Profiles: tables, schedules and benchmark texts as PyTorch's; what is recorded, and that nothing is when it is off.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interception } from '../src/dispatch/intercept.js';
import * as torch from '../src/index.js';
import { FunctionEvent, listOf, type TableOptions } from '../src/profiler/events.js';

const { profile, record_function, schedule } = torch.profiler;
const { Compare, Measurement, select_unit, Timer } = torch.utils.benchmark;
type Shapes = number[][];
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'profiler.json'), 'utf8')) as {
  spans: [name: string, start: number, end: number, shapes: Shapes][];
  tables: [by: { group_by_input_shapes?: boolean }, how: TableOptions, text: string][];
  list: string;
  measurements: { raw: number[]; n: number; task: object; text: string; numbers: number[]; warns: boolean }[];
  schedules: [how: Parameters<typeof schedule>[0], actions: number[]][];
  units: [number, string][];
  compares: [envs: (string | null)[], style: string[], text: string][];
};

function events() {
  const found: FunctionEvent[] = [];
  for (const [name, start, end, shapes] of golden.spans) {
    const parent = [...found].reverse().find((e) => e.time_range.end >= end) ?? null;
    const inputs = shapes.map((shape) => ({ shape, type: '' }));
    const span = { name, kind: 'cpu_op', start, end, parent: null, children: [], inputs } as const;
    found.push(new FunctionEvent(found.length + 1, { ...span, children: [] }, parent, 0));
  }
  return listOf(found);
}

describe('tables', () => {
  it.each(golden.tables)('print as PyTorch does (%j, %j)', (by, how, text) => {
    expect(events().key_averages(by.group_by_input_shapes).table(how)).toBe(text);
  });
  it('of events', () => expect(events().table({ top_level_events_only: true })).toBe(golden.list));
  it('refuse other columns', () => {
    expect(() => events().table({ sort_by: 'cuda_time' as never })).toThrow(
      "sort_by: events have no 'cuda_time'",
    );
    expect(() => events().key_averages().key_averages()).toThrow('averages already');
    expect(listOf<FunctionEvent>([]).table()).toBe('');
  });
});

describe('schedules', () => {
  it.each(golden.schedules)('%j', (how, actions) => {
    const action = schedule(how);
    expect(actions.map((_, step) => action(step))).toEqual(actions);
  });
  it('refuse negative steps', () => {
    expect(() => schedule({ wait: 0, warmup: 1, active: 0 })).toThrow('Invalid profiler schedule arguments.');
    expect(() => schedule({ wait: 0, warmup: 1, active: 1 })(-1)).toThrow(
      'Step must be non-negative. Got -1.',
    );
  });
});

describe('profile', () => {
  const names = (prof: ReturnType<typeof profile>): string[] => prof.events().map((event) => event.name);

  it('records ops, backward nodes, optimizers and ranges, inside of each other', () => {
    const model = new torch.nn.Linear(4, 2);
    const optimizer = new torch.optim.SGD(model.parameters(), { lr: 0.1 });
    const x = torch.ones(3, 4);
    const prof = profile({ record_shapes: true }, () => {
      record_function('forward', () => model(x).sum()).backward();
      optimizer.step();
    });
    const found = names(prof);
    for (const name of [
      'forward',
      'aten::linear',
      'aten::sum',
      'autograd::engine::evaluate_function: AddmmBackward0',
      'Optimizer.step#SGD.step',
    ])
      expect(found).toContain(name);
    const linear = prof.events().find((event) => event.name === 'aten::linear');
    expect(linear?.cpu_parent?.name).toBe('forward');
    expect(linear?.input_shapes).toEqual([[3, 4], [2, 4], [2]]);
    const total = prof.events().filter((e) => e.cpu_parent === null);
    const sum = total.reduce((all, e) => all + e.cpu_time_total, 0);
    expect(prof.key_averages().self_cpu_time_total).toBeCloseTo(sum, 3);
  });

  it('leaves nothing behind, also after errors', () => {
    expect(() => profile(() => torch.ones(2).add(torch.ones(3)))).toThrow('must match the size');
    expect(interception.current).toBe(null);
    const prof = profile(() => torch.ones(2));
    torch.ones(2).add(1);
    expect(names(prof)).toEqual(['aten::ones']);
    expect(record_function('nothing', () => 5)).toBe(5);
  });

  it('waits for asynchronous functions, and ends with its scope', async () => {
    const prof = await profile(async () => {
      await record_function('waiting', () => new Promise((done) => setTimeout(done, 5)));
      torch.ones(1);
    });
    expect(names(prof)).toEqual(['waiting', 'aten::ones']);
    expect(prof.events()[0].cpu_time_total).toBeGreaterThan(3000);
    let kept: ReturnType<typeof profile>;
    {
      using inner = profile();
      using _ = record_function('scope');
      torch.ones(1);
      kept = inner;
      expect(() => profile()).toThrow('another one is running');
    }
    expect(names(kept)).toEqual(['scope', 'aten::ones']);
  });

  it('follows autocast', () => {
    const x = torch.ones(2, 2);
    using _ = torch.autocast('cpu');
    expect(names(profile(() => x.matmul(x)))).toContain('aten::matmul');
    expect(x.matmul(x).dtype).toBe(torch.bfloat16);
  });

  it('follows a schedule and hands over each cycle', () => {
    const seen: [number, string][] = [];
    {
      using prof = profile({
        schedule: schedule({ wait: 1, warmup: 1, active: 2, repeat: 2 }),
        on_trace_ready: (p) => seen.push([p.step_num, names(p).join()]),
      });
      for (let i = 0; i < 10; i++) {
        torch.ones(1);
        prof.step();
      }
    }
    expect(seen).toEqual([
      [4, 'ProfilerStep#2,aten::ones,ProfilerStep#3,aten::ones'],
      [8, 'ProfilerStep#6,aten::ones,ProfilerStep#7,aten::ones'],
    ]);
  });

  it('writes Chrome traces', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trace-'));
    const handler = torch.profiler.tensorboard_trace_handler(join(folder, 'plugin'), 'me');
    const prof = profile({ record_shapes: true, on_trace_ready: handler }, () => torch.ones(2).add(1));
    prof.export_chrome_trace(join(folder, 'trace.json'));
    prof.export_chrome_trace(join(folder, 'trace.json'));
    const trace = JSON.parse(readFileSync(join(folder, 'trace.json'), 'utf8')) as {
      traceEvents: { ph: string; name: string; ts: number; dur: number; args: Record<string, unknown> }[];
    };
    const [ones, add] = trace.traceEvents.filter(({ ph }) => ph === 'X');
    expect([ones.name, add.name]).toEqual(['aten::ones', 'aten::add']);
    expect(add.args['Input Dims']).toEqual([[2], []]);
    expect(add.ts).toBeGreaterThanOrEqual(ones.ts + ones.dur);
    expect(readdirSync(join(folder, 'plugin'))[0]).toMatch(/^me\.\d+\.pt\.trace\.json$/);
    rmSync(folder, { recursive: true });
  });
});

describe('benchmark', () => {
  const plain = { stmt: 'x.add(y)', setup: '', label: null, sub_label: null, description: null, env: null };
  it.each(golden.measurements)('prints $text', ({ raw, n, task, text, numbers, warns }) => {
    const m = new Measurement(n, raw, { ...plain, num_threads: 1, ...task });
    expect(String(m).split('\n').slice(1).join('\n')).toBe(text);
    [m.median, m.mean, m.iqr].forEach((value, i) => void expect(value).toBeCloseTo(numbers[i], 14));
    expect(m.significant_figures).toBe(numbers[3]);
    expect(m.has_warnings).toBe(warns);
  });
  it.each(golden.units)('shows %f seconds in %s', (t, unit) => expect(select_unit(t)[0]).toBe(unit));

  it('measures functions and text', () => {
    const threads = torch.get_num_threads();
    let calls = 0;
    const once = new Timer({ stmt: () => calls++, label: 'count' }).timeit(200);
    expect(calls).toBe(202);
    expect(once.raw_times.length).toBe(1);
    const globals = { torch };
    const text = new Timer({ stmt: 'x.add(1)', setup: 'const x = torch.ones(3)', globals, num_threads: 2 });
    const many = text.blocked_autorange({ min_run_time: 0.01 });
    expect(String(many)).toMatch(/^.*\nx\.add\(1\)\nsetup: const x = torch\.ones\(3\)\n {2}(Median: )?\d/);
    expect(many.num_threads).toBe(2);
    expect(torch.get_num_threads()).toBe(threads);
    expect(text.adaptive_autorange({ max_run_time: 0.05 }).median).toBeGreaterThan(0);
    expect(Measurement.merge([many, many])[0].times.length).toBe(2 * many.times.length);
    expect(() => new Timer({ stmt: 'x', setup: () => 1 })).toThrow('setup is text');
  });

  /** The measurements of scripts/goldens/profiler.py. */
  function results(envs: (string | null)[]): InstanceType<typeof Measurement>[] {
    const found: InstanceType<typeof Measurement>[] = [];
    for (const num_threads of [1, 2])
      for (const env of envs)
        for (const sub_label of ['ones', 'a longer name'])
          for (const [n, description] of ['n=1', 'n=1000'].entries()) {
            if (sub_label === 'ones' && n === 1 && num_threads === 2) continue;
            const base = ((sub_label === 'ones' ? 1.3e-5 : 4.1e-5) * (1 + 30 * n)) / num_threads;
            const spread = n === 1 && num_threads === 1 ? 0.4 : 0.01;
            const times = [0, 1, 2, 3, 4].map((k) => base * (1 + (spread * k) / 4));
            const task = { stmt: 'f(x)', setup: '', label: 'L', sub_label, description, env, num_threads };
            found.push(new Measurement(1, times, task));
          }
    return found;
  }

  it.each(golden.compares)('compares %j as PyTorch does (%j)', (envs, style, text) => {
    const table = new Compare(results(envs));
    if (style.includes('highlight_warnings')) table.highlight_warnings();
    if (style.includes('trim_significant_figures')) table.trim_significant_figures();
    if (style.includes('colorize')) table.colorize();
    if (style.includes('rowwise')) table.colorize({ rowwise: true });
    expect(String(table)).toBe(text);
  });
  it('compares measurements only', () => {
    expect(() => new Compare([1 as never])).toThrow(
      'Expected an instance of `Measurement`, got number instead.',
    );
  });
});
