// Vector primitives that need no approximation: arithmetic, rounding, comparisons, masks, minima, remainders of
// floating-point lanes. Every primitive is v_<name> over whole vectors (Vec<float>, Vec<double>, and Vec<int64_t>
// where it makes sense); the integer-only ones are in vmath_int.h. Comparisons give the integer vector of the same lane
// size, -1 where true.
//
// Loops over lanes are written with TT_LANES, so that each becomes one instruction (vrndscale, vsqrt ...).
#pragma once

#include <cmath>

#include "simd.h"

#define TT_NOINLINE inline __attribute__((noinline))
#define TT_LANES(V) TT_LANE_LOOP for (int i = 0; i < v_lanes<V>; i++)

namespace tt {
inline namespace KERNEL_NS {

using VecF = Vec<float>;
using VecD = Vec<double>;
using VecL = Vec<int64_t>;
/** Masks of float lanes. */
using VecI = Vec<int32_t>;

template <class V>
struct VecTraits;
template <>
struct VecTraits<VecF> {
  using T = float;
  using Int = VecI;
};
template <>
struct VecTraits<VecD> {
  using T = double;
  using Int = VecL;
};
template <>
struct VecTraits<VecL> {
  using T = int64_t;
  using Int = VecL;
};
template <>
struct VecTraits<VecI> {
  using T = int32_t;
  using Int = VecI;
};
/** The lane type, the number of lanes, and the mask type of vector V. */
template <class V>
using Lane = typename VecTraits<V>::T;
template <class V>
using Mask = typename VecTraits<V>::Int;
template <class V>
constexpr int v_lanes = static_cast<int>(sizeof(V) / sizeof(Lane<V>));

/** A constant that stays in a variable: engines build each WebAssembly constant anew where it stands, by several
    instructions, in loops too. */
template <class V>
TT_INLINE V held(V constant) {
#if defined(__wasm__)
  asm("" : "+r"(constant));
#endif
  return constant;
}
/** All lanes c. */
template <class V>
TT_INLINE V v_k(double c) {
  const V k = broadcast<Lane<V>>(static_cast<Lane<V>>(c));
  return c == 0 ? k : held(k);
}
/** The lane pattern of an integer constant in the mask type of V. */
template <class V>
TT_INLINE Mask<V> v_ik(int64_t c) {
  const Mask<V> k = broadcast<Lane<Mask<V>>>(static_cast<Lane<Mask<V>>>(c));
  return c == 0 || c == -1 ? k : held(k);
}
/** Bits of a floating-point vector, and back. */
template <class V>
TT_INLINE Mask<V> v_bits(V x) {
  return bit_cast<Mask<V>>(x);
}
template <class V>
TT_INLINE V v_from_bits(Mask<V> x) {
  return bit_cast<V>(x);
}
template <class V>
TT_INLINE Mask<V> v_sign_bit() {
  return v_bits(v_k<V>(-0.0));
}

constexpr double kPi = 3.14159265358979323846;

// ---- choice and masks

template <class V>
TT_INLINE V v_select(Mask<V> m, V a, V b) {
  return m ? a : b;
}
/** Whether any lane of the mask is set. */
template <class M>
TT_INLINE bool v_any(M m) {
  Lane<M> r = 0;
  TT_LANES(M) r |= m[i];
  return r != 0;
}
template <class M>
TT_INLINE M v_mand(M a, M b) {
  return a & b;
}
template <class M>
TT_INLINE M v_mor(M a, M b) {
  return a | b;
}
template <class M>
TT_INLINE M v_mxor(M a, M b) {
  return a ^ b;
}
template <class M>
TT_INLINE M v_mnot(M a) {
  return ~a;
}

// ---- comparisons

#define TT_COMPARE(NAME, OP)                     \
  template <class V>                             \
  TT_INLINE Mask<V> v_##NAME(V a, V b) {         \
    return bit_cast<Mask<V>>(a OP b);            \
  }
TT_COMPARE(eq, ==)
TT_COMPARE(ne, !=)
TT_COMPARE(lt, <)
TT_COMPARE(le, <=)
TT_COMPARE(gt, >)
TT_COMPARE(ge, >=)
#undef TT_COMPARE

// ---- arithmetic

template <class V>
TT_INLINE V v_add(V a, V b) {
  return a + b;
}
template <class V>
TT_INLINE V v_sub(V a, V b) {
  return a - b;
}
template <class V>
TT_INLINE V v_mul(V a, V b) {
  return a * b;
}
template <class V>
TT_INLINE V v_neg(V a) {
  return -a;
}
TT_INLINE VecF v_div(VecF a, VecF b) { return a / b; }
TT_INLINE VecD v_div(VecD a, VecD b) { return a / b; }

template <class V>
TT_INLINE V v_abs_float(V a) {
  return v_from_bits<V>(v_bits(a) & ~v_sign_bit<V>());
}
TT_INLINE VecF v_abs(VecF a) { return v_abs_float(a); }
TT_INLINE VecD v_abs(VecD a) { return v_abs_float(a); }

/** -1, 0 or 1; 0 for NaN too, as torch.sign. */
template <class V>
TT_INLINE V v_sign(V a) {
  const V one = v_k<V>(1), zero = v_k<V>(0);
  return (a > zero ? one : zero) - (a < zero ? one : zero);
}

/** Magnitude of a, sign of b. */
template <class V>
TT_INLINE V v_copysign(V a, V b) {
  const Mask<V> s = v_sign_bit<V>();
  return v_from_bits<V>((v_bits(a) & ~s) | (v_bits(b) & s));
}
template <class V>
TT_INLINE Mask<V> v_signbit(V a) {
  return v_bits(a) < v_ik<V>(0);
}

template <class V>
TT_INLINE Mask<V> v_isnan(V a) {
  return bit_cast<Mask<V>>(a != a);
}
template <class V>
TT_INLINE Mask<V> v_isinf(V a) {
  return bit_cast<Mask<V>>(v_abs_float(a) == v_k<V>(__builtin_inf()));
}
template <class V>
TT_INLINE Mask<V> v_isfinite(V a) {
  return bit_cast<Mask<V>>(v_abs_float(a) < v_k<V>(__builtin_inf()));
}
TT_INLINE VecL v_isnan(VecL) { return VecL{}; }
TT_INLINE VecL v_isinf(VecL) { return VecL{}; }
TT_INLINE VecL v_isfinite(VecL) { return ~VecL{}; }

#define TT_LANE_UNARY(NAME, F32, F64) \
  TT_INLINE VecF v_##NAME(VecF a) {   \
    VecF r;                           \
    TT_LANES(VecF) r[i] = F32(a[i]);  \
    return r;                         \
  }                                   \
  TT_INLINE VecD v_##NAME(VecD a) {   \
    VecD r;                           \
    TT_LANES(VecD) r[i] = F64(a[i]);  \
    return r;                         \
  }
TT_LANE_UNARY(sqrt, __builtin_sqrtf, __builtin_sqrt)
TT_LANE_UNARY(floor, __builtin_floorf, __builtin_floor)
TT_LANE_UNARY(ceil, __builtin_ceilf, __builtin_ceil)
TT_LANE_UNARY(trunc, __builtin_truncf, __builtin_trunc)
// Half to even: the rounding mode is never changed.
TT_LANE_UNARY(round, __builtin_rintf, __builtin_rint)
#undef TT_LANE_UNARY

/** a * b + c rounded once. */
TT_INLINE VecF v_fma(VecF a, VecF b, VecF c) { return fused(a, b, c); }
TT_INLINE VecD v_fma(VecD a, VecD b, VecD c) { return fused(a, b, c); }
/** a * b + c rounded once where that is one instruction, twice elsewhere: for approximations. */
template <class V>
TT_INLINE V v_mad(V a, V b, V c) {
  return multiply_add(a, b, c);
}
/** c0 + c1 x + c2 x^2 ...: Horner's rule, the constant term first. */
template <class V>
TT_INLINE V v_horner(V, double c0) {
  return v_k<V>(c0);
}
template <class V, class... Rest>
TT_INLINE V v_horner(V x, double c0, Rest... rest) {
  return v_mad(v_horner(x, rest...), x, v_k<V>(c0));
}
/** Every second coefficient, from the first (even) or the second (odd), as a polynomial in z. */
template <class V, class... Rest>
TT_INLINE V v_even(V z, double c0, Rest... rest);
template <class V, class... Rest>
TT_INLINE V v_odd(V z, double, Rest... rest) {
  if constexpr (sizeof...(rest) == 1) {
    return v_k<V>(static_cast<double>((rest + ...)));
  } else {
    return v_even(z, rest...);
  }
}
template <class V, class... Rest>
TT_INLINE V v_even(V z, double c0, Rest... rest) {
  if constexpr (sizeof...(rest) < 2) {
    return v_k<V>(c0);
  } else {
    return v_mad(v_odd(z, rest...), z, v_k<V>(c0));
  }
}
/** v_horner, from six coefficients on as two interleaved chains: half the latency. */
template <class V, class... Coefficients>
TT_INLINE V v_poly(V x, Coefficients... c) {
  if constexpr (sizeof...(c) < 6) {
    return v_horner(x, c...);
  } else {
    const V z = x * x;
    return v_mad(v_odd(z, c...), x, v_even(z, c...));
  }
}

template <class V>
TT_INLINE V v_reciprocal(V a) {
  return v_k<V>(1) / a;
}
template <class V>
TT_INLINE V v_rsqrt(V a) {
  return v_k<V>(1) / v_sqrt(a);
}
template <class V>
TT_INLINE V v_frac(V a) {
  return a - v_trunc(a);
}

// ---- minima and maxima

TT_INLINE VecL v_min(VecL a, VecL b) { return a < b ? a : b; }
TT_INLINE VecL v_max(VecL a, VecL b) { return a > b ? a : b; }
template <class V>
TT_INLINE V v_min_nan(V a, V b) {
  const V r = a < b ? a : b;
  return a != a ? a : r;
}
template <class V>
TT_INLINE V v_max_nan(V a, V b) {
  const V r = a > b ? a : b;
  return a != a ? a : r;
}
/** NaN if either is, as torch.minimum and torch.maximum. */
TT_INLINE VecF v_min(VecF a, VecF b) { return v_min_nan(a, b); }
TT_INLINE VecD v_min(VecD a, VecD b) { return v_min_nan(a, b); }
TT_INLINE VecF v_max(VecF a, VecF b) { return v_max_nan(a, b); }
TT_INLINE VecD v_max(VecD a, VecD b) { return v_max_nan(a, b); }
/** The other one if one is NaN. */
template <class V>
TT_INLINE V v_fmin(V a, V b) {
  const V r = a < b ? a : b;
  return b != b ? a : r;
}
template <class V>
TT_INLINE V v_fmax(V a, V b) {
  const V r = a > b ? a : b;
  return b != b ? a : r;
}

// ---- two halves of a float vector as doubles

typedef float HalfF __attribute__((vector_size(TT_VECTOR_BYTES / 2)));
TT_INLINE VecD v_low_half(VecF x) {
  HalfF h;
  memcpy(&h, &x, sizeof h);
  return __builtin_convertvector(h, VecD);
}
TT_INLINE VecD v_high_half(VecF x) {
  HalfF h;
  memcpy(&h, reinterpret_cast<const char*>(&x) + sizeof h, sizeof h);
  return __builtin_convertvector(h, VecD);
}
TT_INLINE VecF v_join_halves(VecD low, VecD high) {
  const HalfF a = __builtin_convertvector(low, HalfF), b = __builtin_convertvector(high, HalfF);
  VecF r;
  memcpy(&r, &a, sizeof a);
  memcpy(reinterpret_cast<char*>(&r) + sizeof a, &b, sizeof b);
  return r;
}

// ---- lane by lane over a scalar function of doubles, for what is rare: calls, never inlined

template <double (*F)(double), class V>
TT_NOINLINE V v_map(V x) {
  for (int i = 0; i < v_lanes<V>; i++) x[i] = static_cast<Lane<V>>(F(x[i]));
  return x;
}
template <double (*F)(double, double), class V>
TT_NOINLINE V v_map(V x, V y) {
  for (int i = 0; i < v_lanes<V>; i++) x[i] = static_cast<Lane<V>>(F(x[i], y[i]));
  return x;
}
/** Declares v_NAME for both floating types, lane by lane over scalar S. */
#define TT_MAP1(NAME, S)                                \
  TT_INLINE VecF v_##NAME(VecF x) { return v_map<S>(x); } \
  TT_INLINE VecD v_##NAME(VecD x) { return v_map<S>(x); }
#define TT_MAP2(NAME, S)                                             \
  TT_INLINE VecF v_##NAME(VecF x, VecF y) { return v_map<S>(x, y); } \
  TT_INLINE VecD v_##NAME(VecD x, VecD y) { return v_map<S>(x, y); }

/** x = mantissa * 2^exponent with 1/2 <= |mantissa| < 1; zeros, infinities and NaN have exponent 0. */
inline double s_mantissa(double x) {
  int exponent;
  return std::frexp(x, &exponent);
}
inline double s_exponent(double x) {
  int exponent = 0;
  if (std::isfinite(x)) std::frexp(x, &exponent);
  return exponent;
}
TT_MAP1(mantissa, s_mantissa)
TT_MAP1(exponent, s_exponent)

// ---- division and remainders of floating-point lanes

template <class V>
TT_INLINE V v_trunc_div(V a, V b) {
  return v_trunc(a / b);
}

template <class V>
TT_NOINLINE V v_fmod_lanes(V a, V b) {
  for (int i = 0; i < v_lanes<V>; i++) a[i] = std::fmod(a[i], b[i]);
  return a;
}
/** C's fmod, exact: the sign of a. Quotients below 2^22 need one fused step; others, zeros and infinities go lane by lane. */
template <class V>
TT_INLINE V v_fmod_float(V a, V b) {
#if TT_HAS_FMA
  const V x = v_abs_float(a), y = v_abs_float(b), quotient = x / y;
  const Mask<V> simple = v_bits(quotient) < v_bits(v_k<V>(4194304.0));
  if (v_any(~simple)) return v_fmod_lanes(a, b);
  V r = v_fma(-v_trunc(quotient), y, x);
  r = r < v_k<V>(0) ? r + y : r;
  // A denominator so large or a quotient so small that nothing was subtracted leaves x as it is; infinities too.
  r = quotient < v_k<V>(1) ? (x < y ? x : x - y) : r;
  return v_copysign(r, a);
#else
  return v_fmod_lanes(a, b);
#endif
}
template <class V>
TT_INLINE V v_remainder_float(V a, V b) {
  const V r = v_fmod_float(a, b), zero = v_k<V>(0);
  const Mask<V> fix = bit_cast<Mask<V>>(r != zero) & bit_cast<Mask<V>>((b < zero) != (r < zero));
  return fix ? r + b : r;
}
/** Python's floor division of floats, as torch.floor_divide. */
template <class V>
TT_INLINE V v_floor_div_float(V a, V b) {
  const V r = v_fmod_float(a, b), zero = v_k<V>(0), one = v_k<V>(1), plain = a / b;
  const Mask<V> fix = bit_cast<Mask<V>>(r != zero) & bit_cast<Mask<V>>((b < zero) != (r < zero));
  V q = (a - r) / b;
  q = fix ? q - one : q;
  V whole = v_floor(q);
  whole = q - whole > v_k<V>(0.5) ? whole + one : whole;
  whole = q != zero ? whole : v_copysign(zero, plain);
  return b == zero ? plain : whole;
}
TT_INLINE VecF v_fmod(VecF a, VecF b) { return v_fmod_float(a, b); }
TT_INLINE VecD v_fmod(VecD a, VecD b) { return v_fmod_float(a, b); }
/** Python's %: the sign of b. */
TT_INLINE VecF v_remainder(VecF a, VecF b) { return v_remainder_float(a, b); }
TT_INLINE VecD v_remainder(VecD a, VecD b) { return v_remainder_float(a, b); }
TT_INLINE VecF v_floor_div(VecF a, VecF b) { return v_floor_div_float(a, b); }
TT_INLINE VecD v_floor_div(VecD a, VecD b) { return v_floor_div_float(a, b); }

/** The next representable value from a towards b. */
template <class V>
TT_INLINE V v_nextafter(V a, V b) {
  const Mask<V> bits = v_bits(a), one = v_ik<V>(1);
  const Mask<V> away = bit_cast<Mask<V>>((a < b) == (a > v_k<V>(0)));  // away from zero: one bit pattern up
  V r = v_from_bits<V>(away ? bits + one : bits - one);
  r = a == v_k<V>(0) ? v_copysign(v_from_bits<V>(one), b) : r;
  r = a == b ? b : r;
  return bit_cast<Mask<V>>(a != a) | bit_cast<Mask<V>>(b != b) ? a + b : r;
}

}  // namespace KERNEL_NS
}  // namespace tt
