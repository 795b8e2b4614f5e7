// torch.cuda, with torch.cuda.amp.
export * from '../cuda.js';
export * as amp from './cuda_amp.js';
