// Boxes, RoIAlign, losses, grids and drawings against torchvision (scripts/goldens/vision_ops.py).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as built from '../dist/index.js';
import * as builtVision from '../dist/vision.js';
import type * as torchSource from '../src/index.js';
import type * as visionSource from '../src/vision/index.js';

const torch = built as unknown as typeof torchSource;
const { ops, utils, Image } = builtVision as unknown as typeof visionSource;
type Tensor = torchSource.Tensor;
type Nested = number[] | Nested[];

const golden = JSON.parse(readFileSync(new URL('./goldens/vision/ops.json', import.meta.url), 'utf8'));
const t = (x: Nested): Tensor => torch.tensor(x as never);
const bytes = (x: Nested): Tensor => t(x).to(torch.uint8);
const [a, b] = [t(golden.a), t(golden.b)];

function close(x: Tensor, expected: Nested, tolerance = 1e-5): void {
  const y = torch.tensor(expected as never);
  expect(x.shape).toEqual(y.shape);
  const bound = y.abs().max().item() * tolerance + tolerance;
  expect(x.detach().to(torch.float32).sub(y).abs().max().item()).toBeLessThanOrEqual(bound);
}

describe('boxes', () => {
  it('overlaps', () => {
    close(ops.box_iou(a, b), golden.box_iou);
    close(ops.box_iou(a, b, 'xywh'), golden['box_iou xywh']);
    close(ops.generalized_box_iou(a, b), golden.generalized_box_iou);
    close(ops.distance_box_iou(a, b), golden.distance_box_iou);
    close(ops.complete_box_iou(a, b), golden.complete_box_iou);
  });
  it('formats, borders, masks', () => {
    for (const [key, expected] of Object.entries(golden.convert)) {
      const [from, to] = key.split(' ') as ['xyxy', 'xywh'];
      close(ops.box_convert(a, from, to), expected as Nested);
    }
    close(ops.clip_boxes_to_image(a, [15, 18]), golden.clip);
    expect(ops.remove_small_boxes(a, 9).tolist()).toEqual(golden.small);
    const masks = torch.zeros(2, 6, 7, { dtype: torch.bool });
    masks.at(0, '1:4', '2:6').fill_(true);
    masks.at(1, 5, 0).fill_(true);
    expect(ops.masks_to_boxes(masks).tolist()).toEqual(golden.masks);
    expect(() => ops.box_convert(a, 'xyz' as 'xyxy', 'xyxy')).toThrow(/Unsupported Bounding Box Conversions/);
  });
  it('non-maximum suppression, by its definition', () => {
    const g = new torch.Generator().manual_seed(5);
    const boxes = torch.rand(60, 4, { generator: g }).mul(20);
    boxes.narrow(1, 2, 2).add_(boxes.narrow(1, 0, 2));
    const scores = torch.rand(60, { generator: g });
    const kept = ops.nms(boxes, scores, 0.4).tolist() as number[];
    const iou = ops.box_iou(boxes, boxes).tolist() as number[][];
    const order = scores.argsort({ descending: true }).tolist() as number[];
    const expected: number[] = [];
    for (const i of order) if (expected.every((j) => iou[i][j] <= 0.4)) expected.push(i);
    expect(kept).toEqual(expected);
    expect(kept.length).toBeLessThan(60);
    const classes = torch.arange(60).remainder(3);
    const each = [0, 1, 2].flatMap((c) => {
      const of = classes.eq(c).nonzero().squeeze(1);
      return (ops.nms(boxes.index_select(0, of), scores.index_select(0, of), 0.4).tolist() as number[]).map(
        (i) => (of.tolist() as number[])[i],
      );
    });
    expect((ops.batched_nms(boxes, scores, classes, 0.4).tolist() as number[]).sort()).toEqual(each.sort());
    expect(ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist()).toEqual([]);
  });
  it('losses', () => {
    expect(ops.generalized_box_iou_loss(a.narrow(0, 0, 3), b, 'mean').item()).toBeCloseTo(
      golden['giou loss'],
      5,
    );
    const { x, y, none, mean } = golden.focal;
    close(ops.sigmoid_focal_loss(t(x), t(y)), none);
    expect(ops.sigmoid_focal_loss(t(x), t(y), -1, 1.5, 'mean').item()).toBeCloseTo(mean, 5);
  });
});

describe('roi_align', () => {
  const { features, rois, cases } = golden.roi;
  for (const { scale, ratio, aligned, out, grad } of cases)
    it(`scale ${scale}, ratio ${ratio}, aligned ${aligned}`, () => {
      const x = t(features).requires_grad_();
      const y = ops.roi_align(x, t(rois), [3, 2], { spatial_scale: scale, sampling_ratio: ratio, aligned });
      close(y, out);
      y.square().sum().backward();
      close(x.grad as Tensor, grad, 1e-4);
    });
  it('boxes by image', () => {
    const x = t(features);
    const list = [t([[1, 2, 9.3, 7.7]]), t([[0.5, 0.5, 4, 3]])];
    const rows = t([
      [0, 1, 2, 9.3, 7.7],
      [1, 0.5, 0.5, 4, 3],
    ]);
    expect(ops.roi_align(x, list, 4).equal(ops.roi_align(x, rows, 4))).toBe(true);
    expect(() => ops.roi_align(x, a, 4)).toThrow('The boxes tensor shape is not correct as Tensor[K, 5]');
  });
});

describe('utils', () => {
  const images = t(golden.grid.images);
  it('make_grid', () => {
    close(utils.make_grid(images, { nrow: 3 }), golden.grid.plain);
    const options = { nrow: 2, padding: 1, normalize: true, scale_each: true, pad_value: 0.5 };
    close(utils.make_grid(images, options), golden.grid.normalised);
    close(
      utils.make_grid(images.narrow(1, 0, 1), { normalize: true, value_range: [0.2, 0.7] }),
      golden.grid.grey,
    );
    expect(utils.make_grid([...images]).equal(utils.make_grid(images))).toBe(true);
  });
  it('save_image', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'typetorch-'));
    const file = join(folder, 'grid.png');
    utils.save_image(images, file, { nrow: 3 });
    const picture = Image.fromPng(readFileSync(file));
    expect(picture.size).toEqual([26, 14]);
    await utils.save_image(images, join(folder, 'grid.jpg'));
    expect((await Image.open(join(folder, 'grid.jpg'))).size).toEqual([42, 8]);
    rmSync(folder, { recursive: true });
  });
  it('draw_bounding_boxes', () => {
    const { canvas, boxes, plain, wide, filled, float } = golden.draw;
    const [image, list] = [bytes(canvas), t(boxes)];
    expect(utils.draw_bounding_boxes(image, list).tolist()).toEqual(plain);
    const colors = ['red', '#00ff80', [1, 2, 3]];
    expect(utils.draw_bounding_boxes(image, list, { colors, width: 2 }).tolist()).toEqual(wide);
    const one = list.narrow(0, 0, 1);
    expect(utils.draw_bounding_boxes(image, one, { colors: 'blue', fill: true }).tolist()).toEqual(filled);
    const values = utils.draw_bounding_boxes(image.to(torch.float32).div(255), list, { colors: 'red' });
    expect(values.sum().item() / float).toBeCloseTo(1, 5);
    expect(() => utils.draw_bounding_boxes(image, t([[5, 5, 1, 1]]))).toThrow(/xmin, ymin, xmax, ymax/);
  });
  it('draw_segmentation_masks', () => {
    const segments = torch.zeros(2, 16, 20, { dtype: torch.bool });
    segments.at(0, '2:8', '3:9').fill_(true);
    segments.at(1, '5:12', '5:15').fill_(true);
    const drawn = utils.draw_segmentation_masks(bytes(golden.draw.canvas), segments, { alpha: 0.6 });
    expect(drawn.tolist()).toEqual(golden.draw.masks);
  });
});
