// ConvNeXt (Liu et al., 2022), with torchvision's parameter names.
import * as nn from '../../nn/index.js';
import { full } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import { Conv2dNormActivation, type NormLayer, Permute, StochasticDepth } from '../ops/misc.js';
import { type ModelOptions, rest } from './common.js';

/** Layer normalisation of the channels of [N, C, H, W]. */
export class LayerNorm2d extends nn.LayerNorm {
  override forward(x: Tensor): Tensor {
    return super.forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2);
  }
}

class CNBlock extends nn.Module {
  readonly layer_scale: nn.Parameter;
  readonly block: nn.Sequential;
  readonly stochastic_depth: StochasticDepth;
  constructor(dim: number, layer_scale: number, drop: number) {
    super();
    this.block = new nn.Sequential(
      new nn.Conv2d(dim, dim, 7, 1, 3, { groups: dim, bias: true }),
      new Permute([0, 2, 3, 1]),
      new nn.LayerNorm(dim, { eps: 1e-6 }),
      new nn.Linear(dim, 4 * dim),
      new nn.GELU(),
      new nn.Linear(4 * dim, dim),
      new Permute([0, 3, 1, 2]),
    );
    this.layer_scale = new nn.Parameter(full([dim, 1, 1], layer_scale));
    this.stochastic_depth = new StochasticDepth(drop, 'row');
  }
  forward(x: Tensor): Tensor {
    return this.stochastic_depth(this.layer_scale.mul(this.block(x))).add(x);
  }
}

export interface ConvNeXtOptions {
  num_classes?: number;
  stochastic_depth_prob?: number;
  /** Where the factors of the blocks start. */
  layer_scale?: number;
}

/** A stage: channels, channels of the next stage (null for the last), blocks. */
type Stage = readonly [channels: number, next: number | null, blocks: number];

/** Images [N, 3, H, W] to scores [N, classes]. */
export class ConvNeXt extends nn.Module {
  readonly features: nn.Sequential;
  readonly avgpool: nn.AdaptiveAvgPool2d;
  readonly classifier: nn.Sequential;
  constructor(stages: readonly Stage[], options: ConvNeXtOptions = {}) {
    super();
    const { num_classes = 1000, stochastic_depth_prob = 0, layer_scale = 1e-6 } = options;
    const norm_layer: NormLayer = (n) => new LayerNorm2d(n, { eps: 1e-6 });
    const layers: nn.Module[] = [
      new Conv2dNormActivation(3, stages[0][0], {
        kernel_size: 4,
        stride: 4,
        padding: 0,
        norm_layer,
        activation_layer: null,
        bias: true,
      }),
    ];
    const total = stages.reduce((n, [, , blocks]) => n + blocks, 0);
    let id = 0;
    for (const [channels, next, blocks] of stages) {
      const stage: nn.Module[] = [];
      for (let i = 0; i < blocks; i++)
        stage.push(new CNBlock(channels, layer_scale, (stochastic_depth_prob * id++) / (total - 1)));
      layers.push(new nn.Sequential(...stage));
      if (next !== null)
        layers.push(new nn.Sequential(norm_layer(channels), new nn.Conv2d(channels, next, 2, 2)));
    }
    this.features = new nn.Sequential(...layers);
    this.avgpool = new nn.AdaptiveAvgPool2d(1);
    const last = stages[stages.length - 1];
    const channels = last[1] ?? last[0];
    this.classifier = new nn.Sequential(
      norm_layer(channels),
      new nn.Flatten(1),
      new nn.Linear(channels, num_classes),
    );
    for (const m of this.modules())
      if (m instanceof nn.Conv2d || m instanceof nn.Linear) {
        nn.init.trunc_normal_(m.weight, { std: 0.02 });
        if (m.bias !== null) nn.init.zeros_(m.bias);
      }
  }
  forward(x: Tensor): Tensor {
    return this.classifier(this.avgpool(this.features(x)));
  }
}

type Maker = (options?: ModelOptions & ConvNeXtOptions) => ConvNeXt;
const make =
  (width: number, middle: number, stochastic_depth_prob: number): Maker =>
  (options = {}) =>
    new ConvNeXt(
      [
        [width, 2 * width, 3],
        [2 * width, 4 * width, 3],
        [4 * width, 8 * width, middle],
        [8 * width, null, 3],
      ],
      { stochastic_depth_prob, ...rest(options) },
    );

/** ConvNeXt tiny, with torchvision's names of parameters and initial weights. */
export const convnext_tiny: Maker = make(96, 9, 0.1);
/** ConvNeXt small, with torchvision's names of parameters and initial weights. */
export const convnext_small: Maker = make(96, 27, 0.4);
/** ConvNeXt base, with torchvision's names of parameters and initial weights. */
export const convnext_base: Maker = make(128, 27, 0.5);
/** ConvNeXt large, with torchvision's names of parameters and initial weights. */
export const convnext_large: Maker = make(192, 27, 0.5);
