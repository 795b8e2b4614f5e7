// torch.fft.
export { fftfreq, fftshift, ifftshift, rfftfreq } from './frequencies.js';
export * from './grids.js';
export * from './lines.js';
