// Arguments that PyTorch refuses, in its words (PyTorch 2.13, CPU).
import { expect, test } from 'vitest';
import * as torch from '../src/index.js';

const { nn } = torch;
const F = nn.functional;
const f = torch.ones(2, 3);
const d = torch.ones(3, 4, { dtype: torch.float64 });
const bad = <T>(x: unknown): T => x as T;

const cases: readonly [string, () => unknown, string | RegExp][] = [
  [
    'mm of two dtypes',
    () => torch.mm(f, d),
    'expected m1 and m2 to have the same dtype, but got: float != double',
  ],
  [
    'addmm of two dtypes',
    () => torch.addmm(torch.ones(2, 4), f, d),
    'self and mat2 must have the same dtype, but got Float and Double',
  ],
  [
    'masked_fill beyond the type',
    () => torch.zeros(3, { dtype: torch.int32 }).masked_fill(torch.tensor([true, false, true]), 1e12),
    'value cannot be converted to type int without overflow',
  ],
  [
    'masked_fill of NaN',
    () => torch.zeros(1, { dtype: torch.int64 }).masked_fill(torch.tensor([true]), Number.NaN),
    'value cannot be converted to type int64_t without overflow',
  ],
  [
    'cpu and meta',
    () => torch.rand(2).add(torch.rand(2, { device: 'meta' })),
    'Tensor on device meta is not on the expected device cpu!',
  ],
  [
    'layer_norm with integer weights',
    () => F.layer_norm(f, [3], torch.ones(3, { dtype: torch.int64 })),
    'mixed dtype (CPU): expect parameter to have scalar type of Float',
  ],
  [
    'too many elements',
    () => torch.rand(1, 1).expand(2 ** 40, 2 ** 40),
    'numel: integer multiplication overflow',
  ],
  [
    'einsum of lists that are no tensors',
    () =>
      torch.einsum(
        bad([
          [0, 1],
          [0, 1],
        ]),
      ),
    "einsum(): argument 'operands' must be tuple of Tensors, not list",
  ],
  [
    'nuclear_norm along one dimension',
    () => torch.nuclear_norm(torch.ones(2, 2), bad(1)),
    'linalg.matrix_norm: dims must be different. Got (1, 1)',
  ],
  [
    'a dimension that is a symbol',
    () => torch.std_mean(f, bad(Symbol.iterator)),
    'dimension must be an int, not Symbol(Symbol.iterator)',
  ],
  [
    'fractional pools by what is no ratio',
    () => F.fractional_max_pool2d(torch.ones(1, 1, 4, 4), 2, { output_ratio: bad(true) }),
    "fractional_max_pool2d(): argument 'output_ratio' must be tuple of numbers, not bool",
  ],
  [
    'bags with weights of another type',
    () =>
      F.embedding_bag(torch.tensor([0n, 1n]), torch.ones(5, 3), torch.tensor([0n]), {
        mode: 'sum',
        per_sample_weights: torch.ones(2, { dtype: torch.float64 }),
      }),
    "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type torch.FloatTensor does not equal torch.DoubleTensor",
  ],
  [
    'adaptive pools larger than memory',
    () => F.adaptive_avg_pool2d(torch.ones(1, 1, 4, 4), [2 ** 31, 2 ** 31]),
    'Storage size calculation overflowed with sizes=[1, 1, 2147483648, 2147483648]',
  ],
  [
    'interpolation larger than memory',
    () => F.interpolate(torch.ones(1, 1, 4, 4), { size: [2 ** 31, 2 ** 31] }),
    'Storage size calculation overflowed with sizes=[1, 1, 2147483648, 2147483648]',
  ],
  [
    'pools with kernels larger than memory',
    () => F.avg_pool2d(torch.ones(1, 1, 4, 4), 2 ** 20, 1, 2 ** 19),
    'avg_pool2d(): a kernel of 1048576x1048576 elements does not fit in memory',
  ],
  [
    'linspace that fits nowhere',
    () => torch.linspace(0, 1, 2 ** 40),
    /DefaultCPUAllocator: can't allocate memory: you tried to allocate 4398046511104 bytes/,
  ],
  [
    'randperm that fits nowhere',
    () => torch.randperm(2 ** 40),
    /DefaultCPUAllocator: can't allocate memory: you tried to allocate 8796093022208 bytes/,
  ],
  [
    'bags that go backwards',
    () => F.embedding_bag(torch.tensor([0n, 1n, 2n]), f.T, torch.tensor([0n, 2n, 1n])),
    /offsets\[2\] = 1 follows 2/,
  ],
  [
    'padding that is no size',
    () => F.conv1d(torch.rand(1, 1, 5), torch.rand(1, 1, 3), { padding: bad(true) }),
    /argument 'padding' .* must be tuple of ints or str, not bool/,
  ],
  ['init of what is no tensor', () => nn.init.xavier_uniform_(bad(3)), /must be Tensor, not int/],
];

test.each(cases)('%s', (_name, run, message) => {
  expect(run).toThrow(message);
});
