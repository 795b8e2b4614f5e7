// In-place methods as functions of the torch namespace: torch.exp_(x) is x.exp_().
import type { Tensor } from '../tensor.js';
import { sigmoid } from './activation.js';
import { index_put } from './advanced.js';
import { abs, neg, negative, reciprocal, rsqrt, sqrt, square } from './arithmetic.js';
import { clamp, clamp_max, clamp_min, clip, nan_to_num } from './clamp.js';
import { gcd, lcm, ldexp } from './combine.js';
import { conj_physical } from './complex.js';
import type { Op } from './define.js';
import { exp, exp2, expm1, log, log1p, log2, log10, xlogy } from './exp.js';
import { addmv } from './matmul_add.js';
import { ceil, fix, floor, frac, round, trunc } from './rounding.js';
import { erf, erfc, i0, logit } from './special_math.js';
import {
  acos,
  acosh,
  arccos,
  arccosh,
  arcsin,
  arcsinh,
  arctan,
  arctanh,
  asin,
  asinh,
  atan,
  atanh,
  cos,
  cosh,
  deg2rad,
  rad2deg,
  sin,
  sinc,
  sinh,
  tan,
  tanh,
} from './trig.js';

/** The function that writes the result of an op to its first argument. */
function inPlace<A extends readonly unknown[]>(op: Op<A, Tensor>): (input: Tensor, ...args: A) => Tensor {
  const method = `${op.opName}_` as 'abs_';
  return (input, ...args) => (input[method] as (...args: unknown[]) => Tensor).apply(input, [...args]);
}

/** {@link abs} in the input's memory. */
export const abs_ = inPlace(abs);
/** {@link acos} in the input's memory. */
export const acos_ = inPlace(acos);
/** {@link acosh} in the input's memory. */
export const acosh_ = inPlace(acosh);
/** {@link addmv} in the input's memory. */
export const addmv_ = inPlace(addmv);
/** {@link arccos} in the input's memory. */
export const arccos_ = inPlace(arccos);
/** {@link arccosh} in the input's memory. */
export const arccosh_ = inPlace(arccosh);
/** {@link arcsin} in the input's memory. */
export const arcsin_ = inPlace(arcsin);
/** {@link arcsinh} in the input's memory. */
export const arcsinh_ = inPlace(arcsinh);
/** {@link arctan} in the input's memory. */
export const arctan_ = inPlace(arctan);
/** {@link arctanh} in the input's memory. */
export const arctanh_ = inPlace(arctanh);
/** {@link asin} in the input's memory. */
export const asin_ = inPlace(asin);
/** {@link asinh} in the input's memory. */
export const asinh_ = inPlace(asinh);
/** {@link atan} in the input's memory. */
export const atan_ = inPlace(atan);
/** {@link atanh} in the input's memory. */
export const atanh_ = inPlace(atanh);
/** {@link ceil} in the input's memory. */
export const ceil_ = inPlace(ceil);
/** {@link clamp} in the input's memory. */
export const clamp_ = inPlace(clamp);
/** {@link clamp_max} in the input's memory. */
export const clamp_max_ = inPlace(clamp_max);
/** {@link clamp_min} in the input's memory. */
export const clamp_min_ = inPlace(clamp_min);
/** {@link clip} in the input's memory. */
export const clip_ = inPlace(clip);
/** {@link conj_physical} in the input's memory. */
export const conj_physical_ = inPlace(conj_physical);
/** {@link cos} in the input's memory. */
export const cos_ = inPlace(cos);
/** {@link cosh} in the input's memory. */
export const cosh_ = inPlace(cosh);
/** {@link deg2rad} in the input's memory. */
export const deg2rad_ = inPlace(deg2rad);
/** {@link erf} in the input's memory. */
export const erf_ = inPlace(erf);
/** {@link erfc} in the input's memory. */
export const erfc_ = inPlace(erfc);
/** {@link exp} in the input's memory. */
export const exp_ = inPlace(exp);
/** {@link exp2} in the input's memory. */
export const exp2_ = inPlace(exp2);
/** {@link expm1} in the input's memory. */
export const expm1_ = inPlace(expm1);
/** {@link fix} in the input's memory. */
export const fix_ = inPlace(fix);
/** {@link floor} in the input's memory. */
export const floor_ = inPlace(floor);
/** {@link frac} in the input's memory. */
export const frac_ = inPlace(frac);
/** {@link gcd} in the input's memory. */
export const gcd_ = inPlace(gcd);
/** {@link i0} in the input's memory. */
export const i0_ = inPlace(i0);
/** {@link index_put} in the input's memory. */
export const index_put_ = inPlace(index_put);
/** {@link lcm} in the input's memory. */
export const lcm_ = inPlace(lcm);
/** {@link ldexp} in the input's memory. */
export const ldexp_ = inPlace(ldexp);
/** {@link log} in the input's memory. */
export const log_ = inPlace(log);
/** {@link log10} in the input's memory. */
export const log10_ = inPlace(log10);
/** {@link log1p} in the input's memory. */
export const log1p_ = inPlace(log1p);
/** {@link log2} in the input's memory. */
export const log2_ = inPlace(log2);
/** {@link logit} in the input's memory. */
export const logit_ = inPlace(logit);
/** {@link nan_to_num} in the input's memory. */
export const nan_to_num_ = inPlace(nan_to_num);
/** {@link neg} in the input's memory. */
export const neg_ = inPlace(neg);
/** {@link negative} in the input's memory. */
export const negative_ = inPlace(negative);
/** {@link rad2deg} in the input's memory. */
export const rad2deg_ = inPlace(rad2deg);
/** {@link reciprocal} in the input's memory. */
export const reciprocal_ = inPlace(reciprocal);
/** {@link round} in the input's memory. */
export const round_ = inPlace(round);
/** {@link rsqrt} in the input's memory. */
export const rsqrt_ = inPlace(rsqrt);
/** {@link sigmoid} in the input's memory. */
export const sigmoid_ = inPlace(sigmoid);
/** {@link sin} in the input's memory. */
export const sin_ = inPlace(sin);
/** {@link sinc} in the input's memory. */
export const sinc_ = inPlace(sinc);
/** {@link sinh} in the input's memory. */
export const sinh_ = inPlace(sinh);
/** {@link sqrt} in the input's memory. */
export const sqrt_ = inPlace(sqrt);
/** {@link square} in the input's memory. */
export const square_ = inPlace(square);
/** {@link tan} in the input's memory. */
export const tan_ = inPlace(tan);
/** {@link tanh} in the input's memory. */
export const tanh_ = inPlace(tanh);
/** {@link trunc} in the input's memory. */
export const trunc_ = inPlace(trunc);
/** {@link xlogy} in the input's memory. */
export const xlogy_ = inPlace(xlogy);
