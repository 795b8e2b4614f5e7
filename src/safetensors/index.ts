// typetorch/safetensors: tensors in the safetensors format.
import '../index.js';

export type { Metadata, Tensors } from './format.js';
export {
  AsyncSafeOpen,
  load,
  load_file,
  type OpenOptions,
  type RemoteOptions,
  SafeOpen,
  safe_open,
  safe_open_async,
  save,
  save_file,
} from './open.js';
