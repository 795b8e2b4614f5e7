// Sums, means and maxima of bags of rows of a table.

import { record } from '../../autograd/graph.js';
import { typeText } from '../../autograd/saved.js';
import { backendOf } from '../../backends/backend.js';
import { empty } from '../../dispatch/allocate.js';
import { float32, float64, int64 } from '../../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../../errors.js';
import { castTo, contiguous } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { arangeOf } from '../../ops/fill.js';
import { launchChecked } from '../../ops/indexing.js';
import { cat } from '../../ops/join.js';
import { sizeText } from '../../pyformat.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import {
  addRows,
  type EmbeddingOptions,
  indicesOf,
  outOfRange,
  paddingOf,
  renormalize,
  rowsOf,
} from './embedding.js';

export type BagMode = 'sum' | 'mean' | 'max';

/** Options of {@link embedding_bag}. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** Where each bag starts in a 1-d input. */
  offsets?: Tensor | null;
  mode?: BagMode;
  /** Factors of the rows, for mode 'sum'. */
  per_sample_weights?: Tensor | null;
  /** The last offset is the end of the last bag. */
  include_last_offset?: boolean;
}

/** A bag's range in the flat list of indices. */
type Range = readonly [from: number, to: number];

function bagsOf(input: Tensor, offsets: Tensor | null, includeLast: boolean): Range[] {
  if (input.shape.length === 2) {
    if (offsets !== null)
      throw new ValueError(
        "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>",
      );
    const n = input.shape[1];
    return Array.from({ length: input.shape[0] }, (_, i): Range => [i * n, (i + 1) * n]);
  }
  if (input.shape.length !== 1)
    throw new ValueError(
      `input has to be 1D or 2D Tensor, but got Tensor of dimension ${input.shape.length}`,
    );
  if (offsets === null) throw new ValueError('offsets has to be a 1D Tensor but got None');
  if (offsets.shape.length !== 1) throw new ValueError('offsets has to be a 1D Tensor');
  const starts = offsets.tolist() as number[];
  if (starts.length > 0 && starts[0] !== 0)
    throw new RuntimeError(
      `offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ${starts[0]}`,
    );
  const last = starts[starts.length - 1];
  if (last > input._numel)
    throw new RuntimeError(
      `offsets[-1] can not be greater than input's length. Got offsets[-1] = ${last} and input's length = ${input._numel}`,
    );
  for (let i = 1; i < starts.length; i++)
    if (starts[i] < starts[i - 1])
      throw new RuntimeError(
        `Expected offsets to increase or stay, but offsets[${i}] = ${starts[i]} follows ${starts[i - 1]}`,
      );
  const count = includeLast ? starts.length - 1 : starts.length;
  return starts
    .slice(0, count)
    .map((from, i): Range => [from, i + 1 < starts.length ? starts[i + 1] : input._numel]);
}

type EmbeddingBagArgs =
  | [
      offsets?: Tensor | null,
      max_norm?: number | null,
      norm_type?: number,
      scale_grad_by_freq?: boolean,
      mode?: BagMode,
      sparse?: boolean,
      per_sample_weights?: Tensor | null,
      include_last_offset?: boolean,
      padding_idx?: number | null,
    ]
  | [offsets: Tensor | null, options: EmbeddingBagOptions]
  | [options: EmbeddingBagOptions];

/**
 * Sums, means or maxima of bags of rows. A 2-d input [bags, n] has bags of n indices; a 1-d input is cut at
 * `offsets`. weight [rows, columns], result [bags, columns]; an empty bag gives zeros.
 */
export const embedding_bag: (input: Tensor, weight: Tensor, ...args: EmbeddingBagArgs) => Tensor = op(
  'nn.functional.embedding_bag',
  "Tensor input, Tensor weight, Tensor? offsets=None, float? max_norm=None, float norm_type=2, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int? padding_idx=None",
  (
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | null,
    maxNorm: number | null,
    normType: number,
    byFrequency: boolean,
    mode: string,
    sparse: boolean,
    factors: Tensor | null,
    includeLast: boolean,
    padding: number | null,
  ) => {
    if (factors !== null && !sameSizes(factors.shape, input.shape))
      throw new ValueError(
        `embedding_bag: If per_sample_weights (${sizeText(factors.shape)}) is not None, then it must have the same shape as the input (${sizeText(input.shape)})`,
      );
    if (weight.shape.length !== 2)
      throw new ValueError(
        `weight has to be a 2D Tensor, but got Tensor of dimension ${weight.shape.length}`,
      );
    const ranges = bagsOf(input, offsets, includeLast);
    if (!['sum', 'mean', 'max'].includes(mode))
      throw new ValueError('mode has to be one of sum, mean or max');
    if (mode === 'max' && byFrequency)
      throw new ValueError('max mode does not support scaling the gradient by the frequency');
    if (mode === 'max' && sparse) throw new ValueError('max mode does not support sparse weights');
    const at = paddingOf(padding, weight.shape[0]);
    const index = indicesOf(input, 'embedding_bag').reshape([-1]);
    if (maxNorm !== null) renormalize(weight, index, maxNorm, normType);
    if (factors !== null && mode !== 'sum')
      throw new NotImplementedError(
        `embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got mode='${mode}'). Please open a feature request on GitHub.`,
      );
    if (factors !== null && factors.dtype !== weight.dtype)
      throw new RuntimeError(
        `Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type ${typeText(weight)} does not equal ${typeText(factors)} (while checking arguments for embedding_bag)`,
      );
    const bags = { index, ranges, mode: mode as BagMode, padding: at, byFrequency };
    return combine(weight, bags, factors?.reshape([-1]) ?? null);
  },
);

interface Bags {
  index: Tensor;
  ranges: readonly Range[];
  mode: BagMode;
  /** -1 for none. */
  padding: number;
  byFrequency: boolean;
}

/** Combines the rows of every bag, those of the padding index left out. */
function combine(weight: Tensor, bags: Bags, factors: Tensor | null): Tensor {
  const { index, ranges, mode, padding } = bags;
  const columns = weight.shape[1];
  const type = weight.dtype === float64 ? float64 : float32;
  const device = weight.device;
  const out = empty([ranges.length, columns], type, device);
  const counts = empty([ranges.length], int64, device);
  const best = empty(mode === 'max' ? out.shape : [0], int64, device);
  const given = (x: Tensor): Tensor => contiguous(castTo(x.detach(), type));
  launchChecked(
    'embedding_bag',
    weight,
    outOfRange,
    out,
    given(weight),
    index,
    integers([...ranges.map(([from]) => from), ranges.at(-1)?.[1] ?? 0], index),
    factors !== null,
    ...(factors === null ? [] : [given(factors)]),
    { sum: 0, mean: 1, max: 2 }[mode],
    padding,
    counts,
    ...(mode === 'max' ? [best] : []),
  );
  const result = castTo(out, weight.dtype);
  record('EmbeddingBagBackward0', [weight, factors], [result], (save) => {
    if (mode === 'max')
      return ([g]) => [g === null ? null : spreadMaxima(g, best, index, weight.shape), null];
    const [table, scale] = [factors && save(weight), factors && save(factors)];
    return ([g], needs) => {
      if (g === null) return [null, null];
      const rows = perIndex(
        mode === 'mean' ? g.div(counts.clamp(1).unsqueeze(1).to(g.dtype)) : g,
        ranges,
        index,
      );
      const used = padding < 0 ? null : index.ne(padding).to(g.dtype);
      const scaled = scale ? rows.mul(scale().unsqueeze(1)) : rows;
      return [
        needs(0) ? addRows(scaled, index, weight.shape[0], padding, bags.byFrequency) : null,
        table && needs(1) ? masked(rowsOf(table(), index, -1, false).mul(rows).sum(1), used) : null,
      ];
    };
  });
  return result;
}

const masked = (x: Tensor, used: Tensor | null): Tensor => (used === null ? x : x.mul(used));

/** The gradient of each bag for each of its indices; zero for indices after the last bag. */
function perIndex(g: Tensor, ranges: readonly Range[], index: Tensor): Tensor {
  const lengths = integers(
    ranges.map(([from, to]) => to - from),
    index,
  );
  const end = ranges.at(-1)?.[1] ?? 0;
  const rows = g.index_select(
    0,
    integers(
      ranges.map((_, bag) => bag),
      index,
    ).repeat_interleave(lengths),
  );
  return end === index._numel ? rows : pad(rows, index._numel - end);
}

const pad = (rows: Tensor, more: number): Tensor => cat([rows, rows.new_zeros([more, rows.shape[1]])]);

/** The gradient of maxima: to the row that each came from; empty bags have none. */
function spreadMaxima(g: Tensor, best: Tensor, index: Tensor, shape: readonly number[]): Tensor {
  const columns = shape[1];
  const found = best.ge(0);
  const rows =
    index._numel === 0 ? best.clamp(0) : index.index_select(0, best.clamp(0).reshape([-1])).view(best.shape);
  const places = rows.mul(columns).add(arangeOf(columns, best.device));
  const zeros = g.new_zeros([shape[0] * columns]);
  return zeros
    .index_add(0, places.reshape([-1]), g.masked_fill(found.logical_not(), 0).reshape([-1]))
    .view(shape);
}

function integers(values: readonly number[], like: Tensor): Tensor {
  const out = empty([values.length], int64, like.device);
  if (values.length > 0) backendOf(like.device.type).write(out, BigInt64Array.from(values, BigInt));
  return out;
}
