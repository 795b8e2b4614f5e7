// torch.nn.utils.rnn: sequences of different lengths, padded or packed.
import { record } from '../../autograd/graph.js';
import { mode } from '../../autograd/modes.js';
import type { DeviceLike } from '../../device.js';
import { isKeywords, typeName } from '../../dispatch/schema.js';
import type { DType } from '../../dtype.js';
import { int64 } from '../../dtype.js';
import { RuntimeError, ValueError } from '../../errors.js';
import { arangeOf, full_, zeros_ } from '../../ops/fill.js';
import { scatter, tensor } from '../../ops/table.js';
import { Tensor } from '../../tensor.js';
import { bind } from '../modules/arguments.js';

const integers = (values: readonly number[]): Tensor => tensor(values.map(BigInt), { dtype: int64 });
const numbers = (x: Tensor): number[] => (x.tolist() as (number | bigint)[]).map(Number);

/** The inverse of a permutation [n]; null of null. */
export function invert_permutation(permutation: Tensor): Tensor;
export function invert_permutation(permutation: Tensor | null): Tensor | null;
export function invert_permutation(permutation: Tensor | null): Tensor | null {
  if (permutation === null) return null;
  const n = permutation.shape[0];
  return scatter(
    zeros_([n], permutation.dtype, permutation.device),
    0,
    permutation,
    arangeOf(n, permutation.device).to(permutation.dtype),
  );
}

type PackedArgs = [
  batch_sizes?: Tensor | null,
  sorted_indices?: Tensor | null,
  unsorted_indices?: Tensor | null,
];

/**
 * Sequences of different lengths as the rows of all steps, one step after the other, in the order of falling length.
 * Made by {@link pack_sequence} and {@link pack_padded_sequence}.
 */
export class PackedSequence {
  /** [rows, *] */
  readonly data: Tensor;
  /** int64 [steps]: how many sequences reach each step. */
  readonly batch_sizes: Tensor;
  /** Where each sequence came from, and where to find each again; null when they were sorted. */
  readonly sorted_indices: Tensor | null;
  readonly unsorted_indices: Tensor | null;

  constructor(data: Tensor, ...[batch_sizes, sorted_indices, unsorted_indices]: PackedArgs) {
    if (!(batch_sizes instanceof Tensor))
      throw new TypeError(`PackedSequence: batch_sizes must be a Tensor, not ${typeName(batch_sizes)}`);
    if (batch_sizes.device.type !== 'cpu')
      throw new ValueError(
        'batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. They should be instantiated by functions like pack_sequence and pack_padded_sequences in nn.utils.rnn. https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence',
      );
    this.data = data;
    this.batch_sizes = batch_sizes;
    this.sorted_indices = sorted_indices ?? null;
    this.unsorted_indices = unsorted_indices ?? invert_permutation(this.sorted_indices);
  }
  *[Symbol.iterator](): IterableIterator<Tensor | null> {
    yield this.data;
    yield this.batch_sizes;
    yield this.sorted_indices;
    yield this.unsorted_indices;
  }
  /** With the data moved or converted as by `Tensor.to`. */
  to(
    ...args: readonly (DType | DeviceLike | Tensor | boolean | { dtype?: DType; device?: DeviceLike })[]
  ): PackedSequence {
    const data = this.data.to(...(args as never[])) as Tensor;
    if (data === this.data) return this;
    const follow = (x: Tensor | null): Tensor | null => x?.to(data.device) ?? null;
    return new PackedSequence(
      data,
      this.batch_sizes,
      follow(this.sorted_indices),
      follow(this.unsorted_indices),
    );
  }
  private as(dtype: DType): PackedSequence {
    const data = this.data.to(dtype);
    return data === this.data
      ? this
      : new PackedSequence(data, this.batch_sizes, this.sorted_indices, this.unsorted_indices);
  }
  double(): PackedSequence {
    return this.as(this.data.double().dtype);
  }
  float(): PackedSequence {
    return this.as(this.data.float().dtype);
  }
  half(): PackedSequence {
    return this.as(this.data.half().dtype);
  }
  long(): PackedSequence {
    return this.as(this.data.long().dtype);
  }
  int(): PackedSequence {
    return this.as(this.data.int().dtype);
  }
  short(): PackedSequence {
    return this.as(this.data.short().dtype);
  }
  char(): PackedSequence {
    return this.as(this.data.char().dtype);
  }
  byte(): PackedSequence {
    return this.as(this.data.byte().dtype);
  }
  cpu(): PackedSequence {
    return this.to('cpu');
  }
  cuda(device: string | number = 'cuda'): PackedSequence {
    return this.to(typeof device === 'number' ? `cuda:${device}` : device);
  }
  get is_cuda(): boolean {
    return this.data.device.type === 'cuda';
  }
  toString(): string {
    const text = (x: Tensor | null): string => (x === null ? 'None' : String(x));
    return `PackedSequence(data=${text(this.data)}, batch_sizes=${text(this.batch_sizes)}, sorted_indices=${text(this.sorted_indices)}, unsorted_indices=${text(this.unsorted_indices)})`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** How many sequences reach each step, from their falling lengths. */
function sizesOf(lengths: readonly number[]): number[] {
  const sizes = new Array<number>(lengths[0]).fill(0);
  for (const n of lengths) for (let t = 0; t < n; t++) sizes[t]++;
  return sizes;
}

/** For each packed row its row in [T * B] of the padded batch. */
function packedRows(sizes: readonly number[], batch: number): Tensor {
  const rows: number[] = [];
  sizes.forEach((n, t) => {
    for (let b = 0; b < n; b++) rows.push(t * batch + b);
  });
  return integers(rows);
}

/** Steps and batch as one dimension. */
const flat = (x: Tensor): Tensor => x.reshape([x.shape[0] * x.shape[1], ...x.shape.slice(2)]);

/** Takes rows out of [T, B, *]. */
function gather(input: Tensor, rows: Tensor): Tensor {
  const out = flat(input.detach()).index_select(0, rows);
  record('PackPaddedSequenceBackward0', [input], [out], () => ([g]) => {
    if (g === null) return [null];
    const shape = [input.shape[0] * input.shape[1], ...input.shape.slice(2)];
    const zeros = zeros_(shape, g.dtype, g.device);
    const grad = mode.grad ? zeros.index_copy(0, rows, g) : zeros.index_copy_(0, rows, g);
    return [grad.view([...input.shape])];
  });
  return out;
}

interface PackOptions {
  /** Sequences are [B, T, *] instead of [T, B, *]. */
  batch_first?: boolean;
  /** The sequences come in the order of falling length; else they are sorted. */
  enforce_sorted?: boolean;
}

/**
 * Packs padded sequences [T, B, *] of the given lengths [B].
 * @throws RuntimeError for lengths that do not fit, or are not sorted although `enforce_sorted`.
 */
export function pack_padded_sequence(
  input: Tensor,
  lengths: Tensor | readonly number[],
  ...options:
    | [batch_first?: boolean, enforce_sorted?: boolean]
    | [batch_first: boolean, options: Pick<PackOptions, 'enforce_sorted'>]
    | [options: PackOptions]
): PackedSequence {
  const [batchFirst, enforce] = bind(
    'pack_padded_sequence',
    'bool batch_first=False, bool enforce_sorted=True',
    options,
  ) as [boolean, boolean];
  const given = lengths instanceof Tensor ? lengths.to(int64) : integers(lengths);
  if (given.shape.length !== 1 || given.device.type !== 'cpu')
    throw new RuntimeError(
      `'lengths' argument should be a 1D CPU int64 tensor, but got ${given.shape.length}D ${given.device.type} Long tensor`,
    );
  let sorted: Tensor = given;
  let order: Tensor | null = null;
  let x = input;
  if (!enforce) {
    const result = given.sort({ dim: -1, descending: true });
    sorted = result.values;
    order = result.indices.to(input.device);
    x = x.index_select(batchFirst ? 0 : 1, order);
  }
  if (batchFirst) x = x.transpose(0, 1);
  const list = numbers(sorted);
  const sizes = checkedSizes(x, list);
  return new PackedSequence(gather(x, packedRows(sizes, x.shape[1])), integers(sizes), order, null);
}

/** @throws RuntimeError for lengths that do not fit x [T, B, *]. */
function checkedSizes(x: Tensor, lengths: readonly number[]): number[] {
  if (x._numel === 0) throw new RuntimeError('Cannot pack empty tensors.');
  const [steps, batch] = x.shape;
  if (lengths.length !== batch)
    throw new RuntimeError(
      `Expected \`len(lengths)\` to be equal to batch_size, but got ${lengths.length} (batch_size=${batch})`,
    );
  if (lengths.some((n, i) => i > 0 && n > lengths[i - 1]))
    throw new RuntimeError(
      '`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability.',
    );
  if (lengths[batch - 1] <= 0)
    throw new RuntimeError(
      "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0",
    );
  if (lengths[0] > steps)
    throw new RuntimeError(`Expected lengths of at most ${steps} steps, but got ${lengths[0]}`);
  return sizesOf(lengths);
}

interface PadOptions {
  batch_first?: boolean;
  padding_value?: number;
  /** Pad to so many steps. */
  total_length?: number | null;
}

/**
 * The sequences of a packed batch, padded to [T, B, *], and their lengths [B].
 * @throws ValueError when `total_length` is less than the longest sequence.
 */
export function pad_packed_sequence(
  sequence: PackedSequence,
  ...options:
    | [batch_first?: boolean, padding_value?: number, total_length?: number | null]
    | [batch_first: boolean, options: Omit<PadOptions, 'batch_first'>]
    | [options: PadOptions]
): [padded: Tensor, lengths: Tensor] {
  const [batchFirst, value, total] = bind(
    'pad_packed_sequence',
    'bool batch_first=False, float padding_value=0, int? total_length=None',
    options,
  ) as [boolean, number, number | null];
  const { data, batch_sizes, unsorted_indices } = sequence;
  const sizes = numbers(batch_sizes);
  if (total !== null && total < sizes.length)
    throw new ValueError(
      `Expected total_length to be at least the length of the longest sequence in input, but got total_length=${total} and max sequence length being ${sizes.length}`,
    );
  const steps = total ?? sizes.length;
  const batch = sizes[0];
  const shape = data.shape.slice(1);
  const filled = full_([steps * batch, ...shape], value, data.dtype, data.device);
  const rows = filled.index_copy(0, packedRows(sizes, batch), data).view([steps, batch, ...shape]);
  const lengths = Array.from({ length: batch }, (_, b) => sizes.filter((n) => n > b).length);
  const padded = batchFirst ? rows.transpose(0, 1) : rows;
  if (unsorted_indices === null) return [padded, integers(lengths)];
  return [
    padded.index_select(batchFirst ? 0 : 1, unsorted_indices),
    integers(lengths).index_select(0, unsorted_indices.cpu()),
  ];
}

interface PadSequenceOptions {
  batch_first?: boolean;
  padding_value?: number;
  padding_side?: 'right' | 'left';
}

/**
 * Stacks sequences [L_i, *] padded to the longest: [T, B, *], or [B, T, *] with `batch_first`.
 * @throws RuntimeError for no sequences at all.
 */
export function pad_sequence(
  sequences: Tensor | Iterable<Tensor>,
  ...options:
    | [batch_first?: boolean, padding_value?: number, padding_side?: 'right' | 'left']
    | [batch_first: boolean, options: Omit<PadSequenceOptions, 'batch_first'>]
    | [options: PadSequenceOptions]
): Tensor {
  const [batchFirst, value, side] = bind(
    'pad_sequence',
    "bool batch_first=False, float padding_value=0, str padding_side='right'",
    options,
  ) as [boolean, number, string];
  if (
    typeof (sequences as Iterable<Tensor> | undefined)?.[Symbol.iterator] !== 'function' ||
    isKeywords(sequences)
  )
    throw new RuntimeError(
      `pad_sequence: Expected iterable for input sequences, but got arg of type: <class '${typeName(sequences)}'>`,
    );
  const list = sequences instanceof Tensor ? sequences.unbind(0) : [...sequences];
  if (side !== 'left' && side !== 'right')
    throw new RuntimeError(`Expected padding_side to be one of left or right, but got ${side}.`);
  if (list.length === 0) throw new RuntimeError('received an empty list of sequences');
  const longest = Math.max(...list.map((x) => x.shape[0]));
  const [first] = list;
  const lead = batchFirst ? [list.length, longest] : [longest, list.length];
  const out = full_([...lead, ...first.shape.slice(1)], value, first.dtype, first.device);
  list.forEach((x, i) => {
    const n = x.shape[0];
    out
      .select(batchFirst ? 0 : 1, i)
      .narrow(0, side === 'left' ? longest - n : 0, n)
      .copy_(x);
  });
  return out;
}

/** The sequences of a padded batch [T, B, *] (or [B, T, *]), each cut to its length. */
export function unpad_sequence(
  padded_sequences: Tensor,
  lengths: Tensor,
  batch_first: boolean | Pick<PadOptions, 'batch_first'> = false,
): Tensor[] {
  const first = typeof batch_first === 'boolean' ? batch_first : (batch_first.batch_first ?? false);
  const rows = first ? padded_sequences : padded_sequences.transpose(0, 1);
  const list = numbers(lengths);
  if (list.length !== rows.shape[0])
    throw new ValueError(`expected ${rows.shape[0]} lengths, one for each sequence, but got ${list.length}`);
  return rows.unbind(0).map((x, i) => x.narrow(0, 0, Math.min(list[i], x.shape[0])).clone());
}

/** Packs sequences [L_i, *]; unsorted ones need `enforce_sorted: false`. */
export function pack_sequence(
  sequences: readonly Tensor[],
  enforce_sorted: boolean | Pick<PackOptions, 'enforce_sorted'> = true,
): PackedSequence {
  const sorted =
    typeof enforce_sorted === 'boolean' ? enforce_sorted : (enforce_sorted.enforce_sorted ?? true);
  const lengths = sequences.map((x) => x.shape[0]);
  return pack_padded_sequence(pad_sequence(sequences), lengths, { enforce_sorted: sorted });
}

/** The sequences of a packed batch. */
export function unpack_sequence(packed_sequences: PackedSequence): Tensor[] {
  const [padded, lengths] = pad_packed_sequence(packed_sequences, true);
  return unpad_sequence(padded, lengths, true);
}
