// Discrete Fourier transforms of as many lines as a vector has lanes, side by side: element j of all lines is one
// vector of real and one of imaginary parts, so that no butterfly ever shuffles. Stockham's self-sorting algorithm with
// mixed radices (2, 3, 4, 5, 8 and, plainly, any small odd prime). Only the forward transform, exp(-2 pi i jk / n): the
// inverse is the forward one with real and imaginary parts exchanged at both ends.
//
// A plan is computed by the caller: the radices, and one table with, pass by pass, the roots of unity of a plain radix
// r (r pairs of cos, sin of 2 pi j / r) and then the twiddles exp(-2 pi i p k / length) by p, then k = 1 .. r - 1.
#pragma once

#include <utility>

#include "gemm_pack.h"
#include "vmath_core.h"

namespace tt {
inline namespace KERNEL_NS {
namespace fft {

constexpr int kMaxRadix = 31;
constexpr int kMaxPasses = 32;

/** Complex numbers of all lanes. */
template <class T>
struct Cx {
  Vec<T> re, im;
};
template <class T>
TT_INLINE Cx<T> operator+(Cx<T> a, Cx<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
TT_INLINE Cx<T> operator-(Cx<T> a, Cx<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
TT_INLINE Cx<T> operator*(Cx<T> a, Cx<T> b) {
  return {v_mad(a.re, b.re, -(a.im * b.im)), v_mad(a.re, b.im, a.im * b.re)};
}
/** Times the complex number at w. */
template <class T>
TT_INLINE Cx<T> times(Cx<T> a, const T* w) {
  return a * Cx<T>{broadcast(w[0]), broadcast(w[1])};
}
template <class T>
TT_INLINE Cx<T> times(Cx<T> a, T factor) {
  return {a.re * broadcast(factor), a.im * broadcast(factor)};
}
/** Times -i. */
template <class T>
TT_INLINE Cx<T> turn(Cx<T> a) {
  return {a.im, -a.re};
}
/** a + factor * b. */
template <class T>
TT_INLINE Cx<T> axpy(Cx<T> a, T factor, Cx<T> b) {
  return {v_mad(broadcast(factor), b.re, a.re), v_mad(broadcast(factor), b.im, a.im)};
}
template <class T>
TT_INLINE Cx<T> conj(Cx<T> a) {
  return {a.re, -a.im};
}
template <class T>
TT_INLINE Cx<T> swapped(Cx<T> a, bool swap) {
  return swap ? Cx<T>{a.im, a.re} : a;
}

// ---- pairs in memory

template <class T, int... I>
TT_INLINE Cx<T> split_pairs(Vec<T> a, Vec<T> b, std::integer_sequence<int, I...>) {
  return {__builtin_shufflevector(a, b, 2 * I...), __builtin_shufflevector(a, b, 2 * I + 1 ...)};
}
template <class T, int... I>
TT_INLINE void join_pairs(Cx<T> x, Vec<T>& a, Vec<T>& b, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  a = __builtin_shufflevector(x.re, x.im, (I / 2 + (I & 1) * L)...);
  b = __builtin_shufflevector(x.re, x.im, (L / 2 + I / 2 + (I & 1) * L)...);
}
/** The first `count` of a vector's worth of complex numbers from pairs; the others are zero. */
template <class T>
TT_INLINE Cx<T> load_pairs(const T* p, i64 count) {
  constexpr int L = lanes<T>;
  constexpr auto lane = std::make_integer_sequence<int, L>{};
  if (count == L) return split_pairs<T>(load(p), load(p + L), lane);
  T part[2 * L] = {};
  for (int i = 0; i < 2 * L; i++)  // of constant length: masked loads
    if (i < 2 * count) part[i] = p[i];
  return split_pairs<T>(load(part), load(part + L), lane);
}
template <class T>
TT_INLINE void store_pairs(T* p, Cx<T> x, i64 count) {
  constexpr int L = lanes<T>;
  Vec<T> a, b;
  join_pairs<T>(x, a, b, std::make_integer_sequence<int, L>{});
  if (count == L) {
    store(p, a);
    store(p + L, b);
    return;
  }
  T part[2 * L];
  store(part, a);
  store(part + L, b);
  for (int i = 0; i < 2 * L; i++)
    if (i < 2 * count) p[i] = part[i];
}

// ---- where elements come from and go to

/** Element j of all lanes, in scratch memory. */
template <class T>
struct TileEnd {
  T* data;
  TT_INLINE Cx<T> get(i64 j) const {
    const T* p = data + 2 * lanes<T> * j;
    return {load(p), load(p + lanes<T>)};
  }
  TT_INLINE void put(i64 j, Cx<T> x) const {
    T* p = data + 2 * lanes<T> * j;
    store(p, x.re);
    store(p + lanes<T>, x.im);
  }
};
/** Neighbouring complex numbers in memory are the lanes; element j lies j * stride scalars farther. */
template <class T>
struct PairsEnd {
  T* data;
  i64 stride;
  i64 count;
  bool swap;
  T scale;
  TT_INLINE Cx<T> get(i64 j) const { return swapped(load_pairs<T>(data + j * stride, count), swap); }
  TT_INLINE void put(i64 j, Cx<T> x) const { store_pairs<T>(data + j * stride, swapped(times(x, scale), swap), count); }
};
/** Real and imaginary parts in separate arrays; neighbours are the lanes. */
template <class T>
struct SplitEnd {
  const T* re;
  const T* im;
  i64 stride;
  TT_INLINE Cx<T> get(i64 j) const { return {load(re + j * stride), load(im + j * stride)}; }
};

// ---- butterflies: a becomes its transform

template <class T>
TT_INLINE void butterfly(Cx<T> (&a)[2]) {
  const Cx<T> b = a[1];
  a[1] = a[0] - b;
  a[0] = a[0] + b;
}
template <class T>
TT_INLINE void butterfly(Cx<T> (&a)[3]) {
  const Cx<T> sum = a[1] + a[2], d = times(turn(a[1] - a[2]), T(0.86602540378443864676));
  const Cx<T> middle = axpy(a[0], T(-0.5), sum);
  a[0] = a[0] + sum;
  a[1] = middle + d;
  a[2] = middle - d;
}
template <class T>
TT_INLINE void butterfly(Cx<T> (&a)[4]) {
  const Cx<T> s = a[0] + a[2], d = a[0] - a[2], t = a[1] + a[3], e = turn(a[1] - a[3]);
  a[0] = s + t;
  a[1] = d + e;
  a[2] = s - t;
  a[3] = d - e;
}
template <class T>
TT_INLINE void butterfly(Cx<T> (&a)[5]) {
  constexpr T c1 = T(0.30901699437494742410), c2 = T(-0.80901699437494742410);
  constexpr T s1 = T(0.95105651629515357212), s2 = T(0.58778525229247312917);
  const Cx<T> p = a[1] + a[4], q = a[2] + a[3], u = turn(a[1] - a[4]), v = turn(a[2] - a[3]);
  const Cx<T> x = axpy(axpy(a[0], c1, p), c2, q), y = axpy(axpy(a[0], c2, p), c1, q);
  const Cx<T> m = axpy(times(u, s1), s2, v), n = axpy(times(u, s2), -s1, v);
  a[0] = a[0] + p + q;
  a[1] = x + m;
  a[2] = y + n;
  a[3] = y - n;
  a[4] = x - m;
}
template <class T>
TT_INLINE void butterfly(Cx<T> (&a)[8]) {
  constexpr T h = T(0.70710678118654752440);
  Cx<T> even[4] = {a[0], a[2], a[4], a[6]}, odd[4] = {a[1], a[3], a[5], a[7]};
  butterfly(even);
  butterfly(odd);
  odd[1] = times(odd[1] + turn(odd[1]), h);
  odd[2] = turn(odd[2]);
  odd[3] = times(turn(odd[3]) - odd[3], h);
  for (int k = 0; k < 4; k++) {
    a[k] = even[k] + odd[k];
    a[k + 4] = even[k] - odd[k];
  }
}

/** One pass over n = length * stride elements, whose sub-transforms of `length` points lie `stride` apart. */
template <int R, class T, class From, class To>
void pass(const From& from, const To& to, i64 length, i64 stride, const T* twiddles) {
  const i64 m = length / R;
  for (i64 p = 0; p < m; p++) {
    for (i64 q = 0; q < stride; q++) {
      Cx<T> a[R];
      TT_UNROLL
      for (int k = 0; k < R; k++) a[k] = from.get(q + stride * (p + k * m));
      butterfly(a);
      to.put(q + stride * R * p, a[0]);
      if (p == 0) {
        TT_UNROLL
        for (int k = 1; k < R; k++) to.put(q + stride * k, a[k]);
      } else {
        TT_UNROLL
        for (int k = 1; k < R; k++) to.put(q + stride * (R * p + k), times(a[k], twiddles + 2 * (k - 1)));
      }
    }
    twiddles += 2 * (R - 1);
  }
}

/** The same for any small odd radix: sums over pairs of opposite elements. */
template <class T, class From, class To>
void plain_pass(int r, const From& from, const To& to, i64 length, i64 stride, const T* roots) {
  const T* twiddles = roots + 2 * r;
  const i64 m = length / r;
  const int half = (r - 1) / 2;
  Cx<T> sums[kMaxRadix / 2 + 1], differences[kMaxRadix / 2 + 1];
  for (i64 p = 0; p < m; p++) {
    for (i64 q = 0; q < stride; q++) {
      const Cx<T> first = from.get(q + stride * p);
      Cx<T> total = first;
      for (int k = 1; k <= half; k++) {
        const Cx<T> x = from.get(q + stride * (p + k * m)), y = from.get(q + stride * (p + (r - k) * m));
        sums[k] = x + y;
        differences[k] = turn(x - y);
        total = total + sums[k];
      }
      to.put(q + stride * r * p, total);
      for (int k = 1; k <= half; k++) {
        Cx<T> even = first, odd = {};
        int at = 0;
        for (int j = 1; j <= half; j++) {
          at += k;
          if (at >= r) at -= r;
          even = axpy(even, roots[2 * at], sums[j]);
          odd = axpy(odd, roots[2 * at + 1], differences[j]);
        }
        to.put(q + stride * (r * p + k), times(even + odd, twiddles + 2 * (k - 1)));
        to.put(q + stride * (r * p + r - k), times(even - odd, twiddles + 2 * (r - k - 1)));
      }
    }
    twiddles += 2 * (r - 1);
  }
}

struct Radices {
  int count;
  int radix[kMaxPasses];
};

constexpr bool is_plain(int radix) { return radix > 5 && radix != 8; }

template <class T, class From, class To>
TT_INLINE void any_pass(int radix, const From& from, const To& to, i64 length, i64 stride, const T* table) {
  switch (radix) {
    case 2:
      return pass<2>(from, to, length, stride, table);
    case 3:
      return pass<3>(from, to, length, stride, table);
    case 4:
      return pass<4>(from, to, length, stride, table);
    case 5:
      return pass<5>(from, to, length, stride, table);
    case 8:
      return pass<8>(from, to, length, stride, table);
    default:
      return plain_pass(radix, from, to, length, stride, table);
  }
}

/** The transform of n elements; `one` and `two` are scratch memory of n elements each, apart from both ends. */
template <class T, class From, class To>
void transform_tile(i64 n, const Radices& plan, const T* table, const From& from, const To& to, T* one, T* two) {
  if (plan.count == 0) return to.put(0, from.get(0));
  if (plan.count == 1) return any_pass(plan.radix[0], from, to, n, 1, table);
  i64 length = n, stride = 1;
  TileEnd<T> x{one}, y{two};
  for (int i = 0; i < plan.count; i++) {
    const int r = plan.radix[i];
    if (i == 0) {
      any_pass(r, from, x, length, stride, table);
    } else if (i + 1 < plan.count) {
      any_pass(r, x, y, length, stride, table);
      const TileEnd<T> z = x;
      x = y;
      y = z;
    } else {
      any_pass(r, x, to, length, stride, table);
    }
    table += 2 * ((is_plain(r) ? r : 0) + length / r * (r - 1));
    length /= r;
    stride *= r;
  }
}

}  // namespace fft
}  // namespace KERNEL_NS
}  // namespace tt
