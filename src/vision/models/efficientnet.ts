// EfficientNet (Tan and Le, 2019) and EfficientNetV2 (2021), with torchvision's parameter names.
import * as nn from '../../nn/index.js';
import type { Tensor } from '../../tensor.js';
import {
  type Activation,
  Conv2dNormActivation,
  type NormLayer,
  SqueezeExcitation,
  StochasticDepth,
} from '../ops/misc.js';
import { initialise, type ModelOptions, makeDivisible, rest } from './common.js';

const silu: Activation = (o) => new nn.SiLU(o ?? {});

/** A stage: kind of block, expansion, kernel, stride, channels in and out, number of blocks. */
interface Stage {
  readonly fused: boolean;
  readonly expand: number;
  readonly kernel: number;
  readonly stride: number;
  readonly from: number;
  readonly to: number;
  readonly layers: number;
}

/** Expansion, convolution of each channel with squeeze-and-excitation, and narrowing, beside a shortcut. */
class MBConv extends nn.Module {
  readonly block: nn.Sequential;
  readonly stochastic_depth: StochasticDepth;
  private readonly shortcut: boolean;
  constructor(s: Stage, drop: number, norm_layer: NormLayer) {
    super();
    this.shortcut = s.stride === 1 && s.from === s.to;
    this.block = new nn.Sequential(...(s.fused ? fusedLayers(s, norm_layer) : separateLayers(s, norm_layer)));
    this.stochastic_depth = new StochasticDepth(drop, 'row');
  }
  forward(x: Tensor): Tensor {
    const result = this.block(x);
    return this.shortcut ? this.stochastic_depth(result).add(x) : result;
  }
}

/** The same with one ordinary convolution in place of expansion and convolution of each channel. */
class FusedMBConv extends MBConv {}

function separateLayers(s: Stage, norm_layer: NormLayer): nn.Module[] {
  const wide = makeDivisible(s.from * s.expand, 8);
  const layers: nn.Module[] = [];
  if (wide !== s.from)
    layers.push(
      new Conv2dNormActivation(s.from, wide, { kernel_size: 1, norm_layer, activation_layer: silu }),
    );
  layers.push(
    new Conv2dNormActivation(wide, wide, {
      kernel_size: s.kernel,
      stride: s.stride,
      groups: wide,
      norm_layer,
      activation_layer: silu,
    }),
    new SqueezeExcitation(wide, Math.max(1, Math.floor(s.from / 4)), () => new nn.SiLU({ inplace: true })),
    new Conv2dNormActivation(wide, s.to, { kernel_size: 1, norm_layer, activation_layer: null }),
  );
  return layers;
}

function fusedLayers(s: Stage, norm_layer: NormLayer): nn.Module[] {
  const wide = makeDivisible(s.from * s.expand, 8);
  const first = { kernel_size: s.kernel, stride: s.stride, norm_layer, activation_layer: silu };
  if (wide === s.from) return [new Conv2dNormActivation(s.from, s.to, first)];
  return [
    new Conv2dNormActivation(s.from, wide, first),
    new Conv2dNormActivation(wide, s.to, { kernel_size: 1, norm_layer, activation_layer: null }),
  ];
}

export interface EfficientNetOptions {
  num_classes?: number;
  dropout?: number;
  stochastic_depth_prob?: number;
  norm_layer?: NormLayer;
  last_channel?: number | null;
}

/** Images [N, 3, H, W] to scores [N, classes]. */
export class EfficientNet extends nn.Module {
  readonly features: nn.Sequential;
  readonly avgpool: nn.AdaptiveAvgPool2d;
  readonly classifier: nn.Sequential;
  constructor(stages: readonly Stage[], options: EfficientNetOptions = {}) {
    super();
    const { num_classes = 1000, dropout = 0.2, stochastic_depth_prob = 0.2, last_channel = null } = options;
    const { norm_layer = (n) => new nn.BatchNorm2d(n) } = options;
    const shared = { norm_layer, activation_layer: silu };
    const layers: nn.Module[] = [
      new Conv2dNormActivation(3, stages[0].from, { kernel_size: 3, stride: 2, ...shared }),
    ];
    const total = stages.reduce((n, s) => n + s.layers, 0);
    let id = 0;
    for (const stage of stages) {
      const blocks: nn.Module[] = [];
      for (let i = 0; i < stage.layers; i++) {
        const block = i === 0 ? stage : { ...stage, from: stage.to, stride: 1 };
        const type = stage.fused ? FusedMBConv : MBConv;
        blocks.push(new type(block, (stochastic_depth_prob * id++) / total, norm_layer));
      }
      layers.push(new nn.Sequential(...blocks));
    }
    const last = stages[stages.length - 1].to;
    const out = last_channel ?? 4 * last;
    layers.push(new Conv2dNormActivation(last, out, { kernel_size: 1, ...shared }));
    this.features = new nn.Sequential(...layers);
    this.avgpool = new nn.AdaptiveAvgPool2d(1);
    this.classifier = new nn.Sequential(
      new nn.Dropout({ p: dropout, inplace: true }),
      new nn.Linear(out, num_classes),
    );
    initialise(this, (linear) => {
      const range = 1 / Math.sqrt(linear.out_features);
      nn.init.uniform_(linear.weight, -range, range);
      if (linear.bias !== null) nn.init.zeros_(linear.bias);
    });
  }
  forward(x: Tensor): Tensor {
    return this.classifier(this.avgpool(this.features(x)).flatten(1));
  }
}

type Row = readonly [
  expand: number,
  kernel: number,
  stride: number,
  from: number,
  to: number,
  layers: number,
];

const stage = ([expand, kernel, stride, from, to, layers]: Row, fused = false): Stage => ({
  fused,
  expand,
  kernel,
  stride,
  from,
  to,
  layers,
});

const firstRows: readonly Row[] = [
  [1, 3, 1, 32, 16, 1],
  [6, 3, 2, 16, 24, 2],
  [6, 5, 2, 24, 40, 2],
  [6, 3, 2, 40, 80, 3],
  [6, 5, 1, 80, 112, 3],
  [6, 5, 2, 112, 192, 4],
  [6, 3, 1, 192, 320, 1],
];

type Options = ModelOptions & EfficientNetOptions;
type Maker = (options?: Options) => EfficientNet;

/** A member of the first family: the rows, wider and deeper. */
function first(width: number, depth: number, dropout: number, norm?: NormLayer): Maker {
  const stages = firstRows.map(([expand, kernel, stride, from, to, layers]) =>
    stage([
      expand,
      kernel,
      stride,
      makeDivisible(from * width, 8),
      makeDivisible(to * width, 8),
      Math.ceil(layers * depth),
    ]),
  );
  return (options = {}) =>
    new EfficientNet(stages, { dropout, ...(norm ? { norm_layer: norm } : {}), ...rest(options) });
}

/** A member of the second family: so many fused stages, then others. */
function second(fused: number, rows: readonly Row[], dropout: number): Maker {
  const stages = rows.map((row, i) => stage(row, i < fused));
  return (options = {}) =>
    new EfficientNet(stages, {
      dropout,
      last_channel: 1280,
      norm_layer: (n) => new nn.BatchNorm2d(n, { eps: 1e-3 }),
      ...rest(options),
    });
}

const slowNorm: NormLayer = (n) => new nn.BatchNorm2d(n, { eps: 0.001, momentum: 0.01 });

/** EfficientNet-B0, with torchvision's names of parameters and initial weights. */
export const efficientnet_b0: Maker = first(1, 1, 0.2);
/** EfficientNet-B1, with torchvision's names of parameters and initial weights. */
export const efficientnet_b1: Maker = first(1, 1.1, 0.2);
/** EfficientNet-B2, with torchvision's names of parameters and initial weights. */
export const efficientnet_b2: Maker = first(1.1, 1.2, 0.3);
/** EfficientNet-B3, with torchvision's names of parameters and initial weights. */
export const efficientnet_b3: Maker = first(1.2, 1.4, 0.3);
/** EfficientNet-B4, with torchvision's names of parameters and initial weights. */
export const efficientnet_b4: Maker = first(1.4, 1.8, 0.4);
/** EfficientNet-B5, with torchvision's names of parameters and initial weights. */
export const efficientnet_b5: Maker = first(1.6, 2.2, 0.4, slowNorm);
/** EfficientNet-B6, with torchvision's names of parameters and initial weights. */
export const efficientnet_b6: Maker = first(1.8, 2.6, 0.5, slowNorm);
/** EfficientNet-B7, with torchvision's names of parameters and initial weights. */
export const efficientnet_b7: Maker = first(2, 3.1, 0.5, slowNorm);

/** EfficientNetV2-S, with torchvision's names of parameters and initial weights. */
export const efficientnet_v2_s: Maker = second(
  3,
  [
    [1, 3, 1, 24, 24, 2],
    [4, 3, 2, 24, 48, 4],
    [4, 3, 2, 48, 64, 4],
    [4, 3, 2, 64, 128, 6],
    [6, 3, 1, 128, 160, 9],
    [6, 3, 2, 160, 256, 15],
  ],
  0.2,
);
/** EfficientNetV2-M, with torchvision's names of parameters and initial weights. */
export const efficientnet_v2_m: Maker = second(
  3,
  [
    [1, 3, 1, 24, 24, 3],
    [4, 3, 2, 24, 48, 5],
    [4, 3, 2, 48, 80, 5],
    [4, 3, 2, 80, 160, 7],
    [6, 3, 1, 160, 176, 14],
    [6, 3, 2, 176, 304, 18],
    [6, 3, 1, 304, 512, 5],
  ],
  0.3,
);
/** EfficientNetV2-L, with torchvision's names of parameters and initial weights. */
export const efficientnet_v2_l: Maker = second(
  3,
  [
    [1, 3, 1, 32, 32, 4],
    [4, 3, 2, 32, 64, 7],
    [4, 3, 2, 64, 96, 7],
    [4, 3, 2, 96, 192, 10],
    [6, 3, 1, 192, 224, 19],
    [6, 3, 2, 224, 384, 25],
    [6, 3, 1, 384, 640, 7],
  ],
  0.4,
);
