/** Random calls of every op and method (scripts/fuzz.mjs) on the built package: none may crash, hang or trip the engine. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('3,000 random calls end in a value or an error of our own', () => {
  const root = join(import.meta.dirname, '..');
  const run = spawnSync(
    process.execPath,
    [join(root, 'scripts', 'fuzz.mjs'), '--calls', '3000', '--seed', '7'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  expect(run.stdout + run.stderr).toContain(' 0 went wrong');
  expect(run.status).toBe(0);
}, 120_000);
