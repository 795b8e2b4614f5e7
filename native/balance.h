// Balancing a matrix before its eigenvalues are computed: permutations that isolate eigenvalues, and scalings by powers of
// two that make the norms of rows and columns alike (Parlett and Reinsch 1969), and the reduction to Hessenberg form.
#pragma once

#include "householder.h"

namespace tt {
inline namespace KERNEL_NS {
namespace dense {

/** What balancing did: the active rows and columns [low, high], scales within them, and swaps outside. */
template <class R>
struct Balance {
  i64 low, high;
  R* scale;     // [n], 1 outside of [low, high]
  i64* swapped;  // [n], outside of [low, high]: the row and column that this one was swapped with
};

template <class T>
inline void swap_rows_and_columns(i64 n, T* a, i64 lda, i64 p, i64 q) {
  if (p == q) return;
  for (i64 i = 0; i < n; i++) {
    const T t = a[i + p * lda];
    a[i + p * lda] = a[i + q * lda];
    a[i + q * lda] = t;
  }
  for (i64 j = 0; j < n; j++) {
    const T t = a[p + j * lda];
    a[p + j * lda] = a[q + j * lda];
    a[q + j * lda] = t;
  }
}

/** Moves rows that are zero but for their diagonal to the end, and such columns to the front. */
template <class T>
inline void isolate(i64 n, T* a, i64 lda, Balance<RealOf<T>>& x) {
  const auto alone = [&](i64 p, bool row) {
    for (i64 j = x.low; j <= x.high; j++) {
      if (j != p && size1(row ? a[p + j * lda] : a[j + p * lda]) != RealOf<T>(0)) return false;
    }
    return true;
  };
  for (int side = 0; side < 2; side++) {
    const bool row = side == 0;
    for (bool again = true; again && x.low < x.high;) {
      again = false;
      for (i64 k = 0; k <= x.high - x.low && !again; k++) {
        const i64 p = row ? x.high - k : x.low + k;
        if (!alone(p, row)) continue;
        const i64 to = row ? x.high-- : x.low++;
        x.swapped[to] = p;
        swap_rows_and_columns(n, a, lda, p, to);
        again = true;
      }
    }
  }
}

template <class T>
inline void balance(i64 n, T* a, i64 lda, Balance<RealOf<T>>& x) {
  using R = RealOf<T>;
  x.low = 0;
  x.high = n - 1;
  for (i64 i = 0; i < n; i++) {
    x.scale[i] = 1;
    x.swapped[i] = i;
  }
  isolate(n, a, lda, x);
  const R smallest = Limits<R>::tiny / Limits<R>::eps, largest_scale = R(1) / smallest;
  bool again = true;
  for (int round = 0; again && round < 100; round++) {
    again = false;
    for (i64 i = x.low; i <= x.high; i++) {
      R column = 0, row = 0;
      for (i64 j = x.low; j <= x.high; j++) {
        if (j == i) continue;
        column += size1(a[j + i * lda]);
        row += size1(a[i + j * lda]);
      }
      if (!(column > R(0)) || !(row > R(0)) || std::isinf(column) || std::isinf(row)) continue;
      const R sum = column + row;
      R f = 1;
      while (column < row / R(2) && f < largest_scale) {
        f *= 2;
        column *= 4;
      }
      while (column >= row * R(2) && f > smallest) {
        f /= 2;
        column /= 4;
      }
      if ((column + row) / f >= R(0.95) * sum || x.scale[i] * f < smallest || x.scale[i] * f > largest_scale) continue;
      x.scale[i] *= f;
      again = true;
      for (i64 j = 0; j < n; j++) a[i + j * lda] = (R(1) / f) * a[i + j * lda];
      for (i64 j = 0; j < n; j++) a[j + i * lda] = f * a[j + i * lda];
    }
  }
}

/** Eigenvectors of the balanced matrix (columns of v) become those of the matrix. */
template <class R, class T>
inline void undo_balance(i64 n, const Balance<R>& x, i64 columns, T* v, i64 ldv) {
  for (i64 j = 0; j < columns; j++) {
    T* column = v + j * ldv;
    for (i64 i = x.low; i <= x.high; i++) column[i] = x.scale[i] * column[i];
    const auto back = [&](i64 i) {
      const T t = column[i];
      column[i] = column[x.swapped[i]];
      column[x.swapped[i]] = t;
    };
    for (i64 i = x.low - 1; i >= 0; i--) back(i);
    for (i64 i = x.high + 1; i < n; i++) back(i);
  }
}

/** A becomes Q^H A Q, upper Hessenberg within [low, high]; the tails of Q's reflectors stay below the subdiagonal. */
template <class T>
inline void make_hessenberg(i64 n, i64 low, i64 high, T* a, i64 lda, T* tau, Work work) {
  T* v = work.take<T>(n);
  T* y = work.take<T>(n);
  for (i64 k = low; k + 1 < high; k++) {
    const i64 first = k + 1, size = high - k;
    T* column = a + first + k * lda;
    tau[k] = make_reflector(size - 1, column[0], column + 1);
    const T t = tau[k];
    v[0] = from_real<T>(1);
    copy(size - 1, column + 1, v + 1);
    // A - t (A v) v^H, and at once each column from the left.
    clear(high + 1, y);
    multiply_add(high + 1, size, t, a + first * lda, lda, v, y);
    parallel_for(n - first, kVectorGrain / (size + 1) + 4, [&](i64 begin, i64 end) {
      for (i64 j = begin; j < end; j++) {
        T* to = a + (first + j) * lda;
        if (j < size) axpy(high + 1, -conj(v[j]), y, to);
        axpy(size, -(conj(t) * dot(size, v, to + first)), v, to + first);
      }
    });
  }
}

}  // namespace dense
}  // namespace KERNEL_NS
}  // namespace tt
