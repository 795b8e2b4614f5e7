// What PyTorch has both in torch.nn.functional and in torch, by one name and one signature.
export {
  conv_transpose1d,
  conv_transpose2d,
  conv_transpose3d,
  conv1d,
  conv2d,
  conv3d,
} from './conv.js';
