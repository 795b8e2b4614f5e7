// Activations: modules around the functions of functional/activation.ts.

import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import * as F from '../functional/index.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import { bind, type Call, type Factory, type FactoryArgs, fields, parameter, py } from './arguments.js';
import { Module } from './module.js';

interface InPlace {
  /** Write the result to the input's memory. */
  inplace?: boolean;
}
type InPlaceArgs = Call<[], [inplace: boolean], InPlace>;

/** An activation without parameters but `inplace`. */
abstract class InPlaceActivation extends Module {
  inplace: boolean;
  constructor(...args: InPlaceArgs) {
    super();
    [this.inplace] = bind(new.target.name, 'bool inplace=False', args) as [boolean];
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** Takes and ignores any constructor arguments, as PyTorch's activations without parameters do. */
abstract class PlainActivation extends Module {
  constructor(..._args: readonly unknown[]) {
    super();
  }
  abstract override forward(input: Tensor): Tensor;
}

/** The tail of an extra_repr. */
const inplaceText = (m: { inplace: boolean }): string => (m.inplace ? ', inplace=True' : '');

/** `max(0, x)`. */
export class ReLU extends InPlaceActivation {
  override forward(input: Tensor): Tensor {
    return F.relu(input, this.inplace);
  }
}

/** Elements limited to [min_val, max_val]. */
export class Hardtanh extends Module {
  min_val: number;
  max_val: number;
  inplace: boolean;
  constructor(
    ...args: Call<
      [],
      [min_val: number, max_val: number, inplace: boolean],
      { min_val?: number; max_val?: number; inplace?: boolean; min_value?: number; max_value?: number }
    >
  ) {
    super();
    const [low, high, inplace, minValue, maxValue] = bind(
      'Hardtanh',
      'float min_val=-1, float max_val=1, bool inplace=False, float? min_value=None, float? max_value=None',
      args,
    ) as [number, number, boolean, number | null, number | null];
    this.min_val = minValue ?? low;
    this.max_val = maxValue ?? high;
    this.inplace = inplace;
    if (this.max_val <= this.min_val)
      throw new RangeError(
        `max_val must be greater than min_val, got min_val=${py(this.min_val)}, max_val=${py(this.max_val)}`,
      );
  }
  forward(input: Tensor): Tensor {
    return F.hardtanh(input, this.min_val, this.max_val, this.inplace);
  }
  override extra_repr(): string {
    return `min_val=${py(this.min_val, -1)}, max_val=${py(this.max_val, 1)}${inplaceText(this)}`;
  }
}

/** `min(max(0, x), 6)`. */
export class ReLU6 extends Hardtanh {
  constructor(...args: InPlaceArgs) {
    super(0, 6, (bind('ReLU6', 'bool inplace=False', args) as [boolean])[0]);
  }
  override extra_repr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** Logistic function. */
export class Sigmoid extends PlainActivation {
  override forward(input: Tensor): Tensor {
    return F.sigmoid(input);
  }
}

/** Hyperbolic tangent. */
export class Tanh extends PlainActivation {
  override forward(input: Tensor): Tensor {
    return F.tanh(input);
  }
}

/** `min(max(x + 3, 0), 6) / 6`. */
export class Hardsigmoid extends InPlaceActivation {
  override forward(input: Tensor): Tensor {
    return F.hardsigmoid(input, this.inplace);
  }
  override extra_repr(): string {
    return '';
  }
}

/** `x * hardsigmoid(x)`. */
export class Hardswish extends InPlaceActivation {
  override forward(input: Tensor): Tensor {
    return F.hardswish(input, this.inplace);
  }
  override extra_repr(): string {
    return '';
  }
}

/** `x * sigmoid(x)`. */
export class SiLU extends InPlaceActivation {
  override forward(input: Tensor): Tensor {
    return F.silu(input, this.inplace);
  }
}

/** `x * tanh(softplus(x))`. */
export class Mish extends InPlaceActivation {
  override forward(input: Tensor): Tensor {
    return F.mish(input, this.inplace);
  }
}

/** Scaled exponential linear unit. */
export class SELU extends InPlaceActivation {
  override forward(input: Tensor): Tensor {
    return F.selu(input, this.inplace);
  }
}

type AlphaArgs = Call<[], [alpha: number, inplace: boolean], { alpha?: number; inplace?: boolean }>;

abstract class AlphaActivation extends Module {
  alpha: number;
  inplace: boolean;
  constructor(...args: AlphaArgs) {
    super();
    [this.alpha, this.inplace] = bind(new.target.name, 'float alpha=1, bool inplace=False', args) as [
      number,
      boolean,
    ];
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return `alpha=${py(this.alpha, 1)}${inplaceText(this)}`;
  }
}

/** x above 0, `alpha * (exp(x) - 1)` below. */
export class ELU extends AlphaActivation {
  override forward(input: Tensor): Tensor {
    return F.elu(input, this.alpha, this.inplace);
  }
}

/** `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`. */
export class CELU extends AlphaActivation {
  override forward(input: Tensor): Tensor {
    return F.celu(input, this.alpha, this.inplace);
  }
}

/** Gaussian error linear unit. */
export class GELU extends Module {
  approximate: 'none' | 'tanh';
  constructor(...args: Call<[], [approximate: 'none' | 'tanh'], { approximate?: 'none' | 'tanh' }>) {
    super();
    [this.approximate] = bind('GELU', "str approximate='none'", args) as ['none' | 'tanh'];
  }
  forward(input: Tensor): Tensor {
    return F.gelu(input, { approximate: this.approximate });
  }
  override extra_repr(): string {
    return `approximate='${this.approximate}'`;
  }
}

abstract class ShrinkActivation extends Module {
  lambd: number;
  constructor(...args: Call<[], [lambd: number], { lambd?: number }>) {
    super();
    [this.lambd] = bind(new.target.name, 'float lambd=0.5', args) as [number];
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return py(this.lambd);
  }
}

/** x outside of [-lambd, lambd], 0 within. */
export class Hardshrink extends ShrinkActivation {
  override forward(input: Tensor): Tensor {
    return F.hardshrink(input, this.lambd);
  }
}

/** Elements moved `lambd` towards 0. */
export class Softshrink extends ShrinkActivation {
  override forward(input: Tensor): Tensor {
    return F.softshrink(input, this.lambd);
  }
}

/** x above 0, `negative_slope * x` below. */
export class LeakyReLU extends Module {
  negative_slope: number;
  inplace: boolean;
  constructor(
    ...args: Call<
      [],
      [negative_slope: number, inplace: boolean],
      { negative_slope?: number; inplace?: boolean }
    >
  ) {
    super();
    [this.negative_slope, this.inplace] = bind(
      'LeakyReLU',
      'float negative_slope=0.01, bool inplace=False',
      args,
    ) as [number, boolean];
  }
  forward(input: Tensor): Tensor {
    return F.leaky_relu(input, this.negative_slope, this.inplace);
  }
  override extra_repr(): string {
    return `negative_slope=${py(this.negative_slope)}${inplaceText(this)}`;
  }
}

/** `log(sigmoid(x))`. */
export class LogSigmoid extends PlainActivation {
  override forward(input: Tensor): Tensor {
    return F.logsigmoid(input);
  }
}

/** `log(1 + exp(beta * x)) / beta`; x itself where `beta * x > threshold`. */
export class Softplus extends Module {
  beta: number;
  threshold: number;
  constructor(...args: Call<[], [beta: number, threshold: number], { beta?: number; threshold?: number }>) {
    super();
    [this.beta, this.threshold] = bind('Softplus', 'float beta=1, float threshold=20', args) as [
      number,
      number,
    ];
  }
  forward(input: Tensor): Tensor {
    return F.softplus(input, this.beta, this.threshold);
  }
  override extra_repr(): string {
    return `beta=${py(this.beta, 1)}, threshold=${py(this.threshold, 20)}`;
  }
}

/** `x / (1 + |x|)`. */
export class Softsign extends PlainActivation {
  override forward(input: Tensor): Tensor {
    return F.softsign(input);
  }
}

/** `x - tanh(x)`. */
export class Tanhshrink extends PlainActivation {
  override forward(input: Tensor): Tensor {
    return F.tanhshrink(input);
  }
}

/** x above the threshold, `value` elsewhere. */
export class Threshold extends Module {
  threshold: number;
  value: number;
  inplace: boolean;
  constructor(
    ...args: Call<
      [threshold: number, value: number],
      [inplace: boolean],
      { threshold: number; value: number; inplace?: boolean }
    >
  ) {
    super();
    [this.threshold, this.value, this.inplace] = bind(
      'Threshold',
      'float threshold, float value, bool inplace=False',
      args,
    ) as [number, number, boolean];
  }
  forward(input: Tensor): Tensor {
    return F.threshold(input, this.threshold, this.value, this.inplace);
  }
  override extra_repr(): string {
    return `threshold=${py(this.threshold)}, value=${py(this.value)}${inplaceText(this)}`;
  }
}

/** `max(0, x) + weight * min(0, x)`, with one learned slope for all channels or one for each. */
export class PReLU extends Module {
  num_parameters: number;
  init: number;
  weight: Parameter;
  constructor(
    ...args: Call<
      [],
      [num_parameters: number, init: number, ...FactoryArgs],
      Factory & { num_parameters?: number; init?: number }
    >
  ) {
    super();
    const [count, start, device, dtype] = bind(
      'PReLU',
      'int num_parameters=1, float init=0.25, device? device=None, dtype? dtype=None',
      args,
    ) as [number, number, DeviceLike | null, DType | null];
    this.num_parameters = count;
    this.init = start;
    this.weight = parameter([count], device, dtype);
    this.reset_parameters();
  }
  reset_parameters(): void {
    init.constant_(this.weight, this.init);
  }
  forward(input: Tensor): Tensor {
    return F.prelu(input, this.weight);
  }
  override extra_repr(): string {
    return fields(this, 'num_parameters');
  }
}

/** Leaky ReLU whose slope is drawn for every element in training, and fixed to the mean otherwise. */
export class RReLU extends Module {
  lower: number;
  upper: number;
  inplace: boolean;
  constructor(
    ...args: Call<
      [],
      [lower: number, upper: number, inplace: boolean],
      { lower?: number; upper?: number; inplace?: boolean }
    >
  ) {
    super();
    [this.lower, this.upper, this.inplace] = bind(
      'RReLU',
      'float lower=0.125, float upper=0.3333333333333333, bool inplace=False',
      args,
    ) as [number, number, boolean];
  }
  forward(input: Tensor): Tensor {
    return F.rrelu(input, this.lower, this.upper, this.training, this.inplace);
  }
  override extra_repr(): string {
    return `lower=${py(this.lower)}, upper=${py(this.upper)}${inplaceText(this)}`;
  }
}

/** `a * sigmoid(b)` of the halves of a dimension. */
export class GLU extends Module {
  dim: number;
  constructor(...args: Call<[], [dim: number], { dim?: number }>) {
    super();
    [this.dim] = bind('GLU', 'int dim=-1', args) as [number];
  }
  forward(input: Tensor): Tensor {
    return F.glu(input, this.dim);
  }
  override extra_repr(): string {
    return fields(this, 'dim');
  }
}

type DimArgs = Call<[], [dim: number | null], { dim?: number | null }>;

abstract class SoftmaxActivation extends Module {
  dim: number | null;
  constructor(...args: DimArgs) {
    super();
    [this.dim] = bind(new.target.name, 'int? dim=None', args) as [number | null];
  }
  abstract override forward(input: Tensor): Tensor;
  override extra_repr(): string {
    return `dim=${py(this.dim)}`;
  }
}

/** `exp(x) / sum(exp(x))` along a dimension. */
export class Softmax extends SoftmaxActivation {
  override forward(input: Tensor): Tensor {
    return F.softmax(input, this.dim);
  }
}

/** The logarithm of softmax. */
export class LogSoftmax extends SoftmaxActivation {
  override forward(input: Tensor): Tensor {
    return F.log_softmax(input, this.dim);
  }
}

/** The softmax of the negated input. */
export class Softmin extends SoftmaxActivation {
  override forward(input: Tensor): Tensor {
    return F.softmin(input, this.dim);
  }
}

/** Softmax over the channels of [N, C, H, W] or [C, H, W]. */
export class Softmax2d extends PlainActivation {
  override forward(input: Tensor): Tensor {
    if (input.shape.length !== 3 && input.shape.length !== 4)
      throw new ValueError(`Softmax2d: expected input to be 3D or 4D, got ${input.shape.length}D instead`);
    return F.softmax(input, -3);
  }
}
