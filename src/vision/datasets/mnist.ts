// MNIST and data sets of its format, from the original files.
import { readDatasetFile } from '#mnist';
import { int64 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { Dataset } from '../../utils/data/index.js';
import { parseIdx } from './idx.js';

export interface MNISTOptions<Image = Tensor, Label = number> {
  /** The 60,000 training images (default), or the 10,000 test images. */
  train?: boolean;
  /** Applied to each image, a uint8 tensor [28, 28]. */
  transform?: ((image: Tensor) => Image) | null;
  /** Applied to each label. */
  target_transform?: ((label: number) => Label) | null;
  /** Accepted for torchvision's sake; files are only read. */
  download?: boolean;
}

/** The bytes of the two files of a split, inflated. */
export interface MNISTFiles {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * The MNIST digits. `root` holds the original IDX files (`train-images-idx3-ubyte` and so on, or with `.gz`), either
 * itself or in `MNIST/raw` as torchvision keeps them. A sample is `[image, label]`.
 * Where there are no files by name (browsers), `root` is the files' bytes, or `await MNIST.fetch(url)` gets them.
 * @throws RuntimeError when the files are missing or damaged.
 */
export class MNIST<Image = Tensor, Label = number> extends Dataset<[Image, Label]> {
  static readonly classes: readonly string[] = [
    '0 - zero',
    '1 - one',
    '2 - two',
    '3 - three',
    '4 - four',
    '5 - five',
    '6 - six',
    '7 - seven',
    '8 - eight',
    '9 - nine',
  ];
  /** Images, uint8 [n, 28, 28]. */
  readonly data: Tensor;
  /** Labels, int64 [n]. */
  readonly targets: Tensor;
  readonly train: boolean;
  private readonly labels: readonly number[];
  private readonly transform: ((image: Tensor) => Image) | null;
  private readonly target_transform: ((label: number) => Label) | null;

  readonly root: string;

  constructor(root: string | MNISTFiles, options: MNISTOptions<Image, Label> = {}) {
    super();
    this.root = typeof root === 'string' ? root : 'memory';
    this.train = options.train ?? true;
    this.transform = options.transform ?? null;
    this.target_transform = options.target_transform ?? null;
    const [images, labels] = fileNames(this.train);
    const read = (name: string): Uint8Array => readDatasetFile(root as string, name);
    const files = typeof root === 'string' ? { images: read(images), labels: read(labels) } : root;
    this.data = parseIdx(files.images, images);
    this.targets = parseIdx(files.labels, labels).to(int64);
    if (
      this.data.shape.length !== 3 ||
      this.targets.shape.length !== 1 ||
      this.data.shape[0] !== this.targets.shape[0]
    )
      throw new RuntimeError(
        `${this.root}: images [${this.data.shape.join(', ')}] and labels [${this.targets.shape.join(', ')}] do not belong together`,
      );
    this.labels = this.targets.tolist() as number[];
  }

  /**
   * The data set whose files lie at a URL, compressed (`.gz`) or not.
   * @throws RuntimeError when they are not there, or damaged.
   */
  static async fetch<Image = Tensor, Label = number>(
    url: string | URL,
    options: MNISTOptions<Image, Label> = {},
  ): Promise<MNIST<Image, Label>> {
    const [images, labels] = fileNames(options.train ?? true);
    const [imageBytes, labelBytes] = await Promise.all([fetchFile(url, images), fetchFile(url, labels)]);
    return new this({ images: imageBytes, labels: labelBytes }, options);
  }

  __getitem__(index: number): [Image, Label] {
    const image = this.data.select(0, index);
    const label = this.labels[index < 0 ? index + this.labels.length : index];
    // Without a transform, Image and Label are the raw types.
    return [
      (this.transform ? this.transform(image) : image) as Image,
      (this.target_transform ? this.target_transform(label) : label) as Label,
    ];
  }
  __len__(): number {
    return this.labels.length;
  }
  override toString(): string {
    return `Dataset ${this.constructor.name}\n    Number of datapoints: ${this.length}\n    Root location: ${this.root}\n    Split: ${this.train ? 'Train' : 'Test'}`;
  }
}

/** Fashion-MNIST, in the same files. */
export class FashionMNIST<Image = Tensor, Label = number> extends MNIST<Image, Label> {
  static override readonly classes: readonly string[] = [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ];
}

function fileNames(train: boolean): [images: string, labels: string] {
  const prefix = train ? 'train' : 't10k';
  return [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`];
}

/** The inflated bytes of a file that a server may have compressed. */
async function fetchFile(folder: string | URL, name: string): Promise<Uint8Array> {
  const base = String(folder).replace(/\/?$/, '/');
  for (const file of [`${base}${name}.gz`, `${base}${name}`]) {
    const response = await fetch(file);
    if (!response.ok) continue;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
    const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(inflated).arrayBuffer());
  }
  throw new RuntimeError(`Dataset not found: ${base}${name}.gz (or without .gz) does not exist`);
}
