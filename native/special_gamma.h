// The gamma family in double, lane by lane: lgamma, digamma, polygamma, Hurwitz zeta, regularised incomplete gamma.
// Special values follow torch.special on CPU.
#pragma once

#include "vmath_exp.h"

namespace tt {
inline namespace KERNEL_NS {



inline double s_lgamma(double x) { return std::lgamma(x); }

/** Logarithmic derivative of gamma: reflection, upward recurrence to 10, Stirling's series. */
inline double s_digamma(double x) {
  if (x == 0) return std::copysign(__builtin_inf(), -x);
  double shift = 0;
  if (x < 0) {
    if (x == std::trunc(x)) return __builtin_nan("");
    const double fraction = x - std::trunc(x);  // tan has period pi; the remainder keeps its argument small
    shift = -kPi / std::tan(kPi * fraction);
    x = 1 - x;
  }
  if (x == __builtin_inf()) return x;
  double sum = 0;
  while (x < 10) {
    sum -= 1 / x;
    x += 1;
  }
  const double z = 1 / (x * x);
  double tail = 0;
  constexpr double stirling[] = {1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12};
  for (double c : stirling) tail = (tail + c) * z;
  return std::log(x) - 0.5 / x - tail + sum + shift;
}

/** Hurwitz zeta, the sum of (q + k)^-x: nine or more terms, then Euler-Maclaurin. */
inline double s_zeta(double x, double q) {
  // (2k)! / B(2k)
  constexpr double divisors[] = {12.0,
                                 -720.0,
                                 30240.0,
                                 -1209600.0,
                                 47900160.0,
                                 -1.8924375803183791606e9,
                                 7.47242496e10,
                                 -2.950130727918164224e12,
                                 1.1646782814350067249e14,
                                 -4.5979787224074726105e15,
                                 1.8152105401943546773e17,
                                 -7.1661652561756670113e18};
  constexpr double eps = 1.11022302462515654042e-16;
  if (x == 1) return __builtin_inf();
  if (x < 1) return __builtin_nan("");
  if (q <= 0) {
    if (q == std::floor(q)) return __builtin_inf();
    if (x != std::floor(x)) return __builtin_nan("");
  }
  double sum = std::pow(q, -x), a = q, term = 0;
  for (int i = 0; i < 9 || a <= 9; i++) {
    a += 1;
    term = std::pow(a, -x);
    sum += term;
    if (-eps * sum < term && term < eps * sum) return sum;
  }
  const double last = a;
  sum += term * last / (x - 1) - 0.5 * term;
  double rising = 1, k = 0;
  for (double divisor : divisors) {
    rising *= x + k;
    term /= last;
    const double t = rising * term / divisor;
    sum += t;
    if (std::fabs(t / sum) < eps) return sum;
    k += 1;
    rising *= x + k;
    term /= last;
    k += 1;
  }
  return sum;
}

inline double s_trigamma(double x) {
  double sign = 1, sum = 0;
  if (x < 0.5) {
    const double s = std::sin(kPi * x);
    sum = -kPi * kPi / (s * s);
    sign = -1;
    x = 1 - x;
  }
  while (x < 12) {
    sum += 1 / (x * x);
    x += 1;
  }
  const double z = 1 / (x * x);
  double tail = 0;
  constexpr double bernoulli[] = {-691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6};
  for (double c : bernoulli) tail = (tail + c) * z;
  sum += (1 + 0.5 / x + tail) / x;
  return sign * sum;
}
/** The n-th derivative of digamma, n >= 0. */
inline double s_polygamma(double n, double x) {
  if (n == 0) return s_digamma(x);
  if (n == 1) return s_trigamma(x);
  const double factorial = std::tgamma(n + 1);
  return (std::fmod(n, 2) != 0 ? factorial : -factorial) * s_zeta(n + 1, x);
}

/** log(1 + x) - x without cancellation near 0. */
inline double s_log1pmx(double x) {
  if (std::fabs(x) > 0.4) return std::log1p(x) - x;
  // log(1 + x) = 2 atanh(s), s = x / (2 + x); x = 2 s / (1 - s)
  const double s = x / (2 + x), z = s * s;
  double sum = 0, power = s * z;
  for (int k = 3; k < 80; k += 2) {
    const double t = power / k;
    sum += t;
    if (std::fabs(t) < 1e-18 * std::fabs(sum)) break;
    power *= z;
  }
  return 2 * sum - s * x;
}
/** x^a e^-x / gamma(a + 1), for a > 0 and x > 0. */
inline double s_gamma_prefix(double a, double x) {
  if (a < 8) {
    const double direct = std::pow(x, a) * std::exp(-x) / std::tgamma(a + 1);
    if (direct > 1e-290 && direct < 1e290) return direct;
    return std::exp(a * std::log(x) - x - std::lgamma(a + 1));
  }
  // Stirling: gamma(a + 1) = sqrt(2 pi a) (a / e)^a exp(correction)
  const double z = 1 / (a * a);
  double tail = 0;
  constexpr double stirling[] = {1.0 / 156, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360};
  for (double c : stirling) tail = (tail + c) * z;
  const double correction = (tail + 1.0 / 12) / a;
  const double exponent = x < 0.5 * a ? a * std::log(x / a) + (a - x) : a * s_log1pmx((x - a) / a);
  return std::exp(exponent - correction) / std::sqrt(2 * kPi * a);
}
/** Temme's uniform expansion for large a and x near a: the upper function Q(a, x); its complement when lower. */
inline double s_igamma_uniform(double a, double x, bool lower) {
  const double mu = (x - a) / a;
  const double half_eta2 = -s_log1pmx(mu);
  const double eta = std::copysign(std::sqrt(2 * half_eta2), mu);
  // Coefficients of eta^k in c0 and c1 (Temme 1979): rational numbers.
  constexpr double c0[] = {-1.0 / 3, 1.0 / 12, -2.0 / 135, 1.0 / 864, 1.0 / 2835, -139.0 / 777600, 1.0 / 25515};
  constexpr double c1[] = {-1.0 / 540, -1.0 / 288, 1.0 / 378, -77.0 / 77760};
  double s0 = 0, s1 = 0;
  for (int k = 6; k >= 0; k--) s0 = s0 * eta + c0[k];
  for (int k = 3; k >= 0; k--) s1 = s1 * eta + c1[k];
  const double rest = std::exp(-a * half_eta2) / std::sqrt(2 * kPi * a) * (s0 + s1 / a);
  const double z = eta * std::sqrt(a / 2);
  return lower ? 0.5 * std::erfc(-z) - rest : 0.5 * std::erfc(z) + rest;
}
/** P(a, x) by its power series. */
inline double s_igamma_series(double a, double x) {
  double term = 1, sum = 1, n = a;
  for (int i = 0; i < 20000; i++) {
    n += 1;
    term *= x / n;
    sum += term;
    if (term <= 1e-17 * sum) break;
  }
  return sum * s_gamma_prefix(a, x);
}
/** Q(a, x) by its continued fraction (modified Lentz). */
inline double s_igammac_fraction(double a, double x) {
  constexpr double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
  for (int i = 1; i < 20000; i++) {
    const double an = -i * (i - a);
    b += 2;
    d = an * d + b;
    if (std::fabs(d) < tiny) d = tiny;
    c = b + an / c;
    if (std::fabs(c) < tiny) c = tiny;
    d = 1 / d;
    const double delta = d * c;
    h *= delta;
    if (std::fabs(delta - 1) < 2e-16) break;
  }
  return h * a * s_gamma_prefix(a, x);
}
/** Q(a, x) for small x, where 1 - P cancels: 1 - x^a / gamma(a + 1) + the rest of the series. */
inline double s_igammac_small(double a, double x) {
  double term = 1, sum = 0;
  for (int n = 1; n < 2000; n++) {
    term *= -x / n;
    const double t = term / (a + n);
    sum += t;
    if (std::fabs(t) <= 1e-17 * std::fabs(sum)) break;
  }
  const double log_x = std::log(x);
  return -std::expm1(a * log_x - std::lgamma(1 + a)) - std::exp(a * log_x - std::lgamma(a)) * sum;
}
inline bool s_igamma_near(double a, double x) {
  return a > 5e5 && std::fabs(x - a) < 30 * std::sqrt(a);
}
/** Regularised lower incomplete gamma function P(a, x). */
inline double s_igamma(double a, double x) {
  if (x < 0 || a < 0) return __builtin_nan("");
  if (a == 0) return x > 0 ? 1 : __builtin_nan("");
  if (x == 0) return 0;
  if (std::isinf(a)) return std::isinf(x) ? __builtin_nan("") : 0;
  if (std::isinf(x)) return 1;
  if (a != a || x != x) return __builtin_nan("");
  if (s_igamma_near(a, x)) return s_igamma_uniform(a, x, true);
  if (x <= 1 || x <= a) return s_igamma_series(a, x);
  return 1 - s_igammac_fraction(a, x);
}
/** Regularised upper incomplete gamma function Q(a, x). */
inline double s_igammac(double a, double x) {
  if (x < 0 || a < 0) return __builtin_nan("");
  if (a == 0) return x > 0 ? 0 : __builtin_nan("");
  if (x == 0) return 1;
  if (std::isinf(a)) return std::isinf(x) ? __builtin_nan("") : 1;
  if (std::isinf(x)) return 0;
  if (a != a || x != x) return __builtin_nan("");
  if (s_igamma_near(a, x)) return s_igamma_uniform(a, x, false);
  if (x > 1.1) return x < a ? 1 - s_igamma_series(a, x) : s_igammac_fraction(a, x);
  const bool small = x <= 0.5 ? -0.4 / std::log(x) >= a : x * 1.1 >= a;
  return small ? s_igammac_small(a, x) : 1 - s_igamma_series(a, x);
}

/** log(gamma(x)) for x >= 0, to about 1e-15 absolute: Stirling's series beyond 8, eight steps of the recurrence below. */
TT_INLINE VecD v_lgamma_positive(VecD x) {
  const VecD one = v_k<VecD>(1), two = v_k<VecD>(2);
  const VecL small = v_lt(x, v_k<VecD>(8));
  VecD product = one, t = small ? x : one;
  for (int k = 0; k < 4; k++) {
    product = product * (t * (t + one));
    t = t + two;
  }
  const VecD y = small ? x + v_k<VecD>(8) : x, inverse = one / y, z = inverse * inverse;
  const VecD tail = inverse * v_poly(z, 1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360,
                                     1.0 / 156);
  // (log(2 pi) - 1) / 2
  const VecD r = (y - v_k<VecD>(0.5)) * (v_log(y) - one) + (v_k<VecD>(0.41893853320467274178) + tail);
  return small ? r - v_log(product) : r;
}
/** Single precision needs no more than that absolute error, even at the zeros 1 and 2; negative lanes go one by one. */
TT_NOINLINE VecF v_lgamma(VecF x) {
  if (v_any(v_lt(x, v_k<VecF>(0)))) return v_map<s_lgamma>(x);
  const VecF r = v_join_halves(v_lgamma_positive(v_low_half(x)), v_lgamma_positive(v_high_half(x)));
  return v_eq(x, v_k<VecF>(1)) | v_eq(x, v_k<VecF>(2)) ? v_k<VecF>(0) : r;
}
TT_NOINLINE VecD v_lgamma(VecD x) { return v_map<s_lgamma>(x); }
TT_MAP1(digamma, s_digamma)
TT_MAP2(zeta, s_zeta)
TT_MAP2(polygamma, s_polygamma)
TT_MAP2(igamma, s_igamma)
TT_MAP2(igammac, s_igammac)

}  // namespace KERNEL_NS
}  // namespace tt
