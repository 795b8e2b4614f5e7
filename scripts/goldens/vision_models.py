"""Writes test/goldens/vision/models.json: names and shapes of torchvision's models (as a hash), sums of their initial
weights for a seed, and what they make of one small batch.

Run with torchvision 0.28: python scripts/goldens/vision_models.py
"""
import hashlib
import json
from pathlib import Path

import torch
import torchvision_cpu  # noqa: F401  before torchvision
from torchvision import models

torch.set_num_threads(1)
out = Path(__file__).resolve().parents[2] / "test" / "goldens" / "vision" / "models.json"
g = torch.Generator().manual_seed(1)
x = torch.rand(2, 3, 64, 64, generator=g)
run = {
    "resnet18": {}, "resnet50": {"num_classes": 10, "replace_stride_with_dilation": [False, True, True]},
    "resnext50_32x4d": {"num_classes": 10}, "vgg11_bn": {"num_classes": 5}, "mobilenet_v2": {}, "mobilenet_v3_small": {},
    "mobilenet_v3_large": {"reduced_tail": True, "dilated": True}, "efficientnet_b0": {}, "efficientnet_v2_s": {"num_classes": 7},
    "densenet121": {}, "convnext_tiny": {}, "vit_b_32": {"image_size": 64, "num_classes": 9, "representation_size": 32, "num_layers": 3},
}
names = run.keys() | {
    "resnet34", "resnet101", "resnet152", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2",
    "vgg11", "vgg13", "vgg16_bn", "vgg19", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4",
    "efficientnet_b5", "efficientnet_b6", "efficientnet_b7", "efficientnet_v2_m", "efficientnet_v2_l", "densenet161",
    "densenet169", "densenet201", "convnext_small", "convnext_base", "convnext_large", "vit_b_16", "vit_l_16", "vit_l_32",
    "vit_h_14", "mobilenet_v3_large", "mobilenet_v3_small",
}


def layout(model):
    text = "".join(f"{k} {list(v.shape)}\n" for k, v in model.state_dict().items())
    return hashlib.sha1(text.replace(" ", "").encode()).hexdigest()


golden = {"layouts": {}, "runs": {}}
for name in sorted(names):
    with torch.device("meta"):
        golden["layouts"][name] = layout(getattr(models, name)())
for name, kwargs in run.items():
    torch.manual_seed(0)
    make = models.VisionTransformer if name == "vit_b_32" else getattr(models, name)
    extra = {"patch_size": 32, "num_heads": 12, "hidden_dim": 768, "mlp_dim": 3072} if name == "vit_b_32" else {}
    model = make(**kwargs, **extra)
    record = {"kwargs": kwargs, "sum": sum(p.double().abs().sum().item() for p in model.parameters())}
    model.eval()
    with torch.no_grad():
        if name == "vit_b_32":
            torch.nn.init.normal_(model.heads.head.weight, 0, 0.1)
        record["eval"] = model(x)[:, :5].tolist()
    model.train()
    for m in model.modules():
        if isinstance(m, (torch.nn.Dropout,)) or type(m).__name__ == "StochasticDepth":
            m.p = 0.0
    y = model(x)
    loss = y.square().mean()
    loss.backward()
    record["train"] = y[:, :5].tolist()
    record["grad"] = sum(p.grad.double().abs().sum().item() for p in model.parameters())
    golden["runs"][name] = record
    print(name, record["sum"], record["grad"])
out.write_text(json.dumps(golden))
