// torchvision.io: picture files as tensors.
import { uint8 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { tensor } from '../../ops/data.js';
import { Tensor } from '../../tensor.js';
import { Image, type ImageMode } from '../image.js';

/** What channels a picture is read with: as they are, grey, or red, green and blue (with transparency). */
export const ImageReadMode = {
  UNCHANGED: 'UNCHANGED',
  GRAY: 'GRAY',
  RGB: 'RGB',
  RGB_ALPHA: 'RGB_ALPHA',
} as const;
export type ImageReadModeName = keyof typeof ImageReadMode;

const modes: Readonly<Record<ImageReadModeName, ImageMode | null>> = {
  UNCHANGED: null,
  GRAY: 'L',
  RGB: 'RGB',
  RGB_ALPHA: 'RGBA',
};

/** A picture file (a path, its bytes as a uint8 tensor or array, or a Blob) as a uint8 tensor [C, H, W]. */
export async function decode_image(
  input: string | URL | Tensor | Uint8Array | Blob,
  mode: ImageReadModeName = 'UNCHANGED',
): Promise<Tensor> {
  if (!Object.hasOwn(modes, mode)) throw new ValueError(`unknown mode '${String(mode)}'`);
  const bytes = input instanceof Tensor ? (input.contiguous().toTypedArray() as Uint8Array) : input;
  const picture = await Image.open(bytes);
  const wanted = modes[mode];
  const { pixels } = wanted === null ? picture : picture.convert(wanted);
  return pixels.permute(2, 0, 1).contiguous();
}

/** A picture file as a uint8 tensor [C, H, W]. */
export const read_image: typeof decode_image = decode_image;

/** A uint8 tensor [C, H, W] as the bytes of a PNG file, a uint8 tensor. */
export function encode_png(input: Tensor): Tensor {
  return tensor(pictureOf(input).toPng());
}

/** Writes a uint8 tensor [C, H, W] as a PNG file. */
export function write_png(input: Tensor, filename: string | URL): Promise<void> {
  return pictureOf(input).save(filename);
}

function pictureOf(input: Tensor): Image {
  if (input.dtype !== uint8) throw new ValueError(`Input tensor dtype should be uint8, got ${input.dtype}`);
  if (input.ndim !== 3)
    throw new ValueError(`Input data should be a 3-dimensional tensor, got ${input.ndim}D`);
  return new Image(input.permute(1, 2, 0).contiguous());
}
