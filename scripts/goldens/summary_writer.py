"""Events that PyTorch's SummaryWriter writes: test/goldens/tensorboard.json. Needs torch, tensorboard and pillow."""

import base64
import glob
import json
import os
import tempfile

import numpy as np
import torch
from tensorboard.compat.proto import event_pb2
from torch.utils.tensorboard import SummaryWriter

TIME = 1.5


def records(path):
    """The data of a file's records."""
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        n = int.from_bytes(data[at : at + 8], "little")
        yield data[at + 12 : at + 12 + n]
        at += 16 + n


def plain(data):
    """An event's bytes at a fixed time; pictures without their PNG file, which compressors make differently."""
    event = event_pb2.Event.FromString(data)
    if event.file_version and not event.step:
        event.wall_time = TIME
    for value in event.summary.value:
        if value.HasField("image"):
            value.image.encoded_image_string = b""
    return base64.b64encode(event.SerializeToString(deterministic=True)).decode()


def main():
    ramp = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    with tempfile.TemporaryDirectory() as folder:
        w = SummaryWriter(folder, filename_suffix=".golden", purge_step=7)
        t = dict(walltime=TIME)
        w.add_scalar("a/b", 0.1, 3, **t)
        w.add_scalar("zero", 0, 0, **t)
        w.add_scalar("negative step", torch.tensor([[2.5]]), -1, **t)
        w.add_scalar("no step", -1e300, **t)
        w.add_scalar("new", 0.1, 2**40, new_style=True, **t)
        w.add_scalar("double", 0.1, 4, new_style=True, double_precision=True, **t)
        w.add_histogram("h", (ramp - 7) / 8, 1, **t)
        w.add_histogram("h/ints", torch.arange(-3, 9), 1, bins=5, **t)
        for bins in ["auto", "fd", "sturges", "sqrt", "rice", "scott"]:
            w.add_histogram(f"h/{bins}", ramp, 1, bins=bins, **t)
        w.add_histogram("h/few", ramp, 2, bins=20, max_bins=6, **t)
        w.add_histogram("h/edges", ramp, 2, bins=[0.0, 1.0, 2.5, 30.0], **t)
        w.add_histogram("h/same", torch.full([4], 3.0), 2, bins="auto", **t)
        w.add_histogram_raw("raw", 0, 2.5, 7, 3, 9.5, [1.0, 2.0, 3.0], [1, 2, 4], 3, **t)
        w.add_text("words", "**Grüße** | a\n--- | ---\n", 5, **t)
        for dtype in [torch.float32, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]:
            w.add_tensor(f"t/{dtype}", (ramp - (0 if dtype == torch.uint8 else 5)).to(dtype), 1, **t)
        for dtype in [torch.bool, torch.float16, torch.bfloat16, torch.complex64, torch.complex128]:
            w.add_tensor(f"t/{dtype}", (ramp / 3).to(dtype), 1, **t)
        w.add_tensor("t/scalar", torch.tensor(3.5), 1, **t)
        w.add_pr_curve(
            "pr",
            torch.tensor([1, 0, 1, 1, 0, 0, 1, 0]),
            torch.tensor([0.9, 0.8, 0.7, 0.1, 0.2, 0.6, 1.0, 0.0]),
            9,
            num_thresholds=6,
            **t,
        )
        w.add_audio("sound", torch.sin(torch.arange(50) / 5), 2, sample_rate=8000, **t)
        w.add_image("im", ramp[:, :, :3].permute(2, 0, 1) / 24, 1, **t)
        w.add_image("im/hw", ramp[0] / 10, 1, dataformats="HW", **t)
        w.add_images("ims", (ramp / 24).reshape(2, 1, 3, 4).expand(-1, 3, -1, -1), 1, **t)
        w.close()
        (path,) = glob.glob(f"{folder}/events*.golden")
        events = [plain(data) for data in records(path)]
        file = base64.b64encode(open(path, "rb").read()[:200]).decode()
        w = SummaryWriter(folder + "/hp")
        w.add_custom_scalars({"c": {"one": ["Multiline", ["x", "y"]], "two": ["Margin", ["v", "lo", "hi"]]}})
        w.add_hparams({"lr": 0.5}, {"acc": 0.25}, run_name="run")
        w.add_hparams({"kind": "adam"}, {"acc": 1}, {"kind": ["adam", "sgd"]}, run_name="text", global_step=2)
        w.close()
        hparams = {}
        for name in ["", "run", "text"]:
            (path,) = glob.glob(f"{folder}/hp/{name}/events*")
            hparams[name] = []
            for data in records(path):
                event = event_pb2.Event.FromString(data)
                event.wall_time = TIME
                hparams[name].append(base64.b64encode(event.SerializeToString(deterministic=True)).decode())
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "../../test/goldens/tensorboard.json"), "w") as out:
        json.dump({"torch": torch.__version__, "file": file, "events": events, "hparams": hparams}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
