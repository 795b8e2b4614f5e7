// The tour prints what PyTorch prints: each compiled chapter against the text that tour.py wrote.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** PyTorch's text in JavaScript's spelling of truth values, sizes and null. */
function translated(text: string): string {
  return (
    text
      // Values that stand alone; inside tensors, messages and reprs the text is PyTorch's.
      .replace(
        /(?<=^| )(True|False|None)(?=$| )/gm,
        (_, word: string) => ({ True: 'true', False: 'false', None: 'null' })[word] as string,
      )
      .replace(/torch\.Size\(\[([\d, ]*)\]\)/g, '[ $1 ]')
      .replace(
        / {4}(\w+): (true|false|null)$/gm,
        (_, key: string, value: string) =>
          `    ${key}: ${{ true: 'True', false: 'False', null: 'None' }[value]}`,
      )
  );
}

describe('the tour', () => {
  beforeAll(() => {
    execFileSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.examples.json'],
      { cwd: root },
    );
  }, 60_000);
  for (const chapter of ['chapter1', 'chapter2', 'chapter3', 'chapter5', 'chapter5_pictures'])
    it(`${chapter} prints PyTorch's text`, () => {
      const printed = execFileSync(
        process.execPath,
        [join(root, 'dist-examples/tutorial', `${chapter}.js`)],
        { cwd: root, encoding: 'utf8' },
      );
      expect(printed).toBe(
        translated(readFileSync(join(root, 'test/goldens/tour', `${chapter}.txt`), 'utf8')),
      );
    });
});
