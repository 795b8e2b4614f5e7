// Calls random ops and tensor methods with random arguments, and looks for what may never happen: a crash of the
// process, a call without end, or an error of the JavaScript engine instead of one of ours.
//   node scripts/fuzz.mjs [--calls N] [--seed S] [--only REGEX] [--verbose]
// The calls run in a child process, which writes each call's number to a journal first: after a crash or a hang the
// run goes on behind that call. Call i depends on the seed and i alone, so `--from i --calls 1` repeats it.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '0' },
    from: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
    journal: { type: 'string' },
  },
});
const seed = Number(options.seed);
const only = new RegExp(options.only);

/** How long one call may take, in milliseconds. */
const HANG = 5000;
const ENGINE_ERROR =
  /is not a function|is not iterable|is not a constructor|Cannot (read|set) propert|Cannot (convert|mix)|Cannot destructure|is not defined|Invalid typed array length|Invalid array|Maximum call stack|out of memory|is not extensible|Reduce of empty array|cannot be converted to a BigInt|unknown BigInt/i;
/** Ops that are slow or wait by design, or write files. */
const SKIPPED = /^(set_num_threads|set_num_interop_threads|save|load)$/;

// ---------------------------------------------------------------------------------------
// Random values

/** A small generator (mulberry32) of numbers in [0, 1). */
function generator(state) {
  let a = state >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Random arguments for one call. */
class Values {
  constructor(torch, random) {
    this.torch = torch;
    this.random = random;
    // Most calls keep to one shape and dtype, or hardly any would get past the checks.
    this.shape = this.newShape();
    this.dtype = this.newDtype();
    this.log = [];
  }

  int(low, high) {
    return low + Math.floor(this.random() * (high - low + 1));
  }
  chance(p) {
    return this.random() < p;
  }
  pick(list) {
    return list[this.int(0, list.length - 1)];
  }

  newShape() {
    const ndim = this.pick([0, 1, 1, 2, 2, 2, 3, 3, 4]);
    return Array.from({ length: ndim }, () => this.pick([0, 1, 1, 2, 3, 3, 4, 5]));
  }
  newDtype() {
    const names = [
      'float32',
      'float32',
      'float32',
      'float64',
      'float16',
      'bfloat16',
      'int64',
      'int64',
      'int32',
    ];
    names.push('int16', 'int8', 'uint8', 'bool', 'complex64', 'complex128');
    return this.torch[this.pick(names)];
  }
  /** A shape that goes with the call's: the same, square, broadcastable, or any. */
  nearShape() {
    const kind = this.int(0, 9);
    if (kind < 6) return this.shape;
    if (kind === 6) return this.shape.slice(this.int(0, this.shape.length));
    if (kind === 7) return this.shape.map((n) => (this.chance(0.5) ? 1 : n));
    if (kind === 8) return [...this.shape].reverse();
    return this.newShape();
  }
  number() {
    return this.pick([0, 1, -1, 2, 3, 0.5, -2.5, 1e-3, 7, 100, -0, 1e10, NaN, Infinity, -Infinity]);
  }
  elements(n, dtype) {
    const special = this.chance(0.15);
    return Array.from({ length: n }, () => {
      if (dtype.is_floating_point || dtype.is_complex)
        return special && this.chance(0.3) ? this.number() : (this.random() - 0.5) * 6;
      return this.int(dtype === this.torch.uint8 || dtype === this.torch.bool ? 0 : -4, 5);
    });
  }

  tensor() {
    const { torch } = this;
    let dtype = this.chance(0.8) ? this.dtype : this.newDtype();
    if (this.chance(0.08)) dtype = torch.int64;
    const shape = this.nearShape();
    let x = this.fresh(shape, dtype);
    let layout = 'contiguous';
    const kind = this.int(0, 9);
    if (kind === 0 && shape.length >= 2) {
      const [a, b] = [this.int(0, shape.length - 1), this.int(0, shape.length - 1)];
      x = x.transpose(a, b);
      layout = `transpose(${a}, ${b})`;
    } else if (kind === 1 && shape.length >= 1) {
      const d = this.int(0, shape.length - 1);
      const wide = this.fresh(
        shape.map((n, i) => (i === d ? n * 2 + 1 : n)),
        dtype,
      );
      x = wide.narrow(d, 1, shape[d]);
      layout = `narrow(${d})`;
    } else if (kind === 2 && shape.length >= 1) {
      x = this.fresh(
        shape.map((n, i) => (i === 0 ? 1 : n)),
        dtype,
      ).expand(shape);
      layout = 'expand';
    }
    const differentiable = dtype.is_floating_point || dtype.is_complex;
    const grad = differentiable && this.chance(0.3);
    if (grad) x = x.detach().requires_grad_(true);
    this.log.push(`${dtype.name ?? dtype}[${x.shape}] ${layout}${grad ? ' grad' : ''}`);
    return x;
  }
  fresh(shape, dtype) {
    const n = shape.reduce((a, b) => a * b, 1);
    return this.torch.tensor(this.elements(n, dtype), { dtype }).reshape(shape);
  }

  /** A value of a schema's type. */
  of(type, name) {
    if (this.chance(0.02)) return this.wrong();
    if (type.endsWith('?')) return this.chance(0.5) ? null : this.of(type.slice(0, -1), name);
    const list = /^(\w+)\[(\d*)\]$/.exec(type);
    if (list) {
      const length = list[2] ? Number(list[2]) : this.int(0, 4);
      if (list[1] === 'int' && /size|shape/.test(name ?? '') && this.chance(0.5))
        return this.note([...this.shape]);
      return Array.from({ length }, () => this.of(list[1], name));
    }
    if (type === 'Tensor') return this.tensor();
    if (type === 'Operand') return this.chance(0.7) ? this.tensor() : this.scalar();
    return this.note(this.plain(type, name));
  }
  note(value) {
    this.log.push(
      typeof value === 'bigint' ? `${value}n` : Array.isArray(value) ? JSON.stringify(value) : String(value),
    );
    return value;
  }
  scalar() {
    const value = this.chance(0.1) ? true : this.chance(0.05) ? new this.torch.Complex(1, 2) : this.number();
    return this.note(value);
  }
  plain(type, name) {
    if (type === 'int') {
      if (/dim|axis/.test(name ?? '')) return this.int(-this.shape.length - 1, this.shape.length);
      return this.pick([0, 1, 1, 2, 2, 3, 4, -1, -2, 5, 10, this.chance(0.05) ? 2 ** 40 : 6]);
    }
    if (type === 'float') return this.number();
    if (type === 'bool') return this.chance(0.5);
    if (type === 'str')
      return this.pick(['mean', 'sum', 'none', 'ij', 'linear', 'nearest', 'reflect', 'amax', 'left', 'x']);
    if (type === 'Scalar') return this.pick([1, 2.5, -1, 0, true, NaN, this.number()]);
    if (type === 'dtype') return this.newDtype();
    if (type === 'device') return 'cpu';
    if (type === 'Generator') return null;
    return this.pick([null, 1, 'sum', [0, 1], true]);
  }
  wrong() {
    return this.note(
      this.pick([
        'text',
        null,
        true,
        1.5,
        -3,
        10n,
        [],
        [1, 'a'],
        [null],
        {},
        { nonsense: 1 },
        () => 1,
        Symbol.iterator,
      ]),
    );
  }
}

// ---------------------------------------------------------------------------------------
// The child process: makes the calls

/** Parameters of a schema's text: [{type, name, keyword, optional}]. */
function parameters(text) {
  let keyword = false;
  return text
    .split(/,\s*(?![^[]*\])/)
    .map((part) => part.trim())
    .filter((part) => {
      if (part === '*') keyword = true;
      return part !== '' && part !== '*';
    })
    .map((part) => {
      const [, type, name, fallback] = /^(\S+?)(?:\.\.\.)?\s+(\w+)(=.*)?$/.exec(part);
      return { type, name, optional: fallback !== undefined };
    })
    .map((param, i, all) => ({ ...param, keyword: keyword && i >= all.length - countKeywords(text) }));
}

const countKeywords = (text) => {
  const at = text.indexOf('*,');
  return at < 0
    ? 0
    : text
        .slice(at + 2)
        .split(/,\s*(?![^[]*\])/)
        .filter((part) => part.trim() !== '').length;
};

/** Makes call i; returns how it is written, a function that runs it. */
function prepare(torch, names, opTable, i) {
  const random = generator(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b));
  const values = new Values(torch, random);
  const name = values.pick(names);
  const { schema, fn } = opTable.get(name);
  const params = parameters(schema.text);
  const args = [];
  const keywords = {};
  let skipping = false;
  for (const { type, name: key, keyword, optional } of params) {
    if (optional && (skipping || values.chance(key === 'out' ? 0.9 : 0.5))) {
      skipping = true;
      continue;
    }
    values.log.push(`${key}:`);
    if (keyword || skipping) keywords[key] = values.of(type, key);
    else args.push(values.of(type, key));
  }
  if (Object.keys(keywords).length > 0) args.push(keywords);
  const short = name.slice(name.lastIndexOf('.') + 1);
  const self = args[0] instanceof torch.Tensor ? args[0] : null;
  const method =
    self && values.chance(0.3) ? (values.chance(0.5) && self[`${short}_`] ? `${short}_` : short) : null;
  const run = () => {
    const result =
      method && typeof self[method] === 'function' ? self[method](...args.slice(1)) : fn(...args);
    finish(torch, values, result);
  };
  return { text: `${method ? `x.${method}` : name}(${values.log.join(' ')})`, run };
}

/** Reads the results, and differentiates them. */
function finish(torch, values, result) {
  const outs = (Array.isArray(result) ? result : [result]).filter((x) => x instanceof torch.Tensor);
  for (const x of outs) if (x.numel() < 1e5) x.detach().contiguous().toTypedArray();
  const out = outs.find((x) => x.requires_grad);
  if (!out || !values.chance(0.8)) return;
  const twice = values.chance(0.2);
  out.backward(torch.ones_like(out), { create_graph: twice });
}

async function work() {
  const torch = await import('../dist/esm/index.js');
  const { opTable } = await import('../dist/esm/ops/define.js');
  const names = [...opTable.keys()].filter((name) => only.test(name) && !SKIPPED.test(name)).sort();
  const journal = openSync(options.journal, 'w');
  const from = Number(options.from);
  for (let i = from; i < from + Number(options.calls); i++) {
    let call;
    try {
      call = prepare(torch, names, opTable, i);
    } catch (error) {
      process.send({
        i,
        text: 'arguments',
        error: String(error?.stack ?? error)
          .split('\n')
          .slice(0, 4)
          .join(' '),
      });
      continue;
    }
    writeSync(journal, `${JSON.stringify({ i, text: call.text })}\n`.padEnd(2000), 0);
    try {
      call.run();
      process.send({ i, ok: true });
    } catch (error) {
      const engine = !(error instanceof Error) || ENGINE_ERROR.test(error.message);
      const trace = String(error?.stack ?? error)
        .split('\n')
        .slice(0, 4)
        .map((line) => line.trim())
        .join(' ');
      process.send(engine ? { i, text: call.text, error: trace } : { i, ok: false });
    }
    // Lets messages out, or a crash would lose them.
    if (i % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  closeSync(journal);
  process.disconnect();
}

// ---------------------------------------------------------------------------------------
// The parent process: outlives crashes and gathers findings

async function supervise() {
  const scratch = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const journal = join(scratch, 'journal');
  const end = Number(options.from) + Number(options.calls);
  const findings = new Map();
  const count = { ok: 0, refused: 0, found: 0 };
  const add = (kind, i, text, error) => {
    count.found++;
    // One finding per op and place.
    const key = `${kind} ${text.split('(')[0]} ${error.replace(/\d+/g, '#').slice(0, 120)}`;
    if (!findings.has(key)) findings.set(key, { kind, i, text, error });
  };
  const last = () => {
    try {
      return JSON.parse(readFileSync(journal, 'utf8').trim().split('\n')[0]);
    } catch {
      return null;
    }
  };

  for (let from = Number(options.from); from < end; ) {
    rmSync(journal, { force: true });
    const args = [fileURLToPath(import.meta.url), '--journal', journal, '--from', `${from}`];
    args.push('--calls', `${end - from}`, '--seed', options.seed, '--only', options.only);
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    child.stderr.resume();
    child.on('message', ({ i, ok, text, error }) => {
      if (ok === true) count.ok++;
      else if (ok === false) count.refused++;
      else add('engine', i, text, error);
    });
    let hung = false;
    let seen = -1;
    let since = Date.now();
    const timer = setInterval(() => {
      const now = last()?.i ?? -1;
      if (now !== seen) [seen, since] = [now, Date.now()];
      else if (Date.now() - since > HANG) hung = child.kill('SIGKILL');
    }, 500);
    const [code, signal] = await new Promise((resolve) => child.on('close', (...a) => resolve(a)));
    clearInterval(timer);
    if (code === 0) break;
    const at = last();
    if (at === null) throw new Error(`the library does not load (${signal ?? `exit ${code}`})`);
    add(hung ? 'hang' : 'crash', at.i, at.text, `${signal ?? `exit ${code}`}`);
    from = at.i + 1;
  }
  rmSync(scratch, { recursive: true });
  for (const { kind, i, text, error } of [...findings.values()].sort((a, b) => (a.text < b.text ? -1 : 1)))
    console.log(`${kind} (--seed ${seed} --from ${i} --calls 1): ${text}\n    ${error}`);
  console.log(
    `${count.ok} calls returned, ${count.refused} were refused, ${count.found} went wrong in ${findings.size} ways`,
  );
  process.exitCode = findings.size > 0 ? 1 : 0;
}

await (options.journal ? work() : supervise());
