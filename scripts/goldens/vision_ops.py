"""Writes test/goldens/vision/ops.json: boxes, RoIAlign, losses and drawings of torchvision.

nms and roi_align are torchvision's own where its library loads; otherwise roi_align is its Python version (samples outside
of the map apart, the same), and nms is checked against the definition in the test.

Run with torchvision 0.28: python scripts/goldens/vision_ops.py
"""
import json
from pathlib import Path

import torch
import torchvision_cpu  # noqa: F401  before torchvision
from torchvision import ops, utils
from torchvision.ops.roi_align import _roi_align

out = Path(__file__).resolve().parents[2] / "test" / "goldens" / "vision" / "ops.json"
g = torch.Generator().manual_seed(0)
a = torch.rand(5, 4, generator=g) * 20
a[:, 2:] += a[:, :2]
b = torch.rand(3, 4, generator=g) * 20
b[:, 2:] += b[:, :2]
golden = {"a": a.tolist(), "b": b.tolist()}
for name in ["box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"]:
    golden[name] = getattr(ops, name)(a, b).tolist()
golden["box_iou xywh"] = ops.box_iou(a, b, fmt="xywh").tolist()
golden["convert"] = {f"{i} {o}": ops.box_convert(a, i, o).tolist() for i in ("xyxy", "xywh", "cxcywh") for o in ("xyxy", "xywh", "cxcywh")}
golden["clip"] = ops.clip_boxes_to_image(a, (15, 18)).tolist()
golden["small"] = ops.remove_small_boxes(a, 9.0).tolist()
masks = torch.zeros(2, 6, 7, dtype=torch.bool)
masks[0, 1:4, 2:6] = True
masks[1, 5, 0] = True
golden["masks"] = ops.masks_to_boxes(masks).tolist()
golden["giou loss"] = ops.generalized_box_iou_loss(a[:3], b, reduction="mean").item()
x = torch.randn(4, 3, generator=g)
y = (torch.rand(4, 3, generator=g) > 0.5).float()
golden["focal"] = {"x": x.tolist(), "y": y.tolist(), "none": ops.sigmoid_focal_loss(x, y).tolist(),
                   "mean": ops.sigmoid_focal_loss(x, y, alpha=-1, gamma=1.5, reduction="mean").item()}

features = torch.randn(2, 3, 9, 11, generator=g)
rois = torch.tensor([[0, 1.0, 2.0, 9.3, 7.7], [1, 0.5, 0.5, 4.0, 3.0], [0, 3.2, 1.1, 3.3, 1.2]])
golden["roi"] = {"features": features.tolist(), "rois": rois.tolist(), "cases": []}
for scale, ratio, aligned in [(1.0, 2, False), (0.5, 3, True), (0.7, -1, True), (1.0, -1, False)]:
    f = features.clone().requires_grad_()
    r = _roi_align.__wrapped__(f, rois, scale, 3, 2, ratio, aligned)
    r.square().sum().backward()
    golden["roi"]["cases"].append({"scale": scale, "ratio": ratio, "aligned": aligned, "out": r.tolist(), "grad": f.grad.tolist()})

images = torch.rand(5, 3, 4, 6, generator=g)
golden["grid"] = {"images": images.tolist(), "plain": utils.make_grid(images, nrow=3).tolist(),
                  "normalised": utils.make_grid(images, nrow=2, padding=1, normalize=True, scale_each=True, pad_value=0.5).tolist(),
                  "grey": utils.make_grid(images[:, :1], normalize=True, value_range=(0.2, 0.7)).tolist()}
canvas = (torch.rand(3, 16, 20, generator=g) * 255).to(torch.uint8)
boxes = torch.tensor([[2, 3, 10, 12], [5, 1, 25, 9], [0, 0, 3, 3]])
golden["draw"] = {"canvas": canvas.tolist(), "boxes": boxes.tolist(),
                  "plain": utils.draw_bounding_boxes(canvas, boxes).tolist(),
                  "wide": utils.draw_bounding_boxes(canvas, boxes, colors=["red", "#00ff80", (1, 2, 3)], width=2).tolist(),
                  "filled": utils.draw_bounding_boxes(canvas, boxes[:1], colors="blue", fill=True).tolist(),
                  "float": utils.draw_bounding_boxes(canvas / 255, boxes, colors="red").sum().item(),
                  }
segments = torch.zeros(2, 16, 20, dtype=torch.bool)
segments[0, 2:8, 3:9] = True
segments[1, 5:12, 5:15] = True
golden["draw"]["masks"] = utils.draw_segmentation_masks(canvas, segments, alpha=0.6).tolist()
out.write_text(json.dumps(golden))
print(out.stat().st_size, "bytes")
