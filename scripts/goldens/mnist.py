"""Writes test/goldens/mnist.json: a seeded MLP on MNIST in PyTorch, its initial weights and first 100 losses.

Usage: python scripts/goldens/mnist.py FOLDER_WITH_THE_IDX_FILES test/goldens/mnist.json
"""

import json
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

folder, out = sys.argv[1:]
images = np.fromfile(f"{folder}/train-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 1, 28, 28)
labels = np.fromfile(f"{folder}/train-labels-idx1-ubyte", dtype=np.uint8)[8:]
data = TensorDataset(torch.from_numpy(images).float() / 255, torch.from_numpy(labels).long())

torch.manual_seed(0)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
initial = {
    name: {"sum": p.double().sum().item(), "bits": p.detach().flatten()[:: max(1, p.numel() // 64)].view(torch.int32).tolist()}
    for name, p in net.named_parameters()
}
loss_fn = nn.CrossEntropyLoss()
sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
losses, first = [], None
for x, y in DataLoader(data, batch_size=64, shuffle=True):
    first = first or y.tolist()
    loss = loss_fn(net(x), y)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    losses.append(loss.item())
    if len(losses) == 100:
        break
json.dump({"torch": torch.__version__, "initial": initial, "first_labels": first, "losses": losses}, open(out, "w"))
