// Chapter 3: autograd.
import * as torch from 'typetorch';

function failing(fn: () => unknown): void {
  try {
    fn();
  } catch (error) {
    console.log(`${(error as Error).name}: ${(error as Error).message}`);
  }
}

let x = torch.ones(2, 2, { requires_grad: true });
console.log(x, x.grad_fn);
console.log(torch.ones(2).requires_grad_());
let y = x.pow(2);
console.log(y);
const z = y.mul(y).mul(3);
const out = z.mean();
console.log(z, out);
out.backward();
console.log(x.grad);

// A tensor that is no scalar needs a gradient to start from.
x = torch.tensor([1, 2, 3], { requires_grad: true });
y = x.mul(2);
failing(() => y.backward());
y = x.mul(2);
y.backward(torch.ones_like(y));
console.log(x.grad);

// Gradients accumulate until they are cleared.
x = torch.ones(3, { requires_grad: true });
x.sum().backward();
console.log(x.grad);
x.sum().backward();
console.log(x.grad);
x.grad?.zero_();
console.log(x.grad);
x.sum().backward();
x.grad?.data.zero_();
console.log(x.grad);

// A graph is used once.
const loss = x.mul(x).sum();
loss.backward();
failing(() => loss.backward());

// Without tracking.
console.log(x.pow(2).requires_grad);
torch.no_grad(() => console.log(x.pow(2).requires_grad));
{
  using _ = torch.no_grad();
  console.log(x.pow(2).requires_grad);
}
console.log(x.pow(2).requires_grad);

// x.data shares the values and is outside the graph.
x = torch.ones(1, { requires_grad: true });
console.log(x.data, x.data.requires_grad);
y = x.mul(2);
x.data.mul_(100);
y.backward();
console.log(x, x.grad);
