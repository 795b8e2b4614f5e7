// Matrix products. Every one ends in one call of the gemm kernel, which takes any strides.
import { record } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { empty, alias as viewAs } from '../dispatch/allocate.js';
import { interception } from '../dispatch/intercept.js';
import { broadcastShapes } from '../dispatch/promotion.js';
import { RuntimeError } from '../errors.js';
import { numelOf, Tensor } from '../tensor.js';
import { add, mul } from './arithmetic.js';
import { alias, type Op, type Out, op } from './define.js';
import { adjoint, batched, checkTypes, flipped, gemmInto, product } from './gemm.js';
import { expand, reshape, squeeze, t, unsafeView, unsqueeze, view } from './view.js';

/** @internal The gradients of `a @ b` for matrices: `grad @ b^H` and `a^H @ grad`, in the layout of the operand. */
export function productGrads(
  grad: Tensor,
  a: () => Tensor,
  b: () => Tensor,
  needs: (i: number) => boolean,
): (Tensor | null)[] {
  return [needs(0) ? mm(grad, adjoint(b())) : null, needs(1) ? gradOfSecond(grad, a(), b()) : null];
}

/** `a^H @ grad`; computed transposed when b is column-major, so that the gradient of `w.t()` is row-major in w. */
function gradOfSecond(grad: Tensor, a: Tensor, b: Tensor): Tensor {
  const columnMajor = b._strides[0] === 1 && b._strides[1] === b.shape[0] && !b.dtype.is_complex;
  return columnMajor ? t(mm(t(grad), a)) : mm(adjoint(a), grad);
}

/**
 * The product of two matrices [n, m] and [m, p].
 *
 *     torch.mm(torch.tensor([[1, 2], [3, 4]]), torch.eye(2))
 *     // tensor([[1., 2.],
 *     //         [3., 4.]])
 *
 * @throws RuntimeError unless both are matrices whose shapes fit.
 */
export const mm: Op<[mat2: Tensor, options?: Out], Tensor> = op(
  'mm',
  'Tensor self, Tensor mat2, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    if (a.shape.length !== 2) throw new RuntimeError('self must be a matrix');
    if (b.shape.length !== 2) throw new RuntimeError('mat2 must be a matrix');
    if (a.shape[1] !== b.shape[0])
      throw new RuntimeError(
        `mat1 and mat2 shapes cannot be multiplied (${a.shape.join('x')} and ${b.shape.join('x')})`,
      );
    checkTypes(a, b);
    const out = product(a, b);
    record('MmBackward0', [a, b], [out], (save) => {
      const [x, y] = [save(a), save(b)];
      return ([g], needs) => (g === null ? [null, null] : productGrads(g, x, y, needs));
    });
    return out;
  },
);

/**
 * Products of matrices in two batches, [b, n, m] and [b, m, p].
 * @throws RuntimeError unless both are 3-d and the sizes fit.
 */
export const bmm: Op<[mat2: Tensor, options?: Out], Tensor> = op(
  'bmm',
  'Tensor self, Tensor mat2, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    if (a.shape.length !== 3 || b.shape.length !== 3)
      throw new RuntimeError(
        a.shape.length !== 3 ? 'batch1 must be a 3D tensor' : 'batch2 must be a 3D tensor',
      );
    if (a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1])
      throw new RuntimeError(
        `Expected size for first two dimensions of batch2 tensor to be: [${a.shape[0]}, ${a.shape[2]}] but got: [${b.shape[0]}, ${b.shape[1]}].`,
      );
    if (a.dtype !== b.dtype)
      throw new RuntimeError(`expected scalar type ${a.dtype.scalarName} but found ${b.dtype.scalarName}`);
    const out = empty([a.shape[0], a.shape[1], b.shape[2]], a.dtype, a.device);
    gemmInto(out, a, b, 1, 0, null);
    record('BmmBackward0', [a, b], [out], (save) => {
      const [x, y] = [save(a), save(b)];
      return ([g], needs) =>
        g === null
          ? [null, null]
          : [needs(0) ? bmm(g, adjoint(y())) : null, needs(1) ? bmm(adjoint(x()), g) : null];
    });
    return out;
  },
);

/**
 * The inner product of two vectors.
 *
 *     torch.dot(torch.tensor([1, 2]), torch.tensor([3, 4]))
 *     // tensor(11.)
 */
export const dot: Op<[tensor: Tensor, options?: Out], Tensor> = op(
  'dot',
  'Tensor self, Tensor tensor, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    if (a.shape.length !== 1 || b.shape.length !== 1)
      throw new RuntimeError(
        `1D tensors expected, but got ${a.shape.length}D and ${b.shape.length}D tensors`,
      );
    if (a.dtype !== b.dtype)
      throw new RuntimeError(
        `dot : expected both vectors to have same dtype, but found ${a.dtype.scalarName} and ${b.dtype.scalarName}`,
      );
    if (a._numel !== b._numel)
      throw new RuntimeError(
        `inconsistent tensor size, expected tensor [${a.shape[0]}] and src [${b.shape[0]}] to have the same number of elements, but got ${a._numel} and ${b._numel} elements respectively`,
      );
    const out = empty([], a.dtype, a.device);
    backendOf(a.device.type).launch('dot', out, a, b);
    record('DotBackward0', [a, b], [out], (save) => {
      const [x, y] = [save(a), save(b)];
      return ([g], needs) =>
        g === null
          ? [null, null]
          : [needs(0) ? mul(g, conjOf(y())) : null, needs(1) ? mul(g, conjOf(x())) : null];
    });
    return out;
  },
);

const conjOf = (x: Tensor): Tensor => (x.dtype.is_complex ? x.conj() : x);

/** The inner product of two vectors, the first conjugated. */
export const vdot: Op<[other: Tensor, options?: Out], Tensor> = op(
  'vdot',
  'Tensor self, Tensor other, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => dot(conjOf(a), b),
);

/** A matrix times a vector. */
export const mv: Op<[vec: Tensor, options?: Out], Tensor> = op(
  'mv',
  'Tensor self, Tensor vec, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    if (a.shape.length !== 2 || b.shape.length !== 1)
      throw new RuntimeError(
        `vector + matrix @ vector expected, got 1, ${a.shape.length}, ${b.shape.length}`,
      );
    if (a.shape[1] !== b.shape[0])
      throw new RuntimeError(
        `size mismatch, got input (${a.shape[0]}), mat (${a.shape.join('x')}), vec (${b.shape[0]})`,
      );
    checkTypes(a, b);
    const out = empty([a.shape[0]], a.dtype, a.device);
    gemmInto(
      viewAs(out, [1, a.shape[0], 1], [0, 1, 1], 0),
      batched(a),
      viewAs(b, [1, b.shape[0], 1], [0, b._strides[0], 1], b._offset),
      1,
      0,
      null,
    );
    record('MvBackward0', [a, b], [out], (save) => {
      const [x, y] = [save(a), save(b)];
      return ([g], needs) =>
        g === null
          ? [null, null]
          : [needs(0) ? outer(g, conjOf(y())) : null, needs(1) ? mv(adjoint(x()), g) : null];
    });
    return out;
  },
);

/**
 * The matrix of the products of the elements of two vectors.
 *
 *     torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
 *     // tensor([[3., 4.],
 *     //         [6., 8.]])
 */
export const outer: Op<[vec2: Tensor, options?: Out], Tensor> = op(
  'outer',
  'Tensor self, Tensor vec2, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    if (a.shape.length !== 1)
      throw new RuntimeError(`outer: Expected 1-D argument self, but got ${a.shape.length}-D`);
    if (b.shape.length !== 1)
      throw new RuntimeError(`outer: Expected 1-D argument vec2, but got ${b.shape.length}-D`);
    return mul(unsqueeze(a, 1), b);
  },
);
/** Alias of {@link outer}. */
export const ger: typeof outer = alias('ger', outer);

/** Matrices of x, expanded to a batch shape and flattened to 3-d. */
function flattenBatch(x: Tensor, batch: readonly number[]): Tensor {
  const [m, k] = x.shape.slice(-2);
  return reshape(expand(x, [...batch, m, k]), [numelOf(batch), m, k]);
}

/**
 * The matrix product of two tensors: inner product of vectors, matrix times vector, or products of matrices
 * whose leading dimensions broadcast.
 *
 *     torch.tensor([[1, 2], [3, 4]]).matmul(torch.tensor([1, 1]))
 *     // tensor([3., 7.])
 */
export const matmul: Op<[other: Tensor, options?: Out], Tensor> = op(
  'matmul',
  'Tensor self, Tensor other, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    const [p, q] = [a.shape.length, b.shape.length];
    if (p === 0 || q === 0)
      throw new RuntimeError(`both arguments to matmul need to be at least 1D, but they are ${p}D and ${q}D`);
    if (p === 2 && q === 2) return mm(a, b);
    if (p === 1 && q === 1) return dot(a, b);
    if (p === 2 && q === 1) return mv(a, b);
    if (p === 1 && q === 2) return squeeze(mm(unsqueeze(a, 0), b), 0);
    if (q <= 2) return foldRows(a, b);
    if (p === 1) return squeeze(matmul(unsqueeze(a, 0), b), -2);
    const [n, m] = a.shape.slice(-2);
    const [m2, r] = b.shape.slice(-2);
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (m !== m2)
      throw new RuntimeError(
        `Expected size for first two dimensions of batch2 tensor to be: [${numelOf(batch)}, ${m}] but got: [${numelOf(batch)}, ${m2}].`,
      );
    return unsafeView(bmm(flattenBatch(a, batch), flattenBatch(b, batch)), [...batch, n, r]);
  },
);

/** A tensor of matrices times one matrix or vector: one product over all rows. */
function foldRows(a: Tensor, b: Tensor): Tensor {
  const lead = a.shape.slice(0, -1);
  const rows = reshape(a, [numelOf(lead), a.shape[a.shape.length - 1]]);
  return b.shape.length === 1
    ? unsafeView(mv(rows, b), lead)
    : unsafeView(mm(rows, b), [...lead, b.shape[1]]);
}

/** The product over the last dimensions of both (`numpy.inner`). */
export const inner: Op<[other: Tensor, options?: Out], Tensor> = op(
  'inner',
  'Tensor self, Tensor other, *, Tensor? out=None',
  (a: Tensor, b: Tensor) => {
    if (a.shape.length === 0 || b.shape.length === 0) return mul(a, b);
    const [k, k2] = [a.shape[a.shape.length - 1], b.shape[b.shape.length - 1]];
    if (k !== k2)
      throw new RuntimeError(
        `inner() the last dimension must match on both input tensors but got shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
      );
    const out = mm(reshape(a, [a._numel / Math.max(k, 1), k]), t(reshape(b, [b._numel / Math.max(k, 1), k])));
    return reshape(out, [...a.shape.slice(0, -1), ...b.shape.slice(0, -1)]);
  },
);

/** @internal Multiplies matrices in the order that needs the fewest multiplications. */
export function multiplyChain(matrices: readonly Tensor[]): Tensor {
  const n = matrices.length;
  const sizes = [matrices[0].shape[0], ...matrices.map((m) => m.shape[1])];
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const split = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let span = 1; span < n; span++)
    for (let i = 0; i + span < n; i++) {
      const j = i + span;
      cost[i][j] = Number.POSITIVE_INFINITY;
      for (let k = i; k < j; k++) {
        const total = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1];
        if (total < cost[i][j]) [cost[i][j], split[i][j]] = [total, k];
      }
    }
  const build = (i: number, j: number): Tensor =>
    i === j ? matrices[i] : mm(build(i, split[i][j]), build(split[i][j] + 1, j));
  return build(0, n - 1);
}

/**
 * `input @ weight^T + bias`: input [*, in], weight [out, in], bias [out], result [*, out].
 * One kernel call forward; the history has one node, where PyTorch also shows the transposition.
 *
 *     F.linear(torch.tensor([1, 2]), torch.tensor([[1, 2], [3, 4]]))
 *     // tensor([ 5., 11.])
 */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  if (interception.current === null) return affine(input, weight, bias);
  const run = affine as (...args: readonly unknown[]) => Tensor;
  return interception.current('nn.functional.linear', [input, weight, bias], run) as Tensor;
}

function affine(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  if (!(input instanceof Tensor) || !(weight instanceof Tensor))
    throw new TypeError("linear(): arguments 'input' and 'weight' must be Tensor");
  const ok =
    input.shape.length === 2 &&
    weight.shape.length === 2 &&
    (bias === null || (bias.shape.length === 1 && bias.shape[0] === weight.shape[0]));
  if (!ok || input.dtype.is_complex) return generalLinear(input, weight, bias);
  if (input.shape[1] !== weight.shape[1])
    throw new RuntimeError(
      `mat1 and mat2 shapes cannot be multiplied (${input.shape.join('x')} and ${weight.shape[1]}x${weight.shape[0]})`,
    );
  checkTypes(input, weight);
  if (bias !== null && bias.dtype !== input.dtype)
    throw new RuntimeError(
      `self and mat2 must have the same dtype, but got ${bias.dtype.scalarName} and ${weight.dtype.scalarName}`,
    );
  const out = product(input, flipped(weight), bias);
  record(bias === null ? 'MmBackward0' : 'AddmmBackward0', [bias, input, weight], [out], (save) => {
    const [x, w] = [save(input), save(weight)];
    return ([g], needs) =>
      g === null
        ? [null, null, null]
        : [needs(0) ? g : null, needs(1) ? mm(g, w()) : null, needs(2) ? mm(t(g), x()) : null];
  });
  return out;
}

function generalLinear(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  if (input.shape.length > 2 && weight.shape.length === 2 && bias?.shape.length === 1) {
    const lead = input.shape.slice(0, -1);
    return view(linear(reshape(input, [numelOf(lead), input.shape[input.shape.length - 1]]), weight, bias), [
      ...lead,
      weight.shape[0],
    ]);
  }
  const out = matmul(input, weight.shape.length > 1 ? t(weight) : weight);
  return bias === null ? out : add(out, bias);
}
