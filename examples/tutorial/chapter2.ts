// Chapter 2: tensors.
import * as torch from 'typetorch';

/** Runs something that fails, and prints how. */
function failing(fn: () => unknown): void {
  try {
    fn();
  } catch (error) {
    console.log(`${(error as Error).name}: ${(error as Error).message}`);
  }
}

torch.manual_seed(0);

// A tensor is data of any number of dimensions, with a dtype, a device, and gradients.
let x = torch.rand(4, 3);
console.log(x);
console.log(x.dtype, String(x.device), x.requires_grad);
x = torch.zeros(4, 3, { dtype: torch.long });
console.log(x);
x = torch.ones([2, 2]);
torch.zero_(x);
console.log(x);
x.add_(5);
x.zero_();
console.log(x);
console.log(torch.zeros_like(torch.rand(2, 3)));
x = torch.tensor([5, 6]);
console.log(x);
console.log(torch.tensor([5n, 6n]));
x = x.new_ones(4, 3, { dtype: torch.double });
console.log(x);
x = torch.randn_like(x, { dtype: torch.float });
console.log(x);

// Constructors.
console.log(new torch.Tensor(2, 3).shape, torch.Tensor(2, 3).shape);
console.log(
  torch.tensor([
    [1, 2],
    [3, 4],
  ]),
);
console.log(torch.eye(3));
console.log(torch.arange(1, 10, 2), torch.arange(5), torch.arange(0, 1, 0.25));
console.log(torch.linspace(0, 1, 5));
console.log(torch.rand(3));
console.log(torch.randn(3));
console.log(torch.normal(0, 1, [4]));
console.log(torch.randperm(6));
const dtypes = [
  torch.float32,
  torch.float64,
  torch.float16,
  torch.bfloat16,
  torch.int8,
  torch.uint8,
  torch.int16,
  torch.int32,
  torch.int64,
  torch.bool,
  torch.complex64,
  torch.complex128,
];
for (const dtype of dtypes) console.log(torch.ones(2, { dtype }), String(dtype));
console.log(
  String(torch.long),
  String(torch.double),
  String(torch.half),
  String(torch.int),
  String(torch.short),
  String(torch.float),
);

// Three ways to add.
x = torch.tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const y = torch.ones(2, 3);
console.log(x.add(y));
console.log(torch.add(x, y));
y.add_(x);
console.log(y);

// Indexing as in NumPy; the result of basic indexing shares memory with the original.
console.log(x[0], x.at(1, 2), x.at(':', 1), x.at(0, '1:3'), x.at('...', null).shape);
console.log(x.at(x.gt(2)));
const row = x[0];
row.fill_(10);
console.log(x);
x.at(0, '1:3').fill_(-1);
x.setAt([1, 0], 7);
console.log(x);
const separate = x[0].clone();
separate.zero_();
console.log(x[0]);

// Shapes and views.
x = torch.arange(16).to(torch.float32).view(4, 4);
console.log(x.view(16));
console.log(x.view(-1, 8));
console.log(x.size(), x.size(0), x.shape);
const v = x.view(16);
v[0].fill_(100);
console.log(x[0]);
const c = x.clone().view(16);
c[1].fill_(-100);
console.log(x[0]);
failing(() => x.t().view(16));
console.log(x.t().reshape(16));

// Taking the one value out.
console.log(torch.tensor([0.5]).item());

// Broadcasting.
console.log(torch.tensor([[1], [2], [3]]).add(torch.tensor([10, 20])));
failing(() => torch.ones(2, 3).add(torch.ones(4)));
