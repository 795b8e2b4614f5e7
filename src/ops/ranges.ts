// Sequences of numbers: arange, range, linspace, logspace.
import { backendOf, type Scalar } from '../backends/backend.js';
import { Complex } from '../complex.js';
import { cpu } from '../device.js';
import { empty } from '../dispatch/allocate.js';
import { scalarType } from '../dispatch/promotion.js';
import { bool, complex128, type DType, float32, float64, get_default_dtype, int64 } from '../dtype.js';
import { NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { pow } from './arithmetic.js';
import { copyInto } from './copy.js';
import { cppDouble } from './cpp_text.js';
import { creator, type OutOptions, type Target } from './creation.js';
import { encode } from './data.js';
import { checkedScalar, scalarOf } from './fill.js';

type Bound = number | bigint | boolean | Tensor;

const plain = (x: Scalar | Tensor): Scalar => (x instanceof Tensor ? (x.item() as Scalar) : x);
const typeOf = (x: Scalar | Tensor): DType => (x instanceof Tensor ? x.dtype : scalarType(x));
const asDouble = (x: Scalar): number => {
  const value = checkedScalar(x, float64);
  return Number(value);
};

/** @throws RuntimeError as PyTorch words it, for bounds that make no range. */
function checkRange(start: number, end: number, step: number): void {
  if (step === 0 || Number.isNaN(step)) throw new RuntimeError('step must be nonzero');
  if (!Number.isFinite(start) || !Number.isFinite(end))
    throw new RuntimeError(`unsupported range: ${cppDouble(start)} -> ${cppDouble(end)}`);
  if (step > 0 ? end < start : end > start)
    throw new RuntimeError('upper bound and lower bound inconsistent with step sign');
}

const whole = (x: Scalar): bigint => (typeof x === 'bigint' ? x : BigInt(Math.trunc(asDouble(x))));

/** The number of values of an int64 range, exactly. */
function wholeLength(start: bigint, end: bigint, step: bigint): number {
  if (step === 0n) throw new ValueError('step must be nonzero');
  const sign = step > 0n ? 1n : -1n;
  const n = (end - start + step - sign) / step;
  return n > 0n ? Number(n) : 0;
}

/** start, start + step, … in the arithmetic of the dtype: doubles, or whole numbers. */
function sequence(to: Target, n: number, start: Scalar, step: Scalar, type: DType): Tensor {
  if (!(n < 2 ** 63)) throw new RuntimeError('invalid size, possible overflow?');
  const out = to.empty([n], type);
  const [a, b] = type.is_integral
    ? [Number(whole(start)), Number(whole(step))]
    : [asDouble(start), asDouble(step)];
  if (type === int64 && !(Math.abs(a + n * b) < 2 ** 53 && Math.abs(a) < 2 ** 53)) {
    const [first, by] = [whole(start), whole(step)];
    return copyInto(
      out,
      encode(
        Array.from({ length: n }, (_, i) => first + BigInt(i) * by),
        int64,
      ),
    );
  }
  return fillSpaced(out, { start: a, step: b, end: 0, middle: n, single: false });
}

interface Spacing1d {
  start: number;
  step: number;
  end: number;
  /** From here on values are counted from the end. */
  middle: number;
  /** Whether values are rounded to float before they are converted. */
  single: boolean;
}

function fillSpaced(out: Tensor, s: Spacing1d): Tensor {
  if (out._numel > 0 && out.device.type !== 'meta')
    backendOf(out.device.type).launch('spaced', out, s.start, s.step, s.end, s.middle, s.single);
  return out;
}

interface Arange {
  (end: Bound, options?: OutOptions): Tensor;
  (start: Bound, end: Bound, options?: OutOptions): Tensor;
  (start: Bound, end: Bound, step: Bound, options?: OutOptions): Tensor;
  (options: OutOptions & { start?: Bound; end: Bound; step?: Bound }): Tensor;
  (end: Bound, options: OutOptions & { step?: Bound }): Tensor;
  (start: Bound, end: Bound, options: OutOptions & { step?: Bound }): Tensor;
}

/**
 * start, start + step, … below end. Whole numbers act as ints: `arange(5)` is int64, `arange(0, 1, 0.1)` float32.
 *
 *     torch.arange(5)
 *     // tensor([0, 1, 2, 3, 4])
 *     torch.arange(0, 1, 0.25)
 *     // tensor([0.0000, 0.2500, 0.5000, 0.7500])
 *
 * @throws RuntimeError when the step is 0 or leads away from `end`.
 */
export const arange: Arange = creator(
  'arange',
  'Scalar? start=None, Scalar? end=None, Scalar step=1',
  (to: Target, first: Scalar | Tensor | null, second: Scalar | Tensor | null, by: Scalar | Tensor) => {
    if (first === null && second === null)
      throw new TypeError('arange() missing 1 required positional arguments: "end"');
    const given = [first ?? 0, second ?? 0, by];
    const [start, end, step] =
      first === null || second === null
        ? [0, plain((first ?? second) as Scalar), plain(by)]
        : given.map(plain);
    const type = to.type(given.every((x) => typeOf(x).is_integral) ? int64 : get_default_dtype());
    checkRange(asDouble(start), asDouble(end), asDouble(step));
    if (type.is_complex || type === bool)
      throw new NotImplementedError(`"arange_cpu" not implemented for '${type.scalarName}'`);
    const n =
      type === int64
        ? wholeLength(whole(start), whole(end), whole(step))
        : Math.ceil((asDouble(end) - asDouble(start)) / asDouble(step));
    return sequence(to, n, start, step, type);
  },
) as Arange;

/** start, start + step, … up to and including end, as floats. Deprecated in PyTorch: use `arange`. */
export const range: (start: Bound, end: Bound, step?: Bound | OutOptions, options?: OutOptions) => Tensor =
  creator(
    'range',
    'Scalar start, Scalar end, Scalar step=1',
    (to: Target, ...bounds: [Scalar | Tensor, Scalar | Tensor, Scalar | Tensor]) => {
      const [start, end, step] = bounds.map(plain);
      checkRange(asDouble(start), asDouble(end), asDouble(step));
      return sequence(
        to,
        Math.floor((asDouble(end) - asDouble(start)) / asDouble(step)) + 1,
        start,
        step,
        to.type(),
      );
    },
  );

interface Ends {
  type: DType;
  start: Scalar;
  end: Scalar;
}

/** The ends and the dtype of linspace and logspace. */
function ends(name: string, to: Target, first: Scalar | Tensor, last: Scalar | Tensor, steps: number): Ends {
  if (steps < 0) throw new RuntimeError('number of steps must be non-negative');
  for (const [which, x] of [
    ['start', first],
    ['end', last],
  ] as const)
    if (x instanceof Tensor && x.shape.length > 0)
      throw new RuntimeError(
        `${name} only supports 0-dimensional start and end tensors, but got ${which} with ${x.shape.length} dimension(s).`,
      );
  const inferred =
    typeOf(first).is_complex || typeOf(last).is_complex
      ? get_default_dtype().to_complex()
      : get_default_dtype();
  const type = to.type(inferred);
  if (inferred.is_complex && !type.is_complex)
    throw new RuntimeError(
      `torch.${name}(): inferred dtype c10::complex<${inferred === complex128 ? 'double' : 'float'}> can't be safely cast to passed dtype ${type.scalarName}`,
    );
  if (type === bool) throw new NotImplementedError(`"${name}_cpu" not implemented for 'Bool'`);
  return { type, start: plain(first), end: plain(last) };
}

/** Rounds to the precision in which a dtype's values are computed. */
const rounding = (type: DType): ((x: number) => number) =>
  type.is_integral || type.to_real() === float64 ? (x) => x : Math.fround;

/** Equally spaced values, from both ends towards the middle, as PyTorch computes them; into `out`. */
function spaceBetween(out: Tensor, start: number, end: number, type: DType): Tensor {
  const round = rounding(type);
  const steps = out._numel;
  const [a, b] = type.is_integral ? [Math.trunc(start), Math.trunc(end)] : [round(start), round(end)];
  const step = steps > 1 ? round(round(b - a) / (steps - 1)) : 0;
  const middle = steps === 1 ? 1 : Math.floor(steps / 2);
  return fillSpaced(out, { start: a, step, end: b, middle, single: round === Math.fround });
}

/** The same as numbers, for what is computed here. */
function spaced(start: number, end: number, steps: number, type: DType): Float64Array {
  const round = rounding(type);
  const [a, b] = type.is_integral ? [Math.trunc(start), Math.trunc(end)] : [round(start), round(end)];
  if (steps > 2 ** 32)
    throw new RuntimeError(
      `[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate ${steps * type.itemsize} bytes.`,
    );
  const values = new Float64Array(steps);
  const step = steps > 1 ? round(round(b - a) / (steps - 1)) : 0;
  const middle = Math.floor(steps / 2);
  const at = type.is_integral ? Math.trunc : (x: number): number => x;
  for (let i = 0; i < steps; i++)
    values[i] = i < middle ? at(round(a + step * i)) : at(round(b - step * (steps - 1 - i)));
  if (steps === 1) values[0] = a;
  return values;
}

const parts = (x: Scalar): [number, number] => (x instanceof Complex ? [x.re, x.im] : [asDouble(x), 0]);

/** Writes interleaved complex values. */
function putComplex(to: Target, values: readonly Complex[], type: DType): Tensor {
  return copyInto(to.empty([values.length], type), encode(values, type));
}

type Spacing = (start: Bound | Complex, end: Bound | Complex, steps: number, options?: OutOptions) => Tensor;

/**
 * `steps` equally spaced values from start to end, both included. Floats unless told otherwise.
 *
 *     torch.linspace(0, 1, 5)
 *     // tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
 */
export const linspace: Spacing = creator(
  'linspace',
  'Operand start, Operand end, int steps',
  (to: Target, first: Scalar | Tensor, last: Scalar | Tensor, steps: number) => {
    const { type, start, end } = ends('linspace', to, first, last, steps);
    const [a, b] = [parts(start), parts(end)];
    if (!type.is_complex) return spaceBetween(to.empty([steps], type), a[0], b[0], type);
    const re = spaced(a[0], b[0], steps, type);
    const im = spaced(a[1], b[1], steps, type);
    return putComplex(
      to,
      Array.from(re, (v, i) => new Complex(v, im[i])),
      type,
    );
  },
);

/** base to a complex power. */
function power(base: number, re: number, im: number): Complex {
  const magnitude = Math.abs(base);
  const angle = base < 0 ? Math.PI : 0;
  const logarithm = Math.log(magnitude);
  const scale = Math.exp(re * logarithm - im * angle);
  const turn = im * logarithm + re * angle;
  return im === 0 && base > 0
    ? new Complex(base ** re, 0)
    : new Complex(scale * Math.cos(turn), scale * Math.sin(turn));
}

/** `base` to the powers that `linspace(start, end, steps)` gives. */
export const logspace: (
  start: Bound | Complex,
  end: Bound | Complex,
  steps: number,
  base?: number | (OutOptions & { base?: number }),
  options?: OutOptions,
) => Tensor = creator(
  'logspace',
  'Operand start, Operand end, int steps, float base=10',
  (to: Target, first: Scalar | Tensor, last: Scalar | Tensor, steps: number, base: number) => {
    const { type, start, end } = ends('logspace', to, first, last, steps);
    const [a, b] = [parts(start), parts(end)];
    const exponent = type.is_integral ? float32 : type;
    if (!type.is_complex) {
      const exponents = empty([steps], float64, cpu);
      if (type.is_integral) spaceBetween(exponents, Math.trunc(a[0]), Math.trunc(b[0]), float64);
      else spaceBetween(exponents, a[0], b[0], exponent);
      return to.empty([steps], type).copy_(pow(scalarOf(base, cpu), exponents));
    }
    const re = spaced(a[0], b[0], steps, exponent);
    const im = spaced(a[1], b[1], steps, type);
    return putComplex(
      to,
      Array.from(re, (v, i) => power(base, v, im[i])),
      type,
    );
  },
);
