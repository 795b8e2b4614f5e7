// Made-up pictures, for trying things.

import { IndexError } from '../../errors.js';
import { get_rng_state, manual_seed, set_rng_state } from '../../generator.js';
import { bind, type Call } from '../../nn/modules/arguments.js';
import { randint, randn } from '../../ops/table.js';
import type { Image } from '../image.js';
import { to_pil_image } from '../transforms/functional.js';
import { type TransformOptions, VisionDataset } from './vision.js';

interface FakeOptions<Sample, Label> extends TransformOptions<Image, Sample, number, Label> {
  /** Number of pictures. */
  size?: number;
  /** `[channels, height, width]`. */
  image_size?: readonly number[];
  num_classes?: number;
  /** Added to the index that seeds a picture. */
  random_offset?: number;
}

type Fn<A, R> = ((x: A) => R) | null;

/** Random pictures with random classes: the same for the same index, and torchvision's. */
export class FakeData<Sample = Image, Label = number> extends VisionDataset<[Sample, Label]> {
  readonly size: number;
  readonly num_classes: number;
  readonly image_size: readonly number[];
  readonly random_offset: number;
  constructor(
    ...args: Call<
      [],
      [
        size: number,
        image_size: readonly number[],
        num_classes: number,
        transform: Fn<Image, Sample>,
        target_transform: Fn<number, Label>,
        random_offset: number,
      ],
      FakeOptions<Sample, Label>
    >
  ) {
    const [size, shape, classes, transform, target_transform, offset] = bind(
      'FakeData',
      'int size=1000, int[] image_size=[3, 224, 224], int num_classes=10, any transform=None, any target_transform=None, int random_offset=0',
      args,
    );
    super('', { transform, target_transform } as object);
    this.size = size as number;
    this.image_size = shape as number[];
    this.num_classes = classes as number;
    this.random_offset = offset as number;
  }
  __getitem__(index: number): [Sample, Label] {
    if (index >= this.size) throw new IndexError(`${this.constructor.name} index out of range`);
    const before = get_rng_state();
    manual_seed(index + this.random_offset);
    const image = randn([...this.image_size]);
    const target = Number(randint(0, this.num_classes, [1]).item());
    set_rng_state(before);
    return this.sample<Sample, Label>(to_pil_image(image), target);
  }
  __len__(): number {
    return this.size;
  }
}
