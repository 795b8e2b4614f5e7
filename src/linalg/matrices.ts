// What the decompositions and solvers share: checks in PyTorch's words, batches of matrices as kernels take them.

import { alias, empty, emptyStrided } from '../dispatch/allocate.js';
import { complex64, complex128, type DType, float32, float64 } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { copyInto } from '../ops/copy.js';
import { bare } from '../ops/gemm.js';
import { expand } from '../ops/view.js';
import { numelOf, sameSizes, type Tensor } from '../tensor.js';

type Shape = readonly number[];

/** The dimensions before the matrices. */
export const batchOf = (x: Tensor): Shape => x.shape.slice(0, -2);
export const rowsOf = (x: Tensor): number => x.shape[x.shape.length - 2];
export const columnsOf = (x: Tensor): number => x.shape[x.shape.length - 1];

// ---------------------------------------------------------------------------------------
// Checks

/** @throws RuntimeError unless x is a matrix or a batch of them. */
export function checkMatrix(x: Tensor, name: string, argument = 'A'): void {
  if (x.shape.length < 2)
    throw new RuntimeError(`${name}: The input tensor ${argument} must have at least 2 dimensions.`);
}

/** @throws RuntimeError unless x is a square matrix or a batch of them. */
export function checkSquare(x: Tensor, name: string, argument = 'A'): void {
  checkMatrix(x, name, argument);
  if (rowsOf(x) !== columnsOf(x))
    throw new RuntimeError(
      `${name}: ${argument} must be batches of square matrices, but they are ${rowsOf(x)} by ${columnsOf(x)} matrices`,
    );
}

/** @throws RuntimeError for integers, and for half precision unless `low`. */
export function checkFloating(x: Tensor, name: string, low = false): void {
  if (x.dtype.is_integral)
    throw new RuntimeError(
      `${name}: Expected a floating point or complex tensor as input. Got ${x.dtype.scalarName}`,
    );
  if (!low && !hasKernel(x.dtype))
    throw new RuntimeError(`${name}: Low precision dtypes not supported. Got ${x.dtype.scalarName}`);
}

const hasKernel = (dtype: DType): boolean =>
  dtype === float32 || dtype === float64 || dtype === complex64 || dtype === complex128;

/** @throws NotImplementedError for element types that no kernel takes. @param kernel PyTorch's name for it. */
export function checkKernel(x: Tensor, kernel: string): void {
  if (!hasKernel(x.dtype))
    throw new NotImplementedError(`"${kernel}" not implemented for '${x.dtype.scalarName}'`);
}

/** @throws RuntimeError unless B has the rows (or, from the right, the columns) of the square A. */
export function checkSystem(A: Tensor, B: Tensor, left: boolean, name: string, squareName = name): void {
  checkSquare(A, squareName);
  checkMatrix(B, name, 'B');
  const n = columnsOf(A);
  if ((left ? rowsOf(B) : columnsOf(B)) !== n)
    throw new RuntimeError(
      `${name}: Incompatible shapes of A and B for the equation ${left ? 'AX = B' : 'XA = B'} (${n}x${n} and ${rowsOf(B)}x${columnsOf(B)})`,
    );
}

/** @throws RuntimeError unless the dtypes are equal. */
export function checkSameDtype(A: Tensor, B: Tensor, name: string, a = 'A', b = 'B'): void {
  if (A.dtype !== B.dtype)
    throw new RuntimeError(
      `${name}: Expected ${a} and ${b} to have the same dtype, but found ${a} of type ${A.dtype.scalarName} and ${b} of type ${B.dtype.scalarName} instead`,
    );
}

/** @throws RuntimeError of the older functions, whose arguments are b and A. */
export function checkLegacySystem(b: Tensor, A: Tensor, name: string): void {
  if (rowsOf(A) !== columnsOf(A))
    throw new RuntimeError(
      `A must be batches of square matrices, but they are ${rowsOf(A)} by ${columnsOf(A)} matrices`,
    );
  if (columnsOf(A) !== rowsOf(b))
    throw new RuntimeError(
      `Incompatible matrix sizes for ${name}: each A matrix is ${columnsOf(A)} by ${columnsOf(A)} but each b matrix is ${rowsOf(b)} by ${columnsOf(b)}`,
    );
  if (A.dtype !== b.dtype)
    throw new RuntimeError(
      `Expected b and A to have the same dtype, but found b of type ${b.dtype.scalarName} and A of type ${A.dtype.scalarName} instead.`,
    );
}

/** The place in the batch of the matrix that failed, as messages have it. @param failed from 0. */
export function batchText(info: Tensor, failed: number): string {
  return info.shape.length === 0 ? '' : `(Batch element ${failed}): `;
}

/** One element of a tensor of integers without gaps. */
export const integerAt = (info: Tensor, i: number): number =>
  Number(alias(info, [], [], info._offset + i).item());

// ---------------------------------------------------------------------------------------
// Memory

/** Uninitialised matrices, each column after column, as LAPACK has them. */
export function emptyColumns(shape: Shape, like: Tensor): Tensor {
  const [m, n] = shape.slice(-2);
  const strides = new Array<number>(shape.length);
  strides[shape.length - 2] = 1;
  strides[shape.length - 1] = Math.max(m, 1);
  let step = Math.max(m, 1) * Math.max(n, 1);
  for (let d = shape.length - 3; d >= 0; d--) {
    strides[d] = step;
    step *= Math.max(shape[d], 1);
  }
  return emptyStrided(shape, strides, like.dtype, like.device);
}

/** A copy, broadcast to a shape, column after column; no history. */
export function copyColumns(x: Tensor, shape: Shape = x.shape): Tensor {
  return copyInto(emptyColumns(shape, x), broadcastTo(x, shape));
}

/** A copy, broadcast to a shape, row after row; no history. */
export function copyRows(x: Tensor, shape: Shape = x.shape): Tensor {
  return copyInto(empty(shape, x.dtype, x.device), broadcastTo(x, shape));
}

const broadcastTo = (x: Tensor, shape: Shape): Tensor =>
  sameSizes(x.shape, shape) ? x : expand(bare(x), shape);

/**
 * All dimensions but the last `keep` as one, as kernels take a batch; without history. Memory is shared unless strides
 * forbid it.
 */
export function folded(x: Tensor, keep = 2): Tensor {
  const lead = x.shape.length - keep;
  const [shape, strides] = [x.shape.slice(lead), x._strides.slice(lead)];
  const count = numelOf(x.shape.slice(0, lead));
  let step = 0;
  let extent = 1;
  for (let d = lead - 1; d >= 0; d--) {
    if (x.shape[d] === 1) continue;
    if (extent === 1) step = x._strides[d];
    else if (x._strides[d] !== step * extent) {
      const dense = copyInto(empty(x.shape, x.dtype, x.device), x);
      return folded(dense, keep);
    }
    extent *= x.shape[d];
  }
  return alias(x, [count, ...shape], [step, ...strides], x._offset);
}

/** A batch [b, m, n], each matrix transposed; without history. */
export const flipped = (x: Tensor): Tensor =>
  alias(x, [x.shape[0], x.shape[2], x.shape[1]], [x._strides[0], x._strides[2], x._strides[1]], x._offset);

/** The matrices expanded to a batch shape, and folded: what a kernel reads. */
export const operand = (x: Tensor, batch: Shape): Tensor =>
  folded(broadcastTo(x, [...batch, ...x.shape.slice(-2)]));
