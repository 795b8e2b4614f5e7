// Convolutions and transposed convolutions in one to three dimensions: windows times weights.

import { needsGrad, record } from '../../autograd/graph.js';
import { no_grad } from '../../autograd/modes.js';
import { float32 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { op } from '../../ops/define.js';
import { bmm, matmul } from '../../ops/matmul.js';
import type { Tensor } from '../../tensor.js';
import { gatherWindows, product, scatterWindows, sized, type Windows } from './windows.js';

/** One size for all dimensions, or one for each. */
export type Sizes = number | readonly number[];

/** A convolution's window sizes, by spatial dimension. */
interface Geometry {
  readonly stride: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** [N, C, ...] with one group of channels as its own batch: [N * groups, C / groups, rest]. */
function grouped(x: Tensor, groups: number, rest: readonly number[]): Tensor {
  return x.reshape([x.shape[0] * groups, x.shape[1] / groups, ...rest]);
}

function windowsOf(image: readonly number[], kernel: readonly number[], g: Geometry): Windows {
  const count = image.map(
    (n, i) =>
      Math.floor((n + g.before[i] + g.after[i] - g.dilation[i] * (kernel[i] - 1) - 1) / g.stride[i]) + 1,
  );
  return { image, kernel, stride: g.stride, dilation: g.dilation, before: g.before, after: g.after, count };
}

/** Weights [O, C / groups, kernel...] as one matrix a group: [groups, O / groups, columns]. */
const weightMatrix = (w: Tensor, groups: number): Tensor =>
  w.reshape([groups, w.shape[0] / groups, product(w.shape.slice(1))]);

/** Windows of x as columns [N * groups, C / groups * kernel, L]. */
function columnsOf(x: Tensor, w: Windows, groups: number): Tensor {
  return gatherWindows(x, w).reshape([
    x.shape[0] * groups,
    (x.shape[1] / groups) * product(w.kernel),
    product(w.count),
  ]);
}

/** Applies each group's matrix [groups, m, k] to columns [N * groups, k, l]. */
function applyGroups(matrix: Tensor, columns: Tensor): Tensor {
  const [groups, m, k] = matrix.shape;
  const [batch, , l] = columns.shape;
  if (groups === 1) return matmul(matrix.select(0, 0), columns);
  return matmul(matrix, columns.reshape([batch / groups, groups, k, l])).reshape([batch, m, l]);
}

/** The convolution, by composition. */
function forward(x: Tensor, weight: Tensor, w: Windows, groups: number): Tensor {
  const out = applyGroups(weightMatrix(weight, groups), columnsOf(x, w, groups));
  return out.reshape([x.shape[0], weight.shape[0], ...w.count]);
}

/** The gradient of the input: the windows' gradients, added up. Also the transposed convolution. */
function backwardInput(grad: Tensor, weight: Tensor, w: Windows, groups: number): Tensor {
  const n = grad.shape[0];
  const columns = applyGroups(
    weightMatrix(weight, groups).transpose(1, 2),
    grouped(grad, groups, [product(w.count)]),
  );
  return scatterWindows(columns.reshape([n, weight.shape[1] * groups, ...w.kernel, ...w.count]), w);
}

/** The gradient of the weight: outputs' gradients times windows, summed over the batch. */
function backwardWeight(
  grad: Tensor,
  x: Tensor,
  shape: readonly number[],
  w: Windows,
  groups: number,
): Tensor {
  const n = x.shape[0];
  const g = grouped(grad, groups, [product(w.count)]);
  const each = bmm(g, columnsOf(x, w, groups).transpose(1, 2));
  return each
    .reshape([n, groups, shape[0] / groups, product(shape.slice(1))])
    .sum(0)
    .reshape(shape as number[]);
}

const overSpace = (g: Tensor): number[] => g.shape.map((_, d) => d).filter((d) => d !== 1);

/** x with `bias` added along dimension 1. */
const withBias = (x: Tensor, bias: Tensor | null): Tensor =>
  bias === null ? x : x.add(bias.reshape([-1, ...new Array<number>(x.shape.length - 2).fill(1)]));

function convolve(x: Tensor, weight: Tensor, bias: Tensor | null, g: Geometry): Tensor {
  const w = windowsOf(x.shape.slice(2), weight.shape.slice(2), g);
  const out = no_grad(() => withBias(forward(x, weight, w, g.groups), bias));
  if (needsGrad(x, weight, bias))
    record('ConvolutionBackward0', [x, weight, bias], [out], (save) => {
      const [input, kernel] = [save(x), save(weight)];
      const shape = weight.shape;
      return ([grad], needs) =>
        grad === null
          ? [null, null, null]
          : [
              needs(0) ? backwardInput(grad, kernel(), w, g.groups) : null,
              needs(1) ? backwardWeight(grad, input(), shape, w, g.groups) : null,
              needs(2) ? grad.sum(overSpace(grad)) : null,
            ];
    });
  return out;
}

function transposed(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  g: Geometry,
  outputPadding: readonly number[],
): Tensor {
  const kernel = weight.shape.slice(2);
  const image = x.shape
    .slice(2)
    .map(
      (n, i) =>
        (n - 1) * g.stride[i] - 2 * g.before[i] + g.dilation[i] * (kernel[i] - 1) + outputPadding[i] + 1,
    );
  const w: Windows = {
    image,
    kernel,
    stride: g.stride,
    dilation: g.dilation,
    before: g.before,
    after: g.before,
    count: x.shape.slice(2),
  };
  // Overlapping windows add up: half types do so in single precision.
  const wide = x.dtype.itemsize === 2 ? float32 : x.dtype;
  const out = no_grad(() =>
    withBias(backwardInput(x.to(wide), weight.to(wide), w, g.groups), bias?.to(wide) ?? null).to(x.dtype),
  );
  if (needsGrad(x, weight, bias))
    record('ConvolutionBackward0', [x, weight, bias], [out], (save) => {
      const [input, kernelOf] = [save(x), save(weight)];
      const shape = weight.shape;
      return ([grad], needs) =>
        grad === null
          ? [null, null, null]
          : [
              needs(0) ? forward(grad, kernelOf(), w, g.groups) : null,
              needs(1) ? backwardWeight(input(), grad, shape, w, g.groups) : null,
              needs(2) ? grad.sum(overSpace(grad)) : null,
            ];
    });
  return out;
}

/** 'same' splits what keeps the size; 'valid' is no padding. */
function paddingOf(
  padding: Sizes | string,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): [number[], number[]] {
  const n = kernel.length;
  if (padding === 'valid') return [new Array<number>(n).fill(0), new Array<number>(n).fill(0)];
  if (padding === 'same') {
    if (stride.some((s) => s !== 1))
      throw new RuntimeError("padding='same' is not supported for strided convolutions");
    const total = kernel.map((k, i) => dilation[i] * (k - 1));
    return [total.map((t) => Math.floor(t / 2)), total.map((t) => t - Math.floor(t / 2))];
  }
  if (typeof padding === 'string')
    throw new ValueError(`Invalid padding string '${padding}', should be one of {'valid', 'same'}`);
  return [sized(padding, n, 'padding'), sized(padding, n, 'padding')];
}

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

function check(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  n: number,
  name: string,
  g: { stride: readonly number[]; dilation: readonly number[]; groups: number },
  flipped: boolean,
): void {
  if (weight.shape.length !== n + 2)
    throw new RuntimeError(
      `Expected ${n + 2}-dimensional weight for ${n + 2}-dimensional input ${show(x.shape)}, but got ${weight.shape.length}-dimensional weight of size ${show(weight.shape)} instead`,
    );
  if (x.shape.length !== n + 2 && x.shape.length !== n + 1)
    throw new RuntimeError(
      `Expected ${n + 1}D (unbatched) or ${n + 2}D (batched) input to ${name}, but got input of size: ${show(x.shape)}`,
    );
  if (g.groups <= 0) throw new RuntimeError('non-positive groups is not supported');
  if (g.stride.some((s) => s <= 0)) throw new RuntimeError('non-positive stride is not supported');
  if (g.dilation.some((d) => d <= 0)) throw new RuntimeError('dilation should be greater than zero');
  const channels = x.shape[x.shape.length - n - 1];
  const wanted = flipped ? weight.shape[0] : weight.shape[1] * g.groups;
  if (weight.shape[0] % g.groups !== 0)
    throw new RuntimeError(
      `Given groups=${g.groups}, expected weight to be divisible by ${g.groups} at dimension 0, but got weight of size ${show(weight.shape)} instead`,
    );
  if (channels !== wanted)
    throw new RuntimeError(
      `Given ${flipped ? 'transposed=1' : `groups=${g.groups}`}, weight of size ${show(weight.shape)}, expected input${show(x.shape.length === n + 1 ? [1, ...x.shape] : x.shape)} to have ${wanted} channels, but got ${channels} channels instead`,
    );
  const outputs = flipped ? weight.shape[1] * g.groups : weight.shape[0];
  if (bias !== null && (bias.shape.length !== 1 || bias.shape[0] !== outputs))
    throw new RuntimeError(
      `Given ${flipped ? 'transposed=1' : `weight of size ${show(weight.shape)}`}, expected bias to be 1-dimensional with ${outputs} elements, but got bias of size ${show(bias.shape)} instead`,
    );
  if (x.dtype !== weight.dtype)
    throw new RuntimeError(
      `Input type (${x.dtype.scalarName}) and weight type (${weight.dtype.scalarName}) should be the same`,
    );
  if (bias !== null && bias.dtype !== x.dtype)
    throw new RuntimeError(
      `Input type (${x.dtype.scalarName}) and bias type (${bias.dtype.scalarName}) should be the same`,
    );
}

function checkReach(x: Tensor, kernel: readonly number[], g: Geometry): void {
  const padded = x.shape.slice(2).map((n, i) => n + g.before[i] + g.after[i]);
  const full = kernel.map((k, i) => g.dilation[i] * (k - 1) + 1);
  if (padded.some((n, i) => n < full[i]))
    throw new RuntimeError(
      `Calculated padded input size per channel: (${padded.join(' x ')}). Kernel size: (${full.join(' x ')}). Kernel size can't be greater than actual input size`,
    );
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
      const sizes = { stride: sized(stride, n, 'stride'), dilation: sized(dilation, n, 'dilation'), groups };
      check(x, weight, bias, n, name, sizes, false);
      const kernel = weight.shape.slice(2);
      const [before, after] = paddingOf(padding, kernel, sizes.stride, sizes.dilation);
      if (before.some((p) => p < 0)) throw new RuntimeError('negative padding is not supported');
      const geometry = { ...sizes, before, after };
      const batched = x.shape.length === n + 2;
      const input = batched ? x : x.unsqueeze(0);
      checkReach(input, kernel, geometry);
      const out = convolve(input, weight, bias, geometry);
      return batched ? out : out.squeeze(0);
    },
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
      const sizes = { stride: sized(stride, n, 'stride'), dilation: sized(dilation, n, 'dilation'), groups };
      check(x, weight, bias, n, name, sizes, true);
      const before = sized(padding, n, 'padding');
      const extra = sized(outputPadding, n, 'output_padding');
      if (extra.some((e, i) => e >= sizes.stride[i] && e >= sizes.dilation[i]))
        throw new RuntimeError(
          `output padding must be smaller than either stride or dilation, but got output_padding_height: ${extra[0]} output_padding_width: ${extra[extra.length - 1]}`,
        );
      const batched = x.shape.length === n + 2;
      const out = transposed(
        batched ? x : x.unsqueeze(0),
        weight,
        bias,
        { ...sizes, before, after: before },
        extra,
      );
      return batched ? out : out.squeeze(0);
    },
  );
}

/** Convolution of [N, C, L] (or [C, L]) with weight [O, C / groups, K]. */
export const conv1d: Conv = defineConv(1);
/** Convolution of [N, C, H, W] (or [C, H, W]) with weight [O, C / groups, kH, kW]. */
export const conv2d: Conv = defineConv(2);
/** Convolution of [N, C, D, H, W] (or without N) with weight [O, C / groups, kD, kH, kW]. */
export const conv3d: Conv = defineConv(3);
/** Transposed convolution of [N, C, L] with weight [C, O / groups, K]. */
export const conv_transpose1d: ConvTranspose = defineTransposed(1);
/** Transposed convolution of [N, C, H, W] with weight [C, O / groups, kH, kW]. */
export const conv_transpose2d: ConvTranspose = defineTransposed(2);
/** Transposed convolution of [N, C, D, H, W] with weight [C, O / groups, kD, kH, kW]. */
export const conv_transpose3d: ConvTranspose = defineTransposed(3);
