/** Views and in-place writes against PyTorch (test/goldens/views.json, made by scripts/goldens/views.py). */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';

interface State {
  shape: number[];
  requires_grad: boolean;
  grad_fn: string | null;
  version: number;
  values: number[];
}
interface Program {
  name: string;
  lines: string[];
  errors: Record<string, string>;
  state: Record<string, State>;
  grads: Record<string, number[]>;
  backward_error?: string;
}

const programs = JSON.parse(
  readFileSync(process.env.VIEWS_GOLDENS ?? new URL('./goldens/views.json', import.meta.url), 'utf8'),
) as Program[];

type Env = Map<string, unknown>;

function ramp(sizes: readonly number[], from = 0.5, step = 0.25): torch.Tensor {
  const n = sizes.reduce((a, b) => a * b, 1);
  return torch
    .tensor(Float64Array.from({ length: n }, (_, i) => i * step + from))
    .reshape(sizes)
    .clone();
}

const makers: Record<string, (...sizes: number[]) => torch.Tensor> = {
  const: (...sizes) => ramp(sizes),
  leaf: (...sizes) => ramp(sizes).requires_grad_(),
  cleaf: (...sizes) =>
    torch
      .view_as_complex(torch.stack([ramp(sizes), ramp(sizes, 1.5, -0.25)], -1))
      .clone()
      .requires_grad_(),
};

/** Splits at top-level commas. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === '[' || c === '(') depth++;
    else if (c === ']' || c === ')') depth--;
    else if (depth === 0 && (c === ',' || c === undefined)) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts.filter((p) => p !== '');
}

/** Evaluates a chain such as `y.select(0, 1).mul_(w)`, a list, a number or a name. */
function evaluate(text: string, env: Env): unknown {
  if (text.startsWith('[')) return splitArguments(text.slice(1, -1)).map((part) => evaluate(part, env));
  if (/^-?\d/.test(text)) return Number(text);
  let [value, self]: [unknown, unknown] = [undefined, undefined];
  let rest = text;
  for (let first = true; rest !== ''; first = false) {
    const name = (/^\.?(\w+)/.exec(rest) as RegExpExecArray)[1];
    rest = rest.replace(/^\.?\w+/, '');
    self = value;
    value = first
      ? (makers[name] ?? (name === 'torch' ? torch : env.get(name)))
      : (value as Record<string, unknown>)[name];
    const index = /^\[(\d+)\]/.exec(rest);
    if (index) {
      value = (value as unknown[])[Number(index[1])];
      rest = rest.slice(index[0].length);
    }
    if (rest.startsWith('(')) {
      let end = 0;
      for (let depth = 0; ; end++) {
        if (rest[end] === '(') depth++;
        if (rest[end] === ')' && --depth === 0) break;
      }
      const args = splitArguments(rest.slice(1, end)).map((part) => evaluate(part, env));
      value = (value as (...args: unknown[]) => unknown).apply(self, args);
      rest = rest.slice(end + 1);
    }
  }
  return value;
}

function execute(line: string, env: Env): void {
  const [, mode, target, code] = /^(?:(no_grad|inference): )?(?:(\w+) = )?(.*)$/.exec(
    line,
  ) as RegExpExecArray;
  const run = (): void => {
    const value = evaluate(code, env);
    if (target !== undefined) env.set(target, value);
  };
  if (mode === 'no_grad') torch.no_grad(run);
  else if (mode === 'inference') torch.inference_mode(run);
  else run();
}

function attempt(run: () => void): string | undefined {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

const numbers = (x: torch.Tensor): number[] =>
  Array.from(
    (x.is_complex() ? torch.view_as_real(x.detach()) : x.detach())
      .contiguous()
      .toTypedArray() as unknown as ArrayLike<number | bigint>,
    Number,
  );

function close(actual: readonly number[], expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  actual.forEach((v, i) => {
    const same =
      Object.is(v, expected[i]) ||
      Math.abs(v - expected[i]) <= 1e-9 * (1 + Math.abs(expected[i])) ||
      (Number.isNaN(v) && Number.isNaN(expected[i]));
    if (!same) expect(v, `${what}[${i}]`).toBe(expected[i]);
  });
}

function stateOf(x: torch.Tensor): Omit<State, 'values'> {
  let grad_fn: string | null = null;
  try {
    grad_fn = x.grad_fn?.name() ?? null;
  } catch (error) {
    grad_fn = `error: ${(error as Error).message}`;
  }
  return { shape: [...x.shape], requires_grad: x.requires_grad, grad_fn, version: x._version };
}

describe('views and in-place writes', () => {
  it.each(programs.map((p) => [p.name, p] as const))('%s', (_, program) => {
    const env: Env = new Map();
    program.lines.forEach((line, i) => {
      expect(
        attempt(() => execute(line, env)),
        line,
      ).toBe(program.errors[i]);
    });
    for (const [name, { values, ...expected }] of Object.entries(program.state)) {
      const x = env.get(name) as torch.Tensor;
      expect(stateOf(x), name).toEqual(expected);
      close(numbers(x), values, name);
    }
    const out = env.get('out') as torch.Tensor | undefined;
    if (out === undefined) return;
    const failed = attempt(() => {
      const flat = (out.is_complex() ? torch.view_as_real(out) : out).reshape([-1]);
      flat
        .mul(ramp([flat.numel()], 1, 1))
        .sum()
        .backward();
    });
    expect(failed).toBe(program.backward_error);
    for (const [name, grad] of Object.entries(program.grads))
      close(numbers((env.get(name) as torch.Tensor).grad as torch.Tensor), grad, `${name}.grad`);
  });
});
