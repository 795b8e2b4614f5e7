"""Small checkpoints of real PyTorch for test/serialization.test.ts.

Run: python scripts/goldens/checkpoints.py
"""
import json
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import torch

out = Path(__file__).resolve().parents[2] / "test" / "goldens" / "checkpoints"
out.mkdir(parents=True, exist_ok=True)

containers = {
    "none": None,
    "flags": [True, False],
    "ints": [0, 1, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**53, -(2**53) - 1, 2**70, -(2**70)],
    "floats": [0.5, -0.0, float("inf"), float("nan"), 1e300],
    "text": "häß 漢字 🎉",
    "bytes": bytes(range(256)),
    "bytearray": bytearray(b"abc"),
    "tuple": (1, (2, 3), (4, 5, 6, 7), ()),
    "set": {3},
    "by number": {0: "a", 1: "b"},
    "mixed": {1: "int", "1": "str", None: 0, 2.5: 1},
    "digits": {"0": "x", "1": "y"},
    "ordered": OrderedDict([("b", 1), ("a", 2)]),
    "counter": Counter("aab"),
    "size": torch.Size([2, 3]),
    "dtype": torch.bfloat16,
    "device": torch.device("cpu"),
    "complex": 1 + 2j,
    "__proto__": "own",
}
shared = [1.5]
containers["shared"] = [shared, shared]
torch.save(containers, out / "containers.pt")

g = torch.Generator().manual_seed(0)
names = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()
dtypes = {}
for name in names:
    d = getattr(torch, name)
    x = torch.randn(3, 2, generator=g, dtype=torch.float64) * 3
    dtypes[name] = (x + 1j * x).to(d) if d.is_complex else x.abs().to(d) if d == torch.uint8 else x.to(d)
torch.save(dtypes, out / "dtypes.pt")

base = torch.arange(24.0)
views = {
    "base": base,
    "slice": base[4:10],
    "transposed": base.view(4, 6).t(),
    "strided": base[1::5],
    "expanded": base[3:4].expand(1000, 7),
    "scalar": torch.tensor(7),
    "empty": torch.empty(0, 3),
    "parameter": torch.nn.Parameter(torch.ones(2)),
    "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "leaf": torch.zeros(2, requires_grad=True),
    "conj": torch.tensor([1 + 2j]).conj(),
    "meta": torch.empty(2, 3, device="meta"),
}
views["same"] = views["slice"]
torch.save(views, out / "views.pt")
torch.save({"x": views["slice"], "base": base, "y": torch.tensor([1, 2])}, out / "legacy.pt",
           _use_new_zipfile_serialization=False)

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
x = torch.randn(8, 4)
for _ in range(3):
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()
torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, out / "training.pt")
losses = []
for _ in range(3):
    optimizer.zero_grad()
    loss = model(x).square().mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())


class Evil:
    def __reduce__(self):
        return (print, ("code of the file ran",))


torch.save({"x": Evil()}, out / "evil.pt")
np.save(out / "f4.npy", np.arange(6, dtype="<f4").reshape(2, 3))
np.save(out / "fortran.npy", np.asfortranarray(np.arange(6, dtype="<i8").reshape(2, 3)))
np.save(out / "big.npy", np.arange(4, dtype=">i4"))
np.savez(out / "stored.npz", a=np.arange(3, dtype="u1"), b=np.eye(2))
np.savez_compressed(out / "deflated.npz", zeros=np.zeros((100, 10), dtype="f8"), c=np.array([1 + 2j], dtype="c8"))
(out / "training.json").write_text(json.dumps({"x": x.tolist(), "losses": losses}))
print(sum(f.stat().st_size for f in out.iterdir()), "bytes")
