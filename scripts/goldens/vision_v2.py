"""Writes test/goldens/vision/v2.json.gz: what torchvision's transforms.v2 make of an image with boxes, masks and labels.

Run with torchvision 0.28: python scripts/goldens/vision_v2.py
"""
import gzip
import json
import warnings
from pathlib import Path

import torch
import torchvision_cpu  # noqa: F401  before torchvision
from torchvision import tv_tensors
from torchvision.transforms import v2

warnings.filterwarnings("ignore")
out = Path(__file__).resolve().parents[2] / "test" / "goldens" / "vision" / "v2.json.gz"
g = torch.Generator().manual_seed(0)
image = (torch.rand(3, 20, 30, generator=g) * 255).to(torch.uint8)
mask = (torch.rand(3, 20, 30, generator=g) > 0.6).to(torch.uint8)
boxes = torch.tensor([[2.0, 3, 12, 15], [10, 0, 29, 9], [20, 12, 24, 19]])
labels = torch.tensor([1, 2, 3])

# name, arguments, keywords, seeds
cases = [
    ("RandomHorizontalFlip", [], {"p": 1.0}, [0]), ("RandomVerticalFlip", [], {"p": 1.0}, [0]),
    ("RandomHorizontalFlip", [], {}, [0, 1, 2]), ("Resize", [10], {"interpolation": "nearest"}, [0]),
    ("Resize", [[40, 25]], {"interpolation": "nearest"}, [0]), ("CenterCrop", [[9, 14]], {}, [0]), ("Pad", [[1, 2, 3, 4]], {}, [0]),
    ("RandomCrop", [[8, 11]], {}, [0, 1]), ("RandomCrop", [[22, 26]], {"padding": 2}, [0]), ("RandomCrop", [[25, 10]], {"pad_if_needed": True}, [0]),
    ("RandomResizedCrop", [[12, 12]], {"interpolation": "nearest"}, [0, 1]), ("RandomZoomOut", [], {"p": 1.0}, [0, 1]),
    ("RandomIoUCrop", [], {}, [0, 1, 2, 3, 4, 5]), ("ScaleJitter", [[16, 16]], {"interpolation": "nearest"}, [0, 1]),
    ("RandomShortestSize", [[8, 10, 12]], {"max_size": 17, "interpolation": "nearest"}, [0, 1, 2]),
    ("RandomResize", [8, 15], {"interpolation": "nearest"}, [0]), ("RandomPhotometricDistort", [], {}, [0, 1, 2, 3]),
    ("ColorJitter", [], {"brightness": 0.4, "saturation": 0.3}, [0]), ("RandomGrayscale", [], {"p": 1.0}, [0]),
    ("ClampBoundingBoxes", [], {}, [0]), ("ConvertBoundingBoxFormat", ["CXCYWH"], {}, [0]),
]


def sample(fmt="XYXY"):
    b = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(20, 30))
    if fmt != "XYXY":
        b = v2.functional.convert_bounding_box_format(b, new_format=fmt)
    return {"image": tv_tensors.Image(image), "target": {"boxes": b, "masks": tv_tensors.Mask(mask), "labels": labels}}


def pack(s):
    t = s["target"]
    return {"image": s["image"].tolist(), "boxes": t["boxes"].tolist(), "canvas": list(t["boxes"].canvas_size),
            "format": t["boxes"].format.value.lower(), "masks": t["masks"].tolist(), "labels": t["labels"].tolist()}


golden = {"image": image.tolist(), "mask": mask.tolist(), "boxes": boxes.tolist(), "labels": labels.tolist(), "cases": []}
for name, args, kwargs, seeds in cases:
    for fmt in (["XYXY", "XYWH"] if name in ("RandomHorizontalFlip", "Resize", "RandomCrop", "Pad") else ["XYXY"]):
        for seed in seeds:
            kw = {k: (v2.InterpolationMode(v) if k == "interpolation" else v) for k, v in kwargs.items()}
            torch.manual_seed(seed)
            got = getattr(v2, name)(*args, **kw)(sample(fmt))
            golden["cases"].append({"name": name, "args": args, "kwargs": kwargs, "seed": seed, "from": fmt.lower(), "out": pack(got)})
torch.manual_seed(2)
pipeline = v2.Compose([v2.RandomIoUCrop(), v2.RandomHorizontalFlip(), v2.SanitizeBoundingBoxes(labels_getter=lambda s: s["target"]["labels"]), v2.ToDtype(torch.float32, scale=True)])
golden["pipeline"] = pack(pipeline(sample()))
batch = torch.rand(4, 3, 8, 10, generator=g)
ids = torch.tensor([0, 2, 1, 2])
golden["batch"] = batch.tolist()
for name in ["MixUp", "CutMix"]:
    torch.manual_seed(3)
    x, y = getattr(v2, name)(alpha=0.7, num_classes=3)(batch, ids)
    golden[name] = {"x": x.tolist(), "y": y.tolist()}
with gzip.GzipFile(out, "wb", mtime=0) as f:
    f.write(json.dumps(golden).encode())
print(out.stat().st_size, "bytes")
