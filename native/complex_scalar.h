// Complex numbers of one precision, as elements of matrices lie in memory: plain products, Smith's quotients.
#pragma once

#include <cmath>

#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {

template <class T>
struct Complex {
  T re, im;

  Complex() = default;
  constexpr Complex(T r, T i = T(0)) : re(r), im(i) {}
};

template <class T>
TT_INLINE Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
TT_INLINE Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
TT_INLINE Complex<T> operator-(Complex<T> a) {
  return {-a.re, -a.im};
}
template <class T>
TT_INLINE Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class T>
TT_INLINE Complex<T> operator*(Complex<T> a, T b) {
  return {a.re * b, a.im * b};
}
template <class T>
TT_INLINE Complex<T> operator*(T a, Complex<T> b) {
  return {a * b.re, a * b.im};
}
template <class T>
TT_INLINE Complex<T> operator/(Complex<T> a, T b) {
  return {a.re / b, a.im / b};
}
template <class T>
inline Complex<T> operator/(Complex<T> a, Complex<T> b) {
  const bool wide = std::fabs(b.re) >= std::fabs(b.im);
  const T large = wide ? b.re : b.im, small = wide ? b.im : b.re;
  if (large == T(0)) return {a.re / large, a.im / large};
  const T ratio = small / large, scale = T(1) / (large + small * ratio);
  const T u = wide ? a.re : a.im, v = wide ? a.im : a.re;
  return {(u + v * ratio) * scale, (wide ? v - u * ratio : u * ratio - v) * scale};
}
template <class T>
TT_INLINE bool operator==(Complex<T> a, Complex<T> b) {
  return a.re == b.re && a.im == b.im;
}
template <class T>
TT_INLINE bool operator!=(Complex<T> a, Complex<T> b) {
  return !(a == b);
}
template <class T>
TT_INLINE Complex<T>& operator+=(Complex<T>& a, Complex<T> b) {
  return a = a + b;
}
template <class T>
TT_INLINE Complex<T>& operator-=(Complex<T>& a, Complex<T> b) {
  return a = a - b;
}
template <class T, class B>
TT_INLINE Complex<T>& operator*=(Complex<T>& a, B b) {
  return a = a * b;
}
template <class T, class B>
TT_INLINE Complex<T>& operator/=(Complex<T>& a, B b) {
  return a = a / b;
}

/** The real type of a scalar type. */
template <class T>
struct RealOf {
  using type = T;
  static constexpr bool complex = false;
};
template <class T>
struct RealOf<Complex<T>> {
  using type = T;
  static constexpr bool complex = true;
};
template <class T>
using Real = typename RealOf<T>::type;
template <class T>
constexpr bool is_complex_scalar = RealOf<T>::complex;

// The same spelling for real and complex scalars.
TT_INLINE float conj_of(float x) { return x; }
TT_INLINE double conj_of(double x) { return x; }
template <class T>
TT_INLINE Complex<T> conj_of(Complex<T> x) {
  return {x.re, -x.im};
}
TT_INLINE float real_of(float x) { return x; }
TT_INLINE double real_of(double x) { return x; }
template <class T>
TT_INLINE T real_of(Complex<T> x) {
  return x.re;
}
TT_INLINE float imag_of(float) { return 0; }
TT_INLINE double imag_of(double) { return 0; }
template <class T>
TT_INLINE T imag_of(Complex<T> x) {
  return x.im;
}
/** |x|, without overflow. */
TT_INLINE float abs_of(float x) { return __builtin_fabsf(x); }
TT_INLINE double abs_of(double x) { return __builtin_fabs(x); }
TT_INLINE float abs_of(Complex<float> x) {
  return static_cast<float>(__builtin_sqrt(static_cast<double>(x.re) * x.re + static_cast<double>(x.im) * x.im));
}
inline double abs_of(Complex<double> x) { return std::hypot(x.re, x.im); }
/** |re| + |im|: the magnitude by which LAPACK chooses pivots. */
TT_INLINE float abs1_of(float x) { return __builtin_fabsf(x); }
TT_INLINE double abs1_of(double x) { return __builtin_fabs(x); }
template <class T>
TT_INLINE T abs1_of(Complex<T> x) {
  return abs_of(x.re) + abs_of(x.im);
}
/** |x|^2. */
TT_INLINE float norm_of(float x) { return x * x; }
TT_INLINE double norm_of(double x) { return x * x; }
template <class T>
TT_INLINE T norm_of(Complex<T> x) {
  return x.re * x.re + x.im * x.im;
}

}  // namespace KERNEL_NS
}  // namespace tt
