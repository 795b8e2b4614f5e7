// Products whose operands both lie contiguous along k, with few rows or columns: blocks of dot products,
// vectors along k, nothing packed. Also the inner product of two vectors.
#pragma once

#include "gemm_core.h"

namespace tt {
inline namespace KERNEL_NS {

constexpr int kDotRows = kVectorRegisters == 32 ? 4 : 2;
constexpr int kDotCols = 4;

/** Lane i of the result is the sum of the lanes of r[i]. */
template <class T>
TT_INLINE Vec<T> sum_lanes(Vec<T> (&r)[lanes<T>]) {
  transpose<T>(r);
  TT_UNROLL
  for (int half = lanes<T> / 2; half > 0; half /= 2) {
    TT_UNROLL
    for (int i = 0; i < half; i++) r[i] += r[i + half];
  }
  return r[0];
}

template <class T>
struct LaneInt;
template <>
struct LaneInt<float> {
  using type = int32_t;
};
template <>
struct LaneInt<double> {
  using type = int64_t;
};

/** All bits set in the last n lanes. */
template <class T>
TT_INLINE Vec<typename LaneInt<T>::type> last_lanes(i64 n) {
  using Int = typename LaneInt<T>::type;
  Vec<Int> index;
  TT_UNROLL
  for (int i = 0; i < lanes<T>; i++) index[i] = i;
  return index >= broadcast<Int>(static_cast<Int>(lanes<T> - n));
}

template <class T>
TT_INLINE Vec<T> keep(Vec<T> v, Vec<typename LaneInt<T>::type> mask) {
  using Bits = Vec<typename LaneInt<T>::type>;
  return bit_cast<Vec<T>>(bit_cast<Bits>(v) & mask);
}

/** out[i * C + j] = dot(a[i], b[j]) over k >= lanes elements. */
template <class T, int R, int C>
void dot_tile(const T* const (&a)[R], const T* const (&b)[C], i64 k, T* out) {
  constexpr int L = lanes<T>;
  constexpr int Sums = (R * C + L - 1) / L * L;
  Vec<T> acc[Sums];
  TT_UNROLL
  for (int i = 0; i < Sums; i++) acc[i] = Vec<T>{};
  i64 p = 0;
  for (; p + L <= k; p += L) {
    Vec<T> bv[C];
    TT_UNROLL
    for (int j = 0; j < C; j++) bv[j] = load(b[j] + p);
    TT_UNROLL
    for (int i = 0; i < R; i++) {
      const Vec<T> av = load(a[i] + p);
      TT_UNROLL
      for (int j = 0; j < C; j++) acc[i * C + j] = multiply_add(av, bv[j], acc[i * C + j]);
    }
  }
  if (p < k) {
    // The last elements again with the ones before them, which are masked out of both operands.
    const auto mask = last_lanes<T>(k - p);
    const i64 q = k - L;
    Vec<T> bv[C];
    TT_UNROLL
    for (int j = 0; j < C; j++) bv[j] = keep<T>(load(b[j] + q), mask);
    TT_UNROLL
    for (int i = 0; i < R; i++) {
      const Vec<T> av = keep<T>(load(a[i] + q), mask);
      TT_UNROLL
      for (int j = 0; j < C; j++) acc[i * C + j] = multiply_add(av, bv[j], acc[i * C + j]);
    }
  }
  TT_UNROLL
  for (int s = 0; s < Sums; s += L) {
    Vec<T> group[L];
    TT_UNROLL
    for (int i = 0; i < L; i++) group[i] = acc[s + i];
    store(out + s, sum_lanes<T>(group));
  }
}

template <class T, int R, int C>
void dot_tile_at(const Product<T, T>& x, const Epilogue<T>& e, i64 i0, i64 j0) {
  constexpr int L = lanes<T>;
  const T* a[R];
  const T* b[C];
  // Rows past the end repeat the last one and are not stored.
  TT_UNROLL
  for (int i = 0; i < R; i++) a[i] = x.a + min_of(i0 + i, x.m - 1) * x.a_row;
  TT_UNROLL
  for (int j = 0; j < C; j++) b[j] = x.b + min_of(j0 + j, x.n - 1) * x.b_col;
  alignas(64) T out[(R * C + L - 1) / L * L];
  dot_tile<T, R, C>(a, b, x.k, out);
  const i64 rows = min_of(R, x.m - i0), cols = min_of(C, x.n - j0);
  for (i64 i = 0; i < rows; i++) {
    T* c = x.c + (i0 + i) * x.c_row + j0 * x.c_col;
    for (i64 j = 0; j < cols; j++) {
      T v = e.alpha * out[i * C + j];
      if (e.row_bias != nullptr) v += e.row_bias[i0 + i];
      if (e.bias != nullptr) v += e.bias[j0 + j];
      if (e.beta != T(0)) v += e.beta * c[j * x.c_col];
      c[j * x.c_col] = v;
    }
  }
}

/** Whether both operands are contiguous along k and one side is too narrow for packing to pay. */
template <class T, class S>
TT_INLINE bool dot_pays(const Product<S, S>& x) {
  if constexpr (!same_type<T, S> || !is_real<T>) return false;
  const i64 narrow_side = min_of(x.m, x.n);
  return x.a_col == 1 && x.b_row == 1 && x.k >= lanes<T> && narrow_side <= 2 * Tile<T>::rows;
}

template <class T>
void gemm_dot(const Product<T, T>& x, const Epilogue<T>& e) {
  if (x.m == 1) {
    for (i64 j = 0; j < x.n; j += 8) dot_tile_at<T, 1, 8>(x, e, 0, j);
  } else if (x.n == 1) {
    for (i64 i = 0; i < x.m; i += 8) dot_tile_at<T, 8, 1>(x, e, i, 0);
  } else {
    i64 i = 0;
    for (; i + 1 < x.m; i += kDotRows) {
      for (i64 j = 0; j < x.n; j += kDotCols) dot_tile_at<T, kDotRows, kDotCols>(x, e, i, j);
    }
    for (; i < x.m; i++) {
      for (i64 j = 0; j < x.n; j += kDotCols) dot_tile_at<T, 1, kDotCols>(x, e, i, j);
    }
  }
}

constexpr i64 kDotChunk = 4096;

/** One chunk (at most kDotChunk elements), converted and gathered where it must be. */
template <class T, class S>
T dot_chunk(const S* x, i64 x_stride, const S* y, i64 y_stride, i64 n) {
  constexpr i64 kStage = 256;
  if constexpr (same_type<T, S>) {
    if (x_stride == 1 && y_stride == 1) return dot_contiguous<T>(x, y, n);
  }
  alignas(64) T xs[kStage], ys[kStage];
  T sum = T(0);
  for (i64 p = 0; p < n; p += kStage) {
    const i64 count = min_of(kStage, n - p);
    for (i64 i = 0; i < count; i++) xs[i] = widened<T>(x[(p + i) * x_stride]);
    for (i64 i = 0; i < count; i++) ys[i] = widened<T>(y[(p + i) * y_stride]);
    sum += dot_contiguous<T>(xs, ys, count);
  }
  return sum;
}

/** Inner product of any length: sums of fixed chunks, so that the result depends on no thread count. */
template <class T, class S>
T inner_product(const S* x, i64 x_stride, const S* y, i64 y_stride, i64 n) {
  const i64 chunks = ceil_div(n, kDotChunk);
  if (chunks <= 1) return dot_chunk<T, S>(x, x_stride, y, y_stride, n);
  T* sums = gemm_scratch<T>(kSums, chunks);
  parallel_for(chunks, 16, [&](i64 begin, i64 end) {
    for (i64 c = begin; c < end; c++) {
      const i64 p = c * kDotChunk;
      sums[c] = dot_chunk<T, S>(x + p * x_stride, x_stride, y + p * y_stride, y_stride, min_of(kDotChunk, n - p));
    }
  });
  for (i64 count = chunks; count > 1; count = (count + 1) / 2) {
    for (i64 i = 0; i + (count + 1) / 2 < count; i++) sums[i] += sums[i + (count + 1) / 2];
  }
  return sums[0];
}

}  // namespace KERNEL_NS
}  // namespace tt
