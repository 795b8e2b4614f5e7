// What generated span functions stand on: the loop over vectors, with its tail.
#pragma once

#include "loops.h"
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

/** As many truth bytes as V has lanes. */
template <int N>
struct TruthBytes {
  typedef u8 type __attribute__((vector_size(N)));
};

template <class T>
TT_INLINE MaskOf<Vec<T>> load_mask(const u8* p) {
  typename TruthBytes<lanes<T>>::type bytes;
  memcpy(&bytes, p, lanes<T>);
  return __builtin_convertvector(bytes, MaskOf<Vec<T>>) != 0;
}

template <class T>
TT_INLINE void store_mask(u8* p, const MaskOf<Vec<T>>& mask) {
  const auto bytes = __builtin_convertvector(mask, typename TruthBytes<lanes<T>>::type) & u8(1);
  memcpy(p, &bytes, lanes<T>);
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
  i64 at = 0;
  for (; at + lanes<T> <= n; at += lanes<T>) {
    const auto r = K::template value<V, M>(load_operand<T, InBool>(in[I], at)...);
    if constexpr (OutBool)
      store_mask<T>(static_cast<u8*>(out) + at, r);
    else
      store<T>(static_cast<T*>(out) + at, r);
  }
  if (at == n) return;
  const i64 rest = n - at;
  const auto r = K::template value<V, M>(load_operand_part<T, InBool>(in[I], at, rest)...);
  if constexpr (OutBool) {
    u8 bytes[lanes<T>];
    store_mask<T>(bytes, r);
    memcpy(static_cast<u8*>(out) + at, bytes, static_cast<size_t>(rest));
  } else {
    store_part<T>(static_cast<T*>(out) + at, r, rest);
  }
}

/** The span function of K over elements of T; OutBool and InBool say which operands are truth bytes. */
template <class K, class T, bool OutBool, bool... InBool>
void run_span(void* out, const void* const* in, i64 n) {
  run_vectors<K, T, OutBool, InBool...>(out, in, n, typename MakeIndexList<sizeof...(InBool)>::type{});
}

}  // namespace KERNEL_NS
}  // namespace tt
