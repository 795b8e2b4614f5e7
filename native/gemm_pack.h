// Packing for matrix multiplication: a panel of `width` rows of A (or columns of B) becomes
// to[p * width + i], so that the register tile reads it in order. Transposes, arbitrary strides and
// conversions of the element type happen here.
#pragma once

#include <utility>

#include "gemm_micro.h"

namespace tt {
inline namespace KERNEL_NS {

/** Elements that packing may write past the end of a panel. */
template <class T>
constexpr i64 kPackSlack = 2 * lanes<T>;

template <int Bit, bool High, class V, int... I>
TT_INLINE V swap_bit(V a, V b, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  if constexpr (High) {
    return __builtin_shufflevector(a, b, ((I & Bit) ? L + I : I + Bit)...);
  } else {
    return __builtin_shufflevector(a, b, ((I & Bit) ? L + I - Bit : I)...);
  }
}

template <class T, int Bit = 1>
TT_INLINE void transpose(Vec<T> (&r)[lanes<T>]) {
  constexpr int L = lanes<T>;
  constexpr auto lane = std::make_integer_sequence<int, L>{};
  if constexpr (Bit < L) {
    TT_UNROLL
    for (int i = 0; i < L; i++) {
      if (i & Bit) continue;
      const Vec<T> a = r[i], b = r[i + Bit];
      r[i] = swap_bit<Bit, false>(a, b, lane);
      r[i + Bit] = swap_bit<Bit, true>(a, b, lane);
    }
    transpose<T, Bit * 2>(r);
  }
}

/** rows (at most a vector of them, each contiguous along k) to columns of the panel; missing rows are zero.
    Stores whole vectors: what they write past `rows` must be written after. */
template <class T>
void pack_transposed(T* to, i64 width, const T* from, i64 from_row, i64 rows, i64 k) {
  constexpr int L = lanes<T>;
  i64 p = 0;
  for (; p + L <= k; p += L) {
    Vec<T> r[L];
    if (rows == L) {
      TT_UNROLL
      for (int i = 0; i < L; i++) r[i] = load(from + i * from_row + p);
    } else {
      TT_UNROLL
      for (int i = 0; i < L; i++) r[i] = i < rows ? load(from + i * from_row + p) : Vec<T>{};
    }
    transpose<T>(r);
    TT_UNROLL
    for (int i = 0; i < L; i++) store(to + (p + i) * width, r[i]);
  }
  for (; p < k; p++) {
    for (i64 i = 0; i < L; i++) to[p * width + i] = i < rows ? from[i * from_row + p] : T(0);
  }
}

template <class T, int W>
void pack_rows(T* to, const T* from, i64 from_col, i64 k) {
  for (i64 p = 0; p < k; p++) memcpy(to + p * W, from + p * from_col, W * sizeof(T));
}

/** Copies rows of exactly `width` elements, for the widths that panels have. */
template <class T, int W = 1>
TT_INLINE bool pack_fixed(i64 width, T* to, const T* from, i64 from_col, i64 k) {
  if constexpr (W > Tile<T>::rows) {
    return false;
  } else {
    if (width == W) {
      pack_rows<T, W>(to, from, from_col, k);
      return true;
    }
    return pack_fixed<T, W + 1>(width, to, from, from_col, k);
  }
}

/** Panel [k][width] of rows 0..rows of `from` (row stride from_row, k stride from_col); the rest is zero. */
template <class T>
void pack_same(T* to, i64 width, const T* from, i64 from_row, i64 from_col, i64 rows, i64 k) {
  constexpr int L = lanes<T>;
  if (from_col == 1 && from_row != 1 && (width % L == 0 || width == rows)) {
    // The last group first: where the width is no multiple of a vector, it overruns into the next step.
    constexpr i64 kSteps = 64;
    for (i64 p = 0; p < k; p += kSteps) {
      const i64 steps = k - p < kSteps ? k - p : kSteps;
      for (i64 g = (width - 1) / L * L; g >= 0; g -= L) {
        const i64 left = rows - g < L ? rows - g : L;
        pack_transposed(to + p * width + g, width, from + g * from_row + p, from_row, left, steps);
      }
    }
  } else if (from_row == 1 && rows == width && width % L == 0) {
    for (i64 p = 0; p < k; p++) {
      for (i64 i = 0; i < width; i += L) store(to + p * width + i, load(from + p * from_col + i));
    }
  } else if (!(from_row == 1 && rows == width && pack_fixed<T>(width, to, from, from_col, k))) {
    for (i64 p = 0; p < k; p++) {
      for (i64 i = 0; i < rows; i++) to[p * width + i] = from[p * from_col + i * from_row];
      for (i64 i = rows; i < width; i++) to[p * width + i] = T(0);
    }
  }
}

/** pack_same for a storage type S other than T. */
template <class T, class S>
void pack_converted(T* to, i64 width, const S* from, i64 from_row, i64 from_col, i64 rows, i64 k) {
  constexpr i64 kSteps = 64;
  if (from_col == 1 && from_row != 1 && rows <= kSteps) {
    alignas(64) T stage[kSteps * kSteps];
    for (i64 p = 0; p < k; p += kSteps) {
      const i64 steps = k - p < kSteps ? k - p : kSteps;
      for (i64 i = 0; i < rows; i++) {
        const S* row = from + i * from_row + p;
        for (i64 q = 0; q < steps; q++) stage[i * kSteps + q] = widened<T>(row[q]);
      }
      pack_same<T>(to + p * width, width, stage, kSteps, 1, rows, steps);
    }
    return;
  }
  for (i64 p = 0; p < k; p++) {
    const S* column = from + p * from_col;
    if (from_row == 1) {
      for (i64 i = 0; i < rows; i++) to[p * width + i] = widened<T>(column[i]);
    } else {
      for (i64 i = 0; i < rows; i++) to[p * width + i] = widened<T>(column[i * from_row]);
    }
    for (i64 i = rows; i < width; i++) to[p * width + i] = T(0);
  }
}

template <class T, class S>
TT_INLINE void pack_panel(T* to, i64 width, const S* from, i64 from_row, i64 from_col, i64 rows, i64 k) {
  if constexpr (same_type<T, S>) {
    pack_same<T>(to, width, from, from_row, from_col, rows, k);
  } else {
    pack_converted<T, S>(to, width, from, from_row, from_col, rows, k);
  }
}

}  // namespace KERNEL_NS
}  // namespace tt
