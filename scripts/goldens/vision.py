"""Writes test/goldens/vision/transforms.json.gz: what torchvision's transforms make of one small image, as a tensor and as a
PIL image, and the pictures themselves. Also photo.jpg with its decoded bytes.

Run with torchvision 0.28: python scripts/goldens/vision.py
"""
import base64
import gzip
import json
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision_cpu  # noqa: F401  before torchvision
from PIL import Image
from torchvision import transforms as T

warnings.filterwarnings("ignore")
out = Path(__file__).resolve().parents[2] / "test" / "goldens" / "vision"
out.mkdir(parents=True, exist_ok=True)

# A smooth picture with some noise: 29 x 23.
y, x = np.mgrid[0:23, 0:29]
rng = np.random.default_rng(0)
picture = np.stack([x * 8, y * 10, (x + y) * 4], -1) + rng.integers(0, 24, (23, 29, 3))
picture = np.clip(picture, 0, 255).astype(np.uint8)
pil = Image.fromarray(picture)
tensor = torch.from_numpy(picture).permute(2, 0, 1).contiguous()

# name, arguments, keywords; run after torch.manual_seed(0)
cases = [
    ("Resize", [12], {}), ("Resize", [[40, 17]], {}), ("Resize", [12], {"interpolation": "bicubic"}),
    ("Resize", [[31, 50]], {"interpolation": "nearest"}), ("Resize", [12], {"antialias": False}),
    ("Resize", [12], {"max_size": 14}), ("Resize", [[9, 9]], {"interpolation": "nearest-exact"}),
    ("CenterCrop", [10], {}), ("CenterCrop", [[30, 12]], {}), ("Pad", [3], {}), ("Pad", [[1, 2, 3, 4]], {"fill": 7}),
    ("Pad", [[2, 3]], {"padding_mode": "edge"}), ("Pad", [2], {"padding_mode": "reflect"}),
    ("Pad", [2], {"padding_mode": "symmetric"}), ("Grayscale", [], {}), ("Grayscale", [3], {}),
    ("RandomCrop", [10], {}), ("RandomCrop", [[20, 30]], {"padding": 4}), ("RandomCrop", [32], {"pad_if_needed": True}),
    ("RandomHorizontalFlip", [], {"p": 1.0}), ("RandomVerticalFlip", [], {"p": 1.0}), ("RandomHorizontalFlip", [], {}),
    ("RandomResizedCrop", [16], {}), ("RandomResizedCrop", [[8, 20]], {"scale": [0.5, 1.0]}),
    ("RandomGrayscale", [], {"p": 1.0}),
    ("ColorJitter", [], {"brightness": 0.5}), ("ColorJitter", [], {"contrast": 0.5}),
    ("ColorJitter", [], {"saturation": 0.8}), ("ColorJitter", [], {"hue": 0.3}),
    ("ColorJitter", [0.4, 0.4, 0.4, 0.1], {}),
    ("RandomRotation", [30], {}), ("RandomRotation", [[10, 50]], {"interpolation": "bilinear", "fill": 9}),
    ("RandomRotation", [40], {"expand": True}), ("RandomRotation", [[90, 90]], {"expand": True}),
    ("RandomAffine", [20], {"translate": [0.2, 0.1], "scale": [0.8, 1.2], "shear": 10}),
    ("RandomAffine", [0], {"shear": [-5, 5, -5, 5], "interpolation": "bilinear"}),
    ("RandomPerspective", [], {"p": 1.0}), ("RandomPerspective", [], {"p": 1.0, "interpolation": "nearest"}),
    ("GaussianBlur", [3], {}), ("GaussianBlur", [[5, 7]], {"sigma": [0.5, 1.5]}),
    ("RandomInvert", [], {"p": 1.0}), ("RandomPosterize", [3], {"p": 1.0}), ("RandomSolarize", [100], {"p": 1.0}),
    ("RandomAutocontrast", [], {"p": 1.0}), ("RandomEqualize", [], {"p": 1.0}),
    ("RandomAdjustSharpness", [2], {"p": 1.0}), ("RandomAdjustSharpness", [0.3], {"p": 1.0}),
    ("ElasticTransform", [], {"alpha": 30.0}),
    ("RandAugment", [], {}), ("TrivialAugmentWide", [], {}), ("AutoAugment", [], {}),
]
floats = [
    ("RandomErasing", [], {"p": 1.0}), ("RandomErasing", [], {"p": 1.0, "value": "random"}),
    ("RandomErasing", [], {"p": 1.0, "value": [0.1, 0.2, 0.3]}),
    ("Normalize", [[0.5, 0.4, 0.3], [0.2, 0.3, 0.4]], {}),
    ("Resize", [12], {}), ("ColorJitter", [0.4, 0.4, 0.4, 0.1], {}), ("GaussianBlur", [3], {}),
    ("RandomAffine", [20], {"translate": [0.2, 0.1], "interpolation": "bilinear", "fill": 0.5}),
    ("RandomPerspective", [], {"p": 1.0}), ("RandomAutocontrast", [], {"p": 1.0}),
]


def make(name, args, kwargs):
    kwargs = dict(kwargs)
    if "interpolation" in kwargs:
        kwargs["interpolation"] = T.InterpolationMode(kwargs["interpolation"])
    if name == "AutoAugment" and args:
        args = [T.AutoAugmentPolicy(args[0])]
    return getattr(T, name)(*args, **kwargs)


def pack(x):
    x = x.contiguous().numpy()
    return {"dtype": str(x.dtype), "shape": list(x.shape), "data": base64.b64encode(x.tobytes()).decode()}


records = []
seeds = {"RandAugment": range(8), "TrivialAugmentWide": range(8), "AutoAugment": range(6)}
for name, args, kwargs in cases:
    for seed in seeds.get(name, [0]):
        record = {"name": name, "args": args, "kwargs": kwargs, "seed": seed}
        record["text"] = str(make(name, args, kwargs))
        torch.manual_seed(seed)
        record["tensor"] = pack(make(name, args, kwargs)(tensor))
        torch.manual_seed(seed)
        record["pil"] = pack(T.functional.pil_to_tensor(make(name, args, kwargs)(pil)))
        records.append(record)
for name, args, kwargs in floats:
    torch.manual_seed(0)
    records.append({"name": name, "args": args, "kwargs": kwargs, "seed": 0, "float": pack(make(name, args, kwargs)(tensor / 255))})
golden = {"picture": pack(tensor), "records": records}
Image.fromarray(np.asarray(pil.resize((120, 90), Image.BICUBIC))).save(out / "photo.jpg", quality=90)
golden["photo"] = pack(T.functional.pil_to_tensor(Image.open(out / "photo.jpg").convert("RGB")))
with gzip.GzipFile(out / "transforms.json.gz", "wb", mtime=0) as f:
    f.write(json.dumps(golden).encode())
print((out / "transforms.json.gz").stat().st_size, "bytes", len(records), "records")


def cifar_batch():
    """A test batch of CIFAR-10 of three pictures, pickled as Python 2 wrote the original files."""

    def text(b):
        return b"U" + bytes([len(b)]) + b if len(b) < 256 else b"T" + len(b).to_bytes(4, "little") + b

    data = np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8)
    return (
        b"\x80\x02}q\x01(" + text(b"batch_label") + b"q\x02" + text(b"testing batch 1 of 1") + text(b"labels") + b"]q\x03(K\x03K\x04K\x05e"
        + text(b"data") + b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85" + text(b"b") + b"\x87Rq\x09"
        + b"(K\x01K\x03M\x00\x0c\x86cnumpy\ndtype\nq\x0b" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + text(data.tobytes()) + b"tb" + text(b"filenames") + b"]q\x0cu."
    )


(out / "cifar-10-batches-py").mkdir(exist_ok=True)
(out / "cifar-10-batches-py" / "test_batch").write_bytes(cifar_batch())
