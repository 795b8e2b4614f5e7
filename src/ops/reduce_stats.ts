// Variances, products, and sums of what is left after NaN or of exponentials.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { type DType, get_default_dtype, int64 } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { reverse } from './along.js';
import { add, div, mul, sub } from './arithmetic.js';
import { masked_fill } from './clamp.js';
import { eq, isnan } from './compare.js';
import { conj } from './complex.js';
import { castTo } from './copy.js';
import { type Op, type Out, op } from './define.js';
import { exp } from './exp.js';
import { ones_ } from './fill.js';
import { cat } from './join.js';
import {
  asKept,
  type ReduceArgs,
  reducedDims,
  reducedShape,
  restoreDims,
  runReduction,
  sum,
} from './reduce.js';
import { countOver, mean } from './reduce_mean.js';
import { cumprod } from './scan.js';
import { slice } from './view.js';

type Dims = number | readonly number[] | null;

// ---- variances

interface VarianceOptions extends Out {
  dim?: Dims;
  unbiased?: boolean;
  correction?: number | null;
  keepdim?: boolean;
}
/** Arguments of the variances: `unbiased` is PyTorch's older spelling of `correction` 1 and 0. */
export type VarianceArgs =
  | [options?: VarianceOptions]
  | [unbiased: boolean]
  | [dim: Dims, options?: VarianceOptions]
  | [dim: Dims, unbiased: boolean, options?: VarianceOptions]
  | [dim: Dims, unbiased: boolean, keepdim: boolean, options?: VarianceOptions];

/** What a call of var, std, var_mean or std_mean asks for. */
interface Variance {
  readonly x: Tensor;
  readonly dims: readonly number[];
  readonly keepdim: boolean;
  readonly correction: number;
}

function varianceOf(
  x: Tensor,
  dim: Dims | boolean,
  unbiased: boolean | null,
  keepdim: boolean,
  correction: number | null,
): Variance {
  if (x.dtype.is_integral)
    throw new RuntimeError('std and var only support floating point and complex dtypes');
  const bias = typeof dim === 'boolean' ? dim : unbiased;
  const dims = reducedDims(x, typeof dim === 'boolean' ? null : dim);
  return { x, dims, keepdim, correction: correction ?? (bias === false ? 0 : 1) };
}

/** The variance's gradient: 2 grad (x - mean) / (n - correction). */
function varianceGradient(g: Tensor, v: Variance, x: Tensor): Tensor {
  const scale = 2 / (countOver(x, v.dims) - v.correction);
  return mul(mul(restoreDims(g, x.shape, v.dims, v.keepdim), scale), sub(x, mean(x, [...v.dims], true)));
}

function deviationGradient(g: Tensor, v: Variance, x: Tensor, result: Tensor): Tensor {
  return varianceGradient(masked_fill(div(g, mul(result, 2)), eq(result, 0), 0), v, x);
}

/** Complex variances are those of both parts together. */
function complexVariance(v: Variance): Tensor {
  const part = (x: Tensor): Tensor => realVariance({ ...v, x }, false);
  return add(part(v.x.real), part(v.x.imag));
}

function realVariance(v: Variance, root: boolean): Tensor {
  const { x, dims, keepdim, correction } = v;
  const out = runReduction(root ? 'reduce_std' : 'reduce_var', x, dims, keepdim, x.dtype, correction);
  record(root ? 'StdBackward0' : 'VarBackward0', [x], [out], (save) => {
    const input = save(x);
    const result = root ? save(out) : null;
    return ([g]) => [
      g === null
        ? null
        : result
          ? deviationGradient(g, v, input(), result())
          : varianceGradient(g, v, input()),
    ];
  });
  return out;
}

const varianceSchema = (out: string): string =>
  `Tensor self, any dim=None, bool? unbiased=None, bool keepdim=False, *, float? correction=None${out}`;

function variance(name: string, root: boolean): Op<VarianceArgs, Tensor> {
  return op(
    name,
    varianceSchema(', Tensor? out=None'),
    (
      x: Tensor,
      dim: Dims | boolean,
      unbiased: boolean | null,
      keepdim: boolean,
      correction: number | null,
    ) => {
      const v = varianceOf(x, dim, unbiased, keepdim, correction);
      if (!x.dtype.is_complex) return realVariance(v, root);
      return root ? complexVariance(v).sqrt() : complexVariance(v);
    },
  );
}

/** The variance, of all elements or along dimensions, divided by n - `correction` (1 by default). Floating point only. */
const var_ = variance('var', false);
/**
 * The standard deviation, as {@link var_}.
 *
 *     torch.tensor([1, 2, 3]).std()
 *     // tensor(1.)
 */
export const std = variance('std', true);

function varianceAndMean(name: string, root: boolean): Op<VarianceArgs, [Tensor, Tensor]> {
  return op(
    name,
    varianceSchema(''),
    (
      x: Tensor,
      dim: Dims | boolean,
      unbiased: boolean | null,
      keepdim: boolean,
      correction: number | null,
    ) => {
      const v = varianceOf(x, dim, unbiased, keepdim, correction);
      if (x.dtype.is_complex)
        return [root ? complexVariance(v).sqrt() : complexVariance(v), mean(x, [...v.dims], keepdim)];
      const shape = reducedShape(x, v.dims, keepdim);
      const [spread, center] = [empty(shape, x.dtype, x.device), empty(shape, x.dtype, x.device)];
      if (spread._numel > 0)
        backendOf(x.device.type).launch(
          `reduce_${name}`,
          asKept(spread, x, v.dims),
          asKept(center, x, v.dims),
          x,
          v.dims.length,
          ...v.dims,
          v.correction,
        );
      record(root ? 'StdMeanBackward0' : 'VarMeanBackward0', [x], [spread, center], (save) => {
        const input = save(x);
        const result = save(spread);
        return ([g, m]) => {
          const own =
            g === null
              ? null
              : root
                ? deviationGradient(g, v, input(), result())
                : varianceGradient(g, v, input());
          const rest =
            m === null
              ? null
              : div(restoreDims(m, x.shape, v.dims, keepdim), countOver(x, v.dims)).expand(x.shape);
          return [own === null ? rest : rest === null ? own : add(own, rest)];
        };
      });
      return [spread, center];
    },
  );
}

/** The variance and the mean, in one pass. */
export const var_mean = varianceAndMean('var_mean', false);
/** The standard deviation and the mean, in one pass. */
export const std_mean = varianceAndMean('std_mean', true);

// ---- products

/** Products of all other elements along d, without division: exact where elements are zero. */
function othersAlong(x: Tensor, d: number): Tensor {
  const n = x.shape[d];
  const one = ones_(
    x.shape.map((size, i) => (i === d ? 1 : size)),
    x.dtype,
    x.device,
  );
  const before = (y: Tensor): Tensor => cumprod(cat([one, slice(y, d, 0, n - 1)], d), d);
  return mul(before(x), reverse(before(reverse(x, d)), d));
}

function anyZero(x: Tensor): boolean {
  if (x._numel === 0 || x.device.type === 'meta') return false;
  return sum(eq(x.detach(), 0)).item() !== 0;
}

/** The product's gradient along one dimension, or over all elements (d is null). */
function productGradient(g: Tensor, x: Tensor, result: Tensor, d: number | null): Tensor {
  if (x.shape.length === 0) return g;
  if (!anyZero(x)) return div(mul(g, conj(result)), conj(x));
  if (d === null) return mul(conj(othersAlong(x.reshape([-1]), 0)).reshape([...x.shape]), g);
  return mul(g, conj(othersAlong(x, d)));
}

interface ProdOptions extends Out {
  dim?: number | null;
  keepdim?: boolean;
  dtype?: DType | null;
}

/**
 * The product of the elements, of all or along one dimension. Integers and bool multiply to int64.
 *
 *     torch.tensor([1, 2, 3]).prod()
 *     // tensor(6.)
 */
export const prod: Op<
  | [dim?: number | null, keepdim?: boolean, options?: ProdOptions]
  | [options: ProdOptions]
  | [dim: number, options: ProdOptions],
  Tensor
> = op(
  'prod',
  'Tensor self, int? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None',
  (x: Tensor, dim: number | null, keepdim: boolean, dtype: DType | null) => {
    const type = dtype ?? (x.dtype.is_integral ? int64 : x.dtype);
    const from = type === x.dtype || x.dtype.is_integral ? x : castTo(x, type);
    const dims = reducedDims(x, dim);
    const input = x.dtype.is_integral && !type.is_integral ? castTo(x, type) : from;
    const out = runReduction('reduce_prod', input, dims, keepdim, type);
    record(dim === null ? 'ProdBackward0' : 'ProdBackward1', [input], [out], (save) => {
      const saved = save(input);
      const result = save(out);
      return ([g]) => {
        if (g === null) return [null];
        const kept = (t: Tensor): Tensor => (dim === null ? t : restoreDims(t, x.shape, dims, keepdim));
        return [productGradient(kept(g), saved(), kept(result()), dim === null ? null : dims[0])];
      };
    });
    return out;
  },
);

// ---- sums without NaN, counts, logarithms of sums

/** The sum of the elements that are not NaN. */
export const nansum: Op<ReduceArgs, Tensor> = op(
  'nansum',
  'Tensor self, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None',
  (x: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null) => {
    if (x.dtype.is_complex) throw new RuntimeError('nansum on CPU does not support complex inputs');
    if (x.dtype.is_integral) return sum(x, dim, keepdim, { dtype });
    const from = dtype === null ? x : castTo(x, dtype);
    if (from.dtype.is_integral) return sum(from, dim, keepdim);
    const dims = reducedDims(x, dim);
    const out = runReduction('reduce_nansum', from, dims, keepdim, from.dtype);
    record('NansumBackward0', [from], [out], (save) => {
      const input = save(from);
      return ([g]) => [
        g === null ? null : mul(restoreDims(g, x.shape, dims, keepdim), isnan(input()).logical_not()),
      ];
    });
    return out;
  },
);

/** The mean of the elements that are not NaN. @throws RuntimeError for integers. */
export const nanmean: Op<ReduceArgs, Tensor> = op(
  'nanmean',
  'Tensor self, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None',
  (x: Tensor, dim: Dims, keepdim: boolean, dtype: DType | null) => {
    if (x.dtype.is_integral)
      throw new RuntimeError(
        `nanmean(): expected input to have floating point or complex dtype but got ${x.dtype.scalarName}`,
      );
    const counted = sum(isnan(x.detach()).logical_not(), dim, keepdim);
    return div(nansum(x, dim, keepdim, { dtype }), counted);
  },
);

/** How many elements are not zero, of all or along dimensions. int64. */
export const count_nonzero: Op<[dim?: Dims] | [options: { dim?: Dims }], Tensor> = op(
  'count_nonzero',
  'Tensor self, int[1]? dim=None',
  (x: Tensor, dim: Dims) => runReduction('reduce_count_nonzero', x, reducedDims(x, dim), false, int64),
);

function checkLogsumexp(x: Tensor, dims: readonly number[]): void {
  if (dims.length === 0 && x.shape.length > 0)
    throw new RuntimeError(
      `output with shape [] doesn't match the broadcast shape [${x.shape.map(() => 1).join(', ')}]`,
    );
}

/**
 * `log(sum(exp(x)))` along dimensions, without overflow. Integers promote to the default float.
 *
 *     torch.tensor([[1, 2], [3, 4]]).logsumexp(1)
 *     // tensor([2.3133, 4.3133])
 */
export const logsumexp: Op<
  | [dim: number | readonly number[], keepdim?: boolean, options?: Out]
  | [options: Out & { dim: number | readonly number[]; keepdim?: boolean }],
  Tensor
> = op(
  'logsumexp',
  'Tensor self, int[1] dim, bool keepdim=False, *, Tensor? out=None',
  (input: Tensor, dim: number | readonly number[], keepdim: boolean) => {
    const x = input.dtype.is_integral ? castTo(input, get_default_dtype()) : input;
    checkLogsumexp(x, Array.isArray(dim) ? dim : [dim]);
    const dims = reducedDims(x, dim);
    if (x.dtype.is_complex) return complexLogsumexp(x, dims, keepdim);
    const out = runReduction('reduce_logsumexp', x, dims, keepdim, x.dtype);
    record('LogsumexpBackward0', [x], [out], (save) => {
      const saved = save(x);
      const result = save(out);
      return ([g]) => {
        if (g === null) return [null];
        const kept = (t: Tensor): Tensor => restoreDims(t, x.shape, dims, keepdim);
        return [mul(kept(g), exp(sub(saved(), kept(result()))))];
      };
    });
    return out;
  },
);

/** The largest real part keeps the exponentials in range. */
function complexLogsumexp(x: Tensor, dims: readonly number[], keepdim: boolean): Tensor {
  const top = runReduction('reduce_amax', x.detach().real, dims, true, x.dtype.to_real());
  const safe = masked_fill(top, eq(top.abs(), Number.POSITIVE_INFINITY), 0);
  const total = sum(exp(sub(x, safe)), [...dims], keepdim).log();
  return add(total, safe.reshape([...total.shape]));
}

export { var_ as var };
