// Vector primitives of 64-bit integers: wrapping arithmetic, division, shifts, greatest common divisors.
// A zero divisor gives 0 (callers check and raise ZeroDivisionError); the smallest integer divided by -1 wraps.
#pragma once

#include "vmath_core.h"

namespace tt {
inline namespace KERNEL_NS {

// Wrapping arithmetic through the unsigned type: signed overflow is undefined in C++.
using VecU = Vec<uint64_t>;
TT_INLINE VecL v_add(VecL a, VecL b) { return bit_cast<VecL>(bit_cast<VecU>(a) + bit_cast<VecU>(b)); }
TT_INLINE VecL v_sub(VecL a, VecL b) { return bit_cast<VecL>(bit_cast<VecU>(a) - bit_cast<VecU>(b)); }
TT_INLINE VecL v_mul(VecL a, VecL b) { return bit_cast<VecL>(bit_cast<VecU>(a) * bit_cast<VecU>(b)); }
TT_INLINE VecL v_neg(VecL a) { return bit_cast<VecL>(-bit_cast<VecU>(a)); }
TT_INLINE VecL v_abs(VecL a) { return a < VecL{} ? v_neg(a) : a; }
TT_INLINE VecL v_signbit(VecL a) { return bit_cast<VecL>(a < VecL{}); }
TT_INLINE VecL v_fmin(VecL a, VecL b) { return v_min(a, b); }
TT_INLINE VecL v_fmax(VecL a, VecL b) { return v_max(a, b); }
TT_INLINE VecL v_fma(VecL a, VecL b, VecL c) { return v_add(v_mul(a, b), c); }
TT_INLINE VecL v_sqrt(VecL) = delete;
TT_INLINE VecL v_floor(VecL a) { return a; }
TT_INLINE VecL v_ceil(VecL a) { return a; }
TT_INLINE VecL v_trunc(VecL a) { return a; }
TT_INLINE VecL v_round(VecL a) { return a; }

TT_INLINE VecL v_band(VecL a, VecL b) { return a & b; }
TT_INLINE VecL v_bor(VecL a, VecL b) { return a | b; }
TT_INLINE VecL v_bxor(VecL a, VecL b) { return a ^ b; }
TT_INLINE VecL v_bnot(VecL a) { return ~a; }

/** a << b; 0 for amounts outside 0..63, as torch.bitwise_left_shift. */
TT_INLINE VecL v_shl(VecL a, VecL b) {
  const VecL in_range = bit_cast<VecL>(bit_cast<VecU>(b) < broadcast<uint64_t>(64));
  return bit_cast<VecL>(bit_cast<VecU>(a) << bit_cast<VecU>(b & 63)) & in_range;
}
/** Arithmetic a >> b; amounts outside 0..63 leave only the sign, as torch.bitwise_right_shift. */
TT_INLINE VecL v_shr(VecL a, VecL b) {
  const VecL in_range = bit_cast<VecL>(bit_cast<VecU>(b) < broadcast<uint64_t>(64));
  return a >> (in_range ? b : broadcast<int64_t>(63));
}

inline int64_t s_trunc_div(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int64_t>(0 - static_cast<uint64_t>(a));
  // Most values fit 32 bits, whose division is several times faster.
  if (((a | b) >> 32) == 0) return static_cast<int64_t>(static_cast<uint32_t>(a) / static_cast<uint32_t>(b));
  return a / b;
}
inline int64_t s_fmod(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  if (((a | b) >> 32) == 0) return static_cast<int64_t>(static_cast<uint32_t>(a) % static_cast<uint32_t>(b));
  return a % b;
}
inline int64_t s_floor_div(int64_t a, int64_t b) {
  const int64_t q = s_trunc_div(a, b);
  return b != 0 && b != -1 && q * b != a && (a < 0) != (b < 0) ? q - 1 : q;
}
inline int64_t s_remainder(int64_t a, int64_t b) {
  const int64_t r = s_fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
/** Integer power as torch.pow: wraps; a negative exponent gives 1 or -1 for bases 1 and -1, else 0. */
inline int64_t s_pow(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  uint64_t r = 1, b = static_cast<uint64_t>(base);
  for (; exponent; exponent >>= 1, b *= b)
    if (exponent & 1) r *= b;
  return static_cast<int64_t>(r);
}
inline int64_t s_gcd(int64_t a, int64_t b) {
  uint64_t x = a < 0 ? 0 - static_cast<uint64_t>(a) : static_cast<uint64_t>(a);
  uint64_t y = b < 0 ? 0 - static_cast<uint64_t>(b) : static_cast<uint64_t>(b);
  while (y) {
    const uint64_t r = x % y;
    x = y;
    y = r;
  }
  return static_cast<int64_t>(x);
}
inline int64_t s_lcm(int64_t a, int64_t b) {
  const int64_t g = s_gcd(a, b);
  if (g == 0) return 0;
  const uint64_t r = static_cast<uint64_t>(s_trunc_div(a, g)) * static_cast<uint64_t>(b);
  return static_cast<int64_t>(static_cast<int64_t>(r) < 0 ? 0 - r : r);
}

template <int64_t (*F)(int64_t, int64_t)>
TT_NOINLINE VecL v_map_int(VecL a, VecL b) {
  for (int i = 0; i < v_lanes<VecL>; i++) a[i] = F(a[i], b[i]);
  return a;
}
TT_INLINE VecL v_trunc_div(VecL a, VecL b) { return v_map_int<s_trunc_div>(a, b); }
/** Rounds towards zero like C, torch.div's rounding_mode "trunc". */
TT_INLINE VecL v_div(VecL a, VecL b) { return v_map_int<s_trunc_div>(a, b); }
TT_INLINE VecL v_floor_div(VecL a, VecL b) { return v_map_int<s_floor_div>(a, b); }
TT_INLINE VecL v_fmod(VecL a, VecL b) { return v_map_int<s_fmod>(a, b); }
TT_INLINE VecL v_remainder(VecL a, VecL b) { return v_map_int<s_remainder>(a, b); }
TT_INLINE VecL v_pow(VecL a, VecL b) { return v_map_int<s_pow>(a, b); }
TT_INLINE VecL v_gcd(VecL a, VecL b) { return v_map_int<s_gcd>(a, b); }
TT_INLINE VecL v_lcm(VecL a, VecL b) { return v_map_int<s_lcm>(a, b); }

}  // namespace KERNEL_NS
}  // namespace tt
