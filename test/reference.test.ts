// The reference is made of docstrings: every public function has one, and the examples in them print what they say.
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { collect } from '../scripts/reference.mjs';
import * as torch from '../src/index.js';

interface Entry {
  module: string;
  name: string;
  kind: 'class' | 'function' | 'value';
  documentation: string;
  examples: string[];
}

const entries: Entry[] = collect();

/** An example as a program that prints: lines before a comment print their value, the comment is what is expected. */
function program(example: string): { code: string; expected: string } {
  const code: string[] = [];
  const expected: string[] = [];
  const lines = example.split('\n');
  for (const [i, line] of lines.entries()) {
    if (line.startsWith('// ')) {
      expected.push(line.slice(3));
    } else if (lines[i + 1]?.startsWith('// ') && !/^(const|let|console)\b/.test(line)) {
      code.push(`print(${line.replace(/;$/, '')});`);
    } else {
      code.push(line);
    }
  }
  return { code: code.join('\n'), expected: expected.join('\n') };
}

function run(code: string): string {
  const printed: string[] = [];
  const print = (...values: unknown[]): void => {
    printed.push(values.map(String).join(' '));
  };
  const { code: plain } = transformSync(code, { loader: 'ts' });
  const names = {
    torch,
    nn: torch.nn,
    F: torch.nn.functional,
    optim: torch.optim,
    print,
    console: { log: print },
  };
  torch.manual_seed(0);
  new Function(...Object.keys(names), plain)(...Object.values(names));
  return printed.join('\n');
}

describe('the reference', () => {
  it('documents every function and class', () => {
    const bare = entries.filter((e) => e.kind !== 'value' && e.documentation === '');
    expect(bare.map((e) => `${e.module}.${e.name}`)).toEqual([]);
  });

  const examples = entries.flatMap(({ module, name, examples: list }) =>
    list.filter((text) => /^\/\/ /m.test(text)).map((text) => ({ title: `${module}.${name}`, text })),
  );
  it.each(examples)('runs the example of $title', ({ text }) => {
    const { code, expected } = program(text);
    expect(run(code)).toBe(expected);
  });
});
