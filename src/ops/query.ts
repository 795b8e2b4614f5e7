// Questions about tensors and types: is_tensor, numel, equal, result_type, is_contiguous.
import { backendOf, type Operand } from '../backends/backend.js';
import { empty } from '../dispatch/allocate.js';
import { resultType } from '../dispatch/promotion.js';
import { typeName } from '../dispatch/schema.js';
import { bool, type DType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { sameSizes, Tensor } from '../tensor.js';
import { castTo, contiguous, fill_, fillAs, hasFormat, type MemoryFormat } from './copy.js';
import { type Op, op } from './define.js';

type Question<A extends readonly unknown[] = []> = Op<A, boolean>;

/** The class has the method. */
const onlyFunction = { self: null };

/** Whether a value is a tensor. */
export function is_tensor(obj: unknown): obj is Tensor {
  return obj instanceof Tensor;
}

/** Whether the elements are floating point numbers. */
export const is_floating_point: Question = op(
  'is_floating_point',
  'Tensor self',
  (x: Tensor) => x.dtype.is_floating_point,
  onlyFunction,
) as Question;
/** Whether the elements are complex numbers. */
export const is_complex: Question = op(
  'is_complex',
  'Tensor self',
  (x: Tensor) => x.dtype.is_complex,
  onlyFunction,
) as Question;
/** Whether the elements may be negative. */
export const is_signed: Question = op(
  'is_signed',
  'Tensor self',
  (x: Tensor) => x.dtype.is_signed,
  onlyFunction,
) as Question;
/** Whether the tensor was made in inference mode. */
export const is_inference: Question = op(
  'is_inference',
  'Tensor self',
  (x: Tensor) => x._inference,
  onlyFunction,
) as Question;
/** The number of elements. */
export const numel: Op<[], number> = op('numel', 'Tensor self', (x: Tensor) => x._numel, onlyFunction) as Op<
  [],
  number
>;

/**
 * Whether the one element is not zero.
 * @throws RuntimeError when there is more or less than one.
 */
export const is_nonzero: Question = op('is_nonzero', 'Tensor self', (x: Tensor) => {
  if (x._numel !== 1)
    throw new RuntimeError(
      `Boolean value of Tensor with ${x._numel === 0 ? 'no values' : 'more than one value'} is ambiguous`,
    );
  return Boolean(castTo(x.detach(), bool).item());
}) as Question;

/** Whether two tensors have the same shape. */
export const is_same_size: Question<[other: Tensor]> = op(
  'is_same_size',
  'Tensor self, Tensor other',
  (x: Tensor, y: Tensor) => sameSizes(x.shape, y.shape),
) as Question<[other: Tensor]>;

/** Whether the elements lie in row-major order without gaps, or in the given format. */
export const is_contiguous: Question<[options?: { memory_format?: MemoryFormat }]> = op(
  'is_contiguous',
  'Tensor self, *, str? memory_format=None',
  (x: Tensor, format: MemoryFormat | null) => (format === null ? x._contiguous : hasFormat(x, format)),
) as Question<[options?: { memory_format?: MemoryFormat }]>;

/** Whether two tensors have the same shape and the same values; NaN equals nothing. */
export const equal: Question<[other: Tensor]> = op(
  'equal',
  'Tensor self, Tensor other',
  (x: Tensor, y: Tensor) => {
    if (x.device.type !== y.device.type)
      throw new RuntimeError(
        `Expected all tensors to be on the same device, but got other is on ${y.device}, different from other tensors on ${x.device}`,
      );
    if (!sameSizes(x.shape, y.shape)) return false;
    return x._numel === 0 || allTrue(x.detach().eq(y.detach()));
  },
) as Question<[other: Tensor]>;

function allTrue(x: Tensor): boolean {
  const out = empty(
    x.shape.map(() => 1),
    bool,
    x.device,
  );
  backendOf(x.device.type).launch(
    'reduce_all',
    out,
    contiguous(x),
    x.shape.length,
    ...x.shape.map((_, d) => d),
  );
  return Boolean(out.item());
}

type Tolerances =
  | [other: Tensor, rtol?: number, atol?: number, equal_nan?: boolean]
  | [other: Tensor, options: { rtol?: number; atol?: number; equal_nan?: boolean }];

/** Whether |input - other| <= atol + rtol * |other| everywhere. */
export const allclose: Question<Tolerances> = op(
  'allclose',
  'Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False',
  (x: Tensor, y: Tensor, rtol: number, atol: number, equal_nan: boolean) =>
    allTrue(x.detach().isclose(y.detach(), rtol, atol, equal_nan)),
) as Question<Tolerances>;

/** The dtype that an op over two operands computes in. */
export function result_type(tensor1: Operand, tensor2: Operand): DType {
  for (const x of [tensor1, tensor2])
    if (
      !(x instanceof Tensor) &&
      typeof x !== 'number' &&
      typeof x !== 'bigint' &&
      typeof x !== 'boolean' &&
      typeName(x) !== 'complex'
    )
      throw new TypeError(
        `result_type() received an invalid combination of arguments - got (${typeName(tensor1)}, ${typeName(tensor2)}), but expected tensors or numbers`,
      );
  return resultType([tensor1, tensor2]);
}

/** Overwrites every element with 0. */
export const zero_: Op<[], Tensor> = op('zero_', 'Tensor self', (x: Tensor) => fillAs('ZeroBackward0', x, 0));

/** Overwrites the diagonal with a value; `wrap` starts again below the last column of a tall matrix. */
export const fill_diagonal_: Op<
  | [fill_value: number | boolean, wrap?: boolean]
  | [fill_value: number | boolean, options?: { wrap?: boolean }],
  Tensor
> = op(
  'fill_diagonal_',
  'Tensor self, Scalar fill_value, bool wrap=False',
  (x: Tensor, value: number, wrap: boolean) => {
    const n = x.shape.length;
    if (n < 2) throw new RuntimeError('dimensions must larger than 1');
    if (n > 2 && x.shape.some((size) => size !== x.shape[0]))
      throw new RuntimeError('all dimensions of input must be of equal length');
    const step = x._strides.reduce((a, b) => a + b, 0);
    const [rows, columns] = [x.shape[0], x.shape[1]];
    const size = Math.min(...x.shape);
    fill_(x.as_strided([size], [step], x._offset), value);
    if (wrap && n === 2 && rows > columns + 1) {
      const offset = x._strides[0] * (columns + 1);
      const left = rows - columns - 1;
      for (let start = 0; start < left; start += columns + 1)
        fill_(
          x.as_strided([Math.min(columns, left - start)], [step], x._offset + offset + start * x._strides[0]),
          value,
        );
    }
    return x;
  },
);
