// Elements along one dimension by an index of their own: gather, scatter and their kin.

import { record } from '../autograd/graph.js';
import type { Operand, Scalar } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { bool, int64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { listText } from '../pyformat.js';
import { sameSizes, Tensor, wrapDim } from '../tensor.js';
import { type InPlaceOp, type Op, type Out, op } from './define.js';
import { checkedScalar, scalarOf, zeros_ } from './fill.js';
import {
  isIndexType,
  launchOr,
  longIndex,
  outOfBounds,
  reducedGradients,
  reductionCode,
} from './indexing.js';
import { refusal } from './notdiff.js';
import { type Overwrite, overwriting } from './overwrite.js';
import { notImplemented } from './reduce_extreme.js';
import { expand, reshape } from './view.js';

const rank = (x: Tensor): number => Math.max(x.shape.length, 1);
const sizeOf = (x: Tensor, d: number): number => (x.shape.length === 0 ? 1 : x.shape[d]);

/** @throws RuntimeError unless x can be read at the index along d. */
function checkGather(x: Tensor, d: number, index: Tensor): void {
  if (index._numel === 0) return;
  if (!isIndexType(index)) throw new RuntimeError('gather(): Expected dtype int32/int64 for index');
  if (rank(x) !== rank(index))
    throw new RuntimeError('Index tensor must have the same number of dimensions as input tensor');
  for (let i = 0; i < rank(x); i++)
    if (i !== d && sizeOf(index, i) > sizeOf(x, i))
      throw new RuntimeError(
        `Size does not match at dimension ${i} expected index ${listText(index.shape)} to be no larger than self ${listText(x.shape)} apart from dimension ${d}`,
      );
}

/**
 * `out[i][j] = input[index[i][j]][j]` for `dim` 0, and so on: elements along `dim` by an index of the result's shape.
 *
 *     torch.tensor([[1, 2], [3, 4]]).gather(1, torch.tensor([[1n], [0n]]))
 *     // tensor([[2.],
 *     //         [3.]])
 *
 * @throws RuntimeError for an index out of range or of another number of dimensions.
 */
export const gather: Op<[dim: number, index: Tensor, options?: Out & { sparse_grad?: boolean }], Tensor> = op(
  'gather',
  'Tensor self, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None',
  (x: Tensor, dim: number, index: Tensor) => {
    const d = wrapDim(dim, x.shape.length);
    checkGather(x, d, index);
    const out = empty(index.shape, x.dtype, x.device);
    const places = longIndex(index);
    if (out._numel > 0) launchOr(RuntimeError, 'gather', x, outOfBounds(x, d), out, x, d, places);
    const shape = x.shape;
    record('GatherBackward0', [x], [out], () => ([g]) => [
      g === null ? null : scatter_add(zeros_(shape, g.dtype, g.device), d, places, g),
    ]);
    return out;
  },
  { exactOut: true },
);

/** @throws RuntimeError unless `source` can be written to x at the index along d. */
function checkScatter(x: Tensor, d: number, index: Tensor, source: Tensor | null): void {
  if (index._numel > 0 && !isIndexType(index))
    throw new RuntimeError('scatter(): Expected dtype int32/int64 for index');
  if (source !== null && source.dtype !== x.dtype)
    throw new RuntimeError('scatter(): Expected self.dtype to be equal to src.dtype');
  if (index._numel === 0) return;
  if (rank(x) !== rank(index))
    throw new RuntimeError('Index tensor must have the same number of dimensions as self tensor');
  if (source !== null && rank(source) !== rank(index))
    throw new RuntimeError('Index tensor must have the same number of dimensions as src tensor');
  let fits = true;
  for (let i = 0; i < rank(x); i++) {
    if (i !== d && sizeOf(index, i) > sizeOf(x, i)) fits = false;
    if (source !== null && sizeOf(index, i) > sizeOf(source, i)) fits = false;
  }
  if (fits) return;
  const and = source === null ? '' : ` and to be no larger size than src ${listText(source.shape)}`;
  throw new RuntimeError(
    `Expected index ${listText(index.shape)} to be no larger than self ${listText(x.shape)} apart from dimension ${d}${and}`,
  );
}

/** The part of a source that an index reads: its first elements in every dimension. */
function readPart(source: Tensor, index: Tensor): Tensor {
  let part = source;
  for (let i = 0; i < source.shape.length; i++)
    if (part.shape[i] !== sizeOf(index, i)) part = part.narrow(i, 0, sizeOf(index, i));
  return part;
}

/** The gradient of a source of which the index read a part. */
function sourceGradient(g: Tensor, shape: readonly number[], d: number, places: Tensor): Tensor {
  const part = gather(g, d, places);
  if (sameSizes(shape, part.shape)) return part;
  const full = zeros_(shape, g.dtype, g.device);
  readPart(full, places).copy_(part);
  return full;
}

type Source = Tensor | Scalar;

function scatterReduced(x: Tensor, d: number, places: Tensor, source: Tensor, reduce: string): Overwrite {
  if (reduce !== 'add' && reduce !== 'multiply')
    throw new RuntimeError('reduce argument must be either add or multiply.');
  return {
    node: 'NotImplemented',
    inputs: [x, source],
    reads: [places, source],
    write: (out) => {
      if (places._numel > 0)
        launchOr(
          RuntimeError,
          'scatter_reduce',
          x,
          outOfBounds(x, d),
          out,
          d,
          places,
          source.detach(),
          reduce === 'add' ? 0 : 1,
          true,
        );
    },
    derivative: () => refusal('scatter'),
  };
}

/**
 * A copy with `src` (a tensor or a number) written at the index along `dim`: the inverse of {@link gather}. Which of
 * several elements for one place stays is the last one. @param reduce 'add' or 'multiply' combines them (without gradient).
 *
 *     torch.zeros(2, 2).scatter(1, torch.tensor([[1n], [0n]]), 1)
 *     // tensor([[0., 1.],
 *     //         [1., 0.]])
 */
export const scatter: InPlaceOp<
  | [dim: number, index: Tensor, src: Source, options?: Out & { reduce?: string }]
  | [dim: number, index: Tensor, options: Out & { reduce?: string } & ({ src: Source } | { value: Scalar })],
  Tensor
> = overwriting(
  'scatter',
  'Tensor self, int dim, Tensor index, Operand? src=None, *, Operand? value=None, str? reduce=None, Tensor? out=None',
  (
    x: Tensor,
    dim: number,
    index: Tensor,
    src: Operand | null,
    value: Operand | null,
    reduce: string | null,
  ) => {
    const given = src ?? value;
    if (given === null) throw new TypeError('scatter() missing 1 required positional arguments: "src"');
    const d = wrapDim(dim, x.shape.length);
    const tensor = given instanceof Tensor ? given : null;
    checkScatter(x, d, index, tensor);
    const places = longIndex(index);
    const source =
      tensor ?? expand(scalarOf(checkedScalar(given as Scalar, x.dtype), x.device, x.dtype), index.shape);
    if (reduce !== null) return scatterReduced(x, d, places, source, reduce);
    const shape = source.shape;
    return {
      node: tensor === null ? 'ScatterBackward1' : 'ScatterBackward0',
      inputs: tensor === null ? [x] : [x, tensor],
      reads: tensor === null ? [index] : [index, tensor],
      write: (out) => {
        if (places._numel > 0)
          launchOr(RuntimeError, 'scatter', x, outOfBounds(x, d), out, d, places, source.detach());
      },
      derivative:
        () =>
        ([g], needs) => [
          g === null || !needs(0) ? null : scatter(g, d, places, 0),
          g === null || !needs(1) ? null : sourceGradient(g, shape, d, places),
        ],
    };
  },
);

/** A copy with the elements of `src` added at the index along `dim`. */
export const scatter_add: InPlaceOp<[dim: number, index: Tensor, src: Tensor, options?: Out], Tensor> =
  overwriting(
    'scatter_add',
    'Tensor self, int dim, Tensor index, Tensor src, *, Tensor? out=None',
    (x: Tensor, dim: number, index: Tensor, source: Tensor) => {
      const d = wrapDim(dim, x.shape.length);
      checkScatter(x, d, index, source);
      const places = longIndex(index);
      const shape = source.shape;
      return {
        node: 'ScatterAddBackward0',
        inputs: [x, source],
        reads: [index, source],
        write: (out) => {
          if (places._numel > 0)
            launchOr(
              RuntimeError,
              'scatter_reduce',
              x,
              outOfBounds(x, d),
              out,
              d,
              places,
              source.detach(),
              0,
              true,
            );
        },
        derivative:
          () =>
          ([g], needs) => [g, g === null || !needs(1) ? null : sourceGradient(g, shape, d, places)],
      };
    },
  );

/** How scatter_reduce combines elements. */
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

/**
 * A copy in which the elements of `src` are combined with those at the index along `dim`.
 * @param reduce 'sum', 'prod', 'mean', 'amax' or 'amin'; with `include_self: false` old values of touched places do not count.
 */
export const scatter_reduce: InPlaceOp<
  | [
      dim: number,
      index: Tensor,
      src: Tensor,
      reduce: ScatterReduction,
      options?: Out & { include_self?: boolean },
    ]
  | [
      dim: number,
      index: Tensor,
      src: Tensor,
      options: Out & { reduce: ScatterReduction; include_self?: boolean },
    ],
  Tensor
> = overwriting(
  'scatter_reduce',
  'Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True, Tensor? out=None',
  (x: Tensor, dim: number, index: Tensor, source: Tensor, reduce: string, includeSelf: boolean) => {
    const code = reductionCode(reduce);
    if (code < 0)
      throw new RuntimeError(`reduce argument must be either sum, prod, mean, amax or amin, got ${reduce}`);
    const d = wrapDim(dim, x.shape.length);
    checkScatter(x, d, index, source);
    const ordered = reduce === 'amax' || reduce === 'amin';
    if ((x.dtype === bool && reduce === 'mean') || (x.dtype.is_complex && ordered))
      notImplemented(`scatter_gather_tensor_cpu_reduce_${reduce}`, x.dtype);
    const places = longIndex(index);
    return {
      node: 'ScatterReduceBackward0',
      inputs: [x, source],
      reads: [index, source],
      keeps: true,
      write: (out) => {
        if (places._numel > 0)
          launchOr(
            RuntimeError,
            'scatter_reduce',
            x,
            outOfBounds(x, d),
            out,
            d,
            places,
            source.detach(),
            code,
            includeSelf,
          );
      },
      derivative: (save, kept) => {
        const values = save(source);
        return ([g]) => {
          if (g === null) return [null, null];
          const whole = values();
          const [own, part] = reducedGradients(reduce, g, {
            before: kept.before(),
            after: kept.after(),
            source: readPart(whole, places),
            includeSelf,
            add: (to, from) => scatter_add(to, d, places, from),
            pick: (from) => gather(from, d, places),
            clear: (to) => scatter(to, d, places, 0),
            multiply: (to, from) =>
              scatter_reduce(to, d, places, from, 'prod', { include_self: includeSelf }),
          });
          if (sameSizes(part.shape, whole.shape)) return [own, part];
          const full = zeros_(whole.shape, part.dtype, part.device);
          readPart(full, places).copy_(part);
          return [own, full];
        };
      },
    };
  },
);

/** Elements by an index along `dim` that broadcasts with the input; of the flattened input where `dim` is none. */
export const take_along_dim: Op<[indices: Tensor, dim?: number | null, options?: Out], Tensor> = op(
  'take_along_dim',
  'Tensor self, Tensor indices, int? dim=None, *, Tensor? out=None',
  (x: Tensor, indices: Tensor, dim: number | null) => {
    if (indices.dtype !== int64)
      throw new RuntimeError(
        `torch.take_along_dim(): dtype of indices should be Long but got ${indices.dtype.scalarName}`,
      );
    if (dim === null) return gather(reshape(x, [-1]), 0, reshape(indices, [-1]));
    if (x.shape.length !== indices.shape.length)
      throw new RuntimeError(
        `torch.take_along_dim(): input and indices should have the same number of dimensions, but got ${x.shape.length} dimensions for input, and ${indices.shape.length} dimensions for indices`,
      );
    const d = wrapDim(dim, x.shape.length);
    const along = (shape: readonly number[], size: number): number[] =>
      shape.map((n, i) => (i === d ? size : n));
    const common = (size: number): readonly number[] =>
      broadcastShapes(along(x.shape, size), along(indices.shape, size));
    if (x.shape.length === 0) return gather(x, 0, indices);
    return gather(expand(x, common(x.shape[d])), d, expand(indices, common(indices.shape[d])));
  },
);
