// typetorch/safetensors: tensors in the safetensors format.

export { load_file, save_file } from '#safetensors-file';
export { load, save } from './format.js';
