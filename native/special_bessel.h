// Bessel and Airy functions in double, lane by lane: Chebyshev series of their smooth parts. Special values follow
// torch.special on CPU, which gives NaN at infinity for most of them.
#pragma once

#include "special_gamma.h"
#include "special_tables.h"

namespace tt {
inline namespace KERNEL_NS {

/** Sum of a Chebyshev series at t by Clenshaw's recurrence. */
template <int N>
inline double s_chebyshev_series(const double (&c)[N], double t) {
  double b0 = 0, b1 = 0;
  for (int k = N - 1; k > 0; k--) {
    const double b2 = b1;
    b1 = b0;
    b0 = 2 * t * b1 - b2 + c[k];
  }
  return t * b0 - b1 + c[0];
}

inline double s_i0e(double x) {
  x = std::fabs(x);
  if (x <= 8) return s_chebyshev_series(kI0Small, x / 4 - 1);
  return s_chebyshev_series(kI0Large, 16 / x - 1) / std::sqrt(x);
}
inline double s_i1e(double x) {
  const double a = std::fabs(x);
  const double r = a <= 8 ? s_chebyshev_series(kI1Small, a / 4 - 1) * a
                          : s_chebyshev_series(kI1Large, 16 / a - 1) / std::sqrt(a);
  return x < 0 ? -r : r;
}
inline double s_i0(double x) { return std::exp(std::fabs(x)) * s_i0e(x); }
inline double s_i1(double x) { return std::exp(std::fabs(x)) * s_i1e(x); }

/** K0 and K1 below 2, without the exponential scale. */
inline double s_k0_small(double x) {
  if (x <= 0) return x == 0 ? __builtin_inf() : __builtin_nan("");
  return s_chebyshev_series(kK0Small, x * x / 2 - 1) - std::log(x / 2) * s_i0(x);
}
inline double s_k1_small(double x) {
  if (x <= 0) return x == 0 ? __builtin_inf() : __builtin_nan("");
  return s_chebyshev_series(kK1Small, x * x / 2 - 1) / x + std::log(x / 2) * s_i1(x);
}
inline double s_k0(double x) {
  if (x <= 2) return s_k0_small(x);
  return std::exp(-x) * s_chebyshev_series(kK0Large, 4 / x - 1) / std::sqrt(x);
}
inline double s_k1(double x) {
  if (x <= 2) return s_k1_small(x);
  return std::exp(-x) * s_chebyshev_series(kK1Large, 4 / x - 1) / std::sqrt(x);
}
inline double s_scaled_k0(double x) {
  if (x <= 2) return s_k0_small(x) * std::exp(x);
  return s_chebyshev_series(kK0Large, 4 / x - 1) / std::sqrt(x);
}
inline double s_scaled_k1(double x) {
  if (x <= 2) return s_k1_small(x) * std::exp(x);
  return s_chebyshev_series(kK1Large, 4 / x - 1) / std::sqrt(x);
}

inline double s_bessel_j0(double x) { return std::isinf(x) ? __builtin_nan("") : ::j0(x); }
inline double s_bessel_j1(double x) { return std::isinf(x) ? __builtin_nan("") : ::j1(x); }
inline double s_bessel_y0(double x) {
  if (!(x > 0) || std::isinf(x)) return x == 0 ? -__builtin_inf() : __builtin_nan("");
  return ::y0(x);
}
inline double s_bessel_y1(double x) {
  if (!(x > 0) || std::isinf(x)) return x == 0 ? -__builtin_inf() : __builtin_nan("");
  return ::y1(x);
}

inline double s_spherical_bessel_j0(double x) {
  if (std::isinf(x)) return 0;
  return std::fabs(x) < 1e-8 ? 1 : std::sin(x) / x;
}

/** The Airy function Ai: its power series in [-3, 1], asymptotic forms with Chebyshev series outside. */
inline double s_airy_ai(double x) {
  if (std::isinf(x)) return __builtin_nan("");
  if (x > 103.892) return 0;
  const double a = std::fabs(x);
  if (x > 1) {
    const double z = 2 * a * std::sqrt(a) / 3;
    return std::exp(-z) * s_chebyshev_series(kAiryLarge, 4 / (3 * z) - 1) / std::sqrt(std::sqrt(a));
  }
  if (x < -3) {
    const double z = 2 * a * std::sqrt(a) / 3, phase = z + kPi / 4, t = 24 / (z * z) - 1;
    const double f = s_chebyshev_series(kAiryF, t), g = s_chebyshev_series(kAiryG, t) / z;
    return (std::sin(phase) * f - std::cos(phase) * g) / std::sqrt(kPi * std::sqrt(a));
  }
  // Ai(x) = Ai(0) f + Ai'(0) g, two series in x^3.
  const double cube = x * x * x;
  double f = 1, g = x, tf = 1, tg = x;
  for (int k = 0; k < 30; k++) {
    const double n = 3 * k;
    tf *= cube / ((n + 2) * (n + 3));
    tg *= cube / ((n + 3) * (n + 4));
    f += tf;
    g += tg;
  }
  return 0.355028053887817239260063186 * f - 0.258819403792806798405183560 * g;
}

TT_MAP1(i0, s_i0)
TT_MAP1(i0e, s_i0e)
TT_MAP1(i1, s_i1)
TT_MAP1(i1e, s_i1e)
TT_MAP1(modified_bessel_i0, s_i0)
TT_MAP1(modified_bessel_i1, s_i1)
TT_MAP1(modified_bessel_k0, s_k0)
TT_MAP1(modified_bessel_k1, s_k1)
TT_MAP1(scaled_modified_bessel_k0, s_scaled_k0)
TT_MAP1(scaled_modified_bessel_k1, s_scaled_k1)
TT_MAP1(bessel_j0, s_bessel_j0)
TT_MAP1(bessel_j1, s_bessel_j1)
TT_MAP1(bessel_y0, s_bessel_y0)
TT_MAP1(bessel_y1, s_bessel_y1)
TT_MAP1(spherical_bessel_j0, s_spherical_bessel_j0)
TT_MAP1(airy_ai, s_airy_ai)

}  // namespace KERNEL_NS
}  // namespace tt
