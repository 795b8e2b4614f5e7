// Slices along one dimension by a list of their positions: index_select, index_add and their kin.

import { record } from '../autograd/graph.js';
import { backendOf, type KernelArg, type Operand, type Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { empty } from '../dispatch/allocate.js';
import { checkInternalOverlap } from '../dispatch/out.js';
import { bool, int32, int64 } from '../dtype.js';
import { IndexError, RuntimeError } from '../errors.js';
import { listText } from '../pyformat.js';
import { Tensor, wrapDim } from '../tensor.js';
import { div, mul } from './arithmetic.js';
import { choose, masked_fill } from './clamp.js';
import { eq } from './compare.js';
import { castTo } from './copy.js';
import { type InPlaceOp, type Op, type Out, op, writeOut } from './define.js';
import { ones_, scalarOf, zeros_ } from './fill.js';
import { logical_and } from './logic.js';
import { overwriting } from './overwrite.js';
import { sum } from './reduce.js';
import { notImplemented } from './reduce_extreme.js';

/** @internal Runs an indexing kernel, which checks the bounds itself. */
export function launchChecked(
  kernel: string,
  like: Tensor,
  describe: (bad: number) => string,
  ...args: readonly KernelArg[]
): void {
  launchOr(IndexError, kernel, like, describe, ...args);
}

/** @internal The same with another class of error. */
export function launchOr(
  kind: new (message: string) => Error,
  kernel: string,
  like: Tensor,
  describe: (bad: number) => string,
  ...args: readonly KernelArg[]
): void {
  const backend = backendOf(like.device.type);
  if (backend.launch(kernel, ...args) !== 0) throw new kind(describe(backend.result(1)));
}

/** @internal An index tensor as kernels read it. */
export const longIndex = (index: Tensor): Tensor => castTo(index.detach(), int64);

/** @internal */
export const isIndexType = (index: Tensor): boolean => index.dtype === int64 || index.dtype === int32;

/** @internal 'index 5 is out of bounds for dimension 0 with size 3'. */
export const outOfBounds =
  (x: Tensor, d: number) =>
  (bad: number): string =>
    `index ${bad} is out of bounds for dimension ${d} with size ${x.shape.length === 0 ? 1 : x.shape[d]}`;

const rangeText = (): string => 'index out of range in self';
function checkVector(name: string, index: Tensor): void {
  if (index.shape.length > 1) throw new IndexError(`${name}(): Index is supposed to be a vector`);
  if (!isIndexType(index)) throw new RuntimeError(`${name}(): Expected dtype int32 or int64 for index`);
}

/**
 * The slices along `dim` at the given indices, in their order.
 *
 *     torch.tensor([[1, 2], [3, 4]]).index_select(1, torch.tensor([1n]))
 *     // tensor([[2.],
 *     //         [4.]])
 *
 * @throws IndexError for an index out of range.
 */
export const index_select: Op<[dim: number, index: Tensor, options?: Out], Tensor> = op(
  'index_select',
  'Tensor self, int dim, Tensor index, *, Tensor? out=None',
  (x: Tensor, dim: number, index: Tensor, target: Tensor | null) => {
    const d = wrapDim(dim, x.shape.length);
    checkVector('index_select', index);
    if (target !== null) checkInternalOverlap(target);
    if (x.shape.length === 0 && index._numel !== 1)
      throw new RuntimeError(
        `index_select(): Index to scalar can have only 1 value, got ${index._numel} value(s)`,
      );
    const out = empty(
      x.shape.map((n, i) => (i === d ? index._numel : n)),
      x.dtype,
      x.device,
    );
    const places = longIndex(index);
    if (index._numel > 0) launchChecked('index_select', x, rangeText, out, x, d, places);
    const shape = x.shape;
    record('IndexSelectBackward0', [x], [out], () => ([g]) => [
      g === null ? null : index_add(zeros_(shape, g.dtype, g.device), d, places, g),
    ]);
    return target === null ? out : (writeOut('index_select', [x, index], out, target, true) as Tensor);
  },
  { ownOut: true },
);

/** Checks the index and source of index_add and index_reduce. */
function checkSource(name: string, x: Tensor, d: number, index: Tensor, source: Tensor): void {
  if (!isIndexType(index))
    throw new RuntimeError(
      `${name}_(): Expected dtype int32/int64 for index but got: ${index.dtype.scalarName}`,
    );
  if (index.shape.length > 1)
    throw new IndexError(
      `${name}_(): Index is supposed to be a vector, but got dim: ${index.shape.length} with type: ${index.dtype.scalarName} and size: ${listText(index.shape)}`,
    );
  if (x.dtype !== source.dtype)
    throw new RuntimeError(
      `${name}_(): self (${x.dtype.scalarName}) and source (${source.dtype.scalarName}) must have the same scalar type`,
    );
  const along = source.shape.length === 0 ? 1 : source.shape[wrapDim(d, source.shape.length)];
  if (index._numel !== along)
    throw new RuntimeError(
      `${name}_(): Number of indices (${index._numel}) should be equal to source.size(dim): (${along}), for dim: ${d}`,
    );
  const rest = (t: Tensor): readonly number[] =>
    t.shape.length === 0 ? [] : t.shape.filter((_, i) => i !== d);
  if (listText(rest(x)) !== listText(rest(source)))
    throw new RuntimeError(
      `source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = ${listText(x.shape)} source.shape = ${listText(source.shape)}`,
    );
}

/** The gradient of a source whose slices went to the given places. */
const sliceGradient = (g: Tensor, source: readonly number[], d: number, places: Tensor): Tensor =>
  index_select(g, d, places).reshape(source);

/** A copy with `alpha` times the slices of `source` added at the given indices along `dim`. Equal indices add up. */
export const index_add: InPlaceOp<
  [dim: number, index: Tensor, source: Tensor, options?: Out & { alpha?: Scalar }],
  Tensor
> = overwriting(
  'index_add',
  'Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1, Tensor? out=None',
  (x: Tensor, dim: number, index: Tensor, source: Tensor, alpha: Scalar) => {
    const d = wrapDim(dim, x.shape.length);
    checkSource('index_add', x, d, index, source);
    const places = longIndex(index);
    const factor = x.dtype.is_integral && typeof alpha === 'number' ? Math.trunc(alpha) : alpha;
    const shape = source.shape;
    return {
      node: 'IndexAddBackward0',
      inputs: [x, source],
      reads: [index, source],
      write: (out) => {
        if (source._numel === 0) return;
        const scaled = factor instanceof Complex ? mul(source.detach(), factor) : source.detach();
        launchOr(
          RuntimeError,
          'index_add',
          x,
          outOfBounds(x, d),
          out,
          d,
          places,
          scaled,
          factor instanceof Complex ? 1 : Number(factor),
        );
      },
      derivative:
        () =>
        ([g], needs) => {
          if (g === null || !needs(1)) return [g, null];
          const own = sliceGradient(g, shape, d, places);
          return [
            g,
            factor === 1
              ? own
              : mul(own, factor instanceof Complex ? new Complex(factor.re, -factor.im) : factor),
          ];
        },
    };
  },
);

function checkCopy(x: Tensor, d: number, index: Tensor, source: Tensor): void {
  const fail = (text: string, kind: new (message: string) => Error = IndexError): never => {
    throw new kind(`index_copy_(): ${text}`);
  };
  if (index.shape.length > 1) fail(`Index should have dimension 1 or 0 (got ${index.shape.length})`);
  const count = index._numel;
  if (source.shape.length === 0 && count !== 1)
    fail(`When source is scalar, index should have one element (got ${count})`);
  if (source.shape.length !== x.shape.length && source.shape.length !== 0 && x.shape.length !== 0)
    fail(
      `When source and destination are not scalars, their dimensionality must match. Source dimensionality (${source.shape.length}), destination dimensionality (${x.shape.length})`,
    );
  if (index.dtype !== int64)
    fail(`Expected a long tensor for index, but got ${index.dtype.scalarName}`, RuntimeError);
  if (x.dtype !== source.dtype)
    fail(
      `self and source expected to have the same dtype, but got (self) ${x.dtype.scalarName} and (source) ${source.dtype.scalarName}`,
      RuntimeError,
    );
  const rest = (t: Tensor): readonly number[] => t.shape.filter((_, i) => i !== d);
  const [to, from] = [rest(x), rest(source)];
  if (listText(to) !== listText(from))
    fail(
      `Source/destination tensor must have same slice shapes. Destination slice shape: ${to.join(' ')} at dimension ${d} and source slice shape: ${from.join(' ')} at dimension 0.`,
      RuntimeError,
    );
  if (source.shape.length > 0 && count !== source.shape[d])
    fail(`Number of indices (${count}) should be equal to source.size(dim) (${source.shape[d]})`);
}

/** A copy with the slices of `source` written at the given indices along `dim`. */
export const index_copy: InPlaceOp<[dim: number, index: Tensor, source: Tensor, options?: Out], Tensor> =
  overwriting(
    'index_copy',
    'Tensor self, int dim, Tensor index, Tensor source, *, Tensor? out=None',
    (x: Tensor, dim: number, index: Tensor, source: Tensor) => {
      const d = wrapDim(dim, x.shape.length);
      checkCopy(x, d, index, source);
      const places = longIndex(index);
      const shape = source.shape;
      return {
        node: 'IndexCopyBackward0',
        inputs: [x, source],
        reads: [index, source],
        write: (out) => {
          if (source._numel > 0)
            launchChecked(
              'index_copy',
              x,
              (bad) => `index_copy_(): ${outOfBounds(x, d)(bad)}`,
              out,
              d,
              places,
              source.detach(),
            );
        },
        derivative:
          () =>
          ([g], needs) => [
            g === null || !needs(0) ? null : index_fill(g, d, places, 0),
            g === null || !needs(1) ? null : sliceGradient(g, shape, d, places),
          ],
      };
    },
  );

/** A value as a 0-d tensor of x's dtype. */
function fillValue(x: Tensor, value: Operand): Tensor {
  if (value instanceof Tensor) {
    if (value.shape.length !== 0)
      throw new RuntimeError(
        `index_fill_ only supports a 0-dimensional value tensor, but got tensor with ${value.shape.length} dimension(s).`,
      );
    return castTo(value.detach(), x.dtype);
  }
  if (value instanceof Complex && !x.dtype.is_complex)
    throw new RuntimeError('index_fill_(): Converting complex Scalar to non-complex type is not supported');
  return scalarOf(
    x.dtype.kind === 'integer' && typeof value === 'number' ? Math.trunc(value) : value,
    x.device,
    x.dtype,
  );
}

/** A copy with the slices at the given indices along `dim` overwritten by `value` (a number or 0-d tensor). */
export const index_fill: InPlaceOp<[dim: number, index: Tensor, value: Operand], Tensor> = overwriting(
  'index_fill',
  'Tensor self, int dim, Tensor index, Operand value',
  (x: Tensor, dim: number, index: Tensor, value: Operand) => {
    const written = fillValue(x, value);
    if (index.dtype !== int64) throw new IndexError('index_fill_(): Expected dtype int64 for index.');
    const d = wrapDim(dim, x.shape.length);
    if (index.shape.length > 1) throw new RuntimeError('Index has to be a vector/scalar');
    const size = x.shape.length === 0 ? 1 : x.shape[d];
    const tensor = value instanceof Tensor ? value : null;
    return {
      node: tensor === null ? 'IndexFillBackward0' : 'IndexFillBackward1',
      inputs: tensor === null ? [x] : [x, tensor],
      reads: [index],
      write: (out) => {
        if (index._numel > 0)
          launchChecked('index_fill', x, outOfBounds(x, d), out, d, index.detach(), written);
      },
      derivative:
        () =>
        ([g], needs) => {
          if (g === null) return [null, null];
          if (!needs(1)) return [index_fill(g, d, index, 0), null];
          // Slices that were filled twice count once.
          const hit = zeros_([size], g.dtype, g.device).index_fill_(0, index, 1);
          const wide =
            g.shape.length === 0 ? hit.reshape([]) : hit.reshape(g.shape.map((_, i) => (i === d ? size : 1)));
          return [index_fill(g, d, index, 0), sum(mul(g, wide))];
        },
    };
  },
);

const reductions: readonly string[] = ['sum', 'prod', 'mean', 'amax', 'amin'];

/** @internal The number by which kernels know a reduction. */
export const reductionCode = (reduce: string): number => reductions.indexOf(reduce);

/** Reductions of index_reduce. */
export type IndexReduction = 'prod' | 'mean' | 'amax' | 'amin';

/**
 * @internal The derivative that scatter_reduce and index_reduce share.
 * @param add sums the slices or elements of a source where they went; @param pick is its inverse.
 */
export interface ReducedParts {
  readonly before: Tensor;
  readonly after: Tensor;
  readonly source: Tensor;
  readonly includeSelf: boolean;
  readonly add: (to: Tensor, source: Tensor) => Tensor;
  readonly pick: (from: Tensor) => Tensor;
  /** Zero wherever something was written. */
  readonly clear: (x: Tensor) => Tensor;
  /** The op itself, for products among zeros. */
  readonly multiply: (x: Tensor, source: Tensor) => Tensor;
}

/** @internal Gradients of x and source under a reduction. */
export function reducedGradients(reduce: string, g: Tensor, parts: ReducedParts): [Tensor, Tensor] {
  const { before, after, source, includeSelf, add, pick, clear } = parts;
  const own = (x: Tensor): Tensor => (includeSelf ? x : clear(x));
  if (reduce === 'sum') return [own(g), pick(g)];
  if (reduce === 'mean') {
    const start = includeSelf ? ones_(g.shape, g.dtype, g.device) : clear(ones_(g.shape, g.dtype, g.device));
    const count = add(start, ones_(source.shape, g.dtype, g.device));
    const divisor = masked_fill(count, eq(count, 0), 1);
    return [own(div(g, divisor)), div(pick(g), pick(divisor))];
  }
  if (reduce === 'prod') return productGradients(g, parts);
  const largest = pick(after.detach());
  const ownHit = eq(before, after.detach()).to(g.dtype);
  const hit = eq(source, largest).to(g.dtype);
  // As in PyTorch, an old value that equals the result takes its share even where it does not count.
  const ties = add(ownHit, hit);
  const share = div(g, masked_fill(ties, eq(ties, 0), 1));
  const untouched = includeSelf ? mul(ownHit, share) : clear(g);
  return [untouched, mul(hit, pick(share))];
}

/** The gradient of a product: the product of the others, found without division where one of them is zero. */
function productGradients(
  g: Tensor,
  { before, after, source, includeSelf, add, pick, clear, multiply }: ReducedParts,
): [Tensor, Tensor] {
  const zero = (x: Tensor): Tensor => eq(x.detach(), 0);
  const ownMasked = masked_fill(before, zero(before), 1);
  const ownGrad = includeSelf ? div(mul(g, multiply(ownMasked, source)), ownMasked) : clear(g);
  const none = zero(source);
  const zeros = add(zeros_(before.shape, g.dtype, g.device), none.to(g.dtype));
  // Of a group with a single zero, that element's gradient is the product of the rest.
  const single = logical_and(none, eq(pick(zeros), 1));
  const rest = multiply(before, masked_fill(source, single, 1));
  const usual = div(pick(mul(g, after)), masked_fill(source, none, 1));
  const grad = choose(single, pick(mul(g, rest)), usual);
  return [ownGrad, grad];
}

/**
 * A copy in which the slices of `source` are combined with those at the given indices along `dim`.
 * @param reduce 'prod', 'mean', 'amax' or 'amin'; with `include_self: false` the old values of touched slices do not count.
 */
export const index_reduce: InPlaceOp<
  [
    dim: number,
    index: Tensor,
    source: Tensor,
    reduce: IndexReduction,
    options?: Out & { include_self?: boolean },
  ],
  Tensor
> = overwriting(
  'index_reduce',
  'Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True, Tensor? out=None',
  (x: Tensor, dim: number, index: Tensor, source: Tensor, reduce: string, includeSelf: boolean) => {
    if (reductionCode(reduce) < 1)
      throw new RuntimeError(
        `index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ${reduce}.`,
      );
    const d = wrapDim(dim, x.shape.length);
    checkSource('index_reduce', x, d, index, source);
    if (x.dtype === bool || x.dtype.is_complex)
      notImplemented(includeSelf ? 'index_func_' : 'index_reduce_func_exclude_input_init', x.dtype);
    const vector = longIndex(index);
    const spread = (places: Tensor, like: Tensor): Tensor =>
      like.shape.length === 0
        ? places.reshape([])
        : places.reshape(like.shape.map((_, i) => (i === d ? -1 : 1))).expand(like.shape);
    return {
      node: 'IndexReduceBackward0',
      inputs: [x, source],
      reads: [index, source],
      keeps: true,
      write: (out) => {
        if (source._numel > 0)
          launchOr(
            IndexError,
            'scatter_reduce',
            x,
            rangeText,
            out,
            d,
            spread(vector, source),
            source.detach(),
            reductionCode(reduce),
            includeSelf,
          );
      },
      derivative: (save, kept) => {
        const values = save(source);
        return ([g]) =>
          g === null
            ? [null, null]
            : reducedGradients(reduce, g, {
                before: kept.before(),
                after: kept.after(),
                source: values(),
                includeSelf,
                add: (to, from) => index_add(to, d, vector, from),
                pick: (from) => sliceGradient(from, values().shape, d, vector),
                clear: (to) => index_fill(to, d, vector, 0),
                multiply: (to, from) =>
                  index_reduce(to, d, vector, from, 'prod', { include_self: includeSelf }),
              });
      },
    };
  },
);
