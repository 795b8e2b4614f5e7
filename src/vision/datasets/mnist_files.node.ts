// Files of data sets, by name.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RuntimeError } from '../../errors.js';

/**
 * The inflated bytes of `root/name`, or of the same under `MNIST/raw`, as it is or as `.gz`.
 * @throws RuntimeError when there is none.
 */
export function readDatasetFile(root: string, name: string): Uint8Array {
  const folder = join('MNIST', 'raw');
  for (const path of [join(root, name), join(root, folder, name)]) {
    if (existsSync(path)) return readFileSync(path);
    if (existsSync(`${path}.gz`)) return gunzipSync(readFileSync(`${path}.gz`));
  }
  throw new RuntimeError(
    `Dataset not found: ${join(root, name)} (or .gz, or under ${folder}) does not exist`,
  );
}
