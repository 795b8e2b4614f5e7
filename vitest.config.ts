import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// The tests run the sources: the package's `#` imports, which name compiled files, are pointed at them.
const { imports } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8')) as {
  imports: Record<string, { default: string }>;
};
const alias = Object.fromEntries(
  Object.entries(imports).map(([name, target]) => [
    name,
    join(import.meta.dirname, target.default.replace(/^\.\/dist\/esm/, 'src').replace(/\.js$/, '.ts')),
  ]),
);

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
