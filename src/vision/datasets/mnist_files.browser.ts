// In browsers there are no files by name.
import { RuntimeError } from '../../errors.js';

export function readDatasetFile(root: string, _name: string): Uint8Array {
  throw new RuntimeError(
    `${root}: files cannot be opened by name in this runtime; use await MNIST.fetch(url), or pass their bytes`,
  );
}
