// torchvision.tv_tensors: tensors that say what they are, for transforms.v2.
import { ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import type { BoxFormat } from './ops/boxes.js';

abstract class TVTensor extends Tensor {
  constructor(x: Tensor) {
    super(x._storage, x.shape, x._strides, x._offset, x.dtype, x._numel, x._contiguous);
  }
}

/** An image [..., C, H, W]. */
export class Image extends TVTensor {
  constructor(data: Tensor) {
    super(data.ndim === 2 ? data.unsqueeze(0) : data);
    if (data.ndim < 2) throw new ValueError('an Image has at least two dimensions');
  }
}

/** A segmentation mask [..., H, W]. */
export class Mask extends TVTensor {}

/** Boxes [N, 4] in an image of size `canvas_size` (height, width). */
export class BoundingBoxes extends TVTensor {
  readonly format: BoxFormat;
  readonly canvas_size: readonly [number, number];
  constructor(
    data: Tensor,
    options: { format: BoxFormat | Uppercase<BoxFormat>; canvas_size: readonly [number, number] },
  ) {
    super(data.ndim === 1 ? data.unsqueeze(0) : data);
    if (data.ndim > 2 || data.shape[data.ndim - 1] !== 4)
      throw new ValueError(`Expected a 1D or 2D tensor of boxes, got shape [${data.shape.join(', ')}]`);
    this.format = options.format.toLowerCase() as BoxFormat;
    this.canvas_size = options.canvas_size;
  }
}

/** A tensor as the kind that another one is. */
export function wrap<T extends Tensor>(
  x: Tensor,
  like: T,
  options: { format?: BoxFormat; canvas_size?: readonly [number, number] } = {},
): T {
  if (like instanceof BoundingBoxes) {
    const { format = like.format, canvas_size = like.canvas_size } = options;
    return new BoundingBoxes(x, { format, canvas_size }) as unknown as T;
  }
  if (like instanceof Mask) return new Mask(x) as unknown as T;
  if (like instanceof Image) return new Image(x) as unknown as T;
  return x as T;
}
