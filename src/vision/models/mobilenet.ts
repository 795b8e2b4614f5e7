// MobileNetV2 (Sandler et al., 2018) and MobileNetV3 (Howard et al., 2019), with torchvision's parameter names.
import { ValueError } from '../../errors.js';
import * as nn from '../../nn/index.js';
import type { Tensor } from '../../tensor.js';
import { type Activation, Conv2dNormActivation, type NormLayer, SqueezeExcitation } from '../ops/misc.js';
import { roundEven } from '../transforms/common.js';
import { initialise, type ModelOptions, makeDivisible, rest, smallLinear } from './common.js';

const relu6: Activation = (o) => new nn.ReLU6(o ?? {});
const hardswish: Activation = (o) => new nn.Hardswish(o ?? {});
const relu: Activation = (o) => new nn.ReLU(o ?? {});

/** Widens, convolves each channel, and narrows again, beside a shortcut where sizes allow. */
class InvertedResidual extends nn.Module {
  readonly conv: nn.Sequential;
  private readonly shortcut: boolean;
  constructor(from: number, to: number, stride: number, expand: number, norm_layer: NormLayer) {
    super();
    if (stride !== 1 && stride !== 2) throw new ValueError(`stride should be 1 or 2 instead of ${stride}`);
    const hidden = roundEven(from * expand);
    this.shortcut = stride === 1 && from === to;
    const layers: nn.Module[] = [];
    if (expand !== 1)
      layers.push(
        new Conv2dNormActivation(from, hidden, { kernel_size: 1, norm_layer, activation_layer: relu6 }),
      );
    layers.push(
      new Conv2dNormActivation(hidden, hidden, {
        stride,
        groups: hidden,
        norm_layer,
        activation_layer: relu6,
      }),
      new nn.Conv2d(hidden, to, 1, 1, 0, { bias: false }),
      norm_layer(to),
    );
    this.conv = new nn.Sequential(...layers);
  }
  forward(x: Tensor): Tensor {
    return this.shortcut ? x.add(this.conv(x)) : this.conv(x);
  }
}

export interface MobileNetV2Options {
  num_classes?: number;
  /** Factor of all channels. */
  width_mult?: number;
  /** Rows of expansion, channels, blocks and stride. */
  inverted_residual_setting?: readonly (readonly number[])[] | null;
  /** Channels are multiples of this. */
  round_nearest?: number;
  norm_layer?: NormLayer;
  dropout?: number;
}

const v2Setting = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** Images [N, 3, H, W] to scores [N, classes]. */
export class MobileNetV2 extends nn.Module {
  readonly last_channel: number;
  readonly features: nn.Sequential;
  readonly classifier: nn.Sequential;
  constructor(options: MobileNetV2Options = {}) {
    super();
    const { num_classes = 1000, width_mult = 1, round_nearest = 8, dropout = 0.2 } = options;
    const { norm_layer = (n) => new nn.BatchNorm2d(n) } = options;
    const setting = options.inverted_residual_setting ?? v2Setting;
    if (setting.length === 0 || setting[0].length !== 4)
      throw new ValueError('inverted_residual_setting should be non-empty or a 4-element list');
    let channels = makeDivisible(32 * width_mult, round_nearest);
    this.last_channel = makeDivisible(1280 * Math.max(1, width_mult), round_nearest);
    const shared = { norm_layer, activation_layer: relu6 };
    const features: nn.Module[] = [new Conv2dNormActivation(3, channels, { stride: 2, ...shared })];
    for (const [t, c, n, s] of setting) {
      const out = makeDivisible(c * width_mult, round_nearest);
      for (let i = 0; i < n; i++) {
        features.push(new InvertedResidual(channels, out, i === 0 ? s : 1, t, norm_layer));
        channels = out;
      }
    }
    features.push(new Conv2dNormActivation(channels, this.last_channel, { kernel_size: 1, ...shared }));
    this.features = new nn.Sequential(...features);
    this.classifier = new nn.Sequential(
      new nn.Dropout({ p: dropout }),
      new nn.Linear(this.last_channel, num_classes),
    );
    initialise(this, smallLinear);
  }
  forward(x: Tensor): Tensor {
    const pooled = nn.functional.adaptive_avg_pool2d(this.features(x), [1, 1]);
    return this.classifier(pooled.flatten(1));
  }
}

/** MobileNetV2, with torchvision's names of parameters and initial weights. */
export const mobilenet_v2 = (options: ModelOptions & MobileNetV2Options = {}): MobileNetV2 =>
  new MobileNetV2(rest(options));

/** A row of MobileNetV3: channels in, kernel, expanded and out, squeeze-excitation, hard swish, stride, dilation. */
interface V3Block {
  readonly from: number;
  readonly kernel: number;
  readonly expanded: number;
  readonly to: number;
  readonly squeeze: boolean;
  readonly hard: boolean;
  readonly stride: number;
  readonly dilation: number;
}

class InvertedResidualV3 extends nn.Module {
  readonly block: nn.Sequential;
  private readonly shortcut: boolean;
  constructor(c: V3Block, norm_layer: NormLayer) {
    super();
    this.shortcut = c.stride === 1 && c.from === c.to;
    const activation_layer = c.hard ? hardswish : relu;
    const layers: nn.Module[] = [];
    if (c.expanded !== c.from)
      layers.push(
        new Conv2dNormActivation(c.from, c.expanded, { kernel_size: 1, norm_layer, activation_layer }),
      );
    layers.push(
      new Conv2dNormActivation(c.expanded, c.expanded, {
        kernel_size: c.kernel,
        stride: c.dilation > 1 ? 1 : c.stride,
        dilation: c.dilation,
        groups: c.expanded,
        norm_layer,
        activation_layer,
      }),
    );
    if (c.squeeze)
      layers.push(
        new SqueezeExcitation(
          c.expanded,
          makeDivisible(Math.floor(c.expanded / 4), 8),
          () => new nn.ReLU(),
          () => new nn.Hardsigmoid(),
        ),
      );
    layers.push(
      new Conv2dNormActivation(c.expanded, c.to, { kernel_size: 1, norm_layer, activation_layer: null }),
    );
    this.block = new nn.Sequential(...layers);
  }
  forward(x: Tensor): Tensor {
    const result = this.block(x);
    return this.shortcut ? result.add(x) : result;
  }
}

export interface MobileNetV3Options {
  num_classes?: number;
  width_mult?: number;
  /** Half the channels at the end. */
  reduced_tail?: boolean;
  /** Dilate the last stage rather than halving its size. */
  dilated?: boolean;
  norm_layer?: NormLayer;
  dropout?: number;
}

/** Images [N, 3, H, W] to scores [N, classes]. */
export class MobileNetV3 extends nn.Module {
  readonly features: nn.Sequential;
  readonly avgpool: nn.AdaptiveAvgPool2d;
  readonly classifier: nn.Sequential;
  constructor(setting: readonly V3Block[], last_channel: number, options: MobileNetV3Options = {}) {
    super();
    const { num_classes = 1000, dropout = 0.2 } = options;
    const { norm_layer = (n) => new nn.BatchNorm2d(n, { eps: 0.001, momentum: 0.01 }) } = options;
    const shared = { norm_layer, activation_layer: hardswish };
    const last = setting[setting.length - 1].to;
    this.features = new nn.Sequential(
      new Conv2dNormActivation(3, setting[0].from, { kernel_size: 3, stride: 2, ...shared }),
      ...setting.map((c) => new InvertedResidualV3(c, norm_layer)),
      new Conv2dNormActivation(last, 6 * last, { kernel_size: 1, ...shared }),
    );
    this.avgpool = new nn.AdaptiveAvgPool2d(1);
    this.classifier = new nn.Sequential(
      new nn.Linear(6 * last, last_channel),
      new nn.Hardswish({ inplace: true }),
      new nn.Dropout({ p: dropout, inplace: true }),
      new nn.Linear(last_channel, num_classes),
    );
    initialise(this, smallLinear);
  }
  forward(x: Tensor): Tensor {
    return this.classifier(this.avgpool(this.features(x)).flatten(1));
  }
}

type Row = readonly [
  from: number,
  kernel: number,
  expanded: number,
  to: number,
  squeeze: boolean,
  activation: 'RE' | 'HS',
  stride: number,
  dilation: number,
];

/** The rows of table 1 or 2 of the paper. */
function rowsOf(large: boolean, divider: number, dilation: number): Row[] {
  if (large) {
    const [last, wide] = [160 / divider, 960 / divider];
    return [
      [16, 3, 16, 16, false, 'RE', 1, 1],
      [16, 3, 64, 24, false, 'RE', 2, 1],
      [24, 3, 72, 24, false, 'RE', 1, 1],
      [24, 5, 72, 40, true, 'RE', 2, 1],
      [40, 5, 120, 40, true, 'RE', 1, 1],
      [40, 5, 120, 40, true, 'RE', 1, 1],
      [40, 3, 240, 80, false, 'HS', 2, 1],
      [80, 3, 200, 80, false, 'HS', 1, 1],
      [80, 3, 184, 80, false, 'HS', 1, 1],
      [80, 3, 184, 80, false, 'HS', 1, 1],
      [80, 3, 480, 112, true, 'HS', 1, 1],
      [112, 3, 672, 112, true, 'HS', 1, 1],
      [112, 5, 672, last, true, 'HS', 2, dilation],
      [last, 5, wide, last, true, 'HS', 1, dilation],
      [last, 5, wide, last, true, 'HS', 1, dilation],
    ];
  }
  const [last, wide] = [96 / divider, 576 / divider];
  return [
    [16, 3, 16, 16, true, 'RE', 2, 1],
    [16, 3, 72, 24, false, 'RE', 2, 1],
    [24, 3, 88, 24, false, 'RE', 1, 1],
    [24, 5, 96, 40, true, 'HS', 2, 1],
    [40, 5, 240, 40, true, 'HS', 1, 1],
    [40, 5, 240, 40, true, 'HS', 1, 1],
    [40, 5, 120, 48, true, 'HS', 1, 1],
    [48, 5, 144, 48, true, 'HS', 1, 1],
    [48, 5, 288, last, true, 'HS', 2, dilation],
    [last, 5, wide, last, true, 'HS', 1, dilation],
    [last, 5, wide, last, true, 'HS', 1, dilation],
  ];
}

function v3(large: boolean, options: ModelOptions & MobileNetV3Options): MobileNetV3 {
  const { width_mult = 1, reduced_tail = false, dilated = false, ...others } = rest(options);
  const divider = reduced_tail ? 2 : 1;
  const scale = (n: number): number => makeDivisible(n * width_mult, 8);
  const blocks = rowsOf(large, divider, dilated ? 2 : 1).map(
    ([from, kernel, expanded, to, squeeze, activation, stride, dilation]): V3Block => ({
      from: scale(from),
      kernel,
      expanded: scale(expanded),
      to: scale(to),
      squeeze,
      hard: activation === 'HS',
      stride,
      dilation,
    }),
  );
  return new MobileNetV3(blocks, scale((large ? 1280 : 1024) / divider), others);
}

/** MobileNetV3 large, with torchvision's names of parameters and initial weights. */
export const mobilenet_v3_large = (options: ModelOptions & MobileNetV3Options = {}): MobileNetV3 =>
  v3(true, options);
/** MobileNetV3 small, with torchvision's names of parameters and initial weights. */
export const mobilenet_v3_small = (options: ModelOptions & MobileNetV3Options = {}): MobileNetV3 =>
  v3(false, options);
