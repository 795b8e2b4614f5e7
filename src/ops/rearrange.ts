// Copies with the elements at other places: flip, roll, rot90, repeat, tile, repeat_interleave, constant_pad_nd.
import { record } from '../autograd/graph.js';
import { backendOf, type Scalar } from '../backends/backend.js';
import { alias, empty, emptyLike } from '../dispatch/allocate.js';
import { int32, int64 } from '../dtype.js';
import { IndexError, NotImplementedError, RuntimeError } from '../errors.js';
import { numelOf, Tensor, wrapDim } from '../tensor.js';
import { castTo, clone, contiguous_format, copyInto } from './copy.js';
import { type Op, op } from './define.js';
import { full_ } from './fill.js';
import { index_select, launchChecked } from './indexing.js';
import { copyMany } from './join.js';
import { expand, reshape, transpose, unsqueeze } from './view.js';

type Shape = readonly number[];

/** Distinct dimensions, wrapped. */
function distinctDims(dims: Shape, ndim: number): number[] {
  const wrapped = dims.map((d) => wrapDim(d, ndim));
  wrapped.forEach((d, i) => {
    if (wrapped.indexOf(d) !== i)
      throw new RuntimeError(`dim ${d} appears multiple times in the list of dims`);
  });
  return wrapped;
}

/**
 * A copy with the order of the elements reversed along the given dimensions.
 *
 *     torch.tensor([1, 2, 3]).flip(0)
 *     // tensor([3., 2., 1.])
 */
export const flip: Op<[...dims: number[]] | [dims: Shape], Tensor> = op(
  'flip',
  'Tensor self, int[]... dims',
  (x: Tensor, dims: Shape) => flipped(x, distinctDims(dims, x.shape.length)),
);

function flipped(x: Tensor, dims: readonly number[]): Tensor {
  const out = emptyLike(x);
  const along = dims.filter((d) => d < x.shape.length);
  if (out._numel > 0) backendOf(x.device.type).launch('flip', out, x, along.length, ...along);
  record('FlipBackward0', [x], [out], () => ([g]) => [g === null ? null : flipped(g, dims)]);
  return out;
}

/** A copy with the columns in reversed order. */
export const fliplr: Op<[], Tensor> = op('fliplr', 'Tensor self', (x: Tensor) => {
  if (x.shape.length < 2) throw new RuntimeError('Input must be >= 2-d.');
  return flipped(x, [1]);
});

/** A copy with the rows in reversed order. */
export const flipud: Op<[], Tensor> = op('flipud', 'Tensor self', (x: Tensor) => {
  if (x.shape.length < 1) throw new RuntimeError('Input must be >= 1-d.');
  return flipped(x, [0]);
});

/** A copy turned by k * 90 degrees in the plane of two dimensions, from the first to the second. */
export const rot90: Op<[k?: number, dims?: Shape] | [options: { k?: number; dims?: Shape }], Tensor> = op(
  'rot90',
  'Tensor self, int k=1, int[] dims=[0,1]',
  (x: Tensor, k: number, dims: Shape) => {
    const n = x.shape.length;
    if (dims.length !== 2)
      throw new RuntimeError(`expected total rotation dims == 2, but got dims = ${dims.length}`);
    if (n < 2) throw new RuntimeError(`expected total dims >= 2, but got total dims = ${n}`);
    if (dims[0] === dims[1] || Math.abs(dims[0] - dims[1]) === n)
      throw new RuntimeError(
        `expected rotation dims to be different, but got dim0 = ${dims[0]} and dim1 = ${dims[1]}`,
      );
    const [a, b] = dims.map((d) => wrapDim(d, n));
    const turns = ((k % 4) + 4) % 4;
    const from = x.detach();
    const out =
      turns === 1
        ? transpose(flipped(from, [b]), a, b)
        : turns === 2
          ? flipped(from, [a, b])
          : turns === 3
            ? transpose(flipped(from, [a]), a, b)
            : clone(from, { memory_format: contiguous_format });
    const fresh = alias(out, out.shape, out._strides, out._offset);
    record('Rot90Backward0', [x], [fresh], () => ([g]) => [g === null ? null : rot90(g, -k, dims)]);
    return fresh;
  },
);

/**
 * A copy with the elements shifted along dimensions (or, with none, in row-major order); what leaves at one end enters at the other.
 *
 *     torch.tensor([1, 2, 3]).roll(1)
 *     // tensor([3., 1., 2.])
 */
export const roll: Op<
  | [shifts: number | Shape, dims?: number | Shape]
  | [options: { shifts: number | Shape; dims?: number | Shape }],
  Tensor
> = op(
  'roll',
  'Tensor self, int[1] shifts, int[1] dims=[]',
  (x: Tensor, shifts: number | number[], dims: number | number[]) => {
    const by = Array.isArray(shifts) ? shifts : [shifts];
    const along = Array.isArray(dims) ? dims : [dims];
    if (by.length === 0) throw new RuntimeError('`shifts` required');
    if (along.length === 0 && by.length === 1) return rolled(x, by, null);
    if (by.length !== along.length)
      throw new RuntimeError(`shifts and dimensions must align. shifts: ${by.length}, dims:${along.length}`);
    if (x.shape.length === 0)
      throw new IndexError(`Dimension specified as ${along[0]} but tensor has no dimensions`);
    return rolled(
      x,
      by,
      along.map((d) => wrapDim(d, x.shape.length)),
    );
  },
);

function rolled(x: Tensor, by: Shape, dims: Shape | null): Tensor {
  const out = empty(x.shape, x.dtype, x.device);
  if (x._numel > 0 && x.shape.length === 0) copyInto(out, x);
  else if (x._numel > 0 && dims === null) {
    const flat = reshape(x.detach(), [-1]);
    copyRolled(alias(out, flat.shape, [1], 0), flat, [((by[0] % x._numel) + x._numel) % x._numel]);
  } else if (x._numel > 0) {
    const shift = new Array<number>(x.shape.length).fill(0);
    dims?.forEach((d, i) => {
      const n = x.shape[d];
      shift[d] = (((shift[d] + by[i]) % n) + n) % n;
    });
    copyRolled(out, x, shift);
  }
  const back = by.map((s) => -s);
  record('RollBackward0', [x], [out], () => ([g]) => [g === null ? null : rolled(g, back, dims)]);
  return out;
}

/** Copies x with each dimension cut in two where the shift wraps around. */
function copyRolled(out: Tensor, x: Tensor, shift: Shape): void {
  let pairs: (readonly [Tensor, Tensor])[] = [[out, x]];
  shift.forEach((s, d) => {
    if (s === 0) return;
    const n = x.shape[d];
    pairs = pairs.flatMap(([o, i]) => [
      [window(o, d, s, n - s), window(i, d, 0, n - s)] as const,
      [window(o, d, 0, s), window(i, d, n - s, s)] as const,
    ]);
  });
  copyMany(pairs);
}

/** A part along one dimension, without history. */
function window(x: Tensor, d: number, start: number, length: number): Tensor {
  const shape = x.shape.slice();
  shape[d] = length;
  return alias(x, shape, x._strides, x._offset + start * x._strides[d]);
}

/**
 * A copy with the whole tensor repeated along each dimension; more numbers than dimensions add leading ones.
 *
 *     torch.tensor([1, 2]).repeat(2, 2)
 *     // tensor([[1., 2., 1., 2.],
 *     //         [1., 2., 1., 2.]])
 */
export const repeat: Op<[...repeats: number[]] | [repeats: Shape], Tensor> = op(
  'repeat',
  'Tensor self, int[]... repeats',
  (x: Tensor, repeats: Shape) => {
    const lead = repeats.length - x.shape.length;
    if (lead < 0)
      throw new RuntimeError(
        'Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor',
      );
    const sizes = repeats.map((_, d) => (d < lead ? 1 : x.shape[d - lead]));
    const out = empty(
      sizes.map((n, d) => n * repeats[d]),
      x.dtype,
      x.device,
    );
    const pairs = repeats.flatMap((r, d) => [r, sizes[d]]);
    const strides = repeats.flatMap((_, d) => [sizes[d] * out._strides[d], out._strides[d]]);
    const from = alias(
      x,
      pairs,
      repeats.flatMap((_, d) => [0, d < lead ? 0 : x._strides[d - lead]]),
      x._offset,
    );
    copyInto(alias(out, pairs, strides, 0), from);
    record('RepeatBackward0', [x], [out], () => ([g]) => [g === null ? null : unrepeated(g, pairs, x.shape)]);
    return out;
  },
);

/** The gradient of repeat: the sum over the repetitions. */
function unrepeated(g: Tensor, pairs: Shape, shape: Shape): Tensor {
  const dims = pairs.map((_, i) => i).filter((i) => i % 2 === 0);
  if (dims.length === 0) return g;
  return reshape(reshape(g, pairs).sum(dims), shape);
}

/**
 * `repeat` where missing leading numbers are 1.
 *
 *     torch.tensor([1, 2]).tile([2])
 *     // tensor([1., 2., 1., 2.])
 */
export const tile: Op<[...dims: number[]] | [dims: Shape], Tensor> = op(
  'tile',
  'Tensor self, int[]... dims',
  (x: Tensor, dims: Shape) =>
    repeat(x, [...new Array<number>(Math.max(x.shape.length - dims.length, 0)).fill(1), ...dims]),
);

/** j, repeats[j] times, for every j. */
function repeatedIndices(repeats: Tensor, size: number | null): Tensor {
  if (repeats.shape.length > 1) throw new RuntimeError('repeat_interleave only accept 1D vector as repeat');
  if (repeats.dtype !== int64 && repeats.dtype !== int32)
    throw new NotImplementedError(
      `"repeat_interleave_cpu" not implemented for '${repeats.dtype.scalarName}'`,
    );
  const counts = castTo(repeats.detach(), int64).contiguous();
  // Added up as doubles: an int64 sum may wrap to a size that is too small.
  let total = 0;
  for (const n of counts.toTypedArray() as BigInt64Array) {
    if (n < 0n) throw new RuntimeError('repeats can not be negative');
    total += Number(n);
  }
  if (size !== null && size !== total) throw new RuntimeError('allocated size does not match required size');
  const out = empty([total], int64, repeats.device);
  if (counts._numel > 0)
    launchChecked('repeat_interleave', repeats, () => 'repeats can not be negative', out, counts);
  return out;
}

/** Every slice repeated a number of times in place, before the next. */
function repeatEach(x: Tensor, times: number, dim: number): Tensor {
  if (times < 0) throw new RuntimeError('Repeats must be non-negative');
  const d = wrapDim(dim, x.shape.length);
  const wide = unsqueeze(x, d + 1);
  const shape = wide.shape.slice();
  shape[d + 1] = times;
  const copy = clone(expand(wide, shape), { memory_format: contiguous_format });
  return copy.flatten(d, d + 1);
}

/**
 * Every slice along `dim` (every element where dim is none) repeated: `repeats` times, or its own number of
 * times of a 1-d integer tensor. `repeat_interleave(repeats)` gives the indices alone.
 */
export const repeat_interleave: Op<
  | [repeats: number | Tensor, dim?: number | null, options?: { output_size?: number | null }]
  | [repeats: number | Tensor, options?: { dim?: number | null; output_size?: number | null }]
  | [options?: { repeats?: number | Tensor; dim?: number | null; output_size?: number | null }],
  Tensor
> = op(
  'repeat_interleave',
  'Tensor self, any repeats=None, int? dim=None, *, int? output_size=None',
  (self: Tensor, repeats: unknown, dim: number | null, size: number | null) => {
    if (repeats === null) return repeatedIndices(self, size);
    const x = dim === null ? self.flatten() : self;
    const d = wrapDim(dim ?? 0, x.shape.length);
    if (typeof repeats === 'number')
      return repeatEach(x.shape.length === 0 ? reshape(x, [1]) : x, repeats, d);
    const counts = Array.isArray(repeats) ? intTensor(repeats as number[], x) : (repeats as Tensor);
    if (!(counts instanceof Tensor))
      throw new TypeError("repeat_interleave(): argument 'repeats' must be Tensor or int");
    const total = x.shape.length === 0 ? 1 : x.shape[d];
    if (counts.shape.length > 1) throw new RuntimeError('repeats must be 0-dim or 1-dim tensor');
    const list =
      counts.shape.length === 0 || counts._numel === 1 ? counts.reshape([1]).expand([total]) : counts;
    if (list._numel !== total)
      throw new RuntimeError(
        `repeats must have the same size as input along dim, but got repeats.size(0) = ${list._numel} and input.size(${d}) = ${total}`,
      );
    return index_select(x, d, repeatedIndices(list, size));
  },
);

function intTensor(values: readonly number[], like: Tensor): Tensor {
  const out = empty([values.length], int64, like.device);
  if (values.length > 0) backendOf(like.device.type).write(out, BigInt64Array.from(values, BigInt));
  return out;
}

/**
 * A copy with `pad` elements of a constant added at the ends: pairs (before, after) from the last dimension
 * on. Negative numbers take elements away.
 */
export const constant_pad_nd: Op<[pad: Shape, value?: Scalar], Tensor> = op(
  'constant_pad_nd',
  'Tensor self, int[] pad, Scalar value=0',
  (x: Tensor, pad: Shape, value: Scalar) => {
    const n = x.shape.length;
    if (pad.length % 2 !== 0)
      throw new RuntimeError(`Length of pad must be even but instead it equals ${pad.length}`);
    if (pad.length > 2 * n)
      throw new RuntimeError(
        `Length of pad should be no more than twice the number of dimensions of the input. Pad length is ${pad.length}while the input has ${n}dimensions.`,
      );
    const before = x.shape.map((_, d) => pad[2 * (n - 1 - d)] ?? 0);
    const after = x.shape.map((_, d) => pad[2 * (n - 1 - d) + 1] ?? 0);
    const shape = x.shape.map((size, d) => size + before[d] + after[d]);
    shape.forEach((size, d) => {
      if (size < 0)
        throw new RuntimeError(
          `The input size ${x.shape[d]}, plus negative padding ${before[d]} and ${after[d]} resulted in a negative output size, which is invalid. Check dimension ${d} of your input.`,
        );
    });
    const out = full_(shape, value, x.dtype, x.device);
    let [to, from] = [out, x.detach()];
    shape.forEach((_, d) => {
      const length = Math.min(x.shape[d] + Math.min(before[d], 0) + Math.min(after[d], 0), shape[d]);
      to = window(to, d, Math.max(before[d], 0), length);
      from = window(from, d, Math.max(-before[d], 0), length);
    });
    if (numelOf(to.shape) > 0) copyInto(to, from);
    record('ConstantPadNdBackward0', [x], [out], () => ([g]) => [
      g === null
        ? null
        : constant_pad_nd(
            g,
            pad.map((p) => -p),
            0,
          ),
    ]);
    return out;
  },
);
