// The models against torchvision (scripts/goldens/vision_models.py): names and shapes of all, initial weights, outputs and
// gradients of some.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as built from '../dist/index.js';
import * as builtVision from '../dist/vision.js';
import type * as torchSource from '../src/index.js';
import type * as visionSource from '../src/vision/index.js';

const torch = built as unknown as typeof torchSource;
const { models } = builtVision as unknown as typeof visionSource;
type Tensor = torchSource.Tensor;
type Model = torchSource.nn.Module & ((x: Tensor) => Tensor);

interface Run {
  kwargs: Record<string, unknown>;
  sum: number;
  eval: number[][];
  train: number[][];
  grad: number;
}
const golden = JSON.parse(readFileSync(new URL('./goldens/vision/models.json', import.meta.url), 'utf8')) as {
  layouts: Record<string, string>;
  runs: Record<string, Run>;
};

const makers = models as unknown as Record<string, (options?: object) => Model>;

function layout(model: Model): string {
  const lines = Object.entries(model.state_dict()).map(([name, x]) => `${name}[${x.shape.join(',')}]\n`);
  return createHash('sha1').update(lines.join('')).digest('hex');
}
function make(name: string, kwargs: object): Model {
  if (name !== 'vit_b_32') return makers[name](kwargs);
  const size = { patch_size: 32, num_layers: 12, num_heads: 12, hidden_dim: 768, mlp_dim: 3072 };
  return new models.VisionTransformer({ ...size, ...kwargs }) as unknown as Model;
}
const total = (xs: Iterable<Tensor | null>): number => {
  let sum = 0;
  for (const x of xs) if (x !== null) sum += x.detach().double().abs().sum().item();
  return sum;
};
function relativeError(x: Tensor, expected: number[][]): number {
  const y = torch.tensor(expected);
  return x.detach().narrow(1, 0, y.shape[1]).sub(y).abs().max().item() / y.abs().max().item();
}

it('names and shapes of every model', () => {
  torch.set_default_device('meta');
  try {
    for (const [name, hash] of Object.entries(golden.layouts))
      expect(layout(makers[name]()), name).toBe(hash);
  } finally {
    torch.set_default_device(null);
  }
  expect(() => makers.resnet18({ weights: 'DEFAULT' })).toThrow(/does not download trained weights/);
});

describe('initial weights, outputs and gradients', () => {
  const x = torch.rand(2, 3, 64, 64, { generator: new torch.Generator().manual_seed(1) });
  const small = Object.entries(golden.runs).filter(([name]) => !/^(vgg|convnext|efficientnet_v2)/.test(name));
  for (const [name, run] of small)
    it(`${name}(${JSON.stringify(run.kwargs)})`, { timeout: 60_000 }, () => {
      torch.manual_seed(0);
      const model = make(name, run.kwargs);
      expect(total(model.parameters()) / run.sum - 1).toBeCloseTo(0, 7);
      model.eval();
      torch.no_grad(() => {
        if (name === 'vit_b_32') torch.nn.init.normal_(model.get_parameter('heads.head.weight'), 0, 0.1);
        expect(relativeError(model(x), run.eval)).toBeLessThan(1e-4);
      });
      model.train();
      for (const m of model.modules())
        if (m instanceof torch.nn.Dropout || m._getName() === 'StochasticDepth') Object.assign(m, { p: 0 });
      const y = model(x);
      y.square().mean().backward();
      // Normalisation over the few values that are left of small images magnifies rounding.
      expect(relativeError(y, run.train)).toBeLessThan(2e-3);
      expect(total([...model.parameters()].map((p) => p.grad)) / run.grad - 1).toBeCloseTo(0, 1);
    });
});
