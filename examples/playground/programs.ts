// Programs to start from in the code pane.
export const programs: Readonly<Record<string, string>> = {
  'Fit a line': `import * as torch from 'typetorch';

const { nn, optim } = torch;
torch.manual_seed(0);

// y = 3x + 2, with noise
const x = torch.rand(256, 1);
const y = x.mul(3).add(2).add(torch.randn(256, 1).mul(0.05));

const model = new nn.Linear(1, 1);
const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
for (let step = 0; step <= 200; step++) {
  const loss = nn.functional.mse_loss(model(x), y);
  optimizer.zero_grad();
  loss.backward();
  optimizer.step();
  if (step % 50 === 0) console.log(step, loss);
}
console.log(model);
console.log(model.weight, model.bias);
`,
  'Tensors and gradients': `import * as torch from 'typetorch';

const x = torch.rand(3, 4, { requires_grad: true });
console.log(x);
console.log(x.at(0, '1:3'));

const y = x.pow(2).sum();
y.backward();
console.log(y);
console.log(x.grad);

try {
  torch.rand(2, 3).matmul(torch.rand(4, 5));
} catch (error) {
  console.log(error); // PyTorch's words
}
`,
  'A small classifier': `import * as torch from 'typetorch';

const { nn, optim } = torch;
const { functional: F } = nn;
torch.manual_seed(0);

class Net extends nn.Module {
  hidden = new nn.Linear(2, 32);
  output = new nn.Linear(32, 2);

  forward(x: torch.Tensor): torch.Tensor {
    return this.output(this.hidden(x).tanh());
  }
}

// Two rings, one inside the other
const n = 400;
const angle = torch.rand(n).mul(2 * Math.PI);
const label = torch.arange(n).remainder(2);
const radius = label.add(1).add(torch.randn(n).mul(0.15));
const points = torch.stack([angle.cos().mul(radius), angle.sin().mul(radius)], 1);

const net = new Net();
const optimizer = new optim.AdamW(net.parameters(), { lr: 0.02 });
const start = performance.now();
for (let step = 1; step <= 300; step++) {
  const logits = net(points);
  const loss = F.cross_entropy(logits, label);
  optimizer.zero_grad();
  loss.backward();
  optimizer.step();
  if (step % 100 === 0) {
    const correct = logits.argmax(1).eq(label).to(torch.float32).mean();
    console.log(\`step \${step}: loss \${loss.item().toFixed(4)}, accuracy \${correct.item().toFixed(3)}\`);
  }
}
console.log(\`\${(performance.now() - start).toFixed(0)} ms\`);
`,
};
