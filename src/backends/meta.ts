// The meta device: shapes and dtypes without elements. Kernels do nothing.
import { meta } from '../device.js';
import { NotImplementedError } from '../errors.js';
import { Storage } from '../storage.js';
import { registerBackend } from './backend.js';

registerBackend({
  type: 'meta',
  allocate: (nbytes) => new Storage(meta, 0, nbytes),
  adopt: (buffer) => new Storage(meta, 0, buffer.byteLength),
  release: () => {},
  pointwise: () => {},
  launch: () => 0,
  result: () => 0,
  read: () => {
    throw new NotImplementedError('Cannot copy out of meta tensor; no data!');
  },
  write: () => {},
});
