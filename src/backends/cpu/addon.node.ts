// Loader of the native addon (native/node_api.cc).
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Native } from './native.js';
import { collector, packageRoot } from './process.node.js';

/** The addon's exports: what the CPU back end asks for, and a few things more. */
export interface Addon extends Native {
  readonly implementation: 'addon';
  /** An ArrayBuffer over native memory, which keeps `owner` alive. Throws where the runtime forbids it. */
  view(owner: object, address: number, nbytes: number): ArrayBuffer;
  /** The instruction sets this binary holds that this processor can run. */
  isas(): string[];
  /** `collect(major)` runs a garbage collection. */
  setCollector(collect: (major: boolean) => void): void;
}

const PLATFORM = `${process.platform}-${process.arch}`;

/**
 * The addon, or undefined where there is none.
 * @throws Error where there is one that does not load.
 */
export function loadAddon(): Addon | undefined {
  const require = createRequire(import.meta.url);
  const root = packageRoot(dirname(fileURLToPath(import.meta.url)));
  const prebuilt = join(root, 'prebuilds', PLATFORM, 'typetorch.node');
  const problems: string[] = [];
  for (const id of [prebuilt, `@typetorch/${PLATFORM}`, join(root, 'build', 'Release', 'typetorch.node')]) {
    if (id.endsWith('.node') && !existsSync(id)) continue;
    try {
      const addon = Object.assign(require(id) as Addon, { implementation: 'addon' as const });
      if (collector) addon.setCollector(collector);
      return addon;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND')
        problems.push(`${id}: ${String(error)}`);
    }
  }
  if (problems.length === 0) return undefined;
  throw new Error(
    [
      `typetorch could not load its native addon for ${PLATFORM}:`,
      ...problems,
      `If it was built for another system or Node version, run \`npm run build:native -- --force\` in ${root}.`,
    ].join('\n'),
  );
}
