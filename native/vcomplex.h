// The scalar primitives over complex numbers, one at a time: v_<name> as in vmath.h. Special values follow C99's Annex G
// where PyTorch does; products are plain (an infinity times a zero part is NaN) and quotients are Smith's, as PyTorch's.
// The inverse functions follow W. Kahan, "Branch cuts for complex elementary functions" (1987).
#pragma once

#include <cmath>

#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {

struct c128 {
  double re, im;
};

/** One truth value: what comparing c128 gives. */
struct cmask {
  bool on;
};

#define TT_COMPLEX inline __attribute__((noinline)) c128

TT_INLINE cmask operator==(c128 a, c128 b) { return {a.re == b.re && a.im == b.im}; }
TT_INLINE cmask v_eq(c128 a, c128 b) { return a == b; }
TT_INLINE cmask v_ne(c128 a, c128 b) { return {!(a == b).on}; }
// Order is that of the real parts: for magnitudes, and conditions on real parts in derivatives.
TT_INLINE cmask v_lt(c128 a, c128 b) { return {a.re < b.re}; }
TT_INLINE cmask v_le(c128 a, c128 b) { return {a.re <= b.re}; }
TT_INLINE cmask v_gt(c128 a, c128 b) { return {a.re > b.re}; }
TT_INLINE cmask v_ge(c128 a, c128 b) { return {a.re >= b.re}; }
TT_INLINE cmask v_mand(cmask a, cmask b) { return {a.on && b.on}; }
TT_INLINE cmask v_mor(cmask a, cmask b) { return {a.on || b.on}; }
TT_INLINE cmask v_mxor(cmask a, cmask b) { return {a.on != b.on}; }
TT_INLINE cmask v_mnot(cmask a) { return {!a.on}; }
TT_INLINE c128 v_select(cmask m, c128 a, c128 b) { return m.on ? a : b; }
TT_INLINE cmask v_isnan(c128 z) { return {z.re != z.re || z.im != z.im}; }
TT_INLINE cmask v_isinf(c128 z) { return {__builtin_isinf(z.re) || __builtin_isinf(z.im)}; }
TT_INLINE cmask v_isfinite(c128 z) { return {__builtin_isfinite(z.re) && __builtin_isfinite(z.im)}; }

// ---- arithmetic

TT_INLINE c128 v_add(c128 a, c128 b) { return {a.re + b.re, a.im + b.im}; }
TT_INLINE c128 v_sub(c128 a, c128 b) { return {a.re - b.re, a.im - b.im}; }
TT_INLINE c128 v_mul(c128 a, c128 b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
TT_INLINE c128 v_neg(c128 a) { return {-a.re, -a.im}; }
TT_INLINE c128 v_conj(c128 a) { return {a.re, -a.im}; }
TT_INLINE c128 v_fma(c128 a, c128 b, c128 c) { return v_add(v_mul(a, b), c); }

/** Smith's quotient: no overflow of intermediate squares. Choices instead of branches, which could not be foreseen. */
TT_INLINE c128 v_div(c128 a, c128 b) {
  const double x = std::fabs(b.re), y = std::fabs(b.im);
  const bool wide = x >= y;
  const double large = wide ? b.re : b.im, small = wide ? b.im : b.re, u = wide ? a.re : a.im, v = wide ? a.im : a.re;
  const double ratio = small / large, scale = 1 / (large + small * ratio);
  const c128 r{(u + v * ratio) * scale, (wide ? v - u * ratio : u * ratio - v) * scale};
  if (x == 0 && y == 0) return {a.re / x, a.im / y};
  return r;
}
TT_INLINE c128 v_reciprocal(c128 a) { return v_div({1, 0}, a); }

/** The magnitude, as a complex number; the primitive of `abs`. */
TT_COMPLEX v_abs(c128 a) { return {std::hypot(a.re, a.im), 0}; }
/** a / |a|, and 0 for 0. */
TT_COMPLEX v_sign(c128 a) {
  const double r = std::hypot(a.re, a.im);
  return r == 0 ? c128{0, 0} : c128{a.re / r, a.im / r};
}

// ---- roots, logarithms, exponentials

TT_COMPLEX v_sqrt(c128 z) {
  const double x = z.re, y = z.im;
  if (x == 0 && y == 0) return {0, y};
  if (std::isinf(y)) return {__builtin_inf(), y};
  if (std::isnan(x)) return {x, x};
  if (std::isinf(x)) return x > 0 ? c128{x, std::isnan(y) ? y : std::copysign(0.0, y)} : c128{std::isnan(y) ? y : 0.0, std::copysign(-x, y)};
  const double size = std::fmax(std::fabs(x), std::fabs(y));
  const double scale = size > 0x1p1020 ? 0x1p-4 : size < 0x1p-960 ? 0x1p100 : 1.0, back = size > 0x1p1020 ? 4.0 : size < 0x1p-960 ? 0x1p-50 : 1.0;
  const double a = std::fabs(x) * scale, b = y * scale;
  const double t = std::sqrt((a + std::hypot(a, b)) / 2), u = b / (2 * t);
  return x >= 0 ? c128{t * back, u * back} : c128{std::fabs(u) * back, std::copysign(t * back, y)};
}
TT_INLINE c128 v_rsqrt(c128 z) { return v_reciprocal(v_sqrt(z)); }

/** x^2 + y^2 + rest with the rounding errors of the squares. */
TT_INLINE double squares_plus(double x, double y, double rest) {
  const double a = x * x, b = y * y;
  return ((a + rest) + b) + (__builtin_fma(x, x, -a) + __builtin_fma(y, y, -b));
}
/** The logarithm of the magnitude, exact near 1 too. */
TT_INLINE double log_abs(double x, double y) {
  const double a = std::fabs(x), b = std::fabs(y), big = a > b ? a : b, small = a > b ? b : a;
  if (big > 0.5 && big < 1.5 && small < 1.5) {
    const double square = squares_plus(big, small, -1);
    if (square > -0.5 && square < 3) return 0.5 * std::log1p(square);
  }
  if (big < 0x1p-1000) return std::log(std::hypot(x * 0x1p100, y * 0x1p100)) - 69.31471805599453;  // log(2^100)
  if (big > 0x1p1022 && !std::isinf(big)) return std::log(std::hypot(x / 4, y / 4)) + 1.3862943611198906;  // log(4)
  return std::log(std::hypot(x, y));
}
TT_COMPLEX v_log(c128 z) { return {log_abs(z.re, z.im), std::atan2(z.im, z.re)}; }
TT_INLINE c128 v_log2(c128 z) {
  const c128 r = v_log(z);
  return {r.re * 1.4426950408889634, r.im * 1.4426950408889634};  // 1 / log(2)
}
TT_INLINE c128 v_log10(c128 z) {
  const c128 r = v_log(z);
  return {r.re * 0.4342944819032518, r.im * 0.4342944819032518};  // 1 / log(10)
}
TT_COMPLEX v_log1p(c128 z) {
  const double size = std::fmax(std::fabs(z.re), std::fabs(z.im));
  if (!(size < 0.5)) return v_log({1 + z.re, z.im});
  return {0.5 * std::log1p(squares_plus(z.re, z.im, 2 * z.re)), std::atan2(z.im, 1 + z.re)};
}

/** e^x (cos y + i sin y), also where e^x alone overflows. */
TT_INLINE c128 from_polar_exp(double x, double y) {
  const double c = std::cos(y), s = std::sin(y);
  if (x > 709) {
    const double root = std::exp(x / 2);
    return {root * c * root, root * s * root};
  }
  const double r = std::exp(x);
  return {r * c, r * s};
}
TT_COMPLEX v_exp(c128 z) {
  if (z.im == 0) return {std::exp(z.re), z.im};
  if (!std::isfinite(z.im)) {
    if (z.re == -__builtin_inf()) return {0, std::isnan(z.im) ? 0 : std::copysign(0.0, z.im)};
    const double nan = z.im - z.im;
    return {z.re == __builtin_inf() ? z.re : nan, nan};
  }
  return from_polar_exp(z.re, z.im);
}
TT_INLINE c128 v_exp2(c128 z) { return v_exp({z.re * 0.6931471805599453, z.im * 0.6931471805599453}); }  // log(2)
TT_COMPLEX v_expm1(c128 z) {
  if (z.im == 0) return {std::expm1(z.re), z.im};
  const c128 whole = v_exp(z);
  if (!std::isfinite(z.re) || std::fabs(z.re) > 40) return {whole.re - 1, whole.im};
  const double half = std::sin(z.im / 2);
  return {std::expm1(z.re) * std::cos(z.im) - 2 * half * half, whole.im};
}
/** exp(y log x). */
TT_COMPLEX v_pow(c128 x, c128 y) { return v_exp(v_mul(y, v_log(x))); }

// ---- hyperbolic functions; the trigonometric ones are theirs of i z

TT_COMPLEX v_sinh(c128 z) {
  const double x = z.re, y = z.im;
  if (y == 0) return {std::sinh(x), y};
  if (!std::isfinite(y) && (x == 0 || std::isinf(x))) return {x, y - y};
  if (x == 0) return {x * std::cos(y), std::sin(y)};
  if (std::fabs(x) > 709) {
    const c128 e = from_polar_exp(std::fabs(x) - 0.6931471805599453, y);  // half of it: log(2) less
    return {std::copysign(1.0, x) * e.re, e.im};
  }
  return {std::sinh(x) * std::cos(y), std::cosh(x) * std::sin(y)};
}
TT_COMPLEX v_cosh(c128 z) {
  const double x = z.re, y = z.im;
  if (y == 0) return {std::cosh(x), std::isnan(x) ? y : std::copysign(1.0, x) * y};
  if (!std::isfinite(y) && x == 0) return {y - y, x};
  if (!std::isfinite(y) && std::isinf(x)) return {std::fabs(x), y - y};
  if (std::fabs(x) > 709) {
    const c128 e = from_polar_exp(std::fabs(x) - 0.6931471805599453, y);
    return {e.re, std::copysign(1.0, x) * e.im};
  }
  return {std::cosh(x) * std::cos(y), std::sinh(x) * std::sin(y)};
}
TT_COMPLEX v_tanh(c128 z) {
  const double x = z.re, y = z.im;
  if (std::isinf(x)) return {std::copysign(1.0, x), std::isfinite(y) ? std::copysign(0.0, std::sin(2 * y)) : std::copysign(0.0, y)};
  if (std::isnan(x)) return {x, y == 0 ? y : x};
  if (!std::isfinite(y)) return {x == 0 ? x : y - y, y - y};
  if (std::fabs(x) > 22) return {std::copysign(1.0, x), 4 * std::sin(y) * std::cos(y) * std::exp(-2 * std::fabs(x))};
  const double t = std::tan(y), beta = 1 + t * t, s = std::sinh(x), down = 1 + beta * s * s;
  return {beta * std::sqrt(1 + s * s) * s / down, t / down};
}

/** f(i z) / i for an odd f. */
template <c128 (*F)(c128)>
TT_INLINE c128 turned(c128 z) {
  const c128 r = F({-z.im, z.re});
  return {r.im, -r.re};
}
TT_INLINE c128 v_sin(c128 z) { return turned<v_sinh>(z); }
TT_INLINE c128 v_cos(c128 z) { return v_cosh({-z.im, z.re}); }
TT_INLINE c128 v_tan(c128 z) { return turned<v_tanh>(z); }

// ---- inverse functions

TT_COMPLEX v_acos(c128 z) {
  const double x = z.re, y = z.im;
  if (std::isnan(x) || std::isnan(y)) {
    if (std::isinf(x)) return {y, std::copysign(x, -1.0)};
    if (std::isinf(y)) return {x, -y};
    return {x == 0 ? 1.5707963267948966 : x + y, x + y};
  }
  if (std::isinf(x) || std::isinf(y)) return {std::atan2(std::fabs(y), x), std::copysign(__builtin_inf(), -y)};
  const c128 a = v_sqrt({1 - x, -y}), b = v_sqrt({1 + x, y});
  return {2 * std::atan2(a.re, b.re), std::asinh(b.re * a.im - b.im * a.re)};
}
TT_COMPLEX v_asin(c128 z) {
  const double x = z.re, y = z.im;
  if (std::isnan(x) || std::isnan(y)) {
    if (std::isinf(y)) return {x, y};
    if (std::isinf(x)) return {y, std::fabs(x)};
    return {x == 0 ? x : x + y, x + y};
  }
  if (std::isinf(x) || std::isinf(y)) return {std::atan2(x, std::fabs(y)), std::copysign(__builtin_inf(), y)};
  const c128 a = v_sqrt({1 - x, -y}), b = v_sqrt({1 + x, y});
  return {std::atan2(x, a.re * b.re - a.im * b.im), std::asinh(a.re * b.im - a.im * b.re)};
}
TT_COMPLEX v_acosh(c128 z) {
  const c128 r = v_acos(z);  // acosh is +-i acos, with a real part that is not negative
  return std::signbit(z.im) ? c128{std::fabs(r.im), -r.re} : c128{std::fabs(r.im), r.re};
}
TT_COMPLEX v_atanh(c128 z) {
  const double x = z.re, y = z.im, half_pi = 1.5707963267948966;
  if (std::isinf(y)) return {std::copysign(0.0, x), std::copysign(half_pi, y)};
  if (std::isinf(x)) return {std::copysign(0.0, x), std::isnan(y) ? y : std::copysign(half_pi, y)};
  if (std::isnan(x) || std::isnan(y)) return {x == 0 ? x : x + y, x + y};
  const double a = std::fabs(x), b = std::fabs(y);
  if (a > 0x1p500 || b > 0x1p500) {  // close to 1/z and a quarter turn
    return {std::copysign(v_reciprocal(z).re, x), std::copysign(half_pi, y)};
  }
  const double gap = 1 - a, square = gap * gap + b * b;
  return {std::copysign(0.25 * std::log1p(4 * a / square), x), 0.5 * std::atan2(2 * y, gap * (1 + a) - b * b)};
}
TT_INLINE c128 v_asinh(c128 z) {
  const c128 r = v_asin({-z.im, z.re});
  return {r.im, -r.re};
}
TT_INLINE c128 v_atan(c128 z) { return turned<v_atanh>(z); }

/** 1 / (1 + e^-z). */
TT_INLINE c128 v_sigmoid(c128 z) { return v_reciprocal(v_add({1, 0}, v_exp(v_neg(z)))); }

#undef TT_COMPLEX

}  // namespace KERNEL_NS
}  // namespace tt
