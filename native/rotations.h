// Sequences of plane rotations applied to the columns of a matrix: what QR iterations on tridiagonal and bidiagonal
// matrices do to the vectors. The rotations are collected and applied many sweeps at a time to strips of rows that stay in
// cache, with the column between two rotations in registers (Van Zee, van de Geijn and Quintana-Orti, "Restructuring the
// tridiagonal and bidiagonal QR algorithms for performance", 2014).
#pragma once

#include "dense.h"

namespace tt {
inline namespace KERNEL_NS {
namespace dense {

/** c, s and r with [c s; -s c] [f; g] = [r; 0]. */
template <class R>
inline void make_rotation(R f, R g, R& c, R& s, R& r) {
  if (g == R(0)) {
    c = 1;
    s = 0;
    r = f;
    return;
  }
  if (f == R(0)) {
    c = 0;
    s = with_sign(R(1), g);
    r = std::fabs(g);
    return;
  }
  const R a = std::fabs(f), b = std::fabs(g);
  constexpr R low = sizeof(R) == 4 ? R(0x1p-60) : R(0x1p-500), high = sizeof(R) == 4 ? R(0x1p60) : R(0x1p500);
  if (a > low && a < high && b > low && b < high) {
    const R d = std::sqrt(f * f + g * g);
    c = a / d;
    r = with_sign(d, f);
    s = g / r;
    return;
  }
  const R u = a > b ? a : b, fs = f / u, gs = g / u;
  const R d = std::sqrt(fs * fs + gs * gs);
  c = std::fabs(fs) / d;
  r = with_sign(d, f);
  s = gs / r;
  r *= u;
}

/** A matrix [rows, cols] of reals in strips of rows, and rotations that wait to be applied to its columns. */
template <class R>
class RotatedColumns {
 public:
  static constexpr i64 kVectors = 4;
  static constexpr i64 kRows = kVectors * lanes<R>;
  static constexpr i64 kRotations = 32 * 1024;  // how many may wait, or one sweep
  static constexpr i64 kSweeps = 2048;

  static size_t bytes(i64 rows, i64 cols) {
    return Work::bytes<R>(strips_of(rows) * kRows * cols) + Work::bytes<R>(2 * max_of(kRotations, cols)) + Work::bytes<Sweep>(kSweeps);
  }

  /** Takes a copy of `a`; a matrix without rows takes no rotations. */
  RotatedColumns(Work& work, i64 rows, i64 cols, const R* a, i64 lda) : rows_(rows), cols_(cols) {
    if (rows == 0) return;
    strips_ = work.take<R>(strips_of(rows) * kRows * cols);
    factors_ = work.take<R>(2 * max_of(kRotations, cols));
    sweeps_ = work.take<Sweep>(kSweeps);
    for (i64 s = 0; s < strips_of(rows); s++) {
      const i64 count = min_of(kRows, rows - s * kRows);
      for (i64 j = 0; j < cols; j++) {
        R* to = strip(s) + j * kRows;
        copy(count, a + s * kRows + j * lda, to);
        clear(kRows - count, to + count);
      }
    }
  }

  /** Opens a sweep of `count` rotations of neighbouring columns, the first being (first, first + 1). */
  void begin(i64 first, i64 count, bool upward) {
    if (rows_ == 0) return;
    if (waiting_ + count > kRotations || sweep_count_ == kSweeps) flush();
    sweeps_[sweep_count_++] = Sweep{first, count, upward};
    base_ = waiting_ - first;
    waiting_ += count;
  }
  /** Columns j, j + 1 of the open sweep become (c x + s y, c y - s x). */
  TT_INLINE void rotate(i64 j, R c, R s) {
    if (rows_ == 0) return;
    R* f = factors_ + 2 * (base_ + j);
    f[0] = c;
    f[1] = s;
  }
  /** Writes column order[j] to column j of `a`, times its sign in `negative`, if there are signs. */
  void finish(const i64* order, const bool* negative, R* a, i64 lda) {
    if (rows_ == 0) return;
    flush();
    for (i64 s = 0; s < strips_of(rows_); s++) {
      const i64 count = min_of(kRows, rows_ - s * kRows);
      for (i64 j = 0; j < cols_; j++) {
        R* to = a + s * kRows + j * lda;
        copy(count, strip(s) + order[j] * kRows, to);
        if (negative != nullptr && negative[order[j]]) scale(count, R(-1), to);
      }
    }
  }

 private:
  struct Sweep {
    i64 first, count;
    bool upward;  // from the last pair of columns to the first
  };
  i64 rows_, cols_;
  R* strips_ = nullptr;
  R* factors_ = nullptr;
  Sweep* sweeps_ = nullptr;
  i64 sweep_count_ = 0, waiting_ = 0, base_ = 0;

  static i64 strips_of(i64 rows) { return (rows + kRows - 1) / kRows; }
  R* strip(i64 s) { return strips_ + s * kRows * cols_; }

  void flush() {
    if (sweep_count_ == 0) return;
    const i64 grain = 64 * 1024 / (waiting_ * kRows + 1) + 1;
    parallel_for(strips_of(rows_), grain, [&](i64 begin, i64 end) {
      for (i64 s = begin; s < end; s++) {
        const R* f = factors_;
        for (i64 w = 0; w < sweep_count_; w++) {
          const Sweep& sweep = sweeps_[w];
          R* x = strip(s) + sweep.first * kRows;
          sweep.upward ? sweep_up(x, sweep.count, f) : sweep_down(x, sweep.count, f);
          f += 2 * sweep.count;
        }
      }
    });
    sweep_count_ = 0;
    waiting_ = 0;
  }

  static void sweep_down(R* x, i64 count, const R* f) {
    Vec<R> left[kVectors];
    for (int v = 0; v < kVectors; v++) left[v] = load(x + v * lanes<R>);
    for (i64 j = 0; j < count; j++, x += kRows, f += 2) {
      const Vec<R> c = broadcast(f[0]), s = broadcast(f[1]);
      for (int v = 0; v < kVectors; v++) {
        const Vec<R> right = load(x + kRows + v * lanes<R>);
        store(x + v * lanes<R>, mul_add<R>(c, left[v], s * right));
        left[v] = mul_add<R>(c, right, -(s * left[v]));
      }
    }
    for (int v = 0; v < kVectors; v++) store(x + v * lanes<R>, left[v]);
  }
  static void sweep_up(R* x, i64 count, const R* f) {
    x += count * kRows;
    f += 2 * count;
    Vec<R> right[kVectors];
    for (int v = 0; v < kVectors; v++) right[v] = load(x + v * lanes<R>);
    for (i64 j = 0; j < count; j++) {
      x -= kRows;
      f -= 2;
      const Vec<R> c = broadcast(f[0]), s = broadcast(f[1]);
      for (int v = 0; v < kVectors; v++) {
        const Vec<R> left = load(x + v * lanes<R>);
        store(x + kRows + v * lanes<R>, mul_add<R>(c, right[v], -(s * left)));
        right[v] = mul_add<R>(c, left, s * right[v]);
      }
    }
    for (int v = 0; v < kVectors; v++) store(x + v * lanes<R>, right[v]);
  }
};

/** Fills order with the positions of the n keys in ascending (or descending) order; equal keys keep theirs. */
template <class R>
inline void sort_order(i64 n, const R* keys, bool descending, i64* order, i64* scratch) {
  for (i64 i = 0; i < n; i++) order[i] = i;
  i64* from = order;
  i64* to = scratch;
  for (i64 width = 1; width < n; width *= 2) {  // merge sort, bottom up
    for (i64 start = 0; start < n; start += 2 * width) {
      const i64 middle = min_of(start + width, n), end = min_of(start + 2 * width, n);
      i64 a = start, b = middle;
      for (i64 i = start; i < end; i++) {
        const bool second =
            a == middle || (b < end && (descending ? keys[from[b]] > keys[from[a]] : keys[from[b]] < keys[from[a]]));
        to[i] = from[second ? b++ : a++];
      }
    }
    i64* const swap = from;
    from = to;
    to = swap;
  }
  if (from != order) copy(n, from, order);
}

}  // namespace dense
}  // namespace KERNEL_NS
}  // namespace tt
