// Exponentials, logarithms and powers: range reduction to a short interval and a minimax polynomial there (weighted
// least squares in 50-digit arithmetic, coefficients rounded one after the other), without branches. Subnormals are kept.
#pragma once

#include "vmath_core.h"

namespace tt {
inline namespace KERNEL_NS {

/** The layout of the lane type: mantissa bits, exponent bias, and 1.5 * 2^mantissa, whose sum with a small number holds
    that number rounded to an integer in its low bits. */
template <class V>
struct FloatFormat;
template <>
struct FloatFormat<VecF> {
  using U = Vec<uint32_t>;
  static constexpr int mantissa = 23, bias = 127;
  static constexpr double magic = 12582912.0, largest_exp = 89, smallest_exp = -105, ln2_high = 0.693359375,
                          ln2_low = -2.12194440054690583e-4, smallest_normal = 1.1754943508222875e-38;
};
template <>
struct FloatFormat<VecD> {
  using U = Vec<uint64_t>;
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double magic = 6755399441055744.0, largest_exp = 710, smallest_exp = -746,
                          ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10,
                          smallest_normal = 2.2250738585072014e-308;
};
constexpr double kLog2E = 1.44269504088896340736, kLn2 = 0.693147180559945309417;

/** x limited to [low, high]; NaN stays. */
template <class V>
TT_INLINE V v_limit(V x, double low, double high) {
  x = x > v_k<V>(high) ? v_k<V>(high) : x;
  return x < v_k<V>(low) ? v_k<V>(low) : x;
}
/** 2^n for a whole exponent within the normal range. */
template <class V>
TT_INLINE V v_power_of_two(Mask<V> n) {
  return v_from_bits<V>((n + v_ik<V>(FloatFormat<V>::bias)) << FloatFormat<V>::mantissa);
}
/** p * 2^n where 2^n itself may leave the normal range: two factors, the first never rounds. */
template <class V>
TT_INLINE V v_scale(V p, Mask<V> n) {
  using U = typename FloatFormat<V>::U;
  const Mask<V> offset = v_ik<V>(2 * FloatFormat<V>::bias);
  // A logical shift of a positive number: AVX2 has no arithmetic one for 64 bits.
  const Mask<V> half = bit_cast<Mask<V>>(bit_cast<U>(n + offset) >> 1) - v_ik<V>(FloatFormat<V>::bias);
  return p * v_power_of_two<V>(half) * v_power_of_two<V>(n - half);
}
/** x = n ln 2 + r, |r| <= ln 2 / 2: gives r, and n as integers. */
template <class V>
TT_INLINE V v_reduce_exp(V x, Mask<V>& n) {
  using Format = FloatFormat<V>;
  const V magic = v_k<V>(Format::magic), shifted = v_mad(x, v_k<V>(kLog2E), magic), whole = shifted - magic;
  n = v_bits(shifted) - v_bits(magic);
  return v_mad(whole, v_k<V>(-Format::ln2_low), v_mad(whole, v_k<V>(-Format::ln2_high), x));
}
/** exp(r) - 1 - r for |r| <= ln 2 / 2. */
TT_INLINE VecF v_exp_rest(VecF r) {
  return r * r *
         v_poly(r, 0.5, 0.1666651964187622, 0.041666433215141296, 0.00836880225688219, 0.0013937795301899314);
}
TT_INLINE VecD v_exp_rest(VecD r) {
  return r * r *
         v_poly(r, 0.5000000000000013, 0.16666666666666685, 0.041666666666511636, 0.008333333333315401,
                0.0013888888947842998, 0.00019841269900677016, 2.48014891991824e-05, 2.7557230539014318e-06,
                2.763151632400299e-07, 2.51135211898793e-08);
}

template <class V>
TT_INLINE V v_exp_float(V x) {
  using Format = FloatFormat<V>;
  Mask<V> n;
  const V r = v_reduce_exp(v_limit(x, Format::smallest_exp, Format::largest_exp), n);
  return v_scale(v_k<V>(1) + (r + v_exp_rest(r)), n);
}
TT_INLINE VecF v_exp(VecF x) { return v_exp_float(x); }
TT_INLINE VecD v_exp(VecD x) { return v_exp_float(x); }

/** exp(x) - 1 for |x| <= 60: 2^n r + (2^n - 1) first, then the small rest, so that nothing cancels. */
template <class V>
TT_INLINE V v_expm1_short(V x) {
  Mask<V> n;
  const V r = v_reduce_exp(x, n), s = v_power_of_two<V>(n);
  return v_mad(s, v_exp_rest(r), v_mad(s, r, s - v_k<V>(1)));
}
template <class V>
TT_INLINE V v_expm1_float(V x) {
  using Format = FloatFormat<V>;
  Mask<V> n;
  const V r = v_reduce_exp(v_limit(x, -Format::bias * 0.5, Format::largest_exp), n);
  // 2^n may lie beyond the largest power: the rest of it is multiplied last.
  const Mask<V> top = v_ik<V>(Format::bias), n1 = n > top ? top : n;
  const V s = v_power_of_two<V>(n1), sum = v_mad(s, v_exp_rest(r), v_mad(s, r, s - v_k<V>(1)));
  // The result has the sign of x, the zero too.
  return v_from_bits<V>(v_bits(sum * v_power_of_two<V>(n - n1)) | (v_bits(x) & v_sign_bit<V>()));
}
TT_INLINE VecF v_expm1(VecF x) { return v_expm1_float(x); }
TT_INLINE VecD v_expm1(VecD x) { return v_expm1_float(x); }

TT_INLINE VecF v_exp2_rest(VecF r) {
  return r * v_poly(r, 0.6931471824645996, 0.24022652208805084, 0.05550358444452286, 0.009617902338504791,
                    0.0013391481479629874, 0.0001550391170894727);
}
TT_INLINE VecD v_exp2_rest(VecD r) {
  return r * v_poly(r, 0.6931471805599453, 0.24022650695910133, 0.05550410866482298, 0.00961812910759332,
                    0.0013333558146151436, 0.0001540353045810463, 1.525273405041812e-05, 1.3215434799867866e-06,
                    1.017797976636469e-07, 7.073863833710625e-09, 4.466435095899278e-10);
}
template <class V>
TT_INLINE V v_exp2_float(V x) {
  using Format = FloatFormat<V>;
  x = v_limit(x, -Format::bias - Format::mantissa - 2, Format::bias + 2);
  const V magic = v_k<V>(Format::magic), shifted = x + magic, r = x - (shifted - magic);
  return v_scale(v_k<V>(1) + v_exp2_rest(r), v_bits(shifted) - v_bits(magic));
}
TT_INLINE VecF v_exp2(VecF x) { return v_exp2_float(x); }
TT_INLINE VecD v_exp2(VecD x) { return v_exp2_float(x); }

// ---- logarithms: x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2)

/** Splits a positive normal x: gives f, and e as a floating-point number. */
TT_INLINE VecF v_split(VecF x, VecF& e) {
  const VecI root = v_bits(v_k<VecF>(0.70710677)), t = v_bits(x) - root;
  e = __builtin_convertvector(t >> 23, VecF);
  return v_from_bits<VecF>((t & v_ik<VecF>(0x7fffff)) + root) - v_k<VecF>(1);
}
TT_INLINE VecD v_split(VecD x, VecD& e) {
  const VecL root = v_bits(v_k<VecD>(0.70710678118654752440)), one = v_bits(v_k<VecD>(1));
  const VecL t = v_bits(x) - root, mantissa = v_ik<VecD>((int64_t(1) << 52) - 1);
  // The biased exponent as the low bits of 2^52 + exponent: no integer conversion is needed.
  const VecL biased = bit_cast<VecL>(bit_cast<Vec<uint64_t>>(t + one) >> 52);
  e = v_from_bits<VecD>(biased | v_bits(v_k<VecD>(4503599627370496.0))) - v_k<VecD>(4503599627370496.0 + 1023);
  return v_from_bits<VecD>((t & mantissa) + root) - v_k<VecD>(1);
}
/** log(1 + f) - f. */
TT_INLINE VecF v_log_rest(VecF f) {
  const VecF z = f * f;
  const VecF p = v_poly(f, 0.3333331048488617, -0.24999986588954926, 0.20002222061157227, -0.16669242084026337,
                        0.14218756556510925, -0.12384646385908127, 0.11872540414333344, -0.11787484586238861,
                        0.06913276016712189);
  return v_mad(v_k<VecF>(-0.5), z, f * z * p);
}
TT_INLINE VecD v_log_rest(VecD f) {
  const VecD s = f / (v_k<VecD>(2) + f), z = s * s, half = v_k<VecD>(0.5) * f * f;
  const VecD p = v_poly(z, 0.6666666666666734, 0.3999999999941668, 0.2857142874200755, 0.2222219860768083,
                        0.18183562708427606, 0.153140884931268, 0.14795596836200234);
  return v_mad(s, v_mad(z, p, half), -half);
}
/** e log 2 + log(1 + f), given log(1 + f) - f. */
template <class V>
TT_INLINE V v_join_log(V e, V f, V rest) {
  using Format = FloatFormat<V>;
  return v_mad(e, v_k<V>(Format::ln2_high), f + v_mad(e, v_k<V>(Format::ln2_low), rest));
}
/** The result of a logarithm of x, with -inf at 0, NaN below, and infinity and NaN as they are. */
template <class V>
TT_INLINE V v_log_special(V x, V result) {
  const V zero = v_k<V>(0), inf = v_k<V>(__builtin_inf());
  V special = x < zero ? v_k<V>(__builtin_nan("")) : x;
  special = x == zero ? -inf : special;
  return (bit_cast<Mask<V>>(x > zero) & bit_cast<Mask<V>>(x < inf)) ? result : special;
}
/** v_split for subnormals too. */
template <class V>
TT_INLINE V v_split_any(V x, V& e) {
  using Format = FloatFormat<V>;
  const double up = Format::mantissa == 23 ? 8388608.0 : 4503599627370496.0;
  const Mask<V> small = bit_cast<Mask<V>>(x < v_k<V>(Format::smallest_normal));
  const V f = v_split(small ? x * v_k<V>(up) : x, e);
  e = small ? e - v_k<V>(Format::mantissa) : e;
  return f;
}
template <class V>
TT_INLINE V v_log_float(V x) {
  V e;
  const V f = v_split_any(x, e);
  return v_log_special(x, v_join_log(e, f, v_log_rest(f)));
}
TT_INLINE VecF v_log(VecF x) { return v_log_float(x); }
TT_INLINE VecD v_log(VecD x) { return v_log_float(x); }

/** log2(e) = 1 + 0.4427: the whole part needs no rounding. */
template <class V>
TT_INLINE V v_log2_float(V x) {
  V e;
  const V f = v_split_any(x, e), rest = v_log_rest(f), c = v_k<V>(kLog2E - 1);
  return v_log_special(x, e + (f + (rest + v_mad(f, c, rest * c))));
}
TT_INLINE VecF v_log2(VecF x) { return v_log2_float(x); }
TT_INLINE VecD v_log2(VecD x) { return v_log2_float(x); }

template <class V>
TT_INLINE V v_log10_float(V x) {
  V e;
  const V f = v_split_any(x, e), rest = v_log_rest(f);
  const V low = v_mad(e, v_k<V>(2.48745663981195213739e-4), v_mad(f, v_k<V>(7.00731903251827651129e-4), rest * v_k<V>(0.43429448190325182765)));
  return v_log_special(x, v_mad(e, v_k<V>(0.30078125), v_mad(f, v_k<V>(0.43359375), low)));
}
TT_INLINE VecF v_log10(VecF x) { return v_log10_float(x); }
TT_INLINE VecD v_log10(VecD x) { return v_log10_float(x); }

/** log(1 + x): what 1 + x loses is added to the reduced argument. */
template <class V>
TT_INLINE V v_log1p_float(V x) {
  using Format = FloatFormat<V>;
  const V one = v_k<V>(1), u = one + x;
  const V lost = x > one ? one - (u - x) : x - (u - one);
  V e;
  V f = v_split(u, e);
  // 2^-e through the low bits of magic - e; where e is large, nothing was lost.
  const V magic = v_k<V>(Format::magic), low = e > v_k<V>(100) ? v_k<V>(100) : e;
  f = f + lost * v_power_of_two<V>(v_bits(magic - low) - v_bits(magic));
  const V r = v_join_log(e, f, v_log_rest(f));
  const V special = x == -one ? v_k<V>(-__builtin_inf()) : x < -one ? v_k<V>(__builtin_nan("")) : x;
  const Mask<V> plain = bit_cast<Mask<V>>(u > v_k<V>(0)) & bit_cast<Mask<V>>(u < v_k<V>(__builtin_inf())) &
                        bit_cast<Mask<V>>(x != v_k<V>(0));
  return plain ? r : special;
}
TT_INLINE VecF v_log1p(VecF x) { return v_log1p_float(x); }
TT_INLINE VecD v_log1p(VecD x) { return v_log1p_float(x); }

/** 1 / (1 + exp(-x)). */
template <class V>
TT_INLINE V v_sigmoid(V x) {
  return v_k<V>(1) / (v_k<V>(1) + v_exp(-x));
}

// ---- powers

/** Sign and special cases of x^y, given |x|^y. */
template <class V>
TT_INLINE V v_pow_special(V x, V y, V r) {
  const V zero = v_k<V>(0), one = v_k<V>(1), half = y * v_k<V>(0.5), nan = v_k<V>(__builtin_nan(""));
  const Mask<V> whole = v_eq(v_trunc(y), y), odd = whole & v_ne(v_trunc(half), half);
  r = v_eq(v_abs_float(x), one) & v_eq(y, y) ? one : r;
  r = v_from_bits<V>(v_bits(r) ^ (odd & v_bits(x) & v_sign_bit<V>()));
  r = v_lt(x, zero) & v_gt(x, v_k<V>(-__builtin_inf())) & ~whole ? nan : r;
  return v_eq(x, one) | v_eq(y, zero) ? one : r;
}
#if TT_HAS_FMA
/** log((1 + s) / (1 - s)) = 2 s + s^3 p(s^2). */
TT_INLINE VecF v_atanh_rest(VecF z) {
  return v_poly(z, 0.6666666269302368, 0.40000852942466736, 0.28509896993637085, 0.24034105241298676);
}
TT_INLINE VecD v_atanh_rest(VecD z) {
  return v_poly(z, 0.6666666666666666, 0.4000000000000315, 0.2857142857043722, 0.22222222379612366,
                0.18181804033100388, 0.15385363859216436, 0.13310503268581492, 0.12123339774024078,
                0.08723078057173254);
}
/** exp(y log a), the logarithm and the product in two parts each. */
template <class V>
TT_INLINE V v_pow_magnitude(V a, V y) {
  using Format = FloatFormat<V>;
  const V one = v_k<V>(1);
  V e;
  const V f = v_split_any(a, e), m = f + one, u = m + one, u_low = m - (u - one);
  const V s = f / u, s_low = (v_fma(-s, u, f) - s * u_low) / u, z = s * s;
  const V big = e * v_k<V>(Format::ln2_high), two_s = s + s, sum = big + two_s;
  const V tail = v_fma(s * z, v_atanh_rest(z), s_low + s_low);
  const V rest = (two_s - (sum - big)) + v_fma(e, v_k<V>(Format::ln2_low), tail);
  const V log_high = v_log_special(a, sum + rest), log_low = rest - (log_high - sum);
  const V product = y * log_high, t = v_limit(product, Format::smallest_exp, Format::largest_exp);
  V t_low = v_fma(y, log_high, -product) + y * log_low;
  t_low = v_eq(t, product) ? t_low : v_k<V>(0);
  Mask<V> n;
  const V r = v_reduce_exp(t, n) + t_low;
  return v_scale(one + (r + v_exp_rest(r)), n);
}
TT_NOINLINE VecF v_pow(VecF x, VecF y) { return v_pow_special(x, y, v_pow_magnitude(v_abs_float(x), y)); }
TT_NOINLINE VecD v_pow(VecD x, VecD y) { return v_pow_special(x, y, v_pow_magnitude(v_abs_float(x), y)); }
#else
TT_NOINLINE VecD v_pow(VecD x, VecD y) { return v_map<std::pow>(x, y); }
TT_INLINE VecD v_pow_single(VecD x, VecD y) { return v_pow_special(x, y, v_exp(y * v_log(v_abs_float(x)))); }
/** In double precision, whose logarithm has bits enough. */
TT_NOINLINE VecF v_pow(VecF x, VecF y) {
  return v_join_halves(v_pow_single(v_low_half(x), v_low_half(y)), v_pow_single(v_high_half(x), v_high_half(y)));
}
#endif

}  // namespace KERNEL_NS
}  // namespace tt
