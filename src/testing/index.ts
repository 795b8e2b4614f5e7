// torch.testing.
export { type AllCloseOptions, assert_allclose, assert_close, type CloseOptions } from './compare.js';
export { type MakeTensorOptions, make_tensor } from './make_tensor.js';
