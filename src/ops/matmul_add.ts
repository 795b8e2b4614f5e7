// Products that are added to a tensor: `beta * input + alpha * product`, rounded once. With beta 0, input is not read.
import { record } from '../autograd/graph.js';
import type { Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { alias, empty } from '../dispatch/allocate.js';
import { resultType } from '../dispatch/promotion.js';
import { bool, type DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { add, mul } from './arithmetic.js';
import { conj } from './complex.js';
import { castTo, copyInto } from './copy.js';
import { type Op, type Out, op } from './define.js';
import { full_ } from './fill.js';
import { adjoint, bare, batched, checkTypes, cppName, gemmInto, product } from './gemm.js';
import { logical_and, logical_or } from './logic.js';
import { bmm, matmul, mv, outer, productGrads } from './matmul.js';
import { expand, permute, reshape } from './view.js';

type AddOptions = Out & { beta?: Scalar; alpha?: Scalar };
type Shape = readonly number[];

const isZero = (x: Scalar): boolean =>
  x instanceof Complex ? x.re === 0 && x.im === 0 : x === false || Number(x) === 0;
const isOne = (x: Scalar): boolean => !(x instanceof Complex) && Number(x) === 1;
const conjugate = (x: Scalar): Scalar => (x instanceof Complex ? new Complex(x.re, -x.im) : x);

/** A factor as real tensors take it; complex tensors take complex ones. @throws RuntimeError for an imaginary part that would be lost. */
function factorFor(x: Scalar, dtype: DType): Scalar {
  if (!(x instanceof Complex)) return Number(x);
  if (x.im === 0) return x.re;
  if (dtype.is_complex) return x;
  const name = dtype.is_integral ? 'int64_t' : dtype.itemsize === 8 ? 'double' : 'float';
  throw new RuntimeError(`value cannot be converted to type ${name} without overflow`);
}

/** `beta * input + alpha * x` of tensors. */
function blend(input: Tensor, x: Tensor, beta: Scalar, alpha: Scalar): Tensor {
  const scaled = isOne(alpha) ? x : mul(x, alpha);
  if (isZero(beta)) return scaled;
  return add(isOne(beta) ? input : mul(input, beta), scaled);
}

/** The gradient of a factor's tensor. */
const scaled = (g: Tensor, factor: Scalar): Tensor => (isOne(factor) ? g : mul(g, conjugate(factor)));

/** A product to be added, in the terms of the gemm kernel. */
interface Addition {
  readonly node: string;
  readonly shape: Shape;
  /** The result and the factors as batches of matrices, without history. */
  readonly view: (out: Tensor) => Tensor;
  readonly left: Tensor;
  readonly right: Tensor;
  readonly grads: (
    g: Tensor,
    a: () => Tensor,
    b: () => Tensor,
    needs: (i: number) => boolean,
  ) => (Tensor | null)[];
}

/** Runs and records an addition of `a` and `b`. */
function addProduct(
  input: Tensor,
  a: Tensor,
  b: Tensor,
  givenBeta: Scalar,
  givenAlpha: Scalar,
  x: Addition,
): Tensor {
  const [beta, alpha] = [factorFor(givenBeta, a.dtype), factorFor(givenAlpha, a.dtype)];
  const wide = expand(input, x.shape);
  let out = empty(x.shape, a.dtype, a.device);
  if (beta instanceof Complex || alpha instanceof Complex) {
    gemmInto(x.view(out), x.left, x.right, 1, 0, null);
    out = blend(bare(wide), out, beta, alpha);
  } else {
    const whole = a.dtype.is_integral ? Math.trunc : (n: number): number => n;
    const plus = whole(Number(beta));
    if (plus !== 0) copyInto(out, wide);
    gemmInto(x.view(out), x.left, x.right, whole(Number(alpha)), plus, null);
  }
  record(x.node, [input, a, b], [out], (save) => {
    const [p, q] = [save(a), save(b)];
    return ([g], needs) => {
      if (g === null) return [null, null, null];
      return [needs(0) ? scaled(g, beta) : null, ...x.grads(scaled(g, alpha), p, q, (i) => needs(i + 1))];
    };
  });
  return out;
}

/** `beta * input + alpha * (mat1 @ mat2)`; input broadcasts to the product. */
export const addmm: Op<[mat1: Tensor, mat2: Tensor, options?: AddOptions], Tensor> = op(
  'addmm',
  'Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1, Tensor? out=None',
  (input: Tensor, a: Tensor, b: Tensor, beta: Scalar, alpha: Scalar) => {
    if (a.shape.length !== 2 || b.shape.length !== 2)
      throw new RuntimeError(
        a.shape.length !== 2
          ? `mat1 must be a matrix, got ${a.shape.length}-D tensor`
          : `mat2 must be a matrix, got ${b.shape.length}-D tensor`,
      );
    if (a.shape[1] !== b.shape[0])
      throw new RuntimeError(
        `mat1 and mat2 shapes cannot be multiplied (${a.shape.join('x')} and ${b.shape.join('x')})`,
      );
    if (input.dtype !== b.dtype)
      throw new RuntimeError(
        `self and mat2 must have the same dtype, but got ${input.dtype.scalarName} and ${b.dtype.scalarName}`,
      );
    checkTypes(a, b);
    const shape = [a.shape[0], b.shape[1]];
    expand(input.detach(), shape);
    const bias = input.shape.length <= 1 && input.shape[0] === b.shape[1] && beta === 1 && alpha === 1;
    if (a.dtype.is_complex || !bias)
      return addProduct(input, a, b, beta, alpha, {
        node: 'AddmmBackward0',
        shape,
        view: batched,
        left: batched(a),
        right: batched(b),
        grads: (g, p, q, needs) => productGrads(g, p, q, needs),
      });
    const out = product(a, b, input);
    record('AddmmBackward0', [input, a, b], [out], (save) => {
      const [x, y] = [save(a), save(b)];
      return ([g], needs) =>
        g === null ? [null, null, null] : [g, ...productGrads(g, x, y, (i) => needs(i + 1))];
    });
    return out;
  },
  { inPlace: true },
);

function checkAddmv(input: Tensor, mat: Tensor, vec: Tensor): void {
  if (mat.shape.length !== 2 || vec.shape.length !== 1 || input.shape.length > 1)
    throw new RuntimeError(
      `vector + matrix @ vector expected, got ${input.shape.length}, ${mat.shape.length}, ${vec.shape.length}`,
    );
  if (mat.shape[1] !== vec.shape[0] || (input._numel !== 1 && input._numel !== mat.shape[0]))
    throw new RuntimeError(
      `size mismatch, got input (${input._numel}), mat (${mat.shape.join('x')}), vec (${vec.shape[0]})`,
    );
  if (input.dtype !== mat.dtype || mat.dtype !== vec.dtype)
    throw new RuntimeError(
      `addmv input tensors must have the same dtype, but got ${input.dtype.scalarName}, ${mat.dtype.scalarName}, and ${vec.dtype.scalarName}`,
    );
}

/** `beta * input + alpha * (mat @ vec)`. */
export const addmv: Op<[mat: Tensor, vec: Tensor, options?: AddOptions], Tensor> = op(
  'addmv',
  'Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1, Tensor? out=None',
  (input: Tensor, mat: Tensor, vec: Tensor, beta: Scalar, alpha: Scalar) => {
    checkAddmv(input, mat, vec);
    const [n, k] = mat.shape;
    return addProduct(input, mat, vec, beta, alpha, {
      node: 'AddmvBackward0',
      shape: [n],
      view: (out) => alias(out, [1, n, 1], [0, 1, 1], 0),
      left: batched(mat),
      right: alias(vec, [1, k, 1], [0, vec._strides[0], 1], vec._offset),
      grads: (g, p, q, needs) => [
        needs(0) ? outer(g, conj(q())) : null,
        needs(1) ? mv(adjoint(p()), g) : null,
      ],
    });
  },
  { inPlace: true },
);

/** Factors of integers must be whole. */
function checkWhole(dtype: DType, name: string, x: Scalar): void {
  if (dtype.is_integral && typeof x === 'number' && !Number.isInteger(x))
    throw new RuntimeError(
      `For integral input tensors, argument ${name} must not be a floating point number.`,
    );
}

/** `beta * input + alpha * outer(vec1, vec2)`; of bools, where either holds. */
export const addr: Op<[vec1: Tensor, vec2: Tensor, options?: AddOptions], Tensor> = op(
  'addr',
  'Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1, Tensor? out=None',
  (input: Tensor, a: Tensor, b: Tensor, beta: Scalar, alpha: Scalar) => {
    for (const [name, x] of [['vec1', a] as const, ['vec2', b] as const])
      if (x.shape.length !== 1)
        throw new RuntimeError(`addr: Expected 1-D argument ${name}, but got ${x.shape.length}-D`);
    const wide = expand(input, [a.shape[0], b.shape[0]]);
    const dtype = resultType([input, a, b]);
    checkWhole(dtype, 'beta', beta);
    checkWhole(dtype, 'alpha', alpha);
    const out = outer(a, b);
    if (dtype !== bool) return blend(wide, out, beta, alpha);
    const held = isZero(alpha) ? full_(out.shape, false, bool, out.device) : castTo(out, bool);
    return isZero(beta) ? held : logical_or(logical_and(wide, full_([], true, bool, out.device)), held);
  },
  { inPlace: true },
);

/** `beta * input + alpha * (batch1 @ batch2)`. */
export const baddbmm: Op<[batch1: Tensor, batch2: Tensor, options?: AddOptions], Tensor> = op(
  'baddbmm',
  'Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1, Tensor? out=None',
  (input: Tensor, a: Tensor, b: Tensor, beta: Scalar, alpha: Scalar) => {
    for (const [name, x] of [['batch1', a] as const, ['batch2', b] as const])
      if (x.shape.length !== 3) throw new RuntimeError(`${name} must be a 3D tensor`);
    if (a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1])
      throw new RuntimeError(
        `Expected size for first two dimensions of batch2 tensor to be: [${a.shape[0]}, ${a.shape[2]}] but got: [${b.shape[0]}, ${b.shape[1]}].`,
      );
    if (a.dtype !== b.dtype)
      throw new RuntimeError(`expected scalar type ${a.dtype.scalarName} but found ${b.dtype.scalarName}`);
    if (input.dtype !== a.dtype)
      throw new RuntimeError(
        `Input dtypes must be the same, got: input ${cppName(input.dtype)}, batch1: ${cppName(a.dtype)}, batch2: ${cppName(b.dtype)}`,
      );
    return addProduct(input, a, b, beta, alpha, {
      node: 'BaddbmmBackward0',
      shape: [a.shape[0], a.shape[1], b.shape[2]],
      view: (out) => out,
      left: bare(a),
      right: bare(b),
      grads: (g, p, q, needs) => [
        needs(0) ? bmm(g, adjoint(q())) : null,
        needs(1) ? bmm(adjoint(p()), g) : null,
      ],
    });
  },
  { inPlace: true },
);

/** `beta * input + alpha * sum over the batch of (batch1 @ batch2)`. */
export const addbmm: Op<[batch1: Tensor, batch2: Tensor, options?: AddOptions], Tensor> = op(
  'addbmm',
  'Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1, Tensor? out=None',
  (input: Tensor, a: Tensor, b: Tensor, beta: Scalar, alpha: Scalar) => {
    for (const [name, x] of [['batch1', a] as const, ['batch2', b] as const])
      if (x.shape.length !== 3) throw new RuntimeError(`${name} must be a 3D tensor`);
    const [count, n, k] = a.shape;
    const p = b.shape[2];
    if (count !== b.shape[0])
      throw new RuntimeError(
        `batch1 and batch2 must have same number of batches, got ${count} and ${b.shape[0]}`,
      );
    if (k !== b.shape[1])
      throw new RuntimeError(`Incompatible matrix sizes for bmm (${n}x${k} and ${b.shape[1]}x${p})`);
    for (const [x, y] of [[a, b] as const, [input, a] as const])
      if (x.dtype !== y.dtype)
        throw new RuntimeError(
          `self and mat2 must have the same dtype, but got ${x.dtype.scalarName} and ${y.dtype.scalarName}`,
        );
    // The sum over the batch is part of one longer inner product.
    return addProduct(input, a, b, beta, alpha, {
      node: 'AddbmmBackward0',
      shape: [n, p],
      view: batched,
      left: batched(reshape(permute(bare(a), [1, 0, 2]), [n, count * k])),
      right: batched(reshape(bare(b), [count * k, p])),
      grads: (g, x, y, needs) => [
        needs(0) ? matmul(g, adjoint(y())) : null,
        needs(1) ? matmul(adjoint(x()), g) : null,
      ],
    });
  },
  { inPlace: true },
);
