"""Writes test/goldens/mnist_cnn.json: the first 20 losses of examples/cnn_model.ts's network on MNIST in PyTorch.

Usage: python scripts/goldens/mnist_cnn.py FOLDER_WITH_THE_IDX_FILES test/goldens/mnist_cnn.json
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
data = TensorDataset((torch.from_numpy(images).float() / 255 - 0.1307) / 0.3081, torch.from_numpy(labels).long())


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)
        )
        self.classifier = nn.Sequential(nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


torch.manual_seed(0)
net = CNN()
loss_fn = nn.CrossEntropyLoss()
sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
losses = []
for x, y in DataLoader(data, batch_size=64, shuffle=True):
    loss = loss_fn(net(x), y)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
    losses.append(loss.item())
    if len(losses) == 20:
        break
json.dump({"torch": torch.__version__, "losses": losses}, open(out, "w"))
