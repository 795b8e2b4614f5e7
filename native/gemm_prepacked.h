// Products inside of other kernels: of small matrices in the calling thread, and with one matrix B that many calls share,
// packed once and then multiplied with blocks of rows as they come.
#pragma once

#include "gemm_core.h"

namespace tt {
inline namespace KERNEL_NS {

/** B [k, n] in panels as gemm_serial packs them, block of k by block of k. */
template <class T>
struct PackedB {
  const T* data;
  i64 n, k;

  static constexpr i64 kBlockK = kBlockBytesK / static_cast<i64>(sizeof(T));
  static i64 blocks(i64 k) { return k <= kBlockK + kBlockK / 2 ? 1 : ceil_div(k, kBlockK); }
  /** Columns as stored: whole panels. */
  static i64 stored(i64 n) { return ceil_div(n, Tile<T>::cols) * Tile<T>::cols; }
  static i64 size(i64 n, i64 k) { return stored(n) * k + kPackSlack<T>; }
};

/** Packs B [k, n] with any strides into `to`, which holds PackedB<T>::size(n, k) elements. */
template <class T>
PackedB<T> prepack(T* to, const T* b, i64 b_row, i64 b_col, i64 n, i64 k);

/** C [m, n] = A [m, k] @ B, or C += A @ B with `add`. Rows of A and C are contiguous. Divides the columns among the
    threads unless it is called by one of them. */
template <class T>
void multiply_packed(const PackedB<T>& b, const T* a, i64 a_row, i64 m, T* c, i64 c_row, bool add);

/** C = A @ B + beta * C of any strides but contiguous rows of C, in this thread. */
template <class T>
void multiply(const Product<T, T>& x, T beta);

// For float and double, in gemm_prepacked.cc: the tile kernels are compiled once.

}  // namespace KERNEL_NS
}  // namespace tt
