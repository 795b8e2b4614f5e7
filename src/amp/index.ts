// torch.amp
export { autocast, is_autocast_available } from './autocast.js';
export { custom_bwd, custom_fwd } from './custom.js';
export { GradScaler } from './grad_scaler.js';
