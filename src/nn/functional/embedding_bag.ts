// Sums, means and maxima of bags of rows of a table.
import { backendOf } from '../../backends/backend.js';
import { empty } from '../../dispatch/allocate.js';
import { float64, int64 } from '../../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../../errors.js';
import { castTo } from '../../ops/copy.js';
import { op } from '../../ops/define.js';
import { sameSizes, type Tensor } from '../../tensor.js';
import { type EmbeddingOptions, indicesOf, paddingOf, renormalize, rowsOf } from './embedding.js';

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
        `embedding_bag: If per_sample_weights (${sizeText(factors)}) is not None, then it must have the same shape as the input (${sizeText(input)})`,
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
    return combine(weight, index, ranges, mode, at, byFrequency, factors?.reshape([-1]) ?? null);
  },
);

const sizeText = (x: Tensor): string => `torch.Size([${x.shape.join(', ')}])`;

/** Combines the rows of every bag, those of the padding index left out. */
function combine(
  weight: Tensor,
  index: Tensor,
  ranges: readonly Range[],
  mode: string,
  padding: number,
  byFrequency: boolean,
  factors: Tensor | null,
): Tensor {
  const named = padding < 0 ? null : (index.tolist() as number[]);
  const members = ranges.map(([from, to]) =>
    Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i).filter(
      (i) => named === null || named[i] !== padding,
    ),
  );
  const places = integers(members.flat(), index);
  const rows = rowsOf(weight, index.index_select(0, places), -1, byFrequency);
  const zeros = weight.detach().new_zeros([ranges.length, weight.shape[1]]);
  if (mode === 'max') return maxima(rows, members, zeros);
  const bagOf = integers(
    members.flatMap((list, bag) => list.map(() => bag)),
    index,
  );
  const scaled = factors === null ? rows : rows.mul(factors.index_select(0, places).unsqueeze(1));
  const sums = zeros.index_add(0, bagOf, scaled);
  if (mode === 'sum') return sums;
  return sums.div(
    integers(
      members.map((list) => Math.max(list.length, 1)),
      index,
    )
      .unsqueeze(1)
      .to(weight.dtype),
  );
}

/** The maxima of each bag's rows, which follow one another; the gradient goes to the first of equals. */
function maxima(rows: Tensor, members: readonly (readonly number[])[], zeros: Tensor): Tensor {
  const columns = zeros.shape[1];
  const values = castTo(rows.detach(), float64).toTypedArray() as Float64Array;
  const places: number[] = [];
  const bags: number[] = [];
  let first = 0;
  members.forEach((list, bag) => {
    const end = first + list.length;
    if (list.length > 0) bags.push(bag);
    for (let c = 0; c < columns && first < end; c++) {
      let best = first * columns + c;
      for (let at = best; at < end * columns; at += columns) if (values[at] > values[best]) best = at;
      places.push(best);
    }
    first = end;
  });
  const picked = rows.reshape([-1]).index_select(0, integers(places, rows)).view([bags.length, columns]);
  return zeros.index_add(0, integers(bags, rows), picked);
}

function integers(values: readonly number[], like: Tensor): Tensor {
  const out = empty([values.length], int64, like.device);
  if (values.length > 0) backendOf(like.device.type).write(out, BigInt64Array.from(values, BigInt));
  return out;
}
