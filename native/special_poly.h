// Orthogonal polynomials with torch.special's definitions and special cases: negative degrees give 0, high degrees of
// Chebyshev polynomials inside (-1, 1) use the trigonometric form. Scalars in double; degrees are truncated to integers.
#pragma once

#include "vmath_core.h"

namespace tt {
inline namespace KERNEL_NS {

inline int64_t s_degree(double n) {
  // A degree that no recurrence reaches in a sensible time (infinity above all) counts as none.
  return n > -1e8 && n < 1e8 ? static_cast<int64_t>(n) : -1;
}
/** p(0) = 1, p(1) = first, p(k) = factor * p(k - 1) - p(k - 2): the Chebyshev family. */
inline double s_chebyshev_recurrence(double first, double factor, int64_t n) {
  if (n == 0) return 1;
  double p = 1, q = first;
  for (int64_t k = 2; k <= n && q == q; k++) {
    const double r = factor * q - p;
    p = q;
    q = r;
  }
  return q;
}
inline double s_chebyshev_t(double x, int64_t n) {
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 || n % 2 == 0 ? 1 : -1;
  if (n > 6 && std::fabs(x) < 1) return std::cos(static_cast<double>(n) * std::acos(x));
  return s_chebyshev_recurrence(x, x + x, n);
}
inline double s_chebyshev_u(double x, int64_t n) {
  const double d = static_cast<double>(n);
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 || n % 2 == 0 ? d + 1 : -(d + 1);
  if (n > 8 && std::fabs(x) < 1) {
    const double t = std::acos(x), s = std::sin(t);
    return s != 0 ? std::sin((d + 1) * t) / s : (d + 1) * std::cos((d + 1) * t) / x;
  }
  return s_chebyshev_recurrence(x + x, x + x, n);
}
inline double s_chebyshev_v(double x, int64_t n) {
  const double d = static_cast<double>(n);
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 ? 1 : n % 2 == 0 ? d + d + 1 : -(d + d + 1);
  if (n > 8 && std::fabs(x) < 1) {
    const double t = std::acos(x);
    if (std::sin(t / 2) != 1) return std::cos((d + 0.5) * t) / std::cos(t / 2);
    return n % 2 == 0 ? d + d + 1 : -(d + d + 1);
  }
  return s_chebyshev_recurrence(x + x - 1, x + x, n);
}
inline double s_chebyshev_w(double x, int64_t n) {
  const double d = static_cast<double>(n);
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 ? d + d + 1 : n % 2 == 0 ? 1 : -1;
  if (n > 8 && std::fabs(x) < 1) {
    const double t = std::acos(x);
    if (std::cos(t / 2) != 1) return std::sin((d + 0.5) * t) / std::sin(t / 2);
    return x > 0 ? d + d + 1 : n % 2 == 0 ? 1 : -1;
  }
  return s_chebyshev_recurrence(x + x + 1, x + x, n);
}

inline double s_chebyshev_polynomial_t(double x, double n) { return s_chebyshev_t(x, s_degree(n)); }
inline double s_chebyshev_polynomial_u(double x, double n) { return s_chebyshev_u(x, s_degree(n)); }
inline double s_chebyshev_polynomial_v(double x, double n) { return s_chebyshev_v(x, s_degree(n)); }
inline double s_chebyshev_polynomial_w(double x, double n) { return s_chebyshev_w(x, s_degree(n)); }
// The shifted polynomials are those of 2x - 1.
inline double s_shifted_chebyshev_polynomial_t(double x, double n) { return s_chebyshev_t(x + x - 1, s_degree(n)); }
inline double s_shifted_chebyshev_polynomial_u(double x, double n) { return s_chebyshev_u(x + x - 1, s_degree(n)); }
inline double s_shifted_chebyshev_polynomial_v(double x, double n) { return s_chebyshev_v(x + x - 1, s_degree(n)); }
inline double s_shifted_chebyshev_polynomial_w(double x, double n) { return s_chebyshev_w(x + x - 1, s_degree(n)); }

/** Hermite polynomials stop at a degree (128 for float32, 512 for float64), beyond which torch gives NaN. */
template <int Limit>
double s_hermite_polynomial_h(double x, double degree) {
  const int64_t n = s_degree(degree);
  if (n < 0) return 0;
  if (n == 0) return 1;
  if (n == 1) return x + x;
  if (n > Limit) return __builtin_nan("");
  double p = 1, q = x + x;
  for (int64_t k = 2; k < n + n && q == q; k += 2) {
    const double r = (x + x) * q - static_cast<double>(k) * p;
    p = q;
    q = r;
  }
  return q;
}
template <int Limit>
double s_hermite_polynomial_he(double x, double degree) {
  const int64_t n = s_degree(degree);
  if (n < 0) return 0;
  if (n == 0) return 1;
  if (n == 1) return x;
  if (n > Limit) return __builtin_nan("");
  double p = 1, q = x;
  for (int64_t k = 1; k < n && q == q; k++) {
    const double r = x * q - static_cast<double>(k) * p;
    p = q;
    q = r;
  }
  return q;
}
inline double s_laguerre_polynomial_l(double x, double degree) {
  const int64_t n = s_degree(degree);
  if (n < 0) return 0;
  if (x == 0 || n == 0) return 1;
  double p = 1, q = 1 - x;
  for (int64_t k = 1; k < n && q == q; k++) {
    const double d = static_cast<double>(k), r = ((d + d + (1 - x)) * q - d * p) / (d + 1);
    p = q;
    q = r;
  }
  return q;
}
inline double s_legendre_polynomial_p(double x, double degree) {
  const int64_t n = s_degree(degree);
  if (n < 0) return 0;
  if (std::fabs(x) == 1) return x > 0 || n % 2 == 0 ? 1 : -1;
  if (n == 0) return 1;
  double p = 1, q = x;
  for (int64_t k = 1; k < n && q == q; k++) {
    const double d = static_cast<double>(k), r = ((d + d + 1) * x * q - d * p) / (d + 1);
    p = q;
    q = r;
  }
  return q;
}

TT_MAP2(chebyshev_polynomial_t, s_chebyshev_polynomial_t)
TT_MAP2(chebyshev_polynomial_u, s_chebyshev_polynomial_u)
TT_MAP2(chebyshev_polynomial_v, s_chebyshev_polynomial_v)
TT_MAP2(chebyshev_polynomial_w, s_chebyshev_polynomial_w)
TT_MAP2(shifted_chebyshev_polynomial_t, s_shifted_chebyshev_polynomial_t)
TT_MAP2(shifted_chebyshev_polynomial_u, s_shifted_chebyshev_polynomial_u)
TT_MAP2(shifted_chebyshev_polynomial_v, s_shifted_chebyshev_polynomial_v)
TT_MAP2(shifted_chebyshev_polynomial_w, s_shifted_chebyshev_polynomial_w)
TT_MAP2(laguerre_polynomial_l, s_laguerre_polynomial_l)
TT_MAP2(legendre_polynomial_p, s_legendre_polynomial_p)
TT_INLINE VecF v_hermite_polynomial_h(VecF x, VecF n) { return v_map<s_hermite_polynomial_h<128>>(x, n); }
TT_INLINE VecD v_hermite_polynomial_h(VecD x, VecD n) { return v_map<s_hermite_polynomial_h<512>>(x, n); }
TT_INLINE VecF v_hermite_polynomial_he(VecF x, VecF n) { return v_map<s_hermite_polynomial_he<128>>(x, n); }
TT_INLINE VecD v_hermite_polynomial_he(VecD x, VecD n) { return v_map<s_hermite_polynomial_he<512>>(x, n); }

}  // namespace KERNEL_NS
}  // namespace tt
