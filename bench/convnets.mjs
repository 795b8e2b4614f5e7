// Convolutional workloads on this side; bench/convnets.py has the same names.

const train = (torch, net, x, y) => {
  const loss = new torch.nn.CrossEntropyLoss();
  const sgd = new torch.optim.SGD(net.parameters(), { lr: 0.001 });
  return () => {
    const l = loss(net(x), y);
    sgd.zero_grad();
    l.backward();
    sgd.step();
  };
};

const mnist = (torch) => {
  const { nn } = torch;
  torch.manual_seed(0);
  const net = new nn.Sequential(
    new nn.Conv2d(1, 32, 3),
    new nn.ReLU(),
    new nn.Conv2d(32, 64, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(9216, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );
  return train(torch, net, torch.rand(64, 1, 28, 28), torch.randint(0, 10, [64]));
};

/** ResNet-18 (He et al., 2015), as torchvision builds it. */
const resnet = (torch, batch) => {
  const { nn } = torch;
  torch.manual_seed(0);
  class Block extends nn.Module {
    constructor(from, to, stride) {
      super();
      this.conv1 = new nn.Conv2d(from, to, 3, { stride, padding: 1, bias: false });
      this.bn1 = new nn.BatchNorm2d(to);
      this.conv2 = new nn.Conv2d(to, to, 3, { padding: 1, bias: false });
      this.bn2 = new nn.BatchNorm2d(to);
      this.relu = new nn.ReLU(true);
      this.downsample =
        stride === 1 && from === to
          ? new nn.Identity()
          : new nn.Sequential(new nn.Conv2d(from, to, 1, { stride, bias: false }), new nn.BatchNorm2d(to));
    }
    forward(x) {
      const y = this.bn2(this.conv2(this.relu(this.bn1(this.conv1(x)))));
      return this.relu(y.add_(this.downsample(x)));
    }
  }
  const stage = (from, to, stride) => [new Block(from, to, stride), new Block(to, to, 1)];
  const net = new nn.Sequential(
    new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false }),
    new nn.BatchNorm2d(64),
    new nn.ReLU(true),
    new nn.MaxPool2d(3, 2, 1),
    ...stage(64, 64, 1),
    ...stage(64, 128, 2),
    ...stage(128, 256, 2),
    ...stage(256, 512, 2),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(512, 10),
  );
  return train(torch, net, torch.rand(batch, 3, 64, 64), torch.randint(0, 10, [batch]));
};

/** Forward and backward of one convolution. */
const conv = (torch, [n, from, size], [to, kernel], options) => {
  const layer = new torch.nn.Conv2d(from, to, kernel, { ...options, bias: false });
  const x = torch.rand(n, from, size, size).requires_grad_(true);
  const grad = torch.rand(layer(x).shape);
  return () => torch.autograd.grad([layer(x)], [x, layer.weight], [grad]);
};

const pool = (torch, make, size) => {
  const layer = make(torch.nn);
  const x = torch.rand(16, 64, size, size).requires_grad_(true);
  const grad = torch.rand(layer(x).shape);
  return () => torch.autograd.grad([layer(x)], [x], [grad]);
};

export const convnets = {
  'conv 3x3, 32 to 64, 26x26, batch 64': (torch) => conv(torch, [64, 32, 26], [64, 3], {}),
  'conv 3x3, 64, 16x16, batch 16': (torch) => conv(torch, [16, 64, 16], [64, 3], { padding: 1 }),
  'conv 3x3, 256, 4x4, batch 16': (torch) => conv(torch, [16, 256, 4], [256, 3], { padding: 1 }),
  'conv 1x1, stride 2, 64 to 128, 16x16': (torch) => conv(torch, [16, 64, 16], [128, 1], { stride: 2 }),
  'conv 3x3, depthwise 64, 56x56, batch 8': (torch) =>
    conv(torch, [8, 64, 56], [64, 3], { padding: 1, groups: 64 }),
  'max_pool 2x2, 64x64': (torch) => pool(torch, (nn) => new nn.MaxPool2d(2), 64),
  'max_pool 3x3, stride 2, 32x32': (torch) => pool(torch, (nn) => new nn.MaxPool2d(3, 2, 1), 32),
  'avg_pool 2x2, 64x64': (torch) => pool(torch, (nn) => new nn.AvgPool2d(2), 64),
  'MNIST CNN step, batch 64': mnist,
  'ResNet-18 step, 64x64, batch 16': (torch) => resnet(torch, 16),
};
