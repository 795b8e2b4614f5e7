// Convolutions and transposed convolutions in one to three dimensions: windows times weights.

import { needsGrad, record } from '../../autograd/graph.js';
import { no_grad } from '../../autograd/modes.js';
import { typeName } from '../../dispatch/schema.js';
import { op } from '../../ops/define.js';
import type { Tensor } from '../../tensor.js';
import { type ConvGeometry, checkConv, isBatched, transposedImage } from './conv_checks.js';
import { conjugate, convForward, convGradInput, convGradWeight } from './convolution.js';
import type { Windows } from './windows.js';

/** One size for all dimensions, or one for each. */
export type Sizes = number | readonly number[];

function windowsOf(image: readonly number[], kernel: readonly number[], g: ConvGeometry): Windows {
  const count = image.map(
    (n, i) =>
      Math.floor((n + g.before[i] + g.after[i] - g.dilation[i] * (kernel[i] - 1) - 1) / g.stride[i]) + 1,
  );
  return { image, kernel, stride: g.stride, dilation: g.dilation, before: g.before, after: g.after, count };
}

const overSpace = (g: Tensor): number[] => g.shape.map((_, d) => d).filter((d) => d !== 1);

function convolve(x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry): Tensor {
  const w = windowsOf(x.shape.slice(2), weight.shape.slice(2), g);
  const out = no_grad(() => convForward(x, weight, bias, w, g.groups));
  if (needsGrad(x, weight, bias))
    record('ConvolutionBackward0', [x, weight, bias], [out], (save) => {
      const [input, kernel] = [save(x), save(weight)];
      const shape = weight.shape;
      return ([grad], needs) =>
        grad === null
          ? [null, null, null]
          : [
              needs(0) ? convGradInput(grad, conjugate(kernel()), null, w, g.groups) : null,
              needs(1) ? convGradWeight(grad, conjugate(input()), shape, w, g.groups) : null,
              needs(2) ? grad.sum(overSpace(grad)) : null,
            ];
    });
  return out;
}

function transposed(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  g: ConvGeometry,
  outputPadding: readonly number[],
): Tensor {
  const kernel = weight.shape.slice(2);
  const image = transposedImage(x.shape.slice(2), kernel, g, outputPadding);
  const w: Windows = {
    image,
    kernel,
    stride: g.stride,
    dilation: g.dilation,
    before: g.before,
    after: g.before,
    count: x.shape.slice(2),
  };
  const out = no_grad(() => convGradInput(x, weight, bias, w, g.groups));
  if (needsGrad(x, weight, bias))
    record('ConvolutionBackward0', [x, weight, bias], [out], (save) => {
      const [input, kernelOf] = [save(x), save(weight)];
      const shape = weight.shape;
      return ([grad], needs) =>
        grad === null
          ? [null, null, null]
          : [
              needs(0) ? convForward(grad, conjugate(kernelOf()), null, w, g.groups) : null,
              needs(1) ? convGradWeight(conjugate(input()), grad, shape, w, g.groups) : null,
              needs(2) ? grad.sum(overSpace(grad)) : null,
            ];
    });
  return out;
}

export interface ConvOptions {
  bias?: Tensor | null;
  stride?: Sizes;
  padding?: Sizes | 'same' | 'valid';
  dilation?: Sizes;
  groups?: number;
}
type ConvArgs =
  | [
      bias?: Tensor | null,
      stride?: Sizes,
      padding?: Sizes | 'same' | 'valid',
      dilation?: Sizes,
      groups?: number,
    ]
  | [bias: Tensor | null, options: ConvOptions]
  | [options: ConvOptions];
type Conv = (input: Tensor, weight: Tensor, ...args: ConvArgs) => Tensor;

function defineConv(n: number): Conv {
  const name = `conv${n}d`;
  return op(
    `nn.functional.${name}`,
    'Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, any padding=0, int[1] dilation=1, int groups=1',
    (
      x: Tensor,
      weight: Tensor,
      bias: Tensor | null,
      stride: Sizes,
      padding: Sizes | string,
      dilation: Sizes,
      groups: number,
    ) => {
      checkPadding(name, padding);
      const batched = isBatched(x, n, name);
      const input = batched ? x : x.unsqueeze(0);
      const request = { x: input, weight, bias, stride, padding, dilation, groups, outputPadding: null };
      const out = convolve(input, weight, bias, checkConv(request, n).g);
      return batched ? out : out.squeeze(0);
    },
  );
}

/** @throws TypeError for a padding that is neither a size, a list of sizes nor a word. */
function checkPadding(name: string, padding: unknown): void {
  if (typeof padding === 'string' || typeof padding === 'number') return;
  if (Array.isArray(padding) && padding.every((p) => typeof p === 'number')) return;
  throw new TypeError(
    `${name}(): argument 'padding' (position 5) must be tuple of ints or str, not ${typeName(padding)}`,
  );
}

export interface ConvTransposeOptions {
  bias?: Tensor | null;
  stride?: Sizes;
  padding?: Sizes;
  output_padding?: Sizes;
  groups?: number;
  dilation?: Sizes;
}
type ConvTransposeArgs =
  | [
      bias?: Tensor | null,
      stride?: Sizes,
      padding?: Sizes,
      output_padding?: Sizes,
      groups?: number,
      dilation?: Sizes,
    ]
  | [bias: Tensor | null, options: ConvTransposeOptions]
  | [options: ConvTransposeOptions];
type ConvTranspose = (input: Tensor, weight: Tensor, ...args: ConvTransposeArgs) => Tensor;

function defineTransposed(n: number): ConvTranspose {
  const name = `conv_transpose${n}d`;
  return op(
    `nn.functional.${name}`,
    'Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, int[1] output_padding=0, int groups=1, int[1] dilation=1',
    (
      x: Tensor,
      weight: Tensor,
      bias: Tensor | null,
      stride: Sizes,
      padding: Sizes,
      outputPadding: Sizes,
      groups: number,
      dilation: Sizes,
    ) => {
      const batched = isBatched(x, n, name);
      const input = batched ? x : x.unsqueeze(0);
      const { g, extra } = checkConv(
        { x: input, weight, bias, stride, padding, dilation, groups, outputPadding },
        n,
      );
      const out = transposed(input, weight, bias, g, extra);
      return batched ? out : out.squeeze(0);
    },
  );
}

/** Convolution of [N, C, L] (or [C, L]) with weight [O, C / groups, K]. */
export const conv1d: Conv = defineConv(1);
/**
 * Convolution of [N, C, H, W] (or [C, H, W]) with weight [O, C / groups, kH, kW].
 *
 *     F.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2))
 *     // tensor([[[[4., 4.],
 *     //           [4., 4.]]]])
 */
export const conv2d: Conv = defineConv(2);
/** Convolution of [N, C, D, H, W] (or without N) with weight [O, C / groups, kD, kH, kW]. */
export const conv3d: Conv = defineConv(3);
/** Transposed convolution of [N, C, L] with weight [C, O / groups, K]. */
export const conv_transpose1d: ConvTranspose = defineTransposed(1);
/** Transposed convolution of [N, C, H, W] with weight [C, O / groups, kH, kW]. */
export const conv_transpose2d: ConvTranspose = defineTransposed(2);
/** Transposed convolution of [N, C, D, H, W] with weight [C, O / groups, kD, kH, kW]. */
export const conv_transpose3d: ConvTranspose = defineTransposed(3);
