import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// The tests run the sources: the package's `#` imports and its exports, which name compiled files, are pointed at them.
const { imports, exports } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8')) as {
  imports: Record<string, { default: string }>;
  exports: Record<string, { types: string } | string>;
};
const source = (compiled: string): string =>
  join(import.meta.dirname, compiled.replace(/^\.\/dist\/esm/, 'src').replace(/(\.d\.ts|\.js)$/, '.ts'));
const alias = [
  ...Object.entries(imports).map(([name, target]) => ({ find: name, replacement: source(target.default) })),
  // What the examples import by the package's name.
  ...Object.entries(exports).flatMap(([name, target]) =>
    typeof target === 'string'
      ? []
      : [{ find: new RegExp(`^typetorch${name.slice(1)}$`), replacement: source(target.types) }],
  ),
];

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
