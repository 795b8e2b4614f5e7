// In-place random fills: x.uniform_(), x.normal_() and their kin.
import { checkInPlace, functionNode, needsGrad, recordInPlace } from '../autograd/graph.js';
import { backendOf } from '../backends/backend.js';
import { alias, empty, memoryOrder } from '../dispatch/allocate.js';
import { checkInternalOverlap } from '../dispatch/out.js';
import { typeName } from '../dispatch/schema.js';
import { bfloat16, bool, type DType, float16, float32, int8, int16, int32, int64, uint8 } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { default_generator, type Generator } from '../generator.js';
import { Tensor } from '../tensor.js';
import { cppDouble } from './cpp_text.js';
import { type Op, op } from './define.js';
import { zeros_ } from './fill.js';

interface Drawn {
  /** Which stream to draw from; the default generator when absent. */
  generator?: Generator | null;
}

type Launch = (state: number, out: Tensor, inMemoryOrder: boolean) => void;

/**
 * Runs a random kernel over x. PyTorch draws in memory order: a tensor that is not contiguous is filled through
 * its dimensions sorted by decreasing stride.
 */
export function draw(x: Tensor, generator: Generator | null, launch: Launch): Tensor {
  if (x._numel === 0 || x.device.type === 'meta') return x;
  checkInternalOverlap(x);
  const state = (generator ?? default_generator)._address;
  if (x._contiguous) {
    launch(state, x, false);
    return x;
  }
  const order = drawOrder(x);
  const plain = empty(
    order.map((d) => x.shape[d]),
    x.dtype,
    x.device,
  );
  launch(state, plain, true);
  const target = alias(
    x,
    plain.shape,
    order.map((d) => x._strides[d]),
    x._offset,
  );
  backendOf(x.device.type).launch('copy', target, plain);
  return x;
}

/** The dimensions from the farthest neighbours to the nearest. */
const drawOrder = (x: Tensor): number[] => memoryOrder(x.shape, x._strides).reverse();

/** The parts of a complex tensor as a real view with a last dimension of 2. */
export function partsOf(x: Tensor): Tensor {
  const strides = [...x._strides.map((s) => 2 * s), 1];
  return new Tensor(x._storage, [...x.shape, 2], strides, 2 * x._offset, x.dtype.to_real(), 2 * x._numel);
}

/** @throws NotImplementedError as PyTorch words a kernel that lacks a dtype. */
export function needsFloating(kernel: string, dtype: DType): void {
  if (!dtype.is_floating_point)
    throw new NotImplementedError(`"${kernel}" not implemented for '${dtype.scalarName}'`);
}

/** Checks, fills and records an in-place random op, whose gradient is zero. */
function fill(name: string, x: Tensor, write: () => void): Tensor {
  const grad = needsGrad(x);
  checkInPlace(x, grad);
  write();
  recordInPlace(
    x,
    grad
      ? functionNode(name, () => ([g]) => [g === null ? null : zeros_(g.shape, g.dtype, g.device)])
      : null,
    [x],
  );
  return x;
}

/** C++ names of the element types, as PyTorch's range messages have them. */
const cppNames: Readonly<Record<string, string>> = {
  bool: 'bool',
  uint8: 'unsigned char',
  int8: 'signed char',
  int16: 'short',
  int32: 'int',
  int64: 'long',
  float16: 'c10::Half',
  bfloat16: 'c10::BFloat16',
  float32: 'float',
  float64: 'double',
};

const largest = (dtype: DType): number =>
  dtype === float16
    ? 65504
    : dtype === bfloat16
      ? 2 ** 127 * (2 - 2 ** -7)
      : dtype === float32
        ? 2 ** 127 * (2 - 2 ** -23)
        : Number.MAX_VALUE;

function checkUniform(dtype: DType, from: number, to: number): void {
  needsFloating('check_uniform_bounds', dtype);
  const max = largest(dtype);
  for (const [name, value] of [
    ['from', from],
    ['to', to],
  ] as const)
    if (!(value >= -max && value <= max))
      throw new RuntimeError(`${name} is out of bounds for ${cppNames[dtype.name]}`);
  if (from > to)
    throw new RuntimeError(
      `uniform_ expects to return a [from, to) range, but found from=${cppDouble(from)} > to=${cppDouble(to)}`,
    );
  if (to - from > max)
    throw new RuntimeError(
      `uniform_ expects to-from <= std::numeric_limits<${dtype.scalarName}>::max(), but found to=${cppDouble(to)} and from=${cppDouble(from)} which result in to-from to exceed the limit`,
    );
}

/** @internal Fills with uniform values, outside autograd. */
export function fillUniform(x: Tensor, from: number, to: number, generator: Generator | null): Tensor {
  if (x.dtype.is_complex) {
    fillUniform(partsOf(x), from, to, generator);
    return x;
  }
  checkUniform(x.dtype, from, to);
  return draw(x, generator, (state, out) => backendOf('cpu').launch('random_uniform', state, out, from, to));
}

/** @internal Fills with normal values, outside autograd. */
export function fillNormal(x: Tensor, mean: number, std: number, generator: Generator | null): Tensor {
  if (!(std >= 0)) throw new RuntimeError(`normal expects std >= 0.0, but found std ${cppDouble(std)}`);
  if (x.dtype.is_complex) {
    // Both parts have half of the variance.
    fillNormal(partsOf(x), 0, std * Math.SQRT1_2, generator);
    if (mean !== 0) x.detach().add_(mean);
    return x;
  }
  needsFloating('normal_kernel_cpu', x.dtype);
  return draw(x, generator, (state, out, byOne) =>
    backendOf('cpu').launch('random_normal', state, out, mean, std, byOne),
  );
}

/** Fills with values that are uniform on [from, to). The same bits as PyTorch's after the same seed. */
export const uniform_: Op<
  [from?: number, to?: number, options?: Drawn] | [options: Drawn & { from?: number; to?: number }],
  Tensor
> = op(
  'uniform_',
  'Tensor self, float from=0, float to=1, *, Generator? generator=None',
  (x: Tensor, from: number, to: number, generator: Generator | null) =>
    fill('UniformBackward0', x, () => fillUniform(x, Number(from), Number(to), generator)),
);

/** Fills with normally distributed values. */
export const normal_: Op<
  [mean?: number, std?: number, options?: Drawn] | [options: Drawn & { mean?: number; std?: number }],
  Tensor
> = op(
  'normal_',
  'Tensor self, float mean=0, float std=1, *, Generator? generator=None',
  (x: Tensor, mean: number, std: number, generator: Generator | null) =>
    fill('NormalBackward0', x, () => fillNormal(x, Number(mean), Number(std), generator)),
);

/** The significant bits of a floating type. */
const digits = (dtype: DType): number =>
  dtype === float16 ? 11 : dtype === bfloat16 ? 8 : dtype === float32 ? 24 : 53;

/** A whole number rounded to a floating type (ties to even). */
function rounded(value: bigint, dtype: DType): bigint {
  const magnitude = value < 0n ? -value : value;
  const excess = magnitude.toString(2).length - digits(dtype);
  if (excess <= 0) return value;
  const unit = 1n << BigInt(excess);
  const rest = magnitude % unit;
  let down = magnitude - rest;
  if (2n * rest > unit || (2n * rest === unit && (down / unit) % 2n === 1n)) down += unit;
  return value < 0n ? -down : down;
}

const log2 = (v: bigint): bigint => BigInt((v < 0n ? -v : v).toString(2).length - 1);

/** The next bound that the floating type can hold: draws never round to below `from` or up to `to`. */
function inner(bound: bigint, dtype: DType, side: 1n | -1n): bigint {
  const near = rounded(bound + side, dtype);
  if (side === 1n ? near >= bound : near < bound) return bound;
  const step = 1n << (log2(bound + side) - BigInt(digits(dtype)) + 1n);
  return near + side * step;
}

function integerRange(dtype: DType): [bigint, bigint] {
  if (dtype === bool) return [0n, 1n];
  if (dtype === uint8) return [0n, 255n];
  const bits = { int8: 7n, int16: 15n, int32: 31n, int64: 63n }[dtype.name as 'int8'];
  return [-(1n << bits), (1n << bits) - 1n];
}

function checkRange(dtype: DType, from: bigint, last: bigint): void {
  const [low, high] = dtype.is_floating_point
    ? [BigInt(-largest(dtype)), BigInt(largest(dtype))]
    : integerRange(dtype);
  for (const [name, value] of [
    ['from', from],
    ['to - 1', last],
  ] as const)
    if (value < low || value > high)
      throw new RuntimeError(`${name} is out of bounds for ${cppNames[dtype.name]}`);
}

const LOWEST = -(2n ** 63n);
const low32 = (v: bigint): number => Number(BigInt.asUintN(32, v));

/** The largest value of `random_(from)`, without an upper bound. */
function lastOf(dtype: DType): bigint {
  return dtype.is_floating_point ? 1n << BigInt(digits(dtype)) : integerRange(dtype)[1];
}

/** @internal Whole numbers on [from, to); both null: the whole range of the dtype; to null: from on. */
export function fillIntegers(
  x: Tensor,
  from: bigint | null,
  to: bigint | null,
  generator: Generator | null,
): Tensor {
  const { dtype } = x;
  if (dtype.is_complex)
    throw new NotImplementedError(`"random_kernel_cpu" not implemented for '${dtype.scalarName}'`);
  const run = (mode: number, start: bigint, range: bigint): Tensor =>
    draw(x, generator, (state, out) =>
      backendOf('cpu').launch(
        'random_integer',
        state,
        out,
        mode,
        low32(start),
        Number(BigInt.asIntN(32, start >> 32n)),
        low32(range),
        low32(range >> 32n),
      ),
    );
  if (from === null) return run(1, 0n, 0n);
  if (to === null) {
    if (from === LOWEST) return run(2, 0n, 0n);
    const last = lastOf(dtype);
    checkRange(dtype, from, last);
    return run(0, from, last - from + 1n);
  }
  if (from >= to)
    throw new RuntimeError(`random_ expects 'from' to be less than 'to', but got from=${from} >= to=${to}`);
  let [low, high] = [from, to];
  if (dtype.is_floating_point) {
    [low, high] = [inner(from, dtype, 1n), inner(to, dtype, -1n)];
    if (low >= high)
      throw new RuntimeError(
        `random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from=${low} >= to=${high}`,
      );
  }
  checkRange(dtype, low, high - 1n);
  return run(0, low, high - low);
}

interface RandomBounds extends Drawn {
  from?: number | bigint;
  to?: number | bigint | null;
}

/** Fills with whole numbers: on [0, to), on [from, to), or on all that the dtype holds exactly (from 0 on). */
export const random_: Op<
  | [options?: RandomBounds]
  | [to: number | bigint, options?: Drawn]
  | [from: number | bigint, to: number | bigint | null, options?: Drawn],
  Tensor
> = op(
  'random_',
  'Tensor self, int? from=None, int? to=None, *, Generator? generator=None',
  (x: Tensor, first: number | bigint | null, second: number | bigint | null, generator: Generator | null) => {
    // One positional bound is `to`; from with an absent `to` is only possible by keywords, as in PyTorch.
    const single = first !== null && second === null;
    const from = first === null && second === null ? null : single ? 0n : BigInt(first ?? 0);
    const to = second !== null ? BigInt(second) : single ? BigInt(first) : null;
    return fill(from === null ? 'RandomBackward2' : single ? 'RandomBackward1' : 'RandomBackward0', x, () =>
      fillIntegers(x, from, to, generator),
    );
  },
);

const WRONG_P =
  'Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)';

/** @internal Ones with probability p, outside autograd. A tensor p broadcasts to x. */
export function fillBernoulli(x: Tensor, p: number | Tensor, generator: Generator | null): Tensor {
  if (p instanceof Tensor) {
    if (x.dtype.is_complex)
      throw new NotImplementedError(
        `"bernoulli_tensor_cpu_self_" not implemented for '${x.dtype.scalarName}'`,
      );
    needsFloating('bernoulli_tensor_cpu_p_', p.dtype);
    const spread = p.detach().expand(x.shape);
    let ok = true;
    draw(x, generator, (state, out, sorted) => {
      const chance = sorted ? spread.permute(drawOrder(x)) : spread;
      ok = backendOf('cpu').launch('random_bernoulli_tensor', state, out, chance.contiguous()) !== 0;
    });
    if (!ok) throw new RuntimeError(WRONG_P);
    return x;
  }
  if (!(p >= 0 && p <= 1))
    throw new RuntimeError(`bernoulli_ expects p to be in [0, 1], but got p=${cppDouble(p)}`);
  if (x.dtype.is_complex)
    throw new NotImplementedError(`"bernoulli_scalar_cpu_" not implemented for '${x.dtype.scalarName}'`);
  return draw(x, generator, (state, out) => backendOf('cpu').launch('random_bernoulli', state, out, p));
}

/** Fills with ones with probability `p` (a number, or a floating tensor that broadcasts to this one), zeros otherwise. */
export const bernoulli_: Op<
  [p?: number | Tensor, options?: Drawn] | [options: Drawn & { p?: number | Tensor }],
  Tensor
> = op(
  'bernoulli_',
  'Tensor self, Operand p=0.5, *, Generator? generator=None',
  (x: Tensor, p: number | Tensor, generator: Generator | null) => {
    if (!(p instanceof Tensor) && typeof p !== 'number' && typeof p !== 'bigint')
      throw new TypeError(`bernoulli_(): argument 'p' (position 1) must be float, not ${typeName(p)}`);
    return fill(p instanceof Tensor ? 'BernoulliBackward1' : 'BernoulliBackward2', x, () =>
      fillBernoulli(x, p instanceof Tensor ? p : Number(p), generator),
    );
  },
);

/** Fills with values of the exponential distribution of rate `lambd`. */
export const exponential_: Op<
  [lambd?: number, options?: Drawn] | [options: Drawn & { lambd?: number }],
  Tensor
> = op(
  'exponential_',
  'Tensor self, float lambd=1, *, Generator? generator=None',
  (x: Tensor, lambd: number, generator: Generator | null) => {
    if (!x.dtype.is_floating_point)
      throw new RuntimeError(
        `Exponential distribution is a continuous probability distribution. dtype must be a floating point but you specified ${x.dtype.scalarName}`,
      );
    if (!(lambd > 0))
      throw new RuntimeError(`exponential_ expects lambda > 0.0, but found lambda=${cppDouble(lambd)}`);
    return fill('ExponentialBackward0', x, () =>
      draw(x, generator, (state, out) => backendOf('cpu').launch('random_exponential', state, out, lambd)),
    );
  },
);

/** Fills with the number of trials until the first success of probability `p`: 1, 2, … */
export const geometric_: Op<[p: number, options?: Drawn], Tensor> = op(
  'geometric_',
  'Tensor self, float p, *, Generator? generator=None',
  (x: Tensor, p: number, generator: Generator | null) => {
    if (!(p > 0 && p < 1))
      throw new RuntimeError(`geometric_ expects p to be in (0, 1), but got p=${cppDouble(p)}`);
    if (x.dtype.is_complex || x.dtype === bool)
      throw new NotImplementedError(`"geometric_cpu" not implemented for '${x.dtype.scalarName}'`);
    return fill('GeometricBackward0', x, () =>
      draw(x, generator, (state, out) => backendOf('cpu').launch('random_geometric', state, out, p)),
    );
  },
);

/** Type names of the message of `cauchy_`. */
const cauchyNames: ReadonlyMap<DType, string> = new Map([
  [uint8, 'unsigned char'],
  [int8, 'signed char'],
  [int16, 'short int'],
  [int32, 'int'],
  [int64, 'long int'],
  [bool, 'bool'],
]);

/** Fills with values of the Cauchy distribution. */
export const cauchy_: Op<
  [median?: number, sigma?: number, options?: Drawn] | [options: Drawn & { median?: number; sigma?: number }],
  Tensor
> = op(
  'cauchy_',
  'Tensor self, float median=0, float sigma=1, *, Generator? generator=None',
  (x: Tensor, median: number, sigma: number, generator: Generator | null) => {
    if (!(sigma > 0))
      throw new RuntimeError(`cauchy_ expects sigma > 0.0, but found sigma=${cppDouble(sigma)}`);
    if (!x.dtype.is_floating_point)
      throw new RuntimeError(
        `Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you specified ${cauchyNames.get(x.dtype) ?? x.dtype.scalarName}`,
      );
    return fill('CauchyBackward0', x, () =>
      draw(x, generator, (state, out) => backendOf('cpu').launch('random_cauchy', state, out, median, sigma)),
    );
  },
);

/** Fills with values whose logarithm is normally distributed. */
export const log_normal_: Op<
  [mean?: number, std?: number, options?: Drawn] | [options: Drawn & { mean?: number; std?: number }],
  Tensor
> = op(
  'log_normal_',
  'Tensor self, float mean=1, float std=2, *, Generator? generator=None',
  (x: Tensor, mean: number, std: number, generator: Generator | null) => {
    if (!(std > 0)) throw new RuntimeError(`log_normal_ expects std > 0.0, but found std=${cppDouble(std)}`);
    needsFloating('log_normal_cpu', x.dtype);
    return fill('LogNormalBackward0', x, () =>
      draw(x, generator, (state, out) => backendOf('cpu').launch('random_log_normal', state, out, mean, std)),
    );
  },
);
