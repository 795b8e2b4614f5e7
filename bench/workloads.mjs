// The workloads on this side: each returns a function to be timed. bench/workloads.py has the same names.
import { convnets } from './convnets.mjs';
import { sequences } from './sequences.mjs';
import { solvers } from './solvers.mjs';

const mlp = (torch, batch) => {
  const { nn, optim } = torch;
  torch.manual_seed(0);
  const net = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 10),
  );
  const loss = new nn.CrossEntropyLoss();
  const sgd = new optim.SGD(net.parameters(), { lr: 0.01 });
  const x = torch.rand(batch, 1, 28, 28);
  const y = torch.randint(0, 10, [batch]);
  return () => {
    const l = loss(net(x), y);
    sgd.zero_grad();
    l.backward();
    sgd.step();
  };
};

const product = (torch, a, b) => {
  const x = torch.rand(...a);
  const y = torch.rand(...b);
  return () => x.matmul(y);
};

const transposed = (torch, n, ta, tb) => {
  const a = ta ? torch.rand(n, n).t() : torch.rand(n, n);
  const b = tb ? torch.rand(n, n).t() : torch.rand(n, n);
  return () => a.matmul(b);
};

const million = (torch, fn) => {
  const x = torch.randn(1_000_000);
  return () => fn(x);
};

const square = (torch, fn) => {
  const x = torch.randn(1024, 1024);
  return () => fn(x);
};

export const workloads = {
  'dispatch: add of 4': (torch) => {
    const [a, b] = [torch.rand(4), torch.rand(4)];
    return () => a.add(b);
  },
  'dispatch: add of 4 with gradient': (torch) => {
    const [a, b] = [torch.rand(4, { requires_grad: true }), torch.rand(4)];
    return () => a.add(b);
  },
  'add of 1M': (torch) => {
    const [a, b] = [torch.rand(1_000_000), torch.rand(1_000_000)];
    return () => a.add(b);
  },
  'exp of 1M': (torch) => million(torch, (x) => x.exp()),
  'gelu of 1M': (torch) => million(torch, (x) => torch.nn.functional.gelu(x)),
  'sum of 1M': (torch) => million(torch, (x) => x.sum()),
  'softmax of 1024x1024': (torch) => square(torch, (x) => torch.softmax(x, -1)),
  'layer_norm of 1024x1024': (torch) => square(torch, (x) => torch.nn.functional.layer_norm(x, [1024])),
  'matmul 64': (torch) => transposed(torch, 64, false, false),
  'matmul 64, b transposed': (torch) => transposed(torch, 64, false, true),
  'matmul 64, a transposed': (torch) => transposed(torch, 64, true, false),
  'matmul 64, both transposed': (torch) => transposed(torch, 64, true, true),
  'matmul 256': (torch) => transposed(torch, 256, false, false),
  'matmul 256, b transposed': (torch) => transposed(torch, 256, false, true),
  'matmul 256, a transposed': (torch) => transposed(torch, 256, true, false),
  'matmul 256, both transposed': (torch) => transposed(torch, 256, true, true),
  'matmul 1024': (torch) => transposed(torch, 1024, false, false),
  'matmul 1024, b transposed': (torch) => transposed(torch, 1024, false, true),
  'matmul 1024, a transposed': (torch) => transposed(torch, 1024, true, false),
  'matmul 1024, both transposed': (torch) => transposed(torch, 1024, true, true),
  'batched matmul 32x128x64': (torch) => product(torch, [32, 128, 64], [32, 64, 128]),
  'MLP step, batch 16': (torch) => mlp(torch, 16),
  'MLP step, batch 64': (torch) => mlp(torch, 64),
  'MLP step, batch 256': (torch) => mlp(torch, 256),
  ...convnets,
  ...sequences,
  ...solvers,
};
