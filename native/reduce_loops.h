// Inner loops of reductions: sums of mapped elements, and folds by one rule, along rows and down columns.
#pragma once

#include <cmath>

#include "reduce.h"

namespace tt {
inline namespace KERNEL_NS {
namespace reduction {

constexpr i64 kColumnRows = 512;  // rows that one level of partial column results spans
constexpr i64 kColumns = 1024;    // most outputs of a tile (the driver's piece)

// ---- sums of mapped elements: sum, mean, nansum ----

struct Identity {
  template <class V>
  static TT_INLINE V apply(V x) {
    return x;
  }
};
struct NanToZero {
  template <class V>
  static TT_INLINE V apply(V x) {
    return x == x ? x : V{};
  }
};

/**
 * The sum of n mapped elements. Blocks of 128 vectors in eight accumulators, so that no chain of roundings is
 * longer than about 20; the blocks' sums add up in double with Neumaier's compensation.
 */
template <class Map, class A>
double sum_run(const A* p, i64 n) {
  constexpr i64 L = lanes<A>;
  double total = 0, lost = 0;
  if (n < L) {
    for (i64 i = 0; i < n; i++) total += static_cast<double>(Map::apply(p[i]));
    return total;
  }
  const auto plus = [](Vec<A> a, Vec<A> b) { return a + b; };
  while (n >= L) {
    const i64 vectors = n / L < 128 ? n / L : 128;
    Vec<A> acc[8] = {};
    i64 v = 0;
    for (; v + 8 <= vectors; v += 8)
      for (int k = 0; k < 8; k++) acc[k] += Map::apply(load(p + (v + k) * L));
    for (; v < vectors; v++) acc[v & 1] += Map::apply(load(p + v * L));
    p += vectors * L;
    n -= vectors * L;
    if (n > 0 && n < L) {  // the last elements: a vector that overlaps the one before
      acc[2] += replace_first<A>(Map::apply(load(p + n - L)), L - n, Vec<A>{});
      n = 0;
    }
    const double s = static_cast<double>(
        fold<A>(((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7])), plus));
    const double t = total + s;
    const double error = std::fabs(total) >= std::fabs(s) ? (total - t) + s : (s - t) + total;
    if (error == error) lost += error;  // infinities have none
    total = t;
  }
  return total + lost;
}

template <class Map, class A>
void sum_columns(double* __restrict s, const A* p, i64 cols, i64 n, i64 pitch) {
  if (n > kColumnRows) {
    double part[kColumns];
    for (i64 r = 0; r < n; r += kColumnRows) {
      for (i64 j = 0; j < cols; j++) part[j] = 0;
      sum_columns<Map>(part, p + r * pitch, cols, n - r < kColumnRows ? n - r : kColumnRows, pitch);
      for (i64 j = 0; j < cols; j++) s[j] += part[j];
    }
    return;
  }
  i64 r = 0;
  for (; r + 16 <= n; r += 16) {
    const A* q = p + r * pitch;
    for (i64 j = 0; j < cols; j++) {
      A sum[4];
      for (int k = 0; k < 4; k++) {
        const A* x = q + k * 4 * pitch + j;
        sum[k] = (Map::apply(x[0]) + Map::apply(x[pitch])) + (Map::apply(x[2 * pitch]) + Map::apply(x[3 * pitch]));
      }
      s[j] += static_cast<double>((sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
  }
  for (; r + 4 <= n; r += 4) {
    const A* x = p + r * pitch;
    for (i64 j = 0; j < cols; j++)
      s[j] += static_cast<double>((Map::apply(x[j]) + Map::apply(x[pitch + j])) +
                                  (Map::apply(x[2 * pitch + j]) + Map::apply(x[3 * pitch + j])));
  }
  for (; r < n; r++)
    for (i64 j = 0; j < cols; j++) s[j] += static_cast<double>(Map::apply(p[r * pitch + j]));
}

/** NaN wins, and stays. */
struct Largest {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return (b > a) | (b != b) ? b : a;
  }
};
struct Smallest {
  template <class V>
  static TT_INLINE V apply(V a, V b) {
    return (b < a) | (b != b) ? b : a;
  }
};
/** The fold of n >= 1 elements. The last partial vector overlaps, unless repeating elements would matter. */
template <class F, bool repeatable, class A>
A fold_run(const A* p, i64 n) {
  constexpr i64 L = lanes<A>;
  A r = p[0];
  i64 i = 1;
  if (n >= 4 * L) {
    Vec<A> acc[4];
    for (int k = 0; k < 4; k++) acc[k] = load(p + k * L);
    for (i = 4 * L; i + 4 * L <= n; i += 4 * L)
      for (int k = 0; k < 4; k++) acc[k] = F::apply(acc[k], load(p + i + k * L));
    for (; i + L <= n; i += L) acc[0] = F::apply(acc[0], load(p + i));
    if (repeatable && i < n) {
      acc[1] = F::apply(acc[1], load(p + n - L));
      i = n;
    }
    const auto f = [](Vec<A> a, Vec<A> b) { return F::apply(a, b); };
    r = fold<A>(F::apply(F::apply(acc[0], acc[1]), F::apply(acc[2], acc[3])), f);
  }
  for (; i < n; i++) r = F::apply(r, p[i]);
  return r;
}

/** Columns [j, j + width vectors) of n rows, folded in the elements' own type, then into the state. */
template <class F, int width, class S, class A>
TT_INLINE void fold_column_vectors(S* s, const A* p, i64 n, i64 pitch) {
  constexpr i64 L = lanes<A>;
  Vec<A> acc[width];
  for (int k = 0; k < width; k++) acc[k] = load(p + k * L);
  for (i64 r = 1; r < n; r++)
    for (int k = 0; k < width; k++) acc[k] = F::apply(acc[k], load(p + r * pitch + k * L));
  A folded[width * L];
  for (int k = 0; k < width; k++) store(folded + k * L, acc[k]);
  for (i64 j = 0; j < width * L; j++) s[j] = F::apply(s[j], static_cast<S>(folded[j]));
}

template <class F, class S, class A>
void fold_columns(S* __restrict s, const A* p, i64 cols, i64 n, i64 pitch) {
  constexpr i64 L = lanes<A>;
  for (i64 r = 0; r < n; r += 64, p += 64 * pitch) {
    const i64 h = n - r < 64 ? n - r : 64;
    i64 j = 0;
    for (; j + 4 * L <= cols; j += 4 * L) fold_column_vectors<F, 4>(s + j, p + j, h, pitch);
    for (; j + L <= cols; j += L) fold_column_vectors<F, 1>(s + j, p + j, h, pitch);
    for (; j < cols; j++)
      for (i64 i = 0; i < h; i++) s[j] = F::apply(s[j], static_cast<S>(p[i * pitch + j]));
  }
}

/** Sums of the deviations from `shift` and of their squares. */
template <class A>
void deviations(const A* p, i64 n, A shift, double& sum, double& squares) {
  constexpr i64 L = lanes<A>;
  Vec<A> s[2] = {}, q[4] = {};
  const Vec<A> center = broadcast<A>(shift);
  i64 i = 0;
  for (; i + 4 * L <= n; i += 4 * L)
    for (int k = 0; k < 4; k++) {
      const Vec<A> d = load(p + i + k * L) - center;
      s[k & 1] += d;
      q[k] += d * d;
    }
  for (; i + L <= n; i += L) {
    const Vec<A> d = load(p + i) - center;
    s[0] += d;
    q[0] += d * d;
  }
  const auto plus = [](Vec<A> a, Vec<A> b) { return a + b; };
  sum = static_cast<double>(fold<A>(s[0] + s[1], plus));
  squares = static_cast<double>(fold<A>((q[0] + q[1]) + (q[2] + q[3]), plus));
  for (; i < n; i++) {
    const double d = static_cast<double>(p[i]) - static_cast<double>(shift);
    sum += d;
    squares += d * d;
  }
}

}  // namespace reduction
}  // namespace KERNEL_NS
}  // namespace tt
