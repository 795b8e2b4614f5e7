// Complex matrix multiplication: real and imaginary parts in planes of their own, so that the register
// tile needs no shuffles. The product is the plain formula (no recovery of infinities), as in BLAS.
#pragma once

#include "complex_scalar.h"
#include "gemm_dot.h"

namespace tt {
inline namespace KERNEL_NS {

template <class T>
struct ComplexPlanes {
  static constexpr i64 kSteps = 128;            // k-block
  static constexpr i64 kCols = 4 * lanes<T>;    // columns of B packed at a time
  T b_re[kSteps * kCols], b_im[kSteps * kCols];
};

/** Rows times one vector of columns: re and im accumulators of R rows. */
template <class T, int R>
void complex_tile(const Complex<T>* a, i64 a_row, i64 a_col, const T* b_re, const T* b_im, i64 b_row, i64 k,
                  Complex<T>* sums, i64 sums_row) {
  constexpr int L = lanes<T>;
  Vec<T> re[R], im[R];
  TT_UNROLL
  for (int i = 0; i < R; i++) re[i] = im[i] = Vec<T>{};
  for (i64 p = 0; p < k; p++, a += a_col) {
    const Vec<T> br = load(b_re + p * b_row), bi = load(b_im + p * b_row);
    TT_UNROLL
    for (int i = 0; i < R; i++) {
      const Complex<T> v = a[i * a_row];
      const Vec<T> ar = broadcast(v.re), ai = broadcast(v.im);
      re[i] += ar * br;
      re[i] -= ai * bi;
      im[i] += ar * bi;
      im[i] += ai * br;
    }
  }
  alignas(64) T tile[2 * L];
  for (int i = 0; i < R; i++) {
    store(tile, re[i]);
    store(tile + L, im[i]);
    for (int j = 0; j < L; j++) {
      sums[i * sums_row + j].re += tile[j];
      sums[i * sums_row + j].im += tile[L + j];
    }
  }
}

/** Rows [first, last) of one complex product; bias is indexed by its own stride. */
template <class T>
void gemm_complex_rows(const Product<Complex<T>, Complex<T>>& x, T alpha, T beta, const Complex<T>* bias,
                       i64 bias_stride, i64 first, i64 last) {
  using Planes = ComplexPlanes<T>;
  constexpr int L = lanes<T>;
  constexpr int R = kVectorRegisters == 32 ? 8 : 4;
  Planes* planes = gemm_scratch<Planes>(kPackedB, 1);
  const i64 rows = last - first;
  Complex<T>* sums = gemm_scratch<Complex<T>>(kSums, rows * Planes::kCols);
  for (i64 j0 = 0; j0 < x.n; j0 += Planes::kCols) {
    const i64 n = min_of(Planes::kCols, x.n - j0), width = ceil_div(n, L) * L;
    for (i64 s = 0; s < rows * Planes::kCols; s++) sums[s] = Complex<T>{T(0), T(0)};
    for (i64 p0 = 0; p0 < x.k; p0 += Planes::kSteps) {
      const i64 k = min_of(Planes::kSteps, x.k - p0);
      for (i64 p = 0; p < k; p++) {
        for (i64 j = 0; j < width; j++) {
          const Complex<T> v = j < n ? x.b[(p0 + p) * x.b_row + (j0 + j) * x.b_col] : Complex<T>{T(0), T(0)};
          planes->b_re[p * Planes::kCols + j] = v.re;
          planes->b_im[p * Planes::kCols + j] = v.im;
        }
      }
      for (i64 j = 0; j < width; j += L) {
        const T* b_re = planes->b_re + j;
        const T* b_im = planes->b_im + j;
        i64 i = 0;
        for (; i < rows;) {
          const Complex<T>* a = x.a + (first + i) * x.a_row + p0 * x.a_col;
          Complex<T>* to = sums + i * Planes::kCols + j;
          if (rows - i >= R) {
            complex_tile<T, R>(a, x.a_row, x.a_col, b_re, b_im, Planes::kCols, k, to, Planes::kCols);
            i += R;
          } else if (rows - i >= 4) {
            complex_tile<T, 4>(a, x.a_row, x.a_col, b_re, b_im, Planes::kCols, k, to, Planes::kCols);
            i += 4;
          } else {
            complex_tile<T, 1>(a, x.a_row, x.a_col, b_re, b_im, Planes::kCols, k, to, Planes::kCols);
            i += 1;
          }
        }
      }
    }
    for (i64 i = 0; i < rows; i++) {
      for (i64 j = 0; j < n; j++) {
        Complex<T>* c = x.c + (first + i) * x.c_row + (j0 + j) * x.c_col;
        Complex<T> v = sums[i * Planes::kCols + j];
        v.re *= alpha;
        v.im *= alpha;
        if (beta != T(0)) {
          v.re += beta * c->re;
          v.im += beta * c->im;
        }
        if (bias != nullptr) {
          v.re += bias[(j0 + j) * bias_stride].re;
          v.im += bias[(j0 + j) * bias_stride].im;
        }
        *c = v;
      }
    }
  }
}

/** Inner product without conjugation. */
template <class T>
void run_dot_complex(Complex<T>* out, const Complex<T>* x, i64 x_stride, const Complex<T>* y, i64 y_stride, i64 n) {
  constexpr int N = 8;  // independent sums, for latency and accuracy
  T re[N] = {}, im[N] = {};
  for (i64 p = 0; p < n; p++) {
    const Complex<T> a = x[p * x_stride], b = y[p * y_stride];
    re[p % N] += a.re * b.re - a.im * b.im;
    im[p % N] += a.re * b.im + a.im * b.re;
  }
  Complex<T> sum{T(0), T(0)};
  for (int i = 0; i < N; i++) {
    sum.re += re[i];
    sum.im += im[i];
  }
  *out = sum;
}

}  // namespace KERNEL_NS
}  // namespace tt
