// What convolutions refuse, in PyTorch's order and words.

import { NotImplementedError, RuntimeError } from '../../errors.js';
import { cppTypeName } from '../../ops/cpp_text.js';
import { listText } from '../../pyformat.js';
import type { Tensor } from '../../tensor.js';
import type { Sizes } from './conv.js';

/** A convolution's window sizes, by spatial dimension. */
export interface ConvGeometry {
  readonly stride: readonly number[];
  /** Padding before and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** One number for each of n dimensions. */
function expand(v: Sizes, n: number, name: string, asked: number): number[] {
  const list = typeof v === 'number' ? new Array<number>(asked).fill(v) : [...v];
  if (list.length === 1) return new Array<number>(n).fill(list[0]);
  if (list.length !== n)
    throw new RuntimeError(
      `expected ${name} to be a single integer value or a list of ${n} values to match the convolution dimensions, but got ${name}=${listText(list)}`,
    );
  return list;
}

/** What a convolution in n dimensions was asked for, before it is checked. */
export interface ConvRequest {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly stride: Sizes;
  readonly padding: Sizes | string;
  readonly dilation: Sizes;
  readonly groups: number;
  /** Of a transposed convolution. */
  readonly outputPadding: Sizes | null;
}

/** [C, spatial...] or [N, C, spatial...]: whether there is an N. */
export function isBatched(x: Tensor, n: number, name: string): boolean {
  if (x.shape.length !== n + 2 && x.shape.length !== n + 1)
    throw new RuntimeError(
      `Expected ${n + 1}D (unbatched) or ${n + 2}D (batched) input to ${name}, but got input of size: ${listText(x.shape)}`,
    );
  return x.shape.length === n + 2;
}

/** 'same' splits what keeps the size; 'valid' is no padding. */
function paddings(
  r: ConvRequest,
  stride: readonly number[],
  dilation: readonly number[],
): [number[], number[]] {
  const n = stride.length;
  const kernel = r.weight.shape.slice(2);
  if (r.padding === 'same') {
    if (stride.some((s) => s !== 1))
      throw new RuntimeError("padding='same' is not supported for strided convolutions");
    const total = kernel.map((k, i) => dilation[i] * (k - 1));
    return [total.map((t) => Math.floor(t / 2)), total.map((t) => t - Math.floor(t / 2))];
  }
  if (r.padding !== 'valid' && typeof r.padding === 'string')
    throw new RuntimeError(`Invalid padding string: '${r.padding}'`);
  const sizes = r.padding === 'valid' ? 0 : (r.padding as Sizes);
  const both = expand(sizes, n, 'padding', n);
  return [both, both];
}

/** The rank of the weight, which the sizes go by, against that of the input. */
function checkRank(r: ConvRequest, space: string): void {
  const k = r.weight.shape.length;
  if (r.x.shape.length !== k)
    throw new RuntimeError(
      `Expected ${k}-dimensional input for ${k}-dimensional weight${space}${listText(r.weight.shape)}, but got ${r.x.shape.length}-dimensional input of size ${listText(r.x.shape)} instead`,
    );
}

function checkSteps(g: ConvGeometry, extra: readonly number[] | null): void {
  if (g.before.some((p) => p < 0)) throw new RuntimeError('negative padding is not supported');
  if (extra?.some((p) => p < 0)) throw new RuntimeError('negative output_padding is not supported');
  if (g.stride.some((s) => s <= 0)) throw new RuntimeError('non-positive stride is not supported');
  if (g.dilation.some((d) => d <= 0))
    throw new RuntimeError(`dilation should be greater than zero, but got ${listText(g.dilation)}`);
}

function checkChannels(r: ConvRequest): void {
  const { x, weight, bias, groups } = r;
  const size = listText(weight.shape);
  if (weight.shape[0] < groups)
    throw new RuntimeError(
      `Given groups=${groups}, expected weight to be at least ${groups} at dimension 0, but got weight of size ${size} instead`,
    );
  if (weight.shape[0] % groups !== 0)
    throw new RuntimeError(
      `Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size [${size}] instead`,
    );
  const transposed = r.outputPadding !== null;
  const wanted = transposed ? weight.shape[0] : weight.shape[1] * groups;
  if (x.shape[1] !== wanted)
    throw new RuntimeError(
      `Given ${transposed ? 'transposed=1' : `groups=${groups}`}, weight of size ${size}, expected input${listText(x.shape)} to have ${wanted} channels, but got ${x.shape[1]} channels instead`,
    );
  const outputs = transposed ? weight.shape[1] * groups : weight.shape[0];
  if (bias !== null && (bias.shape.length !== 1 || bias.shape[0] !== outputs))
    throw new RuntimeError(
      `Given ${transposed ? 'transposed=1, ' : ''}weight of size ${size}, expected bias to be 1-dimensional with ${outputs} elements, but got bias of size ${listText(bias.shape)} instead`,
    );
}

function checkReach(x: Tensor, kernel: readonly number[], g: ConvGeometry): void {
  const padded = x.shape.slice(2).map((n, i) => n + g.before[i] + g.after[i]);
  const full = kernel.map((k, i) => g.dilation[i] * (k - 1) + 1);
  if (padded.some((n, i) => n < full[i]))
    throw new RuntimeError(
      `Calculated padded input size per channel: (${padded.join(' x ')}). Kernel size: (${full.join(' x ')}). Kernel size can't be greater than actual input size`,
    );
  if (kernel.every((k) => k > 0)) return;
  const sizes = kernel.length === 1 ? [1, kernel[0]] : kernel;
  throw new RuntimeError(
    `kernel size should be greater than zero, but got${sizes.length === 3 ? `: ${sizes.join(' x ')} (TxHxW)` : ` kernel_height: ${sizes[0]} kernel_width: ${sizes[1]}`}`,
  );
}

const names = (kind: string, v: readonly number[]): string =>
  v.map((size, i) => `${kind}_${['depth', 'height', 'width'][i + 3 - v.length]}: ${size}`).join(' ');

function checkTransposed(r: ConvRequest, g: ConvGeometry, extra: readonly number[]): void {
  const filled = (v: readonly number[], value: number): readonly number[] =>
    v.length === 1 ? [value, ...v] : v;
  if (r.weight.shape.slice(2).some((k) => k === 0)) checkReach(r.x, r.weight.shape.slice(2), g);
  if (extra.some((e, i) => e >= g.stride[i] && e >= g.dilation[i]))
    throw new RuntimeError(
      `output padding must be smaller than either stride or dilation, but got ${names('output_padding', filled(extra, 0))} ${names('stride', filled(g.stride, 1))} ${names('dilation', filled(g.dilation, 1))}`,
    );
  const image = transposedImage(r.x.shape.slice(2), r.weight.shape.slice(2), g, extra);
  if (image.some((n) => n < (r.x.shape[0] === 0 ? 0 : 1)))
    throw new RuntimeError(
      `Given input size per channel: (${filled(r.x.shape.slice(2), 1).join(' x ')}). Calculated output size per channel: (${filled(image, 1).join(' x ')}). Output size is too small`,
    );
}

/** The size of the image that a transposed convolution makes. */
export const transposedImage = (
  count: readonly number[],
  kernel: readonly number[],
  g: ConvGeometry,
  extra: readonly number[],
): number[] =>
  count.map(
    (n, i) =>
      (n - 1) * g.stride[i] - g.before[i] - g.after[i] + g.dilation[i] * (kernel[i] - 1) + extra[i] + 1,
  );

function checkTypes(r: ConvRequest): void {
  if (r.x.dtype !== r.weight.dtype)
    throw new RuntimeError(
      `expected scalar type ${r.x.dtype.scalarName} but found ${r.weight.dtype.scalarName}`,
    );
  const refused = r.outputPadding === null ? 'slow_conv2d_cpu' : 'slow_conv_transpose2d_out_cpu';
  if (r.x.dtype.name === 'bool') throw new NotImplementedError(`"${refused}" not implemented for 'Bool'`);
}

/**
 * Checks a convolution of a batch (x [N, C, spatial...]) and gives its sizes.
 * @throws RuntimeError where PyTorch's convolution does.
 */
export function checkConv(r: ConvRequest, asked: number): { g: ConvGeometry; extra: number[] } {
  const { x, weight, bias, groups } = r;
  if (bias !== null && bias.dtype !== x.dtype)
    throw new RuntimeError(
      `Input type (${cppTypeName(x.dtype)}) and bias type (${cppTypeName(bias.dtype)}) should be the same`,
    );
  const n = weight.shape.length - 2;
  if (n <= 0) throw new RuntimeError('weight should have at least three dimensions');
  if (groups <= 0) throw new RuntimeError('non-positive groups is not supported');
  if (r.padding === 'same') checkRank(r, '');
  const stride = expand(r.stride, n, 'stride', asked);
  const dilation = expand(r.dilation, n, 'dilation', asked);
  const [before, after] = paddings(r, stride, dilation);
  const extra = expand(r.outputPadding ?? 0, n, 'output_padding', asked);
  const g = { stride, dilation, before, after, groups };
  checkSteps(g, r.outputPadding === null ? null : extra);
  checkRank(r, ' ');
  checkChannels(r);
  if (r.outputPadding === null) checkReach(x, weight.shape.slice(2), g);
  else checkTransposed(r, g, extra);
  checkTypes(r);
  return { g, extra };
}
