// typetorch/safetensors: tensors in the safetensors format.
export { load, save } from './format.js';
export { load_file, save_file } from '#safetensors-file';
