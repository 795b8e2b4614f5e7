// Tensors as pictures: files, and outputs of notebooks.
import { openLog } from '#event-files';
import { no_grad } from '../autograd/modes.js';
import { uint8 } from '../dtype.js';
import { ValueError } from '../errors.js';
import { stack } from '../ops/join.js';
import { Tensor } from '../tensor.js';
import type { Pixels } from '../vision/image.js';
import { encodePng } from '../vision/io/png.js';
import { pixelsOf } from './tensorboard/pixels.js';

/** Options of {@link showImage}. */
export interface ShowOptions {
  /** Writes the picture: the ending is .png or .svg. */
  file?: string | null;
  /** The dimensions: 'HW', 'CHW', 'HWC', 'NCHW' …; by default their number tells. */
  dataformats?: string | null;
  /** Stretches the values, so that the smallest is black and the largest white. */
  normalize?: boolean;
  /** Pixels of the picture for one of the tensor, a whole number. */
  scale?: number;
  /** The `display` of the package `tslab`, in its notebooks. */
  display?: { png(bytes: Uint8Array): void } | null;
}

const formats: Readonly<Record<number, string>> = { 2: 'HW', 3: 'CHW', 4: 'NCHW' };

/** A tensor as a picture; {@link showImage} makes it. Deno's notebooks show it as the result of a cell. */
export class Picture {
  constructor(private readonly pixels: Pixels) {}

  get width(): number {
    return this.pixels.width;
  }
  get height(): number {
    return this.pixels.height;
  }
  /** The bytes of a PNG file. */
  toPng(): Uint8Array<ArrayBuffer> {
    return encodePng(this.pixels);
  }
  /** The PNG file as text for `<img src>`. */
  toDataURL(): string {
    return `data:image/png;base64,${base64(this.toPng())}`;
  }
  /** A page of SVG that holds the picture; its pixels stay sharp when it is enlarged. */
  toSvg(): string {
    const size = `width="${this.width}" height="${this.height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${this.width} ${this.height}"><image ${size} style="image-rendering: pixelated" href="${this.toDataURL()}"/></svg>\n`;
  }
  /** Writes a .png or .svg file. @throws ValueError for another ending, RuntimeError in browsers. */
  save(file: string): void {
    const kind = /\.(png|svg)$/i.exec(file)?.[1].toLowerCase();
    if (kind === undefined) throw new ValueError(`${file}: the ending must be .png or .svg`);
    const at = Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\'));
    const out = openLog(at < 0 ? '.' : file.slice(0, at + 1), file.slice(at + 1), true);
    try {
      out.write(kind === 'png' ? this.toPng() : new TextEncoder().encode(this.toSvg()));
    } finally {
      out.close();
    }
  }
  toString(): string {
    return `<Picture ${this.width}x${this.height}>`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
  /** What Deno's notebooks show. */
  [Symbol.for('Jupyter.display')](): Record<string, string> {
    return { 'image/png': base64(this.toPng()), 'text/plain': this.toString() };
  }
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** Values from 0 to 1; of a constant tensor all 0. */
function stretched(x: Tensor): Tensor {
  const values = x.float();
  const [low, high] = [values.min().item(), values.max().item()];
  return values.sub(low).div(high > low ? high - low : 1);
}

function enlarged({ data, width, height, channels }: Pixels, scale: number): Pixels {
  if (!Number.isInteger(scale) || scale < 1)
    throw new ValueError(`scale must be a positive whole number, got ${scale}`);
  if (scale === 1) return { data, width, height, channels };
  const [w, h] = [width * scale, height * scale];
  const out = new Uint8Array(w * h * channels);
  for (let y = 0, to = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
      for (let c = 0; c < channels; c++) out[to++] = data[from + c];
    }
  return { data: out, width: w, height: h, channels };
}

/**
 * Shows a tensor as a picture: values are bytes (uint8), or count from 0 to 1, or `normalize` stretches them; several pictures stand
 * in a grid. What it returns is shown by Deno's notebooks, and by tslab's with `display`; `file` writes it.
 *
 *     const picture = torch.utils.showImage(torch.rand(3, 20, 30), { scale: 4 });
 *     String(picture);
 *     // <Picture 120x80>
 *
 * @param images [H, W], [C, H, W], [N, C, H, W], or a list of pictures of one size; `dataformats` names another order.
 * @throws ValueError for other numbers of dimensions.
 */
export function showImage(images: Tensor | readonly Tensor[], options: ShowOptions = {}): Picture {
  const x = images instanceof Tensor ? images.detach() : stack(images.map((image) => image.detach()));
  // Pictures without channels in a list.
  const tensor = !(images instanceof Tensor) && x.ndim === 3 ? x.unsqueeze(1) : x;
  const dataformats = options.dataformats ?? formats[tensor.ndim];
  if (dataformats === undefined)
    throw new ValueError(`a picture has 2 to 4 dimensions, got shape [${tensor.shape.join(', ')}]`);
  const values = no_grad(() => (options.normalize ? stretched(tensor) : tensor));
  const pixels = pixelsOf(values.dtype === uint8 ? values : values.float(), dataformats);
  const picture = new Picture(enlarged(pixels, options.scale ?? 1));
  if (options.file) picture.save(options.file);
  options.display?.png(picture.toPng());
  return picture;
}
