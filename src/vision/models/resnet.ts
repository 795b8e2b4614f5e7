// ResNet (He et al., 2015), ResNeXt (Xie et al., 2017) and Wide ResNet (Zagoruyko and Komodakis, 2016), with
// torchvision's parameter names: its checkpoints load. The stride of a bottleneck lies in its 3 × 3 convolution.
import { NotImplementedError, ValueError } from '../../errors.js';
import * as nn from '../../nn/index.js';
import type { Tensor } from '../../tensor.js';
import { call, type NormLayer } from '../ops/misc.js';
import { type ModelOptions, rest } from './common.js';

const conv3x3 = (from: number, to: number, stride = 1, groups = 1, dilation = 1): nn.Conv2d =>
  new nn.Conv2d(from, to, 3, stride, dilation, { groups, bias: false, dilation });
const conv1x1 = (from: number, to: number, stride = 1): nn.Conv2d =>
  new nn.Conv2d(from, to, 1, stride, { bias: false });

/** Settings of a block. */
export interface BlockOptions {
  stride?: number;
  downsample?: nn.Module | null;
  groups?: number;
  base_width?: number;
  dilation?: number;
  norm_layer?: NormLayer;
}

const batchNorm: NormLayer = (n) => new nn.BatchNorm2d(n);

/** Two 3 × 3 convolutions beside a shortcut. */
export class BasicBlock extends nn.Module {
  static readonly expansion: number = 1;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly relu: nn.ReLU;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.Module;
  readonly downsample: nn.Module | null;
  constructor(inplanes: number, planes: number, options: BlockOptions = {}) {
    super();
    const {
      stride = 1,
      downsample = null,
      groups = 1,
      base_width = 64,
      dilation = 1,
      norm_layer = batchNorm,
    } = options;
    if (groups !== 1 || base_width !== 64)
      throw new ValueError('BasicBlock only supports groups=1 and base_width=64');
    if (dilation > 1) throw new NotImplementedError('Dilation > 1 not supported in BasicBlock');
    this.conv1 = conv3x3(inplanes, planes, stride);
    this.bn1 = norm_layer(planes);
    this.relu = new nn.ReLU({ inplace: true });
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = norm_layer(planes);
    this.downsample = downsample;
  }
  forward(x: Tensor): Tensor {
    const identity = this.downsample === null ? x : call(this.downsample, x);
    const inner = this.relu(call(this.bn1, this.conv1(x)));
    return this.relu(call(this.bn2, this.conv2(inner)).add(identity));
  }
}

/** Convolutions of 1 × 1, 3 × 3 and 1 × 1 beside a shortcut. */
export class Bottleneck extends nn.Module {
  static readonly expansion: number = 4;
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.Module;
  readonly conv3: nn.Conv2d;
  readonly bn3: nn.Module;
  readonly relu: nn.ReLU;
  readonly downsample: nn.Module | null;
  constructor(inplanes: number, planes: number, options: BlockOptions = {}) {
    super();
    const {
      stride = 1,
      downsample = null,
      groups = 1,
      base_width = 64,
      dilation = 1,
      norm_layer = batchNorm,
    } = options;
    const width = Math.trunc(planes * (base_width / 64)) * groups;
    this.conv1 = conv1x1(inplanes, width);
    this.bn1 = norm_layer(width);
    this.conv2 = conv3x3(width, width, stride, groups, dilation);
    this.bn2 = norm_layer(width);
    this.conv3 = conv1x1(width, planes * Bottleneck.expansion);
    this.bn3 = norm_layer(planes * Bottleneck.expansion);
    this.relu = new nn.ReLU({ inplace: true });
    this.downsample = downsample;
  }
  forward(x: Tensor): Tensor {
    const identity = this.downsample === null ? x : call(this.downsample, x);
    const first = this.relu(call(this.bn1, this.conv1(x)));
    const second = this.relu(call(this.bn2, this.conv2(first)));
    return this.relu(call(this.bn3, this.conv3(second)).add(identity));
  }
}

export interface ResNetOptions {
  num_classes?: number;
  /** Start every block as the identity: its last normalisation weighs 0. */
  zero_init_residual?: boolean;
  groups?: number;
  width_per_group?: number;
  /** Dilate the last three stages rather than halving their size. */
  replace_stride_with_dilation?: readonly [boolean, boolean, boolean] | null;
  norm_layer?: NormLayer;
}

type Block = typeof BasicBlock | typeof Bottleneck;

/** The residual network of blocks: images [N, 3, H, W] to scores [N, classes]. */
export class ResNet extends nn.Module {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly relu: nn.ReLU;
  readonly maxpool: nn.MaxPool2d;
  readonly layer1: nn.Sequential;
  readonly layer2: nn.Sequential;
  readonly layer3: nn.Sequential;
  readonly layer4: nn.Sequential;
  readonly avgpool: nn.AdaptiveAvgPool2d;
  /** The classifier: replace it to fine-tune. */
  fc: nn.Linear;

  constructor(block: Block, layers: readonly number[], options: ResNetOptions = {}) {
    super();
    const { num_classes = 1000, groups = 1, width_per_group = 64, norm_layer = batchNorm } = options;
    const dilate = options.replace_stride_with_dilation ?? [false, false, false];
    if (dilate.length !== 3)
      throw new ValueError(
        `replace_stride_with_dilation should be None or a 3-element tuple, got ${JSON.stringify(dilate)}`,
      );
    let inplanes = 64;
    let dilation = 1;
    const stage = (planes: number, blocks: number, wanted: number, dilated: boolean): nn.Sequential => {
      const previous = dilation;
      const stride = dilated ? 1 : wanted;
      if (dilated) dilation *= wanted;
      const out = planes * block.expansion;
      const downsample =
        stride !== 1 || inplanes !== out
          ? new nn.Sequential(conv1x1(inplanes, out, stride), norm_layer(out))
          : null;
      const shared = { groups, base_width: width_per_group, norm_layer };
      const list = [new block(inplanes, planes, { ...shared, stride, downsample, dilation: previous })];
      inplanes = out;
      for (let i = 1; i < blocks; i++) list.push(new block(inplanes, planes, { ...shared, dilation }));
      return new nn.Sequential(...list);
    };
    this.conv1 = new nn.Conv2d(3, 64, 7, 2, 3, { bias: false });
    this.bn1 = norm_layer(64);
    this.relu = new nn.ReLU({ inplace: true });
    this.maxpool = new nn.MaxPool2d(3, 2, 1);
    this.layer1 = stage(64, layers[0], 1, false);
    this.layer2 = stage(128, layers[1], 2, dilate[0]);
    this.layer3 = stage(256, layers[2], 2, dilate[1]);
    this.layer4 = stage(512, layers[3], 2, dilate[2]);
    this.avgpool = new nn.AdaptiveAvgPool2d([1, 1]);
    this.fc = new nn.Linear(512 * block.expansion, num_classes);
    this.start(options.zero_init_residual ?? false);
  }

  private start(zero: boolean): void {
    for (const m of this.modules()) {
      if (m instanceof nn.Conv2d)
        nn.init.kaiming_normal_(m.weight, { mode: 'fan_out', nonlinearity: 'relu' });
      else if (m instanceof nn.BatchNorm2d || m instanceof nn.GroupNorm) {
        if (m.weight !== null) nn.init.constant_(m.weight, 1);
        if (m.bias !== null) nn.init.constant_(m.bias, 0);
      }
    }
    if (!zero) return;
    for (const m of this.modules()) {
      const last = m instanceof Bottleneck ? m.bn3 : m instanceof BasicBlock ? m.bn2 : null;
      if (last instanceof nn.BatchNorm2d && last.weight !== null) nn.init.constant_(last.weight, 0);
    }
  }

  forward(x: Tensor): Tensor {
    const stem = this.maxpool(this.relu(call(this.bn1, this.conv1(x))));
    const features = this.layer4(this.layer3(this.layer2(this.layer1(stem))));
    return this.fc(this.avgpool(features).flatten(1));
  }
}

type Options = ModelOptions & ResNetOptions;
type Maker = (options?: Options) => ResNet;

const make =
  (block: Block, layers: readonly number[], more: ResNetOptions = {}): Maker =>
  (options = {}) =>
    new ResNet(block, layers, { ...more, ...rest(options) });

/** ResNet-18, with torchvision's names of parameters and initial weights. */
export const resnet18: Maker = make(BasicBlock, [2, 2, 2, 2]);
/** ResNet-34, with torchvision's names of parameters and initial weights. */
export const resnet34: Maker = make(BasicBlock, [3, 4, 6, 3]);
/** ResNet-50, with torchvision's names of parameters and initial weights. */
export const resnet50: Maker = make(Bottleneck, [3, 4, 6, 3]);
/** ResNet-101, with torchvision's names of parameters and initial weights. */
export const resnet101: Maker = make(Bottleneck, [3, 4, 23, 3]);
/** ResNet-152, with torchvision's names of parameters and initial weights. */
export const resnet152: Maker = make(Bottleneck, [3, 8, 36, 3]);
/** ResNeXt-50 (32x4d), with torchvision's names of parameters and initial weights. */
export const resnext50_32x4d: Maker = make(Bottleneck, [3, 4, 6, 3], { groups: 32, width_per_group: 4 });
/** ResNeXt-101 (32x8d), with torchvision's names of parameters and initial weights. */
export const resnext101_32x8d: Maker = make(Bottleneck, [3, 4, 23, 3], { groups: 32, width_per_group: 8 });
/** ResNeXt-101 (64x4d), with torchvision's names of parameters and initial weights. */
export const resnext101_64x4d: Maker = make(Bottleneck, [3, 4, 23, 3], { groups: 64, width_per_group: 4 });
/** Wide ResNet-50 of double width, with torchvision's names of parameters and initial weights. */
export const wide_resnet50_2: Maker = make(Bottleneck, [3, 4, 6, 3], { width_per_group: 128 });
/** Wide ResNet-101 of double width, with torchvision's names of parameters and initial weights. */
export const wide_resnet101_2: Maker = make(Bottleneck, [3, 4, 23, 3], { width_per_group: 128 });
