// torch.nn.utils.fusion: batch normalisation as part of the layer before it.
import { ValueError } from '../../errors.js';
import { ones_like, rsqrt, zeros_like } from '../../ops/table.js';
import type { Tensor } from '../../tensor.js';
import type { BatchNorm } from '../modules/batchnorm.js';
import { deepcopy } from '../modules/deepcopy.js';
import type { Linear } from '../modules/linear.js';
import type { Module } from '../modules/module.js';
import { Parameter } from '../parameter.js';

type Weighted = Module & { weight: Tensor; bias: Tensor | null };

function statistics(layer: Module, bn: BatchNorm): [mean: Tensor, variance: Tensor] {
  if (layer.training || bn.training) throw new ValueError('Fusion only for eval!');
  if (bn.running_mean === null || bn.running_var === null)
    throw new ValueError('bn.running_mean and bn.running_var must not be None');
  return [bn.running_mean, bn.running_var];
}

/**
 * A new convolution that does what `conv` followed by `bn` does. Both must be in evaluation mode.
 * @param transpose the convolution is a transposed one.
 */
export function fuse_conv_bn_eval<C extends Weighted>(conv: C, bn: BatchNorm, transpose = false): C {
  const [mean, variance] = statistics(conv, bn);
  const fused = deepcopy(conv);
  const [weight, bias] = fuse_conv_bn_weights(
    fused.weight,
    fused.bias,
    mean,
    variance,
    bn.eps,
    bn.weight,
    bn.bias,
    transpose,
  );
  return Object.assign(fused, { weight, bias });
}

/** Weight and bias of a convolution with the batch normalisation that follows it. */
export function fuse_conv_bn_weights(
  conv_w: Tensor,
  conv_b: Tensor | null,
  bn_rm: Tensor,
  bn_rv: Tensor,
  bn_eps: number,
  bn_w: Tensor | null,
  bn_b: Tensor | null,
  transpose = false,
): [weight: Parameter, bias: Parameter] {
  const bias = conv_b ?? zeros_like(bn_rm);
  const scale = (bn_w ?? ones_like(bn_rm)).mul(rsqrt(bn_rv.add(bn_eps)));
  const shape = conv_w.shape.map((_, i) => (i === (transpose ? 1 : 0) ? -1 : 1));
  const shifted = bias
    .sub(bn_rm)
    .mul(scale)
    .add(bn_b ?? zeros_like(bn_rm));
  return [
    new Parameter(conv_w.mul(scale.reshape(shape)).to(conv_w.dtype).detach(), conv_w.requires_grad),
    new Parameter(shifted.to((conv_b ?? conv_w).dtype).detach(), bias.requires_grad),
  ];
}

/** A new linear layer that does what `linear` followed by `bn` does. Both must be in evaluation mode. */
export function fuse_linear_bn_eval(linear: Linear, bn: BatchNorm): Linear {
  const [mean, variance] = statistics(linear, bn);
  if (linear.out_features !== bn.num_features && bn.num_features !== 1)
    throw new ValueError(
      `To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features=${linear.out_features} and bn.num_features=${bn.num_features}`,
    );
  const fused = deepcopy(linear);
  const [weight, bias] = fuse_linear_bn_weights(
    fused.weight,
    fused.bias,
    mean,
    variance,
    bn.eps,
    bn.weight ?? ones_like(mean),
    bn.bias ?? zeros_like(mean),
  );
  return Object.assign(fused, { weight, bias });
}

/** Weight and bias of a linear layer with the batch normalisation that follows it. */
export function fuse_linear_bn_weights(
  linear_w: Tensor,
  linear_b: Tensor | null,
  bn_rm: Tensor,
  bn_rv: Tensor,
  bn_eps: number,
  bn_w: Tensor,
  bn_b: Tensor,
): [weight: Parameter, bias: Parameter] {
  const bias = linear_b ?? zeros_like(bn_rm);
  const scale = bn_w.mul(rsqrt(bn_rv.add(bn_eps)));
  const weight = linear_w.mul(scale.unsqueeze(-1).to(linear_w.dtype));
  const shifted = bias.sub(bn_rm).mul(scale).add(bn_b);
  return [
    new Parameter(weight.detach(), linear_w.requires_grad),
    new Parameter(shifted.to((linear_b ?? linear_w).dtype).detach(), bias.requires_grad),
  ];
}
