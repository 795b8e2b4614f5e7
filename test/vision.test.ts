// Transforms, pictures and image datasets against torchvision (scripts/goldens/vision.py).
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import * as built from '../dist/index.js';
import * as builtVision from '../dist/vision.js';
import type * as torchSource from '../src/index.js';
import type * as visionSource from '../src/vision/index.js';

// Worker threads run the build, and so do these tests; the types are those of the source.
const torch = built as unknown as typeof torchSource;
const { datasets, Image, io, transforms } = builtVision as unknown as typeof visionSource;
type Tensor = torchSource.Tensor;

const { DataLoader } = torch.utils.data;
const F = transforms.functional;

interface Packed {
  dtype: 'uint8' | 'float32';
  shape: number[];
  data: string;
}
interface Record_ {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  seed: number;
  text?: string;
  tensor?: Packed;
  pil?: Packed;
  float?: Packed;
}
const golden = JSON.parse(
  gunzipSync(readFileSync(new URL('./goldens/vision/transforms.json.gz', import.meta.url))).toString(),
) as { picture: Packed; photo: Packed; records: Record_[] };

function unpack({ dtype, shape, data }: Packed): Tensor {
  const bytes = Buffer.from(data, 'base64');
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const values = dtype === 'uint8' ? new Uint8Array(buffer) : new Float32Array(buffer);
  return torch.tensor(values).view(shape);
}

const picture = unpack(golden.picture);
const image = F.to_pil_image(picture);

type AnyTransform = (x: unknown) => unknown;
const make = ({ name, args, kwargs }: Record_): AnyTransform => {
  const type = (transforms as unknown as Record<string, new (...args: unknown[]) => AnyTransform>)[name];
  return new type(...args, ...(Object.keys(kwargs).length > 0 ? [kwargs] : []));
};

/** Tensor bytes resized in single precision may round to the neighbour where they lie on the edge. */
const nearly = new Set(['Resize', 'RandomResizedCrop']);

describe('transforms', () => {
  for (const record of golden.records) {
    const title = `${record.name}(${JSON.stringify(record.args)}, ${JSON.stringify(record.kwargs)}) seed ${record.seed}`;
    it(title, () => {
      for (const kind of ['tensor', 'pil', 'float'] as const) {
        const packed = record[kind];
        if (!packed) continue;
        torch.manual_seed(record.seed);
        const input = { tensor: picture, pil: image, float: picture.to(torch.float32).div(255) }[kind];
        const result = make(record)(input);
        const values = result instanceof Image ? F.pil_to_tensor(result) : (result as Tensor);
        const expected = unpack(packed);
        expect(values.shape, kind).toEqual(expected.shape);
        const difference = values.to(torch.float32).sub(expected.to(torch.float32)).abs();
        if (kind === 'tensor' && nearly.has(record.name)) {
          expect(difference.max().item()).toBeLessThanOrEqual(1);
          expect(difference.gt(0).sum().item()).toBeLessThanOrEqual(0.005 * values.numel());
        } else expect(difference.max().item(), kind).toBeLessThanOrEqual(kind === 'float' ? 1e-5 : 0);
      }
    });
  }
  it('print as torchvision’s', () => {
    const same = golden.records.filter((r) => r.text !== undefined && !/=\[\d|=\[0\.|seed/.test(r.text));
    for (const record of same) expect(String(make(record))).toBe(record.text);
    expect(String(new transforms.Compose([new transforms.ToTensor(), new transforms.CenterCrop(3)]))).toBe(
      'Compose(\n    ToTensor()\n    CenterCrop(size=(3, 3))\n)',
    );
  });
  it('errors', () => {
    expect(() => new transforms.RandomCrop(50)(picture)).toThrow(
      'Required crop size (50, 50) is larger than input image size (23, 29)',
    );
    expect(() => new transforms.Normalize([0], [0])).toThrow(/std evaluated to zero/);
    expect(() => new transforms.ColorJitter({ hue: 0.6 })).toThrow(/hue values should be between/);
    expect(() => new transforms.Resize(10, { max_size: 9 })(picture)).toThrow(/must be strictly greater/);
  });
  it('are typed from their members', () => {
    const pipeline = new transforms.Compose([
      new transforms.Resize(8),
      new transforms.RandomHorizontalFlip(),
      new transforms.ToTensor(),
      new transforms.Normalize([0.5], [0.5]),
    ]);
    expectTypeOf(pipeline(image)).toEqualTypeOf<Tensor>();
    expectTypeOf(
      new transforms.Compose([new transforms.ToTensor(), (x: Tensor) => x.sum().item()])(image),
    ).toBeNumber();
    const kept = new transforms.RandomCrop(4)(image);
    expectTypeOf(kept).toEqualTypeOf<visionSource.Image>();
    expect(kept.size).toEqual([4, 4]);
  });
});

describe('pictures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'typetorch-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const photo = new URL('./goldens/vision/photo.jpg', import.meta.url).pathname;

  it('PNG round trip, by hand and by sharp', async () => {
    for (const mode of ['L', 'RGB', 'RGBA'] as const) {
      const converted = image.convert(mode);
      const back = Image.fromPng(converted.toPng());
      expect([back.mode, back.size]).toEqual([mode, [29, 23]]);
      expect(back.pixels.equal(converted.pixels)).toBe(true);
      const { default: sharp } = await import('sharp');
      const { data } = await sharp(converted.toPng())
        .toColourspace(mode === 'L' ? 'b-w' : 'srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(Buffer.from(converted.tobytes()).equals(data)).toBe(true);
    }
    const png = image.toPng();
    expect(() => Image.fromPng(png.subarray(0, 100))).toThrow(/not a valid PNG file/);
    png[60] ^= 1;
    expect(() => Image.fromPng(png)).toThrow(/CRC-32 check/);
  });
  it('read_image and write_png', async () => {
    const grey = await io.read_image(photo, 'GRAY');
    expect(grey.shape).toEqual([1, 90, 120]);
    expect(grey.equal(F.pil_to_tensor((await Image.open(photo)).convert('L')))).toBe(true);
    await io.write_png(picture, join(folder, 'x.png'));
    expect((await io.decode_image(readFileSync(join(folder, 'x.png')))).equal(picture)).toBe(true);
    expect((await io.decode_image(io.encode_png(picture), 'RGB_ALPHA')).shape).toEqual([4, 23, 29]);
  });
  it('JPEG as Pillow decodes it', async () => {
    const decoded = await Image.open(photo);
    const difference = F.pil_to_tensor(decoded)
      .to(torch.float32)
      .sub(unpack(golden.photo).to(torch.float32))
      .abs();
    expect(difference.max().item()).toBeLessThanOrEqual(1);
    expect(difference.mean().item()).toBeLessThan(0.01);
    await decoded.save(join(folder, 'copy.webp'));
    expect((await Image.open(join(folder, 'copy.webp'))).size).toEqual([120, 90]);
    writeFileSync(join(folder, 'bad.jpg'), 'no picture');
    await expect(Image.open(join(folder, 'bad.jpg'))).rejects.toThrow(/cannot identify image file/);
  });
});

describe('datasets', () => {
  const root = mkdtempSync(join(tmpdir(), 'typetorch-'));
  afterAll(() => rmSync(root, { recursive: true }));
  const photo = readFileSync(new URL('./goldens/vision/photo.jpg', import.meta.url));
  beforeAll(() => {
    for (const [name, count] of [
      ['dog', 5],
      ['cat', 4],
    ] as const) {
      mkdirSync(join(root, 'pictures', name, 'more'), { recursive: true });
      for (let i = 0; i < count; i++) writeFileSync(join(root, 'pictures', name, `${i}.jpg`), photo);
      writeFileSync(join(root, 'pictures', name, 'more', 'x.PNG'), image.toPng());
      writeFileSync(join(root, 'pictures', name, 'notes.txt'), 'no picture');
    }
  });
  const transform = new transforms.Compose([
    new transforms.RandomResizedCrop(16),
    new transforms.ToTensor(),
    new transforms.Normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2]),
  ]);

  it('ImageFolder', async () => {
    const data = new datasets.ImageFolder(join(root, 'pictures'));
    expect(data.classes).toEqual(['cat', 'dog']);
    expect(data.class_to_idx).toEqual({ cat: 0, dog: 1 });
    expect(data.length).toBe(11);
    expect(data.samples[4]).toEqual([join(root, 'pictures', 'cat', 'more', 'x.PNG'), 0]);
    const [first, label] = await data.__getitem__(0);
    expect([String(first), label]).toEqual(['<PIL.Image.Image image mode=RGB size=120x90>', 0]);
    expect(String(data)).toBe(
      `Dataset ImageFolder\n    Number of datapoints: 11\n    Root location: ${join(root, 'pictures')}`,
    );
    expect(() => new datasets.ImageFolder(root)).not.toThrow();
    mkdirSync(join(root, 'pictures', 'empty'));
    expect(() => new datasets.ImageFolder(join(root, 'pictures'))).toThrow(
      /Found no valid file for the classes empty\. Supported extensions are: \.jpg/,
    );
    rmSync(join(root, 'pictures', 'empty'), { recursive: true });
  });
  it('ImageFolder in batches: in this thread, in the background and in worker threads', async () => {
    const data = new datasets.ImageFolder(join(root, 'pictures'), { transform });
    const own = new datasets.ImageFolder(join(root, 'pictures'), {
      transform: (x) => transform(x).add(1),
    });
    for (const [dataset, num_workers] of [
      [data, 0],
      [own, 3],
      [data, 2],
    ] as const) {
      torch.manual_seed(3);
      let seen = 0;
      for await (const [x, y] of new DataLoader(dataset, { batch_size: 4, num_workers })) {
        expectTypeOf(x).toEqualTypeOf<Tensor>();
        expect(x.shape.slice(1)).toEqual([3, 16, 16]);
        expect(y.dtype).toBe(torch.int64);
        seen += x.shape[0];
      }
      expect(seen).toBe(11);
    }
  });
  it('DatasetFolder with a loader of the user’s', () => {
    const data = new datasets.DatasetFolder(
      join(root, 'pictures'),
      (path) => readFileSync(path, 'utf8').length,
      '.txt',
      { transform: (n) => n * 2 },
    );
    expect(data.__getitem__(1)).toEqual([20, 1]);
  });
  it('CIFAR-10 and CIFAR-100 from binary files', () => {
    const record = (labels: number[], value: number): Uint8Array =>
      Uint8Array.from([
        ...labels,
        ...new Array<number>(1024).fill(value),
        ...new Array<number>(2048).fill(7),
      ]);
    const ten = join(root, 'cifar-10-batches-bin');
    mkdirSync(ten);
    writeFileSync(join(ten, 'test_batch.bin'), Buffer.concat([record([3], 1), record([5], 2)]));
    writeFileSync(join(ten, 'batches.meta.txt'), 'airplane\nautomobile\nbird\n');
    const data = new datasets.CIFAR10(root, { train: false, transform: new transforms.ToTensor() });
    expect(data.targets).toEqual([3, 5]);
    expect(data.classes).toEqual(['airplane', 'automobile', 'bird']);
    const [x, label] = data.__getitem__(1);
    expect([x.shape, label]).toEqual([[3, 32, 32], 5]);
    expect(x.mul(255).round().amax([1, 2]).tolist()).toEqual([2, 7, 7]);
    const hundred = join(root, 'cifar-100-binary');
    mkdirSync(hundred);
    writeFileSync(join(hundred, 'train.bin'), record([3, 77], 1));
    expect(new datasets.CIFAR100(root).targets).toEqual([77]);
    expect(() => new datasets.CIFAR10(join(root, 'none'))).toThrow(/Dataset not found/);
  });
  it('CIFAR-10 from the original pickles', () => {
    const data = new datasets.CIFAR10(new URL('./goldens/vision', import.meta.url).pathname, {
      train: false,
    });
    expect(data.targets).toEqual([3, 4, 5]);
    expect(data.data.shape).toEqual([3, 32, 32, 3]);
    expect(data.data.at(1, 0, 0).tolist()).toEqual([72, 184, 46]);
    expect(data.data.to(torch.int64).sum().item()).toBe(1174463);
    expect(String(data.__getitem__(2)[0])).toBe('<PIL.Image.Image image mode=RGB size=32x32>');
  });
  it('FakeData is torchvision’s', () => {
    const data = new datasets.FakeData({ size: 3, image_size: [3, 4, 4], num_classes: 10 });
    const [x, label] = data.__getitem__(1);
    expect(label).toBe(fake.label);
    expect(F.pil_to_tensor(x)[0].tolist()).toEqual(fake.plane);
    expect(() => data.__getitem__(3)).toThrow('FakeData index out of range');
  });
});

// torchvision.datasets.FakeData(3, (3, 4, 4), 10)[1]
const fake = {
  label: 1,
  plane: [
    [123, 65, 90, 102],
    [231, 101, 7, 102],
    [75, 77, 58, 192],
    [200, 174, 58, 119],
  ],
};
