// DenseNet (Huang et al., 2017), with torchvision's parameter names.
import * as nn from '../../nn/index.js';
import { cat } from '../../ops/join.js';
import type { Tensor } from '../../tensor.js';
import { type ModelOptions, rest } from './common.js';

class DenseLayer extends nn.Module {
  readonly norm1: nn.BatchNorm2d;
  readonly relu1: nn.ReLU;
  readonly conv1: nn.Conv2d;
  readonly norm2: nn.BatchNorm2d;
  readonly relu2: nn.ReLU;
  readonly conv2: nn.Conv2d;
  constructor(
    features: number,
    growth: number,
    bottleneck: number,
    readonly drop_rate: number,
  ) {
    super();
    this.norm1 = new nn.BatchNorm2d(features);
    this.relu1 = new nn.ReLU({ inplace: true });
    this.conv1 = new nn.Conv2d(features, bottleneck * growth, 1, 1, { bias: false });
    this.norm2 = new nn.BatchNorm2d(bottleneck * growth);
    this.relu2 = new nn.ReLU({ inplace: true });
    this.conv2 = new nn.Conv2d(bottleneck * growth, growth, 3, 1, 1, { bias: false });
  }
  forward(features: readonly Tensor[]): Tensor {
    const inner = this.conv1(this.relu1(this.norm1(cat([...features], 1))));
    const out = this.conv2(this.relu2(this.norm2(inner)));
    return this.drop_rate > 0 ? nn.functional.dropout(out, this.drop_rate, this.training) : out;
  }
}

/** Layers that each read what all before them made. */
class DenseBlock extends nn.Module {
  constructor(layers: number, features: number, bottleneck: number, growth: number, drop_rate: number) {
    super();
    for (let i = 0; i < layers; i++)
      this.add_module(
        `denselayer${i + 1}`,
        new DenseLayer(features + i * growth, growth, bottleneck, drop_rate),
      );
  }
  forward(start: Tensor): Tensor {
    const features = [start];
    for (const layer of this.children()) features.push((layer as DenseLayer)(features));
    return cat(features, 1);
  }
}

const transition = (from: number, to: number): nn.Sequential =>
  new nn.Sequential({
    norm: new nn.BatchNorm2d(from),
    relu: new nn.ReLU({ inplace: true }),
    conv: new nn.Conv2d(from, to, 1, 1, { bias: false }),
    pool: new nn.AvgPool2d(2, 2),
  });

export interface DenseNetOptions {
  /** Channels that each layer adds. */
  growth_rate?: number;
  /** Layers of each block. */
  block_config?: readonly number[];
  num_init_features?: number;
  bn_size?: number;
  drop_rate?: number;
  num_classes?: number;
}

/** Images [N, 3, H, W] to scores [N, classes]. */
export class DenseNet extends nn.Module {
  readonly features: nn.Sequential;
  classifier: nn.Linear;
  constructor(options: DenseNetOptions = {}) {
    super();
    const { growth_rate = 32, block_config = [6, 12, 24, 16], num_init_features = 64 } = options;
    const { bn_size = 4, drop_rate = 0, num_classes = 1000 } = options;
    this.features = new nn.Sequential({
      conv0: new nn.Conv2d(3, num_init_features, 7, 2, 3, { bias: false }),
      norm0: new nn.BatchNorm2d(num_init_features),
      relu0: new nn.ReLU({ inplace: true }),
      pool0: new nn.MaxPool2d(3, 2, 1),
    });
    let channels = num_init_features;
    block_config.forEach((layers, i) => {
      this.features.add_module(
        `denseblock${i + 1}`,
        new DenseBlock(layers, channels, bn_size, growth_rate, drop_rate),
      );
      channels += layers * growth_rate;
      if (i === block_config.length - 1) return;
      const half = Math.floor(channels / 2);
      this.features.add_module(`transition${i + 1}`, transition(channels, half));
      channels = half;
    });
    this.features.add_module('norm5', new nn.BatchNorm2d(channels));
    this.classifier = new nn.Linear(channels, num_classes);
    this.start();
  }
  private start(): void {
    for (const m of this.modules()) {
      if (m instanceof nn.Conv2d) nn.init.kaiming_normal_(m.weight);
      else if (m instanceof nn.BatchNorm2d) {
        if (m.weight !== null) nn.init.constant_(m.weight, 1);
        if (m.bias !== null) nn.init.constant_(m.bias, 0);
      } else if (m instanceof nn.Linear && m.bias !== null) nn.init.constant_(m.bias, 0);
    }
  }
  forward(x: Tensor): Tensor {
    const features = this.features(x).relu();
    return this.classifier(nn.functional.adaptive_avg_pool2d(features, [1, 1]).flatten(1));
  }
}

type Maker = (options?: ModelOptions & DenseNetOptions) => DenseNet;
const make =
  (growth_rate: number, block_config: readonly number[], num_init_features: number): Maker =>
  (options = {}) =>
    new DenseNet({ growth_rate, block_config, num_init_features, ...rest(options) });

/** DenseNet-121, with torchvision's names of parameters and initial weights. */
export const densenet121: Maker = make(32, [6, 12, 24, 16], 64);
/** DenseNet-161, with torchvision's names of parameters and initial weights. */
export const densenet161: Maker = make(48, [6, 12, 36, 24], 96);
/** DenseNet-169, with torchvision's names of parameters and initial weights. */
export const densenet169: Maker = make(32, [6, 12, 32, 32], 64);
/** DenseNet-201, with torchvision's names of parameters and initial weights. */
export const densenet201: Maker = make(32, [6, 12, 48, 32], 64);
