"""The tour in PyTorch: `python tour.py GOLDEN_FOLDER` writes what each chapter prints there.

The text is PyTorch's own; data literals are floats, as numbers are in TypeScript.
"""

import contextlib
import io
import pathlib
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


def failing(fn):
    try:
        fn()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


def chapter1():
    print("string")
    print(torch.cuda.is_available())


def chapter2():
    torch.manual_seed(0)
    x = torch.rand(4, 3)
    print(x)
    print(x.dtype, str(x.device), x.requires_grad)
    x = torch.zeros(4, 3, dtype=torch.long)
    print(x)
    x = torch.ones([2, 2])
    torch.zero_(x)
    print(x)
    x.add_(5)
    x.zero_()
    print(x)
    print(torch.zeros_like(torch.rand(2, 3)))
    x = torch.tensor([5.0, 6.0])
    print(x)
    print(torch.tensor([5, 6]))
    x = x.new_ones(4, 3, dtype=torch.double)
    print(x)
    x = torch.randn_like(x, dtype=torch.float)
    print(x)

    print(torch.Tensor(2, 3).shape, torch.Tensor(2, 3).shape)
    print(torch.tensor([[1.0, 2], [3, 4]]))
    print(torch.eye(3))
    print(torch.arange(1, 10, 2), torch.arange(5), torch.arange(0, 1, 0.25))
    print(torch.linspace(0, 1, 5))
    print(torch.rand(3))
    print(torch.randn(3))
    print(torch.normal(0, 1, [4]))
    print(torch.randperm(6))
    dtypes = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int16]
    dtypes += [torch.int32, torch.int64, torch.bool, torch.complex64, torch.complex128]
    for dtype in dtypes:
        print(torch.ones(2, dtype=dtype), dtype)
    print(torch.long, torch.double, torch.half, torch.int, torch.short, torch.float)

    x = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    y = torch.ones(2, 3)
    print(x + y)
    print(torch.add(x, y))
    y.add_(x)
    print(y)

    print(x[0], x[1, 2], x[:, 1], x[0, 1:3], x[..., None].shape)
    print(x[x > 2])
    row = x[0]
    row.fill_(10)
    print(x)
    x[0, 1:3] = -1
    x[1, 0] = 7
    print(x)
    separate = x[0].clone()
    separate.zero_()
    print(x[0])

    x = torch.arange(16).to(torch.float32).view(4, 4)
    print(x.view(16))
    print(x.view(-1, 8))
    print(x.size(), x.size(0), x.shape)
    v = x.view(16)
    v[0] = 100
    print(x[0])
    c = x.clone().view(16)
    c[1] = -100
    print(x[0])
    failing(lambda: x.t().view(16))
    print(x.t().reshape(16))

    print(torch.tensor([0.5]).item())

    print(torch.tensor([[1.0], [2], [3]]) + torch.tensor([10.0, 20]))
    failing(lambda: torch.ones(2, 3) + torch.ones(4))


def chapter3():
    x = torch.ones(2, 2, requires_grad=True)
    print(x, x.grad_fn)
    print(torch.ones(2).requires_grad_())
    y = x.pow(2)
    print(y)
    z = y * y * 3
    out = z.mean()
    print(z, out)
    out.backward()
    print(x.grad)

    x = torch.tensor([1.0, 2, 3], requires_grad=True)
    y = x * 2
    failing(lambda: y.backward())
    y = x * 2
    y.backward(torch.ones_like(y))
    print(x.grad)

    x = torch.ones(3, requires_grad=True)
    x.sum().backward()
    print(x.grad)
    x.sum().backward()
    print(x.grad)
    x.grad.zero_()
    print(x.grad)
    x.sum().backward()
    x.grad.data.zero_()
    print(x.grad)

    loss = (x * x).sum()
    loss.backward()
    failing(lambda: loss.backward())

    print(x.pow(2).requires_grad)
    with torch.no_grad():
        print(x.pow(2).requires_grad)
    with torch.no_grad():
        print(x.pow(2).requires_grad)
    print(x.pow(2).requires_grad)

    x = torch.ones(1, requires_grad=True)
    print(x.data, x.data.requires_grad)
    y = 2 * x
    x.data *= 100
    y.backward()
    print(x, x.grad)


class Quadrants(Dataset):
    def __init__(self, n):
        self.points = torch.rand(n, 2) * 2 - 1
        self.labels = [int(p[0] > 0) + 2 * int(p[1] > 0) for p in self.points.tolist()]

    def __getitem__(self, index):
        return self.points[index], self.labels[index]

    def __len__(self):
        return len(self.labels)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 16)
        self.act = nn.ReLU()
        self.output = nn.Linear(16, 4)

    def forward(self, x):
        return self.output(self.act(self.hidden(x)))


def chapter5():
    torch.manual_seed(0)
    train_data, val_data = random_split(Quadrants(200), [160, 40])
    train_loader = DataLoader(train_data, batch_size=16, shuffle=True, drop_last=True)
    val_loader = DataLoader(val_data, batch_size=16, shuffle=False)
    print(len(train_loader), len(val_loader))
    points, labels = next(iter(val_loader))
    print(points.shape, labels.shape, labels.dtype)
    print(points[0], labels)
    net = MLP()
    print(net)
    print(net(points).shape)
    for name, parameter in net.named_parameters():
        print(name, parameter.shape)
    print(net.hidden.weight[0])
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    print(optimizer)

    def evaluate(model):
        with torch.no_grad():
            model.eval()
            correct = sum((model(x).argmax(1) == y).sum().item() for x, y in val_loader)
            model.train()
            return correct / len(val_data)

    for epoch in range(3):
        total = 0
        for x, y in train_loader:
            loss = loss_fn(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch}: loss {total / len(train_loader):.4f}, accuracy {evaluate(net):.3f}")
    state = io.BytesIO()
    torch.save(net.state_dict(), state)
    state.seek(0)
    copy = MLP()
    print(len(copy.load_state_dict(torch.load(state)).missing_keys) == 0)
    print(evaluate(copy) == evaluate(net))


def stripes(down, phase):
    y, x, c = np.mgrid[0:24, 0:24, 0:3]
    return Image.fromarray((((x if down else y) + phase) % 6 * 40 + (x * y + c * 7) % 11).astype(np.uint8))


class Labelled(Dataset):
    def __init__(self, folder, table, listing, transform):
        self.folder, self.transform = folder, transform
        rows = table.read_text().strip().split("\n")[1:]
        self.labels = {row.split(",")[0]: int(row.split(",")[1]) for row in rows}
        self.names = listing.read_text().strip().split("\n")

    def __getitem__(self, index):
        name = self.names[index]
        return self.transform(Image.open(self.folder / name).convert("RGB")), self.labels[name]

    def __len__(self):
        return len(self.names)


def chapter5_pictures():
    from torchvision import datasets, transforms

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = ["Image_index,Label"]
        for label, kind in enumerate(["across", "down"]):
            (folder / "train" / kind).mkdir(parents=True)
            for i in range(40):
                file = f"{kind}/{i:02d}.png"
                stripes(label == 1, i).save(folder / "train" / file)
                rows.append(f"{file},{label}")
        normalize = transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
        transform = transforms.Compose([
            transforms.Resize(20), transforms.CenterCrop(16), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalize,
        ])
        print(transform)
        train_data = datasets.ImageFolder(folder / "train", transform=transform)
        print("[ 'across', 'down' ]", len(train_data))
        (folder / "labels.csv").write_text("\n".join(rows) + "\n")
        (folder / "val.txt").write_text("\n".join(row.split(",")[0] for row in rows[1::5]) + "\n")
        plain = transforms.Compose([transforms.Resize(16), transforms.ToTensor(), normalize])
        val_data = Labelled(folder / "train", folder / "labels.csv", folder / "val.txt", plain)
        print(len(val_data))
        torch.manual_seed(0)
        options = {"batch_size": 16, "num_workers": 4, "persistent_workers": True}
        train_loader = DataLoader(train_data, shuffle=True, drop_last=True, **options)
        val_loader = DataLoader(val_data, shuffle=False, **options)
        print(len(train_loader), len(val_loader))
        images, labels = next(iter(val_loader))
        print(images.shape, images.dtype, labels)
        print(images[0].permute(1, 2, 0).shape, f"{images[0].mean().item():.4f}")
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(144, 2))
        loss_fn = nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for epoch in range(2):
            total = 0
            for x, y in train_loader:
                loss = loss_fn(net(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item()
            correct = sum((net(x).argmax(1) == y).sum().item() for x, y in val_loader)
            print(f"epoch {epoch}: loss {total / len(train_loader):.4f}, accuracy {correct / len(val_data):.3f}")
        print("[ 'net', 'optimizer', 'epoch' ]", net[0].weight.shape, 2)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in (chapter1, chapter2, chapter3, chapter5, chapter5_pictures):
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            chapter()
        (folder / f"{chapter.__name__}.txt").write_text(text.getvalue())
