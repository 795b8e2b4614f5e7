// CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) from the original files: the Python batches or the binary ones.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { backendOf } from '../../backends/backend.js';
import { cpu } from '../../device.js';
import { empty } from '../../dispatch/allocate.js';
import { uint8 } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { type PickleGlobal, Unpickler, UnpicklingError } from '../../serialization/unpickler.js';
import { Converter, PyTuple } from '../../serialization/values.js';
import type { Tensor } from '../../tensor.js';
import { Image } from '../image.js';
import { type TransformOptions, VisionDataset } from './vision.js';

export interface CIFAROptions<Sample, Label> extends TransformOptions<Image, Sample, number, Label> {
  /** The 50,000 training pictures (default), or the 10,000 test pictures. */
  train?: boolean;
  /** Accepted for torchvision's sake; files are only read. */
  download?: boolean;
}

/** Where a variant's files are, and how they are laid out. */
interface Files {
  readonly python: string;
  readonly binary: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** Bytes of labels before each picture of the binary files; the last one counts. */
  readonly labelBytes: number;
  /** Name of the labels in the Python batches. */
  readonly labels: string;
  readonly meta: readonly [file: string, key: string, names: string];
}

const PIXELS = 3 * 32 * 32;

/** What NumPy's arrays of a batch are rebuilt from. */
function numpyGlobal(path: string): PickleGlobal | null {
  const name = path.replace('numpy._core.', 'numpy.core.');
  if (name === 'numpy.core.multiarray._reconstruct') return { path, call: () => new ArrayShell() };
  if (name === '_codecs.encode')
    return {
      path,
      call: (text) => {
        if (typeof text !== 'string') throw new UnpicklingError('_codecs.encode needs a string');
        return Uint8Array.from(text, (c) => c.charCodeAt(0));
      },
    };
  if (name === 'numpy.ndarray' || name === 'numpy.dtype') return { path, call: () => new ArrayShell() };
  return null;
}
class ArrayShell {
  data: Uint8Array | null = null;
}

/** The values of a Python batch: `data`, labels and names. @throws RuntimeError when it is damaged. */
function readBatch(path: string): Map<string, unknown> {
  try {
    const value = new Unpickler(readFileSync(path), {
      global: numpyGlobal,
      encoding: 'latin1',
      build: (target, state) => {
        const items = state instanceof PyTuple ? state.items : [];
        const raw = items[items.length - 1];
        if (target instanceof ArrayShell && typeof raw === 'string')
          target.data = Uint8Array.from(raw, (c) => c.charCodeAt(0));
        else if (target instanceof ArrayShell && raw instanceof Uint8Array) target.data = raw;
        return target;
      },
    }).load();
    const plain = new Converter().convert(value);
    return plain instanceof Map ? (plain as Map<string, unknown>) : new Map(Object.entries(plain as object));
  } catch (error) {
    if (error instanceof UnpicklingError) throw new RuntimeError(`${path}: damaged (${error.message})`);
    throw error;
  }
}

abstract class CIFAR<Sample, Label> extends VisionDataset<[Sample, Label]> {
  /** @internal */
  static readonly _mayStay = true;
  readonly train: boolean;
  /** The pictures, uint8 [n, 32, 32, 3]. */
  readonly data: Tensor;
  readonly targets: readonly number[];
  readonly classes: readonly string[];
  readonly class_to_idx: Readonly<Record<string, number>>;

  constructor(root: string, options: CIFAROptions<Sample, Label>, files: Files) {
    super(root, options as object);
    this.train = options.train ?? true;
    const names = this.train ? files.train : files.test;
    const python = folderWith(root, files.python, names[0]);
    const binary = folderWith(root, files.binary, `${names[0]}.bin`);
    const parts =
      python !== null
        ? names.map((name) => fromPython(join(python, name), files))
        : binary !== null
          ? names.map((name) => fromBinary(join(binary, `${name}.bin`), files.labelBytes))
          : notFound(root, files);
    this.targets = parts.flatMap((p) => p.labels);
    this.data = planesLast(parts.map((p) => p.pixels));
    this.classes = readClasses(python, binary, files);
    this.class_to_idx = Object.fromEntries(this.classes.map((name, i) => [name, i]));
  }
  __getitem__(index: number): [Sample, Label] {
    const at = index < 0 ? index + this.targets.length : index;
    return this.sample<Sample, Label>(new Image(this.data.select(0, at)), this.targets[at]);
  }
  __len__(): number {
    return this.targets.length;
  }
  override extra_repr(): string {
    return `Split: ${this.train ? 'Train' : 'Test'}`;
  }
}

function folderWith(root: string, folder: string, file: string): string | null {
  return [join(root, folder), root].find((path) => existsSync(join(path, file))) ?? null;
}

function notFound(root: string, files: Files): never {
  throw new RuntimeError(
    `Dataset not found: there is neither ${join(root, files.python, files.train[0])} nor ${join(root, files.binary, `${files.train[0]}.bin`)}`,
  );
}

interface Part {
  readonly pixels: Uint8Array;
  readonly labels: number[];
}

function fromPython(path: string, files: Files): Part {
  const batch = readBatch(path);
  const labels = batch.get(files.labels);
  const pixels = (batch.get('data') as ArrayShell | undefined)?.data;
  if (!Array.isArray(labels) || !pixels || pixels.length !== labels.length * PIXELS)
    throw new RuntimeError(`${path}: not a batch of CIFAR`);
  return { pixels, labels: labels as number[] };
}

function fromBinary(path: string, labelBytes: number): Part {
  const bytes = readFileSync(path);
  const record = labelBytes + PIXELS;
  if (bytes.length === 0 || bytes.length % record !== 0)
    throw new RuntimeError(`${path}: not a batch of CIFAR`);
  const n = bytes.length / record;
  const pixels = new Uint8Array(n * PIXELS);
  const labels: number[] = [];
  for (let i = 0; i < n; i++) {
    labels.push(bytes[i * record + labelBytes - 1]);
    pixels.set(bytes.subarray(i * record + labelBytes, (i + 1) * record), i * PIXELS);
  }
  return { pixels, labels };
}

/** Pictures stored plane by plane as [n, 32, 32, 3]. */
function planesLast(parts: readonly Uint8Array[]): Tensor {
  const n = parts.reduce((sum, p) => sum + p.length, 0) / PIXELS;
  const all = empty([n, 3, 32, 32], uint8, cpu);
  let at = 0;
  for (const part of parts) {
    const count = part.length / PIXELS;
    backendOf('cpu').write(all.narrow(0, at, count), part);
    at += count;
  }
  return all.permute(0, 2, 3, 1).contiguous();
}

function readClasses(python: string | null, binary: string | null, files: Files): string[] {
  const [file, key, names] = files.meta;
  if (python !== null && existsSync(join(python, file)))
    return readBatch(join(python, file)).get(key) as string[];
  if (binary !== null && existsSync(join(binary, names)))
    return readFileSync(join(binary, names), 'utf8').trim().split(/\s+/);
  return [];
}

const cifar10: Files = {
  python: 'cifar-10-batches-py',
  binary: 'cifar-10-batches-bin',
  train: ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5'],
  test: ['test_batch'],
  labelBytes: 1,
  labels: 'labels',
  meta: ['batches.meta', 'label_names', 'batches.meta.txt'],
};
const cifar100: Files = {
  python: 'cifar-100-python',
  binary: 'cifar-100-binary',
  train: ['train'],
  test: ['test'],
  labelBytes: 2,
  labels: 'fine_labels',
  meta: ['meta', 'fine_label_names', 'fine_label_names.txt'],
};

/**
 * 32 × 32 colour pictures of ten classes. `root` holds `cifar-10-batches-py` (or `-bin`) as the archives unpack. A sample is
 * `[picture, label]`, the picture an {@link Image} or what the transform makes of it.
 * @throws RuntimeError when the files are missing or damaged.
 */
export class CIFAR10<Sample = Image, Label = number> extends CIFAR<Sample, Label> {
  static override readonly module: string = new URL('./worker_classes.js', import.meta.url).href;
  constructor(root: string, options: CIFAROptions<Sample, Label> = {}) {
    super(root, options, cifar10);
  }
}

/** 32 × 32 colour pictures of a hundred classes, in `cifar-100-python` or `cifar-100-binary`. */
export class CIFAR100<Sample = Image, Label = number> extends CIFAR<Sample, Label> {
  static override readonly module: string = new URL('./worker_classes.js', import.meta.url).href;
  constructor(root: string, options: CIFAROptions<Sample, Label> = {}) {
    super(root, options, cifar100);
  }
}
