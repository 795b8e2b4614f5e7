// The random number generator shared by the random kernels: mt19937 with the draw order of PyTorch's
// CPU generator, the float conversions it needs, and fused multiply-add that is exact everywhere.
#pragma once

#include <cmath>
#include <type_traits>

#include "kernel.h"

/** Whether this build has a fused multiply-add instruction. */
#if defined(__FMA__) || defined(__aarch64__)
#define TT_FUSED 1
#else
#define TT_FUSED 0
#endif

namespace tt {

/** A PyTorch CPU generator in native memory. The caller allocates `generator_size` bytes (64-byte aligned)
    and seeds them with `generator_seed` before any other use. */
struct GeneratorState {
  static constexpr int kWords = 624;

  uint32_t words[kWords];  // the mt19937 state vector
  int32_t left;            // how many draws the vector still holds, plus one
  uint32_t next;           // the index of the next word to draw
  uint64_t seed;           // what initial_seed() returns
  double normal_double;    // the second half of the last scalar Box-Muller pair (normal_ below 16 elements, gamma ...)
  float normal_float;      // kept only so that get_state returns what set_state took: no CPU kernel draws it
  uint8_t has_normal_double;
  uint8_t has_normal_float;
};

inline namespace KERNEL_NS {

/** Apart from the kernels, names of this family stay here: other kernel files have half types of their own. */
namespace rng {

// ---------------------------------------------------------------------------------------------------------
// Fused multiply-add: one rounding, by the machine's instruction or emulated to the same bits.
// ---------------------------------------------------------------------------------------------------------

#if TT_FUSED

inline float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

#else

/** The product is exact in double, but the sum is rounded there and again to float. That differs from one
    rounding only where the double lies halfway between two floats and is itself inexact: then the last bit
    of the double is set towards the exact sum. */
inline float fused(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;
  double sum = product + c;
  int64_t bits;
  memcpy(&bits, &sum, sizeof bits);
  if (__builtin_expect((bits & 0x1fffffff) == 0x10000000, 0)) {
    const double part = sum - product;
    const double error = (product - (sum - part)) + (c - part);
    if (error != 0) bits += (error > 0) == (sum > 0) ? 1 : -1;
    memcpy(&sum, &bits, sizeof bits);
  }
  return static_cast<float>(sum);
}

/** a * b as high + low, exactly (Veltkamp and Dekker). */
inline void exact_product(double a, double b, double& high, double& low) {
  const double split_a = a * 134217729.0, split_b = b * 134217729.0;
  const double a1 = split_a - (split_a - a), a2 = a - a1;
  const double b1 = split_b - (split_b - b), b2 = b - b1;
  high = a * b;
  low = ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2;
}

/** a + b as high + low, exactly (Knuth). */
inline void exact_sum(double a, double b, double& high, double& low) {
  high = a + b;
  const double part = high - a;
  low = (a - (high - part)) + (b - part);
}

/** Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
    odd" (2008). Operands near the ends of the exponent range go to the C library. */
inline double fused(double a, double b, double c) {
  auto tame = [](double x) { return x == 0 || (std::fabs(x) > 1e-140 && std::fabs(x) < 1e140); };
  if (!tame(a) || !tame(b) || !tame(c)) return std::fma(a, b, c);
  double product, product_low, sum, sum_low, top, top_low, tail, tail_error;
  exact_product(a, b, product, product_low);
  exact_sum(c, product_low, sum, sum_low);
  exact_sum(product, sum, top, top_low);
  exact_sum(sum_low, top_low, tail, tail_error);
  if (tail_error != 0) {
    int64_t bits;
    memcpy(&bits, &tail, sizeof bits);
    if ((bits & 1) == 0) bits += (tail_error > 0) == (tail > 0) ? 1 : -1;
    memcpy(&tail, &bits, sizeof tail);
  }
  return top + tail;
}

#endif

// ---------------------------------------------------------------------------------------------------------
// Element types: half types as bits, computed with in float.
// ---------------------------------------------------------------------------------------------------------

struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};
struct Boolean {
  u8 value;
};

/** Rounds to nearest even; NaN becomes 0x7e00 with the sign kept. */
inline Half to_half(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  const uint32_t sign = (u >> 16) & 0x8000u;
  const uint32_t magnitude = u & 0x7fffffffu;
  const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1)) >> 13;
  // Below the smallest normal half, the float adder rounds at the right bit.
  const uint32_t half_bits = 0x3f000000u;
  float half, shifted;
  memcpy(&half, &half_bits, sizeof half);
  memcpy(&shifted, &magnitude, sizeof shifted);
  shifted += half;
  uint32_t subnormal;
  memcpy(&subnormal, &shifted, sizeof subnormal);
  subnormal -= half_bits;
  uint32_t r = magnitude < 0x38800000u ? subnormal : normal;
  r = magnitude >= 0x477ff000u ? 0x7c00u : r;
  r = magnitude > 0x7f800000u ? 0x7e00u : r;
  return {static_cast<uint16_t>(r | sign)};
}

/** Rounds to nearest even; NaN becomes 0x7fc0. */
inline BFloat16 to_bfloat16(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1)) >> 16;
  return {static_cast<uint16_t>((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded)};
}

inline float from_bfloat16(BFloat16 x) {
  const uint32_t u = static_cast<uint32_t>(x.bits) << 16;
  float r;
  memcpy(&r, &u, sizeof r);
  return r;
}

inline float from_half(Half x) {
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000u) << 16;
  const uint32_t magnitude = x.bits & 0x7fffu;
  if (magnitude >= 0x7c00u) {
    const uint32_t u = sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13);
    float r;
    memcpy(&r, &u, sizeof r);
    return r;
  }
  uint32_t u = magnitude << 13;
  float r;
  memcpy(&r, &u, sizeof r);
  r *= 5.192296858534828e33f;  // 2^112: the difference of the exponent biases
  memcpy(&u, &r, sizeof u);
  u |= sign;
  memcpy(&r, &u, sizeof r);
  return r;
}

/** What a PyTorch kernel computes in for elements of T (at::opmath_type). */
template <class T>
struct Compute {
  using type = float;
};
template <>
struct Compute<double> {
  using type = double;
};

/** static_cast<To>(x) as c10's types define it: to half types by way of float. */
template <class To, class From>
inline To convert(From x) {
  if constexpr (std::is_same_v<To, Half>) {
    return to_half(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bfloat16(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, Boolean>) {
    return {static_cast<u8>(x != 0)};
  } else {
    return static_cast<To>(x);
  }
}
inline float widen(Half x) { return from_half(x); }
inline float widen(BFloat16 x) { return from_bfloat16(x); }
inline float widen(float x) { return x; }
inline double widen(double x) { return x; }

// ---------------------------------------------------------------------------------------------------------
// The stream of words.
// ---------------------------------------------------------------------------------------------------------

/** Seeds as at::mt19937(seed): the low 32 bits start the vector, all 64 are what initial_seed() returns. */
void seed_generator(GeneratorState& state, uint64_t seed);

/** Replaces the exhausted vector by the next 624 words. */
void refill_generator(GeneratorState& state);

inline uint32_t temper(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

/** The next 32 bits. */
inline uint32_t draw32(GeneratorState& state) {
  if (--state.left <= 0 || state.next >= GeneratorState::kWords) refill_generator(state);
  return temper(state.words[state.next++]);
}

/** The next 64 bits: the first draw is the high half. */
inline uint64_t draw64(GeneratorState& state) {
  const uint64_t high = draw32(state);
  return high << 32 | draw32(state);
}

/** The next n draws of 32 bits, in order. */
void draw_words(GeneratorState& state, uint32_t* out, i64 n);

/** Uniform on [0, 1): 24 of 32 bits for float, 53 of 64 for double. */
inline float unit_float(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word & 0xffffffu)) * 5.9604644775390625e-8f;
}
inline double unit_double(uint64_t word) {
  return static_cast<double>(static_cast<int64_t>(word & 0x1fffffffffffffu)) * 1.1102230246251565e-16;
}
inline double draw_unit_double(GeneratorState& state) { return unit_double(draw64(state)); }

/** Box-Muller in double; the sine half is kept in the state for the next call. */
inline double draw_normal_double(GeneratorState& state) {
  if (state.has_normal_double) {
    state.has_normal_double = 0;
    return state.normal_double;
  }
  const double u1 = draw_unit_double(state);
  const double u2 = draw_unit_double(state);
  const double radius = std::sqrt(-2.0 * std::log1p(-u2));
  const double theta = 2.0 * 3.14159265358979323846 * u1;
  state.normal_double = radius * std::sin(theta);
  state.has_normal_double = 1;
  return radius * std::cos(theta);
}

/** Values drawn at a time by the kernels that transform them in bulk: they stay in the first-level cache. */
constexpr i64 kDrawBlock = 2048;

/** The next n <= kDrawBlock uniforms on [0, 1). */
inline void draw_units(GeneratorState& state, float* __restrict unit, i64 n) {
  uint32_t words[kDrawBlock];
  draw_words(state, words, n);
  for (i64 i = 0; i < n; i++) unit[i] = unit_float(words[i]);
}
inline void draw_units(GeneratorState& state, double* __restrict unit, i64 n) {
  uint32_t words[2 * kDrawBlock];
  draw_words(state, words, 2 * n);
  for (i64 i = 0; i < n; i++) {
    unit[i] = unit_double(static_cast<uint64_t>(words[2 * i]) << 32 | words[2 * i + 1]);
  }
}

/** Calls body(element of the C++ type of dtype); other dtypes do nothing, the caller has refused them. */
template <class Body>
inline void with_floating(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::F16:
      return body(Half{});
    case DType::BF16:
      return body(BFloat16{});
    case DType::F32:
      return body(float{});
    case DType::F64:
      return body(double{});
    default:
      return;
  }
}
template <class Body>
inline void with_real(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::Bool:
      return body(Boolean{});
    case DType::U8:
      return body(u8{});
    case DType::I8:
      return body(int8_t{});
    case DType::I16:
      return body(int16_t{});
    case DType::I32:
      return body(int32_t{});
    case DType::I64:
      return body(i64{});
    default:
      return with_floating(dtype, body);
  }
}

}  // namespace rng

// The kernels of random_distributions.cc.
void random_bernoulli(double* args);
void random_bernoulli_tensor(double* args);
void random_exponential(double* args);
void random_geometric(double* args);
void random_cauchy(double* args);
void random_log_normal(double* args);
void random_poisson(double* args);
void random_binomial(double* args);
void random_multinomial(double* args);
void random_rrelu(double* args);
void random_gamma(double* args);
void random_dirichlet(double* args);

}  // namespace KERNEL_NS
}  // namespace tt
