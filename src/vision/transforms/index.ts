// torchvision.transforms: functions of images, as callable objects.
import { float32, uint8 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { Module } from '../../nn/index.js';
import { tensor } from '../../ops/data.js';
import { Tensor } from '../../tensor.js';

/** An image transform: called with the image. */
export type Transform = (image: never) => unknown;

/** Transforms one after another. */
export class Compose extends Module {
  readonly transforms: readonly Transform[];
  constructor(transforms: readonly Transform[]) {
    super();
    this.transforms = transforms;
  }
  forward(image: unknown): unknown {
    let x = image;
    for (const transform of this.transforms) x = (transform as (x: unknown) => unknown)(x);
    return x;
  }
  override toString(): string {
    return `Compose(\n${this.transforms.map((t) => `    ${String(t)}\n`).join('')})`;
  }
}

/** A uint8 image [H, W] or [H, W, C] with values to 255 as a float tensor [C, H, W] with values to 1. */
export class ToTensor extends Module {
  forward(image: Tensor): Tensor {
    if (!(image instanceof Tensor))
      throw new TypeError(`pic should be PIL Image or ndarray. Got ${typeof image}`);
    if (image.shape.length !== 2 && image.shape.length !== 3)
      throw new ValueError(`pic should be 2/3 dimensional. Got ${image.shape.length} dimensions.`);
    const planes = image.shape.length === 2 ? image.unsqueeze(0) : image.permute(2, 0, 1);
    return planes.dtype === uint8 ? planes.to(float32).div_(255) : planes;
  }
}

/** `(x - mean) / std` for each channel of a float image [..., C, H, W]. */
export class Normalize extends Module {
  private readonly shift: Tensor;
  private readonly scale: Tensor;
  constructor(
    readonly mean: readonly number[],
    readonly std: readonly number[],
    readonly inplace = false,
  ) {
    super();
    if (std.some((s) => s === 0))
      throw new ValueError(
        'std evaluated to zero after conversion to torch.float32, leading to division by zero.',
      );
    this.shift = tensor(mean as number[]).view([-1, 1, 1]);
    this.scale = tensor(std as number[]).view([-1, 1, 1]);
  }
  forward(image: Tensor): Tensor {
    if (!image.is_floating_point())
      throw new TypeError(`Input tensor should be a float tensor. Got ${image.dtype}.`);
    if (image.shape.length < 3)
      throw new ValueError(
        `Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = torch.Size([${image.shape.join(', ')}])`,
      );
    return this.inplace ? image.sub_(this.shift).div_(this.scale) : image.sub(this.shift).div_(this.scale);
  }
  override toString(): string {
    return `Normalize(mean=[${this.mean.join(', ')}], std=[${this.std.join(', ')}])`;
  }
}

/** A user's function as a transform. */
export class Lambda extends Module {
  constructor(readonly lambd: (x: never) => unknown) {
    super();
  }
  forward(x: unknown): unknown {
    return (this.lambd as (x: unknown) => unknown)(x);
  }
  override toString(): string {
    return 'Lambda()';
  }
}
