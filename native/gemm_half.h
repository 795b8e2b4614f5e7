// Storage types of matrix operands, and their conversion to and from the type that the sum runs in:
// half types sum in f32, integers up to 32 bits modulo 2^32 (which truncates to the same result as a
// wider sum), int64 modulo 2^64, and bool as a count that is stored as "not zero".
#pragma once

#include "simd.h"

namespace tt {
inline namespace KERNEL_NS {

struct F16Bits {
  uint16_t bits;
};
struct BF16Bits {
  uint16_t bits;
};
struct BoolByte {
  uint8_t value;
};

TT_INLINE float float_of_bits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}
TT_INLINE uint32_t bits_of_float(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

TT_INLINE void widen(float& to, F16Bits from) {
  const uint32_t magnitude = static_cast<uint32_t>(from.bits & 0x7fff) << 13;
  const uint32_t sign = static_cast<uint32_t>(from.bits & 0x8000) << 16;
  const uint32_t exponent = magnitude & 0x0f800000;
  const uint32_t normal = magnitude + (112u << 23);
  const uint32_t subnormal = bits_of_float(float_of_bits(magnitude + (113u << 23)) - float_of_bits(113u << 23));
  const uint32_t special = magnitude | 0x7f800000;  // inf and NaN
  const uint32_t finite = exponent == 0 ? subnormal : normal;
  to = float_of_bits(sign | (exponent == 0x0f800000 ? special : finite));
}
TT_INLINE void widen(float& to, BF16Bits from) { to = float_of_bits(static_cast<uint32_t>(from.bits) << 16); }
TT_INLINE void widen(float& to, float from) { to = from; }
TT_INLINE void widen(double& to, double from) { to = from; }
TT_INLINE void widen(uint32_t& to, uint8_t from) { to = from; }
TT_INLINE void widen(uint32_t& to, int8_t from) { to = static_cast<uint32_t>(from); }
TT_INLINE void widen(uint32_t& to, int16_t from) { to = static_cast<uint32_t>(from); }
TT_INLINE void widen(uint32_t& to, uint32_t from) { to = from; }
TT_INLINE void widen(uint32_t& to, BoolByte from) { to = from.value != 0; }
TT_INLINE void widen(uint64_t& to, uint64_t from) { to = from; }
TT_INLINE void widen(int64_t& to, int64_t from) { to = from; }

/** Round to nearest, ties to even; a NaN becomes the quiet NaN of its sign. */
TT_INLINE void narrow(F16Bits& to, float from) {
  const uint32_t bits = bits_of_float(from);
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t special = magnitude > 0x7f800000 ? 0x7e00u : 0x7c00u;
  const uint32_t subnormal = bits_of_float(float_of_bits(magnitude) + 0.5f) - (126u << 23);
  const uint32_t normal = (magnitude - (112u << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  const uint32_t finite = magnitude < 0x38800000 ? subnormal : normal;
  to.bits = static_cast<uint16_t>(sign | (magnitude >= 0x47800000 ? special : finite));
}
TT_INLINE void narrow(BF16Bits& to, float from) {
  const uint32_t bits = bits_of_float(from);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  to.bits = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0u : rounded);
}
TT_INLINE void narrow(float& to, float from) { to = from; }
TT_INLINE void narrow(double& to, double from) { to = from; }
TT_INLINE void narrow(uint8_t& to, uint32_t from) { to = static_cast<uint8_t>(from); }
TT_INLINE void narrow(int8_t& to, uint32_t from) { to = static_cast<int8_t>(from); }
TT_INLINE void narrow(int16_t& to, uint32_t from) { to = static_cast<int16_t>(from); }
TT_INLINE void narrow(uint32_t& to, uint32_t from) { to = from; }
TT_INLINE void narrow(BoolByte& to, uint32_t from) { to.value = from != 0; }
TT_INLINE void narrow(uint64_t& to, uint64_t from) { to = from; }
TT_INLINE void narrow(int64_t& to, int64_t from) { to = from; }

template <class T, class S>
TT_INLINE T widened(S from) {
  T to;
  widen(to, from);
  return to;
}

template <class A, class B>
constexpr bool same_type = false;
template <class A>
constexpr bool same_type<A, A> = true;

}  // namespace KERNEL_NS
}  // namespace tt
