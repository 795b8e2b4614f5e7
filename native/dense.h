// Dense linear algebra, the bottom: real and complex scalars with one set of operators, vector operations on
// contiguous columns, matrix times vector, and scratch memory. Matrices here are column-major: element (i, j) of `a` is
// a[i + j * lda].
#pragma once

#include <cmath>

#include "gemm.h"
#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {
namespace dense {

// ---- scalars -----------------------------------------------------------------------------------------

/** A complex number. */
template <class R>
struct Cx {
  R re, im;
};

template <class T>
struct Traits {
  using Real = T;
  static constexpr bool is_complex = false;
  static constexpr int parts = 1;
};
template <class R>
struct Traits<Cx<R>> {
  using Real = R;
  static constexpr bool is_complex = true;
  static constexpr int parts = 2;
};
template <class T>
using RealOf = typename Traits<T>::Real;

template <class T>
constexpr DType dtype_of = DType::F64;
template <>
inline constexpr DType dtype_of<float> = DType::F32;
template <>
inline constexpr DType dtype_of<Cx<float>> = DType::C64;
template <>
inline constexpr DType dtype_of<Cx<double>> = DType::C128;

template <class R>
struct Limits;
template <>
struct Limits<float> {
  static constexpr float eps = 0x1p-24f;        // the largest relative rounding error
  static constexpr float tiny = 0x1p-126f;      // the smallest normal number
};
template <>
struct Limits<double> {
  static constexpr double eps = 0x1p-53;
  static constexpr double tiny = 0x1p-1022;
};

template <class R>
TT_INLINE Cx<R> operator+(Cx<R> a, Cx<R> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class R>
TT_INLINE Cx<R> operator-(Cx<R> a, Cx<R> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class R>
TT_INLINE Cx<R> operator-(Cx<R> a) {
  return {-a.re, -a.im};
}
template <class R>
TT_INLINE Cx<R> operator*(Cx<R> a, Cx<R> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
template <class R>
TT_INLINE Cx<R> operator*(R a, Cx<R> b) {
  return {a * b.re, a * b.im};
}
/** Smith's quotient, which avoids overflow of the squares. */
template <class R>
TT_INLINE Cx<R> operator/(Cx<R> a, Cx<R> b) {
  if (std::fabs(b.re) >= std::fabs(b.im)) {
    const R ratio = b.im / b.re, scale = b.re + b.im * ratio;
    return {(a.re + a.im * ratio) / scale, (a.im - a.re * ratio) / scale};
  }
  const R ratio = b.re / b.im, scale = b.re * ratio + b.im;
  return {(a.re * ratio + a.im) / scale, (a.im * ratio - a.re) / scale};
}
template <class R>
TT_INLINE Cx<R>& operator+=(Cx<R>& a, Cx<R> b) {
  return a = a + b;
}
template <class R>
TT_INLINE Cx<R>& operator-=(Cx<R>& a, Cx<R> b) {
  return a = a - b;
}

TT_INLINE float conj(float x) { return x; }
TT_INLINE double conj(double x) { return x; }
template <class R>
TT_INLINE Cx<R> conj(Cx<R> x) {
  return {x.re, -x.im};
}
TT_INLINE float real(float x) { return x; }
TT_INLINE double real(double x) { return x; }
template <class R>
TT_INLINE R real(Cx<R> x) {
  return x.re;
}
TT_INLINE float imag(float) { return 0; }
TT_INLINE double imag(double) { return 0; }
template <class R>
TT_INLINE R imag(Cx<R> x) {
  return x.im;
}
/** |re| + |im|: as good as the magnitude where only its order counts. */
template <class T>
TT_INLINE RealOf<T> size1(T x) {
  return std::fabs(real(x)) + std::fabs(imag(x));
}
template <class R>
inline R hypot2(R a, R b) {
  const R x = std::fabs(a), y = std::fabs(b), big = x > y ? x : y, small = x > y ? y : x;
  if (!(big > R(0)) || std::isinf(big)) return big + small;
  const R r = small / big;
  return big * std::sqrt(R(1) + r * r);
}
template <class T>
TT_INLINE RealOf<T> magnitude(T x) {
  if constexpr (Traits<T>::is_complex) {
    return hypot2(x.re, x.im);
  } else {
    return std::fabs(x);
  }
}
template <class T>
TT_INLINE T from_real(RealOf<T> x) {
  if constexpr (Traits<T>::is_complex) {
    return T{x, 0};
  } else {
    return x;
  }
}
template <class R>
TT_INLINE R with_sign(R size, R sign) {
  return std::copysign(size, sign);
}

TT_INLINE i64 min_of(i64 a, i64 b) { return a < b ? a : b; }
TT_INLINE i64 max_of(i64 a, i64 b) { return a > b ? a : b; }

/** Matrices of a batch worth a thread of their own. */
TT_INLINE i64 batch_grain(i64 flops) { return flops > 32 * 1024 ? 1 : 32 * 1024 / (flops + 1) + 1; }

// ---- scratch memory ------------------------------------------------------------------------------------

/** Pieces of one scratch buffer, taken in order. */
class Work {
 public:
  explicit Work(size_t nbytes, int slot = 4) : at_(static_cast<char*>(tt_scratch(slot, nbytes))), end_(at_ + nbytes) {}
  template <class T>
  T* take(i64 n) {
    char* p = at_;
    at_ += bytes<T>(n);
    if (at_ > end_) __builtin_trap();  // a size formula is wrong
    return reinterpret_cast<T*>(p);
  }
  template <class T>
  static constexpr size_t bytes(i64 n) {
    return (static_cast<size_t>(n < 1 ? 1 : n) * sizeof(T) + 63) & ~size_t(63);
  }

 private:
  char* at_;
  char* end_;
};

/** A loop over lanes that the vectoriser takes as a whole. */
#if defined(__clang__)
#define TT_EACH_LANE(R) for (int i = 0; i < lanes<R>; i++)
#else
#define TT_EACH_LANE(R) _Pragma("GCC unroll 1") for (int i = 0; i < lanes<R>; i++)
#endif

// ---- vectors -------------------------------------------------------------------------------------------

template <class R>
TT_INLINE Vec<R> mul_add(Vec<R> a, Vec<R> b, Vec<R> c) {
#if defined(__FMA__) || defined(__aarch64__)
  Vec<R> r;
  TT_EACH_LANE(R) {
    if constexpr (sizeof(R) == 4) {
      r[i] = __builtin_fmaf(a[i], b[i], c[i]);
    } else {
      r[i] = __builtin_fma(a[i], b[i], c[i]);
    }
  }
  return r;
#else
  return a * b + c;
#endif
}

template <class R>
TT_INLINE R sum_lanes(Vec<R> v) {
  R s = v[0];
  for (int i = 1; i < lanes<R>; i++) s += v[i];
  return s;
}

/** The neighbours in each pair of lanes exchanged: real and imaginary parts. */
template <class R>
TT_INLINE Vec<R> swap_pairs(Vec<R> v) {
  if constexpr (lanes<R> == 2) {
    return __builtin_shufflevector(v, v, 1, 0);
  } else if constexpr (lanes<R> == 4) {
    return __builtin_shufflevector(v, v, 1, 0, 3, 2);
  } else if constexpr (lanes<R> == 8) {
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
  } else {
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  }
}
/** -x, x, -x, x, ... */
template <class R>
TT_INLINE Vec<R> alternating(R x) {
  Vec<R> r{};
  TT_EACH_LANE(R) r[i] = i % 2 == 0 ? -x : x;
  return r;
}

/** sums[c] = the sum over i of conj(x[i]) * a[i + c * lda], for N columns. */
template <class T, int N>
TT_INLINE void dots(i64 n, const T* x, const T* a, i64 lda, T* sums) {
  using R = RealOf<T>;
  constexpr int L = lanes<R>;
  const R* xr = reinterpret_cast<const R*>(x);
  const i64 count = n * Traits<T>::parts;
  Vec<R> straight[N] = {}, crossed[N] = {};
  i64 i = 0;
  for (; i + L <= count; i += L) {
    const Vec<R> v = load(xr + i);
    for (int c = 0; c < N; c++) {
      const Vec<R> w = load(reinterpret_cast<const R*>(a + c * lda) + i);
      straight[c] = mul_add<R>(v, w, straight[c]);
      if constexpr (Traits<T>::is_complex) crossed[c] = mul_add<R>(v, swap_pairs<R>(w), crossed[c]);
    }
  }
  if (i < count) {
    const Vec<R> v = load_part(xr + i, count - i);
    for (int c = 0; c < N; c++) {
      const Vec<R> w = load_part(reinterpret_cast<const R*>(a + c * lda) + i, count - i);
      straight[c] = mul_add<R>(v, w, straight[c]);
      if constexpr (Traits<T>::is_complex) crossed[c] = mul_add<R>(v, swap_pairs<R>(w), crossed[c]);
    }
  }
  for (int c = 0; c < N; c++) {
    if constexpr (Traits<T>::is_complex) {
      R im = 0;
      for (int l = 0; l < L; l += 2) im += crossed[c][l] - crossed[c][l + 1];
      sums[c] = T{sum_lanes<R>(straight[c]), im};
    } else {
      sums[c] = sum_lanes<R>(straight[c]);
    }
  }
}

/** The sum over i of conj(x[i]) * y[i]. */
template <class T>
inline T dot(i64 n, const T* x, const T* y) {
  T sum;
  dots<T, 1>(n, x, y, 0, &sum);
  return sum;
}

/** y += the sum over c of alpha[c] * a[:, c], for N columns. */
template <class T, int N>
TT_INLINE void add_columns(i64 n, const T* alpha, const T* a, i64 lda, T* y) {
  using R = RealOf<T>;
  constexpr int L = lanes<R>;
  R* yr = reinterpret_cast<R*>(y);
  const i64 count = n * Traits<T>::parts;
  Vec<R> straight[N], crossed[N];
  for (int c = 0; c < N; c++) {
    straight[c] = broadcast(real(alpha[c]));
    if constexpr (Traits<T>::is_complex) crossed[c] = alternating(imag(alpha[c]));
  }
  const auto step = [&](Vec<R> sum, int c, Vec<R> v) {
    sum = mul_add<R>(straight[c], v, sum);
    if constexpr (Traits<T>::is_complex) sum = mul_add<R>(crossed[c], swap_pairs<R>(v), sum);
    return sum;
  };
  i64 i = 0;
  for (; i + L <= count; i += L) {
    Vec<R> sum = load(yr + i);
    for (int c = 0; c < N; c++) sum = step(sum, c, load(reinterpret_cast<const R*>(a + c * lda) + i));
    store(yr + i, sum);
  }
  if (i < count) {
    Vec<R> sum = load_part(yr + i, count - i);
    for (int c = 0; c < N; c++) sum = step(sum, c, load_part(reinterpret_cast<const R*>(a + c * lda) + i, count - i));
    store_part(yr + i, sum, count - i);
  }
}

/** y += alpha * x. */
template <class T>
inline void axpy(i64 n, T alpha, const T* x, T* y) {
  add_columns<T, 1>(n, &alpha, x, 0, y);
}

/** x *= alpha. */
template <class T, class S>
inline void scale(i64 n, S alpha, T* x) {
  for (i64 i = 0; i < n; i++) x[i] = alpha * x[i];
}

template <class T>
inline void copy(i64 n, const T* from, T* to) {
  memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
}
template <class T>
inline void clear(i64 n, T* x) {
  memset(static_cast<void*>(x), 0, static_cast<size_t>(n) * sizeof(T));
}

/** The largest |re| or |im|; NaN if any is. */
template <class T>
inline RealOf<T> largest(i64 n, const T* x) {
  using R = RealOf<T>;
  R big = 0;
  for (i64 i = 0; i < n; i++) {
    const R a = std::fabs(real(x[i])), b = std::fabs(imag(x[i])), c = a > b ? a : b;
    if (a != a || b != b) return a + b;
    if (c > big) big = c;
  }
  return big;
}

/** The Euclidean norm, without overflow or underflow of the squares. */
template <class T>
inline RealOf<T> norm2(i64 n, const T* x) {
  using R = RealOf<T>;
  const R square = real(dot(n, x, x));
  if (square > Limits<R>::tiny / Limits<R>::eps && square < R(1) / Limits<R>::tiny) return std::sqrt(square);
  const R big = largest(n, x);
  if (!(big > R(0)) || std::isinf(big)) return big;
  R sum = 0;
  for (i64 i = 0; i < n; i++) {
    const R a = real(x[i]) / big, b = imag(x[i]) / big;
    sum += a * a + b * b;
  }
  return big * std::sqrt(sum);
}

/** The factor that brings elements of at most `size` to where their squares neither overflow nor vanish. */
template <class R>
inline R safe_scale(R size) {
  const R low = std::sqrt(Limits<R>::tiny / Limits<R>::eps), high = R(1) / low;
  return size > R(0) && size < low ? low / size : size > high ? high / size : R(1);
}

// ---- matrix times vector -------------------------------------------------------------------------------

constexpr i64 kVectorGrain = 96 * 1024;  // elements of a matrix worth a thread of their own

/** y[j] = the sum over i of conj(a[i, j]) * x[i]: A^H x of an m by n matrix. */
template <class T>
inline void multiply_adjoint(i64 m, i64 n, const T* a, i64 lda, const T* x, T* y) {
  parallel_for(n, m > 0 ? (kVectorGrain / m + 4) : n, [&](i64 begin, i64 end) {
    i64 j = begin;
    T sums[4];
    for (; j + 4 <= end; j += 4) {
      dots<T, 4>(m, x, a + j * lda, lda, sums);
      for (int c = 0; c < 4; c++) y[j + c] = conj(sums[c]);
    }
    for (; j < end; j++) y[j] = conj(dot(m, x, a + j * lda));
  });
}

/** y += alpha * A x, of an m by n matrix. */
template <class T>
inline void multiply_add(i64 m, i64 n, T alpha, const T* a, i64 lda, const T* x, T* y) {
  parallel_for(m, n > 0 ? (kVectorGrain / n + 64) : m, [&](i64 begin, i64 end) {
    i64 j = 0;
    T factors[4];
    for (; j + 4 <= n; j += 4) {
      for (int c = 0; c < 4; c++) factors[c] = alpha * x[j + c];
      add_columns<T, 4>(end - begin, factors, a + begin + j * lda, lda, y + begin);
    }
    for (; j < n; j++) axpy(end - begin, alpha * x[j], a + begin + j * lda, y + begin);
  });
}

// ---- matrix times matrix -------------------------------------------------------------------------------

/** A matrix with any strides, for products. */
template <class T>
struct Strided {
  const T* p;
  i64 row, col;
};
template <class T>
TT_INLINE Strided<T> plain(const T* p, i64 ld) {
  return {p, 1, ld};
}
template <class T>
TT_INLINE Strided<T> transposed(const T* p, i64 ld) {
  return {p, ld, 1};
}

template <class T>
inline void describe(TensorArg& t, const T* p, i64 rows, i64 cols, i64 row, i64 col) {
  t.data = reinterpret_cast<char*>(const_cast<T*>(p));
  t.dtype = dtype_of<T>;
  t.ndim = 3;
  t.shape[0] = 1;
  t.shape[1] = rows;
  t.shape[2] = cols;
  t.strides[0] = 0;
  t.strides[1] = row;
  t.strides[2] = col;
}

/** C [m, n] = alpha * A [m, k] @ B [k, n] + beta * C, C column-major. */
template <class T>
inline void multiply(i64 m, i64 n, i64 k, double alpha, Strided<T> a, Strided<T> b, double beta, T* c, i64 ldc) {
  if (m == 0 || n == 0 || (k == 0 && beta == 1)) return;
  TensorArg tc, ta, tb;
  describe(tc, c, m, n, 1, ldc);
  describe(ta, a.p, m, k, a.row, a.col);
  describe(tb, b.p, k, n, b.row, b.col);
  gemm_into(tc, ta, tb, alpha, beta);
}

/** Calls f.operator()<T>() with the scalar type of a dtype. */
template <class F>
void by_scalar(DType t, const F& f) {
  if (t == DType::F32) f.template operator()<float>();
  if (t == DType::F64) f.template operator()<double>();
  if (t == DType::C64) f.template operator()<Cx<float>>();
  if (t == DType::C128) f.template operator()<Cx<double>>();
}

/** The kernel's result: 1 + the place of the first element of info that is not 0, or 0. */
inline void report_failure(double* args, const TensorArg& info) {
  i64 failed = 0;
  while (failed < info.shape[0] && info.as<int32_t>()[failed] == 0) failed++;
  args[0] = failed < info.shape[0] ? static_cast<double>(failed + 1) : 0;
}

/** A leading dimension of at least n whose columns do not fall on the same few cache sets. */
template <class T>
constexpr i64 padded(i64 n) {
  const i64 line = 64 / static_cast<i64>(sizeof(T));
  const i64 lines = (n + line - 1) / line;
  return n < 32 ? n : (lines % 2 == 0 ? lines + 1 : lines) * line;
}

}  // namespace dense
}  // namespace KERNEL_NS
}  // namespace tt
