// Vectors as wide as the instruction set of this build has them, over GCC/Clang vector extensions: one
// source for AVX-512, AVX2, SSE, NEON and WebAssembly. No intrinsics elsewhere.
#pragma once

#include "kernel.h"

#if defined(__AVX512F__)
#define TT_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define TT_VECTOR_BYTES 32
#else
#define TT_VECTOR_BYTES 16
#endif

#define TT_INLINE inline __attribute__((always_inline))

namespace tt {
inline namespace KERNEL_NS {

template <class T>
struct VecOf;
#define TT_VEC(T)                                                        \
  template <>                                                            \
  struct VecOf<T> {                                                      \
    typedef T type __attribute__((vector_size(TT_VECTOR_BYTES)));        \
    typedef T unaligned __attribute__((vector_size(TT_VECTOR_BYTES), aligned(1), may_alias)); \
  };
TT_VEC(float)
TT_VEC(double)
TT_VEC(int8_t)
TT_VEC(uint8_t)
TT_VEC(int16_t)
TT_VEC(uint16_t)
TT_VEC(int32_t)
TT_VEC(uint32_t)
TT_VEC(int64_t)
TT_VEC(uint64_t)
#undef TT_VEC

/** A full machine vector of T: arithmetic and comparison operators work lane by lane. */
template <class T>
using Vec = typename VecOf<T>::type;

template <class T>
constexpr int lanes = TT_VECTOR_BYTES / static_cast<int>(sizeof(T));

template <class T>
TT_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T>::unaligned*>(p);
}
template <class T>
TT_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T>::unaligned*>(p) = v;
}
template <class T>
TT_INLINE Vec<T> broadcast(T x) {
  return x - Vec<T>{};  // x - 0 keeps the sign of a zero
}

/** The first n lanes (n < lanes<T>) from p; the others are zero. */
template <class T>
TT_INLINE Vec<T> load_part(const T* p, i64 n) {
  Vec<T> v{};
  memcpy(&v, p, static_cast<size_t>(n) * sizeof(T));
  return v;
}
template <class T>
TT_INLINE void store_part(T* p, Vec<T> v, i64 n) {
  memcpy(p, &v, static_cast<size_t>(n) * sizeof(T));
}

/** The same bits as vector To (same size). */
template <class To, class From>
TT_INLINE To bit_cast(From v) {
  static_assert(sizeof(To) == sizeof(From), "bit_cast keeps the size");
  To r;
  memcpy(&r, &v, sizeof r);
  return r;
}

}  // namespace KERNEL_NS
}  // namespace tt
