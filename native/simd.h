// Vectors as wide as the instruction set of this build has them, over GCC/Clang vector extensions: one
// source for AVX-512, AVX2, SSE, NEON and WebAssembly. No intrinsics elsewhere, and one here: the multiply-add
// of relaxed WebAssembly, which the compiler does not choose by itself.
#pragma once

#include "kernel.h"

#if defined(__AVX512F__)
#define TT_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define TT_VECTOR_BYTES 32
#else
#define TT_VECTOR_BYTES 16
#endif

/** Whether a multiply-add with one rounding is one instruction. A relaxed WebAssembly build runs only where its
    own is found to round once (src/backends/cpu/wasm.ts). */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__wasm_relaxed_simd__)
#define TT_HAS_FMA 1
#else
#define TT_HAS_FMA 0
#endif

// "unroll 1" keeps the compiler from taking a loop over lanes apart before its vectoriser sees it, so that each
// becomes one instruction.
#if defined(__clang__)
#define TT_LANE_LOOP
#else
#define TT_LANE_LOOP _Pragma("GCC unroll 1")
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

/** Numbers 0..N-1 as a pack. */
template <int... I>
struct LaneNumbers {};
template <int N, int... I>
struct MakeLaneNumbers : MakeLaneNumbers<N - 1, N - 1, I...> {};
template <int... I>
struct MakeLaneNumbers<0, I...> {
  using type = LaneNumbers<I...>;
};

/** The same bits as vector To (same size). */
template <class To, class From>
TT_INLINE To bit_cast(From v) {
  static_assert(sizeof(To) == sizeof(From), "bit_cast keeps the size");
  To r;
  memcpy(&r, &v, sizeof r);
  return r;
}

/** a * b + c rounded once. */
TT_INLINE Vec<float> fused(Vec<float> a, Vec<float> b, Vec<float> c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  Vec<float> r;
  TT_LANE_LOOP for (int i = 0; i < lanes<float>; i++) r[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return r;
#endif
}
TT_INLINE Vec<double> fused(Vec<double> a, Vec<double> b, Vec<double> c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f64x2(a, b, c);
#else
  Vec<double> r;
  TT_LANE_LOOP for (int i = 0; i < lanes<double>; i++) r[i] = __builtin_fma(a[i], b[i], c[i]);
  return r;
#endif
}

/** a * b + c, rounded once where that is one instruction, twice elsewhere. */
template <class V>
TT_INLINE V multiply_add(V a, V b, V c) {
#if TT_HAS_FMA
  if constexpr (__is_same(V, Vec<float>) || __is_same(V, Vec<double>)) return fused(a, b, c);
#endif
  return a * b + c;
}

/** The lanes of v with lane i at i ^ W. */
template <int W, class V, int... I>
TT_INLINE V swap_lanes(V v, LaneNumbers<I...>) {
  return __builtin_shufflevector(v, v, (I ^ W)...);
}

/** The lanes of v (T each) combined to one, in every lane: f on vectors, lane i with lane i ^ W for W = half of them
    down to 1. */
template <class T, int W = lanes<T> / 2, class V, class F>
TT_INLINE V fold_lanes(V v, const F& f) {
  if constexpr (W == 0) {
    return v;
  } else {
    return fold_lanes<T, W / 2>(f(v, swap_lanes<W>(v, typename MakeLaneNumbers<lanes<T>>::type{})), f);
  }
}

}  // namespace KERNEL_NS
}  // namespace tt
