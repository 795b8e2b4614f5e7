// Boxes [..., 4], by default as (x1, y1, x2, y2): conversion, areas, overlaps, non-maximum suppression.

import { no_grad } from '../../autograd/modes.js';
import { float32, float64, int32, int64 } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import { tensor } from '../../ops/data.js';
import { cat, stack } from '../../ops/join.js';
import { atan, maximum, minimum, zeros } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';

/** How the four numbers of a box are read. */
export type BoxFormat = 'xyxy' | 'xywh' | 'cxcywh';

const formats: readonly string[] = ['xyxy', 'xywh', 'cxcywh'];

/** A type in which products of coordinates do not overflow. */
function wide(x: Tensor): Tensor {
  if (x.is_floating_point()) return x.dtype === float32 || x.dtype === float64 ? x : x.to(float32);
  return x.dtype === int32 || x.dtype === int64 ? x : x.to(int32);
}

/** The same boxes in another format. @throws ValueError for an unknown one. */
export function box_convert(boxes: Tensor, in_fmt: BoxFormat, out_fmt: BoxFormat): Tensor {
  if (!formats.includes(in_fmt) || !formats.includes(out_fmt))
    throw new ValueError(
      `Unsupported Bounding Box Conversions for given in_fmt ${in_fmt} and out_fmt ${out_fmt}`,
    );
  if (in_fmt === out_fmt) return boxes.clone();
  const [a, b, c, d] = boxes.unbind(-1);
  let corners = [a, b, c, d];
  if (in_fmt === 'xywh') corners = [a, b, a.add(c), b.add(d)];
  else if (in_fmt === 'cxcywh')
    corners = [a.sub(c.mul(0.5)), b.sub(d.mul(0.5)), a.add(c.mul(0.5)), b.add(d.mul(0.5))];
  const [x1, y1, x2, y2] = corners;
  if (out_fmt === 'xyxy') return stack(corners, -1);
  const [w, h] = [x2.sub(x1), y2.sub(y1)];
  return stack(out_fmt === 'xywh' ? [x1, y1, w, h] : [x1.add(x2).div(2), y1.add(y2).div(2), w, h], -1);
}

/** Areas of boxes. */
export function box_area(boxes: Tensor, fmt: BoxFormat = 'xyxy'): Tensor {
  if (!formats.includes(fmt)) throw new ValueError(`Unsupported Bounding Box area for given format ${fmt}`);
  const [a, b, c, d] = wide(boxes).unbind(-1);
  return fmt === 'xyxy' ? c.sub(a).mul(d.sub(b)) : c.mul(d);
}

/** Overlap and union of every box of one list with every box of another: [..., N, M] each. */
function overlaps(boxes1: Tensor, boxes2: Tensor, fmt: BoxFormat): [inter: Tensor, union: Tensor] {
  const [p, q] = [boxes1, boxes2].map((b) => (fmt === 'xyxy' ? b : box_convert(b, fmt, 'xyxy')));
  const [a, b] = [p.unsqueeze(-2), q.unsqueeze(-3)];
  const corner = maximum(a.narrow(-1, 0, 2), b.narrow(-1, 0, 2));
  const other = minimum(a.narrow(-1, 2, 2), b.narrow(-1, 2, 2));
  const [w, h] = wide(other.sub(corner)).clamp(0).unbind(-1);
  const inter = w.mul(h);
  const union = box_area(boxes1, fmt).unsqueeze(-1).add(box_area(boxes2, fmt).unsqueeze(-2)).sub(inter);
  return [inter, union];
}

/** Overlap by union of every pair of boxes: [..., N, M]. */
export function box_iou(boxes1: Tensor, boxes2: Tensor, fmt: BoxFormat = 'xyxy'): Tensor {
  if (!formats.includes(fmt)) throw new ValueError(`Unsupported format '${fmt}'.`);
  const [inter, union] = overlaps(boxes1, boxes2, fmt);
  return inter.div(union);
}

/** Width and height of the box around every pair. */
function around(boxes1: Tensor, boxes2: Tensor): [Tensor, Tensor] {
  const [a, b] = [boxes1.unsqueeze(-2), boxes2.unsqueeze(-3)];
  const low = minimum(a.narrow(-1, 0, 2), b.narrow(-1, 0, 2));
  const high = maximum(a.narrow(-1, 2, 2), b.narrow(-1, 2, 2));
  const [w, h] = wide(high.sub(low)).clamp(0).unbind(-1);
  return [w, h];
}

/** Generalised overlap of every pair of boxes (Rezatofighi et al., 2019). */
export function generalized_box_iou(boxes1: Tensor, boxes2: Tensor): Tensor {
  const [inter, union] = overlaps(boxes1, boxes2, 'xyxy');
  const [w, h] = around(boxes1, boxes2);
  const area = w.mul(h);
  return inter.div(union).sub(area.sub(union).div(area));
}

/** Overlap less the distance of the middles, and the overlap. */
function distanceIou(boxes1: Tensor, boxes2: Tensor, eps: number): [Tensor, Tensor] {
  const iou = box_iou(boxes1, boxes2);
  const [w, h] = around(boxes1, boxes2);
  const diagonal = w.mul(w).add(h.mul(h)).add(eps);
  const middle = (b: Tensor): [Tensor, Tensor] => {
    const [x1, y1, x2, y2] = b.unbind(-1);
    return [x1.add(x2).div(2), y1.add(y2).div(2)];
  };
  const [[xp, yp], [xg, yg]] = [middle(boxes1), middle(boxes2)];
  const dx = wide(xp.unsqueeze(-1).sub(xg.unsqueeze(-2)));
  const dy = wide(yp.unsqueeze(-1).sub(yg.unsqueeze(-2)));
  return [iou.sub(dx.mul(dx).add(dy.mul(dy)).div(diagonal)), iou];
}

/** Overlap less the distance of the middles of every pair (Zheng et al., 2020). */
export function distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps = 1e-7): Tensor {
  return distanceIou(wide(boxes1), wide(boxes2), eps)[0];
}

/** {@link distance_box_iou} less a difference of shapes. */
export function complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps = 1e-7): Tensor {
  const [p, q] = [wide(boxes1), wide(boxes2)];
  const [diou, iou] = distanceIou(p, q, eps);
  const slope = (b: Tensor): Tensor => {
    const [x1, y1, x2, y2] = b.unbind(-1);
    return atan(x2.sub(x1).div(y2.sub(y1)));
  };
  const v = slope(p)
    .unsqueeze(-1)
    .sub(slope(q).unsqueeze(-2))
    .pow(2)
    .mul(4 / Math.PI ** 2);
  const alpha = no_grad(() => v.div(v.sub(iou).add(1 + eps)));
  return diou.sub(alpha.mul(v));
}

/** Indices of boxes whose sides are at least so long. */
export function remove_small_boxes(boxes: Tensor, min_size: number): Tensor {
  const [x1, y1, x2, y2] = boxes.unbind(-1);
  return x2.sub(x1).ge(min_size).logical_and(y2.sub(y1).ge(min_size)).nonzero().squeeze(1);
}

/** Boxes cut off at the borders of an image `[height, width]`. */
export function clip_boxes_to_image(boxes: Tensor, [height, width]: readonly [number, number]): Tensor {
  const [x1, y1, x2, y2] = boxes.unbind(-1);
  return stack([x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)], -1);
}

/** The boxes around masks [N, H, W]: [N, 4]. */
export function masks_to_boxes(masks: Tensor): Tensor {
  if (masks.numel() === 0) return zeros([0, 4], { dtype: float32 });
  const rows = [...masks].map((mask) => {
    const places = mask.nonzero();
    const [y, x] = places.unbind(1);
    return stack([x.min(), y.min(), x.max(), y.max()]).to(float32);
  });
  return stack(rows);
}

/**
 * Non-maximum suppression: indices of the boxes that overlap no better one by more than the threshold, best first.
 * @throws RuntimeError for boxes that are not [N, 4], or a different number of scores.
 */
export function nms(boxes: Tensor, scores: Tensor, iou_threshold: number): Tensor {
  if (boxes.ndim !== 2 || boxes.shape[1] !== 4)
    throw new ValueError(
      `boxes should be a 2d tensor with 4 elements in dimension 1, got shape [${boxes.shape.join(', ')}]`,
    );
  if (scores.ndim !== 1 || scores.shape[0] !== boxes.shape[0])
    throw new ValueError(
      `boxes and scores should have same number of elements in dimension 0, got ${boxes.shape[0]} and ${scores.shape[0]}`,
    );
  const n = boxes.shape[0];
  if (n === 0) return tensor(new BigInt64Array(0));
  const exact = boxes.dtype === float64;
  const round = exact ? (x: number): number => x : Math.fround;
  const b = boxes
    .detach()
    .to(exact ? float64 : float32)
    .contiguous()
    .toTypedArray() as Float64Array | Float32Array;
  const order = scores.detach().argsort({ stable: true, descending: true }).tolist() as number[];
  return tensor(BigInt64Array.from(suppress(b, order, iou_threshold, round), BigInt));
}

function suppress(
  b: ArrayLike<number>,
  order: readonly number[],
  threshold: number,
  round: (x: number) => number,
): number[] {
  const areas = order.map((i) => round(round(b[4 * i + 2] - b[4 * i]) * round(b[4 * i + 3] - b[4 * i + 1])));
  const gone = new Uint8Array(order.length);
  const kept: number[] = [];
  order.forEach((i, at) => {
    if (gone[at]) return;
    kept.push(i);
    for (let other = at + 1; other < order.length; other++) {
      if (gone[other]) continue;
      const j = order[other];
      const w = Math.max(0, round(Math.min(b[4 * i + 2], b[4 * j + 2]) - Math.max(b[4 * i], b[4 * j])));
      const h = Math.max(
        0,
        round(Math.min(b[4 * i + 3], b[4 * j + 3]) - Math.max(b[4 * i + 1], b[4 * j + 1])),
      );
      const inter = round(w * h);
      if (round(inter / round(round(areas[at] + areas[other]) - inter)) > threshold) gone[other] = 1;
    }
  });
  return kept;
}

/** {@link nms} for each class by itself: boxes of different `idxs` do not suppress each other. */
export function batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: number): Tensor {
  if (boxes.numel() === 0) return tensor(new BigInt64Array(0));
  const offsets = idxs.to(boxes.dtype).mul(boxes.max().add(1));
  return nms(boxes.add(offsets.unsqueeze(1)), scores, iou_threshold);
}

/** Rows `[image, x1, y1, x2, y2]` from the boxes of each image. @internal */
export function roiRows(boxes: Tensor | readonly Tensor[]): Tensor {
  if (!Array.isArray(boxes)) {
    const rows = boxes as Tensor;
    if (rows.ndim !== 2 || rows.shape[1] !== 5)
      throw new ValueError('The boxes tensor shape is not correct as Tensor[K, 5]');
    return rows;
  }
  const list = boxes as readonly Tensor[];
  for (const b of list)
    if (b.ndim !== 2 || b.shape[1] !== 4)
      throw new ValueError('The shape of the tensor in the boxes list is not correct as List[Tensor[L, 4]]');
  return cat(list.map((b, i) => cat([b.narrow(1, 0, 1).mul(0).add(i), b], 1)));
}
