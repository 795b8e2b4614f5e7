// transforms.v2 against torchvision (scripts/goldens/vision_v2.py): images with boxes, masks and labels.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as built from '../dist/index.js';
import * as builtVision from '../dist/vision.js';
import type * as torchSource from '../src/index.js';
import type * as visionSource from '../src/vision/index.js';

const torch = built as unknown as typeof torchSource;
const { transforms, tv_tensors, Image } = builtVision as unknown as typeof visionSource;
const { v2 } = transforms;
type Tensor = torchSource.Tensor;
type Nested = number[] | Nested[];

interface Packed {
  image: Nested;
  boxes: Nested;
  canvas: number[];
  format: string;
  masks: Nested;
  labels: number[];
}
interface Case {
  name: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
  seed: number;
  from: 'xyxy' | 'xywh';
  out: Packed;
}
const golden = JSON.parse(
  gunzipSync(readFileSync(new URL('./goldens/vision/v2.json.gz', import.meta.url))).toString(),
) as {
  image: Nested;
  mask: Nested;
  boxes: Nested;
  labels: number[];
  cases: Case[];
  pipeline: Packed;
  batch: Nested;
  MixUp: { x: Nested; y: Nested };
  CutMix: { x: Nested; y: Nested };
};
const t = (x: Nested): Tensor => torch.tensor(x as never);
const image = t(golden.image).to(torch.uint8);

function sample(from: 'xyxy' | 'xywh' = 'xyxy') {
  const boxes = builtVision.ops.box_convert(t(golden.boxes) as never, 'xyxy', from) as unknown as Tensor;
  return {
    image: new tv_tensors.Image(image),
    target: {
      boxes: new tv_tensors.BoundingBoxes(boxes, { format: from, canvas_size: [20, 30] }),
      masks: new tv_tensors.Mask(t(golden.mask).to(torch.uint8)),
      labels: torch.tensor(golden.labels.map(BigInt)),
    },
  };
}

function check(got: ReturnType<typeof sample>, expected: Packed, tolerance = 0.00001): void {
  const { boxes, masks, labels } = got.target;
  const close = (x: Tensor, y: Nested, bound: number): void => {
    const wanted = torch.tensor(y as never);
    expect(x.shape).toEqual(wanted.shape);
    if (x.numel() > 0) expect(x.to(torch.float32).sub(wanted).abs().max().item()).toBeLessThanOrEqual(bound);
  };
  close(got.image, expected.image, tolerance);
  close(boxes, expected.boxes, 1e-4);
  close(masks, expected.masks, 0);
  expect(labels.tolist()).toEqual(expected.labels);
  expect(boxes.canvas_size).toEqual(expected.canvas);
  expect(boxes.format).toBe(expected.format);
}

type Maker = new (...args: unknown[]) => (x: unknown) => ReturnType<typeof sample>;

describe('samples', () => {
  for (const c of golden.cases)
    it(`${c.name}(${JSON.stringify(c.args)}, ${JSON.stringify(c.kwargs)}) ${c.from} seed ${c.seed}`, () => {
      const positional: Record<string, string[]> = {
        RandomZoomOut: ['fill', 'side_range', 'p'],
        ScaleJitter: ['target_size', 'scale_range', 'interpolation', 'antialias'],
        RandomShortestSize: ['min_size', 'max_size', 'interpolation', 'antialias'],
        RandomResize: ['min_size', 'max_size', 'interpolation', 'antialias'],
      };
      const order = positional[c.name];
      const rest = order
        ? order.slice(c.args.length).map((key) => c.kwargs[key])
        : Object.keys(c.kwargs).length > 0
          ? [c.kwargs]
          : [];
      torch.manual_seed(c.seed);
      const transform = new (v2 as unknown as Record<string, Maker>)[c.name](...c.args, ...rest);
      // Rounding differs by one where torchvision's v2 truncates means to whole numbers.
      check(transform(sample(c.from)), c.out, c.name === 'RandomPhotometricDistort' ? 1 : undefined);
    });
  it('a pipeline of detection', () => {
    torch.manual_seed(2);
    const pipeline = new v2.Compose([
      new v2.RandomIoUCrop(),
      new v2.RandomHorizontalFlip(),
      new v2.SanitizeBoundingBoxes({ labels_getter: (s: ReturnType<typeof sample>) => s.target.labels }),
      new v2.ToDtype(torch.float32, { scale: true }),
    ]);
    check(pipeline(sample()), golden.pipeline);
  });
});

describe('batches', () => {
  const batch = t(golden.batch);
  const ids = torch.tensor([0n, 2n, 1n, 2n]);
  for (const name of ['MixUp', 'CutMix'] as const)
    it(name, () => {
      torch.manual_seed(3);
      const [x, y] = new v2[name]({ alpha: 0.7, num_classes: 3 })(batch, ids);
      expectTypeOf(x).toEqualTypeOf<Tensor>();
      expect(x.sub(t(golden[name].x)).abs().max().item()).toBeLessThan(1e-6);
      expect(y.sub(t(golden[name].y)).abs().max().item()).toBeLessThan(1e-6);
    });
  it('refuse what they cannot mix', () => {
    expect(() => new v2.MixUp()(batch, ids)).toThrow(/num_classes must be passed/);
    expect(() => new v2.CutMix({ num_classes: 3 })(batch.narrow(0, 0, 3), ids)).toThrow(/batch size/);
  });
});

describe('kinds', () => {
  it('pictures become images, plain tensors stay', () => {
    const picture = transforms.functional.to_pil_image(image);
    const pipeline = new v2.Compose([
      new v2.ToImage(),
      new v2.Resize(10),
      new v2.ToDtype(torch.float32, { scale: true }),
      new v2.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    ]);
    const out = pipeline(picture);
    expectTypeOf(out).toEqualTypeOf<visionSource.tv_tensors.Image>();
    expect(out).toBeInstanceOf(tv_tensors.Image);
    expect(out.shape).toEqual([3, 10, 15]);
    expect(new v2.ToPureTensor()(out)).not.toBeInstanceOf(tv_tensors.Image);
    const [flipped, label] = new v2.RandomHorizontalFlip({ p: 1 })(image, torch.tensor([1, 2]));
    expect(flipped.equal(image.flip(-1))).toBe(true);
    expect(label.tolist()).toEqual([1, 2]);
    expect(new v2.RandomHorizontalFlip({ p: 1 })(picture)).toBeInstanceOf(Image);
    expect(() => new v2.RandomRotation(10)(sample())).toThrow(/does not move masks and bounding boxes/);
  });
});
