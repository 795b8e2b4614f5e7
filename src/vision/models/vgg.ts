// VGG (Simonyan and Zisserman, 2014), with torchvision's parameter names.
import * as nn from '../../nn/index.js';
import type { Tensor } from '../../tensor.js';
import { type ModelOptions, rest } from './common.js';

export interface VGGOptions {
  num_classes?: number;
  init_weights?: boolean;
  dropout?: number;
}

/** Convolutions, then three linear layers: images [N, 3, H, W] to scores [N, classes]. */
export class VGG extends nn.Module {
  readonly features: nn.Sequential;
  readonly avgpool: nn.AdaptiveAvgPool2d;
  readonly classifier: nn.Sequential;
  constructor(features: nn.Sequential, options: VGGOptions = {}) {
    super();
    const { num_classes = 1000, init_weights = true, dropout = 0.5 } = options;
    this.features = features;
    this.avgpool = new nn.AdaptiveAvgPool2d([7, 7]);
    this.classifier = new nn.Sequential(
      new nn.Linear(512 * 7 * 7, 4096),
      new nn.ReLU(true),
      new nn.Dropout({ p: dropout }),
      new nn.Linear(4096, 4096),
      new nn.ReLU(true),
      new nn.Dropout({ p: dropout }),
      new nn.Linear(4096, num_classes),
    );
    if (init_weights) this.start();
  }
  private start(): void {
    for (const m of this.modules()) {
      if (m instanceof nn.Conv2d) {
        nn.init.kaiming_normal_(m.weight, { mode: 'fan_out', nonlinearity: 'relu' });
        if (m.bias !== null) nn.init.constant_(m.bias, 0);
      } else if (m instanceof nn.BatchNorm2d) {
        if (m.weight !== null) nn.init.constant_(m.weight, 1);
        if (m.bias !== null) nn.init.constant_(m.bias, 0);
      } else if (m instanceof nn.Linear) {
        nn.init.normal_(m.weight, 0, 0.01);
        if (m.bias !== null) nn.init.constant_(m.bias, 0);
      }
    }
  }
  forward(x: Tensor): Tensor {
    return this.classifier(this.avgpool(this.features(x)).flatten(1));
  }
}

/** Channels of the convolutions; 0 halves the size. */
const plans: Readonly<Record<'A' | 'B' | 'D' | 'E', readonly number[]>> = {
  A: [64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0],
  B: [64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0],
  D: [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0],
  E: [64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0],
};

function layersOf(plan: readonly number[], batch_norm: boolean): nn.Sequential {
  const layers: nn.Module[] = [];
  let channels = 3;
  for (const v of plan) {
    if (v === 0) {
      layers.push(new nn.MaxPool2d(2, 2));
      continue;
    }
    layers.push(new nn.Conv2d(channels, v, 3, 1, 1));
    if (batch_norm) layers.push(new nn.BatchNorm2d(v));
    layers.push(new nn.ReLU({ inplace: true }));
    channels = v;
  }
  return new nn.Sequential(...layers);
}

type Maker = (options?: ModelOptions & VGGOptions) => VGG;
const make =
  (plan: keyof typeof plans, batch_norm: boolean): Maker =>
  (options = {}) =>
    new VGG(layersOf(plans[plan], batch_norm), rest(options));

/** VGG-11, with torchvision's names of parameters and initial weights. */
export const vgg11: Maker = make('A', false);
/** VGG-11 with batch normalisation, with torchvision's names of parameters and initial weights. */
export const vgg11_bn: Maker = make('A', true);
/** VGG-13, with torchvision's names of parameters and initial weights. */
export const vgg13: Maker = make('B', false);
/** VGG-13 with batch normalisation, with torchvision's names of parameters and initial weights. */
export const vgg13_bn: Maker = make('B', true);
/** VGG-16, with torchvision's names of parameters and initial weights. */
export const vgg16: Maker = make('D', false);
/** VGG-16 with batch normalisation, with torchvision's names of parameters and initial weights. */
export const vgg16_bn: Maker = make('D', true);
/** VGG-19, with torchvision's names of parameters and initial weights. */
export const vgg19: Maker = make('E', false);
/** VGG-19 with batch normalisation, with torchvision's names of parameters and initial weights. */
export const vgg19_bn: Maker = make('E', true);
