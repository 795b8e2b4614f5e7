// Pictures as PIL has them: bytes of a mode, before transforms make tensors of them.
import { decodeImage, encodeImage } from '#images';
import { backendOf } from '../backends/backend.js';
import { cpu } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import { uint8 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { decodePng, encodePng } from './io/png.js';

/** One channel, three, or three with transparency. */
export type ImageMode = 'L' | 'RGB' | 'RGBA';

const channelsOf: Readonly<Record<ImageMode, number>> = { L: 1, RGB: 3, RGBA: 4 };
const modes: Readonly<Record<number, ImageMode>> = { 1: 'L', 3: 'RGB', 4: 'RGBA' };

/** A decoded picture's bytes, row by row. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** A picture: uint8 values [height, width, channels]. The place of Python's `PIL.Image`. */
export class Image {
  readonly mode: ImageMode;
  /** @param pixels uint8 [H, W] or [H, W, C] with 1, 3 or 4 channels. */
  constructor(
    /** The values, uint8 [height, width, channels]. */
    readonly pixels: Tensor,
  ) {
    if (!(pixels instanceof Tensor) || pixels.dtype !== uint8)
      throw new TypeError('an Image is made from a uint8 tensor of shape [height, width, channels]');
    if (pixels.ndim === 2) this.pixels = pixels.unsqueeze(-1);
    const mode = this.pixels.ndim === 3 ? modes[this.pixels.shape[2]] : undefined;
    if (mode === undefined)
      throw new ValueError(
        `an Image has 1, 3 or 4 channels: expected shape [height, width, channels], got [${pixels.shape.join(', ')}]`,
      );
    this.mode = mode;
  }

  get width(): number {
    return this.pixels.shape[1];
  }
  get height(): number {
    return this.pixels.shape[0];
  }
  /** `[width, height]`. */
  get size(): [number, number] {
    return [this.width, this.height];
  }
  /** Names of the channels. */
  getbands(): string[] {
    return [...this.mode];
  }

  /** The bytes of a decoded picture. */
  static fromPixels({ data, width, height, channels }: Pixels): Image {
    const pixels = empty([height, width, channels], uint8, cpu);
    if (data.length !== pixels._numel)
      throw new ValueError(`${data.length} bytes are no picture of ${width} × ${height} × ${channels}`);
    backendOf('cpu').write(pixels, data);
    return new Image(pixels);
  }

  /**
   * Reads a picture: PNG here, other formats (JPEG, WebP, …) by the package `sharp` in Node, by the browser's decoder
   * in browsers.
   * @param file a path (in Node), the file's bytes or a Blob.
   * @throws RuntimeError when it cannot be decoded.
   */
  static async open(file: string | URL | Uint8Array | Blob): Promise<Image> {
    return Image.fromPixels(await decodeImage(file));
  }

  /** The picture of a PNG file's bytes. @throws RuntimeError when they are damaged. */
  static fromPng(bytes: Uint8Array): Image {
    return Image.fromPixels(decodePng(bytes));
  }

  /** The bytes as they lie in memory, row by row. */
  tobytes(): Uint8Array {
    return this.pixels.contiguous().toTypedArray() as Uint8Array;
  }

  /** The picture as a PNG file's bytes. */
  toPng(): Uint8Array<ArrayBuffer> {
    return encodePng({
      data: this.tobytes(),
      width: this.width,
      height: this.height,
      channels: channelsOf[this.mode],
    });
  }

  /** Writes a picture file; the ending names the format (.png here, others by `sharp`). */
  async save(file: string | URL): Promise<void> {
    await encodeImage(
      { data: this.tobytes(), width: this.width, height: this.height, channels: channelsOf[this.mode] },
      file,
    );
  }

  /** The picture in another mode; grey is `(R * 19595 + G * 38470 + B * 7471 + 0x8000) >> 16`, as Pillow's. */
  convert(mode: ImageMode): Image {
    if (mode === this.mode) return this;
    const { pixels } = this;
    if (mode === 'L') return new Image(luma(pixels));
    const grey = this.mode === 'L';
    if (mode === 'RGB')
      return new Image(grey ? pixels.expand(-1, -1, 3).contiguous() : pixels.narrow(2, 0, 3).contiguous());
    const colour = grey ? pixels.expand(-1, -1, 3) : pixels;
    const out = empty([this.height, this.width, 4], uint8, cpu);
    out.narrow(2, 0, 3).copy_(colour);
    out.narrow(2, 3, 1).fill_(255);
    return new Image(out);
  }

  /** What Deno's notebooks show. */
  [Symbol.for('Jupyter.display')](): Record<string, string> {
    const text = String.fromCharCode;
    const png = Array.from(this.toPng(), (byte) => text(byte)).join('');
    return { 'image/png': btoa(png), 'text/plain': this.toString() };
  }

  toString(): string {
    return `<PIL.Image.Image image mode=${this.mode} size=${this.width}x${this.height}>`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Grey values of colours, by ITU-R 601-2 in fixed point. */
function luma(pixels: Tensor): Tensor {
  const bytes = pixels.contiguous().toTypedArray() as Uint8Array;
  const [height, width, channels] = pixels.shape;
  const out = new Uint8Array(height * width);
  for (let i = 0, at = 0; i < out.length; i++, at += channels)
    out[i] = (bytes[at] * 19595 + bytes[at + 1] * 38470 + bytes[at + 2] * 7471 + 0x8000) >> 16;
  const grey = empty([height, width, 1], uint8, cpu);
  backendOf('cpu').write(grey, out);
  return grey;
}
