// What PyTorch has in torch under the signatures of its C++ operators: reductions and modes as numbers, switches instead
// of options. torch.nn.functional has the same functions for everyday use.
import { typeName } from '../../dispatch/schema.js';
import { bool } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import { matrixNorm } from '../../linalg/norm.js';
import { castTo } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { ones_ } from '../../ops/fill.js';
import { vectorNorm } from '../../ops/norms.js';
import type { Tensor } from '../../tensor.js';
import { conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d } from './conv.js';
import { ctc_loss as ctcLoss } from './ctc_loss.js';
import {
  alpha_dropout as alphaDropout,
  type DropoutFunction,
  dropout2d,
  feature_alpha_dropout as featureAlphaDropout,
  dropout as plainDropout,
} from './dropout.js';
import { embedding as lookup } from './embedding.js';
import { affine_grid, type GridMode, type GridPadding, grid_sample } from './grid_sample.js';
import {
  binary_cross_entropy_with_logits as bceWithLogits,
  kl_div as klDiv,
  poisson_nll_loss as poissonLoss,
} from './likelihood.js';
import {
  cosine_embedding_loss as cosineEmbeddingLoss,
  hinge_embedding_loss as hingeEmbeddingLoss,
  margin_ranking_loss as marginRankingLoss,
  triplet_margin_loss as tripletMarginLoss,
} from './margin_loss.js';
import type { Reduction } from './reduction.js';

/** 0: none, 1: mean, 2: sum. */
type ReductionNumber = 0 | 1 | 2;

function reductionOf(n: number): Reduction {
  const found = (['none', 'mean', 'sum'] as const)[n];
  if (found === undefined) throw new RuntimeError(`${n} is not a valid value for reduction`);
  return found;
}

type LossOptions<O = unknown> = { reduction?: ReductionNumber } & O;

/** `nn.functional.binary_cross_entropy_with_logits` with the reduction as a number. */
export const binary_cross_entropy_with_logits: (
  input: Tensor,
  target: Tensor,
  weight?: Tensor | null | LossOptions<{ weight?: Tensor | null; pos_weight?: Tensor | null }>,
  pos_weight?: Tensor | null,
  reduction?: ReductionNumber,
) => Tensor = op(
  'binary_cross_entropy_with_logits',
  'Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1',
  (x: Tensor, target: Tensor, weight: Tensor | null, pos_weight: Tensor | null, reduction: number) =>
    bceWithLogits(x, target, { weight, pos_weight, reduction: reductionOf(reduction) } as never),
);

type PairLoss<O> = (
  input: Tensor,
  target: Tensor,
  margin?: number | LossOptions<O>,
  reduction?: ReductionNumber,
) => Tensor;

/** `nn.functional.hinge_embedding_loss` with the reduction as a number. */
export const hinge_embedding_loss: PairLoss<{ margin?: number }> = op(
  'hinge_embedding_loss',
  'Tensor input, Tensor target, float margin=1, int reduction=1',
  (x: Tensor, target: Tensor, margin: number, reduction: number) =>
    hingeEmbeddingLoss(x, target, { margin, reduction: reductionOf(reduction) }),
);

type TwoInputLoss = (
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  margin?: number | LossOptions<{ margin?: number }>,
  reduction?: ReductionNumber,
) => Tensor;
const TWO = 'Tensor input1, Tensor input2, Tensor target, float margin=0, int reduction=1';

/** `nn.functional.cosine_embedding_loss` with the reduction as a number. */
export const cosine_embedding_loss: TwoInputLoss = op(
  'cosine_embedding_loss',
  TWO,
  (x: Tensor, y: Tensor, target: Tensor, margin: number, reduction: number) =>
    cosineEmbeddingLoss(x, y, target, { margin, reduction: reductionOf(reduction) }),
);
/** `nn.functional.margin_ranking_loss` with the reduction as a number. */
export const margin_ranking_loss: TwoInputLoss = op(
  'margin_ranking_loss',
  TWO,
  (x: Tensor, y: Tensor, target: Tensor, margin: number, reduction: number) =>
    marginRankingLoss(x, y, target, { margin, reduction: reductionOf(reduction) }),
);

/** `nn.functional.triplet_margin_loss` with the reduction as a number. */
export const triplet_margin_loss: (
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  margin?: number | LossOptions<{ margin?: number; p?: number; eps?: number; swap?: boolean }>,
  p?: number,
  eps?: number,
  swap?: boolean,
  reduction?: ReductionNumber,
) => Tensor = op(
  'triplet_margin_loss',
  'Tensor anchor, Tensor positive, Tensor negative, float margin=1, float p=2, float eps=1e-06, bool swap=False, int reduction=1',
  (
    a: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: number,
    p: number,
    eps: number,
    swap: boolean,
    reduction: number,
  ) => tripletMarginLoss(a, positive, negative, { margin, p, eps, swap, reduction: reductionOf(reduction) }),
);

/** The divergence, by elements averaged (1), summed (2) or alone (0). */
export const kl_div: (
  input: Tensor,
  target: Tensor,
  reduction?: ReductionNumber | LossOptions<{ log_target?: boolean }>,
  options?: { log_target?: boolean },
) => Tensor = op(
  'kl_div',
  'Tensor input, Tensor target, int reduction=1, *, bool log_target=False',
  (x: Tensor, target: Tensor, reduction: number, log_target: boolean) =>
    klDiv(x, target, { reduction: reductionOf(reduction), log_target }),
);

/** `nn.functional.poisson_nll_loss` with every argument given. */
export const poisson_nll_loss: (
  input: Tensor,
  target: Tensor,
  log_input: boolean,
  full: boolean,
  eps: number,
  reduction: ReductionNumber,
) => Tensor = op(
  'poisson_nll_loss',
  'Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction',
  (x: Tensor, target: Tensor, log_input: boolean, full: boolean, eps: number, reduction: number) =>
    poissonLoss(x, target, { log_input, full, eps, reduction: reductionOf(reduction) }),
);

/** `nn.functional.ctc_loss` with the reduction as a number. */
export const ctc_loss: (
  log_probs: Tensor,
  targets: Tensor,
  input_lengths: Tensor | readonly number[],
  target_lengths: Tensor | readonly number[],
  blank?: number,
  reduction?: ReductionNumber,
  zero_infinity?: boolean,
) => Tensor = op(
  'ctc_loss',
  'Tensor log_probs, Tensor targets, any input_lengths, any target_lengths, int blank=0, int reduction=1, bool zero_infinity=False',
  (
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: readonly number[],
    target_lengths: readonly number[],
    blank: number,
    reduction: number,
    zero_infinity: boolean,
  ) =>
    ctcLoss(log_probs, targets, input_lengths, target_lengths, {
      blank,
      reduction: reductionOf(reduction),
      zero_infinity,
    }),
);

// ---- dropout

type Switched = (input: Tensor, p: number, train: boolean) => Tensor;

function switched(name: string, inPlace: boolean, drop: DropoutFunction): Switched {
  return op(name, 'Tensor input, float p, bool train', (x: Tensor, p: number, train: boolean) =>
    drop(x, p, train, inPlace),
  );
}
/** `nn.functional.dropout`, on or off. */
export const dropout: Switched = switched('dropout', false, plainDropout);
/** {@link dropout} in the input's memory. */
export const dropout_: Switched = switched('dropout_', true, plainDropout);
/** `nn.functional.alpha_dropout`, on or off. */
export const alpha_dropout: Switched = switched('alpha_dropout', false, alphaDropout);
/** {@link alpha_dropout} in the input's memory. */
export const alpha_dropout_: Switched = switched('alpha_dropout_', true, alphaDropout);
/** `nn.functional.feature_alpha_dropout`, on or off. */
export const feature_alpha_dropout: Switched = switched('feature_alpha_dropout', false, featureAlphaDropout);
/** {@link feature_alpha_dropout} in the input's memory. */
export const feature_alpha_dropout_: Switched = switched('feature_alpha_dropout_', true, featureAlphaDropout);
/** Dropout of whole channels, on or off. */
export const feature_dropout: Switched = switched('feature_dropout', false, dropout2d);
/** {@link feature_dropout} in the input's memory. */
export const feature_dropout_: Switched = switched('feature_dropout_', true, dropout2d);

/** Dropout with its mask: `[output, kept]`. */
export const native_dropout: (input: Tensor, p: number, train: boolean | null) => [Tensor, Tensor] = op(
  'native_dropout',
  'Tensor input, float p, bool? train',
  (x: Tensor, p: number, train: boolean | null): [Tensor, Tensor] => {
    if (train === false || p === 0) return [x.clone(), ones_(x.shape, bool, x.device)];
    const kept = x.detach().new_empty([...x.shape]);
    kept.bernoulli_(1 - p);
    return [x.mul(kept).mul(p === 1 ? 0 : 1 / (1 - p)), castTo(kept, bool)];
  },
);

// ---- lookups, grids, convolutions

/** `nn.functional.embedding` with the table first. */
export const embedding: (
  weight: Tensor,
  indices: Tensor,
  padding_idx?: number,
  scale_grad_by_freq?: boolean,
  sparse?: boolean,
) => Tensor = op(
  'embedding',
  'Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False',
  (weight: Tensor, indices: Tensor, padding_idx: number, scale_grad_by_freq: boolean, sparse: boolean) =>
    lookup(indices, weight, {
      padding_idx: padding_idx < 0 ? null : padding_idx,
      scale_grad_by_freq,
      sparse,
    }),
);

/** `nn.functional.affine_grid`. */
export const affine_grid_generator: (
  theta: Tensor,
  size: readonly number[],
  align_corners: boolean,
) => Tensor = op(
  'affine_grid_generator',
  'Tensor theta, int[] size, bool align_corners',
  (theta: Tensor, size: readonly number[], align: boolean) => affine_grid(theta, size, align),
);

type GridSampler = (
  input: Tensor,
  grid: Tensor,
  interpolation_mode: number,
  padding_mode: number,
  align_corners: boolean,
) => Tensor;
const interpolations: readonly GridMode[] = ['bilinear', 'nearest', 'bicubic'];
const paddings: readonly GridPadding[] = ['zeros', 'border', 'reflection'];

function sampler(name: string): GridSampler {
  return op(
    name,
    'Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners',
    (x: Tensor, grid: Tensor, mode: number, padding: number, align: boolean) =>
      grid_sample(x, grid, interpolations[mode], paddings[padding], align),
  );
}
/** `nn.functional.grid_sample`: interpolation 0 bilinear, 1 nearest, 2 bicubic; padding 0 zeros, 1 border, 2 reflection. */
export const grid_sampler: GridSampler = sampler('grid_sampler');
/** {@link grid_sampler} of images. */
export const grid_sampler_2d: GridSampler = sampler('grid_sampler_2d');
/** {@link grid_sampler} of volumes. */
export const grid_sampler_3d: GridSampler = sampler('grid_sampler_3d');

/** Any convolution, or transposed one, over one to three dimensions. @throws RuntimeError for another number of them. */
export const convolution: (
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
  transposed: boolean,
  output_padding: readonly number[],
  groups: number,
) => Tensor = op(
  'convolution',
  'Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, int[] output_padding, int groups',
  (
    x: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    stride: readonly number[],
    padding: readonly number[],
    dilation: readonly number[],
    transposed: boolean,
    output_padding: readonly number[],
    groups: number,
  ) => {
    const at = weight.shape.length - 3;
    if (at < 0 || at > 2) throw new RuntimeError(`weight should have at least three dimensions`);
    if (transposed) {
      const run = [conv_transpose1d, conv_transpose2d, conv_transpose3d][at];
      return run(x, weight, bias, stride, padding, output_padding, groups, dilation);
    }
    return [conv1d, conv2d, conv3d][at](x, weight, bias, stride, padding, dilation, groups);
  },
);

/** A convolution over time: input [time, batch, channels], weight [kernel, channels, outputs]. */
export const conv_tbc: (input: Tensor, weight: Tensor, bias: Tensor, pad?: number) => Tensor = op(
  'conv_tbc',
  'Tensor input, Tensor weight, Tensor bias, int pad=0',
  (x: Tensor, weight: Tensor, bias: Tensor, pad: number) =>
    conv1d(x.permute(1, 2, 0), weight.permute(2, 1, 0), bias, 1, pad).permute(2, 0, 1),
);

/** The p-norms of the slices along every dimension but `dim`, which stay as 1. */
export const norm_except_dim: (v: Tensor, pow?: number, dim?: number) => Tensor = op(
  'norm_except_dim',
  'Tensor v, int pow=2, int dim=0',
  (v: Tensor, pow: number, dim: number) => {
    if (dim === -1) return vectorNorm(v, pow, null, false, null);
    const others = v.shape.map((_, d) => d).filter((d) => d !== dim);
    return others.length === 0 ? v.abs() : vectorNorm(v, pow, others, true, null);
  },
);

/** The Frobenius norm over one or two dimensions, or all of them. */
export const frobenius_norm: (input: Tensor, dim?: number | readonly number[], keepdim?: boolean) => Tensor =
  op(
    'frobenius_norm',
    'Tensor input, int[1] dim=[], bool keepdim=False, *, Tensor? out=None',
    (x: Tensor, dim: number | readonly number[], keepdim: boolean) => {
      const dims = typeof dim === 'number' ? [dim] : dim;
      if (dims.length > 2)
        throw new RuntimeError(`Expected at most 2 dimensions, but got ${dims.length} dimensions instead.`);
      return vectorNorm(x, 2, dims.length === 0 ? null : dims, keepdim, null);
    },
  );

/** The sum of the singular values of matrices over two dimensions, the last two by default. See `torch.linalg.matrix_norm`. */
export const nuclear_norm: {
  (input: Tensor, keepdim?: boolean): Tensor;
  (input: Tensor, dim: readonly number[], keepdim?: boolean): Tensor;
  (input: Tensor, options: { dim?: readonly number[]; keepdim?: boolean }): Tensor;
} = op(
  'nuclear_norm',
  'Tensor input, any dim=None, bool keepdim=False, *, Tensor? out=None',
  (x: Tensor, dim: unknown, keepdim: boolean) => {
    if (typeof dim === 'boolean') return matrixNorm(x, 'nuc', [-2, -1], dim, null);
    if (dim === null) return matrixNorm(x, 'nuc', [-2, -1], keepdim, null);
    const dims: readonly unknown[] = Array.isArray(dim) ? dim : [dim, dim];
    if (!dims.every((d): d is number => typeof d === 'number'))
      throw new TypeError(`nuclear_norm(): argument 'dim' must be tuple of ints, not ${typeName(dim)}`);
    return matrixNorm(x, 'nuc', dims, keepdim, null);
  },
);
