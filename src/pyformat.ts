/**
 * Numbers as Python writes them: `format(x, '.4f')`, `format(x, '.4e')`, `repr(x)`.
 *
 * Python (through C's printf) rounds the exact binary value half to even and always prints the sign
 * of zero; JavaScript's `toFixed` and `toExponential` also work on the exact value but round ties
 * away from zero, drop the sign of zero, stop at 100 digits, and `toFixed` changes to exponents at
 * 1e21. Both languages agree except in those cases, so the built-ins do the work and the exceptions
 * are corrected here.
 */

/** The most digits `toFixed` and `toExponential` accept. */
const MAX_BUILTIN_DIGITS = 100;

/**
 * The text of a non-finite number, or null for a finite one.
 * Python prints no sign for NaN.
 */
function nonFinite(x: number): string | null {
  if (Number.isNaN(x)) return 'nan';
  if (x === Infinity) return 'inf';
  if (x === -Infinity) return '-inf';
  return null;
}

/** '-' for negative numbers and for -0, otherwise ''. */
function signOf(x: number): string {
  return x < 0 || Object.is(x, -0) ? '-' : '';
}

/** Whether the magnitude `x`, scaled by 10^power, lies exactly halfway between two integers. */
function isTie(x: number, power: number): boolean {
  if (power >= 0) {
    // x * 10^p = k + 1/2 with x a dyadic rational: the factor 5^p is odd, so this holds
    // exactly when x * 2^(p + 1) is an odd integer. Scaling by a power of two is exact; it is done
    // in two steps because 2^(p + 1) alone may overflow for subnormal x.
    const half = Math.floor((power + 1) / 2);
    return (x * 2 ** half * 2 ** (power + 1 - half)) % 2 === 1;
  }
  if (!Number.isInteger(x)) {
    // The halfway points of multiples of 10^|power| are integers (multiples of 5).
    return false;
  }
  const unit = 10n ** BigInt(-power);
  return (BigInt(x) % unit) * 2n === unit;
}

/** `digits` with its last digit, which is odd, made even by subtracting one (no borrow can arise). */
function decrementLast(digits: string): string {
  const last = digits.length - 1;
  return digits.slice(0, last) + String(Number(digits[last]) - 1);
}

/** Whether the last decimal digit of `digits` is odd. */
function endsOdd(digits: string): boolean {
  return digits.charCodeAt(digits.length - 1) % 2 === 1;
}

/** The finite magnitude `x` as the exact fraction numerator / 2^shift. */
function exactFraction(x: number): { numerator: bigint; shift: number } {
  let shift = 0;
  let scaled = x;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift += 1;
  }
  return { numerator: BigInt(scaled), shift };
}

/** numerator / denominator rounded to the nearest integer, ties to even. Both are non-negative. */
function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const roundUp = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return roundUp ? quotient + 1n : quotient;
}

/** `format(x, '.{digits}f')` of a finite magnitude in exact integer arithmetic, for any size. */
function exactFixed(x: number, digits: number): string {
  const { numerator, shift } = exactFraction(x);
  const rounded = divideHalfEven(numerator * 10n ** BigInt(digits), 1n << BigInt(shift));
  const text = rounded.toString().padStart(digits + 1, '0');
  const point = text.length - digits;
  return digits === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
}

/**
 * Python's `format(x, '.{digits}f')`: fixed point with `digits` decimals, exact for any magnitude.
 * NaN and infinities give 'nan', 'inf' and '-inf'; -0 keeps its sign.
 *
 * @param digits number of decimals, a non-negative integer
 */
export function pyFixed(x: number, digits: number): string {
  const special = nonFinite(x);
  if (special !== null) return special;
  const magnitude = Math.abs(x);
  if (digits > MAX_BUILTIN_DIGITS || magnitude >= 1e21) return signOf(x) + exactFixed(magnitude, digits);
  let text = magnitude.toFixed(digits);
  if (endsOdd(text) && isTie(magnitude, digits)) text = decrementLast(text);
  return signOf(x) + text;
}

/** Mantissa digits and decimal exponent of a finite magnitude, in exact integer arithmetic. */
function exactExponential(x: number, digits: number): { mantissa: string; exponent: number } {
  if (x === 0) return { mantissa: '0'.repeat(digits + 1), exponent: 0 };
  const { numerator, shift } = exactFraction(x);
  const exponent = Number(x.toExponential().split('e')[1]);
  const power = digits - exponent;
  const up = power > 0 ? 10n ** BigInt(power) : 1n;
  const down = power < 0 ? 10n ** BigInt(-power) : 1n;
  const mantissa = divideHalfEven(numerator * up, (1n << BigInt(shift)) * down).toString();
  if (mantissa.length > digits + 1) return { mantissa: mantissa.slice(0, -1), exponent: exponent + 1 };
  if (mantissa.length < digits + 1) {
    // The shortest form rounded up to a power of ten that the exact value does not reach.
    const finer = divideHalfEven(numerator * up * 10n, (1n << BigInt(shift)) * down);
    return { mantissa: finer.toString(), exponent: exponent - 1 };
  }
  return { mantissa, exponent };
}

/** A decimal exponent as C writes it: a sign and at least two digits. */
function exponentText(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/**
 * Python's `format(x, '.{digits}e')`: one digit, `digits` decimals and an exponent of at least two
 * digits ('1.0000e+00'). NaN and infinities give 'nan', 'inf' and '-inf'; -0 keeps its sign.
 *
 * @param digits number of decimals, a non-negative integer
 */
export function pyExponential(x: number, digits: number): string {
  const special = nonFinite(x);
  if (special !== null) return special;
  const magnitude = Math.abs(x);
  if (digits > MAX_BUILTIN_DIGITS) {
    const { mantissa, exponent } = exactExponential(magnitude, digits);
    return `${signOf(x)}${mantissa[0]}.${mantissa.slice(1)}${exponentText(exponent)}`;
  }
  const [text = '', power = ''] = magnitude.toExponential(digits).split('e');
  const exponent = Number(power);
  const mantissa = endsOdd(text) && isTie(magnitude, digits - exponent) ? decrementLast(text) : text;
  return signOf(x) + mantissa + exponentText(exponent);
}

/**
 * Python's `repr(x)` of a float: the shortest digits that read back as `x`, with an exponent below
 * 1e-4 and from 1e16 on ('1.0', '0.1', '1e-05', '1e+16', 'inf', 'nan').
 */
export function pyFloatRepr(x: number): string {
  const special = nonFinite(x);
  if (special !== null) return special;
  const [mantissa = '', power = ''] = Math.abs(x).toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) return signOf(x) + mantissa + exponentText(exponent);
  const digits = mantissa.replace('.', '');
  if (exponent < 0) return `${signOf(x)}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${signOf(x)}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** Python's `str` of a tuple of integers: '()', '(3,)', '(2, 3)'. */
export function pyTuple(values: readonly (number | bigint)[]): string {
  return values.length === 1 ? `(${values[0]},)` : `(${values.join(', ')})`;
}

/** Sizes as messages list them: `[2, 3]`. */
export const listText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
/** Sizes as Python prints them: `torch.Size([2, 3])`. */
export const sizeText = (shape: readonly number[]): string => `torch.Size(${listText(shape)})`;
