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

/** exp(x^2) erfc(x), by Laplace's continued fraction beyond 2 and directly below. */
inline double s_erfcx(double x) {
  if (x < -26.7) return __builtin_inf();
  const double square = x * x, low = __builtin_fma(x, x, -square);
  if (x < 2) return std::exp(square) * std::erfc(x) * std::exp(low);
  const int terms = x < 4 ? 120 : 50;
  double t = x;
  for (int k = terms; k > 0; k--) t = x + 0.5 * k / t;
  return 0.56418958354775628695 / t;
}
inline double s_log_ndtr(double x) {
  constexpr double rsqrt2 = 0.70710678118654752440;
  if (x < -1) return std::log(s_erfcx(-x * rsqrt2) / 2) - x * x / 2;
  return std::log1p(-std::erfc(x * rsqrt2) / 2);
}

/** Inverse of erf: Winitzki's estimate (relative error 2e-3), then two steps of Halley's method. */
inline double s_erfinv(double x) {
  const double a = std::fabs(x);
  if (!(a < 1)) return a == 1 ? std::copysign(__builtin_inf(), x) : __builtin_nan("");
  if (a < 1e-8) return x * 0.88622692545275801365;
  const double l = std::log1p(-a * a), t = 2 / (kPi * 0.147) + l / 2;
  double y = std::sqrt(std::sqrt(t * t - l / 0.147) - t);
  for (int i = 0; i < 2; i++) {
    const double error = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const double step = error / (1.1283791670955125739 * std::exp(-y * y));
    y -= step / (1 + y * step);
  }
  return std::copysign(y, x);
}
/** Inverse of the standard normal distribution function. */
inline double s_ndtri(double p) {
  constexpr double sqrt2 = 1.41421356237309504880;
  if (!(p > 0 && p < 1)) return p == 0 ? -__builtin_inf() : p == 1 ? __builtin_inf() : __builtin_nan("");
  if (p > 0.25 && p < 0.75) return sqrt2 * s_erfinv(2 * p - 1);
  const double q = p < 0.5 ? p : 1 - p;
  // Newton's method on log(ndtr) from the estimate of Abramowitz & Stegun 26.2.23.
  const double log_q = std::log(q), t = std::sqrt(-2 * log_q);
  double y = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int i = 0; i < 3; i++) {
    const double scaled = s_erfcx(y / sqrt2);
    const double error = std::log(scaled / 2) - y * y / 2 - log_q;
    y += error * scaled / 0.79788456080286535588;
  }
  return p < 0.5 ? -y : y;
}

TT_MAP1(erfc, std::erfc)
TT_MAP1(erfcx, s_erfcx)
TT_MAP1(erfinv, s_erfinv)
TT_MAP1(ndtri, s_ndtri)
TT_MAP1(log_ndtr, s_log_ndtr)

}  // namespace KERNEL_NS
}  // namespace tt
