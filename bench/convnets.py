"""Convolutional workloads in PyTorch, under the names of convnets.mjs."""

import torch
from torch import nn


def train(net, x, y):
    loss = nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=0.001)

    def step():
        value = loss(net(x), y)
        sgd.zero_grad()
        value.backward()
        sgd.step()

    return step


def mnist():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(9216, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    return train(net, torch.rand(64, 1, 28, 28), torch.randint(0, 10, [64]))


class Block(nn.Module):
    def __init__(self, start, to, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(start, to, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(to)
        self.conv2 = nn.Conv2d(to, to, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(to)
        self.relu = nn.ReLU(True)
        self.downsample = (
            nn.Identity()
            if stride == 1 and start == to
            else nn.Sequential(nn.Conv2d(start, to, 1, stride=stride, bias=False), nn.BatchNorm2d(to))
        )

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += self.downsample(x)
        return self.relu(y)


def resnet(batch):
    """ResNet-18 (He et al., 2015), as torchvision builds it."""
    torch.manual_seed(0)
    blocks = []
    for start, to, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
        blocks += [Block(start, to, stride), Block(to, to, 1)]
    net = nn.Sequential(
        nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(True),
        nn.MaxPool2d(3, 2, 1),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, 10),
    )
    return train(net, torch.rand(batch, 3, 64, 64), torch.randint(0, 10, [batch]))


def backward_of(layer, inputs, x):
    grad = torch.rand(layer(x).shape)
    return lambda: torch.autograd.grad([layer(x)], inputs, [grad])


def conv(x, to, kernel, **options):
    n, channels, size = x
    layer = nn.Conv2d(channels, to, kernel, bias=False, **options)
    x = torch.rand(n, channels, size, size, requires_grad=True)
    return backward_of(layer, [x, layer.weight], x)


def pool(layer, size):
    x = torch.rand(16, 64, size, size, requires_grad=True)
    return backward_of(layer, [x], x)


convnets = {
    "conv 3x3, 32 to 64, 26x26, batch 64": lambda: conv([64, 32, 26], 64, 3),
    "conv 3x3, 64, 16x16, batch 16": lambda: conv([16, 64, 16], 64, 3, padding=1),
    "conv 3x3, 256, 4x4, batch 16": lambda: conv([16, 256, 4], 256, 3, padding=1),
    "conv 1x1, stride 2, 64 to 128, 16x16": lambda: conv([16, 64, 16], 128, 1, stride=2),
    "conv 3x3, depthwise 64, 56x56, batch 8": lambda: conv([8, 64, 56], 64, 3, padding=1, groups=64),
    "max_pool 2x2, 64x64": lambda: pool(nn.MaxPool2d(2), 64),
    "max_pool 3x3, stride 2, 32x32": lambda: pool(nn.MaxPool2d(3, 2, 1), 32),
    "avg_pool 2x2, 64x64": lambda: pool(nn.AvgPool2d(2), 64),
    "MNIST CNN step, batch 64": mnist,
    "ResNet-18 step, 64x64, batch 16": lambda: resnet(16),
}
