// What a program may write without a cast: this file is checked by tsc as well as run.
import { expect, test } from 'vitest';
import * as torch from '../src/index.js';

const { nn } = torch;

test('containers know what they hold', () => {
  const list = new nn.ModuleList([new nn.Linear(2, 3), new nn.Linear(3, 4)]);
  let x: torch.Tensor = torch.rand(5, 2);
  for (const layer of list) x = layer(x);
  expect(x.shape).toEqual([5, 4]);
  const weight: torch.Tensor = list[0].weight;
  expect(list.at(-1).out_features).toBe(4);
  expect(weight.shape).toEqual([3, 2]);
  const net = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
  const y: torch.Tensor = net[0](torch.rand(1, 2));
  expect(y.shape).toEqual([1, 3]);
  const dict = new nn.ModuleDict({ a: new nn.Linear(2, 2) });
  expect(dict.get('a').in_features).toBe(2);
});

test('required parameters may be given by name', () => {
  expect(new nn.Conv2d(8, 16, { kernel_size: 3, padding: 1 }).weight.shape).toEqual([16, 8, 3, 3]);
  expect(new nn.MaxPool2d({ kernel_size: 2 })(torch.rand(1, 4, 4)).shape).toEqual([1, 2, 2]);
  expect(torch.tensor([1, 2]).repeat_interleave(2, { dim: 0 }).shape).toEqual([4]);
});

test("PyTorch's names of types", () => {
  const dtype: torch.dtype = torch.float32;
  const device: torch.device = torch.device('cpu');
  const size: torch.Size = torch.rand(2, 3).shape;
  expect([String(dtype), String(device), [...size]]).toEqual(['torch.float32', 'cpu', [2, 3]]);
});

test('tensors and loading results as text', () => {
  expect(JSON.stringify({ x: torch.tensor([[1, 2]]), n: torch.tensor([2n ** 60n]) })).toBe(
    '{"x":[[1,2]],"n":["1152921504606846976"]}',
  );
  const layer = new nn.Linear(2, 2);
  expect(String(layer.load_state_dict(layer.state_dict()))).toBe('<All keys matched successfully>');
});

/** A module; bundlers make plain objects of them. */
const isNamespace = (value: unknown): value is object =>
  value !== null &&
  typeof value === 'object' &&
  (Object.getPrototypeOf(value) === null || Object.getPrototypeOf(value) === Object.prototype);

test('what PyTorch lacks is in camel case, and little', () => {
  const ours: string[] = [];
  const walk = (module: object, path: string): void => {
    for (const [name, value] of Object.entries(module)) {
      if (/^[a-z]+[A-Z]/.test(name)) ours.push(path + name);
      if (isNamespace(value)) walk(value, `${path}${name}.`);
    }
  };
  walk(torch, '');
  expect(ours.sort()).toEqual(['setAt', 'toTypedArray', 'utils.formatMeter', 'utils.showImage']);
});

test('numbers with names', () => {
  expect([torch.pi, torch.e, torch.inf, torch.nan, torch.newaxis]).toEqual([
    Math.PI,
    Math.E,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    null,
  ]);
  expect(torch.ones(2).at(torch.newaxis, '...').shape).toEqual([1, 2]);
});
