// MNIST and data sets of its format, from the original files.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
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

/**
 * The MNIST digits. `root` holds the original IDX files (`train-images-idx3-ubyte` and so on, or with `.gz`), either
 * itself or in `MNIST/raw` as torchvision keeps them. A sample is `[image, label]`.
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

  constructor(
    readonly root: string,
    options: MNISTOptions<Image, Label> = {},
  ) {
    super();
    this.train = options.train ?? true;
    this.transform = options.transform ?? null;
    this.target_transform = options.target_transform ?? null;
    const prefix = this.train ? 'train' : 't10k';
    const folder = join('MNIST', 'raw');
    this.data = readIdx(root, folder, `${prefix}-images-idx3-ubyte`);
    this.targets = readIdx(root, folder, `${prefix}-labels-idx1-ubyte`).to(int64);
    if (
      this.data.shape.length !== 3 ||
      this.targets.shape.length !== 1 ||
      this.data.shape[0] !== this.targets.shape[0]
    )
      throw new RuntimeError(
        `${root}: images [${this.data.shape.join(', ')}] and labels [${this.targets.shape.join(', ')}] do not belong together`,
      );
    this.labels = this.targets.tolist() as number[];
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

function readIdx(root: string, folder: string, name: string): Tensor {
  for (const path of [join(root, name), join(root, folder, name)]) {
    if (existsSync(path)) return parseIdx(readFileSync(path), path);
    if (existsSync(`${path}.gz`)) return parseIdx(gunzipSync(readFileSync(`${path}.gz`)), `${path}.gz`);
  }
  throw new RuntimeError(
    `Dataset not found: ${join(root, name)} (or .gz, or under ${folder}) does not exist`,
  );
}
