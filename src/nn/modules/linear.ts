// Affine maps.

import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { bilinear, linear } from '../functional/index.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import { bind, type Call, type Factory, type FactoryArgs, parameter } from './arguments.js';
import { becomeOnFirstCall, UninitializedParameter } from './lazy.js';
import { Module } from './module.js';

/** Passes its input on; takes and ignores any constructor arguments. */
export class Identity extends Module {
  constructor(..._args: readonly unknown[]) {
    super();
  }
  forward(input: Tensor): Tensor {
    return input;
  }
}

export interface LinearOptions extends Factory {
  in_features: number;
  out_features: number;
  bias?: boolean;
}

type LinearArgs = Call<
  [in_features: number, out_features: number],
  [bias: boolean, ...FactoryArgs],
  LinearOptions
>;
type LinearBound = [number, number, boolean, DeviceLike | null, DType | null];
const LINEAR = 'int in_features, int out_features, bool bias=True, device? device=None, dtype? dtype=None';

/** `input @ weight^T + bias`: input [*, in_features], result [*, out_features], weight [out_features, in_features]. */
export class Linear extends Module {
  in_features: number;
  out_features: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(...args: LinearArgs) {
    super();
    const [inFeatures, outFeatures, bias, device, dtype] = bind('Linear', LINEAR, args) as LinearBound;
    this.in_features = inFeatures;
    this.out_features = outFeatures;
    this.weight = parameter([outFeatures, inFeatures], device, dtype);
    this.bias = bias ? parameter([outFeatures], device, dtype) : null;
    this.reset_parameters();
  }
  /** Uniform on ±1/sqrt(in_features), weight and bias. */
  reset_parameters(): void {
    init.kaiming_uniform_(this.weight, Math.sqrt(5));
    if (this.bias === null) return;
    const [fanIn] = init._calculate_fan_in_and_fan_out(this.weight);
    const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
    init.uniform_(this.bias, -bound, bound);
  }
  override _forwardNames(): readonly string[] {
    return ['input'];
  }
  forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }
  override extra_repr(): string {
    return `in_features=${this.in_features}, out_features=${this.out_features}, bias=${this.bias === null ? 'False' : 'True'}`;
  }
}

/** A Linear that is about to be part of a larger one. Same as {@link Linear}. */
export class NonDynamicallyQuantizableLinear extends Linear {}

export interface BilinearOptions extends Factory {
  in1_features: number;
  in2_features: number;
  out_features: number;
  bias?: boolean;
}

type BilinearArgs = Call<
  [in1_features: number, in2_features: number, out_features: number],
  [bias: boolean, ...FactoryArgs],
  BilinearOptions
>;

/** `x1^T A x2 + b`: inputs [*, in1] and [*, in2], result [*, out], weight [out, in1, in2]. */
export class Bilinear extends Module {
  in1_features: number;
  in2_features: number;
  out_features: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(...args: BilinearArgs) {
    super();
    const [in1, in2, out, bias, device, dtype] = bind(
      'Bilinear',
      'int in1_features, int in2_features, int out_features, bool bias=True, device? device=None, dtype? dtype=None',
      args,
    ) as [number, number, ...(LinearBound extends [number, ...infer R] ? R : never)];
    if (in1 <= 0) throw new ValueError(`in1_features must be > 0, but got ${in1}`);
    this.in1_features = in1;
    this.in2_features = in2;
    this.out_features = out;
    this.weight = parameter([out, in1, in2], device, dtype);
    this.bias = bias ? parameter([out], device, dtype) : null;
    this.reset_parameters();
  }
  reset_parameters(): void {
    const bound = 1 / Math.sqrt(this.weight.shape[1]);
    init.uniform_(this.weight, -bound, bound);
    if (this.bias !== null) init.uniform_(this.bias, -bound, bound);
  }
  override _forwardNames(): readonly string[] {
    return ['input1', 'input2'];
  }
  forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear(input1, input2, this.weight, this.bias);
  }
  override extra_repr(): string {
    return `in1_features=${this.in1_features}, in2_features=${this.in2_features}, out_features=${this.out_features}, bias=${this.bias === null ? 'False' : 'True'}`;
  }
}

type LazyLinearArgs = Call<
  [out_features: number],
  [bias: boolean, ...FactoryArgs],
  Omit<LinearOptions, 'in_features'>
>;

/** A Linear that learns `in_features` from its first input, and then is one. */
export class LazyLinear extends Linear {
  constructor(...args: LazyLinearArgs) {
    const [outFeatures, bias, device, dtype] = bind(
      'LazyLinear',
      LINEAR.slice(LINEAR.indexOf('int out')),
      args,
    ) as [number, boolean, DeviceLike | null, DType | null];
    super(0, 0, false, device, dtype);
    this.weight = new UninitializedParameter(device, dtype);
    this.out_features = outFeatures;
    if (bias) this.bias = new UninitializedParameter(device, dtype);
    becomeOnFirstCall(
      this,
      Linear,
      (input) => {
        this.in_features = input.shape[input.shape.length - 1];
        (this.weight as UninitializedParameter).materialize([outFeatures, this.in_features]);
        (this.bias as UninitializedParameter | null)?.materialize([outFeatures]);
        this.reset_parameters();
      },
      () => {
        this.in_features = this.weight.shape[1];
      },
    );
  }
}
