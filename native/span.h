// What generated span functions stand on: the loop over vectors, with its tail.
#pragma once

#include "loops.h"
#include "vcomplex.h"
#include "vmath.h"

namespace tt {
inline namespace KERNEL_NS {

template <class V>
using MaskOf = decltype(V{} == V{});

/** A constant in every lane. */
template <class V>
TT_INLINE V v_const(double c) {
  return v_k<V>(c);
}
template <>
TT_INLINE c128 v_const<c128>(double c) {
  return {c, 0};
}
/** Real numbers are their own conjugates. */
template <class V>
TT_INLINE V v_conj(const V& x) {
  return x;
}

/** Numbers 0..N-1 as a pack, without the standard library. */
template <size_t... I>
struct IndexList {};
template <size_t N, size_t... I>
struct MakeIndexList : MakeIndexList<N - 1, N - 1, I...> {};
template <size_t... I>
struct MakeIndexList<0, I...> {
  using type = IndexList<I...>;
};

/** N lanes of T, as a vector of any width. */
template <class T, int N>
struct Lanes {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T, int N>
using LanesOf = typename Lanes<T, N>::type;

/** Truth bytes (0 or 1) as a mask. Converted by doubling: each step is an instruction, a wide conversion is not. */
template <class T>
TT_INLINE MaskOf<Vec<T>> load_mask(const u8* p) {
  constexpr int n = lanes<T>;
  LanesOf<int8_t, n> bytes;
  memcpy(&bytes, p, n);
  const auto words = __builtin_convertvector(__builtin_convertvector(-bytes, LanesOf<int16_t, n>), LanesOf<int32_t, n>);
  return __builtin_convertvector(words, MaskOf<Vec<T>>);
}

template <class T>
TT_INLINE void store_mask(u8* p, const MaskOf<Vec<T>>& mask) {
  constexpr int n = lanes<T>;
  const auto words = __builtin_convertvector(mask, LanesOf<int32_t, n>);
  const auto bytes = __builtin_convertvector(__builtin_convertvector(words, LanesOf<int16_t, n>), LanesOf<int8_t, n>) & int8_t(1);
  memcpy(p, &bytes, n);
}

/** The i-th operand's vector at element `at`; the last `n` lanes only, when n < lanes. */
template <class T, bool IsBool>
TT_INLINE auto load_operand(const void* base, i64 at) {
  if constexpr (IsBool)
    return load_mask<T>(static_cast<const u8*>(base) + at);
  else
    return load<T>(static_cast<const T*>(base) + at);
}
template <class T, bool IsBool>
TT_INLINE auto load_operand_part(const void* base, i64 at, i64 n) {
  if constexpr (IsBool) {
    u8 bytes[lanes<T>] = {};
    memcpy(bytes, static_cast<const u8*>(base) + at, static_cast<size_t>(n));
    return load_mask<T>(bytes);
  } else {
    return load_part<T>(static_cast<const T*>(base) + at, n);
  }
}

template <class K, class T, bool OutBool, bool... InBool, size_t... I>
TT_INLINE void run_vectors(void* out, const void* const* in, i64 n, IndexList<I...>) {
  using V = Vec<T>;
  using M = MaskOf<V>;
  // Copies: what is stored through `out` might be these pointers, for all the compiler knows.
  const void* const from[sizeof...(I) + 1] = {in[I]..., nullptr};
  i64 at = 0;
  for (; at + lanes<T> <= n; at += lanes<T>) {
    const auto r = K::template value<V, M>(load_operand<T, InBool>(from[I], at)...);
    if constexpr (OutBool)
      store_mask<T>(static_cast<u8*>(out) + at, r);
    else
      store<T>(static_cast<T*>(out) + at, r);
  }
  if (at == n) return;
  const i64 rest = n - at;
  const auto r = K::template value<V, M>(load_operand_part<T, InBool>(from[I], at, rest)...);
  if constexpr (OutBool) {
    u8 bytes[lanes<T>];
    store_mask<T>(bytes, r);
    memcpy(static_cast<u8*>(out) + at, bytes, static_cast<size_t>(rest));
  } else {
    store_part<T>(static_cast<T*>(out) + at, r, rest);
  }
}

template <bool IsBool>
TT_INLINE auto load_complex(const void* base, i64 at) {
  if constexpr (IsBool)
    return cmask{static_cast<const u8*>(base)[at] != 0};
  else
    return static_cast<const c128*>(base)[at];
}

/** Complex numbers go one by one: their arithmetic lacks vector operators. */
template <class K, bool OutBool, bool... InBool, size_t... I>
TT_INLINE void run_complex(void* out, const void* const* in, i64 n, IndexList<I...>) {
  for (i64 at = 0; at < n; at++) {
    const auto r = K::template value<c128, cmask>(load_complex<InBool>(in[I], at)...);
    if constexpr (OutBool)
      static_cast<u8*>(out)[at] = r.on;
    else
      static_cast<c128*>(out)[at] = r;
  }
}

template <class T>
constexpr bool is_c128 = false;
template <>
inline constexpr bool is_c128<c128> = true;

/** Logic of truth values alone: bytes (0 or 1) as they are. */
template <class K, size_t... I>
TT_INLINE void run_truths(u8* out, const void* const* in, i64 n, IndexList<I...>) {
  using M = Vec<u8>;
  const M one = M{} + u8(1);
  i64 at = 0;
  for (; at + lanes<u8> <= n; at += lanes<u8>)
    store<u8>(out + at, K::template value<M, M>(load<u8>(static_cast<const u8*>(in[I]) + at)...) & one);
  if (at < n) {
    const i64 rest = n - at;
    store_part<u8>(out + at, K::template value<M, M>(load_part<u8>(static_cast<const u8*>(in[I]) + at, rest)...) & one, rest);
  }
}

/** The span function of K over elements of T; OutBool and InBool say which operands are truth bytes. */
template <class K, class T, bool OutBool, bool... InBool>
void run_span(void* out, const void* const* in, i64 n) {
  using Operands = typename MakeIndexList<sizeof...(InBool)>::type;
  if constexpr (OutBool && sizeof...(InBool) > 0 && (InBool && ...))
    run_truths<K>(static_cast<u8*>(out), in, n, Operands{});
  else if constexpr (is_c128<T>)
    run_complex<K, OutBool, InBool...>(out, in, n, Operands{});
  else
    run_vectors<K, T, OutBool, InBool...>(out, in, n, Operands{});
}

}  // namespace KERNEL_NS
}  // namespace tt
