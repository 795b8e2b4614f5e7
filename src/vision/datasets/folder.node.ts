// Datasets of files in folders: one folder for each class.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError, ValueError } from '../../errors.js';
import { Image } from '../image.js';
import { type TransformOptions, VisionDataset } from './vision.js';

/** Endings of pictures. */
export const IMG_EXTENSIONS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.ppm',
  '.bmp',
  '.pgm',
  '.tif',
  '.tiff',
  '.webp',
];

/** Reads a file as a sample. */
export type Loader<S> = (path: string) => S | Promise<S>;

/** Does a file's name end in one of the given ways? */
export function has_file_allowed_extension(
  filename: string,
  extensions: string | readonly string[],
): boolean {
  const list = typeof extensions === 'string' ? [extensions] : extensions;
  return list.some((ending) => filename.toLowerCase().endsWith(ending));
}
/** Whether a file name ends as those of images do. */
export const is_image_file = (filename: string): boolean =>
  has_file_allowed_extension(filename, IMG_EXTENSIONS);

/** By code units, as Python sorts. */
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The folders of a folder as classes, sorted, with their numbers.
 * @throws Error when there are none.
 */
export function find_classes(directory: string): [classes: string[], class_to_idx: Record<string, number>] {
  const classes = readdirSync(directory)
    .filter((name) => statSync(join(directory, name)).isDirectory())
    .sort(byName);
  if (classes.length === 0) throw new RuntimeError(`Couldn't find any class folder in ${directory}.`);
  return [classes, Object.fromEntries(classes.map((name, i) => [name, i]))];
}

/** All files below a folder, folders in order of their paths. */
function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder).sort(byName);
  const isFolder = entries.map((name) => statSync(join(folder, name)).isDirectory());
  return [
    ...entries.filter((_, i) => !isFolder[i]).map((name) => join(folder, name)),
    ...entries.filter((_, i) => isFolder[i]).flatMap((name) => filesBelow(join(folder, name))),
  ];
}

interface MakeOptions {
  class_to_idx?: Readonly<Record<string, number>> | null;
  extensions?: string | readonly string[] | null;
  is_valid_file?: ((path: string) => boolean) | null;
  allow_empty?: boolean;
}

/**
 * The files of each class with its number.
 * @throws ValueError when both or none of `extensions` and `is_valid_file` are given; RuntimeError for a class without files.
 */
export function make_dataset(directory: string, options: MakeOptions = {}): [path: string, target: number][] {
  const { extensions = null, is_valid_file = null, allow_empty = false } = options;
  const numbers = options.class_to_idx ?? find_classes(directory)[1];
  if ((extensions === null) === (is_valid_file === null))
    throw new ValueError('Both extensions and is_valid_file cannot be None or not None at the same time');
  const valid = is_valid_file ?? ((path: string) => has_file_allowed_extension(path, extensions ?? []));
  const found: [string, number][] = [];
  const empty: string[] = [];
  for (const name of Object.keys(numbers).sort(byName)) {
    const folder = join(directory, name);
    const files = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
      ? filesBelow(folder).filter(valid)
      : [];
    if (files.length === 0) empty.push(name);
    for (const file of files) found.push([file, numbers[name]]);
  }
  if (empty.length > 0 && !allow_empty) {
    const wanted = extensions === null ? '' : ` Supported extensions are: ${[extensions].flat().join(', ')}`;
    throw new RuntimeError(`Found no valid file for the classes ${empty.join(', ')}.${wanted}`);
  }
  return found;
}

/** Options of {@link DatasetFolder}. */
export interface FolderOptions<Raw, Sample, Label> extends TransformOptions<Raw, Sample, number, Label> {
  is_valid_file?: ((path: string) => boolean) | null;
  /** Classes without files are allowed. */
  allow_empty?: boolean;
}

/**
 * Files of any kind in one folder for each class: `root/cat/1.txt`. A sample is `[loaded file, class number]`; `loader` may
 * return a promise.
 * @throws RuntimeError when there are no classes, or one without files.
 */
export class DatasetFolder<Raw = unknown, Sample = Raw, Label = number> extends VisionDataset<
  [Sample, Label]
> {
  /** @internal Samples may be asked for at once: they draw in the order of the calls. */
  static readonly _ordered = true;
  /** Names of the classes, in order. */
  readonly classes: readonly string[];
  readonly class_to_idx: Readonly<Record<string, number>>;
  /** Paths with class numbers. */
  readonly samples: readonly (readonly [path: string, target: number])[];
  readonly targets: readonly number[];

  constructor(
    root: string,
    readonly loader: Loader<Raw>,
    readonly extensions: string | readonly string[] | null = null,
    options: FolderOptions<Raw, Sample, Label> = {},
  ) {
    super(root.startsWith('~') ? root.replace('~', process.env.HOME ?? '~') : root, options as object);
    [this.classes, this.class_to_idx] = this.find_classes(this.root);
    const { is_valid_file = null, allow_empty = false } = options;
    this.samples = make_dataset(this.root, {
      class_to_idx: this.class_to_idx,
      extensions,
      is_valid_file,
      allow_empty,
    });
    this.targets = this.samples.map(([, target]) => target);
  }

  /** The classes of a folder: override for another structure. */
  find_classes(directory: string): [string[], Record<string, number>] {
    return find_classes(directory);
  }

  __getitem__(index: number): [Sample, Label] | Promise<[Sample, Label]> {
    const [path, target] = this.samples.at(index) ?? fail(index);
    const loaded = this.load(path);
    if (!(loaded instanceof Promise)) return this.sample<Sample, Label>(loaded, target);
    // Files are decoded side by side, but transformed in the order of the calls: random draws are then reproducible.
    const before = turns.get(this) ?? Promise.resolve();
    const sample = Promise.all([loaded, before]).then(([image]) => this.sample<Sample, Label>(image, target));
    turns.set(
      this,
      sample.catch(() => {}),
    );
    return sample;
  }
  /** @internal */
  protected load(path: string): Raw | Promise<Raw> {
    return this.loader(path);
  }
  __len__(): number {
    return this.samples.length;
  }
}

/** When the last sample of each dataset that was asked for has been transformed. */
const turns = new WeakMap<object, Promise<unknown>>();

function fail(index: number): never {
  throw new RangeError(`list index out of range: ${index}`);
}

/** Reads a picture as RGB. */
export async function default_loader(path: string): Promise<Image> {
  return (await Image.open(path)).convert('RGB');
}

/** Options of {@link ImageFolder}. */
export interface ImageFolderOptions<Sample, Label> extends FolderOptions<Image, Sample, Label> {
  loader?: Loader<Image>;
}

/**
 * Pictures in one folder for each class: `root/dog/1.jpg`. Samples are promises of `[picture, class number]`, the picture
 * an RGB {@link Image} or what the transform makes of it. With workers, pictures are decoded and transformed in worker
 * threads when the transforms are the library's own; else they are decoded at once in the background.
 */
export class ImageFolder<Sample = Image, Label = number> extends DatasetFolder<Image, Sample, Label> {
  static override readonly module: string = new URL('./worker_classes.js', import.meta.url).href;
  /** @internal Fields that cannot travel to a thread keep the dataset in this one. */
  static readonly _mayStay = true;

  constructor(root: string, options: ImageFolderOptions<Sample, Label> = {}) {
    super(root, options.loader ?? default_loader, options.is_valid_file ? null : IMG_EXTENSIONS, options);
    // The standard loader is a method, so that the dataset can be copied to other threads.
    if (options.loader === undefined) Reflect.deleteProperty(this, 'loader');
  }
  /** The files with their class numbers. */
  get imgs(): readonly (readonly [path: string, target: number])[] {
    return this.samples;
  }
  protected override load(path: string): Image | Promise<Image> {
    return (this.loader ?? default_loader)(path);
  }
}
