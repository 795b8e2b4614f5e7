// Tensors as pictures for people: any order of dimensions, floats from 0 to 1 or bytes.
import { no_grad } from '../../autograd/modes.js';
import { uint8 } from '../../dtype.js';
import { AssertionError } from '../../errors.js';
import { cat } from '../../ops/join.js';
import type { Tensor } from '../../tensor.js';
import type { Pixels } from '../../vision/image.js';

/** Images [N, C, H, W] side by side, eight in a row. */
function grid(images: Tensor): Tensor {
  const x = images.shape[1] === 1 ? cat([images, images, images], 1) : images;
  const [n, channels, h, w] = x.shape;
  if (channels !== 3) throw new AssertionError('Input should be a 4D numpy array with 3 channels');
  const columns = Math.min(n, 8);
  const canvas = x.new_zeros([3, h * Math.ceil(n / columns), w * columns]);
  for (let i = 0; i < n; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    canvas
      .narrow(1, row * h, h)
      .narrow(2, column * w, w)
      .copy_(x.select(0, i));
  }
  return canvas;
}

/**
 * A tensor as [H, W, C].
 * @param dataformats a letter for each dimension: N, C, H, W.
 * @throws AssertionError when there is another number of letters than dimensions.
 */
function toHWC(tensor: Tensor, dataformats: string): Tensor {
  if (new Set(dataformats).size !== dataformats.length)
    throw new AssertionError(
      `You can not use the same dimension shorthand twice. input_format: ${dataformats}`,
    );
  if (tensor.ndim !== dataformats.length)
    throw new AssertionError(
      `size of input tensor and input format are different. tensor shape: (${tensor.shape.join(', ')}), input_format: ${dataformats}`,
    );
  const ordered = (letters: string): Tensor =>
    tensor.permute([...letters].map((letter) => dataformats.toUpperCase().indexOf(letter)));
  if (tensor.ndim === 4) return grid(ordered('NCHW')).permute(1, 2, 0);
  const x = tensor.ndim === 2 ? ordered('HW').unsqueeze(2) : ordered('HWC');
  return x.shape[2] === 1 ? cat([x, x, x], 2) : x;
}

/** The pixels of a tensor whose values are bytes, or count from 0 to 1; fractions of a byte are cut off. */
export function pixelsOf(tensor: Tensor, dataformats: string): Pixels {
  return no_grad(() => {
    const x = toHWC(tensor.detach(), dataformats);
    const bytes = x.dtype === uint8 ? x : x.float().mul(255).nan_to_num(0, 255, 0).clamp(0, 255).to(uint8);
    const [height, width, channels] = bytes.shape;
    return { data: bytes.contiguous().toTypedArray() as Uint8Array, width, height, channels };
  });
}
