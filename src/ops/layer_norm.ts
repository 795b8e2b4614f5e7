// Normalisation of the last dimensions: layer and RMS normalisation, and groups of channels.

import { needsGrad, record } from '../autograd/graph.js';
import { mode } from '../autograd/modes.js';
import { backendOf } from '../backends/backend.js';
import { alias, empty } from '../dispatch/allocate.js';
import { finfo, float32, float64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { listText } from '../pyformat.js';
import { contiguousStrides, numelOf, sameSizes, type Tensor } from '../tensor.js';
import { add, mul, rsqrt, sub } from './arithmetic.js';
import { contiguous } from './copy.js';
import { op } from './define.js';
import { sum } from './reduce.js';
import { notImplemented } from './reduce_extreme.js';
import { mean } from './reduce_mean.js';

function checkNormalized(
  x: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
): void {
  if (shape.length < 1)
    throw new RuntimeError(
      `Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = ${listText(shape)}`,
    );
  for (const [name, t] of [
    ['weight', weight],
    ['bias', bias],
  ] as const)
    if (t !== null && !sameSizes(t.shape, shape))
      throw new RuntimeError(
        `Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape ${listText(t.shape)} and normalized_shape = ${listText(shape)}`,
      );
  const lead = x.shape.length - shape.length;
  if (lead < 0 || !sameSizes(x.shape.slice(lead), shape))
    throw new RuntimeError(
      `Given normalized_shape=${listText(shape)}, expected input with shape [*, ${shape.join(', ')}], but got input of size${listText(x.shape)}`,
    );
  for (const t of [weight, bias])
    if (t !== null && t.dtype !== x.dtype && !(x.dtype.itemsize === 2 && t.dtype === float32))
      throw new RuntimeError(
        x.dtype === float64 && t.dtype === float32
          ? 'mixed dtype (CPU): all inputs must share same datatype.'
          : 'mixed dtype (CPU): expect parameter to have scalar type of Float',
      );
}

/** A contiguous tensor seen as [rows, n]. */
const asRows = (x: Tensor, n: number): Tensor => flatView(x, [n === 0 ? 0 : x._numel / n, n]);
const flatView = (x: Tensor, shape: readonly number[]): Tensor =>
  alias(x, shape, contiguousStrides(shape), x._offset, true);
const given = (x: Tensor | null): readonly [Tensor] | null => (x === null ? null : [x]);
const line = (x: Tensor | null): Tensor | null =>
  x === null ? null : flatView(contiguous(x.detach()), [x._numel]);

/** A normalisation of rows: layer_norm subtracts the mean, rms_norm does not. */
interface RowNorm {
  readonly centered: boolean;
  readonly eps: number;
  /** Sizes of the normalised dimensions, the last ones. */
  readonly shape: readonly number[];
}

/** The gradients of input, weight and bias written with ops, for higher derivatives. */
function composedGradients(
  p: RowNorm,
  g: Tensor,
  x: Tensor,
  weight: Tensor | null,
  needs: (i: number) => boolean,
): (Tensor | null)[] {
  const lead = x.shape.length - p.shape.length;
  const dims = p.shape.map((_, i) => lead + i);
  const over = (t: Tensor): Tensor => mean(t, dims, true);
  const shifted = p.centered ? sub(x, over(x)) : x;
  const rstd = rsqrt(add(over(mul(shifted, shifted)), p.eps));
  const normal = mul(shifted, rstd);
  const h = weight === null ? g : mul(g, weight);
  const inner = sub(h, mul(normal, over(mul(h, normal))));
  const outer = Array.from({ length: lead }, (_, i) => i);
  const total = (t: Tensor): Tensor => (lead === 0 ? t : sum(t, outer));
  return [
    needs(0) ? mul(rstd, p.centered ? sub(inner, over(h)) : inner) : null,
    needs(1) ? total(mul(g, normal)) : null,
    needs(2) ? total(g) : null,
  ];
}

function kernelGradients(
  p: RowNorm,
  g: Tensor,
  x: Tensor,
  weight: Tensor | null,
  stats: readonly Tensor[],
  needs: (i: number) => boolean,
): (Tensor | null)[] {
  const n = numelOf(p.shape);
  const make = (i: number, like: Tensor): Tensor | null =>
    needs(i) ? empty(i === 0 ? like.shape : p.shape, like.dtype, x.device) : null;
  const grads = [make(0, x), make(1, weight ?? x), p.centered ? make(2, weight ?? x) : null];
  const flat = grads.map((t, i) => (t === null ? null : given(i === 0 ? asRows(t, n) : flatView(t, [n]))));
  const rows = [asRows(contiguous(g), n), asRows(x, n)];
  backendOf(x.device.type).launch(
    p.centered ? 'layer_norm_backward' : 'rms_norm_backward',
    ...(p.centered ? flat : flat.slice(0, 2)),
    ...rows,
    ...stats,
    given(line(weight)),
  );
  return grads;
}

/** Runs a normalisation of rows; the statistics come as [rows]. */
function normalizeRows(
  p: RowNorm,
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
): [out: Tensor, ...stats: Tensor[]] {
  if (!input.dtype.is_floating_point)
    notImplemented(p.centered ? 'LayerNormKernelImpl' : 'rms_norm', input.dtype);
  const x = contiguous(input);
  const n = numelOf(p.shape);
  const out = empty(x.shape, x.dtype, x.device);
  const rows = n === 0 ? numelOf(x.shape.slice(0, x.shape.length - p.shape.length)) : x._numel / n;
  const stats = Array.from({ length: p.centered ? 2 : 1 }, () => empty([rows], x.dtype, x.device));
  const parameters = p.centered ? [given(line(weight)), given(line(bias))] : [given(line(weight))];
  if (x._numel > 0)
    backendOf(x.device.type).launch(
      p.centered ? 'layer_norm' : 'rms_norm',
      asRows(out, n),
      ...stats,
      asRows(x, n),
      ...parameters,
      p.eps,
    );
  record(
    p.centered ? 'NativeLayerNormBackward0' : 'FusedRmsNormBackward0',
    p.centered ? [x, weight, bias] : [x, weight],
    [out],
    (save) => {
      const savedInput = save(x);
      const savedWeight = weight === null ? null : save(weight);
      return ([g], needs) => {
        if (g === null) return [null, null, null];
        const from = savedInput();
        const scale = savedWeight?.() ?? null;
        if (mode.grad || from._numel === 0) return composedGradients(p, g, from, scale, needs);
        return kernelGradients(p, g, from, scale, stats, needs);
      };
    },
  );
  return [out, ...stats];
}

/** Statistics in the shape of the leading dimensions, with 1 for the normalised ones. */
const asLeading = (stat: Tensor, x: Tensor, shape: readonly number[]): Tensor =>
  flatView(
    stat,
    x.shape.map((size, d) => (d < x.shape.length - shape.length ? size : 1)),
  );

/** Layer normalisation with its statistics: output, mean, reciprocal standard deviation. */
export const native_layer_norm: (
  input: Tensor,
  normalized_shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
) => [Tensor, Tensor, Tensor] = op(
  'native_layer_norm',
  'Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps',
  (x: Tensor, shape: readonly number[], weight: Tensor | null, bias: Tensor | null, eps: number) => {
    checkNormalized(x, shape, weight, bias);
    const [out, center, rstd] = normalizeRows({ centered: true, eps, shape }, x, weight, bias);
    return [out, asLeading(center, x, shape), asLeading(rstd, x, shape)];
  },
);

/** `(x - mean) / sqrt(var + eps) * weight + bias`, over the last dimensions, whose sizes are `normalized_shape`. */
export const layer_norm: (
  input: Tensor,
  normalized_shape: readonly number[],
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps?: number,
  cudnn_enable?: boolean,
) => Tensor = op(
  'layer_norm',
  'Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True',
  (x: Tensor, shape: readonly number[], weight: Tensor | null, bias: Tensor | null, eps: number) => {
    checkNormalized(x, shape, weight, bias);
    return normalizeRows({ centered: true, eps, shape }, x, weight, bias)[0];
  },
);

/** By other ops; the square is not of the magnitude, as in PyTorch. */
function complexRms(x: Tensor, shape: readonly number[], weight: Tensor | null, eps: number): Tensor {
  const dims = shape.map((_, i) => -1 - i);
  const scaled = mul(x, rsqrt(add(mean(mul(x, x), dims, true), eps)));
  return weight === null ? scaled : mul(scaled, weight);
}

/** `x / sqrt(mean(x^2) + eps) * weight` over the last dimensions; eps is the dtype's by default. */
export const rms_norm: (
  input: Tensor,
  normalized_shape: readonly number[],
  weight?: Tensor | null,
  eps?: number | null,
) => Tensor = op(
  'rms_norm',
  'Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None',
  (x: Tensor, shape: readonly number[], weight: Tensor | null, eps: number | null) => {
    checkNormalized(x, shape, weight, null);
    if (x.dtype.is_complex) return complexRms(x, shape, weight, eps ?? new finfo(x.dtype.to_real()).eps);
    return normalizeRows(
      { centered: false, eps: eps ?? new finfo(x.dtype.is_floating_point ? x.dtype : undefined).eps, shape },
      x,
      weight,
      null,
    )[0];
  },
);

// ---- groups of channels

function checkGroups(x: Tensor, groups: number, weight: Tensor | null, bias: Tensor | null): void {
  if (x.shape.length < 2)
    throw new RuntimeError(`Expected at least 2 dimensions for input tensor but received ${x.shape.length}`);
  const channels = x.shape[1];
  if (groups <= 0) throw new RuntimeError(`Expected num groups to be greater than 0, got ${groups}`);
  if (channels % groups !== 0)
    throw new RuntimeError(
      `Expected number of channels in input to be divisible by num_groups, but got input of shape ${listText(x.shape)} and num_groups=${groups}`,
    );
  for (const [name, t] of [
    ['weight', weight],
    ['bias', bias],
  ] as const)
    if (t !== null && (t.shape.length !== 1 || t.shape[0] !== channels))
      throw new RuntimeError(
        `Expected ${name} to be a vector of size equal to the number of channels in input, but got ${name} of shape ${listText(t.shape)} and input of shape ${listText(x.shape)}`,
      );
}

/** Normalises groups of channels of [N, C, …]; scales and shifts by channel. */
function normalizeGroups(
  x: Tensor,
  groups: number,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
  statistics: boolean,
): [Tensor, Tensor, Tensor] {
  const [batch, channels] = x.shape;
  const n = groups === 0 || batch === 0 ? 0 : x._numel / (batch * groups);
  const [normal, center, rstd] = normalizeRows(
    { centered: true, eps, shape: [n] },
    x.reshape([batch * groups, n]),
    null,
    null,
  );
  const perChannel = (t: Tensor): Tensor => t.reshape([channels, ...x.shape.slice(2).map(() => 1)]);
  let out = normal.reshape([...x.shape]);
  if (weight !== null) out = mul(out, perChannel(weight));
  if (bias !== null) out = add(out, perChannel(bias));
  if (!statistics || !needsGrad(x))
    return [out, flatView(center, [batch, groups]), flatView(rstd, [batch, groups])];
  // Here the statistics are differentiable, too.
  const each = x.reshape([batch, groups, n]);
  const shifted = sub(each, mean(each, -1, true));
  return [out, mean(each, -1), rsqrt(add(mean(mul(shifted, shifted), -1), eps))];
}

/** Group normalisation with its statistics by sample and group. */
export const native_group_norm: (
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  N: number,
  C: number,
  HxW: number,
  group: number,
  eps: number,
) => [Tensor, Tensor, Tensor] = op(
  'native_group_norm',
  'Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, float eps',
  (
    x: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    _n: number,
    _c: number,
    _l: number,
    group: number,
    eps: number,
  ) => {
    checkGroups(x, group, weight, bias);
    return normalizeGroups(x, group, weight, bias, eps, true);
  },
);

/** Normalises every sample's groups of channels: input [N, C, …], `num_groups` divides C. */
export const group_norm: (
  input: Tensor,
  num_groups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps?: number,
  cudnn_enabled?: boolean,
) => Tensor = op(
  'group_norm',
  'Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True',
  (x: Tensor, groups: number, weight: Tensor | null, bias: Tensor | null, eps: number) => {
    checkGroups(x, groups, weight, bias);
    return normalizeGroups(x, groups, weight, bias, eps, false)[0];
  },
);
