// Normalisation without running statistics.
import type { DeviceLike } from '../../device.js';
import type { DType } from '../../dtype.js';
import { ValueError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import * as F from '../functional/norm.js';
import * as init from '../init.js';
import type { Parameter } from '../parameter.js';
import {
  bind,
  type Call,
  type Factory,
  type FactoryArgs,
  parameter,
  py,
  type Size,
  tuple,
} from './arguments.js';
import { Module } from './module.js';

type Where = [DeviceLike | null, DType | null];

export interface LayerNormOptions extends Factory {
  normalized_shape: Size;
  /** Added to the variance. */
  eps?: number;
  /** Learn a factor and a shift per element. */
  elementwise_affine?: boolean;
  bias?: boolean;
}

/** Normalises over the last dimensions, whose sizes are `normalized_shape` (Ba et al., 2016). */
export class LayerNorm extends Module {
  normalized_shape: readonly number[];
  eps: number;
  elementwise_affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  constructor(
    ...args: Call<
      [normalized_shape: Size],
      [eps: number, elementwise_affine: boolean, bias: boolean, ...FactoryArgs],
      LayerNormOptions
    >
  ) {
    super();
    const [shape, eps, affine, bias, device, dtype] = bind(
      'LayerNorm',
      'int[1] normalized_shape, float eps=1e-5, bool elementwise_affine=True, bool bias=True, device? device=None, dtype? dtype=None',
      args,
    ) as [Size, number, boolean, boolean, ...Where];
    this.normalized_shape = tuple(shape, 1);
    this.eps = eps;
    this.elementwise_affine = affine;
    this.weight = affine ? parameter(this.normalized_shape, device, dtype) : null;
    this.bias = affine && bias ? parameter(this.normalized_shape, device, dtype) : null;
    this.reset_parameters();
  }
  reset_parameters(): void {
    if (this.weight !== null) init.ones_(this.weight);
    if (this.bias !== null) init.zeros_(this.bias);
  }
  forward(input: Tensor): Tensor {
    return F.layer_norm(input, this.normalized_shape, this.weight, this.bias, this.eps);
  }
  override extra_repr(): string {
    return `${py(this.normalized_shape)}, eps=${py(this.eps)}, elementwise_affine=${py(this.elementwise_affine)}, bias=${py(this.bias !== null)}`;
  }
}

/** Divides by the root mean square over the last dimensions (Zhang and Sennrich, 2019). */
export class RMSNorm extends Module {
  normalized_shape: readonly number[];
  eps: number | null;
  elementwise_affine: boolean;
  weight: Parameter | null;
  constructor(
    ...args: Call<
      [normalized_shape: Size],
      [eps: number | null, elementwise_affine: boolean, ...FactoryArgs],
      Factory & { normalized_shape: Size; eps?: number | null; elementwise_affine?: boolean }
    >
  ) {
    super();
    const [shape, eps, affine, device, dtype] = bind(
      'RMSNorm',
      'int[1] normalized_shape, float? eps=None, bool elementwise_affine=True, device? device=None, dtype? dtype=None',
      args,
    ) as [Size, number | null, boolean, ...Where];
    this.normalized_shape = tuple(shape, 1);
    this.eps = eps;
    this.elementwise_affine = affine;
    this.weight = affine ? parameter(this.normalized_shape, device, dtype) : null;
    this.reset_parameters();
  }
  reset_parameters(): void {
    if (this.weight !== null) init.ones_(this.weight);
  }
  forward(input: Tensor): Tensor {
    return F.rms_norm(input, this.normalized_shape, this.weight, this.eps);
  }
  override extra_repr(): string {
    return `${py(this.normalized_shape)}, eps=${py(this.eps)}, elementwise_affine=${py(this.elementwise_affine)}`;
  }
}

export interface GroupNormOptions extends Factory {
  num_groups: number;
  num_channels: number;
  eps?: number;
  affine?: boolean;
  bias?: boolean;
}

/** Normalises over groups of the channels of [N, C, *] (Wu and He, 2018). */
export class GroupNorm extends Module {
  num_groups: number;
  num_channels: number;
  eps: number;
  affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  constructor(
    ...args: Call<
      [num_groups: number, num_channels: number],
      [eps: number, affine: boolean, ...FactoryArgs],
      GroupNormOptions
    >
  ) {
    super();
    const [groups, channels, eps, affine, device, dtype, bias] = bind(
      'GroupNorm',
      'int num_groups, int num_channels, float eps=1e-5, bool affine=True, device? device=None, dtype? dtype=None, *, bool bias=True',
      args,
    ) as [number, number, number, boolean, ...Where, boolean];
    if (channels % groups !== 0)
      throw new ValueError(`num_channels (${channels}) must be divisible by num_groups (${groups})`);
    this.num_groups = groups;
    this.num_channels = channels;
    this.eps = eps;
    this.affine = affine;
    this.weight = affine ? parameter([channels], device, dtype) : null;
    this.bias = affine && bias ? parameter([channels], device, dtype) : null;
    this.reset_parameters();
  }
  reset_parameters(): void {
    if (this.weight !== null) init.ones_(this.weight);
    if (this.bias !== null) init.zeros_(this.bias);
  }
  forward(input: Tensor): Tensor {
    return F.group_norm(input, this.num_groups, this.weight, this.bias, this.eps);
  }
  override extra_repr(): string {
    return `${this.num_groups}, ${this.num_channels}, eps=${py(this.eps)}, affine=${py(this.affine)}, bias=${py(this.bias !== null)}`;
  }
}

/** Divides by the sum of squares of neighbouring channels (Krizhevsky et al., 2012). */
export class LocalResponseNorm extends Module {
  size: number;
  alpha: number;
  beta: number;
  k: number;
  constructor(
    ...args: Call<
      [size: number],
      [alpha: number, beta: number, k: number],
      { size: number; alpha?: number; beta?: number; k?: number }
    >
  ) {
    super();
    [this.size, this.alpha, this.beta, this.k] = bind(
      'LocalResponseNorm',
      'int size, float alpha=0.0001, float beta=0.75, float k=1',
      args,
    ) as [number, number, number, number];
  }
  forward(input: Tensor): Tensor {
    return F.local_response_norm(input, this.size, this.alpha, this.beta, this.k);
  }
  override extra_repr(): string {
    return `${this.size}, alpha=${py(this.alpha)}, beta=${py(this.beta)}, k=${py(this.k, 1)}`;
  }
}
