// Scalar primitives spelled with differentiable tensor ops: how derivatives are computed when they are
// themselves differentiated. Numbers stay numbers as long as no tensor takes part.
import { Complex } from '../complex.js';
import { cpu } from '../device.js';
import { complex128, float64 } from '../dtype.js';
import { NotImplementedError } from '../errors.js';
import type { Prim } from '../expr.js';
import { Tensor } from '../tensor.js';
import * as activation from './activation.js';
import * as arithmetic from './arithmetic.js';
import { choose } from './clamp.js';
import * as combine from './combine.js';
import * as compare from './compare.js';
import { conj } from './complex.js';
import type { Operand } from './define.js';
import * as exp from './exp.js';
import { full_ } from './fill.js';
import * as logic from './logic.js';
import * as rounding from './rounding.js';
import * as special from './special_functions.js';
import * as math from './special_math.js';
import * as trig from './trig.js';
import { real } from './view_dtype.js';

type Spelling = (...args: Operand[]) => Operand;
type AnyOp = (x: never, ...args: never[]) => Tensor;

const wide = (x: Operand): Tensor =>
  x instanceof Tensor ? x : full_([], x, x instanceof Complex ? complex128 : float64, cpu);

/** An op that takes numbers beside tensors; of numbers alone, a number. */
function mixed(fn: AnyOp): Spelling {
  const call = fn as unknown as (...args: readonly Operand[]) => Tensor;
  return (...args) =>
    args.some((x) => x instanceof Tensor) ? call(...args) : (call(...args.map(wide)).item() as Operand);
}

/** An op whose first operand must be a tensor. */
function leading(fn: AnyOp): Spelling {
  const call = mixed(fn);
  return (x, ...rest) => (rest.some((y) => y instanceof Tensor) ? call(wide(x), ...rest) : call(x, ...rest));
}

/** Order is that of the real parts. */
function ordered(fn: AnyOp): Spelling {
  const call = leading(fn);
  const part = (x: Operand): Operand =>
    x instanceof Tensor && x.dtype.is_complex
      ? (real as (x: Tensor) => Tensor)(x.detach())
      : x instanceof Complex
        ? x.re
        : x;
  return (x, y) => call(part(x), part(y));
}

/** An op that takes tensors only. */
function strict(fn: AnyOp): Spelling {
  const call = fn as unknown as (...args: readonly Operand[]) => Tensor;
  return (...args) => {
    const value = call(...args.map(wide));
    return args.some((x) => x instanceof Tensor) ? value : (value.item() as Operand);
  };
}

/** Integers have no derivatives: no formula can name these. */
function whole(prim: Prim): Spelling {
  return () => {
    throw new NotImplementedError(`the integer primitive ${prim} has no differentiable form`);
  };
}

function select(condition: Operand, a: Operand, b: Operand): Operand {
  if (!(condition instanceof Tensor)) return condition ? a : b;
  return choose(condition, a instanceof Tensor || b instanceof Tensor ? a : wide(a), b);
}

const truth =
  (fn: AnyOp, plain: (a: boolean, b: boolean) => boolean): Spelling =>
  (a, b) => {
    const call = fn as unknown as (a: Tensor, b: Tensor) => Tensor;
    return a instanceof Tensor || b instanceof Tensor
      ? call(wide(a), wide(b))
      : plain(Boolean(a), Boolean(b));
  };

/** Every primitive, as what autograd replays with `create_graph`. */
export const spellings: Readonly<Record<Prim, Spelling>> = {
  neg: mixed(arithmetic.neg),
  conj: (x) => (x instanceof Tensor ? conj(x) : x instanceof Complex ? new Complex(x.re, -x.im) : x),
  abs: mixed(arithmetic.abs),
  sign: mixed(arithmetic.sgn),
  reciprocal: mixed(arithmetic.reciprocal),
  sqrt: mixed(arithmetic.sqrt),
  rsqrt: mixed(arithmetic.rsqrt),
  floor: mixed(rounding.floor),
  ceil: mixed(rounding.ceil),
  trunc: mixed(rounding.trunc),
  round: mixed(rounding.round),
  mantissa: mixed(combine.frexpParts.mantissa),
  exponent: mixed(combine.frexpParts.exponent),
  exp: mixed(exp.exp),
  exp2: mixed(exp.exp2),
  expm1: mixed(exp.expm1),
  log: mixed(exp.log),
  log2: mixed(exp.log2),
  log10: mixed(exp.log10),
  log1p: mixed(exp.log1p),
  sigmoid: mixed(activation.sigmoid),
  sin: mixed(trig.sin),
  cos: mixed(trig.cos),
  tan: mixed(trig.tan),
  asin: mixed(trig.asin),
  acos: mixed(trig.acos),
  atan: mixed(trig.atan),
  sinh: mixed(trig.sinh),
  cosh: mixed(trig.cosh),
  tanh: mixed(trig.tanh),
  asinh: mixed(trig.asinh),
  acosh: mixed(trig.acosh),
  atanh: mixed(trig.atanh),
  erf: mixed(math.erf),
  cdf: mixed(special.ndtr),
  erfc: mixed(math.erfc),
  erfinv: mixed(math.erfinv),
  erfcx: mixed(special.erfcx),
  lgamma: mixed(math.lgamma),
  digamma: mixed(math.digamma),
  ndtri: mixed(special.ndtri),
  log_ndtr: mixed(special.log_ndtr),
  i0: mixed(math.i0),
  i0e: mixed(special.i0e),
  i1: mixed(special.i1),
  i1e: mixed(special.i1e),
  bessel_j0: mixed(special.bessel_j0),
  bessel_j1: mixed(special.bessel_j1),
  bessel_y0: mixed(special.bessel_y0),
  bessel_y1: mixed(special.bessel_y1),
  spherical_bessel_j0: mixed(special.spherical_bessel_j0),
  airy_ai: mixed(special.airy_ai),
  modified_bessel_i0: mixed(special.modified_bessel_i0),
  modified_bessel_i1: mixed(special.modified_bessel_i1),
  modified_bessel_k0: mixed(special.modified_bessel_k0),
  modified_bessel_k1: mixed(special.modified_bessel_k1),
  scaled_modified_bessel_k0: mixed(special.scaled_modified_bessel_k0),
  scaled_modified_bessel_k1: mixed(special.scaled_modified_bessel_k1),
  add: mixed(arithmetic.add),
  sub: mixed(arithmetic.sub),
  mul: mixed(arithmetic.mul),
  div: mixed(arithmetic.div),
  min: strict(compare.minimum),
  max: strict(compare.maximum),
  fmin: strict(compare.fmin),
  fmax: strict(compare.fmax),
  fmod: leading(arithmetic.fmod),
  remainder: mixed(arithmetic.remainder),
  floor_div: mixed(arithmetic.floor_divide),
  trunc_div: mixed((x: Operand, y: Operand) => arithmetic.div(x as Tensor, y, { rounding_mode: 'trunc' })),
  copysign: leading(combine.copysign),
  nextafter: strict(combine.nextafter),
  hypot: strict(combine.hypot),
  atan2: strict(trig.atan2),
  pow: mixed(arithmetic.pow),
  polygamma: (n, x) => math.polygammaOf(n as number, wide(x)),
  zeta: mixed(special.zeta),
  igamma: strict(math.igamma),
  igammac: strict(math.igammac),
  chebyshev_polynomial_t: mixed(special.chebyshev_polynomial_t),
  chebyshev_polynomial_u: mixed(special.chebyshev_polynomial_u),
  chebyshev_polynomial_v: mixed(special.chebyshev_polynomial_v),
  chebyshev_polynomial_w: mixed(special.chebyshev_polynomial_w),
  shifted_chebyshev_polynomial_t: mixed(special.shifted_chebyshev_polynomial_t),
  shifted_chebyshev_polynomial_u: mixed(special.shifted_chebyshev_polynomial_u),
  shifted_chebyshev_polynomial_v: mixed(special.shifted_chebyshev_polynomial_v),
  shifted_chebyshev_polynomial_w: mixed(special.shifted_chebyshev_polynomial_w),
  hermite_polynomial_h: mixed(special.hermite_polynomial_h),
  hermite_polynomial_he: mixed(special.hermite_polynomial_he),
  laguerre_polynomial_l: mixed(special.laguerre_polynomial_l),
  legendre_polynomial_p: mixed(special.legendre_polynomial_p),
  isnan: mixed(compare.isnan),
  isinf: mixed(compare.isinf),
  isfinite: mixed(compare.isfinite),
  signbit: mixed(compare.signbit),
  eq: leading(compare.eq),
  ne: leading(compare.ne),
  lt: ordered(compare.lt),
  le: ordered(compare.le),
  gt: ordered(compare.gt),
  ge: ordered(compare.ge),
  mand: truth(logic.logical_and, (a, b) => a && b),
  mor: truth(logic.logical_or, (a, b) => a || b),
  mxor: truth(logic.logical_xor, (a, b) => a !== b),
  mnot: (x) => (x instanceof Tensor ? logic.logical_not(x) : !x),
  select,
  fma: (a, b, c) => spellings.add(spellings.mul(a, b), c),
  bnot: whole('bnot'),
  band: whole('band'),
  bor: whole('bor'),
  bxor: whole('bxor'),
  shl: whole('shl'),
  shr: whole('shr'),
  gcd: whole('gcd'),
  lcm: whole('lcm'),
};
