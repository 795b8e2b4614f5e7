// Trigonometric and hyperbolic functions and their inverses.
#pragma once

#include "vmath_exp.h"

namespace tt {
inline namespace KERNEL_NS {

// ---- x = q pi/2 + r + r_low, |r| <= pi/4. Beyond the limit each lane is left to the C library.

#if TT_HAS_FMA
constexpr double kTrigLimitF = 1e5, kTrigLimitD = 1e9;
// Three parts of pi/2. The first product is subtracted exactly: x - q P1 is a multiple of both last places.
TT_INLINE VecF v_subtract_quadrants(VecF x, VecF q, VecF& low) {
  const VecF a = v_fma(q, v_k<VecF>(-1.5707963705062866), x), p2 = v_k<VecF>(4.371138828673793e-08);
  const VecF r = v_fma(q, p2, a);
  low = v_fma(q, v_k<VecF>(1.7151245100058819e-15), v_fma(q, p2, a - r));
  return r;
}
TT_INLINE VecD v_subtract_quadrants(VecD x, VecD q, VecD& low) {
  const VecD a = v_fma(q, v_k<VecD>(-1.5707963267948966), x), p2 = v_k<VecD>(-6.123233995736766e-17);
  const VecD r = v_fma(q, p2, a);
  low = v_fma(q, v_k<VecD>(1.4973849048591833e-33), v_fma(q, p2, a - r));
  return r;
}
#else
constexpr double kTrigLimitF = 1e5, kTrigLimitD = 1e6;
// Without fused multiplication: parts short enough for exact products.
TT_INLINE VecD v_subtract_short(VecD x, VecD q) {
  return (x - q * v_k<VecD>(1.5707963267341256)) - q * v_k<VecD>(6.077100506506192e-11);
}
TT_INLINE VecF v_subtract_quadrants(VecF x, VecF q, VecF& low) {
  low = v_k<VecF>(0);
  return v_join_halves(v_subtract_short(v_low_half(x), v_low_half(q)), v_subtract_short(v_high_half(x), v_high_half(q)));
}
TT_INLINE VecD v_subtract_quadrants(VecD x, VecD q, VecD& low) {
  const VecD a = (x - q * v_k<VecD>(1.570796325802803)) - q * v_k<VecD>(9.920935791635221e-10), b = q * v_k<VecD>(5.17018297889025e-19);
  const VecD r = a - b;
  low = ((a - r) - b) - q * v_k<VecD>(2.9038559739793605e-28);
  return r;
}
#endif
template <class V>
constexpr double kTrigLimit = sizeof(Lane<V>) == 4 ? kTrigLimitF : kTrigLimitD;

/** The sine of r + low, |r| <= pi/4. */
TT_INLINE VecF v_sin_short(VecF r, VecF low, VecF z) {
  return r + v_mad(r * z, v_poly(z, -0.16666655242443085, 0.008332191035151482, -0.00019518610497470945), low);
}
TT_INLINE VecD v_sin_short(VecD r, VecD low, VecD z) {
  return r + v_mad(r * z, v_poly(z, -0.16666666666666632, 0.008333333333322455, -0.00019841269829814348,
                                 2.7557313688286274e-06, -2.505075688330355e-08, 1.5896694509304922e-10), low);
}
TT_INLINE VecF v_cos_rest(VecF z) {
  return v_poly(z, 0.04166664555668831, -0.0013887312961742282, 2.4432949430774897e-05);
}
TT_INLINE VecD v_cos_rest(VecD z) {
  return v_poly(z, 0.0416666666666666, -0.001388888888887447, 2.480158728966239e-05, -2.7557314396135465e-07,
                2.0875728300364977e-09, -1.1359867642676443e-11);
}
template <class V>
TT_INLINE V v_cos_short(V r, V low, V z) {
  const V one = v_k<V>(1), half = v_k<V>(0.5) * z, w = one - half;
  return w + (((one - w) - half) + v_mad(z * z, v_cos_rest(z), -(r * low)));
}
/** Sine and cosine of the reduced argument; q holds the quadrant in its low bits. */
template <class V>
TT_INLINE void v_sincos_short(V x, V& sine, V& cosine, Mask<V>& q) {
  const V magic = v_k<V>(FloatFormat<V>::magic), shifted = v_mad(x, v_k<V>(2 / kPi), magic);
  V low;
  const V r = v_subtract_quadrants(x, shifted - magic, low), z = r * r;
  q = v_bits(shifted);
  sine = v_sin_short(r, low, z);
  cosine = v_cos_short(r, low, z);
}
template <double (*F)(double), class V>
TT_NOINLINE V v_trig_large(V x, V small) {
  for (int i = 0; i < v_lanes<V>; i++)
    if (!(std::fabs(x[i]) <= static_cast<Lane<V>>(kTrigLimit<V>))) small[i] = static_cast<Lane<V>>(F(x[i]));
  return small;
}
template <class V>
TT_INLINE Mask<V> v_trig_outside(V x) {
  return ~v_le(v_abs_float(x), v_k<V>(kTrigLimit<V>));
}
/** The sine of x + quadrant pi/2. */
template <class V>
TT_INLINE V v_sin_quadrant(V x, int quadrant) {
  V s, c;
  Mask<V> q;
  v_sincos_short(x, s, c, q);
  q = q + v_ik<V>(quadrant);
  const V r = (q & v_ik<V>(1)) != v_ik<V>(0) ? c : s;
  return v_from_bits<V>(v_bits(r) ^ ((q << (8 * sizeof(Lane<V>) - 2)) & v_sign_bit<V>()));
}
template <class V>
TT_INLINE V v_sin_float(V x) {
  V r = v_sin_quadrant(x, 0);
  r = x == v_k<V>(0) ? x : r;
  if (__builtin_expect(v_any(v_trig_outside(x)), 0)) return v_trig_large<std::sin>(x, r);
  return r;
}
template <class V>
TT_INLINE V v_cos_float(V x) {
  const V r = v_sin_quadrant(x, 1);
  if (__builtin_expect(v_any(v_trig_outside(x)), 0)) return v_trig_large<std::cos>(x, r);
  return r;
}
template <class V>
TT_INLINE V v_tan_float(V x) {
  V s, c;
  Mask<V> q;
  v_sincos_short(x, s, c, q);
  const Mask<V> odd = (q & v_ik<V>(1)) != v_ik<V>(0);
  V r = (odd ? -c : s) / (odd ? s : c);
  r = x == v_k<V>(0) ? x : r;
  if (__builtin_expect(v_any(v_trig_outside(x)), 0)) return v_trig_large<std::tan>(x, r);
  return r;
}
TT_INLINE VecF v_sin(VecF x) { return v_sin_float(x); }
TT_INLINE VecD v_sin(VecD x) { return v_sin_float(x); }
TT_INLINE VecF v_cos(VecF x) { return v_cos_float(x); }
TT_INLINE VecD v_cos(VecD x) { return v_cos_float(x); }
TT_NOINLINE VecF v_tan(VecF x) { return v_tan_float(x); }
TT_NOINLINE VecD v_tan(VecD x) { return v_tan_float(x); }

// ---- inverses

/** (atan(x) - x) / x^3 in z = x^2, |x| <= tan(pi/8). */
TT_INLINE VecF v_atan_rest(VecF z) {
  return v_poly(z, -0.33332958817481995, 0.19978053867816925, -0.1388113796710968, 0.08064208924770355);
}
TT_INLINE VecD v_atan_rest(VecD z) {
  return v_poly(z, -0.333333333333332, 0.19999999999953902, -0.1428571428023323, 0.11111110785452367,
                -0.09090897818155227, 0.07692061328959407, -0.06663117023079314, 0.05847985240711849,
                -0.05039741553939811, 0.038075734484921124, -0.017919495133842528);
}
/** atan of n / d, 0 <= n, 0 < d: by the nearest of 0, pi/4 and pi/2, with one division. */
template <class V>
TT_INLINE V v_atan_ratio(V n, V d) {
  constexpr double low = sizeof(Lane<V>) == 4 ? -2.1855694143368964e-08 : 3.061616997868383e-17;
  const Mask<V> middle = bit_cast<Mask<V>>(n > v_k<V>(0.4142135623730950) * d);
  const Mask<V> high = bit_cast<Mask<V>>(n > v_k<V>(2.4142135623730950) * d);
  const V a = high ? -d : middle ? n - d : n, b = high ? n : middle ? n + d : d;
  const V t = a / b, z = t * t, rest = t * z * v_atan_rest(z), zero = v_k<V>(0);
  const V base = high ? v_k<V>(kPi / 2) : middle ? v_k<V>(kPi / 4) : zero;
  const V base_low = high ? v_k<V>(2 * low) : middle ? v_k<V>(low) : zero;
  return base + (t + (rest + base_low));
}
template <class V>
TT_INLINE V v_atan_float(V x) {
  return v_copysign(v_atan_ratio(v_abs_float(x), v_k<V>(1)), x);
}
TT_NOINLINE VecF v_atan(VecF x) { return v_atan_float(x); }
TT_NOINLINE VecD v_atan(VecD x) { return v_atan_float(x); }

/** (asin(x) - x) / x^3 in z = x^2, |x| <= 1/2. */
TT_INLINE VecF v_asin_rest(VecF z) {
  return v_poly(z, 0.16666753590106964, 0.07495252788066864, 0.045475974678993225, 0.024152088910341263,
                0.04221251234412193);
}
TT_INLINE VecD v_asin_rest(VecD z) {
  return v_poly(z, 0.16666666666666763, 0.0749999999997012, 0.04464285717526525, 0.030381942676327642,
                0.022372215875690212, 0.017351596046254126, 0.013981012008974511, 0.011397345991348144,
                0.010789027898595005, 0.0036732777071775803, 0.02178802744342169, -0.021113067624600936,
                0.032699912801057135);
}
/** asin(|x|) below 1/2, asin(sqrt((1 - |x|) / 2)) above: big tells which. */
template <class V>
TT_INLINE V v_asin_half(V x, Mask<V>& big) {
  const V a = v_abs_float(x);
  big = bit_cast<Mask<V>>(a > v_k<V>(0.5));
  const V z = big ? (v_k<V>(1) - a) * v_k<V>(0.5) : a * a, s = big ? v_sqrt(z) : a;
  return v_mad(s * z, v_asin_rest(z), s);
}
template <class V>
constexpr double kHalfPiLow = sizeof(Lane<V>) == 4 ? -4.371138828673793e-08 : 6.123233995736766e-17;
template <class V>
TT_INLINE V v_asin_float(V x) {
  Mask<V> big;
  const V r = v_asin_half(x, big);
  return v_copysign(big ? v_k<V>(kPi / 2) - (r + r - v_k<V>(kHalfPiLow<V>)) : r, x);
}
template <class V>
TT_INLINE V v_acos_float(V x) {
  Mask<V> big;
  const V r = v_asin_half(x, big), twice = r + r, low = v_k<V>(kHalfPiLow<V>);
  const Mask<V> negative = v_signbit(x);
  const V far = negative ? v_k<V>(kPi) - (twice - (low + low)) : twice;
  const V near = v_k<V>(kPi / 2) - (v_copysign(r, x) - low);
  return big ? far : near;
}
TT_NOINLINE VecF v_asin(VecF x) { return v_asin_float(x); }
TT_NOINLINE VecD v_asin(VecD x) { return v_asin_float(x); }
TT_NOINLINE VecF v_acos(VecF x) { return v_acos_float(x); }
TT_NOINLINE VecD v_acos(VecD x) { return v_acos_float(x); }

/** The angle of the point (x, y), with C's signs of zeros and infinities. */
template <class V>
TT_INLINE V v_atan2_float(V y, V x) {
  const V inf = v_k<V>(__builtin_inf()), zero = v_k<V>(0), one = v_k<V>(1), low = v_k<V>(kHalfPiLow<V>);
  const V a = v_abs_float(y), b = v_abs_float(x);
  const Mask<V> steep = v_gt(a, b);
  V n = steep ? b : a, d = steep ? a : b;
  // Two infinities are 1 / 1 and two zeros 0 / 1.
  n = v_eq(n, inf) ? one : n;
  d = v_eq(a, b) & (v_eq(a, zero) | v_eq(a, inf)) ? one : d;
  // The division first: products with a tiny or huge denominator would leave the range.
  V r = v_atan_ratio(n / d, one);
  r = steep ? v_k<V>(kPi / 2) - (r - low) : r;
  r = v_signbit(x) ? v_k<V>(kPi) - (r - (low + low)) : r;
  r = v_copysign(r, y);
  return v_isnan(x) | v_isnan(y) ? x + y : r;
}
TT_NOINLINE VecF v_atan2(VecF y, VecF x) { return v_atan2_float(y, x); }
TT_NOINLINE VecD v_atan2(VecD y, VecD x) { return v_atan2_float(y, x); }

/** sqrt(x^2 + y^2) without overflow on the way; infinite if either is, even beside NaN. */
TT_NOINLINE VecD v_hypot(VecD x, VecD y) {
  const VecD inf = v_k<VecD>(__builtin_inf()), a = v_abs(x), b = v_abs(y), large = v_max(a, b), small = v_min(a, b);
  const VecD t = small / large, r = large * v_sqrt(v_mad(t, t, v_k<VecD>(1)));
  const VecD finite = v_eq(large, v_k<VecD>(0)) ? large : r;
  return v_eq(a, inf) | v_eq(b, inf) ? inf : finite;
}
TT_INLINE VecD v_hypot_single(VecD x, VecD y) {
  const VecD inf = v_k<VecD>(__builtin_inf()), r = v_sqrt(x * x + y * y);
  return v_eq(v_abs(x), inf) | v_eq(v_abs(y), inf) ? inf : r;
}
TT_NOINLINE VecF v_hypot(VecF x, VecF y) {
  return v_join_halves(v_hypot_single(v_low_half(x), v_low_half(y)), v_hypot_single(v_high_half(x), v_high_half(y)));
}

// ---- hyperbolic functions

template <class V>
TT_INLINE V v_tanh_float(V x) {
  V a = v_abs_float(x);
  a = a > v_k<V>(22) ? v_k<V>(22) : a;  // 1 exactly from there on
  const V m = v_expm1_short(a + a);
  return v_copysign(m / (m + v_k<V>(2)), x);
}
template <class V>
TT_INLINE V v_sinh_float(V x) {
  const V m = v_expm1_float(v_abs_float(x)), inf = v_k<V>(__builtin_inf());
  const V r = v_k<V>(0.5) * (m + m / (m + v_k<V>(1)));
  return v_copysign(m == inf ? inf : r, x);
}
template <class V>
TT_INLINE V v_cosh_float(V x) {
  const V e = v_k<V>(0.5) * v_exp_float(v_abs_float(x));
  return e + v_k<V>(0.25) / e;
}
TT_INLINE VecF v_tanh(VecF x) { return v_tanh_float(x); }
TT_INLINE VecD v_tanh(VecD x) { return v_tanh_float(x); }
TT_NOINLINE VecF v_sinh(VecF x) { return v_sinh_float(x); }
TT_NOINLINE VecD v_sinh(VecD x) { return v_sinh_float(x); }
TT_NOINLINE VecF v_cosh(VecF x) { return v_cosh_float(x); }
TT_NOINLINE VecD v_cosh(VecD x) { return v_cosh_float(x); }

TT_NOINLINE VecD v_asinh(VecD x) {
  const VecD a = v_abs(x), one = v_k<VecD>(1);
  const VecL huge = v_gt(a, v_k<VecD>(1e18));
  const VecD small = huge ? one : a, square = small * small;
  const VecD r = v_log1p(huge ? a : a + square / (one + v_sqrt(one + square)));
  return v_copysign(huge ? r + v_k<VecD>(kLn2) : r, x);
}
TT_NOINLINE VecD v_acosh(VecD x) {
  const VecD one = v_k<VecD>(1), t = x - one;
  const VecL huge = v_gt(x, v_k<VecD>(1e18));
  const VecD small = huge ? one : t;
  const VecD r = v_log1p(huge ? x : small + v_sqrt(small + small + small * small));
  return v_lt(x, one) ? v_k<VecD>(__builtin_nan("")) : huge ? r + v_k<VecD>(kLn2) : r;
}
template <class V>
TT_INLINE V v_atanh_float(V x) {
  const V a = v_abs_float(x);
  return v_copysign(v_k<V>(0.5) * v_log1p((a + a) / (v_k<V>(1) - a)), x);
}
TT_NOINLINE VecF v_atanh(VecF x) { return v_atanh_float(x); }
TT_NOINLINE VecD v_atanh(VecD x) { return v_atanh_float(x); }
TT_NOINLINE VecF v_asinh(VecF x) { return v_join_halves(v_asinh(v_low_half(x)), v_asinh(v_high_half(x))); }
TT_NOINLINE VecF v_acosh(VecF x) { return v_join_halves(v_acosh(v_low_half(x)), v_acosh(v_high_half(x))); }

}  // namespace KERNEL_NS
}  // namespace tt
