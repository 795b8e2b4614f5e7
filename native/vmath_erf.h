// The error function and its relatives.
#pragma once

#include "vmath_exp.h"

namespace tt {
inline namespace KERNEL_NS {

// erf(x) = -expm1(-x Q(x)) with Q(x) = -log(erfc(x)) / x, smooth and positive: one polynomial for the whole range, and
// expm1 loses nothing near 0. The leading coefficient is kept in two parts.
TT_INLINE VecF v_erf_exponent(VecF a) {
  const VecF q = v_poly(a, -5.404945113696158e-08, 0.6366193890571594, 0.10277776420116425, -0.01915283501148224,
                        -0.00016080743807833642, 0.0016674352809786797, -0.0006330544711090624, 0.000117698815301992,
                        -9.262120329367463e-06);
  return v_mad(a, v_k<VecF>(1.128379225730896), a * q);
}
TT_INLINE VecD v_erf_exponent(VecD a) {
  const VecD low = v_poly(a, -9.709662992651198e-18, 0.636619772367591, 0.10277260330131323, -0.019128446993052203,
                          -0.00020919485452292318, 0.0016962076754693108, -0.0005901324641650359, 2.5904639078517006e-05);
  const VecD middle = v_poly(a, 6.442007013454166e-05, -2.957482147515019e-05, 3.168335574793595e-06,
                             3.1345769417064442e-06, -2.0387031286094796e-06, 5.717458257233195e-07,
                             -1.2353049578960439e-08, -6.543877662130588e-08);
  const VecD high = v_poly(a, 3.447875118039674e-08, -1.0743489926047603e-08, 2.3540286458415707e-09,
                           -3.7500691183493493e-10, 4.289048509655833e-11, -3.3538700123113828e-12,
                           1.6095775675421217e-13, -3.579832126252218e-15);
  const VecD a2 = a * a, a4 = a2 * a2, a8 = a4 * a4, q = v_mad(v_mad(high, a8, middle), a8, low);
  return v_mad(a, v_k<VecD>(1.1283791670955126), a * q);
}
template <class V>
TT_INLINE V v_erf_float(V x) {
  constexpr double limit = sizeof(Lane<V>) == 4 ? 3.95 : 5.95;  // 1 from there on
  V a = v_abs_float(x);
  a = a > v_k<V>(limit) ? v_k<V>(limit) : a;
  return v_copysign(v_expm1_short(-v_erf_exponent(a)), x);
}
TT_INLINE VecF v_erf(VecF x) { return v_erf_float(x); }
TT_INLINE VecD v_erf(VecD x) { return v_erf_float(x); }

// The standard normal distribution function, in single precision to 2e-7 of 1: 1/2 + x P(x^2) / Q(x^2), a minimax fit on
// |x| <= 5.54, beyond which it is 0 or 1. Half the work of erf, for gelu.
TT_INLINE VecF v_cdf(VecF x) {
  const VecF limit = v_k<VecF>(5.54), zero = v_k<VecF>(0), one = v_k<VecF>(1);
  VecF a = x > limit ? limit : x;
  a = a < -limit ? -limit : a;
  const VecF z = a * a;
  const VecF p = v_poly(z, 0.39894227305785085, 0.0336581553569423, 0.004662288091868909, 0.00016640458743637942,
                        6.294915810988864e-06, 2.2651047845894072e-08);
  const VecF q = v_poly(z, 1.0, 0.2510348553459144, 0.02852653405691894, 0.0018710745472705268, 7.265370604949225e-05,
                        1.1903706885909205e-06);
  VecF r = v_mad(a, p / q, v_k<VecF>(0.5));
  r = x < -limit ? zero : r;
  return r > one ? one : r;
}
TT_INLINE VecD v_cdf(VecD x) {
  return v_k<VecD>(0.5) * (v_k<VecD>(1) + v_erf(x * v_k<VecD>(0.70710678118654752440)));
}

// ---- the complementary function: exp(-x^2) times a slowly varying factor, in double precision for both lane types

/** exp(a^2) erfc(a) for a >= 0: a polynomial in (a - 4) / (a + 4) over 1 + 2 a. */
TT_INLINE VecD v_erfcx_positive(VecD a) {
  const VecD four = v_k<VecD>(4), limited = v_limit(a, 0, 1e300), t = (limited - four) / (limited + four), z = t * t;
  const VecD low = v_poly(t, 1.2329951186255526, -0.13962111684055717, 0.01537965210260603, 0.06809705425421761,
                          -0.1010390660356675, 0.0937328350108416, -0.06633036582362581, 0.03716751538556614);
  const VecD middle = v_poly(t, -0.016197733953441724, 0.005031971007369835, -0.000757773843790152,
                             -0.0001992609719096442, 0.00015062351022153078, -2.4387748454312825e-05,
                             -1.1225898754123084e-05, 5.6894782936343746e-06);
  const VecD high = v_poly(t, 2.989969598526197e-07, -8.019689701601154e-07, 7.040239127244611e-08,
                           9.292924027886604e-08, -1.6048613903825268e-08, -6.98788173575306e-09, 1.5139182396082124e-09);
  const VecD z2 = z * z, z4 = z2 * z2;
  return v_k<VecD>(0.5) * v_mad(v_mad(high, z4, middle), z4, low) / (v_k<VecD>(0.5) + a);
}
/** x^2 = result + low. */
TT_INLINE VecD v_square(VecD x, VecD& low) {
  const VecD h = x * x;
#if TT_HAS_FMA
  low = v_fma(x, x, -h);
#else
  const VecD a = v_from_bits<VecD>(v_bits(x) & v_ik<VecD>(~int64_t(0x7ffffff))), b = x - a;
  low = ((a * a - h) + (a + a) * b) + b * b;
#endif
  return h;
}
/** exp(-x^2), for |x| below 1e4 (0 there). */
TT_INLINE VecD v_exp_minus_square(VecD x) {
  VecD low;
  const VecD h = v_square(v_limit(x, -40, 40), low), e = v_exp(-h);
  return v_mad(e, -low, e);
}
TT_NOINLINE VecD v_erfc(VecD x) {
  const VecD a = v_abs(x), r = v_exp_minus_square(a) * v_erfcx_positive(a);
  return x < v_k<VecD>(0) ? v_k<VecD>(2) - r : r;
}
TT_NOINLINE VecD v_erfcx(VecD x) {
  const VecD r = v_erfcx_positive(v_abs(x)), inf = v_k<VecD>(__builtin_inf());
  VecD low;
  const VecD h = v_square(v_limit(x, -27, 27), low), e = v_exp(h);
  const VecD far = v_mad(e + e, low, e + e) - r;
  return x < v_k<VecD>(0) ? (x < v_k<VecD>(-26.6287) ? inf : far) : r;
}
/** The logarithm of the standard normal distribution function. */
TT_NOINLINE VecD v_log_ndtr(VecD x) {
  const VecD half = v_k<VecD>(0.5), root = v_k<VecD>(0.70710678118654752440), a = v_abs(x) * root;
  const VecD r = half * v_erfcx_positive(a);
  // The sign is set on the bits: a negated product may come out as a positive zero.
  const VecD upper = v_copysign(v_exp_minus_square(a) * r, v_k<VecD>(-1));
  return x < v_k<VecD>(0) ? v_log(r) - half * x * x : v_log1p(upper);
}

/** Inverse of erf, p = |x|, q = 1 - p given exactly: an estimate in w = -log(1 - p^2), then a step of Halley's method. */
TT_INLINE VecD v_erfinv_positive(VecD p, VecD q) {
  const VecD one = v_k<VecD>(1), w = -v_log(q * (one + p)), s = v_sqrt(w);
  const VecD central = v_poly(w, 0.8862268328666687, 0.23201674222946167, 0.011531881988048553, -0.0022975376341491938,
                              -0.00016744871390983462, 6.877225678181276e-05, -4.5705787670158315e-06,
                              -2.245924832777746e-07, 2.841930246688662e-08);
  const VecD tail = v_poly(s, 2.8086882771537165, -4.302543284450018, 4.144096895920092, -1.8547259791160933,
                           0.5187792978903526, -0.09261094808165457, 0.010287067242475046, -0.0006494078577538421,
                           1.7827761034514294e-05);
  const VecD y = p * (w < v_k<VecD>(5) ? central : tail);
  const VecD e = v_exp_minus_square(y), upper = e * v_erfcx_positive(y);
  const VecD error = p < v_k<VecD>(0.5) ? p - v_erf(y) : upper - q;
  const VecD step = error / (v_k<VecD>(1.1283791670955125739) * e);
  return y + step / (one - y * step);
}
/** The estimate alone, good to 2^-26, for single precision. */
TT_INLINE VecD v_erfinv_estimate(VecD p) {
  const VecD one = v_k<VecD>(1), w = -v_log((one - p) * (one + p)), s = v_sqrt(w);
  const VecD central = v_poly(
      w, 0.8862269274676237, 0.23201355579074423, 0.011550336991469321, -0.0023385449762577705,
      -0.00012199622213964665, 4.048160230841398e-05, 5.838126460528622e-06, -2.4986151630129974e-06,
      3.099259125470403e-07, -1.7173793080167988e-08, 3.3604785351647065e-10);
  const VecD tail = v_poly(
      s, -4.01803117300393, 16.329234969451353, -23.671857282383662, 20.183046789913963,
      -10.847962903478173, 3.897256962541749, -0.9553872024728189, 0.1585599706213571,
      -0.017102510524531333, 0.00108482501470984, -3.077301554003423e-05);
  return p * (w < v_k<VecD>(5) ? central : tail);
}
TT_INLINE VecD v_erfinv_signed(VecD x, VecD a, VecD y) {
  const VecD one = v_k<VecD>(1);
  const VecD edge = v_eq(a, one) ? v_k<VecD>(__builtin_inf()) : v_k<VecD>(__builtin_nan(""));
  return v_copysign(a < one ? y : edge, x);
}
TT_NOINLINE VecD v_erfinv(VecD x) {
  const VecD a = v_abs(x);
  return v_erfinv_signed(x, a, v_erfinv_positive(a, v_k<VecD>(1) - a));
}
TT_NOINLINE VecF v_erfinv(VecF x) {
  const VecD low = v_low_half(x), high = v_high_half(x), a = v_abs(low), b = v_abs(high);
  return v_join_halves(v_erfinv_signed(low, a, v_erfinv_estimate(a)), v_erfinv_signed(high, b, v_erfinv_estimate(b)));
}
/** Inverse of the standard normal distribution function: an estimate in 1 / sqrt(-2 log p), then a step of Halley's
    method on the logarithm; by the inverse of erf in the middle, where the logarithm loses its relative precision. */
TT_NOINLINE VecD v_ndtri(VecD p) {
  const VecD zero = v_k<VecD>(0), one = v_k<VecD>(1), half = v_k<VecD>(0.5), sqrt2 = v_k<VecD>(1.41421356237309504880);
  const VecD q = p < half ? p : one - p, log_q = v_log(q), s = v_sqrt(v_k<VecD>(-2) * log_q);
  VecD y = s * v_poly(one / s, 1.0002832830387007, -0.03899615344610374, -3.7848537725375513, 12.559796391076716,
                      -47.59231360467795, 139.15672501727414, -277.88522715433015, 352.34708887505013,
                      -254.43520485264656, 79.47089726289816);
  const VecD scaled = v_erfcx_positive(y / sqrt2), hazard = v_k<VecD>(0.79788456080286535588) / scaled;
  const VecD error = v_log(half * scaled) - half * y * y - log_q, step = error / hazard;
  y = y + step / (one + half * (hazard - y) * step);
  const VecD outer = p < half ? -y : y, m = p + p - one, inner = sqrt2 * v_erfinv_signed(m, v_abs(m), v_erfinv_positive(v_abs(m), one - v_abs(m)));
  const VecD r = v_gt(p, v_k<VecD>(0.25)) & v_lt(p, v_k<VecD>(0.75)) ? inner : outer;
  const VecD inf = v_k<VecD>(__builtin_inf()), edge = v_eq(p, zero) ? -inf : v_eq(p, one) ? inf : v_k<VecD>(__builtin_nan(""));
  return v_gt(p, zero) & v_lt(p, one) ? r : edge;
}
#define TT_BY_HALVES(NAME) \
  TT_NOINLINE VecF v_##NAME(VecF x) { return v_join_halves(v_##NAME(v_low_half(x)), v_##NAME(v_high_half(x))); }
TT_BY_HALVES(erfc)
TT_BY_HALVES(erfcx)
TT_BY_HALVES(ndtri)
TT_BY_HALVES(log_ndtr)
#undef TT_BY_HALVES

}  // namespace KERNEL_NS
}  // namespace tt
